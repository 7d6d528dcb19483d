"""Softmax cross-entropy of rows of logits, with the gradient of each row, for which its exponentials serve again.

For a row x with target t, class weights w, label smoothing s and K classes:

    log p = x − max x − ln Σ exp(x − max x)
    loss  = −(1 − s) · w[t] · log p[t] − s/K · Σ_c w[c] · log p[c]
    ∂loss/∂x[j] = p[j] · Σ_c a[c] − a[j],   a[c] = (1 − s) · w[t] · [c = t] + s/K · w[c]

Szegedy et al., 2016, for the smoothing. Sums are carried in float64.
"""

import numpy as np

from minicnn.kernels.compile import kernel, part
from minicnn.kernels.exponential import exp
from minicnn.kernels.machine import WAKE_SOFTMAX
from minicnn.kernels.memory import empty
from minicnn.kernels.rows import LANES, largest, total
from minicnn.kernels.softmax import TASK
from minicnn.kernels.sums import sum_rows
from minicnn.kernels.tasks import share, spans
from minicnn.kernels.vectors import fill_vectors


@part(allocates=True)
def _rows(begin, end, x, target, weight, ignored, smoothing, losses, slopes):
    fill_vectors()
    """Losses, and slopes ∂losses[r] / ∂x[r, k] where there is room, of rows begin … end."""
    K = x.shape[1]
    T = x.dtype.type
    scratch, e, spread = np.empty(LANES, x.dtype), np.empty(K, x.dtype), np.empty(K, x.dtype)
    weight_sum = weight.sum()
    for k in range(K):
        spread[k] = smoothing / K * weight[k]
    for r in range(begin, end):
        t = target[r]
        if t == ignored:
            losses[r] = 0
            for k in range(slopes.shape[1]):
                slopes[r, k] = 0
            continue
        row = x[r]
        shift = largest(row, scratch)
        for k in range(K):
            e[k] = exp(row[k] - shift)
        summed = total(e, scratch)
        log_sum = np.log(summed)
        loss = (1 - smoothing) * weight[t] * (log_sum - (np.float64(x[r, t]) - shift))
        if smoothing > 0:
            for k in range(K):
                loss += smoothing / K * weight[k] * (log_sum - (np.float64(x[r, k]) - shift))
        losses[r] = loss
        if slopes.shape[1] > 0:
            slope = slopes[r]
            factor = T(((1 - smoothing) * weight[t] + smoothing / K * weight_sum) / summed)
            if smoothing > 0:
                for k in range(K):
                    slope[k] = e[k] * factor - spread[k]
            else:
                for k in range(K):
                    slope[k] = e[k] * factor
            slope[t] -= T((1 - smoothing) * weight[t])


@part
def _loss_tasks(first, last, x, target, weight, ignored, smoothing, losses, slopes, tasks):
    R = len(x)
    _rows(R * first // tasks, R * last // tasks, x, target, weight, ignored, smoothing, losses, slopes)


@kernel
def _cross_entropy(x, target, weight, ignored, smoothing, losses, slopes, tasks):
    """Fills losses and slopes; returns Σ losses and Σ w[t] of what counts."""
    share(_loss_tasks, tasks, (x, target, weight, ignored, smoothing, losses, slopes, tasks))
    R, counted = len(x), 0.0
    for r in range(R):
        counted += weight[target[r]] if target[r] != ignored else 0.0
    loss_sum = np.zeros(1)
    sum_rows(losses, 0, R, 1, 1, loss_sum, np.empty(1))
    return loss_sum[0], counted


@spans
def _gradient(first, last, slopes, target, ignored, factors, grad_input, tasks):
    """grad_input[r] = slopes[r] · factors[r], 0 where the target is ignored, whatever the factor."""
    fill_vectors()
    R = len(slopes)
    for r in range(R * first // tasks, R * last // tasks):
        slope, result = slopes[r], grad_input[r]
        factor = factors[r % factors.size]
        if target[r] == ignored:
            for k in range(result.size):
                result[k] = 0
        else:
            for k in range(result.size):
                result[k] = slope[k] * factor


def _tasks(shape: tuple[int, ...]) -> int:
    R, K = shape
    return max(1, min(R, R * K // TASK)) if R * K >= WAKE_SOFTMAX else 1


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
    losses, slopes = np.empty(R), empty((R, K if differentiate else 0), x.dtype)
    loss_sum, counted = _cross_entropy(x, target, weight, ignored, smoothing, losses, slopes, _tasks(x.shape))
    return losses, slopes, loss_sum, counted


def gradient(slopes: np.ndarray, target: np.ndarray, ignored: int, grad_output: np.ndarray) -> np.ndarray:
    """The gradient with respect to the logits (R, K): the slopes times `grad_output`, (R,) or (1,); 0 where ignored."""
    grad_input = empty(slopes.shape, slopes.dtype)
    tasks = _tasks(slopes.shape)
    _gradient(tasks, slopes, target, ignored, grad_output, grad_input, tasks)
    return grad_input
