"""The gradient with respect to the weight of depthwise convolution, with the sums of a whole window in registers.

    ∂weight[p, q, c] = Σ over pixels of  x[pixel · s + p · d rows + q · d columns, c] · g[pixel, c]

A pixel of g meets all taps of its window at once: one vector of g is loaded for K · K products. Windows that have more
taps than there are registers go over the image some rows at a time. Rows, channels and edges are as in
`grouped_window`.

Measured on the same machine, one after the other: 1.6 to 2.8 times as fast for 3 × 3 taps on 7 × 7 to 32 × 32 pixels,
1.7 with a stride of 2; 1.2 to 1.6 for 5 × 5 and 7 × 7 taps.
"""

import functools

import numpy as np

from minicnn.kernels.compile import part
from minicnn.kernels.convolution.bordered import complete
from minicnn.kernels.convolution.grouped_taps import add_pixels, put_away
from minicnn.kernels.convolution.grouped_window import RECORD, SIDE_BY_SIDE, planned, together
from minicnn.kernels.geometry import Geometry
from minicnn.kernels.machine import lanes, registers
from minicnn.kernels.memory import read
from minicnn.kernels.microkernel import STEPS
from minicnn.kernels.tasks import tasks
from minicnn.kernels.threads import get_num_threads
from minicnn.kernels.vectors import add_windows, load, load_each, multiply_add, store, store_each, width
from minicnn.kernels.windows import range_inside

SIDES = (3, 5, 7)
"""Taps of a side; a kernel is compiled for each."""

STREAMED = 40
"""From so many columns on, windows of nine taps wait for memory, whoever asks for it: runs of pixels were even, or
faster by up to 1.14."""

COMPLETE = 0.4
"""The share of windows with all taps from which on this pays; 7 × 7 taps on 14 × 14 pixels, 0.33, were slower by 1.1
than between zeros."""


@functools.lru_cache(maxsize=512)
def applies(geometry: Geometry, inner: int, outer: int) -> bool:
    """Whether groups are of one channel and one output, and windows such that this is the fastest."""
    (KH, KW), (_, W) = geometry.kernel, geometry.input_size
    compiled = inner == outer == 1 and KH == KW and KW in SIDES
    return compiled and (KW > 3 or W < STREAMED) and complete(geometry) > COMPLETE


@part(forceinline=True)
def _row(x, at, row, beside, step, g, to, C, first, beyond, edges, sums, place, pixels, moves, rows, columns, taps):
    """Add the products of neighbouring pixels of g, for one vector of channels and some rows of their windows.

    Args:
        x, at, row, beside, step: the image, where the window of pixel 0 begins, how far apart rows and columns of a
            window lie, and windows.
        g, to, C: the gradient with respect to y, pixel 0, and how far apart pixels lie.
        first, beyond: the pixels.
        edges: whether the window of the pixel before these, and that of the one behind, loses a column to the padding.
        sums, place: where the sums of the taps stand.
        pixels, moves: see `together`.
        rows, columns, taps: as many zeros as windows have rows here, as they have columns, and as their product.
    """
    totals = load_each(sums, place, taps)
    j = first - 1
    if edges[0]:
        totals = add_windows(
            totals, x, at + j * step, row, beside, g, to + j * C, C, (0,), (0,), rows, columns, (0,), ()
        )  # fmt: skip
    j += 1
    while j + len(pixels) <= beyond:
        totals = add_windows(
            totals, x, at + j * step, row, beside, g, to + j * C, C, pixels, moves, rows, columns, (), ()
        )
        j += len(pixels)
    while j < beyond:
        totals = add_windows(totals, x, at + j * step, row, beside, g, to + j * C, C, (0,), (0,), rows, columns, (), ())
        j += 1
    if edges[1]:
        totals = add_windows(
            totals, x, at + j * step, row, beside, g, to + j * C, C, (0,), (0,), rows, columns, (), (0,)
        )  # fmt: skip
    store_each(totals, sums, place)


@part(forceinline=True)
def _pixel(x, at, row, beside, g, to, j, sums, place, p0, p1, plan, columns):
    """Add the products of pixel j of a row of g with the taps in rows p0 … p1 − 1 of its window that lie inside."""
    L, v = width(x), load(g, to + j * plan.C)
    q0, q1 = range_inside(plan.left + j * plan.sw, len(columns), plan.dw, plan.W)
    first = at + j * plan.sw * plan.C
    for p in range(p0, p1):
        for q in range(q0, q1):
            here = place + (p * len(columns) + q) * L
            store(multiply_add(load(x, first + p * row + q * beside), v, load(sums, here)), sums, here)


@tasks
def _multiply(
    task, x, g, numbers, workspace, totals, bias, vector, pixels, moves, rows, taps, fewer_rows, fewer_taps, columns
):
    _images(
        task, x, g, numbers, workspace, totals, bias, vector, pixels, moves, rows, taps, fewer_rows, fewer_taps, columns
    )


