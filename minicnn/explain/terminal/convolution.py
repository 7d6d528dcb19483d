"""conv2d in the terminal: size, window, patch row and sum; where the gradient goes; costs."""

from collections.abc import Iterator
from itertools import islice
from math import prod
from typing import TYPE_CHECKING

import numpy as np
from rich.text import Text

from minicnn.explain.terminal.convolution_gradients import gradient, weight_gradient
from minicnn.explain.terminal.grid import PADDING, grid
from minicnn.explain.terminal.numbers import factor, indices, number
from minicnn.explain.terminal.parts import bands, input_grid, output_grid, remarks, size, title, window_start
from minicnn.explain.terminal.printing import heading, paragraph
from minicnn.explain.terminal.sums import TERMS, equation, table_of

if TYPE_CHECKING:
    from minicnn.explain.convolution import Convolution

CHANNELS = 3
"""Input channels that are drawn; the others only count in the sum."""


def sections(e: "Convolution", width: int) -> Iterator[Text]:
    """What `print` shows, for lines of so many characters."""
    yield title(e, width)
    yield from size(e, (e.geometry.height.after, e.geometry.width.after))
    yield from forward(e, width)
    yield from patch_row(e, width)
    yield from gradient(e, width)
    yield from weight_gradient(e, width)
    yield from costs(e)


def forward(e: "Convolution", width: int) -> Iterator[Text]:
    """The window of the output pixel, its weights and the output."""
    n, o, *_ = e.at
    yield heading(f"Forward: output pixel y{indices(e.at)}")
    yield window_start(e)
    weight = e.arrays["weight"].array
    for c in e.channels[:CHANNELS]:
        within = c - e.channels.start
        blocks = [
            input_grid(e, c, f"x{indices((n, c))}, its window in [ ]", width),
            grid(f"weight{indices((o, within))}", weight[o, within]),
        ]
        if within == 0:
            blocks.append(output_grid(e, "output", f"y{indices((n, o))}", width))
        yield from bands(blocks, width)
    more = len(e.channels) - CHANNELS
    if more > 0:
        yield Text(f"  … and {more} more channels")
    yield Text("")
    yield from remarks(e, "counts as 0")


def patch_row(e: "Convolution", width: int) -> Iterator[Text]:
    """The pixel's row of the patch matrix above its weights and products, and its sum."""
    n, o, i, j = e.at
    N, _, OH, OW = e.results["output"].array.shape
    KH, KW = e.geometry.kernel
    patch, kernel = e.patch(), e.kernel()
    taps = list(islice(np.ndindex(patch.shape), TERMS))
    yield heading("Its row of the patch matrix, and its sum")
    yield paragraph(
        f"Row {(n * OH + i) * OW + j} of 0 to {N * OH * OW - 1}: a row is a window, a column a tap "
        f"(row p, column q, channel c); there are {KH}·{KW}·{len(e.channels)} = {patch.size} columns.",
        width - 2, "  ",
    )  # fmt: skip
    inside = e.inside()
    table = [
        ("p,q,c", [",".join(map(str, tap)) for tap in taps]),
        ("x", [number(patch[tap]) if inside[tap[:2]] else PADDING for tap in taps]),
        ("weight", [number(kernel[tap]) for tap in taps]),
        ("product", [number(patch[tap] * kernel[tap]) for tap in taps]),
    ]
    yield from table_of(table, width)
    last = f"bias {factor(e.arrays['bias'].array[o])}" if "bias" in e.arrays else ""
    result = e.results["output"].array[e.at]
    yield equation(f"y{indices(e.at)}", patch, kernel, result=result, width=width, last=last)


def costs(e: "Convolution") -> Iterator[Text]:
    """Parameters and multiply-adds, as `minicnn summary` counts them."""
    weight, output = e.arrays["weight"].array.shape, e.results["output"].array.shape
    bias = f" + {weight[0]}" if "bias" in e.arrays else ""
    parameters = prod(weight) + (weight[0] if bias else 0)
    pixels = output[0] * output[2] * output[3]
    yield heading("What it costs")
    yield Text(f"  parameters     {'·'.join(map(str, weight))}{bias} = {parameters:,}")
    yield Text(
        f"  multiply-adds  {output[0]}·{output[2]}·{output[3]} pixels · {parameters:,} = {pixels * parameters:,}"
    )
