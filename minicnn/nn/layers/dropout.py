"""Dropout: forget numbers or channels at random, in training only."""

from collections.abc import Callable

from minicnn.nn import functional as F
from minicnn.nn.module import Module
from minicnn.tensor import Tensor


class _Dropout(Module):
    """What they share.

    Args:
        p: the probability of being dropped.
        inplace: write the result into the input.

    Raises:
        ValueError: for a `p` outside [0, 1].
    """

    _function: Callable

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if p < 0 or p > 1:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        self.p = p
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """The same shape; the input itself in evaluation."""
        return self._function(input, self.p, self.training, self.inplace)

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_Dropout):
    """In training, every number becomes 0 with probability `p` and is divided by 1 − p otherwise.

    Hinton et al., "Improving neural networks by preventing co-adaptation of feature detectors", 2012.

    Args:
        p: the probability of being dropped.
        inplace: write the result into the input.

    Raises:
        ValueError: for a `p` outside [0, 1].
    """

    _function = staticmethod(F.dropout)


class Dropout1d(_Dropout):
    """In training, every channel of (N, C, L) or (C, L) becomes 0 with probability `p`, else is divided by 1 − p.

    Args:
        p: the probability of being dropped.
        inplace: write the result into the input.

    Raises:
        ValueError: for a `p` outside [0, 1].
    """

    _function = staticmethod(F.dropout1d)


class Dropout2d(_Dropout):
    """In training, every channel of (N, C, H, W) becomes 0 with probability `p`, else is divided by 1 − p.

    Tompson et al., "Efficient Object Localization Using Convolutional Networks", 2015.

    Args:
        p: the probability of being dropped.
        inplace: write the result into the input.

    Raises:
        ValueError: for a `p` outside [0, 1].
    """

    _function = staticmethod(F.dropout2d)


class Dropout3d(_Dropout):
    """In training, every channel of (N, C, D, H, W) or (C, D, H, W) becomes 0 with probability `p`.

    Args:
        p: the probability of being dropped.
        inplace: write the result into the input.

    Raises:
        ValueError: for a `p` outside [0, 1].
    """

    _function = staticmethod(F.dropout3d)


class AlphaDropout(_Dropout):
    """Dropout for SELU: what is dropped becomes −1.7581, then all is scaled so that mean and variance stay 0 and 1.

    Klambauer et al., "Self-Normalizing Neural Networks", 2017.

    Args:
        p: the probability of being dropped.
        inplace: write the result into the input.

    Raises:
        ValueError: for a `p` outside [0, 1].
    """

    _function = staticmethod(F.alpha_dropout)


class FeatureAlphaDropout(_Dropout):
    """`AlphaDropout` of whole channels of (N, C, …).

    Args:
        p: the probability of being dropped.
        inplace: write the result into the input.

    Raises:
        ValueError: for a `p` outside [0, 1].
    """

    _function = staticmethod(F.feature_alpha_dropout)
