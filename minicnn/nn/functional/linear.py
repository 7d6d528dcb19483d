"""The linear layer, and one-hot vectors."""

import functools
import math
from typing import Any

import numpy as np

from minicnn import kernels
from minicnn.autograd import Operator, Variable
from minicnn.dtypes import float32, float64
from minicnn.errors import DtypeError, ShapeError
from minicnn.kernels.geometry import Geometry, convolution_geometry
from minicnn.operators.arguments import array_argument
from minicnn.operators.comparison import eq
from minicnn.operators.matmul import matmul
from minicnn.operators.operands import array_of, cast, described
from minicnn.operators.shape import unsqueeze


@functools.lru_cache(maxsize=1024)
def _row(pixels: int) -> Geometry:
    """The geometry of a 1 × 1 convolution of a row of pixels."""
    return convolution_geometry((1, pixels), (1, 1))


def _as_matrix(vectors: np.ndarray) -> np.ndarray:
    """(…, I) as (pixels, I): of up to two dimensions itself, of more a view where there can be one, as in PyTorch."""
    return vectors if vectors.ndim < 3 else vectors.reshape(math.prod(vectors.shape[:-1]), vectors.shape[-1])


def _as_image(vectors: np.ndarray) -> np.ndarray:
    """(…, I) as the one row of an image, (1, 1, pixels, I)."""
    return kernels.memory.contiguous(vectors).reshape(1, 1, math.prod(vectors.shape[:-1]), vectors.shape[-1])


class Linear(Operator):
    """y = x @ weightᵀ + bias: a 1 × 1 convolution whose image is one row of vectors.

    BLAS would do the product too, but its threads and those of the kernels would take the cores from each other. Of few
    rows it is a product of `kernels.few_rows`.
    """

    hands_over = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None) -> np.ndarray:
        matrix = _as_matrix(x)
        by_x, by_weight, _ = ctx.needs_input_grad
        ctx.saved = matrix if by_weight else None, weight if by_x else None  # each for the gradient of the other
        ctx.sizes = x.shape, weight.shape
        if not x.size or not weight.size:
            y = np.zeros((*x.shape[:-1], len(weight)), x.dtype)
            return y if bias is None else y + bias
        rows = kernels.memory.contiguous(matrix if matrix.ndim == 2 else matrix[None])
        few = kernels.few_rows.multiply(rows, weight.T, bias)
        if few is not None and x.ndim == 2:
            return few
        kernel, geometry = weight[:, :, None, None], _row(len(rows))
        y = kernels.convolution.implicit.forward(rows[None, None], kernel, bias, geometry) if few is None else few
        return y.reshape(*x.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, grad_output: np.ndarray) -> tuple:
        (x, weight), (x_shape, weight_shape) = ctx.saved, ctx.sizes
        g = _as_image(grad_output)
        implicit, needs = kernels.convolution.implicit, ctx.needs_input_grad
        by_x = by_weight = by_bias = None
        if 0 in x_shape or 0 in weight_shape:
            by_x, by_weight = np.zeros(x_shape, g.dtype), np.zeros(weight_shape, g.dtype)
            return by_x, by_weight, kernels.sums.over(g, (0, 1, 2)) if needs[2] else None
        if needs[0]:
            by_x = kernels.few_rows.multiply(g[0, 0], weight)
            if by_x is None:
                by_x = implicit.grad_input(g, weight[:, :, None, None], _row(g.shape[2]), 1)
            by_x = by_x.reshape(x_shape)
        if needs[1]:
            by_weight, by_bias = implicit.grad_parameters(_as_image(x), g, _row(g.shape[2]), 1, needs[2])
            by_weight = by_weight[:, :, 0, 0]
        elif needs[2]:
            by_bias = kernels.sums.over(g, (0, 1, 2))
        return by_x, by_weight, by_bias

    @staticmethod
    def backward_recorded(ctx: Any, g: Any) -> tuple:
        (matrix, weight), (x_shape, weight_shape) = ctx.saved, ctx.sizes
        needs_x, needs_weight, needs_bias = ctx.needs_input_grad
        rows = g.reshape(-1, weight_shape[0])
        by_x = by_weight = None
        if needs_x:
            by_x = (g @ ctx.argument(1, weight)) if g._array.size else g.new_zeros(x_shape)
        if needs_weight:
            by_weight = rows.mT @ ctx.argument(0, matrix.reshape(x_shape)).reshape(-1, x_shape[-1])
        return by_x, by_weight, rows.sum(0) if needs_bias else None


