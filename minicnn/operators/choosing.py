"""Each element chosen among operands: the larger, the smaller, one within bounds, one by a condition."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn.autograd import Operator, Variable
from minicnn.dtypes import result_type
from minicnn.errors import DtypeError, ShapeError
from minicnn.operators.binary import Binary, binary
from minicnn.operators.half import half_in_float32
from minicnn.operators.operands import OPERANDS, array_of, cast, check_broadcast, tensor_array
from minicnn.operators.out import deliver
from minicnn.operators.quiet import quietly
from minicnn.operators.searching import Found
from minicnn.operators.tracing import Traceable


class Extremum(Binary):
    """The larger or smaller of a and b; equal ones share the gradient, both get it where one is NaN."""

    function: Callable
    loses: Callable

    @classmethod
    def backward(cls, ctx: Any, g: np.ndarray) -> tuple:
        a, b = ctx.saved
        g = np.where(a == b, g / 2, g)
        return np.where(cls.loses(a, b), 0, g), np.where(cls.loses(b, a), 0, g)


def _larger(a: Any, b: Any) -> np.ndarray:
    return np.maximum(b, a)  # of equal ones the second, and so the zero with the sign that PyTorch has


def _smaller(a: Any, b: Any) -> np.ndarray:
    return np.minimum(b, a)


class Maximum(Extremum):
    """The larger of a and b, NaN where either is"""

    function, loses = _larger, np.less


class Minimum(Extremum):
    """The smaller of a and b, NaN where either is"""

    function, loses = _smaller, np.greater


class NumberExtremum(Extremum):
    """The same, but a NaN loses against a number and b's NaN against a's, and so gets no gradient."""

    @classmethod
    def backward(cls, ctx: Any, g: np.ndarray) -> tuple:
        a, b = ctx.saved
        to_a = np.isnan(b)
        to_b = np.isnan(a) & ~to_a
        g = np.where(a == b, g / 2, g)
        return np.where(cls.loses(a, b) | to_b, 0, g), np.where(cls.loses(b, a) | to_a, 0, g)


def _larger_number(a: Any, b: Any) -> np.ndarray:
    return np.where((a >= b) | np.isnan(b), a, b)  # of equal ones the first, as PyTorch; np.fmax takes either


def _smaller_number(a: Any, b: Any) -> np.ndarray:
    return np.where((a <= b) | np.isnan(b), a, b)


class FMaximum(NumberExtremum):
    """The larger of a and b, NaN only where both are"""

    function, loses = _larger_number, np.less


class FMinimum(NumberExtremum):
    """The smaller of a and b, NaN only where both are"""

    function, loses = _smaller_number, np.greater


maximum = binary("maximum", "The larger of input and other, NaN where either is", Maximum, "none")
minimum = binary("minimum", "The smaller of input and other, NaN where either is", Minimum, "none")
fmax = binary("fmax", "The larger of input and other, NaN only where both are", FMaximum, "none")
fmin = binary("fmin", "The smaller of input and other, NaN only where both are", FMinimum, "none")


class Clamp(Traceable, Operator):
    """x held within [low, high]; the gradient passes where x lies strictly between."""

    elementwise = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, low: Any, high: Any) -> np.ndarray:
        ctx.saved, ctx.bounds = (x,), (low, high)
        with np.errstate(all="ignore"):
            y = x if low is None else _larger(x, low)
            return np.asarray(y if high is None else _smaller(y, high))

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        (x,), (low, high) = ctx.saved, ctx.bounds
        inside = (x == x) if low is None else x > low
        return g * (inside if high is None else inside & (x < high))


class ClampBetween(Traceable, Operator):
    """x held within Tensors low and high.

    The gradient goes to the one that gives the result, in halves to x and a bound that it equals; to x where all three
    are equal, to high where low exceeds it. Where NaN stands nothing is outside, and x gets it.
    """

    elementwise = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        ctx.saved = x, low, high
        return np.asarray(_smaller(_larger(x, low), high))

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        x, low, high = ctx.saved
        ordered = low <= high
        to_high = (low > high) | (ordered & (x > high))
        to_low = ordered & (x < low)
        to_x = ~((x < low) | (x > high))
        half = to_x & (low < high) & ((x == low) | (x == high))
        share = np.where(half, g / 2, g)
        return (
            np.where(to_x, share, 0),
            np.where(to_low | (half & (x == low)), share, 0),
            np.where(to_high | (half & (x == high)), share, 0),
        )


@half_in_float32
def clamp(input: Any, min: Any = None, max: Any = None, *, out: Any = None) -> Any:
    """`input` held within [min, max], elementwise; everything is `max` where `min` exceeds it.

    Args:
        input: any shape.
        min, max: numbers, or Tensors that broadcast with `input`; one of them may be None. Beside a number, a Tensor
            without dimensions stands for one.
        out: a Tensor that receives the result.

    Raises:
        ShapeError: without either; for a `min` above, or a `max` below, all that an integer dtype can hold.
        TypeError: for one number and one Tensor.
        DtypeError: for bools.
    """
    tensor_array(input, "clamp", "input")
    bounds = [bound for bound in (min, max) if bound is not None]
    if not bounds:
        raise ShapeError("clamp needs min or max, or both")
    for bound in bounds:
        if not isinstance(bound, OPERANDS):
            raise TypeError(f"clamp needs numbers or Tensors as min and max, got {type(bound).__name__}")
    tensors = [isinstance(bound, OPERANDS[:2]) for bound in bounds]
    if all(tensors):
        return deliver(_clamp_by_tensors(input, min, max), out)
    if any(tensors):
        min, max = bounds = [_number_of(bound) for bound in bounds]
    kinds = [0 if type(bound) is int else bound for bound in bounds]  # a whole number may be of any size
    dtype = result_type(array_of(input), *kinds)
    if dtype.kind == "b":
        raise DtypeError("clamp is not defined for bools")
    if dtype.kind in "iu":
        min, max = _bounds_within(np.iinfo(dtype), min, max)
    return deliver(Clamp.apply(cast(input, dtype), min, max), out)


def clamp_min(input: Any, min: Any, *, out: Any = None) -> Any:
    """The larger of `input` and `min`, a number or a Tensor; see `clamp`."""
    return clamp(input, _bound("clamp_min", min), out=out)


def clamp_max(input: Any, max: Any, *, out: Any = None) -> Any:
    """The smaller of `input` and `max`, a number or a Tensor; see `clamp`."""
    return clamp(input, None, _bound("clamp_max", max), out=out)


def _bound(name: str, value: Any) -> Any:
    if value is None:
        raise TypeError(f"{name} needs a number or a Tensor, got None")
    return value


def _clamp_by_tensors(x: Any, low: Any, high: Any) -> Any:
    if high is None:
        return Maximum.call(x, low)
    if low is None:
        return Minimum.call(x, high)
    dtype = result_type(*map(array_of, (x, low, high)))
    if dtype.kind == "b":
        raise DtypeError("clamp is not defined for bools")
    check_broadcast(*[array_of(operand).shape for operand in (x, low, high)])
    return ClampBetween.apply(cast(x, dtype), cast(low, dtype), cast(high, dtype))


def _number_of(bound: Any) -> Any:
    """A number, or that of a Tensor without dimensions."""
    if isinstance(bound, Variable) and bound._array.ndim == 0 and not bound._requires_grad:
        return bound._array.item()
    if isinstance(bound, (Variable, np.ndarray)):
        raise TypeError("clamp needs two numbers or two Tensors as its bounds, got one of each")
    return bound


def _bounds_within(limits: np.iinfo, low: Any, high: Any) -> tuple[Any, Any]:
    """Integer bounds, moved into a dtype's range where they hold nothing beyond it."""
    if (low is not None and low > limits.max) or (high is not None and high < limits.min):
        raise ShapeError(f"clamp to [{low}, {high}] leaves nothing that {limits.dtype} can hold")
    if low is not None:
        low = int(low) if low > limits.min else limits.min
    if high is not None:
        high = int(high) if high < limits.max else limits.max
    return low, high


