"""The graph: what is recorded while a program computes, and how it is walked backwards.

Every differentiable operation is a pair of static methods, `forward(ctx, ...)` and
`backward(ctx, grad_output)`. `apply` runs the forward and, where an input asks for a gradient, leaves a
`Node` behind that remembers the pair, its context and where each gradient goes next. Nodes are numbered as
they are made, and an operation's inputs always exist before it does; so the walk backwards simply takes
the youngest waiting node, and all the gradients that flow into it have arrived.
"""

import heapq
import itertools
import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn.autograd.mode import grad_mode


class Variable:
    """An array that may have a place in a graph: all that differentiation needs to know of a `Tensor`.

    `_memory` is shared by every view of one memory: `[number of in-place changes, whether a recorded view
    exists]`. A backward that would read values changed since its forward notices by the first.
    """

    __slots__ = ("__weakref__", "_array", "_memory", "_node", "_output", "_requires_grad", "grad")

    result_class: "type[Variable]"  # what operations return; minicnn.tensor sets it to Tensor

    def __init__(self, array: np.ndarray, requires_grad: bool = False) -> None:
        self._array = array
        self._memory = [0, False]
        self._node: Node | None = None
        self._output = 0
        self._requires_grad = requires_grad
        self.grad: Any = None

    def _bump(self) -> None:
        """Count an in-place change."""
        self._memory[0] += 1


class Context:
    """What a forward leaves for its backward.

    Attributes:
        saved: arrays to keep, freed after the backward walk. Anything small may be set as an attribute.
        needs_input_grad: for every argument of the forward, whether its gradient will be asked for.
    """

    def __init__(self, needs_input_grad: tuple[bool, ...]) -> None:
        self.needs_input_grad = needs_input_grad
        self.saved: tuple | None = ()


class Node:
    """One recorded operation.

    Attributes:
        edges: for every argument, where its gradient goes: `(node, output number)`, `(leaf, 0)` or None.
        outputs: shape and dtype of every output.
        watched: memories whose values the backward reads, each with its count of changes at the forward.
        retained: output number → weak reference to a tensor that wants its `.grad` kept.
    """

    __slots__ = ("ctx", "edges", "number", "operator", "outputs", "retained", "watched")
    _numbers = itertools.count()

    def __init__(self, operator: Any, ctx: Context, edges: list, outputs: list, watched: list) -> None:
        self.number = next(Node._numbers)
        self.operator = operator
        self.ctx = ctx
        self.edges = edges
        self.outputs = outputs
        self.watched = watched
        self.retained: dict[int, weakref.ref] = {}

    def name(self) -> str:
        return f"{self.operator.__name__}Backward"

    def retain(self, tensor: Variable) -> None:
        """Keep the gradient by `tensor`, an output of this node, in its `.grad`."""
        self.retained[tensor._output] = weakref.ref(tensor)

    def __repr__(self) -> str:
        return f"<{self.name()}>"

    def __lt__(self, other: "Node") -> bool:  # a heap gives the youngest first
        return self.number > other.number

    def run(self, gradients: list, retain_graph: bool) -> Sequence:
        """Gradients by the arguments, given the gradients by the outputs."""
        if self.ctx.saved is None:
            raise RuntimeError(
                "Trying to backward through the graph a second time: the values it needs were freed by the "
                "first walk. Pass retain_graph=True to the first backward to keep them."
            )
        for memory, count in self.watched:
            if memory[0] != count:
                raise RuntimeError(
                    f"one of the values needed for the gradient of {self.operator.__name__} has been modified "
                    f"by an in-place operation: it is at version {memory[0]}, expected version {count}"
                )
        results = self.operator.backward(self.ctx, *gradients)
        if not retain_graph and self.ctx.saved:
            self.ctx.saved = None
        return results if isinstance(results, (tuple, list)) else (results,)


