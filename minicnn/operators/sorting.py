"""Sorting, and what is found by the order of elements: the largest k, the kth, the median, the most frequent.

Equal elements keep their order; where PyTorch leaves open which of them is meant, it is the first. NaN is larger than
everything.
"""

from typing import Any

import numpy as np

from minicnn.autograd import Operator
from minicnn.errors import DtypeError, ShapeError
from minicnn.operators.accumulating import sums_at
from minicnn.operators.arguments import array_argument, numpy_spelling, single_axis
from minicnn.operators.extremes import ExtremeOf
from minicnn.operators.searching import Found
from minicnn.operators.selecting import along, places_along
from minicnn.return_types import Results, pair


def _chosen(x: np.ndarray, index: np.ndarray, axis: int) -> np.ndarray:
    """The elements at `index` along an axis, or one of them where it has no such axis."""
    wide = index if index.ndim == x.ndim else np.expand_dims(index, axis)
    return x.reshape(x.shape or (1,))[along(wide, axis)].reshape(index.shape)


class Chosen(Operator):
    """The elements of x at an index along one axis, several or one for each row."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, index: np.ndarray, axis: int) -> np.ndarray:
        ctx.saved, ctx.shape, ctx.axis = (index,), x.shape, axis
        return _chosen(x, index, axis)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> np.ndarray:
        (index,), shape, axis = ctx.saved, ctx.shape, ctx.axis
        wide = index if index.ndim == len(shape) else np.expand_dims(index, axis)
        size = int(np.prod(shape))
        return sums_at(places_along(shape, wide, axis), g, size).reshape(shape)

    @staticmethod
    def backward_recorded(ctx: Any, g: Any) -> tuple:
        return ctx.linear(g, lambda x: _chosen(x, ctx.saved[0], ctx.axis), reads=False)


class Sort(Chosen):
    """The elements along one axis in order."""


class TopK(Chosen):
    """The largest or smallest k elements along one axis."""


class Kthvalue(Chosen):
    """The kth smallest element along one axis."""


class Median(Chosen):
    """The element in the middle along one axis."""


class Mode(Chosen):
    """The most frequent element along one axis."""


class Order(Operator):
    """The indices that sort x along one axis, or the first k of them."""

    differentiable_outputs = 0

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, axis: int, descending: bool, k: int | None) -> np.ndarray:
        order = sorted_order(x.reshape(x.shape or (1,)), axis, descending)
        if k is not None:
            order = np.take(order, range(k), axis)
        return order.reshape(order.shape if x.ndim else ()).astype(np.int64, copy=False)


def chosen(operator: type[Operator], name: str, x: Any, index: np.ndarray, axis: int, keepdim: bool = True) -> Results:
    """The elements at the index, one for each row, and the index: what an operation of that `name` returns.

    Args:
        operator: which.
        name: that of the results.
        x: what to choose from.
        index: of as many dimensions as x; one element along `axis` where `keepdim` is False.
        axis: along which.
        keepdim: keep that one element's axis.
    """
    shape = array_argument(x, name).shape
    index = index.reshape(()) if not shape else index if keepdim else index.squeeze(axis)
    indices = Found.apply(x, index.astype(np.int64, copy=False))
    return pair(name, operator.apply(x, indices, axis), indices)


def sorted_order(array: np.ndarray, axis: int, descending: bool = False) -> np.ndarray:
    """The indices that sort an array along an axis; equal elements keep their order, NaN comes last (or first)."""
    if not descending:
        return array.argsort(axis, kind="stable")
    order = np.flip(np.flip(array, axis).argsort(axis, kind="stable"), axis)
    return array.shape[axis] - 1 - order


def _wide(x: Any, name: str) -> np.ndarray:
    """The array of x, a number as a vector of one."""
    array = array_argument(x, name)
    return array.reshape(array.shape or (1,))


def _not_bool(array: np.ndarray, name: str) -> None:
    if array.dtype == bool:
        raise DtypeError(f"{name} does not support bool tensors")


def _nonempty_axis(array: np.ndarray, dim: Any, name: str) -> int:
    axis = single_axis(dim, array.ndim)
    if array.shape[axis] == 0:
        raise IndexError(f"{name}: expected reduction dim {dim} to have non-zero size, the shape is {array.shape}")
    return axis


@numpy_spelling
def sort(input: Any, dim: int = -1, descending: bool = False, *, stable: bool | None = False) -> Any:
    """The elements along a dimension in order, and where they were.

    Args:
        input: any shape and dtype.
        dim: along which.
        descending: the largest first.
        stable: equal elements keep their order, whether asked to or not.

    Returns: `(values, indices)`, both of the shape of `input`; indices are int64.

    Raises:
        IndexError: for a `dim` out of range.
    """
    axis = single_axis(dim, array_argument(input, "sort").ndim)
    indices = Order.apply(input, axis, bool(descending), None)
    return pair("sort", Sort.apply(input, indices, axis), indices)


@numpy_spelling
def argsort(input: Any, dim: int = -1, descending: bool = False, *, stable: bool = False) -> Any:
    """The int64 indices that sort `input` along a dimension.

    Args, Raises: as for `sort`.
    """
    return Order.apply(input, single_axis(dim, array_argument(input, "argsort").ndim), bool(descending), None)


def msort(input: Any) -> Any:
    """The elements along the first dimension in order."""
    return sort(input, 0)[0]


@numpy_spelling
def topk(input: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    """The largest k elements along a dimension, the largest first, and where they were.

    Args:
        input: any shape, not bool.
        k: how many.
        dim: along which.
        largest: False for the smallest k, the smallest first.
        sorted: they are in order, whether asked to be or not.

    Returns: `(values, indices)` with k elements along `dim`; indices are int64.

    Raises:
        ShapeError: where k is negative or larger than the size of `dim`.
        DtypeError: for bools.
        IndexError: for a `dim` out of range.
    """
    array = _wide(input, "topk")
    axis = single_axis(dim, array_argument(input, "topk").ndim)
    k = _whole(k, "k")
    if not 0 <= k <= array.shape[axis]:
        raise ShapeError(f"topk needs k from 0 to {array.shape[axis]}, the size of dim {dim}, got {k}")
    _not_bool(array, "topk")
    if not array_argument(input, "topk").ndim and k == 0:
        raise ShapeError("topk of a number needs k = 1, got 0")
    indices = Order.apply(input, axis, bool(largest), k)
    return pair("topk", TopK.apply(input, indices, axis), indices)


def _whole(value: Any, name: str) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{name} must be an int, got {type(value).__name__}")
    return value.__index__()


@numpy_spelling
def kthvalue(input: Any, k: int, dim: int = -1, keepdim: bool = False) -> Any:
    """The kth smallest element along a dimension, counted from 1, and its index.

    Args:
        input: any shape, not bool.
        k: which.
        dim: along which.
        keepdim: keep the dimension with size 1.

    Returns: `(values, indices)`; indices are int64.

    Raises:
        ShapeError: for k below 1 or above the size of `dim`.
        DtypeError: for bools.
        IndexError: for a `dim` out of range or of size 0.
    """
    array = _wide(input, "kthvalue")
    axis = _nonempty_axis(array, dim, "kthvalue")
    k = _whole(k, "k")
    if not 1 <= k <= array.shape[axis]:
        raise ShapeError(f"kthvalue needs k from 1 to {array.shape[axis]}, the size of dim {dim}, got {k}")
    _not_bool(array, "kthvalue")
    order = sorted_order(array, axis)
    return chosen(Kthvalue, "kthvalue", input, np.take(order, [k - 1], axis), axis, keepdim)


@numpy_spelling
def median(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """The median, the lower one of two: of everything, or along a dimension with its index.

    Args:
        input: any shape, not bool. NaN where one of the elements is.
        dim: along which.
        keepdim: keep the dimension with size 1.

    Returns: a Tensor without dimensions; with `dim`, `(values, indices)`.

    Raises:
        DtypeError: for bools.
        IndexError: for a `dim` out of range or of size 0.
    """
    return _median(input, dim, keepdim, "median")


@numpy_spelling
def nanmedian(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """`median` of the elements that aren't NaN; NaN where all are."""
    return _median(input, dim, keepdim, "nanmedian")


