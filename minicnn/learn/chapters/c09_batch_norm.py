"""Chapter 9: batch norm and the three terms of its gradient."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn import explain
from minicnn.explain.terminal.normalization import forward, gradient, statistics
from minicnn.learn.chapter import Case, Chapter, Mistake, calling, whole
from minicnn.learn.drawings import WIDTH, plain

X = np.array([[[[1.0, 3], [2, 2]]], [[[0, 4], [5, 7]]]])


def shown() -> Any:
    grad = np.array([[[[1.0, 0], [0, 0]]], [[[0, 0], [0, 2]]]])
    return explain.batch_norm(X, [0.0], [1.0], [2.0], [1.0], True, at=(0, 0, 0, 0), grad_output=grad)


def values() -> dict[str, Any]:
    e = shown()
    return {"forward": plain([*statistics(e, WIDTH), *forward(e, WIDTH)]), "backward": plain(gradient(e, WIDTH))}


def cases(generator: np.random.Generator) -> Sequence[Case]:
    first, forward, backward = [], [], []
    for N, C, H, W, eps in (
        (2, 1, 1, 1, 1e-5),
        (2, 1, 2, 2, 1e-5),
        (3, 2, 1, 1, 0.5),
        (2, 3, 2, 4, 1e-5),
        (4, 2, 3, 3, 0.1),
    ):
        x = ("x", whole(generator, N, C, H, W) + np.arange(N)[:, None, None, None])
        weight, bias = ("weight", whole(generator, C) + 5), ("bias", whole(generator, C))
        first.append(calling("normalise", x, eps))
        forward.append(calling("batch_norm", x, weight, bias, eps))
        backward.append(calling("batch_norm_backward", ("grad_output", whole(generator, N, C, H, W)), x, weight, eps))
    return [*first, *forward, *backward]


CHAPTER = Chapter(
    number=9,
    title="Batch norm and the three terms of its gradient",
    minutes=35,
    functions=("normalise", "batch_norm", "batch_norm_backward"),
    hints=(
        "Mean and variance of a channel go over N, H and W: x.mean((0, 2, 3), keepdims=True). weight[:, None, None] "
        "has the channels' axis.",
        "Three ways lead from x to the loss: directly, through the mean, through the variance. With g the gradient "
        "with respect to x̂, the second takes away g's mean, the third x̂ times the mean of g·x̂.",
        "(g - g.mean(…) - normalised * (g * normalised).mean(…)) / deviation, means over (0, 2, 3) with keepdims=True, "
        "g = grad_output * weight[:, None, None].",
    ),
    source=(
        "minicnn.kernels.normalization._gradient_sums",
        "minicnn.kernels.normalization._grad_input",
    ),
    mistakes=(
        Mistake(
            "The mean goes over the batch only; a channel has one mean over images, rows and columns.",
            "(x - x.mean((0, 2, 3), keepdims=True)) / deviation, deviation",
            "(x - x.mean(0, keepdims=True)) / deviation, deviation",
        ),
        Mistake(
            "The variance is divided by n − 1; what normalises is the mean of the squares, divided by n.",
            "x.var((0, 2, 3), keepdims=True)",
            "x.var((0, 2, 3), keepdims=True, ddof=1)",
        ),
        Mistake(
            "eps is added to the standard deviation; it belongs to the variance, under the root.",
            "np.sqrt(x.var((0, 2, 3), keepdims=True) + eps)",
            "np.sqrt(x.var((0, 2, 3), keepdims=True)) + eps",
        ),
        Mistake(
            "The deviations are divided by the variance, not by its root.",
            "np.sqrt(x.var((0, 2, 3), keepdims=True) + eps)",
            "(x.var((0, 2, 3), keepdims=True) + eps)",
        ),
        Mistake(
            "The bias is scaled, too: scale first, then shift.",
            "return normalised * weight[:, None, None] + bias[:, None, None]",
            "return (normalised + bias[:, None, None]) * weight[:, None, None]",
        ),
        Mistake(
            "Mean and variance are taken as constants: the gradient has two more terms, since both depend on x.",
            "(g - through_mean - through_variance) / deviation",
            "g / deviation",
        ),
        Mistake(
            "The term through the variance is missing.",
            "(g - through_mean - through_variance)",
            "(g - through_mean)",
        ),
        Mistake(
            "The term through the mean is missing.",
            "(g - through_mean - through_variance)",
            "(g - through_variance)",
        ),
        Mistake(
            "The weight is left out of the gradient with respect to x.",
            "g = grad_output * weight[:, None, None]",
            "g = grad_output",
        ),
        Mistake(
            "The gradient with respect to the weight is that of the bias: it is the sum of grad_output · x̂.",
            "grad_weight = (grad_output * normalised).sum((0, 2, 3))",
            "grad_weight = grad_output.sum((0, 2, 3))",
        ),
    ),
    values=values,
    cases=cases,
    widget=shown,
)
