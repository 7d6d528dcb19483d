"""Column sums: the gradient of a bias is the sum of the gradient over everything but the channel.

    total[c] = Σ over r of  g[r, c]

Rows are shared out in a fixed number of chunks, whatever the number of threads, so that the result is too. Where
rows are short, several of them are added as one long row, which fills the vectors, and folded at the end.
"""

import numpy as np
from numba import prange

from minicnn.kernels.compile import kernel

CHUNKS = 32
LONG = 64


@kernel(parallel=True)
def _partial_sums(g, R, C, chunks, length, partial):
    """partial[chunk, k]: the sums of a chunk's rows, taken `length` // C at a time as one long row."""
    step = length // C
    for chunk in prange(chunks):
        first, last = R * chunk // chunks, R * (chunk + 1) // chunks
        base = chunk * length
        for k in range(length):
            partial[base + k] = 0
        r = first
        while r < last:
            for k in range(min(step, last - r) * C):
                partial[base + k] += g[r * C + k]
            r += step


def column_sums(g: np.ndarray) -> np.ndarray:
    """Σ over rows of g (R, C), row-major; (C,) of its dtype."""
    R, C = g.shape
    if not g.size:
        return np.zeros(C, g.dtype)
    chunks, length = CHUNKS if g.size > 2**15 else 1, C * max(1, LONG // C)
    partial = np.empty(chunks * length, g.dtype)
    _partial_sums(g.reshape(-1), R, C, chunks, length, partial)
    return partial.reshape(-1, C).sum(0, dtype=np.float64).astype(g.dtype)
