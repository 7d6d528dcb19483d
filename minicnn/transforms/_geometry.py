"""Transforms that move pixels of whole batches: crops and resizing."""

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn.datasets._resize import resize_bilinear
from minicnn.random import Generator, numpy_generator
from minicnn.tensor import Tensor
from minicnn.transforms._base import Images, as_given, rows_first
from minicnn.transforms._interpolation import InterpolationMode, interpolation_of
from minicnn.transforms._module import BatchTransform
from minicnn.transforms.functional._images import get_dimensions
from minicnn.transforms.functional.geometry import (
    PADDING_MODES,
    crop,
    output_size_of,
    pad,
    resize,
)


class RandomCrop(BatchTransform):
    """Cut out a window at a random place, after padding.

    Args:
        size: (OH, OW), or one number for both.
        padding: pixels to add on every side, or (left and right, top and bottom), or
            (left, top, right, bottom).
        pad_if_needed: pad an image that is smaller than `size` by the difference, on both sides.
        fill: the value of padded pixels, or one for each channel.
        padding_mode: `"constant"` pads with `fill`, `"edge"` repeats the outermost pixel, `"reflect"` mirrors
            the image without and `"symmetric"` with its outermost pixel.

    Raises:
        ValueError: an argument is none of these; when called: the image is smaller than `size`.
    """

    def __init__(
        self,
        size: int | Sequence[int],
        padding: int | Sequence[int] | None = None,
        pad_if_needed: bool = False,
        fill: float | Sequence[float] = 0,
        padding_mode: str = "constant",
    ) -> None:
        super().__init__()
        if padding_mode not in PADDING_MODES:
            raise ValueError(f"padding_mode must be one of {', '.join(PADDING_MODES)}, got {padding_mode!r}")
        self.size = pair_of(size)
        self.padding = padding
        self.pad_if_needed = pad_if_needed
        self.fill = fill
        self.padding_mode = padding_mode
        self.sides = (0, 0, 0, 0) if padding is None else sides_of(padding)

    def batch(self, images: Images, generator: Generator | None = None) -> Images:
        """Cut a window out of each image of a batch, each at its own place."""
        rows = self._pad(rows_first(images), *self.sides)
        OH, OW = self.size
        if self.pad_if_needed:
            wide, high = max(OW - rows.shape[2], 0), max(OH - rows.shape[1], 0)
            rows = self._pad(rows, wide, high, wide, high)
        N, H, W = rows.shape[:3]
        result = np.empty((N, OH, OW, *rows.shape[3:]), rows.dtype)
        for n, (top, left) in enumerate(_corners(self.size, N, H, W, generator)):
            result[n] = rows[n, top : top + OH, left : left + OW]
        return as_given(result, images)

    def picture(self, image: Any) -> Any:
        """Cut a window out of a Pillow image; its mode and palette stay."""
        OH, OW = self.size
        if self.padding is not None:
            image = pad(image, list(self.sides), self.fill, self.padding_mode)
        _, H, W = get_dimensions(image)
        if self.pad_if_needed and (W < OW or H < OH):
            image = pad(image, [max(OW - W, 0), max(OH - H, 0)], self.fill, self.padding_mode)
        return crop(image, *self.get_params(image, self.size))

    differentiable = picture

    @staticmethod
    def get_params(img: Any, output_size: tuple[int, int]) -> tuple[int, int, int, int]:
        """Draw a window (top, left, height, width).

        Raises:
            ValueError: the image is smaller.
        """
        _, H, W = get_dimensions(img)
        ((top, left),) = _corners(output_size, 1, H, W)
        return top, left, *output_size

    def _pad(self, rows: np.ndarray, left: int, top: int, right: int, bottom: int) -> np.ndarray:
        if not (left or top or right or bottom):
            return rows
        if self.padding_mode != "constant":
            widths = [(0, 0), (top, bottom), (left, right)] + [(0, 0)] * (rows.ndim - 3)
            return np.pad(rows, widths, mode=self.padding_mode)  # type: ignore[call-overload]
        N, H, W, *others = rows.shape
        padded = np.empty((N, top + H + bottom, left + W + right, *others), rows.dtype)
        padded[...] = self._fill(rows)
        padded[:, top : top + H, left : left + W] = rows
        return padded

    def _fill(self, rows: np.ndarray) -> np.ndarray:
        fill = np.asarray(self.fill)
        channels = rows.shape[-1] if rows.ndim > 3 else 1
        if fill.ndim > 1 or fill.size not in (1, channels):
            raise ValueError(f"fill has {fill.size} values for images of {channels} channels")
        if rows.dtype.kind != "f" and (fill.astype(rows.dtype) != fill).any():
            raise ValueError(f"fill={self.fill} is no {rows.dtype} value")
        return fill.reshape(()) if fill.size == 1 else fill

    def __repr__(self) -> str:
        return f"{type(self).__name__}(size={self.size}, padding={self.padding})"


