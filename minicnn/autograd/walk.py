"""The chain rule: the walk backwards through the graph.

Nodes are numbered as they are made, and an operation's inputs always exist before it does; so the walk backwards simply
takes the youngest waiting node, and all the gradients that flow into it have arrived.

What is around it has rooms of its own: gradients on their way in `arrivals`, leaves in `leaves`, what an operation
saved and whether that was changed since in `graph`, hooks in `hooks`, gradients of gradients in `recorded`.
"""

import heapq
from collections.abc import Sequence

import numpy as np

from minicnn.autograd.anomalies import check, detection
from minicnn.autograd.arrivals import Arrivals
from minicnn.autograd.leaves import hand_to_leaves
from minicnn.autograd.variable import Variable


def run_backward(
    roots: Sequence[Variable],
    gradients: Sequence[np.ndarray],
    retain_graph: bool = False,
    targets: Sequence[Variable] | None = None,
    since: int = 0,
) -> list[np.ndarray | None]:
    """Carry `gradients` from `roots` through the graph.

    Args:
        roots: tensors to start from.
        gradients: the gradient with respect to each root, of its shape.
        retain_graph: keep saved values, so that another walk can follow.
        targets: where given, collect the gradients with respect to these tensors and touch no `.grad`; otherwise
            gradients accumulate in the leaves' `.grad`.
        since: with `targets`, go no further than nodes with lower numbers than this.

    Returns: the gradient with respect to each target, None where there was none.
    """
    arrivals = Arrivals(roots, targets, since)
    with np.errstate(all="ignore"):  # infinity and NaN are values like others
        arrivals.deliver(arrivals.starts, gradients, own=False)
        while arrivals.heap:
            node = heapq.heappop(arrivals.heap)  # the youngest: whoever sends it gradients is younger, and has
            arrived = arrivals.take(node)
            if arrived is None:
                continue
            watched = node.hooks is not None
            results = node.hooks.run(node, arrived, retain_graph) if watched else node.run(arrived, retain_graph)
            if detection.enabled:
                check(node, results)
            arrivals.deliver(node.edges, results, own=not watched and node.operator.hands_over)
        arrivals.show_leaves()
    if targets is not None:
        return arrivals.at_the_ends()
    hand_to_leaves(arrivals.waiting, gradients)
    return []
