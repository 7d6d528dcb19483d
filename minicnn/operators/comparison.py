"""Comparisons, element by element and of whole tensors; what is finite, infinite, NaN."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn.dtypes import default_float
from minicnn.errors import DtypeError, ShapeError
from minicnn.operators.arguments import array_argument
from minicnn.operators.binary import comparing
from minicnn.operators.binary import without_gradient as without_gradient_of_two
from minicnn.operators.operands import check_broadcast
from minicnn.operators.out import deliver
from minicnn.operators.unary import documented, without_gradient

eq = comparing("eq", "Whether input = other", np.equal)
ne = comparing("ne", "Whether input ≠ other", np.not_equal)
lt = comparing("lt", "Whether input < other", np.less)
le = comparing("le", "Whether input ≤ other", np.less_equal)
gt = comparing("gt", "Whether input > other", np.greater)
ge = comparing("ge", "Whether input ≥ other", np.greater_equal)


def _predicate(name: str, meaning: str, function: Callable, takes_out: bool = False) -> Callable:
    """A function that tells of every element whether something holds, for one row of a table."""

    def call(input: Any) -> Any:
        return without_gradient(function, input)

    def call_with_out(input: Any, *, out: Any = None) -> Any:
        return deliver(without_gradient(function, input), out, same_dtype=True)

    return documented(call_with_out if takes_out else call, name, meaning, "Args:\n    input: any shape.", takes_out)


def is_nan(x: np.ndarray) -> np.ndarray:
    """Whether elements of any dtype are NaN."""
    return x != x


def is_infinite(x: np.ndarray) -> np.ndarray:
    """Whether elements of any dtype are infinite."""
    return np.isin(x, (np.inf, -np.inf))


isnan = _predicate("isnan", "Whether x is NaN", is_nan)
isinf = _predicate("isinf", "Whether x is infinite", is_infinite)
isfinite = _predicate("isfinite", "Whether x is neither infinite nor NaN", np.isfinite)
isposinf = _predicate("isposinf", "Whether x is infinity", lambda x: x == np.inf, True)
isneginf = _predicate("isneginf", "Whether x is negative infinity", lambda x: x == -np.inf, True)
isreal = _predicate("isreal", "Whether x is real: always", lambda x: np.ones_like(x, bool))
signbit = _predicate(
    "signbit",
    "Whether x is negative or a zero or NaN with a minus",
    lambda x: np.signbit(x) if x.dtype.kind == "f" else x < 0,
    True,
)


def equal(input: Any, other: Any) -> bool:
    """Whether two Tensors have one shape and equal elements; NaN equals nothing.

    Raises:
        TypeError: for anything but Tensors and arrays.
    """
    left, right = array_argument(input, "equal"), array_argument(other, "equal")
    return np.array_equal(left, right)


def isclose(input: Any, other: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    """Whether input = other or |input − other| <= atol + |rtol · other|, elementwise.

    Infinity is close to itself alone. Integers and bools are equal, or else close as the default dtype has it.

    Args:
        input, other: Tensors of one dtype whose shapes broadcast together.
        rtol, atol: tolerances, not negative.
        equal_nan: whether NaN counts as equal to NaN.

    Returns: a bool Tensor.

    Raises:
        TypeError: for anything but Tensors and arrays.
        RuntimeError: where the dtypes differ, the shapes don't broadcast, or a tolerance is negative or NaN.
    """
    left, right = array_argument(input, "isclose"), array_argument(other, "isclose")
    if left.dtype != right.dtype:
        raise DtypeError(f"isclose needs Tensors of one dtype, got {left.dtype} and {right.dtype}")
    check_broadcast(left.shape, right.shape)
    for name, tolerance in (("rtol", rtol), ("atol", atol)):
        if not tolerance >= 0:
            raise ShapeError(f"{name} must be greater than or equal to zero, but got {tolerance}")
    return without_gradient_of_two(lambda a, b: _close(a, b, rtol, atol, equal_nan), input, other)


def _close(left: np.ndarray, right: np.ndarray, rtol: float, atol: float, equal_nan: bool) -> np.ndarray:
    close = np.asarray(left == right)
    if equal_nan:
        close |= (left != left) & (right != right)
    if left.dtype.kind != "f" or left.dtype.itemsize == 2:
        left, right = left.astype(default_float()), right.astype(default_float())
    error = np.abs(left - right)
    return close | ((error <= atol + np.abs(rtol * right)) & np.isfinite(error) & bool(rtol or atol))


def allclose(input: Any, other: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> bool:
    """Whether `isclose` of the same arguments holds everywhere."""
    return bool(np.all(isclose(input, other, rtol, atol, equal_nan)._array))
