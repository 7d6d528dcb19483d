"""Elementwise functions of one operand whose results are floating point: powers, logarithms, trigonometry.

One row a function: its name and formula, what computes it for an array, and its gradient from g, that with respect to
the result y, and from x, or from y where the row ends with True. Where x is 0, infinite or NaN the gradients are
written so that the same comes out as in PyTorch.
"""

import math

import numpy as np

from minicnn.operators.unary import unary

pi, ln2, ln10 = math.pi, math.log(2), math.log(10)


def _sinc(x: np.ndarray) -> np.ndarray:
    angle = x * pi
    return np.where(x == 0, x.dtype.type(1), np.sin(angle) / angle)


def _sinc_gradient(g: np.ndarray, x: np.ndarray) -> np.ndarray:
    """π · (cos a / a − sin a / a²) with a = πx; near 0, where both cancel, by the series Σ (−1)ᵏ 2k/(2k+1)! a²ᵏ⁻¹."""
    angle = x * pi
    near = np.zeros_like(angle)
    for k in range(10, 0, -1):
        near = near * angle * angle + x.dtype.type((-1) ** k * 2 * k / math.factorial(2 * k + 1))
    far = (angle * np.cos(angle) - np.sin(angle)) / (angle * angle)
    slope = np.where(np.abs(angle) < 1, near * angle, far) * pi
    return np.where(x * angle == 0, 0, g * slope)


# Powers, exponentials, logarithms

exp = unary("exp", "eˣ", np.exp, lambda g, y: g * y, True)
exp2 = unary("exp2", "2ˣ", np.exp2, lambda g, y: g * y * ln2, True)
expm1 = unary("expm1", "eˣ − 1", np.expm1, lambda g, y: g * (y + 1), True)
log = unary("log", "ln x; -inf at 0, NaN below", np.log, lambda g, x: g / x)
log2 = unary("log2", "log₂ x", np.log2, lambda g, x: g / (x * ln2))
log10 = unary("log10", "log₁₀ x", np.log10, lambda g, x: g / (x * ln10))
log1p = unary("log1p", "ln(1 + x)", np.log1p, lambda g, x: g / (x + 1))
sqrt = unary("sqrt", "√x; NaN below 0", np.sqrt, lambda g, y: g / (2 * y), True)
rsqrt = unary("rsqrt", "1 / √x", lambda x: 1 / np.sqrt(x), lambda g, y: -0.5 * g * y**3, True)
reciprocal = unary("reciprocal", "1 / x; infinite at 0", np.reciprocal, lambda g, y: -g * y * y, True)

# Trigonometry

sin = unary("sin", "sin x", np.sin, lambda g, x: g * np.cos(x))
cos = unary("cos", "cos x", np.cos, lambda g, x: g * -np.sin(x))
tan = unary("tan", "tan x", np.tan, lambda g, y: g * (1 + y * y), True)
asin = unary("asin", "arcsin x", np.arcsin, lambda g, x: g / np.sqrt(1 - x * x))
acos = unary("acos", "arccos x", np.arccos, lambda g, x: g * -(1 / np.sqrt(1 - x * x)))
atan = unary("atan", "arctan x", np.arctan, lambda g, x: g / (x * x + 1))
sinh = unary("sinh", "sinh x", np.sinh, lambda g, x: g * np.cosh(x))
cosh = unary("cosh", "cosh x", np.cosh, lambda g, x: g * np.sinh(x))
asinh = unary("asinh", "arsinh x", np.arcsinh, lambda g, x: g / np.sqrt(x * x + 1))
acosh = unary("acosh", "arcosh x", np.arccosh, lambda g, x: g / np.sqrt(x * x - 1))
atanh = unary("atanh", "artanh x", np.arctanh, lambda g, x: g / (1 - x * x))
sinc = unary("sinc", "sin(πx) / (πx), 1 at 0", _sinc, _sinc_gradient)
deg2rad = unary("deg2rad", "degrees in radians", lambda x: x * (pi / 180), lambda g: g * (pi / 180))
rad2deg = unary("rad2deg", "radians in degrees", lambda x: x * (180 / pi), lambda g: g * (180 / pi))
