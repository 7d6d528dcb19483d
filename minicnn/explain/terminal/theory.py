"""Entropy, cross-entropy, KL divergence, softmax and log in the terminal."""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from rich.text import Text

from minicnn.creation import from_numpy
from minicnn.explain.terminal.numbers import factor, number
from minicnn.explain.terminal.printing import heading, paragraph
from minicnn.explain.terminal.sums import table_of

if TYPE_CHECKING:
    from minicnn.explain.theory import Entropy


def sections(e: "Entropy", width: int) -> Iterator[Text]:
    """What `print` shows, for lines of so many characters."""
    yield paragraph(f"entropy: {len(e.p)} classes, p (what is true) against q (what a network says)", width)
    yield from surprises(e, width)
    yield from divergences(e, width)
    yield from scores(e, width)
    yield from losses(e, width)
    yield paragraph(
        "\nNatural logarithms, so nats; a bit is log 2 = 0.6931 of them. Four digits are shown.", width - 2, "  "
    )


def surprises(e: "Entropy", width: int) -> Iterator[Text]:
    """Entropy and cross-entropy: mean surprises."""
    yield heading("Entropy and cross-entropy: the mean surprise −log")
    log_p = from_numpy(e.p).log().numpy()
    there = e.p > 0
    table = [
        ("class", [str(k) for k in range(len(e.p))]),
        ("p", [*map(number, e.p)]),
        ("−log p", _minus(log_p)),
        ("q", [*map(number, e.q)]),
        ("−log q", _minus(e.log_q)),
        ("p·(−log p)", _minus(_times(e.p, log_p, there))),
        ("p·(−log q)", _minus(_times(e.p, e.log_q, there))),
    ]
    yield from table_of(table, width)
    K, entropy = len(e.p), e.entropy()
    yield paragraph(
        f"\nH(p) = Σ p·(−log p) = {number(entropy)} nats = {number(entropy / math.log(2))} bits: from 0, where one "
        f"class is certain, to log {K} = {number(math.log(K))}, where all are alike. 0·log 0 counts 0.",
        width - 2, "  ",
    )  # fmt: skip
    yield paragraph(
        f"H(p, q) = Σ p·(−log q) = {number(e.cross_entropy())} nats: the surprise of someone who expects q while p is "
        "true. With one certain class y it is −log q[y], the loss of a classifier.",
        width - 2, "  ",
    )  # fmt: skip


def divergences(e: "Entropy", width: int) -> Iterator[Text]:
    """What is lost by believing q."""
    yield heading("KL divergence: the surprise that a better q would save")
    cross, entropy, divergence = e.cross_entropy(), e.entropy(), e.divergence()
    yield paragraph(
        f"KL(p‖q) = Σ p·log(p / q) = {number(divergence)} = H(p, q) − H(p) = {number(cross)} − {number(entropy)}. It "
        "is never negative, and 0 only for q = p. Training can't change H(p): a smaller cross-entropy is a smaller KL.",
        width - 2, "  ",
    )  # fmt: skip
    if math.isinf(divergence):
        classes = np.flatnonzero((e.p > 0) & np.isneginf(e.log_q))
        yield paragraph(
            f"It is infinite because q calls class {classes[0]} impossible, and p doesn't.", width - 2, "  "
        )
    yield paragraph(
        f"KL(q‖p) = Σ q·log(q / p) = {number(e.reverse_divergence())}: not symmetric in general, so no distance.",
        width - 2, "  ",
    )  # fmt: skip


def scores(e: "Entropy", width: int) -> Iterator[Text]:
    """What happens to the powers of scores in float32."""
    yield heading("Why softmax and log belong together, in float32")
    powers, quotients, p = e.powers(), e.quotients(), e.softmax()
    apart, together = e.log_of_softmax(), e.log_softmax()
    table = [
        ("class", [str(k) for k in range(len(e.logits))]),
        ("x", [*map(number, e.logits)]),
        ("exp(x)", [*map(number, powers)]),
        ("exp(x) / sum", [*map(number, quotients)]),
        ("softmax(x)", [*map(number, p)]),
        ("log(softmax(x))", [*map(number, apart)]),
        ("log_softmax(x)", [*map(number, together)]),
    ]
    yield from table_of(table, width)
    largest, smallest = np.finfo(np.float32).max, np.finfo(np.float32).smallest_subnormal
    if not np.isfinite(powers.sum()):
        yield paragraph(
            f"\nThe sum of the powers overflows: float32 ends at {largest:.4g} = exp({math.log(largest):.2f}). A power "
            "that is inf, divided by inf, is nan, and what is finite becomes 0.",
            width - 2, "  ",
        )  # fmt: skip
    elif not powers.any():
        yield paragraph(
            f"\nAll powers round to 0, and 0 / 0 is nan: float32 has nothing between 0 and {smallest:.4g}.",
            width - 2,
            "  ",
        )
    yield paragraph(
        f"\nsoftmax takes the largest score off first: exp(x − {factor(e.logits.max())}) / Σ is the same quotient, and "
        "no power is above 1.",
        width - 2, "  ",
    )  # fmt: skip
    if np.isneginf(apart).any():
        yield paragraph(
            f"But p of class {int(apart.argmin())} is below {smallest:.4g} and rounds to 0, whose log is −inf.",
            width - 2, "  ",
        )  # fmt: skip
    yield paragraph(
        f"log_softmax never forms p: x − max − log Σ exp(x − max). For class {e.least} it gives "
        f"{number(together[e.least])}.",
        width - 2, "  ",
    )  # fmt: skip
    if np.isfinite(apart).all() and np.isfinite(quotients).all():
        yield paragraph("These scores are harmless: all ways agree but for rounding.", width - 2, "  ")


def losses(e: "Entropy", width: int) -> Iterator[Text]:
    """The loss of the least likely class, and what it teaches."""
    yield heading(f"The loss if class {e.least} is the right one, and its gradient")
    (loss, gradient), (better, exact) = e.apart(), e.together()
    table = [
        ("class", [str(k) for k in range(len(e.logits))]),
        ("by −log(softmax(x))", [*map(number, gradient)]),
        ("by cross_entropy", [*map(number, exact)]),
    ]
    yield Text(f"  −log(softmax(x)) = {number(loss)}; cross_entropy = {number(better)}. With respect to x:")
    yield from table_of(table, width)
    yield Text("\n  cross_entropy's gradient is p − y: finite whatever the scores.")


def _minus(logarithms: np.ndarray) -> list[str]:
    """Numbers with the other sign."""
    return [number(0 - value) for value in logarithms]


def _times(p: np.ndarray, logarithms: np.ndarray, there: np.ndarray) -> np.ndarray:
    """p·log, 0 where p is 0."""
    return np.multiply(p, logarithms, out=np.zeros(len(p)), where=there)
