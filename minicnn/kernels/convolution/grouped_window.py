"""Depthwise convolution with small square windows: the weights of a window in registers, or the sums of its gradient.

    y[i, j, c] = bias[c] + Σ over p, q of  x[i · s − P + p · d, j · s − P + q · d, c] · weight[p, q, c]

Along a row of pixels a vector of channels needs the same K · K weights again and again, so they are loaded once a row,
and a vector of x once for all the neighbouring windows that see it. The padding is not read: rows of a window that lie
outside are left out, as are the columns of the first and the last windows of a row.

Rows are worked on for a few vectors of channels by turns, so that memory is read in long pieces, and what windows above
each other share is found in the nearest cache. The gradient with respect to the weight is in `grouped_window_weight`.

Measured by turns with runs of pixels that lose the same taps (2 cores of an AMD Zen 5, 3 × 3 taps, images of 14 × 14 to
112 × 112 pixels): 1.2 to 1.6 times as fast forward, 1.0 to 1.4 with a stride of 2; 7 × 7 pixels, not by turns, 1.1.
"""

import functools
from typing import NamedTuple

import numpy as np

from minicnn.kernels.compile import part
from minicnn.kernels.convolution.planes import divided
from minicnn.kernels.geometry import Geometry
from minicnn.kernels.machine import lanes
from minicnn.kernels.memory import empty, read
from minicnn.kernels.plans import record
from minicnn.kernels.tasks import tasks
from minicnn.kernels.threads import get_num_threads
from minicnn.kernels.vectors import copies, load, load_apart, multiply_add, store, store_apart, sum_windows, zero
from minicnn.kernels.windows import range_inside

SIDE = 3
"""Taps of a side, whose weights and sums there are registers for everywhere; windows of 20 taps and more are summed in
frames."""

SIDE_BY_SIDE = 8
"""Vectors of channels that take turns at a row of a narrow image."""

WIDE = 28
"""From so many columns on, one vector of channels goes over the whole image: its pixels are read in one stride, which
the processor foresees, where turns read them in short pieces. Of 28 columns both were even."""


class Plan(NamedTuple):
    """Sizes, all along rows and columns alike.

    Attributes:
        N, H, W, C: of the image.
        OH, OW: of the gradient with respect to y.
        top, left: the pixel of x that the first window begins at; s*, d*: stride and dilation.
        first, last: the columns of windows that lose no taps to the padding; before, after: how many columns those
            beside them lose.
        chunks, parts: into how many parts images and channels are divided; tile: how many vectors of channels take
            turns at a row.
    """

    N: int
    H: int
    W: int
    C: int
    OH: int
    OW: int
    top: int
    left: int
    sh: int
    sw: int
    dh: int
    dw: int
    first: int
    last: int
    before: int
    after: int
    chunks: int
    parts: int
    tile: int


RECORD = record(Plan)


