"""Nonlinearities, each number on its own."""

import warnings
from collections.abc import Callable
from typing import Any

from minicnn.nn import functional as F
from minicnn.nn._arguments import empty_parameter
from minicnn.nn.init import constant_
from minicnn.nn.module import Module
from minicnn.tensor import Tensor


class _Activation(Module):
    """A function of `nn.functional` as a layer.

    A subclass names the function, and its attributes that the function takes by the same names.
    """

    _function: Callable
    _arguments: tuple[str, ...] = ()

    def forward(self, input: Tensor) -> Tensor:
        """The same shape."""
        return self._function(input, **{name: getattr(self, name) for name in self._arguments})

    def extra_repr(self) -> str:
        shown = [f"{name}={getattr(self, name)}" for name in self._arguments if name != "inplace"]
        return ", ".join(shown + ["inplace=True"] * getattr(self, "inplace", False))


class _WithInplace(_Activation):
    """An activation whose only argument is whether to write over its input."""

    _arguments = ("inplace",)

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace


class Sigmoid(_Activation):
    """1 / (1 + exp(−x))"""

    _function = staticmethod(F.sigmoid)


class Tanh(_Activation):
    """(exp(x) − exp(−x)) / (exp(x) + exp(−x))"""

    _function = staticmethod(F.tanh)


class LogSigmoid(_Activation):
    """ln(1 / (1 + exp(−x)))"""

    _function = staticmethod(F.logsigmoid)


class Softsign(_Activation):
    """x / (1 + |x|)"""

    _function = staticmethod(F.softsign)


class Tanhshrink(_Activation):
    """x − tanh x"""

    _function = staticmethod(F.tanhshrink)


class ReLU(_WithInplace):
    """max(x, 0)

    Args:
        inplace: write the result into the input.
    """

    _function = staticmethod(F.relu)


class SELU(_WithInplace):
    """1.0507 · x where x > 0, 1.0507 · 1.6733 · (exp(x) − 1) elsewhere

    Args:
        inplace: write the result into the input.
    """

    _function = staticmethod(F.selu)


class SiLU(_WithInplace):
    """x · sigmoid(x)

    Args:
        inplace: write the result into the input.
    """

    _function = staticmethod(F.silu)


class Mish(_WithInplace):
    """x · tanh(ln(1 + exp(x)))

    Args:
        inplace: write the result into the input.
    """

    _function = staticmethod(F.mish)


class Hardsigmoid(_WithInplace):
    """x / 6 + 1 / 2, held within [0, 1]

    Args:
        inplace: write the result into the input.
    """

    _function = staticmethod(F.hardsigmoid)

    def extra_repr(self) -> str:
        return ""


class Hardswish(_WithInplace):
    """x · (x / 6 + 1 / 2 held within [0, 1])

    Args:
        inplace: write the result into the input.
    """

    _function = staticmethod(F.hardswish)

    def extra_repr(self) -> str:
        return ""


class LeakyReLU(_Activation):
    """x where x > 0, negative_slope · x elsewhere

    Args:
        negative_slope: the slope below 0.
        inplace: write the result into the input.
    """

    _function = staticmethod(F.leaky_relu)
    _arguments = ("negative_slope", "inplace")

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__()
        self.negative_slope, self.inplace = negative_slope, inplace


class ELU(_Activation):
    """x where x > 0, alpha · (exp(x) − 1) elsewhere

    Args:
        alpha: minus the limit far below 0.
        inplace: write the result into the input.
    """

    _function = staticmethod(F.elu)
    _arguments = ("alpha", "inplace")

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha, self.inplace = alpha, inplace


class CELU(ELU):
    """max(x, 0) + min(0, alpha · (exp(x / alpha) − 1))

    Args:
        alpha: minus the limit far below 0; not 0.
        inplace: write the result into the input.
    """

    _function = staticmethod(F.celu)


