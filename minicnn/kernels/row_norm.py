"""Normalisation of rows (R, D), with weight and bias along a row: layer norm and its kin (Ba et al., 2016).

    y = (x − mean) · invstd · weight + bias,     invstd = 1 / √(var + eps)

Backward, with x̂ = (x − mean) · invstd and means over the row:

    ∂x = invstd · (∂y · weight − mean(∂y · weight) − x̂ · mean(∂y · weight · x̂))

All is computed in the dtype of x, in vectors; only sums are carried on in float64. A mean has more digits than float32:
it is subtracted in two parts, high + low. Where float32 does not do, variances being above 10³⁰ or below 10⁻³⁰, a row
is computed in float64.
"""

import numpy as np

from minicnn.kernels.compile import part
from minicnn.kernels.memory import empty
from minicnn.kernels.parts import LANES, moments_of, products_of
from minicnn.kernels.rows import LANES as VECTOR
from minicnn.kernels.rows import about, products, total
from minicnn.kernels.tasks import spans

CHUNKS = 32
"""Into how many tasks rows are divided."""
RUN = 16
"""So many rows' gradients with respect to weight and bias are added up before they are added to float64 sums."""
LEAST, LARGEST = 1e-30, 1e30
"""Variances between these are computed in the dtype of x."""


@part
def _moments(row, centred, scratch):
    """Mean and variance, the latter NaN where the row is to be computed in float64."""
    scratch[0] = total(row, scratch) / len(row) if centred else 0.0
    centre = scratch[0]
    offset, square = about(row, centre, scratch)
    offset, square = offset / len(row), square / len(row)
    if not centred:
        return 0.0, square if LEAST < square < LARGEST else np.nan
    variance = square - offset * offset
    return centre + offset, variance if variance > LEAST and square < LARGEST else np.nan


@spans
def _forward(begin, end, x, weight, bias, eps, centred, y, means, invstds):
    R, D = x.shape
    scratch, lanes, more_lanes = np.empty(VECTOR, x.dtype), np.empty(LANES), np.empty(LANES)
    for chunk in range(begin, end):
        for r in range(R * chunk // CHUNKS, R * (chunk + 1) // CHUNKS):
            mean, variance = _moments(x[r], centred, scratch)
            if variance == variance:
                invstd = 1 / np.sqrt(variance + eps)
                scratch[0], scratch[2] = mean, invstd
                scratch[1] = mean - scratch[0]
                high, low, factor = scratch[0], scratch[1], scratch[2]
                for d in range(D):
                    y[r, d] = ((x[r, d] - high) - low) * factor * weight[d] + bias[d]
            else:
                mean, variance = moments_of(x[r], lanes, more_lanes)
                if not centred:
                    mean, variance = 0.0, variance + mean * mean
                invstd = 1 / np.sqrt(variance + eps)
                for d in range(D):
                    y[r, d] = (x[r, d] - mean) * invstd * weight[d] + bias[d]
            means[r], invstds[r] = mean, invstd


@spans
def _backward(begin, end, g, x, weight, means, invstds, centred, grad_x, by_weight, by_bias):
    """by_weight, by_bias: float64 (CHUNKS, D), zeros."""
    R, D = x.shape
    scratch, lanes, more_lanes = np.empty(VECTOR, x.dtype), np.empty(LANES), np.empty(LANES)
    of_weight, of_bias, pending = np.zeros(D, x.dtype), np.zeros(D, x.dtype), 0
    for chunk in range(begin, end):
        for r in range(R * chunk // CHUNKS, R * (chunk + 1) // CHUNKS):
            mean, invstd = means[r], invstds[r]
            scratch[0] = mean
            scratch[1] = mean - scratch[0]
            high, low = scratch[0], scratch[1]
            sum_, product = products(g[r], weight, x[r], high, low, scratch)
            slope = product * invstd * invstd / D
            offset = sum_ / D if centred else 0.0
            if abs(slope) < LARGEST and abs(offset) < LARGEST and abs(mean) < LARGEST and invstd < 1e15:
                scratch[0], scratch[1], scratch[2] = offset, slope, invstd
                shift, per_centre, factor = scratch[0], scratch[1], scratch[2]
                for d in range(D):
                    centre = (x[r, d] - high) - low
                    of_weight[d] += g[r, d] * (centre * factor)
                    of_bias[d] += g[r, d]
                    grad_x[r, d] = (g[r, d] * weight[d] - shift - centre * per_centre) * factor
                pending += 1
            else:
                sum_, product = products_of(g[r], weight, x[r], mean, lanes, more_lanes)
                offset = sum_ / D if centred else 0.0
                slope = product * invstd * invstd / D
                for d in range(D):
                    centre = x[r, d] - mean
                    by_weight[chunk, d] += g[r, d] * centre * invstd
                    by_bias[chunk, d] += g[r, d]
                    grad_x[r, d] = (np.float64(g[r, d]) * weight[d] - offset - centre * slope) * invstd
            if pending == RUN or r == R * (chunk + 1) // CHUNKS - 1:
                for d in range(D):
                    by_weight[chunk, d] += of_weight[d]
                    by_bias[chunk, d] += of_bias[d]
                of_weight[:], of_bias[:], pending = 0, 0, 0


def forward(
    x: np.ndarray, weight: np.ndarray, bias: np.ndarray, eps: float, centred: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every row of x (R, D) normalised.

    Args:
        weight, bias: (D,), of the dtype of x.
        centred: whether the mean is subtracted; otherwise 0 stands for it, and the root of the mean square for √var.

    Returns: y, and mean and invstd of every row in float64.
    """
    y, means, invstds = empty(x.shape, x.dtype), np.empty(len(x)), np.empty(len(x))
    _forward(CHUNKS, x, weight, bias, eps, centred, y, means, invstds)
    return y, means, invstds


def backward(
    grad_output: np.ndarray, x: np.ndarray, weight: np.ndarray, means: np.ndarray, invstds: np.ndarray, centred: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients with respect to x, weight and bias of `forward`, the last two in float64."""
    grad_x = empty(x.shape, x.dtype)
    by_weight, by_bias = np.zeros((2, CHUNKS, x.shape[1]))
    _backward(CHUNKS, grad_output, x, weight, means, invstds, centred, grad_x, by_weight, by_bias)
    return grad_x, by_weight.sum(0), by_bias.sum(0)
