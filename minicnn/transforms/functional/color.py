"""Colours and brightness."""

from typing import Any

import numpy as np

from minicnn.creation import from_numpy
from minicnn.dtypes import float32
from minicnn.operators.choosing import where
from minicnn.tensor import Tensor
from minicnn.transforms.functional._images import (
    check_channels,
    get_image_num_channels,
    is_floating,
    is_tensor,
    largest_value,
)
from minicnn.transforms.functional.conversion import convert_image_dtype

LIGHTNESS = (0.2989, 0.587, 0.114)
"""The weights of red, green and blue in gray Tensors, as in torchvision."""


def blend(image: Tensor, other: Any, ratio: float) -> Tensor:
    """ratio · image + (1 − ratio) · other, within the values that an image may have."""
    mixed = float(ratio) * image + (1.0 - float(ratio)) * other
    return mixed.clamp(0, largest_value(image._array.dtype)).to(image.dtype)


def _check_factor(name: str, factor: float) -> None:
    if factor < 0:
        raise ValueError(f"{name} ({factor}) is not non-negative.")


def rgb_to_grayscale(img: Any, num_output_channels: int = 1) -> Any:
    """An image without its colours.

    Args:
        img: an image of 1 or 3 channels.
        num_output_channels: 1, or 3 for three equal ones.

    Raises:
        ValueError: `num_output_channels` is neither.
        TypeError: a Tensor of other channels.
    """
    if num_output_channels not in (1, 3):
        raise ValueError(f"num_output_channels should be either 1 or 3, got {num_output_channels}")
    if not is_tensor(img):
        return to_grayscale(img, num_output_channels)
    check_channels(img, ndim=3)
    if img.shape[-3] == 3:
        red, green, blue = img.unbind(-3)
        gray = LIGHTNESS[0] * red + LIGHTNESS[1] * green + LIGHTNESS[2] * blue
        gray = gray.to(img.dtype).unsqueeze(-3)
    else:
        gray = img.clone()
    return gray.expand(img.shape) if num_output_channels == 3 else gray


def to_grayscale(img: Any, num_output_channels: int = 1) -> Any:
    """A Pillow image without its colours, of 1 or 3 channels.

    Raises:
        TypeError: for a Tensor; see `rgb_to_grayscale`.
        ValueError: `num_output_channels` is neither.
    """
    if is_tensor(img):
        raise TypeError("Input should be PIL Image; rgb_to_grayscale takes Tensors too")
    if num_output_channels not in (1, 3):
        raise ValueError(f"num_output_channels should be either 1 or 3, got {num_output_channels}")
    from PIL import Image

    gray = img.convert("L")
    return gray if num_output_channels == 1 else Image.merge("RGB", [gray] * 3)


def adjust_brightness(img: Any, brightness_factor: float) -> Any:
    """An image as many times as bright: 0 is black, 1 the image itself.

    Raises:
        ValueError: the factor is negative, and the image a Tensor.
    """
    if not is_tensor(img):
        from PIL import ImageEnhance

        return ImageEnhance.Brightness(img).enhance(brightness_factor)
    _check_factor("brightness_factor", brightness_factor)
    check_channels(img)
    return blend(img, from_numpy(np.zeros((), img._array.dtype)), brightness_factor)


def adjust_contrast(img: Any, contrast_factor: float) -> Any:
    """An image with as many times the contrast: 0 is evenly gray, 1 the image itself.

    Raises:
        ValueError: the factor is negative, and the image a Tensor.
    """
    if not is_tensor(img):
        from PIL import ImageEnhance

        return ImageEnhance.Contrast(img).enhance(contrast_factor)
    _check_factor("contrast_factor", contrast_factor)
    check_channels(img)
    gray = rgb_to_grayscale(img) if get_image_num_channels(img) == 3 else img
    gray = gray if is_floating(img) else gray.to(float32)
    return blend(img, gray.mean(dim=(-3, -2, -1), keepdim=True), contrast_factor)


def adjust_saturation(img: Any, saturation_factor: float) -> Any:
    """An image as many times as colourful: 0 is gray, 1 the image itself.

    Raises:
        ValueError: the factor is negative, and the image a Tensor.
    """
    if not is_tensor(img):
        from PIL import ImageEnhance

        return ImageEnhance.Color(img).enhance(saturation_factor)
    _check_factor("saturation_factor", saturation_factor)
    check_channels(img)
    if get_image_num_channels(img) == 1:
        return img
    return blend(img, rgb_to_grayscale(img), saturation_factor)


