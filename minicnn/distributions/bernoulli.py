"""The Bernoulli distribution: 1 with some probability, otherwise 0."""

from functools import cached_property
from typing import Any

from minicnn.autograd import no_grad
from minicnn.creation import arange, rand
from minicnn.distributions.distribution import (
    Distribution,
    clamped,
    log_one_plus_exp,
    parameter_tensors,
    probability_or_logit,
)
from minicnn.operators.broadcasting import broadcast_tensors
from minicnn.operators.choosing import where
from minicnn.tensor import Tensor


class Bernoulli(Distribution):
    """Draws of 1 with probability p, and of 0 otherwise.

    Args:
        probs: p, a number or Tensor between 0 and 1.
        logits: log(p / (1 − p)) instead.
        validate_args: whether to check parameters and values; True by default.

    Raises:
        ValueError: for both parameters or none, or probabilities outside of 0 to 1.
    """

    parameters = ("probs", "logits")
    has_enumerate_support = True

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        name, given = probability_or_logit(probs, logits)
        (parameter,) = parameter_tensors(given)
        vars(self)[name] = parameter
        super().__init__(parameter.shape, validate_args)
        if name == "probs":
            self._check("probs", (parameter >= 0) & (parameter <= 1), "Interval(lower_bound=0.0, upper_bound=1.0)")
        else:
            self._check("logits", parameter == parameter, "Real()")

    @cached_property
    def probs(self) -> Tensor:
        """p = sigmoid(logits)"""
        return self.logits.sigmoid()

    @cached_property
    def logits(self) -> Tensor:
        """log p − log(1 − p)"""
        probs = clamped(self.probs)
        return probs.log() - (-probs).log1p()

    @property
    def param_shape(self) -> Any:
        """The shape of the parameter."""
        return self.batch_shape

    @property
    def mean(self) -> Tensor:
        """p"""
        return self.probs

    @property
    def mode(self) -> Tensor:
        """1 where p > ½, 0 where p < ½, NaN where both are as likely."""
        mode = (self.probs >= 0.5).type_as(self.probs)
        return where(self.probs == 0.5, mode * float("nan"), mode)

    @property
    def variance(self) -> Tensor:
        """p (1 − p)"""
        return self.probs * (1 - self.probs)

    def expand(self, batch_shape: Any) -> "Bernoulli":
        """The same distributions, repeated to `batch_shape`."""
        name = "probs" if "probs" in vars(self) else "logits"
        return Bernoulli(**{name: getattr(self, name).expand(batch_shape)}, validate_args=False)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Ones and zeros in the dtype of the parameter, of shape `sample_shape + batch_shape`."""
        with no_grad():
            drawn = rand(self._extended(sample_shape), dtype=self.probs.dtype)
            return (drawn < self.probs).type_as(self.probs)

    def log_prob(self, value: Tensor) -> Tensor:
        """value · log p + (1 − value) · log(1 − p), from the logits so that it stays finite."""
        self._check_value(value, lambda value: (value == 0) | (value == 1), "Boolean()")
        logits, value = broadcast_tensors(self.logits, value)
        return -_cross_entropy(logits, value)

    def entropy(self) -> Tensor:
        """−p log p − (1 − p) log(1 − p)"""
        return _cross_entropy(self.logits, self.probs)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """0 and 1 for each distribution, of shape (2, *batch_shape); with `expand=False` (2, 1, …)."""
        values = arange(2, dtype=self.probs.dtype).view((2, *(1 for _ in self.batch_shape)))
        return values.expand((2, *self.batch_shape)) if expand else values


def _cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """(1 − target) · logits + log(1 + exp(−logits))"""
    return (1 - target) * logits + log_one_plus_exp(-logits)
