"""Images of noise, for trying a program without data."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn.datasets._vision import VisionDataset
from minicnn.random import Generator


class FakeData(VisionDataset):
    """Noise and random labels, the same for an index every time.

    The numbers are minicnn's own, other than torchvision's.

    Args:
        size: the number of images.
        image_size: (C, H, W), where C is 1, 3 or 4.
        num_classes: labels are 0 to num_classes − 1.
        transform: called with an image, a Pillow image, before it is returned.
        target_transform: called with a label before it is returned.
        random_offset: added to the index, for other noise.

    Raises:
        IndexError: an item's index is not below `size`.
    """

    def __init__(
        self,
        size: int = 1000,
        image_size: tuple[int, int, int] = (3, 224, 224),
        num_classes: int = 10,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
        random_offset: int = 0,
    ) -> None:
        super().__init__(transform=transform, target_transform=target_transform)
        self.size = size
        self.num_classes = num_classes
        self.image_size = image_size
        self.random_offset = random_offset

    def __getitem__(self, index: int) -> tuple[Any, int]:
        if index >= len(self):
            raise IndexError(f"{type(self).__name__} index out of range")
        from PIL import Image

        stream = Generator().manual_seed(index + self.random_offset).numpy
        C, H, W = self.image_size
        pixels = stream.integers(0, 256, (H, W, C), dtype=np.uint8)
        image: Any = Image.fromarray(pixels[..., 0] if C == 1 else pixels)
        label: Any = int(stream.integers(self.num_classes))
        return (
            image if self.transform is None else self.transform(image),
            label if self.target_transform is None else self.target_transform(label),
        )

    def __len__(self) -> int:
        return self.size
