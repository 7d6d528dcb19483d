"""Pooling: the largest or the mean of every window."""

from typing import Any

import numpy as np

from minicnn import kernels
from minicnn.autograd import Operator
from minicnn.autograd.graph import entitled
from minicnn.autograd.storage import stand_for
from minicnn.kernels.geometry import INT64, Geometry, integer, pair
from minicnn.kernels.memory import channels_first, channels_last
from minicnn.nn.functional.geometry import pooling_geometry
from minicnn.nn.functional.images import batched, image_size
from minicnn.operators.activation import floating, relu
from minicnn.operators.operands import array_of, described
from minicnn.operators.reduction import mean
from minicnn.operators.rounding import sign


class MaxPool2d(Operator):
    """The maxima of windows and, if wanted, their positions in the H·W image.

    As in PyTorch x may not be changed before the backward, though that reads the positions alone.
    """

    hands_over = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, geometry: Geometry, positions: bool) -> Any:
        y, where = kernels.pooling.max_forward(channels_last(x), geometry)
        ctx.saved, ctx.size, ctx.geometry = (where,), geometry.input_size, geometry
        ctx.freezes = True
        return (channels_first(y), channels_first(where)) if positions else channels_first(y)

    @staticmethod
    def backward(ctx: Any, grad_output: np.ndarray) -> np.ndarray:
        grad_x = kernels.pooling.scatter(channels_last(grad_output), ctx.saved[0], ctx.size, ctx.geometry)
        return channels_first(grad_x)

    @staticmethod
    def backward_recorded(ctx: Any, g: Any, *_: Any) -> tuple:
        def back(x: np.ndarray) -> np.ndarray:
            N, H, W, C = ctx.saved[0].shape
            pixels = channels_last(x).reshape(N, -1, C)
            picked = np.take_along_axis(pixels, ctx.saved[0].reshape(N, -1, C), 1)
            return channels_first(picked.reshape(N, H, W, C))

        return ctx.linear(g, back)


def _unpooled(x: np.ndarray, where: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Pixels put back to where they lay in an image of zeros."""
    N, C, H, W = x.shape
    image = np.zeros((N, C, size[0] * size[1]), x.dtype)
    if image.size:
        np.put_along_axis(image, where.reshape(N, C, H * W), x.reshape(N, C, H * W), 2)
    return image.reshape(N, C, *size)


class MaxUnpool2d(Operator):
    """Values put at their positions in an image of zeros."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, where: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        ctx.saved, ctx.size = (where,), size
        return _unpooled(x, where, size)

    @staticmethod
    def backward(ctx: Any, grad_output: np.ndarray) -> np.ndarray:
        (where,) = ctx.saved
        N, C, H, W = grad_output.shape
        if not grad_output.size:
            return np.zeros(where.shape, grad_output.dtype)
        positions = where.reshape(N, C, where.shape[2] * where.shape[3])
        picked = np.take_along_axis(grad_output.reshape(N, C, H * W), positions, 2)
        return picked.reshape(where.shape)

    @staticmethod
    def backward_recorded(ctx: Any, g: Any) -> tuple:
        (where,) = ctx.saved

        def back(x: np.ndarray) -> np.ndarray:  # pixels that lay in one place add up, though the forward keeps one
            N, C, H, W = x.shape
            values, places = (channels_last(one.reshape(N, C, H, W)) for one in (x, where))
            return channels_first(kernels.pooling.scatter(values, places, ctx.size))

        return ctx.linear(g, back)


class AdaptiveMaxPool2d(Operator):
    """The maxima of windows that divide the image into a given number of parts."""

    hands_over = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, output_size: tuple[int, int], positions: bool) -> Any:
        size = x.shape[2:]
        y, where = kernels.pooling.adaptive_max_forward(channels_last(x), output_size)
        ctx.saved, ctx.size, ctx.geometry = (where,), size, None
        ctx.freezes = True
        return (channels_first(y), channels_first(where)) if positions else channels_first(y)

    @staticmethod
    def backward(ctx: Any, grad_output: np.ndarray) -> np.ndarray:
        _refuse_no_positions(grad_output)
        return MaxPool2d.backward(ctx, grad_output)

    backward_recorded = MaxPool2d.backward_recorded


