"""Operations that reduce axes: sums, means, variances and extremes."""

from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np

from minicnn import kernels
from minicnn.autograd import Operator, Variable
from minicnn.dtypes import as_dtype, int64
from minicnn.operators.arguments import array_argument, numpy_spelling
from minicnn.operators.arithmetic import Maximum, Minimum
from minicnn.operators.operands import cast
from minicnn.operators.quiet import quietly

Dimensions = int | Sequence[int] | None


def normalize_dims(dim: Dimensions, ndim: int) -> tuple[int, ...]:
    """`dim` as non-negative axes; None and () mean all of them.

    Raises:
        IndexError: out of range.
        ValueError: the same axis twice.
        TypeError: not integers.
    """
    if dim is None:
        return tuple(range(ndim))
    if type(dim) is int and -ndim <= dim < ndim:
        return (dim % ndim,)
    dims = (dim,) if isinstance(dim, (int, np.integer)) else tuple(dim)
    limit = max(ndim, 1)
    for d in dims:
        if not isinstance(d, (int, np.integer)) or isinstance(d, bool):
            raise TypeError(f"dim must be an int or a tuple of ints, got {dim!r}")
        if not -limit <= d < limit:
            raise IndexError(
                f"Dimension out of range (expected to be in range of [{-limit}, {limit - 1}], but got {d})"
            )
    axes = tuple(int(d) % limit for d in dims) or tuple(range(ndim))
    if len(set(axes)) != len(axes):
        raise ValueError(f"dim {dim} appears multiple times in the list of dims")
    return axes if ndim else ()


def _spread(g: np.ndarray, axes: tuple[int, ...], shape: tuple[int, ...]) -> np.ndarray:
    """A reduction's gradient, repeated over the axes it summed (a read-only view)."""
    return np.broadcast_to(g.reshape([1 if axis in axes else size for axis, size in enumerate(shape)]), shape)


class Sum(Operator):
    """Σ x over some axes."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, axes: tuple[int, ...], keepdim: bool) -> np.ndarray:
        ctx.spread = axes, x.shape
        return quietly(kernels.sums.over, x, axes, keepdim)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        return _spread(g, *ctx.spread), None, None


class Mean(Operator):
    """Σ x / n over some axes; NaN over nothing."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, axes: tuple[int, ...], keepdim: bool) -> np.ndarray:
        ctx.spread = axes, x.shape
        ctx.count = prod([x.shape[axis] for axis in axes])
        total = quietly(kernels.sums.over, x, axes, keepdim)
        return np.asarray(quietly(np.true_divide, total, x.dtype.type(ctx.count)))

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        return _spread(g / g.dtype.type(ctx.count), *ctx.spread), None, None


class Variance(Operator):
    """Σ (x − mean)² / (n − correction) over some axes, in float64."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, axes: tuple[int, ...], correction: float, keepdim: bool) -> np.ndarray:
        ctx.saved, ctx.spread = (x,), (axes, x.shape)
        count = prod([x.shape[axis] for axis in axes])
        ctx.divisor = x.dtype.type(max(count - correction, 0))
        with np.errstate(all="ignore"):
            ctx.mean = kernels.sums.over(x, axes, True, np.float64) / count
            if x.dtype == np.float64:  # what rounding left out; the variance of equal elements is 0
                ctx.mean += kernels.sums.over(x - ctx.mean, axes, True) / count
            y = (kernels.sums.squares(x, ctx.mean, axes) / np.float64(max(count - correction, 0))).astype(x.dtype)
        return y if keepdim else y.reshape([size for axis, size in enumerate(x.shape) if axis not in axes])

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        (x,) = ctx.saved
        return _spread(g * (2 / ctx.divisor), *ctx.spread) * (x - ctx.mean.astype(x.dtype)), None, None, None


class ExtremeOf(Operator):
    """The largest (or smallest) of all elements; equal ones share the gradient."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, function: Any) -> np.ndarray:
        y = np.asarray(function(x))
        ctx.saved = x, y
        return y

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        x, y = ctx.saved
        ties = np.isnan(x) if np.isnan(y) else x == y
        return g / g.dtype.type(ties.sum()) * ties, None


