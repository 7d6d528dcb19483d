"""Tensors of data that a program has: numbers, nested lists, arrays, buffers."""

from collections.abc import Mapping
from functools import reduce
from typing import Any

import numpy as np

from minicnn.autograd import Variable
from minicnn.creation.options import check_options, factory, real_dtype
from minicnn.dtypes import check_array, check_fits, default_float, dtype_of_number, meet
from minicnn.operators.numbers import number
from minicnn.operators.operands import cast
from minicnn.operators.shape import Clone


def tensor(
    data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False
) -> Any:
    """A Tensor with a copy of `data`.

    Args:
        data: a number, nested lists, tuples or other sequences of numbers, an array or a Tensor.
        dtype: of the elements; by default that of an array, the default one for Python floats, int64 for ints.
        device: only the CPU.
        requires_grad: whether gradients with respect to it are wanted.
        pin_memory: has no effect: there is no device to copy to.

    Raises:
        TypeError: where the data isn't numbers.
        ValueError: where nested lists don't form a box.
        RuntimeError: for a number that the dtype can't hold.
    """
    check_options(device=device, pin_memory=pin_memory)
    plain = _plain(data)
    if isinstance(plain, (np.ndarray, np.generic)):
        check_array(np.asarray(plain))
    wanted = _dtype_of_data(plain) if dtype is None else real_dtype(dtype)
    try:
        array = np.array(plain)
    except ValueError as error:
        raise ValueError(f"tensor needs nested lists of equal lengths: {error}") from None
    if array.dtype.kind not in "biuf" or array.dtype.itemsize > 8:
        raise TypeError(f"tensor needs numbers that fit 64 bits, got {type(data).__name__} of {array.dtype}")
    if array.dtype != wanted:
        if array.size and wanted.kind in "iu" and not isinstance(plain, (np.ndarray, np.generic)):
            check_fits(array.min().item(), wanted)
            check_fits(array.max().item(), wanted)
        with np.errstate(all="ignore"):
            array = array.astype(wanted)
    result: Any = Variable._computed(array)
    return result.requires_grad_(True) if requires_grad else result


def _plain(data: Any) -> Any:
    """`data` with arrays in place of Tensors."""
    if isinstance(data, Variable):
        return data._array
    if not is_sequence(data):
        return data
    items = data if isinstance(data, (list, tuple)) else list(data)
    if set(map(type, items)) <= {bool, int, float}:  # no need to look at each
        return items
    return [_plain_item(item) for item in items] if any(map(_needs_unpacking, items)) else items


def is_sequence(data: Any) -> bool:
    """Whether `data` is a list, a deque, a range or another sequence, and neither an array nor text."""
    kind = type(data)
    return kind in (list, tuple) or (
        hasattr(kind, "__len__")
        and hasattr(kind, "__getitem__")
        and not isinstance(data, (Variable, np.ndarray, np.generic, str, bytes, Mapping))
    )


def _needs_unpacking(item: Any) -> bool:
    return isinstance(item, Variable) or is_sequence(item)


def _plain_item(item: Any) -> Any:
    if isinstance(item, Variable) and item._array.size != 1:
        raise ValueError(
            f"only one-element tensors can stand in a list, got one of shape {item._array.shape}; use stack"
        )
    return item._array.reshape(()) if isinstance(item, Variable) else _plain(item)


def _dtype_of_data(data: Any) -> np.dtype:
    """The dtype in which all numbers in nested lists meet."""
    if isinstance(data, (np.ndarray, np.generic)):
        return data.dtype
    if not isinstance(data, (list, tuple)):
        return dtype_of_number(number(data, "data") if isinstance(data, complex) else data)
    types = set(map(type, data))
    if types <= {bool, int, float}:  # no need to look at each
        return dtype_of_number(0.0 if float in types or not data else 0 if int in types else False)
    return reduce(meet, [_dtype_of_data(item) for item in data])


def from_numpy(array: np.ndarray) -> Any:
    """A Tensor sharing the memory of `array`.

    Raises:
        TypeError: where `array` isn't a NumPy array of real numbers of at most 64 bits.
        ValueError: where its bytes are in the order of another kind of machine.
    """
    if not isinstance(array, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(array).__name__})")
    result = Variable._computed(check_array(np.asarray(array)))
    result._layout = None  # the program knows this memory
    return result


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Any:
    """`data` as a Tensor, sharing its memory where it is an array or a Tensor of that dtype already.

    Objects with NumPy's `__array_interface__` are arrays too. Args, Raises: as for `tensor`.
    """
    check_options(device=device)
    if isinstance(data, np.ndarray) or (
        not isinstance(data, (Variable, np.generic)) and hasattr(data, "__array_interface__")
    ):
        data = from_numpy(np.asarray(data))
    if isinstance(data, Variable):
        return data if dtype is None else cast(data, real_dtype(dtype))
    return tensor(data, dtype=dtype)


def asarray(
    obj: Any, *, dtype: Any = None, device: Any = None, copy: bool | None = None, requires_grad: bool | None = None
) -> Any:
    """`obj` as a Tensor, sharing its memory where it can.

    Args:
        obj: a Tensor, an array, a buffer, a number or nested lists.
        dtype: of the elements; by default that of `obj`; buffers need one unless they are bytes of float32.
        device: only the CPU.
        copy: True for memory of its own, False for that of `obj` and nothing else, None for whichever works.
        requires_grad: True, or False for a Tensor outside the graph; by default as `obj` has it.

    Raises:
        ValueError: where `copy=False` can't be had.
        TypeError, RuntimeError: as for `tensor`.
    """
    check_options(device=device)
    if isinstance(obj, (bytes, bytearray, memoryview)):
        obj = np.frombuffer(obj, default_float() if dtype is None else real_dtype(dtype))
    shares = isinstance(obj, (Variable, np.ndarray))
    result = as_tensor(obj, dtype)
    if copy is False and (
        not shares or result._array.dtype != (obj._array if shares and isinstance(obj, Variable) else obj).dtype
    ):
        raise ValueError(f"asarray can't share the memory of {type(obj).__name__} with dtype={dtype}; leave copy out")
    if copy:
        result = Clone.apply(result)
    if requires_grad is None or (requires_grad and result.requires_grad):
        return result
    return result.detach().requires_grad_(requires_grad)


@factory
def scalar_tensor(s: Any, *, dtype: Any = None) -> Any:
    """A Tensor without dimensions, of the default dtype unless `dtype` says otherwise.

    Raises:
        TypeError: for anything but a number or a Tensor without dimensions.
        RuntimeError: for a number that the dtype can't hold.
    """
    value, wanted = number(s, "s"), dtype or default_float()
    check_fits(value, wanted)
    return np.asarray(value).astype(wanted)


def frombuffer(buffer: Any, *, dtype: Any, count: int = -1, offset: int = 0, requires_grad: bool = False) -> Any:
    """A Tensor of one dimension that shares the memory of a buffer, such as a bytearray.

    Args:
        buffer: any object with Python's buffer interface.
        dtype: of the elements.
        count: how many; all by default.
        offset: how many bytes to leave out before them.
        requires_grad: whether gradients with respect to it are wanted.

    Raises:
        ValueError: where the buffer hasn't so many elements, or none.
    """
    result = from_numpy(np.frombuffer(buffer, real_dtype(dtype), count, offset))
    return result.requires_grad_(True) if requires_grad else result
