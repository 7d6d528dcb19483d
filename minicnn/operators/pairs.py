"""Elementwise functions of two operands beside arithmetic: angles, lengths, sums of exponentials, signs."""

from typing import Any

import numpy as np

from minicnn.errors import DtypeError
from minicnn.operators.binary import Binary, binary, check_operands
from minicnn.operators.half import is_half
from minicnn.operators.operands import array_of
from minicnn.operators.out import deliver
from minicnn.operators.quiet import quietly


class Atan2(Binary):
    """The angle of the point (b, a)"""

    function = np.arctan2

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        a, b = ctx.saved
        squares = a * a + b * b
        scale = np.where(squares == 0, 0, 1 / squares)
        return g * b * scale, g * -a * scale


class Hypot(Binary):
    """√(a² + b²)"""

    @staticmethod
    def forward(ctx: Any, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        by_a, by_b = ctx.needs_input_grad
        length = np.asarray(quietly(np.hypot, a, b))
        ctx.saved = length, a if by_a else None, b if by_b else None
        return length

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        length, a, b = ctx.saved
        return None if a is None else g * a / length, None if b is None else g * b / length


class LogAddExp(Binary):
    """ln(eᵃ + eᵇ)"""

    function = np.logaddexp

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        a, b = ctx.saved
        return g / (1 + np.exp(b - a)), g / (1 + np.exp(a - b))


class LogAddExp2(Binary):
    """log₂(2ᵃ + 2ᵇ)"""

    function = np.logaddexp2

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        a, b = ctx.saved
        return g / (1 + np.exp2(b - a)), g / (1 + np.exp2(a - b))


class CopySign(Binary):
    """|a| with the sign of b; the gradient with respect to a is 0 where a is 0"""

    @staticmethod
    def forward(ctx: Any, a: np.ndarray, b: Any) -> np.ndarray:
        y = np.asarray(np.copysign(a, b))
        ctx.saved = (a, y) if ctx.needs_input_grad[0] else ()
        return y

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        if not ctx.needs_input_grad[0]:
            return None, np.zeros_like(g)
        a, y = ctx.saved
        return np.where(a == 0, 0, g * (y / a)), np.zeros_like(g)


class NextAfter(Binary):
    """The next number after a towards b; as PyTorch has it, its gradient with respect to a is 1, and 0 where a is b"""

    function = np.nextafter

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        a, b = ctx.saved
        return g * (a != b), np.zeros_like(g)


class Heaviside(Binary):
    """0, b or 1 as a is negative, 0 or positive"""

    @staticmethod
    def forward(ctx: Any, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.where(a == 0, b, (a > 0).astype(a.dtype))

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        raise RuntimeError("heaviside has no gradient; detach() its operands")


atan2 = binary("atan2", "The angle of the point (other, input), from −π to π", Atan2, "none", floats=True)
hypot = binary("hypot", "√(input² + other²)", Hypot, "none", "iub")
logaddexp = binary("logaddexp", "ln(exp(input) + exp(other))", LogAddExp, "none", "iub")
logaddexp2 = binary("logaddexp2", "log₂(2^input + 2^other)", LogAddExp2, "none", "iub")
copysign = binary("copysign", "|input| with the sign of other", CopySign, floats=True)
_nextafter = binary("nextafter", "The next number after input towards other", NextAfter, "none", "iub")


def nextafter(input: Any, other: Any, *, out: Any = None) -> Any:
    """The next number after `input` towards `other`, elementwise.

    Args:
        input, other: floating-point Tensors; their shapes broadcast.
        out: a Tensor that receives the result.

    Raises:
        DtypeError: for integers.
    """
    if is_half(input) and is_half(other):
        return deliver(NextAfter.apply(input, other), out)
    return _nextafter(input, other, out=out)


def heaviside(input: Any, values: Any, *, out: Any = None) -> Any:
    """0 where `input` is negative, `values` where it is 0, 1 where it is positive, elementwise; it has no gradient.

    Args:
        input, values: Tensors of one dtype; their shapes broadcast.
        out: a Tensor that receives the result.

    Raises:
        DtypeError: where the dtypes differ.
    """
    check_operands("heaviside", input, values, "none")
    dtypes = array_of(input).dtype, array_of(values).dtype
    if dtypes[0] != dtypes[1]:
        raise DtypeError(f"heaviside needs Tensors of one dtype, got {dtypes[0]} and {dtypes[1]}")
    return deliver(Heaviside.call(input, values), out, same_dtype=True)
