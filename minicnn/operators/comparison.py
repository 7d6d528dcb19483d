"""Whether two whole tensors agree."""

from typing import Any

import numpy as np

from minicnn.operators.operands import array_of


def equal(input: Any, other: Any) -> bool:
    """Whether two Tensors have one shape and equal elements; NaN equals nothing.

    Raises:
        TypeError: for anything but Tensors and arrays.
    """
    left, right = _arrays(input, other)
    return np.array_equal(left, right)


def allclose(input: Any, other: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> bool:
    """Whether |input − other| <= atol + rtol · |other| everywhere.

    Raises:
        TypeError: for anything but Tensors and arrays.
        RuntimeError: where the dtypes differ.
        ValueError: where the shapes don't broadcast.
    """
    left, right = _arrays(input, other)
    if left.dtype != right.dtype:
        raise RuntimeError(f"allclose needs Tensors of one dtype, got {left.dtype} and {right.dtype}")
    return np.allclose(left, right, rtol, atol, equal_nan)


def _arrays(*operands: Any) -> list[np.ndarray]:
    arrays = [array_of(operand) for operand in operands]
    for array in arrays:
        if not isinstance(array, np.ndarray):
            raise TypeError(f"expected a Tensor, got {type(array).__name__}")
    return arrays
