"""Whether operations are being recorded: `no_grad`, `enable_grad`, `set_grad_enabled`."""

import functools
import inspect
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any


class _GradMode(threading.local):
    enabled = True
    inference = False


grad_mode = _GradMode()


def is_grad_enabled() -> bool:
    """Whether operations are being recorded in this thread."""
    return grad_mode.enabled


class set_grad_enabled:  # noqa: N801 (torch's name)
    """Switch recording on or off: at once as a call, for a block as a context manager, or as a decorator."""

    def __init__(self, mode: bool) -> None:
        self._previous = grad_mode.enabled
        self._mode = bool(mode)
        grad_mode.enabled = self._mode

    def __enter__(self) -> None:
        grad_mode.enabled = self._mode

    def __exit__(self, *_: object) -> None:
        grad_mode.enabled = self._previous

    def __call__(self, function: Callable) -> Callable:
        grad_mode.enabled = self._previous  # decorating is not calling
        return _decorate(function, lambda: set_grad_enabled(self._mode))


class no_grad:  # noqa: N801 (torch's name)
    """Record nothing: `with no_grad(): ...`, or `@no_grad()`, or `@no_grad`, on a function."""

    _mode = False

    def __new__(cls, function: Callable | None = None) -> Any:
        return super().__new__(cls) if function is None else cls()(function)

    def __init__(self) -> None:
        self._previous: list[bool] = []

    def __enter__(self) -> None:
        self._previous.append(grad_mode.enabled)
        grad_mode.enabled = self._mode

    def __exit__(self, *_: object) -> None:
        grad_mode.enabled = self._previous.pop()

    def __call__(self, function: Callable) -> Callable:
        return _decorate(function, type(self))


class enable_grad(no_grad):  # noqa: N801 (torch's name)
    """Record again inside a `no_grad` block."""

    _mode = True


def is_inference_mode_enabled() -> bool:
    """Whether this thread is in `inference_mode`."""
    return grad_mode.inference


class inference_mode:  # noqa: N801 (torch's name)
    """Record nothing, as `no_grad`: for a block as a context manager, or as a decorator.

    PyTorch also refuses to use the results in recorded operations later; here they are like any other tensor.

    Args:
        mode: False to record again inside another block.
    """

    def __new__(cls, mode: bool | Callable = True) -> Any:
        return cls()(mode) if callable(mode) else super().__new__(cls)

    def __init__(self, mode: bool = True) -> None:
        self._mode = bool(mode)
        self._previous: list[tuple[bool, bool]] = []

    def __enter__(self) -> None:
        self._previous.append((grad_mode.enabled, grad_mode.inference))
        grad_mode.enabled, grad_mode.inference = not self._mode, self._mode

    def __exit__(self, *_: object) -> None:
        grad_mode.enabled, grad_mode.inference = self._previous.pop()

    def __call__(self, function: Callable) -> Callable:
        return _decorate(function, lambda: inference_mode(self._mode))


def _decorate(function: Callable, mode: Callable[[], AbstractContextManager]) -> Callable:
    """`function` running under `mode`; a generator function runs each of its steps under it."""
    if inspect.isgeneratorfunction(function):
        return functools.wraps(function)(lambda *args, **kwargs: _run_steps(function(*args, **kwargs), mode))

    @functools.wraps(function)
    def decorated(*args: Any, **kwargs: Any) -> Any:
        with mode():
            return function(*args, **kwargs)

    return decorated


def _run_steps(generator: Any, mode: Callable[[], AbstractContextManager]) -> Iterator:
    """What `generator` yields, its body under `mode` and its consumer not."""
    resume, value = generator.send, None
    while True:
        try:
            with mode():
                item = resume(value)
        except StopIteration as stop:
            return stop.value
        try:
            resume, value = generator.send, (yield item)
        except BaseException as error:  # thrown in, or closed
            resume, value = generator.throw, error