def _indices(where: Any) -> Any:
    """The positions as int64, for the program; where it changes them, the backward is refused."""
    indices = where.long()
    stand_for(indices, where)
    return indices


def _refuse_no_positions(grad_output: np.ndarray) -> None:
    """Raise RuntimeError for the gradient of an adaptive pooling to an output without rows or columns."""
    if 0 in grad_output.shape[2:]:
        raise RuntimeError(f"adaptive pooling has no gradient for an output of shape {grad_output.shape}")


class AveragePool2d(Operator):
    """Σ over each window / divisor; as in PyTorch x may not be changed before the backward"""

    hands_over = True

    @staticmethod
    def forward(
        ctx: Any, x: np.ndarray, rows: np.ndarray, columns: np.ndarray, divisor: np.ndarray, freezes: bool
    ) -> np.ndarray:
        ctx.windows, ctx.size, ctx.freezes = (rows, columns, divisor), x.shape[2:], freezes
        return channels_first(kernels.pooling.average_forward(channels_last(x), rows, columns, divisor))

    @staticmethod
    def backward(ctx: Any, grad_output: np.ndarray) -> np.ndarray:
        _refuse_no_positions(grad_output)
        rows, columns, divisor = ctx.windows
        grad_x = kernels.pooling.average_backward(channels_last(grad_output), rows, columns, divisor, ctx.size)
        return channels_first(grad_x)

    @staticmethod
    def again(ctx: Any, x: np.ndarray) -> np.ndarray:
        return channels_first(kernels.pooling.average_forward(channels_last(x), *ctx.windows))


