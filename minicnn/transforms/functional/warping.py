"""Rotating, shearing and seeing in perspective: output pixels are looked up at mapped positions."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn.creation import from_numpy
from minicnn.dtypes import float32, float64
from minicnn.nn import functional
from minicnn.operators.choosing import where
from minicnn.operators.joining import cat
from minicnn.tensor import Tensor
from minicnn.transforms._interpolation import PILLOW, InterpolationMode, interpolation_of
from minicnn.transforms.functional._images import as_batch, get_dimensions, is_floating, is_tensor, like_image
from minicnn.transforms.functional.geometry import fill_of

NEAREST, BILINEAR = InterpolationMode.NEAREST, InterpolationMode.BILINEAR
EXPAND_TOLERANCE = 1e-4
"""By how much a corner of a rotated image may stand out of a pixel without a further one being added."""


def rotate(
    img: Any,
    angle: float,
    interpolation: InterpolationMode = NEAREST,
    expand: bool = False,
    center: Sequence[float] | None = None,
    fill: Any = None,
) -> Any:
    """An image turned counter-clockwise.

    Args:
        img: the image.
        angle: in degrees.
        interpolation: a mode; Tensors know "nearest" and "bilinear".
        expand: make the result large enough for the whole image.
        center: (x, y) of the axis, from the top left corner; the middle if None.
        fill: the value of pixels outside, or one for each channel.

    Raises:
        TypeError: an argument is of another type.
        ValueError: `fill` has another length, or Tensors don't know the mode.
    """
    mode = interpolation_of(interpolation)
    _check_angle(angle)
    _check_sequence("center", center)
    if not is_tensor(img):
        return img.rotate(angle, PILLOW[mode], expand, center, fillcolor=fill_of(fill, img))
    _, H, W = get_dimensions(img)
    matrix = inverse_affine_matrix(_from_middle(center, H, W), -angle, (0.0, 0.0), 1.0, (0.0, 0.0))
    OH, OW = _expanded_size(matrix, H, W) if expand else (H, W)
    return _sampled(img, _affine_positions(matrix, img, OH, OW), mode, fill)


def affine(
    img: Any,
    angle: float,
    translate: Sequence[int],
    scale: float,
    shear: float | Sequence[float],
    interpolation: InterpolationMode = NEAREST,
    fill: Any = None,
    center: Sequence[float] | None = None,
) -> Any:
    """An image turned, moved, scaled and sheared.

    Args:
        img: the image.
        angle: in degrees, clockwise.
        translate: (right, down), in pixels.
        scale: the factor, above 0.
        shear: in degrees along x, or along x and y.
        interpolation, fill: as for `rotate`.
        center: (x, y) of what stays in place, from the top left corner; the middle if None.

    Raises:
        TypeError: an argument is of another type.
        ValueError: one has another length, or `scale` is not positive.
    """
    mode = interpolation_of(interpolation)
    _check_angle(angle)
    for name, value in (("translate", translate), ("center", center)):
        _check_sequence(name, value)
    if len(translate) != 2:
        raise ValueError(f"Argument translate should be a sequence of length 2, got {translate}")
    if scale <= 0.0:
        raise ValueError(f"Argument scale should be positive, got {scale}")
    if not isinstance(shear, (int, float, list, tuple)):
        raise TypeError(f"Shear should be either a single value or a sequence of two values, got {shear!r}")
    shears = (shear, 0.0) if isinstance(shear, (int, float)) else tuple(shear) * (2 if len(shear) == 1 else 1)
    if len(shears) != 2:
        raise ValueError(f"Shear should be a sequence containing two values. Got {shear}")
    tensor = is_tensor(img)
    _, H, W = get_dimensions(img)
    if not tensor:
        from PIL.Image import Transform

        middle = (W * 0.5, H * 0.5) if center is None else tuple(center)
        matrix = inverse_affine_matrix(middle, float(angle), translate, scale, shears)
        return img.transform(img.size, Transform.AFFINE, matrix, PILLOW[mode], fillcolor=fill_of(fill, img))
    matrix = inverse_affine_matrix(_from_middle(center, H, W), float(angle), translate, scale, shears)
    return _sampled(img, _affine_positions(matrix, img, H, W), mode, fill)


def perspective(
    img: Any,
    startpoints: Sequence[Sequence[int]],
    endpoints: Sequence[Sequence[int]],
    interpolation: InterpolationMode = BILINEAR,
    fill: Any = None,
) -> Any:
    """An image seen from elsewhere.

    Args:
        img: the image.
        startpoints: (x, y) of its corners: top left, top right, bottom right, bottom left;
        endpoints: and where they are to lie.
        interpolation, fill: as for `rotate`.

    Raises:
        ValueError: there are not four corners.
        TypeError: `interpolation` is no mode.
    """
    coefficients = perspective_coefficients(startpoints, endpoints)
    mode = interpolation_of(interpolation)
    if not is_tensor(img):
        from PIL.Image import Transform

        return img.transform(img.size, Transform.PERSPECTIVE, coefficients, PILLOW[mode], fillcolor=fill_of(fill, img))
    _, H, W = get_dimensions(img)
    dtype = _position_dtype(img)
    x, y = _pixel_centres(W, 0.5, dtype)[None, :], _pixel_centres(H, 0.5, dtype)[:, None]
    a, b, c, d, e, f, g, h = np.array(coefficients, dtype)
    half_width, half_height = dtype.type(0.5 * W), dtype.type(0.5 * H)
    depth = x * g + y * h + dtype.type(1)
    with np.errstate(all="ignore"):  # a point at the horizon lies nowhere
        across = (x * (a / half_width) + y * (b / half_width) + c / half_width) / depth - dtype.type(1)
        down = (x * (d / half_height) + y * (e / half_height) + f / half_height) / depth - dtype.type(1)
    return _sampled(img, np.stack([across, down], axis=-1)[None], mode, fill)


def _check_angle(angle: Any) -> None:
    if not isinstance(angle, (int, float)):
        raise TypeError(f"Argument angle should be int or float, got {angle!r}")


def _check_sequence(name: str, value: Any) -> None:
    if value is not None and not isinstance(value, (list, tuple)):
        raise TypeError(f"Argument {name} should be a sequence, got {value!r}")


def _from_middle(center: Sequence[float] | None, H: int, W: int) -> tuple[float, float]:
    return (0.0, 0.0) if center is None else (center[0] - W * 0.5, center[1] - H * 0.5)


def inverse_affine_matrix(
    center: Sequence[float], angle: float, translate: Sequence[float], scale: float, shear: Sequence[float]
) -> list[float]:
    """The map from output to input pixels, (a, b, c, d, e, f) of x' = a x + b y + c and y' = d x + e y + f.

    It undoes: move `center` to the origin, shear, scale and turn, move back, and translate.
    """
    turn, shear_x, shear_y = math.radians(angle), math.radians(shear[0]), math.radians(shear[1])
    a = math.cos(turn - shear_y) / math.cos(shear_y)
    b = -math.cos(turn - shear_y) * math.tan(shear_x) / math.cos(shear_y) - math.sin(turn)
    c = math.sin(turn - shear_y) / math.cos(shear_y)
    d = -math.sin(turn - shear_y) * math.tan(shear_x) / math.cos(shear_y) + math.cos(turn)
    to_x, to_y = (d / scale, -b / scale), (-c / scale, a / scale)
    x, y = -center[0] - translate[0], -center[1] - translate[1]
    return [
        *to_x,
        to_x[0] * x + to_x[1] * y + center[0],
        *to_y,
        to_y[0] * x + to_y[1] * y + center[1],
    ]


def _position_dtype(img: Tensor) -> np.dtype:
    return np.dtype(img._array.dtype if is_floating(img) else np.float32)


def _pixel_centres(size: int, first: float, dtype: np.dtype) -> np.ndarray:
    return (np.arange(size) + first).astype(dtype)


def _affine_positions(matrix: list[float], img: Tensor, OH: int, OW: int) -> np.ndarray:
    """Where an affine map's output pixels lie in the image, (1, OH, OW, 2) from −1 to 1."""
    _, H, W = get_dimensions(img)
    dtype = _position_dtype(img)
    x, y = _pixel_centres(OW, 0.5 - OW * 0.5, dtype)[None, :], _pixel_centres(OH, 0.5 - OH * 0.5, dtype)[:, None]
    theta = np.array(matrix, dtype).reshape(2, 3) / np.array([[0.5 * W], [0.5 * H]], dtype)
    return np.stack([x * row[0] + y * row[1] + row[2] for row in theta], axis=-1)[None]


