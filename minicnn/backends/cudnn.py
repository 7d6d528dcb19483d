"""NVIDIA's library of convolutions, which minicnn does not use.

Its switches may be set to anything and keep what they are set to. They choose between ways of computing on a GPU, and
results in minicnn are the same from run to run whatever they say.
"""

import contextlib
import sys
from collections.abc import Iterator

enabled = True
benchmark = False
benchmark_limit: int | None = 10
deterministic = False
allow_tf32 = True

_SWITCHES = ("enabled", "benchmark", "benchmark_limit", "deterministic", "allow_tf32")


def is_available() -> bool:
    """False: there is no cuDNN here."""
    return False


def version() -> int | None:
    """None: there is no cuDNN here."""
    return None


@contextlib.contextmanager
def flags(
    enabled: bool = False,
    benchmark: bool = False,
    benchmark_limit: int | None = 10,
    deterministic: bool = False,
    allow_tf32: bool = True,
) -> Iterator[None]:
    """Set all switches for a block, as `torch.backends.cudnn.flags`."""
    wanted = (enabled, benchmark, benchmark_limit, deterministic, allow_tf32)
    module = sys.modules[__name__]
    before = {name: getattr(module, name) for name in _SWITCHES}
    for name, value in zip(_SWITCHES, wanted, strict=True):
        setattr(module, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(module, name, value)
