"""Normalisation of groups of channels, image by image: the second pass finds in the cache what the first one read.

Formulas are those of `parts`. One thread takes an image through statistics and result, forward, and through sums and
gradient, backward. Where images are fewer than threads, the passes go over all images one after the other, each divided
among the threads (`parts`).

Images are x (N·C, P), row-major, or (N, P, C), channels-last. G groups have C / G channels each.
"""

import numpy as np

from minicnn.kernels import parts
from minicnn.kernels.columns import add_moments, add_products
from minicnn.kernels.compile import part
from minicnn.kernels.memory import empty
from minicnn.kernels.parts import LANES, moments_of, products_of
from minicnn.kernels.tasks import tasks
from minicnn.kernels.threads import get_num_threads


@part
def _join(means, variances, weight, eps, n, group_means, group_variances, centre, scale):
    """Statistics of groups from those of their channels; for each channel the mean of its group and its factor."""
    groups = group_means.shape[1]
    size = len(means) // groups
    for group in range(groups):
        mean, variance = 0.0, 0.0
        for c in range(group * size, (group + 1) * size):
            mean += means[c] / size
        for c in range(group * size, (group + 1) * size):
            variance += (variances[c] + (means[c] - mean) ** 2) / size
        group_means[n, group], group_variances[n, group] = mean, variance
        for c in range(group * size, (group + 1) * size):
            centre[c], scale[c] = mean, weight[c] / np.sqrt(variance + eps)


@tasks
def _pixels_forward(n, x, weight, bias, eps, rounds, y, group_means, group_variances):
    """x (N, P, C); `rounds` of sums about a centre, which begins as the first pixel."""
    P, C = x.shape[1:]
    means, variances, total, square = np.empty(C), np.empty(C), np.empty(C), np.empty(C)
    centre, scale = np.empty(C, x.dtype), np.empty(C, x.dtype)
    for c in range(C):
        means[c] = x[n, 0, c]
    for _ in range(rounds):
        total[:] = 0
        square[:] = 0
        add_moments(x.reshape(-1), n * P * C, P, C, means, total, square)
        for c in range(C):
            offset = total[c] / P
            variances[c] = max(square[c] / P - offset * offset, 0.0)
            means[c] += offset
    _join(means, variances, weight, eps, n, group_means, group_variances, centre, scale)
    for p in range(P):
        for c in range(C):
            y[n, p, c] = (x[n, p, c] - centre[c]) * scale[c] + bias[c]


@tasks
def _planes_forward(n, x, weight, bias, eps, y, group_means, group_variances):
    """x (N, C, P)"""
    C, P = x.shape[1:]
    means, variances, lanes, more_lanes = np.empty(C), np.empty(C), np.empty(LANES), np.empty(LANES)
    centre, scale = np.empty(C, x.dtype), np.empty(C, x.dtype)
    for c in range(C):
        means[c], variances[c] = moments_of(x[n, c], lanes, more_lanes)
    _join(means, variances, weight, eps, n, group_means, group_variances, centre, scale)
    for c in range(C):
        for p in range(P):
            y[n, c, p] = (x[n, c, p] - centre[c]) * scale[c] + bias[c]


@part
def _factors(sums, products, weight, mean, invstd, P, centre, scale, slope, shift):
    """What the gradient with respect to x of one image is made of, see `parts.grad_input`."""
    C, groups = len(sums), len(mean)
    size = C // groups
    for group in range(groups):
        total, product = 0.0, 0.0
        for c in range(group * size, (group + 1) * size):
            total += sums[c] * weight[c]
            product += products[c] * weight[c]
        for c in range(group * size, (group + 1) * size):
            centre[c], scale[c] = mean[group], invstd[group] * weight[c]
            slope[c] = product / (size * P) * invstd[group] ** 3
            shift[c] = total / (size * P) * invstd[group]


