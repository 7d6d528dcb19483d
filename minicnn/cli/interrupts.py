"""Ctrl-C during a training: once, and it ends in order; twice, and it ends."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from minicnn.recipes.errors import tell

STATUS = 130
"""What a shell expects of a command that Ctrl-C ended."""


@contextmanager
def asked_to_stop() -> Iterator[Callable[[], bool]]:
    """A question in this `with` block: whether Ctrl-C was pressed, or the process told to terminate.

    The second time the signals do what they usually do.
    """
    asked = False
    if threading.current_thread() is not threading.main_thread():  # the only one that gets signals
        yield lambda: False
        return

    def hear(*_: Any) -> None:
        nonlocal asked
        asked = True
        restore()
        tell("finishing this batch and saving; once more to stop at once")

    kinds = [kind for kind in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(kind) is not signal.SIG_IGN]
    before = {kind: signal.signal(kind, hear) for kind in kinds}

    def restore() -> None:
        for kind, handler in before.items():
            signal.signal(kind, handler)

    try:
        yield lambda: asked
    finally:
        restore()
