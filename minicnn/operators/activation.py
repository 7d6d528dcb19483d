"""Activations: elementwise nonlinearities, and softmax along an axis."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn import kernels
from minicnn.autograd import Operator, Variable
from minicnn.dtypes import as_dtype, float32, float64
from minicnn.operators.arguments import array_argument, numpy_spelling, single_axis
from minicnn.operators.operands import array_of, cast
from minicnn.operators.shape import reshape
from minicnn.operators.unary import Unary


def floating(x: Any, name: str) -> Any:
    """`x` itself, a Tensor or an array of float32 or float64.

    Raises:
        TypeError: for anything else, naming the operation.
    """
    dtype = array_argument(x, name).dtype
    if dtype not in (float32, float64):
        raise TypeError(f"{name} needs float32 or float64, got {dtype}")
    return x


def in_place(input: Any, compute: Callable[[Any], Any]) -> Any:
    """Replace the values of a Tensor or an array by `compute(input)`; returns a Tensor that shows them."""
    tensor = input if isinstance(input, Variable) else Variable._computed(input)
    return tensor._assign(compute)  # type: ignore[attr-defined]


class Relu(Operator):
    """max(x, 0); NaN stays NaN; the gradient at 0 is 0."""

    elementwise = True
    hands_over = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        y = kernels.activation.relu(x, ctx.out)
        ctx.saved = (y,)
        return y

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> np.ndarray:
        return kernels.activation.relu_backward(g, ctx.saved[0], ctx.may_overwrite)


def relu(input: Any, inplace: bool = False) -> Any:
    """max(x, 0), elementwise; its gradient at 0 is 0.

    Args:
        input: any shape, float32 or float64 (integers too, without gradient).
        inplace: replace the values of `input`.

    Returns: a Tensor of the same shape and dtype.

    Raises:
        TypeError: for other dtypes.
    """
    compute: Callable = _integer_relu
    if getattr(array_of(input), "dtype", float32).kind not in "iu":
        floating(input, "relu")
        compute = Relu.apply
    return in_place(input, compute) if inplace else compute(input)


def _integer_relu(x: Any) -> Any:
    return Variable._computed(np.maximum(array_of(x), 0))


class LeakyRelu(Operator):
    """x where x > 0, slope · x elsewhere."""

    elementwise = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, slope: float) -> np.ndarray:
        ctx.slope, ctx.refuses = x.dtype.type(slope), ctx.out is not None and slope < 0
        with np.errstate(all="ignore"):
            y = np.where(x > 0, x, x * ctx.slope)
        if ctx.out is not None:  # the result has the sign of x, which is overwritten
            ctx.out[...] = y
            y = ctx.out
        ctx.saved = (x if ctx.out is None else y,)
        return y

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        if ctx.refuses:  # as PyTorch, which has only the output to tell the sign of x by
            raise RuntimeError("leaky_relu in place has no gradient for a negative slope; leave out inplace=True")
        return np.where(ctx.saved[0] > 0, g, g * ctx.slope), None


def leaky_relu(input: Any, negative_slope: float = 0.01, inplace: bool = False) -> Any:
    """x where x > 0, `negative_slope` · x elsewhere.

    Args:
        input: any shape, float32 or float64.
        negative_slope: a number that the dtype can hold.
        inplace: replace the values of `input`; no gradient then where the slope is negative.

    Raises:
        TypeError: for other dtypes, or where the slope is no number.
        RuntimeError: where the dtype can't hold the slope.
    """
    dtype = array_of(floating(input, "leaky_relu")).dtype
    slope = _slope(negative_slope, dtype)
    if inplace:
        return in_place(input, lambda x: LeakyRelu.apply(x, slope))
    return LeakyRelu.apply(input, slope)


def _slope(value: Any, dtype: np.dtype) -> float:
    """A number, or a Tensor of one element, as a float within `dtype`."""
    value = array_of(value)
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.item()
    if not isinstance(value, (bool, int, float, np.bool_, np.integer, np.floating)):
        raise TypeError(f"leaky_relu needs a number as negative_slope, got {type(value).__name__}")
    magnitude: Any = abs(value)
    if float(np.finfo(dtype).max) < magnitude < np.inf:
        raise RuntimeError(f"negative_slope {value} cannot be converted to {dtype} without overflow")
    return float(value)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    """1 / (1 + e⁻ˣ), without overflow on either side."""
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, small) / (1 + small)


class Sigmoid(Unary):
    """1 / (1 + e⁻ˣ)"""

    function, saves_output = _sigmoid, True

    @staticmethod
    def gradient(g: np.ndarray, y: np.ndarray) -> np.ndarray:
        return g * (1 - y) * y


def sigmoid(input: Any) -> Any:
    """1 / (1 + e⁻ˣ), elementwise."""
    return Sigmoid.call(input)


class Tanh(Unary):
    """tanh x"""

    function, saves_output = np.tanh, True

    @staticmethod
    def gradient(g: np.ndarray, y: np.ndarray) -> np.ndarray:
        return g * (1 - y * y)


def tanh(input: Any) -> Any:
    """tanh x, elementwise."""
    return Tanh.call(input)


class Softmax(Operator):
    """yᵢ = exp(xᵢ − max x) / Σⱼ exp(xⱼ − max x); ∂x = y · (∂y − Σ ∂y·y)"""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, axis: int) -> np.ndarray:
        with np.errstate(all="ignore"):
            e = np.exp(x - x.max(axis, keepdims=True, initial=-np.inf))
            y = e / kernels.sums.over(e, (axis,), True)
        ctx.saved, ctx.axis = (y,), axis
        return y

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        (y,) = ctx.saved
        return y * (g - kernels.sums.over(g * y, (ctx.axis,), True)), None


class LogSoftmax(Operator):
    """yᵢ = xᵢ − max x − ln Σⱼ exp(xⱼ − max x); ∂x = ∂y − exp(y) · Σ ∂y"""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, axis: int) -> np.ndarray:
        with np.errstate(all="ignore"):
            shifted = x - x.max(axis, keepdims=True, initial=-np.inf)
            y = shifted - np.log(kernels.sums.over(np.exp(shifted), (axis,), True))
        ctx.saved, ctx.axis = (y,), axis
        return y

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        return g - np.exp(ctx.saved[0]) * kernels.sums.over(g, (ctx.axis,), True), None


def _along(operator: type[Operator], name: str, x: Any, dim: Any, dtype: Any) -> Any:
    if dtype is not None:
        x = cast(x, as_dtype(dtype))
    array = array_of(floating(x, name))
    axis = single_axis(dim, array.ndim)
    if not array.ndim:  # a number alone is its own axis
        return operator.apply(reshape(x, 1), 0).reshape(())
    return operator.apply(x, axis)


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
