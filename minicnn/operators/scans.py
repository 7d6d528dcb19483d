"""Sums, products and extremes of all elements up to each one, along a dimension."""

from typing import Any

import numpy as np

from minicnn.autograd import Operator
from minicnn.autograd.operator import unrecorded
from minicnn.dtypes import as_dtype, int64
from minicnn.errors import DtypeError, ShapeError
from minicnn.operators.arguments import array_argument, numpy_spelling, single_axis
from minicnn.operators.arithmetic import Subtract
from minicnn.operators.comparison import ne
from minicnn.operators.half import half_in_float32
from minicnn.operators.indexing import Take
from minicnn.operators.joining import cat
from minicnn.operators.operands import array_of, cast
from minicnn.operators.quiet import quietly
from minicnn.operators.shape import Clone
from minicnn.operators.sorting import Chosen, chosen
from minicnn.return_types import Results


def running_sum(x: np.ndarray, axis: int) -> np.ndarray:
    """Σ of the elements up to each one, float32 carried in float64."""
    if not x.ndim:
        return x.copy()
    return quietly(np.cumsum, x, axis, np.float64 if x.dtype.kind == "f" else x.dtype).astype(x.dtype, copy=False)


def _from_the_end(x: np.ndarray, axis: int) -> np.ndarray:
    """Σ of the elements from each one on, in float64."""
    if not x.ndim:
        return x
    return np.flip(np.cumsum(np.flip(x, axis), axis, np.float64), axis)


class CumulativeSum(Operator):
    """Σ of the elements up to each one."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, axis: int) -> np.ndarray:
        ctx.axis = axis
        return running_sum(x, axis)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> np.ndarray:
        return _from_the_end(g, ctx.axis).astype(g.dtype)

    @staticmethod
    def again(ctx: Any, x: np.ndarray) -> np.ndarray:
        return running_sum(x, ctx.axis)


class CumulativeProduct(Operator):
    """Π of the elements up to each one."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, axis: int) -> np.ndarray:
        y = _running_product(x, axis)
        ctx.saved, ctx.axis = (x, y), axis
        return y

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> np.ndarray:
        """∂y[i] / ∂x[k] is y[i] / x[k] before the first 0, the product of the others at it, and 0 behind it."""
        (x, y), axis = ctx.saved, ctx.axis
        if not x.ndim:
            return g
        zeros = np.cumsum(x == 0, axis)
        first = (zeros == 1) & (x == 0)
        before = _from_the_end(g * y, axis) / np.where(x == 0, x.dtype.type(1), x)
        if not first.any():
            return before
        others = _running_product(np.where(first, x.dtype.type(1), x), axis)
        return np.where(zeros == 0, before, np.where(first, _from_the_end(g * others, axis), 0))

    @staticmethod
    def backward_recorded(ctx: Any, g: Any) -> tuple:
        (x, y), axis = ctx.tensors(), ctx.axis
        if (ctx.saved[0] == 0).any():
            raise RuntimeError(f"{unrecorded(ctx)}, where an element is 0")
        return (g * y).flip(axis).cumsum(axis).flip(axis) / x


def _running_product(x: np.ndarray, axis: int) -> np.ndarray:
    return quietly(np.cumprod, x, axis, x.dtype) if x.ndim else x.copy()


class CumulativeLogSumExp(Operator):
    """ln Σ eˣ over the elements up to each one."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, axis: int) -> np.ndarray:
        y = _running_logsumexp(x, axis)
        ctx.saved, ctx.axis = (x, y), axis
        return y.astype(x.dtype)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> np.ndarray:
        """Σ over i ≥ k of g[i] · exp(x[k] − y[i]), positive and negative g apart, in logarithms."""
        (x, y), axis = ctx.saved, ctx.axis
        if not x.ndim:
            return g
        parts = [np.log(np.maximum(sign * g.astype(np.float64), 0)) - y for sign in (1, -1)]
        positive, negative = (
            np.exp(x + np.flip(_running_logsumexp(np.flip(part, axis), axis), axis)) for part in parts
        )
        return (positive - negative).astype(g.dtype)


def _running_logsumexp(x: np.ndarray, axis: int) -> np.ndarray:
    return quietly(np.logaddexp.accumulate, x, axis, np.float64) if x.ndim else x.astype(np.float64)


def _prepared(name: str, input: Any, dim: int, dtype: Any) -> tuple[Any, int]:
    """The input in the dtype in which integers add up, and the axis."""
    array = array_argument(input, name)
    axis = single_axis(dim, array.ndim)
    if dtype is not None:
        return cast(input, as_dtype(dtype)), axis
    return (input if array.dtype.kind == "f" else cast(input, int64)), axis


@half_in_float32
@numpy_spelling
def cumsum(input: Any, dim: int, *, dtype: Any = None) -> Any:
    """The sum of the elements up to each one along a dimension; integers and bools add up as int64.

    Args:
        input: any shape.
        dim: along which.
        dtype: convert to it first.

    Raises:
        IndexError: for a `dim` out of range.
    """
    return CumulativeSum.apply(*_prepared("cumsum", input, dim, dtype))


@half_in_float32
@numpy_spelling
def cumprod(input: Any, dim: int, *, dtype: Any = None) -> Any:
    """The product of the elements up to each one along a dimension; integers and bools multiply as int64.

    Args, Raises: as for `cumsum`.
    """
    return CumulativeProduct.apply(*_prepared("cumprod", input, dim, dtype))


@half_in_float32
@numpy_spelling
def logcumsumexp(input: Any, dim: int) -> Any:
    """ln Σ eˣ over the elements up to each one along a dimension.

    Raises:
        DtypeError: for integers and bools.
        IndexError: for a `dim` out of range.
    """
    array = array_argument(input, "logcumsumexp")
    axis = single_axis(dim, array.ndim)
    if array.dtype.kind != "f":
        raise DtypeError(f"logcumsumexp needs a floating-point tensor, got {array.dtype}")
    return CumulativeLogSumExp.apply(input, axis)


class CumulativeExtreme(Chosen):
    """The largest (or smallest) of the elements up to each one."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, index: np.ndarray, axis: int) -> np.ndarray:
        ctx.freezes = True
        return Chosen.forward(ctx, x, index, axis)


