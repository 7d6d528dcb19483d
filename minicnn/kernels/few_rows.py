"""Products of a few rows with a matrix: a linear layer of a few images, which waits for its weights.

    y[n, o] = bias[o] + Σ over i of  x[n, i] · matrix[o, i]         inner products of rows: `products`
    y[n, o] = bias[o] + Σ over i of  x[n, i] · matrix[i, o]         sums of the matrix's rows: `combinations`

A layer's weight is a matrix of the first kind or of the second, as it lies in memory; its gradient with respect to x
takes the other sum. Every weight is read once, where it lies: to pack weights for the micro-kernel, as convolutions do,
takes longer than a product of so few rows. Sums run through a chunk in the arrays' dtype, chunk after chunk in float64.
"""

from typing import Any

import numpy as np

from minicnn.kernels.machine import WAKE_SUMS
from minicnn.kernels.memory import empty, read
from minicnn.kernels.tasks import spans
from minicnn.kernels.threads import get_num_threads
from minicnn.kernels.vectors import add, load, multiply_add, repeat, store, width, zero

PRODUCTS, COMBINATIONS = 12, 6
"""Up to so many rows either is faster than the micro-kernel."""
SIDE = 8
"""Outputs, or weights' rows, that are taken at a time."""
CHUNK = 512
"""Numbers of a row of weights that are; those of `SIDE` rows stay in the first-level cache from one x to the next."""
RUN = 64
"""Rows of weights whose products are added up in the arrays' dtype."""


