"""Several distributions taken as one, of all their values at once."""

import math
from typing import Any, ClassVar

from minicnn.distributions.distribution import Distribution
from minicnn.tensor import Tensor


class Independent(Distribution):
    """The last dimensions of a batch of distributions as dimensions of one event: log-probabilities add up over them.

    Args:
        base_distribution: the distributions.
        reinterpreted_batch_ndims: how many of the last dimensions of their batch shape.
        validate_args: whether to check values; as the base distribution does by default.

    Raises:
        ValueError: for more dimensions than there are.
    """

    parameters: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self, base_distribution: Distribution, reinterpreted_batch_ndims: int, validate_args: bool | None = None
    ) -> None:
        batch = base_distribution.batch_shape
        if reinterpreted_batch_ndims > len(batch):
            raise ValueError(
                "Expected reinterpreted_batch_ndims <= len(base_distribution.batch_shape), "
                f"actual {reinterpreted_batch_ndims} vs {len(batch)}"
            )
        shape = batch + base_distribution.event_shape
        events = reinterpreted_batch_ndims + len(base_distribution.event_shape)
        self.base_dist = base_distribution
        self.reinterpreted_batch_ndims = reinterpreted_batch_ndims
        super().__init__(shape[: len(shape) - events], validate_args, shape[len(shape) - events :])

    @property
    def has_rsample(self) -> bool:  # type: ignore[override]
        """As of the base distribution."""
        return self.base_dist.has_rsample

    @property
    def has_enumerate_support(self) -> bool:  # type: ignore[override]
        """As of the base distribution, where no dimension is taken."""
        return self.reinterpreted_batch_ndims == 0 and self.base_dist.has_enumerate_support

    @property
    def mean(self) -> Tensor:
        """The means."""
        return self.base_dist.mean

    @property
    def mode(self) -> Tensor:
        """The modes."""
        return self.base_dist.mode

    @property
    def variance(self) -> Tensor:
        """The variances."""
        return self.base_dist.variance

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Draw, without a gradient."""
        return self.base_dist.sample(sample_shape)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Draw so that gradients reach the parameters."""
        return self.base_dist.rsample(sample_shape)

    def log_prob(self, value: Tensor) -> Tensor:
        """Σ of the log-probabilities over the dimensions of an event."""
        return self._summed(self.base_dist.log_prob(value))

    def entropy(self) -> Tensor:
        """Σ of the entropies over the dimensions of an event."""
        return self._summed(self.base_dist.entropy())

    def expand(self, batch_shape: Any) -> "Independent":
        """The same distributions, repeated to `batch_shape`."""
        taken = self.event_shape[: self.reinterpreted_batch_ndims]
        return Independent(self.base_dist.expand((*batch_shape, *taken)), self.reinterpreted_batch_ndims)

    def _summed(self, values: Tensor) -> Tensor:
        n = self.reinterpreted_batch_ndims
        return values.reshape(*values.shape[: values.ndim - n], math.prod(values.shape[values.ndim - n :])).sum(-1)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_dist}, {self.reinterpreted_batch_ndims})"
