"""Normalisation of parts of each image: statistics of a plane or of a group of channels, and their gradients.

    y = (x − mean) · invstd · weight + bias,     invstd = 1 / √(var + eps)

Backward, with x̂ = (x − mean) · invstd and means over the part that was normalised together:

    ∂x = invstd · (∂y · weight − mean(∂y · weight) − x̂ · mean(∂y · weight · x̂))

Images are `planes` (N·C, P), row-major, or `pixels` (N, P, C), channels-last; the kernels give sums of each channel of
each image, (N, C), from which the statistics of any group of channels follow, and apply factors of that shape. Sums are
carried in float64; how they are divided depends on sizes alone.
"""

import math

import numpy as np

from minicnn.kernels.columns import add_moments, add_products
from minicnn.kernels.compile import part
from minicnn.kernels.memory import empty
from minicnn.kernels.tasks import spans, tasks

LANES = 32
"""So many sums are carried side by side through a row, which fills the vectors."""
CHUNKS = 32
"""Into how many tasks rows are divided."""
PIXELS_OF_A_CHUNK = 512


@part
def _mean_of(values, lanes):
    lanes[:] = 0
    whole = len(values) - len(values) % LANES
    for i in range(0, whole, LANES):
        for k in range(LANES):
            lanes[k] += values[i + k]
    total = 0.0
    for k in range(LANES):
        total += lanes[k]
    for i in range(whole, len(values)):
        total += values[i]
    return total / len(values)


@part
def _about(values, centre, lanes, more_lanes):
    """Means of value − centre and of (value − centre)²"""
    lanes[:] = 0
    more_lanes[:] = 0
    whole = len(values) - len(values) % LANES
    for i in range(0, whole, LANES):
        for k in range(LANES):
            d = np.float64(values[i + k]) - centre
            lanes[k] += d
            more_lanes[k] += d * d
    total, square = 0.0, 0.0
    for k in range(LANES):
        total += lanes[k]
        square += more_lanes[k]
    for i in range(whole, len(values)):
        d = np.float64(values[i]) - centre
        total += d
        square += d * d
    return total / len(values), square / len(values)


@part
def moments_of(values, lanes, more_lanes):
    """Mean and variance: what the first sum rounded off is found by the second, about its result."""
    centre = _mean_of(values, lanes)
    offset, square = _about(values, centre, lanes, more_lanes)
    return centre + offset, max(square - offset * offset, 0.0)


@part
def products_of(g, weight, values, centre, lanes, more_lanes):
    """Σ g · weight and Σ g · weight · (value − centre)"""
    lanes[:] = 0
    more_lanes[:] = 0
    whole = len(values) - len(values) % LANES
    for i in range(0, whole, LANES):
        for k in range(LANES):
            scaled = np.float64(g[i + k]) * weight[i + k]
            lanes[k] += scaled
            more_lanes[k] += scaled * (np.float64(values[i + k]) - centre)
    total, product = 0.0, 0.0
    for k in range(LANES):
        total += lanes[k]
        product += more_lanes[k]
    for i in range(whole, len(values)):
        scaled = np.float64(g[i]) * weight[i]
        total += scaled
        product += scaled * (np.float64(values[i]) - centre)
    return total, product


