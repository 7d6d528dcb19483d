"""Training steps of whole networks: forward, loss, backward, optimizer."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

import minicnn
from benchmarks.rows import Work


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
    rng = np.random.default_rng(0)
    x = rng.standard_normal(shape, np.float32)
    y = rng.integers(0, 10, shape[0])
    torch.manual_seed(0)
    state = theirs().state_dict()

    def minicnn_way() -> Callable[[], list]:
        model = ours()
        model.load_state_dict(state)
        optimizer = minicnn.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
        criterion = minicnn.nn.CrossEntropyLoss()
        images, labels = minicnn.tensor(x), minicnn.tensor(y)

        def step() -> list:
            optimizer.zero_grad()
            loss = criterion(model(images), labels)
            loss.backward()
            optimizer.step()
            return [np.asarray(loss.item())]

        return step

    def torch_way(memory_format: torch.memory_format) -> Callable[[], list]:
        model = theirs().to(memory_format=memory_format)
        model.load_state_dict(state)
        optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
        criterion = torch.nn.CrossEntropyLoss()
        images, labels = torch.from_numpy(x).to(memory_format=memory_format), torch.from_numpy(y)

        def step() -> list:
            optimizer.zero_grad()
            loss = criterion(model(images), labels)
            loss.backward()
            optimizer.step()
            return [np.asarray(loss.item())]

        return step

    ways = {"NCHW": torch_way(torch.contiguous_format), "channels_last": torch_way(torch.channels_last)}
    return Work(name, minicnn_way(), ways, flops=step_flops(theirs(), shape), tolerance=1e-3)


def step_flops(model: torch.nn.Module, shape: tuple[int, ...]) -> float:
    """Floating-point operations of forward and backward in convolution and linear layers: three times the forward."""
    total = 0

    def count(module: Any, _: Any, output: torch.Tensor) -> None:
        nonlocal total
        weight = module.weight
        total += 2 * weight[0].numel() * output.numel()

    for module in model.modules():
        if isinstance(module, (torch.nn.Conv2d, torch.nn.Linear)):
            module.register_forward_hook(count)
    with torch.no_grad():
        model.eval()(torch.zeros(shape))
    return 3.0 * total


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
