"""Elementwise functions of probability and physics, most of them computed by SciPy.

Rows as in `minicnn.operators.elementwise`.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn import kernels
from minicnn.autograd import Operator
from minicnn.operators.binary import Binary, binary
from minicnn.operators.out import deliver
from minicnn.operators.tracing import Traceable
from minicnn.operators.unary import floating_point, unary

pi = math.pi


def scipy_function(name: str) -> Callable[..., np.ndarray]:
    """A function of `scipy.special`, which is imported when it is first called: that takes a while."""

    def compute(*arrays: np.ndarray) -> np.ndarray:
        import scipy.special

        return getattr(scipy.special, name)(*arrays)

    return compute


def _digamma(x: np.ndarray) -> np.ndarray:
    return np.where(x == 0, np.copysign(np.inf, -x), _psi(x)).astype(x.dtype, copy=False)


def trigamma(x: np.ndarray) -> np.ndarray:
    """The derivative of digamma, Σₖ 1 / (x + k)², as PyTorch computes it, to nine digits.

    Six terms of the sum, then its asymptotic series as far as x⁻⁷; below 1/2 π² / sin² πx − trigamma(1 − x).
    """
    below = x < 0.5
    shifted = np.where(below, 1 - x, x)
    total = np.zeros_like(shifted)
    for _ in range(6):
        total += 1 / (shifted * shifted)
        shifted = shifted + 1
    inverse = 1 / (shifted * shifted)
    total += (1 + 1 / (2 * shifted) + inverse * (1 / 6 - inverse * (1 / 30 - inverse * (1 / 42)))) / shifted
    return np.where(below, (pi / np.sin(pi * x)) ** 2 - total, total)


_psi, _zeta, _gammaln = map(scipy_function, ("digamma", "zeta", "gammaln"))
_i0, _i1, _i0e, _i1e = map(scipy_function, ("i0", "i1", "i0e", "i1e"))
_erfcx, _inverse_erf, _ndtr = map(scipy_function, ("erfcx", "erfinv", "ndtr"))


def _log_gamma(x: np.ndarray) -> np.ndarray:
    return np.where(x == -np.inf, np.abs(x), _gammaln(x))  # SciPy gives -inf there


def _erfinv(x: np.ndarray) -> np.ndarray:
    return np.copysign(_inverse_erf(x), x)  # 0 keeps its sign


def _bessel_gradient(g: np.ndarray, x: np.ndarray) -> np.ndarray:
    return g * np.where(np.abs(x) <= np.finfo(x.dtype).eps, 0.5, _i0(x) - _i1(x) / x)


def _scaled_bessel_gradient(g: np.ndarray, x: np.ndarray) -> np.ndarray:
    return g * np.where(np.abs(x) <= np.finfo(x.dtype).eps, 0.5, _i0e(x) - _i1e(x) * (np.sign(x) + 1 / x))


def _in_double(derivative: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    """The gradient of a function by its `derivative`, computed in float64: arguments of exp must not be rounded."""

    def gradient(g: Any, x: Any) -> Any:
        if isinstance(x, np.ndarray):
            return g * derivative(x.astype(np.float64)).astype(x.dtype)
        return g * derivative(x)  # traced

    return gradient


def _gauss(function: Any, sign: int, g: Any, x: Any) -> Any:
    """The gradient of erf or erfc: by its kernel, or as arithmetic that can be traced."""
    if isinstance(x, np.ndarray):
        return function.backward(g, x)
    return g * (np.exp(-x * x) * (sign * 2 / math.sqrt(pi)))


erf = unary(
    "erf",
    "2/√π ∫₀ˣ exp(−t²) dt",
    lambda x: kernels.activation.erf.forward(x),
    lambda g, x: _gauss(kernels.activation.erf, 1, g, x),
)
erfc = unary(
    "erfc",
    "1 − erf x",
    lambda x: kernels.activation.erfc.forward(x),
    lambda g, x: _gauss(kernels.activation.erfc, -1, g, x),
)
erfcx = unary("erfcx", "exp(x²) erfc x", _erfcx, _in_double(lambda x: 2 * x * _erfcx(x) - 2 / math.sqrt(pi)))
erfinv = unary(
    "erfinv",
    "the inverse of erf",
    _erfinv,
    _in_double(lambda x: 0.5 * math.sqrt(pi) * np.exp(_erfinv(x) ** 2)),
)
ndtr = unary("ndtr", "(1 + erf(x/√2)) / 2", _ndtr, _in_double(lambda x: np.exp(-x * x / 2) / math.sqrt(2 * pi)))
ndtri = unary(
    "ndtri",
    "the inverse of ndtr",
    scipy_function("ndtri"),
    _in_double(lambda y: math.sqrt(2 * pi) * np.exp(y * y / 2)),
    True,
)
entr = unary(
    "entr",
    "−x ln x, 0 at 0, -inf below",
    scipy_function("entr"),
    lambda g, x: np.where(x == 0, np.where(g == 0, g, g * np.inf), g * (-np.log(x) - 1)),
)
lgamma = unary("lgamma", "ln |Γ(x)|", _log_gamma, lambda g, x: g * _digamma(x))
digamma = unary("digamma", "the derivative of lgamma", _digamma, lambda g, x: g * trigamma(x))
i0 = unary("i0", "the modified Bessel function of order 0", _i0, lambda g, x: g * _i1(x))
i1 = unary("i1", "the modified Bessel function of order 1", _i1, _bessel_gradient)
i0e = unary("i0e", "exp(−|x|) i0(x)", _i0e, lambda g, x: g * (_i1e(x) - np.sign(x) * _i0e(x)))
i1e = unary("i1e", "exp(−|x|) i1(x)", _i1e, _scaled_bessel_gradient)


class Logit(Traceable, Operator):
    """ln(x / (1 − x)), with x held within [eps, 1 − eps]"""

    elementwise = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, eps: float | None) -> np.ndarray:
        ctx.saved, ctx.eps = (x,), eps
        if eps is not None:
            x = np.where(x < eps, x.dtype.type(eps), np.where(x > 1 - eps, x.dtype.type(1 - eps), x))
        with np.errstate(all="ignore"):
            return np.asarray(np.log(x / (1 - x)))

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> np.ndarray:
        (x,) = ctx.saved
        low, outside = (0, np.nan) if ctx.eps is None else (ctx.eps, 0)
        return np.where((x < low) | (x > 1 - low), outside, g / (x * (1 - x)))


class Polygamma(Operator):
    """The n-th derivative of digamma: (−1)ⁿ⁺¹ n! Σₖ 1 / (x + k)ⁿ⁺¹"""

    elementwise = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, n: int) -> np.ndarray:
        ctx.saved, ctx.n = (x,), n
        with np.errstate(all="ignore"):
            return _polygamma(n, x)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        return g * _polygamma(ctx.n + 1, *ctx.saved)

    @staticmethod
    def backward_recorded(ctx: Any, g: Any) -> tuple:
        (x,) = ctx.tensors()
        return g * Polygamma.apply(x, ctx.n + 1)


def _polygamma(n: int, x: np.ndarray) -> np.ndarray:
    if n < 2:
        return np.asarray((trigamma if n else _digamma)(x), x.dtype)
    factor = (-1.0) ** (n + 1) * math.factorial(n) if n < 171 else math.copysign(math.inf, (-1) ** (n + 1))
    return np.asarray(factor * _zeta(n + 1.0, x), x.dtype)


def polygamma(n: int, input: Any, *, out: Any = None) -> Any:
    """The `n`-th derivative of digamma, elementwise.

    Args:
        n: which derivative; not negative.
        input: any shape; integers and bools compute as float32.
        out: a Tensor that receives the result.

    Raises:
        RuntimeError: for a negative `n`.
    """
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)):
        raise TypeError(f"polygamma needs an int as n, got {n!r}")
    if n < 0:
        raise RuntimeError(f"polygamma needs an n that isn't negative, got {n}")
    return deliver(floating_point(Polygamma.apply, input, int(n)), out)


def logit(input: Any, eps: float | None = None, *, out: Any = None) -> Any:
    """ln(x / (1 − x)), elementwise.

    Args:
        input: any shape; integers and bools compute as float32.
        eps: x is held within [eps, 1 − eps]; None for no bounds, NaN outside [0, 1] then.
        out: a Tensor that receives the result.
    """
    return deliver(floating_point(Logit.apply, input, None if eps is None else float(eps)), out)


class XLogY(Binary):
    """a ln b, 0 where a is 0"""

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> np.ndarray:
        ctx.saved = a, b
        return _x_times_log(a, b, np.log)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        a, b = ctx.saved
        by_a = np.where(np.equal(a, 0) & np.less_equal(b, 0), 0, _x_times_log(g, b, np.log))
        return by_a, g * a / b


class XLog1pY(Binary):
    """a ln(1 + b), 0 where a is 0"""

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> np.ndarray:
        ctx.saved = a, b
        return _x_times_log(a, b, np.log1p)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        a, b = ctx.saved
        by_a = np.where(np.equal(a, 0) & np.less_equal(b, -1), 0, _x_times_log(g, b, np.log1p))
        return by_a, g * a / (b + 1)


def _x_times_log(a: Any, b: Any, logarithm: Callable) -> np.ndarray:
    if isinstance(b, (int, float, np.generic)):
        b = np.asarray(b, a.dtype)  # of a Python number NumPy would take the logarithm in float64
    with np.errstate(all="ignore"):
        product = a * logarithm(b)
        return np.where(np.equal(a, 0) & ~np.isnan(b), product.dtype.type(0), product)


xlogy = binary("xlogy", "a · ln b, 0 where a is 0", XLogY, "either", floats=True)
xlog1py = binary("xlog1py", "a · ln(1 + b), 0 where a is 0", XLog1pY, "either", floats=True)
