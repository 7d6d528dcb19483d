"""Nonlinearities, each number on its own, and the softmax pair."""

from typing import Any

from minicnn.nn import functional as F
from minicnn.nn.module import Module
from minicnn.tensor import Tensor


class ReLU(Module):
    """max(x, 0)

    Args:
        inplace: write the result into the input.
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """The same shape."""
        return F.relu(input, inplace=self.inplace)

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class LeakyReLU(Module):
    """x where x > 0, negative_slope · x elsewhere

    Args:
        negative_slope: the slope below 0.
        inplace: write the result into the input.
    """

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__()
        self.negative_slope = negative_slope
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """The same shape."""
        return F.leaky_relu(input, self.negative_slope, self.inplace)

    def extra_repr(self) -> str:
        return f"negative_slope={self.negative_slope}{', inplace=True' if self.inplace else ''}"


class Sigmoid(Module):
    """1 / (1 + exp(−x))"""

    def forward(self, input: Tensor) -> Tensor:
        """The same shape."""
        return F.sigmoid(input)


class Tanh(Module):
    """(exp(x) − exp(−x)) / (exp(x) + exp(−x))"""

    def forward(self, input: Tensor) -> Tensor:
        """The same shape."""
        return F.tanh(input)


class Softmax(Module):
    """exp(x) / Σ exp(x), the sum along one dimension

    Args:
        dim: the dimension along which the results sum to 1; None for what `nn.functional.softmax` chooses.

    Raises:
        TypeError: where `dim` is neither an int nor None.
    """

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = _checked_dim(dim)

    def forward(self, input: Tensor) -> Tensor:
        """The same shape."""
        return F.softmax(input, self.dim, _stacklevel=5)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class LogSoftmax(Module):
    """x − log Σ exp(x), the sum along one dimension

    Args:
        dim: the dimension along which the exponentials of the results sum to 1; None for what
            `nn.functional.log_softmax` chooses.

    Raises:
        TypeError: where `dim` is neither an int nor None.
    """

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = _checked_dim(dim)

    def forward(self, input: Tensor) -> Tensor:
        """The same shape."""
        return F.log_softmax(input, self.dim, _stacklevel=5)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


def _checked_dim(dim: Any) -> int | None:
    if dim is not None and (not isinstance(dim, int) or isinstance(dim, bool)):
        raise TypeError(f"dim must be an int or None, got {type(dim)}")
    return dim
