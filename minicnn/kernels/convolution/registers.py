"""Convolution by im2col, each tile of sums in the processor's registers.

    y[i, j] = Σ over k  patches[i, k] · weights[k, j]                  as in `tiled`
    for a tile of R rows and V vectors of outputs                      R · V sums, one vector register each
    packed[block][k][lane] = weights[k, first output of the block + lane]

The sums of `packed` lie in the nearest cache: each multiply-add loads its sum and stores it again, and meanwhile the
multipliers wait. A register needs no loading. So a tile is made small enough that the registers hold all of its sums,
from the first step of a block to the last. Numba promises that of no loop; the micro-kernel (`kernels/microkernel.py`)
is the loop in instructions. A tile of 6 rows and 4 vectors loads 6 numbers and 4 vectors in a step, makes 24
multiply-adds of them, and stores nothing before the end. Tile follows tile down a line of rows, and meanwhile a panel
of weights stays in the second-level cache. Of patches a tile reads single numbers, so they are not packed.

The patch matrix is still written. Not to write it is the next idea, `implicit`.

What it brought: 2.5 to 2.7 times the speed of `packed` in the ladder's three layers, on one core of an AMD Zen 5; the
product alone two to five times, since patches take as long as before.
"""

from functools import partial

import numpy as np

from minicnn.kernels.compile import kernel
from minicnn.kernels.convolution import im2col
from minicnn.kernels.convolution.lines import WIDEST, block_at, block_count, line, line_transposed
from minicnn.kernels.convolution.tiled import block_height
from minicnn.kernels.machine import LONGEST_LINE, SECOND_LEVEL, WAKE_PACKING, lanes, vector_bytes
from minicnn.kernels.memory import empty, read, scratch
from minicnn.kernels.tasks import each, share

DEPTH = SECOND_LEVEL // 2 // (WIDEST * vector_bytes())
"""Steps of k after which a tile is stored: the weights of as many, in the widest block, fill half of that cache."""


@each
def _pack_blocks(index, B, packed, vector):
    """packed[block][k][lane] = B[k, o + lane], with zeros where there is no output."""
    K, O = B.shape
    o, vectors, valid = block_at(index, O, vector)
    width = vectors * vector
    present = width - vector + valid
    for k in range(K):
        panel = packed[o * K + k * width :]
        for lane in range(present):
            panel[lane] = B[k, o + lane]
        for lane in range(present, width):
            panel[lane] = 0


@each
def _multiply_lines(task, A, packed, y, height, vector, transposed):
    """A line of rows of y = A @ B, or of y = Aᵀ @ B, for all blocks of outputs."""
    M, O = y.shape
    K = len(A) if transposed else A.shape[1]
    top, one = task * height, np.zeros(1, np.int64)  # the offset of the only segment
    length, a, c = min(height, M - top), A.reshape(-1), y.reshape(-1)
    for first in range(0, K, DEPTH):
        steps = min(DEPTH, K - first)
        for index in range(block_count(O, vector)):
            o, vectors, valid = block_at(index, O, vector)
            bk = vectors * vector
            b0, c0 = o * K + first * bk, top * O + o
            if transposed:
                line_transposed(
                    a, first * M + top, M, packed, b0, bk, one, one, 1, steps,
                    c, c0, O, first > 0, c, c0, O, length, vectors, valid,
                )  # fmt: skip
            else:
                line(
                    a, top * K + first, K, packed, b0, bk, one, one, 1, steps,
                    c, c0, O, first > 0, c, c0, O, length, vectors, valid,
                )  # fmt: skip


@kernel
def _multiply(A, B, packed, y, height, vector, transposed):
    """The blocks of B, then lines of `height` rows."""
    M, O = y.shape
    share(_pack_blocks, block_count(O, vector), (B, packed, vector), B.size >= WAKE_PACKING)
    share(_multiply_lines, -(-M // height), (A, packed, y, height, vector, transposed))


def product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a @ b (M, O), for a (M, K) and b (K, O)."""
    (M, K), O, vector = a.shape, b.shape[1], lanes(a.dtype)
    y = empty((M, O), a.dtype)
    if not K:
        y[...] = 0
    transposed = a.flags.f_contiguous and not a.flags.c_contiguous
    a, b = (read(np.ascontiguousarray(matrix)) for matrix in (a.T if transposed else a, b))
    packed = scratch(-(-O // vector) * vector * K, a.dtype)
    _multiply(a, b, packed, y, block_height(M, LONGEST_LINE), vector, transposed)
    return y


forward = partial(im2col.forward, multiply=product)
grad_input = partial(im2col.grad_input, multiply=product)
grad_weight = partial(im2col.grad_weight, multiply=product)
