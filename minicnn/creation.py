"""How tensors come to be: from data, filled with a value, or drawn at random."""

from collections.abc import Callable
from functools import reduce
from math import ceil, isfinite, isnan
from typing import Any

import numpy as np

from minicnn.attributes import device
from minicnn.autograd.storage import keep_strides
from minicnn.dtypes import as_dtype, check_array, check_fits, dtype_of_number, float32, int64, meet
from minicnn.operators.shape import shape_from
from minicnn.random import Generator, numpy_generator
from minicnn.tensor import Tensor, computed


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
    if isinstance(plain, (np.ndarray, np.generic)):
        check_array(np.asarray(plain))
    wanted = _dtype_of_data(plain) if dtype is None else as_dtype(dtype)
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
        TypeError: where `array` isn't a NumPy array of real numbers of at most 64 bits.
        ValueError: where its bytes are in the order of another kind of machine.
    """
    if not isinstance(array, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(array).__name__})")
    return Tensor(check_array(array))


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


def _number(value: Any, name: str) -> Any:
    """A Python number from one of NumPy's, a Tensor without dimensions, or one of its own kind.

    Raises:
        TypeError: for anything else, naming the argument.
    """
    if isinstance(value, Tensor) and value.ndim == 0 and not value.requires_grad:
        return value.item()
    if isinstance(value, (np.bool_, np.integer, np.floating)):
        return value.item()
    if not isinstance(value, (bool, int, float)):
        raise TypeError(f"{name} must be a number, got {type(value).__name__}")
    return value


def _integer(value: Any, name: str) -> int:
    """An int, or the one in a Tensor of one element or an array without dimensions.

    Raises:
        TypeError: for anything else, bools among them.
    """
    single = isinstance(value, (Tensor, np.ndarray)) and value.dtype.kind in "iu"
    single = single and value.shape in ((), (1,) if isinstance(value, Tensor) else ())
    number = value.item() if single else _number(value, name)
    if isinstance(number, bool) or not isinstance(number, int):
        raise TypeError(f"{name} must be an int, got {value!r}")
    return number


def _allocated(make: Callable, *arguments: Any) -> np.ndarray:
    """The array `make(*arguments)`, or a RuntimeError where there is no memory for one of that size."""
    try:
        return np.asarray(make(*arguments))
    except (MemoryError, ValueError, OverflowError) as error:
        raise RuntimeError(f"no memory for a tensor of this size: {error}") from None


def _checked_shape(size: tuple) -> tuple[int, ...]:
    shape = shape_from(size)
    if any(size < 0 for size in shape):
        raise ValueError(f"sizes must not be negative, got {shape}")
    return shape


def _filled(size: tuple, value: Any, dtype: Any, device: Any, requires_grad: bool) -> Tensor:
    _check_device(device)
    shape, wanted = _checked_shape(size), as_dtype(dtype)
    check_fits(value, wanted)
    array = _allocated(np.empty, shape, wanted)
    array[...] = np.asarray(value).astype(wanted)
    return Tensor(array, requires_grad)


def zeros(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A Tensor of zeros, float32 unless `dtype` says otherwise: `zeros(2, 3)` or `zeros((2, 3))`."""
    return _filled(size, 0, dtype or float32, device, requires_grad)


