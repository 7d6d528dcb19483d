"""NumPy without its warnings: infinity and NaN are values like others here, as in PyTorch."""

import contextvars
import threading
from collections.abc import Callable
from typing import Any

import numpy as np


class _Quiet(threading.local):
    """A context for each thread in which NumPy ignores floating-point errors."""

    def __init__(self) -> None:
        self.context = contextvars.copy_context()
        self.context.run(np.seterr, all="ignore")


_quiet = _Quiet()


def quietly(function: Callable, *args: Any, **kwargs: Any) -> Any:
    """`function(*args, **kwargs)` for a NumPy function, under `np.errstate(all="ignore")`.

    Entering that context by hand takes 1.3 µs, twice as long as adding two small arrays; this takes 0.2 µs.
    """
    return _quiet.context.run(function, *args, **kwargs)
