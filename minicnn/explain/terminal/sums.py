"""Sums in the terminal: tables of their factors, their terms, and sums of whole windows."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

import numpy as np
from rich.text import Text

from minicnn.explain.terminal.grid import grid
from minicnn.explain.terminal.numbers import factor, number
from minicnn.explain.terminal.parts import bands
from minicnn.explain.terminal.printing import paragraph

TERMS = 36
"""Terms of a sum, and columns of a table, that are written."""
WINDOWS = 9
"""Windows that are drawn of a sum over windows."""


def equation(left: str, *factors: np.ndarray, result: float, width: int, sign: str = "·", last: str = "") -> Text:
    """`left = a·b + c·d + … + last = result`, in lines.

    Args:
        left: what is computed.
        factors: one array of terms, or two whose elements make them.
        result: the sum.
        width: characters of a line.
        sign: between two factors: "·" or "/".
        last: a term that is always written, if any.
    """
    first, *others = (np.asarray(one, np.float64).ravel() for one in factors)
    terms = first
    for other in others:
        terms = first / other if sign == "/" else first * other
    shown = list(map(factor, first[:TERMS]))
    for other in others:
        shown = [f"{one}{sign}{factor(two)}" for one, two in zip(shown, other[:TERMS], strict=True)]
    if len(terms) > TERMS:
        shown.append(f"{len(terms) - TERMS} more ({number(terms[TERMS:].sum())})")
    words = " + ".join([*shown, *([last] if last else [])] or ["0"])
    return paragraph(f"\n{left} = {words} = {number(result)}", width - 2, "  ")


def table_of(table: list[tuple[str, list[str]]], width: int) -> Iterator[Text]:
    """Named rows of texts, TERMS columns of them, in as many stretches as the width takes."""
    named = max(len(name) for name, _ in table)
    wide = max(len(text) for _, texts in table for text in texts[:TERMS]) + 2
    room = max((width - 2 - named) // wide, 1)
    count = min(len(table[0][1]), TERMS)
    for start in range(0, count, room):
        end = min(start + room, count)
        lines = [
            f"  {name.ljust(named)}{''.join(text.rjust(wide) for text in texts[start:end])}" for name, texts in table
        ]
        yield Text("\n".join(["", *lines]))


def products(
    where: str,
    what: str,
    sources: Sequence[tuple[Sequence[int], Sequence[int]]],
    first: np.ndarray,
    weight: np.ndarray,
    width: int,
) -> Iterator[Text]:
    """The table of the products that a pixel is the sum of.

    Args:
        where: the heading of the pixels that they come from.
        what: the heading of the first factors.
        sources: pixels and taps.
        first, weight: the factors, one for each source.
        width: characters of a line.
    """
    if sources:
        table = [
            (where, [",".join(map(str, pixel)) for pixel, _ in sources[:TERMS]]),
            ("tap p,q", [",".join(map(str, tap)) for _, tap in sources[:TERMS]]),
            (what, [*map(number, first[:TERMS])]),
            ("weight", [*map(number, weight[:TERMS])]),
            ("product", [*map(number, (first * weight)[:TERMS])]),
        ]
        yield from table_of(table, width)


def sum_of_windows(
    scales: np.ndarray,
    windows: np.ndarray,
    name: Callable[[tuple[int, ...]], str],
    title: str,
    total: np.ndarray,
    width: int,
) -> Iterator[Text]:
    """A matrix as the sum of windows, each multiplied by a number.

    Args:
        scales: the numbers: (N, OH, OW).
        windows: (N, OH, OW, KH, KW).
        name: what the window at a position is called.
        title: what the sum is.
        total: the sum: (KH, KW).
        width: characters of a line.
    """
    places = islice(np.ndindex(scales.shape), WINDOWS)
    blocks = [grid(f"{number(scales[place])}·{name(place)}", windows[place], width=width - 2) for place in places]
    yield from bands(blocks, width)
    if scales.size > WINDOWS:
        yield Text(f"\n  … and {scales.size - WINDOWS} more windows")
    yield from bands([grid(f"= {title}", total, width=width - 2)], width)
