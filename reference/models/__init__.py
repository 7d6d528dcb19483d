"""Networks in PyTorch, each in a file that reads line by line like its twin in `minicnn.models`."""

from collections.abc import Callable

from torch.nn import Module

from reference.models.alexnet import AlexNet, AlexNetCIFAR10, alexnet, alexnet_cifar10
from reference.models.lenet import LeNet, lenet
from reference.models.mnist_cnn import MNISTCNN, mnist_cnn
from reference.models.plain_cnn import ConvNet, PlainCNN, convnet, plain_cnn
from reference.models.resnet import (
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
from reference.models.speedrun import SpeedrunCNN, Stage, speedrun_cifar10, speedrun_mnist, speedrun_mnist_deep
from reference.models.vgg import (
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
"""Name → constructor, which takes `num_classes` and `in_channels`."""

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
