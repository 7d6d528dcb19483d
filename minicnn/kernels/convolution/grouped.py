"""Convolution of many groups of few channels, depthwise convolution among them.

    y[n, i, j, o] = bias[o] + Σ over p, q, k of  x[n, i·s − P + p·d, j·s − P + q·d, c(o) + k] · weight[o, k, p, q]

where c(o) is the first channel of o's group. Every output reads other channels, so neither operand is shared by
neighbouring outputs, as a matrix product has it. Lanes are neighbouring outputs all the same: where groups have one
channel and one output (depthwise), x lies as the lanes need it; elsewhere `_widen` lays it so, for each k a plane in
which channel c(o) + k stands at place o. After that k is but another kind of tap:

    y[pixel, o] = bias[o] + Σ over taps of  plane[pixel + offset of the tap, o] · weight[tap, o]

Eight output pixels are summed at a time, each in a register: a vector of weights is loaded once for all of them, and
eight multiply-adds are under way at once, as many as two units of latency four can have.

Pixels come in runs whose windows lose the same taps to the padding: in an image with padding 1 the inner pixels are
one run, each corner and each side another. A run has a list of taps; `Sweep` holds runs and lists, once a geometry.

The gradient with respect to x is the same sum over planes of the gradient with respect to y; with a stride the
pixels of each remainder make runs of their own. The gradient with respect to weight keeps nine taps in registers
while it walks a run:

    ∂weight[tap, o] = Σ over pixels of  plane[pixel + offset of the tap, o] · g[pixel, o]
"""

import functools
import math
from dataclasses import dataclass

import numpy as np
from numba import prange

from minicnn.kernels.compile import kernel
from minicnn.kernels.geometry import Axis, Geometry
from minicnn.kernels.memory import empty
from minicnn.kernels.microkernel import STEPS, lanes
from minicnn.kernels.threads import get_num_threads
from minicnn.kernels.vectors import add, load, multiply_add, repeat, store, width, zero

WIDEST = 2
"""Groups of more channels or outputs are better multiplied one by one: to lay their planes takes longer than it saves.
On 14 × 14 images of 128 channels, forward and backward, 64 groups were even, 32 groups slower by 1.1."""

TAPS = 9
"""Taps of a weight's gradient summed at a time; a window of 3 × 3."""


def applies(geometry: Geometry, channels: int, outputs: int, groups: int, dtype: np.dtype) -> bool:
    """Whether groups are too small to fill vectors, all of them together do, and sums are short."""
    width, most = lanes(dtype), max(channels, outputs) // groups
    return groups > 1 and most < width <= min(channels, outputs) and most * math.prod(geometry.kernel) <= STEPS


def pays(channels: int, outputs: int, groups: int) -> bool:
    """Whether it is faster than the matrix product of each group."""
    return max(channels, outputs) // groups <= WIDEST


def require(geometry: Geometry, channels: int, outputs: int, groups: int, dtype: np.dtype) -> None:
    """Raise ValueError where the algorithm can't compute a convolution."""
    if not applies(geometry, channels, outputs, groups, dtype):
        raise ValueError(
            f"algorithm='grouped' needs several groups, each of fewer than {lanes(dtype)} channels and outputs, "
            f"at least {lanes(dtype)} of each in all, and at most {STEPS} products a sum; got {channels} channels, "
            f"{outputs} outputs, {groups} groups and kernel {geometry.kernel}"
        )


@dataclass(frozen=True, eq=False)
class Sweep:
    """The runs of target pixels, and the taps that reach each of them.

    Attributes:
        runs: for each run its first row and column, how many rows and columns, the steps between them in the target,
            and the first and the last of its taps.
        taps: for each tap of each run the row and column of its source pixel for the run's first pixel, and which
            tap of the window it is.
        step: by how many source pixels the window moves from one target pixel of a run to the next, down and right.
    """

    runs: np.ndarray
    taps: np.ndarray
    step: tuple[int, int]


