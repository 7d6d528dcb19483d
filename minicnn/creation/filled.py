"""Tensors filled with one number, or with ones along the diagonal."""

from typing import Any

import numpy as np

from minicnn.attributes import memory_format as formats
from minicnn.autograd import Variable
from minicnn.creation.options import allocated, array_like, checked_shape, factory, in_format, laid
from minicnn.dtypes import check_fits, default_float, dtype_of_number
from minicnn.errors import ShapeError
from minicnn.operators.numbers import integer_argument, integers_argument, number


def _filled(shape: tuple[int, ...], value: Any, dtype: np.dtype) -> np.ndarray:
    check_fits(value, dtype)
    if not value:
        return allocated(np.zeros, shape, dtype)
    array = allocated(np.empty, shape, dtype)
    array[...] = np.asarray(value).astype(dtype)
    return array


@factory
def zeros(*args: Any, size: Any = None, dtype: Any = None) -> Any:
    """A Tensor of zeros, of the default dtype unless `dtype` says otherwise.

    Args:
        args, size: the shape: `zeros(2, 3)`, `zeros((2, 3))` or `zeros(size=(2, 3))`.

    Raises:
        TypeError: for sizes that aren't ints, or none.
        ShapeError: for negative ones.
        RuntimeError: without enough memory.
    """
    return _filled(checked_shape(args, size), 0, dtype or default_float())


@factory
def ones(*args: Any, size: Any = None, dtype: Any = None) -> Any:
    """A Tensor of ones, of the default dtype unless `dtype` says otherwise; sizes and errors as for `zeros`."""
    return _filled(checked_shape(args, size), 1, dtype or default_float())


@factory
def empty(*args: Any, size: Any = None, memory_format: Any = formats.contiguous_format, dtype: Any = None) -> Any:
    """A Tensor whose values are to be written; they start as zeros. Sizes and errors as for `zeros`.

    Args:
        memory_format: `contiguous_format` or, for four dimensions, `channels_last`.
    """
    array = _filled(checked_shape(args, size), 0, dtype or default_float())
    return array if memory_format is formats.contiguous_format else in_format(array, memory_format)


@factory
def empty_strided(size: Any, stride: Any, dtype: Any = None) -> Any:
    """A Tensor whose values are to be written, with strides of one's own; they start as zeros.

    Args:
        size: the shape, a tuple.
        stride: for every dimension, how many elements apart neighbours lie.

    Raises:
        ShapeError: for sizes and strides of different number, or negative ones.
    """
    sizes, strides = (
        integers_argument(size, "empty_strided", "size"),
        integers_argument(stride, "empty_strided", "stride"),
    )
    if len(sizes) != len(strides) or min((*sizes, *strides), default=0) < 0:
        raise ShapeError(f"empty_strided needs a stride for each size, none of them negative, got {sizes}, {strides}")
    wanted = dtype or default_float()
    count = 1 + sum((length - 1) * step for length, step in zip(sizes, strides, strict=True)) if 0 not in sizes else 0
    memory = allocated(np.zeros, count, wanted)
    result = Variable._computed(np.ndarray(sizes, wanted, memory, 0, [step * wanted.itemsize for step in strides]))
    result._layout = None
    return result


@factory
def empty_permuted(size: Any, physical_layout: Any, dtype: Any = None) -> Any:
    """A Tensor whose values are to be written, whose axes lie in memory in the order `physical_layout`.

    Raises:
        ShapeError: where `physical_layout` isn't a permutation of all axes.
    """
    sizes = integers_argument(size, "empty_permuted", "size")
    order = integers_argument(physical_layout, "empty_permuted", "physical_layout")
    if sorted(order) != list(range(len(sizes))):
        raise ShapeError(f"empty_permuted needs each of the {len(sizes)} dims once, got {order}")
    array = _filled(
        checked_shape(tuple([sizes[axis] for axis in order]) if sizes else ((),)), 0, dtype or default_float()
    )
    result = Variable._computed(array.transpose(np.argsort(order)) if sizes else array)
    result._layout = None
    return result


@factory
def full(size: Any, fill_value: Any, *, dtype: Any = None) -> Any:
    """A Tensor of shape `size`, a tuple, filled with one number, whose type decides the dtype unless given.

    Args:
        fill_value: a number, or a Tensor without dimensions that stands for one.

    Raises:
        TypeError: for a `size` that is no tuple or list, or a `fill_value` that is no number.
        RuntimeError: for a number that the dtype can't hold, or without enough memory.
    """
    if not isinstance(size, (tuple, list)):
        raise TypeError(f"full needs size as a tuple of ints, got {size!r}")
    value = number(fill_value, "fill_value")
    return _filled(checked_shape((size,)), value, dtype or dtype_of_number(value))


@factory
def eye(n: Any, m: Any = None, *, dtype: Any = None) -> Any:
    """A matrix with ones on its diagonal and zeros elsewhere, of the default dtype unless `dtype` says otherwise.

    Args:
        n: the number of rows.
        m: of columns; as many as rows by default.

    Raises:
        TypeError: for anything but ints.
        ShapeError: for negative ones.
    """
    rows = integer_argument(n, "eye", "n")
    columns = rows if m is None else integer_argument(m, "eye", "m")
    if min(rows, columns) < 0:
        raise ShapeError(f"eye needs n and m that aren't negative, got {rows} and {columns}")
    return allocated(np.eye, rows, columns, 0, dtype or default_float())


@factory
def full_like(input: Any, fill_value: Any, *, memory_format: Any = None, dtype: Any = None) -> Any:
    """One number in the shape, dtype and memory order of `input`, a Tensor or an array.

    Args:
        fill_value: a number, or a Tensor without dimensions that stands for one.
        memory_format: another order of the elements.

    Raises:
        TypeError: for any other `input`.
        RuntimeError: for a number that the dtype can't hold.
    """
    return _like(input, number(fill_value, "fill_value"), memory_format, dtype, "full_like")


@factory
def zeros_like(input: Any, *, memory_format: Any = None, dtype: Any = None) -> Any:
    """Zeros of the shape, dtype and memory order of `input`; see `full_like`."""
    return _like(input, 0, memory_format, dtype, "zeros_like")


@factory
def ones_like(input: Any, *, memory_format: Any = None, dtype: Any = None) -> Any:
    """Ones of the shape, dtype and memory order of `input`; see `full_like`."""
    return _like(input, 1, memory_format, dtype, "ones_like")


@factory
def empty_like(input: Any, *, memory_format: Any = None, dtype: Any = None) -> Any:
    """As `input`, with values that are to be written; they start as zeros. See `full_like`."""
    return _like(input, 0, memory_format, dtype, "empty_like")


def _like(input: Any, value: Any, memory_format: Any, dtype: np.dtype | None, name: str) -> Any:
    array = array_like(input, name)
    wanted = dtype or array.dtype
    check_fits(value, wanted)
    return laid(np.full_like(array, np.asarray(value).astype(wanted), dtype=wanted), input, memory_format)
