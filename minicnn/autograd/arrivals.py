"""Gradients on their way through the graph: what has arrived where, and who looks at it as it passes.

The gradient with respect to an output is the sum of what all operations send that took it. `Arrivals` adds them up, in
memory that nobody else holds where it may, and shows the sum to hooks and to tensors that retain their gradient.
"""

import heapq
from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn import kernels
from minicnn.autograd.graph import Node
from minicnn.autograd.hooks import shown
from minicnn.autograd.leaves import accumulate
from minicnn.autograd.variable import Variable


class Arrivals:
    """What waits in a walk.

    Attributes:
        starts: the places of the tensors that the walk begins from.
        ends: those of its targets.
        heap: nodes that a gradient has arrived at, the youngest first.
        waiting: node → gradients with respect to its outputs; leaf → [gradient, whether nobody else holds it].
        collected: the gradients with respect to targets that the walk has come by.
    """

    def __init__(self, roots: Sequence[Variable], targets: Sequence[Variable] | None, since: int) -> None:
        self.starts = [place(root) for root in roots]
        self.ends = [place(target) for target in targets or ()]
        self.wanted = frozenset(self.ends)
        self.visited = None if targets is None else nodes_leading_to(self.wanted, self.starts, since)
        self.collected: dict[tuple, np.ndarray] = {}
        self.waiting: dict[Any, list] = {}
        self.heap: list[Node] = []

    def deliver(self, edges: Sequence[tuple | None], gradients: Sequence[np.ndarray | None], own: bool) -> None:
        """Add gradients to those that wait at the other ends of edges.

        Args:
            edges: where each goes; options, behind them, have none.
            gradients: of the shapes that arguments were broadcast to.
            own: whether nobody else holds the gradients.
        """
        waiting = self.waiting
        for edge, gradient in zip(edges, gradients, strict=False):
            if edge is None or gradient is None:
                continue
            target, number = edge
            slots = waiting.get(target)
            if isinstance(target, Node):
                if slots is None:
                    slots = waiting[target] = [None] * len(target.outputs)
                    heapq.heappush(self.heap, target)
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

    def take(self, node: Node) -> list | None:
        """The gradients with respect to a node's outputs, None where the walk doesn't go on behind it."""
        slots = self.waiting.pop(node)
        if self.visited is None and node.hooks is None and not node.retained:
            _fill(node, slots)
            return slots
        return slots if self._shown(node, slots) else None

    def _shown(self, node: Node, slots: list) -> bool:
        """Show gradients to targets, hooks and tensors that retain them; whether the walk goes on."""
        runs = looked_at = self.visited is None or node in self.visited
        if not runs and (node.retained or node.hooks):
            looked_at = any((node, i) in self.wanted or (node, i) in self.starts for i in range(len(slots)))
        if self.wanted and runs:  # before the hooks, as in PyTorch
            self._collect(node, slots)
        if node.hooks is not None and looked_at:
            node.hooks.show(slots)
            node.may_overwrite = False
        if self.wanted and not runs:
            self._collect(node, slots)
        _fill(node, slots)
        if node.retained and looked_at:
            _keep_retained(node, slots)
        return runs

    def _collect(self, node: Node, gradients: list) -> None:
        """Note the gradients with respect to those outputs of a node that the walk was made for."""
        for number, gradient in enumerate(gradients):
            if gradient is not None and (node, number) in self.wanted:
                self.collected[node, number] = gradient
                node.may_overwrite = False

    def show_leaves(self) -> None:
        """Call the hooks of the leaves that gradients arrived at."""
        for leaf, slot in self.waiting.items():
            if leaf._hooks:
                slot[:] = shown(leaf._hooks, slot[0]), True

    def at_the_ends(self) -> list[np.ndarray | None]:
        """The gradient with respect to each target, None where there was none."""
        self.collected.update({(leaf, 0): gradient for leaf, (gradient, _) in self.waiting.items()})
        return [self.collected.get(end) for end in self.ends]


def _fill(node: Node, slots: list) -> None:
    """Zeros for the outputs that no gradient arrived for."""
    for number, gradient in enumerate(slots):
        if gradient is None and node.fills_gradients:
            slots[number] = np.zeros(*node.outputs[number])


def _keep_retained(node: Node, gradients: list[np.ndarray]) -> None:
    for number, reference in (node.retained or {}).items():
        tensor = reference()
        if tensor is not None:
            accumulate(tensor, gradients[number].copy())


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
