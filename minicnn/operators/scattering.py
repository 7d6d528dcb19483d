"""Tensors with some elements replaced, or added to, at indices along a dimension or where a mask holds."""

from typing import Any, Literal

import numpy as np

from minicnn.autograd import Operator, Variable
from minicnn.autograd.operator import Former
from minicnn.autograd.storage import is_dense, overlap, promised
from minicnn.autograd.variable import owner
from minicnn.dtypes import check_fits
from minicnn.errors import DtypeError, ShapeError
from minicnn.operators.accumulating import row_sums, sums_at
from minicnn.operators.arguments import array_argument, numpy_spelling, single_axis
from minicnn.operators.arithmetic import Multiply
from minicnn.operators.indexing import Put, _check_places, split
from minicnn.operators.operands import array_of, cast
from minicnn.operators.quiet import quietly
from minicnn.operators.selecting import (
    along,
    broadcast_to_mask,
    check_index_shape,
    check_range,
    index_argument,
    mask_argument,
    places_along,
    vector_argument,
)
from minicnn.operators.shape import expand, reshape


def _start(ctx: Any, x: np.ndarray) -> np.ndarray:
    """Where to write the result: over x itself, or a copy."""
    return x.copy() if ctx.out is None else ctx.out


def _wide(x: np.ndarray) -> np.ndarray:
    """x, a number as a vector of one."""
    return x.reshape(x.shape or (1,))


def _within(source: np.ndarray, index: np.ndarray) -> np.ndarray:
    """The part of a source that an index is as large as."""
    return _wide(source)[tuple([slice(n) for n in index.shape or (1,)])]


def _check_apart(name: str, input: Any, *read: Any) -> None:
    """Raise RuntimeError where `input` is being changed in place and one of `read` shows the same memory."""
    if type(input) is not Former:
        return
    for other in read:
        if isinstance(other, Variable) and (overlap(input, other) or _covers(input, other)):
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
        y = _start(ctx, x)
        _wide(y)[along(index, axis)] = _within(source, index)
        return y

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        (index,) = ctx.saved
        by_x = g.copy()
        _wide(by_x)[along(index, ctx.axis)] = 0
        return by_x, None, _gathered(g, index, ctx), None


def _gathered(g: np.ndarray, index: np.ndarray, ctx: Any) -> np.ndarray | None:
    """The gradient with respect to a source: the elements of g at the index, 0 beyond it."""
    if not ctx.needs_input_grad[2]:
        return None
    by_source = np.zeros(ctx.source, g.dtype)
    _within(by_source, index)[...] = _wide(g)[along(index, ctx.axis)]
    return by_source


