"""Losses."""

from typing import Any

import numpy as np

from minicnn import kernels
from minicnn.autograd import Operator
from minicnn.nn.functional.normalization import from_rows, to_rows
from minicnn.operators import reduction as reductions
from minicnn.operators.activation import floating, log_softmax
from minicnn.operators.arithmetic import Subtract
from minicnn.operators.elementwise import exp, where
from minicnn.operators.operands import array_of, check_broadcast
from minicnn.operators.quiet import quietly
from minicnn.operators.shape import reshape


def _check_reduction(reduction: str, *known: str) -> None:
    if reduction not in ("none", "mean", "sum", *known):
        raise ValueError(f"{reduction} is not a valid value for reduction")


def _reduce(losses: Any, reduction: str) -> Any:
    """Each loss, their mean or their sum."""
    if reduction == "none":
        return losses
    return reductions.mean(losses) if reduction == "mean" else reductions.sum(losses)


class CrossEntropy(Operator):
    """Softmax and negative log-likelihood of class indices in one."""

    hands_over = True

    @staticmethod
    def forward(
        ctx: Any,
        x: np.ndarray,
        target: np.ndarray,
        weight: np.ndarray | None,
        ignore_index: int,
        smoothing: float,
        reduction: str,
    ) -> np.ndarray:
        rows, targets = to_rows(x), np.ascontiguousarray(target).reshape(-1)
        weights = np.ones(x.shape[1]) if weight is None else weight.astype(np.float64)
        losses, slopes, total, counted = kernels.loss.cross_entropy(
            rows, targets, weights, ignore_index, smoothing, ctx.needs_input_grad[0]
        )
        ctx.saved, ctx.shape = (slopes, (targets != ignore_index)[:, None]), x.shape
        ctx.divisor = counted if reduction == "mean" else 1.0
        if reduction == "none":
            return losses.astype(x.dtype).reshape(target.shape)
        return np.asarray(quietly(np.divide, total, ctx.divisor), x.dtype)  # NaN where nothing counts

    @staticmethod
    def backward(ctx: Any, grad_output: np.ndarray) -> tuple:
        slopes, counts = ctx.saved
        scale = np.divide(grad_output, ctx.divisor, dtype=slopes.dtype).reshape(-1, 1)
        by_rows = np.multiply(slopes, scale, out=np.zeros_like(slopes), where=counts)
        return from_rows(by_rows, ctx.shape), None, None, None, None, None


def _check_classes(name: str, x: np.ndarray, target: np.ndarray, weight: Any, ignore_index: int) -> None:
    """Raise unless class indices fit the scores (N, K, …), naming what doesn't."""
    if target.dtype != np.int64:
        raise TypeError(f"{name} needs int64 class indices as target, got {target.dtype}")
    if target.shape != (x.shape[0], *x.shape[2:]):
        raise ValueError(
            f"{name} with input {tuple(x.shape)} needs target of shape "
            f"{(x.shape[0], *x.shape[2:])}, got {tuple(target.shape)}"
        )
    if weight is not None and array_of(weight).shape != (x.shape[1],):
        raise ValueError(f"weight must have shape ({x.shape[1]},), got {tuple(array_of(weight).shape)}")
    if weight is not None and array_of(weight).dtype != x.dtype:
        raise TypeError(f"weight must have the input's dtype {x.dtype}, got {array_of(weight).dtype}")
    targets = target.reshape(-1)
    outside = kernels.loss.first_outside(targets, x.shape[1], ignore_index)
    if outside < targets.size:
        raise IndexError(f"Target {targets[outside]} is out of bounds: {x.shape[1]} classes (0 … {x.shape[1] - 1})")


def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """−log softmax(input)[target], computed without overflow.

    Args:
        input: logits (N, K), (N, K, d1, …) or (K,), float32 or float64.
        target: int64 class indices (N,), (N, d1, …) or (); or probabilities of the input's shape and dtype.
        weight: (K,), a factor for each class.
        ignore_index: a class index that counts nothing.
        reduction: "mean" (weighted by `weight`), "sum" or "none".
        label_smoothing: how much of the target's mass is spread evenly over the classes, 0 … 1.

    Returns: a 0-dimensional Tensor, or for "none" one of the shape of the class indices. NaN for the mean over
        nothing but ignored targets.

    Raises:
        ValueError: for shapes or values that don't fit.
        TypeError: for other dtypes.
        IndexError: for a target that is no class.
    """
    x, classes = array_of(floating(input, "cross_entropy")), array_of(target)
    _check_reduction(reduction)
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    if x.ndim < 1 or x.shape[min(x.ndim - 1, 1)] == 0:
        raise ValueError(f"cross_entropy needs input of shape (N, K, …) or (K,), got {tuple(x.shape)}")
    if classes.dtype.kind == "f":
        return _soft_cross_entropy(input, target, weight, reduction, label_smoothing)
    if x.ndim == 1:
        _check_classes(
            "cross_entropy",
            x[None],
            np.reshape(classes, (1,)) if classes.ndim == 0 else classes[None],
            weight,
            ignore_index,
        )
        losses = CrossEntropy.apply(
            reshape(input, 1, -1),
            np.reshape(classes, (1,)),
            array_of(weight),
            ignore_index,
            float(label_smoothing),
            reduction,
        )
        return losses.reshape(())
    _check_classes("cross_entropy", x, classes, weight, ignore_index)
    return CrossEntropy.apply(input, classes, array_of(weight), ignore_index, float(label_smoothing), reduction)


