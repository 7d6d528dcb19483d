"""The graph, and how it is walked backwards.

Nodes are numbered as they are made, and an operation's inputs always exist before it does; so the walk
backwards simply takes the youngest waiting node, and all the gradients that flow into it have arrived.
"""

import heapq
import itertools
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache, wraps
from operator import attrgetter, itemgetter
from typing import Any

import numpy as np

from minicnn import kernels
from minicnn.autograd.anomalies import check, detection, note_call
from minicnn.autograd.hooks import NodeHooks, RemovableHandle, register, shown
from minicnn.autograd.names import inner, listed_inputs, torch_name
from minicnn.autograd.storage import elements, is_dense, keep_strides
from minicnn.autograd.variable import REPLACEMENT, Replaced, Variable, owner

FREED = (
    "Trying to backward through the graph a second time: the values it needs were freed by the first walk. Pass "
    "retain_graph=True to the first backward to keep them."
)


CHANGED = "a value needed for the gradient of {} has been modified by an in-place operation, {} times in all"

_memory_of = attrgetter("_memory")
_count_of = itemgetter(0)


class Node:
    """One operation: what its forward leaves for its backward, and where the gradients go from there.

    An operation's forward and backward get it as `ctx`, and may set anything small as an attribute. It becomes part of
    the graph where an argument requires a gradient.

    Attributes:
        saved: the arrays whose values the backward reads. They are kept until the walk has passed, and the
            walk refuses to go on where one of them shows an argument or a result that was changed in place
            since.
        out: where the forward may write its result at once, because the first argument is being changed in
            place; None otherwise. An operation may ignore it, and must where it saves its first argument.
        freezes: whether the first argument may not be changed before the backward though that doesn't read it, since
            PyTorch's does; `frozen` is its memory.
        may_overwrite: whether the backward of an operation with one output may write over the gradient it gets.
        edges: for every argument, where its gradient goes: `(node, output number)`, `(leaf, 0)` or None; empty where
            all go nowhere.
        outputs: shape and dtype of every output that carries a gradient.
        memories, counts: the memories whose values the backward may read (see `Variable._memory`), and how often each
            had been changed at the forward.
        retained: output number → weak reference to a tensor that wants its `.grad` kept.
        title: the operation's name, where a function of several operations is one in PyTorch; `since` is the number
            before those of its nodes.
        fills_gradients: whether the backward gets zeros for outputs that no gradient arrived for, rather than None.
        hooks: the `NodeHooks` that a program registered, if any.
    """

    saved: tuple | None = ()
    out: np.ndarray | None = None
    freezes = False
    frozen: list | None = None
    may_overwrite = False
    number: int
    outputs: Sequence[tuple]
    memories: Sequence[list] = ()
    counts: Sequence[int] = ()
    retained: dict[int, weakref.ref] | None = None
    hooks: Any = None
    fills_gradients = True
    title: str | None = None
    since = 0
    _numbers = itertools.count()

    def __init__(self, operator: Any, edges: Sequence[tuple | None]) -> None:
        self.operator = operator
        self.edges = edges

    @property
    def needs_input_grad(self) -> Sequence[bool]:
        """For every argument of the forward, whether its gradient will be asked for."""
        return [edge is not None for edge in self.edges]

    def watch(self, tensors: Iterable[Variable]) -> None:
        """Refuse to go backwards where what is saved belongs to one of `tensors` and was changed in place since."""
        self.memories = (*map(_memory_of, tensors),)
        self.counts = (*map(_count_of, self.memories),)

    def adopt(self, result: np.ndarray, tensor: Variable) -> None:
        """Look for a saved result in the memory of `tensor`, where it has been copied and may be changed again."""
        saved, memory = self.saved, tensor._memory
        if isinstance(saved, tuple) and result.dtype == tensor._array.dtype and any(one is result for one in saved):
            self.saved = tuple([tensor._array if one is result else one for one in saved])
            counts = [c for m, c in zip(self.memories, self.counts, strict=True) if m is not memory]
            self.memories = (*[m for m in self.memories if m is not memory], memory)
            self.counts = (*counts, memory[0] + 1)  # it counts as changed once more when that is done

    def join(self, outputs: Sequence[Variable]) -> None:
        """Become the place in the graph of `outputs`."""
        self.number = next(Node._numbers)
        self.outputs = shapes = []
        for number, output in enumerate(outputs):
            array = output._array
            shapes.append((array.shape, array.dtype))
            output._node, output._output, output._requires_grad = self, number, True
        if detection.enabled:
            note_call(self)

    def name(self) -> str:
        """The operation's name, as `grad_fn.name()` in torch."""
        return torch_name(self)

    def retain(self, tensor: Variable) -> None:
        """Keep the gradient by `tensor`, an output of this node, in its `.grad`."""
        if self.retained is None:
            self.retained = {}
        self.retained[tensor._output] = weakref.ref(tensor)

    def retains(self, tensor: Variable) -> bool:
        """Whether the gradient by `tensor`, an output of this node, is kept."""
        kept = (self.retained or {}).get(tensor._output)
        return kept is not None and kept() is tensor

    @property
    def next_functions(self) -> tuple:
        """For every input of the operation, the node that its gradient goes to and the number of that node's output."""
        node = inner(self)
        places = [node.edges[position] for position in listed_inputs(node)] if node.edges else []
        if self.title is not None:
            places = list(self._outer(places))
        return tuple([(None, 0) if edge is None else (seen(edge[0]), edge[1]) for edge in places])

    def _outer(self, edges: Iterable[tuple | None]) -> Iterator[tuple]:
        """Where gradients leave the operations that are one under a title."""
        for edge in edges:
            if edge is not None and isinstance(edge[0], Node) and edge[0].number > self.since:
                yield from self._outer(edge[0].edges)
            elif edge is not None:
                yield edge

    @property
    def metadata(self) -> dict:
        """A dictionary for whatever a program wants to remember of this node."""
        return self.__dict__.setdefault("_metadata", {})

    def register_hook(self, hook: Callable) -> RemovableHandle:
        """Call `hook(grad_inputs, grad_outputs)` after this node's backward; it may return other grad_inputs."""
        return register(self._own_hooks().after, hook)

    def register_prehook(self, hook: Callable) -> RemovableHandle:
        """Call `hook(grad_outputs)` before this node's backward; it may return other grad_outputs."""
        return register(self._own_hooks().before, hook)

    def _own_hooks(self) -> NodeHooks:
        if self.hooks is None:
            self.hooks = NodeHooks()
        return self.hooks

    def __repr__(self) -> str:
        return f"<{self.name()} object at {id(self):#x}>"

    def __lt__(self, other: "Node") -> bool:  # a heap gives the youngest first
        return self.number > other.number

    def run(self, gradients: list, retain_graph: bool) -> tuple:
        """Gradients by the arguments, given the gradients by the outputs."""
        if self.counts != (*map(_count_of, self.memories),):
            self._check_saved()
        if not self.edges:
            return ()
        results = self.operator.pull_back(self, gradients)
        if (self.saved or self.freezes) and not retain_graph:
            self.saved = None
        return results

    def _check_saved(self) -> None:
        """Raise where a memory that changed since the forward shows among what was saved.

        An argument whose whole array was replaced (`x.data = y`) is taken as it is now, as PyTorch does.
        """
        changed: dict[int, list] = {}
        for memory, count in zip(self.memories, self.counts, strict=True):
            changes = (memory[0] - count) % REPLACEMENT
            for former in memory[2:] if memory[0] != count else ():
                array = former.array()
                if array is None:
                    continue
                if changes or type(former) is not Replaced:
                    changed[id(owner(array))] = memory
                elif former.node is not self:
                    self._replace_saved(array, former.now)
            if changes:
                changed[memory[1]] = memory
            if changes and memory is self.frozen:
                raise RuntimeError(CHANGED.format(self.operator.__name__, changes))
        for saved in self.saved or ():
            array = saved._array if isinstance(saved, Variable) else saved
            if isinstance(array, np.ndarray) and id(owner(array)) in changed:
                raise RuntimeError(CHANGED.format(self.operator.__name__, changed[id(owner(array))][0] % REPLACEMENT))

    def _replace_saved(self, former: np.ndarray, now: np.ndarray) -> None:
        """What was saved of an argument as it is now instead of `former`."""
        if isinstance(self.saved, tuple) and any(saved is former for saved in self.saved):
            if now.shape != former.shape:
                raise RuntimeError(
                    f"a tensor of shape {former.shape} that is needed for the gradient of {self.operator.__name__} was "
                    f"replaced by one of shape {now.shape}"
                )
            self.saved = tuple([now if saved is former else saved for saved in self.saved])