class Where(Traceable, Operator):
    """a where the condition holds, b elsewhere."""

    elementwise = True

    @staticmethod
    def forward(ctx: Any, condition: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        ctx.saved = (condition,)
        return np.where(condition, a, b)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        (condition,) = ctx.saved
        _, by_a, by_b = ctx.needs_input_grad
        zero = g.dtype.type(0)
        return (
            None,
            np.where(condition, g, zero) if by_a else None,
            np.where(condition, zero, g) if by_b else None,
        )


class HeldAbove(Traceable, Operator):
    """The larger of x and a bound, with the gradient of x."""

    elementwise = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, bound: float) -> np.ndarray:
        return quietly(np.maximum, x, x.dtype.type(bound))

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> np.ndarray:
        return g


def where(condition: Any, input: Any = None, other: Any = None, *, out: Any = None) -> Any:
    """`input` where `condition` holds, `other` elsewhere, all broadcast together.

    Args:
        condition: bool Tensor, or of uint8 that isn't 0.
        input, other: Tensors or Python numbers; without both, the result is where `condition` holds.
        out: a Tensor that receives the result.

    Returns: a Tensor; for a condition alone, a tuple of int64 Tensors with the indices along each dimension.

    Raises:
        DtypeError: where `condition` isn't bool.
        ShapeError: where the shapes don't broadcast.
    """
    mask = tensor_array(condition, "where", "condition")
    if input is None and other is None:
        return tuple([Found.apply(condition, places) for places in np.atleast_1d(mask).nonzero()])
    if mask.dtype.kind != "b" and mask.dtype != np.uint8:
        raise DtypeError(f"where needs a Tensor of bool as its condition, got {mask.dtype}")
    if input is None or other is None:
        raise TypeError("where needs both input and other, or neither")
    left, right = array_of(input), array_of(other)
    dtype = result_type(left, right)
    check_broadcast(mask.shape, np.shape(left), np.shape(right))
    return deliver(Where.apply(condition, cast(input, dtype), cast(other, dtype)), out)
