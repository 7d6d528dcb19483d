"""What all image data sets share: transforms, items and whole batches, and torchvision's printout."""

import operator
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from minicnn.compat.modules import offline_folder
from minicnn.datasets._data import Batched, Dataset, batch_method
from minicnn.random import Generator
from minicnn.tensor import Tensor

Transform = Callable[[Any], Any]


class StandardTransform:
    """A transform for images and one for labels, as one for both: `standard(image, label)`."""

    def __init__(self, transform: Transform | None = None, target_transform: Transform | None = None) -> None:
        self.transform = transform
        self.target_transform = target_transform

    def __call__(self, input: Any, target: Any) -> tuple[Any, Any]:
        return (
            input if self.transform is None else self.transform(input),
            target if self.target_transform is None else self.target_transform(target),
        )

    def __repr__(self) -> str:
        lines = [type(self).__name__]
        for head, transform in (("Transform: ", self.transform), ("Target transform: ", self.target_transform)):
            if transform is not None:
                first, *others = repr(transform).splitlines()
                lines += [head + first, *(" " * len(head) + line for line in others)]
        return "\n".join(lines)


class VisionDataset(Dataset[Any], Batched):
    """Base of the data sets of images.

    Args:
        root: folder of all data sets; `~` is expanded. None where nothing is read from a folder.
        transforms: called with an image and its label, instead of the two below.
        transform: called with an image before it is returned.
        target_transform: called with a label before it is returned.

    Raises:
        ValueError: both `transforms` and one of the others are given.
    """

    classes: Sequence[str] = []

    def __init__(
        self,
        root: str | Path | None = None,
        transforms: Callable[[Any, Any], Any] | None = None,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
    ) -> None:
        separate = transform is not None or target_transform is not None
        if transforms is not None and separate:
            raise ValueError("Only transforms or transform/target_transform can be passed as argument")
        self.root = None if root is None else self._place(os.path.expanduser(root))
        self.transform = transform
        self.target_transform = target_transform
        self.transforms = StandardTransform(transform, target_transform) if separate else transforms

    def _place(self, root: str | Path) -> str | Path:
        """`root`; the folder of offline data where that holds the data set and `root` doesn't."""
        offline = offline_folder()
        folder = self._subfolder()
        if offline is None or not folder or os.path.isdir(os.path.join(root, folder)):
            return root
        return offline if os.path.isdir(os.path.join(offline, folder)) else root

    def _subfolder(self) -> str:
        """Where the files lie below the root; empty for data sets of another layout."""
        return ""

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define __getitem__")

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} must define __len__")

    def batch(self, indices: Any, generator: Generator | None = None) -> list[Any] | None:
        """Nothing: items are taken one by one."""
        return None

    def extra_repr(self) -> str:
        """The lines a data set adds to its printout."""
        return ""

    def __repr__(self) -> str:
        body = [f"Number of datapoints: {len(self)}"]
        if self.root is not None:
            body.append(f"Root location: {self.root}")
        body += self.extra_repr().splitlines()
        if self.transforms is not None:
            body.append(repr(self.transforms))
        return "\n".join([f"Dataset {type(self).__name__}", *("    " + line for line in body)])


class ImagesInMemory(VisionDataset):
    """Images and labels that lie in memory: an item takes one, a batch takes many at once.

    Attributes:
        data: uint8 images, (N, H, W) or (N, H, W, 3), an array or a Tensor.
        targets: N labels, a list, an array or a Tensor.
        classes: the name of each label.
    """

    data: Any
    targets: Any

    @property
    def class_to_idx(self) -> dict[str, int]:
        """The label of each class name."""
        return {name: label for label, name in enumerate(self.classes)}

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        """One image and its label.

        Args:
            index: from -len(self) to len(self) - 1.

        Returns: a Pillow image and an int, or what the transforms make of them.
        """
        index = operator.index(index)
        (pixels,), (label,) = self._images([index]), self._labels(np.array([index])).tolist()
        return (
            self._transformed(pixels),
            label if self.target_transform is None else self.target_transform(label),
        )

    def _transformed(self, pixels: np.ndarray) -> Any:
        """What the transform makes of an image: by way of its pixels where it takes these, else of a Pillow image."""
        from PIL import Image

        transform_batch = batch_method(self.transform, "__call__")
        images = None if transform_batch is None else transform_batch(pixels[None], None)
        if images is not None:
            return Image.fromarray(images[0]) if isinstance(images, np.ndarray) else images[0]
        image = Image.fromarray(pixels)
        return image if self.transform is None else self.transform(image)

    def batch(self, indices: Any, generator: Generator | None = None) -> list[Any] | None:
        """Many images and their labels at once.

        Args:
            indices: int64 array or list of B indices.
            generator: what random transforms draw from, the default generator if `None`.

        Returns: `[images, labels]`, what the transform makes of a uint8 array (B, H, W[, 3]), and int64 labels (B,);
            None if the transforms work on single items only, or give no Tensors.
        """
        transform_batch = batch_method(self.transform, "__call__")
        if self.target_transform is not None or transform_batch is None:
            return None
        images = transform_batch(self._images(indices), generator)
        if not isinstance(images, Tensor):
            return None
        return [images, self._labels(np.asarray(indices))]

    def _images(self, indices: Any) -> np.ndarray:
        """The images at `indices`, a new array (B, H, W[, 3])."""
        return array_of(self.data)[indices]

    def _labels(self, indices: np.ndarray) -> np.ndarray:
        """The labels at `indices`, int64 (B,)."""
        if isinstance(self.targets, list):
            return np.array([self.targets[index] for index in indices.tolist()], np.int64)
        return array_of(self.targets)[indices].astype(np.int64, copy=False)

    def extra_repr(self) -> str:
        return f"Split: {'Train' if self.train else 'Test'}"  # type: ignore[attr-defined]


def array_of(value: Any) -> np.ndarray:
    """A Tensor's memory, or an array or list as an array."""
    return value._array if isinstance(value, Tensor) else np.asarray(value)
