"""Tensors with elements replaced, added to or reduced at an index along a dimension."""

from typing import Any, Literal

import numpy as np

from minicnn.autograd import Operator, Variable
from minicnn.autograd.operator import Former
from minicnn.autograd.storage import is_dense, overlap, promised
from minicnn.autograd.variable import owner
from minicnn.dtypes import check_fits
from minicnn.errors import DtypeError, ShapeError
from minicnn.operators.accumulating import sums_at
from minicnn.operators.arguments import array_argument, numpy_spelling, single_axis
from minicnn.operators.arithmetic import Multiply
from minicnn.operators.operands import array_of, cast
from minicnn.operators.quiet import quietly
from minicnn.operators.selecting import (
    along,
    check_index_shape,
    check_range,
    index_argument,
    places_along,
)


def start(ctx: Any, x: np.ndarray) -> np.ndarray:
    """Where to write the result: over x itself, or a copy."""
    return x.copy() if ctx.out is None else ctx.out


def as_vector(x: np.ndarray) -> np.ndarray:
    """x, a number as a vector of one."""
    return x.reshape(x.shape or (1,))


def _within(source: np.ndarray, index: np.ndarray) -> np.ndarray:
    """The part of a source that an index is as large as."""
    return as_vector(source)[tuple([slice(n) for n in index.shape or (1,)])]


def check_apart(name: str, input: Any, *read: Any) -> None:
    """Raise RuntimeError where `input` is being changed in place and one of `read` shows the same memory."""
    if type(input) is not Former:
        return
    for other in read:
        if isinstance(other, Variable) and (
            id(other) == input.tensor_id or overlap(input, other) or _covers(input, other)
        ):
            raise RuntimeError(
                f"unsupported operation: {name}_ reads a tensor of shape {other._array.shape} in the memory that it "
                "writes to; clone() it before"
            )


def _covers(a: Variable, b: Variable) -> bool:
    """Whether two tensors without gaps show the same elements, in whatever order."""
    if owner(a._array) is not owner(b._array) or not a._array.size or a._array.size != b._array.size:
        return False
    (first, strides), (other, others) = promised(a), promised(b)
    return first == other and is_dense(a._array.shape, strides) and is_dense(b._array.shape, others)


class Scatter(Operator):
    """x with the elements at an index along one axis replaced by those of a source."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, index: np.ndarray, source: np.ndarray, axis: int) -> np.ndarray:
        ctx.saved, ctx.axis, ctx.source = (index,), axis, source.shape
        y = start(ctx, x)
        as_vector(y)[along(index, axis)] = _within(source, index)
        return y

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        (index,) = ctx.saved
        by_x = g.copy()
        as_vector(by_x)[along(index, ctx.axis)] = 0
        return by_x, None, _gathered(g, index, ctx)

    @staticmethod
    def backward_recorded(ctx: Any, g: Any) -> tuple:
        index = Variable._computed(ctx.saved[0])
        return g.scatter(ctx.axis, index, 0.0), None, _gathered_recorded(g, index, ctx)


def _gathered(g: np.ndarray, index: np.ndarray, ctx: Any) -> np.ndarray | None:
    """The gradient with respect to a source: the elements of g at the index, 0 beyond it."""
    if not ctx.needs_input_grad[2]:
        return None
    by_source = np.zeros(ctx.source, g.dtype)
    _within(by_source, index)[...] = as_vector(g)[along(index, ctx.axis)]
    return by_source


def _gathered_recorded(g: Any, index: Any, ctx: Any) -> Any:
    """As `_gathered`, for a Tensor."""
    if not ctx.needs_input_grad[2]:
        return None
    shape = index.shape or (1,)
    inside = np.zeros(ctx.source or (1,), bool)
    inside[tuple(map(slice, shape))] = True
    picked = g.gather(ctx.axis, index)
    if inside.all():
        return picked.reshape(ctx.source)
    return g.new_zeros(ctx.source).masked_scatter(Variable._computed(inside.reshape(ctx.source)), picked)


class ScatterAdd(Operator):
    """x with the elements of a source added at an index along one axis."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, index: np.ndarray, source: np.ndarray, axis: int) -> np.ndarray:
        ctx.saved, ctx.axis, ctx.source = (index,), axis, source.shape
        y = start(ctx, x)
        key, wide = along(index, axis), as_vector(y)
        totals = sums_at(places_along(x.shape, index, axis), _within(source, index), x.size).reshape(wide.shape)
        wide[key] = quietly(np.add, wide[key], totals[key])
        return y

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        return g, None, _gathered(g, ctx.saved[0], ctx)

    @staticmethod
    def backward_recorded(ctx: Any, g: Any) -> tuple:
        return g, None, _gathered_recorded(g, Variable._computed(ctx.saved[0]), ctx)