class ScatterAdd(Operator):
    """x with the elements of a source added at an index along one axis."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, index: np.ndarray, source: np.ndarray, axis: int) -> np.ndarray:
        ctx.saved, ctx.axis, ctx.source = (index,), axis, source.shape
        y = _start(ctx, x)
        key, wide = along(index, axis), _wide(y)
        totals = sums_at(places_along(x.shape, index, axis), _within(source, index), x.size).reshape(wide.shape)
        wide[key] = quietly(np.add, wide[key], totals[key])
        return y

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        return g, None, _gathered(g, ctx.saved[0], ctx), None


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
            _wide(by_x)[key] = 0
        by_source = np.zeros(ctx.source, g.dtype)
        _within(by_source, index)[...] = by_part
        return by_x, None, by_source, None, None, None


def _reduced(
    x: np.ndarray, index: np.ndarray, source: np.ndarray, axis: int, reduce: str, include_self: bool
) -> np.ndarray:
    function, neutral = REDUCTIONS[reduce]
    y, key, part = x.copy(), along(index, axis), _within(source, index)
    wide = _wide(y)
    if not include_self:
        wide[key] = neutral(x.dtype)
    if function is np.add:
        totals = sums_at(places_along(x.shape, index, axis), part, x.size).reshape(wide.shape)
        wide[key] = quietly(np.add, wide[key], totals[key])
    else:
        quietly(function.at, wide, key, part)
    if reduce == "mean":
        divide = np.true_divide if x.dtype.kind == "f" else np.floor_divide
        counts = _wide(_counts(x.shape, index, axis, include_self)).astype(x.dtype)
        wide[key] = quietly(divide, wide[key], counts[key])
    return y


def _counts(shape: tuple[int, ...], index: np.ndarray, axis: int, include_self: bool) -> np.ndarray:
    """How many elements each element of the result was made of."""
    places = places_along(shape, index, axis).reshape(-1)
    return np.bincount(places, minlength=int(np.prod(shape))).reshape(shape) + include_self


def _gradients_of_sum(g: Any, x: Any, index: Any, part: Any, y: Any, axis: int, include_self: bool) -> tuple:
    return g, _wide(g)[along(index, axis)]


def _gradients_of_mean(g: Any, x: Any, index: Any, part: Any, y: Any, axis: int, include_self: bool) -> tuple:
    share = g / np.maximum(_counts(x.shape, index, axis, include_self), 1).astype(g.dtype)
    return share, _wide(share)[along(index, axis)]


def _gradients_of_product(g: Any, x: Any, index: Any, part: Any, y: Any, axis: int, include_self: bool) -> tuple:
    """As PyTorch's: an element's gradient is the product of the others, also where it alone is 0."""
    key = along(index, axis)
    without_zeros = np.where(x == 0, x.dtype.type(1), x)
    by_x = g * _reduced(without_zeros, index, part, axis, "prod", include_self) / without_zeros
    zero = part == 0
    zeros = sums_at(places_along(x.shape, index, axis), zero.astype(np.int64), x.size).reshape(_wide(x).shape)[key]
    alone = zero & (zeros == 1)
    others = _reduced(x, index, np.where(alone, part.dtype.type(1), part), axis, "prod", include_self)
    rest = _wide(g * y)[key] / np.where(zero, part.dtype.type(1), part)
    return by_x, np.where(alone, _wide(g * others)[key], rest)


def _gradients_of_extreme(g: Any, x: Any, index: Any, part: Any, y: Any, axis: int, include_self: bool) -> tuple:
    """Equal elements share."""
    key = along(index, axis)
    self_is, part_is = x == y, part == _wide(y)[key]
    ties = self_is + sums_at(places_along(x.shape, index, axis), part_is.astype(np.int64), x.size).reshape(x.shape)
    share = np.where(ties == 0, g.dtype.type(np.nan), g / np.maximum(ties, 1).astype(g.dtype))
    return self_is * share, part_is * _wide(share)[key]


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
    _check_apart(name, input, index, source)
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


class IndexAdd(Operator):
    """x with the parts of a source added at some indices along one axis."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, index: np.ndarray, source: np.ndarray, axis: int) -> np.ndarray:
        ctx.saved, ctx.axis = (index, source), axis  # PyTorch reads the source again
        y = _start(ctx, x)
        moved = np.moveaxis(_wide(y), axis, 0)
        totals = row_sums(index.reshape(-1), np.moveaxis(_wide(source), axis, 0), moved.shape)
        rows = index.reshape(-1)
        moved[rows] = quietly(np.add, moved[rows], totals[rows])
        return y

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        index, source = ctx.saved
        by_source = np.take(_wide(g), index.reshape(-1), ctx.axis).reshape(source.shape)
        return g, None, by_source, None


def _rows_prepared(name: str, input: Any, dim: int, index: Any, source: Any) -> int:
    """The axis for `index_add` and `index_copy`; everything checked."""
    array, indices, values = array_argument(input, name), vector_argument(index, name), array_argument(source, name)
    axis = single_axis(dim, array.ndim)
    if values.dtype != array.dtype:
        raise DtypeError(f"{name} needs a source of the tensor's dtype {array.dtype}, got {values.dtype}")
    wide, given = array.shape or (1,), values.shape or (1,)
    expected = (*wide[:axis], indices.size, *wide[axis + 1 :])
    if given != expected:
        raise ShapeError(f"{name} needs a source of shape {expected} beside {indices.size} indices, got {values.shape}")
    check_range(indices, wide[axis], axis, IndexError)
    _check_apart(name, input, index, source)
    return axis


