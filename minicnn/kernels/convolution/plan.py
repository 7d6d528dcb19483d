"""How a correlation is divided: what the kernels of `implicit` are told, and into how many tasks the work falls.

A plan is made once for a geometry, a batch and a number of threads, and kept. Nothing here computes.
"""

import functools
import math
from typing import NamedTuple

import numpy as np

from minicnn.kernels.convolution.lines import WIDEST, block_count
from minicnn.kernels.geometry import Axis, Geometry
from minicnn.kernels.machine import LONGEST_LINE, SECOND_LEVEL, lanes
from minicnn.kernels.plans import record

SHORT_LINE = 16
"""Rows of fewer cells don't fill tiles, less so those of their cells that have all taps; lines run through the images
then. With 14, rows of 14 and 15 cells took up to 1.3 times as long, 1.1 at most the other way round."""

CHUNK_BYTES = SECOND_LEVEL // 2
"""How much of the image a task works on at once: it stays in the second-level cache while the outputs change."""

IMAGE_BYTES = 4 * SECOND_LEVEL
"""How large an image may be that every thread reads as a whole, for outputs of its own."""

MANY_WEIGHTS = SECOND_LEVEL // 4
"""Fewer are packed at once; more would leave the cache before they are read."""

FEW_CELLS = 256
"""For so few, it costs more than the product to read weights that another thread packed."""


class Plan(NamedTuple):
    """A correlation as a kernel takes it.

    Attributes:
        numbers: a `Correlation`, and behind it the places of the taps: how far their weights lie from the first.
        size: how many numbers the packed weights are.
        packs: in how many steps weights are packed before all tasks.
        tasks: how many there are.
    """

    numbers: np.ndarray
    size: int
    packs: int
    tasks: int


