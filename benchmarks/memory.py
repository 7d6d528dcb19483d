"""How much memory a call takes beyond its inputs and its results.

Counted is what the operating system counts: pages of the process that hold data (the resident set). So nothing escapes,
neither what NumPy allocates nor what Numba's kernels, OpenMP's threads or PyTorch's libraries do, and memory that is
asked for and never touched costs nothing. Before the call the process gives back what it keeps in store: minicnn's
buffers that wait to be used again, its scratch memory, and free memory of the C library. Then

    workspace = highest resident set during the call − resident set before it − bytes of the results

Buffers that a call has left already still count, if they went back to minicnn's store: the process does have them. The
kernel counts pages, so a few tens of kilobytes are noise. Only Linux lets a process reset its highest resident set.
"""

import contextlib
import ctypes
import gc
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from minicnn.kernels import memory


def workspace(function: Callable[[], Sequence[np.ndarray]]) -> int | None:
    """Bytes that a call needs beyond what was there before and what it returns; None where the system can't tell.

    Args:
        function: what to call; returns arrays that it makes. It is called twice: the first time what is made once and
            kept (machine code, plans) comes to be.
    """
    function()
    _give_back()
    if not _reset_peak():
        return None
    before = _status("VmRSS")
    results = function()
    peak = _status("VmHWM")
    return max(0, peak - before - sum(result.nbytes for result in results))


def readable(size: float | None) -> str:
    """`22.4 MB`; megabytes are millions of bytes."""
    if size is None:
        return "unknown"
    return f"{size / 1e6:.{1 if size < 1e8 else 0}f} MB"


def _give_back() -> None:
    """Return to the system what minicnn and the C library keep for later."""
    gc.collect()
    memory.give_back()
    with contextlib.suppress(AttributeError, OSError, TypeError):  # not the GNU C library
        ctypes.CDLL(None).malloc_trim(0)


def _reset_peak() -> bool:
    """Let the highest resident set start from now; whether the system can."""
    if sys.platform != "linux":
        return False
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


def _status(field: str) -> int:
    """A size of this process in bytes, as Linux tells it."""
    found = re.search(rf"{field}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    if not found:
        raise RuntimeError(f"/proc/self/status has no {field}")
    return int(found[1]) * 1024
