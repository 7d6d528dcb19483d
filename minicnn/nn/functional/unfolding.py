"""unfold and fold: the patch matrix of im2col as a tensor, and its adjoint."""

import math
from typing import Any

import numpy as np

from minicnn import kernels
from minicnn.autograd import Operator
from minicnn.kernels.geometry import Geometry, pair
from minicnn.kernels.memory import channels_first, channels_last
from minicnn.nn.functional.geometry import convolution_geometry
from minicnn.nn.functional.images import First, batched, image_size
from minicnn.operators.activation import floating
from minicnn.operators.operands import array_of


def _unfold(x: np.ndarray, geometry: Geometry) -> np.ndarray:
    """(N, C, H, W) → (N, C·KH·KW, OH·OW)"""
    windows = kernels.convolution.im2col.im2col(channels_last(x), geometry)  # (N, OH, OW, KH, KW, C)
    KH, KW = geometry.kernel
    columns = windows.transpose(0, 5, 3, 4, 1, 2)
    return columns.copy().reshape(x.shape[0], x.shape[1] * KH * KW, math.prod(geometry.output_size))


def _fold(columns: np.ndarray, geometry: Geometry) -> np.ndarray:
    """(N, C·KH·KW, OH·OW) → (N, C, H, W)"""
    C = columns.shape[1] // math.prod(geometry.kernel)
    by_tap = columns.reshape(columns.shape[0], C, *geometry.kernel, *geometry.output_size)
    patches = by_tap.transpose(0, 4, 5, 2, 3, 1)
    return channels_first(kernels.convolution.im2col.col2im(patches, geometry))


class Unfold(Operator):
    """Every window as a column."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, geometry: Geometry) -> np.ndarray:
        ctx.geometry = geometry
        return _unfold(x, geometry)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> np.ndarray:
        return _fold(g, ctx.geometry)

    @staticmethod
    def again(ctx: Any, x: np.ndarray) -> np.ndarray:
        return _unfold(x, ctx.geometry)


class Fold(Operator):
    """Every column added up where its window lies."""

    @staticmethod
    def forward(ctx: Any, columns: np.ndarray, geometry: Geometry) -> np.ndarray:
        ctx.geometry = geometry
        return _fold(columns, geometry)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> np.ndarray:
        return _unfold(g, ctx.geometry)

    @staticmethod
    def again(ctx: Any, x: np.ndarray) -> np.ndarray:
        return _fold(x, ctx.geometry)


def _both(value: Any, name: str, minimum: int) -> tuple[int, int]:
    """As `pair`, of an int or exactly two."""
    if isinstance(value, (tuple, list)) and len(value) == 1:
        raise ValueError(f"{name} must be an int or a pair of ints, got {value!r}")
    return pair(value, name, minimum)


def _geometry(size: tuple[int, int], kernel_size: Any, stride: Any, padding: Any, dilation: Any) -> Geometry:
    kernel, strides = _both(kernel_size, "kernel_size", 1), _both(stride, "stride", 1)
    return convolution_geometry(size, kernel, strides, _both(padding, "padding", 0), _both(dilation, "dilation", 1))


def unfold(input: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """Every window of an image as a column: the patch matrix that turns convolution into a matrix product.

    Args:
        input: (N, C, H, W) or (C, H, W), float32 or float64.
        kernel_size, dilation, padding, stride: int or pair.

    Returns: (N, C·KH·KW, L) or (C·KH·KW, L), L = OH·OW windows.

    Raises:
        ValueError, TypeError: for shapes, values or dtypes that don't fit.
    """
    geometry = _geometry(image_size(input, "unfold"), kernel_size, stride, padding, dilation)
    return batched(lambda x: Unfold.apply(x, geometry), input)


def fold(
    input: Any,
    output_size: Any,
    kernel_size: Any,
    dilation: Any = 1,
    padding: Any = 0,
    stride: Any = 1,
) -> Any:
    """Columns added up where `unfold` would read them: its adjoint.

    Args:
        input: (N, C·KH·KW, L) or (C·KH·KW, L), float32 or float64.
        output_size: int or pair, the image's (H, W).
        kernel_size, dilation, padding, stride: int or pair.

    Returns: (N, C, H, W) or (C, H, W)

    Raises:
        ValueError, TypeError: for shapes, values or dtypes that don't fit.
    """
    columns = array_of(floating(input, "fold"))
    size = _both(output_size, "output_size", 1)
    geometry = _geometry(size, kernel_size, stride, padding, dilation)
    taps, windows = math.prod(geometry.kernel), math.prod(geometry.output_size)
    if columns.ndim not in (2, 3) or not columns.shape[-2] or columns.shape[-2] % taps:
        raise ValueError(
            f"fold needs input of shape (N, C·{taps}, L) for kernel_size {geometry.kernel}, got {tuple(columns.shape)}"
        )
    if columns.shape[-1] != windows:
        raise ValueError(
            f"fold to {size} has {windows} windows ({geometry.output_size}), but input of shape "
            f"{tuple(columns.shape)} has {columns.shape[-1]}"
        )
    try:
        if columns.ndim == 2:
            return First.apply(Fold.apply(input[None], geometry))
        return Fold.apply(input, geometry)
    except MemoryError as error:
        raise RuntimeError(f"the result of fold to {size} is too large: {error}") from None