def _median(input: Any, dim: int | None, keepdim: bool, name: str) -> Any:
    array = _wide(input, name)
    _not_bool(array, name)
    if dim is None:
        if keepdim:
            raise TypeError(f"{name} takes keepdim only together with dim")
        return ExtremeOf.apply(input, _median_of_all if name == "median" else _nanmedian_of_all)
    axis = _nonempty_axis(array, dim, name)
    order, nan = sorted_order(array, axis), np.isnan(array)
    counts = array.shape[axis] - nan.sum(axis, keepdims=True) if name == "nanmedian" else array.shape[axis]
    middle = np.broadcast_to(np.maximum(counts - 1, 0) // 2, [1 if d == axis else n for d, n in enumerate(array.shape)])
    index = np.take_along_axis(order, middle, axis)
    if name == "median":
        index = np.where(nan.any(axis, keepdims=True), np.expand_dims(nan.argmax(axis), axis), index)
    return chosen(Median, name, input, index, axis, keepdim)


def _median_of_all(array: np.ndarray) -> Any:
    if not array.size:
        return array.dtype.type(np.nan) if array.dtype.kind == "f" else np.iinfo(array.dtype).min
    if np.isnan(array).any():
        return array.dtype.type(np.nan)
    middle = (array.size - 1) // 2
    return np.partition(array.reshape(-1), middle)[middle]


def _nanmedian_of_all(array: np.ndarray) -> Any:
    kept = array[~np.isnan(array)]
    return _median_of_all(kept) if kept.size or array.dtype.kind != "f" else array.dtype.type(np.nan)


@numpy_spelling
def mode(input: Any, dim: int = -1, keepdim: bool = False) -> Any:
    """The most frequent element along a dimension, the smallest of several, and the index of its last occurrence.

    Args:
        input: any shape. NaN is equal to nothing.
        dim: along which.
        keepdim: keep the dimension with size 1.

    Returns: `(values, indices)`; indices are int64.

    Raises:
        IndexError: for a `dim` out of range or of size 0.
    """
    array = _wide(input, "mode")
    axis = _nonempty_axis(array, dim, "mode")
    order = np.moveaxis(sorted_order(array, axis), axis, -1)
    values = np.take_along_axis(np.moveaxis(array, axis, -1), order, -1)
    positions = np.arange(values.shape[-1])
    begins = np.concatenate([np.ones_like(values[..., :1], bool), values[..., 1:] != values[..., :-1]], -1)
    lengths = positions - np.maximum.accumulate(np.where(begins, positions, 0), -1)
    last = np.expand_dims(lengths.argmax(-1), -1)  # the end of the first of the longest runs
    index = np.moveaxis(np.take_along_axis(order, last, -1), -1, axis)
    return chosen(Mode, "mode", input, index, axis, keepdim)
