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
        arrays: what each tensor held, by its number, after its operation.
        inputs, outputs: the numbers of the tensors that went in and came out.
        given: the numbers of tensors that no operation made: parameters, buffers and constants, by the first use.
        stale: numbers of tensors whose memory was written to through another one, and in which step.
    """

    steps: list[Step] = field(default_factory=list)
    arrays: list[np.ndarray] = field(default_factory=list)
    inputs: list[int] = field(default_factory=list)
    outputs: list[int] = field(default_factory=list)
    given: dict[int, Any] = field(default_factory=dict)
    stale: dict[int, int] = field(default_factory=dict)


class Recorder:
    """Numbers tensors as operations meet them, and follows what is changed in place."""

    def __init__(self) -> None:
        self.trace = Trace()
        self._numbers: dict[int, int] = {}
        self._arrays: dict[int, int] = {}
        self._alive: list[Any] = []

    def enter(self, tensor: Any) -> int:
        """A tensor that is known from here on."""
        number = len(self.trace.arrays)
        self.trace.arrays.append(tensor._array)
        self._numbers[id(tensor)] = self._arrays[id(tensor._array)] = number
        self._alive += [tensor, tensor._array]
        return number

    def number(self, tensor: Any) -> int:
        """The number of a tensor; one that no operation made gets one now."""
        key = tensor.tensor_id if isinstance(tensor, Former) else id(tensor)
        if key not in self._numbers and id(tensor._array) in self._arrays:  # detached
            self._numbers[key] = self._arrays[id(tensor._array)]
            self._alive.append(tensor)
        if key not in self._numbers:
            number = self.enter(tensor)
            self._numbers[key] = number
            self.trace.given[number] = tensor
            if not isinstance(tensor, nn.Parameter):
                self.trace.arrays[number] = tensor._array.copy()  # it may be changed in place
        return self._numbers[key]

    def observe(self, operator: type, arguments: tuple, outputs: Any) -> None:
        """Remember an operation."""
        met = tuple(self._argument(one) for one in arguments)
        made = outputs if isinstance(outputs, tuple) else (outputs,)
        former = arguments[0] if arguments and isinstance(arguments[0], Former) else None
        if former is not None:
            self._overwritten(former)
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
        for number, array in enumerate(self.trace.arrays):
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
