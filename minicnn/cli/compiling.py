"""The kernels of a training step, compiled by two processes at once where they aren't kept yet.

The process that is to train takes a few images through the network to the loss. As soon as it has to compile, it starts
another one, which meanwhile compiles what a step needs afterwards: gradients with respect to weights, the optimizer's
step. What either compiles is kept, and read by the other. LeNet's first step took 10 s so instead of 16, on two cores.
"""

import contextlib
import copy
import subprocess
import sys

import numpy as np

import minicnn
import minicnn.nn.functional as F
from minicnn import kernels, nn, optim
from minicnn.kernels.cache import at_compilation
from minicnn.kernels.geometry import convolution_geometry
from minicnn.recipes.recipe import OPTIMIZERS, Recipe

IMAGES = 2


class _Helper:
    """A second process, started once when something is compiled for the first time."""

    def __init__(self, optimizer: str) -> None:
        self.command = [sys.executable, "-m", __name__, optimizer]
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        """Start it; where that can't be, this process compiles everything."""
        nowhere = subprocess.DEVNULL
        with contextlib.suppress(OSError):
            self.process = subprocess.Popen(self.command, stdin=nowhere, stdout=nowhere, stderr=nowhere)

    def wait(self) -> None:
        if self.process is not None:
            self.process.wait()

    def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def compile_ahead(network: nn.Module, shape: tuple[int, ...], optimizer: str) -> None:
    """Have the kernels of a training step compiled, unless they are kept; neither network nor generator is changed.

    Args:
        network: what is to be trained.
        shape: of one image, (C, H, W).
        optimizer: a name in `OPTIMIZERS`.
    """
    helper = _Helper(optimizer)
    copied, state = copy.deepcopy(network), minicnn.get_rng_state()
    try:
        with at_compilation(helper.start) if minicnn.get_num_threads() > 1 else contextlib.nullcontext():
            loss = F.cross_entropy(copied(minicnn.zeros(IMAGES, *shape)), minicnn.zeros(IMAGES).long())
        helper.wait()
    finally:
        helper.end()
        minicnn.set_rng_state(state)
    loss.backward()


def compile_rest(optimizer: str) -> None:
    """Have the kernels compiled that a training step needs after the loss."""
    for channels in (1, 8):
        geometry = convolution_geometry((6, 6), (3, 3), 1, 1)
        x, g = np.zeros((IMAGES, 6, 6, channels), np.float32), np.zeros((IMAGES, 6, 6, 4), np.float32)
        kernels.convolution.grad_parameters(kernels.convolution.implicit, x, g, geometry, 1)
    weight = minicnn.zeros(4, 3, requires_grad=True)
    weight.grad = minicnn.zeros(weight.shape)
    Recipe.of(optimizer, "constant", None, None, None, False).prepare(optim, [weight], 1, 1)[0].step()


if __name__ == "__main__" and sys.argv[1] in OPTIMIZERS:
    compile_rest(sys.argv[1])
