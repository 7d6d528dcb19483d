"""A data set that lies on the device whole, and batches of it, cut and mirrored there.

Which image comes when, and what is done to it, is drawn from minicnn's generator in the order in which
`minicnn.utils.data.DataLoader` draws it: the same seed gives the same batches, bit for bit. (In a network with dropout,
minicnn draws masks in between; from then on its batches are others.)
"""

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from minicnn import transforms
from minicnn.random import numpy_generator
from minicnn.recipes.presets import Preset


class Augmentation(NamedTuple):
    """A random window out of the padded image, mirrored or not.

    Attributes:
        padding: black pixels to add (left, top, right, bottom).
        size: (OH, OW) of the window.
        crops: whether the window's place is drawn; if not, it is the top left.
        flips: the probability to mirror; None if that isn't drawn.
    """

    padding: tuple[int, int, int, int]
    size: tuple[int, int]
    crops: bool
    flips: float | None

    @classmethod
    def of(cls, steps: list[Any], size: tuple[int, int]) -> "Augmentation":
        """What minicnn's transforms do.

        Args:
            steps: at most a RandomCrop from a black frame and then at most a RandomHorizontalFlip.
            size: (H, W) of the images.

        Raises:
            ValueError: for any other steps.
        """
        rest = list(steps)
        crop = rest.pop(0) if rest and isinstance(rest[0], transforms.RandomCrop) else None
        flip = rest.pop(0) if rest and isinstance(rest[0], transforms.RandomHorizontalFlip) else None
        if rest or (crop and (crop.fill != 0 or crop.pad_if_needed or crop.padding_mode != "constant")):
            raise ValueError(f"only a crop with black padding and then a flip can be done on the device, got {steps}")
        padding, window = (crop.sides, crop.size) if crop else ((0, 0, 0, 0), size)
        return cls(padding, window, crop is not None, flip.p if flip else None)

    def draw(self, generator: np.random.Generator, size: tuple[int, int], images: int) -> np.ndarray:
        """Top and left of each window, and whether it is mirrored: int64 (3, images).

        Args:
            generator: what to draw from, as `RandomCrop` and `RandomHorizontalFlip` do.
            size: (H, W) of the padded images.
            images: how many.
        """
        drawn = np.zeros((3, images), np.int64)
        if self.crops:
            drawn[0] = generator.integers(0, size[0] - self.size[0] + 1, images)
            drawn[1] = generator.integers(0, size[1] - self.size[1] + 1, images)
        if self.flips is not None:
            drawn[2] = generator.random(images) < self.flips
        return drawn


class ResidentImages:
    """Images and labels on a device.

    Args:
        dataset: its `data` is uint8 (N, H, W) or (N, H, W, C), its `targets` int64 (N,).
        preset: tells mean, standard deviation and, where there is any, the augmentation.
        device: where they shall lie.
        memory_format: of the batches; images of one channel have but one.
        augment: whether `shuffled` batches are augmented.
    """

    def __init__(
        self,
        dataset: Any,
        preset: Preset,
        device: torch.device,
        memory_format: torch.memory_format = torch.contiguous_format,
        augment: bool = False,
    ) -> None:
        pixels = np.asarray(dataset.data)
        pixels = pixels.reshape(*pixels.shape[:3], -1)  # (N, H, W, C)
        self.augmentation = Augmentation.of(preset.augmentation, pixels.shape[1:3]) if augment else None
        self.memory_format = memory_format if pixels.shape[3] > 1 else torch.contiguous_format
        if self.augmentation is not None:
            left, top, right, bottom = self.augmentation.padding
            pixels = np.pad(pixels, [(0, 0), (top, bottom), (left, right), (0, 0)])
            OH, OW = self.augmentation.size
            self._rows, self._columns = torch.arange(OH, device=device), torch.arange(OW, device=device)
        self.pixels = torch.from_numpy(pixels).to(device)
        self.targets = torch.from_numpy(np.asarray(dataset.targets, np.int64)).to(device)
        self.mean, self.std = (
            torch.tensor(numbers, device=device).reshape(1, -1, 1, 1) for numbers in (preset.mean, preset.std)
        )

    def __len__(self) -> int:
        return len(self.targets)

    def draw_epoch(self, batch_size: int) -> Tensor:
        """Draw the order of the images, and what is done to each.

        Args:
            batch_size: images of a batch; the draws of one batch follow those of the one before.

        Returns: int64 (1, N), or (4, N) with augmentation, on the device: index, top, left, mirrored.
        """
        generator = numpy_generator()
        plan = generator.permutation(len(self))[None]
        if self.augmentation is not None:
            sizes = [min(batch_size, len(self) - start) for start in range(0, len(self), batch_size)]
            H, W = self.pixels.shape[1:3]
            drawn = [self.augmentation.draw(generator, (H, W), size) for size in sizes]
            plan = np.concatenate([plan, np.concatenate(drawn, axis=1)])
        return torch.from_numpy(plan).to(self.pixels.device)

    def drawn(self, plan: Tensor) -> tuple[Tensor, Tensor]:
        """A batch.

        Args:
            plan: columns of what `draw_epoch` gave, one for each of the B images.

        Returns: float32 images (B, C, H, W) and int64 targets (B,). Nothing waits for the device.
        """
        index = plan[0]
        targets = self.targets[index]
        if self.augmentation is None:
            return self._normalised(self.pixels[index]), targets
        _, tops, lefts, mirrored = plan
        rows = tops[:, None] + self._rows  # (B, OH)
        columns = torch.where(mirrored[:, None] > 0, self._columns.flip(0), self._columns)
        columns = lefts[:, None] + columns  # (B, OW)
        return self._normalised(self.pixels[index[:, None, None], rows[:, :, None], columns[:, None, :]]), targets

    def in_order(self, start: int, stop: int) -> tuple[Tensor, Tensor]:
        """The images from `start` to before `stop`, as they are, and their targets."""
        return self._normalised(self.pixels[start:stop]), self.targets[start:stop]

    def _normalised(self, pixels: Tensor) -> Tensor:
        images = pixels.permute(0, 3, 1, 2).to(torch.float32, memory_format=self.memory_format)
        return images.div_(255).sub_(self.mean).div_(self.std)
