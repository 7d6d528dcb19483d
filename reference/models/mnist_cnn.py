"""A convolutional network for MNIST, regularised twice: by batch normalization and by dropout.

Ioffe and Szegedy, "Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate Shift",
2015; Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting", 2014.
"""

from torch import Tensor, nn


def block(in_channels: int, out_channels: int, dropout: float, pool_padding: int = 0) -> nn.Sequential:
    """Convolution 3×3, batch normalization, rectifier, dropout, max pool 2.

    Args:
        in_channels: C of the input (N, C, H, W).
        out_channels: O of the output (N, O, (H + 2·pool_padding) // 2, (W + 2·pool_padding) // 2).
        dropout: share of the activations to drop while training.
        pool_padding: pixels that the max pool adds on each side.
    """
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel_size=3, padding="same"),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.MaxPool2d(kernel_size=2, padding=pool_padding),
    )


class MNISTCNN(nn.Module):
    """Three blocks of 32, 64 and 128 channels and two linear layers, for 28×28 images.

    Args:
        num_classes: how many classes to tell apart.
        in_channels: 1 for grey images, 3 for coloured ones.
        dropout: share of each block's activations to drop while training.
    """

    def __init__(self, num_classes: int = 10, in_channels: int = 1, dropout: float = 0.25) -> None:
        super().__init__()
        self.block1 = block(in_channels, 32, dropout)
        self.block2 = block(32, 64, dropout)
        self.block3 = block(64, 128, dropout, pool_padding=1)
        self.fc1 = nn.Linear(128 * 4 * 4, 256)
        self.relu = nn.ReLU()
        self.fc2 = nn.Linear(256, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Class scores, before softmax.

        Args:
            x: images, shape (N, in_channels, 28, 28).

        Returns: logits, shape (N, num_classes).
        """
        x = self.block1(x)  # (N, 32, 14, 14)
        x = self.block2(x)  # (N, 64, 7, 7)
        x = self.block3(x)  # (N, 128, 4, 4)
        x = x.flatten(1)  # (N, 2048)
        x = self.relu(self.fc1(x))
        return self.fc2(x)


def mnist_cnn(num_classes: int = 10, in_channels: int = 1, dropout: float = 0.25) -> MNISTCNN:
    """An `MNISTCNN` with fresh weights."""
    return MNISTCNN(num_classes, in_channels, dropout)
