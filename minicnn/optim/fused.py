"""How tensors of any memory order reach kernels that walk one flat array."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn.tensor import Tensor


def run(kernel: Callable, parameter: Tensor, *state: Tensor, hyperparameters: tuple[Any, ...]) -> None:
    """Call `kernel(parameter, gradient, *state, *hyperparameters)` with every tensor as a flat array.

    All lie flat in the memory order of the parameter. Those that are so already are viewed; a gradient that
    isn't is copied into that order; whatever else isn't is copied there and back.

    Args:
        kernel: changes all its arrays in place save the second.
        parameter: with a gradient of its shape.
        state: of its shape.
        hyperparameters: numbers.

    Raises:
        ValueError: where the gradient has another shape.
    """
    array, gradient = parameter._array, parameter.grad._array
    if gradient.shape != array.shape:
        raise ValueError(f"gradient has shape {gradient.shape}, but its parameter has shape {array.shape}")
    changed = [array, *[tensor._array for tensor in state]]
    if not array.flags.c_contiguous:
        axes = sorted(range(array.ndim), key=array.strides.__getitem__, reverse=True)
        changed = [one.transpose(axes) for one in changed]
        gradient = gradient.transpose(axes)
    flat = [one if one.flags.c_contiguous else np.ascontiguousarray(one) for one in changed]
    first, *others = [one.reshape(-1) for one in flat]
    kernel(first, np.ascontiguousarray(gradient).reshape(-1), *others, *hyperparameters)
    for one, copied in zip(changed, flat, strict=True):
        if one is not copied:
            one[...] = copied
    parameter._bump()


def zeros_like(parameter: Tensor) -> Tensor:
    """A Tensor of zeros in the parameter's shape, dtype and memory order."""
    return Tensor(np.zeros_like(parameter._array))
