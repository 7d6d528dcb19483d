"""VGG: nothing but 3×3 convolutions, in stages that each end in a max pool.

Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", 2014. `VGG` is built
from a row of the paper's table 1 and has torchvision's layers and parameter names; `BlockVGG` is built from blocks
that all scale with one width.
"""

from minicnn import Tensor, nn

CONFIGURATIONS: dict[str, tuple[tuple[int, ...], ...]] = {
    "A": ((64,), (128,), (256, 256), (512, 512), (512, 512)),
    "B": ((64, 64), (128, 128), (256, 256), (512, 512), (512, 512)),
    "D": ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512)),
    "E": ((64, 64), (128, 128), (256, 256, 256, 256), (512, 512, 512, 512), (512, 512, 512, 512)),
}
"""Table 1 of the paper: stage by stage, the channels that each 3×3 convolution gives."""


def stage(in_channels: int, widths: tuple[int, ...], batch_norm: bool = False) -> list[nn.Module]:
    """The layers of one stage: convolutions 3×3 with rectifiers, and a max pool that halves the size.

    Args:
        in_channels: C of the input (N, C, H, W).
        widths: channels that each convolution gives; the output is (N, widths[-1], H // 2, W // 2).
        batch_norm: normalise between each convolution and its rectifier.
    """
    layers: list[nn.Module] = []
    for width in widths:
        layers.append(nn.Conv2d(in_channels, width, kernel_size=3, padding=1))
        if batch_norm:
            layers.append(nn.BatchNorm2d(width))
        layers.append(nn.ReLU(inplace=True))
        in_channels = width
    return [*layers, nn.MaxPool2d(kernel_size=2, stride=2)]


def initialize(model: nn.Module) -> None:
    """Draw the weights so that gradients neither fade nor explode on their way through many rectifiers.

    Convolutions: He et al., "Delving Deep into Rectifiers", 2015, normal with variance 2 / fan_out. Linear layers:
    normal with standard deviation 0.01. Biases: 0.
    """
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, 0, 0.01)
        if isinstance(module, (nn.Conv2d, nn.Linear)) and module.bias is not None:
            nn.init.zeros_(module.bias)


