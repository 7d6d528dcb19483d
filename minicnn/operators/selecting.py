"""Elements chosen by indices along a dimension, or by a mask."""

from typing import Any

import numpy as np

from minicnn.autograd import Operator
from minicnn.autograd.graph import entitled
from minicnn.dtypes import int32, int64
from minicnn.errors import DtypeError, ShapeError
from minicnn.operators.accumulating import row_sums, sums_at
from minicnn.operators.arguments import array_argument, numpy_spelling, single_axis
from minicnn.operators.indexing import Pick, split
from minicnn.operators.operands import array_of
from minicnn.operators.searching import Found
from minicnn.operators.shape import expand, reshape, view


def index_argument(index: Any, name: str) -> np.ndarray:
    """The array behind an index Tensor.

    Raises:
        TypeError: where it is no Tensor.
        DtypeError: where it isn't of int64 or int32; an empty one may be of any dtype.
    """
    array = array_argument(index, name)
    if array.size and array.dtype not in (int64, int32):
        raise DtypeError(f"{name} needs an index of int64 or int32, got {array.dtype}")
    return array


def check_range(index: np.ndarray, size: int, axis: int, error: type[Exception]) -> None:
    """Raise `error` unless all indices lie from 0 to size − 1."""
    if index.size and not (index.min() >= 0 and index.max() < size):
        bad = index.min() if index.min() < 0 else index.max()
        raise error(f"index {bad} is out of bounds for dimension {axis} with size {size}")


def along(index: np.ndarray, axis: int) -> tuple:
    """The key of the elements [i, .., index[i, .., j], .., j], with the index at `axis`, for every i, .., j."""
    index = np.atleast_1d(index)
    return tuple(
        index if d == axis else np.arange(n).reshape([n if e == d else 1 for e in range(index.ndim)])
        for d, n in enumerate(index.shape)
    )


def places_along(shape: tuple[int, ...], index: np.ndarray, axis: int) -> np.ndarray:
    """The same elements' places in an array of `shape` whose dimensions are joined into one."""
    place, step = np.zeros(np.atleast_1d(index).shape, np.int64), 1
    for part, size in zip(reversed(along(index, axis)), reversed(shape or (1,)), strict=True):
        place = place + part * step
        step *= size
    return place


def _gathered(x: np.ndarray, index: np.ndarray, axis: int) -> np.ndarray:
    """The elements of x at the places of an index along an axis."""
    return x.reshape(x.shape or (1,))[along(index, axis)].reshape(index.shape)


class Gather(Operator):
    """The elements of x at an index along one axis."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, index: np.ndarray, axis: int) -> np.ndarray:
        ctx.saved, ctx.shape, ctx.axis, ctx.freezes = (index,), x.shape, axis, True
        return _gathered(x, index, axis)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> np.ndarray:
        (index,) = ctx.saved
        size = int(np.prod(ctx.shape))
        return sums_at(places_along(ctx.shape, index, ctx.axis), g, size).reshape(ctx.shape)

    @staticmethod
    def backward_recorded(ctx: Any, g: Any) -> tuple:
        index = ctx.saved[0]
        return ctx.linear(g, lambda x: _gathered(x, index, ctx.axis), reads=False)


def check_index_shape(name: str, shape: tuple[int, ...], index: np.ndarray, axis: int, *sources: np.ndarray) -> None:
    """Raise ShapeError where an index has more elements than the tensor, but along `axis`, or than a source."""
    wide = shape or (1,)
    sizes = index.shape or (1,)
    if len(sizes) != len(wide) or any(len(source.shape or (1,)) != len(wide) for source in sources):
        raise ShapeError(
            f"{name} needs an index (and a source) of as many dimensions as the tensor of shape {shape}, got "
            f"{[index.shape, *[source.shape for source in sources]]}"
        )
    fits = all(n <= m for d, (n, m) in enumerate(zip(sizes, wide, strict=True)) if d != axis)
    if not fits or any(n > m for source in sources for n, m in zip(sizes, source.shape or (1,), strict=True)):
        raise ShapeError(
            f"{name} needs an index no larger than the tensor of shape {shape} apart from dimension {axis}, nor than "
            f"the source, got {[index.shape, *[source.shape for source in sources]]}"
        )


@numpy_spelling
def gather(input: Any, dim: int, index: Any, *, sparse_grad: bool = False) -> Any:
    """The elements of `input` at `index` along one dimension: output[i, j] = input[index[i, j], j] for dim 0.

    Args:
        input: any shape.
        dim: the dimension that `index` counts along.
        index: int64 or int32, of as many dimensions; no larger than `input` but along `dim`.
        sparse_grad: must be False.

    Returns: of the shape of `index`.

    Raises:
        DtypeError, ShapeError: for an index of another dtype, or a shape that doesn't fit.
        RuntimeError: for an index out of range.
        IndexError: for a `dim` out of range.
    """
    if sparse_grad:
        raise ValueError("gather has no sparse gradient; leave sparse_grad out")
    array, indices = array_argument(input, "gather"), index_argument(index, "gather")
    axis = single_axis(dim, array.ndim)
    if indices.size:
        check_index_shape("gather", array.shape, indices, axis)
        check_range(indices, (array.shape or (1,))[axis], axis, RuntimeError)
    else:  # of whatever shape
        return Pick.apply(reshape(input, -1), np.zeros(indices.shape, np.int64))
    return Gather.apply(input, index, axis)


class IndexSelect(Operator):
    """The parts of x at some indices along one axis."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, index: np.ndarray, axis: int) -> np.ndarray:
        ctx.saved, ctx.shape, ctx.axis = (index,), x.shape, axis
        return np.take(x, index.reshape(-1), axis) if x.ndim else x.copy()

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> np.ndarray:
        (index,), axis = ctx.saved, ctx.axis
        if not ctx.shape:
            return g
        terms = np.moveaxis(g, axis, 0)
        shape = (ctx.shape[axis], *terms.shape[1:])
        return np.moveaxis(row_sums(index.reshape(-1), terms, shape), 0, axis)

    @staticmethod
    def again(ctx: Any, x: np.ndarray) -> np.ndarray:
        return np.take(x, ctx.saved[0].reshape(-1), ctx.axis) if x.ndim else x


