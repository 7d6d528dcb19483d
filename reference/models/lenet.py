"""LeNet: two convolutions that find strokes and their combinations, three linear layers that name the digit.

After LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document recognition", 1998, with
the rectifiers and max pooling that came later, on 28×28 images.
"""

from torch import Tensor, nn
from torch.nn import functional as F


class LeNet(nn.Module):
    """LeNet for 28×28 images.

    Args:
        num_classes: how many classes to tell apart.
        in_channels: 1 for grey images, 3 for coloured ones.
    """

    def __init__(self, num_classes: int = 10, in_channels: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, 6, kernel_size=5)
        self.conv2 = nn.Conv2d(6, 16, kernel_size=5)
        self.fc1 = nn.Linear(16 * 4 * 4, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Class scores, before softmax.

        Args:
            x: images, shape (N, in_channels, 28, 28).

        Returns: logits, shape (N, num_classes).
        """
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)  # (N, 6, 12, 12)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)  # (N, 16, 4, 4)
        x = x.flatten(1)  # (N, 256)
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return self.fc3(x)


def lenet(num_classes: int = 10, in_channels: int = 1) -> LeNet:
    """A `LeNet` with fresh weights."""
    return LeNet(num_classes, in_channels)
