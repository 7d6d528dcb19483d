"""Chapter 1: one window."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn import explain
from minicnn.learn.chapter import Case, Chapter, Mistake, calling, whole
from minicnn.learn.drawings import forward_of, sum_of

X = np.array([[1.0, 2, 0, 1], [0, 1, 3, 1], [2, 0, 1, 2], [1, 1, 0, 1]])
WEIGHT = np.array([[1.0, 0], [-1, 2]])


def shown() -> Any:
    return explain.conv2d(X, WEIGHT[None, None], at=(1, 2))


def values() -> dict[str, Any]:
    e = shown()
    return {"window": forward_of(e), "sum": sum_of(e), "y": e.results["output"].array[0, 0]}


def cases(generator: np.random.Generator) -> Sequence[Case]:
    found = []
    for H, W, KH, KW in ((1, 1, 1, 1), (3, 3, 2, 2), (4, 5, 2, 3), (5, 4, 3, 3), (6, 6, 5, 1), (7, 5, 1, 4)):
        x, weight = ("x", whole(generator, H, W)), ("weight", whole(generator, KH, KW))
        for i in range(H - KH + 1):
            found += [calling("output_pixel", x, weight, i, j) for j in range(W - KW + 1)]
    return found


CHAPTER = Chapter(
    number=1,
    title="One window",
    minutes=15,
    functions=("output_pixel",),
    hints=(
        "The window of output pixel (i, j) begins at x[i, j] and is as large as the kernel.",
        "Two loops: p over the kernel's rows, q over its columns. Each step adds one product to a total.",
        "The product is x[i + p, j + q] * weight[p, q]; the total starts at 0.",
    ),
    source=("minicnn.kernels.convolution.naive._forward",),
    mistakes=(
        Mistake(
            "The kernel is flipped. That is the convolution of mathematics; a network's convolution takes weight[p, "
            "q] for the pixel p rows below and q columns right of the window's first.",
            "x[i + p, j + q] * weight[p, q]",
            "x[i + p, j + q] * weight[KH - 1 - p, KW - 1 - q]",
        ),
        Mistake(
            "Row and column are swapped: the window of (i, j) begins in row i and column j.",
            "x[i + p, j + q] *",
            "x[j + p, i + q] *",
        ),
        Mistake(
            "The taps are swapped: p counts rows in x and in weight.",
            "x[i + p, j + q] *",
            "x[i + q, j + p] *",
        ),
        Mistake(
            "The total holds only the last product: `=` where there should be `+=`.",
            "total += x",
            "total = x",
        ),
        Mistake(
            "That is the mean of the products, not their sum.",
            "return total",
            "return total / (KH * KW)",
        ),
        Mistake(
            "The window begins in the image's corner whatever i and j are.",
            "x[i + p, j + q] *",
            "x[p, q] *",
        ),
        Mistake(
            "The window is put around pixel (i, j); without padding it begins there.",
            "x[i + p, j + q] *",
            "x[i + p - KH // 2, j + q - KW // 2] *",
        ),
    ),
    values=values,
    cases=cases,
    widget=shown,
)  # fmt: skip
