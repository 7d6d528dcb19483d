"""Elements and whole tensors several times over, as copies."""

from typing import Any

import numpy as np

from minicnn.autograd import Operator, Variable
from minicnn.autograd.arrivals import unbroadcast
from minicnn.errors import DtypeError, ShapeError
from minicnn.operators.arguments import array_argument, single_axis
from minicnn.operators.numbers import integer_argument, integers_argument, is_integer
from minicnn.operators.operands import array_of
from minicnn.operators.shape import flatten


class Repeat(Operator):
    """x several times along each axis."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, repeats: tuple[int, ...]) -> np.ndarray:
        ctx.shape = (*[1] * (len(repeats) - x.ndim), *x.shape)
        ctx.repeats = repeats
        return np.tile(x, repeats)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> np.ndarray:
        pairs = list(zip(ctx.repeats, ctx.shape, strict=True))
        apart = g.reshape([size for pair in pairs for size in pair])
        return unbroadcast(apart, tuple([size for _, n in pairs for size in (1, n)])).reshape(ctx.shape)

    @staticmethod
    def again(ctx: Any, x: np.ndarray) -> np.ndarray:
        return np.tile(x, ctx.repeats)


def repeat(input: Any, repeats: Any) -> Any:
    """A copy that holds `input` several times along each axis.

    Args:
        input: any tensor.
        repeats: how often along each axis, a tuple; further ones stand for axes in front.

    Raises:
        ShapeError: for fewer repeats than dimensions, or negative ones.
        TypeError: for none, or anything but ints.
    """
    counts = integers_argument(repeats, "repeat", "repeats")
    shape = array_argument(input, "repeat").shape
    if len(counts) < len(shape):
        raise ShapeError(f"repeat needs a number for each dimension of a tensor of shape {shape}, got {counts}")
    sizes = (*[1] * (len(counts) - len(shape)), *shape)
    if any(size and count < 0 for size, count in zip(sizes, counts, strict=True)):
        raise ShapeError(f"repeat needs numbers that aren't negative, got {counts}")
    return Repeat.apply(input, tuple([max(count, 0) for count in counts]))


def tile(input: Any, dims: Any) -> Any:
    """A copy that holds `input` several times along each axis, as `repeat`; axes without a number aren't repeated.

    Args:
        input: any tensor.
        dims: how often along the last axes, a tuple.

    Raises:
        ShapeError: for negative numbers.
    """
    if not isinstance(dims, (tuple, list)):
        raise TypeError(f"tile needs dims as a tuple of ints, got {dims!r}")
    counts = integers_argument(dims, "tile", "dims")
    missing = array_argument(input, "tile").ndim - len(counts)
    return repeat(input, (*[1] * missing, *counts))


class RepeatInterleave(Operator):
    """Every element along an axis so often as `repeats` says, copies side by side."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, repeats: Any, axis: int) -> np.ndarray:
        ctx.saved, ctx.shape, ctx.axis = (repeats,), x.shape, axis
        return np.asarray(np.repeat(x, repeats, axis), order="C")

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> np.ndarray:
        (repeats,), axis = ctx.saved, ctx.axis
        if isinstance(repeats, int):
            shape = ctx.shape
            apart = g.reshape((*shape[: axis + 1], repeats, *shape[axis + 1 :]))
            return apart.sum(axis + 1)
        grad_input = np.zeros(ctx.shape, g.dtype)
        np.add.at(
            np.moveaxis(grad_input, axis, 0), np.repeat(np.arange(len(repeats)), repeats), np.moveaxis(g, axis, 0)
        )
        return grad_input

    @staticmethod
    def again(ctx: Any, x: np.ndarray) -> np.ndarray:
        return np.repeat(x, ctx.saved[0], ctx.axis)


def repeat_interleave(
    input: Any = None, repeats: Any = None, dim: int | None = None, *, output_size: int | None = None
) -> Any:
    """A copy that holds every element along an axis several times, side by side.

    `repeat_interleave(repeats)` gives the numbers 0, 1, 2 …, each as often as `repeats` says.

    Args:
        input: any tensor.
        repeats: how often, an int or an integer Tensor of one number, or of one for each element along the axis.
        dim: the axis; where it isn't given, the flattened tensor is repeated.
        output_size: how many elements the result has along the axis, checked.

    Raises:
        ShapeError: for negative repeats, as many as don't fit, or another `output_size` than results.
        DtypeError: for repeats that aren't integers.
        IndexError: for a `dim` out of range.
    """
    if input is None or repeats is None:
        given = repeats if input is None else input
        return _indices(given, output_size)
    counts = _counts(repeats)
    shape = array_argument(input, "repeat_interleave").shape
    if dim is None:
        input, dim = flatten(input), 0
        shape = array_of(input).shape
    axis = single_axis(integer_argument(dim, "repeat_interleave", "dim"), len(shape))
    if not shape:
        raise IndexError("repeat_interleave along a dim needs a tensor with dimensions")
    if isinstance(counts, np.ndarray):
        if counts.size == 1:
            counts = counts.item()
        elif counts.size != shape[axis]:
            raise ShapeError(f"repeat_interleave needs {shape[axis]} repeats along axis {axis}, got {counts.size}")
    if shape[axis] or not isinstance(repeats, Variable):  # PyTorch doesn't look into a Tensor then
        _refuse_negative(counts)
    else:
        counts = 0
    total = counts * shape[axis] if isinstance(counts, int) else counts.sum().item()
    _check_output_size(output_size, total)
    return RepeatInterleave.apply(input, counts, axis)


def _counts(repeats: Any) -> Any:
    """An int, or an array of one dimension at most."""
    array = array_of(repeats)
    if not isinstance(array, np.ndarray):
        if not is_integer(repeats):
            raise TypeError(f"repeat_interleave needs repeats as an int or a Tensor, got {repeats!r}")
        array = np.asarray(int(repeats))
    if array.dtype not in (np.int64, np.int32):
        raise DtypeError(f"repeat_interleave needs repeats of int64 or int32, got {array.dtype}")
    if array.ndim > 1:
        raise ShapeError(f"repeat_interleave needs repeats of one dimension, got shape {array.shape}")
    return array.copy() if array.ndim else array.item()


def _refuse_negative(counts: Any) -> None:
    if np.min(counts, initial=0) < 0:
        raise ShapeError("repeat_interleave needs repeats that aren't negative")


def _check_output_size(output_size: int | None, total: int) -> None:
    if output_size is not None and output_size != total:
        raise ShapeError(f"repeat_interleave gives {total} elements along the axis, not output_size={output_size}")


def _indices(repeats: Any, output_size: int | None) -> Any:
    """The numbers 0, 1, 2 …, each so often as `repeats` says."""
    dtype = array_argument(repeats, "repeat_interleave").dtype
    counts = _counts(repeats)
    if not isinstance(counts, np.ndarray):
        raise ShapeError("repeat_interleave needs repeats of one dimension, got none")
    _refuse_negative(counts)
    _check_output_size(output_size, counts.sum().item())
    return Variable._computed(np.repeat(np.arange(counts.size, dtype=dtype), counts))
