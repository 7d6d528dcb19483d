"""How tensors of any memory order reach the kernel that changes many parameters at once."""

from collections.abc import Iterable
from operator import attrgetter

import numpy as np

from minicnn import kernels
from minicnn.autograd.inplace import check_writeable
from minicnn.autograd.storage import keep_strides
from minicnn.autograd.variable import owner
from minicnn.kernels.memory import flat, is_dense
from minicnn.tensor import Tensor, computed

_array_of = attrgetter("_array")


class Place:
    """Where a parameter and its state lie, each flat in the memory order of the parameter.

    Args:
        arrays: of the parameter and of its state, all of one shape.

    Attributes:
        arrays, identities: these, and which objects they are.
        model: an array of the parameter's shape and dtype, in its memory order.
        lying: the same; what isn't of the parameter's dtype and memory order, or has gaps, as a copy that is.
        copied: whether there are copies; else the place is good for as long as the arrays are the same objects.
        addresses: where `lying` begins.

    Raises:
        ValueError: where state has another shape than its parameter.
        TypeError: where the parameter is neither float32 nor float64.
        RuntimeError: where one lies in read-only memory.
    """

    def __init__(self, arrays: list[np.ndarray]) -> None:
        first = arrays[0]
        if first.dtype not in (np.float32, np.float64):
            raise TypeError(f"optimizers change parameters of float32 or float64, got {first.dtype} of {first.shape}")
        for array in arrays:
            check_writeable(array)
        self.arrays, self.identities = arrays, list(map(id, arrays))
        self.model = first if is_dense(first) else np.empty(first.shape, first.dtype)
        self.lying = [self.fitted(one) for one in arrays]
        self.copied = self.identities != list(map(id, self.lying))
        self.addresses = [kernels.optimizers.address(flat(one)) for one in self.lying]

    def fitted(self, x: np.ndarray) -> np.ndarray:
        """`x` where it lies as the parameter should, else a copy that does."""
        model = self.model
        if x.shape != model.shape:
            raise ValueError(f"a gradient or moment has shape {x.shape}, but its parameter has shape {model.shape}")
        if x.dtype == model.dtype and (x.strides == model.strides or _steps(x) == _steps(model)):
            return x
        copy = np.empty_like(model)
        copy[...] = x
        return copy


def _steps(x: np.ndarray) -> list[int]:
    """The strides of axes along which there is a step; the others' mean nothing."""
    return [stride for stride, size in zip(x.strides, x.shape, strict=True) if size > 1]


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
            TypeError: where a parameter is neither float32 nor float64.
        """
        batches: dict[tuple, list[list[int]]] = {}  # by hyperparameters and dtype: sizes and addresses
        alive: dict[int, tuple[Place, np.ndarray]] = {}  # what the addresses are of, by the parameters' memory
        address, places = kernels.optimizers.address, self._places
        for hyperparameters, parameter, state in updates:
            arrays = [*map(_array_of, (parameter, *state))]
            memory = id(owner(arrays[0]))
            if memory in alive:  # of a parameter listed twice, or of another part of the same array
                _launch(rule, batches, alive)
            place = places.get(id(parameter))
            if place is None or place.copied or place.identities != [*map(id, arrays)]:
                place = places[id(parameter)] = Place(arrays)
            gradient = place.fitted(parameter._grad._array)
            alive[memory] = place, gradient
            first, *others = place.addresses
            row = [place.model.size, first, address(flat(gradient)), *others]
            batches.setdefault((hyperparameters, place.model.dtype), []).append(row)
            parameter._bump()
        _launch(rule, batches, alive)


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
    result = computed(np.zeros_like(parameter._array))
    keep_strides(result, [parameter])
    return result
