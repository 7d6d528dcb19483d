"""Chapter 5: the gradient with respect to x."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn import explain
from minicnn.learn.chapter import Case, Chapter, Judged, Mistake, calling, whole
from minicnn.learn.drawings import gradient_of, matrices

X = np.array([[1.0, 2, 0, 1], [0, 1, 3, 1], [2, 0, 1, 2], [1, 1, 0, 1]])
WEIGHT = np.array([[1.0, 0], [-1, 2]])
SETTINGS: tuple[tuple[Any, ...], ...] = (
    (1, 1, 1, (2, 2), 1, {}), (1, 1, 1, (3, 3), 2, {}), (1, 2, 1, (3, 3), 2, {}), (1, 1, 2, (3, 3), 2, {}),
    (2, 1, 1, (3, 4), 2, {}), (1, 1, 1, (5, 5), 3, {"stride": 2}), (1, 1, 1, (6, 6), 3, {"stride": 2}),
    (1, 1, 1, (3, 3), 3, {"padding": 1}), (1, 1, 1, (5, 4), 2, {"dilation": 2}),
    (2, 3, 4, (8, 7), 3, {"dilation": 2, "padding": 2, "stride": 2}),
)  # fmt: skip
"""N, C, O, (H, W), K and the options."""


def shown() -> Any:
    return explain.conv2d(X, WEIGHT[None, None], at=(1, 2), grad_output=np.arange(1.0, 10).reshape(1, 1, 3, 3))


def values() -> dict[str, Any]:
    e = shown()
    results = {name: one.array[0, 0] for name, one in e.results.items() if name in ("grad_output", "grad_input")}
    flipped = WEIGHT[::-1, ::-1]
    return {"gradient": gradient_of(e), "both": matrices(**results, **{"weight, turned around": flipped})}


def output(size: int, K: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> int:
    return (size + 2 * padding - (K - 1) * dilation - 1) // stride + 1


def cases(generator: np.random.Generator) -> Sequence[Case]:
    folds, gradients = [], []
    for N, C, O, size, K, options in SETTINGS:
        OH, OW = (output(one, K, **options) for one in size)
        columns = ("columns", whole(generator, N, C * K * K, OH * OW))
        folds.append(calling("fold", columns, size, K, **options))
        arrays = ("grad_output", whole(generator, N, O, OH, OW)), ("weight", whole(generator, O, C, K, K))
        gradients.append(calling("grad_input", *arrays, size, **options))
    return [*folds, *gradients]


CHAPTER = Chapter(
    number=5,
    title="The gradient with respect to x",
    minutes=35,
    functions=("fold", "grad_input"),
    hints=(
        "Take `unfold` of chapter 4 and swap source and target: what it copied from a pixel to a column is now added "
        "from the column to the pixel.",
        "With columns reshaped to (N, C, K, K, OH, OW): padded[:, :, top:bottom:stride, left:right:stride] += "
        "columns[:, :, p, q], tap by tap; then cut off the padding.",
        "The forward pass was weight.reshape(O, C * K * K) @ columns. The gradient with respect to "
        "columns is the transposed weight times grad_output; `fold` brings it back to the image.",
    ),
    source=("minicnn.kernels.convolution.im2col.col2im", "minicnn.kernels.convolution.naive._grad_input"),
    mistakes=(
        Mistake(
            "padding:-padding is empty where padding is 0: write padding : padding + H.",
            "return padded[:, :, padding : padding + H, padding : padding + W]",
            "return padded[:, :, padding:-padding, padding:-padding]",
        ),
        Mistake(
            "Stride and dilation are swapped in the call of `fold`, which takes dilation, padding, stride.",
            "return fold(columns, size, K, dilation, padding, stride)",
            "return fold(columns, size, K, stride, padding, dilation)",
        ),
        Mistake(
            "The weight is not transposed: (C·K·K, O) @ (N, O, OH·OW).",
            "columns = weight.reshape(O, C * K * K).T @ rows",
            "columns = weight.reshape(O, C * K * K) @ rows",
        ),
        Mistake(
            "Each pixel keeps only what came last: `=` where there should be `+=`. A pixel lies in several windows, "
            "and their gradients add up.",
            "left:right:stride] += columns",
            "left:right:stride] = columns",
        ),
        Mistake(
            "The padding is cut off at the wrong place: the image begins at padding.",
            "return padded[:, :, padding : padding + H, padding : padding + W]",
            "return padded[:, :, :H, :W]",
        ),
        Mistake(
            "The stride is left out: the columns of neighbouring windows land one pixel apart.",
            "padded[:, :, top:bottom:stride, left:right:stride] +=",
            "padded[:, :, top : top + OH, left : left + OW] +=",
        ),
        Mistake(
            "The dilation is left out: what tap p saw lies p·dilation below the first.",
            "top, left = p * dilation, q * dilation",
            "top, left = p, q",
        ),
        Mistake(
            "p and q are swapped: p counts rows.",
            "+= columns[:, :, p, q]",
            "+= columns[:, :, q, p]",
        ),
        Mistake(
            "The sums are divided by the number of windows that cover a pixel; gradients add up, they are no mean.",
            "    return padded[:, :, padding",
            "    counts = np.zeros(padded.shape)\n    for p in range(K):\n        for q in range(K):\n"
            "            top, left = p * dilation, q * dilation\n"
            "            bottom, right = top + (OH - 1) * stride + 1, left + (OW - 1) * stride + 1\n"
            "            counts[:, :, top:bottom:stride, left:right:stride] += 1\n"
            "    padded = padded / np.maximum(counts, 1)\n    return padded[:, :, padding",
        ),
        Mistake(
            "The kernel is turned around once too often: `fold` puts each product where its tap was already.",
            "columns = weight.reshape(O, C * K * K).T @ rows",
            "columns = weight[:, :, ::-1, ::-1].reshape(O, C * K * K).T @ rows",
        ),
        Mistake(
            "Only one output channel counts; every one sends a gradient back.",
            "columns = weight.reshape(O, C * K * K).T @ rows",
            "columns = weight[:1].reshape(1, C * K * K).T @ rows[:, :1]",
        ),
    ),
    values=values,
    cases=cases,
    judged=(Judged("fold", "fold", without=("empty batch",)),),
    widget=shown,
)  # fmt: skip
