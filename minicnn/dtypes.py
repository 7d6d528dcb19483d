"""The element types, and the type two operands meet in.

Element types are NumPy's own `dtype` objects under PyTorch's names. PyTorch differs from NumPy in what
arithmetic returns: a `float32` tensor keeps its type beside an `int64` tensor or a Python float, because
operands first compete by category (bool < integer < float) and by whether they have dimensions at all.
"""

from typing import Any

import numpy as np

float32 = np.dtype("float32")
float64 = np.dtype("float64")
int64 = np.dtype("int64")
uint8 = np.dtype("uint8")
bool_ = np.dtype("bool")

_CATEGORY = {"b": 0, "u": 1, "i": 1, "f": 2}


def as_dtype(dtype: Any) -> np.dtype:
    """The NumPy dtype meant by `dtype`: a NumPy dtype or type, a name, or Python's float, int or bool.

    Raises:
        TypeError: for anything that isn't a real number type.
    """
    if dtype is float:  # PyTorch's default float is float32
        return float32
    try:
        result = np.dtype(dtype)
    except TypeError:
        raise TypeError(f"dtype must be a number type such as minicnn.float32, got {dtype!r}") from None
    if dtype is None or result.kind not in _CATEGORY:
        raise TypeError(f"dtype must be a number type such as minicnn.float32, got {dtype!r}")
    return result


def _scalar_dtype(value: Any) -> np.dtype:
    if isinstance(value, (bool, np.bool_)):
        return bool_
    return int64 if isinstance(value, (int, np.integer)) else float32


def _meet(a: np.dtype | None, b: np.dtype | None) -> np.dtype | None:
    if a is None or b is None:
        return a or b
    if _CATEGORY[a.kind] != _CATEGORY[b.kind]:  # NumPy would widen float32 for the sake of int64
        return max(a, b, key=lambda dtype: _CATEGORY[dtype.kind])
    return np.promote_types(a, b)


def result_type(*operands: Any) -> np.dtype:
    """The dtype that arithmetic between arrays, 0-dimensional arrays and Python numbers gives, by PyTorch's rule.

    Arrays with dimensions decide; a 0-dimensional array or a Python number has a say only where its
    category (bool < integer < float) is higher than theirs.

    Args:
        operands: NumPy arrays or Python numbers.
    """
    ranks: list[np.dtype | None] = [None, None, None]  # with dimensions, 0-dimensional, Python numbers
    for operand in operands:
        if isinstance(operand, np.ndarray):
            rank = 0 if operand.ndim else 1
            ranks[rank] = _meet(ranks[rank], operand.dtype)
        else:
            ranks[2] = _meet(ranks[2], _scalar_dtype(operand))
    result: np.dtype | None = None
    for dtype in ranks:
        if result is None or (dtype is not None and _CATEGORY[dtype.kind] > _CATEGORY[result.kind]):
            result = dtype
    assert result is not None
    return result