def max_pool2d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest value of every window; outside the image counts as −∞; the first of equal values, the last NaN.

    Args:
        input: (N, C, H, W) or (C, H, W), float32 or float64.
        kernel_size: int or pair, at least 1; like all sizes that follow, below 2³¹.
        stride: int or pair, at least 1; `kernel_size` if None or empty.
        padding: int or pair, at most half the kernel.
        dilation: int or pair, at least 1: how far apart a window's taps lie.
        ceil_mode: round the output size up instead of down.
        return_indices: return also where each maximum is.

    Returns: (N, C, OH, OW) or (C, OH, OW); with `return_indices` a pair with the int64 positions in the H·W image.

    Raises:
        ValueError: for shapes or values that don't fit.
        TypeError: for other dtypes.
    """
    size = image_size(input, "max_pool2d")
    geometry = pooling_geometry(size, kernel_size, stride, padding, dilation, _flag(ceil_mode, "ceil_mode"))
    y = batched(lambda x: MaxPool2d.apply(x, geometry, bool(return_indices)), input)
    return (y[0], _indices(y[1])) if return_indices else y


def avg_pool2d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    """The mean of every window.

    Args:
        input: (N, C, H, W) or (C, H, W), float32 or float64.
        kernel_size: int or pair, at least 1; like all sizes that follow, below 2³¹.
        stride: int or pair, at least 1; `kernel_size` if None or empty.
        padding: int or pair, at most half the kernel.
        ceil_mode: round the output size up instead of down.
        count_include_pad: count the zeros of the padding in the mean.
        divisor_override: an int other than 0: divide by this instead of by the number of pixels.

    Returns: (N, C, OH, OW) or (C, OH, OW)

    Raises:
        ValueError: for shapes or values that don't fit.
        TypeError: for other dtypes.
    """
    size = image_size(input, "avg_pool2d")
    geometry = pooling_geometry(size, kernel_size, stride, padding, 1, _flag(ceil_mode, "ceil_mode"))
    if divisor_override is not None:
        divisor_override = _divisor(divisor_override)
    include = _flag(count_include_pad, "count_include_pad")
    windows = kernels.pooling.average_windows(geometry, include, divisor_override)
    return batched(lambda x: AveragePool2d.apply(x, *windows, True), input)


def _flag(value: Any, name: str) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be a bool, got {value!r}")
    return value


def _divisor(value: Any) -> int:
    try:
        divisor = integer(value)
    except TypeError:
        raise TypeError(f"divisor_override must be an int, got {value!r}") from None
    if divisor == 0 or abs(divisor) > INT64:
        raise ValueError(f"divisor_override must not be zero, nor larger than {INT64}, got {divisor}")
    return divisor


def _adaptive_size(output_size: Any, size: tuple[int, int]) -> tuple[int, int]:
    values = tuple(output_size) if isinstance(output_size, (tuple, list)) else (output_size,) * 2
    if len(values) != 2:
        raise ValueError(f"output_size must be an int or have 2 values, got {output_size!r}")
    if isinstance(output_size, (tuple, list)):
        values = tuple(s if v is None else v for v, s in zip(values, size, strict=True))
    try:
        rows, columns = (integer(value) for value in values)
    except TypeError:
        raise TypeError(f"output_size must be an int, or a pair of ints or None, got {output_size!r}") from None
    if min(rows, columns) < 0 or rows * columns > INT64:
        raise ValueError(f"output_size must be at least 0, and no more than {INT64} in all, got {output_size!r}")
    return rows, columns


@entitled("AdaptiveAvgPool2DBackward0")
def adaptive_avg_pool2d(input: Any, output_size: Any) -> Any:
    """The means of windows that divide the image into `output_size` parts.

    Output row i of O covers rows ⌊i·H/O⌋ up to ⌈(i + 1)·H/O⌉; windows may overlap by one.

    Args:
        input: (N, C, H, W) or (C, H, W), float32 or float64; for a single part (…, H, W).
        output_size: int, or pair of ints or None, where None keeps the input's size.

    Returns: (N, C, *output_size) or (C, *output_size)

    Raises:
        ValueError, TypeError: for shapes, values or dtypes that don't fit.
    """
    shape = array_of(input).shape
    single = output_size == 1 or (len(shape) > 4 and tuple(np.atleast_1d(output_size)) == (1, 1))
    if len(shape) not in (0, 1, 3, 4) and single:  # PyTorch takes the mean before it looks
        return mean(floating(input, "adaptive_avg_pool2d"), (-2, -1), True)
    size = image_size(input, "adaptive_avg_pool2d", 0)
    target = _adaptive_size(output_size, size)
    if target != (1, 1):  # the mean of nothing is NaN
        image_size(input, "adaptive_avg_pool2d", 2)
    freezes = target != (1, 1)  # of a single window PyTorch takes the mean, which saves nothing
    return batched(lambda x: AveragePool2d.apply(x, *_adaptive_windows(x, target), freezes), input)


def _adaptive_windows(x: Any, target: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows, columns and divisor of the windows that divide `x` into `target` parts."""
    np.empty((*x.shape[:2], *target), x.dtype)  # the result: where it doesn't fit, nor do its windows
    return kernels.pooling.adaptive_windows(tuple(x.shape[2:]), target)


def adaptive_max_pool2d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """The maxima of the windows of `adaptive_avg_pool2d`; the first of equal values, the last of several NaN.

    Args:
        input: (N, C, H, W) or (C, H, W), float32 or float64.
        output_size: int, or pair of ints or None, where None keeps the input's size.
        return_indices: return also where each maximum is.

    Returns: (N, C, *output_size) or (C, *output_size); with `return_indices` a pair with the int64 positions.

    Raises:
        ValueError, TypeError: for shapes, values or dtypes that don't fit.
    """
    filled = 3 if array_of(input).ndim == 4 else 2
    target = _adaptive_size(output_size, image_size(input, "adaptive_max_pool2d", filled))
    y = batched(lambda x: AdaptiveMaxPool2d.apply(x, target, bool(return_indices)), input)
    return (y[0], _indices(y[1])) if return_indices else y


