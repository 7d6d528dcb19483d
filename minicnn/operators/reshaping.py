"""Another shape for a tensor itself: `squeeze_`, `unsqueeze_`, `transpose_`, `t_`, `resize_`."""

from collections.abc import Callable
from functools import wraps
from math import prod
from typing import Any

import numpy as np

from minicnn.attributes import memory_format as formats
from minicnn.autograd import Variable
from minicnn.autograd.inplace import replace, reshape_in_place
from minicnn.autograd.storage import address, elements, empty_strided, is_dense, row_major, settle
from minicnn.autograd.variable import owner
from minicnn.errors import ShapeError
from minicnn.operators import axes, shape
from minicnn.operators.arguments import array_argument
from minicnn.operators.numbers import integers_argument, variadic
from minicnn.operators.strided import AsStrided


def _in_place(function: Callable) -> Callable:
    """The method that gives a tensor the shape that `function`, which makes a view, gives its result."""

    @wraps(function)
    def change(self: Any, *args: Any, **kwargs: Any) -> Any:
        reshape_in_place(self, lambda former: function(former, *args, **kwargs))
        return self

    change.__name__ = f"{function.__name__}_"
    change.__qualname__ = f"Tensor.{change.__name__}"
    change.__doc__ = (
        f"Take the shape that `{function.__name__}` gives its result; other views stay. Returns the tensor."
    )
    return change


squeeze_, unsqueeze_, transpose_ = _in_place(shape.squeeze), _in_place(shape.unsqueeze), _in_place(shape.transpose)
t_, swapaxes_, swapdims_ = _in_place(axes.t), _in_place(axes.swapaxes), _in_place(axes.swapdims)


@variadic
def resize_(self: Any, size: Any, *, memory_format: Any = formats.contiguous_format) -> Any:
    """Take another shape and number of elements, which are read from memory in row-major order.

    Where the memory has enough elements it stays; else the tensor gets new memory, in which those that it had come
    first and zeros follow. Tensors that shared the memory then don't any more.

    Args:
        self: a tensor that doesn't require a gradient.
        size: the sizes, or a tuple of them.
        memory_format: `contiguous_format`, or `channels_last` for four dimensions: the order of the axes in memory.

    Raises:
        RuntimeError: for a tensor that requires a gradient.
        ShapeError: for negative sizes, or channels-last of other than four.
    """
    sizes = integers_argument(size, "resize_", "size")
    if self.requires_grad:
        raise RuntimeError("cannot resize variables that require grad")
    if min(sizes, default=0) < 0:
        raise ShapeError(f"resize_ needs sizes that aren't negative, got {sizes}")
    strides = _strides(sizes, memory_format)
    if sizes == self._array.shape and memory_format is formats.contiguous_format:
        return self
    settle(self)
    array = self._array
    whole = owner(array)
    place = (address(array) - address(whole)) // array.itemsize
    dense = whole.dtype == array.dtype and is_dense(whole.shape, elements(whole))
    known = whole.ravel("K")[place:] if dense else array.ravel()
    if dense and known.size >= prod(sizes):
        reshape_in_place(self, lambda former: AsStrided.apply(former, sizes, strides, place, whole.size))
        return self
    larger = np.zeros(prod(sizes), array.dtype)
    larger[: min(known.size, larger.size)] = known[: larger.size]
    laid = empty_strided(sizes, strides, array.dtype)
    laid.ravel("K")[...] = larger
    self._view = None
    other: Any = Variable._computed(laid)
    other._layout = None
    replace(self, other)
    return self


def _strides(sizes: tuple[int, ...], memory_format: Any) -> tuple[int, ...]:
    """The strides, in elements, of a tensor in this order of memory."""
    if memory_format is formats.contiguous_format or memory_format is formats.preserve_format:
        return row_major(sizes)
    if memory_format is not formats.channels_last:
        raise TypeError(f"memory_format must be one of minicnn's, such as channels_last, got {memory_format!r}")
    if len(sizes) != 4:
        raise ShapeError(f"channels_last needs 4 sizes, got {sizes}")
    _, C, H, W = sizes
    return H * W * C, 1, W * C, C


def resize_as_(self: Any, the_template: Any, *, memory_format: Any = formats.contiguous_format) -> Any:
    """`resize_` to the shape of another tensor."""
    return resize_(self, array_argument(the_template, "resize_as_").shape, memory_format=memory_format)
