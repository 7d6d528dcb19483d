"""Tensors with some elements replaced where a mask holds."""

from typing import Any

import numpy as np

from minicnn.autograd import Operator
from minicnn.autograd.storage import repeats
from minicnn.dtypes import check_fits
from minicnn.errors import DtypeError, ShapeError
from minicnn.operators.arguments import array_argument
from minicnn.operators.indexing import Put
from minicnn.operators.operands import array_of, cast
from minicnn.operators.selecting import (
    broadcast_to_mask,
    mask_argument,
)
from minicnn.operators.shape import reshape
from minicnn.operators.tracing import Traceable


def number_argument(value: Any, dtype: np.dtype, name: str) -> Any:
    """A number or a Tensor without dimensions as a Tensor of `dtype`.

    Raises:
        ShapeError: for a Tensor with dimensions.
        TypeError: for neither.
        RuntimeError: for a number that the dtype can't hold.
    """
    array = array_of(value)
    if isinstance(array, np.ndarray):
        if array.ndim:
            raise ShapeError(f"{name} needs a number or a Tensor without dimensions, got shape {array.shape}")
    elif not isinstance(value, (bool, int, float, np.number, np.bool_)):
        raise TypeError(f"{name} needs a number or a Tensor without dimensions, got {type(value).__name__}")
    else:
        check_fits(value, dtype)
    return cast(value, dtype)


class MaskedFill(Traceable, Operator):
    """x with `value` where the mask holds."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, mask: np.ndarray, value: np.ndarray) -> np.ndarray:
        ctx.saved = (mask,)
        if ctx.out is not None and np.broadcast_shapes(x.shape, mask.shape) == x.shape:
            np.copyto(ctx.out, value, where=mask)
            return ctx.out
        return np.where(mask, value, x)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        (mask,) = ctx.saved
        zero = g.dtype.type(0)
        by_value = np.where(mask, g, zero) if ctx.needs_input_grad[2] else None
        return np.where(mask, zero, g), None, by_value


def masked_fill(input: Any, mask: Any, value: Any) -> Any:
    """`input` with a number where `mask` holds.

    Args:
        input: any shape.
        mask: bool, broadcast with `input`.
        value: a number or a Tensor without dimensions.

    Raises:
        DtypeError, ShapeError: for a mask that isn't bool, shapes that don't broadcast, a value with dimensions.
        RuntimeError: for a number that the dtype can't hold.
    """
    array, holds = array_argument(input, "masked_fill"), mask_argument(mask, "masked_fill")
    filling = number_argument(value, array.dtype, "masked_fill")
    try:
        np.broadcast_shapes(array.shape, holds.shape)
    except ValueError:
        raise ShapeError(f"masked_fill can't broadcast shapes {array.shape} and {holds.shape}") from None
    if repeats(array) and np.broadcast_shapes(array.shape, holds.shape) == array.shape:
        return Put.apply(input, filling, (...,), np.broadcast_to(holds, array.shape))
    return MaskedFill.apply(input, mask, filling)


def masked_scatter(input: Any, mask: Any, source: Any) -> Any:
    """`input` with elements of `source`, one after another, where `mask` holds.

    Args:
        input: any shape.
        mask: bool, broadcast with `input`.
        source: the same dtype, at least as many elements as the mask has True.

    Raises:
        DtypeError, ShapeError: for dtypes or shapes that don't fit, or too few elements.
    """
    array, values = array_argument(input, "masked_scatter"), array_argument(source, "masked_scatter")
    mask_argument(mask, "masked_scatter")
    if values.dtype != array.dtype:
        raise DtypeError(f"masked_scatter needs a source of the tensor's dtype {array.dtype}, got {values.dtype}")
    x, holds = broadcast_to_mask("masked_scatter", input, mask)
    count = int(np.count_nonzero(array_of(holds)))
    if count > values.size:
        raise ShapeError(f"masked_scatter needs {count} elements where the mask holds, the source has {values.size}")
    flat = reshape(cast(source, array.dtype), -1)[:count]
    return Put.apply(x, flat, (...,), holds)
