"""Whether operations are being recorded: `no_grad`, `enable_grad`, `set_grad_enabled`."""

import functools
import threading
from collections.abc import Callable
from typing import Any


class _GradMode(threading.local):
    enabled = True


grad_mode = _GradMode()


def is_grad_enabled() -> bool:
    """Whether operations are being recorded in this thread."""
    return grad_mode.enabled


class set_grad_enabled:  # noqa: N801 (torch's name)
    """Switch recording on or off: at once as a call, for a block as a context manager, or as a decorator."""

    def __init__(self, mode: bool) -> None:
        self._previous = [grad_mode.enabled]
        self._mode = bool(mode)
        grad_mode.enabled = self._mode

    def __enter__(self) -> None:
        grad_mode.enabled = self._mode

    def __exit__(self, *_: object) -> None:
        grad_mode.enabled = self._previous[-1]

    def __call__(self, function: Callable) -> Callable:
        grad_mode.enabled = self._previous[-1]  # decorating is not calling

        @functools.wraps(function)
        def decorated(*args: Any, **kwargs: Any) -> Any:
            with set_grad_enabled(self._mode):
                return function(*args, **kwargs)

        return decorated


class no_grad:  # noqa: N801 (torch's name)
    """Record nothing inside: `with no_grad(): ...`, or `@no_grad()` on a function."""

    _mode = False

    def __init__(self, function: Callable | None = None) -> None:
        self._previous: list[bool] = []
        if function is not None:
            raise TypeError("write @no_grad() with parentheses")

    def __enter__(self) -> None:
        self._previous.append(grad_mode.enabled)
        grad_mode.enabled = self._mode

    def __exit__(self, *_: object) -> None:
        grad_mode.enabled = self._previous.pop()

    def __call__(self, function: Callable) -> Callable:
        @functools.wraps(function)
        def decorated(*args: Any, **kwargs: Any) -> Any:
            with type(self)():
                return function(*args, **kwargs)

        return decorated


class enable_grad(no_grad):  # noqa: N801 (torch's name)
    """Record again inside a `no_grad` block."""

    _mode = True