@part
def _images(
    task, x, g, numbers, workspace, totals, bias, vector, pixels, moves, rows, taps, fewer_rows, fewer_taps, columns
):
    """totals[chunk of images][block of channels][tap][lane]; a task is a part of the blocks of a chunk.

    Args:
        x, g: flat.
        numbers: a `Plan`.
        workspace: [task][SIDE_BY_SIDE · taps · L]; an array made here would be counted by threads at every row.
        bias: whether the last row of totals is for the gradient with respect to bias, the sum of g.
        pixels, moves, rows, taps, columns: see `_row`; fewer_rows, fewer_taps: the same for a row less.
    """
    plan = numbers.view(RECORD)[0]
    H, W, C, OH, OW, K = plan.H, plan.W, plan.C, plan.OH, plan.OW, len(columns)
    row, beside, step = plan.dh * W * C, plan.dw * C, plan.sw * C
    chunk, part = task // plan.parts, task % plan.parts
    blocks, count = totals.shape[1:3]
    begin, end = blocks * part // plan.parts, blocks * (part + 1) // plan.parts
    size = count * vector
    sums = workspace[task]
    sums[:] = 0
    total = totals[chunk].reshape(-1)
    total[begin * size : end * size] = 0
    across = max(min(OW, STEPS), 1)
    down = max(STEPS // across, 1)
    for n in range(plan.N * chunk // plan.chunks, plan.N * (chunk + 1) // plan.chunks):
        for tile in range(begin, end, plan.tile):
            last = min(tile + plan.tile, end)
            for i0 in range(0, OH, down):
                for j0 in range(0, OW, across):
                    j1 = min(j0 + across, OW)
                    first = min(max(j0, plan.first), j1)  # columns whose windows lose no taps
                    beyond = max(min(j1, plan.last), first)
                    edges = plan.before == 1 and j0 < first == plan.first, plan.after == 1 and j1 > beyond == plan.last
                    for i in range(i0, min(i0 + down, OH)):
                        top = plan.top + i * plan.sh
                        p0, p1 = range_inside(top, K, plan.dh, H)
                        for block in range(tile, last):
                            o, here = min(block * vector, C - vector), (block - tile) * size
                            at = ((n * H + top) * W + plan.left) * C + o
                            to = (n * OH + i) * OW * C + o
                            p = p0
                            while p + len(rows) <= p1:
                                _row(
                                    x, at + p * row, row, beside, step, g, to, C, first, beyond, edges, sums,
                                    here + p * K * vector, pixels, moves, rows, columns, taps,
                                )  # fmt: skip
                                p += len(rows)
                            while p + len(fewer_rows) <= p1:
                                _row(
                                    x, at + p * row, row, beside, step, g, to, C, first, beyond, edges, sums,
                                    here + p * K * vector, pixels, moves, fewer_rows, columns, fewer_taps,
                                )  # fmt: skip
                                p += len(fewer_rows)
                            for j in range(j0, first - edges[0] if p == p1 else j1):
                                done = p if first - edges[0] <= j < beyond + edges[1] else p0
                                _pixel(x, at, row, beside, g, to, j, sums, here, done, p1, plan, columns)
                            for j in range(beyond + edges[1] if p == p1 else j1, j1):
                                _pixel(x, at, row, beside, g, to, j, sums, here, p0, p1, plan, columns)
                            if bias:
                                add_pixels(g, to + j0 * C, 0, C, 1, j1 - j0, sums, here + size - vector)
                    put_away(sums[: (last - tile) * size], total[tile * size : last * size])


def sums(x: np.ndarray, grad_output: np.ndarray, geometry: Geometry, bias: bool) -> np.ndarray:
    """The sums of chunks of images, [chunk][block of channels][tap][lane], and one row more if `bias`: those of g."""
    (N, _, _, C), K, vector, threads = x.shape, geometry.kernel[0], lanes(x.dtype), get_num_threads()
    plan, numbers = planned(N, C, geometry, vector, min(N, 2 * threads), threads)
    pixels, moves = together(geometry, 4 if K == 3 else 2)
    rows = max(1, min(K, (registers() - len(pixels) - 2) // K))
    fewer = max(1, rows - 1)
    totals = np.empty((plan.chunks, -(-C // vector), K * K + bias, vector))
    workspace = np.empty((plan.chunks * plan.parts, SIDE_BY_SIDE * totals.shape[2] * vector), x.dtype)
    _multiply(
        plan.chunks * plan.parts, read(x.reshape(-1)), read(grad_output.reshape(-1)), numbers, workspace, totals, bias,
        vector, pixels, moves, (0,) * rows, (0,) * (rows * K), (0,) * fewer, (0,) * (fewer * K), (0,) * K,
    )  # fmt: skip
    return totals
