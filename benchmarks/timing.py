"""How two implementations are timed side by side.

Both run in one process on the same number of threads, in alternating blocks. A block starts with calls that are
not counted: they wake this side's threads while the other side's, which go on spinning for a moment after their
last call, fall asleep. The figure is the median over all blocks, which a neighbour on a shared machine moves less
than it moves a mean.
"""

import time
from collections.abc import Callable, Sequence

import numpy as np

Function = Callable[[], object]


def once(function: Function) -> float:
    """Seconds of one call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def alternate(functions: Sequence[Function], blocks: int = 7, seconds: float = 0.15) -> list[float]:
    """The median seconds of one call of each function.

    Args:
        functions: what to time; called once each before anything counts.
        blocks: how often each gets its turn.
        seconds: how long a turn lasts at least.
    """
    for function in functions:
        function()
    times: list[list[float]] = [[] for _ in functions]
    for _ in range(blocks):
        for function, collected in zip(functions, times, strict=True):
            time.sleep(0.01)
            end = time.perf_counter() + seconds / 4
            function()
            while time.perf_counter() < end:
                function()
            end = time.perf_counter() + seconds
            collected.append(once(function))
            while time.perf_counter() < end:
                collected.append(once(function))
    return [float(np.median(collected)) for collected in times]
