"""ResNet: blocks that learn what to add to their input, so that a hundred layers train as well as ten.

He, Zhang, Ren and Sun, "Deep Residual Learning for Image Recognition", 2015, with torchvision's layers and parameter
names. The stem, what comes before the first block, is the paper's 7×7 convolution and max pool for ImageNet's images,
or a 3×3 convolution for CIFAR-10's, which have no pixels to give away.
"""

from minicnn import Tensor, nn


def conv3x3(in_channels: int, out_channels: int, stride: int = 1) -> nn.Conv2d:
    """A 3×3 convolution that keeps the size, or divides it by the stride."""
    return nn.Conv2d(in_channels, out_channels, kernel_size=3, stride=stride, padding=1, bias=False)


def conv1x1(in_channels: int, out_channels: int, stride: int = 1) -> nn.Conv2d:
    """A linear map of each pixel's channels, of every `stride`-th pixel."""
    return nn.Conv2d(in_channels, out_channels, kernel_size=1, stride=stride, bias=False)


def shortcut(in_channels: int, out_channels: int, stride: int) -> nn.Sequential | None:
    """What a block's input passes through to have its output's shape; None where it has it already."""
    if stride == 1 and in_channels == out_channels:
        return None
    return nn.Sequential(conv1x1(in_channels, out_channels, stride), nn.BatchNorm2d(out_channels))


