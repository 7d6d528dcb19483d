"""How far one distribution is from another: the divergence of Kullback and Leibler."""

import math
from collections.abc import Callable

from minicnn.distributions.bernoulli import Bernoulli
from minicnn.distributions.categorical import Categorical
from minicnn.distributions.distribution import Distribution, log_one_plus_exp
from minicnn.distributions.normal import Normal
from minicnn.distributions.uniform import Uniform
from minicnn.operators.choosing import where
from minicnn.tensor import Tensor


def kl_divergence(p: Distribution, q: Distribution) -> Tensor:
    """The mean of log p(x) − log q(x) for x drawn from p.

    Args:
        p, q: two normal, Bernoulli, categorical or uniform distributions; their batch shapes broadcast.

    Raises:
        NotImplementedError: for distributions of two kinds.
    """
    for kind, divergence in _DIVERGENCES.items():
        if isinstance(p, kind) and isinstance(q, kind):
            return divergence(p, q)
    raise NotImplementedError(f"there is no kl_divergence of {type(p).__name__} from {type(q).__name__}")


def _normal(p: Normal, q: Normal) -> Tensor:
    """½ (s + ((loc p − loc q) / scale q)² − 1 − log s), where s = (scale p / scale q)²"""
    ratio = (p.scale / q.scale).pow(2)
    distance = ((p.loc - q.loc) / q.scale).pow(2)
    return 0.5 * (ratio + distance - 1 - ratio.log())


def _bernoulli(p: Bernoulli, q: Bernoulli) -> Tensor:
    """p log(p / q) + (1 − p) log((1 − p) / (1 − q))"""
    ones = _product(p.probs, (log_one_plus_exp(-q.logits) - log_one_plus_exp(-p.logits)), q.probs == 0)
    zeros = _product(1 - p.probs, (log_one_plus_exp(q.logits) - log_one_plus_exp(p.logits)), q.probs == 1)
    return ones + zeros


def _categorical(p: Categorical, q: Categorical) -> Tensor:
    """Σ p log(p / q)"""
    return _product(p.probs, p.logits - q.logits, q.probs == 0).sum(-1)


def _uniform(p: Uniform, q: Uniform) -> Tensor:
    """log of the ratio of the widths; infinite where p reaches out of q."""
    result = ((q.high - q.low) / (p.high - p.low)).log()
    return where((q.low > p.low) | (q.high < p.high), result * 0 + math.inf, result)


def _product(probability: Tensor, logarithm: Tensor, impossible: Tensor) -> Tensor:
    """probability · logarithm: infinite where q makes impossible what p allows, 0 where p doesn't."""
    product = where(impossible, probability * 0 + math.inf, probability * logarithm)
    return where(probability == 0, probability * 0, product)


_DIVERGENCES: dict[type, Callable] = {
    Normal: _normal,
    Bernoulli: _bernoulli,
    Categorical: _categorical,
    Uniform: _uniform,
}
