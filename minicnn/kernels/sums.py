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


@kernel
def _add_rows(g, first, last, C, total):
    """total[k mod C] += Σ of rows first … last − 1, `total` of a multiple of C elements being one long row."""
    length = total.size
    step = length // C
    r = first
    while r + step <= last:
        for k in range(length):
            total[k] += g[r * C + k]
        r += step
    for k in range((last - r) * C):
        total[k] += g[r * C + k]


@kernel(parallel=True)
def _column_sums(g, R, C, chunks, length, total):
    partial = np.zeros((chunks, length), g.dtype)
    if chunks == 1:
        _add_rows(g, 0, R, C, partial[0])
    else:
        for chunk in prange(chunks):
            _add_rows(g, R * chunk // chunks, R * (chunk + 1) // chunks, C, partial[chunk])
    for c in range(C):
        value = 0.0
        for chunk in range(chunks):
            for k in range(c, length, C):
                value += partial[chunk, k]
        total[c] = value


def column_sums(g: np.ndarray) -> np.ndarray:
    """Σ over rows of g (R, C), row-major; (C,) of its dtype."""
    R, C = g.shape
    total = np.empty(C, g.dtype)
    length = C * max(1, LONG // max(C, 1))
    _column_sums(g.reshape(-1), R, C, CHUNKS if g.size > 2**15 else 1, length, total)
    return total