def linear(input: Any, weight: Any, bias: Any = None) -> Any:
    """y = x @ weightᵀ + bias

    Args:
        input: (…, I), float32 or float64.
        weight: (O, I), or (I,) for a single output without an axis, of the same dtype.
        bias: (O,), or what broadcasts to the output, or None.

    Returns: (…, O)

    Raises:
        ValueError: for shapes that don't fit, naming them.
        TypeError: for other or mixed dtypes.
    """
    _check(described(input), described(weight), described(bias))
    shape = array_of(weight).shape
    if bias is not None and array_of(bias).shape != shape[:1]:
        return linear(input, weight) + bias
    if len(shape) == 1:
        return matmul(input, weight)
    return Linear.apply(input, weight, bias)


@functools.lru_cache(maxsize=4096)
def _check(x: Any, weight: Any, bias: Any) -> None:
    """Raise unless what is `described` fits together."""
    given = [x, weight] if bias is None else [x, weight, bias]
    for found in given:
        if not isinstance(found, tuple):
            raise TypeError(f"linear needs Tensors or ndarrays, got {found}")
    (shape, dtype), (w, _) = x, weight
    if len(w) not in (1, 2) or len(shape) < 1 or shape[-1] != w[-1]:
        raise ShapeError(f"linear can't multiply input {shape} by weight {w}: (…, I) and (O, I)")
    dtypes = [found[1] for found in given]
    if dtype not in (float32, float64) or any(other != dtype for other in dtypes):
        raise DtypeError(f"linear needs one dtype, float32 or float64, got {', '.join(map(str, dtypes))}")
    result = (*shape[:-1], *w[:-1])
    if bias is not None and not _expands(bias[0], result if len(w) == 2 else ()):
        raise ShapeError(f"linear with a result of shape {result} needs bias of shape {w[:-1]}, got {bias[0]}")


def _expands(shape: tuple[int, ...], result: tuple[int, ...]) -> bool:
    """Whether an array of `shape` can be expanded to `result`."""
    return len(shape) <= len(result) and all(
        size in (1, wanted) for size, wanted in zip(shape[::-1], result[::-1], strict=False)
    )


def one_hot(input: Any, num_classes: int = -1) -> Any:
    """A 1 at each index of a new last axis, zeros elsewhere.

    Args:
        input: int64 indices, any shape (…).
        num_classes: size of the new axis; the largest index + 1 if −1.

    Returns: int64 (…, num_classes)

    Raises:
        TypeError: for other dtypes, or where `num_classes` is no integer.
        ValueError: for indices below 0 or not below `num_classes`.
    """
    indices = array_argument(input, "one_hot")
    if indices.dtype != np.int64:
        raise DtypeError(f"one_hot needs int64 indices, got {indices.dtype}")
    if isinstance(num_classes, bool) or not hasattr(num_classes, "__index__"):
        raise TypeError(f"num_classes must be an int, got {num_classes!r}")
    if num_classes == -1:
        if not indices.size:
            raise ShapeError("one_hot of no indices needs num_classes")
        num_classes = int(indices.max()) + 1
    if num_classes < 1 or (indices.size and (indices.min() < 0 or indices.max() >= num_classes)):
        raise ShapeError(f"one_hot needs indices within 0 … {num_classes - 1}")
    places = unsqueeze(input if isinstance(input, Variable) else Variable._computed(indices), -1)
    return cast(eq(places, np.arange(num_classes)), np.dtype(np.int64))
