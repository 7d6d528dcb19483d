"""The gradient of an implicit convolution by its weights.

The roles of `implicit` are exchanged: rows of the product are the channels of a tap, segments are lines of cells, and
the sum runs over all cells:

    ∂weight[tap, c, o] = Σ over cells of  x[cell's origin + tap, c] · g[cell, o]

Lines run along rows, or, where rows are short, through the images, in a copy of x that has the images of a cell side
by side. The gradients of some lines at a time are packed in blocks of outputs, which all taps then use.

Where channels are too few to fill tiles, rows are the outputs instead, and what is packed are the patches of the cells:

    ∂weight[o, tap, c] = Σ over cells of  g[cell, o] · patch[cell, tap, c]
"""

import functools
from typing import NamedTuple

import numpy as np
from numba import prange
from numba.np.unsafe.ndarray import to_fixed_tuple

from minicnn.kernels.compile import kernel
from minicnn.kernels.convolution.lines import WIDEST, block_at, block_count, line_transposed
from minicnn.kernels.convolution.plan import SHORT_LINE, line_of_cells
from minicnn.kernels.geometry import Geometry
from minicnn.kernels.memory import empty, flat
from minicnn.kernels.microkernel import copy_vector, lanes
from minicnn.kernels.threads import get_num_threads

FEW_CHANNELS = 14
"""Fewer channels don't fill tiles."""
CELLS_AT_ONCE = 256
"""Over how many cells a tile sums at once; their packed gradients stay in cache for all taps."""
MANY_WEIGHTS = 2**14
"""Of more weights no thread gets a sum of its own unless it has to."""


