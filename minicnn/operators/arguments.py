"""What functions do about their arguments before they look at them: whose Tensor it is, and NumPy's names for `dim`."""

from collections.abc import Callable
from functools import wraps
from operator import index
from typing import Any, TypeVar

import numpy as np

from minicnn.autograd import Variable

Function = TypeVar("Function", bound=Callable)

NUMPY_NAMES = {"axis": "dim", "keepdims": "keepdim"}


def numpy_spelling(function: Function) -> Function:
    """`function`, whose `dim` may be called `axis` too and whose `keepdim` may be called `keepdims`, as in PyTorch.

    Raises, when called:
        TypeError: for an argument under both its names.
    """

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        for name in NUMPY_NAMES.keys() & kwargs.keys() if kwargs else ():
            if NUMPY_NAMES[name] in kwargs:
                raise TypeError(f"{function.__name__} got one argument as {name!r} and as {NUMPY_NAMES[name]!r}")
            kwargs[NUMPY_NAMES[name]] = kwargs.pop(name)
        return function(*args, **kwargs)

    return call  # type: ignore[return-value]


def array_argument(x: Any, name: str) -> np.ndarray:
    """The array of `x`, a Tensor or an array.

    Raises:
        TypeError: for anything else, naming the operation.
    """
    array = x._array if isinstance(x, Variable) else x
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{name} needs a Tensor or an ndarray, got {type(x).__name__}")
    return array


def single_axis(dim: Any, ndim: int) -> int:
    """`dim`, an int or an integer Tensor of one element, as an axis of `ndim`; a number has one axis.

    Raises:
        TypeError: for anything else.
        IndexError: out of range.
    """
    if isinstance(dim, bool) or not hasattr(dim, "__index__"):
        raise TypeError(f"dim must be an int, got {dim!r}")
    axis, limit = index(dim), max(ndim, 1)
    if not -limit <= axis < limit:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-limit}, {limit - 1}], but got {dim})")
    return axis % limit
