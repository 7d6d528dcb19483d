"""The gradient of an implicit convolution with respect to its weights, as `weight_schedule` has it.

The roles of `implicit` are exchanged: rows of the product are the channels of a tap, segments are lines of pixels, and
the sum runs over all pixels. Lines run along rows, or through the images, in a copy of x that has the images of a pixel
side by side.

The gradient with respect to bias, the sum of g over all pixels, is taken in the same call, as `sums` does it: a call of
its own costs more than the sum.
"""

import functools
from typing import NamedTuple

import numpy as np

from minicnn.kernels.compile import kernel, part
from minicnn.kernels.convolution.contraction import Weights, define
from minicnn.kernels.convolution.lines import WIDEST, block_at, block_count, line_transposed
from minicnn.kernels.convolution.plan import Sums
from minicnn.kernels.convolution.rewrites import narrow, pad_columns
from minicnn.kernels.convolution.schedule import weights_of
from minicnn.kernels.convolution.weight_schedule import (
    WeightSchedule,
    as_scheduled,
    check_weight_schedule,
    weight_schedule_of,
)
from minicnn.kernels.geometry import Geometry
from minicnn.kernels.machine import WAKE_SUMS, lanes
from minicnn.kernels.memory import empty, read, scratch
from minicnn.kernels.microkernel import copy_vector
from minicnn.kernels.plans import record
from minicnn.kernels.sums import WIDEST_ROW, add_chunks, division, sum_tasks
from minicnn.kernels.tasks import share, tasks
from minicnn.kernels.threads import get_num_threads


class Tasks(NamedTuple):
    """What the kernels take of a `WeightSchedule`: the fields of these names."""

    through_images: int
    packs: int
    lines: int
    parts: int
    outputs: int


RECORD = np.dtype([*record(Sums).descr, *record(Tasks).descr])


class Work(NamedTuple):
    """A gradient with respect to weight as the kernel takes it.

    Attributes:
        numbers: `Sums` and `Tasks`.
        size: of the gradient.
        partial: size of the sums of all parts; 0 where there is but one part.
        width, chunks: what `division` gives for the gradient with respect to bias.
        pixels: how many neighbours share a vector; the gradient is then `narrow`ed.
        padded: columns of the copy of x with the padding of its rows; 0 where x is read as it is.
        through_images: whether lines run through the images, in a copy of x.
    """

    numbers: np.ndarray
    size: int
    partial: int
    width: int
    chunks: int
    pixels: int
    padded: int
    through_images: bool


@functools.lru_cache(maxsize=1024)
def _plan(
    N: int, G: int, C: int, O: int, geometry: Geometry, dtype: np.dtype, threads: int,
    schedule: WeightSchedule | None = None,
) -> Work:  # fmt: skip
    """The work for x (N, H, W, G · C) and a gradient of G · O channels; `schedule` is decided unless it is given."""
    width, chunks = division(1, N * geometry.height.output * geometry.width.output, G * O)
    c = define("weight", N, G, C, O, geometry, Weights.by_tap(G, C, O, geometry.kernel))
    if schedule is not None:
        check_weight_schedule(c, schedule, dtype)
    s = schedule or weight_schedule_of(c, dtype, threads)
    seen = as_scheduled(c, s)
    size = weights_of(seen)
    numbers = np.array((*Sums.of(seen), *[getattr(s, name) for name in Tasks._fields]), np.int64)
    padded = pad_columns(c).columns.size if s.merged and c.columns.is_padded else 0
    return Work(numbers, size, s.parts * size if s.parts > 1 else 0, width, chunks, s.pixels, padded, s.through_images)


