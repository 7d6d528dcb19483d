"""Networks, each in a file that reads line by line like its PyTorch twin in `reference.models`."""

import sys
from collections.abc import Callable

from minicnn.compat import missing
from minicnn.models._weights import untrained, weights_of
from minicnn.models.alexnet import AlexNet, AlexNetCIFAR10, alexnet, alexnet_cifar10
from minicnn.models.lenet import LeNet, lenet
from minicnn.models.mnist_cnn import MNISTCNN, mnist_cnn
from minicnn.models.plain_cnn import ConvNet, PlainCNN, convnet, plain_cnn
from minicnn.models.resnet import (
    BasicBlock,
    Bottleneck,
    ResNet,
    resnet18,
    resnet18_cifar10,
    resnet34,
    resnet34_cifar10,
    resnet50,
    resnet50_cifar10,
)
from minicnn.models.speedrun import SpeedrunCNN, Stage, speedrun_cifar10, speedrun_mnist, speedrun_mnist_deep
from minicnn.models.vgg import (
    VGG,
    BlockVGG,
    block_vgg,
    vgg11,
    vgg11_bn,
    vgg13,
    vgg13_bn,
    vgg16,
    vgg16_bn,
    vgg19,
    vgg19_bn,
)
from minicnn.nn import Module

TORCHVISIONS: tuple[Callable[..., Module], ...] = (
    *(alexnet, resnet18, resnet34, resnet50),
    *(vgg11, vgg11_bn, vgg13, vgg13_bn, vgg16, vgg16_bn, vgg19, vgg19_bn),
)
"""What torchvision has too, under the same name; these take its arguments about trained weights, here and in their
files."""

for _constructor in map(untrained, TORCHVISIONS):
    for _place in (globals(), vars(sys.modules[_constructor.__module__])):
        _place[_constructor.__name__] = _constructor
    _weights = weights_of(_constructor.__name__)
    for _place in (globals(), vars(sys.modules[_constructor.__module__])):
        _place[_weights.__name__] = _weights

__all__ = [
    "FOR_SMALL_IMAGES",
    "INPUT_SIZES",
    "MNISTCNN",
    "MODELS",
    "VGG",
    "AlexNet",
    "AlexNetCIFAR10",
    "BasicBlock",
    "BlockVGG",
    "Bottleneck",
    "ConvNet",
    "LeNet",
    "PlainCNN",
    "ResNet",
    "SpeedrunCNN",
    "Stage",
    "alexnet",
    "alexnet_cifar10",
    "block_vgg",
    "convnet",
    "lenet",
    "mnist_cnn",
    "plain_cnn",
    "resnet18",
    "resnet18_cifar10",
    "resnet34",
    "resnet34_cifar10",
    "resnet50",
    "resnet50_cifar10",
    "speedrun_cifar10",
    "speedrun_mnist",
    "speedrun_mnist_deep",
    "vgg11",
    "vgg11_bn",
    "vgg13",
    "vgg13_bn",
    "vgg16",
    "vgg16_bn",
    "vgg19",
    "vgg19_bn",
]

_CONSTRUCTORS: tuple[Callable[..., Module], ...] = (
    *(lenet, mnist_cnn, plain_cnn, convnet),
    *(alexnet, alexnet_cifar10),
    *(vgg11, vgg11_bn, vgg13, vgg13_bn, vgg16, vgg16_bn, vgg19, vgg19_bn, block_vgg),
    *(resnet18, resnet34, resnet50, resnet18_cifar10, resnet34_cifar10, resnet50_cifar10),
    *(speedrun_mnist, speedrun_mnist_deep, speedrun_cifar10),
)

MODELS: dict[str, Callable[..., Module]] = {f.__name__.replace("_", "-"): f for f in _CONSTRUCTORS}
"""What `minicnn train --model` knows: name → constructor, which takes `num_classes` and `in_channels`."""

FOR_SMALL_IMAGES = {
    "alexnet": "alexnet-cifar10",
    "resnet18": "resnet18-cifar10",
    "resnet34": "resnet34-cifar10",
    "resnet50": "resnet50-cifar10",
}
"""Networks for images of about 224×224, and what stands in for each where images are of about 32×32."""

INPUT_SIZES = {
    **dict.fromkeys(
        ("lenet", "mnist-cnn", "plain-cnn", "convnet", "speedrun-mnist", "speedrun-mnist-deep"), (1, 28, 28)
    ),
    **dict.fromkeys(("alexnet", *(name for name in MODELS if name.startswith("vgg"))), (3, 224, 224)),
    **dict.fromkeys(("resnet18", "resnet34", "resnet50"), (3, 224, 224)),
    **dict.fromkeys(("block-vgg", "speedrun-cifar10", *FOR_SMALL_IMAGES.values()), (3, 32, 32)),
}
"""The images that each network is made for: name → (C, H, W)."""

__getattr__ = missing.getattr_of(__name__, lambda: __all__)
