"""The normal distribution."""

import math
from typing import Any

from minicnn.creation import randn
from minicnn.distributions.distribution import Distribution, parameter_tensors
from minicnn.operators.broadcasting import broadcast_tensors
from minicnn.tensor import Tensor


class Normal(Distribution):
    """Normal distributions with density exp(−(x − loc)² / 2 scale²) / √(2π scale²).

    Args:
        loc: the mean, a number or Tensor.
        scale: the standard deviation, above 0; it and `loc` broadcast.
        validate_args: whether to check parameters and values; True by default.

    Raises:
        ValueError: for a scale that isn't above 0.
    """

    parameters = ("loc", "scale")
    has_rsample = True

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale = broadcast_tensors(*parameter_tensors(loc, scale))
        super().__init__(self.loc.shape, validate_args)
        self._check("loc", self.loc == self.loc, "Real()")
        self._check("scale", self.scale > 0, "GreaterThan(lower_bound=0.0)")

    @property
    def mean(self) -> Tensor:
        """loc"""
        return self.loc

    @property
    def mode(self) -> Tensor:
        """loc"""
        return self.loc

    @property
    def stddev(self) -> Tensor:
        """scale"""
        return self.scale

    @property
    def variance(self) -> Tensor:
        """scale²"""
        return self.scale.pow(2)

    def expand(self, batch_shape: Any) -> "Normal":
        """The same distributions, repeated to `batch_shape`."""
        return Normal(self.loc.expand(batch_shape), self.scale.expand(batch_shape), validate_args=False)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """loc + scale · ε with ε from the standard normal distribution."""
        return self.loc + randn(self._extended(sample_shape), dtype=self.loc.dtype) * self.scale

    def log_prob(self, value: Tensor) -> Tensor:
        """−(x − loc)² / 2 scale² − log scale − log √(2π)"""
        self._check_value(value, lambda value: value == value, "Real()")
        return -((value - self.loc) ** 2) / (2 * self.variance) - self.scale.log() - math.log(math.sqrt(2 * math.pi))

    def cdf(self, value: Tensor) -> Tensor:
        """The probability of less than `value`: (1 + erf((x − loc) / scale √2)) / 2"""
        self._check_value(value, lambda value: value == value, "Real()")
        return 0.5 * (1 + ((value - self.loc) * self.scale.reciprocal() / math.sqrt(2)).erf())

    def icdf(self, value: Tensor) -> Tensor:
        """The x with `cdf(x) == value`: loc + scale √2 erf⁻¹(2 value − 1)"""
        return self.loc + self.scale * (2 * value - 1).erfinv() * math.sqrt(2)

    def entropy(self) -> Tensor:
        """½ + ½ log 2π + log scale"""
        return 0.5 + 0.5 * math.log(2 * math.pi) + self.scale.log()
