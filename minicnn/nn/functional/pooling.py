"""Pooling: the largest or the mean of every window."""

from typing import Any

import numpy as np

from minicnn import kernels
from minicnn.autograd import Operator
from minicnn.kernels.geometry import Geometry, pooling_geometry
from minicnn.kernels.memory import channels_first, channels_last
from minicnn.nn.functional.images import batched, image_size
from minicnn.operators.operands import array_of


class MaxPool2d(Operator):
    """The maxima of windows and, if wanted, their positions in the H·W image."""

    hands_over = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, geometry: Geometry, positions: bool) -> Any:
        y, where = kernels.pooling.max_forward(channels_last(x), geometry)
        ctx.saved, ctx.size, ctx.geometry = (where,), geometry.input_size, geometry
        return (channels_first(y), channels_first(where)) if positions else channels_first(y)

    @staticmethod
    def backward(ctx: Any, grad_output: np.ndarray) -> tuple:
        grad_x = kernels.pooling.scatter(channels_last(grad_output), ctx.saved[0], ctx.size, ctx.geometry)
        return channels_first(grad_x), None, None


class MaxUnpool2d(Operator):
    """Values put at their positions in an image of zeros."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, where: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        N, C, H, W = x.shape
        image = np.zeros((N, C, size[0] * size[1]), x.dtype)
        np.put_along_axis(image, where.reshape(N, C, H * W), x.reshape(N, C, H * W), 2)
        ctx.where = where
        return image.reshape(N, C, *size)

    @staticmethod
    def backward(ctx: Any, grad_output: np.ndarray) -> tuple:
        where = ctx.where
        N, C = where.shape[:2]
        picked = np.take_along_axis(grad_output.reshape(N, C, -1), where.reshape(N, C, -1), 2)
        return picked.reshape(where.shape), None, None


class AdaptiveMaxPool2d(Operator):
    """The maxima of windows that divide the image into a given number of parts."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, output_size: tuple[int, int], positions: bool) -> Any:
        N, C, H, W = x.shape
        rows = kernels.pooling.adaptive_bounds(H, output_size[0])
        columns = kernels.pooling.adaptive_bounds(W, output_size[1])
        y = np.empty((N, C, *output_size), x.dtype)
        where = np.empty((N, C, *output_size), np.int64)
        for i, (top, bottom) in enumerate(rows):
            for j, (left, right) in enumerate(columns):
                window = x[:, :, top:bottom, left:right].reshape(N, C, -1)
                index = window.argmax(2)  # the first of equal ones; NaN wins
                y[:, :, i, j] = np.take_along_axis(window, index[..., None], 2)[..., 0]
                width = right - left
                where[:, :, i, j] = (top + index // width) * W + left + index % width
        ctx.saved, ctx.size, ctx.geometry = (channels_last(where),), (H, W), None
        return (y, where) if positions else y

    backward = MaxPool2d.backward


class AveragePool2d(Operator):
    """Σ over each window / divisor"""

    hands_over = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, rows: np.ndarray, columns: np.ndarray, divisor: np.ndarray) -> np.ndarray:
        ctx.windows, ctx.size = (rows, columns, divisor), x.shape[2:]
        return channels_first(kernels.pooling.average_forward(channels_last(x), rows, columns, divisor))

    @staticmethod
    def backward(ctx: Any, grad_output: np.ndarray) -> tuple:
        rows, columns, divisor = ctx.windows
        grad_x = kernels.pooling.average_backward(channels_last(grad_output), rows, columns, divisor, ctx.size)
        return channels_first(grad_x), None, None, None


def max_pool2d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest value of every window; outside the image counts as −∞, NaN wins, the first of equal values.

    Args:
        input: (N, C, H, W) or (C, H, W), float32 or float64.
        kernel_size: int or pair, at least 1.
        stride: int or pair, at least 1; `kernel_size` if None.
        padding: int or pair, at most half the window.
        dilation: int or pair, at least 1: how far apart a window's taps lie.
        ceil_mode: round the output size up instead of down.
        return_indices: return also where each maximum is.

    Returns: (N, C, OH, OW) or (C, OH, OW); with `return_indices` a pair with the int64 positions in the H·W image.

    Raises:
        ValueError: for shapes or values that don't fit.
        TypeError: for other dtypes.
    """
    size = image_size(input, "max_pool2d")
    geometry = pooling_geometry(size, kernel_size, stride, padding, dilation, ceil_mode)
    y = batched(lambda x: MaxPool2d.apply(x, geometry, bool(return_indices)), input)
    return (y[0], y[1].long()) if return_indices else y


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
        kernel_size: int or pair, at least 1.
        stride: int or pair, at least 1; `kernel_size` if None.
        padding: int or pair, at most half the window.
        ceil_mode: round the output size up instead of down.
        count_include_pad: count the zeros of the padding in the mean.
        divisor_override: divide by this instead of by the number of cells.

    Returns: (N, C, OH, OW) or (C, OH, OW)

    Raises:
        ValueError: for shapes or values that don't fit.
        TypeError: for other dtypes.
    """
    size = image_size(input, "avg_pool2d")
    geometry = pooling_geometry(size, kernel_size, stride, padding, 1, ceil_mode)
    if divisor_override is not None and divisor_override == 0:
        raise ValueError("divisor_override must not be zero")
    rows = kernels.pooling.window_bounds(geometry.height)
    columns = kernels.pooling.window_bounds(geometry.width)
    divisor = kernels.pooling.window_divisor(geometry, bool(count_include_pad), divisor_override)
    return batched(lambda x: AveragePool2d.apply(x, rows, columns, divisor), input)


