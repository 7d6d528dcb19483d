"""Networks of the kinds that programs train, written once and built in either library.

Each is a function of the library, minicnn or torch, and returns a network for images of 3×32×32 with ten logits.
"""

from typing import Any


def _separable(nn: Any, inputs: int, outputs: int, stride: int) -> list:
    """A depthwise 3×3 and a pointwise convolution, each with batch norm and relu (Howard et al., 2017)."""
    return [
        nn.Conv2d(inputs, inputs, 3, stride, 1, groups=inputs, bias=False),
        nn.BatchNorm2d(inputs),
        nn.ReLU(inplace=True),
        nn.Conv2d(inputs, outputs, 1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    ]


def _head(nn: Any, channels: int) -> list:
    return [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10)]


def mobilenet(library: Any) -> Any:
    """MobileNet's first kind: separable convolutions."""
    nn = library.nn
    sizes = [(32, 64, 1), (64, 128, 2), (128, 128, 1), (128, 256, 2), (256, 256, 1), (256, 512, 2), (512, 512, 1)]
    layers = [nn.Conv2d(3, 32, 3, 1, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU(inplace=True)]
    for size in sizes:
        layers += _separable(nn, *size)
    return nn.Sequential(*layers, *_head(nn, 512))


def inverted_residuals(library: Any, kernel: int = 3, activation: str = "ReLU6", squeeze: bool = False) -> Any:
    """MobileNet's second kind (Sandler et al., 2018): widen, depthwise, narrow, with a shortcut.

    With kernel 5, SiLU and squeeze-and-excitation these are EfficientNet's blocks.
    """
    nn = library.nn

    class Excite(nn.Module):
        def __init__(self, channels: int) -> None:
            super().__init__()
            self.gate = nn.Sequential(
                nn.AdaptiveAvgPool2d(1),
                nn.Conv2d(channels, channels // 4, 1),
                nn.SiLU(),
                nn.Conv2d(channels // 4, channels, 1),
                nn.Sigmoid(),
            )

        def forward(self, x: Any) -> Any:
            return x * self.gate(x)

    class Block(nn.Module):
        def __init__(self, inputs: int, outputs: int, stride: int, widen: int) -> None:
            super().__init__()
            wide, act = inputs * widen, getattr(nn, activation)
            self.adds = stride == 1 and inputs == outputs
            self.layers = nn.Sequential(
                nn.Conv2d(inputs, wide, 1, bias=False),
                nn.BatchNorm2d(wide),
                act(inplace=True),
                nn.Conv2d(wide, wide, kernel, stride, kernel // 2, groups=wide, bias=False),
                nn.BatchNorm2d(wide),
                act(inplace=True),
                *([Excite(wide)] if squeeze else []),
                nn.Conv2d(wide, outputs, 1, bias=False),
                nn.BatchNorm2d(outputs),
            )

        def forward(self, x: Any) -> Any:
            return x + self.layers(x) if self.adds else self.layers(x)

    sizes = [
        (32, 16, 1, 1),
        (16, 24, 1, 6),
        (24, 24, 1, 6),
        (24, 32, 2, 6),
        (32, 32, 1, 6),
        (32, 64, 2, 6),
        (64, 64, 1, 6),
    ]
    blocks = [Block(*size) for size in sizes]
    stem = [nn.Conv2d(3, 32, 3, 1, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU6(inplace=True)]
    return nn.Sequential(*stem, *blocks, *_head(nn, 64))


def resnext(library: Any) -> Any:
    """Residual blocks of 16 groups (Xie et al., 2017)."""
    nn = library.nn

    class Block(nn.Module):
        def __init__(self, channels: int) -> None:
            super().__init__()
            self.layers = nn.Sequential(
                nn.Conv2d(channels, channels, 1, bias=False),
                nn.BatchNorm2d(channels),
                nn.ReLU(),
                nn.Conv2d(channels, channels, 3, padding=1, groups=16, bias=False),
                nn.BatchNorm2d(channels),
                nn.ReLU(),
                nn.Conv2d(channels, channels, 1, bias=False),
                nn.BatchNorm2d(channels),
            )
            self.relu = nn.ReLU()

        def forward(self, x: Any) -> Any:
            return self.relu(x + self.layers(x))

    return nn.Sequential(
        nn.Conv2d(3, 128, 3, 2, 1), Block(128), Block(128), nn.Conv2d(128, 256, 3, 2, 1), Block(256), *_head(nn, 256)
    )


def densenet(library: Any) -> Any:
    """Layers that see all the ones before them (Huang et al., 2017)."""
    nn = library.nn

    class Layer(nn.Module):
        def __init__(self, channels: int, growth: int) -> None:
            super().__init__()
            self.layers = nn.Sequential(
                nn.BatchNorm2d(channels), nn.ReLU(), nn.Conv2d(channels, growth, 3, padding=1, bias=False)
            )

        def forward(self, x: Any) -> Any:
            return library.cat([x, self.layers(x)], 1)

    layers, channels = [nn.Conv2d(3, 32, 3, padding=1)], 32
    for _ in range(2):
        for _ in range(6):
            layers.append(Layer(channels, 16))
            channels += 16
        layers += [nn.Conv2d(channels, channels // 2, 1), nn.AvgPool2d(2)]
        channels //= 2
    return nn.Sequential(*layers, *_head(nn, channels))


def unet(library: Any) -> Any:
    """Down and up again, with shortcuts across (Ronneberger et al., 2015); ten maps, averaged."""
    nn = library.nn

    def twice(inputs: int, outputs: int) -> Any:
        return nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU(), nn.Conv2d(outputs, outputs, 3, padding=1), nn.ReLU()
        )

    class UNet(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.down, self.middle, self.bottom = twice(3, 32), twice(32, 64), twice(64, 128)
            self.pool = nn.MaxPool2d(2)
            self.up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
            self.transposed = nn.ConvTranspose2d(64, 32, 2, 2)
            self.rise, self.last, self.maps = twice(128 + 64, 64), twice(32 + 32, 32), nn.Conv2d(32, 10, 1)

        def forward(self, x: Any) -> Any:
            first = self.down(x)
            second = self.middle(self.pool(first))
            y = self.rise(library.cat([self.up(self.bottom(self.pool(second))), second], 1))
            y = self.last(library.cat([self.transposed(y), first], 1))
            return self.maps(y).mean((2, 3))

    return UNet()


def dcgan(library: Any) -> Any:
    """A discriminator on what a generator makes of the image as noise (Radford et al., 2016)."""
    nn = library.nn
    return nn.Sequential(
        nn.Conv2d(3, 64, 32),
        nn.ConvTranspose2d(64, 128, 4, 1, 0, bias=False),
        nn.BatchNorm2d(128),
        nn.ReLU(True),
        nn.ConvTranspose2d(128, 64, 4, 2, 1, bias=False),
        nn.BatchNorm2d(64),
        nn.ReLU(True),
        nn.ConvTranspose2d(64, 3, 4, 4, 0),
        nn.Tanh(),
        nn.Conv2d(3, 64, 4, 2, 1),
        nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(64, 128, 4, 2, 1, bias=False),
        nn.BatchNorm2d(128),
        nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(128, 10, 8),
        nn.Flatten(),
    )


def shufflenet(library: Any) -> Any:
    """Half of the channels through a depthwise block, then shuffled (Ma et al., 2018)."""
    nn = library.nn

    class Unit(nn.Module):
        def __init__(self, channels: int) -> None:
            super().__init__()
            half = channels // 2
            self.branch = nn.Sequential(
                nn.Conv2d(half, half, 1, bias=False),
                nn.BatchNorm2d(half),
                nn.ReLU(),
                nn.Conv2d(half, half, 3, padding=1, groups=half, bias=False),
                nn.BatchNorm2d(half),
                nn.Conv2d(half, half, 1, bias=False),
                nn.BatchNorm2d(half),
                nn.ReLU(),
            )
            self.shuffle = nn.ChannelShuffle(2)

        def forward(self, x: Any) -> Any:
            kept, worked = x.chunk(2, 1)
            return self.shuffle(library.cat([kept, self.branch(worked)], 1))

    return nn.Sequential(
        nn.Conv2d(3, 96, 3, 2, 1),
        Unit(96),
        Unit(96),
        nn.Conv2d(96, 192, 3, 2, 1),
        Unit(192),
        Unit(192),
        *_head(nn, 192),
    )


NETWORKS = {
    "MobileNet": mobilenet,
    "MobileNetV2": inverted_residuals,
    "EfficientNet's blocks": lambda library: inverted_residuals(library, 5, "SiLU", True),
    "ShuffleNetV2": shufflenet,
    "ResNeXt": resnext,
    "DenseNet": densenet,
    "U-Net": unet,
    "DCGAN": dcgan,
}
"""Name → what builds it in a library."""
