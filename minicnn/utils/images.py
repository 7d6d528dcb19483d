"""Pictures out of tensors: many images in one grid, and files of them."""

import math
import os
from typing import Any, BinaryIO

import numpy as np

from minicnn.errors import DtypeError
from minicnn.serialization.files import replacing
from minicnn.tensor import Tensor, computed

__all__ = ["make_grid", "save_image"]

NARROWEST_RANGE = 1e-5
"""What a range of values is divided by at least, as in torchvision."""


def make_grid(
    tensor: Tensor | list[Tensor],
    nrow: int = 8,
    padding: int = 2,
    normalize: bool = False,
    value_range: tuple[float, float] | None = None,
    scale_each: bool = False,
    pad_value: float = 0.0,
) -> Tensor:
    """Lay images side by side, row by row.

    Args:
        tensor: images (B, C, H, W), one (C, H, W) or (H, W), or a list of images of one shape. Images of one channel
            become gray ones of three.
        nrow: images in a row.
        padding: pixels between images and around them.
        normalize: whether to take the values from `value_range` to 0 … 1.
        value_range: (least, largest); those of the images if None.
        scale_each: take those of each image by itself.
        pad_value: the value of the pixels between images.

    Returns: one image (C, rows · (H + padding) + padding, columns · (W + padding) + padding); an image alone as it is.

    Raises:
        TypeError: `tensor` is none, or `value_range` no tuple.
        RuntimeError: integers are to be normalised, or the images in the list differ in shape.
    """
    x = _batch(tensor)
    if normalize:
        if value_range is not None and not isinstance(value_range, tuple):
            raise TypeError("value_range has to be a tuple (min, max) if specified. min and max are numbers")
        if x.dtype.kind != "f":
            raise DtypeError(f"normalize needs images of floating-point numbers, got {x.dtype}")
        if scale_each:
            x = np.stack([_normalized(image, value_range) for image in x]) if len(x) else x
        else:
            x = _normalized(x, value_range)
    B, C, H, W = x.shape
    if B == 1:
        return computed(np.array(x[0]))
    columns = min(nrow, B)
    rows = math.ceil(B / columns)
    high, wide = H + padding, W + padding
    grid = np.empty((C, high * rows + padding, wide * columns + padding), x.dtype)
    grid[...] = np.asarray(pad_value).astype(x.dtype)
    for number, image in enumerate(x):
        top, left = number // columns * high + padding, number % columns * wide + padding
        grid[:, top : top + H, left : left + W] = image
    return computed(grid)


def _batch(tensor: Any) -> np.ndarray:
    """The images as one array (B, C, H, W) of one channel or three, and more as they are."""
    images = tensor if isinstance(tensor, list) else [tensor]
    for image in images:
        if not isinstance(image, Tensor):
            raise TypeError(f"tensor or list of tensors expected, got {type(tensor)} with {type(image)}")
    if isinstance(tensor, list):
        shapes = {tuple(image.shape) for image in tensor}
        if len(shapes) != 1:
            raise RuntimeError(f"make_grid needs images of one shape, got {sorted(shapes)}")
        x = np.stack([image._array for image in tensor])
    else:
        x = tensor._array
    if x.ndim == 2:
        x = x[None]
    if x.ndim == 3:
        x = x[None]
    if x.ndim != 4:
        raise ValueError(f"make_grid needs images (B, C, H, W), (C, H, W) or (H, W), got shape {x.shape}")
    return np.repeat(x, 3, axis=1) if x.shape[1] == 1 else x


def _normalized(x: np.ndarray, value_range: tuple[float, float] | None) -> np.ndarray:
    if value_range is None:
        if not x.size:
            raise RuntimeError(f"images of shape {x.shape} have no least and largest value")
        value_range = float(x.min()), float(x.max())
    low, high = value_range
    with np.errstate(invalid="ignore"):
        return (np.clip(x, low, high) - low) / max(high - low, NARROWEST_RANGE)


def save_image(
    tensor: Tensor | list[Tensor], fp: str | os.PathLike | BinaryIO, format: str | None = None, **kwargs: Any
) -> None:
    """Write images from 0 to 1 into a picture file, several of them as a grid.

    Args:
        tensor: see `make_grid`.
        fp: the file's name, or a file object. A file appears whole or not at all.
        format: "PNG", "JPEG" or another of Pillow's; from the file's name if None.
        kwargs: the other arguments of `make_grid`.

    Raises:
        TypeError: `tensor` is none.
        ValueError: the format isn't known.
        RuntimeError: the images are integers.
    """
    from PIL import Image

    grid = make_grid(tensor, **kwargs)._array
    if grid.dtype.kind != "f":
        raise DtypeError(f"save_image needs images of floating-point numbers from 0 to 1, got {grid.dtype}")
    with np.errstate(all="ignore"):
        pixels = np.nan_to_num(np.clip(grid * 255 + 0.5, 0, 255)).astype(np.uint8)
    picture = Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0)))
    if not isinstance(fp, (str, os.PathLike)):
        picture.save(fp, format=format)
        return
    format = format or _format_of(os.fspath(fp))
    with replacing(fp) as file:
        picture.save(file, format=format)


def _format_of(name: str) -> str:
    """The format that Pillow gives files of that name.

    Raises:
        ValueError: there is none.
    """
    from PIL import Image

    ending = os.path.splitext(name)[1].lower()
    formats = Image.registered_extensions()
    if ending not in formats:
        raise ValueError(f"unknown file extension: {ending!r} of {name}")
    return formats[ending]
