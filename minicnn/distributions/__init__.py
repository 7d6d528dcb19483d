"""Probability distributions, shaped like `torch.distributions`."""

from minicnn.compat import missing
from minicnn.distributions.bernoulli import Bernoulli
from minicnn.distributions.categorical import Categorical
from minicnn.distributions.distribution import Distribution
from minicnn.distributions.independent import Independent
from minicnn.distributions.kl import kl_divergence
from minicnn.distributions.multivariate_normal import MultivariateNormal
from minicnn.distributions.normal import Normal
from minicnn.distributions.uniform import Uniform

__all__ = [
    "Bernoulli",
    "Categorical",
    "Distribution",
    "Independent",
    "MultivariateNormal",
    "Normal",
    "Uniform",
    "kl_divergence",
]

__getattr__ = missing.getattr_of(__name__, lambda: __all__)
