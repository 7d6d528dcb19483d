"""conv2d in the terminal: size, window, patch row and sum; where the gradient goes; costs."""

from collections.abc import Iterator
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.text import Text

from minicnn.explain.terminal.grid import PADDING, beside, grid
from minicnn.explain.terminal.numbers import factor, indices, is_rounded, number, times
from minicnn.explain.terminal.printing import heading, paragraph
from minicnn.kernels.geometry import Axis

if TYPE_CHECKING:
    from minicnn.explain.convolution import Convolution

CHANNELS = 3
"""Input channels that are drawn; the others only count in the sum."""
TERMS = 36
WINDOWS = 9
"""Windows that are drawn for the gradient with respect to the weight."""


def sections(e: "Convolution", width: int) -> Iterator[Text]:
    """What `print` shows, for lines of so many characters."""
    yield title(e, width)
    yield from size(e)
    yield from forward(e, width)
    yield from patch_row(e, width)
    yield from gradient(e, width)
    yield from weight_gradient(e, width)
    yield from costs(e)


def title(e: "Convolution", width: int) -> Text:
    """The call in a line."""
    shapes = [f"{name} {times(one.array.shape)}" for name, one in e.arrays.items()]
    words = [f"{name} {short(value)}" for name, value in e.options.items()]
    text = paragraph(f"{e.op}: {', '.join([*shapes, *words])}", width)
    text.stylize("bold", 0, len(e.op))
    return text


def short(value: Any) -> str:
    """One number for two equal ones, others with commas."""
    values = value if isinstance(value, tuple) else (value,)
    return str(values[0]) if len(set(values)) == 1 else ",".join(map(str, values))


def size(e: "Convolution") -> Iterator[Text]:
    """The formula of the output's size with the numbers in it."""
    yield heading("Size of the output")
    for names, axis in zip(
        ("OH H KH top bottom", "OW W KW left right"), (e.geometry.height, e.geometry.width), strict=True
    ):
        yield Text(size_formula(names.split(), axis))
    yield Text(f"  output {times(e.results['output'].array.shape)}")


def size_formula(names: list[str], a: Axis) -> str:
    """The formula, and the same with numbers."""
    output, pixels, kernel, before, after = names
    start = f"\n  {' ' * len(output)} = "
    return (
        f"  {output} = ⌊({pixels} + {before} + {after} − dilation·({kernel} − 1) − 1) / stride⌋ + 1"
        f"{start}⌊({a.size} + {a.before} + {a.after} − {a.dilation}·({a.kernel} − 1) − 1) / {a.stride}⌋ + 1"
        f"{start}⌊{a.padded - a.extent} / {a.stride}⌋ + 1 = {a.output}"
    )


def forward(e: "Convolution", width: int) -> Iterator[Text]:
    """The window of the output pixel, its weights and the output."""
    n, o, i, j = e.at
    rows, columns = e.taps
    yield heading(f"Forward: output pixel y{indices(e.at)}")
    vertical, horizontal = e.geometry.height, e.geometry.width
    yield Text(
        f"  The window starts at row {i}·{vertical.stride} − {vertical.before} = {rows[0]}, "
        f"column {j}·{horizontal.stride} − {horizontal.before} = {columns[0]}."
    )
    x, weight = e.arrays["input"].array, e.arrays["weight"].array
    marks = {(row, column): "window" for row in rows for column in columns}
    for c in e.channels[:CHANNELS]:
        padded = padded_image(x[n, c], vertical, horizontal)
        here = grid(
            f"x{indices((n, c))}, its window in [ ]",
            padded,
            marks=marks,
            first=(-vertical.before, -horizontal.before),
            focus=((rows[0], rows[-1]), (columns[0], columns[-1])),
            width=width - 2,
        )
        weights = grid(f"weight{indices((o, c - e.channels.start))}", weight[o, c - e.channels.start])
        blocks = [here, weights]
        if c == e.channels.start:
            blocks.append(output_grid(e, "output", f"y{indices((n, o))}", width))
        yield from bands(blocks, width)
    more = len(e.channels) - CHANNELS
    if more > 0:
        yield Text(f"  … and {more} more channels")
    if e.geometry.is_padded:
        yield Text(f"  {PADDING} is padding and counts as 0.")
    if is_rounded([*(one.array for one in e.arrays.values()), e.results["output"].array]):
        yield Text("  Numbers are shown with four digits; they are computed in float64.")


