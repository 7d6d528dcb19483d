"""What a model computes for given inputs, operation by operation."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import minicnn
from minicnn import nn
from minicnn.autograd.observed import every_change, every_number, every_operation
from minicnn.autograd.operator import Former
from minicnn.nn.modes import evaluating
from minicnn.operators import indexing, shape
from minicnn.operators.operands import Cast
from minicnn.tensor import Tensor


@dataclass(frozen=True)
class Known:
    """An argument that is a tensor: its number among all tensors of the run."""

    number: int


@dataclass(frozen=True)
class Step:
    """One operation: its class, its arguments, tensors as `Known`, and the numbers of its outputs."""

    operator: type
    arguments: tuple
    outputs: tuple[int, ...]


class Written:
    """A tensor after one of its views was changed in place: the view's values put where they lie in it.

    Arguments: the tensor, the view, the operation that made the view, and where it reads them that one's options.
    """


REFLECTED = indexing.Take, shape.Permute, shape.View, shape.Squeeze, shape.Unsqueeze
"""Views whose changes are followed into what they are views of."""


def put_back(array: np.ndarray, view: np.ndarray, made_by: type, *options: Any) -> np.ndarray:
    """What an array is with a view's values in their place."""
    if issubclass(made_by, indexing.Take):
        after = array.copy()
        after[options[0]] = view
        return after
    return view.transpose(np.argsort(options[0])) if issubclass(made_by, shape.Permute) else view.reshape(array.shape)


@dataclass
class Trace:
    """A run of a program.

    Attributes:
        steps: its operations.
        arrays: what each tensor held, by its number, after its operation; of all but parameters a copy.
        inputs, outputs: the numbers of the tensors that went in and came out.
        given: the numbers of tensors that no operation made: parameters, buffers and constants, by the first use.
        stale: numbers of tensors whose memory was written to without their knowing, and in which step.
        read: numbers of tensors that became numbers of Python's.
    """

    steps: list[Step] = field(default_factory=list)
    arrays: list[np.ndarray] = field(default_factory=list)
    inputs: list[int] = field(default_factory=list)
    outputs: list[int] = field(default_factory=list)
    given: dict[int, Any] = field(default_factory=dict)
    stale: dict[int, int] = field(default_factory=dict)
    read: set[int] = field(default_factory=set)

    def depending(self) -> set[int]:
        """The numbers of all tensors that were computed from an input, and those of the inputs."""
        found = set(self.inputs)
        for step in self.steps:
            if any(isinstance(one, Known) and one.number in found for one in step.arguments):
                found.update(step.outputs)
        return found


