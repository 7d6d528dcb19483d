"""Arithmetic on two operands that broadcast against each other."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn import kernels
from minicnn.autograd import Variable
from minicnn.dtypes import check_fits, default_float, float16, float64, result_type
from minicnn.errors import DtypeError, ShapeError
from minicnn.operators.binary import Binary, binary, check_operands
from minicnn.operators.half import half_in_float32
from minicnn.operators.operands import OPERANDS, array_of, cast
from minicnn.operators.out import deliver
from minicnn.operators.quiet import quietly


class Add(Binary):
    """a + b"""

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> np.ndarray:
        return quietly(np.add, a, b, ctx.out)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        return g, g


class Subtract(Binary):
    """a − b"""

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> np.ndarray:
        return quietly(np.subtract, a, b, ctx.out)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        return g, -g if ctx.needs_input_grad[1] else None

    @classmethod
    def call(cls, a: Any, b: Any) -> Any:
        _refuse_bools(a, b)
        return super().call(a, b)


def _refuse_bools(a: Any, b: Any) -> None:
    if _is_bool(a) or _is_bool(b):
        raise DtypeError("subtraction is not defined for bool operands; use ^ or ~")


def _is_bool(x: Any) -> bool:
    x = array_of(x)
    return x.dtype.kind == "b" if isinstance(x, np.ndarray) else isinstance(x, (bool, np.bool_))


class Multiply(Binary):
    """a · b"""

    rounds_numbers = False

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> np.ndarray:
        by_a, by_b = ctx.needs_input_grad
        former = by_b and not by_a and ctx.out is not None  # a is overwritten, and perhaps b, whose values nobody needs
        ctx.saved = a.copy() if former else a if by_b else None, b if by_a else None
        return quietly(np.multiply, a, b, None if by_b else ctx.out)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        a, b = ctx.saved
        return None if b is None else g * b, None if a is None else g * a


class Divide(Binary):
    """a / b"""

    rounds_numbers = False

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> np.ndarray:
        by_b = ctx.needs_input_grad[1]
        ctx.saved = a if by_b else None, b
        return np.asarray(quietly(np.true_divide, a, b))

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        a, b = ctx.saved
        by_a, by_b = ctx.needs_input_grad
        return g / b if by_a else None, -g * (a / b) / b if by_b else None


class Power(Binary):
    """aᵇ; the gradient with respect to a is 0 where b is 0, the one by b is 0 where a is 0 and b isn't negative"""

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> np.ndarray:
        ctx.saved = a, b
        with np.errstate(all="ignore"):
            if np.result_type(a, b).kind == "i" and np.any(np.less(b, 0)):
                return _negative_power(np.asarray(a), np.asarray(b))
            return np.asarray(_raised(a, b))

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        a, b = ctx.saved
        by_a = by_b = None
        if ctx.needs_input_grad[0]:
            less = np.asarray(b - 1) if isinstance(b, np.ndarray) else b - 1
            by_a = _raised(a, less)
            if isinstance(by_a, np.ndarray) and by_a.shape == g.shape and np.ndim(b) == 0 and b != 0:
                by_a *= b
                by_a *= g
            else:
                by_a = np.where(np.equal(b, 0), 0, g * (b * by_a))
        if ctx.needs_input_grad[1]:
            by_b = np.where(np.equal(a, 0) & np.greater_equal(b, 0), 0, g * (np.power(a, b) * np.log(a)))
        return by_a, by_b


class PowerOfNumber(Power):
    """aᵇ for a number a, whose result PyTorch lays out row-major, whatever the order of b."""

    elementwise = False


def _power_of(a: Any) -> type[Power]:
    return Power if isinstance(array_of(a), np.ndarray) else PowerOfNumber


_POWERS: dict[float, Callable] = {
    1.0: np.positive,
    2.0: np.square,
    3.0: lambda a, y: np.multiply(np.square(a, y), a, y),
    0.5: np.sqrt,
    -0.5: lambda a, y: np.reciprocal(np.sqrt(a, y), y),
    -1.0: np.reciprocal,
    -2.0: lambda a, y: np.reciprocal(np.square(a, y), y),
}
"""Of an array, into another one, as PyTorch computes them: powers by logarithms take a hundred times as long."""


def _raised(a: Any, b: Any) -> Any:
    """aᵇ; a square root for a number of 0.5, but not for a Tensor, of whose −∞ it would make NaN instead of ∞."""
    if not (isinstance(a, np.ndarray) and a.ndim and a.dtype.kind == "f" and np.ndim(b) == 0):
        return np.power(a, b)
    quick = _POWERS.get(float(b))
    result = quick(a, kernels.memory.empty_like(a)) if quick else np.power(a, b)
    if isinstance(b, np.ndarray) and abs(b) == 0.5:
        return np.where(np.isneginf(a), a.dtype.type(np.inf if b > 0 else 0), np.abs(result))
    return result


