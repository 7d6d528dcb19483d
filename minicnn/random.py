"""Random numbers: one default generator that `manual_seed` restarts, and generators of one's own."""

import os

import numpy as np


class Generator:
    """A stream of random numbers, shaped like `torch.Generator` on the CPU.

    The stream is NumPy's PCG64: the same seed gives the same numbers on every machine, though not
    PyTorch's numbers.
    """

    def __init__(self, device: str = "cpu") -> None:
        if str(device) != "cpu":
            raise RuntimeError(f"Generator lives on the CPU, got device={device!r}")
        self.seed()

    def manual_seed(self, seed: int) -> "Generator":
        """Restart the stream at `seed`, any Python integer.

        Returns: this generator, as torch does.
        """
        self._seed = int(seed)
        self.numpy = np.random.default_rng(self._seed % 2**64)
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


def manual_seed(seed: int) -> Generator:
    """Restart the default generator: initialisation, dropout, shuffling and `randn` follow it.

    Args:
        seed: any Python integer.

    Returns: the default generator.
    """
    return default_generator.manual_seed(seed)


def numpy_generator(generator: Generator | None = None) -> np.random.Generator:
    """The NumPy generator behind `generator`, or behind the default one if `None`."""
    return (generator or default_generator).numpy
