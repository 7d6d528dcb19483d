"""Random numbers: one default generator that `manual_seed` restarts, and generators of one's own."""

import os
from typing import Any

import numpy as np

DEFAULT_SEED = 67280421310721
"""Where a new generator starts, in PyTorch too."""


class Generator:
    """A stream of random numbers, shaped like `torch.Generator` on the CPU.

    The stream is NumPy's PCG64: the same seed gives the same numbers on every machine, though not
    PyTorch's numbers.
    """

    device = "cpu"

    def __init__(self, device: Any = "cpu") -> None:
        if str(device) != "cpu":
            raise RuntimeError(f"Generator lives on the CPU, got device={device!r}")
        self.manual_seed(DEFAULT_SEED)

    def manual_seed(self, seed: int) -> "Generator":
        """Restart the stream at `seed`, an int of at most 64 bits; negative ones count down from 2⁶⁴.

        Returns: this generator, as torch does.

        Raises:
            TypeError: for anything but an int.
            ValueError: for an int out of range.
        """
        if not isinstance(seed, int) or isinstance(seed, bool):
            raise TypeError(f"manual_seed needs an int, got {type(seed).__name__}")
        if not -(2**63) <= seed < 2**64:
            raise ValueError(f"manual_seed needs an int of at most 64 bits, got {seed}")
        self._seed = seed % 2**64
        self.numpy = np.random.default_rng(self._seed)
        return self

    def seed(self) -> int:
        """Restart the stream at a seed from the operating system and return that seed."""
        seed = int.from_bytes(os.urandom(8), "little")
        self.manual_seed(seed)
        return seed

    def initial_seed(self) -> int:
        """The seed this stream started from."""
        return self._seed


default_generator = Generator()
default_generator.seed()  # unlike a generator of one's own, a new one in every process


def manual_seed(seed: int) -> Generator:
    """Restart the default generator: initialisation, dropout, shuffling and `randn` follow it.

    Args:
        seed: an integer of at most 64 bits, or what `int` makes one of.

    Returns: the default generator.

    Raises:
        TypeError, ValueError: for anything else.
    """
    return default_generator.manual_seed(int(seed))


def numpy_generator(generator: Generator | None = None) -> np.random.Generator:
    """The NumPy generator behind `generator`, or behind the default one if `None`.

    Raises:
        TypeError: for something else than a Generator.
    """
    if generator is None:
        return default_generator.numpy
    if not isinstance(generator, Generator):
        raise TypeError(f"generator must be a Generator, got {type(generator).__name__}")
    return generator.numpy