class Operator:
    """A differentiable operation on arrays; `minicnn`'s own operations derive from it.

    A subclass defines `forward(ctx, *arguments) -> ndarray or tuple` and `backward(ctx, *grad_outputs)`, which
    returns one gradient, or None, for each argument. Arguments that are Tensors arrive as their arrays.
    """

    reads = "inputs"
    """Whose values `backward` may read: "inputs", "output", both ("inputs output") or neither ("")."""
    differentiable_outputs = 1
    """How many outputs, counted from the first, carry a gradient."""
    shares_memory = False
    """Whether the output may be a view of the first argument."""

    @staticmethod
    def forward(ctx: Context, *arguments: Any) -> Any:
        raise NotImplementedError

    @staticmethod
    def backward(ctx: Context, *grad_outputs: Any) -> Any:
        raise NotImplementedError

    @classmethod
    def apply(cls, *arguments: Any) -> Any:
        """Run the forward on `arguments` and record it where one of them requires a gradient."""
        needs = tuple([isinstance(a, Variable) and a._requires_grad for a in arguments])
        recorded = grad_mode.enabled and True in needs
        ctx = Context(needs if recorded else (False,) * len(needs))
        results = cls.forward(ctx, *[a._array if isinstance(a, Variable) else a for a in arguments])
        several = type(results) is tuple
        outputs = [Variable.result_class(array) for array in (results if several else (results,))]
        if cls.shares_memory and isinstance(arguments[0], Variable):
            source = arguments[0]
            if np.may_share_memory(outputs[0]._array, source._array):
                outputs[0]._memory = source._memory
                source._memory[1] |= recorded
        if recorded:
            cls.record(ctx, arguments, outputs)
        return tuple(outputs) if several else outputs[0]

    @classmethod
    def record(cls, ctx: Context, arguments: Sequence, outputs: list[Variable]) -> None:
        """Leave the node that will carry gradients from `outputs` back to `arguments`."""
        edges: list = []
        watched = []
        for argument, needed in zip(arguments, ctx.needs_input_grad, strict=True):
            if needed:
                edges.append((argument._node or argument, argument._output))
            else:
                edges.append(None)
            if "inputs" in cls.reads and isinstance(argument, Variable):
                watched.append((argument._memory, argument._memory[0]))
        if "output" in cls.reads:
            watched += [(output._memory, output._memory[0]) for output in outputs]
        outputs = outputs[: cls.differentiable_outputs]
        node = Node(cls, ctx, edges, [(o._array.shape, o._array.dtype) for o in outputs], watched)
        for number, output in enumerate(outputs):
            output._node, output._output, output._requires_grad = node, number, True


def run_backward(
    roots: Sequence[Variable],
    gradients: Sequence[np.ndarray],
    retain_graph: bool = False,
    targets: Sequence[Variable] | None = None,
) -> list[np.ndarray | None]:
    """Carry `gradients` from `roots` through the graph.

    Args:
        roots: tensors to start from.
        gradients: the gradient by each root, of its shape.
        retain_graph: keep saved values, so that another walk can follow.
        targets: where given, collect the gradients by these tensors and touch no `.grad`; otherwise gradients
            accumulate in the leaves' `.grad`.

    Returns: the gradient by each target, None where there was none.
    """
    waiting: dict[Any, list] = {}  # node → gradients by its outputs; leaf → [gradient]
    heap: list[Node] = []
    collected: dict[tuple, np.ndarray] = {}
    wanted = {(id(t._node or t), t._output) for t in targets or ()}

    def deliver(edge: tuple, gradient: np.ndarray) -> None:
        target, number = edge
        slots = waiting.get(target)
        if slots is None:
            slots = waiting[target] = [None] * (len(target.outputs) if isinstance(target, Node) else 1)
            if isinstance(target, Node):
                heapq.heappush(heap, target)
        slots[number] = gradient if slots[number] is None else slots[number] + gradient

    for root, gradient in zip(roots, gradients, strict=True):
        deliver((root._node or root, root._output), gradient)
    while heap:
        node = heapq.heappop(heap)
        slots = waiting.pop(node)
        for number, (shape, dtype) in enumerate(node.outputs):
            if slots[number] is None:
                slots[number] = np.zeros(shape, dtype)
            elif (id(node), number) in wanted:
                collected[id(node), number] = slots[number]
            if targets is None and number in node.retained and (tensor := node.retained[number]()) is not None:
                _accumulate(tensor, slots[number].copy())
        results = node.run(slots, retain_graph)
        for edge, gradient in zip(node.edges, results, strict=True):
            if edge is not None and gradient is not None:
                deliver(edge, gradient)

    if targets is not None:
        for leaf, (gradient,) in waiting.items():
            collected[id(leaf), 0] = gradient
        return [collected.get((id(t._node or t), t._output)) for t in targets]
    owned = {_memory_owner(gradient) for gradient in gradients}
    for leaf, (gradient,) in waiting.items():
        owner = _memory_owner(gradient)
        if owner in owned or not gradient.flags.writeable:  # another tensor has this memory already
            gradient = gradient.copy()
        owned.add(owner)
        _accumulate(leaf, gradient)
    return []


