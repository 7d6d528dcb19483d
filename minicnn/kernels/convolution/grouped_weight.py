"""The gradients with respect to the weight and the bias of grouped convolution, see `grouped`.

    ∂weight[tap, o, r] = Σ over pixels of  x[pixel + offset of the tap, o xor r] · g[pixel, o]
    ∂bias[o] = Σ over pixels of  g[pixel, o]

Images are shared out among the threads; each adds its products up in float32, and puts sums away in float64 before they
grow long. Depthwise convolution has the sums of a whole window in registers (`grouped_window_weight`). Other small
images are laid between zeros first (`bordered`), groups that fill no vector in planes (`planes`).
"""

import math

import numpy as np

from minicnn.kernels.compile import part
from minicnn.kernels.convolution import bordered, grouped_window_weight
from minicnn.kernels.convolution.bordered import SIDE_BY_SIDE, Border, border, lay
from minicnn.kernels.convolution.grouped_taps import add_pixels, add_products, put_away
from minicnn.kernels.convolution.planes import divided, layout, whole, widen
from minicnn.kernels.convolution.sweep import forwards, tables
from minicnn.kernels.geometry import Geometry
from minicnn.kernels.machine import lanes
from minicnn.kernels.memory import read
from minicnn.kernels.microkernel import STEPS
from minicnn.kernels.tasks import tasks
from minicnn.kernels.threads import get_num_threads


@part
def _collect(
    x, x0, row, pixel, base, g, g0, width, O, runs, taps, down, right, block, total, sums, before, vector, partners,
    bias,
):  # fmt: skip
    """One image's part of the gradient with respect to a block of weights, added to sums[block][tap and lane].

    The arguments are those of `_sweep_image`, with g in place of y. After at most STEPS products and as many again the
    sums, which have the dtype of x, are put away in total[block][tap][lane], float64. `bias` says whether the last row
    of both is for its gradient, whose sums are put away run by run.

    Returns: how many products the sums have, which had as many as `before`.
    """
    o, sums_of_block, products = min(block * vector, O - vector), sums[block], before
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
                add_products(x, at, *steps, *size, taps, first, last, sums_of_block, partners)
                if bias:
                    place = len(sums_of_block) - vector
                    add_pixels(g, to, below * width * O, beside * O, *size, sums_of_block, place)
                    for lane in range(vector):
                        total[block, -1, lane] += sums_of_block[place + lane]
                        sums_of_block[place + lane] = 0
                products += size[0] * size[1]
                if products >= STEPS:
                    put_away(sums_of_block, total[block].reshape(-1))
                    products = 0
    return products


