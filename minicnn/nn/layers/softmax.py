"""Softmax and its kin, each along one dimension."""

from typing import Any

from minicnn.nn import functional as F
from minicnn.nn.module import Module
from minicnn.tensor import Tensor


class _AlongDim(Module):
    """What they share.

    Args:
        dim: the dimension along which the results (for `LogSoftmax`, their exponentials) sum to 1; None for what
            `nn.functional` chooses, with a warning.

    Raises:
        TypeError: where `dim` is neither an int nor None.
    """

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        if dim is not None and (not isinstance(dim, int) or isinstance(dim, bool)):
            raise TypeError(f"dim must be an int or None, got {type(dim)}")
        self.dim = dim

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmax(_AlongDim):
    """exp(x) / Σ exp(x), the sum along one dimension

    Args:
        dim: the dimension along which the results sum to 1; None for what `nn.functional.softmax` chooses.

    Raises:
        TypeError: where `dim` is neither an int nor None.
    """

    def forward(self, input: Tensor) -> Tensor:
        """The same shape."""
        return F.softmax(input, self.dim, _stacklevel=5)


class LogSoftmax(_AlongDim):
    """x − log Σ exp(x), the sum along one dimension

    Args:
        dim: the dimension along which the exponentials of the results sum to 1; None for what
            `nn.functional.log_softmax` chooses.

    Raises:
        TypeError: where `dim` is neither an int nor None.
    """

    def forward(self, input: Tensor) -> Tensor:
        """The same shape."""
        return F.log_softmax(input, self.dim, _stacklevel=5)


class Softmin(_AlongDim):
    """exp(−x) / Σ exp(−x), the sum along one dimension

    Args:
        dim: the dimension along which the results sum to 1; None for what `nn.functional.softmin` chooses.

    Raises:
        TypeError: where `dim` is neither an int nor None.
    """

    def forward(self, input: Tensor) -> Tensor:
        """The same shape."""
        return F.softmin(input, self.dim, _stacklevel=5)


class Softmax2d(Module):
    """Softmax over the channels of every position"""

    def forward(self, input: Tensor) -> Any:
        """(N, C, H, W) or (C, H, W) → the same shape.

        Raises:
            ValueError: for another number of dimensions.
        """
        if input.ndim not in (3, 4):
            raise ValueError(f"Softmax2d: expected input to be 3D or 4D, got {input.ndim}D instead")
        return F.softmax(input, -3)
