"""Functions of every element, in place too, and softmax."""

from typing import Any

from minicnn.autograd import Variable
from minicnn.methods.in_place import in_place
from minicnn.operators import activation, choosing, comparison, elementwise, gates, pairs, rounding, special
from minicnn.operators import softmax as softmaxes


class Elementwise(Variable):
    """The methods of Tensor that compute every element for itself."""

    __slots__ = ()

    exp, exp_ = elementwise.exp, in_place(elementwise.exp)
    exp2, exp2_ = elementwise.exp2, in_place(elementwise.exp2)
    expm1, expm1_ = elementwise.expm1, in_place(elementwise.expm1)
    log, log_ = elementwise.log, in_place(elementwise.log)
    log2, log2_ = elementwise.log2, in_place(elementwise.log2)
    log10, log10_ = elementwise.log10, in_place(elementwise.log10)
    log1p, log1p_ = elementwise.log1p, in_place(elementwise.log1p)
    sqrt, sqrt_ = elementwise.sqrt, in_place(elementwise.sqrt)
    rsqrt, rsqrt_ = elementwise.rsqrt, in_place(elementwise.rsqrt)
    reciprocal, reciprocal_ = elementwise.reciprocal, in_place(elementwise.reciprocal)
    sin, sin_ = elementwise.sin, in_place(elementwise.sin)
    cos, cos_ = elementwise.cos, in_place(elementwise.cos)
    tan, tan_ = elementwise.tan, in_place(elementwise.tan)
    asin, asin_ = elementwise.asin, in_place(elementwise.asin)
    acos, acos_ = elementwise.acos, in_place(elementwise.acos)
    atan, atan_ = elementwise.atan, in_place(elementwise.atan)
    sinh, sinh_ = elementwise.sinh, in_place(elementwise.sinh)
    cosh, cosh_ = elementwise.cosh, in_place(elementwise.cosh)
    asinh, asinh_ = elementwise.asinh, in_place(elementwise.asinh)
    acosh, acosh_ = elementwise.acosh, in_place(elementwise.acosh)
    atanh, atanh_ = elementwise.atanh, in_place(elementwise.atanh)
    sinc, sinc_ = elementwise.sinc, in_place(elementwise.sinc)
    deg2rad, deg2rad_ = elementwise.deg2rad, in_place(elementwise.deg2rad)
    rad2deg, rad2deg_ = elementwise.rad2deg, in_place(elementwise.rad2deg)
    arcsin, arcsin_ = asin, asin_
    arccos, arccos_ = acos, acos_
    arctan, arctan_ = atan, atan_
    arcsinh, arcsinh_ = asinh, asinh_
    arccosh, arccosh_ = acosh, acosh_
    arctanh, arctanh_ = atanh, atanh_

    erf, erf_ = special.erf, in_place(special.erf)
    erfc, erfc_ = special.erfc, in_place(special.erfc)
    erfinv, erfinv_ = special.erfinv, in_place(special.erfinv)
    lgamma, lgamma_ = special.lgamma, in_place(special.lgamma)
    digamma, digamma_ = special.digamma, in_place(special.digamma)
    i0, i0_ = special.i0, in_place(special.i0)
    logit, logit_ = special.logit, in_place(special.logit)
    xlogy, xlogy_ = special.xlogy, in_place(special.xlogy)

    floor, floor_ = rounding.floor, in_place(rounding.floor)
    ceil, ceil_ = rounding.ceil, in_place(rounding.ceil)
    trunc, trunc_ = rounding.trunc, in_place(rounding.trunc)
    frac, frac_ = rounding.frac, in_place(rounding.frac)
    round, round_ = rounding.round, in_place(rounding.round)
    sign, sign_ = rounding.sign, in_place(rounding.sign)
    sgn, sgn_ = rounding.sgn, in_place(rounding.sgn)
    square, square_ = rounding.square, in_place(rounding.square)
    nan_to_num, nan_to_num_ = rounding.nan_to_num, in_place(rounding.nan_to_num)
    fix, fix_ = trunc, trunc_
    abs, abs_ = rounding.absolute, in_place(rounding.absolute)
    absolute, absolute_ = abs, abs_
    neg, neg_ = rounding.negative, in_place(rounding.negative)
    negative, negative_ = neg, neg_
    positive = rounding.positive

    atan2, atan2_ = pairs.atan2, in_place(pairs.atan2)
    hypot, hypot_ = pairs.hypot, in_place(pairs.hypot)
    copysign, copysign_ = pairs.copysign, in_place(pairs.copysign)
    heaviside, heaviside_ = pairs.heaviside, in_place(pairs.heaviside)
    nextafter, nextafter_ = pairs.nextafter, in_place(pairs.nextafter)
    arctan2, arctan2_ = atan2, atan2_
    logaddexp, logaddexp2 = pairs.logaddexp, pairs.logaddexp2

    clamp, clamp_ = choosing.clamp, in_place(choosing.clamp)
    clip, clip_ = clamp, clamp_
    clamp_min, clamp_min_ = choosing.clamp_min, in_place(choosing.clamp_min)
    clamp_max, clamp_max_ = choosing.clamp_max, in_place(choosing.clamp_max)
    maximum, minimum = choosing.maximum, choosing.minimum
    fmax, fmin = choosing.fmax, choosing.fmin

    isnan, isinf, isfinite = comparison.isnan, comparison.isinf, comparison.isfinite
    isposinf, isneginf = comparison.isposinf, comparison.isneginf
    isreal, signbit = comparison.isreal, comparison.signbit

    sigmoid, sigmoid_ = activation.sigmoid, in_place(activation.sigmoid)
    tanh, tanh_ = activation.tanh, in_place(activation.tanh)
    softmax = softmaxes.softmax
    log_softmax = softmaxes.log_softmax
    prelu = gates.prelu
    hardshrink = activation.hardshrink

    def relu(self) -> Any:
        """max(x, 0), elementwise."""
        return activation.relu(self)

    def relu_(self) -> Any:
        """All elements max(x, 0)."""
        return activation.relu(self, inplace=True)

    def polygamma(self, n: int) -> Any:
        """The `n`-th derivative of digamma, elementwise."""
        return special.polygamma(n, self)

    polygamma_ = in_place(polygamma)

    def where(self, condition: Any, other: Any) -> Any:
        """This tensor's elements where `condition` holds, those of `other` elsewhere."""
        return choosing.where(condition, self, other)
