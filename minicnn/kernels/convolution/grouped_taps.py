"""Products of two images, summed in registers over a run of pixels: the inside of the gradient with respect to weight.

    sums[tap, r, lane] += Σ over pixels of  x[pixel + offset of the tap, lane xor r] · g[pixel, lane]

As many taps at a time as there are registers for: nine, three or one, and where lanes have partners (r < S, see
`grouped`) two, or one if S is 8.
"""

import numpy as np

from minicnn.kernels.compile import part
from minicnn.kernels.vectors import add, add_each, load, load_each, multiply_add, store, store_each, width, zero

TAPS = 9
"""Taps summed at a time; a window of 3 × 3."""


@part(forceinline=True)
def _nine_sums(sums, taps, t):
    """The sums of nine taps, each a vector."""
    L = width(sums)
    a0, a1, a2 = load(sums, taps[t, 2] * L), load(sums, taps[t + 1, 2] * L), load(sums, taps[t + 2, 2] * L)
    a3, a4, a5 = load(sums, taps[t + 3, 2] * L), load(sums, taps[t + 4, 2] * L), load(sums, taps[t + 5, 2] * L)
    a6, a7, a8 = load(sums, taps[t + 6, 2] * L), load(sums, taps[t + 7, 2] * L), load(sums, taps[t + 8, 2] * L)
    return a0, a1, a2, a3, a4, a5, a6, a7, a8


@part(forceinline=True)
def _keep_nine(vectors, sums, taps, t):
    """The opposite of `_nine_sums`."""
    for k in range(TAPS):
        store(vectors[k], sums, taps[t + k, 2] * width(sums))


@part(forceinline=True)
def _nine(x, at, down, right, g, to, below, beside, rows, columns, taps, t, sums):
    """Nine taps of a gradient with respect to weight: `rows` × `columns` pixels add to sums[tap][lane]."""
    a0, a1, a2, a3, a4, a5, a6, a7, a8 = _nine_sums(sums, taps, t)
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
    _keep_nine((a0, a1, a2, a3, a4, a5, a6, a7, a8), sums, taps, t)


@part(forceinline=True)
def _slides(right, taps, t):
    """Whether nine taps are three rows of three, as far from each other as neighbouring pixels of a run are."""
    slides = True
    for row in range(t, t + 9, 3):
        for tap in range(row, row + 2):
            slides &= taps[tap + 1, 0] - taps[tap, 0] == right
    return slides


@part(forceinline=True)
def _sliding(x, at, down, right, g, to, below, beside, rows, columns, taps, t, sums):
    """As `_nine`, where a window holds six of the nine pixels of the window before it: three are read, not nine."""
    a0, a1, a2, a3, a4, a5, a6, a7, a8 = _nine_sums(sums, taps, t)
    for i in range(rows):
        top, middle, bottom = at + i * down + taps[t, 0], at + i * down + taps[t + 3, 0], at + i * down + taps[t + 6, 0]
        x0, x3, x6 = load(x, top), load(x, middle), load(x, bottom)
        x1, x4, x7 = load(x, top + right), load(x, middle + right), load(x, bottom + right)
        for j in range(columns):
            v, p = load(g, to + i * below + j * beside), (j + 2) * right
            x2, x5, x8 = load(x, top + p), load(x, middle + p), load(x, bottom + p)
            a0, a1, a2 = multiply_add(x0, v, a0), multiply_add(x1, v, a1), multiply_add(x2, v, a2)
            a3, a4, a5 = multiply_add(x3, v, a3), multiply_add(x4, v, a4), multiply_add(x5, v, a5)
            a6, a7, a8 = multiply_add(x6, v, a6), multiply_add(x7, v, a7), multiply_add(x8, v, a8)
            x0, x1, x3, x4, x6, x7 = x1, x2, x4, x5, x7, x8
    _keep_nine((a0, a1, a2, a3, a4, a5, a6, a7, a8), sums, taps, t)


@part(forceinline=True)
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


@part(forceinline=True)
def _single(x, at, down, right, g, to, below, beside, rows, columns, taps, t, sums):
    """As `_nine`, for one tap."""
    place = taps[t, 2] * width(x)
    a = load(sums, place)
    for i in range(rows):
        for j in range(columns):
            a = multiply_add(load(x, at + i * down + j * right + taps[t, 0]), load(g, to + i * below + j * beside), a)
    store(a, sums, place)


@part(forceinline=True)
def _partnered(x, at, down, right, g, to, below, beside, rows, columns, taps, t, sums, partners):
    """As `_nine`, for one tap and all partners of each lane."""
    place = taps[t, 2] * width(x) * len(partners)
    a = load_each(sums, place, partners)
    for i in range(rows):
        for j in range(columns):
            v = load(x, at + i * down + j * right + taps[t, 0])
            a = add_each(a, v, load(g, to + i * below + j * beside))
    store_each(a, sums, place)


@part(forceinline=True)
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


@part(forceinline=True)
def add_pixels(g, to, below, beside, rows, columns, sums, place):
    """sums[place : place + L] += the pixels of a run, for the gradient with respect to bias."""
    total = load(sums, place)
    for i in range(rows):
        at, a, b, c, d = to + i * below, zero(g), zero(g), zero(g), zero(g)
        for j in range(0, columns - 3, 4):
            a, b = add(a, load(g, at + j * beside)), add(b, load(g, at + (j + 1) * beside))
            c, d = add(c, load(g, at + (j + 2) * beside)), add(d, load(g, at + (j + 3) * beside))
        for j in range(columns - columns % 4, columns):
            a = add(a, load(g, at + j * beside))
        total = add(total, add(add(a, b), add(c, d)))
    store(total, sums, place)


@part(forceinline=True)
def add_products(x, at, down, right, g, to, below, beside, rows, columns, taps, first, last, sums, partners):
    """All taps of a run.

    Args:
        x, at, down, right: the image, the run's first pixel, the steps to the pixels below and beside.
        g, to, below, beside: the same of the gradient with respect to y.
        rows, columns: of the run.
        taps, first, last: offsets and numbers of taps, and which of them the run has.
        sums: [tap][partner][lane]
        partners: as many zeros as a lane has partners.
    """
    t = first
    while t < last:
        if len(partners) > 1:
            if last - t >= 2 and len(partners) < 8:
                _two_partnered(x, at, down, right, g, to, below, beside, rows, columns, taps, t, sums, partners)
                t += 2
            else:
                _partnered(x, at, down, right, g, to, below, beside, rows, columns, taps, t, sums, partners)
                t += 1
        elif last - t >= TAPS and _slides(right, taps, t):
            _sliding(x, at, down, right, g, to, below, beside, rows, columns, taps, t, sums)
            t += TAPS
        elif last - t >= TAPS:
            _nine(x, at, down, right, g, to, below, beside, rows, columns, taps, t, sums)
            t += TAPS
        elif last - t >= 3:
            _three(x, at, down, right, g, to, below, beside, rows, columns, taps, t, sums)
            t += 3
        else:
            _single(x, at, down, right, g, to, below, beside, rows, columns, taps, t, sums)
            t += 1


@part
def put_away(sums, total):
    """total += sums, which begin anew; flat arrays, that of float64."""
    for k in range(np.uint64(len(sums))):
        total[k] += sums[k]
        sums[k] = 0
