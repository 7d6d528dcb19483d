"""Softmax, its logarithm and cross-entropy, each shifted by the maximum, with the gradients on paper."""

import numpy as np


def _shifted(x: np.ndarray, dim: int) -> np.ndarray:
    with np.errstate(invalid="ignore"):  # ∞ − ∞
        return x - x.max(dim, keepdims=True, initial=-np.inf)  # which an empty x needs


def softmax(x: np.ndarray, dim: int) -> np.ndarray:
    """exp(x) / Σ exp(x) along dim."""
    e = np.exp(_shifted(x, dim))
    return e / e.sum(dim, keepdims=True)


def softmax_backward(grad_output: np.ndarray, x: np.ndarray, dim: int) -> np.ndarray:
    """The gradient with respect to x."""
    y = softmax(x, dim)
    return y * (grad_output - (grad_output * y).sum(dim, keepdims=True))


def log_softmax(x: np.ndarray, dim: int) -> np.ndarray:
    """x − log Σ exp(x) along dim."""
    z = _shifted(x, dim)
    return z - np.log(np.exp(z).sum(dim, keepdims=True))


def log_softmax_backward(grad_output: np.ndarray, x: np.ndarray, dim: int) -> np.ndarray:
    """The gradient with respect to x."""
    return grad_output - softmax(x, dim) * grad_output.sum(dim, keepdims=True)


def cross_entropy(
    x: np.ndarray,
    target: np.ndarray,
    weight: np.ndarray | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> np.ndarray:
    """The loss of scores x (N, C, …) for the classes target (N, …): of each image, their sum or weighted mean."""
    C, counted = x.shape[1], target != ignore_index
    weights = np.ones(C, x.dtype) if weight is None else weight
    labels = np.where(counted, target, 0)
    scores = np.moveaxis(log_softmax(x, 1), 1, -1)
    chosen = -np.take_along_axis(scores, labels[..., None], -1)[..., 0] * weights[labels]
    losses = (1 - label_smoothing) * chosen
    if label_smoothing:
        losses = losses + label_smoothing / C * -(scores * weights).sum(-1)
    losses = np.where(counted, losses, 0).astype(x.dtype)
    if reduction == "none":
        return losses
    if reduction == "sum":
        return losses.sum()
    with np.errstate(invalid="ignore"):  # nothing but ignored targets is NaN
        return losses.sum() / np.where(counted, weights[labels], 0).sum(dtype=x.dtype)
