"""Entropy, cross-entropy, KL divergence, and why softmax and log belong together: the loss's theory, on numbers.

Shannon, "A Mathematical Theory of Communication", 1948; Kullback and Leibler, "On Information and Sufficiency", 1951.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from minicnn import special
from minicnn.creation import from_numpy
from minicnn.explain.given import given
from minicnn.explain.shown import Shown
from minicnn.nn import functional as F

if TYPE_CHECKING:
    from rich.text import Text

LOGITS = (100.0, 0.0, -100.0)
"""Scores of which float32 has neither all powers nor all probabilities."""

ROUNDING = 1e-6
"""How far the sum of probabilities may be from 1."""


def divergence(p: np.ndarray, log_q: np.ndarray) -> float:
    """KL(p‖q) = Σ p·log(p / q) by `F.kl_div`: infinite where a class has p > 0 = q.

    Args:
        p: probabilities (K,).
        log_q: logarithms of probabilities (K,).
    """
    there = np.isfinite(log_q)
    if p[~there].any():
        return np.inf
    return F.kl_div(from_numpy(log_q[there]), from_numpy(p[there]), reduction="sum").item()


@dataclass(frozen=True, eq=False)
class Entropy(Shown):
    """Two distributions over K classes, and scores.

    Attributes:
        p: what is true: float64 (K,).
        q: what a network says: float64 (K,).
        log_q: its logarithms, which may be finite where q is 0 for want of digits: float64 (K,).
        logits: scores, in float32 as networks compute them.
        of_logits: whether q is their softmax.
    """

    p: np.ndarray
    q: np.ndarray
    log_q: np.ndarray
    logits: np.ndarray
    of_logits: bool

    def entropy(self) -> float:
        """H(p) = −Σ p·log p, in nats, by `special.entr`."""
        return special.entr(from_numpy(self.p)).sum().item()

    def cross_entropy(self) -> float:
        """H(p, q) = −Σ p·log q, in nats, by `F.cross_entropy`: the logarithms of q are scores of q."""
        there = np.isfinite(self.log_q)
        if self.p[~there].any():
            return np.inf
        return F.cross_entropy(from_numpy(self.log_q[there][None]), from_numpy(self.p[there][None])).item()

    def divergence(self) -> float:
        """KL(p‖q)."""
        return divergence(self.p, self.log_q)

    def reverse_divergence(self) -> float:
        """KL(q‖p)."""
        return divergence(self.q, from_numpy(self.p).log().numpy())

    def powers(self) -> np.ndarray:
        """exp(x), in float32: (K,)."""
        return from_numpy(self.logits).exp().numpy()

    def quotients(self) -> np.ndarray:
        """exp(x) / Σ exp(x) as the formula stands, in float32: (K,)."""
        powers = from_numpy(self.logits).exp()
        return (powers / powers.sum()).numpy()

    def softmax(self) -> np.ndarray:
        """`F.softmax`, in float32: (K,)."""
        return F.softmax(from_numpy(self.logits), 0).numpy()

    def log_of_softmax(self) -> np.ndarray:
        """The logarithm taken afterwards, in float32: (K,)."""
        return F.softmax(from_numpy(self.logits), 0).log().numpy()

    def log_softmax(self) -> np.ndarray:
        """`F.log_softmax`, both at once, in float32: (K,)."""
        return F.log_softmax(from_numpy(self.logits), 0).numpy()

    def apart(self) -> tuple[float, np.ndarray]:
        """The loss of the least likely class by −log(softmax(x)), and its gradient with respect to the scores."""
        x = from_numpy(self.logits).requires_grad_()
        loss = -F.softmax(x, 0).log()[self.least]
        loss.backward()
        return loss.item(), x.grad.numpy()

    def together(self) -> tuple[float, np.ndarray]:
        """The loss of the least likely class by `F.cross_entropy`, and its gradient with respect to the scores."""
        x = from_numpy(self.logits).requires_grad_()
        loss = F.cross_entropy(x, from_numpy(np.array(self.least)))
        loss.backward()
        return loss.item(), x.grad.numpy()

    @property
    def least(self) -> int:
        """The class with the lowest score."""
        return int(self.logits.argmin())

    def _sections(self, width: int) -> "Iterator[Text]":
        from minicnn.explain.terminal.theory import sections

        return sections(self, width)


def entropy(p: Any = None, q: Any = None, logits: Any = None) -> Entropy:
    """What entropy, cross-entropy and KL divergence are of these distributions.

    Args:
        p: probabilities (K,) that are true; if None, 1/2, 1/4, 1/8 …, the last one twice.
        q: probabilities (K,) to compare with them; if None, the softmax of the logits; without
            logits, in the ratios K : K − 1 : … : 1.
        logits: scores (K,); if None, LOGITS show what overflows.

    Raises:
        ValueError: for what isn't K probabilities, numbers of classes that differ, or both q and logits.
        TypeError: for what isn't numbers.
    """
    if q is not None and logits is not None:
        raise ValueError("q and logits both say what the network says; name one of them")
    found = {"p": p, "q": q, "logits": logits}
    arrays = {name: _line(name, value) for name, value in found.items() if value is not None}
    for name in arrays.keys() - {"logits"}:
        _check_probabilities(name, arrays[name])
    sizes = {name: len(array) for name, array in arrays.items()}
    if len(set(sizes.values())) > 1:
        raise ValueError(f"{' and '.join(f'{name} has {size}' for name, size in sizes.items())} classes")
    K = next(iter(sizes.values()), 4)
    halves = 0.5 ** np.minimum(np.arange(1, K + 1), max(K - 1, 0))
    true = arrays.get("p", halves)
    if logits is not None:
        log_q = F.log_softmax(from_numpy(arrays["logits"]), 0).numpy()
        said = F.softmax(from_numpy(arrays["logits"]), 0).numpy()
    else:
        said = arrays.get("q", np.arange(K, 0, -1) / (K * (K + 1) / 2))
        log_q = from_numpy(said).log().numpy()
    scores = np.asarray(arrays.get("logits", LOGITS), np.float32)
    return Entropy(true, said, log_q, scores, logits is not None)


def _line(name: str, value: Any) -> np.ndarray:
    """Finite numbers (K,)."""
    array = given(value, name).array
    if array.ndim != 1 or not array.size:
        raise ValueError(f"{name} must have shape (K,), a number for each class, got {array.shape}")
    if not (np.abs(array) <= np.finfo(np.float32).max).all():
        raise ValueError(f"{name} must be finite numbers that float32 has, got {array.tolist()}")
    return np.array(array)


def _check_probabilities(name: str, array: np.ndarray) -> None:
    """Raise for numbers that are no distribution."""
    if array.min() < 0:
        raise ValueError(f"{name} must not be negative, got {array.min():g}")
    if abs(array.sum() - 1) > ROUNDING:
        raise ValueError(f"{name} must add up to 1, got a sum of {array.sum():g}")
