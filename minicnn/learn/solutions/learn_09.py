"""Chapter 9: batch norm and the three terms of its gradient."""

import numpy as np


def normalise(x, eps):
    """Each channel with mean 0 and variance 1 over the batch.

    Args:
        x: (N, C, H, W).
        eps: added to the variance, which is the mean of the squared deviations over N, H and W.

    Returns: x̂, (N, C, H, W), and what the deviations were divided by, (1, C, 1, 1).
    """
    deviation = np.sqrt(x.var((0, 2, 3), keepdims=True) + eps)
    return (x - x.mean((0, 2, 3), keepdims=True)) / deviation, deviation


def batch_norm(x, weight, bias, eps=1e-5):
    """Each channel with mean 0 and variance 1 over the batch, then scaled and shifted.

    Args:
        x: (N, C, H, W).
        weight, bias: (C,), the scale and the shift of each channel.
        eps: as in `normalise`.

    Returns: (N, C, H, W).
    """
    normalised, _ = normalise(x, eps)
    return normalised * weight[:, None, None] + bias[:, None, None]


def batch_norm_backward(grad_output, x, weight, eps=1e-5):
    """The gradients of `batch_norm`; mean and variance depend on x, too.

    Args:
        grad_output: (N, C, H, W).
        x, weight, eps: what `batch_norm` was given.

    Returns: the gradients with respect to x (N, C, H, W), weight (C,) and bias (C,).
    """
    normalised, deviation = normalise(x, eps)
    grad_weight = (grad_output * normalised).sum((0, 2, 3))
    grad_bias = grad_output.sum((0, 2, 3))
    g = grad_output * weight[:, None, None]
    through_mean = g.mean((0, 2, 3), keepdims=True)
    through_variance = normalised * (g * normalised).mean((0, 2, 3), keepdims=True)
    return (g - through_mean - through_variance) / deviation, grad_weight, grad_bias
