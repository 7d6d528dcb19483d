"""Batch normalisation."""

from math import prod
from typing import Any

import numpy as np

from minicnn import kernels
from minicnn.autograd import Operator, Variable
from minicnn.errors import ShapeError
from minicnn.operators.activation import floating
from minicnn.operators.arithmetic import Add, Multiply
from minicnn.operators.operands import array_of, refuse_gradient
from minicnn.operators.shape import Clone, reshape


def to_rows(x: np.ndarray) -> np.ndarray:
    """(N, C, …) as row-major (N·…, C): a view of channels-last memory."""
    N, C, *others = x.shape
    return kernels.memory.contiguous(x.transpose(0, *range(2, x.ndim), 1)).reshape(N * prod(others), C)


def from_rows(rows: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The inverse of `to_rows`, as a view."""
    return rows.reshape(shape[0], *shape[2:], shape[1]).transpose(0, -1, *range(1, len(shape) - 1))


class BatchNorm(Operator):
    """(x − mean) / √(var + eps) · weight + bias, with mean and var computed from x or given.

    The running statistics take no part in the formula; they are arguments so that a change of them before backward is
    noticed, as in PyTorch.
    """

    hands_over = True

    @staticmethod
    def forward(
        ctx: Any,
        x: np.ndarray,
        weight: np.ndarray | None,
        bias: np.ndarray | None,
        running_mean: np.ndarray | None,
        running_var: np.ndarray | None,
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
        ctx.saved = rows, mean, invstd, scale, x, weight, running_mean, running_var
        ctx.shape, ctx.from_batch, ctx.eps = x.shape, from_batch, eps
        return from_rows(kernels.normalization.normalize(rows, mean, scale, shift), x.shape)

    @staticmethod
    def backward(ctx: Any, grad_output: np.ndarray) -> tuple:
        rows, mean, invstd, scale, *_ = ctx.saved
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
        return by_x, by_weight if needs[1] else None, by_bias if needs[2] else None, *[None] * 6

    @staticmethod
    def backward_recorded(ctx: Any, g: Any) -> tuple:
        _, mean, invstd, _, x, weight, *_ = ctx.saved
        axes, wide = [0, *range(2, x.ndim)], (1, -1, *[1] * (x.ndim - 2))
        x = ctx.argument(0, x)
        factor = None if weight is None else ctx.argument(1, weight).reshape(wide)
        needs = ctx.needs_input_grad
        if ctx.from_batch:
            by_x, normalized = normalization_gradient(g, x, factor, axes, ctx.eps)
        else:
            constants = [Variable._computed(one.astype(x.dtype).reshape(wide)) for one in (mean, invstd)]
            normalized, by_x = (x - constants[0]) * constants[1], (g if factor is None else g * factor) * constants[1]
        by_weight = (g * normalized).sum(axes) if needs[1] else None
        return by_x, by_weight, g.sum(axes) if needs[2] else None, *[None] * 6


def normalization_gradient(g: Any, x: Any, factor: Any, axes: Any, eps: float, centred: bool = True) -> tuple:
    """The gradient with respect to x of (x − mean) / √(var + eps) · factor, in terms of operations.

    Args:
        g, x: Tensors.
        factor: a Tensor that broadcasts against them, or None.
        axes: those that mean and variance are taken over.
        eps: added to the variance.
        centred: whether the mean is subtracted.

    Returns: that gradient, and x normalized.
    """
    centre = x - x.mean(axes, keepdim=True) if centred else x
    invstd = ((centre * centre).mean(axes, keepdim=True) + eps).rsqrt()
    normalized = centre * invstd
    g = g if factor is None else g * factor
    mean = g.mean(axes, keepdim=True) if centred else 0
    return (g - mean - normalized * (g * normalized).mean(axes, keepdim=True)) * invstd, normalized


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
        running_mean, running_var: (C,), changed in place when training; both may be None in training.
        weight, bias: (C,) or None for ones and zeros.
        training: use the batch's statistics.
        momentum: how far the running statistics move.
        eps: added to the variance; more than 0 in training, at least 0 otherwise.

    Returns: a Tensor of the input's shape. Without elements it has no statistics: the running ones stay as they are.

    Raises:
        ValueError: for shapes that don't fit, one value per channel in training, an `eps` out of range, or one running
            statistic without the other.
        TypeError: for other dtypes; statistics, weight and bias have the input's.
        RuntimeError: without running statistics where they are needed, or where they require a gradient.
        IndexError: for an input without channels but with a weight or a bias, as in PyTorch.
    """
    x = array_of(floating(input, "batch_norm"))
    _check_numbers(momentum, eps, training)
    if x.ndim < 2 and x.shape != (0,):
        raise ShapeError(f"batch_norm needs input of shape (N, C, …), got {tuple(x.shape)}")
    N, C, *others = x.shape if x.ndim > 1 else (0, 0)
    count = N * prod(others)
    if training and count == 1:
        raise ValueError(f"Expected more than 1 value per channel when training, got input size {tuple(x.shape)}")
    named = {"running_mean": running_mean, "running_var": running_var, "weight": weight, "bias": bias}
    given = {name: value for name, value in named.items() if value is not None}
    for name, value in given.items():
        if array_of(value).size != C:
            shape = tuple(array_of(value).shape)
            raise ShapeError(f"{name} must have shape ({C},) for input of shape {tuple(x.shape)}, got {shape}")
    weight, bias = [one if one is None or array_of(one).ndim == 1 else reshape(one, -1) for one in (weight, bias)]
    if x.size == 0:
        return _of_nothing(input, weight, bias)
    if training and (running_mean is None) != (running_var is None):
        raise ShapeError("running_mean and running_var must either both be None or neither be None")
    if not training and (running_mean is None or running_var is None):
        raise RuntimeError("Expected running_mean and running_var to be defined when training=False")
    for name, value in given.items():
        if array_of(value).dtype != x.dtype:
            raise TypeError(f"batch_norm needs {name} of the input's dtype {x.dtype}, got {array_of(value).dtype}")
    refuse_gradient("batch_norm", running_mean=running_mean, running_var=running_var)
    if training:
        mean, variance = kernels.normalization.moments(to_rows(x))
        move_running(running_mean, mean, momentum)
        move_running(running_var, variance * (count / (count - 1)), momentum)
    else:
        mean, variance = [array_of(one).reshape(-1).copy() for one in (running_mean, running_var)]
    return BatchNorm.apply(input, weight, bias, running_mean, running_var, mean, variance, eps, training)


def _check_numbers(momentum: Any, eps: Any, training: bool) -> None:
    for name, value in (("momentum", momentum), ("eps", eps)):
        if not isinstance(array_of(value), (int, float, np.generic, np.ndarray)):
            raise TypeError(f"batch_norm needs {name} as a number, got {value!r}")
    if eps < 0 or (training and eps == 0):
        least = "positive during training" if training else "non-negative"
        raise ValueError(f"batch_norm eps must be {least}, but got {eps}")


def _of_nothing(x: Any, weight: Any, bias: Any) -> Any:
    """An input without elements as it is, in a graph that gives weight and bias gradients of zero."""
    for name, value in (("weight", weight), ("bias", bias)):
        if value is not None and not array_of(value).size:
            raise IndexError(f"batch_norm can't use {name} with an input without channels")
    result = Clone.apply(x)
    if weight is not None:
        result = Multiply.call(result, reshape(weight, -1)[0])
    if bias is not None:
        result = Add.call(result, reshape(bias, -1)[0])
    return result


def move_running(running: Any, batch: np.ndarray, momentum: float) -> None:
    """Move running statistics; PyTorch doesn't count this as a change in place, so that backward still works."""
    if running is not None:
        values = array_of(running)
        values[...] = (1 - momentum) * values + momentum * batch
