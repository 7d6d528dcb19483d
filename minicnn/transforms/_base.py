"""What all transforms share: one image is a batch of one."""

import sys
from typing import Any

import numpy as np

from minicnn.autograd import is_grad_enabled
from minicnn.datasets._data import Batched
from minicnn.random import Generator
from minicnn.tensor import Tensor, computed

Images = np.ndarray | Tensor


class Transform(Batched):
    """A transform that is defined by what it does with a batch."""

    def __call__(self, image: Any) -> Any:
        """Transform one image.

        Args:
            image: a uint8 array (H, W) or (H, W, C), a Pillow image, or a Tensor (..., H, W).

        Returns: the same kind of image; a Tensor from `ToTensor`.

        Raises:
            TypeError: `image` is something else.
        """
        if isinstance(image, Tensor):
            if image.requires_grad and is_grad_enabled():
                return self.differentiable(image)
            return self.batch(image.detach().unsqueeze(0))[0]
        if is_pillow(image):
            return self.picture(image)
        return self.batch(image_array(image)[None])[0]

    def differentiable(self, image: Tensor) -> Any:
        """Transform a Tensor so that gradients pass.

        Raises:
            RuntimeError: the transform can't.
        """
        raise RuntimeError(f"gradients don't pass through {type(self).__name__}; give it image.detach()")

    def picture(self, image: Any) -> Any:
        """Transform one Pillow image, here by way of its pixels, of which gray ones and RGB make an image again.

        Transforms that know what to do with palettes and other modes do it themselves.
        """
        transformed = self.batch(image_array(image)[None])[0]
        if isinstance(transformed, Tensor):
            return transformed
        from PIL import Image

        return Image.fromarray(transformed)

    def batch(self, images: Images, generator: Generator | None = None) -> Any:
        """Transform a batch of images.

        Args:
            images: an array (N, H, W) or (N, H, W, C), or a Tensor (N, ..., H, W).
            generator: what random transforms draw from, the default generator if `None`.
        """
        raise NotImplementedError(f"{type(self).__name__} must define batch")

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


def is_pillow(image: Any) -> bool:
    """Whether `image` is a Pillow image, without importing Pillow to find out."""
    pillow = sys.modules.get("PIL.Image")
    return pillow is not None and isinstance(image, pillow.Image)


def image_array(image: Any) -> np.ndarray:
    """The pixels of an image, (H, W) or (H, W, C).

    Raises:
        TypeError: `image` is neither an array nor a Pillow image.
    """
    if is_pillow(image):
        return np.asarray(image.convert("L") if image.mode == "1" else image)
    if not isinstance(image, np.ndarray):
        raise TypeError(f"img should be PIL Image, ndarray or Tensor. Got {type(image)}")
    return image


def rows_first(images: Images) -> np.ndarray:
    """A view (N, H, W, ...) of images (N, H, W[, C]) in an array or (N, ..., H, W) in a Tensor."""
    if isinstance(images, Tensor):
        return np.moveaxis(images._array, (-2, -1), (1, 2))
    return images


def as_given(rows: np.ndarray, images: Images) -> Images:
    """What `rows_first` did, undone: `rows` in the axis order and type of `images`."""
    if isinstance(images, Tensor):
        return computed(np.moveaxis(rows, (1, 2), (-2, -1)))
    return rows