class Recorder:
    """Numbers tensors as operations meet them, and follows what is changed in place.

    A tensor that is changed gets another number. So does, when it is used next, what it is a view of, by a step of its
    own, `Written`; and so do views of what was changed, which are made anew.
    """

    def __init__(self) -> None:
        self.trace = Trace()
        self._numbers: dict[int, int] = {}
        self._arrays: dict[int, int] = {}
        self._step = -1
        self._memories: list[tuple[np.ndarray, int]] = []
        self._written: list[tuple[np.ndarray, int]] = []
        self._alive: list[Any] = []
        self._views: dict[int, tuple[int, type, tuple]] = {}
        """Of views: what they are views of, and the operation with its options."""
        self._changed: dict[int, dict[int, int]] = {}
        """Of tensors whose views were changed since: those, by an id."""
        self._now: dict[int, int] = {}
        """Of tensors that were changed: what they are now."""
        self._formers: dict[int, int] = {}
        """What tensors were, by the id of those that are being changed."""

    def enter(self, tensor: Any) -> int:
        """A tensor that is known from here on."""
        fixed = isinstance(tensor, nn.Parameter)
        number = self._enter(tensor._array if fixed else tensor._array.copy(), tensor._array)
        self._numbers[id(tensor)] = self._arrays[id(tensor._array)] = number
        self._alive += [tensor, tensor._array]
        return number

    def _enter(self, values: np.ndarray, memory: np.ndarray) -> int:
        self.trace.arrays.append(values)
        self._memories.append((memory, self._step))
        return len(self.trace.arrays) - 1

    def number(self, tensor: Any) -> int:
        """The number of a tensor; one that no operation made gets one now."""
        if isinstance(tensor, Former):
            return self._formers[tensor.tensor_id]
        key = id(tensor)
        known = self._numbers.get(key)
        if known is None or self._memories[known][0] is not tensor._array:
            twin = self._arrays.get(id(tensor._array))
            if twin is not None:  # detached, or under another shape by a change in place
                self._numbers[key] = known = twin
                self._alive.append(tensor)
        if known is None:
            known = self.enter(tensor)
            self._numbers[key] = known
            self.trace.given[known] = tensor
            return known
        known = self._current(known)
        if not self._is_as_made(known, tensor):
            self.trace.stale.setdefault(known, self._step)
        return known

    def _current(self, number: int) -> int:
        """The number of what a tensor is now, after changes of its views, and of what it is a view of."""
        number = self._latest(number)
        for view in self._changed.pop(number, {}).values():
            number = self._put_back(number, self._current(view))
        return self._seen_anew(number) if number in self.trace.stale and number in self._views else number

    def _put_back(self, number: int, view: int) -> int:
        """A tensor with the values of a changed view."""
        _, operator, options = self._views[view]
        values = put_back(self.trace.arrays[number], self.trace.arrays[view], operator, *options)
        told = options if issubclass(operator, (indexing.Take, shape.Permute)) else ()
        return self._follow(number, values, Written, (Known(number), Known(view), operator, *told))

    def _seen_anew(self, number: int) -> int:
        """A view of what was changed, if that is known."""
        whole, operator, options = self._views[number]
        now = self._current(whole)
        values = operator.view(self.trace.arrays[now], *options)  # type: ignore[attr-defined]
        if now == whole or not np.array_equal(values, self._memories[number][0], equal_nan=values.dtype.kind == "f"):
            return number
        self._views[number] = now, operator, options
        return self._follow(number, values.copy(), operator, (Known(now), *options))

    def _follow(self, number: int, values: np.ndarray, operator: type, arguments: tuple) -> int:
        """What a tensor is after a step that the program doesn't name."""
        self._step = len(self.trace.steps)
        following = self._enter(values, self._memories[number][0])
        self.trace.steps.append(Step(operator, arguments, (following,)))
        if number in self._views:
            self._views[following] = self._views[number]
        self._now[number] = following
        return following

    def _latest(self, number: int) -> int:
        while number in self._now:
            number = self._now[number]
        return number

    def _is_as_made(self, number: int, tensor: Any) -> bool:
        """Whether nobody wrote to a tensor since its operation, by NumPy or through a view of memory it moved to."""
        array, known, (memory, made) = tensor._array, self.trace.arrays[number], self._memories[number]
        if array is not memory and any(step > made and np.may_share_memory(array, one) for one, step in self._written):
            return False
        if known is array:
            return True
        return known.shape == array.shape and np.array_equal(known, array, equal_nan=True)

    def watch(self, tensor: Any, after: Any) -> None:
        """Look at a tensor that is about to be changed in place, while it is what it was; and when it has been."""
        if after is not None:
            self._replaced(tensor, after)
            return
        number = self._formers[id(tensor)] = self.number(tensor)
        while number in self._views:
            number = self._current(self._views[number][0])
        for known, (memory, _) in enumerate(self._memories):  # those of parameters are no copies
            if self.trace.arrays[known] is memory and np.may_share_memory(memory, tensor._array):
                self.trace.arrays[known] = memory.copy()

    def _replaced(self, tensor: Any, after: Any) -> None:
        """A tensor has the values of another one now; what was seen of its memory is not what it was."""
        before, number = self._formers.pop(id(tensor)), self.number(after)
        step, array = self._step, tensor._array
        self._written.append((array, step))
        for known, (memory, _) in enumerate(self._memories):
            if known != number and shares_memory(memory, array):
                self.trace.stale.setdefault(known, step)
        if after._array.dtype != array.dtype:
            number = self._follow(number, array.copy(), Cast, (Known(number), array.dtype))
        self._memories[number] = array, self._step
        self._numbers[id(tensor)] = self._arrays[id(array)] = number
        self._alive += [tensor, array]
        self._now[before] = number
        self._reflect(before, number, id(tensor), step)

    def observe(self, operator: type, arguments: tuple, outputs: Any) -> None:
        """Remember an operation."""
        met = tuple(self._argument(one) for one in arguments)
        made = outputs if isinstance(outputs, tuple) else (outputs,)
        self._step = len(self.trace.steps)
        numbers = tuple(self.enter(one) for one in made)
        self.trace.steps.append(Step(operator, met, numbers))
        if issubclass(operator, REFLECTED):
            self._views[numbers[0]] = met[0].number, operator, met[1:]

    def _argument(self, argument: Any) -> Any:
        if isinstance(argument, minicnn.autograd.Variable):
            return Known(self.number(argument))
        if isinstance(argument, np.ndarray) and id(argument) in self._arrays:
            return Known(self._current(self._arrays[id(argument)]))
        return argument

    def _reflect(self, before: int, after: int, tensor_id: int, step: int) -> None:
        """Let what a changed tensor is a view of, and what that is a view of, be put right when they are used next."""
        if before not in self._views:
            return
        self._views[after] = self._views[before]
        while after in self._views:
            whole = self._latest(self._views[after][0])
            views = self._changed.setdefault(whole, {})
            views.pop(tensor_id, None)
            views[tensor_id] = after
            if self.trace.stale.get(whole) == step:
                del self.trace.stale[whole]
            after, tensor_id = whole, -whole - 1


def shares_memory(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two arrays have an element in one place, or perhaps have where that is hard to tell."""
    try:
        return np.shares_memory(a, b, max_work=10_000)  # type: ignore[arg-type]  # any number will do
    except np.exceptions.TooHardError:
        return True


def traced(model: nn.Module, inputs: Sequence[Tensor]) -> Trace:
    """Run a model in evaluation mode and remember its operations.

    Raises:
        TypeError: where it returns anything but Tensors.
    """
    recorder = Recorder()
    recorder.trace.inputs = [recorder.enter(one) for one in inputs]
    with (
        evaluating(model), minicnn.no_grad(), every_change(recorder.watch), every_operation(recorder.observe),
        every_number(lambda tensor: recorder.trace.read.add(recorder.number(tensor))),
    ):  # fmt: skip
        result = model(*inputs)
    results = result if isinstance(result, (tuple, list)) else (result,)
    for one in results:
        if not isinstance(one, Tensor):
            raise TypeError(f"a model that is exported returns Tensors, or a tuple of them, got {type(one).__name__}")
    recorder.trace.outputs = [recorder.number(one) for one in results]
    return recorder.trace