class ExtremeAlong(Operator):
    """The largest (or smallest) along one axis and its index, the first where several are equal."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, function: Any, axis: int, keepdim: bool) -> tuple:
        wide = x.reshape(1) if x.ndim == 0 else x
        indices = np.expand_dims(function(wide, axis=axis), axis)
        values = np.take_along_axis(wide, indices, axis)
        ctx.saved, ctx.axis, ctx.shape = (indices,), axis, wide.shape
        shape = values.shape if keepdim and x.ndim else values.shape[:axis] + values.shape[axis + 1 :]
        return values.reshape(shape), indices.reshape(shape).copy()

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        (indices,) = ctx.saved
        grad_input = np.zeros(ctx.shape, g.dtype)
        np.put_along_axis(grad_input, indices, g.reshape(indices.shape), ctx.axis)
        return grad_input, None, None, None


class ValuesAndIndices(NamedTuple):
    """What `max` and `min` along a dimension return."""

    values: Any
    indices: Any


@numpy_spelling
def sum(input: Any, dim: Dimensions = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The sum over `dim`, or over everything; integers and bools add up as int64.

    Args:
        input: any shape.
        dim: axis or axes; None and () mean all.
        keepdim: keep reduced axes with size 1.
        dtype: convert to it first.
    """
    array = array_argument(input, "sum")
    if dtype is not None:
        input = cast(input, as_dtype(dtype))
    elif array.dtype.kind != "f":
        input = cast(input, int64)
    return Sum.apply(input, normalize_dims(dim, array.ndim), bool(keepdim))


