"""Losses of probabilities: of two classes, of counts, of distributions."""

import warnings
from math import log, pi
from typing import Any

import numpy as np

from minicnn import kernels
from minicnn.autograd import Operator, Variable
from minicnn.autograd.storage import keep_strides
from minicnn.errors import DtypeError, ShapeError
from minicnn.nn.functional.reducing import chosen, reduced, rescaled, tensors
from minicnn.operators import elementwise
from minicnn.operators import reduction as reductions
from minicnn.operators.activation import LogSigmoid, floating
from minicnn.operators.arithmetic import Multiply, Subtract
from minicnn.operators.choosing import HeldAbove, where
from minicnn.operators.operands import array_of, cast, check_broadcast, promoted, refuse_gradient, tensor_array
from minicnn.operators.quiet import quietly
from minicnn.operators.tracing import Traceable


class BinaryCrossEntropy(Traceable, Operator):
    """−t · ln x − (1 − t) · ln(1 − x), the logarithms held above −100."""

    elementwise = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, t: np.ndarray) -> np.ndarray:
        ctx.saved = x, t
        with np.errstate(all="ignore"):
            return (t - 1) * np.maximum(np.log1p(-x), -100) - t * np.maximum(np.log(x), -100)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        x, t = ctx.saved
        by_x, by_t = ctx.needs_input_grad
        return (
            g * (x - t) / np.maximum((1 - x) * x, x.dtype.type(1e-12)) if by_x else None,
            g * (np.log1p(-x) - np.log(x)) if by_t else None,
        )


def binary_cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """−target · ln input − (1 − target) · ln(1 − input), the logarithms held above −100.

    Args:
        input: probabilities, any shape, float32 or float64, within [0, 1].
        target: probabilities of the same shape and dtype.
        weight: factors that broadcast to that shape; without gradient.
        size_average, reduce: PyTorch's old way of choosing `reduction`; they warn, and win over it.
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: for different shapes.
        DtypeError: for different dtypes.
        RuntimeError: for an input outside [0, 1].
    """
    reduction = chosen(size_average, reduce, reduction)
    x = array_of(floating(input, "binary_cross_entropy"))
    t = tensor_array(target, "binary_cross_entropy", "target")
    if x.shape != t.shape:
        raise ValueError(
            f"Using a target size ({t.shape}) that is different to the input size ({x.shape}) is deprecated. "
            "Please ensure they have the same size."
        )
    if t.dtype != x.dtype:
        raise DtypeError(f"binary_cross_entropy needs target of the input's dtype {x.dtype}, got {t.dtype}")
    if not np.all((x >= 0) & (x <= 1)):
        raise RuntimeError("all elements of input should be between 0 and 1")
    return rescaled("binary_cross_entropy", BinaryCrossEntropy.apply(input, target), weight, reduction)


