"""The derivatives f′ of curved activations, in terms of operations: what the gradients of their gradients are made of.

Each takes what the activation keeps for its backward, x or its result y, as a Tensor, and the activation's numbers.
Those that aren't named here are of straight pieces, so that f″ is 0.
"""

import math
from collections.abc import Callable
from typing import Any


def elu_by_x(x: Any, negative: float, positive: float, inner: float) -> Any:
    """From x: positive above 0, negative · inner · exp(inner · x) elsewhere."""
    above = x.detach() > 0
    low = negative * inner * (x.masked_fill(above, 0.0) * inner).exp()
    return low.masked_fill(above, positive)


def elu_by_y(y: Any, negative: float, positive: float, inner: float) -> Any:
    """From y: positive above 0, inner · (y + negative) elsewhere."""
    return ((y + negative) * inner).masked_fill(y.detach() > 0, positive)


def _silu(x: Any) -> Any:
    s = x.sigmoid()
    return s * (1 + x * (1 - s))


def _softplus(x: Any, beta: float, threshold: float) -> Any:
    z = x * beta
    return z.sigmoid().masked_fill(z.detach() > threshold, 1.0)


def _mish(x: Any) -> Any:
    t = x.logaddexp(x.new_zeros(())).tanh()
    return t + x * x.sigmoid() * (1 - t * t)


def _gelu(x: Any) -> Any:
    density = (x * x * -0.5).exp() * (1 / math.sqrt(2 * math.pi))
    return 0.5 * (1 + (x * math.sqrt(0.5)).erf()) + x * density


def _gelu_tanh(x: Any) -> Any:
    double = 2 * math.sqrt(2 / math.pi)
    s = ((x + 0.044715 * x * x * x) * double).sigmoid()
    return s + x * s * (1 - s) * (double * (1 + 0.134145 * x * x))


def _hardswish(x: Any) -> Any:
    """Of straight pieces itself: 0 as far as −3, x / 3 + 1 / 2 between, 1 from 3 on."""
    inside, value = x / 3 + 0.5, x.detach()
    return inside.masked_fill(value <= -3, 0.0).masked_fill(value >= 3, 1.0)


def _softsign(x: Any) -> Any:
    wide = 1 + x.abs()
    return 1 / (wide * wide)


def _tanhshrink(x: Any) -> Any:
    t = x.tanh()
    return t * t


SLOPES: dict[str, Callable] = {
    "elu": elu_by_x,
    "sigmoid": lambda y: y * (1 - y),
    "tanh": lambda y: 1 - y * y,
    "silu": _silu,
    "mish": _mish,
    "gelu": _gelu,
    "gelu_tanh": _gelu_tanh,
    "log_sigmoid": lambda x: (-x).sigmoid(),
    "softplus": _softplus,
    "hardswish": _hardswish,
    "softsign": _softsign,
    "tanhshrink": _tanhshrink,
}
"""By the name of the kernel."""