def vector_argument(index: Any, name: str) -> np.ndarray:
    """The array behind an index of at most one dimension.

    Raises:
        IndexError: for more dimensions.
        TypeError, DtypeError: as `index_argument`.
    """
    array = index_argument(index, name)
    if array.ndim > 1:
        raise IndexError(f"{name} needs an index of one dimension, got shape {array.shape}")
    return array


@numpy_spelling
def index_select(input: Any, dim: int, index: Any) -> Any:
    """The parts of `input` at the indices along one dimension, as a copy.

    Args:
        input: any shape.
        dim: the dimension that `index` counts along.
        index: (n,) or (), int64 or int32, not negative.

    Returns: the shape of `input` with n at `dim`.

    Raises:
        IndexError: for an index or a `dim` out of range, or an index of several dimensions.
        DtypeError: for an index of another dtype.
    """
    array, indices = array_argument(input, "index_select"), vector_argument(index, "index_select")
    axis = single_axis(dim, array.ndim)
    check_range(indices, (array.shape or (1,))[axis], axis, IndexError)
    if not array.ndim and indices.size != 1:
        raise IndexError(f"index_select of a number needs one index, got {indices.size}")
    return IndexSelect.apply(input, index, axis)


class TakeElements(Operator):
    """The elements of x, as one row, at an index."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, index: np.ndarray) -> np.ndarray:
        ctx.saved, ctx.shape, ctx.freezes = (index,), x.shape, True
        return np.asarray(x.reshape(-1)[index])

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> np.ndarray:
        (index,) = ctx.saved
        size = int(np.prod(ctx.shape))
        return sums_at(np.where(index < 0, index + size, index), g, size).reshape(ctx.shape)

    @staticmethod
    def again(ctx: Any, x: np.ndarray) -> np.ndarray:
        return np.asarray(x.reshape(-1)[ctx.saved[0]])


def take(input: Any, index: Any) -> Any:
    """The elements of `input`, as one row, at `index`, negative ones counting from the end.

    Args:
        input: any shape.
        index: int64, any shape.

    Returns: of the shape of `index`.

    Raises:
        IndexError: for an index out of range.
        DtypeError: for an index of another dtype.
    """
    array, indices = array_argument(input, "take"), array_argument(index, "take")
    if indices.dtype != int64:
        raise DtypeError(f"take needs an index of int64, got {indices.dtype}")
    if not array.size and indices.size:
        raise IndexError("take can't take from an empty tensor")
    return TakeElements.apply(input, index)


@numpy_spelling
def take_along_dim(input: Any, indices: Any, dim: int | None = None) -> Any:
    """`gather`, with `input` and `indices` broadcast to each other but along `dim`; of the flattened tensor without it.

    Args:
        input: any shape.
        indices: int64, of as many dimensions.
        dim: the dimension that `indices` count along.

    Raises:
        ShapeError: where the numbers of dimensions differ, or the shapes don't broadcast.
        DtypeError: for indices of another dtype.
        RuntimeError: for an index out of range.
        IndexError: for a `dim` out of range.
    """
    array, places = array_argument(input, "take_along_dim"), array_argument(indices, "take_along_dim")
    if places.dtype != int64:
        raise DtypeError(f"take_along_dim needs indices of int64, got {places.dtype}")
    if dim is None:
        return gather(reshape(input, -1), 0, _from_the_front(view(indices, -1), array.size))
    if array.ndim != places.ndim:
        raise ShapeError(
            f"take_along_dim needs indices of as many dimensions as input, got shapes {array.shape}, {places.shape}"
        )
    axis = single_axis(dim, array.ndim)
    indices = _from_the_front(indices, (array.shape or (1,))[axis])
    if not array.ndim:
        return gather(input, 0, indices)
    shapes = [(*s[:axis], 1, *s[axis + 1 :]) for s in (array.shape, places.shape)]
    try:
        common = np.broadcast_shapes(*shapes)
    except ValueError:
        raise ShapeError(
            f"take_along_dim needs shapes that broadcast but along dim {dim}, got {array.shape} and {places.shape}"
        ) from None

    def wide(x: Any, size: int) -> Any:
        return expand(x, (*common[:axis], size, *common[axis + 1 :]))

    return gather(wide(input, array.shape[axis]), axis, wide(indices, places.shape[axis]))


def _from_the_front(indices: Any, size: int) -> Any:
    """Indices of which negative ones count from the end, as ones that don't."""
    places = array_of(indices)
    return np.where(places < 0, places + size, places) if places.size and places.min() < 0 else indices


