"""How a kernel becomes machine code: Numba's `njit` with the library's settings and the cache of `kernels.cache`."""

import functools
import importlib
import os
from collections.abc import Callable
from typing import Any

import numba

from minicnn.kernels.cache import KernelCache

if numba.config.DISABLE_JIT:
    raise ImportError("minicnn is made of compiled kernels: unset NUMBA_DISABLE_JIT, which has Numba compile nothing")


def choose_threads() -> None:
    """Ask for OpenMP threads, which open a parallel region in 2 µs (the workqueue layer needs 130 µs).

    OpenMP's threads go on spinning after a region, for milliseconds unless told otherwise, and take the core from
    whatever runs next. Told so while its library loads, they fall asleep after about a millisecond: longer than the gap
    between two kernels, which waking them would prolong. What the user has set in the environment stays.
    """
    if "NUMBA_THREADING_LAYER" in os.environ or "NUMBA_THREADING_LAYER_PRIORITY" in os.environ:
        return
    numba.config.THREADING_LAYER_PRIORITY = ["omp", "tbb", "workqueue"]
    if "OMP_WAIT_POLICY" in os.environ or "GOMP_SPINCOUNT" in os.environ:
        return
    os.environ["GOMP_SPINCOUNT"] = "20000"
    try:
        importlib.import_module("numba.np.ufunc.omppool")
    except ImportError:  # no OpenMP on this machine; Numba takes the next layer
        pass
    finally:
        del os.environ["GOMP_SPINCOUNT"]


choose_threads()


def kernel(function: Callable | None = None, *, parallel: bool = False, **options: Any) -> Any:
    """Compile `function` at its first call, for the types of its arguments.

    Args:
        function: a function on NumPy arrays and scalars, in Numba's subset of Python.
        parallel: whether its `prange` loops run on all threads.
        options: further options of `numba.njit`.

    Returns: the compiled function's dispatcher, which other kernels may call too.
    """
    if function is None:
        return functools.partial(kernel, parallel=parallel, **options)
    dispatcher = numba.njit(parallel=parallel, nogil=True, error_model="numpy", **options)(function)
    dispatcher._cache = KernelCache(function)
    return dispatcher
