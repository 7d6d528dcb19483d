"""Activations: what each computes for one number, and its derivative.

Each is a pair of functions, `f(x, a, b, c)` and `d(g, s, a, b, c)` with s the number kept; a, b, c are the activation's
own parameters. `Pointwise` makes loops of them. The functions have no branches but choices between two numbers, and
`kernels.exponential` has none either, so that the compiler vectorises every loop.
"""

import math

import numpy as np

from minicnn.kernels import exponential
from minicnn.kernels.exponential import number
from minicnn.kernels.pointwise import Pointwise

SIXTH = float(np.float32(1 / 6))
"""The slope of hardsigmoid; PyTorch's is rounded like that in float64 too."""


@number
def _relu(x, a, b, c):
    return type(x)(0) if x < type(x)(0) else x  # NaN and -0 fail the comparison and stay


@number
def _relu_gradient(g, y, a, b, c):
    return type(g)(0) if y <= type(g)(0) else g


@number
def _leaky_relu(x, slope, b, c):
    return x if x > type(x)(0) else x * slope


@number
def _leaky_relu_gradient(g, s, slope, b, c):
    return g if s > type(g)(0) else g * slope


@number
def _threshold(x, threshold, value, c):
    return value if x <= threshold else x


@number
def _threshold_gradient(g, s, threshold, b, c):
    return type(g)(0) if s <= threshold else g


@number
def _hardtanh(x, low, high, c):
    x = low if x < low else x
    return high if x > high else x


@number
def _hardtanh_gradient(g, s, low, high, c):
    return g if (s > low) & (s < high) else type(g)(0)


@number
def _elu(x, negative, positive, inner):
    """negative · (exp(inner · x) − 1) below 0, positive · x above; ELU, SELU and CELU."""
    zero = type(x)(0)
    below = x if x < zero else zero * x
    return x * positive if x >= zero else exponential.expm1(below * inner) * negative


@number
def _elu_gradient_of_input(g, x, negative, positive, inner):
    zero = type(x)(0)
    below = zero if x > zero else x
    return g * positive if x > zero else g * inner * negative * exponential.exp(below * inner)


@number
def _elu_gradient_of_result(g, y, negative, positive, inner):
    return g * positive if y > type(y)(0) else g * inner * (y + negative)


@number
def _sigmoid(x, a, b, c):
    return exponential.sigmoid(x)


@number
def _sigmoid_gradient(g, y, a, b, c):
    return g * (type(y)(1) - y) * y


@number
def _tanh(x, a, b, c):
    return exponential.tanh(x)


@number
def _tanh_gradient(g, y, a, b, c):
    return g * (type(y)(1) - y * y)


@number
def _silu(x, a, b, c):
    return x * exponential.sigmoid(x)


@number
def _silu_gradient(g, x, a, b, c):
    one = type(x)(1)
    y = exponential.sigmoid(x)
    return g * (y * (one + x * (one - y)))


@number
def _log_sigmoid(x, a, b, c):
    zero = type(x)(0)
    return (zero if x > zero else x) - exponential.log1p(exponential.exp(-abs(x)))


@number
def _log_sigmoid_gradient(g, x, a, b, c):
    return g * exponential.sigmoid(-x)


@number
def _softplus(x, beta, threshold, c):
    """ln(1 + exp(beta · x)) / beta, x itself where beta · x is above the threshold."""
    z = x * beta
    zero = type(x)(0)
    above = zero if z < zero else z
    return x if z > threshold else (above + exponential.log1p(exponential.exp(-abs(z)))) / beta


@number
def _softplus_gradient(g, x, beta, threshold, c):
    z = x * beta
    return g if z > threshold else g * exponential.sigmoid(z)


@number
def _mish_factor(x):
    """tanh(ln(1 + eˣ)) = n / (n + 2) with n = e²ˣ + 2eˣ."""
    one, two = type(x)(1), type(x)(2)
    e = exponential.exp(-abs(x))
    below, above = e * e + two * e, one + two * e  # above is n · e⁻²ˣ
    return below / (below + two) if x < type(x)(0) else above / (above + two * (e * e))


@number
def _mish(x, a, b, c):
    return x * _mish_factor(x)


@number
def _mish_gradient(g, x, a, b, c):
    t = _mish_factor(x)
    return g * (t + x * exponential.sigmoid(x) * (type(x)(1) - t * t))


@number
def _gelu(x, a, b, c):
    return x * exponential.normal_cdf(x, exponential.exp_of_negative(type(x)(-0.5) * x * x))


