"""AlexNet: five convolutions, three overlapping max pools, three linear layers with dropout between them.

Krizhevsky, Sutskever and Hinton, "ImageNet Classification with Deep Convolutional Neural Networks", 2012, in the
one-column widths of Krizhevsky, "One weird trick for parallelizing convolutional neural networks", 2014. `AlexNet`
has torchvision's layers and parameter names; `AlexNetCIFAR10` is the same idea for 32×32 images.
"""

from minicnn import Tensor, nn


class AlexNet(nn.Module):
    """AlexNet for images of 224×224 and thereabouts; 63×63 is the smallest.

    Args:
        num_classes: how many classes to tell apart.
        in_channels: 1 for grey images, 3 for coloured ones.
        dropout: share of the activations before a hidden linear layer to drop while training.
    """

    def __init__(self, num_classes: int = 1000, in_channels: int = 3, dropout: float = 0.5) -> None:
        super().__init__()
        self.features = nn.Sequential(  # sizes for 224×224
            nn.Conv2d(in_channels, 64, kernel_size=11, stride=4, padding=2),  # 55×55
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),  # 27×27
            nn.Conv2d(64, 192, kernel_size=5, padding=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),  # 13×13
            nn.Conv2d(192, 384, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(384, 256, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(256, 256, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),  # 6×6
        )
        self.avgpool = nn.AdaptiveAvgPool2d((6, 6))
        self.classifier = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(256 * 6 * 6, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(4096, 4096),
            nn.ReLU(inplace=True),
            nn.Linear(4096, num_classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Class scores, before softmax.

        Args:
            x: images, shape (N, in_channels, H, W).

        Returns: logits, shape (N, num_classes).
        """
        x = self.features(x)  # (N, 256, 6, 6) for 224×224
        x = self.avgpool(x)  # (N, 256, 6, 6) for any size
        x = x.flatten(1)  # (N, 9216)
        return self.classifier(x)


class AlexNetCIFAR10(nn.Module):
    """AlexNet for 32×32 images.

    All convolutions keep the size (3×3 with padding 1; the last is 1×1), and the max pools are AlexNet's, 3×3 with
    stride 2, which overlap: 32 → 15 → 7 → 3.

    Args:
        num_classes: how many classes to tell apart.
        in_channels: 1 for grey images, 3 for coloured ones.
        dropout: share of the activations before a hidden linear layer to drop while training.
    """

    def __init__(self, num_classes: int = 10, in_channels: int = 3, dropout: float = 0.5) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(in_channels, 64, kernel_size=3, padding=1),  # 32×32
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),  # 15×15
            nn.Conv2d(64, 192, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),  # 7×7
            nn.Conv2d(192, 384, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(384, 256, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(256, 256, kernel_size=1),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),  # 3×3
        )
        self.classifier = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(256 * 3 * 3, 1024),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(1024, 512),
            nn.ReLU(inplace=True),
            nn.Linear(512, num_classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Class scores, before softmax.

        Args:
            x: images, shape (N, in_channels, 32, 32).

        Returns: logits, shape (N, num_classes).
        """
        x = self.features(x)  # (N, 256, 3, 3)
        x = x.flatten(1)  # (N, 2304)
        return self.classifier(x)


def alexnet(num_classes: int = 1000, in_channels: int = 3, dropout: float = 0.5) -> AlexNet:
    """An `AlexNet` with fresh weights."""
    return AlexNet(num_classes, in_channels, dropout)


def alexnet_cifar10(num_classes: int = 10, in_channels: int = 3, dropout: float = 0.5) -> AlexNetCIFAR10:
    """An `AlexNetCIFAR10` with fresh weights."""
    return AlexNetCIFAR10(num_classes, in_channels, dropout)
