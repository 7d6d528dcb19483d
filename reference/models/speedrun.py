"""Networks for `minicnn speedrun`: convolutions, and as few numbers as can be after each.

A convolution of stride 2, or a max pool right after the convolution, leaves batch normalization and rectifier a
quarter of the numbers. Jordan, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", 2024, pools there too.
"""

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor, nn


class Stage(NamedTuple):
    """A convolution and what follows it.

    Attributes:
        channels: O of its output.
        kernel_size: odd; the image is padded by half of it.
        stride: of the convolution.
        pool: side of the max pool's windows; 1 for no pool.
    """

    channels: int
    kernel_size: int = 3
    stride: int = 1
    pool: int = 1

    def size_after(self, size: int) -> int:
        """H = W of the output for those of the input."""
        return (-(-size // self.stride)) // self.pool

    def layers(self, in_channels: int) -> nn.Sequential:
        """Convolution, max pool if there is one, batch normalization, rectifier.

        Args:
            in_channels: C of the input.
        """
        convolution = nn.Conv2d(
            in_channels, self.channels, self.kernel_size, self.stride, padding=self.kernel_size // 2, bias=False
        )
        pools = [nn.MaxPool2d(self.pool)] if self.pool > 1 else []
        return nn.Sequential(convolution, *pools, nn.BatchNorm2d(self.channels), nn.ReLU())


class SpeedrunCNN(nn.Module):
    """Stages, and a linear layer.

    Args:
        stages: from the image on.
        size: height and width of the images.
        num_classes: how many classes to tell apart.
        in_channels: 1 for grey images, 3 for coloured ones.
    """

    def __init__(self, stages: Sequence[Stage], size: int, num_classes: int = 10, in_channels: int = 1) -> None:
        super().__init__()
        features, channels = [], in_channels
        for stage in stages:
            features.append(stage.layers(channels))
            channels, size = stage.channels, stage.size_after(size)
        self.features = nn.Sequential(*features)
        self.fc = nn.Linear(channels * size * size, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Class scores, before softmax.

        Args:
            x: images, shape (N, in_channels, size, size).

        Returns: logits, shape (N, num_classes).
        """
        return self.fc(self.features(x).flatten(1))


def speedrun_mnist(num_classes: int = 10, in_channels: int = 1) -> SpeedrunCNN:
    """A `SpeedrunCNN` of four convolutions for 28×28 images, with fresh weights."""
    stages = (Stage(16, kernel_size=5, stride=2), Stage(32, stride=2), Stage(64, pool=2), Stage(64))
    return SpeedrunCNN(stages, 28, num_classes, in_channels)


def speedrun_mnist_deep(num_classes: int = 10, in_channels: int = 1) -> SpeedrunCNN:
    """A `SpeedrunCNN` of five convolutions for 28×28 images, with fresh weights."""
    stages = (Stage(16, kernel_size=5, stride=2), Stage(32, pool=2), Stage(32), Stage(64, pool=2), Stage(64))
    return SpeedrunCNN(stages, 28, num_classes, in_channels)


def speedrun_cifar10(num_classes: int = 10, in_channels: int = 3) -> SpeedrunCNN:
    """A `SpeedrunCNN` of six convolutions for 32×32 images, with fresh weights."""
    stages = (
        *(Stage(64, pool=2), Stage(64)),
        *(Stage(128, pool=2), Stage(128)),
        *(Stage(256, pool=2), Stage(256, pool=4)),
    )
    return SpeedrunCNN(stages, 32, num_classes, in_channels)
