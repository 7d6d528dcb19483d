"""What programs ask of `torch.compiler`, shaped like PyTorch's module of that name.

Functions run as they are written: the questions are answered with no, and the marks change nothing.
"""

from collections.abc import Callable
from typing import Any

from minicnn.compat import missing

__all__ = ["disable", "is_compiling", "is_dynamo_compiling", "is_exporting", "reset"]


def is_compiling() -> bool:
    """False: functions run as they are written."""
    return False


is_dynamo_compiling = is_exporting = is_compiling


def disable(fn: Callable | None = None, recursive: bool = True, *, reason: str | None = None) -> Any:
    """Accepted as a decorator, `@disable` or `@disable(recursive=False)`: the function itself."""
    return (lambda function: function) if fn is None else fn


def reset() -> None:
    """Nothing: no compiled program is kept."""


__getattr__ = missing.getattr_of(__name__, lambda: __all__)
