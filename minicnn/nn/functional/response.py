"""Normalisation by the neighbouring channels, as AlexNet has it."""

from typing import Any

import numpy as np

from minicnn.autograd import Operator
from minicnn.errors import ShapeError
from minicnn.kernels.geometry import integer
from minicnn.nn.functional.padding import pad
from minicnn.operators.activation import floating
from minicnn.operators.operands import array_of


class LocalResponseNorm(Operator):
    """x / (k + alpha / size · Σ x² over `size` neighbouring channels) ^ beta"""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, size: int, alpha: float, beta: float, k: float) -> np.ndarray:
        with np.errstate(all="ignore"):
            base = _neighbours(x * x, size // 2, (size - 1) // 2)
            base = k + base * (alpha / size)
            power = base**beta
            ctx.saved, ctx.numbers = (x, base, power), (size, alpha, beta, k)
            return x / power

    @staticmethod
    def backward(ctx: Any, grad_output: np.ndarray) -> tuple:
        x, base, power = ctx.saved
        size, alpha, beta, _ = ctx.numbers
        with np.errstate(all="ignore"):
            inner = _neighbours(grad_output * x / (power * base), (size - 1) // 2, size // 2)
            return grad_output / power - inner * x * (2 * alpha * beta / size)

    @staticmethod
    def backward_recorded(ctx: Any, g: Any) -> tuple:
        size, alpha, beta, k = ctx.numbers

        def norm(x: Any) -> Any:
            around = [0, 0] * (x.ndim - 2) + [size // 2, (size - 1) // 2]
            sums = pad(x * x, around).unfold(1, size, 1).sum(-1)
            return x / (k + sums * (alpha / size)) ** beta

        return ctx.composed(norm, g, {0: ctx.saved[0]})


def _neighbours(x: np.ndarray, before: int, after: int) -> np.ndarray:
    """Each channel's sum of itself, `before` channels before it and `after` behind it."""
    C = x.shape[1]
    total = x.copy(order="K")
    for step in range(1, min(before, C - 1) + 1):
        total[:, step:] += x[:, :-step]
    for step in range(1, min(after, C - 1) + 1):
        total[:, :-step] += x[:, step:]
    return total


def local_response_norm(input: Any, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Any:
    """y = x / (k + alpha / size · Σ x²)^beta, with the sum over `size` neighbouring channels.

    Krizhevsky, Sutskever and Hinton, "ImageNet classification with deep convolutional neural networks", 2012.

    Args:
        input: (N, C, …) of at least 3 dimensions, float32 or float64.
        size: the number of channels; of an even one, one more before the channel than behind it.
        alpha, beta, k: as in the formula.

    Returns: a Tensor of the input's shape.

    Raises:
        ValueError: for fewer dimensions, or a size below 1.
    """
    x = array_of(floating(input, "local_response_norm"))
    if x.ndim < 3:
        raise ValueError(f"Expected 3D or higher dimensionality input (got {x.ndim} dimensions)")
    if not x.size:
        return input
    size = integer(size)
    if size < 1:
        raise ShapeError(f"local_response_norm needs a size of at least 1, got {size}")
    return LocalResponseNorm.apply(input, size, float(alpha), float(beta), float(k))
