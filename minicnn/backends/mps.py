"""Apple's GPUs; minicnn computes on none, and programs that ask are told so."""


def is_available() -> bool:
    """False: minicnn computes on the CPU."""
    return False


def is_built() -> bool:
    """False: minicnn computes on the CPU."""
    return False
