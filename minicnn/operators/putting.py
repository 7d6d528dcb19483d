"""Tensors whose parts at some indices are replaced, or added to."""

from typing import Any

import numpy as np

from minicnn.autograd import Operator, Variable
from minicnn.autograd.graph import entitled
from minicnn.errors import DtypeError, ShapeError
from minicnn.operators.accumulating import row_sums
from minicnn.operators.arguments import array_argument, numpy_spelling, single_axis
from minicnn.operators.arithmetic import Multiply
from minicnn.operators.indexing import Put, _check_places, split
from minicnn.operators.masking import number_argument
from minicnn.operators.operands import alone, array_of, cast
from minicnn.operators.quiet import quietly
from minicnn.operators.scattering import ScatterAdd, as_vector, check_apart, start
from minicnn.operators.selecting import (
    check_range,
    vector_argument,
)
from minicnn.operators.shape import expand, reshape


class IndexAdd(Operator):
    """x with the parts of a source added at some indices along one axis."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, index: np.ndarray, source: np.ndarray, axis: int) -> np.ndarray:
        ctx.saved, ctx.axis = (index, source) if ctx.needs_input_grad[2] else (index,), axis  # PyTorch reads it again
        y = start(ctx, x)
        moved = np.moveaxis(as_vector(y), axis, 0)
        totals = row_sums(index.reshape(-1), np.moveaxis(as_vector(source), axis, 0), moved.shape)
        rows = index.reshape(-1)
        moved[rows] = quietly(np.add, moved[rows], totals[rows])
        return y

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        index, *sources = ctx.saved
        by_source = [np.take(as_vector(g), index.reshape(-1), ctx.axis).reshape(source.shape) for source in sources]
        return g, None, *(by_source or [None])

    @staticmethod
    def backward_recorded(ctx: Any, g: Any) -> tuple:
        index, *sources = ctx.saved
        picked = [g.index_select(ctx.axis, Variable._computed(index.reshape(-1))).reshape(s.shape) for s in sources]
        return g, None, *(picked or [None])


class IndexCopy(Put):
    """x with its parts at some indices along one axis replaced by those of a source."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, value: np.ndarray, basic: tuple, *advanced: Any) -> np.ndarray:
        y = Put.forward(ctx, x, value, basic, *advanced)
        if ctx.needs_input_grad[1]:
            ctx.saved = (*ctx.saved, value)  # PyTorch reads the source again
        return y


def _rows_prepared(name: str, input: Any, dim: int, index: Any, source: Any) -> int:
    """The axis for `index_add` and `index_copy`; everything checked."""
    array, indices, values = array_argument(input, name), vector_argument(index, name), array_argument(source, name)
    axis = single_axis(dim, array.ndim)
    if values.dtype != array.dtype:
        raise DtypeError(f"{name} needs a source of the tensor's dtype {array.dtype}, got {values.dtype}")
    wide, given = array.shape or (1,), values.shape or (1,)
    expected = (*wide[:axis], indices.size, *wide[axis + 1 :])
    if given != expected or (name == "index_add" and values.ndim != array.ndim):
        raise ShapeError(f"{name} needs a source of shape {expected} beside {indices.size} indices, got {values.shape}")
    check_range(indices, wide[axis], axis, IndexError)
    check_apart(name, input, index, source)
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
        return IndexCopy.apply(input, reshape(source, ()), (...,))
    return IndexCopy.apply(input, source, (...,), *[slice(None)] * axis, index)


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
    return alone(reshape(flat, array.shape))


@entitled("PutBackward0")
def put(input: Any, index: Any, source: Any, accumulate: bool = False) -> Any:
    """`input` with the elements at places in row-major order replaced by those of `source`, or added to.

    Args:
        input: any shape.
        index: int64, any shape, negative ones counting from the end.
        source: as many elements; the same dtype.
        accumulate: add; a place that is named twice gets both.

    Returns: of the shape and dtype of `input`.

    Raises:
        DtypeError: for other dtypes.
        IndexError: for an index out of range, or another number of elements.
    """
    array, indices, values = (array_argument(x, "put") for x in (input, index, source))
    if indices.dtype != np.int64:
        raise DtypeError(f"put needs an index of int64, got {indices.dtype}")
    if values.dtype != array.dtype:
        raise DtypeError(f"put needs a source of the tensor's dtype {array.dtype}, got {values.dtype}")
    if values.size != indices.size:
        raise IndexError(f"put needs as many elements in source as in index, got {values.size} and {indices.size}")
    wrong = indices[(indices < -array.size) | (indices >= array.size)]
    if wrong.size:
        raise IndexError(f"put can't reach index {wrong.flat[0]} in a tensor of {array.size} elements")
    check_apart("put", input, index, source)
    flat = index_put(reshape(input, -1), (reshape(index, -1),), reshape(source, -1), accumulate)
    return alone(reshape(flat, array.shape))
