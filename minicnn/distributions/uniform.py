"""The uniform distribution."""

from typing import Any

from minicnn.creation import rand
from minicnn.distributions.distribution import Distribution, parameter_tensors
from minicnn.operators.broadcasting import broadcast_tensors
from minicnn.tensor import Tensor


class Uniform(Distribution):
    """Uniform distributions with density 1 / (high − low) from low to high.

    Args:
        low: the least value, a number or Tensor.
        high: the bound above, which is never drawn; it and `low` broadcast.
        validate_args: whether to check parameters and values; True by default.

    Raises:
        ValueError: where `low` isn't below `high`.
    """

    parameters = ("low", "high")
    has_rsample = True

    def __init__(self, low: Any, high: Any, validate_args: bool | None = None) -> None:
        self.low, self.high = broadcast_tensors(*parameter_tensors(low, high))
        super().__init__(self.low.shape, validate_args)
        self._check("low", self.low < self.high, f"LessThan(upper_bound={self.high.detach()})")

    @property
    def mean(self) -> Tensor:
        """(low + high) / 2"""
        return (self.high + self.low) / 2

    @property
    def stddev(self) -> Tensor:
        """(high − low) / √12"""
        return (self.high - self.low) / 12**0.5

    @property
    def variance(self) -> Tensor:
        """(high − low)² / 12"""
        return (self.high - self.low).pow(2) / 12

    def expand(self, batch_shape: Any) -> "Uniform":
        """The same distributions, repeated to `batch_shape`."""
        return Uniform(self.low.expand(batch_shape), self.high.expand(batch_shape), validate_args=False)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """low + (high − low) · u with u uniform from 0 to 1."""
        return self.low + rand(self._extended(sample_shape), dtype=self.low.dtype) * (self.high - self.low)

    def log_prob(self, value: Tensor) -> Tensor:
        """−log(high − low) from low to high, −∞ elsewhere."""
        support = f"Interval(lower_bound={self.low.detach()}, upper_bound={self.high.detach()})"
        self._check_value(value, lambda value: (value >= self.low) & (value <= self.high), support)
        inside = (self.low <= value).type_as(self.low) * (self.high > value).type_as(self.low)
        return inside.log() - (self.high - self.low).log()

    def cdf(self, value: Tensor) -> Tensor:
        """The probability of less than `value`: (x − low) / (high − low), kept between 0 and 1."""
        return ((value - self.low) / (self.high - self.low)).clamp(min=0, max=1)

    def icdf(self, value: Tensor) -> Tensor:
        """The x with `cdf(x) == value`: low + value · (high − low)"""
        return value * (self.high - self.low) + self.low

    def entropy(self) -> Tensor:
        """log(high − low)"""
        return (self.high - self.low).log()
