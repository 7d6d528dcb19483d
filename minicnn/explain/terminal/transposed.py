"""conv_transpose2d in the terminal: what reaches an output pixel, how an input pixel is spread, and the gradients."""

from collections.abc import Iterator
from math import prod
from typing import TYPE_CHECKING

import numpy as np
from rich.text import Text

from minicnn.explain.terminal.grid import grid
from minicnn.explain.terminal.numbers import factor, indices, number, times
from minicnn.explain.terminal.parts import bands, output_grid, remarks, title
from minicnn.explain.terminal.printing import heading, paragraph
from minicnn.explain.terminal.sums import equation, products, sum_of_windows
from minicnn.kernels.geometry import Axis

if TYPE_CHECKING:
    from minicnn.explain.transposed import TransposedConvolution


def sections(e: "TransposedConvolution", width: int) -> Iterator[Text]:
    """What `print` shows, for lines of so many characters."""
    yield title(e, width)
    yield from size(e)
    yield from spreading(e, width)
    yield from forward(e, width)
    yield from gradient(e, width)
    yield from weight_gradient(e, width)
    yield from costs(e)


def size(e: "TransposedConvolution") -> Iterator[Text]:
    """The formula of the output's size with the numbers in it."""
    yield heading("Size of the output")
    axes = (e.geometry.height, e.geometry.width)
    for names, axis, extra in zip(("OH H KH", "OW W KW"), axes, e.options["output_padding"], strict=True):
        yield Text(size_formula(names, axis, extra))
    yield Text(f"  output {times(e.results['output'].array.shape)}")


def size_formula(names: str, a: Axis, extra: int) -> str:
    """The formula, and the same with numbers. The axis is that of the convolution: its output is the input here."""
    output, pixels, kernel = names.split()
    start = f"\n  {' ' * len(output)} = "
    return (
        f"  {output} = ({pixels} − 1)·stride − 2·padding + dilation·({kernel} − 1) + output_padding + 1"
        f"{start}({a.output} − 1)·{a.stride} − 2·{a.before} + {a.dilation}·({a.kernel} − 1) + {extra} + 1"
        f"{start}{a.size}"
    )


def spreading(e: "TransposedConvolution", width: int) -> Iterator[Text]:
    """One input pixel, the weight, and their product where it lands."""
    n, o, *_ = e.at
    c, i, j = e.pixel
    rows, columns = e.taps
    x, weight = e.arrays["input"].array, e.arrays["weight"].array
    vertical, horizontal = e.geometry.height, e.geometry.width
    yield heading(f"Forward: input pixel x{indices((n, c, i, j))} is spread over the output")
    yield paragraph(
        f"It adds x·weight = {number(x[n, c, i, j])}·weight to the output, from row {i}·{vertical.stride} − "
        f"{vertical.before} = {rows[0]} and column {j}·{horizontal.stride} − {horizontal.before} = {columns[0]} on.",
        width - 2, "  ",
    )  # fmt: skip
    landed = {(row, column): "window" for row in rows for column in columns}
    near = (rows[0], rows[-1]), (columns[0], columns[-1])
    yield from bands(
        [
            grid(f"x{indices((n, c))}", x[n, c], marks={(i, j): "pixel"}, focus=((i, i), (j, j)), width=width - 2),
            grid(f"weight{indices((c, e.output_in_group))}", weight[c, e.output_in_group], width=width - 2),
            grid(f"what it adds to y{indices((n, o))}", e.spread()[n, o], marks=landed, focus=near, width=width - 2),
        ],
        width,
    )
    counts = e.windows_of_pixels()
    several = {(int(row), int(column)): "several" for row, column in np.argwhere(counts > 1)}
    yield from bands(
        [
            grid("input pixels that reach an output pixel", counts, marks=several, focus=near, width=width - 2),
            output_grid(e, "output", f"y{indices((n, o))}, all added up", width),
        ],
        width,
    )
    if several:
        yield Text("\n  * is reached by several input pixels, whose products add up.")
    if not counts.all():
        yield paragraph(
            f"{int((counts == 0).sum())} of {counts.size} output pixels are reached by none.", width - 2, "  "
        )
    yield from remarks(e, "")