def _memory_owner(array: np.ndarray) -> int:
    while isinstance(array.base, np.ndarray):
        array = array.base
    return id(array)


def _accumulate(tensor: Variable, gradient: np.ndarray) -> None:
    if gradient.dtype != tensor._array.dtype:
        gradient = gradient.astype(tensor._array.dtype)
    if tensor.grad is None:
        tensor.grad = Variable.result_class(gradient)
    else:
        tensor.grad._array += gradient
        tensor.grad._bump()


def start_gradients(outputs: Sequence[Variable], gradients: Sequence) -> list[np.ndarray]:
    """The gradients to start from: ones for scalars, otherwise what was given, checked."""
    starts = []
    for output, gradient in zip(outputs, gradients, strict=True):
        array = output._array
        if not output._requires_grad:
            raise RuntimeError("the tensor to differentiate does not require grad and does not have a grad_fn")
        if gradient is None:
            if array.size != 1:
                raise RuntimeError(
                    "grad can be implicitly created only for scalar outputs, got an output of shape "
                    f"{array.shape}; pass gradient="
                )
            starts.append(np.ones_like(array))
            continue
        given = gradient._array if isinstance(gradient, Variable) else np.asarray(gradient)
        if given.shape != array.shape:
            raise RuntimeError(f"gradient has shape {given.shape}, but the output has shape {array.shape}")
        starts.append(given.astype(array.dtype, copy=False))
    return starts


def backward(
    tensors: Variable | Sequence[Variable], grad_tensors: Any = None, retain_graph: bool = False
) -> None:
    """Accumulate, in every leaf's `.grad`, the gradient of the sum of `tensors`.

    Args:
        tensors: one Tensor or several.
        grad_tensors: for each its gradient, of its shape; None for a single-element tensor.
        retain_graph: keep the graph, so that it can be walked again.

    Raises:
        RuntimeError: where a tensor has no graph, isn't a single element and comes without gradient, comes with
            one of another shape, or was walked already.
    """
    roots = [tensors] if isinstance(tensors, Variable) else list(tensors)
    given = (
        [None] * len(roots)
        if grad_tensors is None
        else [grad_tensors]
        if isinstance(grad_tensors, (Variable, np.ndarray))
        else list(grad_tensors)
    )
    run_backward(roots, start_gradients(roots, given), retain_graph)


def grad(
    outputs: Variable | Sequence[Variable],
    inputs: Variable | Sequence[Variable],
    grad_outputs: Any = None,
    retain_graph: bool = False,
    *,
    allow_unused: bool = False,
) -> tuple:
    """The gradients of the sum of `outputs` by each of `inputs`; no `.grad` changes.

    Args:
        outputs: one Tensor or several.
        inputs: one Tensor or several, each requiring a gradient.
        grad_outputs: for each output its gradient; None for a single-element output.
        retain_graph: keep the graph, so that it can be walked again.
        allow_unused: give None for an input that no output depends on, instead of raising.

    Returns: a tuple with a Tensor of each input's shape.

    Raises:
        RuntimeError: as `backward`; also for an input that doesn't require a gradient or isn't used.
    """
    roots = [outputs] if isinstance(outputs, Variable) else list(outputs)
    targets = [inputs] if isinstance(inputs, Variable) else list(inputs)
    if grad_outputs is None:
        grad_outputs = [None] * len(roots)
    elif isinstance(grad_outputs, (Variable, np.ndarray)):
        grad_outputs = [grad_outputs]
    if not all(t._requires_grad for t in targets):
        raise RuntimeError("one of the inputs does not require grad")
    found = run_backward(roots, start_gradients(roots, grad_outputs), retain_graph, targets)
    if not allow_unused and any(g is None for g in found):
        raise RuntimeError("one of the inputs is not used by the outputs; pass allow_unused=True to get None")
    return tuple(None if g is None else Variable.result_class(np.array(g)) for g in found)
