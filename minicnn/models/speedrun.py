"""Networks for `minicnn speedrun`: 3×3 convolutions, and as few numbers as can be after each.

A block pools right after its first convolution, so that batch normalization and rectifier meet a quarter of the
numbers, as in the networks of Jordan, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", 2024.
"""

from collections.abc import Sequence

from minicnn import Tensor, nn


def block(in_channels: int, out_channels: int, convolutions: int) -> nn.Sequential:
    """Convolution 3×3, max pool 2, batch normalization, rectifier; then convolutions 3×3 with the last two.

    Args:
        in_channels: C of the input (N, C, H, W).
        out_channels: O of the output (N, O, H // 2, W // 2).
        convolutions: how many.
    """
    layers: list[nn.Module] = []
    for number in range(convolutions):
        channels = out_channels if number else in_channels
        layers.append(nn.Conv2d(channels, out_channels, kernel_size=3, padding=1, bias=False))
        if number == 0:
            layers.append(nn.MaxPool2d(2))
        layers += [nn.BatchNorm2d(out_channels), nn.ReLU()]
    return nn.Sequential(*layers)


class SpeedrunCNN(nn.Module):
    """Three blocks, a last pool where there is much to pool, and a linear layer.

    Args:
        channels: of each block.
        convolutions: of each block.
        size: height and width of the images.
        pool: of the last max pool's windows; 1 for none.
        num_classes: how many classes to tell apart.
        in_channels: 1 for grey images, 3 for coloured ones.
    """

    def __init__(
        self,
        channels: Sequence[int],
        convolutions: Sequence[int],
        size: int,
        pool: int,
        num_classes: int = 10,
        in_channels: int = 1,
    ) -> None:
        super().__init__()
        first, second, third = channels
        self.block1 = block(in_channels, first, convolutions[0])
        self.block2 = block(first, second, convolutions[1])
        self.block3 = block(second, third, convolutions[2])
        self.pool = nn.MaxPool2d(pool) if pool > 1 else nn.Identity()
        self.fc = nn.Linear(third * (size // 8 // pool) ** 2, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Class scores, before softmax.

        Args:
            x: images, shape (N, in_channels, H, W) = (N, in_channels, size, size).

        Returns: logits, shape (N, num_classes).
        """
        x = self.block1(x)  # (N, channels[0], H // 2, W // 2)
        x = self.block2(x)  # (N, channels[1], H // 4, W // 4)
        x = self.block3(x)  # (N, channels[2], H // 8, W // 8)
        return self.fc(self.pool(x).flatten(1))


def speedrun_mnist(num_classes: int = 10, in_channels: int = 1) -> SpeedrunCNN:
    """A `SpeedrunCNN` of 16, 32 and 64 channels, with fresh weights."""
    return SpeedrunCNN((16, 32, 64), (1, 1, 1), 28, 1, num_classes, in_channels)


def speedrun_mnist_deep(num_classes: int = 10, in_channels: int = 1) -> SpeedrunCNN:
    """A `SpeedrunCNN` of 16, 32 and 64 channels and five convolutions, with fresh weights."""
    return SpeedrunCNN((16, 32, 64), (1, 2, 2), 28, 1, num_classes, in_channels)


def speedrun_cifar10(num_classes: int = 10, in_channels: int = 3) -> SpeedrunCNN:
    """A `SpeedrunCNN` of 64, 128 and 256 channels and six convolutions, with fresh weights."""
    return SpeedrunCNN((64, 128, 256), (2, 2, 2), 32, 4, num_classes, in_channels)
