"""Who wants to see every operation that a program computes: summaries, and exports to other formats."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from minicnn.autograd.operator import observers, readers, watchers
from minicnn.autograd.variable import Variable


@contextmanager
def every_operation(observe: Callable[[type, tuple, Any], None]) -> Iterator[None]:
    """Call `observe(operator, arguments, outputs)` after every operation on Tensors in this `with` block.

    In all threads: layers are not the only ones who compute, `forward` may call a function such as `max_pool2d` too,
    which no module tells.
    """
    observers.append(observe)
    try:
        yield
    finally:
        observers.remove(observe)


@contextmanager
def every_change(watch: Callable[[Variable, Variable | None], None]) -> Iterator[None]:
    """Call `watch(tensor, None)` before a tensor is changed in place in this `with` block, and `watch(tensor, values)`
    afterwards, with the result that was written into it; in all threads."""
    watchers.append(watch)
    try:
        yield
    finally:
        watchers.remove(watch)


@contextmanager
def every_number(read: Callable[[Variable], None]) -> Iterator[None]:
    """Call `read(tensor)` where a tensor's one element becomes a Python number in this `with` block, in all threads."""
    readers.append(read)
    try:
        yield
    finally:
        readers.remove(read)
