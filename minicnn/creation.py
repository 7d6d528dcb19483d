"""How tensors come to be: from data, filled with a value, or drawn at random."""

from functools import reduce
from math import ceil
from typing import Any

import numpy as np

from minicnn.autograd.storage import keep_strides
from minicnn.dtypes import as_dtype, check_fits, dtype_of_number, float32, int64, meet
from minicnn.operators.shape import shape_from
from minicnn.random import Generator, numpy_generator
from minicnn.tensor import Tensor, computed, device


def tensor(data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A Tensor with a copy of `data`.

    Args:
        data: a number, nested lists or tuples of numbers, an array or a Tensor.
        dtype: of the elements; by default that of an array, float32 for Python floats, int64 for ints.
        device: only the CPU.
        requires_grad: whether gradients by it are wanted.

    Raises:
        TypeError: where the data isn't numbers.
        ValueError: where nested lists don't form a box.
        RuntimeError: for a number that the dtype can't hold.
    """
    _check_device(device)
    plain = _plain(data)
    wanted = _dtype_of_data(plain) if dtype is None else as_dtype(dtype)
    try:
        array = np.array(plain)
    except ValueError as error:
        raise ValueError(f"tensor needs nested lists of equal lengths: {error}") from None
    if array.dtype.kind not in "biuf":
        raise TypeError(f"tensor needs numbers that fit 64 bits, got {type(data).__name__} of {array.dtype}")
    if array.dtype != wanted:
        if array.size and not isinstance(plain, (np.ndarray, np.generic)):
            check_fits(array.min(), wanted)
            check_fits(array.max(), wanted)
        with np.errstate(all="ignore"):
            array = array.astype(wanted)
    return computed(array).requires_grad_(requires_grad)


def _plain(data: Any) -> Any:
    """`data` with arrays in place of Tensors."""
    if isinstance(data, Tensor):
        return data.detach()._array
    if isinstance(data, range):
        return list(data)
    if isinstance(data, (list, tuple)) and any(isinstance(i, (list, tuple, range, Tensor)) for i in data):
        return [_plain_item(item) for item in data]
    return data


def _plain_item(item: Any) -> Any:
    if isinstance(item, Tensor) and item.numel() != 1:
        raise ValueError(
            f"only one-element tensors can stand in a list, got one of shape {tuple(item.shape)}; use stack"
        )
    return item._array.reshape(()) if isinstance(item, Tensor) else _plain(item)


def _dtype_of_data(data: Any) -> np.dtype:
    """The dtype in which all numbers in nested lists meet."""
    if isinstance(data, (np.ndarray, np.generic)):
        return data.dtype
    if not isinstance(data, (list, tuple)):
        return dtype_of_number(data)
    types = set(map(type, data))
    if types <= {bool, int, float}:  # no need to look at each
        return dtype_of_number(0.0 if float in types or not data else 0 if int in types else False)
    return reduce(meet, [_dtype_of_data(item) for item in data])


def from_numpy(array: np.ndarray) -> Tensor:
    """A Tensor sharing the memory of `array`.

    Raises:
        TypeError: where `array` isn't a NumPy array of numbers.
    """
    if not isinstance(array, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(array).__name__})")
    return Tensor(array)


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """`data` as a Tensor, sharing its memory where it is an array or a Tensor of that dtype already.

    Args, Raises: as for `tensor`.
    """
    _check_device(device)
    if isinstance(data, np.ndarray):
        data = from_numpy(data)
    if isinstance(data, Tensor):
        return data if dtype is None else data.to(dtype=dtype)
    return tensor(data, dtype=dtype)


def _check_device(name: Any) -> None:
    if name is not None:
        device(name)


def _filled(shape: tuple[int, ...], value: Any, dtype: Any, device: Any, requires_grad: bool) -> Tensor:
    _check_device(device)
    if any(size < 0 for size in shape):
        raise ValueError(f"sizes must not be negative, got {shape}")
    array = np.empty(shape, as_dtype(dtype))
    check_fits(value, array.dtype)
    array[...] = np.asarray(value).astype(array.dtype)
    return Tensor(array, requires_grad)


def zeros(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A Tensor of zeros, float32 unless `dtype` says otherwise: `zeros(2, 3)` or `zeros((2, 3))`."""
    return _filled(shape_from(size), 0, dtype or float32, device, requires_grad)


def ones(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A Tensor of ones, float32 unless `dtype` says otherwise: `ones(2, 3)` or `ones((2, 3))`."""
    return _filled(shape_from(size), 1, dtype or float32, device, requires_grad)


def empty(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A Tensor whose values are to be written; they start as zeros."""
    return zeros(*size, dtype=dtype, device=device, requires_grad=requires_grad)


def full(size: Any, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A Tensor of shape `size`, a tuple, filled with one number, whose type decides the dtype unless given.

    Raises:
        TypeError: for a `size` that is no tuple or list.
        RuntimeError: for a number that the dtype can't hold.
    """
    if not isinstance(size, (tuple, list)):
        raise TypeError(f"full needs size as a tuple of ints, got {size!r}")
    value = fill_value.item() if isinstance(fill_value, Tensor) else fill_value
    if dtype is None:
        dtype = fill_value.dtype if isinstance(fill_value, Tensor) else dtype_of_number(fill_value)
    return _filled(shape_from((size,)), value, dtype, device, requires_grad)


def zeros_like(input: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros of the shape, dtype and memory order of `input`."""
    return full_like(input, 0, dtype=dtype, device=device, requires_grad=requires_grad)


def ones_like(input: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones of the shape, dtype and memory order of `input`."""
    return full_like(input, 1, dtype=dtype, device=device, requires_grad=requires_grad)


def empty_like(input: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """As `input`, with values that are to be written; they start as zeros."""
    return zeros_like(input, dtype=dtype, device=device, requires_grad=requires_grad)


def full_like(
    input: Any, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """One number in the shape, dtype and memory order of `input`, a Tensor or an array.

    Raises:
        TypeError: for any other `input`.
        RuntimeError: for a number that the dtype can't hold.
    """
    _check_device(device)
    array = _array_like(input)
    wanted = array.dtype if dtype is None else as_dtype(dtype)
    check_fits(fill_value, wanted)
    result = computed(np.full_like(array, np.asarray(fill_value).astype(wanted), dtype=wanted))
    if isinstance(input, Tensor):
        keep_strides(result, [input])
    return result.requires_grad_(requires_grad)


def _array_like(input: Any) -> np.ndarray:
    array = input._array if isinstance(input, Tensor) else input
    if not isinstance(array, np.ndarray):
        raise TypeError(f"input must be a Tensor or an array, got {type(input).__name__}")
    return array


def arange(
    start: Any,
    end: Any = None,
    step: Any = 1,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Numbers from `start` (0 if alone) up to but without `end`, `step` apart; int64 if all are ints.

    Raises:
        ValueError: for step 0 or one that leads away from `end`.
    """
    _check_device(device)
    start, end = (0, start) if end is None else (start, end)
    if step == 0 or (end - start) * step < 0:
        raise ValueError(f"arange can't go from {start} to {end} in steps of {step}")
    whole = all(isinstance(value, (int, np.integer)) for value in (start, end, step))
    values = start + np.arange(ceil((end - start) / step)) * step
    wanted = (int64 if whole else float32) if dtype is None else as_dtype(dtype)
    return Tensor(values.astype(wanted), requires_grad)


def randn(
    *size: Any,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Draws from the normal distribution of mean 0 and variance 1.

    Raises:
        TypeError: for a dtype other than float32 and float64.
    """
    _check_device(device)
    values = numpy_generator(generator).standard_normal(shape_from(size), _random_dtype(dtype))
    return Tensor(np.asarray(values), requires_grad)


def rand(
    *size: Any,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Draws from the uniform distribution on [0, 1).

    Raises:
        TypeError: for a dtype other than float32 and float64.
    """
    _check_device(device)
    values = numpy_generator(generator).random(shape_from(size), _random_dtype(dtype))
    return Tensor(np.asarray(values), requires_grad)


def _random_dtype(dtype: Any) -> Any:
    result = float32 if dtype is None else as_dtype(dtype)
    if result not in (np.float32, np.float64):
        raise TypeError(f"random numbers are float32 or float64, got dtype {result}")
    return result


def randn_like(input: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """`randn` in the shape and dtype of `input`."""
    array = _array_like(input)
    return randn(array.shape, dtype=dtype or array.dtype, device=device, requires_grad=requires_grad)


def rand_like(input: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """`rand` in the shape and dtype of `input`."""
    array = _array_like(input)
    return rand(array.shape, dtype=dtype or array.dtype, device=device, requires_grad=requires_grad)


def randint(
    low: int,
    high: Any = None,
    size: Any = None,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Integers drawn uniformly from [low, high), int64: `randint(high, size)` or `randint(low, high, size)`.

    Raises:
        TypeError: without a `size`.
        ValueError: where nothing lies between `low` and `high`.
    """
    _check_device(device)
    if isinstance(high, (tuple, list)):
        low, high, size = 0, low, high
    elif high is None:
        low, high = 0, low
    if not isinstance(size, (tuple, list)):
        raise TypeError(f"randint needs size as a tuple of ints, got {size!r}")
    if low >= high:
        raise ValueError(f"randint needs low < high, got {low} and {high}")
    values = numpy_generator(generator).integers(low, high, shape_from((size,)))
    return Tensor(np.asarray(values).astype(as_dtype(dtype or int64)), requires_grad)


def randperm(n: int, *, generator: Generator | None = None, dtype: Any = None, device: Any = None) -> Tensor:
    """The integers 0 … n − 1 in random order, int64.

    Raises:
        ValueError: for a negative `n`.
    """
    _check_device(device)
    if n < 0:
        raise ValueError(f"randperm needs n >= 0, got {n}")
    return Tensor(numpy_generator(generator).permutation(n).astype(as_dtype(dtype or int64)))