@functools.lru_cache(maxsize=512)
def planned(N: int, C: int, geometry: Geometry, vector: int, chunks: int, threads: int) -> tuple[Plan, np.ndarray]:
    """A plan for N images in so many chunks, and its numbers as a kernel takes them."""
    h, w, K = geometry.height, geometry.width, geometry.kernel[1]
    inside = w.taps_inside()[1]
    whole = np.flatnonzero(inside == K)
    first, last = (whole[0], whole[-1] + 1) if len(whole) else (w.output, w.output)
    before, after = [K - inside[j] if len(whole) and 0 <= j < w.output else 0 for j in (first - 1, last)]
    plan = Plan(
        N, h.size, w.size, C, h.output, w.output, -h.before, -w.before, h.stride, w.stride, h.dilation, w.dilation,
        first, last, before, after, chunks, divided(chunks, -(-C // vector)), SIDE_BY_SIDE if w.size < WIDE else 1,
    )  # fmt: skip
    return plan, np.array(plan, np.int64)


def together(geometry: Geometry, most: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """How many neighbouring pixels are taken at once and by how many taps their windows move: as many zeros."""
    stride, dilation = geometry.width.stride, geometry.width.dilation
    if stride % dilation or stride > 2 * dilation:  # they have no pixel in common
        return (0,), (0,)
    return (0,) * most, (0,) * (stride // dilation)


def applies(geometry: Geometry, groups: int, channels: int, outputs: int) -> bool:
    """Whether it is a depthwise convolution with 3 × 3 taps."""
    return groups == channels == outputs and geometry.kernel == (SIDE, SIDE)


@part(forceinline=True)
def _row(
    x, at, row, beside, step, weight, w, y, to, C, first, beyond, edges, start, pixels, moves, rows, columns, taps
):
    """Neighbouring pixels of one vector of channels, with some rows of their windows.

    Args:
        x, at, row, beside, step: the image, where the window of pixel 0 begins, how far apart rows and columns of a
            window lie, and windows.
        weight, w: [tap][channel], and where the weights of the first tap stand.
        y, to, C: the target, pixel 0, and how far apart pixels and taps lie.
        first, beyond: the pixels whose windows have all columns.
        edges: whether that of the pixel before these, and that of the one behind, loses one column to the padding.
        start: what sums begin with.
        pixels, moves: see `together`.
        rows, columns, taps: as many zeros as windows have rows here, as they have columns, and as their product.
    """
    weights = load_apart(weight, w, C, taps)
    one, several = copies(start, (0,)), copies(start, pixels)
    j = first - 1
    if edges[0]:
        sums = sum_windows(one, x, at + j * step, row, beside, weights, (0,), (0,), rows, columns, (0,), ())
        store_apart(sums, y, to + j * C, C)
    j += 1
    while j + len(pixels) <= beyond:
        some = sum_windows(several, x, at + j * step, row, beside, weights, pixels, moves, rows, columns, (), ())
        store_apart(some, y, to + j * C, C)
        j += len(pixels)
    while j < beyond:
        sums = sum_windows(one, x, at + j * step, row, beside, weights, (0,), (0,), rows, columns, (), ())
        store_apart(sums, y, to + j * C, C)
        j += 1
    if edges[1]:
        sums = sum_windows(one, x, at + j * step, row, beside, weights, (0,), (0,), rows, columns, (), (0,))
        store_apart(sums, y, to + j * C, C)


@part(forceinline=True)
def _pixel(x, at, row, beside, weight, w, y, to, j, start, p0, p1, plan, columns):
    """Pixel j of a row, whose windows have rows p0 … p1 − 1 inside the image."""
    total, C = start, plan.C
    q0, q1 = range_inside(plan.left + j * plan.sw, len(columns), plan.dw, plan.W)
    first = at + j * plan.sw * C
    for p in range(p0, p1):
        for q in range(q0, q1):
            tap = load(weight, w + (p * len(columns) + q) * C)
            total = multiply_add(load(x, first + p * row + q * beside), tap, total)
    store(total, y, to + j * C)


@tasks
def _correlate(task, x, numbers, weight, bias, y, vector, pixels, moves, rows, taps, fewer_rows, fewer_taps, columns):
    """All pixels of a part of the channels of an image; without bias it has no elements.

    pixels, moves, rows, taps, columns: see `_row`; fewer_rows, fewer_taps: the same for windows with a row less.
    """
    plan = numbers.view(RECORD)[0]
    n, part, blocks = task // plan.parts, task % plan.parts, -(-plan.C // vector)
    begin, end = blocks * part // plan.parts, blocks * (part + 1) // plan.parts
    for tile in range(begin, end, plan.tile):
        for i in range(plan.OH):
            for block in range(tile, min(tile + plan.tile, end)):
                _line(
                    n, i, min(block * vector, plan.C - vector), x, plan, weight, bias, y, pixels, moves, rows, taps,
                    fewer_rows, fewer_taps, columns,
                )  # fmt: skip


@part
def _line(n, i, o, x, plan, weight, bias, y, pixels, moves, rows, taps, fewer_rows, fewer_taps, columns):
    """Row i of image n, channels o … o + L − 1."""
    H, W, C, OW, K = plan.H, plan.W, plan.C, plan.OW, len(columns)
    row, beside, step = plan.dh * W * C, plan.dw * C, plan.sw * C
    start = load(bias, o) if bias.size else zero(x)
    top = plan.top + i * plan.sh
    p0, p1 = range_inside(top, K, plan.dh, H)
    at, to = ((n * H + top) * W + plan.left) * C + o, (n * plan.OH + i) * OW * C + o
    first, beyond, edges = plan.first, plan.last, (plan.before == 1, plan.after == 1)
    if p1 - p0 == len(rows):
        _row(
            x, at, row, beside, step, weight, o, y, to, C, first, beyond, edges, start, pixels, moves, rows, columns,
            taps,
        )  # fmt: skip
    elif p1 - p0 == len(fewer_rows):
        _row(
            x, at + p0 * row, row, beside, step, weight, p0 * K * C + o, y, to, C, first, beyond, edges, start, pixels,
            moves, fewer_rows, columns, fewer_taps,
        )  # fmt: skip
    else:
        beyond, edges = first, (False, False)
    for j in range(first - edges[0]):
        _pixel(x, at, row, beside, weight, o, y, to, j, start, p0, p1, plan, columns)
    for j in range(beyond + edges[1], OW):
        _pixel(x, at, row, beside, weight, o, y, to, j, start, p0, p1, plan, columns)


def forward(x: np.ndarray, by_tap: np.ndarray, bias: np.ndarray | None, geometry: Geometry) -> np.ndarray:
    """y (N, OH, OW, C) from x (N, H, W, C), weights (3, 3, C) and bias (C,)."""
    (N, _, _, C), vector = x.shape, lanes(x.dtype)
    y = empty((N, *geometry.output_size, C), x.dtype)
    plan, numbers = planned(N, C, geometry, vector, N, get_num_threads())
    start = np.empty(0, x.dtype) if bias is None else np.ascontiguousarray(bias)
    pixels, moves = together(geometry, 4)
    _correlate(
        N * plan.parts, read(x.reshape(-1)), numbers, read(by_tap.reshape(-1)), start, y.reshape(-1), vector,
        pixels, moves, (0,) * 3, (0,) * 9, (0,) * 2, (0,) * 6, (0,) * 3,
    )  # fmt: skip
    return y
