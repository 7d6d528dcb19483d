"""The linear layer, and one-hot vectors."""

import functools
from typing import Any

import numpy as np

from minicnn import kernels
from minicnn.autograd import Operator, Variable
from minicnn.dtypes import float32, float64
from minicnn.kernels.geometry import Geometry, convolution_geometry
from minicnn.operators.operands import array_of, described


@functools.lru_cache(maxsize=1024)
def _row(cells: int) -> Geometry:
    """The geometry of a 1 × 1 convolution of a row of cells."""
    return convolution_geometry((1, cells), (1, 1))


class Linear(Operator):
    """y = x @ weightᵀ + bias: a 1 × 1 convolution whose image is one row of vectors.

    BLAS would do the product too, but its threads and those of the kernels would take the cores from each other.
    """

    hands_over = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None) -> np.ndarray:
        image, kernel = np.ascontiguousarray(x).reshape(1, 1, -1, x.shape[-1]), weight[:, :, None, None]
        ctx.saved, ctx.shape = (image, kernel), x.shape
        if not x.size:
            y = np.zeros((*x.shape[:-1], len(weight)), x.dtype)
            return y if bias is None else y + bias
        ctx.geometry = _row(image.shape[2])
        y = kernels.convolution.implicit.forward(image, kernel, bias, ctx.geometry)
        return y.reshape(*x.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, grad_output: np.ndarray) -> tuple:
        image, weight = ctx.saved
        g = np.ascontiguousarray(grad_output).reshape(1, 1, -1, len(weight))
        implicit, needs = kernels.convolution.implicit, ctx.needs_input_grad
        by_x = by_weight = by_bias = None
        if not image.size:
            by_x, by_weight = np.zeros(ctx.shape, g.dtype), np.zeros(weight.shape[:2], g.dtype)
            return by_x, by_weight, g.sum((0, 1, 2)) if needs[2] else None
        if needs[0]:
            by_x = implicit.grad_input(g, weight, ctx.geometry, 1).reshape(ctx.shape)
        if needs[1]:
            by_weight, by_bias = implicit.grad_parameters(image, g, ctx.geometry, 1, needs[2])
            by_weight = by_weight[:, :, 0, 0]
        elif needs[2]:
            by_bias = kernels.sums.over(g, (0, 1, 2))
        return by_x, by_weight, by_bias


def linear(input: Any, weight: Any, bias: Any = None) -> Any:
    """y = x @ weightᵀ + bias

    Args:
        input: (…, I), float32 or float64.
        weight: (O, I), of the same dtype.
        bias: (O,) or None.

    Returns: (…, O)

    Raises:
        ValueError: for shapes that don't fit, naming them.
        TypeError: for other or mixed dtypes.
    """
    _check(described(input), described(weight), described(bias))
    return Linear.apply(input, weight, bias)


@functools.lru_cache(maxsize=4096)
def _check(x: Any, weight: Any, bias: Any) -> None:
    """Raise unless what is `described` fits together."""
    given = [x, weight] if bias is None else [x, weight, bias]
    for found in given:
        if not isinstance(found, tuple):
            raise TypeError(f"linear needs Tensors or ndarrays, got {found}")
    (shape, dtype), (w, _) = x, weight
    if len(w) != 2 or len(shape) < 1 or shape[-1] != w[1]:
        raise ValueError(f"linear can't multiply input {shape} by weight {w}: (…, I) and (O, I)")
    dtypes = [found[1] for found in given]
    if dtype not in (float32, float64) or any(other != dtype for other in dtypes):
        raise TypeError(f"linear needs one dtype, float32 or float64, got {', '.join(map(str, dtypes))}")
    if bias is not None and bias[0] != (w[0],):
        raise ValueError(f"linear needs bias of shape ({w[0]},), got {bias[0]}")


def one_hot(tensor: Any, num_classes: int = -1) -> Any:
    """A 1 at each index of a new last axis, zeros elsewhere.

    Args:
        tensor: int64 indices, any shape (…).
        num_classes: size of the new axis; the largest index + 1 if −1.

    Returns: int64 (…, num_classes)

    Raises:
        TypeError: for other dtypes.
        ValueError: for indices below 0 or not below `num_classes`.
    """
    indices = array_of(tensor)
    if indices.dtype != np.int64:
        raise TypeError(f"one_hot needs int64 indices, got {indices.dtype}")
    if num_classes == -1:
        if not indices.size:
            raise ValueError("one_hot of no indices needs num_classes")
        num_classes = int(indices.max()) + 1
    if num_classes < 1 or (indices.size and (indices.min() < 0 or indices.max() >= num_classes)):
        raise ValueError(f"one_hot needs indices within 0 … {num_classes - 1}")
    return Variable.result_class((indices[..., None] == np.arange(num_classes)).astype(np.int64))