class WeightPlan(NamedTuple):
    """What the kernel is told: all sizes and strides in elements.

    Attributes:
        N, G, C, O: images, groups, channels and outputs of a group.
        KH, KW: taps; d*: how far apart.
        H, W: the image; x*: its strides from image to image, row to row, cell to cell.
        OH, OW: the cells of the gradient, the first of which looks at row `top` and column `left`, s* apart.
        g*: the gradient's strides.
        parts: into how many parts the lines are divided, each with a sum of its own.
        output_parts: into how many the blocks of outputs are divided.
        lines_at_once: how many lines are packed at a time.
        along_images: whether lines run through the images.
        patches: whether patches are packed instead of gradients.
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
    gn: int
    gh: int
    gw: int
    parts: int
    output_parts: int
    lines_at_once: int
    along_images: int
    patches: int


FIELDS = len(WeightPlan._fields)


@functools.lru_cache(maxsize=1024)
def _plan(N: int, full: int, outputs: int, G: int, geometry: Geometry, threads: int) -> tuple[np.ndarray, WeightPlan]:
    """The plan for x (N, H, W, full) and a gradient of `outputs` channels, as an array and by names."""
    h, w = geometry.height, geometry.width
    C, O, H, W, OH, OW = full // G, outputs // G, h.size, w.size, h.output, w.output
    plain = geometry.kernel == (1, 1) and not geometry.is_padded and (h.stride, w.stride) == (1, 1)
    if plain and N * OH > 1:  # any arrangement of the cells will do
        H, W = OH, OW = line_of_cells(N * OH * OW, threads)
        N = 1
    patches = G == 1 and C < FEW_CHANNELS and w.dilation == 1 and h.kernel * w.kernel > 1
    along_images = not patches and not plain and OW < SHORT_LINE < N
    xn, xh, xw = (full, W * N * full, N * full) if along_images else (H * W * full, W * full, full)
    lines, cells = (OH * OW, N) if along_images else (N * OH, OW)
    blocks = G * -(-O // 64)
    if G * h.kernel * w.kernel * C * O > MANY_WEIGHTS and blocks >= threads:
        parts, output_parts = 1, blocks if blocks % threads == 0 else min(blocks, 4 * threads)
    else:
        parts, output_parts = min(lines, 4 * threads), 1
    plan = WeightPlan(
        N, G, C, O, h.kernel, w.kernel, h.dilation, w.dilation, H, W, xn, xh, xw, OH, OW, -h.before, -w.before,
        h.stride, w.stride, OH * OW * outputs, OW * outputs, outputs, parts, output_parts,
        max(1, CELLS_AT_ONCE // cells), int(along_images), int(patches),
    )  # fmt: skip
    return np.array(plan, np.int64), plan


@kernel
def _pack_gradients(g, l0, l1, OH, OW, gn, gh, gw, cells, along_images, first, present, width, packed):
    """packed[line][cell][lane]: the gradients of a block of outputs, zeros where there is no output."""
    step = gn if along_images else gw
    for l in range(l0, l1):
        n, i, j = (0, l // OW, l % OW) if along_images else (l // OH, l % OH, 0)
        for cell in range(cells):
            target = ((l - l0) * cells + cell) * width
            source = n * gn + i * gh + j * gw + cell * step + first
            for lane in range(present):
                packed[target + lane] = g[source + lane]
            for lane in range(present, width):
                packed[target + lane] = 0


@kernel
def _pack_patches(x, l0, l1, C, KH, KW, dh, H, W, xn, xh, xw, OH, OW, top, left, sh, sw, vector, width, packed):
    """packed[line][cell][tap, c]: the patches of whole rows of cells, zeros outside the image."""
    run = KW * C
    vectors = -(-run // vector)
    step = sw * xw
    inner_first, inner_last = 0, OW  # the cells whose taps lie inside the row
    while inner_first < OW and left + inner_first * sw < 0:
        inner_first += 1
    while inner_last > inner_first and left + (inner_last - 1) * sw + KW > W:
        inner_last -= 1
    for l in range(l0, l1):
        for p in range(KH):
            target = (l - l0) * OW * width + p * run
            row = top + l % OH * sh + p * dh
            source = l // OH * xn + row * xh + left * xw
            first = inner_first if 0 <= row < H else OW
            # whole vectors: what is copied too much is written over by the next tap row, or belongs to no tap
            last = min(inner_last, (x.size - source - vectors * vector) // step + 1)
            for cell in range(first, last):
                for v in range(vectors):
                    copy_vector(packed, target + cell * width + v * vector, x, source + cell * step + v * vector)
            for number in range(OW - max(0, last - first)):
                cell = number if number < first else number + max(0, last - first)
                for q in range(KW):
                    inside = 0 <= row < H and 0 <= left + cell * sw + q < W
                    for c in range(C):
                        value = x[source + cell * step + q * C + c] if inside else 0
                        packed[target + cell * width + q * C + c] = value


@kernel
def _task(task, x, g, partial, plan, vector):
    """partial[part]: the sums over the lines of a part, for some blocks of outputs.

    They lie as [group][tap][c][o], or, where patches are packed, as [o][tap][c].
    """
    (N, G, C, O, KH, KW, dh, dw, H, W, xn, xh, xw, OH, OW, top, left, sh, sw, gn, gh, gw, parts, output_parts,
     lines_at_once, along_images, patches) = to_fixed_tuple(plan, FIELDS)  # fmt: skip
    part, output_part = task // output_parts, task % output_parts
    columns, depth, products = (KH * KW * C, O, 1) if patches else (O, C, KH * KW)
    blocks = block_count(columns, vector)
    lines, cells = (OH * OW, N) if along_images else (N * OH, OW)
    A, ak = (g, gw) if patches else (x, xn if along_images else sw * xw)
    seg_a, seg_b = np.empty(lines_at_once, np.int64), np.empty(lines_at_once, np.int64)
    width = ((KH - 1) * KW * C + -(-KW * C // vector) * vector + vector - 1) // vector * vector  # of a patch
    packed = np.empty(lines_at_once * cells * max(width * patches, WIDEST * vector), x.dtype)
    begin, end = lines * part // parts, lines * (part + 1) // parts
    for l0 in range(begin, end, lines_at_once):
        l1 = min(end, l0 + lines_at_once)
        if patches:
            _pack_patches(
                x, l0, l1, C, KH, KW, dh, H, W, xn, xh, xw, OH, OW, top, left, sh, sw, vector, width, packed
            )  # fmt: skip
        for block in range(G * blocks * output_part // output_parts, G * blocks * (output_part + 1) // output_parts):
            group = block // blocks
            o, vectors, valid = block_at(block % blocks, columns, vector)
            if not patches:
                width = vectors * vector
                _pack_gradients(
                    g, l0, l1, OH, OW, gn, gh, gw, cells, along_images, group * O + o, width - vector + valid, width,
                    packed,
                )  # fmt: skip
            for tap in range(products):
                p, q = tap // KW, tap % KW
                first, last = 0, cells  # of a line, those whose tap lies inside the image
                if not along_images and not patches:
                    while first < OW and left + first * sw + q * dw < 0:
                        first += 1
                    while last > first and left + (last - 1) * sw + q * dw >= W:
                        last -= 1
                found = 0
                for l in range(l0, l1):
                    n, i, j = (0, l // OW, l % OW) if along_images else (l // OH, l % OH, first)
                    row, column = top + i * sh + p * dh, left + j * sw + q * dw
                    if patches or (0 <= row < H and 0 <= column < W and last > first):
                        seg_a[found] = n * gn + i * gh if patches else n * xn + row * xh + column * xw + group * C
                        seg_b[found] = ((l - l0) * cells + first) * width
                        found += 1
                started = l0 > begin
                c0 = ((part * G + group) * products + tap) * depth * columns + o
                if found or not started:
                    line_transposed(
                        A, 0, ak, packed, o * patches, width, seg_a, seg_b, found, last - first,
                        partial, c0, columns, started, partial, c0, columns, depth, vectors, valid,
                    )  # fmt: skip


@kernel(parallel=True)
def _weight_products(x, g, partial, plan, tasks, vector):
    for task in prange(tasks):
        _task(np.int64(task), x, g, partial, plan, vector)


@kernel(parallel=True)
def _images_within(x, by_cell):
    """by_cell[h, w, n] = x[n, h, w]"""
    H, W, N, _ = by_cell.shape
    for h in prange(H):
        for w in range(W):
            for n in range(N):
                by_cell[h, w, n] = x[n, h, w]


@kernel(parallel=True)
def _sum_parts(partial, total):
    parts = partial.shape[0]
    for k in prange(total.size):
        value = partial[0, k]
        for part in range(1, parts):
            value += partial[part, k]
        total[k] = value


def grad_weight(x: np.ndarray, grad_output: np.ndarray, geometry: Geometry, groups: int) -> np.ndarray:
    """The gradient by weight (O, C/groups, KH, KW), given x and the gradient by y."""
    N, H, W, full = x.shape
    O = grad_output.shape[3]
    C, OG, (KH, KW) = full // groups, O // groups, geometry.kernel
    if not x.size or not grad_output.size:
        return np.zeros((O, C, KH, KW), x.dtype)
    array, plan = _plan(N, full, O, groups, geometry, get_num_threads())
    if plan.along_images:
        by_cell = empty((H, W, N, full), x.dtype)
        _images_within(x, by_cell)
        x = by_cell
    partial = empty((plan.parts, KH * KW * C * O), x.dtype)
    _weight_products(flat(x), flat(grad_output), flat(partial), array, plan.parts * plan.output_parts, lanes(x.dtype))
    if plan.parts > 1:
        total = empty(partial.shape[1:], x.dtype)
        _sum_parts(partial, total)
        partial = total
    if plan.patches:
        partial = np.ascontiguousarray(partial.reshape(O, -1).T)
    if groups == 1:
        return partial.reshape(KH, KW, C, O).transpose(3, 2, 0, 1)
    return partial.reshape(groups, KH, KW, C, OG).transpose(0, 4, 3, 1, 2).reshape(O, C, KH, KW)