@numpy_spelling
def cummax(input: Any, dim: int) -> Results:
    """The largest of the elements up to each one along a dimension, and the index of its last occurrence.

    Returns: `(values, indices)` of the shape of `input`; indices are int64. From a NaN on, all is NaN.

    Raises:
        IndexError: for a `dim` out of range.
    """
    return _cumulative_extreme("cummax", np.maximum, input, dim)


@numpy_spelling
def cummin(input: Any, dim: int) -> Results:
    """The smallest of the elements up to each one along a dimension, and the index of its last occurrence.

    Returns, Raises: as `cummax`.
    """
    return _cumulative_extreme("cummin", np.minimum, input, dim)


def _cumulative_extreme(name: str, function: np.ufunc, input: Any, dim: int) -> Results:
    given = array_argument(input, name)
    array, axis = given.reshape(given.shape or (1,)), single_axis(dim, given.ndim)
    reached = (array == function.accumulate(array, axis)) | np.isnan(array)
    positions = np.arange(array.shape[axis]).reshape([-1 if d == axis else 1 for d in range(array.ndim)])
    index = np.maximum.accumulate(np.where(reached, positions, 0), axis)
    return chosen(CumulativeExtreme, name, input, index, axis)


@numpy_spelling
def diff(input: Any, n: int = 1, dim: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """The differences of neighbours along a dimension, n times over; of bools, whether they differ.

    Args:
        input: at least one dimension.
        n: how often.
        dim: along which.
        prepend, append: Tensors to join to `input` first.

    Raises:
        ShapeError: for a number, a negative n, or parts that don't fit.
        IndexError: for a `dim` out of range.
    """
    array = array_argument(input, "diff")
    if not array.ndim:
        raise ShapeError("diff needs at least one dimension")
    if n < 0:
        raise ShapeError(f"diff needs an n that isn't negative, got {n}")
    if n == 0:
        return Clone.apply(input)
    axis = single_axis(dim, array.ndim)
    parts = [part for part in (prepend, input, append) if part is not None]
    if any(array_argument(part, "diff").ndim != array.ndim for part in parts):
        raise ShapeError(f"diff needs prepend and append of as many dimensions as input of shape {array.shape}")
    result = cat(parts, axis) if len(parts) > 1 else input
    for _ in range(min(n, array_of(result).shape[axis])):
        first, last = (Take.apply(result, (*[slice(None)] * axis, part, ...)) for part in (slice(-1), slice(1, None)))
        if array.dtype == bool:
            result = ne(last, first)
        else:
            result = Subtract.call(last, first)
    return result


def _trapezoids(name: str, y: Any, x: Any, dx: Any, dim: int) -> tuple[Any, int]:
    """Twice the areas under the lines between neighbours, and the axis along which they lie.

    Raises:
        TypeError: where both `x` and `dx` are given.
        ShapeError: for points of another number than values.
        IndexError: for a `dim` out of range.
    """
    array = array_argument(y, name)
    axis = single_axis(dim, array.ndim)
    if x is not None and dx is not None:
        raise TypeError(f"{name} takes x or dx, not both")
    left, right = (Take.apply(y, (*[slice(None)] * axis, part, ...)) for part in (slice(-1), slice(1, None)))
    if x is None:
        return left + right, axis
    points = array_argument(x, name)
    if points.ndim != 1:
        return (left + right) * diff(x, dim=axis - array.ndim), axis
    if points.shape[0] != array.shape[axis]:
        raise ShapeError(f"{name} has {array.shape[axis]} values along dim {dim}, but {points.shape[0]} points")
    return (left + right) * diff(x).reshape(*[1] * axis, -1, *[1] * (array.ndim - axis - 1)), axis


def trapezoid(y: Any, x: Any = None, *, dx: Any = None, dim: int = -1) -> Any:
    """The integral by the trapezoidal rule: Σ (yᵢ + yᵢ₊₁) / 2 · (xᵢ₊₁ − xᵢ).

    Args:
        y: the values.
        x: where they were taken: one for each along `dim`, or a Tensor that broadcasts with `y`; evenly by default.
        dx: the distance of even points, 1 by default.
        dim: along which.

    Raises:
        TypeError: where both `x` and `dx` are given.
        ShapeError: for points of another number than values.
        IndexError: for a `dim` out of range.
    """
    twice, axis = _trapezoids("trapezoid", y, x, dx, dim)
    if x is not None or not array_of(y).shape[axis]:
        return twice.sum(axis) / 2.0
    ends = (Take.apply(y, (*[slice(None)] * axis, end, ...)) for end in (0, -1))
    return (y.sum(axis) - sum(ends) * 0.5) * (1.0 if dx is None else dx)


def cumulative_trapezoid(y: Any, x: Any = None, *, dx: Any = None, dim: int = -1) -> Any:
    """The sums of `trapezoid` up to each point but the first; arguments as there."""
    twice, axis = _trapezoids("cumulative_trapezoid", y, x, dx, dim)
    return twice.cumsum(axis) / 2.0 if x is not None else twice.cumsum(axis) * ((1.0 if dx is None else dx) / 2.0)
