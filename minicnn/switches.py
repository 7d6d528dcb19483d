"""Requests for what is always so: accepted, and nothing changes.

README.md lists them all.
"""

from collections.abc import Callable
from typing import Any

from minicnn.attributes import device as cpu_device

_PRECISIONS = ("highest", "high", "medium")


class _Asked:
    """What programs asked for, which they may read again."""

    deterministic = False
    warn_only = False
    precision = "highest"
    interop_threads = 1


def compile(
    model: Callable | None = None,
    *,
    fullgraph: bool = False,
    dynamic: bool | None = None,
    backend: Any = "inductor",
    mode: str | None = None,
    options: dict | None = None,
    disable: bool = False,
) -> Any:
    """The model itself: its kernels are compiled already. Also as a decorator, `@compile` or `@compile(...)`.

    Args:
        model: a module or a function; without it a decorator is returned.
        fullgraph, dynamic, backend, mode, options, disable: how PyTorch would compile it; nothing is left to choose.

    Raises:
        RuntimeError: for `mode` together with `options`.
        TypeError: for a model that can't be called.
    """
    if mode is not None and options is not None:
        raise RuntimeError("Either mode or options can be specified, but both can't be specified at the same time.")
    if model is None:
        return lambda function: compile(function, fullgraph=fullgraph, mode=mode, options=options)
    if not callable(model):
        raise TypeError(f"compile needs a module or a function, got {type(model).__name__}")
    return model


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Accepted: on the same number of threads every operation gives the same result every time."""
    _Asked.deterministic, _Asked.warn_only = bool(mode), bool(warn_only)


def are_deterministic_algorithms_enabled() -> bool:
    """What `use_deterministic_algorithms` was told."""
    return _Asked.deterministic


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """What `use_deterministic_algorithms` was told."""
    return _Asked.warn_only


def set_float32_matmul_precision(precision: str) -> None:
    """Accepted: it allows products of float32 to be less exact, and they never are.

    Args:
        precision: `"highest"`, `"high"` or `"medium"`.

    Raises:
        RuntimeError: for anything else.
    """
    if precision not in _PRECISIONS:
        raise RuntimeError(f"precision must be one of {', '.join(_PRECISIONS)}, got {precision!r}")
    _Asked.precision = precision


def get_float32_matmul_precision() -> str:
    """What `set_float32_matmul_precision` was told."""
    return _Asked.precision


def set_num_interop_threads(threads: int) -> None:
    """Accepted: operations run one after another, each on the threads of `set_num_threads`."""
    if threads <= 0:
        raise RuntimeError(f"expected a positive number of threads, got {threads}")
    _Asked.interop_threads = threads


def get_num_interop_threads() -> int:
    """What `set_num_interop_threads` was told."""
    return _Asked.interop_threads


def set_default_device(device: Any) -> None:
    """Accepted for the CPU: there is no other device.

    Args:
        device: "cpu", or None for the same.

    Raises:
        RuntimeError: for another device.
    """
    if device is not None:
        cpu_device(device)


def get_default_device() -> cpu_device:
    """The CPU."""
    return cpu_device("cpu")


def _assert(condition: Any, message: str) -> None:
    """Python's assert, as a function."""
    assert condition, message
