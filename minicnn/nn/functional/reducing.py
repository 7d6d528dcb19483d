"""What losses share: their old arguments, their last step, and the comparison of shapes."""

import warnings
from typing import Any

import numpy as np

from minicnn.autograd import Variable
from minicnn.dtypes import result_type
from minicnn.errors import DtypeError, ShapeError
from minicnn.operators import reduction as reductions
from minicnn.operators.operands import array_of, cast, check_broadcast, refuse_gradient, tensor_array
from minicnn.operators.shape import reshape


def legacy(size_average: bool | None, reduce: bool | None, stacklevel: int) -> str:
    """The reduction that PyTorch's old arguments ask for, with its warning."""
    reduction = "none" if reduce is False else "sum" if size_average is False else "mean"
    warnings.warn(
        f"size_average and reduce args will be deprecated, please use reduction='{reduction}' instead.",
        stacklevel=stacklevel + 1,
    )
    return reduction


def chosen(size_average: bool | None, reduce: bool | None, reduction: str, *known: str) -> str:
    """The reduction that a loss was asked for, in the old way or in the new one.

    Args:
        size_average, reduce: the old arguments; where one is given, they decide.
        reduction: "mean", "sum", "none" or one of `known`.

    Raises:
        ValueError: for another one.
    """
    if size_average is not None or reduce is not None:
        return legacy(size_average, reduce, 3)
    if reduction not in ("none", "mean", "sum", *known):
        raise ValueError(f"{reduction} is not a valid value for reduction")
    return reduction


def reduced(losses: Any, reduction: str) -> Any:
    """Each loss, their mean or their sum."""
    if reduction == "none":
        return losses
    return reductions.mean(losses) if reduction == "mean" else reductions.sum(losses)


def tensors(name: str, **operands: Any) -> list[Any]:
    """The operands of a loss as Tensors.

    Raises:
        TypeError: for what is neither a Tensor nor an array, naming the argument.
    """
    arrays = [tensor_array(operand, name, argument) for argument, operand in operands.items()]
    return [
        operand if isinstance(operand, Variable) else Variable._computed(array)
        for operand, array in zip(operands.values(), arrays, strict=True)
    ]


def compared(name: str, input: Any, target: Any) -> list:
    """The two, with as many dimensions each, so that both have a say in the dtype.

    Raises:
        ShapeError: unless they broadcast together; where they have to it warns, since most often that is a mistake.
    """
    shapes = tensor_array(input, name, "input").shape, tensor_array(target, name, "target").shape
    if shapes[0] != shapes[1]:
        warnings.warn(
            f"Using a target size ({shapes[1]}) that is different to the input size ({shapes[0]}). "
            "This will likely lead to incorrect results due to broadcasting. "
            "Please ensure they have the same size.",
            stacklevel=3,
        )
    check_broadcast(*shapes)
    dims = max(map(len, shapes))
    return [
        reshape(value, (1,) * dims) if dims and not shape else value
        for value, shape in zip((input, target), shapes, strict=True)
    ]


def in_one_dtype(name: str, input: Any, target: Any) -> tuple[Any, Any]:
    """Both in the dtype in which they meet, a float.

    Raises:
        DtypeError: where neither is of floating point.
    """
    dtype = result_type(array_of(input), array_of(target))
    if dtype not in (np.float32, np.float64):
        raise DtypeError(f"{name} needs float32 or float64, got {dtype}")
    return cast(input, dtype), cast(target, dtype)


def weighted(losses: Any, weight: Any, input: Any, reduction: str, over_weights: bool) -> Any:
    """Losses times weights of the input's size; the mean is divided by the sum of weights, or by their number.

    Raises:
        ShapeError: for weights of another size.
    """
    if array_of(weight).shape != array_of(input).shape:
        shapes = tuple(array_of(weight).shape), tuple(array_of(input).shape)
        raise ShapeError("Weights and input must have the same size, got {} and {}".format(*shapes))
    (weight,) = tensors("loss", weight=weight)
    losses = losses * weight
    if reduction == "mean" and over_weights:
        return losses.sum() / weight.sum()
    return reduced(losses, reduction)


def rescaled(name: str, losses: Any, weight: Any, reduction: str) -> Any:
    """Losses times a weight that broadcasts to them and has no gradient, then reduced.

    Raises:
        ShapeError: where it doesn't broadcast.
        RuntimeError: where the weight asks for a gradient.
    """
    if weight is not None:
        refuse_gradient(name, weight=weight)
        shape, weights = array_of(losses).shape, tensor_array(weight, name, "weight")
        check_broadcast(shape, weights.shape)
        if np.broadcast_shapes(shape, weights.shape) != shape:
            raise ShapeError(f"{name} needs a weight that broadcasts to {tuple(shape)}, got {tuple(weights.shape)}")
        losses = losses * cast(weight, array_of(losses).dtype)
    return reduced(losses, reduction)
