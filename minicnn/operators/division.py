"""Division: quotients in every rounding, and remainders."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn.dtypes import result_type
from minicnn.errors import DivisionError, DtypeError
from minicnn.operators.arithmetic import true_divide
from minicnn.operators.binary import Binary, Numbers, check_operands, comparing
from minicnn.operators.operands import array_of
from minicnn.operators.out import deliver
from minicnn.operators.quiet import quietly


def _remainder(a: Any, b: Any) -> np.ndarray:
    if np.result_type(a, b).kind != "f":
        return np.remainder(a, b)
    rest = np.fmod(a, b)  # np.remainder itself gives 0 the sign of b
    return np.where((rest != 0) & (np.less(b, 0) != (rest < 0)), rest + b, rest)


class Remainder(Binary):
    """a − b·⌊a / b⌋"""

    function: Callable = _remainder
    quotient: Callable = np.floor_divide

    @classmethod
    def forward(cls, ctx: Any, a: Any, b: Any) -> np.ndarray:
        if ctx.needs_input_grad[1]:
            ctx.saved = a, b
        return np.asarray(quietly(cls.function, a, b))

    @classmethod
    def backward(cls, ctx: Any, g: np.ndarray) -> tuple:
        return g, -g * cls.quotient(*ctx.saved) if ctx.needs_input_grad[1] else None


def _truncated(a: Any, b: Any) -> np.ndarray:
    if np.result_type(a, b).kind == "f":
        return np.trunc(a / b)
    quotient = np.floor_divide(a, b)
    return quotient + ((quotient < 0) & (quotient * b != a))


class Fmod(Remainder):
    """a − b·trunc(a / b)"""

    function, quotient = np.fmod, _truncated


class FloorDivide(Binary):
    """⌊a / b⌋"""

    function: Callable = np.floor_divide
    rounds_numbers = False

    @classmethod
    def forward(cls, ctx: Any, a: Any, b: Any) -> np.ndarray:
        return np.asarray(quietly(cls.function, a, b))

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        raise RuntimeError("floor division has no gradient; detach() its operands")


class FloorQuotient(FloorDivide):
    """⌊a / b⌋, with gradient 0"""

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        return np.zeros_like(g), np.zeros_like(g)


class TruncatedQuotient(FloorQuotient):
    """a / b without its fraction, with gradient 0"""

    function = _truncated


def floor_divide(input: Any, other: Any, *, out: Any = None) -> Any:
    """⌊input / other⌋, elementwise.

    Args:
        input, other: Tensors or numbers; their shapes broadcast.
        out: a Tensor that receives the result.

    Raises:
        DtypeError: for bools.
        DivisionError: for integers divided by 0.
    """
    return _divided(FloorDivide, "floor_divide", input, other, "both", out)


def remainder(input: Any, other: Any, *, out: Any = None) -> Any:
    """input − other · ⌊input / other⌋, which has the sign of `other`; arguments and errors as for `floor_divide`."""
    return _divided(Remainder, "remainder", input, other, "either", out)


def fmod(input: Any, other: Any, *, out: Any = None) -> Any:
    """input − other · trunc(input / other), which has the sign of `input`; the rest is as for `floor_divide`."""
    return _divided(Fmod, "fmod", input, other, "second", out)


def div(input: Any, other: Any, *, rounding_mode: str | None = None, out: Any = None) -> Any:
    """input / other, elementwise.

    Args:
        input, other: Tensors or numbers; their shapes broadcast.
        rounding_mode: None for the quotient itself, of integers as float32; "floor" for the largest whole number not
            above it, "trunc" for the quotient without its fraction, of integers in their dtype.
        out: a Tensor that receives the result.

    Raises:
        RuntimeError: for another `rounding_mode`.
        DtypeError: for bools with a `rounding_mode`.
        DivisionError: for integers divided by 0 with a `rounding_mode`.
    """
    if rounding_mode is None:
        return true_divide(input, other, out=out)
    modes: dict[str, type[Binary]] = {"floor": FloorQuotient, "trunc": TruncatedQuotient}
    if rounding_mode not in modes:
        raise RuntimeError(f"div needs None, 'trunc' or 'floor' as rounding_mode, got {rounding_mode!r}")
    return _divided(modes[rounding_mode], "div", input, other, "both", out)


def _divided(operator: type[Binary], name: str, a: Any, b: Any, numbers: Numbers, out: Any) -> Any:
    check_operands(name, a, b, numbers)
    kind = result_type(array_of(a), array_of(b)).kind
    if kind == "b":
        raise DtypeError(f"{name} is not defined for bools")
    if kind != "f" and not np.all(array_of(b)) and np.size(array_of(a)):
        raise DivisionError(f"{name} of integers by zero")
    return deliver(operator.call(a, b), out)


gcd = comparing("gcd", "The greatest common divisor", np.gcd, "none", "iu")
lcm = comparing("lcm", "The least common multiple", np.lcm, "none", "iu")
