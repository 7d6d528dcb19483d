"""NumPy's numbers and arrays inside a PyTorch file, read without calling the functions of NumPy's that it names."""

import math
import re
from typing import Any

import numpy as np

SCALAR, RECONSTRUCT = "numpy._core.multiarray.scalar", "numpy._core.multiarray._reconstruct"
OLD_SCALAR, OLD_RECONSTRUCT = "numpy.core.multiarray.scalar", "numpy.core.multiarray._reconstruct"
"""The functions that pickle names, in files of NumPy 2 and of NumPy 1."""


def _as_bytes(data: Any) -> bytes:
    if type(data) is not bytes:
        raise ValueError("it holds a NumPy value whose elements are no bytes")
    return data


class NumpyDtype:
    """A dtype while it is being read: pickle tells the order of its bytes after the rest.

    Args:
        code: NumPy's, such as "f8".
    """

    def __init__(self, code: Any, *_: Any) -> None:
        if type(code) is not str or not re.fullmatch(r"b1|[iu][1248]|f[248]", code):
            raise ValueError(f"it holds NumPy values of type {code!r}, expected booleans, integers or real numbers")
        self.dtype = np.dtype(code)

    def build(self, state: Any) -> "NumpyDtype":
        """The same with its order of bytes."""
        if type(state) is not tuple or len(state) < 2 or state[1] not in ("<", ">", "|", "="):
            raise ValueError("it holds a damaged NumPy dtype")
        self.dtype = self.dtype.newbyteorder(state[1])
        return self


class NumpyArray:
    """An array while it is being read: its contents follow."""

    def build(self, state: Any) -> np.ndarray:
        """The array that pickle's state describes."""
        if type(state) is not tuple or [type(part) for part in state[1:3]] != [tuple, NumpyDtype] or len(state) != 5:
            raise ValueError("it holds a damaged NumPy array")
        _, shape, dtype, fortran, data = state
        if not all(type(size) is int and size >= 0 for size in shape):
            raise ValueError("it holds a NumPy array whose shape is no sizes")
        if math.prod(shape) * dtype.dtype.itemsize != len(_as_bytes(data)):
            raise ValueError(f"it holds a NumPy array of shape {shape} whose {len(data)} bytes don't fit")
        flat = np.frombuffer(data, dtype.dtype).astype(dtype.dtype.newbyteorder("="))
        return flat.reshape(shape, order="F" if fortran else "C")


def scalar(dtype: Any, data: Any) -> Any:
    """A NumPy number of its bytes."""
    if type(dtype) is not NumpyDtype or len(_as_bytes(data)) != dtype.dtype.itemsize:
        raise ValueError("it holds a damaged NumPy number")
    return np.frombuffer(data, dtype.dtype).astype(dtype.dtype.newbyteorder("="))[0]
