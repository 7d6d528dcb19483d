"""What a model computes for given inputs, operation by operation."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import minicnn
from minicnn import nn
from minicnn.autograd.observed import every_operation
from minicnn.autograd.operator import Former
from minicnn.nn.modes import evaluating
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


@dataclass
class Trace:
    """A run of a program.

    Attributes:
        steps: its operations.
        arrays: what each tensor held, by its number, after its operation; of all but parameters a copy.
        inputs, outputs: the numbers of the tensors that went in and came out.
        given: the numbers of tensors that no operation made: parameters, buffers and constants, by the first use.
        stale: numbers of tensors whose memory was written to without their knowing, and in which step.
    """

    steps: list[Step] = field(default_factory=list)
    arrays: list[np.ndarray] = field(default_factory=list)
    inputs: list[int] = field(default_factory=list)
    outputs: list[int] = field(default_factory=list)
    given: dict[int, Any] = field(default_factory=dict)
    stale: dict[int, int] = field(default_factory=dict)

    def depending(self) -> set[int]:
        """The numbers of all tensors that were computed from an input, and those of the inputs."""
        found = set(self.inputs)
        for step in self.steps:
            if any(isinstance(one, Known) and one.number in found for one in step.arguments):
                found.update(step.outputs)
        return found


class Recorder:
    """Numbers tensors as operations meet them, and follows what is changed in place."""

    def __init__(self) -> None:
        self.trace = Trace()
        self._numbers: dict[int, int] = {}
        self._arrays: dict[int, int] = {}
        self._step = -1
        self._memories: list[tuple[np.ndarray, int]] = []
        self._written: list[tuple[np.ndarray, int]] = []
        self._alive: list[Any] = []

    def enter(self, tensor: Any) -> int:
        """A tensor that is known from here on."""
        number = len(self.trace.arrays)
        fixed = isinstance(tensor, nn.Parameter)
        self.trace.arrays.append(tensor._array if fixed else tensor._array.copy())
        self._memories.append((tensor._array, self._step))
        self._numbers[id(tensor)] = self._arrays[id(tensor._array)] = number
        self._alive += [tensor, tensor._array]
        return number

    def number(self, tensor: Any) -> int:
        """The number of a tensor; one that no operation made gets one now."""
        key = tensor.tensor_id if isinstance(tensor, Former) else id(tensor)
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
        elif not self._is_as_made(known, tensor):
            self.trace.stale.setdefault(known, self._step)
        return known

    def _is_as_made(self, number: int, tensor: Any) -> bool:
        """Whether nobody wrote to a tensor since its operation: through a view of memory that it moved to, or by NumPy.

        What an operation in place found can't be compared any more: it is overwritten.
        """
        array, known, (memory, made) = tensor._array, self.trace.arrays[number], self._memories[number]
        if array is not memory and any(step > made and np.may_share_memory(array, one) for one, step in self._written):
            return False
        if isinstance(tensor, Former) or known is array:
            return True
        return known.shape == array.shape and np.array_equal(known, array, equal_nan=True)

    def observe(self, operator: type, arguments: tuple, outputs: Any) -> None:
        """Remember an operation."""
        met = tuple(self._argument(one) for one in arguments)
        made = outputs if isinstance(outputs, tuple) else (outputs,)
        former = arguments[0] if arguments and isinstance(arguments[0], Former) else None
        if former is not None:
            self._overwritten(former)
        self._step = len(self.trace.steps)
        numbers = tuple(self.enter(one) for one in made)
        if former is not None:
            self._numbers[former.tensor_id] = numbers[0]
        self.trace.steps.append(Step(operator, met, numbers))

    def _argument(self, argument: Any) -> Any:
        if isinstance(argument, minicnn.autograd.Variable):
            return Known(self.number(argument))
        if isinstance(argument, np.ndarray) and id(argument) in self._arrays:
            return Known(self._arrays[id(argument)])
        return argument

    def _overwritten(self, former: Former) -> None:
        """What was seen of the memory of a tensor that is changed in place is not what it was."""
        self._written.append((former._array, len(self.trace.steps)))
        for number, (array, _) in enumerate(self._memories):
            if np.may_share_memory(array, former._array):
                self.trace.stale.setdefault(number, len(self.trace.steps))


def traced(model: nn.Module, inputs: Sequence[Tensor]) -> Trace:
    """Run a model in evaluation mode and remember its operations.

    Raises:
        TypeError: where it returns anything but Tensors.
    """
    recorder = Recorder()
    recorder.trace.inputs = [recorder.enter(one) for one in inputs]
    with evaluating(model), minicnn.no_grad(), every_operation(recorder.observe):
        result = model(*inputs)
    results = result if isinstance(result, (tuple, list)) else (result,)
    for one in results:
        if not isinstance(one, Tensor):
            raise TypeError(f"a model that is exported returns Tensors, or a tuple of them, got {type(one).__name__}")
    recorder.trace.outputs = [recorder.number(one) for one in results]
    return recorder.trace
