"""grid_sample and affine_grid: images sampled at positions that a network may compute (Jaderberg et al., 2015)."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn import kernels
from minicnn.autograd import Operator
from minicnn.errors import DtypeError, ShapeError
from minicnn.kernels.geometry import integer
from minicnn.operators.activation import floating
from minicnn.operators.arguments import array_argument
from minicnn.operators.matmul import matmul
from minicnn.operators.operands import array_of
from minicnn.operators.shape import reshape, transpose

_CUBIC = -0.75
_MODES = ("bilinear", "nearest", "bicubic")
_PADDINGS = ("zeros", "border", "reflection")


def _padded(at: np.ndarray, size: int, padding: str, align_corners: bool) -> tuple[np.ndarray, np.ndarray]:
    """Positions brought inside the image as `padding` asks, and the derivative of that."""
    slope = np.ones_like(at)
    if padding == "reflection":
        low, high = (0, 2 * (size - 1)) if align_corners else (-1, 2 * size - 1)
        if low == high:
            return np.zeros_like(at), np.zeros_like(at)
        span = at.dtype.type((high - low) / 2)
        distance = at - at.dtype.type(low / 2)
        slope = np.where(distance < 0, -slope, slope)
        distance = np.abs(distance)
        rest, turns = np.fmod(distance, span), np.floor(distance / span)
        odd = np.fmod(turns, 2) == 1
        slope = np.where(odd, -slope, slope)
        at = np.where(odd, span - rest, rest) + at.dtype.type(low / 2)
    if padding != "zeros":
        slope = np.where((at <= 0) | (at >= size - 1), 0, slope)
        at = np.clip(at, 0, size - 1)
    return at, slope.astype(at.dtype)


class _Axis:
    """The taps of every position along one axis of the image.

    Attributes:
        places: integer positions, (N, P, T); −1 outside.
        weights: (N, P, T), and `slopes` their derivatives with respect to the grid.
    """

    def __init__(self, grid: np.ndarray, size: int, mode: str, padding: str, align_corners: bool) -> None:
        dtype = grid.dtype.type
        factor = dtype((size - 1) / 2 if align_corners else size / 2)
        at = (grid + 1) * factor if align_corners else ((grid + 1) * size - 1) / dtype(2)
        if mode != "bicubic":
            at, slope = _padded(at, size, padding, align_corners)
            factor = factor * slope
        if mode == "nearest":
            found = np.rint(at)[..., None]
            self.weights = np.ones_like(found)
            self.slopes = np.zeros_like(found)
        else:
            base = np.floor(at)
            t = at - base
            if mode == "bilinear":
                found = np.stack([base, base + 1], -1)
                self.weights = np.stack([1 - t, t], -1)
                slopes = np.stack([-np.ones_like(t), np.ones_like(t)], -1)
            else:
                found = np.stack([base - 1, base, base + 1, base + 2], -1)
                found, _ = _padded(found, size, padding, align_corners)
                self.weights, slopes = _cubic(t)
            self.slopes = slopes * np.broadcast_to(factor, t.shape)[..., None]
        inside = (found >= 0) & (found <= size - 1)
        self.places = np.where(inside, found, -1).astype(np.int64)


def _cubic(t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights of the four pixels around a position `t` behind the second one, and their derivatives."""
    a = t.dtype.type(_CUBIC)
    weights: list[np.ndarray] = []
    slopes: list[np.ndarray] = []
    for distance, sign in ((t + 1, 1), (t, 1), (1 - t, -1), (2 - t, -1)):
        d = distance
        if len(weights) in (0, 3):
            weights.append(((a * d - 5 * a) * d + 8 * a) * d - 4 * a)
            slopes.append(sign * ((3 * a * d - 10 * a) * d + 8 * a))
        else:
            weights.append(((a + 2) * d - (a + 3)) * d * d + 1)
            slopes.append(sign * ((3 * (a + 2) * d - 2 * (a + 3)) * d))
    return np.stack(weights, -1), np.stack(slopes, -1)


class GridSample(Operator):
    """The image at every position of the grid, a weighted sum of the pixels around it."""

    hands_over = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, grid: np.ndarray, mode: str, padding: str, align_corners: bool) -> np.ndarray:
        N, C, H, W = x.shape
        OH, OW = grid.shape[1:3]
        image = kernels.memory.channels_last(x).reshape(N, H * W, C)
        with np.errstate(all="ignore"):
            columns, rows = (
                _Axis(grid[..., k].reshape(N, OH * OW), size, mode, padding, align_corners)
                for k, size in ((0, W), (1, H))
            )
        down, across = rows.places[..., :, None], columns.places[..., None, :]
        place = np.where((down < 0) | (across < 0), -1, down * W + across).reshape(N, OH * OW, -1)
        weight = (rows.weights[..., :, None] * columns.weights[..., None, :]).reshape(place.shape)
        ctx.saved, ctx.axes = (image, place, weight, x, grid), (rows, columns)
        ctx.shape = x.shape
        y = kernels.resampling.sample(image, place, np.ascontiguousarray(weight, x.dtype))
        return y.reshape(N, OH, OW, C).transpose(0, 3, 1, 2)

    @staticmethod
    def backward(ctx: Any, grad_output: np.ndarray) -> tuple:
        image, place, weight, _, grid = ctx.saved
        N, C, H, W = ctx.shape
        g = kernels.memory.channels_last(grad_output).reshape(N, place.shape[1], C)
        by_x = by_grid = None
        if ctx.needs_input_grad[0]:
            by_x = kernels.resampling.sample_grad_x(g, place, weight, H * W).reshape(N, H, W, C).transpose(0, 3, 1, 2)
        if ctx.needs_input_grad[1]:
            rows, columns = ctx.axes
            taps = rows.weights.shape[-1]
            by_weight = kernels.resampling.sample_grad_weight(g, image, place).reshape(*place.shape[:2], taps, taps)
            by_column = (by_weight * rows.weights[..., :, None] * columns.slopes[..., None, :]).sum((2, 3))
            by_row = (by_weight * rows.slopes[..., :, None] * columns.weights[..., None, :]).sum((2, 3))
            by_grid = np.stack([by_column, by_row], -1).reshape(grid.shape).astype(g.dtype, copy=False)
        return by_x, by_grid


