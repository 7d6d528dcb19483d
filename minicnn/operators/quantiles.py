"""Quantiles: elements between those in order."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn.autograd import Operator, Variable
from minicnn.autograd.operator import unrecorded
from minicnn.errors import DtypeError, ShapeError
from minicnn.operators.arguments import array_argument, numpy_spelling, single_axis
from minicnn.operators.operands import alone, array_of
from minicnn.operators.shape import reshape
from minicnn.operators.sorting import Chosen, Order, Sort


class Between(Operator):
    """below + weight · (above − below), where `weight` rises by `slope` with q"""

    @staticmethod
    def forward(
        ctx: Any, below: np.ndarray, above: np.ndarray, weight: np.ndarray, q: np.ndarray, slope: np.ndarray
    ) -> np.ndarray:
        ctx.weight, ctx.slope = weight, slope
        with np.errstate(all="ignore"):
            ctx.step = step = above - below
            return np.where(weight < 0.5, below + weight * step, above - step * (1 - weight)).astype(below.dtype)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        by_q = g * ctx.step * ctx.slope if ctx.needs_input_grad[3] else None
        return g * (1 - ctx.weight), g * ctx.weight, None, by_q

    @staticmethod
    def backward_recorded(ctx: Any, g: Any) -> tuple:
        if ctx.needs_input_grad[3]:
            raise RuntimeError(unrecorded(ctx))
        weight: Any = Variable._computed(np.asarray(ctx.weight, g._array.dtype))
        return g * (1 - weight), g * weight


def _half(rank: np.ndarray) -> np.ndarray:
    return np.where(rank == np.floor(rank), rank.dtype.type(0), rank.dtype.type(0.5))


WEIGHTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "linear": lambda rank: rank - np.floor(rank),
    "lower": np.zeros_like,
    "higher": lambda rank: np.ceil(rank) - np.floor(rank),
    "midpoint": _half,
    "nearest": lambda rank: np.rint(rank) - np.floor(rank),
}
"""By interpolation: how far a quantile lies from the element below its rank towards the one above."""


@numpy_spelling
def quantile(
    input: Any, q: Any, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear"
) -> Any:
    """The quantiles of everything, or along a dimension.

    Args:
        input: any shape, float32 or float64. NaN where one of the elements is.
        q: a number from 0 to 1, or a Tensor of them of the same dtype, () or (Q,).
        dim: along which.
        keepdim: keep the dimension with size 1.
        interpolation: "linear", "lower", "higher", "midpoint" or "nearest", where the quantile lies between two.

    Returns: the shape of `input` without `dim`, after Q where q has a dimension.

    Raises:
        DtypeError: for another dtype of `input` or `q`.
        ShapeError: for an empty tensor, `q` out of range or of several dimensions, another interpolation.
        IndexError: for a `dim` out of range.
    """
    return _quantile("quantile", input, q, dim, keepdim, interpolation)


@numpy_spelling
def nanquantile(
    input: Any, q: Any, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear"
) -> Any:
    """`quantile` of the elements that aren't NaN; NaN where all are."""
    return _quantile("nanquantile", input, q, dim, keepdim, interpolation)


def _quantile(name: str, input: Any, q: Any, dim: int | None, keepdim: bool, interpolation: str) -> Any:
    array = array_argument(input, name)
    parts = _parts(q, array.dtype, name)
    if interpolation not in WEIGHTS:
        raise ShapeError(f"{name}: interpolation must be one of {', '.join(WEIGHTS)}, got {interpolation!r}")
    if not array.size:
        raise ShapeError(f"{name}: input tensor must be non-empty, got shape {array.shape}")
    axis = single_axis(dim, array.ndim) if dim is not None else 0
    x = input if isinstance(input, Variable) else Variable._computed(array)
    if dim is None or not array.ndim:
        rows = x.reshape(1, -1)  # type: ignore[attr-defined]
    else:
        order = (*[d for d in range(array.ndim) if d != axis], axis)
        rows = x.permute(order)  # type: ignore[attr-defined]
    ordered = Sort.apply(rows, Order.apply(rows, rows._array.ndim - 1, False, None), rows._array.ndim - 1)
    rank, slope = _ranks(rows._array, array_of(parts), name)
    weight = WEIGHTS[interpolation](rank)
    below, above = (
        Chosen.apply(ordered, bound.astype(np.int64), rank.ndim - 1) for bound in (np.floor(rank), np.ceil(rank))
    )
    result = Between.apply(below, above, weight, parts, slope if interpolation == "linear" else slope * 0)  # (…, Q)
    result = result.permute((rank.ndim - 1, *range(rank.ndim - 1)))
    kept = [1 if dim is None or d == axis else n for d, n in enumerate(array.shape)]
    left = kept if keepdim else [n for d, n in enumerate(array.shape) if dim is not None and d != axis]
    return alone(result.reshape((*(array_of(parts).shape if np.ndim(array_of(q)) else ()), *left)))


def _parts(q: Any, dtype: np.dtype, name: str) -> Any:
    """The quantiles asked for, as a vector of the input's dtype."""
    if dtype not in (np.float32, np.float64):
        raise DtypeError(f"{name}: input tensor must be float32 or float64, got {dtype}")
    values = array_of(q)
    if isinstance(values, np.ndarray):
        if values.ndim > 1:
            raise ShapeError(f"{name}: q must be a number or a vector, got shape {values.shape}")
        if values.dtype != dtype:
            raise DtypeError(f"{name}: q must have the dtype of the input, {dtype}, got {values.dtype}")
    elif isinstance(q, bool) or not isinstance(q, (int, float, np.number)):
        raise TypeError(f"{name}: q must be a number or a Tensor, got {type(q).__name__}")
    parts = np.asarray(values, dtype).reshape(-1)
    if not np.all((parts >= 0) & (parts <= 1)):
        raise ShapeError(f"{name}: q must be in the range [0, 1], got {values}")
    return reshape(q, -1) if isinstance(q, Variable) else parts


def _ranks(rows: np.ndarray, parts: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    """(…, Q): where among the sorted elements of each row the quantiles lie, and how that rises with q.

    `nanquantile` doesn't count NaN; for `quantile` one that there is, behind the others, is the quantile.
    """
    nan, last = np.isnan(rows).sum(-1, keepdims=True), rows.dtype.type(rows.shape[-1] - 1)
    if name == "nanquantile":
        slope = np.maximum(last - nan, 0).astype(rows.dtype)
        return parts * slope, slope
    return np.where(nan > 0, last, parts * last), np.where(nan > 0, 0, last).astype(rows.dtype)
