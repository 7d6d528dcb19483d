"""The largest and smallest elements: of everything, along one dimension with their indices, or over several."""

from typing import Any

import numpy as np

from minicnn.autograd import Operator, Variable
from minicnn.errors import DtypeError, ShapeError
from minicnn.operators.arguments import array_argument, numpy_spelling
from minicnn.operators.choosing import Maximum, Minimum
from minicnn.operators.reduction import Dimensions, normalize_dims, spread
from minicnn.operators.tracing import Traceable
from minicnn.return_types import aminmax as Bounds
from minicnn.return_types import pair


class ExtremeOf(Traceable, Operator):
    """The largest (or smallest) of all elements; equal ones share the gradient."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, function: Any) -> np.ndarray:
        ctx.which = "Min" if function is np.min else "Max"
        y = np.asarray(function(x))
        ctx.saved = x, y
        return y

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        x, y = ctx.saved
        ties = np.isnan(x) if np.isnan(y) else x == y
        return g / g.dtype.type(ties.sum()) * ties


class ExtremeAlong(Operator):
    """The largest (or smallest) along one axis and its index, the first where several are equal."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, function: Any, axis: int, keepdim: bool) -> tuple:
        wide = x.reshape(1) if x.ndim == 0 else x
        ctx.which = "Min" if function is np.argmin else "Max"
        indices = np.expand_dims(function(wide, axis=axis), axis)
        values = np.take_along_axis(wide, indices, axis)
        ctx.saved, ctx.axis, ctx.shape = (indices,), axis, wide.shape
        shape = values.shape if keepdim and x.ndim else values.shape[:axis] + values.shape[axis + 1 :]
        ctx.reduced = shape
        return values.reshape(shape), indices.reshape(shape).copy()

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> np.ndarray:
        (indices,) = ctx.saved
        grad_input = np.zeros(ctx.shape, g.dtype)
        np.put_along_axis(grad_input, indices, g.reshape(indices.shape), ctx.axis)
        return grad_input

    @staticmethod
    def again(ctx: Any, x: np.ndarray) -> np.ndarray:
        return np.take_along_axis(x.reshape(ctx.shape), ctx.saved[0], ctx.axis).reshape(ctx.reduced)


