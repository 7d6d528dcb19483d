"""Convolution of many groups of few channels, depthwise convolution among them.

    y[n, i, j, o] = bias[o] + Σ over p, q, k of  x[n, i·s − P + p·d, j·s − P + q·d, c(o) + k] · weight[o, k, p, q]

where c(o) is the first channel of o's group. Every output reads other channels, so neither operand is shared by
neighbouring outputs, as a matrix product has it. Lanes are neighbouring outputs all the same. Where groups have as many
outputs as channels, S = 1, 2, 4 or 8, whole groups lie in a vector of x, and lane l needs, one after the other, what
its partners hold, the lanes l xor r for r < S. To swap lanes takes one instruction, which the multipliers don't notice:

    y[pixel, o] = bias[o] + Σ over taps, r of  x[pixel + offset of the tap, o xor r] · weight[tap, r, o]

For S = 1 (depthwise) that is x as it lies. Other groups' channels are laid where lanes need them first, by
`planes.widen`: for each k a plane in which channel c(o) + k stands at place o, so that k is but another kind of tap.

Eight output pixels are summed at a time, each in a register: weights are loaded once for all of them, and
eight multiply-adds are under way at once, as many as two units of latency four can have. Of short lines five or four
are summed at a time.

Depthwise convolution of 3 × 3 taps, the commonest of all, has its weights in registers (`grouped_window`), one of many
taps its images between zeros (`grouped_framed`). Elsewhere pixels come in runs whose windows lose the same taps to the
padding, see `sweep`. The gradient with respect to x is
the same sum over the gradient with respect to y; those with respect to weight and bias are in `grouped_weight`.
"""

import math

import numpy as np

from minicnn.kernels.compile import part
from minicnn.kernels.convolution import grouped_framed as framed
from minicnn.kernels.convolution import grouped_window as window
from minicnn.kernels.convolution.grouped_weight import grad_parameters as grad_parameters
from minicnn.kernels.convolution.grouped_weight import grad_weight as grad_weight
from minicnn.kernels.convolution.planes import divided, layout, ordered, whole, widen
from minicnn.kernels.convolution.sweep import Sweep, backwards, forwards, tables
from minicnn.kernels.geometry import Geometry
from minicnn.kernels.machine import lanes
from minicnn.kernels.memory import empty, read
from minicnn.kernels.microkernel import STEPS
from minicnn.kernels.tasks import tasks
from minicnn.kernels.vectors import add, add_partners, add_taps, copies, load, store, store_apart, zero

WIDEST = 2
"""Groups of more channels or outputs that need planes are better multiplied one by one: to lay planes takes longer than
it saves. On 14 × 14 images of 128 channels, forward and backward, 64 groups were even, 32 groups slower by 1.1."""

SIDE_BY_SIDE = 8
"""Vectors of outputs that take turns at a few pixels: memory is read in lines that follow each other."""


def applies(geometry: Geometry, channels: int, outputs: int, groups: int, dtype: np.dtype) -> bool:
    """Whether groups are too small to fill vectors, all of them together do, and sums are short."""
    width, most = lanes(dtype), max(channels, outputs) // groups
    return groups > 1 and most < width <= min(channels, outputs) and most * math.prod(geometry.kernel) <= STEPS


