"""Softmax cross-entropy of rows of logits, forward and backward fused over each row.

For a row x with target t, class weights w, label smoothing s and K classes:

    log p = x − max x − ln Σ exp(x − max x)
    loss  = −(1 − s) · w[t] · log p[t] − s/K · Σ_c w[c] · log p[c]
    ∂x[j] = p[j] · Σ_c a[c] − a[j],   a[c] = (1 − s) · w[t] · [c = t] + s/K · w[c]

Szegedy et al., 2016, for the smoothing. Sums are carried in float64.
"""

import numpy as np
from numba import prange

from minicnn.kernels.compile import kernel


@kernel(parallel=True)
def _forward(x, target, weight, ignored, smoothing, losses, peaks, log_sums):
    R, K = x.shape
    for r in prange(R):
        largest = x[r, 0]
        for k in range(K):
            if x[r, k] > largest or x[r, k] != x[r, k]:
                largest = x[r, k]
        total = 0.0
        for k in range(K):
            total += np.exp(np.float64(x[r, k]) - largest)
        peaks[r], log_sums[r] = largest, np.log(total)
        t = target[r]
        if t == ignored:
            losses[r] = 0
            continue
        loss = (1 - smoothing) * weight[t] * (log_sums[r] - (np.float64(x[r, t]) - largest))
        if smoothing > 0:
            for k in range(K):
                loss += smoothing / K * weight[k] * (log_sums[r] - (np.float64(x[r, k]) - largest))
        losses[r] = loss


@kernel(parallel=True)
def _backward(x, target, weight, ignored, smoothing, peaks, log_sums, scale, grad_x):
    R, K = x.shape
    weight_sum = weight.sum()
    for r in prange(R):
        t = target[r]
        if t == ignored:
            grad_x[r] = 0
            continue
        mass = (1 - smoothing) * weight[t] + smoothing / K * weight_sum
        for k in range(K):
            a = smoothing / K * weight[k]
            if k == t:
                a += (1 - smoothing) * weight[t]
            grad_x[r, k] = scale[r] * (np.exp(np.float64(x[r, k]) - peaks[r] - log_sums[r]) * mass - a)


@kernel
def first_outside(target: np.ndarray, classes: int, ignored: int) -> int:
    """The first position in `target`, int64 (R,), of neither 0 … classes − 1 nor `ignored`; R if there is none."""
    for r in range(target.size):
        if not 0 <= target[r] < classes and target[r] != ignored:
            return r
    return target.size


def cross_entropy(
    x: np.ndarray, target: np.ndarray, weight: np.ndarray, ignored: int, smoothing: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The loss of every row, its max x and its ln Σ exp(x − max x), all float64 (R,).

    Args:
        x: logits (R, K).
        target: int64 (R,), within 0 … K − 1 or equal to `ignored`.
        weight: float64 (K,).
    """
    losses, peaks, log_sums = np.empty((3, len(x)))
    _forward(x, target, weight, ignored, smoothing, losses, peaks, log_sums)
    return losses, peaks, log_sums


def cross_entropy_backward(
    x: np.ndarray,
    target: np.ndarray,
    weight: np.ndarray,
    ignored: int,
    smoothing: float,
    peaks: np.ndarray,
    log_sums: np.ndarray,
    scale: np.ndarray,
) -> np.ndarray:
    """The gradient by x (R, K), each row times scale (R,), float64; `peaks` and `log_sums` as the forward gave."""
    grad_x = np.empty_like(x)
    _backward(x, target, weight, ignored, smoothing, peaks, log_sums, scale, grad_x)
    return grad_x