@spans
def _products(begin, end, x, matrix, bias, tasks, y):
    """A task is a part of the blocks of `SIDE` outputs."""
    (N, I), O, lanes = x.shape, len(matrix), width(x)
    X, W = x.reshape(-1), matrix.reshape(-1)
    sums, totals = np.empty(SIDE * lanes, x.dtype), np.empty((N, SIDE))
    blocks = -(-O // SIDE)
    for block in range(blocks * begin // tasks, blocks * end // tasks):
        o, count = block * SIDE, min(SIDE, O - block * SIDE)
        totals[:] = 0
        for first in range(0, I, CHUNK):
            last = min(first + CHUNK, I)
            whole = last - (last - first) % lanes
            for n in range(N):
                at = n * I
                if count == SIDE:
                    w = o * I
                    a, b, c, d = zero(x), zero(x), zero(x), zero(x)
                    e, f, g, h = zero(x), zero(x), zero(x), zero(x)
                    for i in range(first, whole, lanes):
                        v = load(X, at + i)
                        a, b = multiply_add(v, load(W, w + i), a), multiply_add(v, load(W, w + I + i), b)
                        c, d = multiply_add(v, load(W, w + 2 * I + i), c), multiply_add(v, load(W, w + 3 * I + i), d)
                        e, f = multiply_add(v, load(W, w + 4 * I + i), e), multiply_add(v, load(W, w + 5 * I + i), f)
                        g, h = multiply_add(v, load(W, w + 6 * I + i), g), multiply_add(v, load(W, w + 7 * I + i), h)
                    store(a, sums, 0)
                    store(b, sums, lanes)
                    store(c, sums, 2 * lanes)
                    store(d, sums, 3 * lanes)
                    store(e, sums, 4 * lanes)
                    store(f, sums, 5 * lanes)
                    store(g, sums, 6 * lanes)
                    store(h, sums, 7 * lanes)
                else:
                    for k in range(count):
                        a = zero(x)
                        for i in range(first, whole, lanes):
                            a = multiply_add(load(X, at + i), load(W, (o + k) * I + i), a)
                        store(a, sums, k * lanes)
                for k in range(count):
                    total = 0.0
                    for lane in range(lanes):
                        total += sums[k * lanes + lane]
                    for i in range(whole, last):
                        total += np.float64(X[at + i]) * W[(o + k) * I + i]
                    totals[n, k] += total
        for n in range(N):
            for k in range(count):
                y[n, o + k] = totals[n, k] + (bias[o + k] if len(bias) else 0.0)


@spans
def _combinations(begin, end, x, matrix, bias, tasks, y):
    """A task is a part of the chunks of columns."""
    (N, I), O, lanes = x.shape, matrix.shape[1], width(x)
    X, W = x.reshape(-1), matrix.reshape(-1)
    run, totals = np.empty(N * CHUNK, x.dtype), np.empty((N, CHUNK))
    chunks = -(-O // CHUNK)
    for chunk in range(chunks * begin // tasks, chunks * end // tasks):
        first, columns = chunk * CHUNK, min(CHUNK, O - chunk * CHUNK)
        whole = columns - columns % lanes
        totals[:] = 0
        for start in range(0, I, RUN):
            stop = min(start + RUN, I)
            run[:] = 0
            for i in range(start, stop - SIDE + 1, SIDE):
                for n in range(N):
                    at, w = n * I + i, i * O + first
                    p, q, r, s = repeat(X, at), repeat(X, at + 1), repeat(X, at + 2), repeat(X, at + 3)
                    t, u, v, z = repeat(X, at + 4), repeat(X, at + 5), repeat(X, at + 6), repeat(X, at + 7)
                    for c in range(0, whole, lanes):
                        a = multiply_add(p, load(W, w + c), load(run, n * CHUNK + c))
                        b = multiply_add(q, load(W, w + O + c), zero(x))
                        a, b = multiply_add(r, load(W, w + 2 * O + c), a), multiply_add(s, load(W, w + 3 * O + c), b)
                        a, b = multiply_add(t, load(W, w + 4 * O + c), a), multiply_add(u, load(W, w + 5 * O + c), b)
                        a, b = multiply_add(v, load(W, w + 6 * O + c), a), multiply_add(z, load(W, w + 7 * O + c), b)
                        store(add(a, b), run, n * CHUNK + c)
            for i in range(stop - (stop - start) % SIDE, stop):
                for n in range(N):
                    p = repeat(X, n * I + i)
                    for c in range(0, whole, lanes):
                        store(multiply_add(p, load(W, i * O + first + c), load(run, n * CHUNK + c)), run, n * CHUNK + c)
            for n in range(N):
                for c in range(whole):
                    totals[n, c] += run[n * CHUNK + c]
                for c in range(whole, columns):
                    for i in range(start, stop):
                        totals[n, c] += np.float64(X[n * I + i]) * W[i * O + first + c]
        for n in range(N):
            for c in range(columns):
                y[n, first + c] = totals[n, c] + (bias[first + c] if len(bias) else 0.0)


def _run(kernel: Any, x: np.ndarray, matrix: np.ndarray, bias: np.ndarray | None, outputs: int) -> np.ndarray:
    y = empty((len(x), outputs), x.dtype)
    shift = np.empty(0, x.dtype) if bias is None else np.ascontiguousarray(bias)
    tasks = 4 * get_num_threads() if matrix.size >= WAKE_SUMS else 1  # for less, others would take longer to wake
    kernel(tasks, read(x), read(matrix), read(shift), tasks, y)
    return y


def products(x: np.ndarray, matrix: np.ndarray, bias: np.ndarray | None = None) -> np.ndarray:
    """x @ matrixᵀ + bias, for row-major x (N, I) and matrix (O, I), neither of them empty; bias (O,)."""
    return _run(_products, x, matrix, bias, len(matrix))


def combinations(x: np.ndarray, matrix: np.ndarray, bias: np.ndarray | None = None) -> np.ndarray:
    """x @ matrix + bias, for row-major x (N, I) and matrix (I, O), neither of them empty; bias (O,)."""
    return _run(_combinations, x, matrix, bias, matrix.shape[1])


def multiply(x: np.ndarray, matrix: np.ndarray, bias: np.ndarray | None = None) -> np.ndarray | None:
    """x @ matrix + bias where x has few rows and the matrix lies along its rows or its columns; None else."""
    if len(x) <= COMBINATIONS and matrix.flags.c_contiguous:
        return combinations(x, matrix, bias)
    if len(x) <= PRODUCTS and matrix.flags.f_contiguous:
        return products(x, matrix.T, bias)
    return None