@numpy_spelling
def mean(input: Any, dim: Dimensions = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The mean over `dim`, or over everything.

    Args:
        input: any shape, floating point unless `dtype` makes it so.
        dim: axis or axes; None and () mean all.
        keepdim: keep reduced axes with size 1.
        dtype: convert to it first.

    Raises:
        TypeError: for integers and bools.
    """
    if dtype is not None:
        input = cast(input, as_dtype(dtype))
    array = array_argument(input, "mean")
    if array.dtype.kind != "f":
        raise TypeError(f"mean needs a floating-point tensor, got {array.dtype}; pass dtype= or convert it")
    return Mean.apply(input, normalize_dims(dim, array.ndim), bool(keepdim))


@numpy_spelling
def var(
    input: Any,
    dim: Dimensions = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Any:
    """The variance over `dim`, or over everything: Σ (x − mean)² / (n − correction).

    Args:
        input: any shape, floating point.
        dim: axis or axes; None and () mean all. A bool is taken for `unbiased`.
        unbiased: False stands for correction 0, True for 1.
        keepdim: keep reduced axes with size 1.
        correction: 1 by default.

    Raises:
        TypeError: for integers and bools, or where both `unbiased` and `correction` are given.
    """
    array = array_argument(input, "var")
    if isinstance(dim, bool):  # torch's var(unbiased)
        dim, unbiased = None, dim
    if unbiased is not None and correction is not None:
        raise TypeError("var takes unbiased or correction, not both")
    if array.dtype.kind != "f":
        raise TypeError(f"var needs a floating-point tensor, got {array.dtype}")
    if correction is None:
        correction = 0.0 if unbiased is False else 1.0
    return Variance.apply(input, normalize_dims(dim, array.ndim), float(correction), bool(keepdim))


class Deviation(Operator):
    """√variance, given it; the gradient is 0 where it is 0."""

    @staticmethod
    def forward(ctx: Any, variance: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            y = np.asarray(np.sqrt(variance))
        ctx.saved = (y,)
        return y

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> np.ndarray:
        (y,) = ctx.saved
        return np.where(y == 0, 0, g / (2 * y))


@numpy_spelling
def std(
    input: Any,
    dim: Dimensions = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Any:
    """The square root of `var`, of the same arguments; its gradient is 0 where all elements are equal."""
    return Deviation.apply(var(input, dim, unbiased, keepdim, correction=correction))


@numpy_spelling
def maximum(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """`max(x)`: the largest element; `max(x, dim)`: values and indices; `max(x, other)`: elementwise.

    Args:
        input: any shape. A NaN is larger than everything.
        dim: axis, or another Tensor.
        keepdim: keep the reduced axis with size 1.

    Returns: a Tensor, or a pair `(values, indices)` of them; `indices` is int64, the first of equal elements.

    Raises:
        IndexError: for a `dim` out of range, or one of size 0.
        ValueError: over everything of an empty tensor.
    """
    if isinstance(dim, (Variable, np.ndarray)):
        array_argument(input, "max")
        return Maximum.call(input, dim)
    return _extreme(input, dim, keepdim, largest=True)


@numpy_spelling
def minimum(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """`min(x)`: the smallest element; `min(x, dim)`: values and indices; `min(x, other)`: elementwise.

    Args, Returns, Raises: as for `max`. A NaN is smaller than everything.
    """
    if isinstance(dim, (Variable, np.ndarray)):
        array_argument(input, "min")
        return Minimum.call(input, dim)
    return _extreme(input, dim, keepdim, largest=False)


def _extreme(x: Any, dim: int | None, keepdim: bool, largest: bool) -> Any:
    array = array_argument(x, "max" if largest else "min")
    if dim is None:
        if keepdim:
            raise TypeError(f"{'max' if largest else 'min'} takes keepdim only together with dim")
        if array.size == 0:
            raise ValueError(f"{'max' if largest else 'min'} of an empty tensor needs dim=")
        return ExtremeOf.apply(x, np.max if largest else np.min)
    axis = _one_axis(dim, array)
    return ValuesAndIndices(*ExtremeAlong.apply(x, np.argmax if largest else np.argmin, axis, bool(keepdim)))


def _one_axis(dim: int, array: np.ndarray) -> int:
    if not isinstance(dim, (int, np.integer)):
        raise TypeError(f"dim must be an int, got {dim!r}")
    (axis,) = normalize_dims(dim, array.ndim) or (0,)
    if array.ndim and array.shape[axis] == 0:
        raise IndexError(f"expected reduction dim {dim} to have non-zero size, the shape is {array.shape}")
    return axis


@numpy_spelling
def argmax(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """The int64 index of the largest element along `dim`, or of the flattened tensor; the first of equals.

    Raises:
        TypeError: for bools.
        IndexError: for an empty tensor, or a `dim` out of range or of size 0.
    """
    return _index_of(np.argmax, "argmax", input, dim, keepdim)


@numpy_spelling
def argmin(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """The int64 index of the smallest element along `dim`, or of the flattened tensor; the first of equals.

    Raises:
        TypeError: for bools.
        IndexError: for an empty tensor, or a `dim` out of range or of size 0.
    """
    return _index_of(np.argmin, "argmin", input, dim, keepdim)


def _index_of(function: Any, name: str, x: Any, dim: int | None, keepdim: bool) -> Any:
    array = array_argument(x, name)
    if array.dtype == bool:
        raise TypeError(f"{name} does not support bool tensors")
    if dim is None:
        if array.size == 0:
            raise IndexError(f"{name} of an empty tensor needs dim=")
        index = np.asarray(function(array))
        return Variable._computed(index.reshape((1,) * array.ndim) if keepdim else index)
    axis = _one_axis(dim, array)
    index = np.asarray(function(array, axis=axis)) if array.ndim else np.asarray(0)
    return Variable._computed(np.expand_dims(index, axis) if keepdim and array.ndim else index)


@numpy_spelling
def any_of(input: Any, dim: Dimensions = None, keepdim: bool = False) -> Any:
    """Whether some element is not 0, over `dim` or over everything; bool, but uint8 for uint8."""
    return _truth(np.any, input, dim, keepdim)


@numpy_spelling
def all_of(input: Any, dim: Dimensions = None, keepdim: bool = False) -> Any:
    """Whether no element is 0, over `dim` or over everything; bool, but uint8 for uint8."""
    return _truth(np.all, input, dim, keepdim)


def _truth(function: Any, x: Any, dim: Dimensions, keepdim: bool) -> Any:
    array = array_argument(x, function.__name__)
    result = np.asarray(function(array, axis=normalize_dims(dim, array.ndim), keepdims=bool(keepdim)))
    return Variable._computed(result.astype(array.dtype) if array.dtype == np.uint8 else result)
