"""Convolution as the matrix product of im2col, with the patch matrix never written.

    y[pixel, o] = bias[o] + Σ over taps, c of  x[pixel's origin + tap, c] · weight[tap, c, o]

In channels-last memory the patch of one output pixel is, for each row p of the kernel, one run of KW·C numbers (with
dilation or groups, KW runs of C), and the patches of neighbouring pixels, or of the same pixel in the next image, lie a
constant distance apart. So the micro-kernel walks the image itself: its rows are pixels, its segments are these runs.
Lanes hold neighbouring outputs: one number of x is multiplied by a vector of weights.

Pixels come in lines along which the distance is constant: along a row of the image, or, where rows are short and at its
left and right ends, the same pixel in several images. All pixels of a line see the same taps; so taps in the padding
are left out instead of being multiplied by zeros, and nothing has to be padded.

What is computed is a `contraction`; the gradient with respect to x is several, as `rewrites.split_by_stride` has it.
How it is divided is its `schedule`. A `plan` is both in numbers, and the kernels here carry it out.

Where a run of KW·C numbers takes at most half the vectors that KW pixels would take one by one, and there are images
enough (`plan.scatters`), the gradient with respect to x goes the other way along rows: the output pixel (i, j) of each
image of a task adds to the run that it saw. Lines run through the images, whose runs don't overlap.

The gradients with respect to weight and bias are in `weight_gradient`.
"""

import numpy as np

from minicnn.kernels.compile import kernel, part
from minicnn.kernels.convolution.lines import WIDEST, block_at, block_count, line
from minicnn.kernels.convolution.plan import (
    FIELDS,
    RECORD,
    Plan,
    covered,
    forward_plan,
    grad_input_plans,
    scatter_plans,
    scatters,
)
from minicnn.kernels.convolution.rewrites import widen
from minicnn.kernels.convolution.schedule import Schedule
from minicnn.kernels.convolution.weight_gradient import grad_parameters, grad_weight
from minicnn.kernels.geometry import Geometry
from minicnn.kernels.machine import WAKE_PACKING, lanes
from minicnn.kernels.memory import dense, empty, flat, read, scratch
from minicnn.kernels.microkernel import copy_vector
from minicnn.kernels.tasks import each, share
from minicnn.kernels.threads import get_num_threads
from minicnn.kernels.windows import range_inside

__all__ = ["forward", "grad_input", "grad_parameters", "grad_weight"]


@part
def _pack(group, o, vectors, valid, weight, place, packed, here, plan, vector):
    """packed[here + c·width + lane]: one tap's weights of a block of outputs, zeros where there is no output."""
    C, so, sc = plan.C, plan.wo, plan.wc
    width = vectors * vector
    present = width - vector + valid
    source = group * plan.wg + o * so + place
    if so == 1:  # outputs lie side by side
        for c in range(C):
            full = present - present % vector
            for lane in range(0, full, vector):
                copy_vector(packed, here + c * width + lane, weight, source + c * sc + lane)
            for lane in range(full, present):
                packed[here + c * width + lane] = weight[source + c * sc + lane]
    else:
        for c0 in range(0, C, 64):  # few enough at once that what is written together stays in cache
            count = min(C - c0, 64)
            for lane in range(present):
                column = packed[here + c0 * width + lane :]
                row = weight[source + c0 * sc + lane * so :]
                for c in range(np.uint64(count)):  # of unsigned numbers Numba knows that they don't count from the end
                    column[c * np.uint64(width)] = row[c * np.uint64(sc)]
    for c in range(C):
        for lane in range(present, width):
            packed[here + c * width + lane] = 0


