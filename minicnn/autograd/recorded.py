"""The walk whose own steps are recorded, so that gradients have gradients: `create_graph=True`.

It goes as the walk in `minicnn.autograd.walk` does, but what it carries are Tensors, and what a node does with them are
operations like any others. An operation therefore says its backward twice: on arrays, as fast as it can, and on
Tensors, as `backward_recorded`. Three ways spare it the second:

- where it is linear in its first argument, `again` gives the forward on another array. The backward is a linear map
  then, its adjoint the forward, and `Adjoint` records either.
- where its backward is NumPy's arithmetic on what was saved, `minicnn.operators.tracing` runs that on Tensors.
- where neither holds and nothing is written, there is no gradient of its gradient, and the walk says so.
"""

import heapq
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minicnn.autograd.anomalies import check, detection
from minicnn.autograd.arrivals import broadcast_axes, nodes_leading_to, place
from minicnn.autograd.graph import FREED, Node
from minicnn.autograd.hooks import seen_by
from minicnn.autograd.mode import enable_grad
from minicnn.autograd.operator import Operator, unrecorded
from minicnn.autograd.variable import Variable, owner


class Recorded:
    """A node as `backward_recorded` sees it: `ctx`, with what was saved as arrays and as Tensors.

    Attributes:
        node: the node; its attributes are this one's, too.
        saved: the arrays, kept as long as somebody may need them for the gradient of the gradient.
    """

    may_overwrite = False

    def __init__(self, node: Node) -> None:
        if node.saved is None:
            raise RuntimeError(FREED)
        self.node, self.saved = node, node.saved

    def __getattr__(self, name: str) -> Any:
        return getattr(self.node, name)

    def argument(self, position: int, array: np.ndarray) -> Any:
        """The argument at `position` of the forward, of whose values `array` is: a Tensor in its place of the graph."""
        edge = self.node.edges[position]
        if edge is not None and isinstance(edge[0], Variable) and edge[0]._array is array:
            return edge[0]
        return _placed(array, edge)

    def result(self, number: int, array: np.ndarray) -> Any:
        """An output of the forward, of whose values `array` is."""
        return _placed(array, (self.node, number))

    def computed(self, operator: type[Operator], array: np.ndarray, **attributes: Any) -> Any:
        """What an operation would compute from the first argument, known without computing it.

        Args:
            operator: one whose backward reads its result.
            array: the result.
            attributes: what else its backward reads of `ctx`.
        """
        node = Node(operator, [self.node.edges[0], None])
        node.saved, node.made = (array,), (id(array),)
        node.__dict__.update(attributes)
        tensor = Variable._computed(array)
        node.join([tensor])
        return tensor

    def composed(self, function: Callable, g: Any, arguments: dict[int, np.ndarray]) -> tuple:
        """Gradients with respect to the arguments, of an operation that is a function of operations, too.

        Args:
            function: gives the operation's result from Tensors.
            g: a Tensor.
            arguments: their positions and values.
        """
        tensors = {position: self.argument(position, array) for position, array in arguments.items()}
        asked = {position: one for position, one in tensors.items() if self.node.edges[position] is not None}
        found = run_recorded([function(*tensors.values())], [g], True, list(asked.values()))
        by_position = dict(zip(asked, found, strict=True))
        return tuple([by_position.get(position) for position in range(len(self.node.edges))])

    def linear(self, g: Any, back: Callable, reads: bool | None = None) -> tuple:
        """Gradients with respect to the arguments of an operation whose backward is linear and gives only the first one
        any.

        Args:
            g: a Tensor.
            back: the adjoint of its backward, from array to array.
            reads: whether PyTorch's backward reads the first argument, whose gradient is then 0, not None; by
                `Node.freezes` if None.
        """
        edge = self.node.edges[0]
        reads = edge is not None and (self.node.freezes if reads is None else reads)
        first = [standing_for(edge)] if reads else []
        by_first = Adjoint.apply(g, lambda array: self.operator.pull_back(self, [array])[0], back, *first)
        return by_first, *[None] * (len(self.node.edges) - 1)

    def tensors(self) -> tuple:
        """What was saved, as Tensors in their places of the graph; what isn't floating point stays as it is.

        Raises:
            RuntimeError: where an array is neither an argument nor a result.
        """
        return tuple([self._known(saved) for saved in self.saved])

    def _known(self, saved: Any) -> Any:
        if not isinstance(saved, np.ndarray) or saved.dtype.kind != "f":
            return saved
        if id(saved) in self.node.made:
            return self.result(self.node.made.index(id(saved)), saved)
        if id(saved) in self.node.known:
            return self.argument(self.node.known.index(id(saved)), saved)
        raise RuntimeError(unrecorded(self.node))


def _placed(array: np.ndarray, edge: tuple | None) -> Variable:
    tensor = Variable._computed(array)
    if edge is not None and isinstance(edge[0], Node):
        tensor._node, tensor._output, tensor._requires_grad = *edge, True
    elif edge is not None:
        Node(Copied, [edge]).join([tensor])
    return tensor


def standing_for(edge: Any) -> Variable:
    """A Tensor in the place of the graph that an edge leads to: the leaf, or one of the shape there without values."""
    target, number = edge
    if not isinstance(target, Node):
        return target
    shape, dtype = target.outputs[number]
    return _placed(np.broadcast_to(np.zeros((), dtype), shape), edge)


class Copied(Operator):
    """A leaf's values in other memory."""

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> np.ndarray:
        return g

    @staticmethod
    def backward_recorded(ctx: Any, g: Any) -> Any:
        return g


