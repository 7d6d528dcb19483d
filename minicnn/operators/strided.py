"""Views that name the same elements several times: sliding windows, and any strides at all.

Arrays with strides of their own are made over the memory of its owner, so that they are known as views of that.
"""

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided as numpy_as_strided

from minicnn.autograd import Variable
from minicnn.autograd.operator import ViewOperator
from minicnn.autograd.storage import address, elements, is_dense, promised, restrided, settle
from minicnn.autograd.variable import owner
from minicnn.errors import ShapeError
from minicnn.operators.arguments import array_argument, single_axis
from minicnn.operators.numbers import integer_argument, integers_argument


class Windows(ViewOperator):
    """Sliding windows along an axis: they take its place, and their elements a new last axis."""

    @staticmethod
    def view(x: np.ndarray, axis: int, size: int, step: int) -> np.ndarray:
        count = (x.shape[axis] - size) // step + 1
        shape = (*x.shape[:axis], count, *x.shape[axis + 1 :], size)
        strides = (*x.strides[:axis], x.strides[axis] * step, *x.strides[axis + 1 :], x.strides[axis])
        if 0 in shape:
            return np.empty(shape, x.dtype)
        windows = restrided(x, shape, strides)
        return numpy_as_strided(x, shape, strides) if windows is None else windows

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> np.ndarray:
        axis, size, step = ctx.arguments
        grad_input = np.zeros(ctx.shape, g.dtype)
        lines = np.moveaxis(grad_input, axis, 0)
        windows = np.moveaxis(g, axis, 0)  # (windows, other axes, size)
        for tap in range(size):
            lines[tap : tap + (len(windows) - 1) * step + 1 : step] += windows[..., tap]
        return grad_input


def unfold(input: Any, dimension: int, size: int, step: int) -> Any:
    """Sliding windows along an axis, as a view.

    Args:
        input: any tensor.
        dimension: the axis.
        size: of a window.
        step: from one window to the next.

    Returns: a view with one more dimension: along `dimension` the windows, along the last one their elements.

    Raises:
        ShapeError: for a window larger than the axis, a negative size, or a step below 1.
        IndexError: for a `dimension` out of range.
    """
    shape = array_argument(input, "unfold").shape
    axis = single_axis(dimension, len(shape))
    length = shape[axis] if shape else 1
    width, pace = integer_argument(size, "unfold", "size"), integer_argument(step, "unfold", "step")
    if width < 0 or pace < 1:
        raise ShapeError(f"unfold needs size >= 0 and step > 0, got {width} and {pace}")
    if width > length:
        raise ShapeError(f"unfold: size {width} exceeds the size {length} of dimension {axis}")
    if not shape:
        return input.reshape(1)[:width]
    return Windows.apply(input, axis, width, pace)


class AsStrided(ViewOperator):
    """Any elements of the memory that x shows."""

    @staticmethod
    def view(x: np.ndarray, size: tuple[int, ...], stride: tuple[int, ...], offset: int, total: int) -> np.ndarray:
        whole = owner(x)
        if whole.size != total:
            raise RuntimeError("changes in place can't be followed through as_strided of memory with gaps; clone() it")
        y = np.ndarray(size, x.dtype, whole.ravel("K"), offset * x.itemsize, [step * x.itemsize for step in stride])
        y.flags.writeable = x.flags.writeable
        return y

    @classmethod
    def forward(cls, ctx: Any, x: np.ndarray, *arguments: Any) -> np.ndarray:
        ctx.place = (address(x) - address(owner(x))) // x.itemsize, elements(x)
        return super().forward(ctx, x, *arguments)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        size, stride, offset, total = ctx.arguments
        memory = np.zeros(total, g.dtype)
        np.add.at(memory, _places(offset, size, stride).reshape(-1), g.reshape(-1))
        places = _places(ctx.place[0], ctx.shape, ctx.place[1])
        if np.unique(places).size != places.size:  # elements of x lie in one place, as in an expanded tensor
            memory /= np.maximum(np.bincount(places.reshape(-1), minlength=total), 1).astype(g.dtype)
        return memory[places]


def _places(offset: int, size: tuple[int, ...], stride: tuple[int, ...]) -> np.ndarray:
    """For each element of a strided tensor, where in memory it lies."""
    places = np.full(size, offset)
    for axis, (length, step) in enumerate(zip(size, stride, strict=True)):
        places += (np.arange(length) * step).reshape((-1, *[1] * (len(size) - axis - 1)))
    return places


def as_strided(input: Any, size: Any, stride: Any, storage_offset: int | None = None) -> Any:
    """A view of any elements of the memory that `input` shows.

    Args:
        input: any tensor.
        size: of the view, a tuple.
        stride: for every dimension, how many elements apart neighbours lie.
        storage_offset: where in memory the first element lies, counted in elements; that of `input` by default.

    Raises:
        ShapeError: for sizes and strides of different number, negative ones, or elements outside of the memory; where
            that isn't one stretch of numbers of this dtype.
    """
    array = array_argument(input, "as_strided")
    shape, steps = integers_argument(size, "as_strided", "size"), integers_argument(stride, "as_strided", "stride")
    tensor = input if isinstance(input, Variable) else Variable._computed(array)
    if tensor._layout is not None:
        settle(tensor)
    array = tensor._array
    whole = owner(array)
    if len(shape) != len(steps):
        raise ShapeError(f"as_strided needs as many sizes as strides, got {shape} and {steps}")
    first = promised(tensor)[0] - address(whole) // array.itemsize
    offset = first if storage_offset is None else integer_argument(storage_offset, "as_strided", "storage_offset")
    if min((*shape, *steps, offset), default=0) < 0:
        raise ShapeError(
            f"as_strided needs sizes, strides and an offset that aren't negative, got {shape}, {steps}, {offset}"
        )
    last = offset + sum((length - 1) * step for length, step in zip(shape, steps, strict=True))
    if whole.dtype != array.dtype or (whole.size and not is_dense(whole.shape, elements(whole))):
        raise ShapeError("as_strided needs memory without gaps; clone() the tensor before it")
    if 0 not in shape and last >= whole.size:
        raise ShapeError(
            f"as_strided: sizes {shape}, strides {steps} and offset {offset} exceed a memory of {whole.size}"
        )
    return AsStrided.apply(tensor, shape, steps, offset, whole.size)
