"""Arithmetic on two operands that broadcast against each other."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn.autograd import Operator
from minicnn.dtypes import float32, result_type
from minicnn.operators.operands import array_of, cast, promoted
from minicnn.operators.quiet import quietly


class Binary(Operator):
    """An elementwise operation on two operands; the walk undoes their broadcasting."""

    elementwise = True

    function: Callable

    @classmethod
    def forward(cls, ctx: Any, a: Any, b: Any) -> np.ndarray:
        ctx.saved = a, b
        return np.asarray(quietly(cls.function, a, b))

    @classmethod
    def call(cls, a: Any, b: Any) -> Any:
        """Apply to Tensors, arrays or Python numbers.

        Raises:
            ValueError: where the shapes don't broadcast.
        """
        return cls.apply(*promoted(a, b))


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
        if _is_bool(a) or _is_bool(b):
            raise TypeError("subtraction is not defined for bool operands; use ^ or ~")
        return super().call(a, b)


def _is_bool(x: Any) -> bool:
    x = array_of(x)
    return x.dtype.kind == "b" if isinstance(x, np.ndarray) else isinstance(x, (bool, np.bool_))


class Multiply(Binary):
    """a · b"""

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
    """aᵇ; the gradient by a is 0 where b is 0, the one by b is 0 where a is 0 and b isn't negative"""

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> np.ndarray:
        ctx.saved = a, b
        with np.errstate(all="ignore"):
            if np.result_type(a, b).kind == "i" and np.any(np.less(b, 0)):
                return _negative_power(np.asarray(a), np.asarray(b))
            return np.asarray(np.power(a, b))

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        a, b = ctx.saved
        by_a = by_b = None
        if ctx.needs_input_grad[0]:
            by_a = np.where(np.equal(b, 0), 0, g * (b * np.power(a, b - 1)))
        if ctx.needs_input_grad[1]:
            by_b = np.where(np.equal(a, 0) & np.greater_equal(b, 0), 0, g * (np.power(a, b) * np.log(a)))
        return by_a, by_b


def _negative_power(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Integers to integer powers some of which are negative: 1/aⁿ towards zero, so 0 unless a is 1 or -1."""
    inverse = np.where(a == 1, 1, np.where(a == -1, 1 - 2 * (b % 2), 0))
    return np.where(b < 0, inverse, np.power(a, np.maximum(b, 0))).astype(np.result_type(a, b))


class Extremum(Binary):
    """The larger or smaller of a and b; equal ones share the gradient, both get it where one is NaN."""

    loses: Callable

    @classmethod
    def backward(cls, ctx: Any, g: np.ndarray) -> tuple:
        a, b = ctx.saved
        g = np.where(a == b, g / 2, g)
        return np.where(cls.loses(a, b), 0, g), np.where(cls.loses(b, a), 0, g)


class Maximum(Extremum):
    """The larger of a and b, NaN where either is"""

    function, loses = np.maximum, np.less


class Minimum(Extremum):
    """The smaller of a and b, NaN where either is"""

    function, loses = np.minimum, np.greater


class Remainder(Binary):
    """a − b·⌊a / b⌋"""

    function = np.remainder

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        a, b = ctx.saved
        return g, -g * np.floor_divide(a, b) if ctx.needs_input_grad[1] else None


class FloorDivide(Binary):
    """⌊a / b⌋"""

    function = np.floor_divide

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        raise RuntimeError("floor division has no gradient; detach() its operands")


def true_divide(a: Any, b: Any) -> Any:
    """a / b; integers divide as float32."""
    if result_type(array_of(a), array_of(b)).kind != "f":
        a, b = cast(a, float32), cast(b, float32)
    return Divide.call(a, b)


def power(a: Any, b: Any) -> Any:
    """aᵇ

    Raises:
        ValueError: for integers to a negative number.
        TypeError: for bools.
    """
    base, exponent = array_of(a), array_of(b)
    kind = result_type(base, exponent).kind
    if kind == "b":
        raise TypeError("power is not defined for bools")
    if kind in "iu" and not isinstance(exponent, np.ndarray) and exponent < 0:
        raise ValueError("integers to negative integer powers are not allowed")
    return Power.call(a, b)


def floor_divide(a: Any, b: Any) -> Any:
    """⌊a / b⌋

    Raises:
        TypeError: for bools.
        ZeroDivisionError: for integers divided by 0.
    """
    _check_division(a, b, "floor division")
    return FloorDivide.call(a, b)


def remainder(a: Any, b: Any) -> Any:
    """a − b·⌊a / b⌋, which has the sign of b.

    Raises:
        TypeError: for bools.
        ZeroDivisionError: for integers divided by 0.
    """
    _check_division(a, b, "remainder")
    return Remainder.call(a, b)


def _check_division(a: Any, b: Any, name: str) -> None:
    kind = result_type(array_of(a), array_of(b)).kind
    if kind == "b":
        raise TypeError(f"{name} is not defined for bools")
    if kind != "f" and not np.all(array_of(b)):
        raise ZeroDivisionError(f"{name} of integers by zero")