@tasks
def _pixels_backward(n, g, x, weight, mean, invstd, grad_x, sums, products):
    """sums, products: (N, C), zeros."""
    P, C = x.shape[1:]
    means, total, product = np.empty(C), sums[n], products[n]
    for c in range(C):
        means[c] = mean[n, c // (C // mean.shape[1])]
    add_products(g.reshape(-1), x.reshape(-1), n * P * C, P, C, means, total, product)
    centre, scale = np.empty(C, x.dtype), np.empty(C, x.dtype)
    slope, shift = np.empty(C, x.dtype), np.empty(C, x.dtype)
    _factors(total, product, weight, mean[n], invstd[n], P, centre, scale, slope, shift)
    for p in range(P):
        for c in range(C):
            grad_x[n, p, c] = g[n, p, c] * scale[c] - (x[n, p, c] - centre[c]) * slope[c] - shift[c]


@tasks
def _planes_backward(n, g, x, weight, mean, invstd, ones, grad_x, sums, products):
    """x (N, C, P), sums, products (N, C)"""
    C, P = x.shape[1:]
    lanes, more_lanes = np.empty(LANES), np.empty(LANES)
    for c in range(C):
        m = mean[n, c // (C // mean.shape[1])]
        sums[n, c], products[n, c] = products_of(g[n, c], ones, x[n, c], m, lanes, more_lanes)
    centre, scale = np.empty(C, x.dtype), np.empty(C, x.dtype)
    slope, shift = np.empty(C, x.dtype), np.empty(C, x.dtype)
    _factors(sums[n], products[n], weight, mean[n], invstd[n], P, centre, scale, slope, shift)
    for c in range(C):
        for p in range(P):
            grad_x[n, c, p] = g[n, c, p] * scale[c] - (x[n, c, p] - centre[c]) * slope[c] - shift[c]


def _image_by_image(x: np.ndarray, N: int) -> bool:
    """Whether there is an image for every thread."""
    return x.size > 0 and get_num_threads() <= N


def _flat(x: np.ndarray, values: np.ndarray, C: int) -> np.ndarray:
    """Numbers of groups (N, G) or channels (N, C) for each channel, as `parts` takes them for planes or pixels."""
    each = np.repeat(values, C // values.shape[1], 1)
    return each.ravel() if x.ndim == 2 else each


def forward(
    x: np.ndarray, weight: np.ndarray, bias: np.ndarray, N: int, groups: int, eps: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(x − mean) / √(var + eps) · weight + bias

    Args:
        x: N images, as planes or as pixels.
        weight, bias: (C,), float64 and of the dtype of x.
        groups, eps: G, and what is added to the variance.

    Returns: y, and mean and biased variance of every group, (N, G), float64.
    """
    C = len(weight)
    if _image_by_image(x, N):
        y, mean, variance = empty(x.shape, x.dtype), np.empty((N, groups)), np.empty((N, groups))
        if x.ndim == 2:
            _planes_forward(N, x.reshape(N, C, -1), weight, bias, eps, y.reshape(N, C, -1), mean, variance)
        else:  # float64 has no wider sums: centred by the mean itself
            _pixels_forward(N, x, weight, bias, eps, 1 if x.dtype == np.float32 else 2, y, mean, variance)
        return y, mean, variance
    means, variances = (values.reshape(N, groups, C // groups) for values in parts.moments(x))
    mean = means.mean(-1)
    variance = (variances + np.square(means - mean[..., None])).mean(-1)
    scale = _flat(x, 1 / np.sqrt(variance + eps), C) * (np.tile(weight, N) if x.ndim == 2 else weight)
    return parts.affine(x, _flat(x, mean, C), scale, _flat(x, np.tile(bias, (N, 1)), C)), mean, variance


def backward(
    grad_output: np.ndarray, x: np.ndarray, weight: np.ndarray, mean: np.ndarray, invstd: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The gradient with respect to x, and for every image Σ ∂y and Σ ∂y · (x − mean) of every channel, (N, C), float64.

    Args:
        grad_output, x: as planes or as pixels.
        weight: (C,), float64.
        mean, invstd: of every group, (N, G), float64.
    """
    (N, groups), C = mean.shape, len(weight)
    if _image_by_image(x, N):
        grad_x, (sums, products) = empty(x.shape, x.dtype), np.zeros((2, N, C))
        if x.ndim == 2:
            g, planes, target = (a.reshape(N, C, -1) for a in (grad_output, x, grad_x))
            _planes_backward(N, g, planes, weight, mean, invstd, np.ones(x.shape[1]), target, sums, products)
        else:
            _pixels_backward(N, grad_output, x, weight, mean, invstd, grad_x, sums, products)
        return grad_x, sums, products
    found = parts.products(grad_output, x, _flat(x, mean, C))
    sums, products = (values.reshape(N, C) for values in found)
    count = x.size // max(N * groups, 1)
    totals, slopes = ((v * weight).reshape(N, groups, -1).sum(-1) / count for v in (sums, products))
    factors = mean, slopes * invstd**3, totals * invstd
    centre, slope, shift = (_flat(x, values, C) for values in factors)
    scale = _flat(x, invstd, C) * (np.tile(weight, N) if x.ndim == 2 else weight)
    return parts.grad_input(grad_output, x, centre, scale, slope, shift), sums, products
