"""Activations: elementwise nonlinearities, and softmax along an axis."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn import kernels
from minicnn.autograd import Operator, Variable
from minicnn.dtypes import as_dtype, float32, float64
from minicnn.kernels import sums
from minicnn.operators.elementwise import Unary
from minicnn.operators.operands import array_of, cast
from minicnn.operators.reduction import normalize_dims


def floating(x: Any, name: str) -> Any:
    """`x` itself, a Tensor or an array of float32 or float64.

    Raises:
        TypeError: for anything else, naming the operation.
    """
    array = array_of(x)
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{name} needs a Tensor or an ndarray, got {type(x).__name__}")
    if array.dtype not in (float32, float64):
        raise TypeError(f"{name} needs float32 or float64, got {array.dtype}")
    return x


class Relu(Operator):
    """max(x, 0); NaN stays NaN; the gradient at 0 is 0."""

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
    return input._assign(compute) if inplace else compute(input)


def _integer_relu(x: Any) -> Any:
    return Variable.result_class(np.maximum(array_of(x), 0))


class LeakyRelu(Operator):
    """x where x > 0, slope · x elsewhere."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, slope: float) -> np.ndarray:
        ctx.saved, ctx.slope = (x,), x.dtype.type(slope)
        with np.errstate(all="ignore"):
            return np.where(x > 0, x, x * ctx.slope)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        return np.where(ctx.saved[0] > 0, g, g * ctx.slope), None


def leaky_relu(input: Any, negative_slope: float = 0.01, inplace: bool = False) -> Any:
    """x where x > 0, `negative_slope` · x elsewhere.

    Args:
        input: any shape, float32 or float64.
        inplace: replace the values of `input`.
    """
    floating(input, "leaky_relu")
    if inplace:
        return input._assign(lambda x: LeakyRelu.apply(x, negative_slope))
    return LeakyRelu.apply(input, negative_slope)


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
            y = e / sums.over(e, (axis,), True)
        ctx.saved, ctx.axis = (y,), axis
        return y

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        (y,) = ctx.saved
        return y * (g - sums.over(g * y, (ctx.axis,), True)), None


class LogSoftmax(Operator):
    """yᵢ = xᵢ − max x − ln Σⱼ exp(xⱼ − max x); ∂x = ∂y − exp(y) · Σ ∂y"""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, axis: int) -> np.ndarray:
        with np.errstate(all="ignore"):
            shifted = x - x.max(axis, keepdims=True, initial=-np.inf)
            y = shifted - np.log(sums.over(np.exp(shifted), (axis,), True))
        ctx.saved, ctx.axis = (y,), axis
        return y

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        return g - np.exp(ctx.saved[0]) * sums.over(g, (ctx.axis,), True), None


def _along(operator: type[Operator], name: str, x: Any, dim: int | None, dtype: Any) -> Any:
    if dtype is not None:
        x = cast(x, as_dtype(dtype))
    floating(x, name)
    array = array_of(x)
    if not isinstance(dim, (int, np.integer)):
        raise TypeError(f"{name} needs dim=, the axis along which the probabilities add up to 1, got {dim!r}")
    axes = normalize_dims(dim, array.ndim)
    if not axes:  # a number alone is its own axis
        return operator.apply(x.reshape(1), 0).reshape(())
    return operator.apply(x, axes[0])


def softmax(input: Any, dim: int | None = None, *, dtype: Any = None) -> Any:
    """exp(xᵢ) / Σⱼ exp(xⱼ) along `dim`, computed from x − max x so that nothing overflows.

    Args:
        input: any shape, float32 or float64.
        dim: the axis along which the results add up to 1.
        dtype: convert to it first.

    Raises:
        TypeError: for other dtypes, or without `dim`.
        IndexError: for a `dim` out of range.
    """
    return _along(Softmax, "softmax", input, dim, dtype)


def log_softmax(input: Any, dim: int | None = None, *, dtype: Any = None) -> Any:
    """ln softmax, computed as x − max x − ln Σ exp(x − max x), exact where softmax itself rounds to 0.

    Args:
        input: any shape, float32 or float64.
        dim: the axis along which the exponentials of the results add up to 1.
        dtype: convert to it first.

    Raises:
        TypeError: for other dtypes, or without `dim`.
        IndexError: for a `dim` out of range.
    """
    return _along(LogSoftmax, "log_softmax", input, dim, dtype)
