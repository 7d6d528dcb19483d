"""Transforms that change the values of pixels and leave them where they are."""

import sys
from typing import Any

import numpy as np

from minicnn.creation import from_numpy
from minicnn.dtypes import default_float
from minicnn.random import Generator
from minicnn.tensor import Tensor, computed
from minicnn.transforms._base import Images, Transform
from minicnn.transforms._module import BatchTransform

PICTURE_DTYPES = {"I": np.int32, "F": np.float32, "I;16" if sys.byteorder == "little" else "I;16B": np.int16}
"""The pixels of Pillow's modes that aren't bytes, as in torchvision."""


class ToTensor(Transform):
    """A Tensor (C, H, W) of an image (H, W) or (H, W, C), channels-last in memory.

    uint8 becomes the default dtype, divided by 255; numbers of other types stay what they are, as in torchvision.
    """

    def __call__(self, image: Any) -> Tensor:
        """One image as a Tensor (C, H, W)."""
        if isinstance(image, Tensor):
            raise TypeError(f"pic should be PIL Image or ndarray. Got {type(image)}")
        return super().__call__(image)

    def picture(self, image: Any) -> Tensor:
        """A Pillow image as a Tensor (C, H, W): indices of a palette stay indices, 16-bit pixels become int16."""
        if image.mode == "1":
            image = image.convert("L")
        return self.batch(np.array(image, PICTURE_DTYPES.get(image.mode, np.uint8))[None])[0]

    def batch(self, images: Images, generator: Generator | None = None) -> Tensor:
        """A batch of images as a Tensor (N, C, H, W)."""
        if not isinstance(images, np.ndarray):
            raise TypeError(f"ToTensor takes an array of images, got {type(images).__name__}")
        if images.ndim not in (3, 4):
            raise ValueError(f"pic should be 2/3 dimensional. Got {images.ndim - 1} dimensions.")
        if images.dtype == np.uint8:
            images = np.divide(images, 255, dtype=default_float())
        return computed(images[:, None] if images.ndim == 3 else images.transpose(0, 3, 1, 2))


class Normalize(BatchTransform):
    """(x − mean) / std, for each channel of a floating-point Tensor (..., C, H, W).

    Args:
        mean: one number for each channel, or one for all.
        std: likewise, none of them zero.
        inplace: write the result into the Tensor it is given.

    Raises:
        ValueError: `std` holds a zero; when called: there are neither C numbers nor one.
        TypeError: when called: with no Tensor, or not of floating point.
    """

    def __init__(self, mean: Any, std: Any, inplace: bool = False) -> None:
        super().__init__()
        if not np.all(np.asarray(std)):
            raise ValueError(f"std must not be zero, got {std}")
        self.mean = mean
        self.std = std
        self.inplace = inplace

    def batch(self, images: Images, generator: Generator | None = None) -> Tensor:
        """Normalise a batch of images (N, ..., C, H, W)."""
        if not isinstance(images, Tensor):
            raise TypeError(f"img should be Tensor Image. Got {type(images)}")
        x = images._array
        if x.dtype.kind != "f":
            raise TypeError(f"Input tensor should be a float tensor. Got {x.dtype}.")
        if x.ndim < 4:
            raise ValueError(f"Expected tensor to be a tensor image of size (..., C, H, W). Got {x.shape[1:]}")
        std = self._spread(self.std, "std", x)
        if not std.all():
            raise ValueError(f"std evaluated to zero after conversion to {x.dtype}, leading to division by zero.")
        y = np.subtract(x, self._spread(self.mean, "mean", x), out=x if self.inplace else None)
        y /= std
        if self.inplace:
            images._bump()  # a backward that needs the old values will notice
        return computed(y)

    def differentiable(self, image: Tensor) -> Tensor:
        """Normalise a Tensor so that gradients pass."""
        mean, std = [
            from_numpy(np.asarray(values, image._array.dtype).reshape(-1, 1, 1)) for values in (self.mean, self.std)
        ]
        return image.sub_(mean).div_(std) if self.inplace else (image - mean) / std

    @staticmethod
    def _spread(values: Any, name: str, x: np.ndarray) -> np.ndarray:
        """`values` in the shape and memory order of one image of `x`, to run through memory as `x` does."""
        numbers = np.asarray(values, dtype=x.dtype)
        if numbers.ndim > 1 or numbers.size not in (1, x.shape[-3]):
            raise ValueError(f"{name} has {numbers.size} values for images of {x.shape[-3]} channels")
        if numbers.size == 1:
            return numbers.reshape(())
        spread = np.empty_like(x[0])
        spread[...] = numbers[:, None, None]
        return spread

    def __repr__(self) -> str:
        return f"{type(self).__name__}(mean={self.mean}, std={self.std})"


