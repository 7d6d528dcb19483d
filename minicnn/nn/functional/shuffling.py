"""Channels turned into pixels, and back, and channels dealt out anew."""

from math import prod
from typing import Any

import numpy as np

from minicnn import kernels
from minicnn.autograd import Operator
from minicnn.autograd.graph import entitled
from minicnn.errors import ShapeError
from minicnn.kernels.geometry import integer
from minicnn.operators.arguments import array_argument


class Rearranged(Operator):
    """The elements of x in another order: its axes divided, put in another order and merged anew.

    Args, of `forward`:
        apart: the shape with its axes divided.
        order: of these axes in the result.
        shape: of the result.
    """

    hands_over = True

    @staticmethod
    def forward(
        ctx: Any, x: np.ndarray, apart: tuple[int, ...], order: tuple[int, ...], shape: tuple[int, ...]
    ) -> np.ndarray:
        ctx.shape, ctx.apart, ctx.order, ctx.whole, ctx.last = x.shape, apart, order, shape, _channels_last(x)
        return _rearranged(x, apart, order, shape, ctx.last)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> np.ndarray:
        moved = tuple([ctx.apart[axis] for axis in ctx.order])
        return _rearranged(g, moved, tuple(np.argsort(ctx.order)), ctx.shape, ctx.last)

    @staticmethod
    def again(ctx: Any, x: np.ndarray) -> np.ndarray:
        return _rearranged(x, ctx.apart, ctx.order, ctx.whole, ctx.last)


def _channels_last(x: np.ndarray) -> bool:
    return x.ndim == 4 and not x.flags.c_contiguous and x.transpose(0, 2, 3, 1).flags.c_contiguous


def _rearranged(
    x: np.ndarray, apart: tuple[int, ...], order: tuple[int, ...], shape: tuple[int, ...], channels_last: bool
) -> np.ndarray:
    if channels_last:
        N, C, H, W = shape
        result = kernels.memory.channels_first(kernels.memory.empty((N, H, W, C), x.dtype))
    else:
        result = kernels.memory.empty(shape, x.dtype)
    kernels.memory.copy(result.reshape([apart[axis] for axis in order]), x.reshape(apart).transpose(order))
    return result


def _factor(value: Any, name: str) -> int:
    try:
        factor = integer(value)
    except TypeError:
        raise TypeError(f"{name} must be an int, got {value!r}") from None
    if factor < 1:
        raise ShapeError(f"{name} must be positive, got {factor}")
    return factor


def _shape(input: Any, name: str, least: int = 3) -> tuple[int, ...]:
    shape = tuple(array_argument(input, name).shape)
    if len(shape) < least:
        raise ShapeError(f"{name} needs input of at least {least} dimensions, got shape {shape}")
    return shape


@entitled("PixelShuffleBackward0")
def pixel_shuffle(input: Any, upscale_factor: int) -> Any:
    """Every r² channels become r × r pixels of one channel. Shi et al., "sub-pixel convolution", 2016.

    y[…, c, h·r + a, w·r + b] = x[…, c·r² + a·r + b, h, w]

    Args:
        input: (…, C·r², H, W).
        upscale_factor: r.

    Returns: (…, C, H·r, W·r)

    Raises:
        RuntimeError: where r² doesn't divide the channels.
        TypeError: for an `upscale_factor` that is no int.
    """
    r = _factor(upscale_factor, "upscale_factor")
    *batch, C, H, W = _shape(input, "pixel_shuffle")
    if C % (r * r):
        raise ShapeError(f"pixel_shuffle needs channels divisible by {r}², got input of shape {(*batch, C, H, W)}")
    apart = (prod(batch), C // (r * r), r, r, H, W)
    return Rearranged.apply(input, apart, (0, 1, 4, 2, 5, 3), (*batch, C // (r * r), H * r, W * r))


@entitled("PixelUnshuffleBackward0")
def pixel_unshuffle(input: Any, downscale_factor: int) -> Any:
    """The inverse of `pixel_shuffle`.

    Args:
        input: (…, C, H·r, W·r).
        downscale_factor: r.

    Returns: (…, C·r², H, W)

    Raises:
        RuntimeError: where r doesn't divide height and width.
        TypeError: for a `downscale_factor` that is no int.
    """
    r = _factor(downscale_factor, "downscale_factor")
    *batch, C, H, W = _shape(input, "pixel_unshuffle")
    if H % r or W % r:
        raise ShapeError(f"pixel_unshuffle needs sides divisible by {r}, got input of shape {(*batch, C, H, W)}")
    apart = (prod(batch), C, H // r, r, W // r, r)
    return Rearranged.apply(input, apart, (0, 1, 3, 5, 2, 4), (*batch, C * r * r, H // r, W // r))


@entitled("ChannelShuffleBackward0")
def channel_shuffle(input: Any, groups: int) -> Any:
    """Channels of each group dealt out to all groups in turn. Zhang et al., "ShuffleNet", 2018.

    y[n, k·G + g] = x[n, g·(C/G) + k]

    Args:
        input: (N, C, …), at least 3 dimensions.
        groups: G.

    Returns: a Tensor of the input's shape.

    Raises:
        RuntimeError: where G doesn't divide the channels.
        TypeError: for `groups` that is no int.
    """
    G = _factor(groups, "groups")
    N, C, *others = _shape(input, "channel_shuffle")
    if C % G:
        raise ShapeError(f"channel_shuffle needs channels divisible by {G}, got input of shape {(N, C, *others)}")
    return Rearranged.apply(input, (N, G, C // G, prod(others)), (0, 2, 1, 3), (N, C, *others))
