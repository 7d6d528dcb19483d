"""What torchrun starts in test_reference_train: gradients of an uneven batch, then a training.

Arguments: a file for the gradients, then those of `reference.train`.
"""

import atexit
import contextlib
import sys
from pathlib import Path

import torch

import minicnn
import reference.train
from minicnn.datasets import Digits
from minicnn.recipes.presets import PRESETS
from reference import networks
from reference.data import ResidentImages
from reference.distributed import joined
from reference.loop import Training

IMAGES = 5


def gradients(world, dtype=torch.float32):
    """LeNet's gradients by five digits, of which each process of `world` takes its share."""
    minicnn.manual_seed(0)
    network = networks.fresh("lenet", (1, 28, 28), 10).to(dtype)
    digits = ResidentImages(Digits(), PRESETS["digits"], torch.device("cpu"))
    training = Training(
        *(network, world.wrap(network), digits, digits, torch.optim.SGD(network.parameters()), None, False, IMAGES),
        bf16=False,
        world=world,
    )
    images, targets = digits.in_order(*world.share(0, IMAGES))
    training.backward(images.to(dtype), targets, IMAGES)
    return {name: parameter.grad for name, parameter in network.named_parameters()}


def threads():
    """Print what this process's threads are called, where Linux tells."""
    print("Threads at the end:", *(task.read_text().strip() for task in Path("/proc/self/task").glob("*/comm")))


if __name__ == "__main__":
    atexit.register(threads)
    with joined(torch.device("cpu")) as world:
        assert world.size == 2
        found = gradients(world)
        if world.rank == 0:
            minicnn.save({name: gradient.numpy() for name, gradient in found.items()}, sys.argv[1])
        reference.train.joined = lambda device: contextlib.nullcontext(world)  # the processes meet but once
        reference.train.app(sys.argv[2:])
