"""Intel's GPUs; minicnn computes on none, and programs that ask are told so."""

from minicnn.compat import missing
from minicnn.cuda import (
    device_count,
    empty_cache,
    is_available,
    is_bf16_supported,
    is_initialized,
    manual_seed,
    manual_seed_all,
    seed,
    seed_all,
    synchronize,
)

__all__ = [
    "device_count",
    "empty_cache",
    "is_available",
    "is_bf16_supported",
    "is_initialized",
    "manual_seed",
    "manual_seed_all",
    "seed",
    "seed_all",
    "synchronize",
]

__getattr__ = missing.getattr_of(__name__, lambda: __all__)
