"""Operations that reduce axes by adding up or multiplying: sums, means, variances, products."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn import kernels
from minicnn.autograd import Operator
from minicnn.autograd.operator import unrecorded
from minicnn.dtypes import as_dtype, default_float, int64
from minicnn.errors import DtypeError, ShapeError
from minicnn.operators.arguments import array_argument, numpy_spelling, single_axis
from minicnn.operators.half import half_in_float32
from minicnn.operators.operands import cast
from minicnn.operators.quiet import quietly
from minicnn.operators.tracing import Traceable

Dimensions = int | Sequence[int] | None


def normalize_dims(dim: Dimensions, ndim: int) -> tuple[int, ...]:
    """`dim` as non-negative axes; None and () mean all of them.

    Raises:
        IndexError: out of range.
        ShapeError: the same axis twice.
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
        raise ShapeError(f"dim {dim} appears multiple times in the list of dims")
    return axes if ndim else ()


def spread(g: np.ndarray, axes: tuple[int, ...], shape: tuple[int, ...]) -> np.ndarray:
    """A reduction's gradient, repeated over the axes it summed (a read-only view)."""
    return np.broadcast_to(g.reshape([1 if axis in axes else size for axis, size in enumerate(shape)]), shape)


class Sum(Traceable, Operator):
    """Σ x over some axes."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, axes: tuple[int, ...], keepdim: bool) -> np.ndarray:
        ctx.spread = axes, x.shape
        return quietly(kernels.sums.over, x, axes, keepdim)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> np.ndarray:
        return spread(g, *ctx.spread)


class Mean(Traceable, Operator):
    """Σ x / n over some axes; NaN over nothing."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, axes: tuple[int, ...], keepdim: bool) -> np.ndarray:
        ctx.spread = axes, x.shape
        ctx.count = math.prod([x.shape[axis] for axis in axes])
        total = quietly(kernels.sums.over, x, axes, keepdim)
        return np.asarray(quietly(np.true_divide, total, x.dtype.type(ctx.count)))

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> np.ndarray:
        return spread(g / g.dtype.type(ctx.count), *ctx.spread)


class Variance(Operator):
    """Σ (x − mean)² / (n − correction) over some axes, in float64."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, axes: tuple[int, ...], correction: float, keepdim: bool) -> np.ndarray:
        ctx.saved, ctx.spread = (x,), (axes, x.shape)
        count = math.prod([x.shape[axis] for axis in axes])
        ctx.divisor = x.dtype.type(max(count - correction, 0))
        with np.errstate(all="ignore"):
            near = (kernels.sums.over(x, axes, True, np.float64) / count).astype(x.dtype)
            ctx.mean = near + kernels.sums.over(x - near, axes, True, np.float64) / count  # rows add up in x's dtype
            y = (kernels.sums.squares(x, ctx.mean, axes) / np.float64(max(count - correction, 0))).astype(x.dtype)
        return y if keepdim else y.reshape([size for axis, size in enumerate(x.shape) if axis not in axes])

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        (x,) = ctx.saved
        return spread(g * (2 / ctx.divisor), *ctx.spread) * (x - ctx.mean.astype(x.dtype))

    @staticmethod
    def backward_recorded(ctx: Any, g: Any) -> tuple:
        (x,), (axes, shape) = ctx.tensors(), ctx.spread
        wide = g.reshape([1 if axis in axes else size for axis, size in enumerate(shape)]) * (2 / float(ctx.divisor))
        return wide * (x - x.mean(axes, keepdim=True))


@half_in_float32
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


@half_in_float32
@numpy_spelling
def mean(input: Any, dim: Dimensions = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The mean over `dim`, or over everything.

    Args:
        input: any shape, floating point unless `dtype` makes it so.
        dim: axis or axes; None and () mean all.
        keepdim: keep reduced axes with size 1.
        dtype: convert to it first.

    Raises:
        DtypeError: for integers and bools.
    """
    if dtype is not None:
        input = cast(input, as_dtype(dtype))
    array = array_argument(input, "mean")
    if array.dtype.kind != "f":
        raise DtypeError(f"mean needs a floating-point tensor, got {array.dtype}; pass dtype= or convert it")
    return Mean.apply(input, normalize_dims(dim, array.ndim), bool(keepdim))


