"""Chapter 12: why it is slow: a matrix product in tiles."""

import numpy as np


def reuse(rows, columns):
    """How often each number that a tile loads is used.

    Args:
        rows, columns: of the tile of the result that stays in registers.

    Returns: the multiplications of one step of the sum, divided by the numbers that it loads: `rows` of a, `columns`
        of b.
    """
    return rows * columns / (rows + columns)


def tiles(size, step):
    """An axis cut into tiles.

    Args:
        size: of the axis.
        step: of a tile; the last one may be shorter.

    Returns: a list of (begin, end) that covers the axis.
    """
    return [(begin, min(begin + step, size)) for begin in range(0, size, step)]


def matmul(a, b, rows=4, columns=8, depth=16):
    """a @ b, tile by tile.

    Args:
        a: (M, K).
        b: (K, N).
        rows, columns: of a tile of the result.
        depth: how many of the K products are added up at a time.

    Returns: (M, N).
    """
    M, K = a.shape
    N = b.shape[1]
    y = np.zeros((M, N), a.dtype)
    for top, bottom in tiles(M, rows):
        for left, right in tiles(N, columns):
            for first, last in tiles(K, depth):
                panel = np.ascontiguousarray(b[first:last, left:right])  # packed: what is read together lies together
                y[top:bottom, left:right] += a[top:bottom, first:last] @ panel
    return y
