"""What an image is: a Pillow image, or a Tensor (..., C, H, W) or (H, W)."""

from typing import Any

import numpy as np

from minicnn.tensor import Tensor
from minicnn.transforms._base import is_pillow


def is_tensor(image: Any) -> bool:
    """Whether `image` is a Tensor image; otherwise it is a Pillow image.

    Raises:
        TypeError: it is neither, or a Tensor of fewer than two dimensions.
    """
    if isinstance(image, Tensor):
        if image.ndim < 2:
            raise TypeError(f"Tensor is not a torch image: its shape is {tuple(image.shape)}")
        return True
    if not is_pillow(image):
        raise TypeError(f"img should be PIL Image or Tensor. Got {type(image)}")
    return False


def get_dimensions(img: Any) -> list[int]:
    """[C, H, W] of an image."""
    if is_tensor(img):
        return [1 if img.ndim == 2 else img.shape[-3], img.shape[-2], img.shape[-1]]
    return [len(img.getbands()), img.height, img.width]


def get_image_size(img: Any) -> list[int]:
    """[W, H] of an image."""
    _, height, width = get_dimensions(img)
    return [width, height]


def get_image_num_channels(img: Any) -> int:
    """The number of channels of an image."""
    return get_dimensions(img)[0]


def largest_value(dtype: np.dtype) -> int:
    """What white is in images of `dtype`: 1 for floats."""
    return int(np.iinfo(dtype).max) if np.dtype(dtype).kind in "iu" else 1


def is_floating(image: Tensor) -> bool:
    """Whether a Tensor image holds floats."""
    return np.dtype(image._array.dtype).kind == "f"


def check_channels(image: Any, permitted: tuple[int, ...] = (1, 3), ndim: int = 2) -> None:
    """See to it that a Tensor image has one of the permitted numbers of channels.

    Raises:
        TypeError: it hasn't, or has fewer than `ndim` dimensions.
    """
    if image.ndim < ndim:
        raise TypeError(f"Input image tensor should have at least {ndim} dimensions, but found {image.ndim}")
    channels = get_image_num_channels(image)
    if channels not in permitted:
        raise TypeError(f"Input image tensor permitted channel values are {list(permitted)}, but found {channels}")


def as_batch(image: Tensor, dtypes: tuple) -> Tensor:
    """The image as (N, C, H, W), in the first of `dtypes` unless it has one of them."""
    batch = image if image.ndim >= 4 else image.unsqueeze(0)
    return batch if batch._array.dtype in dtypes else batch.to(dtypes[0])


def like_image(batch: Tensor, image: Tensor) -> Tensor:
    """What `as_batch` did, undone; integers are rounded."""
    result = batch if image.ndim >= 4 else batch.squeeze(0)
    if result._array.dtype == image._array.dtype:
        return result
    return (result if is_floating(image) else result.round()).to(image.dtype)
