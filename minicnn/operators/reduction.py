"""Operations that reduce axes: sums, means, variances and extremes."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from minicnn.autograd import Operator, Variable
from minicnn.dtypes import as_dtype, int64
from minicnn.operators.arithmetic import array_of, cast

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
    dims = (dim,) if isinstance(dim, (int, np.integer)) else tuple(dim)
    limit = max(ndim, 1)
    for d in dims:
        if not isinstance(d, (int, np.integer)) or isinstance(d, bool):
            raise TypeError(f"dim must be an int or a tuple of ints, got {dim!r}")
        if not -limit <= d < limit:
            raise IndexError(f"dim {d} is out of range for a tensor of {ndim} dimensions")
    axes = tuple(int(d) % limit for d in dims) or tuple(range(ndim))
    if len(set(axes)) != len(axes):
        raise ValueError(f"dim {dim} appears multiple times in the list of dims")
    return axes if ndim else ()


def _spread(g: np.ndarray, axes: tuple[int, ...], shape: tuple[int, ...], keepdim: bool) -> np.ndarray:
    """A reduction's gradient, repeated over the axes it summed (a read-only view)."""
    return np.broadcast_to(g if keepdim else np.expand_dims(g, axes), shape)


class Sum(Operator):
    """Σ x over some axes."""

    reads = ""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, axes: tuple[int, ...], keepdim: bool) -> np.ndarray:
        ctx.spread = axes, x.shape, keepdim
        return np.asarray(x.sum(axis=axes, keepdims=keepdim, dtype=x.dtype))

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        return _spread(g, *ctx.spread), None, None


class Mean(Operator):
    """Σ x / n over some axes; NaN over nothing."""

    reads = ""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, axes: tuple[int, ...], keepdim: bool) -> np.ndarray:
        ctx.spread = axes, x.shape, keepdim
        ctx.count = int(np.prod([x.shape[axis] for axis in axes]))
        with np.errstate(all="ignore"):
            return np.asarray(x.sum(axis=axes, keepdims=keepdim) / x.dtype.type(ctx.count))

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        return _spread(g, *ctx.spread) / g.dtype.type(max(ctx.count, 1)), None, None


class Variance(Operator):
    """Σ (x − mean)² / (n − correction) over some axes."""

    @staticmethod
    def forward(
        ctx: Any, x: np.ndarray, axes: tuple[int, ...], correction: float, keepdim: bool
    ) -> np.ndarray:
        ctx.spread = axes, x.shape, keepdim
        count = int(np.prod([x.shape[axis] for axis in axes]))
        ctx.divisor = x.dtype.type(max(count - correction, 0))
        with np.errstate(all="ignore"):
            deviation = x - x.sum(axis=axes, keepdims=True) / x.dtype.type(count)
            ctx.saved = (deviation,)
            return np.asarray(np.square(deviation).sum(axis=axes, keepdims=keepdim) / ctx.divisor)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        with np.errstate(all="ignore"):
            return _spread(g, *ctx.spread) * ctx.saved[0] * (2 / ctx.divisor), None, None, None


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
        return g * ties / g.dtype.type(ties.sum()), None


class ExtremeAlong(Operator):
    """The largest (or smallest) along one axis and its index, the first where several are equal."""

    reads = ""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, function: Any, axis: int, keepdim: bool) -> tuple:
        indices = np.expand_dims(function(x, axis=axis), axis) if x.ndim else np.asarray(0)
        values = np.take_along_axis(x, indices, axis) if x.ndim else x.copy()
        ctx.indices, ctx.axis, ctx.keepdim, ctx.shape = indices, axis, keepdim, x.shape
        if not keepdim and x.ndim:
            return values.squeeze(axis), indices.squeeze(axis)
        return values, indices

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        if not ctx.shape:
            return g, None, None, None
        grad_input = np.zeros(ctx.shape, g.dtype)
        g = g if ctx.keepdim else np.expand_dims(g, ctx.axis)
        np.put_along_axis(grad_input, ctx.indices, g, ctx.axis)
        return grad_input, None, None, None


class ValuesAndIndices(NamedTuple):
    """What `max` and `min` along a dimension return."""

    values: Any
    indices: Any


def sum(x: Any, dim: Dimensions = None, keepdim: bool = False, *, dtype: Any = None) -> Any:  # noqa: A001
    """The sum over `dim`, or over everything; integers and bools add up as int64."""
    kind = array_of(x).dtype.kind
    target = as_dtype(dtype) if dtype is not None else array_of(x).dtype if kind == "f" else int64
    return Sum.apply(cast(x, target), normalize_dims(dim, array_of(x).ndim), keepdim)


def mean(x: Any, dim: Dimensions = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The mean over `dim`, or over everything; floating point only, as in torch."""
    target = as_dtype(dtype) if dtype is not None else array_of(x).dtype
    if target.kind != "f":
        raise TypeError(f"mean needs a floating-point tensor, got {target}; pass dtype= or convert it")
    return Mean.apply(cast(x, target), normalize_dims(dim, array_of(x).ndim), keepdim)


def var(
    x: Any,
    dim: Dimensions = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Any:
    """The variance over `dim`, or over everything, divided by n − 1 unless `unbiased=False` or `correction` says so."""
    if isinstance(dim, bool):  # torch's var(unbiased)
        dim, unbiased = None, dim
    if unbiased is not None and correction is not None:
        raise TypeError("var takes unbiased or correction, not both")
    if array_of(x).dtype.kind != "f":
        raise TypeError(f"var needs a floating-point tensor, got {array_of(x).dtype}")
    if correction is None:
        correction = 0.0 if unbiased is False else 1.0
    return Variance.apply(x, normalize_dims(dim, array_of(x).ndim), float(correction), keepdim)


def extreme(x: Any, dim: int | None, keepdim: bool, largest: bool) -> Any:
    """`max` and `min`: of everything, a scalar; along `dim`, a pair of values and int64 indices.

    Raises:
        IndexError: for a `dim` out of range, or one of size 0.
        ValueError: over everything of an empty tensor.
    """
    array = array_of(x)
    if dim is None:
        if array.size == 0:
            raise ValueError(f"{'max' if largest else 'min'} of an empty tensor needs dim=")
        return ExtremeOf.apply(x, np.max if largest else np.min)
    (axis,) = normalize_dims(dim, array.ndim) or (0,)
    if array.ndim and array.shape[axis] == 0:
        raise IndexError(f"max and min need a dim of size above 0, dim {dim} of shape {array.shape} has 0")
    return ValuesAndIndices(
        *ExtremeAlong.apply(x, np.argmax if largest else np.argmin, axis, bool(keepdim))
    )


def argmax(x: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """The int64 index of the largest element along `dim`, or in the flattened tensor; the first of equal ones."""
    array = array_of(x)
    if dim is None:
        if array.size == 0:
            raise IndexError("argmax of an empty tensor needs dim=")
        index = np.asarray(np.argmax(array), int64)
        return Variable.result_class(index.reshape((1,) * array.ndim) if keepdim else index)
    return extreme(Variable.result_class(array), dim, keepdim, largest=True).indices
