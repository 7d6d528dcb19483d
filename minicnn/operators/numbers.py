"""Arguments that are numbers, ints, or tuples of them."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, TypeVar

import numpy as np

from minicnn.autograd import Variable
from minicnn.operators.operands import array_of

Function = TypeVar("Function", bound=Callable)


def is_integer(value: Any) -> bool:
    """Whether `value` is an int or stands for one: NumPy's, an array without dimensions, a Tensor of one number."""
    array = array_of(value)
    if isinstance(array, np.ndarray):
        return array.dtype.kind in "iu" and array.shape in (((), (1,)) if isinstance(value, Variable) else ((),))
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