class Correlation(NamedTuple):
    """What the kernels of `implicit` are told: all sizes and strides in elements, along rows and columns alike.

    Attributes:
        N, G, C, O: images, groups, channels and outputs of a group.
        KH, KW: taps; d*: how far apart.
        H, W: the image; x*: its strides from image to image, row to row, cell to cell.
        OH, OW: the cells to compute, the first of which looks at row `top` and column `left`, s* apart.
        y0, y*: where the first result goes, and the strides from there.
        xg, yg: the strides from group to group, of image and result.
        adds: whether results overlap along a row and are added up; a task clears its rows first.
        images, rows: how many of each make a task.
        parts: into how many tasks the outputs are divided.
        along_images: whether lines run through images everywhere, or only at the border.
        private: whether each task packs the weights of its outputs, block after block, instead of all at once.
        wg, wo, wc: the weights' strides from group to group, output to output, channel to channel.
    """

    N: int
    G: int
    C: int
    O: int
    KH: int
    KW: int
    dh: int
    dw: int
    H: int
    W: int
    xn: int
    xh: int
    xw: int
    OH: int
    OW: int
    top: int
    left: int
    sh: int
    sw: int
    y0: int
    yn: int
    yh: int
    yw: int
    xg: int
    yg: int
    adds: int
    images: int
    rows: int
    parts: int
    along_images: int
    private: int
    wg: int
    wo: int
    wc: int

    def plan(self, dtype: np.dtype, places: list[int]) -> Plan:
        """What a kernel takes, for numbers of a dtype; see `Plan`."""
        vector, taps = lanes(dtype), self.KH * self.KW
        outputs = self.parts * WIDEST if self.private else self.G * -(-self.O // vector)
        packs = 0 if self.private else self.G * block_count.py_func(self.O, vector) * taps
        tasks = -(-self.N // self.images) * -(-self.OH // self.rows) * self.parts
        return Plan(np.array((*self, *places), np.int64), outputs * vector * taps * self.C, packs, tasks)


RECORD, FIELDS = record(Correlation), len(Correlation._fields)


def _tasks(
    N: int, OH: int, OW: int, H: int, row_bytes: int, border: bool, blocks: int, weights: int, threads: int
) -> tuple[int, int, int, int, int]:
    """How many images and rows of cells make a task, into how many the outputs are divided, and the lines' direction.

    A line should fill the largest tiles; along a row it has OW cells, through the images at most N / threads.
    """
    per_thread = max(N // threads, min(N, 8))
    along_images = OW < SHORT_LINE and per_thread > OW
    images = per_thread if along_images or border else 1
    most = 64 if along_images else 8
    images = -(-images // -(-images // most))
    rows = max(1, min(OH, CHUNK_BYTES // max(1, images * row_bytes)))
    private = weights >= MANY_WEIGHTS or N * OH * OW <= FEW_CELLS
    if blocks % threads == 0 and private and N * H * row_bytes <= IMAGE_BYTES:
        return N, OH, threads, int(along_images), 1
    while -(-N // images) * -(-OH // rows) < threads and rows > 1:
        rows = -(-rows // 2)
    places = -(-N // images) * -(-OH // rows)
    uneven = places % threads and places < 8 * threads
    return images, rows, min(blocks, threads) if uneven else 1, int(along_images), 0


@functools.lru_cache(maxsize=1024)
def line_of_cells(cells: int, threads: int) -> tuple[int, int]:
    """Rows and columns to arrange cells in that lie one after another: long lines, several a thread."""
    for width in range(min(cells, LONGEST_LINE), SHORT_LINE, -1):
        lines = cells // width
        if cells % width == 0 and (lines % threads == 0 or lines >= 4 * threads):
            return lines, width
    return 1, cells


@functools.lru_cache(maxsize=1024)
def forward_plan(
    N: int, G: int, C: int, O: int, geometry: Geometry, strides: tuple[int, ...], dtype: np.dtype, threads: int
) -> Plan:
    """The forward pass, given the strides of the weights in bytes."""
    h, w = geometry.height, geometry.width
    so, sc, sp, sq = [stride // dtype.itemsize for stride in strides]
    taps = [p * sp + q * sq for p in range(h.kernel) for q in range(w.kernel)]
    full = G * C
    xn, xh, xw, H, W = h.size * w.size * full, w.size * full, full, h.size, w.size
    yn, yh, yw, OH, OW = h.output * w.output * G * O, w.output * G * O, G * O, h.output, w.output
    if geometry.is_pointwise:
        H, W = OH, OW = line_of_cells(N * OH * OW, threads)
        N, xn, xh, yn, yh = 1, H * W * full, W * full, H * W * G * O, W * G * O
    border = bool(w.before or w.after)
    tasks = _tasks(
        N,
        OH,
        OW,
        H // h.stride,
        W * full * h.stride * dtype.itemsize,
        border,
        G * -(-O // (WIDEST * lanes(dtype))),
        G * C * O * len(taps),
        threads,
    )
    return Correlation(
        N, G, C, O, h.kernel, w.kernel, h.dilation, w.dilation, H, W, xn, xh, xw, OH, OW, -h.before, -w.before,
        h.stride, w.stride, 0, yn, yh, yw, C, O, 0, *tasks, so * O, so, sc,
    ).plan(dtype, taps)  # fmt: skip


class Phase(NamedTuple):
    """Along one axis, the pixels of one remainder by the stride, and the taps that reach them.

    Pixel t of `pixels`, at first + t · stride, is reached from output position t + origin by the first of `taps`, and
    from one `step` further by each next.
    """

    first: int
    pixels: int
    taps: tuple[int, ...]
    origin: int
    step: int


@functools.lru_cache(maxsize=1024)
def phases(axis: Axis) -> tuple[list[Phase], bool]:
    """The phases of the gradient with respect to x that have taps, and whether all have; elsewhere it is 0."""
    reaching: dict[int, list[int]] = {}
    for tap in reversed(range(axis.kernel)):
        reaching.setdefault((tap * axis.dilation - axis.before) % axis.stride, []).append(tap)
    step = axis.dilation // math.gcd(axis.dilation, axis.stride)
    found = []
    for first in sorted(reaching):
        taps = tuple(reaching[first])
        # pixel `first` is reached by tap p from output (first + before − p·d) / s
        origin = (first + axis.before - taps[0] * axis.dilation) // axis.stride
        if first < axis.size:
            found.append(Phase(first, (axis.size - first - 1) // axis.stride + 1, taps, origin, step))
    return found, len(found) == min(axis.stride, axis.size)


@functools.lru_cache(maxsize=1024)
def grad_input_plans(
    N: int, G: int, O: int, C: int, geometry: Geometry, strides: tuple[int, ...], dtype: np.dtype, threads: int
) -> tuple[list[Plan], bool]:
    """A plan for each pair of phases that has taps, and whether all have."""
    rows, columns = phases(geometry.height), phases(geometry.width)
    elements = tuple([stride // dtype.itemsize for stride in strides])
    plans = [_phase_plan(N, G, O, C, geometry, elements, dtype, a, b, threads) for a in rows[0] for b in columns[0]]
    return plans, rows[1] and columns[1]


def _phase_plan(
    N: int,
    G: int,
    O: int,
    C: int,
    geometry: Geometry,
    strides: tuple[int, ...],
    dtype: np.dtype,
    a: Phase,
    b: Phase,
    threads: int,
) -> Plan:
    so, sc, sp, sq = strides
    taps = [p * sp + q * sq for p in a.taps for q in b.taps]
    h, w = geometry.height, geometry.width
    xh, xw = w.output * G * O, G * O
    yn, yh, yw = h.size * w.size * G * C, w.size * G * C, G * C
    H, W, OH, OW, xn = h.output, w.output, a.pixels, b.pixels, h.output * xh
    y0, sy, sx = a.first * yh + b.first * yw, h.stride * yh, w.stride * yw
    if geometry.is_pointwise:
        H, W = OH, OW = line_of_cells(N * H * W, threads)
        N, xn, xh, yn, sy = 1, H * W * G * O, W * G * O, H * W * G * C, W * G * C
    border = b.origin < 0 or OW - 1 + b.origin + (len(b.taps) - 1) * b.step >= W
    blocks = G * -(-C // (WIDEST * lanes(dtype)))
    tasks = _tasks(N, OH, OW, H, W * G * O * dtype.itemsize, border, blocks, G * C * O * len(taps), threads)
    return Correlation(
        N, G, O, C, len(a.taps), len(b.taps), a.step, b.step, H, W, xn, xh, xw, OH, OW, a.origin, b.origin,
        1, 1, y0, yn, sy, sx, O, C, 0, *tasks, so * O, sc, so,
    ).plan(dtype, taps)  # fmt: skip


@functools.lru_cache(maxsize=1024)
def scatter_plans(
    N: int, O: int, C: int, geometry: Geometry, dtype: np.dtype, threads: int
) -> tuple[list[Plan], bool, int] | None:
    """The gradient by input of few channels, for weights that lie as (KH, KW, C, O).

    Returns:
        a plan for each phase of rows that has taps, whether all have, and how many columns the cells see;
        None where it has no fewer multiplications, or too few images to make lines of.
    """
    h, w = geometry.height, geometry.width
    run, vector = w.kernel * C, lanes(dtype)
    if w.dilation > 1 or 2 * -(-run // vector) > w.kernel * -(-C // vector) or N // threads < 6:
        return None
    W, per_thread = (w.output - 1) * w.stride + w.kernel, -(-N // threads)
    xn, xh, row = h.output * w.output * O, w.output * O, W * C
    rows, covered = phases(h)
    plans = [
        Correlation(
            N, 1, O, run, len(a.taps), 1, a.step, 1, h.output, w.output, xn, xh, O, a.pixels, w.output, a.origin, 0,
            1, 1, a.first * row, h.size * row, h.stride * row, w.stride * C, 0, 0, 1, per_thread, a.pixels, 1, 1, 0,
            0, O, 1,
        ).plan(dtype, [p * run * O for p in a.taps])
        for a in rows
    ]  # fmt: skip
    return plans, covered, W


@functools.lru_cache(maxsize=1024)
def shared_plan(
    N: int, C: int, O: int, geometry: Geometry, cells: int, columns: int, dtype: np.dtype, threads: int
) -> Plan:
    """The forward pass where `cells` neighbours share a vector, for the weights of `Runs.spread`."""
    h, w = geometry.height, geometry.width
    OH, OW, wide, run = h.output, w.output // cells, cells * O, columns * C
    tasks = _tasks(N, OH, w.output, h.size // h.stride, w.size * C * h.stride * dtype.itemsize, True, 1, 0, threads)
    return Correlation(
        N, 1, run, wide, h.kernel, 1, h.dilation, 1, h.size, w.size, h.size * w.size * C, w.size * C, C, OH, OW,
        -h.before, 0, h.stride, w.stride * cells, 0, OH * OW * wide, OW * wide, wide, 0, 0, 0, *tasks, 0, 1, wide,
    ).plan(dtype, [p * run * wide for p in range(h.kernel)])  # fmt: skip