class ExtremeOver(Traceable, Operator):
    """The largest (or smallest) over some axes; equal ones share the gradient."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, function: Any, axes: tuple[int, ...], keepdim: bool) -> np.ndarray:
        y = np.asarray(function(x, axis=axes, keepdims=keepdim))
        ctx.saved, ctx.axes = (x, y), axes
        return y

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        x, y = ctx.saved
        ties = x == spread(y, ctx.axes, x.shape)
        counts = ties.sum(ctx.axes, keepdims=True)
        with np.errstate(all="ignore"):
            share = spread(g, ctx.axes, x.shape) / counts.astype(g.dtype)
        return ties * share


class AMax(ExtremeOver):
    """The largest over some axes."""


class AMin(ExtremeOver):
    """The smallest over some axes."""


@numpy_spelling
def amax(input: Any, dim: Dimensions = (), keepdim: bool = False) -> Any:
    """The largest element over `dim`, or over everything; equal ones share the gradient.

    Args:
        input: any shape and dtype; NaN is larger than everything.
        dim: axis or axes; () means all.
        keepdim: keep reduced axes with size 1.

    Raises:
        IndexError: for a `dim` out of range or of size 0.
        ShapeError: over everything of an empty tensor.
    """
    return _extreme_over(AMax, np.max, "amax", input, dim, keepdim)


@numpy_spelling
def amin(input: Any, dim: Dimensions = (), keepdim: bool = False) -> Any:
    """The smallest element over `dim`, or over everything; equal ones share the gradient.

    Args, Raises: as for `amax`. A NaN is smaller than everything.
    """
    return _extreme_over(AMin, np.min, "amin", input, dim, keepdim)


@numpy_spelling
def aminmax(input: Any, *, dim: int | None = None, keepdim: bool = False) -> Any:
    """The smallest and the largest element, along `dim` or of everything, as `(min, max)`.

    Args:
        input: any shape and dtype; NaN where one of the elements is.
        dim: along which.
        keepdim: keep the reduced axis with size 1.

    Raises:
        IndexError: for a `dim` out of range.
        ShapeError: over a dimension of size 0.
    """
    array = array_argument(input, "aminmax")
    axes = normalize_dims(dim, array.ndim)
    if 0 in [array.shape[axis] for axis in axes]:
        raise ShapeError(f"aminmax of no elements: over dim {dim} of shape {array.shape}")
    smallest = AMin.apply(input, np.min, axes, bool(keepdim))
    return Bounds((smallest, AMax.apply(input, np.max, axes, bool(keepdim))))


def _extreme_over(operator: Any, function: Any, name: str, x: Any, dim: Dimensions, keepdim: bool) -> Any:
    array = array_argument(x, name)
    axes = normalize_dims(dim, array.ndim)
    if not array.size:
        if dim is None or (not isinstance(dim, int) and not len(dim)):
            raise ShapeError(f"{name} over everything of an empty tensor of shape {array.shape}; pass dim=")
        if 0 in [array.shape[axis] for axis in axes]:
            raise IndexError(f"{name} over dim {dim} of shape {array.shape}, of which one has size 0")
    return operator.apply(x, function, axes, bool(keepdim))


@numpy_spelling
def maximum(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """`max(x)`: the largest element; `max(x, dim)`: values and indices; `max(x, other)`: elementwise.

    Args:
        input: any shape. A NaN is larger than everything.
        dim: axis, or another Tensor.
        keepdim: keep the reduced axis with size 1.

    Returns: a Tensor, or a pair `(values, indices)` of them; `indices` is int64, the first of equal elements.

    Raises:
        IndexError: for a `dim` out of range, or one of size 0.
        ShapeError: over everything of an empty tensor.
    """
    if isinstance(dim, (Variable, np.ndarray)):
        array_argument(input, "max")
        return Maximum.call(input, dim)
    return _extreme(input, dim, keepdim, largest=True)


@numpy_spelling
def minimum(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """`min(x)`: the smallest element; `min(x, dim)`: values and indices; `min(x, other)`: elementwise.

    Args, Returns, Raises: as for `max`. A NaN is smaller than everything.
    """
    if isinstance(dim, (Variable, np.ndarray)):
        array_argument(input, "min")
        return Minimum.call(input, dim)
    return _extreme(input, dim, keepdim, largest=False)


def _extreme(x: Any, dim: int | None, keepdim: bool, largest: bool) -> Any:
    array = array_argument(x, "max" if largest else "min")
    if dim is None:
        if keepdim:
            raise TypeError(f"{'max' if largest else 'min'} takes keepdim only together with dim")
        if array.size == 0:
            raise ShapeError(f"{'max' if largest else 'min'} of an empty tensor needs dim=")
        return ExtremeOf.apply(x, np.max if largest else np.min)
    axis = nonempty_axis(dim, array)
    return pair(
        "max" if largest else "min",
        *ExtremeAlong.apply(x, np.argmax if largest else np.argmin, axis, bool(keepdim)),
    )


def nonempty_axis(dim: int, array: np.ndarray) -> int:
    if not isinstance(dim, (int, np.integer)):
        raise TypeError(f"dim must be an int, got {dim!r}")
    (axis,) = normalize_dims(dim, array.ndim) or (0,)
    if array.ndim and array.shape[axis] == 0:
        raise IndexError(f"expected reduction dim {dim} to have non-zero size, the shape is {array.shape}")
    return axis


class Position(Operator):
    """Where the largest or smallest element is, along one axis or among all: the first of equals."""

    differentiable_outputs = 0

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, function: Any, axis: int | None, keepdim: bool) -> np.ndarray:
        return np.asarray(function(x, axis=axis, keepdims=keepdim))


@numpy_spelling
def argmax(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """The int64 index of the largest element along `dim`, or of the flattened tensor; the first of equals.

    Raises:
        DtypeError: for bools.
        IndexError: for an empty tensor, or a `dim` out of range or of size 0.
    """
    return _index_of(np.argmax, "argmax", input, dim, keepdim)


@numpy_spelling
def argmin(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """The int64 index of the smallest element along `dim`, or of the flattened tensor; the first of equals.

    Raises:
        DtypeError: for bools.
        IndexError: for an empty tensor, or a `dim` out of range or of size 0.
    """
    return _index_of(np.argmin, "argmin", input, dim, keepdim)


def _index_of(function: Any, name: str, x: Any, dim: int | None, keepdim: bool) -> Any:
    array = array_argument(x, name)
    if array.dtype == bool:
        raise DtypeError(f"{name} does not support bool tensors")
    if dim is None and array.size == 0:
        raise IndexError(f"{name} of an empty tensor needs dim=")
    axis = None if dim is None else nonempty_axis(dim, array)
    return Position.apply(x, function, axis if array.ndim else None, bool(keepdim))
