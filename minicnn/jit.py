"""What networks ask of `torch.jit` though nobody compiles them, shaped like PyTorch's module of that name.

Files of networks mark methods for its compiler and ask whether they are being compiled. They run as they are written,
so the marks change nothing and the answer is no. The compiler itself, `script` and `trace`, is missing.
"""

from collections.abc import Callable
from typing import Any

from minicnn.compat import missing

__all__ = ["export", "ignore", "is_scripting", "is_tracing", "unused"]


def is_scripting() -> bool:
    """False: functions run as they are written."""
    return False


def is_tracing() -> bool:
    """False: functions run as they are written."""
    return False


def export(fn: Callable) -> Callable:
    """Accepted as a decorator: the function itself."""
    return fn


def unused(fn: Callable) -> Callable:
    """Accepted as a decorator: the function itself."""
    return fn


def ignore(drop: bool | Callable = False, **kwargs: Any) -> Callable:
    """Accepted as a decorator, `@ignore` or `@ignore(drop=True)`: the function itself."""
    return drop if callable(drop) else export


_overload_method = export
"""Declares one signature of several, of a method that is defined below."""

__getattr__ = missing.getattr_of(__name__, lambda: __all__)
