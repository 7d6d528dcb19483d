"""max_pool2d and avg_pool2d in the terminal: the window, its maximum or mean, ties, and where the gradient goes."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from rich.text import Text

from minicnn.explain.terminal.grid import grid
from minicnn.explain.terminal.numbers import factor, indices, number
from minicnn.explain.terminal.parts import (
    bands,
    focus,
    input_grid,
    output_grid,
    remarks,
    size,
    title,
    window_marks,
    window_start,
)  # fmt: skip
from minicnn.explain.terminal.printing import heading, paragraph
from minicnn.explain.terminal.sums import TERMS, equation, table_of

if TYPE_CHECKING:
    from minicnn.explain.pooling import AveragePooling, MaxPooling, Pooling


def max_sections(e: "MaxPooling", width: int) -> Iterator[Text]:
    """What `print` shows of a max pooling, for lines of so many characters."""
    yield title(e, width)
    yield from size(e, e.options["padding"], e.options["ceil_mode"])
    yield from largest(e, width)
    yield from max_gradient(e, width)
    yield from costs(e, "comparisons")


def average_sections(e: "AveragePooling", width: int) -> Iterator[Text]:
    """What `print` shows of an average pooling, for lines of so many characters."""
    yield title(e, width)
    yield from size(e, e.options["padding"], e.options["ceil_mode"])
    yield from mean(e, width)
    yield from average_gradient(e, width)
    yield from costs(e, "additions")


def largest(e: "MaxPooling", width: int) -> Iterator[Text]:
    """The window of the output pixel, and which of its pixels is the largest."""
    ties, values = e.ties(), e.counted()
    yield heading(f"Forward: output pixel y{indices(e.at)}")
    yield window_start(e)
    marks = dict.fromkeys(ties, "tie") | {e.winner: "chosen"}
    yield from bands(
        [
            input_grid(e, e.at[1], f"x{indices(e.at[:2])}, its window in [ ]", width, marks),
            output_grid(e, "output", f"y{indices(e.at[:2])}", width),
        ],
        width,
    )
    yield Text("\n  > < is the maximum" + (", = = is as large but gets no gradient." if ties else "."))
    yield from remarks(e, "takes no part")
    terms = [number(value) for value in values.values()]
    rest = f"{len(terms) - TERMS} more" if len(terms) > TERMS else ""
    inner = ", ".join([*terms[:TERMS], *([rest] if rest else [])])
    result = number(e.results["output"].array[e.at])
    yield paragraph(
        f"\ny{indices(e.at)} = max({inner}) = {result}, from x{indices(e.at[:2] + e.winner)}", width - 2, "  "
    )
    if ties:
        yield paragraph(f"A tie: {len(ties) + 1} pixels hold {result}. " + rule(result), width - 2, "  ")
    else:
        yield Text("  No tie here: no other pixel of the window is as large.")


def rule(result: str) -> str:
    """Which of several equal pixels is taken."""
    if result == "nan":
        return "NaN counts as larger than any number, and the last of several is taken, as in PyTorch."
    return "The first of them, row by row, is taken and gets the whole gradient, as in PyTorch."


def max_gradient(e: "MaxPooling", width: int) -> Iterator[Text]:
    """Where gradients go: to the maxima alone."""
    n, c, *_ = e.at
    g, chosen = e.results["grad_output"].array, e.times_chosen()
    yield heading(f"Backward: where the gradient of y{indices(e.at)} goes")
    yield paragraph(
        f"All of g = {number(g[e.at])} goes to the maximum, x{indices(e.at[:2] + e.winner)}; the other pixels of the "
        "window get nothing from it.",
        width - 2, "  ",
    )  # fmt: skip
    several = {(int(row), int(column)): "several" for row, column in np.argwhere(chosen > 1)}
    gradient = e.results["grad_input"].array[n, c]
    near = focus(e)
    yield from bands(
        [
            output_grid(e, "grad_output", f"gradient of y{indices((n, c))}", width),
            grid(f"gradient of x{indices((n, c))}", gradient, marks={e.winner: "chosen"}, focus=near, width=width - 2),
            grid("windows it is the maximum of", chosen, marks=several, focus=near, width=width - 2),
        ],
        width,
    )
    yield Text(f"\n  {int((chosen == 0).sum())} of {chosen.size} pixels are no window's maximum: their gradient is 0.")
    if several:
        place = max(several, key=lambda one: (one == e.winner, chosen[one]))
        winners = e.winners()
        sources = [(int(i), int(j)) for i, j in np.argwhere((winners == place).all(-1))]
        yield paragraph(
            f"* is the maximum of several windows and collects from each, as x{indices((n, c, *place))}:",
            width - 2,
            "  ",
        )
        shares = np.array([g[n, c, i, j] for i, j in sources])
        yield equation(f"gradient of x{indices((n, c, *place))}", shares, result=gradient[place], width=width)


def mean(e: "AveragePooling", width: int) -> Iterator[Text]:
    """The window of the output pixel, and its mean."""
    values = e.counted()
    (i, j), divisor = e.pixel, int(e.divisors()[e.pixel])
    yield heading(f"Forward: output pixel y{indices(e.at)}")
    yield window_start(e)
    yield from bands(
        [
            input_grid(e, e.at[1], f"x{indices(e.at[:2])}, its window in [ ]", width),
            output_grid(e, "output", f"y{indices(e.at[:2])}", width),
            grid(
                "divisors",
                e.divisors(),
                marks={e.pixel: "window"},
                focus=((i, i), (j, j)),
                width=width - 2,
            ),
        ],
        width,
    )
    yield Text("")
    yield from remarks(e, "counts as 0")
    yield paragraph(f"The divisor is {divisor}: {why(e, divisor, len(values))}.", width - 2, "  ")
    shown = [factor(value) for value in values.values()]
    if len(shown) > TERMS:
        rest = number(sum([*values.values()][TERMS:]))
        shown = [*shown[:TERMS], f"{len(shown) - TERMS} more ({rest})"]
    total = number(sum(values.values()))
    result = number(e.results["output"].array[e.at])
    yield paragraph(
        f"y{indices(e.at)} = ({' + '.join(shown)}) / {divisor} = {total} / {divisor} = {result}", width - 2, "  "
    )


def why(e: "AveragePooling", divisor: int, inside: int) -> str:
    """What the divisor counts."""
    KH, KW = e.geometry.kernel
    if e.options["divisor_override"] is not None:
        return "divisor_override says so, whatever the window covers"
    if divisor == inside == KH * KW:
        return f"{KH}·{KW} pixels, all of them in the image"
    if not e.options["count_include_pad"]:
        return f"of the window's {KH}·{KW} taps, those in the image (count_include_pad is False)"
    if divisor == KH * KW:
        return f"{KH}·{KW} pixels, padding counted (count_include_pad is True); {inside} are in the image"
    return (
        f"of its {KH}·{KW} taps, those in the image or its padding count; the others hang over, as ceil_mode lets them"
    )


def average_gradient(e: "AveragePooling", width: int) -> Iterator[Text]:
    """Where gradients go: equal shares to all pixels of a window."""
    n, c, *_ = e.at
    g, divisors = e.results["grad_output"].array[n, c], e.divisors()
    counts, gradient = e.windows_of_pixels(), e.results["grad_input"].array[n, c]
    yield heading(f"Backward: where the gradient of y{indices(e.at)} goes")
    share = number(g[e.pixel] / divisors[e.pixel])
    yield paragraph(
        f"Each pixel of the window gets g / divisor = {number(g[e.pixel])} / {divisors[e.pixel]} = {share}; what "
        "lies in the padding is dropped.",
        width - 2, "  ",
    )  # fmt: skip
    several = {(int(row), int(column)): "several" for row, column in np.argwhere(counts > 1)}
    near = focus(e)
    yield from bands(
        [
            output_grid(e, "grad_output", f"gradient of y{indices((n, c))}", width),
            grid(f"gradient of x{indices((n, c))}", gradient, marks=window_marks(e), focus=near, width=width - 2),
            grid("windows that a pixel is in", counts, marks=several, focus=near, width=width - 2),
        ],
        width,
    )
    inside = [place for place in e.counted() if counts[place] > 1]
    if inside:
        place = max(inside, key=lambda one: counts[one])
        sources = [pixel for pixel, _ in e.seen_by(*place)]
        yield paragraph(
            f"\n* is in several windows and collects from each, as x{indices((n, c, *place))}:", width - 2, "  "
        )
        table = [
            ("y at i,j", [",".join(map(str, pixel)) for pixel in sources]),
            ("g", [number(g[pixel]) for pixel in sources]),
            ("divisor", [number(divisors[pixel]) for pixel in sources]),
        ]
        yield from table_of(table, width)
        parts = [np.array([array[pixel] for pixel in sources]) for array in (g, divisors)]
        here = f"gradient of x{indices((n, c, *place))}"
        yield equation(here, *parts, result=gradient[place], width=width, sign="/")


def costs(e: "Pooling", work: str) -> Iterator[Text]:
    """A pooling has no parameters."""
    N, C, OH, OW = e.results["output"].array.shape
    KH, KW = e.geometry.kernel
    count = N * C * OH * OW * (KH * KW - 1)
    yield heading("What it costs")
    yield Text("  parameters     none")
    yield Text("  multiply-adds  none, as minicnn summary counts")
    yield Text(f"  {work.ljust(13)}  at most {N}·{C}·{OH}·{OW} pixels · ({KH}·{KW} − 1) = {count:,}")