def ones(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A Tensor of ones, float32 unless `dtype` says otherwise: `ones(2, 3)` or `ones((2, 3))`."""
    return _filled(size, 1, dtype or float32, device, requires_grad)


def empty(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A Tensor whose values are to be written; they start as zeros."""
    return zeros(*size, dtype=dtype, device=device, requires_grad=requires_grad)


def full(size: Any, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A Tensor of shape `size`, a tuple, filled with one number, whose type decides the dtype unless given.

    Args:
        fill_value: a number, or a Tensor without dimensions that stands for one.

    Raises:
        TypeError: for a `size` that is no tuple or list, or a `fill_value` that is no number.
        RuntimeError: for a number that the dtype can't hold, or without enough memory.
    """
    if not isinstance(size, (tuple, list)):
        raise TypeError(f"full needs size as a tuple of ints, got {size!r}")
    value = _number(fill_value, "fill_value")
    return _filled((size,), value, dtype_of_number(value) if dtype is None else dtype, device, requires_grad)


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
    value = _number(fill_value, "fill_value")
    check_fits(value, wanted)
    result = computed(np.full_like(array, np.asarray(value).astype(wanted), dtype=wanted))
    if isinstance(input, Tensor):
        keep_strides(result, [input])
    return result.requires_grad_(requires_grad)


def _array_like(input: Any) -> np.ndarray:
    array = input._array if isinstance(input, Tensor) else input
    if not isinstance(array, np.ndarray):
        raise TypeError(f"input must be a Tensor or an array, got {type(input).__name__}")
    return array


_ABSENT: Any = object()


def arange(
    start: Any = _ABSENT,
    end: Any = _ABSENT,
    step: Any = _ABSENT,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Numbers from `start` up to but without `end`, `step` apart: `arange(end)` or `arange(start, end, step=1)`.

    Args:
        start, end, step: numbers, or Tensors without dimensions that stand for one.
        dtype: int64 if all are ints, else float32. An integer dtype takes `start` and `step` without their fractions,
            but as many numbers as they would give with them, as in PyTorch.

    Raises:
        TypeError: for something else than numbers, or dtype bool.
        ValueError: for step 0 or one that leads away from `end`.
        RuntimeError: for infinite or NaN bounds, ints of more than 64 bits, or without enough memory.
    """
    _check_device(device)
    if end is _ABSENT and step is _ABSENT:
        start, end = 0, start
    elif start is _ABSENT and step is _ABSENT:
        start = 0
    if _ABSENT in (start, end):
        raise TypeError("arange needs end, or start and end, or start, end and step")
    first, last = _number(start, "start"), _number(end, "end")
    pace = 1 if step is _ABSENT else _number(step, "step")
    numbers = (first, last, pace)
    whole = all(isinstance(number, int) for number in numbers)
    wanted = (int64 if whole else float32) if dtype is None else as_dtype(dtype)
    if wanted.kind == "b":
        raise TypeError("arange gives numbers, got dtype bool")
    for number in numbers:
        if isinstance(number, int):
            check_fits(number, int64)
    if not (isfinite(first) and isfinite(last)):
        raise RuntimeError(f"arange can't go from {first} to {last}")
    if pace == 0 or isnan(pace) or (first > last if pace > 0 else first < last):
        raise ValueError(f"arange can't go from {first} to {last} in steps of {pace}")
    count = -((first - last) // pace) if whole else ceil((last - first) / pace)
    if wanted.kind in "iu":
        first, pace = int(first), int(pace) if isfinite(pace) else 0
    values = _allocated(np.arange, count)
    return Tensor((first + values * pace).astype(wanted), requires_grad)


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
    values = _allocated(numpy_generator(generator).standard_normal, _checked_shape(size), _random_dtype(dtype))
    return Tensor(values, requires_grad)


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
    values = _allocated(numpy_generator(generator).random, _checked_shape(size), _random_dtype(dtype))
    return Tensor(values, requires_grad)


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
    low: Any = 0,
    high: Any = None,
    size: Any = None,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Integers drawn uniformly from [low, high), int64: `randint(high, size)` or `randint(low, high, size)`.

    Args:
        low, high: ints, or Tensors without dimensions that stand for one.

    Raises:
        TypeError: without a `size`, or for bounds that aren't ints.
        ValueError: where nothing lies between `low` and `high`.
        RuntimeError: where the dtype can't hold what lies between them.
    """
    _check_device(device)
    if isinstance(high, (tuple, list)):
        low, high, size = 0, low, high
    elif high is None:
        low, high = 0, low
    if not isinstance(size, (tuple, list)):
        raise TypeError(f"randint needs size as a tuple of ints, got {size!r}")
    lowest, end = _integer(low, "low"), _integer(high, "high")
    if lowest >= end:
        raise ValueError(f"randint needs low < high, got {lowest} and {end}")
    wanted = int64 if dtype is None else as_dtype(dtype)
    least, most = _integers_of(wanted)
    if lowest < least or end - 1 > most or end >= 2**63:
        raise RuntimeError(f"randint can't draw {wanted} from {lowest} to {end - 1}")
    values = _allocated(numpy_generator(generator).integers, lowest, end, _checked_shape((size,)))
    return Tensor(values.astype(wanted), requires_grad)


def _integers_of(dtype: np.dtype) -> tuple[int, int]:
    """The least and the largest integer of `dtype`."""
    if dtype.kind == "b":
        return 0, 1
    limits = np.finfo(dtype) if dtype.kind == "f" else np.iinfo(dtype)
    return int(limits.min), int(limits.max)


def randperm(n: Any, *, generator: Generator | None = None, dtype: Any = None, device: Any = None) -> Tensor:
    """The integers 0 … n − 1 in random order, int64.

    Raises:
        TypeError: for an `n` that isn't an int, or dtype bool.
        ValueError: for a negative `n`.
        RuntimeError: for more numbers than the dtype, or the memory, can hold.
    """
    _check_device(device)
    count, wanted = _integer(n, "n"), int64 if dtype is None else as_dtype(dtype)
    if count < 0:
        raise ValueError(f"randperm needs n >= 0, got {count}")
    if wanted.kind == "b":
        raise TypeError("randperm gives numbers, got dtype bool")
    largest = 2 ** (np.finfo(wanted).nmant + 1) if wanted.kind == "f" else _integers_of(wanted)[1]
    if count - 1 > largest or count >= 2**63:
        raise RuntimeError(f"randperm can't give {count} different numbers of {wanted}")
    return Tensor(_allocated(numpy_generator(generator).permutation, count).astype(wanted))
