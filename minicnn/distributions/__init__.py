"""Probability distributions, shaped like `torch.distributions`."""

from minicnn.compat import missing
from minicnn.distributions.bernoulli import Bernoulli
from minicnn.distributions.categorical import Categorical
from minicnn.distributions.distribution import Distribution
from minicnn.distributions.kl import kl_divergence
from minicnn.distributions.normal import Normal
from minicnn.distributions.uniform import Uniform

__all__ = ["Bernoulli", "Categorical", "Distribution", "Normal", "Uniform", "kl_divergence"]

__getattr__ = missing.getattr_of(__name__, lambda: __all__)
