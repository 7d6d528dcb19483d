"""There is no CUDA in minicnn; programs that ask are told so."""


def is_available() -> bool:
    """False: minicnn computes on the CPU. The models in `reference` run on CUDA."""
    return False


def device_count() -> int:
    """0"""
    return 0
