"""Batch normalisation."""

from typing import Any

import numpy as np

from minicnn import kernels
from minicnn.autograd import Operator, Variable
from minicnn.operators.activation import floating
from minicnn.operators.operands import array_of


def to_rows(x: np.ndarray) -> np.ndarray:
    """(N, C, …) as row-major (N·…, C): a view of channels-last memory."""
    return np.ascontiguousarray(x.transpose(0, *range(2, x.ndim), 1)).reshape(-1, x.shape[1])


def from_rows(rows: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The inverse of `to_rows`, as a view."""
    return rows.reshape(shape[0], *shape[2:], shape[1]).transpose(0, -1, *range(1, len(shape) - 1))


class BatchNorm(Operator):
    """(x − mean) / √(var + eps) · weight + bias, with mean and var computed from x or given."""

    hands_over = True

    @staticmethod
    def forward(
        ctx: Any,
        x: np.ndarray,
        weight: np.ndarray | None,
        bias: np.ndarray | None,
        mean: np.ndarray,
        variance: np.ndarray,
        eps: float,
        from_batch: bool,
    ) -> np.ndarray:
        rows = to_rows(x)
        with np.errstate(all="ignore"):
            invstd = 1 / np.sqrt(variance.astype(np.float64) + eps)
        scale = invstd if weight is None else weight * invstd
        shift = np.zeros_like(mean) if bias is None else bias
        ctx.saved = rows, mean, invstd, scale
        ctx.shape, ctx.from_batch = x.shape, from_batch
        return from_rows(kernels.normalization.normalize(rows, mean, scale, shift), x.shape)

    @staticmethod
    def backward(ctx: Any, grad_output: np.ndarray) -> tuple:
        rows, mean, invstd, scale = ctx.saved
        g = to_rows(grad_output)
        by_x = by_weight = by_bias = None
        if ctx.from_batch or any(ctx.needs_input_grad[1:3]):
            sums, products = kernels.normalization.gradient_sums(g, rows, mean)
            by_weight, by_bias = (products * invstd).astype(g.dtype), sums.astype(g.dtype)
        if ctx.needs_input_grad[0]:
            if ctx.from_batch:
                by_x = kernels.normalization.grad_input(g, rows, mean, invstd, scale, sums, products)
            else:
                by_x = g * scale.astype(g.dtype)
            by_x = from_rows(by_x, ctx.shape)
        needs = ctx.needs_input_grad
        return by_x, by_weight if needs[1] else None, by_bias if needs[2] else None, None, None, None, None


def batch_norm(
    input: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """y = (x − mean) / √(var + eps) · weight + bias for every channel (Ioffe & Szegedy, 2015).

    In training, mean and biased variance are the batch's, over all but the channel dimension, and the running
    statistics move towards them: running = (1 − momentum) · running + momentum · batch, with the unbiased
    variance. Otherwise mean and variance are the running ones.

    Args:
        input: (N, C) or (N, C, …), float32 or float64.
        running_mean, running_var: (C,), changed in place when training; may both be None in training.
        weight, bias: (C,) or None for ones and zeros.
        training: use the batch's statistics.
        momentum: how far the running statistics move.
        eps: added to the variance.

    Returns: a Tensor of the input's shape.

    Raises:
        ValueError: for shapes that don't fit, or one value per channel in training.
        TypeError: for other dtypes.
        RuntimeError: without running statistics where they are needed.
    """
    x = array_of(floating(input, "batch_norm"))
    if x.ndim < 2:
        raise ValueError(f"batch_norm needs input of shape (N, C, …), got {tuple(x.shape)}")
    channels = x.shape[1]
    named = {"running_mean": running_mean, "running_var": running_var, "weight": weight, "bias": bias}
    for name, value in named.items():
        if value is not None and array_of(value).shape != (channels,):
            shape = tuple(array_of(value).shape)
            raise ValueError(f"{name} must have shape ({channels},) for input of shape {tuple(x.shape)}, got {shape}")
    if weight is not None and array_of(weight).dtype != x.dtype:
        raise TypeError(f"batch_norm needs weight of the input's dtype {x.dtype}, got {array_of(weight).dtype}")
    if not training:
        if running_mean is None or running_var is None:
            raise RuntimeError("Expected running_mean and running_var to be defined when training=False")
        mean, variance = array_of(running_mean), array_of(running_var)
        return BatchNorm.apply(input, weight, bias, mean.copy(), variance.copy(), eps, False)
    count = x.size // channels if channels else 0
    if count == 1:
        raise ValueError(f"Expected more than 1 value per channel when training, got input size {tuple(x.shape)}")
    if count == 0:
        mean, variance = np.full((2, channels), np.nan if channels else 0.0)
        return BatchNorm.apply(input, weight, bias, mean, variance, eps, False)
    mean, variance = kernels.normalization.moments(to_rows(x))
    _update(running_mean, mean, momentum)
    _update(running_var, variance * (count / (count - 1)), momentum)
    return BatchNorm.apply(input, weight, bias, mean, variance, eps, True)


def _update(running: Any, batch: np.ndarray, momentum: float) -> None:
    if running is not None:
        values = array_of(running)
        values[...] = (1 - momentum) * values + momentum * batch
        if isinstance(running, Variable):
            running._bump()
