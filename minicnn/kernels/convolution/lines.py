"""A product of any number of rows and outputs, tile after tile of the micro-kernel.

Outputs come in blocks of as many vectors as a tile can have: first the widest, then what remains.
"""

import numpy as np

from minicnn.kernels.compile import part
from minicnn.kernels.machine import tiles
from minicnn.kernels.microkernel import micro, micro_transposed

WIDEST = max(tiles())


def _first_tiles(longest: int = 512) -> np.ndarray:
    """For every number of vectors and length of a line, the tile to start with so that the whole line costs least.

    A step of R rows and V vectors takes R·V turns of a multiplier, but never less than four, half the latency of
    multiply-adds on two multipliers, nor less than 3·V, in which its weights come from the second-level cache; to start
    and finish a tile costs about as much as one step more.
    """
    first = np.ones((WIDEST + 1, longest + 1), np.int64)
    for vectors, heights in tiles().items():
        cost = [0.0] * (longest + 1)
        for length in range(1, longest + 1):
            options = [(cost[length - r] + max(r * vectors, 3 * vectors, 4) + 2, -r) for r in heights if r <= length]
            cost[length], negative = min(options)
            first[vectors, length] = -negative
    return first


FIRST_TILE = _first_tiles()


@part(inline="always")
def block_count(O, vector):
    """How many blocks O outputs make."""
    rest = -(-O // vector) % WIDEST
    return -(-O // vector) // WIDEST + rest // 2 + rest % 2


@part(inline="always")
def block_at(index, O, vector):
    """A block: its first output, its vectors, and how many lanes of the last have an output."""
    vectors = -(-O // vector)
    first = min(index, vectors // WIDEST) * WIDEST
    if index > vectors // WIDEST:
        first += 2
    width = WIDEST if vectors - first >= WIDEST else 2 if vectors - first >= 2 else 1
    return first * vector, width, min(O - (first + width - 1) * vector, vector)


@part(inline="always")
def line(
    A, a0, ai, B, b0, bk, seg_a, seg_b, segments, K, start, s0, si, has_start, C, c0, ci, length, vectors, valid
):  # fmt: skip
    """The product for `length` rows, tile after tile."""
    done = 0
    while done < length:
        rows = FIRST_TILE[vectors, min(length - done, FIRST_TILE.shape[1] - 1)]
        micro(
            rows, vectors, A, a0 + done * ai, ai, B, b0, bk, seg_a, seg_b, segments, K,
            start, s0 + done * si, si, has_start, C, c0 + done * ci, ci, valid,
        )  # fmt: skip
        done += rows


@part(inline="always")
def line_transposed(
    A, a0, ak, B, b0, bk, seg_a, seg_b, segments, K, start, s0, si, has_start, C, c0, ci, length, vectors, valid
):  # fmt: skip
    """The same, with rows side by side in A."""
    done = 0
    while done < length:
        rows = FIRST_TILE[vectors, min(length - done, FIRST_TILE.shape[1] - 1)]
        micro_transposed(
            rows, vectors, A, a0 + done, ak, B, b0, bk, seg_a, seg_b, segments, K,
            start, s0 + done * si, si, has_start, C, c0 + done * ci, ci, valid,
        )  # fmt: skip
        done += rows
