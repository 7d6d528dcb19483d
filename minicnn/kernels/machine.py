"""The machine: what kernels take for granted of a processor, and the measurement behind each number.

Vectors and registers are asked of the processor. Caches and the cost of waking a thread are numbers of the machines
that minicnn was tuned on, two cores of an AMD Zen 5 first of all. Whoever tunes it for another one begins here.
"""

import functools
from typing import Any

import numpy as np

LINE_BYTES = 64
"""A cache line. A vector that straddles two costs two loads."""

FIRST_LEVEL = 48 * 2**10
"""Bytes of a core's nearest cache, of which rows of images and sums may take about half."""

SECOND_LEVEL = 2**20
"""Bytes of a core's second cache. What a task works on at once takes half of it, so that weights fit beside."""

LONGEST_LINE = 448
"""Cells of a line at most, where any number will do: 32 tiles of 14 rows."""

PREFETCH_STEPS = 8
"""Steps of the micro-kernel that a vector of weights is asked for ahead: 1.05 as fast; 4 to 16 steps were alike."""


def _features() -> list[str]:
    """What the processor can do that code is compiled for; Numba lets `NUMBA_CPU_FEATURES` say so."""
    from numba.core import config  # not before a kernel is asked for: to import it takes longer than a small command
    from numba.core.codegen import get_host_cpu_features

    return (config.CPU_FEATURES or get_host_cpu_features()).split(",")


@functools.cache
def vector_bytes() -> int:
    """The width of the machine's vectors: 64 with AVX-512, 32 with AVX2, else 16."""
    features = _features()
    return 64 if "+avx512f" in features else 32 if "+avx2" in features else 16


@functools.cache
def registers() -> int:
    """How many vectors the processor has registers for."""
    features = _features()
    return 32 if "+avx512f" in features or "+neon" in features else 16


@functools.cache
def lanes(dtype: Any) -> int:
    """How many numbers of `dtype` fill a vector."""
    return vector_bytes() // np.dtype(dtype).itemsize


@functools.cache
def tiles() -> dict[int, tuple[int, ...]]:
    """The tiles of the micro-kernel: vectors → numbers of rows, largest first, down to 1; see `microkernel`.

    They are chosen by hand, for 16 registers and for 32. The widest has 2 or 4 vectors, and there are tiles of 2 and of
    1: `lines.block_at` knows no others.
    """
    if registers() == 32:
        return {4: (6, 5, 4, 2, 1), 2: (14, 11, 8, 6, 4, 2, 1), 1: (16, 12, 6, 2, 1)}
    return {2: (6, 5, 4, 2, 1), 1: (8, 2, 1)}


# What one thread has done while another wakes, which takes about 2 µs with OpenMP (see `compile.choose_threads`).

WAKE_PACKING = 2**12
"""Weights packed."""
WAKE_SOFTMAX = 2**13
"""Numbers of a softmax or a loss, with an exponential each."""
WAKE_POINTWISE = 2**14
"""Numbers of an elementwise operation."""
WAKE_SUMS = 2**15
"""Numbers added up."""
WAKE_OPTIMIZERS = 2**15
"""Parameters of an optimizer's step. With 2**16, LeNet's 44,000 in one thread, it was 0.72 as fast."""
