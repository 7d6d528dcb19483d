"""Whether two whole tensors agree."""

from typing import Any

import numpy as np

from minicnn.dtypes import float32
from minicnn.operators.arguments import array_argument
from minicnn.operators.operands import check_broadcast


def equal(input: Any, other: Any) -> bool:
    """Whether two Tensors have one shape and equal elements; NaN equals nothing.

    Raises:
        TypeError: for anything but Tensors and arrays.
    """
    left, right = array_argument(input, "equal"), array_argument(other, "equal")
    return np.array_equal(left, right)


def allclose(input: Any, other: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> bool:
    """Whether input = other or |input − other| <= atol + |rtol · other| everywhere.

    Infinity is close to itself alone. Integers and bools are equal, or else close as float32 has it.

    Args:
        input, other: Tensors of one dtype whose shapes broadcast together.
        rtol, atol: tolerances, not negative.
        equal_nan: whether NaN counts as equal to NaN.

    Raises:
        TypeError: for anything but Tensors and arrays.
        RuntimeError: where the dtypes differ.
        ValueError: where the shapes don't broadcast, or a tolerance is negative or NaN.
    """
    left, right = array_argument(input, "allclose"), array_argument(other, "allclose")
    if left.dtype != right.dtype:
        raise RuntimeError(f"allclose needs Tensors of one dtype, got {left.dtype} and {right.dtype}")
    check_broadcast(left.shape, right.shape)
    for name, tolerance in (("rtol", rtol), ("atol", atol)):
        if not tolerance >= 0:
            raise ValueError(f"{name} must be greater than or equal to zero, but got {tolerance}")
    close = left == right
    if equal_nan:
        close |= (left != left) & (right != right)
    if left.dtype.kind != "f":
        left, right = left.astype(float32), right.astype(float32)
    with np.errstate(all="ignore"):
        error = np.abs(left - right)
        close |= (error <= atol + np.abs(rtol * right)) & np.isfinite(error) & bool(rtol or atol)
    return bool(np.all(close))
