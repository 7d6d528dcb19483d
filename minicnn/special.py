"""`torch.special`: functions of probability and physics, elementwise."""

from minicnn.operators.activation import sigmoid
from minicnn.operators.elementwise import exp2, expm1, log1p, sinc
from minicnn.operators.rounding import round
from minicnn.operators.softmax import log_softmax, softmax
from minicnn.operators.special import (
    digamma,
    entr,
    erf,
    erfc,
    erfcx,
    erfinv,
    i0,
    i0e,
    i1,
    i1e,
    lgamma,
    logit,
    ndtr,
    ndtri,
    polygamma,
    xlog1py,
    xlogy,
)

expit, gammaln, psi = sigmoid, lgamma, digamma

__all__ = [
    "digamma",
    "entr",
    "erf",
    "erfc",
    "erfcx",
    "erfinv",
    "exp2",
    "expit",
    "expm1",
    "gammaln",
    "i0",
    "i0e",
    "i1",
    "i1e",
    "log1p",
    "log_softmax",
    "logit",
    "ndtr",
    "ndtri",
    "polygamma",
    "psi",
    "round",
    "sinc",
    "softmax",
    "xlog1py",
    "xlogy",
]
