"""Convolution by im2col, the product in loops of our own: a block of sums at a time.

    patches = im2col(x)                                                (N·OH·OW, KH·KW·C)
    weights = matrix(weight)                                           (KH·KW·C, O)
    y[i, j] = Σ over blocks of k  Σ over k in a block  patches[i, k] · weights[k, j]

`im2col` calls BLAS. From here on the product is ours, and each rung adds one idea to it. The first is the order of the
multiplications. Three plain loops multiply a row of patches by all weights, then the next row by all weights again, and
by then the nearest cache has lost them. Here the loops are cut into tiles. ROWS × COLUMNS sums stay in the nearest
cache. Each step of k loads COLUMNS weights and ROWS numbers of patches, and multiplies each by each. The innermost loop
runs over neighbouring outputs, with which the compiler fills vectors. Threads take blocks of rows.

The sums of a block are of x's dtype. Those of several blocks are added up in float64, lest rounding grow with K.

What it brought: products with 64 to 512 outputs were about twice as fast as in the same loops without tiles, measured
alternately on one core of an AMD Zen 5. BLAS, as `im2col` calls it, is 1.3 to 1.8 times as fast still.
"""

from functools import partial

import numpy as np

from minicnn.kernels.compile import part
from minicnn.kernels.convolution import im2col
from minicnn.kernels.memory import empty, read
from minicnn.kernels.tasks import spans
from minicnn.kernels.threads import get_num_threads

ROWS, COLUMNS = 32, 64
"""Of a tile: its sums take 8 KB in float32, and its totals 16 KB."""
DEPTH = 256
"""Steps of k before the sums of a tile are added to its totals, which costs about as much as four steps."""


@part(fastmath={"contract"})
def _multiply(A, B, top, left, first, last, sums):
    """sums[i, j] = Σ over k  A[top + i, k] · B[k, left + j],  first ≤ k < last"""
    rows, columns = sums.shape
    sums[:] = 0
    for k in range(first, last):
        weights = B[k, left : left + columns]
        for i in range(rows):
            number, row = A[top + i, k], sums[i]
            if columns == COLUMNS:
                for j in range(COLUMNS):  # of a length that the compiler knows: 1.6 times as fast
                    row[j] += number * weights[j]
            else:
                for j in range(columns):
                    row[j] += number * weights[j]


@spans
def _multiply_blocks(begin, end, A, B, y, height):
    """Some blocks of `height` rows of y = A @ B."""
    (M, K), O = A.shape, B.shape[1]
    room, totals = np.empty(height * COLUMNS, y.dtype), np.empty((height, COLUMNS))
    for block in range(begin, end):
        top, rows = block * height, min(height, M - block * height)
        for left in range(0, O, COLUMNS):
            columns = min(COLUMNS, O - left)
            sums = room[: rows * columns].reshape(rows, columns)
            totals[:] = 0
            for first in range(0, K, DEPTH):
                _multiply(A, B, top, left, first, min(first + DEPTH, K), sums)
                for i in range(rows):
                    for j in range(columns):
                        totals[i, j] += sums[i, j]
            for i in range(rows):
                for j in range(columns):
                    y[top + i, left + j] = totals[i, j]


def block_height(rows: int, most: int) -> int:
    """How many rows of a product a task gets: at most `most`, and few enough that each thread has a task."""
    return max(1, min(most, -(-rows // get_num_threads())))


def product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a @ b (M, O), for a (M, K) and b (K, O)."""
    if a.flags.f_contiguous and not a.flags.c_contiguous:  # aᵀ lies in rows: a @ b = (bᵀ @ aᵀ)ᵀ
        return _by_rows(b.T, a.T).T
    return _by_rows(a, b)


def _by_rows(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    a, b = (read(np.ascontiguousarray(matrix)) for matrix in (a, b))
    y = empty((len(a), b.shape[1]), a.dtype)
    height = block_height(len(a), ROWS)
    _multiply_blocks(-(-len(a) // height), a, b, y, height)
    return y


forward = partial(im2col.forward, multiply=product)
grad_input = partial(im2col.grad_input, multiply=product)
grad_weight = partial(im2col.grad_weight, multiply=product)