@functools.lru_cache(maxsize=1024)
def _tables(sweep: Sweep, planes: int, row: int, pixel: int, plane: int, outputs: int) -> tuple[np.ndarray, np.ndarray]:
    """Runs, and for every tap in every plane its offset in the source, that of its weight, and its number.

    Args:
        sweep: over the target.
        planes: how many.
        row, pixel, plane: how far apart rows, pixels and planes lie in the source.
        outputs: how far apart taps lie among the weights.
    """
    rows, columns, places = sweep.taps.T
    k = np.arange(planes)
    offsets = (rows * row + columns * pixel)[:, None] + k * plane
    weights = (places[:, None] * planes + k) * outputs
    runs = sweep.runs.copy()
    runs[:, 6:] *= planes
    return runs, np.stack([offsets.ravel(), weights.ravel(), weights.ravel() // outputs], 1)


def _reached(axis: Axis) -> list[list[tuple[int, int]]]:
    """For every output position the taps inside the image, and where each lies."""
    return [
        [(tap, at) for tap in range(axis.kernel) if 0 <= (at := axis.origin(i) + tap * axis.dilation) < axis.size]
        for i in range(axis.output)
    ]


def _reaching(axis: Axis) -> list[list[tuple[int, int]]]:
    """For every position of the image the taps with which an output position sees it, and which position."""
    found: list[list[tuple[int, int]]] = [[] for _ in range(axis.size)]
    for i, taps in enumerate(_reached(axis)):
        for tap, at in taps:
            found[at].append((tap, i))
    return [sorted(taps) for taps in found]


def _runs(positions: list[list[tuple[int, int]]], stride: int, step: int) -> list[tuple[int, int, list]]:
    """Positions `stride` apart in runs, in which taps move by `step`: the first, how many, and the first one's taps."""
    runs = []
    for start in range(min(stride, len(positions))):
        first, count = start, 0
        for i in range(start, len(positions) + stride, stride):
            moved = [(tap, at + count * step) for tap, at in positions[first]]
            if i < len(positions) and positions[i] == moved:
                count += 1
                continue
            runs.append((first, count, positions[first]))
            first, count = i, 1
    return runs


def _sweep(rows: list, columns: list, strides: tuple[int, int], step: tuple[int, int], width: int) -> Sweep:
    runs: list[tuple[int, ...]] = []
    taps: list[tuple[int, int, int]] = []
    for i, count, row_taps in _runs(rows, strides[0], step[0]):
        for j, length, column_taps in _runs(columns, strides[1], step[1]):
            before = len(taps)
            taps += [(row, column, p * width + q) for p, row in row_taps for q, column in column_taps]
            runs.append((i, j, count, length, *strides, before, len(taps)))
    table = np.array(taps, np.int64).reshape(-1, 3)
    return Sweep(np.array(runs, np.int64).reshape(-1, 8), table, step)


@functools.lru_cache(maxsize=512)
def _forwards(geometry: Geometry) -> Sweep:
    """Over the output."""
    h, w = geometry.height, geometry.width
    return _sweep(_reached(h), _reached(w), (1, 1), (h.stride, w.stride), w.kernel)


@functools.lru_cache(maxsize=512)
def _backwards(geometry: Geometry) -> Sweep:
    """Over the image."""
    h, w = geometry.height, geometry.width
    return _sweep(_reaching(h), _reaching(w), (h.stride, w.stride), (1, 1), w.kernel)


@kernel(inline="always")
def _eight(x, at, step, taps, first, last, c, weight, start, y, to, apart):
    """Eight neighbouring pixels of a run, one vector of outputs; `start` is what sums begin with."""
    a0 = a1 = a2 = a3 = a4 = a5 = a6 = a7 = start
    for t in range(first, last):
        w = load(weight, taps[t, 1] + c)
        i = at + taps[t, 0]
        a0 = multiply_add(load(x, i), w, a0)
        a1 = multiply_add(load(x, i + step), w, a1)
        a2 = multiply_add(load(x, i + 2 * step), w, a2)
        a3 = multiply_add(load(x, i + 3 * step), w, a3)
        a4 = multiply_add(load(x, i + 4 * step), w, a4)
        a5 = multiply_add(load(x, i + 5 * step), w, a5)
        a6 = multiply_add(load(x, i + 6 * step), w, a6)
        a7 = multiply_add(load(x, i + 7 * step), w, a7)
    store(a0, y, to)
    store(a1, y, to + apart)
    store(a2, y, to + 2 * apart)
    store(a3, y, to + 3 * apart)
    store(a4, y, to + 4 * apart)
    store(a5, y, to + 5 * apart)
    store(a6, y, to + 6 * apart)
    store(a7, y, to + 7 * apart)


@kernel(inline="always")
def _four(x, at, step, taps, first, last, c, weight, start, y, to, apart):
    """As `_eight`, for four pixels."""
    a0 = a1 = a2 = a3 = start
    for t in range(first, last):
        w = load(weight, taps[t, 1] + c)
        i = at + taps[t, 0]
        a0 = multiply_add(load(x, i), w, a0)
        a1 = multiply_add(load(x, i + step), w, a1)
        a2 = multiply_add(load(x, i + 2 * step), w, a2)
        a3 = multiply_add(load(x, i + 3 * step), w, a3)
    store(a0, y, to)
    store(a1, y, to + apart)
    store(a2, y, to + 2 * apart)
    store(a3, y, to + 3 * apart)


@kernel(inline="always")
def _one(x, at, taps, first, last, c, weight, start, y, to):
    """One pixel, in four sums."""
    a0, a1, a2, a3 = start, zero(x), zero(x), zero(x)
    t = first
    while t + 4 <= last:
        a0 = multiply_add(load(x, at + taps[t, 0]), load(weight, taps[t, 1] + c), a0)
        a1 = multiply_add(load(x, at + taps[t + 1, 0]), load(weight, taps[t + 1, 1] + c), a1)
        a2 = multiply_add(load(x, at + taps[t + 2, 0]), load(weight, taps[t + 2, 1] + c), a2)
        a3 = multiply_add(load(x, at + taps[t + 3, 0]), load(weight, taps[t + 3, 1] + c), a3)
        t += 4
    while t < last:
        a0 = multiply_add(load(x, at + taps[t, 0]), load(weight, taps[t, 1] + c), a0)
        t += 1
    store(add(add(a0, a1), add(a2, a3)), y, to)


@kernel
def _widen(x, first, pixels, C, o, inner, outer, planes, vector):
    """planes[pixel, k, lane] = x[pixel, c(o + lane) + k], where groups have `inner` channels in x and `outer` lanes.

    A number is stored in all lanes from its first one on; the next number overwrites what is too much.
    """
    for pixel in range(pixels):
        source, target = first + pixel * C, pixel * inner * vector
        for k in range(inner):
            lane = 0
            while lane < vector:
                group = (o + lane) // outer
                store(repeat(x, source + group * inner + k), planes, target + k * vector + lane)
                lane = (group + 1) * outer - o


@kernel
def _sweep_image(x, x0, row, pixel, base, weight, bias, y, y0, width, O, runs, taps, down, right, begin, end, vector):
    """The outputs of blocks begin … end − 1 of one image.

    Args:
        x, x0, row, pixel: the source, its first element, how far apart rows and pixels lie.
        base: the output whose lane is the first of a pixel in the source.
        weight, bias: [tap][output] and [output]; no bias stands for zeros.
        y, y0, width, O: the target, its first element, its columns and channels.
        runs, taps, down, right: what `Sweep` gives.
        begin, end, vector: blocks of outputs, each a vector; the last one overlaps the one before.
    """
    for run in range(len(runs)):
        i0, j0, lines, count, below, beside, first, last = runs[run]
        next_line, step, line, apart = down * row, right * pixel, below * width * O, beside * O
        if count < min(lines, 8):  # a side of the image: pixels below each other
            lines, count, next_line, step, line, apart = count, lines, step, next_line, apart, line
        for i in range(lines):
            for block in range(begin, end):
                o = min(block * vector, O - vector)
                start = load(bias, o) if bias.size else zero(x)
                at, to = x0 + i * next_line + o - base, y0 + (i0 * width + j0) * O + i * line + o
                j = 0
                while j < count:  # the last ones may overlap those before them
                    left = count - j
                    if count >= 8 and left > 4:
                        j = min(j, count - 8)
                        _eight(x, at + j * step, step, taps, first, last, o, weight, start, y, to + j * apart, apart)
                        j += 8
                    elif count >= 4 and left > 1:
                        j = min(j, count - 4)
                        _four(x, at + j * step, step, taps, first, last, o, weight, start, y, to + j * apart, apart)
                        j += 4
                    else:
                        _one(x, at + j * step, taps, first, last, o, weight, start, y, to + j * apart)
                        j += 1


@kernel(parallel=True)
def _correlate(
    x, size, C, row, weight, bias, y, target, width, O, runs, taps, down, right, inner, outer, N, parts, vector
):
    """All images; each task is a part of the outputs of one of them.

    Args:
        x, size, C, row: the source, the elements of an image, its channels, how far apart rows lie where it is read.
        y, target, width, O: the target, the elements of an image, its columns and channels.
        inner, outer: channels and outputs of a group.
        N, parts: images, and into how many tasks each is divided.
    """
    blocks = -(-O // vector)
    for number in prange(N * parts):
        task = np.int64(number)
        n, part = task // parts, task % parts
        begin, end = blocks * part // parts, blocks * (part + 1) // parts
        if inner == 1 and outer == 1:
            _sweep_image(
                x, n * size, row, C, 0, weight, bias, y, n * target, width, O, runs, taps, down, right, begin, end,
                vector,
            )  # fmt: skip
        else:
            planes = np.empty((size // C * inner + 1) * vector, x.dtype)
            for block in range(begin, end):
                o = min(block * vector, O - vector)
                _widen(x, n * size, size // C, C, o, inner, outer, planes, vector)
                _sweep_image(
                    planes, 0, row, inner * vector, o, weight, bias, y, n * target, width, O, runs, taps, down, right,
                    block, block + 1, vector,
                )  # fmt: skip


@kernel(forceinline=True)
def _nine(x, at, down, right, g, to, below, beside, rows, columns, taps, t, sums):
    """Nine taps of a gradient with respect to weight: `rows` × `columns` pixels add to sums[tap][lane]."""
    L = width(x)
    s0, s1, s2 = taps[t, 2] * L, taps[t + 1, 2] * L, taps[t + 2, 2] * L
    s3, s4, s5 = taps[t + 3, 2] * L, taps[t + 4, 2] * L, taps[t + 5, 2] * L
    s6, s7, s8 = taps[t + 6, 2] * L, taps[t + 7, 2] * L, taps[t + 8, 2] * L
    a0, a1, a2, a3, a4 = load(sums, s0), load(sums, s1), load(sums, s2), load(sums, s3), load(sums, s4)
    a5, a6, a7, a8 = load(sums, s5), load(sums, s6), load(sums, s7), load(sums, s8)
    t0, t1, t2, t3, t4 = taps[t, 0], taps[t + 1, 0], taps[t + 2, 0], taps[t + 3, 0], taps[t + 4, 0]
    t5, t6, t7, t8 = taps[t + 5, 0], taps[t + 6, 0], taps[t + 7, 0], taps[t + 8, 0]
    for i in range(rows):
        for j in range(columns):
            v = load(g, to + i * below + j * beside)
            p = at + i * down + j * right
            a0 = multiply_add(load(x, p + t0), v, a0)
            a1 = multiply_add(load(x, p + t1), v, a1)
            a2 = multiply_add(load(x, p + t2), v, a2)
            a3 = multiply_add(load(x, p + t3), v, a3)
            a4 = multiply_add(load(x, p + t4), v, a4)
            a5 = multiply_add(load(x, p + t5), v, a5)
            a6 = multiply_add(load(x, p + t6), v, a6)
            a7 = multiply_add(load(x, p + t7), v, a7)
            a8 = multiply_add(load(x, p + t8), v, a8)
    store(a0, sums, s0)
    store(a1, sums, s1)
    store(a2, sums, s2)
    store(a3, sums, s3)
    store(a4, sums, s4)
    store(a5, sums, s5)
    store(a6, sums, s6)
    store(a7, sums, s7)
    store(a8, sums, s8)


@kernel(forceinline=True)
def _three(x, at, down, right, g, to, below, beside, rows, columns, taps, t, sums):
    """As `_nine`, for three taps, those of even and of odd columns apart."""
    L = width(x)
    s0, s1, s2 = taps[t, 2] * L, taps[t + 1, 2] * L, taps[t + 2, 2] * L
    a0, a1, a2 = load(sums, s0), load(sums, s1), load(sums, s2)
    b0 = b1 = b2 = zero(x)
    t0, t1, t2 = taps[t, 0], taps[t + 1, 0], taps[t + 2, 0]
    for i in range(rows):
        for j in range(0, columns - 1, 2):
            v, u = load(g, to + i * below + j * beside), load(g, to + i * below + (j + 1) * beside)
            p = at + i * down + j * right
            a0 = multiply_add(load(x, p + t0), v, a0)
            a1 = multiply_add(load(x, p + t1), v, a1)
            a2 = multiply_add(load(x, p + t2), v, a2)
            b0 = multiply_add(load(x, p + right + t0), u, b0)
            b1 = multiply_add(load(x, p + right + t1), u, b1)
            b2 = multiply_add(load(x, p + right + t2), u, b2)
        if columns % 2:
            v = load(g, to + i * below + (columns - 1) * beside)
            p = at + i * down + (columns - 1) * right
            a0 = multiply_add(load(x, p + t0), v, a0)
            a1 = multiply_add(load(x, p + t1), v, a1)
            a2 = multiply_add(load(x, p + t2), v, a2)
    store(add(a0, b0), sums, s0)
    store(add(a1, b1), sums, s1)
    store(add(a2, b2), sums, s2)


@kernel(forceinline=True)
def _single(x, at, down, right, g, to, below, beside, rows, columns, taps, t, sums):
    """As `_nine`, for one tap."""
    place = taps[t, 2] * width(x)
    a = load(sums, place)
    for i in range(rows):
        for j in range(columns):
            a = multiply_add(load(x, at + i * down + j * right + taps[t, 0]), load(g, to + i * below + j * beside), a)
    store(a, sums, place)


@kernel
def _put_away(sums, total):
    """total[tap][lane] += sums[tap][lane], which begin anew."""
    taps, L = total.shape
    for tap in range(taps):
        for lane in range(L):
            total[tap, lane] += sums[tap * L + lane]
            sums[tap * L + lane] = 0


@kernel
def _collect(x, x0, row, pixel, base, g, g0, width, O, runs, taps, down, right, begin, end, total, sums, vector):
    """One image's part of the gradient with respect to weight, added to total[block][tap][lane], float64.

    The arguments are those of `_sweep_image`, with g in place of y. `sums`, zeros before and after, are a block's in
    the dtype of x: at most STEPS products and as many again before they are put away.
    """
    for block in range(begin, end):
        o = min(block * vector, O - vector)
        products = 0
        for run in range(len(runs)):
            i0, j0, rows, columns, below, beside, first, last = runs[run]
            part = min(columns, STEPS)
            height = max(1, STEPS // part)
            for i in range(0, rows, height):
                for j in range(0, columns, part):
                    at = x0 + i * down * row + j * right * pixel + o - base
                    to = g0 + ((i0 + i * below) * width + j0 + j * beside) * O + o
                    steps = (down * row, right * pixel, g, to, below * width * O, beside * O)
                    size = (min(height, rows - i), min(part, columns - j))
                    t = first
                    while t < last:
                        if last - t >= TAPS:
                            _nine(x, at, *steps, *size, taps, t, sums)
                            t += TAPS
                        elif last - t >= 3:
                            _three(x, at, *steps, *size, taps, t, sums)
                            t += 3
                        else:
                            _single(x, at, *steps, *size, taps, t, sums)
                            t += 1
                    products += size[0] * size[1]
                    if products >= STEPS:
                        _put_away(sums, total[block])
                        products = 0
        _put_away(sums, total[block])


@kernel(parallel=True)
def _weight_gradient(
    x, size, C, row, g, target, width, O, runs, taps, down, right, inner, outer, N, chunks, parts, totals, vector
):
    """totals[chunk of images][block][tap][lane]; each task is a part of the blocks of a chunk."""
    blocks = totals.shape[1]
    for number in prange(chunks * parts):
        task = np.int64(number)
        chunk, part = task // parts, task % parts
        begin, end = blocks * part // parts, blocks * (part + 1) // parts
        total, sums = totals[chunk], np.zeros(totals.shape[2] * vector, x.dtype)
        total[begin:end] = 0
        direct = inner == 1 and outer == 1
        planes = np.empty(0 if direct else (size // C * inner + 1) * vector, x.dtype)
        for n in range(N * chunk // chunks, N * (chunk + 1) // chunks):
            if direct:
                _collect(
                    x, n * size, row, C, 0, g, n * target, width, O, runs, taps, down, right, begin, end, total, sums,
                    vector,
                )  # fmt: skip
            else:
                for block in range(begin, end):
                    o = min(block * vector, O - vector)
                    _widen(x, n * size, size // C, C, o, inner, outer, planes, vector)
                    _collect(
                        planes, 0, row, inner * vector, o, g, n * target, width, O, runs, taps, down, right, block,
                        block + 1, total, sums, vector,
                    )  # fmt: skip


def _layout(x: np.ndarray, inner: int, outer: int) -> tuple[int, int, int]:
    """How far apart rows, pixels and planes lie in the source as it is read: where it lies, or in planes."""
    W, C, vector = x.shape[2], x.shape[3], lanes(x.dtype)
    pixel = C if inner == outer == 1 else inner * vector
    return W * pixel, pixel, vector


def _parts(N: int, blocks: int) -> int:
    """Into how many tasks an image is divided, so that there are a few for every thread."""
    return min(blocks, -(-4 * get_num_threads() // max(N, 1)))


def _swept(
    x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None, sweep: Sweep, size: tuple[int, int], groups: int
) -> np.ndarray:
    """The sum over taps and planes of x, for all pixels of a target of `size`; weight is [p][q][k][output]."""
    N, C, O = x.shape[0], x.shape[3], weight.shape[-1]
    inner, outer, vector = C // groups, O // groups, lanes(x.dtype)
    y = empty((N, *size, O), x.dtype)
    row, pixel, plane = _layout(x, inner, outer)
    runs, taps = _tables(sweep, inner, row, pixel, plane, O)
    start = np.empty(0, x.dtype) if bias is None else np.ascontiguousarray(bias)
    image, target = math.prod(x.shape[1:]), math.prod(y.shape[1:])
    _correlate(
        x.reshape(-1), image, C, row, weight.reshape(-1), start, y.reshape(-1), target, size[1], O, runs, taps,
        *sweep.step, inner, outer, N, _parts(N, -(-O // vector)), vector,
    )  # fmt: skip
    return y


def forward(x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None, geometry: Geometry) -> np.ndarray:
    """y (N, OH, OW, O) from x (N, H, W, C), weight (O, C/groups, KH, KW) and bias (O,)."""
    by_tap = np.ascontiguousarray(weight.transpose(2, 3, 1, 0))
    groups = x.shape[3] // weight.shape[1]
    return _swept(x, by_tap, bias, _forwards(geometry), geometry.output_size, groups)


def grad_input(grad_output: np.ndarray, weight: np.ndarray, geometry: Geometry, groups: int) -> np.ndarray:
    """The gradient with respect to x (N, H, W, C), given that with respect to y (N, OH, OW, O)."""
    O, CG, KH, KW = weight.shape
    by_tap = weight.reshape(groups, O // groups, CG, KH, KW).transpose(3, 4, 1, 0, 2)
    by_tap = np.ascontiguousarray(by_tap).reshape(KH, KW, O // groups, groups * CG)
    return _swept(grad_output, by_tap, None, _backwards(geometry), geometry.input_size, groups)


def grad_weight(x: np.ndarray, grad_output: np.ndarray, geometry: Geometry, groups: int) -> np.ndarray:
    """The gradient with respect to weight (O, C/groups, KH, KW), given x and the gradient with respect to y."""
    (N, _, _, C), O, (KH, KW) = x.shape, grad_output.shape[3], geometry.kernel
    inner, outer, vector = C // groups, O // groups, lanes(x.dtype)
    sweep, blocks, threads = _forwards(geometry), -(-O // vector), get_num_threads()
    row, pixel, plane = _layout(x, inner, outer)
    runs, taps = _tables(sweep, inner, row, pixel, plane, O)
    chunks = min(N, 2 * threads)
    totals = np.empty((chunks, blocks, KH * KW * inner, vector))
    image, target = math.prod(x.shape[1:]), math.prod(grad_output.shape[1:])
    _weight_gradient(
        x.reshape(-1), image, C, row, grad_output.reshape(-1), target, grad_output.shape[2], O, runs, taps,
        *sweep.step, inner, outer, N, chunks, _parts(chunks, blocks), totals, vector,
    )  # fmt: skip
    total = totals.sum(0)
    result = np.empty((KH * KW * inner, O), x.dtype)
    result[:, : (blocks - 1) * vector] = total[:-1].transpose(1, 0, 2).reshape(len(result), -1)
    result[:, O - vector :] = total[-1]
    return np.ascontiguousarray(result.reshape(KH, KW, inner, O).transpose(3, 2, 0, 1))
