"""The exponential and its kin as polynomials, which the compiler turns into vector instructions.

    x = n · ln 2 + r,  |r| ≤ ln 2 / 2,      eˣ = 2ⁿ · (1 + q(r)),      eˣ − 1 = 2ⁿ · q(r) + (2ⁿ − 1)

The C library computes one number at a time; here a loop that calls `exp` handles as many as a vector register holds,
since there are neither branches nor tables. float32 and float64 each have their own polynomial, interpolated at
Chebyshev's nodes, so that results are off by at most two units in the last place.

n is found without a conversion: adding 1.5 · 2²³ (2⁵² in float64) to a small number rounds it to an integer, and leaves
that integer in the low bits of the sum. With the exponent's bias added as well, a shift makes 2ⁿ of them. 2ⁿ is the
product of two such powers, so that results below the smallest normal number, and infinity, come out right.
"""

import numpy as np
from numba import types
from numba.extending import overload

from minicnn.kernels.compile import part

OPTIONS = {"forceinline": True, "fastmath": {"contract"}}
"""Become part of the loop that calls; a product and the sum that takes it may be one instruction, rounded once."""
number = part(**OPTIONS)
ROUND_32, ROUND_64 = 1.5 * 2**23 + 127, 1.5 * 2**52 + 1023


def _reduced(x):
    """q and n, a float, with eˣ = 2ⁿ · (1 + q), for x so near to 0 that 2ⁿ isn't far beyond the largest number."""


def _rounded(x):
    """The nearest integer to a number not far from 0, as a float."""


def _power(n):
    """2ⁿ for an integer n, given as a float, for which that is a normal number."""


def _held(x):
    """x, moved to where eˣ is just 0 or infinity where it is beyond."""


def _tail(z):
    """A polynomial with ln(1 + e) = 2s + s³ · tail(s²) for s = e / (2 + e), 0 ≤ e ≤ 1."""


def _lowest(x):
    """Below it eˣ is 0."""


def _raised(n):
    """2ⁿ · 2⁶⁴, or in float64 2ⁿ · 2⁵¹², for an integer n, given as a float, for which that is a normal number."""


def _unraised(x):
    """What takes that back: 2⁻⁶⁴, or 2⁻⁵¹²."""


def _normal_tail(x, e):
    """Φ(−|x|), where e = exp(−x² / 2)."""


@overload(_reduced, jit_options=OPTIONS)
def _reduced_by_dtype(x):
    if x == types.float32:

        def single(x):
            T = np.float32
            n = _rounded(x * T(1.4426950408889634))
            r = (x - n * T(0.693145751953125)) - n * T(1.428606765330187e-06)
            p = T(8.3637738744055735e-3) + r * T(1.39269266140219065e-3)
            p = T(0.16666573381900846) + r * (T(4.16665501103051244e-2) + r * p)
            return r + (r * r) * (T(0.5) + r * p), n

        return single

    def double(x):
        n = _rounded(x * 1.4426950408889634)
        r = (x - n * 0.6931471803691238) - n * 1.9082149292705877e-10
        p = 2.75572664186123037e-6 + r * (2.76213386691429238e-7 + r * 2.51013469283503402e-8)
        p = 1.98412698643805133e-4 + r * (2.48015186413959936e-5 + r * p)
        p = 8.3333333333297935e-3 + r * (1.38888889189391678e-3 + r * p)
        p = 0.166666666666666675 + r * (4.16666666666206386e-2 + r * p)
        return r + (r * r) * (0.5 + r * p), n

    return double


@overload(_rounded, jit_options=OPTIONS)
def _rounded_by_dtype(x):
    T, shift = (np.float32, ROUND_32) if x == types.float32 else (np.float64, ROUND_64)
    return lambda x: (x + T(shift)) - T(shift)


@overload(_power, jit_options=OPTIONS)
def _power_by_dtype(n):
    if n == types.float32:
        return lambda n: np.int32(np.float32(n + np.float32(ROUND_32)).view(np.int32) << np.int32(23)).view(np.float32)
    return lambda n: np.int64(np.float64(n + ROUND_64).view(np.int64) << np.int64(52)).view(np.float64)


@overload(_held, jit_options=OPTIONS)
def _held_by_dtype(x):
    T, low, high = (np.float32, -104, 89) if x == types.float32 else (np.float64, -746, 710)

    def held(x):
        x = T(low) if x < T(low) else x
        return T(high) if x > T(high) else x

    return held


@overload(_tail, jit_options=OPTIONS)
def _tail_by_dtype(z):
    if z == types.float32:

        def single(z):
            T = np.float32
            p = T(0.285923579943028377) + z * (T(0.217065758008803726) + z * T(0.232243292240233488))
            return T(0.666666673205274125) + z * (T(0.399997063319297174) + z * p)

        return single

    def double(z):
        p = 0.120010728095907125 + z * (0.0880073848614467388 + z * 0.161640456119435322)
        p = 0.153855700649586231 + z * (0.133141442096549362 + z * p)
        p = 0.22222222717427863 + z * (0.181817894361328582 + z * p)
        return 0.666666666666666586 + z * (0.400000000000145827 + z * (0.285714285671087572 + z * p))

    return double