def padded_image(image: np.ndarray, vertical: Axis, horizontal: Axis) -> np.ndarray:
    """An image (H, W) as texts, with signs for its padding."""
    texts = np.array([[number(value) for value in row] for row in image.tolist()], object)
    around = ((vertical.before, vertical.after), (horizontal.before, horizontal.after))
    return np.pad(texts, around, constant_values=PADDING)


def output_grid(e: "Convolution", name: str, title: str, width: int) -> Text:
    """The channel of the output, or of its gradient, in which the pixel is."""
    n, o, i, j = e.at
    values = e.results[name].array[n, o]
    return grid(title, values, marks={(i, j): "pixel"}, focus=((i, i), (j, j)), width=width - 2)


def bands(blocks: list[Text], width: int) -> Iterator[Text]:
    """Blocks side by side, indented, with an empty line above them."""
    for band in beside(blocks, width - 2):
        lines = [Text("  ").append_text(line) for line in band.split("\n")]
        yield Text("\n").join([Text(""), *lines])


def patch_row(e: "Convolution", width: int) -> Iterator[Text]:
    """The pixel's row of the patch matrix above its weights and products, and its sum."""
    n, o, i, j = e.at
    N, _, OH, OW = e.results["output"].array.shape
    KH, KW = e.geometry.kernel
    patch, kernel = e.patch(), e.kernel()
    taps = list(np.ndindex(patch.shape))
    yield heading("Its row of the patch matrix, and its sum")
    yield paragraph(
        f"Row {(n * OH + i) * OW + j} of 0 to {N * OH * OW - 1}: a row is a window, a column a tap "
        f"(row p, column q, channel c); there are {KH}·{KW}·{len(e.channels)} = {patch.size} columns.",
        width - 2, "  ",
    )  # fmt: skip
    products = patch * kernel
    rows, columns = e.taps
    size = e.geometry.input_size
    outside = {
        (p, q) for p in range(KH) for q in range(KW) if not (0 <= rows[p] < size[0] and 0 <= columns[q] < size[1])
    }
    table = [
        ("p,q,c", [",".join(map(str, tap)) for tap in taps]),
        ("x", [PADDING if tap[:2] in outside else number(patch[tap]) for tap in taps]),
        ("weight", [number(kernel[tap]) for tap in taps]),
        ("product", [number(products[tap]) for tap in taps]),
    ]
    yield from table_of(table, width, TERMS)
    terms = [f"{factor(patch[tap])}·{factor(kernel[tap])}" for tap in taps]
    rest = number(sum(products[tap] for tap in taps[TERMS:]))
    bias = e.arrays.get("bias")
    last = "" if bias is None else f"bias {number(bias.array[o])}"
    yield equation(f"y{indices(e.at)}", terms, last, e.results["output"].array[e.at], rest, width)


def equation(left: str, terms: list[str], last: str, result: float, rest: str, width: int) -> Text:
    """`left = a + b + … + last = result` in lines of `width` characters.

    Args:
        left: what is computed.
        terms: as written; `TERMS` of them are.
        last: a term that is always written, if any.
        result: the sum.
        rest: the sum of the terms that are not written.
        width: of a line.
    """
    shown = terms[:TERMS] + ([f"{len(terms) - TERMS} more products ({rest})"] if len(terms) > TERMS else [])
    words = " + ".join([*shown, *([last] if last else [])] or ["0"])
    return paragraph(f"\n{left} = {words} = {number(result)}", width - 2, "  ")


def gradient(e: "Convolution", width: int) -> Iterator[Text]:
    """Where the pixel's gradient goes, and what an input pixel collects."""
    n, o, *_ = e.at
    g = e.results["grad_output"].array
    rows, columns = e.taps
    c = e.channels.start
    yield heading(f"Backward: where the gradient of y{indices(e.at)} goes")
    yield paragraph(
        f"The output pixel has gradient g = {number(g[e.at])}; each pixel of its window gets g·weight. What all output "
        "pixels send is added up.",
        width - 2, "  ",
    )  # fmt: skip
    marks = {(row, column): "window" for row in rows for column in columns}
    focus = ((rows[0], rows[-1]), (columns[0], columns[-1]))
    counts = e.windows_of_pixels()
    several = {(int(row), int(column)): "several" for row, column in np.argwhere(counts > 1)}
    room = width - 2
    yield from bands(
        [
            output_grid(e, "grad_output", f"gradient of y{indices((n, o))}", width),
            grid(f"sent to x{indices((n, c))}", e.alone()["grad_input"][n, c], marks=marks, focus=focus, width=room),
            grid(
                f"gradient of x{indices((n, c))}, all sent",
                e.results["grad_input"].array[n, c],
                marks=marks,
                focus=focus,
                width=room,
            ),
            grid("windows that a pixel is in", counts, marks=several, focus=focus, width=room),
        ],
        width,
    )
    yield from collected(e, counts, width)


