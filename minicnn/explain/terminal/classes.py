"""cross_entropy in the terminal: softmax and loss of a row, and its gradient p − y."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from rich.text import Text

from minicnn.explain.terminal.numbers import factor, number
from minicnn.explain.terminal.parts import remarks, title
from minicnn.explain.terminal.printing import heading, paragraph
from minicnn.explain.terminal.sums import TERMS, table_of

if TYPE_CHECKING:
    from minicnn.explain.classes import CrossEntropy


def sections(e: "CrossEntropy", width: int) -> Iterator[Text]:
    """What `print` shows, for lines of so many characters."""
    yield title(e, width)
    yield from softmax(e, width)
    yield from loss(e, width)
    yield from reduction(e, width)
    yield from gradient(e, width)


def softmax(e: "CrossEntropy", width: int) -> Iterator[Text]:
    """The row's probabilities."""
    z = e.arrays["input"].array[e.at]
    p = e.probabilities()[e.at]
    with np.errstate(invalid="ignore"):  # infinity less infinity
        apart = z - z.max()
        powers = np.exp(apart)
    yield heading(f"Forward: the softmax of row {e.at[0]}")
    yield paragraph(
        "p = exp(x) / Σ exp(x). The largest score is taken off all first: p stays the same, and no power overflows.",
        width - 2, "  ",
    )  # fmt: skip
    table = [
        ("class", [str(k) for k in range(len(z))]),
        ("x", [*map(number, z)]),
        (f"x − {factor(z.max())}", [*map(number, apart)]),
        ("exp", [*map(number, powers)]),
        ("p", [*map(number, p)]),
    ]
    yield from table_of(table, width)
    yield Text(f"\n  Σ exp = {number(powers.sum())}; each p is its power divided by that.")
    yield from remarks(e, "")


def loss(e: "CrossEntropy", width: int) -> Iterator[Text]:
    """The row's loss."""
    n, y = e.at[0], e.target
    smoothing = e.options["label_smoothing"]
    yield heading(f"Forward: the loss of row {n}")
    if e.ignored[n]:
        yield paragraph(
            f"Its target is ignore_index = {y}: the row counts nothing, and its gradient is 0.", width - 2, "  "
        )
        return
    wanted, result = e.wanted()[n], e.losses()[n]
    logs = e.logarithms()[n]
    if not smoothing:
        factors = f"{number(wanted[y])}·" if "weight" in e.arrays else ""
        start = f"−{factors}log p[{y}] = −{factors}log {number(e.probabilities()[n, y])}"
        yield paragraph(
            f"Its target is class {y}{weighted(e, y)}: loss = {start} = −{factors}{factor(logs[y])} = {number(result)}",
            width - 2, "  ",
        )  # fmt: skip
        return
    K = len(wanted)
    yield paragraph(
        f"Its target is class {y}{weighted(e, y)}. Smoothing {smoothing:g} leaves 1 − {smoothing:g} to it and spreads "
        f"{smoothing:g}/{K} to each class" + (", times the class's weight:" if "weight" in e.arrays else ":"),
        width - 2, "  ",
    )  # fmt: skip
    table = [
        ("class", [str(k) for k in range(K)]),
        ("counts", [*map(number, wanted)]),
        ("log p", [*map(number, logs)]),
    ]
    yield from table_of(table, width)
    terms = [f"{number(one)}·{factor(other)}" for one, other in zip(wanted[:TERMS], logs, strict=False)]
    more = f" + {K - TERMS} more" if K > TERMS else ""
    yield paragraph(f"\nloss = −({' + '.join(terms)}{more}) = {number(result)}", width - 2, "  ")


def weighted(e: "CrossEntropy", y: int) -> str:
    """A class's weight, in words."""
    return f" of weight {number(e.weights[y])}" if "weight" in e.arrays else ""


def reduction(e: "CrossEntropy", width: int) -> Iterator[Text]:
    """From the losses of the rows to the result."""
    losses, output, how = e.losses(), e.results["output"].array, e.options["reduction"]
    yield heading("Forward: all rows")
    counted = np.flatnonzero(~e.ignored)
    table = [
        ("row", [str(n) for n in range(len(losses))]),
        ("target", [str(y) for y in e.arrays["target"].array.tolist()]),
        ("loss", ["ignored" if e.ignored[n] else number(losses[n]) for n in range(len(losses))]),
    ]
    yield from table_of(table, width)
    if how == "none":
        yield Text("\n  reduction none: every row's loss is a result.")
        return
    shown = " + ".join([*map(number, losses[counted][:TERMS]), *(["…"] if len(counted) > TERMS else [])]) or "0"
    if how == "sum":
        yield paragraph(f"\nsum = {shown} = {number(output)}", width - 2, "  ")
        return
    divisor = number(e.divisor)
    what = "the weights of the targets add up to" if "weight" in e.arrays else "rows that count:"
    yield paragraph(f"\nmean = ({shown}) / {divisor} = {number(output)}; {what} {divisor}", width - 2, "  ")


def gradient(e: "CrossEntropy", width: int) -> Iterator[Text]:
    """The gradient with respect to the row's scores."""
    n = e.at[0]
    g, result = e.results["grad_output"].array, e.results["grad_input"].array[n]
    yield heading(f"Backward: the gradient of row {n}")
    if e.ignored[n]:
        yield Text("  The row is ignored: its gradient is 0.")
        return
    wanted, p = e.wanted()[n], e.probabilities()[n]
    total = wanted.sum()
    each = float(g[n] if g.ndim else g)
    plain = bool(np.isclose(total, 1))
    yield paragraph(
        "What the softmax says, p, less what was wanted, y"
        + (": " if plain else f", which adds up to {number(total)} here, so p is multiplied by that: ")
        + f"gradient = g{' / ' + number(e.divisor) if e.options['reduction'] == 'mean' else ''} · "
        + ("(p − y)" if plain else f"({number(total)}·p − y)")
        + f", with g = {number(each)}.",
        width - 2, "  ",
    )  # fmt: skip
    table = [
        ("class", [str(k) for k in range(len(p))]),
        ("p", [*map(number, p)]),
        ("y", [*map(number, wanted)]),
        ("p − y" if plain else f"{number(total)}·p − y", [*map(number, total * p - wanted)]),
        ("gradient", [*map(number, result)]),
    ]
    yield from table_of(table, width)
    yield paragraph(
        "\nIt adds up to 0, but for rounding: adding a constant to all scores changes nothing.", width - 2, "  "
    )
