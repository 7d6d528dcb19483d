"""How tensors of any memory order reach the kernel that changes many parameters at once."""

from collections.abc import Iterable
from operator import is_

import numpy as np

from minicnn import kernels
from minicnn.autograd.variable import owner
from minicnn.kernels.memory import flat, is_dense
from minicnn.tensor import Tensor


class Place:
    """Where a parameter and its state lie, each flat in the memory order of the parameter.

    Args:
        arrays: of the parameter and of its state, all of one shape.

    Attributes:
        arrays: these.
        lying: the same; what isn't of the parameter's dtype and memory order, or has gaps, as a copy that is.
        copied: whether there are copies; else the place is good for as long as the arrays are the same objects.
        addresses: where `lying` begins.
    """

    def __init__(self, arrays: list[np.ndarray]) -> None:
        first = arrays[0]
        self.arrays = arrays
        self.model = first if is_dense(first) else np.empty(first.shape, first.dtype)
        self.lying = [self.fitted(one) for one in arrays]
        self.copied = not all(map(is_, arrays, self.lying))
        self.addresses = [kernels.optimizers.address(flat(one)) for one in self.lying]

    def fitted(self, x: np.ndarray) -> np.ndarray:
        """`x` where it lies as the parameter should, else a copy that does."""
        model = self.model
        if x.strides == model.strides and x.dtype == model.dtype:
            return x
        copy = np.empty_like(model)
        copy[...] = x
        return copy

    def is_of(self, arrays: list[np.ndarray]) -> bool:
        """Whether it is good for these arrays."""
        return len(arrays) == len(self.arrays) and all(map(is_, arrays, self.arrays))


class Fused:
    """Runs rules of `kernels.optimizers` on tensors, and remembers from step to step where they lie."""

    def __init__(self) -> None:
        self._places: dict[int, Place] = {}  # by the identity of parameters, which live as long as their optimizer

    def __reduce__(self) -> tuple:  # addresses mean nothing to a copy
        return Fused, ()

    def run(self, rule: int, updates: Iterable[tuple[tuple[float, ...], Tensor, tuple[Tensor, ...]]]) -> None:
        """Change parameters by their gradients, those with equal hyperparameters in one call.

        Args:
            rule: one of those in `kernels.optimizers`.
            updates: for every parameter its hyperparameters, itself, and its state, in the order of the rule.

        Raises:
            ValueError: where a gradient or state has another shape than its parameter.
        """
        batches: dict[tuple, list[list[int]]] = {}  # by hyperparameters and dtype: sizes and addresses
        alive: dict[int, tuple[Place, np.ndarray]] = {}  # what the addresses are of, by the parameters' memory
        for hyperparameters, parameter, state in updates:
            array, gradient = parameter._array, parameter.grad._array  # type: ignore[union-attr]
            arrays = [array, *[tensor._array for tensor in state]]
            for one in (gradient, *arrays):
                if one.shape != array.shape:
                    raise ValueError(
                        f"a gradient or moment has shape {one.shape}, but its parameter has shape {array.shape}"
                    )
            memory = id(owner(array))
            if memory in alive:  # of a parameter listed twice, or of another part of the same array
                _launch(rule, batches, alive)
            place = self._place(parameter, arrays)
            gradient = place.fitted(gradient)
            alive[memory] = place, gradient
            row = [array.size, place.addresses[0], kernels.optimizers.address(flat(gradient)), *place.addresses[1:]]
            batches.setdefault((hyperparameters, array.dtype), []).append(row)
            parameter._bump()
        _launch(rule, batches, alive)

    def _place(self, parameter: Tensor, arrays: list[np.ndarray]) -> Place:
        place = self._places.get(id(parameter))
        if place is None or place.copied or not place.is_of(arrays):
            place = self._places[id(parameter)] = Place(arrays)
        return place


def _launch(rule: int, batches: dict[tuple, list[list[int]]], alive: dict[int, tuple[Place, np.ndarray]]) -> None:
    """Run what was collected, write copies back, and forget it."""
    for (hyperparameters, dtype), table in batches.items():
        kernels.optimizers.step(rule, np.array(table), np.array(hyperparameters, dtype))
    for place, _ in alive.values():
        if place.copied:
            for one, lying in zip(place.arrays, place.lying, strict=True):
                if one is not lying:
                    one[...] = lying
    batches.clear()
    alive.clear()


def zeros_like(parameter: Tensor) -> Tensor:
    """A Tensor of zeros in the parameter's shape, dtype and memory order."""
    return Tensor(np.zeros_like(parameter._array))
