"""How many threads kernels are divided for.

Numba's own `get_num_threads` takes 6 µs, as long as a small kernel; so the number is kept here too.
"""

import numba

MOST: int = numba.config.NUMBA_NUM_THREADS
_threads = MOST


def get_num_threads() -> int:
    """The number of threads that parallel kernels use."""
    return _threads


def divide_for_one() -> None:
    """Divide kernels for one thread from now on, whatever Numba may start: the child of a fork has no others."""
    global _threads
    _threads = 1


def set_num_threads(threads: int) -> None:
    """Use `threads` of the threads that Numba started with."""
    global _threads
    numba.set_num_threads(threads)
    _threads = threads