class AccumulateGrad:
    """Where a graph ends: a leaf, whose `.grad` the gradient is added to.

    Attributes:
        variable: the leaf.
    """

    next_functions = ()

    def __init__(self, variable: Variable) -> None:
        self.variable = variable

    def name(self) -> str:
        """The name that PyTorch's has."""
        return "torch::autograd::AccumulateGrad"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AccumulateGrad) and self.variable is other.variable

    def __hash__(self) -> int:
        return id(self.variable)

    def __repr__(self) -> str:
        return f"<AccumulateGrad object at {id(self.variable):#x}>"


@lru_cache(maxsize=1024)
def _named_class(base: type, name: str) -> type:
    return type(name, (base,), {"__doc__": base.__doc__, "__module__": base.__module__})


def seen(target: Any) -> Any:
    """A place in the graph as programs see it: a node of the class that PyTorch names it by, or a leaf's end."""
    if isinstance(target, Variable):
        return AccumulateGrad(target)
    name = target.name().rpartition("::")[2]
    if type(target).__name__ != name:
        base = next(kind for kind in type(target).__mro__ if kind.__name__ in ("FunctionNode", "Node"))
        target.__class__ = _named_class(base, name)
    return target


def entitled(title: str) -> Callable[[Callable], Callable]:
    """Let the result of a function of several operations be called by one name, as PyTorch's is."""

    def decorate(function: Callable) -> Callable:
        @wraps(function)
        def call(*arguments: Any, **options: Any) -> Any:
            since = next(Node._numbers)
            result = function(*arguments, **options)
            node = result._node if isinstance(result, Variable) else None
            if node is not None and node.number > since:
                node.title, node.since = title, since
            return result

        return call

    return decorate


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
    visited = None if targets is None else _nodes_leading_to(wanted, starts, since)
    collected: dict[tuple, np.ndarray] = {}
    waiting: dict[Any, list] = {}  # node → gradients by its outputs; leaf → [gradient, whether nobody else holds it]
    heap: list[Node] = []
    edges: Sequence[tuple | None] = starts
    results: Sequence[np.ndarray | None] = gradients
    own = False  # whether nobody else holds the results
    watching = detection.enabled
    with np.errstate(all="ignore"):  # infinity and NaN are values like others
        while True:
            for edge, gradient in zip(edges, results, strict=True):
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
    fits = len(shape) <= gradient.ndim and all(
        size in (1, wide) for size, wide in zip(shape[::-1], gradient.shape[::-1], strict=False)
    )
    if not fits:
        raise RuntimeError(f"an invalid gradient of shape {gradient.shape}, expected one that fits shape {shape}")
    extra = gradient.ndim - len(shape)
    axes = tuple(range(extra)) + tuple(
        axis + extra for axis, size in enumerate(shape) if size == 1 and gradient.shape[axis + extra] != 1
    )
    return kernels.sums.over(gradient, axes, True).reshape(shape)


def _nodes_leading_to(wanted: frozenset, starts: list[tuple], since: int) -> set[Node]:
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
                gradient = gradient.copy()
            owned.add(memory)
        accumulate(leaf, gradient)
        for hook in [*(leaf._hooks_after or {}).values()]:
            hook(leaf)


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