def collected(e: "Convolution", counts: np.ndarray, width: int) -> Iterator[Text]:
    """The sum at the input pixel that is in the most windows."""
    n, c = e.at[0], e.channels.start
    unseen = int((counts == 0).sum())
    if counts.max(initial=0) > 1:
        rows, columns = e.taps
        inside = [
            (row, column)
            for row in rows
            for column in columns
            if 0 <= row < counts.shape[0] and 0 <= column < counts.shape[1]
        ]
        places = inside or [(int(row), int(column)) for row, column in np.argwhere(counts)]
        row, column = max(places, key=lambda place: counts[place])
        g, weight = e.results["grad_output"].array, e.arrays["weight"].array
        sources = e.collected(c, row, column)
        factors = [(g[(n, *pixel)], weight[(pixel[0], c - e.channels.start, *tap)]) for pixel, tap in sources]
        total = e.results["grad_input"].array[n, c, row, column]
        yield paragraph(
            f"\n* is in several windows and collects from each: that is why col2im adds. For instance x"
            f"{indices((n, c, row, column))}, from {len(sources)} output pixels:",
            width - 2, "  ",
        )  # fmt: skip
        table = [
            ("y at o,i,j", [",".join(map(str, pixel)) for pixel, _ in sources]),
            ("tap p,q", [",".join(map(str, tap)) for _, tap in sources]),
            ("g", [number(one) for one, _ in factors]),
            ("weight", [number(other) for _, other in factors]),
            ("product", [number(one * other) for one, other in factors]),
        ]
        yield from table_of(table, width, TERMS)
        rest = number(sum(one * other for one, other in factors[TERMS:]))
        terms = [f"{factor(one)}·{factor(other)}" for one, other in factors]
        yield equation(f"gradient of x{indices((n, c, row, column))}", terms, "", total, rest, width)
    else:
        yield Text("\n  No pixel is in more than one window: col2im only copies here.")
    if unseen:
        yield Text(f"  {unseen} of {counts.size} pixels are in no window: their gradient is 0.")


def weight_gradient(e: "Convolution", width: int) -> Iterator[Text]:
    """The gradient with respect to the weight as a sum over windows."""
    o, c = e.at[1], e.channels.start
    g = e.results["grad_output"].array[:, o]
    windows = e.patches()[..., 0]
    places = list(np.ndindex(g.shape))
    yield heading("Backward: the gradient with respect to the weight")
    yield paragraph(
        f"The sum over all {len(places)} windows of g·window, here for weight{indices((o, 0))} and channel {c}.",
        width - 2, "  ",
    )  # fmt: skip
    blocks = [
        grid(f"{number(g[place])}·window of y{indices((place[0], o, *place[1:]))}", windows[place], width=width - 2)
        for place in places[:WINDOWS]
    ]
    yield from bands(blocks, width)
    if len(places) > WINDOWS:
        yield Text(f"\n  … and {len(places) - WINDOWS} more windows")
    total = grid(f"= gradient of weight{indices((o, 0))}", e.results["grad_weight"].array[o, 0], width=width - 2)
    yield from bands([total], width)
    if "bias" in e.arrays:
        terms = [number(g[place]) if k == 0 else factor(g[place]) for k, place in enumerate(places)]
        rest = number(sum(float(g[place]) for place in places[TERMS:]))
        yield equation(f"gradient of bias[{o}]", terms, "", e.results["grad_bias"].array[o], rest, width)


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


def table_of(table: list[tuple[str, list[str]]], width: int, most: int) -> Iterator[Text]:
    """Named rows of texts, in as many stretches as the width takes."""
    named = max(len(name) for name, _ in table)
    wide = max(len(text) for _, texts in table for text in texts[:most]) + 2
    room = max((width - 2 - named) // wide, 1)
    count = min(len(table[0][1]), most)
    for start in range(0, count, room):
        end = min(start + room, count)
        lines = [
            f"  {name.ljust(named)}{''.join(text.rjust(wide) for text in texts[start:end])}" for name, texts in table
        ]
        yield Text("\n".join(["", *lines]))
