"""The walk backwards through the graph.

Nodes are numbered as they are made, and an operation's inputs always exist before it does; so the walk
backwards simply takes the youngest waiting node, and all the gradients that flow into it have arrived.
"""

import heapq
from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn import kernels
from minicnn.autograd.anomalies import check, detection
from minicnn.autograd.graph import Node
from minicnn.autograd.hooks import shown
from minicnn.autograd.storage import elements, is_dense, keep_strides
from minicnn.autograd.variable import Variable, owner


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
        gradients: the gradient by each root, of its shape.
        retain_graph: keep saved values, so that another walk can follow.
        targets: where given, collect the gradients by these tensors and touch no `.grad`; otherwise gradients
            accumulate in the leaves' `.grad`.
        since: with `targets`, go no further than nodes with lower numbers than this.

    Returns: the gradient by each target, None where there was none.
    """
    starts = [place(root) for root in roots]
    ends = [place(target) for target in targets or ()]
    wanted = frozenset(ends)
    visited = None if targets is None else nodes_leading_to(wanted, starts, since)
    collected: dict[tuple, np.ndarray] = {}
    waiting: dict[Any, list] = {}  # node → gradients by its outputs; leaf → [gradient, whether nobody else holds it]
    heap: list[Node] = []
    edges: Sequence[tuple | None] = starts
    results: Sequence[np.ndarray | None] = gradients
    own = False  # whether nobody else holds the results
    watching = detection.enabled
    with np.errstate(all="ignore"):  # infinity and NaN are values like others
        while True:
            for edge, gradient in zip(edges, results, strict=False):  # options have no gradients
                if edge is None or gradient is None:
                    continue
                target, number = edge
                slots = waiting.get(target)
                if isinstance(target, Node):
                    if slots is None:
                        slots = waiting[target] = [None] * len(target.outputs)
                        heapq.heappush(heap, target)
                    shape, dtype = target.outputs[number]
                    target.may_overwrite = own or slots[number] is not None  # a sum is new
                else:
                    if slots is None:
                        slots = waiting[target] = [None, own]
                    array = target._array
                    shape, dtype = array.shape, array.dtype
                if gradient.shape != shape:
                    gradient = unbroadcast(gradient, shape)
                if gradient.dtype != dtype:
                    gradient = gradient.astype(dtype)
                if slots[number] is not None:
                    gradient = np.add(slots[number], gradient, out=gradient if own else None)
                slots[number] = gradient if type(gradient) is np.ndarray else np.asarray(gradient)
            if not heap:
                break
            node = heapq.heappop(heap)
            slots = waiting.pop(node)
            runs = looked_at = visited is None or node in visited
            if not runs and (node.retained or node.hooks):
                looked_at = any((node, i) in wanted or (node, i) in starts for i in range(len(slots)))
            if wanted and runs:  # before the hooks, as in PyTorch
                _collect(collected, node, slots, wanted)
            if node.hooks is not None and looked_at:
                node.hooks.show(slots)
                node.may_overwrite = False
            if wanted and not runs:
                _collect(collected, node, slots, wanted)
            for number, gradient in enumerate(slots):
                if gradient is None and node.fills_gradients:
                    slots[number] = np.zeros(*node.outputs[number])
            if node.retained and looked_at:
                _keep_retained(node, slots)
            if not runs:
                edges = results = ()
                continue
            if node.hooks is None:
                results, own = node.run(slots, retain_graph), node.operator.hands_over
            else:
                results, own = node.hooks.run(node, slots, retain_graph), False
            edges = node.edges
            if watching:
                check(node, results)
        for leaf, slot in waiting.items():
            if leaf._hooks:
                slot[:] = shown(leaf._hooks, slot[0]), True
        if targets is None:
            _hand_to_leaves(waiting, gradients)
            return []
    collected.update({(leaf, 0): gradient for leaf, (gradient, _) in waiting.items()})
    return [collected.get(end) for end in ends]


def place(tensor: Variable) -> tuple[Any, int]:
    """Where the gradient by `tensor` goes: (node, output number) or (leaf, 0)."""
    tensor._catch_up()
    return (tensor._node or tensor, tensor._output)


def unbroadcast(gradient: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Sum `gradient` over the axes along which an operand of `shape` was broadcast.

    Raises:
        RuntimeError: where `shape` doesn't broadcast to that of `gradient`.
    """
    return kernels.sums.over(gradient, broadcast_axes(shape, gradient.shape), True).reshape(shape)


