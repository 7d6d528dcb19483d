"""Cross entropy and negative log-likelihood of classes."""

from typing import Any

import numpy as np

from minicnn import kernels
from minicnn.autograd import Operator, Variable
from minicnn.errors import DtypeError, ShapeError
from minicnn.nn.functional.images import First
from minicnn.nn.functional.normalization import from_rows, to_rows
from minicnn.nn.functional.reducing import chosen, reduced
from minicnn.operators import reduction as reductions
from minicnn.operators.activation import floating
from minicnn.operators.operands import array_of, refuse_gradient, tensor_array
from minicnn.operators.quiet import quietly
from minicnn.operators.shape import reshape
from minicnn.operators.softmax import Softmax, log_softmax


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
        rows, targets = to_rows(x), _class_indices(target)
        weights = np.ones(x.shape[1]) if weight is None else weight.astype(np.float64)
        losses, slopes, total, counted = kernels.loss.cross_entropy(
            rows, targets, weights, ignore_index, smoothing, ctx.needs_input_grad[0]
        )
        ctx.saved = slopes, targets, target, weight
        ctx.shape, ctx.ignored, ctx.smoothing = x.shape, ignore_index, smoothing
        if smoothing and not x.shape[1]:
            total = np.nan  # the share of each class is smoothing / 0
        if smoothing and not counted:
            counted = np.nan  # the two parts of the loss are divided by it one by one, 0 by 0 among them
        ctx.divisor = counted if reduction == "mean" else 1.0
        if reduction == "none":
            return losses.astype(x.dtype).reshape(target.shape)
        return np.asarray(quietly(np.divide, total, ctx.divisor), x.dtype)  # NaN where nothing counts

    @staticmethod
    def backward(ctx: Any, grad_output: np.ndarray) -> np.ndarray:
        slopes, targets, *_ = ctx.saved
        scale = quietly(np.divide, grad_output, ctx.divisor).astype(slopes.dtype).reshape(-1)
        by_rows = kernels.loss.gradient(slopes, targets, ctx.ignored, scale)
        return from_rows(by_rows, ctx.shape)

    @staticmethod
    def backward_recorded(ctx: Any, g: Any) -> tuple:
        """g · (p · Σ a − a): the slopes are that without g, and p the softmax of x."""
        slopes, targets, _, weight = ctx.saved
        K, s = slopes.shape[1], ctx.smoothing
        w = np.ones(K) if weight is None else weight.astype(np.float64)
        counted = targets != ctx.ignored
        t = np.where(counted, targets, 0)
        a = np.full(slopes.shape, s / K) * w
        a[np.arange(len(t)), t] += (1 - s) * w[t]
        sums = a.sum(1, keepdims=True)
        p = (slopes + a) / np.where(sums == 0, 1, sums)
        N, _, *size = ctx.shape
        rows = [(one * counted[:, None]).astype(slopes.dtype) for one in (p, a, sums)]
        p, a, sums = [np.ascontiguousarray(from_rows(one, (N, one.shape[1], *size))) for one in rows]
        probabilities = ctx.computed(Softmax, p, axis=1)
        scale = g / float(ctx.divisor)
        scale = scale.unsqueeze(1) if scale._array.ndim else scale
        return (probabilities * Variable._computed(sums) - Variable._computed(a)) * scale


