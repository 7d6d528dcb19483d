"""Apple's GPUs; minicnn computes on none, and programs that ask are told so."""

from minicnn.compat import missing
from minicnn.cuda import device_count, empty_cache, is_available, manual_seed, seed, synchronize

__all__ = ["device_count", "empty_cache", "is_available", "manual_seed", "seed", "synchronize"]

__getattr__ = missing.getattr_of(__name__, lambda: __all__)
