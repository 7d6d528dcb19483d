"""The element types, and the type two operands meet in.

Inside minicnn element types are NumPy's own `dtype` objects; programs see those of `minicnn.element_types`, which are
equal to them. PyTorch differs from NumPy in what
arithmetic returns: a `float32` tensor keeps its type beside an `int64` tensor or a Python float, because
operands first compete by category (bool < integer < float) and by whether they have dimensions at all.
"""

from functools import reduce
from typing import Any

import numpy as np

float16 = np.dtype("float16")
float32 = np.dtype("float32")
float64 = np.dtype("float64")
int8 = np.dtype("int8")
int16 = np.dtype("int16")
int32 = np.dtype("int32")
int64 = np.dtype("int64")
uint8 = np.dtype("uint8")
bool_ = np.dtype("bool")

_CATEGORY = {"b": 0, "u": 1, "i": 1, "f": 2}


class _Default:
    """What `set_default_dtype` changes."""

    dtype = float32


def default_float() -> np.dtype:
    """The dtype of Python floats and of tensors made without a dtype: float32 unless `set_default_dtype` changed it."""
    return _Default.dtype


def set_default_float(dtype: np.dtype) -> None:
    """Make `dtype`, a floating-point one, the dtype of Python floats and of tensors made without a dtype."""
    _Default.dtype = dtype


def as_dtype(dtype: Any) -> np.dtype:
    """The NumPy dtype meant by `dtype`: a NumPy dtype or type, a name, or Python's float, int or bool.

    Raises:
        TypeError: for anything that isn't a real number type.
    """
    try:
        result = None if dtype is None else np.dtype(dtype)
    except TypeError:
        result = None
    if result is None or result.kind not in _CATEGORY:
        raise TypeError(f"dtype must be a number type such as minicnn.float32, got {dtype!r}")
    return result


def dtype_of_number(value: Any) -> np.dtype:
    """The dtype a Python or NumPy number stands for: the default one for floats, int64 for integers.

    Raises:
        TypeError: for anything else.
        RuntimeError: for an integer of more than 64 bits.
    """
    if isinstance(value, (bool, np.bool_)):
        return bool_
    if isinstance(value, (int, np.integer)):
        if not -(2**63) <= value < 2**64:
            raise RuntimeError("an integer of more than 64 bits can't be computed with")
        return int64
    if isinstance(value, (float, np.floating)):
        return _Default.dtype
    raise TypeError(f"expected a Tensor, an array or a number, got {type(value).__name__}")


def check_array(array: np.ndarray) -> np.ndarray:
    """`array` itself, of numbers that a Tensor can hold.

    Raises:
        TypeError: for complex numbers, text, dates, objects, and floats of more than 64 bits.
        ValueError: for bytes in the order of another kind of machine.
    """
    if array.dtype.kind not in _CATEGORY or array.dtype.itemsize > 8:
        raise TypeError(f"a Tensor holds real numbers of at most 64 bits, got an array of {array.dtype}")
    if not array.dtype.isnative:
        raise ValueError(f"a Tensor holds numbers in this machine's byte order, got an array of {array.dtype.str}")
    return array


def check_fits(value: Any, dtype: np.dtype) -> None:
    """Raise RuntimeError for a number that `dtype` can't hold: for integers, NaN and infinity are among them.

    Negative integers count down from the largest value in unsigned types, as in PyTorch.
    """
    if isinstance(value, (bool, np.bool_)):
        return
    whole = isinstance(value, (int, np.integer))
    fits = not whole or -(2**63) <= value < 2**64
    if dtype.kind == "f":
        fits &= not float(np.finfo(dtype).max) < abs(value) < np.inf
    elif dtype.kind != "b":
        limits = np.iinfo(dtype)
        fits &= bool((-limits.max if whole and dtype.kind == "u" else limits.min) <= value <= limits.max)
    if not fits:
        raise RuntimeError(f"value {value} cannot be converted to type {dtype} without overflow")


def can_cast(source: np.dtype, target: np.dtype) -> bool:
    """Whether results of dtype `source` may be written in place into `target`: not down a category."""
    return _CATEGORY[source.kind] <= _CATEGORY[target.kind]


def meet(a: np.dtype, b: np.dtype) -> np.dtype:
    """The dtype in which two dtypes of equal rank meet: the higher category, or the wider of one category."""
    if _CATEGORY[a.kind] != _CATEGORY[b.kind]:  # NumPy would widen float32 for the sake of int64
        return max(a, b, key=lambda dtype: _CATEGORY[dtype.kind])
    return np.promote_types(a, b)


def result_type(*operands: Any) -> np.dtype:
    """The dtype that arithmetic between arrays and numbers gives, by PyTorch's rule.

    Arrays with dimensions decide; a 0-dimensional array, and after it a number, has a say only where its
    category (bool < integer < float) is higher than theirs.

    Args:
        operands: NumPy arrays or Python numbers, at least one.

    Raises:
        TypeError: for anything else.
    """
    if len(operands) == 2:  # as nearly always: two arrays of one dtype, or one of real numbers and a number
        a, b = operands
        if type(a) is np.ndarray and a.ndim and a.dtype.kind in _CATEGORY:
            alike = type(b) is np.ndarray and b.ndim and b.dtype == a.dtype
            if alike or (type(b) is float and a.dtype.kind == "f"):
                return a.dtype
    ranks: list[list[np.dtype]] = [[], [], []]  # with dimensions, without, numbers
    for operand in operands:
        if isinstance(operand, np.ndarray):
            if operand.dtype.kind not in _CATEGORY:
                check_array(operand)
            ranks[0 if operand.ndim else 1].append(operand.dtype)
        else:
            ranks[2].append(dtype_of_number(operand))
    meetings = [reduce(meet, dtypes) for dtypes in ranks if dtypes]
    return reduce(lambda a, b: b if _CATEGORY[b.kind] > _CATEGORY[a.kind] else a, meetings)
