"""The gradient with respect to the weight of grouped convolution, see `grouped`.

Nine taps stay in registers while a run is walked:

    ∂weight[tap, o] = Σ over pixels of  plane[pixel + offset of the tap, o] · g[pixel, o]
"""

import math

import numpy as np
from numba import prange

from minicnn.kernels.compile import kernel
from minicnn.kernels.convolution.planes import divided, layout, ordered, widen
from minicnn.kernels.convolution.sweep import forwards, tables
from minicnn.kernels.geometry import Geometry
from minicnn.kernels.microkernel import STEPS, lanes
from minicnn.kernels.threads import get_num_threads
from minicnn.kernels.vectors import add, add_each, load, load_each, multiply_add, store, store_each, width, zero

TAPS = 9
"""Taps summed at a time; a window of 3 × 3."""


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


@kernel(forceinline=True)
def _partnered(x, at, down, right, g, to, below, beside, rows, columns, taps, t, sums, partners):
    """As `_nine`, for one tap and all partners of each lane."""
    place = taps[t, 2] * width(x) * len(partners)
    a = load_each(sums, place, partners)
    for i in range(rows):
        for j in range(columns):
            v = load(x, at + i * down + j * right + taps[t, 0])
            a = add_each(a, v, load(g, to + i * below + j * beside))
    store_each(a, sums, place)


@kernel(forceinline=True)
def _two_partnered(x, at, down, right, g, to, below, beside, rows, columns, taps, t, sums, partners):
    """As `_partnered`, for two taps."""
    L = width(x) * len(partners)
    a, b = load_each(sums, taps[t, 2] * L, partners), load_each(sums, taps[t + 1, 2] * L, partners)
    t0, t1 = taps[t, 0], taps[t + 1, 0]
    for i in range(rows):
        for j in range(columns):
            v, p = load(g, to + i * below + j * beside), at + i * down + j * right
            a = add_each(a, load(x, p + t0), v)
            b = add_each(b, load(x, p + t1), v)
    store_each(a, sums, taps[t, 2] * L)
    store_each(b, sums, taps[t + 1, 2] * L)


@kernel
def _put_away(sums, total):
    """total[tap][lane] += sums[tap][lane], which begin anew."""
    taps, L = total.shape
    for tap in range(taps):
        for lane in range(L):
            total[tap, lane] += sums[tap * L + lane]
            sums[tap * L + lane] = 0


@kernel
def _collect(
    x, x0, row, pixel, base, g, g0, width, O, runs, taps, down, right, begin, end, total, sums, before, vector,
    partners,
):
    """One image's part of the gradient with respect to weight, added to sums[block][tap and lane].

    The arguments are those of `_sweep_image`, with g in place of y. After at most STEPS products and as many again the
    sums, which have the dtype of x, are put away in total[block][tap][lane], float64.

    Returns: how many products the sums have, which had as many as `before`.
    """
    products = before
    for block in range(begin, end):
        o, sums_of_block = min(block * vector, O - vector), sums[block]
        products = before
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
                        if len(partners) > 1:
                            if last - t >= 2 and len(partners) < 8:
                                _two_partnered(x, at, *steps, *size, taps, t, sums_of_block, partners)
                                t += 2
                            else:
                                _partnered(x, at, *steps, *size, taps, t, sums_of_block, partners)
                                t += 1
                        elif last - t >= TAPS:
                            _nine(x, at, *steps, *size, taps, t, sums_of_block)
                            t += TAPS
                        elif last - t >= 3:
                            _three(x, at, *steps, *size, taps, t, sums_of_block)
                            t += 3
                        else:
                            _single(x, at, *steps, *size, taps, t, sums_of_block)
                            t += 1
                    products += size[0] * size[1]
                    if products >= STEPS:
                        _put_away(sums_of_block, total[block])
                        products = 0
    return products


@kernel(parallel=True)
def _weight_gradient(
    x, size, C, row, g, target, width, O, runs, taps, down, right, inner, outer, N, chunks, parts, totals, vector,
    partners,
):
    """totals[chunk of images][block][tap][lane]; each task is a part of the blocks of a chunk."""
    blocks = totals.shape[1]
    for number in prange(chunks * parts):
        task = np.int64(number)
        chunk, part = task // parts, task % parts
        begin, end = blocks * part // parts, blocks * (part + 1) // parts
        total, sums = totals[chunk], np.zeros((blocks, totals.shape[2] * vector), x.dtype)
        total[begin:end] = 0
        direct = inner == outer == len(partners)
        planes = np.empty(0 if direct else (size // C * inner + 1) * vector, x.dtype)
        products = 0
        for n in range(N * chunk // chunks, N * (chunk + 1) // chunks):
            if direct:
                products = _collect(
                    x, n * size, row, C, 0, g, n * target, width, O, runs, taps, down, right, begin, end, total, sums,
                    products, vector, partners,
                )  # fmt: skip
            else:
                before = products
                for block in range(begin, end):
                    o = min(block * vector, O - vector)
                    widen(x, n * size, size // C, C, o, inner, outer, planes, vector)
                    products = _collect(
                        planes, 0, row, inner * vector, o, g, n * target, width, O, runs, taps, down, right, block,
                        block + 1, total, sums, before, vector, partners,
                    )  # fmt: skip
        for block in range(begin, end):
            _put_away(sums[block], total[block])


def grad_weight(x: np.ndarray, grad_output: np.ndarray, geometry: Geometry, groups: int) -> np.ndarray:
    """The gradient with respect to weight (O, C/groups, KH, KW), given x and the gradient with respect to y."""
    (N, _, _, C), O, (KH, KW) = x.shape, grad_output.shape[3], geometry.kernel
    inner, outer, vector = C // groups, O // groups, lanes(x.dtype)
    sweep, blocks, threads = forwards(geometry), -(-O // vector), get_num_threads()
    row, pixel, plane, partners = layout(x, inner, outer)
    runs, taps = tables(sweep, inner // len(partners), row, pixel, plane, O)
    chunks = min(N, 2 * threads)
    totals = np.empty((chunks, blocks, KH * KW * inner, vector))
    image, target = math.prod(x.shape[1:]), math.prod(grad_output.shape[1:])
    _weight_gradient(
        x.reshape(-1), image, C, row, grad_output.reshape(-1), target, grad_output.shape[2], O, runs, taps,
        *sweep.step, inner, outer, N, chunks, divided(chunks, blocks), totals, vector, partners,
    )  # fmt: skip
    total = totals.sum(0)
    result = np.empty((KH * KW * inner, O), x.dtype)
    result[:, : (blocks - 1) * vector] = total[:-1].transpose(1, 0, 2).reshape(len(result), -1)
    result[:, O - vector :] = total[-1]
    result = ordered(result.reshape(KH, KW, inner, O), partners)
    return np.ascontiguousarray(result.transpose(3, 2, 0, 1))
