"""Convolution layers of well-known networks, forward, and forward with backward."""

from benchmarks.rows import Sides, Work
from benchmarks.spec import Convolution, parse
from benchmarks.work.convolution import Problem, formats, minicnn_way, torch_way
from minicnn.kernels.convolution.winograd import applies

Layer = tuple[str, Convolution]

LENET: list[Layer] = [("LeNet 1", parse("64x1x28x28,o6,k5")), ("LeNet 2", parse("64x6x12x12,o16,k5"))]
LAYERS: list[Layer] = [
    *LENET,
    ("MNIST CNN 1", parse("128x1x28x28,o32,k3,p1")),
    ("MNIST CNN 2", parse("128x32x14x14,o64,k3,p1")),
    ("MNIST CNN 3", parse("128x64x7x7,o128,k3,p1")),
    ("AlexNet 1", parse("32x3x32x32,o64,k3,p1")),
    ("AlexNet 2", parse("32x64x15x15,o192,k3,p1")),
    ("AlexNet 3", parse("32x192x7x7,o384,k3,p1")),
    ("AlexNet 4", parse("32x384x7x7,o256,k3,p1")),
    ("AlexNet 5", parse("32x256x7x7,o256,k1")),
    ("ResNet-18 1", parse("32x64x32x32,o64,k3,p1")),
    ("ResNet-18 2", parse("32x64x32x32,o128,k3,s2,p1")),
    ("ResNet-18 2", parse("32x128x16x16,o128,k3,p1")),
    ("ResNet-18 3", parse("32x256x8x8,o256,k3,p1")),
    ("ResNet-18 4", parse("32x512x4x4,o512,k3,p1")),
    ("shortcut", parse("32x64x32x32,o128,k1,s2")),
    ("VGG-16 1", parse("8x64x224x224,o64,k3,p1")),
    ("VGG-16 2", parse("8x128x112x112,o128,k3,p1")),
    ("VGG-16 3", parse("8x256x56x56,o256,k3,p1")),
    ("VGG-16 4", parse("8x512x28x28,o512,k3,p1")),
    ("VGG-16 5", parse("8x512x14x14,o512,k3,p1")),
    ("ImageNet stem", parse("8x3x224x224,o64,k7,s2,p3")),
    ("1×1", parse("8x256x14x14,o1024,k1")),
]
SINGLE: list[Layer] = [
    ("one image", parse("1x64x56x56,o64,k3,p1")),
    ("one image", parse("1x512x7x7,o512,k3,p1")),
]
GROUPED: list[Layer] = [
    ("depthwise", parse("32x128x16x16,o128,k3,p1,g128")),
    ("depthwise", parse("32x144x32x32,o144,k3,s2,p1,g144")),
    ("depthwise", parse("32x240x14x14,o240,k5,p2,g240")),
    ("depthwise", parse("32x96x56x56,o96,k7,p3,g96")),
    ("depthwise", parse("32x960x7x7,o960,k3,p1,g960")),
    ("32 groups", parse("32x256x14x14,o256,k3,p1,g32")),
    ("2 groups", parse("32x96x15x15,o256,k5,p2,g2")),
]
WINOGRAD = [(name, c) for name, c in LAYERS if applies(c.geometry, c.groups) and c.C >= 64]


def convolution(layer: Layer, backward: bool, algorithm: str = "auto") -> Work:
    """A layer's forward pass, or forward and backward: by weight and bias, and by the input.

    As in a network, the first layer leaves out the gradient by the input, the images: on both sides, and in the count
    of operations.
    """
    name, conv = layer
    by_input = not conv.of_images

    def prepare() -> Sides:
        problem = Problem.random(conv)
        return Sides(
            minicnn_way(problem, backward, by_input, algorithm),
            {name: torch_way(problem, backward, by_input, name) for name in formats(conv)},
        )

    products = 1 + backward * (1 + by_input)
    part = "forward" if not backward else "and back" if by_input else "and back, no ∂x"
    return Work(f"{name} {conv.label}", part, prepare, products * conv.flops, products * conv.bytes)
