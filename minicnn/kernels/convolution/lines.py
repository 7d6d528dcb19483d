"""A product of any number of rows, tile after tile of the micro-kernel."""

import numpy as np

from minicnn.kernels.compile import kernel
from minicnn.kernels.microkernel import micro, micro_transposed, tile_rows

ROWS = tile_rows()


def _first_tiles(longest: int = 512) -> np.ndarray:
    """For every length of a line, the tile to start with so that the whole line costs least.

    A tile of R rows takes R steps' time, but never less than four, the latency of a multiply-add, and one more to
    start and finish.
    """
    cost, first = [0.0] * (longest + 1), np.full(longest + 1, ROWS[0], np.int64)
    for length in range(1, longest + 1):
        options = [(cost[length - r] + max(r, 4) + 1, -r) for r in ROWS if r <= length]
        cost[length], negative = min(options)
        first[length] = -negative
    return first


FIRST_TILE = _first_tiles()


@kernel
def line(
    A, a0, ai, B, b0, bk, seg_a, seg_b, segments, K, start, s0, si, has_start, C, c0, ci, length, vectors, valid
):  # fmt: skip
    """The product for `length` rows, tile after tile."""
    done = 0
    while done < length:
        rows = FIRST_TILE[min(length - done, FIRST_TILE.size - 1)]
        micro(
            rows, vectors, A, a0 + done * ai, ai, B, b0, bk, seg_a, seg_b, segments, K,
            start, s0 + done * si, si, has_start, C, c0 + done * ci, ci, valid,
        )  # fmt: skip
        done += rows


@kernel
def line_transposed(
    A, a0, ak, B, b0, bk, seg_a, seg_b, segments, K, start, s0, si, has_start, C, c0, ci, length, vectors, valid
):  # fmt: skip
    """The same, with rows side by side in A."""
    done = 0
    while done < length:
        rows = FIRST_TILE[min(length - done, FIRST_TILE.size - 1)]
        micro_transposed(
            rows, vectors, A, a0 + done, ak, B, b0, bk, seg_a, seg_b, segments, K,
            start, s0 + done * si, si, has_start, C, c0 + done * ci, ci, valid,
        )  # fmt: skip
        done += rows
