"""Numbers that arguments stand for: Python's, NumPy's, and those in Tensors of one element."""

from typing import Any

import numpy as np

from minicnn.autograd import Variable


def number(value: Any, name: str) -> Any:
    """A Python number from one of NumPy's, a Tensor without dimensions, or one of its own kind.

    Raises:
        TypeError: for anything else, naming the argument.
    """
    if isinstance(value, Variable) and value._array.ndim == 0 and not value._requires_grad:
        return value._array.item()
    if isinstance(value, (np.bool_, np.integer, np.floating)):
        return value.item()
    if isinstance(value, complex):
        raise TypeError(f"{name} must be a real number, there are no complex tensors; got {value!r}")
    if not isinstance(value, (bool, int, float)):
        raise TypeError(f"{name} must be a number, got {type(value).__name__}")
    return value


def integer(value: Any, name: str) -> int:
    """An int, or the one in a Tensor of one element or an array without dimensions.

    Raises:
        TypeError: for anything else, bools among them.
    """
    array = value._array if isinstance(value, Variable) else value
    single = isinstance(array, np.ndarray) and array.dtype.kind in "iu"
    single = single and array.shape in ((), (1,) if isinstance(value, Variable) else ())
    result = array.item() if single else number(value, name)
    if isinstance(result, bool) or not isinstance(result, int):
        raise TypeError(f"{name} must be an int, got {value!r}")
    return result
