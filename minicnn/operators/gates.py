"""Activations with a second operand: slopes that are learned or drawn, and gates."""

from typing import Any

import numpy as np

from minicnn import kernels
from minicnn.autograd import Operator
from minicnn.autograd.graph import entitled
from minicnn.errors import DtypeError, ShapeError
from minicnn.operators.activation import LeakyRelu, floating, in_place, number_argument, sigmoid
from minicnn.operators.arguments import single_axis
from minicnn.operators.arithmetic import Multiply
from minicnn.operators.operands import array_of, tensor_array
from minicnn.operators.quiet import quietly
from minicnn.operators.shape import reshape
from minicnn.operators.tracing import Traceable
from minicnn.random import numpy_generator


class Prelu(Traceable, Operator):
    """x where x > 0, slope · x elsewhere; ∂slope = ∂y · x where x isn't above 0."""

    elementwise = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, slope: np.ndarray) -> np.ndarray:
        ctx.saved = x, slope
        if not x.size:
            return np.empty_like(x)
        return kernels.prelu.forward(kernels.memory.read(x), kernels.memory.read(slope.reshape(-1)))

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        x, slope = ctx.saved
        if isinstance(x, np.ndarray) and x.size:
            slopes = kernels.memory.read(slope.reshape(-1))
            return kernels.prelu.backward(g, kernels.memory.read(x), slopes, ctx.needs_input_grad[1])
        positive = x > 0  # of Tensors, for gradients of gradients
        by_x = np.where(positive, g, g * slope)
        return by_x, np.where(positive, 0, g * x) if ctx.needs_input_grad[1] else None


def prelu(input: Any, weight: Any) -> Any:
    """x where x > 0, `weight` · x elsewhere, with the slope learned (He et al., 2015).

    Args:
        input: (N, C, …), float32 or float64.
        weight: one slope, or one for each channel, (C,); of the input's dtype.

    Raises:
        ShapeError: where there are neither one nor C slopes.
        DtypeError: where the dtypes differ.
    """
    x, slope = array_of(floating(input, "prelu")), tensor_array(weight, "prelu", "weight")
    if slope.dtype != x.dtype:
        raise DtypeError(f"prelu needs weight of the input's dtype {x.dtype}, got {slope.dtype}")
    if slope.ndim > 1:
        raise ShapeError(f"prelu needs weight of shape (), (1,) or (C,), got {tuple(slope.shape)}")
    channels = x.shape[1] if x.ndim > 1 else 1
    if slope.size != 1 and (slope.size != channels or not x.ndim):
        raise ShapeError(f"prelu needs 1 or {channels} slopes for input {tuple(x.shape)}, got {slope.size}")
    if x.ndim < 2:
        shape: tuple[int, ...] = (1,) * x.ndim
    else:
        shape = (1, slope.size, *[1] * (x.ndim - 2))
    return Prelu.apply(input, reshape(weight, shape))


class MeanLeakyRelu(LeakyRelu):
    """x where x > 0, slope · x elsewhere; in row-major order, whatever the order of x, as in PyTorch."""

    elementwise = False


class RandomLeakyRelu(Operator):
    """x · noise, where noise is 1 above 0 and a drawn slope elsewhere; in row-major order."""

    hands_over = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, lower: float, upper: float) -> np.ndarray:
        drawn = numpy_generator().uniform(lower, upper, x.shape)
        noise = np.where(x <= 0, drawn, 1).astype(x.dtype)
        ctx.saved = (noise,)
        return quietly(np.multiply, x, noise)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        return g * ctx.saved[0]

    @staticmethod
    def again(ctx: Any, x: np.ndarray) -> np.ndarray:
        return x * ctx.saved[0]


def rrelu(
    input: Any, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False, inplace: bool = False
) -> Any:
    """x where x > 0, elsewhere x times a slope drawn evenly from [`lower`, `upper`] for every element.

    Xu et al., "Empirical Evaluation of Rectified Activations in Convolutional Network", 2015.

    Args:
        input: any shape, float32 or float64.
        training: whether to draw; otherwise the slope is (`lower` + `upper`) / 2.
        inplace: replace the values of `input`.

    Raises:
        RuntimeError: where `lower` exceeds `upper`.
    """
    dtype = array_of(floating(input, "rrelu")).dtype
    low, high = number_argument(lower, "rrelu", "lower", dtype), number_argument(upper, "rrelu", "upper", dtype)
    if not low <= high:
        raise RuntimeError(f"rrelu needs lower to be at most upper, got {lower} and {upper}")
    if not training:
        slope = number_argument((low + high) / 2, "rrelu", "slope", dtype)
        return in_place(input, lambda x: LeakyRelu.apply(x, slope)) if inplace else MeanLeakyRelu.apply(input, slope)
    if not (np.isfinite(low) and np.isfinite(high)):
        raise RuntimeError(f"rrelu needs finite bounds, got {lower} and {upper}")

    def compute(x: Any) -> Any:
        return RandomLeakyRelu.apply(x, low, high)

    return in_place(input, compute) if inplace else compute(input)


def rrelu_(input: Any, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False) -> Any:
    """`rrelu` with `inplace=True`."""
    return rrelu(input, lower, upper, training, True)


@entitled("GluBackward0")
def glu(input: Any, dim: int = -1) -> Any:
    """a · sigmoid(b), where a and b are the halves of `input` along `dim` (Dauphin et al., 2017).

    Args:
        input: float32 or float64, of an even size along `dim`.

    Raises:
        ShapeError: for a number alone, or an odd size.
        IndexError: for a `dim` out of range.
    """
    x = array_of(floating(input, "glu"))
    if not x.ndim:
        raise ShapeError("glu halves a dimension, and a number has none")
    axis = single_axis(dim, x.ndim)
    size = x.shape[axis]
    if size % 2:
        raise ShapeError(f"glu needs an even size, but dimension {axis} of {tuple(x.shape)} is {size}")
    half = (slice(None),) * axis
    tensor = reshape(input, x.shape)
    return Multiply.call(tensor[(*half, slice(size // 2))], sigmoid(tensor[(*half, slice(size // 2, size))]))
