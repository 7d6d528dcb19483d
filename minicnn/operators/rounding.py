"""Elementwise functions of one operand whose results have its dtype: rounding, signs, squares."""

from typing import Any

import numpy as np

from minicnn.autograd import Operator
from minicnn.dtypes import int64
from minicnn.errors import DtypeError
from minicnn.operators.arguments import array_argument
from minicnn.operators.half import half_in_float32
from minicnn.operators.operands import cast
from minicnn.operators.out import deliver
from minicnn.operators.tracing import Traceable
from minicnn.operators.unary import preserving, without_gradient


def _no_gradient(g: np.ndarray) -> np.ndarray:
    """The gradient of what is constant between its jumps."""
    return np.zeros_like(g)


def _sign(x: np.ndarray) -> np.ndarray:
    """−1, 0 or 1; 0 for NaN, as PyTorch has it."""
    return np.subtract(x > 0, x < 0, dtype=x.dtype)


def _sign_of_whole(x: np.ndarray) -> np.ndarray:
    return x.copy() if x.dtype == bool else np.sign(x)


floor = preserving("floor", "The largest whole number not above x", np.floor, _no_gradient)
ceil = preserving("ceil", "The smallest whole number not below x", np.ceil, _no_gradient)
trunc = preserving("trunc", "x without its fraction", np.trunc, _no_gradient)
frac = preserving("frac", "The fraction of x, x − trunc x", lambda x: x - np.trunc(x), lambda g: g, "iub")
sign = preserving("sign", "−1, 0 or 1 as x is negative, 0 or positive", _sign, _no_gradient, "", _sign_of_whole)
sgn = preserving("sgn", "−1, 0 or 1 as x is negative, 0 or positive", _sign, _no_gradient, "", _sign_of_whole)
absolute = preserving("abs", "|x|, with gradient 0 at 0 and at NaN", np.abs, lambda g, x: g * _sign(x), "b", np.abs)
negative = preserving("neg", "−x", np.negative, lambda g: -g, "b", np.negative)


def positive(input: Any) -> Any:
    """`input` itself.

    Raises:
        DtypeError: for bools.
    """
    if array_argument(input, "positive").dtype == bool:
        raise DtypeError("positive is not defined for bools")
    return input


class Square(Traceable, Operator):
    """x²"""

    elementwise = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        ctx.saved = (x,)
        with np.errstate(all="ignore"):
            return np.asarray(x * x)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> np.ndarray:
        return g * (2 * ctx.saved[0])


@half_in_float32
def square(input: Any, *, out: Any = None) -> Any:
    """x², elementwise; int64 for bools.

    Args:
        input: any shape; the result has its dtype.
        out: a Tensor that receives the result.
    """
    is_bool = array_argument(input, "square").dtype == bool
    return deliver(Square.apply(cast(input, int64) if is_bool else input), out)


class Round(Traceable, Operator):
    """x to the nearest number of so many decimals, halves to even"""

    elementwise = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, decimals: int) -> np.ndarray:
        with np.errstate(all="ignore"):
            if not decimals:
                return np.asarray(np.rint(x))
            scale = x.dtype.type(10.0 ** abs(decimals))
            return np.asarray(np.rint(x * scale) / scale if decimals > 0 else np.rint(x / scale) * scale)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> np.ndarray:
        return np.zeros_like(g)


@half_in_float32
def round(input: Any, *, decimals: int = 0, out: Any = None) -> Any:
    """x to the nearest number of so many decimals, halves to the even one, elementwise.

    Args:
        input: any shape; the result has its dtype.
        decimals: places behind the point to keep, or before it to clear where negative; 0 for integer dtypes.
        out: a Tensor that receives the result.

    Raises:
        DtypeError: for bools, and for integers with other `decimals` than 0.
    """
    array = array_argument(input, "round")
    if isinstance(decimals, bool) or not isinstance(decimals, (int, np.integer)):
        raise TypeError(f"round needs an int as decimals, got {decimals!r}")
    if array.dtype.kind == "f":
        return deliver(Round.apply(input, int(decimals)), out, same_dtype=True)
    if decimals or array.dtype.kind == "b":
        raise DtypeError(f"round to {decimals} decimals is not defined for {array.dtype}")
    return deliver(without_gradient(np.copy, input), out, same_dtype=True)


class NanToNum(Traceable, Operator):
    """x with NaN and infinities replaced; the gradient passes elsewhere"""

    elementwise = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, nan: float, above: float, below: float) -> np.ndarray:
        ctx.saved = (x,)
        return np.nan_to_num(x, nan=nan, posinf=above, neginf=below)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        return g * np.isfinite(ctx.saved[0])


def nan_to_num(
    input: Any, nan: float | None = None, posinf: float | None = None, neginf: float | None = None, *, out: Any = None
) -> Any:
    """`input` with NaN, infinity and negative infinity replaced.

    Args:
        input: any shape; integers and bools are copied.
        nan: what replaces NaN; 0 by default.
        posinf, neginf: what replaces the infinities; by default the largest and smallest number of the dtype.
        out: a Tensor that receives the result.
    """
    dtype = array_argument(input, "nan_to_num").dtype
    if dtype.kind != "f":
        return deliver(without_gradient(np.copy, input), out, same_dtype=True)
    largest = float(np.finfo(dtype).max)
    numbers = [float(value) for value in (0 if nan is None else nan, largest if posinf is None else posinf)]
    numbers.append(float(-largest if neginf is None else neginf))
    return deliver(NanToNum.apply(input, *numbers), out, same_dtype=True)