def _aligned(align_corners: bool | None) -> bool:
    if align_corners is None:
        warnings.warn(
            "Default grid_sample and affine_grid behavior has changed to align_corners=False since 1.3.0. Please "
            "specify align_corners=True if the old behavior is desired. See the documentation of grid_sample for "
            "details.",
            stacklevel=3,
        )
    return bool(align_corners)


def grid_sample(
    input: Any, grid: Any, mode: str = "bilinear", padding_mode: str = "zeros", align_corners: bool | None = None
) -> Any:
    """The images at the positions of a grid.

    Args:
        input: (N, C, H, W), float32 or float64.
        grid: (N, OH, OW, 2), of the same dtype: x and y of every output pixel, from −1 (left, top) to 1.
        mode: "bilinear", "nearest" or "bicubic".
        padding_mode: outside the image are "zeros", its "border" or its "reflection".
        align_corners: whether −1 and 1 are the centres of the corner pixels instead of the image's edges; None warns
            and means False.

    Returns: (N, C, OH, OW)

    Raises:
        ValueError: for another mode.
        RuntimeError: for shapes or dtypes that don't fit; five dimensions are missing.
    """
    if mode not in _MODES:
        raise ValueError(
            f"nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', but got: '{mode}'"
        )
    if padding_mode not in _PADDINGS:
        raise ValueError(
            "nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or 'reflection', but got: "
            f"'{padding_mode}'"
        )
    x, places = array_of(floating(input, "grid_sample")), array_argument(grid, "grid_sample")
    if x.ndim != 4 or places.ndim != 4 or places.shape[-1] != 2 or len(x) != len(places):
        raise ShapeError(
            f"grid_sample needs input (N, C, H, W) and grid (N, OH, OW, 2), got {x.shape} and {places.shape}"
        )
    if 0 in x.shape[2:]:
        raise ShapeError(f"grid_sample needs pixels, got input of shape {x.shape}")
    if places.dtype != x.dtype:
        raise DtypeError(f"grid_sample needs a grid of the input's dtype {x.dtype}, got {places.dtype}")
    return GridSample.apply(input, grid, mode, padding_mode, _aligned(align_corners))


def affine_grid(theta: Any, size: Sequence[int], align_corners: bool | None = None) -> Any:
    """The grid for `grid_sample` that an affine map of the output's positions gives.

    Args:
        theta: (N, 2, 3), float32 or float64: for each image the map of (x, y, 1).
        size: (N, C, OH, OW), the shape of the result of `grid_sample`.
        align_corners: as for `grid_sample`.

    Returns: (N, OH, OW, 2)

    Raises:
        ValueError: for shapes or dtypes that don't fit.
        NotImplementedError: for other than four sizes.
    """
    align = _aligned(align_corners)
    matrices = array_argument(theta, "affine_grid")
    if matrices.dtype.kind != "f":
        raise ValueError(f"Expected theta to have floating point type, but got {matrices.dtype}")
    if len(size) != 4:
        raise NotImplementedError(f"affine_grid supports 4D sizes, for 2D affine transforms. Got size {size}.")
    if matrices.ndim != 3 or matrices.shape[1:] != (2, 3):
        raise ValueError(
            f"Expected a batch of 2D affine matrices of shape Nx2x3 for size {size}. Got {matrices.shape}."
        )
    N, _, OH, OW = (integer(one) for one in size)
    if align and min(OH, OW) == 1:
        warnings.warn(
            "Since version 1.3.0, affine_grid behavior has changed for unit-size grids when align_corners=True. This "
            "is not an intended use case of affine_grid. See the documentation of affine_grid for details.",
            stacklevel=2,
        )
    elif min(size) <= 0:
        raise ValueError(f"Expected non-zero, positive output size. Got {size}")
    if len(matrices) != N:
        raise ShapeError(f"affine_grid needs a matrix for each of {N} images, got theta of shape {matrices.shape}")
    base = np.ones((OH, OW, 3), matrices.dtype)
    for axis, n in ((0, OW), (1, OH)):
        line = np.linspace(-1, 1, n) if n > 1 else np.zeros(1)
        line = line if align else line * ((n - 1) / n)
        base[..., axis] = line if axis == 0 else line[:, None]
    return reshape(matmul(base.reshape(1, OH * OW, 3), transpose(theta, 1, 2)), (N, OH, OW, 2))
