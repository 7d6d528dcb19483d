"""How tensors of any memory order reach kernels that walk one flat array."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn.kernels.memory import flat, order
from minicnn.tensor import Tensor


def run(
    kernel: Callable, parameter: Tensor, gradient: Tensor, *state: Tensor, hyperparameters: tuple[Any, ...]
) -> None:
    """Call `kernel(parameter, gradient, *state, *hyperparameters)` with every tensor as a flat array.

    All lie flat in the memory order of the parameter. Those that are so already are viewed; a gradient that
    isn't is copied into that order; whatever else isn't is copied there and back.

    Args:
        kernel: changes all its arrays in place save the second.
        parameter: what to change.
        gradient: of its shape.
        state: of its shape.
        hyperparameters: numbers.

    Raises:
        ValueError: where one has another shape.
    """
    arrays = [tensor._array for tensor in (parameter, gradient, *state)]
    shape = arrays[0].shape
    for one in arrays:
        if one.shape != shape:
            raise ValueError(f"a gradient or moment has shape {one.shape}, but its parameter has shape {shape}")
    strides = arrays[0].strides
    if all(one.strides == strides for one in arrays) and order(arrays[0]) is not None:
        kernel(*[flat(one) for one in arrays], *hyperparameters)
    else:
        _run_reordered(kernel, arrays, hyperparameters)
    parameter._bump()


def _run_reordered(kernel: Callable, arrays: list[np.ndarray], hyperparameters: tuple) -> None:
    strides = arrays[0].strides
    axes = sorted(range(len(strides)), key=strides.__getitem__, reverse=True)
    views = [one.transpose(axes) for one in arrays]
    dense = [np.ascontiguousarray(view) for view in views]
    kernel(*[one.reshape(-1) for one in dense], *hyperparameters)
    for position, (view, copied) in enumerate(zip(views, dense, strict=True)):
        if position != 1 and not np.may_share_memory(view, copied):
            view[...] = copied


def zeros_like(parameter: Tensor) -> Tensor:
    """A Tensor of zeros in the parameter's shape, dtype and memory order."""
    return Tensor(np.zeros_like(parameter._array))