class Grayscale(BatchTransform):
    """Lightness instead of colours, by the weights of ITU-R 601: 0.299 red + 0.587 green + 0.114 blue.

    An array (H, W, 3) becomes (H, W) with Pillow's values, a Tensor (3, H, W) becomes (1, H, W) with
    torchvision's, whose weights are 0.2989, 0.587 and 0.114.

    Args:
        num_output_channels: 1, or 3 for three equal channels.

    Raises:
        ValueError: `num_output_channels` is neither; when called: the image has neither 1 nor 3 channels.
    """

    def __init__(self, num_output_channels: int = 1) -> None:
        super().__init__()
        if num_output_channels not in (1, 3):
            raise ValueError(f"num_output_channels should be either 1 or 3, got {num_output_channels}")
        self.num_output_channels = num_output_channels

    def batch(self, images: Images, generator: Generator | None = None) -> Images:
        """Turn a batch of images gray."""
        if isinstance(images, Tensor):
            return computed(self._gray_planes(images._array))
        if images.dtype != np.uint8 or images.ndim not in (3, 4):
            raise TypeError(f"Grayscale takes uint8 images, got {images.dtype} {images.shape[1:]}")
        if images.ndim == 4 and images.shape[3] not in (1, 3):
            raise ValueError(f"Grayscale takes images of 1 or 3 channels, got {images.shape[3]}")
        if images.ndim == 4 and images.shape[3] == 3:
            red, green, blue = np.moveaxis(images.astype(np.uint32), -1, 0)
            gray = ((red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16).astype(np.uint8)
        else:
            gray = images.reshape(images.shape[:3])
        return gray if self.num_output_channels == 1 else np.repeat(gray[..., None], 3, axis=-1)

    def picture(self, image: Any) -> Any:
        """A Pillow image of any mode turned gray: its colours, not the indices of its palette."""
        gray = image.convert("L")
        if self.num_output_channels == 1:
            return gray
        from PIL import Image

        return Image.merge("RGB", [gray] * 3)

    def differentiable(self, image: Tensor) -> Tensor:
        """Turn a Tensor gray so that gradients pass."""
        from minicnn.transforms.functional import rgb_to_grayscale  # which stands on this file

        return rgb_to_grayscale(image, self.num_output_channels)

    def _gray_planes(self, x: np.ndarray) -> np.ndarray:
        if x.ndim < 4 or x.shape[-3] not in (1, 3):
            raise ValueError(f"Grayscale takes images of 1 or 3 channels, got shape {x.shape[1:]}")
        gray = x
        if x.shape[-3] == 3:
            red, green, blue = np.moveaxis(x, -3, 0)
            working = x.dtype if x.dtype.kind == "f" else np.dtype(np.float32)
            weights = np.array([0.2989, 0.587, 0.114], working)
            gray = (weights[0] * red + weights[1] * green + weights[2] * blue).astype(x.dtype)[..., None, :, :]
        return np.repeat(gray, self.num_output_channels, axis=-3)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(num_output_channels={self.num_output_channels})"
