"""Joining tensors: along an axis they have, or along a new one."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn import kernels
from minicnn.autograd import Operator, Variable
from minicnn.autograd.graph import entitled
from minicnn.autograd.storage import empty_strided, overlap
from minicnn.dtypes import result_type
from minicnn.errors import ShapeError
from minicnn.operators.arguments import numpy_spelling, single_axis
from minicnn.operators.operands import array_of, cast
from minicnn.operators.out import deliver
from minicnn.operators.shape import unsqueeze


class Concatenate(Operator):
    """Tensors joined along an axis; those of shape (0,) add nothing."""

    @staticmethod
    def forward(ctx: Any, axis: int, *arrays: np.ndarray) -> np.ndarray:
        kept = [a for a in arrays if a.shape != (0,)] or arrays[:1]
        ctx.axis, ctx.shapes = axis, [a.shape for a in arrays]
        shape = (*kept[0].shape[:axis], sum(a.shape[axis] for a in kept), *kept[0].shape[axis + 1 :])
        y = empty_strided(shape, kept[0].strides, kept[0].dtype)
        kernels.memory.join(y, kept, axis)
        return y

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        lengths = [0 if shape == (0,) else shape[ctx.axis] for shape in ctx.shapes]
        parts = np.split(g, np.cumsum(lengths)[:-1], ctx.axis)
        return None, *[part.reshape(shape) for part, shape in zip(parts, ctx.shapes, strict=True)]

    @staticmethod
    def backward_recorded(ctx: Any, g: Any) -> tuple:
        lengths = [0 if shape == (0,) else shape[ctx.axis] for shape in ctx.shapes]
        parts = g.split(lengths, ctx.axis)
        return None, *[part.reshape(shape) for part, shape in zip(parts, ctx.shapes, strict=True)]


@numpy_spelling
def cat(tensors: Sequence, dim: int = 0, *, out: Any = None) -> Any:
    """Join tensors along an existing axis.

    Args:
        tensors: Tensors whose shapes agree but along `dim`; those of shape (0,) add nothing but their dtype.
        dim: the axis; `axis` is the same.
        out: a Tensor for the result.

    Raises:
        ShapeError: for no tensors, or shapes that don't agree.
        TypeError: for something else than a list or tuple of Tensors.
    """
    listed = checked_tensors(tensors, "cat")
    dtype = result_type(*[array_of(t) for t in listed])
    shapes = [shape for t in listed if (shape := array_of(t).shape) != (0,)]
    axis = single_axis(dim, len(shapes[0])) if shapes else 0
    rests = {shape[:axis] + shape[axis + 1 :] for shape in shapes}
    if () in shapes or len(rests) > 1 or len({len(shape) for shape in shapes}) > 1:
        raise ShapeError(f"cat along dim {dim} needs shapes that agree elsewhere, got {shapes}")
    check_apart(out, listed)
    return deliver(Concatenate.apply(axis, *[cast(t, dtype) for t in listed]), out)


@entitled("StackBackward0")
@numpy_spelling
def stack(tensors: Sequence, dim: int = 0, *, out: Any = None) -> Any:
    """Join tensors of one shape along a new axis.

    Args:
        tensors: Tensors.
        dim: where the new axis goes; `axis` is the same.
        out: a Tensor for the result.

    Raises:
        ShapeError: for no tensors, or shapes that differ.
        TypeError: for something else than a list or tuple of Tensors.
    """
    listed = checked_tensors(tensors, "stack")
    shapes = {array_of(t).shape for t in listed}
    if len(shapes) > 1:
        raise ShapeError(f"stack expects each tensor to be equal size, got {sorted(shapes)}")
    axis = single_axis(dim, len(shapes.pop()) + 1)
    dtype = result_type(*[array_of(t) for t in listed])
    check_apart(out, listed)
    return deliver(Concatenate.apply(axis, *[unsqueeze(cast(t, dtype), axis) for t in listed]), out)


def checked_tensors(tensors: Any, name: str) -> list:
    if not isinstance(tensors, (list, tuple)):
        raise TypeError(f"{name} needs a list or tuple of Tensors, got {type(tensors).__name__}")
    for position, tensor in enumerate(tensors):
        if not isinstance(array_of(tensor), np.ndarray):
            raise TypeError(f"{name} needs Tensors, element {position} is {type(tensor).__name__}")
    if not tensors:
        raise ShapeError(f"{name} expects a non-empty list of Tensors")
    return list(tensors)


def check_apart(out: Any, tensors: Sequence) -> None:
    """Raise RuntimeError where `out`, about to be written to, shares memory with a tensor that is read."""
    for tensor in tensors if isinstance(out, Variable) else ():
        if tensor is out or (isinstance(tensor, Variable) and overlap(out, tensor)):
            raise RuntimeError(
                "unsupported operation: elements of an input and of out refer to a single memory location; clone() it"
            )
