"""Chapter 4: the patch matrix, and convolution as one product."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn import explain
from minicnn.learn.chapter import Case, Chapter, Judged, Mistake, calling, whole
from minicnn.learn.chapters.c03_seven_loops import convolutions
from minicnn.learn.drawings import matrices
from minicnn.nn import functional as F

X = np.array([[1.0, 2, 3], [4, 5, 6], [7, 8, 9]])
WEIGHT = np.array([[1.0, 2], [0, -1]])


def shown() -> Any:
    return explain.conv2d(X, WEIGHT[None, None], at=(0, 1))


def values() -> dict[str, Any]:
    from minicnn import from_numpy

    columns = F.unfold(from_numpy(X[None, None]), 2).numpy()[0]
    row = WEIGHT.reshape(1, 4)
    return {
        "x": matrices(x=X, weight=WEIGHT), "columns": matrices(columns=columns),
        "product": matrices(row=row, **{"row @ columns": row @ columns}),
        "more": f"{9 * 64 * 56 * 56 * 4 / 1e6:.0f}", "less": f"{64 * 56 * 56 * 4 / 1e6:.1f}",
    }  # fmt: skip


def cases(generator: np.random.Generator) -> Sequence[Case]:
    found = [
        calling("unfold", ("x", whole(generator, *shape)), K, **options)
        for shape, K, options in (
            ((1, 1, 2, 2), 1, {}), ((1, 1, 3, 3), 2, {}), ((1, 2, 3, 3), 2, {}), ((2, 1, 3, 4), 2, {}),
            ((1, 1, 5, 5), 3, {"stride": 2}), ((1, 1, 3, 3), 3, {"padding": 1}), ((1, 1, 5, 4), 2, {"dilation": 2}),
            ((2, 3, 7, 6), 3, {"dilation": 2, "padding": 2, "stride": 2}),
        )
    ]  # fmt: skip
    return [*found, *convolutions(generator, ("conv2d",), square=True)]


CHAPTER = Chapter(
    number=4,
    title="The patch matrix",
    minutes=30,
    functions=("unfold", "conv2d"),
    hints=(
        "Don't loop over output pixels: loop over the K·K taps, and take for each one what it sees in all windows. "
        "That is a slice of the padded image with a step.",
        "Tap (p, q) sees padded[:, :, p·dilation : … : stride, q·dilation : … : stride], OH rows and OW columns of it.",
        "Collect the slices in an array (N, C, K, K, OH, OW) and reshape it in the end. In conv2d, "
        "weight.reshape(O, C * K * K) @ columns does the rest.",
    ),
    source=("minicnn.kernels.convolution.im2col.im2col",),
    mistakes=(
        Mistake(
            "The slices have no end, so they go on to the end of the image: take OH rows and OW columns, as "
            "[top : top + (OH - 1) * stride + 1 : stride].",
            "padded[:, :, top:bottom:stride, left:right:stride]",
            "padded[:, :, top::stride, left::stride]",
        ),
        Mistake(
            "Stride and dilation are swapped in the call of `unfold`, which takes dilation, padding, stride.",
            "columns = unfold(x, K, dilation, padding, stride)",
            "columns = unfold(x, K, stride, padding, dilation)",
        ),
        Mistake(
            "There is one bias for each output channel: bias[:, None] fits (N, O, OH·OW).",
            "y = y + bias[:, None]",
            "y = y + bias",
        ),
        Mistake(
            "Rows are ordered by tap before channel; row (c·K + p)·K + q belongs to channel c.",
            "return columns.reshape(N, C * K * K, OH * OW)",
            "return columns.transpose(0, 2, 3, 1, 4, 5).reshape(N, C * K * K, OH * OW)",
        ),
        Mistake(
            "p and q are swapped: p counts rows, so it belongs to the first axis of the image.",
            "columns[:, :, p, q] =",
            "columns[:, :, q, p] =",
        ),
        Mistake(
            "A window is a row here; it should be a column.",
            "return columns.reshape(N, C * K * K, OH * OW)",
            "return columns.reshape(N, C * K * K, OH * OW).transpose(0, 2, 1)",
        ),
        Mistake(
            "The stride is left out: neighbouring windows lie one pixel apart.",
            "bottom, right = top + (OH - 1) * stride + 1, left + (OW - 1) * stride + 1\n"
            "            columns[:, :, p, q] = padded[:, :, top:bottom:stride, left:right:stride]",
            "columns[:, :, p, q] = padded[:, :, top : top + OH, left : left + OW]",
        ),
        Mistake(
            "The dilation is left out: tap p lies p·dilation below the first one.",
            "top, left = p * dilation, q * dilation",
            "top, left = p, q",
        ),
        Mistake(
            "The padding is all behind the image; half of it belongs before.",
            "padded[:, :, padding : padding + H, padding : padding + W] = x",
            "padded[:, :, :H, :W] = x",
        ),
        Mistake(
            "The padding holds ones; it counts as 0.",
            "padded = np.zeros(",
            "padded = np.ones(",
        ),
        Mistake(
            "The bias is missing.",
            "    if bias is not None:\n        y = y + bias[:, None]\n",
            "",
        ),
    ),
    values=values,
    cases=cases,
    judged=(
        Judged("unfold", "unfold", without=("empty batch",)),
        Judged("conv2d", "conv2d", without=("kernel sizes", "empty batch")),
    ),
    widget=shown,
)  # fmt: skip
