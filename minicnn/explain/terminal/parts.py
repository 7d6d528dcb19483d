"""What the operations' texts have in common: title, sizes and blocks of numbers."""

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from rich.text import Text

from minicnn.explain.explanation import Explanation
from minicnn.explain.terminal.grid import PADDING, beside, grid
from minicnn.explain.terminal.numbers import is_rounded, times
from minicnn.explain.terminal.printing import heading, paragraph
from minicnn.explain.windows import Windowed
from minicnn.kernels.geometry import Axis
from minicnn.nn import functional as F


def title(e: Explanation, width: int) -> Text:
    """The call in a line."""
    shapes = [f"{name} {times(one.array.shape)}" for name, one in e.arrays.items()]
    defaults = inspect.signature(getattr(F, e.op)).parameters
    words = [
        f"{name} {short(value)}"
        for name, value in e.options.items()
        if value != defaults[name].default or not isinstance(value, bool | None)
    ]
    text = paragraph(f"{e.op}: {', '.join([*shapes, *words])}", width)
    text.stylize("bold", 0, len(e.op))
    return text


def short(value: Any) -> str:
    """One number for two equal ones, others with commas."""
    values = value if isinstance(value, tuple) else (value,)
    return str(values[0]) if len(set(values)) == 1 else ",".join(map(str, values))


def size(e: Windowed, behind: tuple[int, int], up: bool = False) -> Iterator[Text]:
    """The formula of the output's size with the numbers in it.

    Args:
        e: what is explained.
        behind: pixels of padding at the bottom and to the right.
        up: whether the quotient is rounded up, as ceil_mode has it.
    """
    yield heading("Size of the output")
    yield Text(size_formula("OH H KH top bottom", e.geometry.height, behind[0], up))
    yield Text(size_formula("OW W KW left right", e.geometry.width, behind[1], up))
    yield Text(f"  output {times(e.results['output'].array.shape)}")


def size_formula(names: str, a: Axis, behind: int, up: bool) -> str:
    """The formula, and the same with numbers."""
    output, pixels, kernel, before, after = names.split()
    left, right = "⌈⌉" if up else "⌊⌋"
    start = f"\n  {' ' * len(output)} = "
    room = a.size + a.before + behind - a.extent
    count = (-(-room // a.stride) if up else room // a.stride) + 1
    text = (
        f"  {output} = {left}({pixels} + {before} + {after} − dilation·({kernel} − 1) − 1) / stride{right} + 1"
        f"{start}{left}({a.size} + {a.before} + {behind} − {a.dilation}·({a.kernel} − 1) − 1) / {a.stride}{right} + 1"
        f"{start}{left}{room} / {a.stride}{right} + 1 = {count}"
    )
    return text if count == a.output else f"{text}, less the last, which would start behind the image: {a.output}"


def window_start(e: Windowed) -> Text:
    """Where the window begins, in numbers."""
    *_, i, j = e.at
    rows, columns = e.taps
    vertical, horizontal = e.geometry.height, e.geometry.width
    return Text(
        f"  The window starts at row {i}·{vertical.stride} − {vertical.before} = {rows[0]}, "
        f"column {j}·{horizontal.stride} − {horizontal.before} = {columns[0]}."
    )


def input_grid(e: Windowed, c: int, title: str, width: int, marks: Mapping[tuple[int, int], str] | None = None) -> Text:
    """A channel of the input with its padding and the window, whose pixels are marked unless `marks` says otherwise."""
    vertical, horizontal = e.geometry.height, e.geometry.width
    image = e.arrays["input"].array[e.at[0], c]
    around = ((vertical.before, vertical.after), (horizontal.before, horizontal.after))
    outside = np.pad(np.zeros(image.shape, bool), around, constant_values=True)
    return grid(
        title,
        np.ma.array(np.pad(image, around), mask=outside),
        marks=window_marks(e) | dict(marks or {}),
        first=(-vertical.before, -horizontal.before),
        focus=focus(e),
        width=width - 2,
    )


def window_marks(e: Windowed) -> dict[tuple[int, int], str]:
    """Marks for the pixels of the window."""
    rows, columns = e.taps
    return {(row, column): "window" for row in rows for column in columns}


def focus(e: Windowed) -> tuple[tuple[int, int], tuple[int, int]]:
    """The first and last row and column of the window."""
    rows, columns = e.taps
    return (rows[0], rows[-1]), (columns[0], columns[-1])


def remarks(e: Explanation, padding: str) -> Iterator[Text]:
    """What to know about the numbers shown.

    Args:
        e: what is explained.
        padding: what happens to padding, in words.
    """
    if isinstance(e, Windowed) and e.geometry.is_padded:
        yield Text(f"  {PADDING} is padding and {padding}.")
    if is_rounded([*(one.array for one in e.arrays.values()), e.results["output"].array]):
        yield Text("  Numbers are shown with four digits; they are computed in float64.")


def output_grid(e: Explanation, name: str, title: str, width: int) -> Text:
    """The channel of the output, or of its gradient, in which the pixel is."""
    n, o, i, j = e.at
    values = e.results[name].array[n, o]
    return grid(title, values, marks={(i, j): "pixel"}, focus=((i, i), (j, j)), width=width - 2)


def bands(blocks: list[Text], width: int) -> Iterator[Text]:
    """Blocks side by side, indented, with an empty line above them."""
    for band in beside(blocks, width - 2):
        lines = [Text("  ").append_text(line) for line in band.split("\n")]
        yield Text("\n").join([Text(""), *lines])
