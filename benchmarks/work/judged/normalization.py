"""Batch and layer normalization in two passes, in the dtype of the arrays; batch normalization's gradient too."""

import numpy as np


def _along(values: np.ndarray, x: np.ndarray) -> np.ndarray:
    """(C,) so that it broadcasts against (N, C, …)."""
    return values.reshape(-1, *[1] * (x.ndim - 2))


def _axes(x: np.ndarray) -> tuple[int, ...]:
    return (0, *range(2, x.ndim))


def batch_norm(
    x: np.ndarray,
    running_mean: np.ndarray | None,
    running_var: np.ndarray | None,
    weight: np.ndarray | None = None,
    bias: np.ndarray | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> np.ndarray:
    """y, of the shape of x (N, C, …); in training the running statistics move."""
    if training:
        mean = x.mean(_axes(x))
        var = np.square(x - _along(mean, x)).mean(_axes(x))
        count = x.size // x.shape[1]
        if running_mean is not None and running_var is not None:
            running_mean[...] = (1 - momentum) * running_mean + momentum * mean
            running_var[...] = (1 - momentum) * running_var + momentum * (var * (count / (count - 1)))
    else:
        assert running_mean is not None
        assert running_var is not None
        mean, var = running_mean, running_var
    y = (x - _along(mean, x)) / np.sqrt(_along(var, x) + x.dtype.type(eps))
    if weight is not None:
        y = y * _along(weight, x)
    return y if bias is None else y + _along(bias, x)


def batch_norm_backward(
    grad_output: np.ndarray,
    x: np.ndarray,
    running_mean: np.ndarray | None,
    running_var: np.ndarray | None,
    weight: np.ndarray | None = None,
    bias: np.ndarray | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> dict[str, np.ndarray | None]:
    """The gradients by name: with respect to x, weight and bias."""
    if training:
        mean = x.mean(_axes(x))
        var = np.square(x - _along(mean, x)).mean(_axes(x))
    else:
        assert running_mean is not None
        assert running_var is not None
        mean, var = running_mean, running_var
    deviation = np.sqrt(_along(var, x) + x.dtype.type(eps))
    normal = (x - _along(mean, x)) / deviation
    g = grad_output if weight is None else grad_output * _along(weight, x)
    if training:  # the batch's mean and variance depend on x too
        g = g - _along(g.mean(_axes(x)), x) - normal * _along((g * normal).mean(_axes(x)), x)
    return {
        "x": g / deviation,
        "weight": None if weight is None else (grad_output * normal).sum(_axes(x)),
        "bias": None if bias is None else grad_output.sum(_axes(x)),
    }


def layer_norm(
    x: np.ndarray,
    normalized_shape: int | tuple[int, ...],
    weight: np.ndarray | None = None,
    bias: np.ndarray | None = None,
    eps: float = 1e-5,
) -> np.ndarray:
    """y, of the shape of x (…, *normalized_shape)."""
    count = 1 if isinstance(normalized_shape, int) else len(normalized_shape)
    last = tuple(range(-count, 0))
    deviation = x - x.mean(last, keepdims=True)
    y = deviation / np.sqrt(np.square(deviation).mean(last, keepdims=True) + x.dtype.type(eps))
    y = y if weight is None else y * weight
    return y if bias is None else y + bias
