"""How tensors come to be: from data, filled with a value, or drawn at random."""

from typing import Any

import numpy as np

from minicnn.dtypes import as_dtype, float32, int64
from minicnn.operators.shape import shape_from
from minicnn.random import Generator, numpy_generator
from minicnn.tensor import Tensor, device


def _plain(data: Any) -> Any:
    """Nested lists of numbers in place of nested lists of tensors."""
    if isinstance(data, Tensor):
        return data.detach().numpy()
    if isinstance(data, (list, tuple)):
        return [_plain(item) for item in data]
    return data


def _python_dtype(data: Any, array: np.ndarray) -> np.dtype:
    """The dtype of Python numbers, PyTorch's way: floats are float32."""
    if isinstance(data, (np.ndarray, np.generic)):
        return array.dtype
    if isinstance(data, (list, tuple)):
        leaves = [item for item in data if isinstance(item, (list, tuple, np.ndarray, np.generic))]
        if leaves and len(leaves) == len(data):
            return np.result_type(*[_python_dtype(item, np.asarray(item)) for item in leaves])
        if not data:
            return float32
    return float32 if array.dtype.kind == "f" else array.dtype


def tensor(data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A Tensor with a copy of `data`.

    Args:
        data: a number, nested lists of numbers, an array or a Tensor.
        dtype: of the elements; by default that of an array, float32 for Python floats, int64 for ints.
        device: only the CPU.
        requires_grad: whether gradients by it are wanted.

    Raises:
        TypeError: where the data isn't numbers.
        ValueError: where nested lists don't form a box.
    """
    _check_device(device)
    plain = _plain(data)
    try:
        array = np.array(plain)
    except ValueError as error:
        raise ValueError(f"tensor needs nested lists of equal lengths: {error}") from None
    if array.dtype.kind not in "biuf":
        raise TypeError(f"tensor needs numbers, got {type(data).__name__} holding {array.dtype}")
    array = array.astype(as_dtype(dtype) if dtype is not None else _python_dtype(plain, array), copy=False)
    return Tensor(array, requires_grad)


def from_numpy(array: np.ndarray) -> Tensor:
    """A Tensor sharing the memory of `array`.

    Raises:
        TypeError: where `array` isn't a NumPy array of numbers.
    """
    if not isinstance(array, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(array).__name__})")
    as_dtype(array.dtype)
    return Tensor(array)


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """`data` as a Tensor, sharing its memory where it is an array or a Tensor of that dtype already."""
    _check_device(device)
    if isinstance(data, np.ndarray):
        data = from_numpy(data)
    if isinstance(data, Tensor):
        return data if dtype is None else data.to(as_dtype(dtype))
    return tensor(data, dtype=dtype)


def _check_device(name: Any) -> None:
    if name is not None:
        device(name)


def _filled(
    shape: tuple[int, ...], value: Any, dtype: Any, device: Any = None, requires_grad: bool = False
) -> Tensor:
    _check_device(device)
    if any(s < 0 for s in shape):
        raise ValueError(f"sizes must not be negative, got {shape}")
    return Tensor(np.full(shape, value, as_dtype(dtype)), requires_grad)


def zeros(*size: Any, dtype: Any = float32, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A Tensor of zeros: `zeros(2, 3)` or `zeros((2, 3))`."""
    return _filled(shape_from(size), 0, dtype or float32, device, requires_grad)


def ones(*size: Any, dtype: Any = float32, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A Tensor of ones: `ones(2, 3)` or `ones((2, 3))`."""
    return _filled(shape_from(size), 1, dtype or float32, device, requires_grad)


def empty(*size: Any, dtype: Any = float32, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A Tensor whose values are to be written; they start as zeros."""
    return zeros(*size, dtype=dtype, device=device, requires_grad=requires_grad)


def full(
    size: Any, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """A Tensor of shape `size` filled with one number, whose type decides the dtype unless given."""
    default = tensor(fill_value).dtype
    return _filled(shape_from((size,)), fill_value, default if dtype is None else dtype, device, requires_grad)


def zeros_like(input: Any, *, dtype: Any = None) -> Tensor:  # noqa: A002
    """Zeros of the shape and dtype of `input`."""
    return Tensor(np.zeros_like(as_tensor(input)._array, dtype=None if dtype is None else as_dtype(dtype)))


def ones_like(input: Any, *, dtype: Any = None) -> Tensor:  # noqa: A002
    """Ones of the shape and dtype of `input`."""
    return Tensor(np.ones_like(as_tensor(input)._array, dtype=None if dtype is None else as_dtype(dtype)))


def full_like(input: Any, fill_value: Any, *, dtype: Any = None) -> Tensor:  # noqa: A002
    """One number in the shape and dtype of `input`."""
    return Tensor(np.full_like(as_tensor(input)._array, fill_value, dtype=None if dtype is None else as_dtype(dtype)))


def arange(
    start: Any, end: Any = None, step: Any = 1, *, dtype: Any = None, requires_grad: bool = False
) -> Tensor:
    """Numbers from `start` (0 if alone) up to but without `end`, `step` apart; int64 if all are ints.

    Raises:
        ValueError: for step 0 or one that leads away from `end`.
    """
    start, end = (0, start) if end is None else (start, end)
    if step == 0 or (end - start) * step < 0:
        raise ValueError(f"arange can't go from {start} to {end} in steps of {step}")
    default = int64 if all(isinstance(v, (int, np.integer)) for v in (start, end, step)) else float32
    count = int(np.ceil((end - start) / step))
    values = start + np.arange(count) * step
    return Tensor(values.astype(default if dtype is None else as_dtype(dtype)), requires_grad)


def randn(
    *size: Any,
    generator: Generator | None = None,
    dtype: Any = float32,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Draws from the normal distribution of mean 0 and variance 1."""
    _check_device(device)
    values = numpy_generator(generator).standard_normal(shape_from(size), as_float(dtype))
    return Tensor(np.asarray(values), requires_grad)


def rand(
    *size: Any,
    generator: Generator | None = None,
    dtype: Any = float32,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Draws from the uniform distribution on [0, 1)."""
    _check_device(device)
    values = numpy_generator(generator).random(shape_from(size), as_float(dtype))
    return Tensor(np.asarray(values), requires_grad)


def randn_like(input: Any) -> Tensor:  # noqa: A002
    """`randn` in the shape and dtype of `input`."""
    return randn(input.shape, dtype=input.dtype)


def rand_like(input: Any) -> Tensor:  # noqa: A002
    """`rand` in the shape and dtype of `input`."""
    return rand(input.shape, dtype=input.dtype)


def as_float(dtype: Any) -> Any:
    """`dtype` as float32 or float64.

    Raises:
        TypeError: for any other.
    """
    result = float32 if dtype is None else as_dtype(dtype)
    if result not in (np.float32, np.float64):
        raise TypeError(f"random numbers are float32 or float64, got dtype {result}")
    return result


def randint(low: int, high: Any = None, size: Any = None, *, generator: Generator | None = None, dtype: Any = int64) -> Tensor:
    """Integers drawn uniformly from [low, high): `randint(high, size)` or `randint(low, high, size)`."""
    if size is None:
        low, high, size = 0, low, high
    if low >= high:
        raise ValueError(f"randint needs low < high, got {low} and {high}")
    return Tensor(numpy_generator(generator).integers(low, high, shape_from((size,))).astype(as_dtype(dtype)))


def randperm(n: int, *, generator: Generator | None = None) -> Tensor:
    """The integers 0 … n − 1 in random order, int64."""
    if n < 0:
        raise ValueError(f"randperm needs n >= 0, got {n}")
    return Tensor(numpy_generator(generator).permutation(n).astype(int64))