def max_unpool2d(
    input: Any,
    indices: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    output_size: Any = None,
) -> Any:
    """Values put back where `max_pool2d(..., return_indices=True)` found them, zeros elsewhere.

    Args:
        input: (N, C, H, W) or (C, H, W), float32 or float64.
        indices: int64, of the same shape: positions in the output's H·W image.
        kernel_size, stride, padding: those of the pooling.
        output_size: the shape (N, C, H, W), or its last two sizes; if None,
            (size − 1) · stride − 2 · padding + kernel_size.

    Returns: (N, C, *output_size) or (C, *output_size)

    Raises:
        ValueError: for shapes that don't fit, or positions outside the output.
        TypeError: for other dtypes.
    """
    size = image_size(input, "max_unpool2d", 3 if array_of(input).ndim == 4 else 2)
    where, shape = array_of(indices), tuple(array_of(input).shape)
    if not isinstance(where, np.ndarray) or where.dtype != np.int64:
        raise TypeError(f"max_unpool2d needs int64 indices, got {described(indices)}")
    if where.shape != shape:
        raise ValueError(f"indices have shape {tuple(where.shape)}, but input has {shape}")
    kernel = pair(kernel_size, "kernel_size")  # any numbers, since positions are given
    strides = kernel if stride is None else pair(stride, "stride")
    pads = pair(padding, "padding")
    default = tuple((s - 1) * t - 2 * p + k for s, t, p, k in zip(size, strides, pads, kernel, strict=True))
    target = default if output_size is None else _unpooled_size(output_size, default, strides)
    if min(target) < 0:
        raise ValueError(f"max_unpool2d to {target}, of input of shape {shape}, would have negative sizes")
    if where.size and 0 not in target and not 0 <= where.min() <= where.max() < target[0] * target[1]:
        raise ValueError(f"indices must lie within 0 … {target[0] * target[1] - 1} for output_size {target}")
    positions = indices if len(shape) == 4 else indices[None]
    return batched(lambda x: MaxUnpool2d.apply(x, positions, target), input)


def _unpooled_size(output_size: Any, default: tuple[int, ...], strides: tuple[int, int]) -> tuple[int, int]:
    """The (H, W) that `output_size` asks for: two sizes, or a shape of four that ends with them."""
    sizes = tuple(output_size)
    if len(sizes) not in (2, 4):
        raise ValueError(f"output_size must have 2 or 4 elements, got {len(sizes)}: {output_size!r}")
    target = pair(sizes[-2:], "output_size", 0)
    if any(abs(t - d) >= s for t, d, s in zip(target, default, strides, strict=True)):
        raise ValueError(f"output_size {target} is not within one stride {strides} of {default}")
    return target


def lp_pool2d(input: Any, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Any:
    """(Σ over each window of x^p)^(1/p), p being `norm_type`.

    Args:
        input: (N, C, H, W) or (C, H, W), float32 or float64.
        norm_type: p, not 0.
        kernel_size: int or pair, at least 1.
        stride: int or pair, at least 1; `kernel_size` if None.
        ceil_mode: round the output size up instead of down; a window cut off counts as if its mean filled it.

    Returns: (N, C, OH, OW) or (C, OH, OW)

    Raises:
        RuntimeError: for shapes, values or dtypes that don't fit.
    """
    KH, KW = pair(kernel_size, "kernel_size", 1)
    mean = avg_pool2d(input**norm_type, (KH, KW), stride, 0, ceil_mode)
    return root_of_windows(mean, KH * KW, norm_type)


def root_of_windows(mean: Any, taps: int, norm_type: float) -> Any:
    """(|mean| · taps)^(1/p) with the mean's sign taken along, as PyTorch composes it."""
    return (sign(mean) * relu(mean.abs()) * taps) ** (1.0 / norm_type)