def _class_indices(target: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(target, np.int64).reshape(-1)


def _check_classes(name: str, x: np.ndarray, target: np.ndarray, weight: Any, ignore_index: int) -> None:
    """Raise unless class indices fit the scores (N, K, …), naming what doesn't."""
    if target.dtype != np.int64 and not (target.dtype == np.uint8 and x.ndim == 2):
        raise DtypeError(f"{name} needs int64 class indices as target, got {target.dtype}")
    if not isinstance(ignore_index, (int, np.integer)):
        raise TypeError(f"{name} needs ignore_index as an int, got {ignore_index!r}")
    if target.shape != (x.shape[0], *x.shape[2:]):
        raise ShapeError(
            f"{name} with input {tuple(x.shape)} needs target of shape "
            f"{(x.shape[0], *x.shape[2:])}, got {tuple(target.shape)}"
        )
    if weight is not None:
        _check_weight(weight, x.shape[1])
        if array_of(weight).dtype != x.dtype:
            raise DtypeError(f"weight must have the input's dtype {x.dtype}, got {array_of(weight).dtype}")
    refuse_gradient(name, weight=weight)
    targets = _class_indices(target)
    outside = kernels.loss.first_outside(targets, x.shape[1], ignore_index)
    if outside < targets.size:
        raise IndexError(f"Target {targets[outside]} is out of bounds: {x.shape[1]} classes (0 … {x.shape[1] - 1})")


def _check_weight(weight: Any, classes: int) -> None:
    if array_of(weight).shape != (classes,):
        raise ShapeError(f"weight must have shape ({classes},), got {tuple(array_of(weight).shape)}")


def _for_classes(
    operator: type[Operator], name: str, input: Any, target: Any, weight: Any, ignore_index: int, *options: Any
) -> Any:
    """The loss by `operator` of scores (N, K, …) or (K,) against class indices."""
    if array_of(input).ndim > 1:
        _check_classes(name, array_of(input), array_of(target), weight, ignore_index)
        return operator.apply(input, target, weight, ignore_index, *options)
    if array_of(target).shape not in ((), (1,)):
        shapes = f"input {tuple(array_of(input).shape)} and target {tuple(array_of(target).shape)}"
        raise ShapeError(f"{name} without a batch needs one target, got {shapes}")
    batch = reshape(input, 1, -1)
    result = _for_classes(operator, name, batch, reshape(target, 1), weight, ignore_index, *options)
    return First.apply(result) if array_of(result).ndim else result


def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """−log softmax(input)[target], computed without overflow.

    Args:
        input: logits (N, K), (N, K, d1, …) or (K,), float32 or float64.
        target: int64 (for (N, K) and (K,) also uint8) class indices (N,), (N, d1, …), () or, without a batch, (1,);
            or probabilities of the input's shape.
        weight: (K,), a factor for each class; it gets no gradient beside class indices.
        size_average, reduce: PyTorch's old way of choosing `reduction`; they warn, and win over it.
        ignore_index: a class index that counts nothing; negative beside probabilities.
        reduction: "mean" (weighted by `weight`), "sum" or "none".
        label_smoothing: how much of the target's mass is spread evenly over the classes, 0 … 1; its weighted mean
            takes no uint8 targets, as PyTorch's.

    Returns: a 0-dimensional Tensor, or for "none" one of the shape of the class indices. NaN for the mean over
        nothing but ignored targets.

    Raises:
        ValueError: for shapes or values that don't fit.
        TypeError: for other dtypes.
        IndexError: for a target that is no class.
    """
    x, classes = array_of(floating(input, "cross_entropy")), tensor_array(target, "cross_entropy", "target")
    reduction = chosen(size_average, reduce, reduction)
    if not isinstance(label_smoothing, (int, float, np.number)):
        raise TypeError(f"cross_entropy needs label_smoothing as a number, got {label_smoothing!r}")
    if label_smoothing > 1:
        raise ShapeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    smoothing = float(label_smoothing) if label_smoothing > 0 else 0.0  # whatever isn't above 0 is none, as in PyTorch
    if x.ndim < 1:
        raise ShapeError(f"cross_entropy needs input of shape (N, K, …) or (K,), got {tuple(x.shape)}")
    if classes.dtype.kind == "f":
        if ignore_index >= 0:
            raise ShapeError(f"probabilities as targets can't be ignored, got ignore_index={ignore_index}")
        return _soft_cross_entropy(input, target, weight, reduction, smoothing)
    if smoothing and x.ndim == classes.ndim == 1:
        raise ShapeError(f"cross_entropy with label_smoothing needs a target of shape (), got {tuple(classes.shape)}")
    if smoothing and reduction == "mean" and weight is not None and classes.dtype == np.uint8 and classes.size:
        raise DtypeError("cross_entropy with weight and label_smoothing needs int64 class indices as target, got uint8")
    return _for_classes(CrossEntropy, "cross_entropy", input, target, weight, ignore_index, smoothing, reduction)


def _soft_cross_entropy(x: Any, target: Any, weight: Any, reduction: str, smoothing: float) -> Any:
    """Cross-entropy against probabilities: −Σ_c w[c] · q[c] · log p[c]."""
    shape = array_of(x).shape
    if array_of(target).shape != shape:
        raise ShapeError(f"probabilities need the input's shape {tuple(shape)}, got {tuple(array_of(target).shape)}")
    floating(target, "cross_entropy")
    axis = min(len(shape) - 1, 1)
    K = shape[axis]
    log_p = log_softmax(x, axis)
    if smoothing:
        target = target * (1 - smoothing) + smoothing / max(K, 1)
    if weight is not None:
        _check_weight(weight, K)
        target = target * reshape(weight, K, *[1] * (len(shape) - 1 - axis))
    losses = -reductions.sum(log_p * target, axis)
    if reduction == "mean":  # over positions, whatever the probabilities add up to
        return reductions.sum(losses) / (array_of(x).size // K if K else 0)
    return reduced(losses, reduction)


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
        index = np.expand_dims(np.where(counted, target, 0).astype(np.int64), 1)
        factors = np.ones(x.shape[1], x.dtype) if weight is None else weight
        if x.shape[1]:
            factor = np.where(counted, np.take(factors, index[:, 0], mode="clip"), x.dtype.type(0))
            picked = np.take_along_axis(x, index, 1)[:, 0]
        else:  # no classes: every target is ignored
            factor = picked = np.zeros(target.shape, x.dtype)
        losses = np.where(counted, -factor * picked, x.dtype.type(0))
        ctx.saved = target, weight, x
        ctx.index, ctx.counted, ctx.factor, ctx.reduction = index, counted, factor, reduction
        if reduction == "none":
            return losses
        total = losses.sum(dtype=np.float64)
        if reduction == "mean":
            ctx.divisor = factor.sum(dtype=np.float64)
            total = quietly(np.divide, total, ctx.divisor)
        return np.asarray(total, x.dtype)

    @staticmethod
    def backward(ctx: Any, grad_output: np.ndarray) -> np.ndarray:
        g = grad_output
        if ctx.reduction == "mean":
            g = g / g.dtype.type(ctx.divisor)
        by_picked = np.where(ctx.counted, -ctx.factor * g, 0).astype(grad_output.dtype)
        grad_input = np.zeros(ctx.saved[2].shape, grad_output.dtype)
        if grad_input.size:
            np.put_along_axis(grad_input, ctx.index, np.expand_dims(by_picked, 1), 1)
        return grad_input

    @staticmethod
    def backward_recorded(ctx: Any, g: Any) -> tuple:
        share = np.where(ctx.counted, -ctx.factor, 0) / (ctx.divisor if ctx.reduction == "mean" else 1)

        def back(x: np.ndarray) -> np.ndarray:
            if not x.shape[1]:
                return np.zeros(g._array.shape, x.dtype)
            terms = np.take_along_axis(x, ctx.index, 1)[:, 0] * share
            return np.asarray(terms if ctx.reduction == "none" else terms.sum(), x.dtype)

        return ctx.linear(g, back, reads=True)


def nll_loss(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """−input[target]: the negative log-likelihood, given log-probabilities.

    Args:
        input: log-probabilities (N, K), (N, K, d1, …) or (K,), float32 or float64.
        target: int64 (for (N, K) and (K,) also uint8) class indices (N,), (N, d1, …), () or, without a batch, (1,).
        weight: (K,), a factor for each class; it gets no gradient beside class indices.
        size_average, reduce: PyTorch's old way of choosing `reduction`; they warn, and win over it.
        ignore_index: a class index that counts nothing.
        reduction: "mean" (weighted by `weight`), "sum" or "none".

    Returns: a 0-dimensional Tensor, or for "none" one of the target's shape.

    Raises:
        ValueError, TypeError, IndexError: as `cross_entropy`.
    """
    if array_of(floating(input, "nll_loss")).ndim < 1:
        raise ShapeError(f"nll_loss needs input of shape (N, K, …) or (K,), got {tuple(array_of(input).shape)}")
    tensor_array(target, "nll_loss", "target")
    reduction = chosen(size_average, reduce, reduction)
    return _for_classes(NegativeLogLikelihood, "nll_loss", input, target, weight, ignore_index, reduction)
