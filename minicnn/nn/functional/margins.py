"""Losses of margins between pairs and triplets."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn.autograd import Variable
from minicnn.dtypes import check_fits
from minicnn.errors import ShapeError
from minicnn.nn.functional.distance import pairwise_distance
from minicnn.nn.functional.reducing import chosen, reduced, tensors
from minicnn.operators import elementwise
from minicnn.operators.activation import floating
from minicnn.operators.choosing import clamp_min, minimum, where
from minicnn.operators.operands import array_of, cast, check_broadcast, refuse_gradient


def margin_ranking_loss(
    input1: Any,
    input2: Any,
    target: Any,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """max(0, −target · (input1 − input2) + margin)

    Args:
        input1, input2: of as many dimensions, broadcasting together.
        target: 1 where the first should be larger, −1 where the second.
        margin: by how much.
        size_average, reduce: PyTorch's old way of choosing `reduction`; they warn, and win over it.
        reduction: "mean", "sum" or "none".

    Raises:
        ShapeError: for different numbers of dimensions.
    """
    reduction = chosen(size_average, reduce, reduction)
    operands = tensors("margin_ranking_loss", input1=input1, input2=input2, target=target)
    shapes = [array_of(operand).shape for operand in operands]
    if len({len(shape) for shape in shapes}) > 1:
        raise ShapeError(f"margin_ranking_loss needs tensors of as many dimensions, got {shapes}")
    check_broadcast(*shapes)
    first, second, sign = operands
    return reduced(clamp_min(-sign * (first - second) + float(margin), 0), reduction)


def hinge_embedding_loss(
    input: Any,
    target: Any,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """input where target is 1, max(0, margin − input) where it is −1, their sum elsewhere.

    Args:
        input, target: shapes that broadcast together.
        margin: how far what is dissimilar should be.
        size_average, reduce: PyTorch's old way of choosing `reduction`; they warn, and win over it.
        reduction: "mean", "sum" or "none".
    """
    reduction = chosen(size_average, reduce, reduction)
    input, target = tensors("hinge_embedding_loss", input=input, target=target)
    check_broadcast(array_of(input).shape, array_of(target).shape)
    dtype = array_of(input).dtype  # the margin is as whole as the input, as in PyTorch
    check_fits(margin, dtype)
    bound = Variable._computed(np.asarray(margin).astype(dtype))
    apart = where(target != 1, clamp_min(bound - input, 0), 0)
    return reduced(apart + where(target != -1, input, 0), reduction)


def soft_margin_loss(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """ln(1 + exp(−target · input))

    Args:
        input: float32 or float64.
        target: 1 or −1, of a shape that broadcasts to the input's; without gradient.
        size_average, reduce: PyTorch's old way of choosing `reduction`; they warn, and win over it.
        reduction: "mean", "sum" or "none".
    """
    reduction = chosen(size_average, reduce, reduction)
    input, target = tensors("soft_margin_loss", input=floating(input, "soft_margin_loss"), target=target)
    refuse_gradient("soft_margin_loss", target=target)
    shapes = array_of(input).shape, array_of(target).shape
    check_broadcast(*shapes)
    if np.broadcast_shapes(*shapes) != shapes[0]:
        raise ShapeError(f"soft_margin_loss needs a target that broadcasts to the input's shape, got {shapes}")
    losses = elementwise.log1p(elementwise.exp(-input * target))
    return reduced(cast(losses, array_of(input).dtype), reduction)


def cosine_embedding_loss(
    input1: Any,
    input2: Any,
    target: Any,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """1 − cos(input1, input2) where target is 1, max(0, cos(input1, input2) − margin) where it is −1, else 0.

    Args:
        input1, input2: (N, D), or (D,) without a batch.
        target: 1 or −1, (N,) or ().
        margin: how similar what is dissimilar may be.
        size_average, reduce: PyTorch's old way of choosing `reduction`; they warn, and win over it.
        reduction: "mean", "sum" or "none".

    Raises:
        ShapeError: for other numbers of dimensions.
    """
    reduction = chosen(size_average, reduce, reduction)
    x1, x2, target = tensors("cosine_embedding_loss", input1=input1, input2=input2, target=target)
    shapes = [array_of(operand).shape for operand in (x1, x2, target)]
    ndim = len(shapes[2])
    if ndim > 1 or len(shapes[0]) != ndim + 1 or len(shapes[1]) != ndim + 1:
        raise ShapeError(f"cosine_embedding_loss needs inputs (N, D) and target (N,), or (D,) and (), got {shapes}")
    check_broadcast(shapes[0], shapes[1])
    product = (x1 * x2).sum(ndim)
    squares = ((x1 * x1).sum(ndim) + 1e-12) * ((x2 * x2).sum(ndim) + 1e-12)
    cosine = product / elementwise.sqrt(squares)
    check_broadcast(array_of(cosine).shape, shapes[2])
    losses = where(target == 1, 1 - cosine, 0.0) + where(target == -1, clamp_min(cosine - float(margin), 0), 0.0)
    return reduced(losses, reduction)


def triplet_margin_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """max(0, d(anchor, positive) − d(anchor, negative) + margin), with d the distance of norm p.

    Balntas et al., "Learning shallow convolutional feature descriptors with triplet losses", 2016.

    Args:
        anchor, positive, negative: (N, D) or (D,), broadcasting together.
        margin: above 0.
        p: the norm's order.
        eps: added to every difference.
        swap: take d(positive, negative) for d(anchor, negative) where that is smaller.
        size_average, reduce: PyTorch's old way of choosing `reduction`; they warn, and win over it.
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: where `margin` isn't above 0.
        ShapeError: for different numbers of dimensions.
    """

    def distance(a: Any, b: Any) -> Any:
        return pairwise_distance(a, b, p, eps)

    reduction = chosen(size_average, reduce, reduction)
    return _triplets("triplet_margin_loss", anchor, positive, negative, distance, margin, swap, reduction)


def triplet_margin_with_distance_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    *,
    distance_function: Callable[[Any, Any], Any] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Any:
    """`triplet_margin_loss` with a distance of one's own.

    Args:
        anchor, positive, negative: (N, D) or (D,), broadcasting together.
        distance_function: gives the distance of two Tensors; `pairwise_distance` if None.
        margin: above 0.
        swap: take d(positive, negative) for d(anchor, negative) where that is smaller.
        reduction: "mean", "sum" or "none".
    """
    reduction = chosen(None, None, reduction)
    name, distance = "triplet_margin_with_distance_loss", distance_function or pairwise_distance
    return _triplets(name, anchor, positive, negative, distance, margin, swap, reduction)


def _triplets(
    name: str, anchor: Any, positive: Any, negative: Any, distance: Callable, margin: float, swap: bool, reduction: str
) -> Any:
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    anchor, positive, negative = tensors(name, anchor=anchor, positive=positive, negative=negative)
    shapes = [tuple(array_of(x).shape) for x in (anchor, positive, negative)]
    if len({len(shape) for shape in shapes}) > 1:
        raise ShapeError(f"{name} needs anchor, positive and negative of as many dimensions, got {shapes}")
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = minimum(far, distance(positive, negative))
    return reduced(clamp_min(float(margin) + near - far, 0), reduction)