@each
def _pack_parts(part, weight, packed, plans, places, vector):
    """Each part is a tap of a block: packed[group][block][tap][c][lane]."""
    plan = plans[0]
    C, O, taps = plan.C, plan.O, len(places)
    blocks = block_count(O, vector)
    group, rest = part // (blocks * taps), part % (blocks * taps)
    tap = rest % taps
    o, vectors, valid = block_at(rest // taps, O, vector)
    here = (group * -(-O // vector) * vector + o) * taps * C + tap * C * vectors * vector
    _pack(group, o, vectors, valid, weight, places[tap], packed, here, plan, vector)


@part
def _infinite(x, first, last):
    """How many of x[first], …, x[last − 1] are infinite or NaN."""
    found = 0
    for i in range(np.uint64(last - first)):
        found += not np.isfinite(x[np.uint64(first) + i])
    return found


@part(allocates=True)
def _correlate_task(task, x, weight, packed, bias, y, plan, places, vector):
    N, G, C, O, KH, KW, dh, dw = plan.N, plan.G, plan.C, plan.O, plan.KH, plan.KW, plan.dh, plan.dw
    H, W, xn, xh, xw = plan.H, plan.W, plan.xn, plan.xh, plan.xw
    OH, OW, left, sh, sw = plan.OH, plan.OW, plan.left, plan.sh, plan.sw
    y0, yn, yh, yw = plan.y0, plan.yn, plan.yh, plan.yw
    adds, images, rows, parts = plan.adds, plan.images, plan.rows, plan.parts
    start = y if adds else bias
    row_tasks = -(-OH // rows)
    blocks = block_count(O, vector)
    # columns whose pixels have every tap inside, so that a line may run along the row
    inner_first, inner_last = 0, OW
    while inner_first < OW and left + inner_first * sw < 0:
        inner_first += 1
    while inner_last > inner_first and left + (inner_last - 1) * sw + (KW - 1) * dw >= W:
        inner_last -= 1
    if plan.through_images:
        inner_first = inner_last = OW

    runs = dw == 1 and xw == C  # the taps of a kernel row are one run of memory
    seg_a, seg_b = np.empty(KH * KW, np.int64), np.empty(KH * KW, np.int64)
    part, place = task % parts, task // parts
    n0 = place // row_tasks * images
    n1 = min(N, n0 + images)
    i0 = place % row_tasks * rows
    i1 = min(OH, i0 + rows)
    if adds:
        for n in range(n0, n1):
            for i in range(i0, i1):
                y[y0 + n * yn + i * yh :][: (OW - 1) * yw + O] = 0
    for group_block in range(G * blocks * part // parts, G * blocks * (part + 1) // parts):
        group = group_block // blocks
        o, vectors, valid = block_at(group_block % blocks, O, vector)
        bk = vectors * vector
        if plan.private:  # the weights of one block, which the next replaces
            b0 = part * WIDEST * vector * KH * KW * C
            for tap in range(KH * KW):
                _pack(group, o, vectors, valid, weight, places[tap], packed, b0 + tap * C * bk, plan, vector)
        else:
            b0 = (group * -(-O // vector) * vector + o) * KH * KW * C
        for i in range(i0, i1):
            row = plan.top + i * sh
            p0, p1 = range_inside(row, KH, dh, H)
            j = 0
            while j < OW:
                column = left + j * sw
                q0, q1 = range_inside(column, KW, dw, W)
                steps = (q1 - q0) * C if runs else C
                segments = 0
                for p in range(p0, p1):
                    for q in range(q0, min(q1, q0 + 1) if runs else q1):
                        seg_a[segments] = p * dh * xh + q * dw * xw
                        seg_b[segments] = (p * KW + q) * C * bk
                        segments += 1
                # a line for each image along the row, or one through the images
                inner = inner_first <= j < inner_last
                if inner:
                    lines, ai, ci, length = n1 - n0, sw * xw, yw, inner_last - j
                else:
                    lines, ai, ci, length = 1, xn, yn, n1 - n0
                a0 = n0 * xn + row * xh + column * xw + group * plan.xg
                c0 = y0 + n0 * yn + i * yh + j * yw + group * plan.yg + o
                s0, si = (c0, ci) if adds else (group * O + o, 0)
                for n in range(lines):
                    line(
                        x, a0 + n * xn, ai, packed, b0, bk, seg_a, seg_b, segments, steps,
                        start, s0, si, start.size > 0, y, c0 + n * yn, ci, length, vectors, valid,
                    )  # fmt: skip
                j += length if inner else 1


@each
def _correlate_tasks(task, x, weight, packed, bias, y, plans, places, vector, tasks, found):
    _correlate_task(task, x, weight, packed, bias, y, plans[0], places, vector)
    if found.size:
        found[task] = _infinite(x, x.size * task // tasks, x.size * (task + 1) // tasks)


@kernel
def _correlate(x, weight, packed, bias, y, numbers, packs, tasks, vector, counts):
    """The weights in blocks of outputs, unless tasks have weights of their own; then all tasks.

    Returns: if it `counts` them, how many numbers in x are infinite or NaN.
    """
    plans, places = numbers[:FIELDS].view(RECORD), numbers[FIELDS:]
    share(_pack_parts, packs, (weight, packed, plans, places, vector), weight.size >= WAKE_PACKING)
    found = np.zeros(tasks if counts else 0, np.int64)
    share(_correlate_tasks, tasks, (x, weight, packed, bias, y, plans, places, vector, tasks, found))
    return found.sum()


def _run(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, y: np.ndarray, plan: Plan, counts: bool = False) -> int:
    packed, vector = scratch(plan.size, x.dtype), lanes(x.dtype)
    return _correlate(
        read(x.ravel()), read(flat(weight)), packed, read(bias), y.ravel(), plan.numbers, plan.packs, plan.tasks,
        vector, counts,
    )  # fmt: skip


def forward(
    x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None, geometry: Geometry, schedule: Schedule | None = None
) -> np.ndarray:
    """y (N, OH, OW, O) from x (N, H, W, C), weight (O, C/groups, KH, KW) and bias (O,); see `schedule.schedule_of`.

    Raises:
        ValueError: for a schedule that isn't legal for this convolution.
    """
    N, C = x.shape[0], x.shape[3]
    O, CG = weight.shape[:2]
    G = C // CG
    y = empty((N, *geometry.output_size, O), x.dtype)
    if not y.size:
        return y
    start = np.empty(0, x.dtype) if bias is None else np.ascontiguousarray(bias)
    weight = dense(weight)
    sizes = N, G, CG, O // G, geometry, weight.strides, x.dtype, get_num_threads()
    plan = forward_plan(*sizes, schedule=schedule)
    if plan.pixels > 1:
        wide, starts = widen(weight, plan.pixels, geometry.width.stride), np.concatenate((start,) * plan.pixels)
        if not _run(x, wide, starts, y, plan, counts=True):  # else zero times infinity is NaN where there is no tap
            return y
        plan = forward_plan(*sizes, widens=False, schedule=schedule)
    _run(x, weight, start, y, plan)
    return y


def grad_input(grad_output: np.ndarray, weight: np.ndarray, geometry: Geometry, groups: int) -> np.ndarray:
    """The gradient with respect to x (N, H, W, C), given that with respect to y (N, OH, OW, O)."""
    N, O = grad_output.shape[0], grad_output.shape[3]
    CG, OG = weight.shape[1], O // groups
    C, threads = CG * groups, get_num_threads()
    if groups == 1 and scatters(N, C, geometry, lanes(weight.dtype), threads):
        return _scattered(grad_output, weight, geometry, *scatter_plans(N, O, C, geometry, weight.dtype, threads))
    grad_x = empty((N, *geometry.input_size, C), grad_output.dtype)
    if not grad_x.size:
        return grad_x
    weight = dense(weight)
    plans = grad_input_plans(N, groups, OG, CG, geometry, weight.strides, weight.dtype, threads)
    if not all(covered(geometry)):
        grad_x[...] = 0
    nothing = np.empty(0, grad_output.dtype)
    for plan in plans:
        _run(grad_output, weight, nothing, grad_x, plan)
    return grad_x


def _scattered(
    grad_output: np.ndarray, weight: np.ndarray, geometry: Geometry, plans: list[Plan], columns: int
) -> np.ndarray:
    """The gradient with respect to x, added up along rows of all `columns` that windows see, the padding too."""
    N, C, h, w = len(grad_output), weight.shape[1], geometry.height, geometry.width
    seen = empty((N, h.size, columns, C), grad_output.dtype)
    if not covered(geometry)[0]:
        seen[...] = 0
    by_row, nothing = np.ascontiguousarray(weight.transpose(2, 3, 1, 0)), np.empty(0, seen.dtype)
    for plan in plans:
        _run(grad_output, by_row, nothing, seen, plan)
    if columns == w.size and not w.before:
        return seen
    grad_x = empty((N, h.size, w.size, C), seen.dtype)
    inside = seen[:, :, w.before : w.before + w.size]
    grad_x[:, :, inside.shape[2] :] = 0
    grad_x[:, :, : inside.shape[2]] = inside
    return grad_x
