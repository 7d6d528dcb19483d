"""float16: computed in float32, and the result rounded once.

The same holds for every operation that computes: arithmetic, elementwise functions, reductions. What only moves
elements, compares them or converts them keeps float16 throughout; the convolution family refuses it.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import numpy as np

from minicnn.autograd import Variable
from minicnn.dtypes import as_dtype, float16, float32, result_type
from minicnn.operators.operands import OPERANDS, array_of, cast
from minicnn.operators.out import deliver

Function = TypeVar("Function", bound=Callable)


def is_half(x: Any) -> bool:
    """Whether `x` is a Tensor or an array of float16."""
    array = array_of(x)
    return isinstance(array, np.ndarray) and array.dtype == float16


def half_in_float32(function: Function) -> Function:
    """`function`, which for Tensors of float16 computes in float32 and rounds its results to float16.

    A call with another `dtype=` says itself what to compute in.
    """

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if args and "dtype" not in kwargs and isinstance(args[0], Variable) and args[0]._array.dtype.char in "fd":
            return function(*args, **kwargs)  # as nearly always
        named = [value for name, value in kwargs.items() if name != "out"]
        arrays = [array_of(x) for x in (*args, *named) if isinstance(x, OPERANDS[:2])]
        dtype = kwargs.get("dtype")
        if dtype is not None and as_dtype(dtype) == float16 and args and arrays:
            args, kwargs["dtype"] = (cast(args[0], float16), *args[1:]), None  # PyTorch converts first, too
        elif dtype is not None or all(array.dtype != float16 for array in arrays) or result_type(*arrays) != float16:
            return function(*args, **kwargs)
        out = kwargs.pop("out", None)
        args, kwargs = (*map(_widened, args),), {name: _widened(value) for name, value in kwargs.items()}
        return deliver(_rounded(function(*args, **kwargs)), out)

    return call  # type: ignore[return-value]


def _widened(x: Any) -> Any:
    return cast(x, float32) if is_half(x) else x


def _rounded(result: Any) -> Any:
    if isinstance(result, Variable):
        return cast(result, float16) if result._array.dtype == float32 else result
    if isinstance(result, tuple):
        parts = map(_rounded, result)
        return type(result)(*parts) if hasattr(result, "_fields") else type(result)(parts)
    return result