def forward(e: "TransposedConvolution", width: int) -> Iterator[Text]:
    """The sum at the output pixel."""
    n, o, *_ = e.at
    x, weight = e.arrays["input"].array, e.arrays["weight"].array
    sources = e.sources()
    first = np.array([x[(n, *pixel)] for pixel, _ in sources])
    second = np.array([weight[(pixel[0], e.output_in_group, *tap)] for pixel, tap in sources])
    yield heading(f"Output pixel y{indices(e.at)}: its sum")
    yield from products("x at c,i,j", "x", sources, first, second, width)
    last = f"bias {factor(e.arrays['bias'].array[o])}" if "bias" in e.arrays else ""
    result = e.results["output"].array[e.at]
    yield equation(f"y{indices(e.at)}", first, second, result=result, width=width, last=last)


def gradient(e: "TransposedConvolution", width: int) -> Iterator[Text]:
    """The input pixel's gradient: a convolution of the output's gradient."""
    n, o, *_ = e.at
    c, i, j = e.pixel
    rows, columns = e.taps
    g, weight = e.results["grad_output"].array, e.arrays["weight"].array
    here = indices((n, c, i, j))
    yield heading(f"Backward: the gradient of x{here}")
    yield paragraph(
        "What an input pixel was spread over sends its gradient back: a convolution of the output's gradient with the "
        "same weight.",
        width - 2, "  ",
    )  # fmt: skip
    seen = {(row, column): "window" for row in rows for column in columns}
    yield from bands(
        [
            grid(
                f"gradient of y{indices((n, o))}",
                g[n, o],
                marks=seen,
                focus=((rows[0], rows[-1]), (columns[0], columns[-1])),
                width=width - 2,
            ),
            grid(
                f"gradient of x{indices((n, c))}",
                e.results["grad_input"].array[n, c],
                marks={(i, j): "pixel"},
                focus=((i, i), (j, j)),
                width=width - 2,
            ),
        ],
        width,
    )
    sources = e.collected()
    OG = weight.shape[1]
    first = np.array([g[(n, *pixel)] for pixel, _ in sources])
    second = np.array([weight[(c, pixel[0] % OG, *tap)] for pixel, tap in sources])
    yield from products("y at o,i,j", "g", sources, first, second, width)
    result = e.results["grad_input"].array[n, c, i, j]
    yield equation(f"gradient of x{here}", first, second, result=result, width=width)


def weight_gradient(e: "TransposedConvolution", width: int) -> Iterator[Text]:
    """The gradient with respect to the weight as a sum over input pixels."""
    o, c = e.at[1], e.pixel[0]
    x, label = e.arrays["input"].array[:, c], indices((c, e.output_in_group))
    yield heading("Backward: the gradient with respect to the weight")
    yield paragraph(
        f"The sum over all {x.size} input pixels of x·window of y's gradient, here for weight{label}.", width - 2, "  "
    )

    def name(place: tuple[int, ...]) -> str:
        return f"window of x{indices((place[0], c, *place[1:]))}"

    total = e.results["grad_weight"].array[c, e.output_in_group]
    yield from sum_of_windows(x, e.gradient_windows(), name, f"gradient of weight{label}", total, width)
    if "bias" in e.arrays:
        g = e.results["grad_output"].array[:, o]
        yield equation(f"gradient of bias[{o}]", g, result=e.results["grad_bias"].array[o], width=width)


def costs(e: "TransposedConvolution") -> Iterator[Text]:
    """Parameters and multiply-adds."""
    x, weight = e.arrays["input"].array.shape, e.arrays["weight"].array.shape
    N, O, OH, OW = e.results["output"].array.shape
    bias = f" + {O}" if "bias" in e.arrays else ""
    parameters = prod(weight) + (O if bias else 0)
    pixels, each = "·".join(map(str, (N, *x[1:]))), "·".join(map(str, weight[1:]))
    yield heading("What it costs")
    yield Text(f"  parameters     {'·'.join(map(str, weight))}{bias} = {parameters:,}")
    yield Text(f"  multiply-adds  {pixels} input pixels · {each} = {prod(x) * prod(weight[1:]):,}")
    yield Text(
        f"                 (minicnn summary counts {N}·{OH}·{OW} · {parameters:,} = {N * OH * OW * parameters:,})"
    )
