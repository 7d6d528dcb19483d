"""Several processes that train together, which minicnn does not have; programs that ask are told so."""

from typing import Any, NoReturn

from minicnn.compat import missing

__all__ = ["init_process_group", "is_available", "is_initialized", "is_torchelastic_launched"]


def is_available() -> bool:
    """False: minicnn computes in one process, on all cores."""
    return False


def is_initialized() -> bool:
    """False"""
    return False


def is_torchelastic_launched() -> bool:
    """False"""
    return False


def init_process_group(*arguments: Any, **named: Any) -> NoReturn:
    """Refused.

    Raises:
        RuntimeError: always.
    """
    raise RuntimeError("minicnn computes in one process, on all cores: leave init_process_group out")


__getattr__ = missing.getattr_of(__name__, lambda: __all__)
