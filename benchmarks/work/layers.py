"""Convolution layers of well-known networks, forward, and forward with backward."""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as TF

import minicnn
import minicnn.nn.functional as F
from benchmarks.rows import Work


@dataclass(frozen=True)
class Layer:
    """A square convolution layer: N images of C channels and H × H, to O channels by a K × K kernel."""

    name: str
    N: int
    C: int
    H: int
    O: int
    K: int
    stride: int = 1
    padding: int = 0

    @property
    def output(self) -> int:
        """OH"""
        return (self.H + 2 * self.padding - self.K) // self.stride + 1

    @property
    def flops(self) -> float:
        """Floating-point operations of the forward pass, a multiply-add being two."""
        return 2.0 * self.N * self.output**2 * self.O * self.C * self.K**2

    @property
    def label(self) -> str:
        """The row's name."""
        stride = f"/{self.stride}" if self.stride > 1 else ""
        return f"{self.name} {self.N}×{self.C}×{self.H}² → {self.O}, {self.K}×{self.K}{stride}"


LENET = [Layer("LeNet 1", 64, 1, 28, 6, 5), Layer("LeNet 2", 64, 6, 12, 16, 5)]
LAYERS = [
    *LENET,
    Layer("MNIST CNN 1", 128, 1, 28, 32, 3, padding=1),
    Layer("MNIST CNN 2", 128, 32, 14, 64, 3, padding=1),
    Layer("MNIST CNN 3", 128, 64, 7, 128, 3, padding=1),
    Layer("AlexNet 1", 32, 3, 32, 64, 3, padding=1),
    Layer("AlexNet 2", 32, 64, 15, 192, 3, padding=1),
    Layer("AlexNet 3", 32, 192, 7, 384, 3, padding=1),
    Layer("AlexNet 4", 32, 384, 7, 256, 3, padding=1),
    Layer("AlexNet 5", 32, 256, 7, 256, 1),
    Layer("ResNet-18 1", 32, 64, 32, 64, 3, padding=1),
    Layer("ResNet-18 2", 32, 64, 32, 128, 3, stride=2, padding=1),
    Layer("ResNet-18 2", 32, 128, 16, 128, 3, padding=1),
    Layer("ResNet-18 3", 32, 256, 8, 256, 3, padding=1),
    Layer("ResNet-18 4", 32, 512, 4, 512, 3, padding=1),
    Layer("shortcut", 32, 64, 32, 128, 1, stride=2),
    Layer("VGG-16 1", 8, 64, 224, 64, 3, padding=1),
    Layer("VGG-16 2", 8, 128, 112, 128, 3, padding=1),
    Layer("VGG-16 3", 8, 256, 56, 256, 3, padding=1),
    Layer("VGG-16 4", 8, 512, 28, 512, 3, padding=1),
    Layer("VGG-16 5", 8, 512, 14, 512, 3, padding=1),
    Layer("ImageNet stem", 8, 3, 224, 64, 7, stride=2, padding=3),
    Layer("1×1", 8, 256, 14, 1024, 1),
]
WINOGRAD = [layer for layer in LAYERS if layer.K == 3 and layer.stride == 1 and layer.C >= 64]


def channels_last(array: np.ndarray) -> np.ndarray:
    """(N, C, H, W) with channels last in memory, as the layer before leaves it."""
    return np.ascontiguousarray(array.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)


def convolution(layer: Layer, backward: bool, algorithm: str = "auto") -> Work:
    """A layer's forward pass, or forward and backward (by input, weight and bias)."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((layer.N, layer.C, layer.H, layer.H), np.float32)
    w = rng.standard_normal((layer.O, layer.C, layer.K, layer.K), np.float32) / np.float32(layer.K)
    b = rng.standard_normal(layer.O, np.float32)
    g = rng.standard_normal((layer.N, layer.O, layer.output, layer.output), np.float32)
    arguments = (layer.stride, layer.padding)
    mx, mw, mb = (minicnn.Tensor(a, backward) for a in (channels_last(x), w, b))
    mg = minicnn.Tensor(channels_last(g))

    def ours() -> list:
        y = F.conv2d(mx, mw, mb, *arguments, algorithm=algorithm)
        if not backward:
            return [y.numpy()]
        for t in (mx, mw, mb):
            t.grad = None
        y.backward(mg)
        return [t.grad.numpy() for t in (mx, mw, mb)]

    def torch_way(memory_format: torch.memory_format):
        tx, tw = (torch.from_numpy(a).clone(memory_format=memory_format) for a in (x, w))
        tx, tw, tb = (t.requires_grad_(backward) for t in (tx, tw, torch.from_numpy(b).clone()))
        tg = torch.from_numpy(g).clone(memory_format=memory_format)

        def theirs() -> list:
            y = TF.conv2d(tx, tw, tb, *arguments)
            if not backward:
                return [y.numpy()]
            for t in (tx, tw, tb):
                t.grad = None
            y.backward(tg)
            return [t.grad.numpy() for t in (tx, tw, tb)]

        return theirs

    formats = {"NCHW": torch.contiguous_format}
    if layer.C > 1:  # channels_last means nothing for one channel
        formats["channels_last"] = torch.channels_last
    name = f"{layer.label}{' and back' if backward else ''}"
    ways = {key: torch_way(value) for key, value in formats.items()}
    return Work(name, ours, ways, flops=layer.flops * (3 if backward else 1))