class BinaryCrossEntropyWithLogits(Operator):
    """(1 − t) · x − (1 + (w − 1) · t) · ln sigmoid(x), with w the weight of what is positive."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, t: np.ndarray, w: np.ndarray | None) -> np.ndarray:
        ctx.saved = x, t, w
        with np.errstate(all="ignore"):
            log_sigmoid = kernels.activation.log_sigmoid.forward(x)
            return (1 - t) * x - (log_sigmoid if w is None else ((w - 1) * t + 1) * log_sigmoid)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        x, t, w = ctx.saved
        by_x = by_t = None
        if ctx.needs_input_grad[0]:
            sigmoid = kernels.activation.sigmoid.forward(x)
            by_x = g * (sigmoid - t) if w is None else g * ((w * t + 1 - t) * sigmoid - w * t)
        if ctx.needs_input_grad[1]:
            log_sigmoid = kernels.activation.log_sigmoid.forward
            by_t = -x * g if w is None else g * (log_sigmoid(-x) - w * log_sigmoid(x))
        return by_x, by_t

    @staticmethod
    def backward_recorded(ctx: Any, g: Any) -> tuple:
        x, t, w = ctx.tensors()
        sigmoid, by_t = x.sigmoid(), None
        by_x = g * (sigmoid - t) if w is None else g * ((w * t + 1 - t) * sigmoid - w * t)
        if ctx.needs_input_grad[1]:
            by_t = -x * g if w is None else g * (LogSigmoid.apply(-x) - w * LogSigmoid.apply(x))
        return by_x, by_t


def binary_cross_entropy_with_logits(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Any = None,
) -> Any:
    """`binary_cross_entropy` of sigmoid(input), computed without overflow.

    Args:
        input: logits, any shape, float32 or float64.
        target: probabilities of the same shape, of floating point; the losses have its dtype.
        weight: factors that broadcast to that shape; without gradient.
        size_average, reduce: PyTorch's old way of choosing `reduction`; they warn, and win over it.
        reduction: "mean", "sum" or "none".
        pos_weight: factors of the part that `target` weighs, which broadcast to that shape; without gradient.

    Raises:
        ValueError: for different shapes.
        DtypeError: for other dtypes.
    """
    name = "binary_cross_entropy_with_logits"
    reduction = chosen(size_average, reduce, reduction)
    x, t = array_of(floating(input, name)), array_of(floating(target, name))
    if x.shape != t.shape:
        raise ValueError(f"Target size ({t.shape}) must be the same as input size ({x.shape})")
    input, target, _ = promoted(input, target)
    dtype = array_of(input).dtype
    if pos_weight is not None:
        refuse_gradient(name, pos_weight=pos_weight)
        shape = tensor_array(pos_weight, name, "pos_weight").shape
        check_broadcast(x.shape, shape)
        if np.broadcast_shapes(x.shape, shape) != x.shape:
            raise ShapeError(f"{name} needs pos_weight that broadcasts to {x.shape}, got {shape}")
        pos_weight = cast(pos_weight, dtype)
    losses = cast(BinaryCrossEntropyWithLogits.apply(input, target, pos_weight), t.dtype)  # as in PyTorch
    keep_strides(losses, [target] if isinstance(target, Variable) else [])  # in the order of the target, as in PyTorch
    return rescaled(name, losses, weight, reduction)


class Entropy(Traceable, Operator):
    """t · ln t, 0 where t is 0 and NaN below; its gradient ln t + t / t is NaN at 0, as in PyTorch."""

    @staticmethod
    def forward(ctx: Any, t: np.ndarray) -> np.ndarray:
        ctx.saved = (t,)
        return np.where(t == 0, t, quietly(np.multiply, t, quietly(np.log, t)))

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> np.ndarray:
        (t,) = ctx.saved
        return g * (np.log(t) + t / t)


def kl_div(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Any:
    """target · (ln target − input): the Kullback-Leibler divergence, pointwise.

    0 · ln 0 counts as 0; a negative target gives NaN.

    Args:
        input: log-probabilities, float32 or float64.
        target: probabilities, or with `log_target` their logarithms; shapes broadcast together.
        size_average, reduce: PyTorch's old way of choosing `reduction`; they warn, and win over it.
        reduction: "mean" (over elements; PyTorch warns that this isn't the divergence), "batchmean" (sum / N), "sum"
            or "none".

    Raises:
        ValueError: for shapes that don't broadcast together.
        TypeError: for other dtypes.
    """
    old = size_average is not None or reduce is not None
    reduction = chosen(size_average, reduce, reduction, "batchmean")
    if reduction == "mean" and not old:
        warnings.warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size."
            "'batchmean' divides only by the batch size, and aligns with the KL div math definition."
            "'mean' will be changed to behave the same as 'batchmean' in the next major release.",
            stacklevel=2,
        )
    shape = array_of(floating(input, "kl_div")).shape
    check_broadcast(shape, array_of(floating(target, "kl_div")).shape)
    if log_target:
        losses = Multiply.call(elementwise.exp(target), Subtract.call(target, input))
    else:
        losses = Subtract.call(Entropy.apply(target), Multiply.call(target, input))
    if reduction == "batchmean":
        total = reductions.sum(losses)
        return total / shape[0] if shape else total
    return reduced(losses, reduction)


def poisson_nll_loss(
    input: Any,
    target: Any,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """The negative log-likelihood of counts: λ − target · ln λ, and ln(target!) where `full`.

    Args:
        input: ln λ, or λ where not `log_input`; shapes broadcast together.
        target: counts.
        log_input: whether `input` is a logarithm.
        full: add Stirling's formula for ln(target!), where `target` is above 1.
        size_average, reduce: PyTorch's old way of choosing `reduction`; they warn, and win over it.
        eps: added to λ below the logarithm.
        reduction: "mean", "sum" or "none".
    """
    reduction = chosen(size_average, reduce, reduction)
    input, target = tensors("poisson_nll_loss", input=input, target=target)
    check_broadcast(array_of(input).shape, array_of(target).shape)
    if log_input:
        losses = elementwise.exp(input) - target * input
    else:
        losses = input - target * elementwise.log(input + float(eps))
    if full:
        stirling = target * elementwise.log(target) - target + 0.5 * elementwise.log(2 * pi * target)
        losses = losses + where(target <= 1, 0.0, stirling)
    return reduced(losses, reduction)


def gaussian_nll_loss(
    input: Any, target: Any, var: Any, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Any:
    """(ln var + (input − target)² / var) / 2, and ln(2π) / 2 where `full`: normal with mean and variance given.

    Args:
        input: means.
        target: what was drawn, of a shape that broadcasts with that of `input`.
        var: variances, at least 0: a number, of the input's shape, of that without its last dimension, or with one
            dimension 1.
        full: add the constant.
        eps: the least variance; it takes no part in the gradient.
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: for a negative variance, or variances of another shape.
        DtypeError: for variances of whole numbers.
    """
    input, target = tensors("gaussian_nll_loss", input=input, target=target)
    shape = array_of(input).shape
    if isinstance(var, float):
        var = np.full(shape, var, array_of(input).dtype)
    (var,) = tensors("gaussian_nll_loss", var=var)
    if array_of(var).dtype.kind != "f":
        raise DtypeError(f"gaussian_nll_loss needs var of floating point, got {array_of(var).dtype}")
    if np.any(array_of(var) < 0):
        raise ValueError("var has negative entry/entries")
    sizes = array_of(var).shape
    if sizes != shape:
        if shape[:-1] == sizes:
            var = var.unsqueeze(-1)
        elif len(shape) != len(sizes) or sum(b for a, b in zip(shape, sizes, strict=True) if a != b) != 1:
            raise ValueError(f"var is of incorrect size: {tuple(sizes)} beside input {tuple(shape)}")
    reduction = chosen(None, None, reduction)
    var = HeldAbove.apply(var, float(eps))
    losses = 0.5 * (elementwise.log(var) + (input - target) ** 2 / var)
    return reduced(losses + 0.5 * log(2 * pi) if full else losses, reduction)