@number
def _gelu_gradient(g, x, a, b, c):
    T = type(x)
    e = exponential.exp_of_negative(T(-0.5) * x * x)
    return g * (exponential.normal_cdf(x, e) + x * (T(0.3989422804014327) * e))


@number
def _gelu_tanh(x, a, b, c):
    """x / 2 · (1 + tanh u) = x · sigmoid(2u) with u = √(2 / π) · (x + 0.044715 · x³)"""
    T = type(x)
    return x * exponential.sigmoid(T(1.5957691216057308) * (x + T(0.044715) * (x * x * x)))


@number
def _gelu_tanh_gradient(g, x, a, b, c):
    T = type(x)
    y = exponential.sigmoid(T(1.5957691216057308) * (x + T(0.044715) * (x * x * x)))
    slope = T(1.5957691216057308) * (T(1) + T(0.134145) * (x * x))
    return g * (y + x * (y * (T(1) - y)) * slope)


@number
def _held(x):
    """x + 3, within 0 … 6."""
    z, low, high = x + type(x)(3), type(x)(0), type(x)(6)
    z = low if z < low else z
    return high if z > high else z


@number
def _hardsigmoid(x, a, b, c):
    return _held(x) / type(x)(6)


@number
def _hardsigmoid_gradient(g, x, a, b, c):
    T = type(x)
    return g * T(SIXTH) if (x > T(-3)) & (x < T(3)) else T(0)


@number
def _hardswish(x, a, b, c):
    return x * _held(x) / type(x)(6)


@number
def _hardswish_gradient(g, x, a, b, c):
    T = type(x)
    middle = g * (x / T(3) + T(0.5))
    return T(0) if x <= T(-3) else (g if x >= T(3) else middle)


@number
def _softsign(x, a, b, c):
    return x / (type(x)(1) + abs(x))


@number
def _softsign_gradient(g, x, a, b, c):
    d = type(x)(1) + abs(x)
    return g / d - g * ((abs(x) / d) / d)  # NaN at infinity, as in PyTorch


@number
def _tanhshrink(x, a, b, c):
    return x - exponential.tanh(x)


@number
def _tanhshrink_gradient(g, x, a, b, c):
    y = exponential.tanh(x)
    return g * (y * y)


@number
def _softshrink(x, width, b, c):
    inside = type(x)(0) * x  # NaN stays
    return x - width if x > width else (x + width if x < -width else inside)


@number
def _shrink_gradient(g, x, width, b, c):
    return g if (x < -width) | (x > width) else type(g)(0)


@number
def _hardshrink(x, width, b, c):
    return type(x)(0) if (x >= -width) & (x <= width) else x


@number
def _erf(x, a, b, c):
    return type(x)(math.erf(x))  # of the C library, as exact as can be


@number
def _erf_gradient(g, x, a, b, c):
    return g * type(x)(2 / math.sqrt(math.pi)) * exponential.exp(-(x * x))


@number
def _erfc(x, a, b, c):
    return type(x)(math.erfc(x))


@number
def _erfc_gradient(g, x, a, b, c):
    return -_erf_gradient(g, x, a, b, c)


relu = Pointwise(_relu, _relu_gradient)
leaky_relu = Pointwise(_leaky_relu, _leaky_relu_gradient)
threshold = Pointwise(_threshold, _threshold_gradient)
hardtanh = Pointwise(_hardtanh, _hardtanh_gradient)
elu = Pointwise(_elu, _elu_gradient_of_input)
elu_in_place = Pointwise(_elu, _elu_gradient_of_result)
sigmoid = Pointwise(_sigmoid, _sigmoid_gradient)
tanh = Pointwise(_tanh, _tanh_gradient)
silu = Pointwise(_silu, _silu_gradient)
log_sigmoid = Pointwise(_log_sigmoid, _log_sigmoid_gradient)
softplus = Pointwise(_softplus, _softplus_gradient)
mish = Pointwise(_mish, _mish_gradient)
gelu = Pointwise(_gelu, _gelu_gradient)
gelu_tanh = Pointwise(_gelu_tanh, _gelu_tanh_gradient)
hardsigmoid = Pointwise(_hardsigmoid, _hardsigmoid_gradient)
hardswish = Pointwise(_hardswish, _hardswish_gradient)
softsign = Pointwise(_softsign, _softsign_gradient)
tanhshrink = Pointwise(_tanhshrink, _tanhshrink_gradient)
erf = Pointwise(_erf, _erf_gradient)
erfc = Pointwise(_erfc, _erfc_gradient)
softshrink = Pointwise(_softshrink, _shrink_gradient)
hardshrink = Pointwise(_hardshrink, _shrink_gradient)
