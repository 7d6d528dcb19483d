"""conv2d and its transpose."""

from typing import Any

import numpy as np

from minicnn import kernels
from minicnn.autograd import Operator
from minicnn.kernels.geometry import Geometry, convolution_geometry, transposed_geometry
from minicnn.kernels.memory import channels_first, channels_last
from minicnn.nn.functional.images import batched, image_size
from minicnn.operators.operands import array_of


class Conv2d(Operator):
    """y = x ∗ weight + bias"""

    hands_over = True

    @staticmethod
    def forward(
        ctx: Any,
        x: np.ndarray,
        weight: np.ndarray,
        bias: np.ndarray | None,
        geometry: Geometry,
        groups: int,
        algorithm: str,
    ) -> np.ndarray:
        ctx.saved = channels_last(x), weight
        ctx.geometry, ctx.groups = geometry, groups
        ctx.algorithm = kernels.convolution.select(algorithm, geometry, x.shape[1], len(weight), groups)
        return channels_first(ctx.algorithm.forward(ctx.saved[0], weight, bias, geometry))

    @staticmethod
    def backward(ctx: Any, grad_output: np.ndarray) -> tuple:
        x, weight = ctx.saved
        g = channels_last(grad_output)
        by_x = by_weight = by_bias = None
        needs_x, needs_weight, needs_bias, *_ = ctx.needs_input_grad
        if needs_x:
            by_x = channels_first(ctx.algorithm.grad_input(g, weight, ctx.geometry, ctx.groups))
        if needs_weight and needs_bias:
            by_weight, by_bias = kernels.convolution.grad_parameters(ctx.algorithm, x, g, ctx.geometry, ctx.groups)
        elif needs_weight:
            by_weight = ctx.algorithm.grad_weight(x, g, ctx.geometry, ctx.groups)
        elif needs_bias:
            by_bias = kernels.sums.column_sums(g.reshape(-1, g.shape[3]))
        return by_x, by_weight, by_bias, None, None, None


class ConvTranspose2d(Operator):
    """The gradient by input of a convolution, as an operation of its own; its gradient is that convolution."""

    hands_over = True

    @staticmethod
    def forward(
        ctx: Any,
        x: np.ndarray,
        weight: np.ndarray,
        bias: np.ndarray | None,
        geometry: Geometry,
        groups: int,
        algorithm: str,
    ) -> np.ndarray:
        ctx.saved = channels_last(x), weight
        ctx.geometry, ctx.groups = geometry, groups
        ctx.algorithm = kernels.convolution.select(algorithm, geometry, weight.shape[1] * groups, len(weight), groups)
        y = ctx.algorithm.grad_input(ctx.saved[0], weight, geometry, groups)
        if bias is not None:
            y += bias
        return channels_first(y)

    @staticmethod
    def backward(ctx: Any, grad_output: np.ndarray) -> tuple:
        x, weight = ctx.saved
        g = channels_last(grad_output)
        by_x = by_weight = by_bias = None
        if ctx.needs_input_grad[0]:
            by_x = channels_first(ctx.algorithm.forward(g, weight, None, ctx.geometry))
        if ctx.needs_input_grad[1]:
            by_weight = ctx.algorithm.grad_weight(g, x, ctx.geometry, ctx.groups)
        if ctx.needs_input_grad[2]:
            by_bias = kernels.sums.column_sums(g.reshape(-1, g.shape[3]))
        return by_x, by_weight, by_bias, None, None, None


