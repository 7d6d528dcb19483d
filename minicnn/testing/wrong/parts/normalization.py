"""Right batch and layer normalisation, and their gradients."""

import numpy as np

from minicnn.testing.wrong.parts.windows import per_channel, wide


def all_but_channels(x):
    """The axes that a batch's statistics are taken over."""
    return (0, *range(2, x.ndim))


def batch_statistics(x):
    """Mean and biased variance of every channel, in float64; NaN of nothing."""
    if not x.size:
        return np.full(x.shape[1], np.nan), np.full(x.shape[1], np.nan)
    return wide(x).mean(all_but_channels(x)), wide(x).var(all_but_channels(x))


def updated(running, batch, momentum):
    """Move a running statistic towards the batch's, in place."""
    running[...] = (1 - momentum) * wide(running) + momentum * batch


def scaled(x, mean, inverse, weight, bias):
    """(x − mean) · inverse · weight + bias, channel by channel."""
    normalized = (wide(x) - per_channel(mean, x.ndim)) * per_channel(inverse, x.ndim)
    factor = 1 if weight is None else per_channel(weight, x.ndim)
    return (normalized * factor + per_channel(bias, x.ndim)).astype(x.dtype)


def batch_norm(x, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5):
    """Normalise every channel; in training by the batch's statistics, towards which the running ones move in place."""
    mean, var = running_mean, running_var
    if training:
        mean, var = batch_statistics(x)
        R = x.size // x.shape[1]
        if x.size and running_mean is not None:
            updated(running_mean, mean, momentum)
            updated(running_var, var * R / (R - 1), momentum)
    return scaled(x, wide(mean), 1 / np.sqrt(wide(var) + eps), weight, bias)


def normalized_gradient(grad, normalized, inverse, axes):
    """The gradient through (x − mean) · inverse, where mean and inverse depend on x."""
    if not grad.size:
        return grad
    through_mean = grad.mean(axes, keepdims=True)
    through_variance = normalized * (grad * normalized).mean(axes, keepdims=True)
    return (grad - through_mean - through_variance) * inverse


def batch_norm_gradients(
    grad_output, x, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5
):
    """The gradients of batch_norm with respect to x, weight and bias."""
    axes, grad = all_but_channels(x), wide(grad_output)
    mean, var = batch_statistics(x) if training else (wide(running_mean), wide(running_var))
    inverse = per_channel(1 / np.sqrt(var + eps), x.ndim)
    normalized = (wide(x) - per_channel(mean, x.ndim)) * inverse
    grad_x = grad if weight is None else grad * per_channel(weight, x.ndim)
    grad_x = normalized_gradient(grad_x, normalized, inverse, axes) if training else grad_x * inverse
    return (
        grad_x.astype(x.dtype),
        None if weight is None else (grad * normalized).sum(axes).astype(x.dtype),
        None if bias is None else grad.sum(axes).astype(x.dtype),
    )


def last_axes(x, normalized_shape):
    """The axes that layer_norm normalises over."""
    count = 1 if isinstance(normalized_shape, int) else len(normalized_shape)
    return tuple(range(x.ndim - count, x.ndim))


def layer_norm(x, normalized_shape, weight=None, bias=None, eps=1e-5):
    """Normalise over the last dimensions."""
    axes, values = last_axes(x, normalized_shape), wide(x)
    y = (values - values.mean(axes, keepdims=True)) / np.sqrt(values.var(axes, keepdims=True) + eps)
    y = y * (1 if weight is None else wide(weight)) + (0 if bias is None else wide(bias))
    return y.astype(x.dtype)


def layer_norm_gradients(grad_output, x, normalized_shape, weight=None, bias=None, eps=1e-5):
    """The gradients of layer_norm with respect to x, weight and bias."""
    axes, values, grad = last_axes(x, normalized_shape), wide(x), wide(grad_output)
    inverse = 1 / np.sqrt(values.var(axes, keepdims=True) + eps)
    normalized = (values - values.mean(axes, keepdims=True)) * inverse
    others = tuple(range(axes[0]))
    grad_x = normalized_gradient(grad * (1 if weight is None else wide(weight)), normalized, inverse, axes)
    return (
        grad_x.astype(x.dtype),
        None if weight is None else (grad * normalized).sum(others).astype(x.dtype),
        None if bias is None else grad.sum(others).astype(x.dtype),
    )