class BasicBlock(nn.Module):
    """Two 3×3 convolutions beside a shortcut.

    Args:
        in_channels: C of the input.
        width: channels of both convolutions, and of the output.
        stride: of the first convolution.
    """

    expansion = 1
    """How many times `width` the output's channels are."""

    def __init__(self, in_channels: int, width: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = conv3x3(in_channels, width, stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = conv3x3(width, width)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = shortcut(in_channels, width, stride)

    def forward(self, x: Tensor) -> Tensor:
        """relu(residual(x) + shortcut(x))

        Args:
            x: shape (N, in_channels, H, W).

        Returns: shape (N, width, ⌈H / stride⌉, ⌈W / stride⌉).
        """
        residual = self.relu(self.bn1(self.conv1(x)))
        residual = self.bn2(self.conv2(residual))
        identity = x if self.downsample is None else self.downsample(x)
        return self.relu(residual + identity)


class Bottleneck(nn.Module):
    """A 3×3 convolution between two 1×1 that make it narrow and wide again, beside a shortcut.

    The stride is the 3×3 convolution's, as torchvision has it, not the first 1×1's, as the paper has it.

    Args:
        in_channels: C of the input.
        width: channels of the 3×3 convolution; the output has four times as many.
        stride: of the 3×3 convolution.
    """

    expansion = 4
    """How many times `width` the output's channels are."""

    def __init__(self, in_channels: int, width: int, stride: int = 1) -> None:
        super().__init__()
        out_channels = width * self.expansion
        self.conv1 = conv1x1(in_channels, width)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = conv3x3(width, width, stride)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = conv1x1(width, out_channels)
        self.bn3 = nn.BatchNorm2d(out_channels)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = shortcut(in_channels, out_channels, stride)

    def forward(self, x: Tensor) -> Tensor:
        """relu(residual(x) + shortcut(x))

        Args:
            x: shape (N, in_channels, H, W).

        Returns: shape (N, 4·width, ⌈H / stride⌉, ⌈W / stride⌉).
        """
        residual = self.relu(self.bn1(self.conv1(x)))
        residual = self.relu(self.bn2(self.conv2(residual)))
        residual = self.bn3(self.conv3(residual))
        identity = x if self.downsample is None else self.downsample(x)
        return self.relu(residual + identity)


Block = type[BasicBlock] | type[Bottleneck]


def row_of_blocks(block: Block, in_channels: int, width: int, count: int, stride: int = 1) -> nn.Sequential:
    """Blocks of equal width one after another; the first takes the stride."""
    blocks: list[nn.Module] = [block(in_channels, width, stride)]
    blocks += [block(width * block.expansion, width) for _ in range(count - 1)]
    return nn.Sequential(*blocks)


class ResNet(nn.Module):
    """Four rows of blocks, each row half the size and twice the width of the one before, and one linear layer.

    Args:
        block: `BasicBlock` or `Bottleneck`.
        layers: how many blocks each of the four rows has.
        num_classes: how many classes to tell apart.
        in_channels: 1 for grey images, 3 for coloured ones.
        small_images: take the stem for images of about 32×32 pixels, which keeps their size; otherwise the stem for
            images of about 224×224, which divides it by 4.
        width: of the first row.
    """

    def __init__(
        self,
        block: Block,
        layers: tuple[int, int, int, int],
        num_classes: int = 1000,
        in_channels: int = 3,
        small_images: bool = False,
        width: int = 64,
    ) -> None:
        super().__init__()
        if small_images:
            self.conv1 = conv3x3(in_channels, width)
        else:
            self.conv1 = nn.Conv2d(in_channels, width, kernel_size=7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.Identity() if small_images else nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        out = block.expansion  # how many times as wide as its blocks a row is
        self.layer1 = row_of_blocks(block, width, width, layers[0])
        self.layer2 = row_of_blocks(block, width * out, 2 * width, layers[1], stride=2)
        self.layer3 = row_of_blocks(block, 2 * width * out, 4 * width, layers[2], stride=2)
        self.layer4 = row_of_blocks(block, 4 * width * out, 8 * width, layers[3], stride=2)
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(8 * width * out, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        """Class scores, before softmax.

        Args:
            x: images, shape (N, in_channels, H, W).

        Returns: logits, shape (N, num_classes).
        """
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.maxpool(x)  # of 224×224 are left 56×56; of 32×32, where the images are small, all
        x = self.layer1(x)  # 56×56 or 32×32
        x = self.layer2(x)  # 28×28 or 16×16
        x = self.layer3(x)  # 14×14 or 8×8
        x = self.layer4(x)  # 7×7 or 4×4
        x = self.avgpool(x)  # an average pool 7 or 4
        x = x.flatten(1)  # (N, 512) after basic blocks, (N, 2048) after bottlenecks
        return self.fc(x)


def resnet18(num_classes: int = 1000, in_channels: int = 3) -> ResNet:
    """A `ResNet` of 18 layers with fresh weights, for images of about 224×224."""
    return ResNet(BasicBlock, (2, 2, 2, 2), num_classes, in_channels)


def resnet34(num_classes: int = 1000, in_channels: int = 3) -> ResNet:
    """A `ResNet` of 34 layers with fresh weights, for images of about 224×224."""
    return ResNet(BasicBlock, (3, 4, 6, 3), num_classes, in_channels)


def resnet50(num_classes: int = 1000, in_channels: int = 3) -> ResNet:
    """A `ResNet` of 50 layers, in bottlenecks, with fresh weights, for images of about 224×224."""
    return ResNet(Bottleneck, (3, 4, 6, 3), num_classes, in_channels)


def resnet18_cifar10(num_classes: int = 10, in_channels: int = 3) -> ResNet:
    """A `ResNet` of 18 layers with fresh weights, for images of about 32×32."""
    return ResNet(BasicBlock, (2, 2, 2, 2), num_classes, in_channels, small_images=True)


def resnet34_cifar10(num_classes: int = 10, in_channels: int = 3) -> ResNet:
    """A `ResNet` of 34 layers with fresh weights, for images of about 32×32."""
    return ResNet(BasicBlock, (3, 4, 6, 3), num_classes, in_channels, small_images=True)


def resnet50_cifar10(num_classes: int = 10, in_channels: int = 3) -> ResNet:
    """A `ResNet` of 50 layers, in bottlenecks, with fresh weights, for images of about 32×32."""
    return ResNet(Bottleneck, (3, 4, 6, 3), num_classes, in_channels, small_images=True)