def mask_argument(mask: Any, name: str) -> np.ndarray:
    """The array behind a mask.

    Raises:
        TypeError: where it is no Tensor.
        DtypeError: where it isn't bool.
    """
    array = array_argument(mask, name)
    if array.dtype != bool:
        raise DtypeError(f"{name} needs a mask of bool, got {array.dtype}")
    return array


def broadcast_to_mask(name: str, input: Any, mask: Any) -> tuple[Any, Any]:
    """A tensor and a mask, broadcast to each other.

    Raises:
        ShapeError: where they can't be.
    """
    shapes = array_of(input).shape, array_of(mask).shape
    try:
        shape = np.broadcast_shapes(*shapes)
    except ValueError:
        raise ShapeError(f"{name} can't broadcast a tensor of shape {shapes[0]} and a mask of {shapes[1]}") from None
    return tuple(x if array_of(x).shape == shape else expand(x, shape) for x in (input, mask))  # type: ignore[return-value]


class MaskedSelect(Pick):
    """The elements where a mask holds; x may not change before the backward."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, *key: Any) -> np.ndarray:
        ctx.freezes = True
        return Pick.forward(ctx, x, *key)


@entitled("MaskedSelectBackward0")
def masked_select(input: Any, mask: Any) -> Any:
    """The elements of `input` where `mask` holds, one after another.

    Args:
        input: any shape.
        mask: bool, broadcast with `input`.

    Returns: (n,).

    Raises:
        DtypeError, ShapeError: for a mask that isn't bool, or whose shape doesn't broadcast.
    """
    array_argument(input, "masked_select")
    mask_argument(mask, "masked_select")
    values, holds = broadcast_to_mask("masked_select", input, mask)
    if not array_of(values).ndim:
        values, holds = reshape(values, 1), reshape(holds, 1)
    _, advanced = split(holds, array_of(values).ndim)
    return MaskedSelect.apply(values, *(advanced or ()))


def nonzero(input: Any, *, as_tuple: bool = False) -> Any:
    """The indices of the elements that aren't 0, in row-major order.

    Args:
        input: any shape and dtype.
        as_tuple: give one tensor for each dimension.

    Returns: (n, ndim), int64; or a tuple of (n,).
    """
    array = array_argument(input, "nonzero")
    if as_tuple:
        return tuple([Found.apply(input, places) for places in np.atleast_1d(array).nonzero()])
    return Found.apply(input, np.argwhere(array))


def argwhere(input: Any) -> Any:
    """The indices of the elements that aren't 0, in row-major order: (n, ndim), int64."""
    return nonzero(input)
