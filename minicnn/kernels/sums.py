"""Column sums: the gradient of a bias is the sum of the gradient over everything but the channel.

    total[c] = Σ over r of  g[r, c]

Rows are shared out in a fixed number of chunks, whatever the number of threads, so that the result is too. Where
rows are short, several of them are added as one long row, which fills the vectors, and folded at the end.
"""

import functools
import math

import numpy as np
from numba import prange

from minicnn.kernels.compile import kernel

CHUNKS = 32
LANES = 16


@kernel
def sum_chunk(g, R, C, chunk, chunks, length, partial):
    """partial[chunk, k]: the sums of a chunk's rows, taken `length` // C at a time as one long row."""
    first, last = R * chunk // chunks * C, R * (chunk + 1) // chunks * C
    sums = partial[chunk * length : (chunk + 1) * length]
    for k in range(length):
        sums[k] = 0
    while first + 4 * length <= last:  # four rows a turn, in order: an addition waits for the one before it
        row = g[first : first + 4 * length]
        for k in range(length):
            sums[k] = sums[k] + row[k] + row[length + k] + row[2 * length + k] + row[3 * length + k]
        first += 4 * length
    while first < last:
        row = g[first : min(first + length, last)]
        for k in range(row.size):
            sums[k] += row[k]
        first += length


@kernel
def add_chunks(partial, total):
    """total[c]: what the chunks' long rows, end to end in `partial`, add up to."""
    C = total.size
    sums = np.zeros(C)
    for first in range(0, partial.size, C):
        for c in range(C):
            sums[c] += partial[first + c]
    for c in range(C):
        total[c] = sums[c]


@kernel(parallel=True)
def _column_sums(g, chunks, length, partial, total):
    C = total.size
    R = g.size // C
    for chunk in prange(chunks):
        sum_chunk(g, R, C, chunk, chunks, length, partial)
    add_chunks(partial, total)


@functools.lru_cache(maxsize=1024)
def chunks_of(R: int, C: int) -> tuple[int, int]:
    """Into how many chunks R rows of C numbers are divided, and the length of their long rows."""
    length = math.lcm(C, LANES)
    return CHUNKS if R * C > 2**15 else 1, length * max(1, 64 // length)


def column_sums(g: np.ndarray) -> np.ndarray:
    """Σ over rows of g (R, C), row-major; (C,) of its dtype."""
    R, C = g.shape
    if not g.size:
        return np.zeros(C, g.dtype)
    chunks, length = chunks_of(R, C)
    total = np.empty(C, g.dtype)
    _column_sums(g.reshape(-1), chunks, length, np.empty(chunks * length, g.dtype), total)
    return total
