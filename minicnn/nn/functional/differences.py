"""Losses of differences: squared, absolute, and between the two."""

from typing import Any

import numpy as np

from minicnn.autograd import Operator
from minicnn.errors import DtypeError
from minicnn.nn.functional.reducing import chosen, compared, in_one_dtype, reduced, weighted
from minicnn.operators.arithmetic import Subtract
from minicnn.operators.operands import array_of, cast
from minicnn.operators.quiet import quietly
from minicnn.operators.tracing import Traceable


class SquaredError(Traceable, Operator):
    """(a − b)²"""

    @staticmethod
    def forward(ctx: Any, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        ctx.saved = a, b
        difference = quietly(np.subtract, a, b)
        return np.asarray(quietly(np.multiply, difference, difference))

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        by_a = 2 * (g * np.subtract(*ctx.saved))
        return by_a, -by_a if ctx.needs_input_grad[1] else None


class SmoothAbsoluteError(Traceable, Operator):
    """z² / 2 / beta where z = |a − b| is below beta, z − beta / 2 elsewhere; times a factor."""

    @staticmethod
    def forward(ctx: Any, a: np.ndarray, b: np.ndarray, beta: float, factor: float) -> np.ndarray:
        ctx.saved, ctx.bend = (a, b), (beta, factor)
        with np.errstate(all="ignore"):
            z = np.abs(a - b)
            beta, factor = z.dtype.type(beta), z.dtype.type(factor)
            return np.asarray(np.where(z < beta, z * z * (factor / beta / 2), factor * (z - beta / 2)), z.dtype)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        beta, factor = ctx.bend
        d = np.subtract(*ctx.saved)
        slope = np.where(d <= -beta, -factor, np.where(d >= beta, factor, d * d.dtype.type(factor / beta)))
        by_a = (g * slope).astype(g.dtype)
        return by_a, -by_a if ctx.needs_input_grad[1] else None


def mse_loss(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Any = None,
) -> Any:
    """(input − target)²

    Args:
        input, target: shapes that broadcast together; PyTorch warns where they differ.
        size_average, reduce: PyTorch's old way of choosing `reduction`; they warn, and win over it.
        reduction: "mean" (over the weights, where there are any), "sum" or "none".
        weight: factors, of the input's shape.

    Raises:
        ValueError: for shapes that don't broadcast together.
        TypeError: without one of floating point.
    """
    reduction = chosen(size_average, reduce, reduction)
    input, target = compared("mse_loss", input, target)
    losses = SquaredError.apply(*in_one_dtype("mse_loss", input, target))
    return reduced(losses, reduction) if weight is None else weighted(losses, weight, input, reduction, True)


def l1_loss(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Any = None,
) -> Any:
    """|input − target|

    Args:
        input, target: shapes that broadcast together; PyTorch warns where they differ.
        size_average, reduce: PyTorch's old way of choosing `reduction`; they warn, and win over it.
        reduction: "mean" (over the weights, where there are any), "sum" or "none".
        weight: factors, of the input's shape.
    """
    reduction = chosen(size_average, reduce, reduction)
    input, target = compared("l1_loss", input, target)
    losses = Subtract.call(input, target).abs()
    return reduced(losses, reduction) if weight is None else weighted(losses, weight, input, reduction, True)


def smooth_l1_loss(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Any:
    """(input − target)² / 2 / beta where |input − target| is below `beta`, |input − target| − beta / 2 elsewhere.

    Girshick, "Fast R-CNN", 2015.

    Args:
        input, target: shapes that broadcast together; PyTorch warns where they differ.
        size_average, reduce: PyTorch's old way of choosing `reduction`; they warn, and win over it.
        reduction: "mean", "sum" or "none".
        beta: where the square passes into the absolute value; at 0 there is no square.

    Raises:
        RuntimeError: for a negative `beta`.
    """
    reduction = chosen(size_average, reduce, reduction)
    input, target = compared("smooth_l1_loss", input, target)
    if beta == 0:
        return reduced(Subtract.call(input, target).abs(), reduction)
    if beta < 0:
        raise RuntimeError(f"smooth_l1_loss does not support negative values for beta, got {beta}")
    pair = in_one_dtype("smooth_l1_loss", input, target)
    return reduced(SmoothAbsoluteError.apply(*pair, float(beta), 1.0), reduction)


def huber_loss(input: Any, target: Any, reduction: str = "mean", delta: float = 1.0, weight: Any = None) -> Any:
    """(input − target)² / 2 where |input − target| is below `delta`, delta · (|input − target| − delta / 2) elsewhere.

    Huber, "Robust Estimation of a Location Parameter", 1964.

    Args:
        input, target: shapes that broadcast together; they warn where they differ. The result is of the input's dtype.
        reduction: "mean", "sum" or "none".
        delta: where the square passes into the absolute value, above 0.
        weight: factors, of the input's shape.

    Raises:
        RuntimeError: where `delta` isn't above 0.
        DtypeError: for an input of whole numbers.
    """
    reduction = chosen(None, None, reduction)
    input, target = compared("huber_loss", input, target)
    if delta <= 0:
        raise RuntimeError(f"huber_loss does not support non-positive values for delta, got {delta}")
    if array_of(input).dtype.kind != "f":
        raise DtypeError(f"huber_loss needs input of floating point, got {array_of(input).dtype}")
    pair = in_one_dtype("huber_loss", input, target)
    losses = cast(SmoothAbsoluteError.apply(*pair, float(delta), float(delta)), array_of(input).dtype)
    return reduced(losses, reduction) if weight is None else weighted(losses, weight, input, reduction, False)
