"""The kernels of a training step, compiled by two processes at once where they aren't kept yet.

The process that is to train takes a few images through the network to the loss. As soon as it has to compile, it starts
another one, which meanwhile compiles what a step needs afterwards: gradients with respect to weights, the optimizer's
step. What either compiles is kept, and read by the other. LeNet's first step took 10 s so instead of 16, on two cores.
"""

import atexit
import contextlib
import copy
import subprocess
import sys
from collections.abc import Iterator

import numpy as np

import minicnn
import minicnn.nn.functional as F
from minicnn import kernels, nn, optim
from minicnn.kernels.geometry import convolution_geometry
from minicnn.recipes.models import TRIED
from minicnn.recipes.recipe import OPTIMIZERS, Recipe


class Helper:
    """A second process, started where something is compiled for the first time, and there is a core for it.

    Args:
        optimizer: whose kernels it compiles, a name in `OPTIMIZERS`.
    """

    def __init__(self, optimizer: str) -> None:
        self.command = [sys.executable, "-m", __name__, optimizer]
        self.process: subprocess.Popen | None = None

    @contextlib.contextmanager
    def called(self) -> Iterator[None]:
        """Within this, a compilation starts it."""
        if self.process is not None or minicnn.get_num_threads() == 1:
            yield
            return
        from minicnn.kernels.cache import at_compilation  # Numba comes with it

        with at_compilation(self._start):
            yield

    def _start(self) -> None:
        nowhere = subprocess.DEVNULL
        with contextlib.suppress(OSError):  # then this process compiles everything
            self.process = subprocess.Popen(self.command, stdin=nowhere, stdout=nowhere, stderr=nowhere)
            atexit.register(self._end)

    def wait(self) -> None:
        """Wait until it has compiled all, if it was started."""
        if self.process is not None:
            self.process.wait()

    def _end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def compile_ahead(network: nn.Module, shape: tuple[int, ...], helper: Helper) -> None:
    """Have the kernels of a training step compiled, unless they are kept; neither network nor generator is changed.

    Args:
        network: what is to be trained.
        shape: of one image, (C, H, W).
        helper: what compiles with this process.
    """
    copied, state = copy.deepcopy(network), minicnn.get_rng_state()
    try:
        with helper.called():
            loss = F.cross_entropy(copied(minicnn.zeros(TRIED, *shape)), minicnn.zeros(TRIED).long())
    finally:
        minicnn.set_rng_state(state)
    helper.wait()
    loss.backward()


def compile_rest(optimizer: str) -> None:
    """Have the kernels compiled that a training step needs after the loss."""
    for channels in (1, 8):
        geometry = convolution_geometry((6, 6), (3, 3), 1, 1)
        x, g = np.zeros((TRIED, 6, 6, channels), np.float32), np.zeros((TRIED, 6, 6, 4), np.float32)
        kernels.convolution.grad_parameters(kernels.convolution.implicit, x, g, geometry, 1)
    weight = minicnn.zeros(4, 3, requires_grad=True)
    weight.grad = minicnn.zeros(weight.shape)
    Recipe.of(optimizer, "constant", None, None, None, False).prepare(optim, [weight], 1, 1)[0].step()


if __name__ == "__main__" and sys.argv[1] in OPTIMIZERS:
    compile_rest(sys.argv[1])
