"""What an operation receives: Tensors, arrays and Python numbers, brought to one dtype as PyTorch does it."""

from typing import Any

import numpy as np

from minicnn.autograd import Operator, Variable
from minicnn.autograd.mode import grad_mode
from minicnn.autograd.storage import keep_strides
from minicnn.dtypes import check_array, float16, float32, result_type
from minicnn.errors import ShapeError
from minicnn.operators.quiet import quietly
from minicnn.operators.tracing import Traceable

NUMBERS = (bool, int, float, np.number, np.bool_)
OPERANDS = (Variable, np.ndarray, *NUMBERS)


def array_of(operand: Any) -> Any:
    """The array behind a Tensor; anything else as it is."""
    return operand._array if isinstance(operand, Variable) else operand


def tensor_array(operand: Any, operation: str, argument: str) -> np.ndarray:
    """The array behind a Tensor, or an array itself.

    Raises:
        TypeError: for anything else, naming the operation and its argument.
    """
    array = array_of(operand)
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{operation} needs a Tensor or an ndarray as {argument}, got {type(operand).__name__}")
    return array


def described(operand: Any) -> Any:
    """What can be checked once for many operands.

    Returns: (shape, dtype) of a Tensor or an array, None for None, the type's name for anything else.
    """
    array = array_of(operand)
    if isinstance(array, np.ndarray):
        return array.shape, array.dtype
    return None if array is None else type(array).__name__


def check_broadcast(*shapes: tuple[int, ...]) -> None:
    """Raise ShapeError unless `shapes` broadcast together."""
    try:
        np.broadcast_shapes(*shapes)
    except ValueError:
        listed = " and ".join(map(str, shapes))
        raise ShapeError(f"operands of shapes {listed} can't be broadcast together") from None


def refuse_gradient(name: str, **operands: Any) -> None:
    """Raise RuntimeError where one of the named operands of an operation asks for a gradient that doesn't exist."""
    if grad_mode.enabled:
        for argument, operand in operands.items():
            if isinstance(operand, Variable) and operand._requires_grad:
                raise RuntimeError(f"{name} has no gradient with respect to {argument}; detach() it")


class Cast(Traceable, Operator):
    """x in another dtype; the walk converts the gradient back."""

    elementwise = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, dtype: np.dtype) -> np.ndarray:
        return quietly(x.astype, dtype)  # NaN as an integer is whatever the machine gives, as in torch

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> np.ndarray:
        return g


def alone(x: Any) -> Any:
    """`x`, a view of what only the calling function held, as what it is for everybody else: no view."""
    x._view = None
    return x


def cast(x: Any, dtype: np.dtype) -> Any:
    """A Tensor, an array or a number as a Tensor of `dtype`; itself where it is one already."""
    if not isinstance(x, Variable):
        x = Variable._computed(check_array(np.asarray(x)))
    if x._array.dtype == dtype:
        return x
    if dtype.kind == "f":
        return Cast.apply(x, dtype)
    result = Cast.apply(x._array, dtype)  # integers carry no gradient
    keep_strides(result, [x])
    return result


def promoted(a: Any, b: Any) -> tuple[Any, Any, np.dtype]:
    """Two operands in the dtype in which they meet, and that dtype; a Python number beside floats stays one.

    Where that dtype is float16 the operands are in float32, and who computes with them rounds the result.
    """
    left, right = array_of(a), array_of(b)
    if type(left) is np.ndarray:
        if type(right) is np.ndarray:
            if left.dtype == right.dtype != float16:
                return a, b, left.dtype
        elif left.dtype.kind == "f" and type(right) in (float, int):
            return a if left.dtype != float16 else cast(a, float32), b, left.dtype
    elif type(right) is np.ndarray and right.dtype.kind == "f" and type(left) in (float, int):
        return a, b if right.dtype != float16 else cast(b, float32), right.dtype
    dtype = result_type(left, right)
    computing = float32 if dtype == float16 else dtype
    return cast(a, computing), cast(b, computing), dtype
