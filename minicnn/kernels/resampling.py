"""Images sampled at other positions: resizing row by column, and sampling at free positions.

    resize:   y[n, i, j, c] = Σ over taps a of row i, taps b of column j of  u[a] · v[b] · x[n, row[a], column[b], c]
    sample:   y[n, p, c] = Σ over taps t of position p of  w[t] · x[n, place[t], c]

Resizing is separable: rows are blended along memory into one line, of which the columns are taken. Its gradient with
respect to x is a resizing with the transposed taps. An image of one channel stands for a plane of a row-major image.
"""

from typing import NamedTuple

import numpy as np

from minicnn.kernels.compile import part
from minicnn.kernels.memory import empty
from minicnn.kernels.tasks import spans, tasks
from minicnn.kernels.vectors import load, multiply, multiply_add, repeat, store, width


class Taps(NamedTuple):
    """Which input pixels an output pixel of one axis is made of.

    Attributes:
        start: output o has the taps start[o] … start[o + 1] − 1, int64 (O + 1,).
        place: the input pixel of each tap, int64.
        weight: its weight, of the images' dtype.
    """

    start: np.ndarray
    place: np.ndarray
    weight: np.ndarray

    def transposed(self, size: int) -> "Taps":
        """The taps of the gradient with respect to an axis of `size` pixels."""
        outputs = np.repeat(np.arange(len(self.start) - 1), np.diff(self.start))
        order = np.argsort(self.place, kind="stable")
        counts = np.bincount(self.place, minlength=size)
        start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return Taps(start, outputs[order], self.weight[order])


@part
def _blend(x, base, step, size, start, place, weight, i, y, to):
    """y[to + k] = Σ over the taps of i of  weight · x[base + place · step + k],  k < size."""
    first, end, lanes = start[i], start[i + 1], width(x)
    if end == first:
        for k in range(size):
            y[to + k] = 0
        return
    here, k = base + place[first] * step, 0
    while k + 4 * lanes <= size:  # several vectors at a time share each tap
        w = repeat(weight, first)
        a, b = multiply(w, load(x, here + k)), multiply(w, load(x, here + k + lanes))
        c, d = multiply(w, load(x, here + k + 2 * lanes)), multiply(w, load(x, here + k + 3 * lanes))
        for tap in range(first + 1, end):
            w, there = repeat(weight, tap), base + place[tap] * step + k
            a = multiply_add(w, load(x, there), a)
            b = multiply_add(w, load(x, there + lanes), b)
            c = multiply_add(w, load(x, there + 2 * lanes), c)
            d = multiply_add(w, load(x, there + 3 * lanes), d)
        store(a, y, to + k)
        store(b, y, to + k + lanes)
        store(c, y, to + k + 2 * lanes)
        store(d, y, to + k + 3 * lanes)
        k += 4 * lanes
    while k + lanes <= size:
        a = multiply(repeat(weight, first), load(x, here + k))
        for tap in range(first + 1, end):
            a = multiply_add(repeat(weight, tap), load(x, base + place[tap] * step + k), a)
        store(a, y, to + k)
        k += lanes
    while k < size:
        total = weight[first] * x[here + k]
        for tap in range(first + 1, end):
            total += weight[tap] * x[base + place[tap] * step + k]
        y[to + k] = total
        k += 1


@spans
def _resize(begin, end, x, row_start, row_place, row_weight, start, place, weight, y):
    H, W, C = x.shape[1:]
    OH, OW = y.shape[1:3]
    memory = x.reshape(-1)
    result = y.reshape(-1)
    line = np.empty(W * C, x.dtype)
    for task in range(begin, end):
        n, i = task // OH, task % OH
        _blend(memory, n * H * W * C, W * C, W * C, row_start, row_place, row_weight, i, line, 0)
        if C == 1:
            out = y[n, i, :, 0]
            for j in range(OW):
                total = x.dtype.type(0)
                for tap in range(start[j], start[j + 1]):
                    total += weight[tap] * line[place[tap]]
                out[j] = total
        else:
            for j in range(OW):
                _blend(line, 0, C, C, start, place, weight, j, result, (task * OW + j) * C)


