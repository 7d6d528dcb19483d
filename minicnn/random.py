"""Random numbers: one default generator that `manual_seed` restarts, and generators of one's own."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from minicnn.attributes import device as cpu_device
from minicnn.autograd import Variable
from minicnn.errors import DtypeError

DEFAULT_SEED = 67280421310721
"""Where a new generator starts, in PyTorch too."""
STATE_BYTES = 48
"""Size of a generator's state: seed, state, increment, and half a draw that is left over."""


class Generator:
    """A stream of random numbers, shaped like `torch.Generator` on the CPU.

    The stream is NumPy's PCG64: the same seed gives the same numbers on every machine, though not
    PyTorch's numbers.
    """

    device = cpu_device()

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
            raise DtypeError(f"manual_seed needs an int, got {type(seed).__name__}")
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

    def get_state(self) -> Any:
        """Where the stream stands, as a uint8 Tensor of 48 elements: the seed, and PCG64's state and increment."""
        state: Any = self.numpy.bit_generator.state
        numbers = [(self._seed, 8), *[(state["state"][name], 16) for name in ("state", "inc")]]
        numbers += [(state[name], 4) for name in ("has_uint32", "uinteger")]
        return Variable._computed(
            np.frombuffer(b"".join(n.to_bytes(size, "little") for n, size in numbers), np.uint8).copy()
        )

    def set_state(self, new_state: Any) -> "Generator":
        """Go on from where a stream stood.

        Args:
            new_state: what `get_state` gave.

        Returns: this generator.

        Raises:
            TypeError: for anything but a uint8 Tensor.
            RuntimeError: for one of another size.
        """
        if not isinstance(new_state, Variable) or new_state._array.dtype != np.uint8:
            raise TypeError(f"RNG state must be a uint8 Tensor, got {type(new_state).__name__}")
        if new_state._array.shape != (STATE_BYTES,):
            raise RuntimeError(
                f"RNG state must be a Tensor of {STATE_BYTES} bytes, as get_state gives it, got shape "
                f"{new_state._array.shape}"
            )
        data = new_state._array.tobytes()
        seed, state, increment, has, half = [
            int.from_bytes(data[start:end], "little") for start, end in ((0, 8), (8, 24), (24, 40), (40, 44), (44, 48))
        ]
        self.manual_seed(seed)
        self.numpy.bit_generator.state = {
            "bit_generator": "PCG64",
            "state": {"state": state, "inc": increment},
            "has_uint32": has,
            "uinteger": half,
        }
        return self

    def clone_state(self) -> "Generator":
        """Another generator that goes on from where this one stands."""
        return Generator().set_state(self.get_state())


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


def seed() -> int:
    """Restart the default generator at a seed from the operating system and return that seed."""
    return default_generator.seed()


def initial_seed() -> int:
    """The seed that the default generator started from."""
    return default_generator.initial_seed()


def get_rng_state() -> Any:
    """Where the default generator stands; see `Generator.get_state`."""
    return default_generator.get_state()


def set_rng_state(new_state: Any) -> None:
    """Let the default generator go on from where it stood; see `Generator.set_state`."""
    default_generator.set_state(new_state)


@contextmanager
def fork_rng(devices: Any = None, enabled: bool = True) -> Iterator[None]:
    """A context after which the default generator goes on from where it stood before.

    Args:
        devices: no other than the CPU is there; anything but None or an empty list is refused.
        enabled: whether to do so.

    Raises:
        RuntimeError: for devices.
    """
    if devices:
        raise RuntimeError(f"minicnn computes on the CPU only, got devices={devices!r}")
    state = get_rng_state()
    try:
        yield
    finally:
        if enabled:
            set_rng_state(state)


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
