"""Which elements there are, how often, and where they belong among sorted ones."""

import math
from typing import Any, Literal

import numpy as np

from minicnn.autograd import Operator
from minicnn.dtypes import float64, int32, int64, result_type
from minicnn.errors import DtypeError, ShapeError
from minicnn.operators.accumulating import sums_at
from minicnn.operators.arguments import array_argument, single_axis
from minicnn.operators.half import half_in_float32
from minicnn.operators.operands import array_of


class Undifferentiable(Operator):
    """Values computed from x that have no gradient with respect to it."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, values: np.ndarray, name: str) -> np.ndarray:
        ctx.name = name
        return values

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        raise RuntimeError(f"the derivative for {ctx.name} is not implemented; detach() its input")


class Found(Operator):
    """Positions and counts that were found in x; they carry no gradient."""

    differentiable_outputs = 0

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, found: np.ndarray) -> np.ndarray:
        return found


def _groups(rows: np.ndarray) -> np.ndarray:
    """For each row, the number of the run of equal neighbours that it belongs to."""
    differs = (rows[1:] != rows[:-1]).any(1)
    return np.concatenate([np.zeros(min(len(rows), 1), np.int64), np.cumsum(differs)])


def _distinct(name: str, input: Any, dim: int | None, in_order: bool, return_inverse: bool, return_counts: bool) -> Any:
    array = array_argument(input, name)
    axis = 0
    if dim is not None:
        if not array.ndim:
            raise IndexError(f"{name} along dim {dim} needs a tensor with dimensions")
        axis = single_axis(dim, array.ndim)
        if 0 in array.shape[:axis] + array.shape[axis + 1 :]:
            raise ShapeError(f"{name} along dim {dim} can't be applied to shape {array.shape}, which has no elements")
    parts = array.reshape(-1) if dim is None else np.moveaxis(array, axis, 0)
    rows = parts.reshape(len(parts), math.prod(parts.shape[1:]))
    order = np.lexsort(rows.T[::-1]) if in_order else np.arange(len(rows))
    groups = _groups(rows[order])
    counts = np.bincount(groups)
    firsts = order[np.cumsum(counts) - counts]
    values = Undifferentiable.apply(input, np.moveaxis(parts[firsts], 0, axis), name)
    inverse = np.empty_like(groups)
    inverse[order] = groups
    results = [values]
    if return_inverse:
        results.append(Found.apply(input, inverse.reshape(array.shape) if dim is None else inverse))
    if return_counts:
        results.append(Found.apply(input, counts))
    return tuple(results) if len(results) > 1 else values


def unique(
    input: Any,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """The distinct elements, or the distinct parts along `dim`, in ascending order.

    Args:
        input: any shape. NaN is equal to nothing.
        sorted: they are in order, whether asked to be or not.
        return_inverse: also return which of them each element is.
        return_counts: also return how often each occurs.
        dim: compare the parts along this dimension.

    Returns: the distinct ones; in a tuple with `inverse` and `counts`, int64, where asked for.

    Raises:
        IndexError: for a `dim` out of range.
        ShapeError: where the parts have no elements.
    """
    return _distinct("unique", input, dim, True, return_inverse, return_counts)


def unique_consecutive(
    input: Any, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """One of each run of equal elements, or of equal parts along `dim`.

    Args, Returns, Raises: as for `unique`.
    """
    return _distinct("unique_consecutive", input, dim, False, return_inverse, return_counts)


def bincount(input: Any, weights: Any = None, minlength: int = 0) -> Any:
    """How often each number from 0 on occurs, or the sum of the weights where it does.

    Args:
        input: (n,), integers, not negative.
        weights: (n,).
        minlength: of the result.

    Returns: int64; for weights their dtype if float32, else float64.

    Raises:
        ShapeError: for another shape, a negative number or a negative `minlength`.
        DtypeError: for floats and bools.
    """
    array = array_argument(input, "bincount")
    if array.dtype.kind not in "iu":
        raise DtypeError(f"bincount needs integers, got {array.dtype}")
    if array.ndim != 1 or (array.size and array.min() < 0):
        raise ShapeError(f"bincount needs integers that aren't negative in one dimension, got shape {array.shape}")
    if minlength < 0:
        raise ShapeError(f"bincount needs a minlength that isn't negative, got {minlength}")
    size = max(minlength, int(array.max()) + 1 if array.size else 0)
    places = array.astype(np.int64, copy=False)
    if weights is None or not array.size:
        return Found.apply(input, np.bincount(places, minlength=size))
    factors = array_argument(weights, "bincount")
    if factors.shape != array.shape:
        raise ShapeError(f"bincount needs weights of shape {array.shape}, got {factors.shape}")
    if factors.dtype != np.float32:
        factors = factors.astype(float64)
    return Undifferentiable.apply(weights, sums_at(places, factors, size), "bincount")


@half_in_float32
def histc(input: Any, bins: int = 100, min: float = 0, max: float = 0) -> Any:
    """How many elements lie in each of some bins of equal width.

    Args:
        input: any shape, floating point; elements outside and NaN aren't counted.
        bins: how many.
        min, max: where the bins begin and end, both included; the smallest and largest element where they are equal.

    Returns: (bins,), in the dtype of `input`.

    Raises:
        DtypeError: for integers and bools.
        ShapeError: for no bins, or bounds that are not in order or not finite.
    """
    array = array_argument(input, "histc")
    if array.dtype.kind != "f":
        raise DtypeError(f"histc needs a floating-point tensor, got {array.dtype}")
    if bins < 1:
        raise ShapeError(f"histc needs at least one bin, got {bins}")
    low, high = array.dtype.type(min), array.dtype.type(max)
    if low == high and array.size:
        low, high = array.min(), array.max()
    if low == high:
        low, high = low - 1, high + 1
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ShapeError(f"histc needs finite bounds, got [{low}, {high}]")
    if low > high:
        raise ShapeError(f"histc needs a max above min, got {max} and {min}")
    kept = array[(array >= low) & (array <= high)]
    places = np.minimum(((kept - low) * bins / (high - low)).astype(np.int64), bins - 1)
    return Undifferentiable.apply(input, np.bincount(places, minlength=bins).astype(array.dtype), "histc")


def searchsorted(
    sorted_sequence: Any,
    input: Any,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: Literal["left", "right"] | None = None,
    sorter: Any = None,
) -> Any:
    """Where elements would have to be put into sorted ones to keep these sorted.

    Args:
        sorted_sequence: (n,), or (…, n) with as many rows as `input` has; ascending.
        input: any shape, or a number.
        out_int32: return int32 instead of int64.
        right: behind equal elements instead of before them.
        side: "right" for the same.
        sorter: int64, of the shape of `sorted_sequence`: the indices that sort it.

    Returns: of the shape of `input`.

    Raises:
        ShapeError: for shapes that don't fit, or a `side` that contradicts `right`.
    """
    sequence, values = array_argument(sorted_sequence, "searchsorted"), np.asarray(array_of(input))
    if side not in (None, "left", "right") or (side == "left" and right):
        raise ShapeError(f"searchsorted takes 'left' or 'right' as side, as `right` says, got {side!r} and {right}")
    if not sequence.ndim:
        raise ShapeError("searchsorted needs a sorted sequence with dimensions")
    if sequence.ndim > 1 and sequence.shape[:-1] != values.shape[:-1]:
        raise ShapeError(
            f"searchsorted needs a sequence of one dimension, or with the rows of input, got {sequence.shape} and "
            f"{values.shape}"
        )
    if sorter is not None:
        order = array_argument(sorter, "searchsorted")
        if order.shape != sequence.shape or order.dtype != int64:
            raise ShapeError(f"searchsorted needs a sorter of int64 and shape {sequence.shape}, got {order.shape}")
        if order.size and (order.min() < 0 or order.max() >= sequence.shape[-1]):
            raise ShapeError("searchsorted needs a sorter with indices of the sorted sequence")
        sequence = np.take_along_axis(sequence, order, -1)
    where: Any = "right" if right or side == "right" else "left"
    if sequence.ndim == 1:
        places = np.asarray(np.searchsorted(sequence, values, where))
    elif not values.size:
        places = np.zeros(values.shape, np.int64)
    else:
        rows = values.reshape(-1, values.shape[-1])
        sequences = sequence.reshape(len(rows), -1)
        found = [np.searchsorted(row, given, where) for row, given in zip(sequences, rows, strict=True)]
        places = np.array(found).reshape(values.shape)
    return Found.apply(input, places.astype(int32 if out_int32 else int64))


def bucketize(input: Any, boundaries: Any, *, out_int32: bool = False, right: bool = False) -> Any:
    """Between which of some ascending boundaries elements lie: `searchsorted(boundaries, input)`.

    Args:
        input: any shape, or a number.
        boundaries: (n,), ascending.
        out_int32: return int32 instead of int64.
        right: behind equal boundaries instead of before them.

    Raises:
        ShapeError: for boundaries of another number of dimensions.
    """
    if array_argument(boundaries, "bucketize").ndim != 1:
        raise ShapeError(f"bucketize needs boundaries of one dimension, got shape {array_of(boundaries).shape}")
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)


def isin(elements: Any, test_elements: Any, *, assume_unique: bool = False, invert: bool = False) -> Any:
    """Whether each element is among others.

    Args:
        elements, test_elements: Tensors of any shape, one of them may be a number.
        assume_unique: has no effect on the result.
        invert: whether it is not.

    Returns: bool, of the shape of `elements`.

    Raises:
        TypeError: for two numbers.
        DtypeError: for bools.
    """
    left, right = array_of(elements), array_of(test_elements)
    if not isinstance(left, np.ndarray) and not isinstance(right, np.ndarray):
        raise TypeError("isin needs a Tensor as elements or test_elements")
    dtype = result_type(left, right)
    if dtype.kind == "b":
        raise DtypeError("isin does not support bool tensors")
    found = np.isin(np.asarray(left).astype(dtype), np.asarray(right).astype(dtype), invert=bool(invert))
    return Found.apply(elements, np.asarray(found))
