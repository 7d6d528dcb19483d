"""Accelerators, of which minicnn has none, shaped like `torch.accelerator`."""

from typing import Any

from minicnn.compat import missing

__all__ = ["current_accelerator", "device_count", "is_available", "synchronize"]


def is_available() -> bool:
    """False: minicnn computes on the CPU."""
    return False


def device_count() -> int:
    """0"""
    return 0


def current_accelerator(check_available: bool = False) -> None:
    """None: there is no accelerator."""


def synchronize(device: Any = None) -> None:
    """Accepted: every operation is finished when it returns."""


__getattr__ = missing.getattr_of(__name__, lambda: __all__)