@numpy_spelling
def index_add(input: Any, dim: int, index: Any, source: Any, *, alpha: Any = 1) -> Any:
    """`input` with alpha times the parts of `source` added at the indices along one dimension.

    Args:
        input: any shape.
        dim: the dimension that `index` counts along.
        index: (n,), int64 or int32, not negative.
        source: the shape of `input` with n at `dim`; the same dtype.
        alpha: a number.

    Raises:
        DtypeError, ShapeError: for dtypes or shapes that don't fit.
        IndexError: for an index or a `dim` out of range.
    """
    axis = _rows_prepared("index_add", input, dim, index, source)
    if alpha != 1:
        dtype = array_of(source).dtype
        source = cast(source, dtype)
        source = Multiply.call(source, alpha if dtype.kind == "f" else int(alpha))
    return IndexAdd.apply(input, index, source, axis)


@numpy_spelling
def index_copy(input: Any, dim: int, index: Any, source: Any) -> Any:
    """`input` with its parts at the indices along one dimension replaced by those of `source`.

    Args, Raises: as for `index_add`.
    """
    axis = _rows_prepared("index_copy", input, dim, index, source)
    if not array_of(input).ndim:
        return Put.apply(input, reshape(source, ()), (...,))
    return Put.apply(input, source, (...,), *[slice(None)] * axis, index)


@numpy_spelling
def index_fill(input: Any, dim: int, index: Any, value: Any) -> Any:
    """`input` with its parts at the indices along one dimension replaced by a number.

    Args:
        input: any shape.
        dim: the dimension that `index` counts along.
        index: (n,), int64 or int32, negative ones counting from the end.
        value: a number or a Tensor without dimensions.

    Raises:
        ShapeError: for a value with dimensions.
        IndexError: for an index or a `dim` out of range.
    """
    array, indices = array_argument(input, "index_fill"), vector_argument(index, "index_fill")
    axis = single_axis(dim, array.ndim)
    filling = number_argument(value, array.dtype, "index_fill")
    size = (array.shape or (1,))[axis]
    check_range(np.where(indices < 0, indices + size, indices), size, axis, IndexError)
    if not array.ndim:
        return Put.apply(input, filling, (...,)) if indices.size else Put.apply(input, input, (...,))
    return Put.apply(input, filling, (...,), *[slice(None)] * axis, np.unique(indices))


def number_argument(value: Any, dtype: np.dtype, name: str) -> Any:
    """A number or a Tensor without dimensions as a Tensor of `dtype`.

    Raises:
        ShapeError: for a Tensor with dimensions.
        TypeError: for neither.
        RuntimeError: for a number that the dtype can't hold.
    """
    array = array_of(value)
    if isinstance(array, np.ndarray):
        if array.ndim:
            raise ShapeError(f"{name} needs a number or a Tensor without dimensions, got shape {array.shape}")
    elif not isinstance(value, (bool, int, float, np.number, np.bool_)):
        raise TypeError(f"{name} needs a number or a Tensor without dimensions, got {type(value).__name__}")
    else:
        check_fits(value, dtype)
    return cast(value, dtype)