def broadcast_axes(shape: tuple[int, ...], wide: tuple[int, ...]) -> tuple[int, ...]:
    """The axes of `wide` that an operand of `shape` was broadcast along.

    Raises:
        RuntimeError: where it doesn't broadcast to that.
    """
    fits = len(shape) <= len(wide) and all(size in (1, n) for size, n in zip(shape[::-1], wide[::-1], strict=False))
    if not fits:
        raise RuntimeError(f"an invalid gradient of shape {wide}, expected one that fits shape {shape}")
    extra = len(wide) - len(shape)
    inner = [axis + extra for axis, size in enumerate(shape) if size == 1 and wide[axis + extra] != 1]
    return (*range(extra), *inner)


def nodes_leading_to(wanted: frozenset, starts: list[tuple], since: int = 0) -> set[Node]:
    """The nodes whose arguments depend on one of `wanted`: only they need to run for its gradient.

    Nodes with lower numbers than `since` count as leaves.
    """
    known: dict[Any, bool] = {}
    stack = [start for start, _ in starts]
    while stack:
        target = stack[-1]
        inner = isinstance(target, Node) and target.number >= since
        edges = [edge for edge in target.edges if edge is not None] if inner else []
        below = [edge[0] for edge in edges if edge[0] not in known]
        if target not in known and below:
            stack += below
            continue
        stack.pop()
        known[target] = any(known[edge[0]] or edge in wanted for edge in edges)
    return {target for target, leads in known.items() if leads}


def _collect(collected: dict, node: Node, gradients: list, wanted: frozenset) -> None:
    """Note the gradients with respect to those outputs of a node that a walk was made for."""
    for number, gradient in enumerate(gradients):
        if gradient is not None and (node, number) in wanted:
            collected[node, number] = gradient
            node.may_overwrite = False


def _keep_retained(node: Node, gradients: list[np.ndarray]) -> None:
    for number, reference in (node.retained or {}).items():
        tensor = reference()
        if tensor is not None:
            accumulate(tensor, gradients[number].copy())


def _hand_to_leaves(waiting: dict[Any, list], gradients: Sequence[np.ndarray]) -> None:
    """Put every leaf's gradient into its `.grad`; no two leaves, nor the caller's gradients, share memory."""
    owned = {id(owner(gradient)) for gradient in gradients}
    for leaf, (gradient, own) in waiting.items():
        if not leaf._requires_grad:  # not any more
            continue
        if leaf._node is not None:
            raise RuntimeError("leaf variable has been moved into the graph interior: it was changed in place since")
        if not own:
            memory = id(owner(gradient))
            if memory in owned or not gradient.flags.writeable:
                gradient = kernels.memory.copied(gradient, leaf._array)
            owned.add(memory)
        hand_over(leaf, gradient)


def hand_over(tensor: Variable, gradient: np.ndarray) -> None:
    """Add `gradient`, an array that nobody else holds, to a tensor's `.grad`, and call the hooks that wait for that."""
    accumulate(tensor, gradient)
    for hook in [*(tensor._hooks_after or {}).values()]:
        hook(tensor)


def accumulate(tensor: Variable, gradient: np.ndarray) -> None:
    """Add `gradient`, an array that nobody else holds, to a tensor's `.grad`."""
    if tensor._grad is None:
        tensor._grad = Variable._computed(gradient)
        array = tensor._array
        if tensor._layout is None and not array.flags.c_contiguous and is_dense(array.shape, elements(array)):
            keep_strides(tensor._grad, [tensor])
    else:
        tensor._grad._array += gradient
        tensor._grad._bump()