@tasks
def _weight_gradient(
    task, x, size, C, row, g, target, width, O, runs, taps, down, right, inner, outer, N, chunks, parts, totals, vector,
    partners, border, bias,
):  # fmt: skip
    """totals[chunk of images][block][tap][lane]; a task is a part of the blocks of a chunk.

    border: what `lay` needs to know, zeros where x is read as it lies or from planes.
    """
    pitch, rows, columns, first, wide, area = border
    blocks = totals.shape[1]
    chunk, part = task // parts, task % parts
    begin, end = blocks * part // parts, blocks * (part + 1) // parts
    total, sums = totals[chunk], np.zeros((blocks, totals.shape[2] * vector), x.dtype)
    total[begin:end] = 0
    direct = inner == outer == len(partners)
    workspace = np.zeros(SIDE_BY_SIDE * area, x.dtype)
    planes = np.empty(0 if direct else (size // C * inner + 1) * vector, x.dtype)
    products = 0
    for n in range(N * chunk // chunks, N * (chunk + 1) // chunks):
        before = products
        for block in range(begin, end):
            o = min(block * vector, O - vector)
            if area:
                place = (block - begin) % SIDE_BY_SIDE
                if place == 0:
                    last = min(block + SIDE_BY_SIDE, end)
                    lay(x, n * size, C, pitch, rows, columns, block, last, workspace, first, wide, area, vector)
                source, at, line, pixel, base = workspace, place * area, wide * vector, vector, o
            elif direct:
                source, at, line, pixel, base = x, n * size, row, C, 0
            else:
                widen(x, n * size, size // C, C, o, inner, outer, planes, vector)
                source, at, line, pixel, base = planes, 0, row, inner * vector, o
            products = _collect(
                source, at, line, pixel, base, g, n * target, width, O, runs, taps, down, right, block, total, sums,
                before, vector, partners, bias,
            )  # fmt: skip
    for block in range(begin, end):
        put_away(sums[block], total[block].reshape(-1))


@tasks
def _add_up(block, totals, result, bias, vector, partners):
    """result[tap][channel][output] and bias[output], the sums of all chunks of images; a task is a block."""
    taps, inner, O = result.shape
    o = min(block * vector, O - vector)
    for tap in range(taps):
        for channel in range(inner):
            for lane in range(block * vector - o, vector):  # the last block overlaps the one before
                partner = (o + lane) % len(partners) ^ channel if len(partners) > 1 else channel
                total = 0.0
                for chunk in range(len(totals)):
                    total += totals[chunk, block, tap * inner + partner, lane]
                result[tap, channel, o + lane] = total
    if bias.size:
        for lane in range(block * vector - o, vector):
            bias[o + lane] = totals[:, block, taps * inner, lane].sum()


def grad_weight(x: np.ndarray, grad_output: np.ndarray, geometry: Geometry, groups: int) -> np.ndarray:
    """The gradient with respect to weight (O, C/groups, KH, KW), given x and the gradient with respect to y."""
    return _gradients(x, grad_output, geometry, groups, False)[0]


def grad_parameters(
    x: np.ndarray, grad_output: np.ndarray, geometry: Geometry, groups: int
) -> tuple[np.ndarray, np.ndarray]:
    """The same, and the gradient with respect to bias (O,), in one pass."""
    return _gradients(x, grad_output, geometry, groups, True)


def _gradients(
    x: np.ndarray, grad_output: np.ndarray, geometry: Geometry, groups: int, bias: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Both gradients; that with respect to bias is empty if it isn't asked for."""
    inner, outer = x.shape[3] // groups, grad_output.shape[3] // groups
    windows = grouped_window_weight.applies(geometry, inner, outer)
    found = border(geometry) if not windows and whole(inner, outer, x.dtype) else None
    if windows:
        totals = grouped_window_weight.sums(x, grad_output, geometry, bias)
    else:
        totals = _sums(x, grad_output, geometry, groups, bias, found)
    result = _added_up(x, totals, geometry, inner, outer, bias)
    if found is None or np.isfinite(result[0]).all():
        return result
    return _added_up(x, _sums(x, grad_output, geometry, groups, bias, None), geometry, inner, outer, bias)


def _sums(
    x: np.ndarray, grad_output: np.ndarray, geometry: Geometry, groups: int, bias: bool, border: Border | None
) -> np.ndarray:
    """The sums of chunks of images, [chunk][block of outputs][tap][lane], and one row more if `bias`: those of g."""
    (N, _, W, C), O, (KH, KW) = x.shape, grad_output.shape[3], geometry.kernel
    inner, outer, vector = C // groups, O // groups, lanes(x.dtype)
    sweep, blocks, threads = forwards(geometry), -(-O // vector), get_num_threads()
    row, pixel, plane, partners = layout(x, inner, outer)
    if border is None:
        runs, taps = tables(sweep, inner // len(partners), row, pixel, plane, O)
        laid = (0,) * 6
    else:
        runs, taps = bordered.tables(geometry, border.width, vector)
        laid = (W, border.rows, border.columns, border.first, border.width, border.area * vector)
    chunks = min(N, 2 * threads)
    totals = np.empty((chunks, blocks, KH * KW * inner + bias, vector))
    image, target = math.prod(x.shape[1:]), math.prod(grad_output.shape[1:])
    parts = divided(chunks, blocks)
    _weight_gradient(
        chunks * parts, read(x.reshape(-1)), image, C, row, read(grad_output.reshape(-1)), target,
        grad_output.shape[2], O, runs, taps, *sweep.step, inner, outer, N, chunks, parts, totals, vector, partners,
        laid, bias,
    )  # fmt: skip
    return totals


def _added_up(
    x: np.ndarray, totals: np.ndarray, geometry: Geometry, inner: int, outer: int, bias: bool
) -> tuple[np.ndarray, np.ndarray]:
    """The gradients with respect to weight and bias, of sums as `_sums` returns them."""
    (KH, KW), O, (*_, partners) = geometry.kernel, x.shape[3] // inner * outer, layout(x, inner, outer)
    weight, by_bias = np.empty((KH, KW, inner, O), x.dtype), np.empty(O if bias else 0, x.dtype)
    _add_up(totals.shape[1], totals, weight.reshape(KH * KW, inner, O), by_bias, lanes(x.dtype), partners)
    return weight.transpose(3, 2, 0, 1), by_bias  # in memory as `nn.Conv2d` keeps its weight