def _negative_power(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Integers to integer powers some of which are negative: 1/aⁿ towards zero, so 0 unless a is 1 or -1."""
    inverse = np.where(a == 1, 1, np.where(a == -1, 1 - 2 * (b % 2), 0))
    return np.where(b < 0, inverse, np.power(a, np.maximum(b, 0))).astype(np.result_type(a, b))


@half_in_float32
def add(input: Any, other: Any, last: Any = None, *, alpha: Any = 1, out: Any = None) -> Any:
    """input + alpha · other, elementwise.

    Args:
        input, other: Tensors or numbers; their shapes broadcast.
        last: where it is given, the arguments are input, alpha and other, in PyTorch's old order.
        alpha: a number; a whole one where the result is of integers.
        out: a Tensor that receives the result.

    Raises:
        ShapeError: where the shapes don't broadcast.
        RuntimeError: for an `alpha` that doesn't fit the dtype.
    """
    return deliver(Add.call(input, _scaled("add", input, other, last, alpha)), out)


@half_in_float32
def sub(input: Any, other: Any, last: Any = None, *, alpha: Any = 1, out: Any = None) -> Any:
    """input − alpha · other, elementwise; arguments and errors as for `add`, bools refused."""
    _refuse_bools(input, other)
    return deliver(Subtract.call(input, _scaled("sub", input, other, last, alpha)), out)


@half_in_float32
def rsub(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    """other − alpha · input, elementwise; arguments and errors as for `add`, bools refused."""
    check_operands("rsub", input, other, "second")
    _refuse_bools(input, other)
    return Subtract.call(other, _scaled("rsub", other, input, None, alpha))


def _scaled(name: str, input: Any, other: Any, last: Any, alpha: Any) -> Any:
    """alpha · other, checked."""
    if last is not None:
        other, alpha = last, other
    check_operands(name, input, other, "both")
    if type(alpha) is int and alpha == 1:
        return other
    if not isinstance(alpha, OPERANDS[2:]):
        raise TypeError(f"{name} needs a number as alpha, got {type(alpha).__name__}")
    dtype = result_type(array_of(input), array_of(other))
    if dtype.kind != "f" and isinstance(alpha, (float, np.floating)):
        raise DtypeError(f"{name} needs a whole number as alpha for {dtype}, got {alpha}")
    if dtype.kind != "b" and isinstance(alpha, (bool, np.bool_)):
        raise DtypeError(f"{name} needs a number as alpha for {dtype}, got {alpha}")
    if not isinstance(other, OPERANDS[:2]):
        return other * alpha
    return Multiply.call(cast(other, dtype), bool(alpha) if dtype.kind == "b" else alpha)


mul = binary("mul", "input · other", Multiply, "both")


def true_divide(input: Any, other: Any, *, out: Any = None) -> Any:
    """input / other, elementwise; integers divide as float32."""
    check_operands("true_divide", input, other, "both")
    if result_type(array_of(input), array_of(other)).kind != "f":
        input, other = cast(input, default_float()), cast(other, default_float())
    return deliver(Divide.call(input, other), out)


def power(input: Any, exponent: Any, *, out: Any = None) -> Any:
    """input to the power of exponent, elementwise.

    Args:
        input, exponent: Tensors, or one of them a number; their shapes broadcast.
        out: a Tensor that receives the result.

    Raises:
        ShapeError: for integers to a negative number, or where the shapes don't broadcast.
        DtypeError: for bools, except a Tensor of them to the power of True or False.
    """
    check_operands("pow", input, exponent, "either")
    number = array_of(exponent)
    dtype = result_type(array_of(input), number)
    kind = dtype.kind
    if dtype == float16 and not isinstance(number, np.ndarray):
        check_fits(number, dtype)
    if kind == "b" and isinstance(number, bool):  # x¹ is x, and x⁰ is true
        return deliver(Variable._computed(np.logical_or(array_of(input), not number)), out)
    if kind == "b":
        raise DtypeError("power is not defined for bools, but for a bool of Python's as the exponent")
    if kind in "iu" and not isinstance(number, np.ndarray) and number < 0:
        raise ShapeError("integers to negative integer powers are not allowed")
    return deliver(_power_of(input).call(input, exponent), out)


def float_power(input: Any, exponent: Any, *, out: Any = None) -> Any:
    """`power`, computed in float64."""
    check_operands("float_power", input, exponent, "either")
    result = _power_of(input).call(cast(input, float64), cast(exponent, float64))
    return deliver(result, out, same_dtype=True)


def float_power_of_double(input: Any, exponent: Any) -> Any:
    """`float_power` of a Tensor that can receive the result, one of float64.

    Raises:
        DtypeError: for other dtypes.
    """
    if array_of(input).dtype != float64:
        raise DtypeError(f"float_power_ needs a Tensor of float64, got {array_of(input).dtype}")
    return float_power(input, exponent)


class Ldexp(Binary):
    """a · 2ᵇ"""

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> np.ndarray:
        by_a, by_b = ctx.needs_input_grad
        power = quietly(np.exp2, b)
        y = quietly(np.multiply, a, power)
        ctx.saved = power if by_a else None, y if by_b else None
        return y

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        power, y = ctx.saved
        with np.errstate(all="ignore"):
            return None if power is None else g * power, None if y is None else g * y * np.log(2)

    @staticmethod
    def backward_recorded(ctx: Any, g: Any) -> tuple:
        power, y = ctx.saved
        by_a = by_b = None
        if power is not None:
            by_a = g * ctx.argument(1, np.log2(power)).exp2()
        if y is not None:
            by_b = g * ctx.result(0, y) * float(np.log(2))
        return by_a, by_b


@half_in_float32
def ldexp(input: Any, other: Any, *, out: Any = None) -> Any:
    """input · 2 to the power of other, elementwise.

    Args:
        input, other: Tensors or numbers, their shapes broadcast; integers count as the default floating-point dtype.
        out: a Tensor that receives the result.

    Raises:
        TypeError: for anything else.
        ShapeError: for shapes that don't broadcast.
    """
    check_operands("ldexp", input, other, "none")
    dtype = result_type(array_of(input), array_of(other))
    dtype = dtype if dtype.kind == "f" else default_float()
    return deliver(Ldexp.call(cast(input, dtype), cast(other, dtype)), out)
