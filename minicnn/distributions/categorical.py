"""The categorical distribution: one of K classes."""

from functools import cached_property
from typing import Any

import numpy as np

from minicnn.attributes import Size
from minicnn.autograd import no_grad
from minicnn.creation import arange, full, rand
from minicnn.distributions.distribution import Distribution, clamped, probability_or_logit
from minicnn.operators.broadcasting import broadcast_tensors
from minicnn.tensor import Tensor, computed


class Categorical(Distribution):
    """Draws of class k with probability probs[..., k].

    Args:
        probs: (..., K), not below 0; they are divided by their sums.
        logits: logarithms of these instead, but for a constant.
        validate_args: whether to check parameters and values; True by default.

    Raises:
        ValueError: for both parameters or none, for one without dimensions, or negative probabilities.
    """

    parameters = ("probs", "logits")
    has_enumerate_support = True

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        name, parameter = probability_or_logit(probs, logits)
        if parameter.dim() < 1:
            raise ValueError(f"`{name}` parameter must be at least one-dimensional.")
        super().__init__(parameter.shape[:-1], validate_args)
        self._num_events = parameter.shape[-1]
        vars(self)[name] = parameter
        if name == "probs":
            self._check("probs", (parameter >= 0) & (parameter.sum(-1, keepdim=True) > 0), "Simplex()")
            vars(self)["probs"] = parameter / parameter.sum(-1, keepdim=True)
        else:
            self._check("logits", parameter == parameter, "IndependentConstraint(Real(), 1)")
            vars(self)["logits"] = parameter - parameter.logsumexp(dim=-1, keepdim=True)

    @cached_property
    def probs(self) -> Tensor:
        """softmax(logits)"""
        return self.logits.softmax(-1)

    @cached_property
    def logits(self) -> Tensor:
        """log(probs)"""
        return clamped(self.probs).log()

    @property
    def param_shape(self) -> Any:
        """The shape of the parameter."""
        return Size((*self.batch_shape, self._num_events))

    @property
    def mean(self) -> Tensor:
        """NaN: classes have no mean."""
        return full(self.batch_shape, float("nan"), dtype=self.probs.dtype)

    @property
    def mode(self) -> Tensor:
        """The most likely class."""
        return self.probs.argmax(-1)

    @property
    def variance(self) -> Tensor:
        """NaN: classes have no variance."""
        return self.mean

    def expand(self, batch_shape: Any) -> "Categorical":
        """The same distributions, repeated to `batch_shape`."""
        name = "probs" if "probs" in vars(self) else "logits"
        expanded = getattr(self, name).expand((*batch_shape, self._num_events))
        return Categorical(**{name: expanded}, validate_args=False)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Classes in int64, of shape `sample_shape + batch_shape`: the first whose cumulated probability exceeds u."""
        with no_grad():
            shape = self._extended(sample_shape)
            cumulated = np.cumsum(self.probs.detach().numpy(), axis=-1)
            drawn = rand((*shape, 1), dtype=self.probs.dtype).numpy() * cumulated[..., -1:]
            return computed((drawn >= cumulated).sum(-1).clip(max=self._num_events - 1).astype(np.int64))

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the probability of the classes `value`."""
        last = self._num_events - 1
        self._check_value(
            value,
            lambda value: (value >= 0) & (value <= last) & (value == value.long()),
            f"IntegerInterval(lower_bound=0, upper_bound={last})",
        )
        classes, logarithms = broadcast_tensors(value.long().unsqueeze(-1), self.logits)
        return logarithms.gather(-1, classes[..., :1]).squeeze(-1)

    def entropy(self) -> Tensor:
        """−Σ probs · log probs"""
        smallest = float(np.finfo(self.logits._array.dtype).min)
        return -(self.logits.clamp(min=smallest) * self.probs).sum(-1)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """All classes for each distribution, of shape (K, *batch_shape); with `expand=False` (K, 1, …)."""
        values = arange(self._num_events).view((-1, *(1 for _ in self.batch_shape)))
        return values.expand((self._num_events, *self.batch_shape)) if expand else values
