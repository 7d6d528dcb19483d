"""Transforms that cut windows out, or add borders."""

import math
import warnings
from collections.abc import Sequence
from typing import Any

from minicnn.transforms import functional as F
from minicnn.transforms._draws import integer, log_uniform, uniform
from minicnn.transforms._interpolation import InterpolationMode, interpolation_of
from minicnn.transforms._module import SingleTransform
from minicnn.transforms.functional.geometry import check_padding, pair

TRIES = 10
"""How often a window that fits is drawn, before the middle is taken."""


class CenterCrop(SingleTransform):
    """Cut out the middle, padded with zeros where the image is smaller.

    Args:
        size: (OH, OW), or one number for both.

    Raises:
        ValueError: there are more.
    """

    _shown = ("size",)

    def __init__(self, size: int | Sequence[int]) -> None:
        super().__init__()
        self.size = pair(size)

    def forward(self, img: Any) -> Any:
        """The middle of an image."""
        return F.center_crop(img, self.size)


class Pad(SingleTransform):
    """Add a border; see `functional.pad`.

    Args:
        padding: pixels on every side, or (left and right, top and bottom), or (left, top, right, bottom).
        fill: their value, or one for each channel.
        padding_mode: "constant", "edge", "reflect" or "symmetric".

    Raises:
        TypeError: an argument is of another type.
        ValueError: `padding` has another length, or there is no such mode.
    """

    _shown = ("padding", "fill", "padding_mode")

    def __init__(self, padding: int | Sequence[int], fill: Any = 0, padding_mode: str = "constant") -> None:
        super().__init__()
        check_padding(padding, padding_mode)
        if not isinstance(fill, (int, float, list, tuple)):
            raise TypeError(f"Got inappropriate fill arg: {fill!r}")
        self.padding = padding
        self.fill = fill
        self.padding_mode = padding_mode

    def forward(self, img: Any) -> Any:
        """An image with its border."""
        return F.pad(img, self.padding, self.fill, self.padding_mode)


class RandomResizedCrop(SingleTransform):
    """Cut out a window of random size and shape, and resize it.

    Args:
        size: (OH, OW), or one number for both.
        scale: the least and the largest part of the image's area.
        ratio: the least and the largest width, by height.
        interpolation: a mode; see `functional.resize`.
        antialias: see there.

    Raises:
        TypeError, ValueError: an argument is of another type, or has another length.
    """

    def __init__(
        self,
        size: int | Sequence[int],
        scale: Sequence[float] = (0.08, 1.0),
        ratio: Sequence[float] = (3.0 / 4.0, 4.0 / 3.0),
        interpolation: InterpolationMode = InterpolationMode.BILINEAR,
        antialias: bool | None = True,
    ) -> None:
        super().__init__()
        self.size = pair(size)
        check_ranges(scale, ratio)
        self.scale = scale
        self.ratio = ratio
        self.interpolation = interpolation_of(interpolation)
        self.antialias = antialias

    @staticmethod
    def get_params(img: Any, scale: Sequence[float], ratio: Sequence[float]) -> tuple[int, int, int, int]:
        """Draw a window (top, left, height, width); the middle in a shape as near as can be, where none fits."""
        _, H, W = F.get_dimensions(img)
        for _ in range(TRIES):
            area, aspect = H * W * uniform(*scale), log_uniform(*ratio)
            width, height = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
            if 0 < width <= W and 0 < height <= H:
                return integer(0, H - height + 1), integer(0, W - width + 1), height, width
        width, height = W, H
        if min(ratio) > W / H:
            height = round(W / min(ratio))
        elif max(ratio) < W / H:
            width = round(H * max(ratio))
        return (H - height) // 2, (W - width) // 2, height, width

    def forward(self, img: Any) -> Any:
        """A random window of an image, resized."""
        window = self.get_params(img, self.scale, self.ratio)
        return F.resized_crop(img, *window, self.size, self.interpolation, antialias=self.antialias)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(size={self.size}, scale={tuple(round(one, 4) for one in self.scale)}, "
            f"ratio={tuple(round(one, 4) for one in self.ratio)}, interpolation={self.interpolation.value}, "
            f"antialias={self.antialias})"
        )


def check_ranges(scale: Any, ratio: Any) -> None:
    """See to it that both are (least, largest).

    Raises:
        TypeError: one is no sequence.
    """
    for name, value in (("Scale", scale), ("Ratio", ratio)):
        if not isinstance(value, (list, tuple)):
            raise TypeError(f"{name} should be a sequence, got {value!r}")
    if scale[0] > scale[1] or ratio[0] > ratio[1]:
        warnings.warn("Scale and ratio should be of kind (min, max)", stacklevel=3)


class FiveCrop(SingleTransform):
    """The four corners and the middle, as a tuple of five images.

    Args:
        size: (OH, OW), or one number for both.
    """

    _shown = ("size",)

    def __init__(self, size: int | Sequence[int]) -> None:
        super().__init__()
        self.size = pair(size)

    def forward(self, img: Any) -> tuple[Any, ...]:
        """Five windows of an image."""
        return F.five_crop(img, self.size)


class TenCrop(SingleTransform):
    """`FiveCrop` of the image and of its mirror image, as a tuple of ten.

    Args:
        size: (OH, OW), or one number for both.
        vertical_flip: turn upside down instead of mirroring.
    """

    _shown = ("size", "vertical_flip")

    def __init__(self, size: int | Sequence[int], vertical_flip: bool = False) -> None:
        super().__init__()
        self.size = pair(size)
        self.vertical_flip = vertical_flip

    def forward(self, img: Any) -> tuple[Any, ...]:
        """Ten windows of an image."""
        return F.ten_crop(img, self.size, self.vertical_flip)