REDUCTIONS: dict[str, tuple[np.ufunc, Any]] = {
    "sum": (np.add, lambda dtype: 0),
    "mean": (np.add, lambda dtype: 0),
    "prod": (np.multiply, lambda dtype: 1),
    "amax": (np.maximum, lambda dtype: extremes_of(dtype)[0]),
    "amin": (np.minimum, lambda dtype: extremes_of(dtype)[1]),
}
"""By name: how two elements become one, and the element that changes nothing."""


def extremes_of(dtype: np.dtype) -> tuple[Any, Any]:
    """The smallest and the largest number of a dtype; infinities of floats."""
    if dtype.kind == "f":
        return -np.inf, np.inf
    return (False, True) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)


class ScatterReduce(Operator):
    """x with the elements of a source joined to it by a reduction, at an index along one axis."""

    @staticmethod
    def forward(
        ctx: Any, x: np.ndarray, index: np.ndarray, source: np.ndarray, axis: int, reduce: str, include_self: bool
    ) -> np.ndarray:
        y = _reduced(x, index, source, axis, reduce, include_self)
        ctx.saved = x, index, source, y
        ctx.axis, ctx.reduce, ctx.include_self, ctx.source = axis, reduce, include_self, source.shape
        return y

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        x, index, source, y = ctx.saved
        key, part, axis = along(index, ctx.axis), _within(source, index), ctx.axis
        by_x, by_part = _GRADIENTS[ctx.reduce](g, x, index, part, y, axis, ctx.include_self)
        if not ctx.include_self:
            by_x = np.array(by_x)
            as_vector(by_x)[key] = 0
        by_source = np.zeros(ctx.source, g.dtype)
        _within(by_source, index)[...] = by_part
        return by_x, None, by_source


def _reduced(
    x: np.ndarray, index: np.ndarray, source: np.ndarray, axis: int, reduce: str, include_self: bool
) -> np.ndarray:
    function, neutral = REDUCTIONS[reduce]
    y, key, part = x.copy(), along(index, axis), _within(source, index)
    wide = as_vector(y)
    if not include_self:
        wide[key] = neutral(x.dtype)
    if function is np.add:
        totals = sums_at(places_along(x.shape, index, axis), part, x.size).reshape(wide.shape)
        wide[key] = quietly(np.add, wide[key], totals[key])
    else:
        quietly(function.at, wide, key, part)
    if reduce == "mean":
        divide = np.true_divide if x.dtype.kind == "f" else np.floor_divide
        counts = as_vector(_counts(x.shape, index, axis, include_self)).astype(x.dtype)
        wide[key] = quietly(divide, wide[key], counts[key])
    return y


def _counts(shape: tuple[int, ...], index: np.ndarray, axis: int, include_self: bool) -> np.ndarray:
    """How many elements each element of the result was made of."""
    places = places_along(shape, index, axis).reshape(-1)
    return np.bincount(places, minlength=int(np.prod(shape))).reshape(shape) + include_self


def _gradients_of_sum(g: Any, x: Any, index: Any, part: Any, y: Any, axis: int, include_self: bool) -> tuple:
    return g, as_vector(g)[along(index, axis)]


def _gradients_of_mean(g: Any, x: Any, index: Any, part: Any, y: Any, axis: int, include_self: bool) -> tuple:
    share = g / np.maximum(_counts(x.shape, index, axis, include_self), 1).astype(g.dtype)
    return share, as_vector(share)[along(index, axis)]


def _gradients_of_product(g: Any, x: Any, index: Any, part: Any, y: Any, axis: int, include_self: bool) -> tuple:
    """As PyTorch's: an element's gradient is the product of the others, also where it alone is 0."""
    key = along(index, axis)
    without_zeros = np.where(x == 0, x.dtype.type(1), x)
    by_x = g * _reduced(without_zeros, index, part, axis, "prod", include_self) / without_zeros
    zero = part == 0
    zeros = sums_at(places_along(x.shape, index, axis), zero.astype(np.int64), x.size).reshape(as_vector(x).shape)[key]
    alone = zero & (zeros == 1)
    others = _reduced(x, index, np.where(alone, part.dtype.type(1), part), axis, "prod", include_self)
    rest = as_vector(g * y)[key] / np.where(zero, part.dtype.type(1), part)
    return by_x, np.where(alone, as_vector(g * others)[key], rest)


def _gradients_of_extreme(g: Any, x: Any, index: Any, part: Any, y: Any, axis: int, include_self: bool) -> tuple:
    """Equal elements share."""
    key = along(index, axis)
    self_is, part_is = x == y, part == as_vector(y)[key]
    ties = self_is + sums_at(places_along(x.shape, index, axis), part_is.astype(np.int64), x.size).reshape(x.shape)
    share = np.where(ties == 0, g.dtype.type(np.nan), g / np.maximum(ties, 1).astype(g.dtype))
    return self_is * share, part_is * as_vector(share)[key]


