"""Blurring, sharpening and erasing."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn.creation import from_numpy
from minicnn.nn import functional
from minicnn.tensor import Tensor
from minicnn.transforms.functional._images import as_batch, check_channels, is_floating, is_tensor, like_image
from minicnn.transforms.functional.color import blend
from minicnn.transforms.functional.conversion import pil_to_tensor, to_pil_image

SOFTENING = np.array([[1, 1, 1], [1, 5, 1], [1, 1, 1]]) / 13
"""What a fully unsharp image is filtered with, in Pillow and torchvision."""


def gaussian_blur(img: Any, kernel_size: int | Sequence[int], sigma: float | Sequence[float] | None = None) -> Any:
    """An image blurred by a bell curve.

    Args:
        img: the image.
        kernel_size: pixels of the filter, (across, down) or one number for both; odd.
        sigma: the width of the bell, likewise; 0.15 · kernel_size + 0.35 if None.

    Raises:
        TypeError: an argument is of another type.
        ValueError: one has another length, a size is not odd and positive, or a sigma not positive.
    """
    if not isinstance(kernel_size, (int, list, tuple)):
        raise TypeError(f"kernel_size should be int or a sequence of integers. Got {type(kernel_size)}")
    sizes = (kernel_size,) * 2 if isinstance(kernel_size, int) else tuple(kernel_size)
    if len(sizes) != 2:
        raise ValueError(f"If kernel_size is a sequence its length should be 2. Got {len(sizes)}")
    if any(size % 2 == 0 or size < 0 for size in sizes):
        raise ValueError(f"kernel_size should have odd and positive integers. Got {kernel_size}")
    if sigma is not None and not isinstance(sigma, (int, float, list, tuple)):
        raise TypeError(f"sigma should be either float or sequence of floats. Got {type(sigma)}")
    if sigma is None:
        sigma = [size * 0.15 + 0.35 for size in sizes]
    widths = (float(sigma),) * 2 if isinstance(sigma, (int, float)) else tuple(sigma) * (2 if len(sigma) == 1 else 1)
    if len(widths) != 2:
        raise ValueError(f"If sigma is a sequence, its length should be 2. Got {len(widths)}")
    if min(widths) <= 0.0:
        raise ValueError(f"sigma should have positive values. Got {sigma}")
    if not is_tensor(img):
        return to_pil_image(gaussian_blur(pil_to_tensor(img), sizes, widths), mode=img.mode)
    dtype = _filter_dtype(img)
    across, down = [_bell(size, width, dtype) for size, width in zip(sizes, widths, strict=True)]
    batch = as_batch(img, (dtype,))
    sides = [sizes[0] // 2, sizes[0] // 2, sizes[1] // 2, sizes[1] // 2]
    return like_image(_filtered(functional.pad(batch, sides, mode="reflect"), np.outer(down, across)), img)


def _filter_dtype(img: Tensor) -> np.dtype:
    return np.dtype(img._array.dtype if is_floating(img) else np.float32)


def _bell(size: int, sigma: float, dtype: np.dtype) -> np.ndarray:
    """`size` values of a bell curve that sum to one."""
    x = (np.arange(size) - (size - 1) * 0.5).astype(dtype)
    values = np.exp(dtype.type(-0.5) * (x / dtype.type(sigma)) ** 2)
    return values / values.sum()


def _filtered(batch: Tensor, taps: np.ndarray) -> Tensor:
    """Every channel of (N, C, H, W), filtered without padding."""
    channels = batch.shape[1]
    weight = from_numpy(np.broadcast_to(taps.astype(batch._array.dtype), (channels, 1, *taps.shape)).copy())
    return functional.conv2d(batch, weight, groups=channels)


def adjust_sharpness(img: Any, sharpness_factor: float) -> Any:
    """An image as many times as sharp: 0 is blurred, 1 the image itself.

    Raises:
        ValueError: the factor is negative, and the image a Tensor.
    """
    if not is_tensor(img):
        from PIL import ImageEnhance

        return ImageEnhance.Sharpness(img).enhance(sharpness_factor)
    if sharpness_factor < 0:
        raise ValueError(f"sharpness_factor ({sharpness_factor}) is not non-negative.")
    check_channels(img)
    if min(img.shape[-2:]) <= 2:
        return img
    inner = like_image(_filtered(as_batch(img, (_filter_dtype(img),)), SOFTENING), img)
    soft = img.clone()
    soft[..., 1:-1, 1:-1] = inner
    return blend(img, soft, sharpness_factor)


def erase(img: Tensor, i: int, j: int, h: int, w: int, v: Any, inplace: bool = False) -> Tensor:
    """A Tensor image with a window overwritten.

    Args:
        img: (..., C, H, W).
        i, j: the window's top and left.
        h, w: its height and width.
        v: what is written there: a Tensor that can be expanded to (..., C, h, w).
        inplace: write into `img` itself.

    Raises:
        TypeError: `img` is no Tensor.
    """
    if not isinstance(img, Tensor) or not is_tensor(img):
        raise TypeError(f"img should be Tensor Image. Got {type(img)}")
    result = img if inplace else img.clone()
    result[..., i : i + h, j : j + w] = v
    return result
