"""interpolate: images and sequences resized, each axis by a few weighted input pixels for every output pixel."""

import functools
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn import kernels
from minicnn.autograd import Operator
from minicnn.dtypes import float32, float64
from minicnn.errors import ShapeError
from minicnn.kernels.geometry import integer
from minicnn.nn.functional.pooling import adaptive_avg_pool2d
from minicnn.nn.functional.sequences import adaptive_avg_pool1d
from minicnn.operators.arguments import array_argument
from minicnn.operators.operands import alone
from minicnn.operators.shape import reshape

NEAREST = ("nearest", "nearest-exact")
LINEAR = {"linear": 3, "bilinear": 4, "bicubic": 4, "trilinear": 5}
"""The other modes, and for how many dimensions they are."""


def _images(x: np.ndarray) -> np.ndarray:
    """(N, C, H, W) or (N, C, L) as images (N, H, W, C), or as planes (N·C, H, W, 1) where it lies row-major."""
    if x.ndim == 3:
        x = x[:, :, None]
    N, C, H, W = x.shape
    if x.flags.c_contiguous and C > 1 and H * W > 1:
        return x.reshape(N * C, H, W, 1)
    return kernels.memory.channels_last(x)


def _restored(images: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The inverse of `_images`, for images of other sizes than the `shape` that they come from."""
    H, W = images.shape[1:3]
    N, C = shape[:2]
    y = images.reshape(N, C, H, W) if images.shape[3] == 1 else kernels.memory.channels_first(images)
    return y[:, :, 0] if len(shape) == 3 else y


class Resize(Operator):
    """Every output pixel a weighted sum of input pixels, row by row and column by column."""

    hands_over = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, rows: Any, columns: Any) -> np.ndarray:
        ctx.shape, ctx.taps = x.shape, (rows, columns)
        return _restored(kernels.resampling.resize(_images(x), rows, columns), x.shape)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> np.ndarray:
        sizes = (1, *ctx.shape[2:])[-2:]
        taps = (taps.transposed(size) for taps, size in zip(ctx.taps, sizes, strict=True))
        return _restored(kernels.resampling.resize(_images(g), *taps), ctx.shape)

    @staticmethod
    def again(ctx: Any, x: np.ndarray) -> np.ndarray:
        return _restored(kernels.resampling.resize(_images(x), *ctx.taps), x.shape)


class Nearest(Operator):
    """Every output pixel a copy of an input pixel."""

    hands_over = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        ctx.shape, ctx.places = x.shape, (rows, columns)
        return _restored(kernels.resampling.nearest(_images(x), rows, columns), x.shape)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> np.ndarray:
        taps = kernels.resampling.Taps
        ones = (taps(np.arange(len(p) + 1), p, np.ones(len(p), g.dtype)) for p in ctx.places)
        sizes = (1, *ctx.shape[2:])[-2:]
        back = (one.transposed(size) for one, size in zip(ones, sizes, strict=True))
        return _restored(kernels.resampling.resize(_images(g), *back), ctx.shape)

    @staticmethod
    def again(ctx: Any, x: np.ndarray) -> np.ndarray:
        return _restored(kernels.resampling.nearest(_images(x), *ctx.places), x.shape)


def _scale(size: int, output: int, factor: float | None, align_corners: bool) -> float:
    """How many input pixels an output pixel stands for."""
    if align_corners:
        return (size - 1) / (output - 1) if output > 1 else 0.0
    return 1.0 / factor if factor else size / output


@functools.lru_cache(maxsize=1024)
def _nearest_places(size: int, output: int, factor: float | None, exact: bool, sequence: np.dtype | None) -> np.ndarray:
    """For every output pixel the nearest input pixel, rounded as PyTorch does it.

    PyTorch computes positions in float32, for sequences in their dtype (`sequence`), and there nearest-exact from the
    centre of the pixel.
    """
    number: Any = np.float64 if sequence == np.float64 else np.float32
    scale = number(_scale(size, output, factor, False))
    positions = np.arange(output, dtype=number)
    if exact and sequence is not None:
        centres = (np.float64(scale) * (np.arange(output) + 0.5) - 0.5).astype(number)
        at = centres + number(0.5)
    else:
        at = (positions + number(0.5 if exact else 0)) * scale
    return np.minimum(np.floor(at.astype(np.float32)).astype(np.int64), size - 1)


def _triangle(distance: np.ndarray) -> np.ndarray:
    return np.maximum(1 - np.abs(distance), 0)


def _cubic(distance: np.ndarray, a: float) -> np.ndarray:
    """Keys, "Cubic convolution interpolation for digital image processing", 1981."""
    d = np.abs(distance)
    near = ((a + 2) * d - (a + 3)) * d * d + 1
    far = ((d - 5) * d + 8) * d * a - 4 * a
    return np.where(d <= 1, near, np.where(d < 2, far, 0))


@functools.lru_cache(maxsize=1024)
def _taps(
    mode: str, size: int, output: int, factor: float | None, align_corners: bool, antialias: bool, dtype: np.dtype
) -> Any:
    """The taps of one axis."""
    scale = _scale(size, output, factor, align_corners)
    positions = np.arange(output)
    if antialias:
        return _antialiased(mode, size, scale, positions, dtype)
    centre = positions * scale if align_corners else (positions + 0.5) * scale - 0.5
    if mode != "bicubic" and size == output:  # whatever the factor, PyTorch copies
        return _regular([positions, positions], [np.ones(size), np.zeros(size)], dtype)
    if mode != "bicubic":
        centre = np.maximum(centre, 0)
        first = np.minimum(np.floor(centre).astype(np.int64), size - 1)
        second = np.minimum(first + 1, size - 1)
        far = np.clip(centre - first, 0, 1)
        return _regular([first, second], [1 - far, far], dtype)
    first = np.floor(centre).astype(np.int64)
    places = [first + k for k in (-1, 0, 1, 2)]
    weights = [_cubic(centre - place, -0.75) for place in places]
    return _regular([place.clip(0, size - 1) for place in places], weights, dtype)


def _regular(places: list[np.ndarray], weights: list[np.ndarray], dtype: np.dtype) -> Any:
    """Taps of as many input pixels for every output pixel."""
    count = len(places)
    start = np.arange(len(places[0]) + 1) * count
    return kernels.resampling.Taps(start, np.stack(places, 1).ravel(), np.stack(weights, 1).ravel().astype(dtype))


def _antialiased(mode: str, size: int, scale: float, positions: np.ndarray, dtype: np.dtype) -> Any:
    """Taps of a filter as wide as an output pixel is in the input, but never narrower than for enlarging."""
    filter: Callable = _triangle if mode == "bilinear" else functools.partial(_cubic, a=-0.5)
    reach = (1 if mode == "bilinear" else 2) * max(scale, 1.0)
    centre = (positions + 0.5) * scale
    first = np.maximum((centre - reach + 0.5).astype(np.int64), 0)
    counts = np.minimum((centre + reach + 0.5).astype(np.int64), size) - first
    start = np.concatenate([[0], np.cumsum(counts)])
    outputs = np.repeat(positions, counts)
    places = np.arange(start[-1]) - start[outputs] + first[outputs]
    weights = filter((places - centre[outputs] + 0.5) / max(scale, 1.0))
    weights = weights / np.bincount(outputs, weights, len(positions))[outputs]
    return kernels.resampling.Taps(start, places, weights.astype(dtype))


def _each(value: Any, dims: int, name: str, shape: tuple[int, ...]) -> list:
    """`value`, a number for all spatial dimensions or one for each, as a list."""
    if not isinstance(value, (tuple, list)):
        return [value] * dims
    if len(value) != dims:
        raise ValueError(
            f"Input and {name} must have the same number of spatial dimensions, but got input with spatial dimensions "
            f"of {list(shape[2:])} and {name} of {value}. Please provide input tensor in (N, C, d1, d2, ...,dK) format"
        )
    return list(value)


def _output(
    shape: tuple[int, ...], size: Any, scale_factor: Any, recompute: bool | None, mode: str
) -> tuple[list[int], list[float | None]]:
    """The wanted sizes, and the factors to compute positions with, None for that of the sizes."""
    dims = len(shape) - 2
    if size is not None and scale_factor is not None:
        raise ValueError("only one of size or scale_factor should be defined")
    if size is not None:
        sizes = _each(size, dims, "output size", shape)
        try:
            sizes = [integer(one) for one in sizes]
        except TypeError:
            raise TypeError(f"expected size to be one of int or Tuple[int], but got {size!r}") from None
        if recompute:
            raise ValueError("recompute_scale_factor is not meaningful with an explicit size.")
        return sizes, [None] * dims
    if scale_factor is None:
        raise ValueError("either size or scale_factor should be defined")
    factors = [float(factor) for factor in _each(scale_factor, dims, "scale_factor", shape)]
    sizes = [int(n * factor) for n, factor in zip(shape[2:], factors, strict=True)]
    return sizes, [None] * dims if recompute or mode == "area" else list(factors)


def interpolate(
    input: Any,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Any:
    """Images or sequences resized.

    Args:
        input: (N, C, H, W), (N, C, L) or (N, C, D, H, W), float32 or float64; "nearest" and "nearest-exact" take
            uint8, too.
        size: the wanted sizes, an int for all.
        scale_factor: or how many times as large the result shall be, a number for all or one for each; sizes are
            rounded down.
        mode: "nearest" (the pixel at ⌊i · scale⌋), "nearest-exact" (at ⌊(i + 0.5) · scale⌋), "linear" of sequences,
            "bilinear" and "bicubic" of images, "trilinear" of volumes, "area" (the mean of the covered pixels).
        align_corners: whether the centres of the corner pixels fall together, instead of the corners of the images;
            for "linear", "bilinear", "bicubic", "trilinear".
        recompute_scale_factor: compute positions with the ratio of the sizes instead of the given factor.
        antialias: widen the filter where images become smaller; "bilinear" and "bicubic".

    Returns: (N, C, OH, OW) or (N, C, OL)

    Raises:
        ValueError, TypeError: for arguments that don't go together.
        NotImplementedError: for a mode that isn't for inputs of so many dimensions; "area" of volumes is missing.
        RuntimeError: for an empty image.
    """
    x = array_argument(input, "interpolate")
    shape = tuple(x.shape)
    if mode in (*NEAREST, "area") and align_corners is not None:
        raise ValueError(
            "align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear"
        )
    if len(shape) < 3:
        raise NotImplementedError(f"Input Error: Only 3D and 4D input Tensors supported (got {len(shape)}D)")
    sizes, factors = _output(shape, size, scale_factor, recompute_scale_factor, mode)
    if antialias and not (mode in ("bilinear", "bicubic", "lanczos") and len(shape) == 4):
        raise ValueError(
            "Anti-alias option is restricted to bilinear and bicubic modes and requires a 4-D tensor as input"
        )
    if mode not in (*NEAREST, "area", *LINEAR) or len(shape) > 5 or (mode == "area" and len(shape) == 5):
        raise NotImplementedError(
            "interpolate: 3D to 5D input with nearest | nearest-exact, 3D and 4D with area, and linear | bilinear | "
            f"bicubic | trilinear, got {len(shape)}D input with mode {mode!r}"
        )
    if LINEAR.get(mode, len(shape)) != len(shape):
        raise NotImplementedError(f"Got {len(shape)}D input, but {mode} mode needs {LINEAR[mode]}D input")
    if mode == "area":
        return adaptive_avg_pool1d(input, sizes[0]) if len(shape) == 3 else adaptive_avg_pool2d(input, tuple(sizes))
    allowed = (float32, float64, np.dtype(np.uint8)) if mode in NEAREST else (float32, float64)
    if x.dtype not in allowed:
        raise TypeError(f"interpolate with mode {mode!r} needs {' or '.join(map(str, allowed))}, got {x.dtype}")
    if min(shape[2:]) < 1 or min(sizes) < 1:
        raise ShapeError(
            f"Input and output sizes should be greater than 0, but got input of shape {shape} and output size {sizes}"
        )
    if not shape[1]:
        raise ShapeError(f"interpolate needs channels, got input of shape {shape}")
    axes = list(zip(shape[2:], sizes, factors, strict=True))
    if mode in NEAREST:
        sequence = x.dtype if len(shape) == 3 else None
        places = [_nearest_places(n, o, f, mode == "nearest-exact", sequence) for n, o, f in axes]
        return _apply(Nearest, np.arange, input, places)
    taps = [_taps(mode, n, o, f, bool(align_corners), antialias, x.dtype) for n, o, f in axes]
    return _apply(Resize, lambda size: _taps("linear", size, size, None, True, False, x.dtype), input, taps)


def _apply(operation: Any, unchanged: Callable, x: Any, axes: list) -> Any:
    """One or two axes at once; of volumes first the planes, then the third axis.

    Args:
        operation: `Nearest` or `Resize`.
        unchanged: gives what the operation needs for an axis of a given size that stays as it is.
        x: (N, C, …).
        axes: what it needs for the axes that change.
    """
    if len(axes) < 3:
        return operation.apply(x, *[unchanged(1)] * (2 - len(axes)), *axes)
    N, C, D, H, W = array_argument(x, "interpolate").shape
    planes = operation.apply(reshape(x, (N, C * D, H, W)), *axes[1:])
    OH, OW = array_argument(planes, "interpolate").shape[2:]
    result = operation.apply(reshape(planes, (N, C, D, OH * OW)), axes[0], unchanged(OH * OW))
    return alone(reshape(result, (N, C, -1, OH, OW)))


def upsample(
    input: Any, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool | None = None
) -> Any:
    """The old name of `interpolate`."""
    warnings.warn("`nn.functional.upsample` is deprecated. Use `nn.functional.interpolate` instead.", stacklevel=2)
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input: Any, size: Any = None, scale_factor: Any = None) -> Any:
    """The old name of `interpolate` with mode "nearest"."""
    warnings.warn(
        "`nn.functional.upsample_nearest` is deprecated. Use `nn.functional.interpolate` instead.", stacklevel=2
    )
    return interpolate(input, size, scale_factor, mode="nearest")


def upsample_bilinear(input: Any, size: Any = None, scale_factor: Any = None) -> Any:
    """The old name of `interpolate` with mode "bilinear" and aligned corners."""
    warnings.warn(
        "`nn.functional.upsample_bilinear` is deprecated. Use `nn.functional.interpolate` instead.", stacklevel=2
    )
    return interpolate(input, size, scale_factor, mode="bilinear", align_corners=True)
