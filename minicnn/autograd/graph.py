"""The graph: nodes, what they save for the way back, and how programs see them; see `walk` for the way."""

import itertools
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache, wraps
from operator import attrgetter, itemgetter
from typing import Any

import numpy as np

from minicnn.autograd.anomalies import detection, note_call
from minicnn.autograd.hooks import NodeHooks, RemovableHandle, register
from minicnn.autograd.names import inner, listed_inputs, torch_name
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
        known, made: the identities of the arrays that the arguments and the outputs were; by them what was saved is
            found again.
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
    known: Sequence[int] = ()
    made: Sequence[int] = ()
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
            self.made = tuple([id(tensor._array) if one == id(result) else one for one in self.made])
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
        """Gradients with respect to the arguments, given the gradients with respect to the outputs."""
        self.check_unchanged()
        if not self.edges:
            return ()
        results = self.operator.pull_back(self, gradients)
        if (self.saved or self.freezes) and not retain_graph:
            self.saved = None
        return results

    def check_unchanged(self) -> None:
        """Raise RuntimeError where something that the backward reads was changed in place since the forward."""
        if self.counts != (*map(_count_of, self.memories),):
            self._check_saved()

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
            self.known = tuple([id(now) if one == id(former) else 0 if one == id(now) else one for one in self.known])
            self.made = tuple([0 if one == id(now) else one for one in self.made])


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
