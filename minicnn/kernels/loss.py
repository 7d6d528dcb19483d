"""Softmax cross-entropy of rows of logits, with the gradient of each row, for which its exponentials serve again.

For a row x with target t, class weights w, label smoothing s and K classes:

    log p = x − max x − ln Σ exp(x − max x)
    loss  = −(1 − s) · w[t] · log p[t] − s/K · Σ_c w[c] · log p[c]
    ∂loss/∂x[j] = p[j] · Σ_c a[c] − a[j],   a[c] = (1 − s) · w[t] · [c = t] + s/K · w[c]

Szegedy et al., 2016, for the smoothing. Sums are carried in float64.
"""

import numpy as np
from numba import prange

from minicnn.kernels.compile import kernel
from minicnn.kernels.sums import sum_rows


@kernel(parallel=True)
def _cross_entropy(x, target, weight, ignored, smoothing, losses, slopes):
    """Losses, and slopes ∂losses[r] / ∂x[r, k] where there is room; returns Σ losses and Σ w[t] of what counts."""
    R, K = x.shape
    weight_sum = weight.sum()
    for r in prange(R):
        t = target[r]
        if t == ignored:
            losses[r] = 0
            for k in range(slopes.shape[1]):
                slopes[r, k] = 0
            continue
        largest = x[r, 0]
        for k in range(K):
            if x[r, k] > largest or x[r, k] != x[r, k]:
                largest = x[r, k]
        e = np.empty(K)
        total = 0.0
        for k in range(K):
            e[k] = np.exp(np.float64(x[r, k]) - largest)
            total += e[k]
        log_sum = np.log(total)
        loss = (1 - smoothing) * weight[t] * (log_sum - (np.float64(x[r, t]) - largest))
        if smoothing > 0:
            for k in range(K):
                loss += smoothing / K * weight[k] * (log_sum - (np.float64(x[r, k]) - largest))
        losses[r] = loss
        mass = (1 - smoothing) * weight[t] + smoothing / K * weight_sum
        for k in range(slopes.shape[1]):
            a = smoothing / K * weight[k]
            if k == t:
                a += (1 - smoothing) * weight[t]
            slopes[r, k] = e[k] / total * mass - a
    counted = 0.0
    for r in range(R):
        counted += weight[target[r]] if target[r] != ignored else 0.0
    loss_sum = np.zeros(1)
    sum_rows(losses, 0, R, 1, 1, loss_sum, np.empty(1))
    return loss_sum[0], counted


@kernel
def first_outside(target: np.ndarray, classes: int, ignored: int) -> int:
    """The first position in `target`, int64 (R,), of neither 0 … classes − 1 nor `ignored`; R if there is none."""
    for r in range(target.size):
        if not 0 <= target[r] < classes and target[r] != ignored:
            return r
    return target.size


def cross_entropy(
    x: np.ndarray, target: np.ndarray, weight: np.ndarray, ignored: int, smoothing: float, differentiate: bool
) -> tuple[np.ndarray, np.ndarray, float, float]:
    """The losses of rows, and what their mean and gradient need.

    Args:
        x: logits (R, K).
        target: int64 (R,), within 0 … K − 1 or equal to `ignored`.
        weight: float64 (K,).
        differentiate: whether the slopes are wanted.

    Returns: the losses, float64 (R,); their slopes ∂loss[r] / ∂x[r, k], (R, K) in the dtype of x, or (R, 0); the sum of
        the losses; the sum of w[t] over the rows that aren't ignored.
    """
    R, K = x.shape
    losses, slopes = np.empty(R), np.empty((R, K if differentiate else 0), x.dtype)
    loss_sum, counted = _cross_entropy(x, target, weight, ignored, smoothing, losses, slopes)
    return losses, slopes, loss_sum, counted
