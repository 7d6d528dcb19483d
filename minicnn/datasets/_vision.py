"""What all image data sets share: arrays of images and labels, transforms, and torchvision's printout."""

import operator
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from minicnn._data import Batched, Dataset, batch_method
from minicnn.compat.modules import offline_folder
from minicnn.random import Generator


class VisionDataset(Dataset[tuple[Any, Any]], Batched):
    """Images and labels that lie in memory.

    Args:
        root: folder of all data sets; `~` is expanded. `None` where nothing is read from a folder.
        train: the training images, or the test images.
        transform: called with an image, a uint8 array (H, W) or (H, W, 3), before it is returned.
        target_transform: called with a label, an `int`, before it is returned.

    Attributes:
        data: uint8 images (N, H, W) or (N, H, W, 3).
        targets: int64 labels (N,).
        classes: the name of each label.
    """

    classes: Sequence[str] = []
    data: np.ndarray
    targets: np.ndarray

    def __init__(
        self,
        root: str | Path | None,
        train: bool,
        transform: Callable[[Any], Any] | None,
        target_transform: Callable[[Any], Any] | None,
    ) -> None:
        self.root = None if root is None else self._place(os.path.expanduser(root))
        self.train = train
        self.transform = transform
        self.target_transform = target_transform

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

        Returns: a uint8 array (H, W) or (H, W, 3) and an `int`, or what the transforms make of them.
        """
        index = operator.index(index)
        image, label = np.array(self.data[index]), int(self.targets[index])
        return (
            image if self.transform is None else self.transform(image),
            label if self.target_transform is None else self.target_transform(label),
        )

    def batch(self, indices: Any, generator: Generator | None = None) -> list[Any] | None:
        """Many images and their labels at once.

        Args:
            indices: int64 array or list of B indices.
            generator: what random transforms draw from, the default generator if `None`.

        Returns: `[images, labels]`, a uint8 array (B, H, W[, 3]) or what the transform makes of it, and
            int64 labels (B,); `None` if the transforms work on single items only.
        """
        if self.target_transform is not None:
            return None
        images = np.asarray(self.data)[indices]
        if self.transform is not None:
            transform_batch = batch_method(self.transform, "__call__")
            images = None if transform_batch is None else transform_batch(images, generator)
            if images is None:
                return None
        return [images, np.asarray(self.targets, dtype=np.int64)[indices]]

    def extra_repr(self) -> str:
        """The lines a data set adds to its printout."""
        return f"Split: {'Train' if self.train else 'Test'}"

    def __repr__(self) -> str:
        body = [f"Number of datapoints: {len(self)}"]
        if self.root is not None:
            body.append(f"Root location: {self.root}")
        body += self.extra_repr().splitlines()
        if self.transform is not None or self.target_transform is not None:
            body.append("StandardTransform")
        lines = [f"Dataset {type(self).__name__}", *("    " + line for line in body)]
        for head, transform in (
            ("Transform: ", self.transform),
            ("Target transform: ", self.target_transform),
        ):
            if transform is not None:
                first, *others = repr(transform).splitlines()
                lines += [head + first, *(" " * len(head) + line for line in others)]
        return "\n".join(lines)
