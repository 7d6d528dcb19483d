"""`Distribution`: what all distributions share, and the checks of their parameters."""

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from minicnn.attributes import Size
from minicnn.autograd import no_grad
from minicnn.creation import tensor, zeros_like
from minicnn.operators.joining import stack
from minicnn.tensor import Tensor

_DEFAULT_VALIDATE = True


class Distribution:
    """A distribution, or as many as its parameters have elements.

    A subclass names its parameters in `parameters`, computes a sample that carries gradients in `rsample` (or one
    without in `sample`), and `log_prob` and `entropy`.

    Attributes:
        batch_shape: the shape of the parameters, broadcast: how many distributions these are.
        event_shape: the shape of one draw of one distribution.
        has_rsample: whether gradients reach the parameters through a sample.
        has_enumerate_support: whether all values can be listed.
    """

    parameters: ClassVar[tuple[str, ...]] = ()
    has_rsample = False
    has_enumerate_support = False

    def __init__(self, batch_shape: Any, validate_args: bool | None, event_shape: Any = ()) -> None:
        self.batch_shape, self.event_shape = Size(batch_shape), Size(event_shape)
        self._validate_args = _DEFAULT_VALIDATE if validate_args is None else bool(validate_args)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Draw, without a gradient: a Tensor of shape `sample_shape + batch_shape + event_shape`."""
        with no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Draw so that gradients reach the parameters.

        Raises:
            NotImplementedError: where `has_rsample` is False.
        """
        raise NotImplementedError(f"{type(self).__name__} has no rsample: draws do not depend smoothly on parameters")

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density, or of the probability, at `value`."""
        raise NotImplementedError

    def entropy(self) -> Tensor:
        """The entropy of each distribution, of shape `batch_shape`."""
        raise NotImplementedError

    @property
    def mean(self) -> Tensor:
        """The mean of each distribution."""
        raise NotImplementedError

    @property
    def mode(self) -> Tensor:
        """The likeliest value of each distribution."""
        raise NotImplementedError

    def expand(self, batch_shape: Any) -> "Distribution":
        """The same distributions, repeated to `batch_shape`."""
        raise NotImplementedError

    @property
    def variance(self) -> Tensor:
        """The variance of each distribution."""
        raise NotImplementedError

    @property
    def stddev(self) -> Tensor:
        """The standard deviation of each distribution."""
        return self.variance.sqrt()

    def perplexity(self) -> Tensor:
        """e to the entropy."""
        return self.entropy().exp()

    def _extended(self, sample_shape: Any = ()) -> Size:
        """The shape of a sample."""
        return Size((*sample_shape, *self.batch_shape, *self.event_shape))

    def _check(self, name: str, fits: Tensor, constraint: str) -> None:
        """Raise where a parameter is out of its range.

        Args:
            name: the parameter's.
            fits: for each of its values whether it is in range.
            constraint: PyTorch's name of the range.
        """
        if not self._validate_args or fits.all().item():
            return
        value = getattr(self, name)
        raise ValueError(
            f"Expected parameter {name} (Tensor of shape {tuple(value.shape)}) of distribution {self!r} to satisfy the "
            f"constraint {constraint}, but found invalid values:\n{_shown(value)}"
        )

    def _check_value(self, value: Any, fits: Callable[[Tensor], Tensor], support: str) -> None:
        """Raise where `log_prob` is asked for something that is never drawn."""
        if not self._validate_args:
            return
        if not isinstance(value, Tensor):
            raise ValueError("The value argument to log_prob must be a Tensor")
        expected = self._extended()
        for given, wanted in zip(value.shape[::-1], expected[::-1], strict=False):
            if given != wanted and 1 not in (given, wanted):
                raise ValueError(
                    f"Value is not broadcastable with batch_shape+event_shape: {value.shape} vs {expected}."
                )
        with no_grad():
            inside = fits(value)
        if not inside.all().item():
            raise ValueError(
                f"Expected value argument (Tensor of shape {tuple(value.shape)}) to be within the support ({support}) "
                f"of the distribution {self!r}, but found invalid values:\n{_shown(value)}"
            )

    def __repr__(self) -> str:
        shown = [f"{name}: {_brief(vars(self)[name])}" for name in self.parameters if name in vars(self)]
        return f"{type(self).__name__}({', '.join(shown)})"


def _brief(parameter: Tensor) -> str:
    return f"{parameter}" if parameter.numel() == 1 else f"{parameter.size()}"


def _shown(value: Tensor) -> str:
    return f"{value.detach()}"


def parameter_tensors(*values: Any) -> list[Tensor]:
    """Numbers and Tensors as Tensors; a number takes the dtype of the first Tensor.

    Raises:
        ValueError: for anything else.
    """
    if not all(isinstance(value, Tensor | int | float | np.number) for value in values):
        raise ValueError("Input arguments must all be instances of Number or Tensor.")
    dtype = next((value.dtype for value in values if isinstance(value, Tensor)), None)
    return [value if isinstance(value, Tensor) else tensor(float(value), dtype=dtype) for value in values]


def probability_or_logit(probs: Any, logits: Any) -> tuple[str, Any]:
    """The name and value of the parameter that was given.

    Raises:
        ValueError: for both or none.
    """
    if (probs is None) == (logits is None):
        raise ValueError("Either `probs` or `logits` must be specified, but not both.")
    return ("logits", logits) if probs is None else ("probs", probs)


def clamped(probs: Tensor) -> Tensor:
    """Probabilities kept away from 0 and 1 by the eps of their dtype, so that their logarithms are finite."""
    eps = float(np.finfo(probs._array.dtype).eps)
    return probs.clamp(min=eps, max=1 - eps)


def log_one_plus_exp(x: Tensor) -> Tensor:
    """log(1 + exp(x)), for x of any size."""
    return stack([x, zeros_like(x)]).logsumexp(0)
