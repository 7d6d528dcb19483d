"""unfold and fold: the patch matrix of im2col as a tensor, and its adjoint."""

from typing import Any

import numpy as np

from minicnn import kernels
from minicnn.autograd import Operator
from minicnn.kernels.geometry import Geometry, convolution_geometry, pair
from minicnn.kernels.memory import channels_first, channels_last
from minicnn.nn.functional.images import batched, image_size
from minicnn.operators.activation import floating
from minicnn.operators.operands import array_of


def _unfold(x: np.ndarray, geometry: Geometry) -> np.ndarray:
    """(N, C, H, W) → (N, C·KH·KW, OH·OW)"""
    windows = kernels.convolution.im2col.im2col(channels_last(x), geometry)  # (N, OH, OW, KH, KW, C)
    KH, KW = geometry.kernel
    columns = windows.transpose(0, 5, 3, 4, 1, 2)
    return columns.reshape(x.shape[0], x.shape[1] * KH * KW, -1)


def _fold(columns: np.ndarray, geometry: Geometry) -> np.ndarray:
    """(N, C·KH·KW, OH·OW) → (N, C, H, W)"""
    shape = (columns.shape[0], -1, *geometry.kernel, *geometry.output_size)
    C = columns.shape[1] // (shape[2] * shape[3])
    patches = columns.reshape(shape[0], C, *shape[2:]).transpose(0, 4, 5, 2, 3, 1)
    return channels_first(kernels.convolution.im2col.col2im(patches, geometry))


class Unfold(Operator):
    """Every window as a column."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, geometry: Geometry) -> np.ndarray:
        ctx.geometry = geometry
        return _unfold(x, geometry)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        return _fold(g, ctx.geometry), None


class Fold(Operator):
    """Every column added up where its window lies."""

    @staticmethod
    def forward(ctx: Any, columns: np.ndarray, geometry: Geometry) -> np.ndarray:
        ctx.geometry = geometry
        return _fold(columns, geometry)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        return _unfold(g, ctx.geometry), None


def unfold(input: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """Every window of an image as a column: the patch matrix that turns convolution into a matrix product.

    Args:
        input: (N, C, H, W) or (C, H, W), float32 or float64.
        kernel_size, dilation, padding, stride: int or pair.

    Returns: (N, C·KH·KW, L) or (C·KH·KW, L), L = OH·OW windows.

    Raises:
        ValueError, TypeError: for shapes, values or dtypes that don't fit.
    """
    size = image_size(input, "unfold")
    pads = pair(padding, "padding", 0)
    geometry = convolution_geometry(size, pair(kernel_size, "kernel_size", 1), stride, pads, dilation)
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
    size = pair(output_size, "output_size", 1)
    pads = pair(padding, "padding", 0)
    geometry = convolution_geometry(size, pair(kernel_size, "kernel_size", 1), stride, pads, dilation)
    taps, windows = int(np.prod(geometry.kernel)), int(np.prod(geometry.output_size))
    if columns.ndim not in (2, 3) or not columns.shape[-2] or columns.shape[-2] % taps:
        raise ValueError(
            f"fold needs input of shape (N, C·{taps}, L) for kernel_size {geometry.kernel}, got {tuple(columns.shape)}"
        )
    if columns.shape[-1] != windows:
        raise ValueError(
            f"fold to {size} has {windows} windows ({geometry.output_size}), but input of shape "
            f"{tuple(columns.shape)} has {columns.shape[-1]}"
        )
    if columns.ndim == 2:
        return Fold.apply(input[None], geometry)[0]
    return Fold.apply(input, geometry)