def index_put(input: Any, indices: Any, values: Any, accumulate: bool = False) -> Any:
    """`input` with the elements at `input[indices]` replaced by `values`, or added to.

    Args:
        input: any shape.
        indices: a tuple or list of index Tensors and masks, for the first dimensions; None stands for all of one.
        values: a Tensor of the same dtype that broadcasts to the selection.
        accumulate: add; an element that is selected twice gets both.

    Raises:
        DtypeError, ShapeError: for dtypes or shapes that don't fit.
        IndexError: for an index out of range.
    """
    array, given = array_argument(input, "index_put"), array_argument(values, "index_put")
    if not isinstance(indices, (tuple, list)):
        raise TypeError(f"index_put needs a tuple of index Tensors, got {type(indices).__name__}")
    if given.dtype != array.dtype:
        raise DtypeError(f"index_put needs values of the tensor's dtype {array.dtype}, got {given.dtype}")
    key = tuple(slice(None) if part is None else part for part in indices)
    basic, advanced = split(key, array.ndim)
    key = advanced or ()
    target = array[basic][tuple(map(array_of, key))]
    try:
        fits = np.broadcast_shapes(given.shape, target.shape) == target.shape
    except ValueError:
        fits = False
    if not fits:
        raise ShapeError(f"index_put needs values that broadcast to {target.shape}, got {given.shape}")
    if isinstance(input, Variable) and isinstance(values, Variable):
        _check_places(input, basic, advanced, values)
    if not accumulate:
        return Put.apply(input, values, basic, *key)
    places = np.arange(array.size).reshape(array.shape)[basic][tuple(map(array_of, key))]
    wide = values if given.shape == target.shape else expand(values, target.shape)
    flat = ScatterAdd.apply(reshape(input, -1), places.reshape(-1), reshape(wide, -1), 0)
    return reshape(flat, array.shape)


class MaskedFill(Operator):
    """x with `value` where the mask holds."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, mask: np.ndarray, value: np.ndarray) -> np.ndarray:
        ctx.saved = (mask,)
        if ctx.out is not None and np.broadcast_shapes(x.shape, mask.shape) == x.shape:
            np.copyto(ctx.out, value, where=mask)
            return ctx.out
        return np.where(mask, value, x)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        (mask,) = ctx.saved
        zero = g.dtype.type(0)
        by_value = np.where(mask, g, zero) if ctx.needs_input_grad[2] else None
        return np.where(mask, zero, g), None, by_value


def masked_fill(input: Any, mask: Any, value: Any) -> Any:
    """`input` with a number where `mask` holds.

    Args:
        input: any shape.
        mask: bool, broadcast with `input`.
        value: a number or a Tensor without dimensions.

    Raises:
        DtypeError, ShapeError: for a mask that isn't bool, shapes that don't broadcast, a value with dimensions.
        RuntimeError: for a number that the dtype can't hold.
    """
    array, holds = array_argument(input, "masked_fill"), mask_argument(mask, "masked_fill")
    filling = number_argument(value, array.dtype, "masked_fill")
    try:
        np.broadcast_shapes(array.shape, holds.shape)
    except ValueError:
        raise ShapeError(f"masked_fill can't broadcast shapes {array.shape} and {holds.shape}") from None
    return MaskedFill.apply(input, mask, filling)


def masked_scatter(input: Any, mask: Any, source: Any) -> Any:
    """`input` with elements of `source`, one after another, where `mask` holds.

    Args:
        input: any shape.
        mask: bool, broadcast with `input`.
        source: the same dtype, at least as many elements as the mask has True.

    Raises:
        DtypeError, ShapeError: for dtypes or shapes that don't fit, or too few elements.
    """
    array, values = array_argument(input, "masked_scatter"), array_argument(source, "masked_scatter")
    mask_argument(mask, "masked_scatter")
    if values.dtype != array.dtype:
        raise DtypeError(f"masked_scatter needs a source of the tensor's dtype {array.dtype}, got {values.dtype}")
    x, holds = broadcast_to_mask("masked_scatter", input, mask)
    count = int(np.count_nonzero(array_of(holds)))
    if count > values.size:
        raise ShapeError(f"masked_scatter needs {count} elements where the mask holds, the source has {values.size}")
    flat = reshape(cast(source, array.dtype), -1)[:count]
    return Put.apply(x, flat, (...,), holds)