def _corners(
    size: tuple[int, int], N: int, H: int, W: int, generator: Generator | None = None
) -> list[tuple[int, int]]:
    """Where the windows of N images begin: (top, left) of each."""
    OH, OW = size
    if H < OH or W < OW:
        raise ValueError(f"Required crop size {size} is larger than input image size {(H, W)}")
    stream = numpy_generator(generator)
    tops, lefts = stream.integers(0, H - OH + 1, N), stream.integers(0, W - OW + 1, N)
    return list(zip(tops.tolist(), lefts.tolist(), strict=True))


class Resize(BatchTransform):
    """Change the size of an image.

    Args:
        size: (OH, OW), or one number for the shorter side, the longer one following in proportion.
        interpolation: an `InterpolationMode`, or Pillow's number of it.
        max_size: with one number for `size`: the longest the longer side may become.
        antialias: whether a smaller image is the mean of what its pixels cover; Pillow images always are.

    Raises:
        ValueError, TypeError: an argument is none of these; when called: Tensors don't know the mode.
    """

    def __init__(
        self,
        size: int | Sequence[int],
        interpolation: InterpolationMode = InterpolationMode.BILINEAR,
        max_size: int | None = None,
        antialias: bool | None = True,
    ) -> None:
        super().__init__()
        self._pair = pair_of(size)
        self._shorter = self._pair[0] if len(integers_of(size)) == 1 else None
        if max_size is not None and (self._shorter is None or max_size <= self._shorter):
            raise ValueError(f"max_size must be larger than size, a single number; got {max_size} and {size}")
        self.size = size
        self.interpolation = interpolation_of(interpolation)
        self.max_size = max_size
        self.antialias = antialias

    def forward(self, image: Any) -> Any:
        """Resize one image, an array, a Pillow image or a Tensor."""
        plain = self.interpolation is InterpolationMode.BILINEAR
        if isinstance(image, Tensor):
            plain = plain and bool(self.antialias) and image._array.dtype in (np.uint8, np.float32, np.float64)
        return super().forward(image) if plain else self.picture(image)

    def batch(self, images: Images, generator: Generator | None = None) -> Images | None:
        """Resize a batch of images; None where only Pillow knows how.

        Bytes have the values of Pillow's arithmetic, width before height. (Where Pillow, from version 13 on, begins
        with the height, rounding makes a difference of one.)
        """
        if self.interpolation is not InterpolationMode.BILINEAR or (isinstance(images, Tensor) and not self.antialias):
            return None
        rows = rows_first(images)
        if rows.dtype not in (np.uint8, np.float32, np.float64):
            raise TypeError(f"Resize takes uint8, float32 or float64 images, got {rows.dtype}")
        H, W = rows.shape[1:3]
        output_size = output_size_of(H, W, integers_of(self.size), self.max_size)
        if min(output_size) < 1:
            raise ValueError(f"nothing is left of an image of {(H, W)} with max_size={self.max_size}")
        if output_size == (H, W):
            return images
        return as_given(resize_bilinear(rows, output_size), images)

    def picture(self, image: Any) -> Any:
        """Resize a Pillow image by Pillow's own rules."""
        return resize(image, self.size, self.interpolation, self.max_size, self.antialias)

    differentiable = picture

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(size={self.size}, interpolation={self.interpolation.value}, "
            f"max_size={self.max_size}, antialias={self.antialias})"
        )


def pair_of(size: Any) -> tuple[int, int]:
    """(height, width) from one positive integer or a sequence of one or two.

    Raises:
        ValueError: it is something else.
    """
    sizes = integers_of(size)
    if len(sizes) not in (1, 2) or min(sizes) <= 0:
        raise ValueError(f"size must be one or two positive integers (h, w), got {size}")
    return sizes[0], sizes[-1]


def sides_of(padding: Any) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) from one integer or a sequence of one, two or four.

    Raises:
        ValueError: it is something else, or negative.
    """
    sides = integers_of(padding)
    if len(sides) not in (1, 2, 4) or min(sides) < 0:
        raise ValueError(f"padding must be 1, 2 or 4 non-negative integers, got {padding}")
    left, top, right, bottom = sides * (4 // len(sides))
    return left, top, right, bottom


def integers_of(value: Any) -> tuple[int, ...]:
    """A tuple of integers, from one or a sequence.

    Raises:
        TypeError: one of them is no integer.
    """
    return tuple(map(operator.index, value if isinstance(value, Sequence) else (value,)))