class GELU(_Activation):
    """x · Φ(x), with Φ the distribution function of the standard normal distribution

    Args:
        approximate: "none", or "tanh" for x / 2 · (1 + tanh(√(2 / π) · (x + 0.044715 · x³))).
    """

    _function = staticmethod(F.gelu)
    _arguments = ("approximate",)

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class Hardtanh(_Activation):
    """x held within [min_val, max_val]

    Args:
        min_val, max_val: the bounds.
        inplace: write the result into the input.
        min_value, max_value: their old names, which win.

    Raises:
        ValueError: where `max_val` isn't above `min_val`.
    """

    _function = staticmethod(F.hardtanh)
    _arguments = ("min_val", "max_val", "inplace")

    def __init__(
        self,
        min_val: float = -1.0,
        max_val: float = 1.0,
        inplace: bool = False,
        min_value: float | None = None,
        max_value: float | None = None,
    ) -> None:
        super().__init__()
        self.min_val = _renamed("min_value", min_value, min_val)
        self.max_val = _renamed("max_value", max_value, max_val)
        self.inplace = inplace
        if not self.max_val > self.min_val:
            raise ValueError(f"max_val must be greater than min_val, got {self.max_val} and {self.min_val}")


def _renamed(name: str, old: float | None, new: float) -> float:
    """The value of an argument that may be given under its old name."""
    if old is None:
        return new
    warnings.warn(
        f"keyword argument `{name}` is deprecated and renamed to `{name.removesuffix('ue')}`",
        FutureWarning,
        stacklevel=3,
    )
    return old


class ReLU6(Hardtanh):
    """min(max(x, 0), 6)

    Args:
        inplace: write the result into the input.
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(0.0, 6.0, inplace)

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class Threshold(_Activation):
    """x where x > threshold, value elsewhere

    Args:
        threshold, value: numbers.
        inplace: write the result into the input.
    """

    _function = staticmethod(F.threshold)
    _arguments = ("threshold", "value", "inplace")

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__()
        self.threshold, self.value, self.inplace = threshold, value, inplace


class Softplus(_Activation):
    """ln(1 + exp(beta · x)) / beta

    Args:
        beta: how sharp the bend at 0 is.
        threshold: where beta · x is above it, the result is x.
    """

    _function = staticmethod(F.softplus)
    _arguments = ("beta", "threshold")

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta, self.threshold = beta, threshold


class Softshrink(_Activation):
    """x moved towards 0 by lambd, not beyond

    Args:
        lambd: how far, at least 0.
    """

    _function = staticmethod(F.softshrink)
    _arguments = ("lambd",)

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def extra_repr(self) -> str:
        return str(self.lambd)


class Hardshrink(Softshrink):
    """x where |x| is above lambd, 0 elsewhere

    Args:
        lambd: the bound.
    """

    _function = staticmethod(F.hardshrink)


class RReLU(_Activation):
    """x where x > 0, elsewhere x times a slope: drawn evenly for every element in training, the middle otherwise

    Args:
        lower, upper: between which the slope is drawn.
        inplace: write the result into the input.
    """

    _arguments = ("lower", "upper", "inplace")

    def __init__(self, lower: float = 1.0 / 8, upper: float = 1.0 / 3, inplace: bool = False) -> None:
        super().__init__()
        self.lower, self.upper, self.inplace = lower, upper, inplace

    def forward(self, input: Tensor) -> Tensor:
        """The same shape."""
        return F.rrelu(input, self.lower, self.upper, self.training, self.inplace)


class GLU(_Activation):
    """a · sigmoid(b), where a and b are the halves of the input

    Args:
        dim: the dimension that is halved.
    """

    _function = staticmethod(F.glu)
    _arguments = ("dim",)

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim


class PReLU(Module):
    """x where x > 0, weight · x elsewhere, with the slope learned

    Args:
        num_parameters: 1 for one slope, or the number of channels for one each.
        init: the slopes at the start.
        device: None or "cpu".
        dtype: of the slopes, float32 by default.

    Attributes:
        weight: Parameter of shape (num_parameters,).
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        self.num_parameters, self.init = num_parameters, init
        self.weight = empty_parameter((num_parameters,), device, dtype)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set every slope to `init`."""
        constant_(self.weight, self.init)

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, …) → the same shape."""
        return F.prelu(input, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"