def _check_weights(name: str, x: Any, weight: Any, bias: Any, groups: Any, transposed: bool) -> None:
    """Raise unless weight, bias and groups fit x, naming what doesn't."""
    arrays = {"input": array_of(x), "weight": array_of(weight)}
    if bias is not None:
        arrays["bias"] = array_of(bias)
    for argument, array in arrays.items():
        if not isinstance(array, np.ndarray):
            raise TypeError(f"{name} needs {argument} to be a Tensor or an ndarray, got {type(array).__name__}")
    if any(array.dtype != arrays["input"].dtype for array in arrays.values()):
        found = ", ".join(f"{argument} {array.dtype}" for argument, array in arrays.items())
        raise TypeError(f"{name} needs one dtype, got {found}")
    shape, w = arrays["input"].shape, arrays["weight"].shape
    if len(w) != 4:
        raise ValueError(f"{name} needs weight with 4 dimensions, got shape {tuple(w)}")
    if not isinstance(groups, (int, np.integer)) or isinstance(groups, bool):
        raise TypeError(f"groups must be an int, got {groups!r}")
    if groups < 1 or w[0] % groups:
        raise ValueError(f"groups must be at least 1 and divide weight's first dimension, got {groups} and {tuple(w)}")
    if 0 in w:
        raise ValueError(f"{name} needs weight without empty dimensions, got shape {tuple(w)}")
    expected = w[0] if transposed else w[1] * groups
    if shape[-3] != expected:
        raise ValueError(
            f"{name} with weight of shape {tuple(w)} and groups={groups} needs input of {expected} channels, got "
            f"shape {tuple(shape)}"
        )
    outputs = w[1] * groups if transposed else w[0]
    if bias is not None and arrays["bias"].shape != (outputs,):
        raise ValueError(f"{name} needs bias of shape ({outputs},), got {tuple(arrays['bias'].shape)}")


def conv2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
    *,
    algorithm: str = "auto",
) -> Any:
    """Two-dimensional convolution (cross-correlation, as everywhere in deep learning):

        y[n, o, i, j] = bias[o] + Σ over c, p, q of x[n, c, i·s − P + p·d, j·s − P + q·d] · weight[o, c, p, q]

    Args:
        input: (N, C, H, W) or (C, H, W), float32 or float64.
        weight: (O, C/groups, KH, KW), of the same dtype.
        bias: (O,) or None.
        stride, dilation: int or pair, at least 1.
        padding: int or pair of zeros on both sides; "valid" for none; "same" for an output as large as the
            input (stride 1 only; an odd remainder goes to the bottom and right).
        groups: into how many independent parts channels and outputs are divided.
        algorithm: "auto", or by name: "naive", "im2col", "implicit", "winograd" (3×3, stride 1), "fft".

    Returns: (N, O, OH, OW) or (O, OH, OW), channels-last in memory, with
        OH = ⌊(H + padding − dilation · (KH − 1) − 1) / stride⌋ + 1.

    Raises:
        ValueError: for shapes or values that don't fit, naming them.
        TypeError: for other or mixed dtypes.
    """
    size = image_size(input, "conv2d")
    _check_weights("conv2d", input, weight, bias, groups, transposed=False)
    geometry = convolution_geometry(size, array_of(weight).shape[2:], stride, padding, dilation)
    return batched(lambda x: Conv2d.apply(x, weight, bias, geometry, int(groups), algorithm), input)


def conv_transpose2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
    *,
    algorithm: str = "auto",
) -> Any:
    """Transposed convolution: the gradient by input of `conv2d`, as an operation of its own.

    Args:
        input: (N, C, H, W) or (C, H, W), float32 or float64.
        weight: (C, O/groups, KH, KW), of the same dtype.
        bias: (O,) or None.
        stride, padding, dilation: those of the convolution it transposes.
        output_padding: int or pair, added to one side of the output; smaller than stride or dilation.
        groups: into how many independent parts channels and outputs are divided.
        algorithm: "auto", or by name: "naive", "im2col", "implicit", "winograd" (3×3, stride 1), "fft".

    Returns: (N, O, OH, OW) or (O, OH, OW), OH = (H − 1) · stride − 2 · padding + dilation · (KH − 1) +
        output_padding + 1.

    Raises:
        ValueError: for shapes or values that don't fit, naming them.
        TypeError: for other or mixed dtypes.
    """
    size = image_size(input, "conv_transpose2d")
    _check_weights("conv_transpose2d", input, weight, bias, groups, transposed=True)
    kernel = array_of(weight).shape[2:]
    geometry = transposed_geometry(size, kernel, stride, padding, output_padding, dilation)
    return batched(lambda x: ConvTranspose2d.apply(x, weight, bias, geometry, int(groups), algorithm), input)
