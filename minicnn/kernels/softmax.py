"""Softmax and its logarithm along one axis of an array that lies in memory as (A, K, B), the axis in the middle.

    softmax:      y[k] = exp(x[k] − max x) / Σ exp(x − max x),      ∂x[k] = y[k] · (∂y[k] − Σ ∂y · y)
    log_softmax:  y[k] = x[k] − max x − ln Σ exp(x − max x),        ∂x[k] = ∂y[k] − exp(y[k]) · Σ ∂y

A task is a few rows where K is last in memory (B = 1), else at most `WIDTH` columns: as many numbers as the first-level
cache holds, so that the passes over them cost no memory traffic. Every pass is a plain loop that the compiler
vectorises. Sums are carried in float64.
"""

import math
from typing import Any

import numpy as np

from minicnn.kernels.compile import part
from minicnn.kernels.exponential import exp_of_negative
from minicnn.kernels.machine import WAKE_SOFTMAX
from minicnn.kernels.memory import dense, empty_like, like
from minicnn.kernels.rows import LANES, inner, largest, total
from minicnn.kernels.tasks import spans
from minicnn.kernels.vectors import fill_vectors

TASK = 4096
"""Numbers of a task, at least one row."""
WIDTH = 256
"""Columns of a task."""
SHORT = 64
"""Rows shorter than that are computed side by side."""


@part(allocates=True)
def _rows(x, y, logarithm):
    fill_vectors()
    """Rows of x (R, K)."""
    R, K = x.shape
    scratch, e = np.empty(LANES, x.dtype), np.empty(K, x.dtype)
    for r in range(R):
        row, result = x[r], y[r]
        shift = largest(row, scratch)
        for k in range(K):
            e[k] = exp_of_negative(row[k] - shift)
        summed = total(e, scratch)
        if logarithm:
            rest = y.dtype.type(np.log(summed))
            for k in range(K):
                result[k] = (row[k] - shift) - rest
        else:
            factor = y.dtype.type(1 / summed)
            for k in range(K):
                result[k] = e[k] * factor


@part(allocates=True)
def _columns(x, y, logarithm, begin, end):
    fill_vectors()
    """Columns begin … end of x (K, B)."""
    K, width = x.shape[0], end - begin
    most, sums = np.full(width, -np.inf, x.dtype), np.zeros(width)
    for k in range(K):
        row = x[k, begin:end]
        for b in range(width):
            most[b] = row[b] if row[b] > most[b] else most[b]
    e = np.empty(width, x.dtype)
    for k in range(K):
        row, result = x[k, begin:end], y[k, begin:end]
        for b in range(width):
            e[b] = exp_of_negative(row[b] - most[b])
        for b in range(width):
            sums[b] += e[b]
        if logarithm:
            for b in range(width):
                result[b] = row[b] - most[b]
        else:
            for b in range(width):
                result[b] = e[b]
    for b in range(width):
        most[b] = np.log(sums[b]) if logarithm else 1 / sums[b]
    for k in range(K):
        result = y[k, begin:end]
        if logarithm:
            for b in range(width):
                result[b] -= most[b]
        else:
            for b in range(width):
                result[b] *= most[b]


@part(allocates=True)
def _short_rows(x, y, logarithm):
    """Rows of x (R, K) as columns, since K is too short for vectors."""
    R, K = x.shape
    turned, result = np.empty((K, R), x.dtype), np.empty((K, R), x.dtype)
    for k in range(K):
        for r in range(R):
            turned[k, r] = x[r, k]
    _columns(turned, result, logarithm, 0, R)
    for r in range(R):
        for k in range(K):
            y[r, k] = result[k, r]


