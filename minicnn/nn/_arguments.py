"""How layers read the arguments they share: sizes, device and dtype."""

import operator
from collections.abc import Iterable
from typing import Any

import numpy as np

from minicnn.attributes import device as cpu_device
from minicnn.dtypes import as_dtype, default_float
from minicnn.nn.parameter import Parameter
from minicnn.tensor import Tensor, computed


def sizes(value: Any, name: str, count: int) -> tuple[int, ...]:
    """`value`, an int for all dimensions or an iterable of one for all or of one for each, as `count` ints.

    Args:
        value: int, NumPy integer, or an iterable of these.
        name: the argument's name, for the message.
        count: the number of dimensions.

    Raises:
        TypeError: where these are no integers.
        ValueError: where their number is another.
    """
    wanted = "an int" if count == 1 else "an int or a pair of ints"
    values = list(value) if isinstance(value, Iterable) else [value]
    if len(values) not in (1, count):
        raise ValueError(f"{name} must be {wanted}, got {value!r}")
    try:
        found = [operator.index(size) for size in values]
    except TypeError:
        raise TypeError(f"{name} must be {wanted}, got {value!r}") from None
    return tuple(found * count if len(found) == 1 else found)


def empty(shape: tuple[int, ...], device: Any, dtype: Any) -> Tensor:
    """An uninitialised Tensor; a weight (O, C, KH, KW) lies in memory as (KH, KW, C, O), the order kernels read.

    Args:
        shape: its shape.
        device: None or "cpu".
        dtype: None for the default one.

    Raises:
        RuntimeError: for another device, or for want of memory.
        ValueError: for a negative or too large size.
    """
    if device is not None:
        cpu_device(device)
    if any(operator.index(size) < 0 for size in shape):
        raise ValueError(f"sizes must not be negative, got a parameter of shape {shape}")
    memory = (*shape[2:], *reversed(shape[:2]))
    try:
        array = np.empty(memory, default_float() if dtype is None else as_dtype(dtype))
    except MemoryError as error:
        raise RuntimeError(f"a parameter of shape {shape} is too large: {error}") from None
    return computed(array if array.ndim < 2 else np.moveaxis(array, (-1, -2), (0, 1)))


def empty_parameter(shape: tuple[int, ...], device: Any, dtype: Any) -> Parameter:
    """As `empty`, to be learned.

    Raises:
        RuntimeError: also for a dtype that isn't of floating point.
    """
    return Parameter(empty(shape, device, dtype))
