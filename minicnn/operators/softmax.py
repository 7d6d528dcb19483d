"""Softmax and its kin along one axis."""

from typing import Any

import numpy as np

from minicnn import kernels
from minicnn.autograd import Operator
from minicnn.dtypes import as_dtype
from minicnn.operators.activation import floating
from minicnn.operators.arguments import numpy_spelling, single_axis
from minicnn.operators.half import half_in_float32
from minicnn.operators.operands import alone, array_of, cast
from minicnn.operators.shape import reshape


class Softmax(Operator):
    """yᵢ = exp(xᵢ − max x) / Σⱼ exp(xⱼ − max x); ∂x = y · (∂y − Σ ∂y·y)"""

    hands_over = True
    logarithm = False

    @classmethod
    def forward(cls, ctx: Any, x: np.ndarray, axis: int) -> np.ndarray:
        y = kernels.softmax.softmax(x, axis, cls.logarithm)
        ctx.saved, ctx.axis = (y,), axis
        return y

    @classmethod
    def backward(cls, ctx: Any, g: np.ndarray) -> np.ndarray:
        return kernels.softmax.gradient(g, ctx.saved[0], ctx.axis, cls.logarithm)

    @classmethod
    def backward_recorded(cls, ctx: Any, g: Any) -> tuple:
        (y,) = ctx.tensors()
        if cls.logarithm:
            return g - y.exp() * g.sum(ctx.axis, keepdim=True)
        return y * (g - (g * y).sum(ctx.axis, keepdim=True))


class LogSoftmax(Softmax):
    """yᵢ = xᵢ − max x − ln Σⱼ exp(xⱼ − max x); ∂x = ∂y − exp(y) · Σ ∂y"""

    logarithm = True


def _along(operator: type[Operator], name: str, x: Any, dim: Any, dtype: Any) -> Any:
    if dtype is not None:
        x = cast(x, as_dtype(dtype))
    array = array_of(floating(x, name))
    axis = single_axis(dim, array.ndim)
    if not array.ndim:  # a number alone is its own axis
        return alone(operator.apply(reshape(x, 1), 0).reshape(()))
    return operator.apply(x, axis)


@half_in_float32
@numpy_spelling
def softmax(input: Any, dim: int, dtype: Any = None) -> Any:
    """exp(xᵢ) / Σⱼ exp(xⱼ) along `dim`, computed from x − max x so that nothing overflows.

    Args:
        input: any shape, float32 or float64.
        dim: the axis along which the results add up to 1; `axis` is the same.
        dtype: convert to it first.

    Raises:
        TypeError: for other dtypes, or without `dim`.
        IndexError: for a `dim` out of range.
    """
    return _along(Softmax, "softmax", input, dim, dtype)


@half_in_float32
@numpy_spelling
def log_softmax(input: Any, dim: int, dtype: Any = None) -> Any:
    """ln softmax, computed as x − max x − ln Σ exp(x − max x), exact where softmax itself rounds to 0.

    Args:
        input: any shape, float32 or float64.
        dim: the axis along which the exponentials of the results add up to 1; `axis` is the same.
        dtype: convert to it first.

    Raises:
        TypeError: for other dtypes, or without `dim`.
        IndexError: for a `dim` out of range.
    """
    return _along(LogSoftmax, "log_softmax", input, dim, dtype)