@part
def _pack_gradients(g, l0, l1, plan, first, vectors, valid, vector, packed):
    """packed[line][pixel][lane]: the gradients of a block of outputs, zeros where there is no output."""
    OH, OW, through_images = plan.OH, plan.OW, plan.through_images != 0
    length, step = (plan.N, plan.yn) if through_images else (OW, plan.yw)
    width = vectors * vector
    present = width - vector + valid
    full = present - present % vector
    for l in range(l0, l1):
        n, i, j = (0, l // OW, l % OW) if through_images else (l // OH, l % OH, 0)
        for pixel in range(length):
            target = ((l - l0) * length + pixel) * width
            source = n * plan.yn + i * plan.yh + j * plan.yw + pixel * step + first
            for lane in range(0, full, vector):
                copy_vector(packed, target + lane, g, source + lane)
            for lane in range(full, present):
                packed[target + lane] = g[source + lane]
            for lane in range(present, width):
                packed[target + lane] = 0


@part(allocates=True)
def _task(task, x, g, partial, plan, vector):
    """partial[part]: the sums over the lines of a part, for some blocks of outputs, as [group][tap][c][o]."""
    N, G, C, O, KH, KW = plan.N, plan.G, plan.C, plan.O, plan.KH, plan.KW
    H, W, xn, xh, xw, OH, OW = plan.H, plan.W, plan.xn, plan.xh, plan.xw, plan.OH, plan.OW
    dw, left, sw, gw = plan.dw, plan.left, plan.sw, plan.yw
    parts, outputs, at_once, through_images = plan.parts, plan.outputs, plan.lines, plan.through_images != 0
    part, output_part = task // outputs, task % outputs
    blocks = block_count(O, vector)
    lines, length = (OH * OW, N) if through_images else (N * OH, OW)
    step = xn if through_images else sw * xw
    seg_a, seg_b = np.empty(at_once, np.int64), np.empty(at_once, np.int64)
    direct = plan.packs == 0
    packed = np.empty(at_once * length * WIDEST * vector, x.dtype)
    gradients = g if direct else packed
    begin, end = lines * part // parts, lines * (part + 1) // parts
    for l0 in range(begin, end, at_once):
        l1 = min(end, l0 + at_once)
        for block in range(G * blocks * output_part // outputs, G * blocks * (output_part + 1) // outputs):
            group = block // blocks
            o, vectors, valid = block_at(block % blocks, O, vector)
            width = gw if direct else vectors * vector
            if not direct:
                _pack_gradients(g, l0, l1, plan, group * O + o, vectors, valid, vector, packed)
            for tap in range(KH * KW):
                p, q = tap // KW, tap % KW
                first, last = 0, length  # of a line, those whose tap lies inside the image
                if not through_images:
                    while first < OW and left + first * sw + q * dw < 0:
                        first += 1
                    while last > first and left + (last - 1) * sw + q * dw >= W:
                        last -= 1
                found = 0
                for l in range(l0, l1):
                    n, i, j = (0, l // OW, l % OW) if through_images else (l // OH, l % OH, first)
                    row, column = plan.top + i * plan.sh + p * plan.dh, left + j * sw + q * dw
                    if 0 <= row < H and 0 <= column < W and last > first:
                        seg_a[found] = n * xn + row * xh + column * xw + group * C
                        seg_b[found] = ((l if direct else l - l0) * length + first) * width
                        found += 1
                started = l0 > begin
                c0 = ((part * G + group) * KH * KW + tap) * C * O + o
                if found or not started:
                    line_transposed(
                        x, 0, step, gradients, group * O + o if direct else 0, width, seg_a, seg_b, found, last - first,
                        partial, c0, O, started, partial, c0, O, C, vectors, valid,
                    )  # fmt: skip


@part(allocates=True)
def _tasks(first, last, x, g, partial, plans, vector, by_bias, width, chunks, bias_sums, bias_tasks, tasks):
    """Some tasks, and as large a part of the sums of the gradient with respect to bias."""
    nothing, O = np.empty(0), by_bias.size
    for task in range(first, last):
        _task(task, x, g, partial, plans[0], vector)
    begin, end = bias_tasks * first // tasks, bias_tasks * last // tasks
    if begin < end:
        sum_tasks(begin, end, g, nothing, g.size // O, O, width, chunks, bias_sums, by_bias)


@part(allocates=True)
def _add_parts(first, last, partial, parts, total, widest):
    nothing = np.empty(0)
    sum_tasks(first, last, partial, nothing, parts, total.size, widest, 1, nothing, total)


@kernel
def _weight_products(x, g, partial, total, numbers, vector, by_bias, width, chunks):
    """The sums of all parts; `total` adds them up, unless there is but one. And `by_bias`, unless it is empty."""
    plans = numbers.view(RECORD)
    parts = plans[0].parts
    tasks = parts * plans[0].outputs
    bias_tasks = chunks * -(-by_bias.size // width)
    bias_sums = np.empty(chunks * by_bias.size if chunks > 1 else 0)
    share(_tasks, tasks, (x, g, partial, plans, vector, by_bias, width, chunks, bias_sums, bias_tasks, tasks))
    if chunks > 1:
        add_chunks(bias_sums, chunks, by_bias.size, by_bias)
    if parts > 1:
        widest = min(total.size, WIDEST_ROW)
        pieces = -(-total.size // widest)
        share(_add_parts, pieces, (partial, parts, total, widest), parts * total.size >= WAKE_SUMS)


@tasks
def _pad_columns(row, x, before, padded):
    """padded[n, h, before + w] = x[n, h, w], zeros elsewhere"""
    H, W, C = x.shape[1:]
    n, h = row // H, row % H
    for w in range(padded.shape[2]):
        inside = 0 <= w - before < W
        for c in range(C):
            padded[n, h, w, c] = x[n, h, w - before, c] if inside else 0


def _padded(x: np.ndarray, before: int, width: int) -> np.ndarray:
    """x with `width` columns, which begin `before` columns in front of it."""
    padded = empty((*x.shape[:2], width, x.shape[3]), x.dtype)
    _pad_columns(x.shape[0] * x.shape[1], x, before, padded)
    return padded


@tasks
def _images_within(h, x, by_pixel):
    """by_pixel[h, w, n] = x[n, h, w]"""
    W, N = by_pixel.shape[1:3]
    for w in range(W):
        for n in range(N):
            by_pixel[h, w, n] = x[n, h, w]


def grad_parameters(
    x: np.ndarray, grad_output: np.ndarray, geometry: Geometry, groups: int, has_bias: bool = True,
    schedule: WeightSchedule | None = None,
) -> tuple[np.ndarray, np.ndarray | None]:  # fmt: skip
    """The gradients with respect to weight (O, C/groups, KH, KW) and bias (O,), given x and that with respect to y."""
    N, H, W, full = x.shape
    O = grad_output.shape[3]
    KH, KW = geometry.kernel
    if not x.size or not grad_output.size:
        return np.zeros((O, full // groups, KH, KW), x.dtype), np.zeros(O, x.dtype) if has_bias else None
    vector, CG, OG = lanes(x.dtype), full // groups, O // groups
    work = _plan(N, groups, CG, OG, geometry, x.dtype, get_num_threads(), schedule)
    if work.padded:
        x = _padded(x, geometry.width.before, work.padded)
    if work.through_images:
        by_pixel = empty((H, W, N, full), x.dtype)
        _images_within(H, x, by_pixel)
        x = by_pixel
    total = empty((work.size,), x.dtype)
    partial, sums = (scratch(work.partial, x.dtype), total) if work.partial else (total, total[:0])
    by_bias = np.empty(O if has_bias else 0, x.dtype)
    _weight_products(
        read(x.ravel()), read(grad_output.ravel()), partial, sums, work.numbers, vector, by_bias, work.width,
        work.chunks * has_bias,
    )  # fmt: skip
    if work.pixels > 1:
        total = narrow(total.reshape(KH, -1, CG, work.pixels * OG), work.pixels, geometry.width.stride)
    by_group = total.reshape(groups, KH, KW, CG, OG)
    return by_group.transpose(0, 4, 3, 1, 2).reshape(O, CG, KH, KW), by_bias if has_bias else None


def grad_weight(x: np.ndarray, grad_output: np.ndarray, geometry: Geometry, groups: int) -> np.ndarray:
    """The gradient with respect to weight (O, C/groups, KH, KW), given x and that with respect to y."""
    return grad_parameters(x, grad_output, geometry, groups, has_bias=False)[0]
