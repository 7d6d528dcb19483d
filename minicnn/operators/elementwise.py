"""Elementwise operations on one operand, and the choice between two."""

import builtins
from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn.autograd import Operator, Variable
from minicnn.dtypes import float32, result_type
from minicnn.operators.arguments import array_argument
from minicnn.operators.arithmetic import Maximum, Minimum
from minicnn.operators.operands import array_of, cast, check_broadcast
from minicnn.operators.quiet import quietly


class Unary(Operator):
    """An elementwise operation on one operand; integers become float32 first."""

    elementwise = True

    function: Callable
    saves_output = False
    """Whether `gradient` needs the output rather than the input."""

    @classmethod
    def forward(cls, ctx: Any, x: np.ndarray) -> np.ndarray:
        y = np.asarray(quietly(cls.function, x))
        ctx.saved = (y if cls.saves_output else x,)
        return y

    @classmethod
    def backward(cls, ctx: Any, g: np.ndarray) -> np.ndarray:
        return cls.gradient(g, *ctx.saved)

    @staticmethod
    def gradient(g: np.ndarray, saved: np.ndarray) -> np.ndarray:
        """The gradient by x, from the saved input or output."""
        raise NotImplementedError

    @classmethod
    def call(cls, x: Any) -> Any:
        """Apply to a Tensor or an array."""
        return cls.apply(x if array_argument(x, cls.__name__).dtype.kind == "f" else cast(x, float32))


class Negative(Operator):
    """−x"""

    elementwise = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        return np.negative(x)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> np.ndarray:
        return -g


class Absolute(Unary):
    """|x|, with gradient 0 at 0 and at NaN"""

    function = np.abs

    @staticmethod
    def gradient(g: np.ndarray, x: np.ndarray) -> np.ndarray:
        return g * np.subtract(x > 0, x < 0, dtype=x.dtype)


class Exponential(Unary):
    """eˣ"""

    function, saves_output = np.exp, True

    @staticmethod
    def gradient(g: np.ndarray, y: np.ndarray) -> np.ndarray:
        return g * y


class Logarithm(Unary):
    """ln x"""

    function = np.log

    @staticmethod
    def gradient(g: np.ndarray, x: np.ndarray) -> np.ndarray:
        return g / x


class SquareRoot(Unary):
    """√x"""

    function, saves_output = np.sqrt, True

    @staticmethod
    def gradient(g: np.ndarray, y: np.ndarray) -> np.ndarray:
        return g / (2 * y)


class Reciprocal(Unary):
    """1 / x"""

    function, saves_output = np.reciprocal, True

    @staticmethod
    def gradient(g: np.ndarray, y: np.ndarray) -> np.ndarray:
        return -g * y * y


def negative(x: Any) -> Any:
    """−x, elementwise.

    Raises:
        TypeError: for bools.
    """
    return Negative.apply(_not_bool(x, "negation"))


def absolute(x: Any) -> Any:
    """|x|, elementwise.

    Raises:
        TypeError: for bools.
    """
    return Absolute.apply(_not_bool(x, "abs"))


def exp(x: Any) -> Any:
    """eˣ, elementwise."""
    return Exponential.call(x)


def log(x: Any) -> Any:
    """ln x, elementwise; -inf at 0, NaN below."""
    return Logarithm.call(x)


def sqrt(x: Any) -> Any:
    """√x, elementwise; NaN below 0."""
    return SquareRoot.call(x)


def reciprocal(x: Any) -> Any:
    """1 / x, elementwise; infinite at 0."""
    return Reciprocal.call(x)


def _not_bool(x: Any, name: str) -> Any:
    if array_argument(x, name).dtype == bool:
        raise TypeError(f"{name} is not defined for bool tensors")
    return x


class Clamp(Operator):
    """x held within [low, high]; the gradient passes where x lies strictly between."""

    elementwise = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, low: Any, high: Any) -> np.ndarray:
        ctx.saved, ctx.bounds = (x,), (low, high)
        with np.errstate(all="ignore"):
            y = x if low is None else np.maximum(x, low)
            return np.asarray(y if high is None else np.minimum(y, high))

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        (x,), (low, high) = ctx.saved, ctx.bounds
        inside = (x == x) if low is None else x > low
        return g * (inside if high is None else inside & (x < high)), None, None


class ClampBetween(Operator):
    """x held within Tensors low and high.

    The gradient goes to the one that gives the result, in halves to x and a bound that it equals; to x where all three
    are equal, to high where low exceeds it. Where NaN stands nothing is outside, and x gets it.
    """

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        ctx.saved = x, low, high
        return np.asarray(np.minimum(np.maximum(x, low), high))

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


def clamp(x: Any, min: Any = None, max: Any = None) -> Any:
    """`x` held within [min, max], elementwise; everything is `max` where `min` exceeds it.

    Args:
        min, max: numbers, or Tensors that broadcast with `x`; one of them may be None. Beside a number, a Tensor
            without dimensions stands for one.

    Raises:
        ValueError: without either; for a `min` above, or a `max` below, all that an integer dtype can hold.
        TypeError: for one number and one Tensor, or for bools.
    """
    bounds = [bound for bound in (min, max) if bound is not None]
    if not bounds:
        raise ValueError("clamp needs min or max, or both")
    tensors = [isinstance(bound, (Variable, np.ndarray)) for bound in bounds]
    if all(tensors):
        return _clamp_by_tensors(x, min, max)
    if any(tensors):
        min, max = bounds = [_number_of(bound) for bound in bounds]
    dtype = result_type(array_of(x), *bounds)
    if dtype.kind == "b":
        raise TypeError("clamp is not defined for bools")
    if dtype.kind in "iu":
        min, max = _bounds_within(np.iinfo(dtype), min, max)
    return Clamp.apply(cast(x, dtype), min, max)


def _clamp_by_tensors(x: Any, low: Any, high: Any) -> Any:
    if high is None:
        return Maximum.call(x, low)
    if low is None:
        return Minimum.call(x, high)
    dtype = result_type(*map(array_of, (x, low, high)))
    if dtype.kind == "b":
        raise TypeError("clamp is not defined for bools")
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
        raise ValueError(f"clamp to [{low}, {high}] leaves nothing that {limits.dtype} can hold")
    return (
        None if low is None else builtins.max(int(low), limits.min),
        None if high is None else builtins.min(int(high), limits.max),
    )


class Where(Operator):
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


def where(condition: Any, input: Any = None, other: Any = None) -> Any:
    """`input` where `condition` holds, `other` elsewhere, all broadcast together.

    Args:
        condition: bool Tensor.
        input, other: Tensors or Python numbers; without both, the result is where `condition` holds.

    Returns: a Tensor; for a condition alone, a tuple of int64 Tensors with the indices along each dimension.

    Raises:
        TypeError: where `condition` isn't bool.
        ValueError: where the shapes don't broadcast.
    """
    mask = array_of(condition)
    if not isinstance(mask, np.ndarray) or mask.dtype.kind != "b":
        received = mask.dtype if isinstance(mask, np.ndarray) else type(mask).__name__
        raise TypeError(f"where needs a Tensor of bool as its condition, got {received}")
    if input is None and other is None:
        return tuple(Variable._computed(indices) for indices in np.atleast_1d(mask).nonzero())
    if input is None or other is None:
        raise TypeError("where needs both input and other, or neither")
    dtype = result_type(array_of(input), array_of(other))
    return Where.apply(condition, cast(input, dtype), cast(other, dtype))