def _expanded_size(matrix: list[float], H: int, W: int) -> tuple[int, int]:
    corners = np.array(
        [[x * W, y * H, 1.0] for x, y in ((-0.5, -0.5), (-0.5, 0.5), (0.5, 0.5), (0.5, -0.5))], np.float32
    )
    moved = corners @ np.array(matrix, np.float32).reshape(2, 3).T
    middle = np.array([W * 0.5, H * 0.5], np.float32)
    tolerance = np.float32(EXPAND_TOLERANCE)
    last = np.ceil(np.trunc((moved.max(axis=0) + middle) / tolerance) * tolerance)
    first = np.floor(np.trunc((moved.min(axis=0) + middle) / tolerance) * tolerance)
    OW, OH = (last - first).astype(int)
    return int(OH), int(OW)


def _sampled(img: Tensor, positions: np.ndarray, mode: InterpolationMode, fill: Any) -> Tensor:
    """The image's values at positions (1, OH, OW, 2), with `fill` outside."""
    if mode not in (NEAREST, BILINEAR):
        raise ValueError(f"Interpolation mode {mode.value!r} is unsupported with Tensor input")
    values = list(fill) if isinstance(fill, (list, tuple)) else [0.0 if fill is None else float(fill)]
    channels = get_dimensions(img)[0]
    if len(values) not in (1, channels):
        raise ValueError(
            "The number of elements in 'fill' cannot broadcast to match the number of channels of the image "
            f"({len(values)} != {channels})"
        )
    batch = as_batch(img, (float64,) if positions.dtype == np.float64 else (float32,))
    if fill is not None:
        inside = from_numpy(np.ones((batch.shape[0], 1, *batch.shape[2:]), positions.dtype))
        batch = cat([batch, inside], dim=1)
    grid = from_numpy(np.repeat(positions, batch.shape[0], axis=0))
    result = functional.grid_sample(batch, grid, mode=mode.value, padding_mode="zeros", align_corners=False)
    if fill is not None:
        result, share = result[:, :-1], result[:, -1:]
        colour = from_numpy(np.array(values, positions.dtype).reshape(1, -1, 1, 1))
        if mode is NEAREST:
            result = where(share < 0.5, colour, result)
        else:
            result = result * share + (1.0 - share) * colour
    return like_image(result, img)


def perspective_coefficients(startpoints: Sequence[Sequence[int]], endpoints: Sequence[Sequence[int]]) -> list[float]:
    """a … h of the map x' = (a x + b y + c) / (g x + h y + 1), y' = (d x + e y + f) / (g x + h y + 1) to the input.

    Raises:
        ValueError: there are not four corners.
    """
    if len(startpoints) != 4 or len(endpoints) != 4:
        raise ValueError(
            f"Please provide exactly four corners, got {len(startpoints)} startpoints and {len(endpoints)} endpoints."
        )
    rows = []
    for (x, y), (from_x, from_y) in zip(endpoints, startpoints, strict=True):
        rows.append([x, y, 1, 0, 0, 0, -from_x * x, -from_x * y])
        rows.append([0, 0, 0, x, y, 1, -from_y * x, -from_y * y])
    solution = np.linalg.lstsq(np.array(rows, np.float64), np.array(startpoints, np.float64).reshape(8), rcond=None)[0]
    return solution.astype(np.float32).tolist()