@half_in_float32
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
        DtypeError: for integers and bools.
        TypeError: where both `unbiased` and `correction` are given.
    """
    array = array_argument(input, "var")
    if isinstance(dim, bool):  # torch's var(unbiased)
        dim, unbiased = None, dim
    if unbiased is not None and correction is not None:
        raise TypeError("var takes unbiased or correction, not both")
    if array.dtype.kind != "f":
        raise DtypeError(f"var needs a floating-point tensor, got {array.dtype}")
    if correction is None:
        correction = 0.0 if unbiased is False else 1.0
    return Variance.apply(input, normalize_dims(dim, array.ndim), float(correction), bool(keepdim))


class Deviation(Traceable, Operator):
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


@half_in_float32
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


class Product(Operator):
    """Π x over some axes."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, axes: tuple[int, ...], keepdim: bool) -> np.ndarray:
        y = np.asarray(quietly(np.prod, x, axes, x.dtype, keepdims=keepdim))
        ctx.saved, ctx.axes = (x, y), axes
        return y

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> np.ndarray:
        """The product of the other elements, which is 0 but where at most one is 0."""
        (x, y), axes = ctx.saved, ctx.axes
        zero = x == 0
        if not zero.any():
            return spread(g * y, axes, x.shape) / x
        without = np.where(zero, x.dtype.type(1), x)
        others = g.reshape(-1) * np.prod(without, axes, x.dtype).reshape(-1)
        zeros = zero.sum(axes, keepdims=True)
        alone = np.where(zero & (zeros == 1), spread(others, axes, x.shape), 0)
        return np.where(zeros == 0, spread(g * y, axes, x.shape) / without, alone)

    @staticmethod
    def backward_recorded(ctx: Any, g: Any) -> tuple:
        (x, y), axes = ctx.tensors(), ctx.axes
        if (ctx.saved[0] == 0).any():
            raise RuntimeError(f"{unrecorded(ctx)}, where an element is 0")
        g, y = [one.reshape([1 if a in axes else n for a, n in enumerate(x.shape)]) for one in (g, y)]
        return g * y / x


@half_in_float32
@numpy_spelling
def prod(input: Any, dim: int | None = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The product along `dim`, or of everything; integers and bools multiply as int64.

    Args:
        input: any shape.
        dim: along which axis; None means all.
        keepdim: keep the reduced axis with size 1.
        dtype: convert to it first.

    Raises:
        IndexError: for a `dim` out of range.
        TypeError: for several dims.
    """
    array = array_argument(input, "prod")
    axes = normalize_dims(None, array.ndim) if dim is None else normalize_dims(single_axis(dim, array.ndim), array.ndim)
    if dtype is not None:
        input = cast(input, as_dtype(dtype))
    elif array.dtype.kind != "f":
        input = cast(input, int64)
    return Product.apply(input, axes, bool(keepdim))


class LogSumExp(Operator):
    """ln Σ eˣ over some axes."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, axes: tuple[int, ...], keepdim: bool) -> np.ndarray:
        with np.errstate(all="ignore"):
            largest = x.max(axes, keepdims=True, initial=-np.inf)
            largest = np.where(np.isfinite(largest), largest, x.dtype.type(0))
            y = np.log(kernels.sums.over(np.exp(x - largest), axes, True)) + largest
        ctx.saved, ctx.axes = (x, y), axes
        return y if keepdim else y.reshape([n for axis, n in enumerate(x.shape) if axis not in axes])

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        (x, y), axes = ctx.saved, ctx.axes
        return spread(g, axes, x.shape) * np.exp(x - y)

    @staticmethod
    def backward_recorded(ctx: Any, g: Any) -> tuple:
        (x, y), axes = ctx.saved, ctx.axes
        kept = [1 if axis in axes else size for axis, size in enumerate(x.shape)]
        result = ctx.result(0, y.astype(x.dtype, copy=False).reshape(ctx.outputs[0][0])).reshape(kept)
        return g.reshape(kept) * (ctx.argument(0, x) - result).exp()


@half_in_float32
@numpy_spelling
def logsumexp(input: Any, dim: Dimensions, keepdim: bool = False) -> Any:
    """ln Σ eˣ over `dim`, without overflow; integers and bools become float32.

    Args:
        input: any shape.
        dim: axis or axes.
        keepdim: keep reduced axes with size 1.

    Raises:
        IndexError: for a `dim` out of range.
    """
    array = array_argument(input, "logsumexp")
    x = input if array.dtype.kind == "f" else cast(input, default_float())
    return LogSumExp.apply(x, normalize_dims(dim, array.ndim), bool(keepdim))
