"""torchvision's second transforms, of images: those of `minicnn.transforms` under their names, and what is new.

Of boxes, masks, key points and videos they know nothing; a name that is about these is missing. `MixUp` and `CutMix`
take a batch of images and its labels, all others one image or, in a data set, many at once. A Tensor of bytes is
resized as by the first transforms; torchvision's second ones compute in bytes, and differ by one of 255 steps now and
then.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn import transforms as first
from minicnn.compat import missing
from minicnn.dtypes import float32
from minicnn.errors import ShapeError
from minicnn.nn.functional.linear import one_hot
from minicnn.nn.module import Module
from minicnn.random import Generator, numpy_generator
from minicnn.tensor import Tensor, computed
from minicnn.transforms import *  # noqa: F403 (the second ones of the same names)
from minicnn.transforms._base import Images, is_pillow
from minicnn.transforms._draws import integer
from minicnn.transforms._module import BatchTransform


class Compose(first.Compose):  # type: ignore[no-redef]
    """Transforms one after the other.

    Args:
        transforms: at least one function of an image.

    Raises:
        TypeError: `transforms` is no list or tuple.
        ValueError: it is empty.
    """

    def __init__(self, transforms: Any) -> None:
        if not isinstance(transforms, (list, tuple)):
            raise TypeError("Argument transforms should be a sequence of callables")
        if not transforms:
            raise ValueError("Pass at least one transform")
        super().__init__(transforms)


class Identity(BatchTransform):
    """The image as it is."""

    def batch(self, images: Images, generator: Generator | None = None) -> Images:
        """The images as they are."""
        return images

    def picture(self, image: Any) -> Any:
        """A Pillow image as it is."""
        return image

    def differentiable(self, image: Tensor) -> Tensor:
        """A Tensor as it is."""
        return image


class ToImage(BatchTransform):
    """A Tensor (C, H, W) of the numbers of a Pillow image, or of an array (H, W) or (H, W, C). A Tensor stays."""

    def picture(self, image: Any) -> Tensor:
        """A Pillow image as a Tensor (C, H, W)."""
        return first.functional.to_image(image)

    def batch(self, images: Images, generator: Generator | None = None) -> Tensor:
        """A batch of images as a Tensor (N, C, H, W)."""
        if isinstance(images, Tensor):
            return images
        return computed(np.array(images[:, None] if images.ndim == 3 else images.transpose(0, 3, 1, 2)))

    def differentiable(self, image: Tensor) -> Tensor:
        """A Tensor as it is."""
        return image


class ToPureTensor(Identity):
    """A Tensor as it is: all are pure here."""


class ToDtype(BatchTransform):
    """A Tensor in another dtype.

    Args:
        dtype: the wanted one.
        scale: whether values are scaled so that white stays white.

    Raises:
        TypeError: `dtype` is a dictionary, which is about boxes and masks.
    """

    def __init__(self, dtype: Any, scale: bool = False) -> None:
        super().__init__()
        if isinstance(dtype, dict):
            raise TypeError("minicnn's ToDtype takes one dtype for images, no dictionary of types")
        self.dtype = dtype
        self.scale = scale

    def batch(self, images: Images, generator: Generator | None = None) -> Images:
        """A batch of Tensors in the other dtype; arrays stay, as Pillow images do."""
        return first.functional.to_dtype(images, self.dtype, self.scale) if isinstance(images, Tensor) else images

    def picture(self, image: Any) -> Any:
        """A Pillow image as it is."""
        return image

    def differentiable(self, image: Tensor) -> Tensor:
        """A Tensor in the other dtype, gradients pass."""
        return first.functional.to_dtype(image, self.dtype, self.scale)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(scale={self.scale})"


class RGB(BatchTransform):
    """Three channels, where there is one."""

    def batch(self, images: Images, generator: Generator | None = None) -> Images:
        """A batch of images with three channels."""
        if isinstance(images, Tensor):
            return images if images.shape[-3] == 3 else images.expand(*images.shape[:-3], 3, *images.shape[-2:])
        return np.repeat(images[..., None], 3, -1) if images.ndim == 3 else images

    def picture(self, image: Any) -> Any:
        """A Pillow image in colours."""
        return image.convert("RGB")


class GaussianNoise(BatchTransform):
    """Normally distributed noise added to a Tensor of floats or bytes.

    Args:
        mean: of the noise, in parts of white.
        sigma: its standard deviation.
        clip: whether results are cut off at black and white; otherwise bytes go round.

    Raises:
        ValueError: when called: `sigma` is negative, or the image holds other numbers.
        TypeError: when called: the image is no Tensor.
    """

    def __init__(self, mean: float = 0.0, sigma: float = 0.1, clip: bool = True) -> None:
        super().__init__()
        self.mean, self.sigma, self.clip = mean, sigma, clip

    def batch(self, images: Images, generator: Generator | None = None) -> Tensor:
        """A batch of noisy images."""
        if not isinstance(images, Tensor):
            raise TypeError(f"GaussianNoise takes Tensors, got {type(images)}")
        x = images._array
        if x.dtype.kind != "f" and x.dtype != np.uint8:
            raise ValueError(f"Input tensor is expected to be in uint8 or float dtype, got dtype={x.dtype}")
        if self.sigma < 0:
            raise ValueError(f"sigma shouldn't be negative. Got {self.sigma}")
        white = 1 if x.dtype.kind == "f" else 255
        noise = numpy_generator(generator).standard_normal(x.shape, np.float32) * (self.sigma * white)
        y = x + (self.mean * white + noise).astype(x.dtype if white == 1 else np.int16)
        return computed((np.clip(y, 0, white) if self.clip else y).astype(x.dtype))

    def __repr__(self) -> str:
        return f"{type(self).__name__}(mean={self.mean}, sigma={self.sigma}, clip={self.clip})"


class _OfBatches(Module):
    """What `MixUp` and `CutMix` share: each image gets a part of the one before it, each label as much of that one's.

    Args:
        alpha: of the Beta distribution that the share is drawn from.
        num_classes: how many there are; needed where labels are numbers of classes.
        labels_getter: "default" for the second of two, or a function of what is given.

    Raises:
        ValueError: when called: labels that don't fit, or images that are no batch.
    """

    def __init__(self, *, alpha: float = 1.0, num_classes: int | None = None, labels_getter: Any = "default") -> None:
        super().__init__()
        if labels_getter != "default" and not callable(labels_getter):
            raise ValueError(f"labels_getter should be 'default' or a function, got {labels_getter!r}")
        self.alpha = float(alpha)
        self.num_classes = num_classes
        self._labels_getter: str | Callable[[Any], Any] = labels_getter

    def forward(self, *inputs: Any) -> Any:
        """Images (N, C, H, W) and labels (N,) or (N, classes), as two arguments or one pair; mixed, as they came."""
        given = inputs[0] if len(inputs) == 1 else inputs
        getter = self._labels_getter
        labels = getter(given) if callable(getter) else given[1]
        self._check(given, labels)
        images = next(x for x in given if x is not labels)
        share, mixed = self._mixed(images)
        parts = [mixed if x is images else self._mixed_labels(labels, share) if x is labels else x for x in given]
        return type(given)(parts)

    def _mixed(self, images: Tensor) -> tuple[float, Tensor]:
        """The share of an image that is its own, and the images."""
        raise NotImplementedError(f"{type(self).__name__} must define _mixed")

    def _check(self, given: Any, labels: Any) -> None:
        if any(is_pillow(x) for x in given):
            raise ValueError(f"{type(self).__name__}() takes batches of Tensors, no PIL images")
        if not isinstance(labels, Tensor):
            raise ValueError(f"The labels must be a tensor, but got {type(labels)} instead.")
        if labels.ndim not in (1, 2):
            raise ShapeError(f"labels should be of shape (N,) or (N, classes), got {tuple(labels.shape)}")
        if labels.ndim == 2 and self.num_classes not in (None, labels.shape[-1]):
            raise ShapeError(f"labels of {labels.shape[-1]} classes don't fit num_classes={self.num_classes}")
        if labels.ndim == 1 and self.num_classes is None:
            raise ValueError("num_classes must be passed if the labels are index-based (1D)")
        images = next((x for x in given if x is not labels), None)
        if not isinstance(images, Tensor) or images.ndim != 4 or len(images) != len(labels):
            shape = tuple(images.shape) if isinstance(images, Tensor) else type(images)
            raise ShapeError(f"images should be a batch (N, C, H, W) of {len(labels)}, as many as labels, got {shape}")

    def _mixed_labels(self, labels: Tensor, share: float) -> Tensor:
        if labels.ndim == 1:
            labels = one_hot(labels, -1 if self.num_classes is None else self.num_classes)
        if not labels.is_floating_point():
            labels = labels.to(float32)
        return labels.roll(1, 0).mul_(1.0 - share).add_(labels.mul(share))

    def _drawn(self) -> float:
        return float(np.float32(numpy_generator().beta(self.alpha, self.alpha)))

    def __repr__(self) -> str:
        return f"{type(self).__name__}(alpha={self.alpha}, num_classes={self.num_classes})"


class MixUp(_OfBatches):
    """Images mixed with the one before them: share · x + (1 − share) · x_before (Zhang and others, "mixup", 2018)."""

    __doc__ += (_OfBatches.__doc__ or "").partition("one's.")[2]

    def _mixed(self, images: Tensor) -> tuple[float, Tensor]:
        share = self._drawn()
        return share, images.roll(1, 0).mul_(1.0 - share).add_(images.mul(share))


class CutMix(_OfBatches):
    """Images that show a rectangle of the one before them (Yun and others, "CutMix", 2019)."""

    __doc__ += (_OfBatches.__doc__ or "").partition("one's.")[2]

    def _mixed(self, images: Tensor) -> tuple[float, Tensor]:
        height, width = images.shape[-2:]
        share = self._drawn()
        x, y = integer(0, width), integer(0, height)
        part = 0.5 * math.sqrt(1.0 - share)
        left, right = max(x - int(part * width), 0), min(x + int(part * width), width)
        top, bottom = max(y - int(part * height), 0), min(y + int(part * height), height)
        mixed = images.clone()
        mixed[..., top:bottom, left:right] = images.roll(1, 0)[..., top:bottom, left:right]
        return 1.0 - (right - left) * (bottom - top) / (width * height), mixed


__all__ = [
    *(name for name in first.__all__ if name != "RandomTransforms"),
    "RGB",
    "CutMix",
    "GaussianNoise",
    "Identity",
    "MixUp",
    "ToDtype",
    "ToImage",
    "ToPureTensor",
]

__getattr__ = missing.getattr_of(__name__, lambda: __all__)
