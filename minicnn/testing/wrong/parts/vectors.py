"""Right linear layers, rectifiers, softmax and cross entropy, and their gradients."""

import numpy as np

from minicnn.testing.wrong.parts.windows import wide


def linear(x, weight, bias=None):
    """y = x @ weightᵀ + bias."""
    return (wide(x) @ wide(weight).T + (0 if bias is None else wide(bias))).astype(x.dtype)


def rows_of(x):
    """A matrix of all vectors along the last axis."""
    return wide(x).reshape(int(np.prod(x.shape[:-1])), x.shape[-1])


def linear_gradients(grad_output, x, weight, bias=None):
    """The gradients of linear with respect to x, weight and bias."""
    return (
        (wide(grad_output) @ wide(weight)).astype(x.dtype),
        (rows_of(grad_output).T @ rows_of(x)).astype(x.dtype),
        None if bias is None else rows_of(grad_output).sum(0).astype(x.dtype),
    )


def relu(x):
    """max(x, 0); NaN stays."""
    return np.where(x <= 0, x.dtype.type(0), x)


def relu_gradient(grad_output, x):
    """The gradient of relu, 0 at 0."""
    return np.where(x <= 0, x.dtype.type(0), grad_output)


def usual_axis(x, dim):
    """The axis that PyTorch chooses where none is named."""
    return dim if dim is not None else 0 if x.ndim in (0, 1, 3) else 1


def wide_log_softmax(x, axis):
    """log softmax in float64."""
    shifted = wide(x) - wide(x).max(axis, keepdims=True, initial=-np.inf)
    return shifted - np.log(np.exp(shifted).sum(axis, keepdims=True))


def softmax(x, dim=None, dtype=None):
    """exp(xᵢ) / Σⱼ exp(xⱼ), computed from x − max x."""
    x = x if dtype is None else x.astype(dtype)
    return np.exp(wide_log_softmax(x, usual_axis(x, dim))).astype(x.dtype)


def softmax_gradient(grad_output, x, dim=None, dtype=None):
    """The gradient of softmax: y · (g − Σ g · y)."""
    axis, grad = usual_axis(x, dim), wide(grad_output)
    y = np.exp(wide_log_softmax(x, axis))
    return (y * (grad - (grad * y).sum(axis, keepdims=True))).astype(x.dtype)


def log_softmax(x, dim=None, dtype=None):
    """x − max x − ln Σ exp(x − max x)."""
    x = x if dtype is None else x.astype(dtype)
    return wide_log_softmax(x, usual_axis(x, dim)).astype(x.dtype)


def log_softmax_gradient(grad_output, x, dim=None, dtype=None):
    """The gradient of log_softmax: g − softmax · Σ g."""
    axis, grad = usual_axis(x, dim), wide(grad_output)
    return (grad - np.exp(wide_log_softmax(x, axis)) * grad.sum(axis, keepdims=True)).astype(x.dtype)


def class_axis(x):
    """Logits are (N, K, …) or (K,)."""
    return min(x.ndim - 1, 1)


def kept(x, target, ignore_index):
    """Which positions count; targets that are probabilities all do."""
    if target.dtype.kind == "f":
        return np.ones(np.delete(x.shape, class_axis(x)), bool)
    return np.broadcast_to(target, np.delete(x.shape, class_axis(x))) != ignore_index


def shares(x, target, weight=None, ignore_index=-100, label_smoothing=0.0):
    """How much every class's −log softmax counts in the loss of its position: target · weight, of the shape of x."""
    axis, K = class_axis(x), x.shape[class_axis(x)]
    counted = np.expand_dims(kept(x, target, ignore_index), axis)
    if target.dtype.kind == "f":
        wanted = wide(target)
    else:
        classes = np.arange(K).reshape(-1, *[1] * (x.ndim - 1 - axis))
        wanted = wide(np.expand_dims(target.reshape(np.delete(x.shape, axis)), axis) == classes)
    wanted = wanted * (1 - label_smoothing) + label_smoothing / K
    factor = 1 if weight is None else wide(weight).reshape(-1, *[1] * (x.ndim - 1 - axis))
    return np.where(counted, wanted * factor, 0)


def divisor(x, target, weight=None, ignore_index=-100):
    """What the losses' sum is divided by for their mean: the weights of the targets, or the number of positions."""
    counted = kept(x, target, ignore_index)
    if weight is None or target.dtype.kind == "f":
        return counted.sum()
    return wide(weight)[np.where(counted, target.reshape(counted.shape), 0)][counted].sum()


def losses(x, share):
    """−Σ share · log softmax for every position; a class that doesn't count may be infinitely unlikely."""
    axis = class_axis(x)
    return -np.where(share == 0, 0, share * wide_log_softmax(x, axis)).sum(axis)


def reduced(loss, by, reduction, dtype):
    """The losses, their sum, or their sum divided by `by`."""
    if reduction == "none":
        return loss.astype(dtype)
    return np.asarray(loss.sum() if reduction == "sum" else loss.sum() / by, dtype)


def cross_entropy(x, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0):
    """−log softmax(x)[target], weighted, smoothed and reduced."""
    share = shares(x, target, weight, ignore_index, label_smoothing)
    return reduced(losses(x, share), divisor(x, target, weight, ignore_index), reduction, x.dtype)


def losses_gradient(grad_output, x, share):
    """The gradient of `losses`: (Σ share · softmax − share) · g; what counts nothing gets none, though g be NaN."""
    axis = class_axis(x)
    softmax = np.exp(wide_log_softmax(x, axis))
    total = share.sum(axis, keepdims=True)
    return np.where(total == 0, 0, (total * softmax - share) * grad_output)


def cross_entropy_gradient(
    grad_output, x, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0
):
    """The gradient of cross_entropy with respect to x."""
    share = shares(x, target, weight, ignore_index, label_smoothing)
    grad = wide(np.asarray(grad_output))
    if reduction == "none":
        grad = np.expand_dims(grad, class_axis(x))
    if reduction == "mean":
        grad = grad / divisor(x, target, weight, ignore_index)
    return losses_gradient(grad, x, share).astype(x.dtype)
