"""The smallest case on paper: its arrays, expected and received side by side, and the sum behind one wrong number."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from minicnn.testing.case import Case
from minicnn.testing.findings import Finding

COLUMNS = 8
TERMS = 9
"""A sum of more terms than this is not written out."""


def number(value: Any, digits: int = 5) -> str:
    """A number, short: whole ones without a point."""
    text = f"{float(value):.{digits}g}"
    return "-0" if text == "-0" else text


def grid(array: np.ndarray, most: int, marks: np.ndarray | None = None, sign: str = "*") -> list[str]:
    """The rows of an array's last two dimensions, those before it stacked with a blank line between.

    Args:
        array: of any shape.
        most: so many rows at most.
        marks: which elements to mark; the first of them is among those shown.
        sign: what marks them.
    """
    array = np.asarray(array)
    marked = np.zeros(array.shape, bool) if marks is None else marks
    shape = sheet_shape(array.shape)
    sheets, marked = array.reshape(shape), marked.reshape(shape)
    if not sheets.size:
        return ["(no elements)"]
    s, i, j = (int(at) for at in np.unravel_index(int(np.argmax(marked)), shape))
    top, left = (at if at >= room else 0 for at, room in ((i, most), (j, COLUMNS)))
    shown = sheets[s:, top : top + most, left : left + COLUMNS]
    texts = [[[number(v) for v in row] for row in sheet] for sheet in shown[:most]]
    width = max(len(text) for sheet in texts for row in sheet for text in row)
    before, after = "… " * bool(left), " …" * (left + COLUMNS < shape[2])
    lines: list[str] = ["⋮"] if s or top else []
    for place, sheet in enumerate(texts):
        if place and len(lines) + len(sheet) > most:
            lines[-1] = "⋮"
            break
        for row, places in zip(sheet, marked[s + place, top:, left:], strict=False):
            cells = [f"{text:>{width}}{sign if mark else ' '}" for text, mark in zip(row, places, strict=False)]
            lines.append(before + " ".join(cells).rstrip() + after)
        if top + most < shape[1]:
            lines.append("⋮")
        if place + 1 < len(texts):
            lines.append("")
    return lines


def sheet_shape(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """(sheets, rows, columns) to draw an array in; channels of one pixel stand in a row."""
    long = [size for size in shape if size != 1]
    if len(long) < 2:
        return 1, 1, math.prod(shape)
    if shape[-2:] == (1, 1):
        shape = tuple(long)
    return math.prod(shape[:-2]), shape[-2], shape[-1]


def times(shape: Sequence[int]) -> str:
    """A shape with × between its sizes."""
    return "×".join(map(str, shape)) or "one number"


def drawn(finding: Finding, width: int, most: int) -> list[str]:
    """The case of a finding and, where values differ, what was expected and what came, at most `most` rows each."""
    case = finding.case
    arguments = ", ".join(f"{name}={value!r}" for name, value in told_options(case).items())
    layout = case.fields["layout"]
    lies = "" if layout == "contiguous" else f", {layout}"
    call = ", ".join([*given(case), arguments] if arguments else given(case))
    lines = [f"Smallest case found: {case.operation.name}({call}), {case.dtype}{lies}"]
    columns = [
        (f"{name} {times(array.shape)}", grid(array, most)) for name, array in case.arrays.items() if array is not None
    ]
    if finding.what.startswith("the gradient") and finding.wanted is not None:
        shape = _output_shape(case)
        columns.append((f"grad_output {times(shape)}", grid(case.grad_output(shape), most)))
    if finding.wanted is not None and finding.received is not None:
        columns.append(("expected", grid(finding.wanted.astype(case.dtype), most, finding.wrong, sign=" ")))
        columns.append(("received", grid(finding.received, most, finding.wrong)))
    lines += beside(columns, width)
    if finding.wrong is not None:
        lines += terms(finding)
    return lines


def _output_shape(case: Case) -> tuple[int, ...]:
    from minicnn.testing.expected import compute

    return compute(case, False)["y"].shape


def given(case: Case) -> list[str]:
    """The names of the arrays that are given."""
    return [name for name, array in case.arrays.items() if array is not None]


def told_options(case: Case) -> dict[str, Any]:
    """The options that differ from their defaults."""
    defaults = case.operation.options
    return {
        name: value
        for name, value in case.options.items()
        if defaults[name] is ... or value not in (defaults[name], (defaults[name],) * 2)
    }


def beside(columns: Sequence[tuple[str, list[str]]], width: int) -> list[str]:
    """Blocks of text under their titles, as many side by side as fit."""
    lines: list[str] = []
    row: list[tuple[str, list[str], int]] = []

    def flush() -> None:
        height = max(len(block) for _, block, _ in row)
        for i in range(-1, height):
            parts = [(title if i < 0 else block[i] if i < len(block) else "").ljust(w) for title, block, w in row]
            lines.append(("  " + "   ".join(parts)).rstrip())

    for title, block in columns:
        w = max(len(title), *(len(line) for line in block))
        if row and sum(taken + 3 for *_, taken in row) + w + 2 > width:
            flush()
            row = []
        row.append((title, block, w))
    if row:
        flush()
    return lines


def terms(finding: Finding) -> list[str]:
    """The sum behind the first wrong number, term by term, where the operation can tell."""
    case, wrong = finding.case, finding.wrong
    assert wrong is not None
    assert finding.wanted is not None
    assert finding.received is not None
    position = tuple(int(i) for i in np.unravel_index(int(np.argmax(wrong)), wrong.shape))
    explain = case.operation.explain
    if finding.what != "y" or explain is None:
        return []
    products = explain(case.fields, position)
    total = number(finding.wanted[position], 7)
    where = f"y[{', '.join(map(str, position))}]"
    received = number(finding.received[position], 7)
    if not products or len(products) > TERMS:
        return [f"  {where} should be {total}, is {received}"]
    parts = [_factor(case.arrays, product) for product in products]
    return [f"  {where} = {' + '.join(parts)} = {total}, received {received}"]


def _factor(arrays: Mapping[str, np.ndarray | None], product: Sequence[tuple[str, tuple[int, ...]]]) -> str:
    values = []
    for name, position in product:
        array = arrays[name]
        assert array is not None
        text = number(array[position])
        values.append(f"({text})" if text.startswith("-") else text)
    return "·".join(values)


def expression(finding: Finding) -> str:
    """One line of PyTorch that gives the right answer; large arrays are told by their shapes."""
    case = finding.case
    parts: list[str] = []
    for name, array in case.arrays.items():
        if array is not None:
            in_place = name == case.operation.order[len(parts)]
            parts.append(literal(array) if in_place else f"{name}={literal(array)}")
    parts += [f"{name}={value!r}" for name, value in told_options(case).items()]
    call = f"F.{case.operation.name}({', '.join(parts)})"
    return call if not finding.what.startswith("the gradient") else f"{call}.backward(grad_output)"


def literal(array: np.ndarray, most: int = 24) -> str:
    """An array as a PyTorch expression, or its shape if it is large."""
    if array.size > most:
        return f"<{times(array.shape)}>"
    kind = "" if array.dtype == np.float32 or array.dtype.kind != "f" else ", dtype=torch.float64"
    if array.size and array.ndim > 1 and (array.reshape(-1) == array.reshape(-1)[0]).all():
        return f"torch.full({tuple(array.shape)}, {plain(array.reshape(-1)[0])}{kind})"
    if array.ndim > 2 and array.size > 2:
        return f"torch.tensor({_nested(array.reshape(-1))}{kind}).reshape{tuple(array.shape)}"
    return f"torch.tensor({_nested(array)}{kind})"


def _nested(array: np.ndarray) -> str:
    if array.ndim == 0:
        return plain(array)
    return f"[{', '.join(_nested(row) for row in array)}]"


def plain(value: Any) -> str:
    """A number as Python writes it."""
    if np.issubdtype(np.asarray(value).dtype, np.integer):
        return str(int(value))
    number = float(value)
    if not np.isfinite(number):
        return f'float("{number}")'
    return f"{int(number)}." if number == int(number) and abs(number) < 1e6 else repr(number)
