"""Arguments that are ints, or tuples of them."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, TypeVar

import numpy as np

from minicnn.operators.operands import array_of

Function = TypeVar("Function", bound=Callable)


def is_integer(value: Any) -> bool:
    """Whether `value` is an int, an integer of NumPy's, or an integer Tensor of one element."""
    array = array_of(value)
    if isinstance(array, np.ndarray):
        return array.dtype.kind in "iu" and array.size == 1
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def integer_argument(value: Any, operation: str, argument: str) -> int:
    """An int from an argument that is one, an integer of NumPy's or an integer Tensor of one element.

    Raises:
        TypeError: for anything else, bools among them.
    """
    if not is_integer(value):
        raise TypeError(f"{operation} needs {argument} as an int, got {value!r}")
    array = array_of(value)
    return array.item() if isinstance(array, np.ndarray) else int(value)


def integers_argument(values: Any, operation: str, argument: str) -> tuple[int, ...]:
    """Ints from an argument that is a tuple or a list of them, or one of them.

    Raises:
        TypeError: for anything else.
    """
    listed: Sequence = values if isinstance(values, (tuple, list)) else (values,)
    return tuple([integer_argument(value, operation, argument) for value in listed])


def variadic(function: Function) -> Function:
    """`function`, whose second argument is a tuple of ints, called as `f(x, 1, 2)` too."""

    @wraps(function)
    def call(self: Any, *values: Any, **named: Any) -> Any:
        if len(values) > 1 or (values and not isinstance(values[0], (tuple, list))):
            values = (values,)
        return function(self, *values, **named)

    return call  # type: ignore[return-value]
