"""Batch normalisation of rows: x is (R, C), every channel c is normalised over its R values.

    y = (x − mean) · invstd · weight + bias,     invstd = 1 / √(var + eps)

Backward, with x̂ = (x − mean) · invstd and means over the R values of a channel (Ioffe & Szegedy, 2015):

    ∂bias = Σ ∂y,   ∂weight = Σ ∂y · x̂,   ∂x = weight · invstd · (∂y − mean(∂y) − x̂ · mean(∂y · x̂))

Rows are shared out in chunks, as many for any number of threads, and the chunks are added up in order: the result is
the same on any machine.
"""

import numpy as np

from minicnn.kernels.columns import add_moments, add_products
from minicnn.kernels.memory import empty
from minicnn.kernels.tasks import tasks

FEWEST_CHUNKS = 32
ROWS_OF_A_CHUNK = 1024


@tasks
def _moments(chunk, x, centre, sums, squares):
    """Of a chunk Σ (x − centre) and Σ (x − centre)²: a centre near the mean keeps the squares small."""
    R, C = x.shape
    begin, end = R * chunk // len(sums), R * (chunk + 1) // len(sums)
    add_moments(x.reshape(-1), begin * C, end - begin, C, centre, sums[chunk], squares[chunk])


@tasks
def _normalize(r, x, mean, scale, shift, y):
    for c in range(x.shape[1]):
        y[r, c] = (x[r, c] - mean[c]) * scale[c] + shift[c]


@tasks
def _gradient_sums(chunk, g, x, mean, sums, products):
    """Of a chunk Σ ∂y and Σ ∂y · (x − mean)."""
    R, C = x.shape
    begin, end = R * chunk // len(sums), R * (chunk + 1) // len(sums)
    add_products(g.reshape(-1), x.reshape(-1), begin * C, end - begin, C, mean, sums[chunk], products[chunk])


@tasks
def _grad_input(r, g, x, mean, scale, offset, slope, grad_x):
    for c in range(x.shape[1]):
        grad_x[r, c] = (g[r, c] - offset[c] - (x[r, c] - mean[c]) * slope[c]) * scale[c]


def _chunks(x: np.ndarray) -> int:
    """Into how many chunks the rows of x are divided."""
    return max(FEWEST_CHUNKS, len(x) // ROWS_OF_A_CHUNK)


def moments(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and biased variance of every channel of x (R, C), R > 0, in float64."""
    shift = x[0].astype(np.float64)
    for _ in range(1 if x.dtype == np.float32 else 2):  # float64 has no wider sums: shift by the mean itself
        sums, squares = np.zeros((2, _chunks(x), x.shape[1]))
        _moments(len(sums), x, shift, sums, squares)
        offset = sums.sum(0) / len(x)
        variance = np.maximum(squares.sum(0) / len(x) - offset * offset, 0)
        shift = shift + offset
    return shift, variance


def normalize(x: np.ndarray, mean: np.ndarray, scale: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """(x − mean) · scale + shift for x (R, C) and channel values (C,)."""
    y = empty(x.shape, x.dtype)
    _normalize(len(x), x, mean.astype(x.dtype), scale.astype(x.dtype), shift.astype(x.dtype), y)
    return y


def gradient_sums(grad_output: np.ndarray, x: np.ndarray, mean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Σ ∂y and Σ ∂y · (x − mean) of every channel, in float64; ∂y may have a wider dtype than x."""
    x = x.astype(grad_output.dtype, copy=False)
    sums, products = np.zeros((2, _chunks(x), x.shape[1]))
    _gradient_sums(len(sums), grad_output, x, mean.astype(np.float64), sums, products)
    return sums.sum(0), products.sum(0)


def grad_input(
    grad_output: np.ndarray,
    x: np.ndarray,
    mean: np.ndarray,
    invstd: np.ndarray,
    scale: np.ndarray,
    sums: np.ndarray,
    products: np.ndarray,
) -> np.ndarray:
    """The gradient with respect to x (R, C) where mean and variance were computed from x.

    Args:
        scale: weight · invstd, (C,).
        sums, products: what `gradient_sums` gave.
    """
    grad_x = empty(x.shape, x.dtype)
    offset, slope = sums / len(x), products / len(x) * invstd * invstd
    channel = [values.astype(x.dtype) for values in (mean, scale, offset, slope)]
    _grad_input(len(x), grad_output, x, *channel, grad_x)
    return grad_x
