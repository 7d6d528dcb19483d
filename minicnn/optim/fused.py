"""How tensors of any memory order reach the kernel that changes many parameters at once."""

from collections.abc import Iterable

import numpy as np

from minicnn.autograd.variable import owner
from minicnn.kernels import optimizers
from minicnn.kernels.memory import flat, is_dense
from minicnn.tensor import Tensor


def run(rule: int, updates: Iterable[tuple[tuple[float, ...], tuple[Tensor, ...]]]) -> None:
    """Change parameters, those with equal hyperparameters in one call.

    The arrays of a parameter are walked in its memory order. Those that lie so already are changed where they are;
    whatever else isn't is copied and, save the gradient, copied back.

    Args:
        rule: one of those in `kernels.optimizers`.
        updates: for every parameter its hyperparameters; and the parameter, its gradient and its state in the
            order of the rule, all of one shape.

    Raises:
        ValueError: where a gradient or state has another shape than its parameter.
    """
    batches: dict[tuple, list[list[np.ndarray]]] = {}
    memories: set[int] = set()
    copies: list[tuple[np.ndarray, np.ndarray]] = []  # what was copied, and the copy
    for hyperparameters, tensors in updates:
        arrays = [tensor._array for tensor in tensors]
        first = arrays[0]
        memory = id(owner(first))
        if memory in memories:  # of a parameter listed twice, or of another part of the same array
            _launch(rule, batches, copies)
            memories.clear()
        memories.add(memory)
        shape, strides, dtype = first.shape, first.strides, first.dtype
        alike = [one.strides == strides and one.shape == shape and one.dtype == dtype for one in arrays]
        if False in alike or not is_dense(first):
            arrays = _in_one_order(arrays, copies)
        batches.setdefault((hyperparameters, dtype), []).append(arrays)
        tensors[0]._bump()
    _launch(rule, batches, copies)


def _in_one_order(arrays: list[np.ndarray], copies: list[tuple[np.ndarray, np.ndarray]]) -> list[np.ndarray]:
    """The arrays in the dtype and memory order of the first, row-major where that has gaps."""
    first = arrays[0]
    model = first if is_dense(first) else np.empty(first.shape, first.dtype)
    result = []
    for position, one in enumerate(arrays):
        if one.shape != first.shape:
            raise ValueError(f"a gradient or moment has shape {one.shape}, but its parameter has shape {first.shape}")
        if one.strides != model.strides or one.dtype != model.dtype:
            copy = np.empty_like(model)
            copy[...] = one
            if position != 1:
                copies.append((one, copy))
            one = copy
        result.append(one)
    return result


def _launch(rule: int, batches: dict[tuple, list[list[np.ndarray]]], copies: list) -> None:
    """Run what `batches` holds, copy back what was copied, and forget both."""
    address = optimizers.address
    for (hyperparameters, dtype), members in batches.items():
        sizes = np.array([arrays[0].size for arrays in members])
        addresses = np.array([[address(flat(one)) for one in arrays] for arrays in members])
        optimizers.step(rule, sizes, addresses, np.array(hyperparameters, dtype))
    for original, copy in copies:
        original[...] = copy
    batches.clear()
    copies.clear()


def zeros_like(parameter: Tensor) -> Tensor:
    """A Tensor of zeros in the parameter's shape, dtype and memory order."""
    return Tensor(np.zeros_like(parameter._array))
