"""Training steps of whole networks: forward, loss, backward, optimizer."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch

import minicnn
from benchmarks.rows import Sides, Way, Work
from benchmarks.work.convolution import FORMATS
from benchmarks.work.networks import NETWORKS


def training_step(
    name: str, ours: Callable[[], Any], theirs: Callable[[], Any], shape: tuple[int, ...], lr: float = 1e-4
) -> Work:
    """One step of SGD with momentum on random images.

    Both networks start from the same weights; what is compared is the loss of the first step.

    Args:
        name: the row's name.
        ours, theirs: make the network in minicnn and in PyTorch.
        shape: (N, C, H, W) of a batch.
        lr: learning rate.
    """

    def prepare() -> Sides:
        rng = np.random.default_rng(0)
        x = rng.standard_normal(shape, np.float32)
        y = rng.integers(0, 10, shape[0])
        torch.manual_seed(0)
        state = theirs().state_dict()
        return Sides(
            _minicnn_way(ours(), state, x, y, lr),
            {name: _torch_way(theirs(), state, x, y, lr, memory_format) for name, memory_format in FORMATS.items()},
        )

    return Work(name, "", prepare, *step_costs(theirs, shape), tolerance=1e-3)


def _minicnn_way(model: Any, state: dict[str, Any], x: np.ndarray, y: np.ndarray, lr: float) -> Way:
    model.load_state_dict(state)
    optimizer = minicnn.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    criterion = minicnn.nn.CrossEntropyLoss()
    images, labels = minicnn.tensor(x), minicnn.tensor(y)

    def step() -> list[np.ndarray]:
        optimizer.zero_grad()
        loss = criterion(model(images), labels)
        loss.backward()
        optimizer.step()
        return [np.asarray(loss.item())]

    return step


def _torch_way(
    model: torch.nn.Module,
    state: dict[str, Any],
    x: np.ndarray,
    y: np.ndarray,
    lr: float,
    memory_format: torch.memory_format,
) -> Way:
    model = model.to(memory_format=memory_format)
    model.load_state_dict(state)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    criterion = torch.nn.CrossEntropyLoss()
    images, labels = torch.from_numpy(x).to(memory_format=memory_format), torch.from_numpy(y)

    def step() -> list[np.ndarray]:
        optimizer.zero_grad()
        loss = criterion(model(images), labels)
        loss.backward()
        optimizer.step()
        return [np.asarray(loss.item())]

    return step


def step_costs(model: Callable[[], torch.nn.Module], shape: tuple[int, ...]) -> tuple[float, float]:
    """Floating-point operations and bytes of forward and backward in convolution and linear layers.

    A layer has three products, the output and the gradients by weight and by input (the first layer has no need of the
    last), each of as many operations; each reads two of the layer's input, weight and output, or gradients of the same
    size, and writes the third.

    Args:
        model: makes the network.
        shape: (N, C, H, W) of a batch.
    """
    flops = moved = 0

    def count(module: Any, inputs: tuple[torch.Tensor], output: torch.Tensor) -> None:
        nonlocal flops, moved
        weight, products = module.weight, 2 + inputs[0].requires_grad
        each = inputs[0] if isinstance(module, torch.nn.ConvTranspose2d) else output
        flops += products * 2 * weight[0].numel() * each.numel()
        moved += products * 4 * (inputs[0].numel() + weight.numel() + output.numel())

    with torch.device("meta"):  # shapes without numbers
        network, images = model(), torch.zeros(shape)
    for module in network.modules():
        if isinstance(module, (torch.nn.Conv2d, torch.nn.ConvTranspose2d, torch.nn.Linear)):
            module.register_forward_hook(count)
    network(images)
    return float(flops), float(moved)


def steps() -> list[Work]:
    """The training steps that are compared; dropout draws its masks but keeps all, so that both sides agree."""
    from minicnn import models as ours
    from reference import models as theirs

    return [
        training_step("LeNet, batch 64", ours.lenet, theirs.lenet, (64, 1, 28, 28)),
        training_step("LeNet, batch 128", ours.lenet, theirs.lenet, (128, 1, 28, 28)),
        training_step(
            "MNIST CNN, batch 128",
            lambda: ours.mnist_cnn(dropout=1e-6),
            lambda: theirs.mnist_cnn(dropout=1e-6),
            (128, 1, 28, 28),
        ),
        training_step(
            "AlexNet for CIFAR-10, batch 32",
            lambda: ours.alexnet_cifar10(dropout=1e-6),
            lambda: theirs.alexnet_cifar10(dropout=1e-6),
            (32, 3, 32, 32),
        ),
        training_step(
            "ResNet-18 for CIFAR-10, batch 32", ours.resnet18_cifar10, theirs.resnet18_cifar10, (32, 3, 32, 32)
        ),
    ]


def network_steps() -> list[Work]:
    """Training steps of the kinds of networks that programs train, on 32 images of 3×32×32."""
    return [
        training_step(f"{name}, batch 32", partial(build, minicnn), partial(build, torch), (32, 3, 32, 32))
        for name, build in NETWORKS.items()
    ]