def pays(channels: int, outputs: int, groups: int, dtype: np.dtype) -> bool:
    """Whether it is faster than the matrix product of each group; whole groups in a vector were, by 1.3 to 5."""
    return whole(channels // groups, outputs // groups, dtype) or max(channels, outputs) // groups <= WIDEST


def require(geometry: Geometry, channels: int, outputs: int, groups: int, dtype: np.dtype) -> None:
    """Raise ValueError where the algorithm can't compute a convolution."""
    if not applies(geometry, channels, outputs, groups, dtype):
        raise ValueError(
            f"algorithm='grouped' needs several groups, each of fewer than {lanes(dtype)} channels and outputs, "
            f"at least {lanes(dtype)} of each in all, and at most {STEPS} products a sum; got {channels} channels, "
            f"{outputs} outputs, {groups} groups and kernel {geometry.kernel}"
        )


@part(forceinline=True)
def _several(x, at, step, taps, first, last, c, weight, O, partners, start, y, to, apart, pixels):
    """As many neighbouring pixels of a run as `pixels` has entries, one vector of outputs.

    Three taps beside each other read the same pixels, but for one on either side. Where lanes have partners, these are
    swapped once for all three: faster by 1.0 to 1.8. Without partners it was 0.85 to 1.1.
    """
    sums = copies(start, pixels)
    t = first
    while t < last:
        i, w = at + taps[t, 0], taps[t, 1] + c
        onward, between = step, np.int64(0)
        if len(partners) > 1 and t + 2 < last:
            onward, between = taps[t + 1, 0] - taps[t, 0], taps[t + 1, 1] - taps[t, 1]
            if taps[t + 2, 0] - taps[t + 1, 0] != onward or taps[t + 2, 1] - taps[t + 1, 1] != between:
                between = 0
        if between and onward == step:
            sums = add_taps(sums, x, i, step, weight, w, O, between, (0, 0, 0), partners)
            t += 3
        elif between and onward == -step:
            sums = add_taps(sums, x, i - 2 * step, step, weight, w + 2 * between, O, -between, (0, 0, 0), partners)
            t += 3
        else:
            sums = add_taps(sums, x, i, step, weight, w, O, between, (0,), partners)
            t += 1
    store_apart(sums, y, to, apart)


@part(inline="always")
def _one(x, at, taps, first, last, c, weight, O, partners, start, y, to):
    """One pixel, in four sums."""
    a0, a1, a2, a3 = start, zero(x), zero(x), zero(x)
    t = first
    while t + 4 <= last:
        a0 = add_partners(a0, x, at + taps[t, 0], weight, taps[t, 1] + c, O, partners)
        a1 = add_partners(a1, x, at + taps[t + 1, 0], weight, taps[t + 1, 1] + c, O, partners)
        a2 = add_partners(a2, x, at + taps[t + 2, 0], weight, taps[t + 2, 1] + c, O, partners)
        a3 = add_partners(a3, x, at + taps[t + 3, 0], weight, taps[t + 3, 1] + c, O, partners)
        t += 4
    while t < last:
        a0 = add_partners(a0, x, at + taps[t, 0], weight, taps[t, 1] + c, O, partners)
        t += 1
    store(add(add(a0, a1), add(a2, a3)), y, to)


@part
def _sweep_image(
    x, x0, row, pixel, base, weight, bias, y, y0, width, O, runs, taps, down, right, begin, end, vector, partners
):
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
            for tile in range(begin, end, SIDE_BY_SIDE):
                j = 0
                while j < count:  # the last ones may overlap those before them
                    left, size = count - j, 1
                    if count >= 8 and left > 5:
                        size = 8
                    elif count >= 5 and left > 4:
                        size = 5
                    elif count >= 4 and left > 1:
                        size = 4
                    j = min(j, count - size)
                    for block in range(tile, min(tile + SIDE_BY_SIDE, end)):
                        o = min(block * vector, O - vector)
                        start = load(bias, o) if bias.size else zero(x)
                        at = x0 + i * next_line + j * step + o - base
                        to = y0 + (i0 * width + j0) * O + i * line + j * apart + o
                        if size == 8:
                            _several(
                                x,
                                at,
                                step,
                                taps,
                                first,
                                last,
                                o,
                                weight,
                                O,
                                partners,
                                start,
                                y,
                                to,
                                apart,
                                (0, 0, 0, 0, 0, 0, 0, 0),
                            )
                        elif size == 5:
                            _several(
                                x,
                                at,
                                step,
                                taps,
                                first,
                                last,
                                o,
                                weight,
                                O,
                                partners,
                                start,
                                y,
                                to,
                                apart,
                                (0, 0, 0, 0, 0),
                            )
                        elif size == 4:
                            _several(
                                x,
                                at,
                                step,
                                taps,
                                first,
                                last,
                                o,
                                weight,
                                O,
                                partners,
                                start,
                                y,
                                to,
                                apart,
                                (0, 0, 0, 0),
                            )
                        else:
                            _one(x, at, taps, first, last, o, weight, O, partners, start, y, to)
                    j += size


@tasks
def _correlate(
    task, x, size, C, row, weight, bias, y, target, width, O, runs, taps, down, right, inner, outer, parts, vector,
    partners,
):  # fmt: skip
    """A task is a part of the outputs of one image.

    Args:
        x, size, C, row: the source, the elements of an image, its channels, how far apart rows lie where it is read.
        y, target, width, O: the target, the elements of an image, its columns and channels.
        inner, outer: channels and outputs of a group.
        parts: into how many tasks an image is divided.
    """
    blocks = -(-O // vector)
    n, part = task // parts, task % parts
    begin, end = blocks * part // parts, blocks * (part + 1) // parts
    direct = inner == outer == len(partners)
    planes = np.empty(0 if direct else (size // C * inner + 1) * vector, x.dtype)
    for block in range(begin, end, max(end - begin, 1) if direct else 1):
        o, last = min(block * vector, O - vector), end if direct else block + 1
        if direct:
            source, at, pixel, base = x, n * size, C, 0
        else:
            widen(x, n * size, size // C, C, o, inner, outer, planes, vector)
            source, at, pixel, base = planes, 0, inner * vector, o
        _sweep_image(
            source, at, row, pixel, base, weight, bias, y, n * target, width, O, runs, taps, down, right, block, last,
            vector, partners,
        )  # fmt: skip


def _swept(
    x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None, sweep: Sweep, size: tuple[int, int], groups: int
) -> np.ndarray:
    """The sum over taps and planes of x, for all pixels of a target of `size`; weight is [p][q][k][output]."""
    N, C, O = x.shape[0], x.shape[3], weight.shape[-1]
    inner, outer, vector = C // groups, O // groups, lanes(x.dtype)
    row, pixel, plane, partners = layout(x, inner, outer)
    weight = ordered(weight, partners)
    y = empty((N, *size, O), x.dtype)
    runs, taps = tables(sweep, inner // len(partners), row, pixel, plane, len(partners) * O)
    start = np.empty(0, x.dtype) if bias is None else np.ascontiguousarray(bias)
    image, target = math.prod(x.shape[1:]), math.prod(y.shape[1:])
    parts = divided(N, -(-O // vector))
    _correlate(
        N * parts, read(x.reshape(-1)), image, C, row, read(weight.reshape(-1)), start, y.reshape(-1), target, size[1],
        O, runs, taps, *sweep.step, inner, outer, parts, vector, partners,
    )  # fmt: skip
    return y


def forward(x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None, geometry: Geometry) -> np.ndarray:
    """y (N, OH, OW, O) from x (N, H, W, C), weight (O, C/groups, KH, KW) and bias (O,)."""
    by_tap = np.ascontiguousarray(weight.transpose(2, 3, 1, 0))
    groups = x.shape[3] // weight.shape[1]
    if window.applies(geometry, groups, x.shape[3], len(weight)):
        return window.forward(x, by_tap, bias, geometry)
    if len(weight) == groups == x.shape[3] and framed.applies(geometry, by_tap):
        return framed.forward(x, by_tap, bias, geometry)
    return _swept(x, by_tap, bias, forwards(geometry), geometry.output_size, groups)


def grad_input(grad_output: np.ndarray, weight: np.ndarray, geometry: Geometry, groups: int) -> np.ndarray:
    """The gradient with respect to x (N, H, W, C), given that with respect to y (N, OH, OW, O)."""
    O, CG, KH, KW = weight.shape
    by_tap = weight.reshape(groups, O // groups, CG, KH, KW).transpose(3, 4, 1, 0, 2)
    mirrored = framed.mirrored(geometry) if groups == O and CG == 1 else None
    if mirrored is not None and window.applies(mirrored, groups, CG * groups, O):
        return window.forward(grad_output, np.ascontiguousarray(by_tap[::-1, ::-1]), None, mirrored)
    if mirrored is not None and framed.applies(mirrored, by_tap):
        return framed.forward(grad_output, np.ascontiguousarray(by_tap[::-1, ::-1]), None, mirrored)
    by_tap = np.ascontiguousarray(by_tap).reshape(KH, KW, O // groups, groups * CG)
    return _swept(grad_output, by_tap, None, backwards(geometry), geometry.input_size, groups)
