"""How many threads compute: Numba's kernels and the BLAS behind NumPy's matrix product together."""

import os

from minicnn import kernels


def available_cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def get_num_threads() -> int:
    """The number of threads that operations use."""
    return kernels.threads.get_num_threads()


def set_num_threads(threads: int) -> None:
    """Use `threads` threads from now on, in Numba's kernels and in NumPy's matrix product.

    Args:
        threads: 1 … the number of threads Numba started with (all cores, or NUMBA_NUM_THREADS).

    Raises:
        TypeError: where it isn't an int.
        ValueError: below 1 or above what Numba started with.
    """
    if not isinstance(threads, int) or isinstance(threads, bool):
        raise TypeError(f"set_num_threads needs an int, got {threads!r}")
    import threadpoolctl

    most = kernels.threads.MOST
    if not 1 <= threads <= most:
        raise ValueError(f"set_num_threads needs 1 to {most} threads, got {threads}")
    kernels.threads.set_num_threads(threads)
    threadpoolctl.threadpool_limits(threads, user_api="blas")