def adjust_gamma(img: Any, gamma: float, gain: float = 1) -> Any:
    """gain · image^gamma, where white is 1.

    Raises:
        ValueError: `gamma` is negative.
    """
    tensor = is_tensor(img)
    if tensor:
        check_channels(img)
    if gamma < 0:
        raise ValueError(f"Gamma should be a non-negative real number, got {gamma}")
    if not tensor:
        table = [int((255 + 1 - 1e-3) * gain * pow(level / 255.0, gamma)) for level in range(256)] * 3
        return img.convert("RGB").point(table).convert(img.mode)
    lifted = img if is_floating(img) else convert_image_dtype(img, float32)
    return convert_image_dtype((gain * lifted**gamma).clamp(0, 1), img.dtype)


def invert(img: Any) -> Any:
    """An image's negative."""
    if not is_tensor(img):
        from PIL import ImageOps

        return ImageOps.invert(img)
    check_channels(img, ndim=3)
    return largest_value(img._array.dtype) - img


def solarize(img: Any, threshold: float) -> Any:
    """An image whose values from `threshold` on are inverted.

    Raises:
        TypeError: the threshold lies above white, and the image is a Tensor.
    """
    if not is_tensor(img):
        from PIL import ImageOps

        return ImageOps.solarize(img, threshold)  # type: ignore[arg-type]
    check_channels(img, ndim=3)
    if threshold > largest_value(img._array.dtype):
        raise TypeError(f"Threshold should be less than bound of img, got {threshold}")
    return where(img >= threshold, invert(img), img)


def posterize(img: Any, bits: int) -> Any:
    """An image of bytes of which only the `bits` highest bits are left.

    Raises:
        ValueError: `bits` is not 0 to 8.
        TypeError: for a Tensor of another dtype than uint8.
    """
    if not 0 <= bits <= 8:
        raise ValueError(f"The number if bits should be between 0 and 8. Got {bits}")
    if not is_tensor(img):
        from PIL import ImageOps

        return ImageOps.posterize(img, bits)
    check_channels(img, (img.shape[-3],) if img.ndim > 2 else (1,), ndim=3)
    _check_bytes(img)
    check_channels(img)
    return from_numpy(img._array & np.uint8(256 - 2 ** (8 - bits) if bits else 0))


def _check_bytes(img: Tensor) -> None:
    if img._array.dtype != np.uint8:
        raise TypeError(f"Only torch.uint8 image tensors are supported, but found {img.dtype}")


def autocontrast(img: Any) -> Any:
    """An image whose darkest value becomes black and whose lightest white, in every channel."""
    if not is_tensor(img):
        from PIL import ImageOps

        return ImageOps.autocontrast(img)
    check_channels(img, ndim=3)
    white = largest_value(img._array.dtype)
    values = img if is_floating(img) else img.to(float32)
    least, largest = values.amin(dim=(-2, -1), keepdim=True), values.amax(dim=(-2, -1), keepdim=True)
    with np.errstate(all="ignore"):
        even = ~np.isfinite(white / (largest - least)._array)
    least = least.masked_fill(from_numpy(even), 0)
    spread = (largest - least).masked_fill(from_numpy(even), white)
    return ((img - least) * (white / spread)).clamp(0, white).to(img.dtype)


def equalize(img: Any) -> Any:
    """An image of bytes in which all values are about as frequent, in every channel.

    Raises:
        TypeError: for a Tensor of another dtype than uint8, or of other dimensions than (N, C, H, W) or (C, H, W).
    """
    if not is_tensor(img):
        from PIL import ImageOps

        return ImageOps.equalize(img)
    if not 3 <= img.ndim <= 4:
        raise TypeError(f"Input image tensor should have 3 or 4 dimensions, but found {img.ndim}")
    _check_bytes(img)
    check_channels(img)
    x = img._array
    planes = [_equalized(plane) for plane in x.reshape(-1, *x.shape[-2:])]
    return from_numpy(np.array(planes, np.uint8).reshape(x.shape))


def _equalized(plane: np.ndarray) -> np.ndarray:
    counts = np.bincount(plane.ravel(), minlength=256)
    present = counts[counts != 0]
    step = present[:-1].sum() // 255
    if step == 0:
        return plane
    before = np.concatenate([[0], counts.cumsum()[:-1] + step // 2])
    before[1:] //= step
    return np.clip(before, 0, 255).astype(np.uint8)[plane]