@overload(_lowest, jit_options=OPTIONS)
def _lowest_by_dtype(x):
    lowest = np.float32(-104) if x == types.float32 else np.float64(-746)
    return lambda x: lowest


@overload(_raised, jit_options=OPTIONS)
def _raised_by_dtype(n):
    if n == types.float32:
        shift = np.float32(ROUND_32 + 64)
        return lambda n: np.int32(np.float32(n + shift).view(np.int32) << np.int32(23)).view(np.float32)
    wide = ROUND_64 + 512
    return lambda n: np.int64(np.float64(n + wide).view(np.int64) << np.int64(52)).view(np.float64)


@overload(_unraised, jit_options=OPTIONS)
def _unraised_by_dtype(x):
    factor = np.float32(2.0**-64) if x == types.float32 else np.float64(2.0**-512)
    return lambda x: factor


@overload(_normal_tail, jit_options=OPTIONS)
def _normal_tail_by_dtype(x, e):
    if x == types.float32:

        def single(x, e):
            """e · t times a polynomial of t = 1 / (1 + c · |x|), c chosen so that nine terms are off by 4e-8 of it."""
            T = np.float32
            t = T(1) / (T(1) + abs(x) * T(0.3535533905932738))
            p = T(0.1417437195777893) + t * T(-0.029423533007502556)
            p = T(0.13773128390312195) + t * (T(-0.24246825277805328) + t * p)
            p = T(0.10095829516649246) + t * (T(-0.012409646064043045) + t * p)
            p = T(0.14117400348186493) + t * (T(0.12165010720491409) + t * p)
            return (e * t) * (T(0.1410439908504486) + t * p)

        return single

    def double(x, e):
        """t · exp(p(t) − z²) / 2 for z = |x| / √2 and t = 1 / (1 + z / 2)."""
        z = abs(x) * 0.7071067811865476
        t = 1 / (1 + z * 0.5)
        u = t * 2.1 - 1.1  # −1 … 1 for t = 1/21 … 1
        p = -4.403483467008551e-09
        p = 3.768306367712071e-08 + u * (4.727005006992193e-09 + u * p)
        p = -1.1524426661991784e-07 + u * (-6.842746901562759e-08 + u * p)
        p = -1.1441918226969951e-07 + u * (4.402504492643554e-07 + u * p)
        p = 2.693563626257697e-06 + u * (-1.6046735277845328e-06 + u * p)
        p = -1.4142301475715224e-05 + u * (2.751286179457928e-06 + u * p)
        p = 4.728000041995221e-05 + u * (6.422375612806238e-06 + u * p)
        p = -0.00010652948191283419 + u * (-7.545786756019589e-05 + u * p)
        p = 8.798442060166453e-05 + u * (0.00039263239005680393 + u * p)
        p = 0.0007265905802377009 + u * (-0.0016686990964154542 + u * p)
        p = -0.006351743125485344 + u * (0.007220453029623866 + u * p)
        p = 0.0367521672171745 + u * (-0.04195886875526619 + u * p)
        p = -0.6396612122643839 + u * (0.6445991025363778 + u * p)
        return 0.5 * t * exp(p - z * z)

    return double


@number
def exp(x):
    """eˣ"""
    T = type(x)
    q, n = _reduced(_held(x))
    half = _rounded(n * T(0.5))
    return ((T(1) + q) * _power(half)) * _power(n - half)


@number
def exp_of_negative(x):
    """eˣ for x ≤ 0: with one power of two, 2ⁿ, raised to be a normal number, and taken back."""
    q, n = _reduced(x)
    y = ((type(x)(1) + q) * _raised(n)) * _unraised(x)
    return type(x)(0) if x < _lowest(x) else y  # NaN stays NaN


@number
def expm1(x):
    """eˣ − 1, without the cancellation near 0: twice 2ⁿ⁻¹ · q(r) + (2ⁿ⁻¹ − 1 / 2), where 2ⁿ might be infinite."""
    T = type(x)
    x = _held(x)
    q, n = _reduced(T(-40) if x < T(-40) else x)  # −1 all below
    scale = _power(n - T(1))
    return (scale * q + (scale - T(0.5))) * T(2)


@number
def log1p(e):
    """ln(1 + e) for 0 ≤ e ≤ 1: 2 · artanh(s) with s = e / (2 + e)."""
    s = e / (type(e)(2) + e)
    z = s * s
    return s * (type(e)(2) + z * _tail(z))


@number
def sigmoid(x):
    """1 / (1 + e⁻ˣ), without overflow on either side."""
    e = exp(-abs(x))
    y = type(x)(1) / (type(x)(1) + e)
    return y * e if x < type(x)(0) else y


@number
def tanh(x):
    """(e²ˣ − 1) / (e²ˣ + 1)"""
    zero, two = type(x)(0), type(x)(2)
    m = expm1(-two * abs(x))
    y = m / (m + two)
    return (x if x == zero else -y) if x >= zero else y


@number
def normal_cdf(x, e):
    """Φ(x), the probability that a standard normal number is below x, where e = exp(−x² / 2)."""
    tail = _normal_tail(x, e)
    return type(x)(1) - tail if x > type(x)(0) else tail
