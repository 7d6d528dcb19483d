"""Two networks of 5×5 convolutions for 28×28 images: LeNet (LeCun et al., 1998) with more channels and rectifiers.

The convolutions of `PlainCNN` shrink their images; those of `ConvNet` pad them and keep their size.
"""

from torch import Tensor, nn
from torch.nn import functional as F


class PlainCNN(nn.Module):
    """Three convolutions without padding and two linear layers.

    Args:
        num_classes: how many classes to tell apart.
        in_channels: 1 for grey images, 3 for coloured ones.
    """

    def __init__(self, num_classes: int = 10, in_channels: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, 16, kernel_size=5)
        self.conv2 = nn.Conv2d(16, 32, kernel_size=5)
        self.conv3 = nn.Conv2d(32, 64, kernel_size=5)
        self.fc1 = nn.Linear(64 * 3 * 3, 100)
        self.fc2 = nn.Linear(100, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Class scores, before softmax.

        Args:
            x: images, shape (N, in_channels, 28, 28).

        Returns: logits, shape (N, num_classes).
        """
        x = F.relu(self.conv1(x))  # (N, 16, 24, 24)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)  # (N, 32, 20, 20), pooled to (N, 32, 10, 10)
        x = F.max_pool2d(F.relu(self.conv3(x)), 2)  # (N, 64, 6, 6), pooled to (N, 64, 3, 3)
        x = x.flatten(1)  # (N, 576)
        x = F.relu(self.fc1(x))
        return self.fc2(x)


class ConvNet(nn.Module):
    """Two convolutions with padding, each with a max pool, dropout, and two linear layers.

    Args:
        num_classes: how many classes to tell apart.
        in_channels: 1 for grey images, 3 for coloured ones.
        dropout: share of the last map's activations to drop while training.
    """

    def __init__(self, num_classes: int = 10, in_channels: int = 1, dropout: float = 0.5) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, 32, kernel_size=5, padding=2)
        self.conv2 = nn.Conv2d(32, 64, kernel_size=5, padding=2)
        self.dropout = nn.Dropout(dropout)
        self.fc1 = nn.Linear(64 * 7 * 7, 1000)
        self.fc2 = nn.Linear(1000, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Class scores, before softmax.

        Args:
            x: images, shape (N, in_channels, 28, 28).

        Returns: logits, shape (N, num_classes).
        """
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)  # (N, 32, 14, 14)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)  # (N, 64, 7, 7)
        x = self.dropout(x.flatten(1))  # (N, 3136)
        x = F.relu(self.fc1(x))
        return self.fc2(x)


def plain_cnn(num_classes: int = 10, in_channels: int = 1) -> PlainCNN:
    """A `PlainCNN` with fresh weights."""
    return PlainCNN(num_classes, in_channels)


def convnet(num_classes: int = 10, in_channels: int = 1, dropout: float = 0.5) -> ConvNet:
    """A `ConvNet` with fresh weights."""
    return ConvNet(num_classes, in_channels, dropout)