class Adjoint(Operator):
    """A linear map of arrays, known with its adjoint: a backward that depends on the values of no `others`."""

    @staticmethod
    def forward(ctx: Any, g: np.ndarray, there: Callable, back: Callable, *others: np.ndarray) -> np.ndarray:
        ctx.maps, ctx.shapes = (there, back), [other.shape for other in others]
        return _fresh(there(g), g)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        return _fresh(ctx.maps[1](g), g), None, None, *[np.zeros(shape, g.dtype) for shape in ctx.shapes]

    @staticmethod
    def backward_recorded(ctx: Any, g: Any) -> tuple:
        there, back = ctx.maps
        return Adjoint.apply(g, back, there), None, None, *[g.new_zeros(shape) for shape in ctx.shapes]


def _fresh(result: np.ndarray, g: np.ndarray) -> np.ndarray:
    return result.copy() if owner(result) is owner(g) else result


def run_recorded(
    roots: Sequence[Variable],
    gradients: Sequence[Variable],
    retain_graph: bool = True,
    targets: Sequence[Variable] | None = None,
    since: int = 0,
) -> list:
    """Carry `gradients` from `roots` through the graph, and record how.

    Args:
        roots: tensors to start from.
        gradients: the gradient with respect to each root, of its shape.
        retain_graph: keep the graph, so that another walk can follow.
        targets: where given, collect the gradients with respect to these tensors and touch no `.grad`; otherwise
            gradients accumulate in the leaves' `.grad`.
        since: with `targets`, go no further than nodes with lower numbers than this.

    Returns: the gradient with respect to each target, a Tensor with a graph of its own, None where there was none.
    """
    starts, ends = [place(root) for root in roots], [place(target) for target in targets or ()]
    wanted = frozenset(ends)
    visited = None if targets is None else nodes_leading_to(wanted, starts, since)
    waiting: dict[Any, list] = {}
    heap: list[Node] = []
    collected: dict[tuple, Any] = {}

    def deliver(edges: Sequence[tuple | None], gradients: Sequence) -> None:
        for edge, gradient in zip(edges, gradients, strict=False):  # options have no gradients
            if edge is None or gradient is None:
                continue
            target, number = edge
            inner = isinstance(target, Node)
            if target not in waiting:
                waiting[target] = [None] * len(target.outputs) if inner else [None]
                if inner:
                    heapq.heappush(heap, target)
            shape, dtype = target.outputs[number] if inner else (target._array.shape, target._array.dtype)
            fitted = _fitted(gradient, shape, dtype)
            before = waiting[target][number]
            waiting[target][number] = fitted if before is None else before + fitted

    with enable_grad(), np.errstate(all="ignore"):
        deliver(starts, gradients)
        while heap:
            node = heapq.heappop(heap)
            slots = waiting.pop(node)
            runs = visited is None or node in visited
            seen = runs or any((node, number) in wanted or (node, number) in starts for number in range(len(slots)))
            if node.hooks is not None and seen:
                if runs:  # before the hooks, as in PyTorch
                    _collect(collected, node, slots, wanted)
                node.hooks.show(slots, seen_by)
            _collect(collected, node, slots, wanted)
            for number, gradient in enumerate(slots):
                if gradient is None and node.fills_gradients:
                    slots[number] = Variable._computed(np.zeros(*node.outputs[number]))
            if node.retained and seen:
                for number, reference in node.retained.items():
                    if (tensor := reference()) is not None:
                        add_to_grad(tensor, slots[number])
            if runs:
                results = run(node, slots) if node.hooks is None else node.hooks.around(node, slots, run)
                if detection.enabled:
                    check(node, [None if result is None else result._array for result in results])
                deliver(node.edges, results)
                if node.saved and not retain_graph:
                    node.saved = None
        for leaf, slot in waiting.items():
            if leaf._hooks:
                slot[0] = seen_by(leaf._hooks, slot[0])
            if targets is None and leaf._requires_grad:
                hand_over_recorded(leaf, slot[0])
    collected |= {(leaf, 0): slot[0] for leaf, slot in waiting.items()}
    return [collected.get(end) for end in ends]


def run(node: Node, gradients: Sequence) -> Sequence:
    """Gradients with respect to the arguments, given those of the outputs: Tensors with graphs of their own."""
    node.check_unchanged()
    if not node.edges:
        return ()
    results = node.operator.backward_recorded(Recorded(node), *gradients)
    return results if type(results) is tuple else (results,)


def _collect(collected: dict, node: Node, gradients: list, wanted: frozenset) -> None:
    for number, gradient in enumerate(gradients):
        if gradient is not None and (node, number) in wanted:
            collected.setdefault((node, number), gradient)


def _fitted(gradient: Any, shape: tuple, dtype: np.dtype) -> Any:
    """The gradient summed over the axes along which its operand was broadcast, in the operand's dtype."""
    if gradient._array.shape != shape:
        gradient = gradient.sum(broadcast_axes(shape, gradient._array.shape), keepdim=True).reshape(shape)
    return gradient if gradient._array.dtype == dtype else gradient.to(dtype)


def hand_over_recorded(leaf: Variable, gradient: Any) -> None:
    """Add a gradient with a graph of its own to a leaf's `.grad`, and call the hooks that wait for that."""
    add_to_grad(leaf, gradient)
    for hook in [*(leaf._hooks_after or {}).values()]:
        hook(leaf)


def add_to_grad(tensor: Variable, gradient: Any) -> None:
    """Add a gradient with a graph of its own to a tensor's `.grad`."""
    tensor._grad = gradient if tensor._grad is None else tensor._grad + gradient