@spans
def _plane_moments(begin, end, x, means, variances):
    M = len(x)
    lanes, more_lanes = np.empty(LANES), np.empty(LANES)
    for chunk in range(begin, end):
        for m in range(M * chunk // CHUNKS, M * (chunk + 1) // CHUNKS):
            means[m], variances[m] = moments_of(x[m], lanes, more_lanes)


@spans
def _plane_products(begin, end, g, x, centre, ones, sums, products):
    M = len(x)
    lanes, more_lanes = np.empty(LANES), np.empty(LANES)
    for chunk in range(begin, end):
        for m in range(M * chunk // CHUNKS, M * (chunk + 1) // CHUNKS):
            sums[m], products[m] = products_of(g[m], ones, x[m], centre[m], lanes, more_lanes)


@tasks
def _plane_affine(m, x, centre, scale, shift, y):
    for p in range(x.shape[1]):
        y[m, p] = (x[m, p] - centre[m]) * scale[m] + shift[m]


@tasks
def _plane_grad(m, g, x, centre, scale, slope, shift, grad_x):
    for p in range(x.shape[1]):
        grad_x[m, p] = g[m, p] * scale[m] - (x[m, p] - centre[m]) * slope[m] - shift[m]


@tasks
def _pixel_sums(task, x, centre, sums, squares):
    """Of an image's chunk Σ (x − centre) and Σ (x − centre)²; sums, squares (N, chunks, C), zeros."""
    P, C = x.shape[1:]
    chunks = sums.shape[1]
    n, chunk = task // chunks, task % chunks
    begin, end = P * chunk // chunks, P * (chunk + 1) // chunks
    add_moments(x.reshape(-1), (n * P + begin) * C, end - begin, C, centre[n], sums[n, chunk], squares[n, chunk])


@tasks
def _pixel_products(task, g, x, centre, sums, products):
    """Of an image's chunk Σ ∂y and Σ ∂y · (x − centre)."""
    P, C = x.shape[1:]
    chunks = sums.shape[1]
    n, chunk = task // chunks, task % chunks
    begin, end = P * chunk // chunks, P * (chunk + 1) // chunks
    at, flat, values = (n * P + begin) * C, g.reshape(-1), x.reshape(-1)
    add_products(flat, values, at, end - begin, C, centre[n], sums[n, chunk], products[n, chunk])


@tasks
def _pixel_affine(row, x, centre, scale, shift, y):
    P, C = x.shape[1:]
    n, p = row // P, row % P
    for c in range(C):
        y[n, p, c] = (x[n, p, c] - centre[n, c]) * scale[n, c] + shift[n, c]


@tasks
def _pixel_grad(row, g, x, centre, scale, slope, shift, grad_x):
    P, C = x.shape[1:]
    n, p = row // P, row % P
    for c in range(C):
        grad_x[n, p, c] = g[n, p, c] * scale[n, c] - (x[n, p, c] - centre[n, c]) * slope[n, c] - shift[n, c]


def _chunks(x: np.ndarray) -> int:
    """Into how many chunks the pixels of each image are divided."""
    return max(1, x.shape[1] // PIXELS_OF_A_CHUNK)


def moments(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and biased variance of every channel of every image: of planes (M, P) or pixels (N, P, C), in float64."""
    if x.ndim == 2:
        means, variances = np.empty((2, len(x)))
        _plane_moments(CHUNKS, x, means, variances)
        return means, variances
    centre = x[:, 0].astype(np.float64)
    for _ in range(1 if x.dtype == np.float32 else 2):  # float64 has no wider sums: centre by the mean itself
        sums, squares = np.zeros((2, len(x), _chunks(x), x.shape[2]))
        _pixel_sums(len(x) * sums.shape[1], x, centre, sums, squares)
        offset = sums.sum(1) / x.shape[1]
        variance = np.maximum(squares.sum(1) / x.shape[1] - offset * offset, 0)
        centre = centre + offset
    return centre, variance


def products(grad_output: np.ndarray, x: np.ndarray, centre: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Σ ∂y and Σ ∂y · (x − centre) of every channel of every image, in float64."""
    if x.ndim == 2:
        sums, products = np.empty((2, len(x)))
        _plane_products(CHUNKS, grad_output, x, centre, np.ones(x.shape[1]), sums, products)
        return sums, products
    sums, products = np.zeros((2, len(x), _chunks(x), x.shape[2]))
    _pixel_products(len(x) * sums.shape[1], grad_output, x, centre, sums, products)
    return sums.sum(1), products.sum(1)


def affine(x: np.ndarray, centre: np.ndarray, scale: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """(x − centre) · scale + shift with a factor for every channel of every image."""
    y = empty(x.shape, x.dtype)
    factors = [values.astype(x.dtype) for values in (centre, scale, shift)]
    (_plane_affine if x.ndim == 2 else _pixel_affine)(math.prod(x.shape[:-1]), x, *factors, y)
    return y


def grad_input(
    grad_output: np.ndarray, x: np.ndarray, centre: np.ndarray, scale: np.ndarray, slope: np.ndarray, shift: np.ndarray
) -> np.ndarray:
    """∂y · scale − (x − centre) · slope − shift with a factor for every channel of every image."""
    grad_x = empty(x.shape, x.dtype)
    factors = [values.astype(x.dtype) for values in (centre, scale, slope, shift)]
    (_plane_grad if x.ndim == 2 else _pixel_grad)(math.prod(x.shape[:-1]), grad_output, x, *factors, grad_x)
    return grad_x
