"""Rewrites in the terminal: of every output pixel, which tap reads which element of x."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.text import Text

from minicnn.explain.terminal.printing import heading, paragraph
from minicnn.explain.terminal.schedule import extents

if TYPE_CHECKING:
    from minicnn.explain.rewrites import Rewrites
    from minicnn.kernels.convolution.contraction import Contraction

NOT_READ = "·"


def sections(e: "Rewrites", width: int) -> Iterator[Text]:
    """What `print` shows, for lines of so many characters."""
    yield paragraph(
        "A line for each output pixel (n, i, j): the elements of x as they lie in memory, and at each the tap that "
        "reads it. Behind it stand the elements of y that are written.",
        width,
    )
    for example in e.examples:
        yield heading(example.name)
        yield paragraph(example.idea, width)
        yield paragraph(f"\n{extents(example.before)}", width)
        yield Text("\n".join(picture(example.before)))
        for after in example.after:
            yield paragraph(f"\n{extents(after)}", width)
            yield Text("\n".join(picture(after)))


def picture(c: "Contraction") -> Iterator[str]:
    """A line for each output pixel of a small contraction, or each pixel of x where x collects."""
    pixels = [(n, i, j) for n in range(c.N) for i in range(c.rows.positions) for j in range(c.columns.positions)]
    lines = [_read(c, *pixel) for pixel in pixels]
    size = 1 + max(at for read in lines for at in read)
    for (n, i, j), read in zip(pixels, lines, strict=True):
        first = c.y.start + n * c.y.image + i * c.y.row + j * c.y.column
        at = f"{first}" if c.O == 1 else f"{first} to {first + c.O - 1}"
        row = " ".join(read.get(element, NOT_READ) for element in range(size))
        if c.collects == "x":
            yield f"  ({n}, {i}, {j})  {row}  of x take from y {at}"
        else:
            yield f"  ({n}, {i}, {j})  {row}  to y {at}"


def _read(c: "Contraction", n: int, i: int, j: int) -> dict[int, str]:
    """Of an output pixel, the elements of x that it reads, each with the place of its tap's weights."""
    found: dict[int, str] = {}
    for p in range(c.rows.taps):
        for q in range(c.columns.taps):
            row, column = c.rows.pixel(i, p), c.columns.pixel(j, q)
            if 0 <= row < c.rows.size and 0 <= column < c.columns.size:
                first = c.x.start + n * c.x.image + row * c.x.row + column * c.x.column
                tap = (c.weight.start + p * c.weight.row + q * c.weight.column) // max(_tap_size(c), 1)
                found |= {first + k: f"{tap}" for k in range(c.C)}
    return found


def _tap_size(c: "Contraction") -> int:
    """How many weights a tap has, all its channels and outputs."""
    return c.C * c.O