def _adaptive_size(output_size: Any, size: tuple[int, int]) -> tuple[int, int]:
    values = tuple(output_size) if isinstance(output_size, (tuple, list)) else (output_size,) * 2
    if len(values) not in (1, 2) or not all(
        v is None or (isinstance(v, (int, np.integer)) and not isinstance(v, bool)) for v in values
    ):
        raise TypeError(f"output_size must be an int, or a pair of ints or None, got {output_size!r}")
    values = values * 2 if len(values) == 1 else values
    chosen = tuple(int(s if v is None else v) for v, s in zip(values, size, strict=True))
    if min(chosen) < 1:
        raise ValueError(f"output_size must be at least 1, got {output_size!r}")
    return chosen[0], chosen[1]


def adaptive_avg_pool2d(input: Any, output_size: Any) -> Any:
    """The means of windows that divide the image into `output_size` parts.

    Cell i of O covers rows ⌊i·H/O⌋ up to ⌈(i + 1)·H/O⌉; windows may overlap by one.

    Args:
        input: (N, C, H, W) or (C, H, W), float32 or float64.
        output_size: int, or pair of ints or None, where None keeps the input's size.

    Returns: (N, C, *output_size) or (C, *output_size)

    Raises:
        ValueError, TypeError: for shapes, values or dtypes that don't fit.
    """
    size = image_size(input, "adaptive_avg_pool2d")
    target = _adaptive_size(output_size, size)
    rows, columns = (kernels.pooling.adaptive_bounds(s, o) for s, o in zip(size, target, strict=True))
    divisor = np.multiply.outer(rows[:, 1] - rows[:, 0], columns[:, 1] - columns[:, 0])
    return batched(lambda x: AveragePool2d.apply(x, rows, columns, divisor), input)


def adaptive_max_pool2d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """The maxima of the windows of `adaptive_avg_pool2d`.

    Args:
        input: (N, C, H, W) or (C, H, W), float32 or float64.
        output_size: int, or pair of ints or None, where None keeps the input's size.
        return_indices: return also where each maximum is.

    Returns: (N, C, *output_size) or (C, *output_size); with `return_indices` a pair with the int64 positions.

    Raises:
        ValueError, TypeError: for shapes, values or dtypes that don't fit.
    """
    target = _adaptive_size(output_size, image_size(input, "adaptive_max_pool2d"))
    return batched(lambda x: AdaptiveMaxPool2d.apply(x, target, bool(return_indices)), input)


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
        output_size: the shape, or its last two sizes; (size − 1) · stride − 2 · padding + kernel_size if None.

    Returns: (N, C, *output_size) or (C, *output_size)

    Raises:
        ValueError: for shapes that don't fit, or positions outside the output.
        TypeError: for other dtypes.
    """
    from minicnn.kernels.geometry import pair

    size = image_size(input, "max_unpool2d")
    where = array_of(indices)
    if where.dtype != np.int64:
        raise TypeError(f"max_unpool2d needs int64 indices, got {where.dtype}")
    if where.shape != array_of(input).shape:
        raise ValueError(f"indices have shape {tuple(where.shape)}, but input has {tuple(array_of(input).shape)}")
    kernel = pair(kernel_size, "kernel_size", 1)
    strides = kernel if stride is None else pair(stride, "stride", 1)
    pads = pair(padding, "padding", 0)
    default = [(s - 1) * t - 2 * p + k for s, t, p, k in zip(size, strides, pads, kernel, strict=True)]
    target = tuple(default if output_size is None else tuple(output_size)[-2:])
    if any(abs(t - d) >= s for t, d, s in zip(target, default, strides, strict=True)):
        raise ValueError(f"output_size {target} is not within one stride {strides} of {tuple(default)}")
    if where.size and not 0 <= where.min() <= where.max() < target[0] * target[1]:
        raise ValueError(f"indices must lie within 0 … {target[0] * target[1] - 1} for output_size {target}")
    positions = where if where.ndim == 4 else where[None]
    return batched(lambda x: MaxUnpool2d.apply(x, positions, target), input)