@spans
def _softmax(first, last, x, y, logarithm, tasks):
    A, K, B = x.shape
    if B == 1:
        begin, end = A * first // tasks, A * last // tasks
        rows, result = x.reshape(A, K)[begin:end], y.reshape(A, K)[begin:end]
        if K < SHORT:
            _short_rows(rows, result, logarithm)
        else:
            _rows(rows, result, logarithm)
    else:
        pieces = tasks // A
        for task in range(first, last):
            a, piece = task // pieces, task % pieces
            _columns(x[a], y[a], logarithm, B * piece // pieces, B * (piece + 1) // pieces)


@part(allocates=True)
def _gradient_rows(g, y, grad_input, logarithm):
    fill_vectors()
    R, K = y.shape
    scratch = np.empty(LANES, y.dtype)
    for r in range(R):
        slope, row, result = g[r], y[r], grad_input[r]
        if logarithm:
            summed = y.dtype.type(total(slope, scratch))
            for k in range(K):
                result[k] = slope[k] - exp_of_negative(row[k]) * summed
        else:
            summed = y.dtype.type(inner(slope, row, scratch))
            for k in range(K):
                result[k] = row[k] * (slope[k] - summed)


@part(allocates=True)
def _gradient_columns(g, y, grad_input, logarithm, begin, end):
    fill_vectors()
    K, width = y.shape[0], end - begin
    sums, rounded = np.zeros(width), np.empty(width, y.dtype)
    for k in range(K):
        slope, row = g[k, begin:end], y[k, begin:end]
        if logarithm:
            for b in range(width):
                sums[b] += slope[b]
        else:
            for b in range(width):
                sums[b] += slope[b] * row[b]
    for b in range(width):
        rounded[b] = sums[b]
    for k in range(K):
        slope, row, result = g[k, begin:end], y[k, begin:end], grad_input[k, begin:end]
        if logarithm:
            for b in range(width):
                result[b] = slope[b] - exp_of_negative(row[b]) * rounded[b]
        else:
            for b in range(width):
                result[b] = row[b] * (slope[b] - rounded[b])


@part(allocates=True)
def _gradient_short_rows(g, y, grad_input, logarithm):
    R, K = y.shape
    slopes, turned, by_turned = np.empty((K, R), y.dtype), np.empty((K, R), y.dtype), np.empty((K, R), y.dtype)
    for k in range(K):
        for r in range(R):
            slopes[k, r], turned[k, r] = g[r, k], y[r, k]
    _gradient_columns(slopes, turned, by_turned, logarithm, 0, R)
    for r in range(R):
        for k in range(K):
            grad_input[r, k] = by_turned[k, r]


@spans
def _softmax_gradient(first, last, g, y, grad_input, logarithm, tasks):
    A, K, B = y.shape
    if B == 1:
        begin, end = A * first // tasks, A * last // tasks
        slopes, rows = g.reshape(A, K)[begin:end], y.reshape(A, K)[begin:end]
        by_rows = grad_input.reshape(A, K)[begin:end]
        if K < SHORT:
            _gradient_short_rows(slopes, rows, by_rows, logarithm)
        else:
            _gradient_rows(slopes, rows, by_rows, logarithm)
    else:
        pieces = tasks // A
        for task in range(first, last):
            a, piece = task // pieces, task % pieces
            _gradient_columns(
                g[a], y[a], grad_input[a], logarithm, B * piece // pieces, B * (piece + 1) // pieces
            )  # fmt: skip


def _boxed(x: np.ndarray, axis: int) -> np.ndarray:
    """The memory of a dense array as (A, K, B), `axis` in the middle."""
    if x.flags.c_contiguous:  # as nearly always
        return x.reshape(math.prod(x.shape[:axis]), x.shape[axis], math.prod(x.shape[axis + 1 :]))
    order = sorted(range(x.ndim), key=lambda i: x.strides[i] if x.shape[i] > 1 else 0, reverse=True)
    place = order.index(axis)
    memory = x.transpose(order)
    return memory.reshape(math.prod(memory.shape[:place]), x.shape[axis], math.prod(memory.shape[place + 1 :]))


def _tasks(shape: tuple[int, ...]) -> int:
    A, K, B = shape
    if B == 1:
        return min(A, max(1, A * K // TASK)) if A * K >= WAKE_SOFTMAX else 1
    return A * -(-B // WIDTH)


def softmax(x: np.ndarray, axis: int, logarithm: bool = False) -> np.ndarray:
    """Softmax along `axis` of an array of any memory order, or its `logarithm`, in the same order."""
    x = dense(x)
    y = empty_like(x)
    if x.size:
        box = _boxed(x, axis)
        tasks = _tasks(box.shape)
        _softmax(tasks, box, _boxed(y, axis), logarithm, tasks)
    return y


def gradient(grad_output: np.ndarray, y: np.ndarray, axis: int, logarithm: bool = False) -> np.ndarray:
    """The gradient with respect to x, given that with respect to y = `softmax(x, axis, logarithm)`, and y itself."""
    y = dense(y)
    g = like(grad_output, y)
    grad_input: Any = empty_like(y)
    if y.size:
        box = _boxed(y, axis)
        tasks = _tasks(box.shape)
        _softmax_gradient(tasks, _boxed(g, axis), box, _boxed(grad_input, axis), logarithm, tasks)
    return grad_input
