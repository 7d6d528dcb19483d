"""Chapter 8: softmax and cross-entropy."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn import explain
from minicnn.explain.terminal.classes import gradient, loss, softmax
from minicnn.learn.chapter import Case, Chapter, Mistake, calling
from minicnn.learn.drawings import WIDTH, plain

SCORES = np.array([[2.0, 0, 1], [1, 3, -1]])
TARGET = np.array([0, 2])


def shown() -> Any:
    return explain.cross_entropy(SCORES, TARGET, at=(1,), grad_output=np.array(1.0))


def values() -> dict[str, Any]:
    e = shown()
    with np.errstate(over="ignore"):
        overflow = np.exp(np.float32(89))
    return {
        "forward": plain([*softmax(e, WIDTH), *loss(e, WIDTH)]), "backward": plain(gradient(e, WIDTH)),
        "overflow": overflow, "largest": f"{np.log(np.finfo(np.float32).max):.2f}", "classes": f"{np.log(10):.3f}",
    }  # fmt: skip


def cases(generator: np.random.Generator) -> Sequence[Case]:
    logs, losses, gradients = [], [], []
    for N, C, scale in ((1, 2, 1), (1, 3, 1), (2, 3, 1), (4, 5, 3), (3, 10, 1), (2, 4, 1000)):
        x = ("x", (generator.standard_normal((N, C)) * scale).round(1))
        target = ("target", generator.integers(0, C, N))
        logs.append(calling("log_softmax", x))
        losses.append(calling("cross_entropy", x, target))
        gradients += [calling("cross_entropy_backward", factor, x, target) for factor in (1.0, -0.5)]
    return [*logs, *losses, *gradients]


CHAPTER = Chapter(
    number=8,
    title="Softmax and cross-entropy",
    minutes=25,
    functions=("log_softmax", "cross_entropy", "cross_entropy_backward"),
    hints=(
        "log(exp(x) / Σ exp) is x − log Σ exp. Subtracting the same number from a whole row changes no probability, so "
        "subtract the row's largest first.",
        "x.max(1, keepdims=True) keeps the axis, so that it can be subtracted from x. The log of the right classes: "
        "log_softmax(x)[np.arange(N), target].",
        "The gradient of one row is its probabilities, with 1 subtracted at the right class; divide by N for the mean, "
        "and multiply by grad_output.",
    ),
    source=("minicnn.nn.functional.classes.CrossEntropy",),
    mistakes=(
        Mistake(
            "Large scores overflow: subtract each row's maximum before exp.",
            "shifted = x - x.max(1, keepdims=True)",
            "shifted = x",
        ),
        Mistake(
            "The sum goes over all rows together; each row has its own.",
            "np.log(np.exp(shifted).sum(1, keepdims=True))",
            "np.log(np.exp(shifted).sum())",
        ),
        Mistake(
            "The sum goes over the batch; the probabilities of a row add up to 1, so sum over axis 1.",
            "np.log(np.exp(shifted).sum(1, keepdims=True))",
            "np.log(np.exp(shifted).sum(0, keepdims=True))",
        ),
        Mistake(
            "Those are the probabilities, not their logarithms.",
            "return shifted - np.log(np.exp(shifted).sum(1, keepdims=True))",
            "return np.exp(shifted) / np.exp(shifted).sum(1, keepdims=True)",
        ),
        Mistake(
            "The sign is wrong: a loss is small where the right class is likely, so it is the negative logarithm.",
            "return -log_softmax",
            "return log_softmax",
        ),
        Mistake(
            "That is the sum over the rows; the loss is their mean.",
            "[rows, target].mean()",
            "[rows, target].sum()",
        ),
        Mistake(
            "The gradient is not divided by the number of rows; the loss is a mean.",
            "(grad_output / len(x))",
            "grad_output",
        ),
        Mistake(
            "1 is not subtracted at the right class: the gradient is the probabilities less the one-hot target.",
            "    gradient[rows, target] -= 1\n",
            "",
        ),
        Mistake(
            "grad_output is left out: what comes after the loss scales its gradient.",
            "(grad_output / len(x))",
            "(1 / len(x))",
        ),
    ),
    values=values,
    cases=cases,
    widget=shown,
)