_GRADIENTS = {
    "sum": _gradients_of_sum,
    "mean": _gradients_of_mean,
    "prod": _gradients_of_product,
    "amax": _gradients_of_extreme,
    "amin": _gradients_of_extreme,
}


def _prepared(name: str, input: Any, dim: int, index: Any, source: Any) -> tuple[int, Any]:
    """The axis, and the source as a Tensor or array of the dtype of `input`; everything checked.

    A number as a source stands for as many of it as the index has elements.
    """
    array, indices = array_argument(input, name), index_argument(index, name)
    axis = single_axis(dim, array.ndim)
    if not isinstance(array_of(source), np.ndarray):
        check_fits(source, array.dtype)
        source = np.broadcast_to(quietly(np.asarray(source).astype, array.dtype), indices.shape)
    values = array_of(source)
    if values.dtype != array.dtype:
        raise DtypeError(f"{name} needs a source of the tensor's dtype {array.dtype}, got {values.dtype}")
    check_apart(name, input, index, source)
    if indices.size:
        check_index_shape(name, array.shape, indices, axis, values)
        check_range(indices, (array.shape or (1,))[axis], axis, RuntimeError)
    return axis, source


def _apply(operator: type[Operator], name: str, input: Any, dim: int, index: Any, source: Any, *rest: Any) -> Any:
    axis, source = _prepared(name, input, dim, index, source)
    if not array_of(index).size:
        return (
            Multiply.call(input, 1) if array_of(input).dtype != bool else cast(array_of(input).copy(), np.dtype(bool))
        )
    return operator.apply(input, index, source, axis, *rest)


@numpy_spelling
def scatter(
    input: Any,
    dim: int,
    index: Any,
    src: Any = None,
    *,
    value: Any = None,
    reduce: Literal["add", "multiply"] | None = None,
) -> Any:
    """`input` with elements replaced at `index` along one dimension: output[index[i, j], j] = src[i, j] for dim 0.

    Args:
        input: any shape.
        dim: the dimension that `index` counts along.
        index: int64 or int32, of as many dimensions; no larger than `input` but along `dim`.
        src: a Tensor of the same dtype, no smaller than `index`, or a number; `value` is the same for a number.
        reduce: "add" or "multiply" instead of replacing.

    Raises:
        DtypeError, ShapeError: for dtypes or shapes that don't fit.
        RuntimeError: for an index out of range.
        IndexError: for a `dim` out of range.
        TypeError: without `src` and `value`.
        ValueError: for another `reduce`.
    """
    if (src is None) == (value is None):
        raise TypeError("scatter needs src or value, one of them")
    source = value if src is None else src
    if isinstance(source, Variable) and src is None:
        if source._array.ndim:
            raise ShapeError(f"scatter needs a number as value, got shape {source._array.shape}")
        source = source._array.item()
    if reduce is None:
        return _apply(Scatter, "scatter", input, dim, index, source)
    if reduce not in ("add", "multiply"):
        raise ShapeError(f"reduce argument must be either add or multiply, got {reduce!r}")
    names = {"add": "sum", "multiply": "prod"}
    return _apply(ScatterReduce, "scatter", input, dim, index, source, names[reduce], True)


@numpy_spelling
def scatter_add(input: Any, dim: int, index: Any, src: Any) -> Any:
    """`input` with elements of `src` added along one dimension: output[index[i, j], j] += src[i, j] for dim 0.

    Args:
        input: any shape.
        dim: the dimension that `index` counts along.
        index: int64 or int32, of as many dimensions; no larger than `input` but along `dim`.
        src: a Tensor of the same dtype, no smaller than `index`.

    Raises:
        DtypeError, ShapeError: for dtypes or shapes that don't fit.
        RuntimeError: for an index out of range.
        IndexError: for a `dim` out of range.
    """
    array_argument(src, "scatter_add")
    return _apply(ScatterAdd, "scatter_add", input, dim, index, src)


@numpy_spelling
def scatter_reduce(
    input: Any,
    dim: int,
    index: Any,
    src: Any,
    reduce: Literal["sum", "prod", "mean", "amax", "amin"],
    *,
    include_self: bool = True,
) -> Any:
    """`input` with elements of `src` joined to it at `index` along one dimension by a reduction.

    Args:
        input, dim, index, src: as for `scatter_add`.
        reduce: which reduction.
        include_self: whether the elements of `input` take part.

    Raises:
        DtypeError, ShapeError, RuntimeError, IndexError: as `scatter_add`; ShapeError also for another `reduce`.
    """
    array_argument(src, "scatter_reduce")
    if reduce not in REDUCTIONS:
        raise ShapeError(f"reduce argument must be one of {', '.join(REDUCTIONS)}, got {reduce!r}")
    return _apply(ScatterReduce, "scatter_reduce", input, dim, index, src, reduce, bool(include_self))
