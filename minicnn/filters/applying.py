"""Kernels applied to pictures: a convolution for every channel by itself."""

from typing import Any

import numpy as np

from minicnn.autograd import no_grad
from minicnn.creation import from_numpy
from minicnn.filters.kernels import SOBEL_X, SOBEL_Y, gaussian
from minicnn.nn import functional as F
from minicnn.tensor import Tensor


def filter2d(image: Any, kernel: Any) -> np.ndarray:
    """Slide a kernel over every channel: y[c, i, j] = Σ kernel[p, q] · x[c, i + p − KH // 2, j + q − KW // 2].

    The kernel isn't flipped, as in `conv2d` and `scipy.ndimage.correlate`. Beyond the border the nearest pixel repeats
    (`mode="nearest"` there). Computed in float64 by `minicnn.nn.functional.conv2d`.

    Args:
        image: (H, W) or (C, H, W), numbers of any kind: an array, a Tensor, nested lists.
        kernel: (KH, KW), even sizes too; an even one looks half a pixel further up and left.

    Returns: float64, shaped as the image.

    Raises:
        ValueError: for other shapes, or none at all.
        TypeError: for what isn't numbers.
    """
    x, weight = _numbers(image, "image", (2, 3)), _numbers(kernel, "kernel", (2,))
    H, W = x.shape[-2:]
    KH, KW = weight.shape
    around = (KW // 2, (KW - 1) // 2, KH // 2, (KH - 1) // 2)
    with no_grad():
        padded = F.pad(from_numpy(x.reshape(-1, 1, H, W)), around, mode="replicate")
        return F.conv2d(padded, from_numpy(weight.reshape(1, 1, KH, KW))).numpy().reshape(x.shape)


def gaussian_blur(image: Any, sigma: float = 2.0) -> np.ndarray:
    """Average each pixel with its neighbours, weighted by `gaussian`: along columns, then along rows.

    Args:
        image: as in `filter2d`.
        sigma: standard deviation in pixels.

    Returns: float64, shaped as the image.

    Raises:
        ValueError, TypeError: as `filter2d` and `gaussian`.
    """
    weights = gaussian(sigma)
    return filter2d(filter2d(image, weights[:, None]), weights[None, :])


def sobel_magnitude(image: Any) -> np.ndarray:
    """How steep each pixel is, in whatever direction: √(SOBEL_X² + SOBEL_Y²), of every channel by itself.

    Args:
        image: as in `filter2d`.

    Returns: float64, shaped as the image.

    Raises:
        ValueError, TypeError: as `filter2d`.
    """
    return np.hypot(filter2d(image, SOBEL_X), filter2d(image, SOBEL_Y))


def _numbers(value: Any, name: str, dimensions: tuple[int, ...]) -> np.ndarray:
    """An array of float64, checked."""
    try:
        array = np.asarray(value.detach().numpy() if isinstance(value, Tensor) else value)
    except ValueError:
        raise ValueError(f"{name} must be an array whose rows are equally long") from None
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} must be real numbers, got {array.dtype}")
    if array.ndim not in dimensions or 0 in array.shape:
        shapes = " or ".join({2: "(H, W)", 3: "(C, H, W)"}[count] for count in dimensions)
        raise ValueError(f"{name} must have shape {shapes} and no size 0, got {array.shape}")
    return array.astype(np.float64)