class VGG(nn.Module):
    """VGG for images of 224×224 and thereabouts; five stages need 32×32 at least.

    Args:
        configuration: stage by stage, the channels that each convolution gives; a value of `CONFIGURATIONS`.
        batch_norm: normalise between each convolution and its rectifier.
        num_classes: how many classes to tell apart.
        in_channels: 1 for grey images, 3 for coloured ones.
        dropout: share of a hidden linear layer's activations to drop while training.
        hidden: width of the two hidden linear layers.
    """

    def __init__(
        self,
        configuration: tuple[tuple[int, ...], ...],
        batch_norm: bool = False,
        num_classes: int = 1000,
        in_channels: int = 3,
        dropout: float = 0.5,
        hidden: int = 4096,
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = in_channels
        for widths in configuration:
            layers += stage(channels, widths, batch_norm)
            channels = widths[-1]
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d((7, 7))
        self.classifier = nn.Sequential(
            nn.Linear(channels * 7 * 7, hidden),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(hidden, hidden),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(hidden, num_classes),
        )
        initialize(self)

    def forward(self, x: Tensor) -> Tensor:
        """Class scores, before softmax.

        Args:
            x: images, shape (N, in_channels, H, W).

        Returns: logits, shape (N, num_classes).
        """
        x = self.features(x)  # (N, 512, H / 32, W / 32)
        x = self.avgpool(x)  # (N, 512, 7, 7)
        x = x.flatten(1)  # (N, 25088)
        return self.classifier(x)


class BlockVGG(nn.Module):
    """Configuration D from five blocks of one scalable width, with a short classifier behind a global average.

    Args:
        num_classes: how many classes to tell apart.
        in_channels: 1 for grey images, 3 for coloured ones.
        base_dim: channels of the first block; the others have 2, 4, 8 and 8 times as many.
        dropout: share of the hidden linear layer's activations to drop while training.
    """

    def __init__(self, num_classes: int = 10, in_channels: int = 3, base_dim: int = 64, dropout: float = 0.5) -> None:
        super().__init__()
        self.block1 = nn.Sequential(*stage(in_channels, (base_dim,) * 2))
        self.block2 = nn.Sequential(*stage(base_dim, (2 * base_dim,) * 2))
        self.block3 = nn.Sequential(*stage(2 * base_dim, (4 * base_dim,) * 3))
        self.block4 = nn.Sequential(*stage(4 * base_dim, (8 * base_dim,) * 3))
        self.block5 = nn.Sequential(*stage(8 * base_dim, (8 * base_dim,) * 3))
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.classifier = nn.Sequential(
            nn.Linear(8 * base_dim, 8 * base_dim),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(8 * base_dim, num_classes),
        )
        initialize(self)

    def forward(self, x: Tensor) -> Tensor:
        """Class scores, before softmax.

        Args:
            x: images, shape (N, in_channels, H, W), 32×32 at least.

        Returns: logits, shape (N, num_classes).
        """
        x = self.block1(x)  # (N, base_dim, H / 2, W / 2)
        x = self.block2(x)  # (N, 2·base_dim, H / 4, W / 4)
        x = self.block3(x)  # (N, 4·base_dim, H / 8, W / 8)
        x = self.block4(x)  # (N, 8·base_dim, H / 16, W / 16)
        x = self.block5(x)  # (N, 8·base_dim, H / 32, W / 32)
        x = self.avgpool(x).flatten(1)  # (N, 8·base_dim)
        return self.classifier(x)


def vgg11(num_classes: int = 1000, in_channels: int = 3, dropout: float = 0.5) -> VGG:
    """A `VGG` of configuration A with fresh weights."""
    return VGG(CONFIGURATIONS["A"], False, num_classes, in_channels, dropout)


def vgg11_bn(num_classes: int = 1000, in_channels: int = 3, dropout: float = 0.5) -> VGG:
    """A `VGG` of configuration A with batch normalization and fresh weights."""
    return VGG(CONFIGURATIONS["A"], True, num_classes, in_channels, dropout)


def vgg13(num_classes: int = 1000, in_channels: int = 3, dropout: float = 0.5) -> VGG:
    """A `VGG` of configuration B with fresh weights."""
    return VGG(CONFIGURATIONS["B"], False, num_classes, in_channels, dropout)


def vgg13_bn(num_classes: int = 1000, in_channels: int = 3, dropout: float = 0.5) -> VGG:
    """A `VGG` of configuration B with batch normalization and fresh weights."""
    return VGG(CONFIGURATIONS["B"], True, num_classes, in_channels, dropout)


def vgg16(num_classes: int = 1000, in_channels: int = 3, dropout: float = 0.5) -> VGG:
    """A `VGG` of configuration D with fresh weights."""
    return VGG(CONFIGURATIONS["D"], False, num_classes, in_channels, dropout)


def vgg16_bn(num_classes: int = 1000, in_channels: int = 3, dropout: float = 0.5) -> VGG:
    """A `VGG` of configuration D with batch normalization and fresh weights."""
    return VGG(CONFIGURATIONS["D"], True, num_classes, in_channels, dropout)


def vgg19(num_classes: int = 1000, in_channels: int = 3, dropout: float = 0.5) -> VGG:
    """A `VGG` of configuration E with fresh weights."""
    return VGG(CONFIGURATIONS["E"], False, num_classes, in_channels, dropout)


def vgg19_bn(num_classes: int = 1000, in_channels: int = 3, dropout: float = 0.5) -> VGG:
    """A `VGG` of configuration E with batch normalization and fresh weights."""
    return VGG(CONFIGURATIONS["E"], True, num_classes, in_channels, dropout)


def block_vgg(num_classes: int = 10, in_channels: int = 3, base_dim: int = 64, dropout: float = 0.5) -> BlockVGG:
    """A `BlockVGG` with fresh weights."""
    return BlockVGG(num_classes, in_channels, base_dim, dropout)
