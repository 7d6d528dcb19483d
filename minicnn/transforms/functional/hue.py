"""Turning the circle of hues."""

from typing import Any

import numpy as np

from minicnn.creation import from_numpy
from minicnn.dtypes import float32
from minicnn.operators.choosing import where
from minicnn.operators.joining import stack
from minicnn.tensor import Tensor
from minicnn.transforms.functional._images import check_channels, get_image_num_channels, is_tensor
from minicnn.transforms.functional.conversion import convert_image_dtype


def adjust_hue(img: Any, hue_factor: float) -> Any:
    """An image with its colours moved along the circle of hues.

    Args:
        img: the image.
        hue_factor: which part of the circle, −0.5 to 0.5.

    Raises:
        ValueError: the factor is out of its range.
    """
    if not -0.5 <= hue_factor <= 0.5:
        raise ValueError(f"hue_factor ({hue_factor}) is not in [-0.5, 0.5].")
    if not is_tensor(img):
        return _turn_hue_of_picture(img, hue_factor)
    check_channels(img)
    if get_image_num_channels(img) == 1:
        return img
    hue, saturation, value = _to_hsv(convert_image_dtype(img, float32))
    return convert_image_dtype(_from_hsv((hue + hue_factor) % 1.0, saturation, value), img.dtype)


def _turn_hue_of_picture(img: Any, hue_factor: float) -> Any:
    from PIL import Image

    if img.mode in ("L", "1", "I", "F"):
        return img
    hue, saturation, value = img.convert("HSV").split()
    turned = np.array(hue) + np.int32(hue_factor * 255).astype(np.uint8)
    return Image.merge("HSV", (Image.fromarray(turned), saturation, value)).convert(img.mode)


def _to_hsv(img: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Hue, saturation and value, each (..., H, W) from 0 to 1, of (..., 3, H, W)."""
    red, green, blue = img.unbind(-3)
    largest, least = img.amax(dim=-3), img.amin(dim=-3)
    gray = largest == least
    spread = largest - least
    one = from_numpy(np.ones((), img._array.dtype))
    saturation = spread / where(gray, one, largest)
    divisor = where(gray, one, spread)
    from_red, from_green, from_blue = [(largest - channel) / divisor for channel in (red, green, blue)]
    is_red, is_green = largest == red, largest == green
    hue = where(
        is_red, from_blue - from_green, where(is_green, 2.0 + from_red - from_blue, 4.0 + from_green - from_red)
    )
    return (hue / 6.0 + 1.0).fmod(1.0), saturation, largest


def _from_hsv(hue: Tensor, saturation: Tensor, value: Tensor) -> Tensor:
    """Colours (..., 3, H, W) of hue, saturation and value."""
    sixth = (hue * 6.0).floor()
    part = hue * 6.0 - sixth
    low = (value * (1.0 - saturation)).clamp(0.0, 1.0)
    falling = (value * (1.0 - saturation * part)).clamp(0.0, 1.0)
    rising = (value * (1.0 - saturation * (1.0 - part))).clamp(0.0, 1.0)
    number = sixth._array.astype(np.int32) % 6
    channels = []
    for choices in (
        (value, falling, low, low, rising, value),
        (rising, value, value, falling, low, low),
        (low, low, rising, value, value, falling),
    ):
        channel = choices[0]
        for position in range(1, 6):
            channel = where(from_numpy(number == position), choices[position], channel)
        channels.append(channel)
    return stack(channels, dim=-3)