def _soft_cross_entropy(x: Any, target: Any, weight: Any, reduction: str, smoothing: float) -> Any:
    """Cross-entropy against probabilities: −Σ_c w[c] · q[c] · log p[c]."""
    shape = array_of(x).shape
    if array_of(target).shape != shape:
        raise ValueError(f"probabilities need the input's shape {tuple(shape)}, got {tuple(array_of(target).shape)}")
    floating(target, "cross_entropy")
    axis = min(len(shape) - 1, 1)
    K = shape[axis]
    log_p = log_softmax(x, axis)
    if smoothing:
        target = target * (1 - smoothing) + smoothing / K
    if weight is not None:
        if array_of(weight).shape != (K,):
            raise ValueError(f"weight must have shape ({K},), got {tuple(array_of(weight).shape)}")
        target = target * reshape(weight, K, *[1] * (len(shape) - 1 - axis))
    losses = -reductions.sum(log_p * target, axis)
    if reduction == "mean":  # over positions, whatever the probabilities add up to
        return reductions.sum(losses) / max(int(np.prod(shape)) // K, 0) if losses.numel() else losses.sum() / 0
    return _reduce(losses, reduction)


class NegativeLogLikelihood(Operator):
    """−weight[target] · x[target], and Σ weight[target] for the mean."""

    @staticmethod
    def forward(
        ctx: Any,
        x: np.ndarray,
        target: np.ndarray,
        weight: np.ndarray | None,
        ignore_index: int,
        reduction: str,
    ) -> np.ndarray:
        counted = target != ignore_index
        index = np.expand_dims(np.where(counted, target, 0), 1)
        chosen = np.ones(x.shape[1], x.dtype) if weight is None else weight
        factor = np.where(counted, chosen[index[:, 0]], x.dtype.type(0))
        picked = np.take_along_axis(x, index, 1)[:, 0]
        losses = np.where(counted, -factor * picked, x.dtype.type(0))
        ctx.index, ctx.factor, ctx.shape, ctx.reduction = index, factor, x.shape, reduction
        if reduction == "none":
            return losses
        total = losses.sum(dtype=np.float64)
        if reduction == "mean":
            ctx.divisor = factor.sum(dtype=np.float64)
            total = quietly(np.divide, total, ctx.divisor)
        return np.asarray(total, x.dtype)

    @staticmethod
    def backward(ctx: Any, grad_output: np.ndarray) -> tuple:
        g = grad_output
        if ctx.reduction == "mean":
            g = g / g.dtype.type(ctx.divisor)
        by_picked = np.where(ctx.factor == 0, 0, -ctx.factor * g).astype(grad_output.dtype)
        grad_input = np.zeros(ctx.shape, grad_output.dtype)
        np.put_along_axis(grad_input, ctx.index, np.expand_dims(by_picked, 1), 1)
        return grad_input, None, None, None, None


def nll_loss(
    input: Any,
    target: Any,
    weight: Any = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Any:
    """−input[target]: the negative log-likelihood, given log-probabilities.

    Args:
        input: log-probabilities (N, K), (N, K, d1, …) or (K,), float32 or float64.
        target: int64 class indices (N,), (N, d1, …) or ().
        weight: (K,), a factor for each class.
        ignore_index: a class index that counts nothing.
        reduction: "mean" (weighted by `weight`), "sum" or "none".

    Returns: a 0-dimensional Tensor, or for "none" one of the target's shape.

    Raises:
        ValueError, TypeError, IndexError: as `cross_entropy`.
    """
    x, classes = array_of(floating(input, "nll_loss")), array_of(target)
    _check_reduction(reduction)
    if x.ndim < 1:
        raise ValueError(f"nll_loss needs input of shape (N, K, …) or (K,), got {tuple(x.shape)}")
    if x.ndim == 1:
        batch = classes.reshape(1) if classes.ndim == 0 else classes[None]
        _check_classes("nll_loss", x[None], batch, weight, ignore_index)
        loss = NegativeLogLikelihood.apply(reshape(input, 1, -1), batch, array_of(weight), ignore_index, reduction)
        return loss.reshape(())
    _check_classes("nll_loss", x, classes, weight, ignore_index)
    return NegativeLogLikelihood.apply(input, classes, array_of(weight), ignore_index, reduction)


def mse_loss(input: Any, target: Any, *, reduction: str = "mean") -> Any:
    """(input − target)²

    Args:
        input, target: shapes that broadcast together.
        reduction: "mean", "sum" or "none".
    """
    _check_reduction(reduction)
    check_broadcast(array_of(input).shape, array_of(target).shape)
    difference = Subtract.call(input, target)
    return _reduce(difference * difference, reduction)


def l1_loss(input: Any, target: Any, *, reduction: str = "mean") -> Any:
    """|input − target|

    Args:
        input, target: shapes that broadcast together.
        reduction: "mean", "sum" or "none".
    """
    _check_reduction(reduction)
    check_broadcast(array_of(input).shape, array_of(target).shape)
    return _reduce(Subtract.call(input, target).abs(), reduction)


def kl_div(input: Any, target: Any, *, reduction: str = "mean", log_target: bool = False) -> Any:
    """target · (ln target − input), 0 where target is 0: the Kullback-Leibler divergence, pointwise.

    Args:
        input: log-probabilities.
        target: probabilities, or with `log_target` their logarithms; shapes broadcast together.
        reduction: "mean" (over elements), "batchmean" (sum / N), "sum" or "none".
    """
    _check_reduction(reduction, "batchmean")
    check_broadcast(array_of(input).shape, array_of(target).shape)
    if log_target:
        losses = exp(target) * (target - input)
    else:
        present = array_of(target) > 0
        safe = where(present, target, 1.0)
        losses = where(present, safe * safe.log(), 0.0) - target * input
    if reduction == "batchmean":
        return reductions.sum(losses) / array_of(input).shape[0]
    return _reduce(losses, reduction)
