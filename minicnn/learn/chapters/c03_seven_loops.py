"""Chapter 3: convolution in seven loops."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn import explain
from minicnn.learn.chapter import Case, Chapter, Judged, Mistake, calling, whole
from minicnn.learn.drawings import forward_of, sum_of

SHAPES: tuple[tuple[Any, ...], ...] = (
    ((1, 1, 2, 2), (1, 1, 1, 1), {}), ((1, 1, 3, 3), (1, 1, 2, 2), {}), ((1, 1, 3, 4), (1, 1, 2, 3), {}),
    ((1, 2, 3, 3), (1, 2, 2, 2), {}), ((1, 1, 3, 3), (2, 1, 2, 2), {}), ((2, 1, 3, 3), (1, 1, 2, 2), {}),
    ((1, 1, 5, 5), (1, 1, 3, 3), {"stride": 2}), ((1, 1, 3, 3), (1, 1, 3, 3), {"padding": 1}),
    ((1, 1, 5, 5), (1, 1, 2, 2), {"dilation": 2}), ((2, 3, 6, 5), (4, 3, 3, 2), {"stride": 2, "padding": 1}),
    ((1, 2, 7, 7), (3, 2, 3, 3), {"stride": 2, "padding": 2, "dilation": 2}),
)  # fmt: skip


def shown() -> Any:
    generator = np.random.default_rng(3)
    x, weight = generator.integers(0, 4, (1, 2, 3, 3)), generator.integers(-1, 3, (2, 2, 2, 2))
    return explain.conv2d(x, weight, [1, -1], padding=1, stride=2, at=(0, 1, 0, 1))


def values() -> dict[str, Any]:
    e = shown()
    return {"window": forward_of(e), "sum": sum_of(e)}


def cases(generator: np.random.Generator) -> Sequence[Case]:
    return convolutions(generator, ("conv2d",))


def convolutions(generator: np.random.Generator, functions: Sequence[str], square: bool = False) -> list[Case]:
    """Calls without and with a bias."""
    found = []
    for x, weight, options in SHAPES:
        kernel = (*weight[:2], weight[2], weight[2]) if square else weight
        for bias in (None, ("bias", whole(generator, weight[0]))):
            arrays = ("x", whole(generator, *x)), ("weight", whole(generator, *kernel)), bias
            found += [calling(function, *arrays, **options) for function in functions]
    return found


CHAPTER = Chapter(
    number=3,
    title="Convolution in seven loops",
    minutes=25,
    functions=("conv2d",),
    hints=(
        "Four loops choose the output pixel: image n, output channel o, row i, column j. Three choose what is added to "
        "it: input channel c, tap (p, q).",
        "Chapter 2 along both axes: row = i * stride - padding + p * dilation, likewise the column. Skip what lies "
        "outside.",
        "Begin with y = np.zeros((N, O, OH, OW), x.dtype); add x[n, c, row, column] * weight[o, c, p, q]; add "
        "bias[:, None, None] once, at the end.",
    ),
    source=("minicnn.kernels.convolution.naive._forward",),
    mistakes=(
        Mistake(
            "The kernel is flipped. A network's convolution takes weight[o, c, p, q] for the pixel p rows below and q "
            "columns right of the window's first.",
            "* weight[o, c, p, q]",
            "* weight[o, c, KH - 1 - p, KW - 1 - q]",
        ),
        Mistake(
            "Only one input channel counts; the sum goes over all of them.",
            "for c in range(C):",
            "for c in range(1):",
        ),
        Mistake(
            "y holds only the last product of each sum: `=` where there should be `+=`.",
            "y[n, o, i, j] += x",
            "y[n, o, i, j] = x",
        ),
        Mistake(
            "The image is read from its other end where a window begins in the padding: in Python x[-1] is the last "
            "row. Taps outside the image add nothing.",
            "if 0 <= row < H and 0 <= column < W:",
            "if row < H and column < W:",
        ),
        Mistake(
            "Stride and dilation are swapped: windows lie `stride` apart, taps `dilation`.",
            "row = i * stride - padding + p * dilation\n                                "
            "column = j * stride - padding + q * dilation",
            "row = i * dilation - padding + p * stride\n                                "
            "column = j * dilation - padding + q * stride",
        ),
        Mistake(
            "The padding has the wrong sign: the first window begins before the image, at −padding.",
            "row = i * stride - padding + p * dilation\n                                "
            "column = j * stride - padding + q * dilation",
            "row = i * stride + padding + p * dilation\n                                "
            "column = j * stride + padding + q * dilation",
        ),
        Mistake(
            "The bias is missing.",
            "    if bias is not None:\n        y += bias[:, None, None]\n",
            "",
        ),
        Mistake(
            "The bias goes to columns, not to channels: bias[:, None, None] has the channels' axis.",
            "y += bias[:, None, None]",
            "y += np.resize(bias, OW)",
        ),
    ),
    values=values,
    cases=cases,
    judged=(Judged("conv2d", "conv2d", without=("empty batch",)),),
    widget=shown,
)
