"""Products of a few rows with a matrix: a linear layer of a few images, which waits for its weights.

    y[n, o] = Σ over i of  x[n, i] · weight[o, i] + bias[o]
    ∂x[n, i] = Σ over o of  ∂y[n, o] · weight[o, i]

Every weight is read once, where it lies: to pack weights for the micro-kernel, as the other convolutions do, takes
longer than a product of so few rows. Sums run through a chunk in the arrays' dtype, chunk after chunk in float64.
"""

import numpy as np

from minicnn.kernels.machine import WAKE_SUMS
from minicnn.kernels.memory import empty, read
from minicnn.kernels.tasks import spans
from minicnn.kernels.threads import get_num_threads
from minicnn.kernels.vectors import add, load, multiply_add, repeat, store, width, zero

FORWARD, BACKWARD = 12, 6
"""Up to so many rows these products are faster than the micro-kernel's."""
SIDE = 8
"""Outputs, or weights' rows, that are taken at a time."""
CHUNK = 512
"""Numbers of a row of weights that are; those of `SIDE` rows stay in the first-level cache from one x to the next."""
RUN = 64
"""Rows of weights whose products are added up in the arrays' dtype."""


@spans
def _products(begin, end, x, weight, bias, tasks, y):
    """A task is a part of the blocks of `SIDE` outputs."""
    (N, I), O, lanes = x.shape, len(weight), width(x)
    X, W = x.reshape(-1), weight.reshape(-1)
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
def _combinations(begin, end, g, weight, tasks, grad_x):
    """A task is a part of the chunks of columns."""
    (N, O), I, lanes = g.shape, weight.shape[1], width(g)
    G, W = g.reshape(-1), weight.reshape(-1)
    run, totals = np.empty(N * CHUNK, g.dtype), np.empty((N, CHUNK))
    chunks = -(-I // CHUNK)
    for chunk in range(chunks * begin // tasks, chunks * end // tasks):
        first, columns = chunk * CHUNK, min(CHUNK, I - chunk * CHUNK)
        whole = columns - columns % lanes
        totals[:] = 0
        for start in range(0, O, RUN):
            stop = min(start + RUN, O)
            run[:] = 0
            for o in range(start, stop - SIDE + 1, SIDE):
                for n in range(N):
                    at, w = n * O + o, o * I + first
                    p, q, r, s = repeat(G, at), repeat(G, at + 1), repeat(G, at + 2), repeat(G, at + 3)
                    t, u, v, z = repeat(G, at + 4), repeat(G, at + 5), repeat(G, at + 6), repeat(G, at + 7)
                    for c in range(0, whole, lanes):
                        a = multiply_add(p, load(W, w + c), load(run, n * CHUNK + c))
                        b = multiply_add(q, load(W, w + I + c), zero(g))
                        a, b = multiply_add(r, load(W, w + 2 * I + c), a), multiply_add(s, load(W, w + 3 * I + c), b)
                        a, b = multiply_add(t, load(W, w + 4 * I + c), a), multiply_add(u, load(W, w + 5 * I + c), b)
                        a, b = multiply_add(v, load(W, w + 6 * I + c), a), multiply_add(z, load(W, w + 7 * I + c), b)
                        store(add(a, b), run, n * CHUNK + c)
            for o in range(stop - (stop - start) % SIDE, stop):
                for n in range(N):
                    p = repeat(G, n * O + o)
                    for c in range(0, whole, lanes):
                        store(multiply_add(p, load(W, o * I + first + c), load(run, n * CHUNK + c)), run, n * CHUNK + c)
            for n in range(N):
                for c in range(whole):
                    totals[n, c] += run[n * CHUNK + c]
                for c in range(whole, columns):
                    for o in range(start, stop):
                        totals[n, c] += np.float64(G[n * O + o]) * W[o * I + first + c]
        for n in range(N):
            for c in range(columns):
                grad_x[n, first + c] = totals[n, c]


def _tasks(weight: np.ndarray) -> int:
    """Into how many tasks the work is divided: one where other threads would take longer to wake."""
    return 4 * get_num_threads() if weight.size >= WAKE_SUMS else 1


def products(x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None) -> np.ndarray:
    """x @ weightᵀ + bias, for row-major x (N, I) and weight (O, I), none of them empty; bias (O,)."""
    y = empty((len(x), len(weight)), x.dtype)
    shift = np.empty(0, x.dtype) if bias is None else np.ascontiguousarray(bias)
    tasks = _tasks(weight)
    _products(tasks, read(x), read(weight), read(shift), tasks, y)
    return y


def combinations(grad_output: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """grad_output @ weight, for row-major grad_output (N, O) and weight (O, I), none of them empty."""
    grad_x = empty((len(grad_output), weight.shape[1]), grad_output.dtype)
    tasks = _tasks(weight)
    _combinations(tasks, read(grad_output), read(weight), tasks, grad_x)
    return grad_x