@spans
def _resize_planes_in_pairs(begin, end, x, row_start, row_place, row_weight, place, weight, y):
    """As `_resize` for planes (M, H, W) where every output column has two taps."""
    H, W = x.shape[1:]
    OH, OW = y.shape[1:3]
    memory = x.reshape(-1)
    line = np.empty(W, x.dtype)
    for task in range(begin, end):
        m, i = task // OH, task % OH
        _blend(memory, m * H * W, W, W, row_start, row_place, row_weight, i, line, 0)
        out = y[m, i]
        for j in range(OW):
            out[j] = weight[2 * j] * line[place[2 * j]] + weight[2 * j + 1] * line[place[2 * j + 1]]


@tasks
def _nearest(task, x, rows, columns, y):
    OH, OW, C = y.shape[1:]
    n, i = task // OH, task % OH
    line = x[n, rows[i]]
    if C == 1:
        for j in range(OW):
            y[n, i, j, 0] = line[columns[j], 0]
    else:
        for j in range(OW):
            for c in range(C):
                y[n, i, j, c] = line[columns[j], c]


@tasks
def _sample(task, x, place, weight, y):
    P, C = y.shape[1:]
    n, p = task // P, task % P
    for c in range(C):
        y[n, p, c] = 0
    for t in range(place.shape[2]):
        if place[n, p, t] >= 0:
            for c in range(C):
                y[n, p, c] += weight[n, p, t] * x[n, place[n, p, t], c]


@tasks
def _sample_grad_x(n, g, place, weight, grad_x):
    P, C = g.shape[1:]
    grad_x[n] = 0
    for p in range(P):
        for t in range(place.shape[2]):
            if place[n, p, t] >= 0:
                for c in range(C):
                    grad_x[n, place[n, p, t], c] += weight[n, p, t] * g[n, p, c]


@tasks
def _sample_grad_weight(task, g, x, place, grad_weight):
    P, C = g.shape[1:]
    n, p = task // P, task % P
    for t in range(place.shape[2]):
        total = 0.0
        if place[n, p, t] >= 0:
            for c in range(C):
                total += np.float64(g[n, p, c]) * x[n, place[n, p, t], c]
        grad_weight[n, p, t] = total


def resize(x: np.ndarray, rows: Taps, columns: Taps) -> np.ndarray:
    """Images (N, H, W, C) resized to the number of outputs that the taps have."""
    N, C = len(x), x.shape[3]
    y = empty((N, len(rows.start) - 1, len(columns.start) - 1, C), x.dtype)
    if C == 1 and len(columns.place) == 2 * y.shape[2] and (np.diff(columns.start) == 2).all():
        _resize_planes_in_pairs(N * y.shape[1], x[..., 0], *rows, columns.place, columns.weight, y[..., 0])
    else:
        _resize(N * y.shape[1], x, *rows, *columns, y)
    return y


def nearest(x: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Images (N, len(rows), len(columns), C) of the given rows and columns of x (N, H, W, C)."""
    y = empty((len(x), len(rows), len(columns), x.shape[3]), x.dtype)
    _nearest(len(x) * len(rows), x, rows, columns, y)
    return y


def sample(x: np.ndarray, place: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Weighted sums of pixels.

    Args:
        x: (N, H·W, C).
        place: int64 (N, P, T), pixels of x; −1 for none.
        weight: (N, P, T), of the dtype of x.

    Returns: (N, P, C)
    """
    y = empty((*place.shape[:2], x.shape[2]), x.dtype)
    _sample(y.shape[0] * y.shape[1], x, place, weight, y)
    return y


def sample_grad_x(grad_output: np.ndarray, place: np.ndarray, weight: np.ndarray, pixels: int) -> np.ndarray:
    """The gradient of `sample` with respect to x (N, pixels, C)."""
    grad_x = empty((len(grad_output), pixels, grad_output.shape[2]), grad_output.dtype)
    _sample_grad_x(len(grad_x), grad_output, place, weight, grad_x)
    return grad_x


def sample_grad_weight(grad_output: np.ndarray, x: np.ndarray, place: np.ndarray) -> np.ndarray:
    """The gradient of `sample` with respect to the weights (N, P, T)."""
    grad_weight = empty(place.shape, x.dtype)
    _sample_grad_weight(place.shape[0] * place.shape[1], grad_output, x, place, grad_weight)
    return grad_weight
