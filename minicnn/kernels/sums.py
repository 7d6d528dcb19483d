"""Column sums: the gradient of a bias is the sum of the gradient over everything but the channel.

    total[c] = Σ over r of  g[r, c]

Rows are shared out in a fixed number of chunks, whatever the number of threads, so that the result is too. Where
rows are short, several of them are added as one long row, which fills the vectors, and folded at the end.
"""

import math

import numpy as np
from numba import prange

from minicnn.kernels.compile import kernel

CHUNKS = 32
LANES = 16


@kernel(parallel=True)
def _partial_sums(g, R, C, chunks, length, partial):
    """partial[chunk, k]: the sums of a chunk's rows, taken `length` // C at a time as one long row."""
    for chunk in prange(chunks):
        first, last = R * chunk // chunks * C, R * (chunk + 1) // chunks * C
        sums = partial[chunk * length : (chunk + 1) * length]
        for k in range(length):
            sums[k] = 0
        while first + length <= last:
            row = g[first : first + length]
            for k in range(length):
                sums[k] += row[k]
            first += length
        row = g[first:last]
        for k in range(row.size):
            sums[k] += row[k]


def column_sums(g: np.ndarray) -> np.ndarray:
    """Σ over rows of g (R, C), row-major; (C,) of its dtype."""
    R, C = g.shape
    if not g.size:
        return np.zeros(C, g.dtype)
    chunks, length = CHUNKS if g.size > 2**15 else 1, math.lcm(C, LANES)
    length *= max(1, 64 // length)
    partial = np.empty(chunks * length, g.dtype)
    _partial_sums(g.reshape(-1), R, C, chunks, length, partial)
    return partial.reshape(-1, C).sum(0, dtype=np.float64).astype(g.dtype)
