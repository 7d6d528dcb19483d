"""Losses of margins between classes, of one label or of several."""

from typing import Any

import numpy as np

from minicnn.autograd import Operator
from minicnn.errors import DtypeError, ShapeError
from minicnn.nn.functional.reducing import chosen, reduced, tensors
from minicnn.operators.activation import floating, logsigmoid
from minicnn.operators.operands import alone, array_of, check_broadcast, refuse_gradient, tensor_array
from minicnn.operators.shape import reshape


class MultiMargin(Operator):
    """Σ over c ≠ t of w[t] · max(0, margin − x[t] + x[c])ᵖ / K for each row."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, target: np.ndarray, p: int, margin: float, weight: Any) -> np.ndarray:
        rows = np.arange(len(x))
        z = np.maximum(x.dtype.type(margin) - x[rows, target][:, None] + x, 0)
        z[rows, target] = 0
        scale = np.full(len(x), 1 / x.shape[1], x.dtype) if weight is None else weight[target] / x.shape[1]
        ctx.saved, ctx.p = (z, target, scale), p
        return (z if p == 1 else z * z).sum(1) * scale

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        z, target, scale = ctx.saved
        by_x = ((z > 0) if ctx.p == 1 else 2 * z) * (g * scale)[:, None]
        by_x[np.arange(len(z)), target] = -by_x.sum(1)
        return by_x


def multi_margin_loss(
    input: Any,
    target: Any,
    p: int = 1,
    margin: float = 1.0,
    weight: Any = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """Σ over classes c ≠ t of max(0, margin − input[t] + input[c])ᵖ / K, with t the target.

    Args:
        input: scores (N, K) or (K,), float32 or float64.
        target: int64 classes (N,), or () without a batch.
        p: 1 or 2.
        margin: by how much the target's score should be the largest.
        weight: (K,), a factor for each class as a target; without gradient.
        size_average, reduce: PyTorch's old way of choosing `reduction`; they warn, and win over it.
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: for another `p`.
        ShapeError, DtypeError: for shapes and dtypes that don't fit.
        RuntimeError: for a target that is no class.
    """
    name = "multi_margin_loss"
    reduction = chosen(size_average, reduce, reduction)
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    x, t = array_of(floating(input, name)), tensor_array(target, name, "target")
    input, target = tensors(name, input=input, target=target)
    K = x.shape[-1] if x.ndim else 1
    if x.ndim > 2 or not K:
        raise ShapeError(f"{name} needs input (N, K) or (K,) with K above 0, got {tuple(x.shape)}")
    if t.dtype != np.int64:
        raise DtypeError(f"{name} needs int64 classes as target, got {t.dtype}")
    if (x.ndim == 2 and t.shape != x.shape[:1]) or (x.ndim < 2 and (t.ndim > 1 or t.size != 1)):
        raise ShapeError(f"{name} needs one target a row of input {tuple(x.shape)}, got {tuple(t.shape)}")
    if weight is not None:
        refuse_gradient(name, weight=weight)
        weight = tensor_array(weight, name, "weight")
        if weight.shape != (K,):
            raise ShapeError(f"{name} needs weight of shape ({K},), got {tuple(weight.shape)}")
        if weight.dtype != x.dtype:
            raise DtypeError(f"{name} needs weight of the input's dtype {x.dtype}, got {weight.dtype}")
    if np.any((t < 0) | (t >= K)):
        raise RuntimeError(f"target out of range: {K} classes (0 … {K - 1})")
    losses = MultiMargin.apply(input.reshape(-1, K), reshape(target, -1), p, float(margin), weight)
    return reduced(alone(losses.reshape(t.shape)), reduction)


class MultiLabelMargin(Operator):
    """Σ over labels t and others c of max(0, 1 − x[t] + x[c]) / K for each row; labels end at the first −1."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, labels: np.ndarray) -> np.ndarray:
        N, K = x.shape
        counts = np.logical_and.accumulate(labels >= 0, 1)
        places = np.where(counts, labels, 0)
        is_label = np.zeros((N, K), bool)
        np.logical_or.at(is_label, (np.arange(N)[:, None], places), counts)
        losses, slopes = np.zeros(N), np.zeros((N, K), x.dtype)
        for k in range(K):
            rows = np.flatnonzero(counts[:, k])
            t = places[rows, k]
            z = np.where(is_label[rows], 0, 1 - x[rows, t][:, None] + x[rows])
            losses[rows] += np.maximum(z, 0).sum(1, dtype=np.float64)
            slopes[rows] += z > 0
            slopes[rows, t] -= (z > 0).sum(1)
        ctx.saved = (slopes,)
        return (losses / K).astype(x.dtype)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        (slopes,) = ctx.saved
        return slopes * (g / slopes.shape[1])[:, None]


def multilabel_margin_loss(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """Σ over labels t and classes c that are none of max(0, 1 − input[t] + input[c]) / K.

    Args:
        input: scores (N, K) or (K,), float32 or float64.
        target: int64, of the same shape: the labels of each row, then −1.
        size_average, reduce: PyTorch's old way of choosing `reduction`; they warn, and win over it.
        reduction: "mean", "sum" or "none".

    Raises:
        ShapeError, DtypeError: for shapes and dtypes that don't fit.
        RuntimeError: for a target that is neither a class nor −1.
    """
    name = "multilabel_margin_loss"
    reduction = chosen(size_average, reduce, reduction)
    x, t = array_of(floating(input, name)), tensor_array(target, name, "target")
    input, target = tensors(name, input=input, target=target)
    K = x.shape[-1] if x.ndim else 1
    if x.ndim > 2 or not K or t.shape != x.shape:
        raise ShapeError(f"{name} needs input and target (N, K) or (K,), got {tuple(x.shape)} and {tuple(t.shape)}")
    if t.dtype != np.int64:
        raise DtypeError(f"{name} needs int64 labels as target, got {t.dtype}")
    if np.any((t < -1) | (t >= K)):
        raise RuntimeError(f"target out of range: {K} classes (0 … {K - 1}), then -1")
    losses = MultiLabelMargin.apply(input.reshape(-1, K), reshape(target, -1, K))
    return reduced(alone(losses.reshape(x.shape[:-1])), reduction)


def multilabel_soft_margin_loss(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """The mean over classes of −target · ln sigmoid(input) − (1 − target) · ln sigmoid(−input).

    Args:
        input: logits (…, K), float32 or float64.
        target: 0 or 1, of a shape that broadcasts with the input's.
        weight: factors that broadcast with both.
        size_average, reduce: PyTorch's old way of choosing `reduction`; they warn, and win over it.
        reduction: "mean", "sum" or "none".

    Raises:
        IndexError: for an input without dimensions.
    """
    name = "multilabel_soft_margin_loss"
    reduction = chosen(size_average, reduce, reduction)
    input, target = tensors(name, input=floating(input, name), target=target)
    check_broadcast(array_of(input).shape, array_of(target).shape)
    losses = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    if weight is not None:
        losses = losses * tensors(name, weight=weight)[0]
    shape = array_of(input).shape
    if not shape:
        raise IndexError(f"{name} needs a dimension of classes, got a number")
    return reduced(losses.sum(len(shape) - 1) / shape[-1], reduction)
