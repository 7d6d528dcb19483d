"""Numbers in rows and columns, with marks that are signs as well as colours, and blocks side by side."""

from collections.abc import Mapping, Sequence

import numpy as np
from rich.cells import cell_len
from rich.text import Text

from minicnn.explain.terminal.numbers import number

TALLEST = 14
"""Rows of a large image that are shown, unless a window is taller."""
GAP = 3
MARKS = {
    "window": ("[", "]", "bold cyan"),
    "pixel": ("[", "]", "bold cyan"),
    "chosen": (">", "<", "bold green"),
    "tie": ("=", "=", "bold yellow"),
    "several": ("", "*", "bold yellow"),
    "padding": ("", "", "dim"),
    "": ("", "", ""),
}
"""Signs before and behind a number, and its colour."""
PADDING = "."


def grid(
    title: str,
    values: np.ndarray,
    *,
    marks: Mapping[tuple[int, int], str] | None = None,
    first: tuple[int, int] = (0, 0),
    focus: tuple[tuple[int, int], tuple[int, int]] | None = None,
    width: int = 80,
) -> Text:
    """A matrix with its rows and columns numbered.

    Args:
        title: the line above it.
        values: (rows, columns); those that are masked are padding.
        marks: by (row, column) as they are numbered, names of MARKS.
        first: the numbers of the first row and column.
        focus: the first and last row, and the first and last column, that are shown when there isn't room for all;
            the first ones if None.
        width: of a line.
    """
    marks = marks or {}
    rows, columns = (range(start, start + size) for start, size in zip(first, values.shape, strict=True))
    near = focus or ((rows[0], rows[0]), (columns[0], columns[0]))
    shown_rows = around(rows, near[0], TALLEST)
    shown_columns = around(columns, near[1], width // 3)
    texts = {
        (i, j): PADDING if one is None else number(one)
        for i in shown_rows
        for j in shown_columns
        for one in [values[i - first[0], j - first[1]].tolist()]
    }
    wide = max(map(len, [*texts.values(), str(columns[0]), str(columns[-1])])) + 2
    edge = max(len(str(row)) for row in (rows[0], rows[-1])) + 1
    shown_columns = around(columns, near[1], max((width - edge - 2) // wide, 1))
    lines = [Text(title)]
    lines.append(Text(" " * edge + "".join(f"{j} ".rjust(wide) for j in shown_columns), "dim"))
    for i in shown_rows:
        line = Text.assemble((f"{i} ".rjust(edge), "dim"))
        for j in shown_columns:
            before, behind, style = MARKS[marks.get((i, j), "padding" if texts[i, j] == PADDING else "")]
            text = texts[i, j] + (behind or " ")
            line.append((before + text).rjust(wide), style)
        lines.append(line)
    cut = [
        f"{word} {shown[0]} to {shown[-1]} of {every[0]} to {every[-1]}"
        for word, shown, every in (("rows", shown_rows, rows), ("columns", shown_columns, columns))
        if len(shown) < len(every)
    ]
    lines += [Text(line, "italic") for line in cut]
    return Text("\n").join(lines)


def around(every: range, near: tuple[int, int], room: int) -> range:
    """As many neighbouring numbers as there is room for, `near` in their middle, or from its first on."""
    start = near[0] - max(room - (near[1] - near[0] + 1), 0) // 2 - every[0]
    start = max(min(start, len(every) - room), 0)
    return every[start : start + room]


def beside(blocks: Sequence[Text], width: int) -> list[Text]:
    """Blocks next to each other, in as many rows of blocks as it takes."""
    bands: list[list[list[Text]]] = []
    left = 0
    for block in blocks:
        lines = list(block.split("\n"))
        wide = max(cell_len(line.plain) for line in lines) + GAP
        if not bands or left < wide - GAP:
            bands.append([])
            left = width
        bands[-1].append(lines)
        left -= wide
    return [joined(band) for band in bands]


def joined(blocks: Sequence[Sequence[Text]]) -> Text:
    """Blocks of lines next to each other."""
    widths = [max(cell_len(line.plain) for line in block) for block in blocks]
    lines = []
    for row in range(max(map(len, blocks))):
        line = Text()
        for block, wide in zip(blocks, widths, strict=True):
            cell = block[row] if row < len(block) else Text()
            line.append_text(cell)
            line.append(" " * (wide - cell_len(cell.plain) + GAP))
        line.rstrip()
        lines.append(line)
    return Text("\n").join(lines)
