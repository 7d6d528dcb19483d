"""A tensor in a notebook: small ones as coloured cells, large ones in a few words.

Every cell brings its background and its ink along, so that it is legible on light and on dark pages alike; blue is
below zero, red above, the stronger the further.
"""

import math
from collections.abc import Iterator
from html import escape
from typing import Any

import numpy as np

from minicnn.autograd import Variable
from minicnn.element_types import DTYPES
from minicnn.palette import LIGHT, THEIRS
from minicnn.printing import Numbers, remarks, written

MOST_CELLS, MOST_PLANES, WIDEST = 400, 16, 32
"""Elements, matrices and columns of a tensor that is shown cell by cell."""
CELL = f"padding:2px 6px;text-align:right;font-family:monospace;border:1px solid {THEIRS}"
TABLE = "color:inherit;border-collapse:collapse;display:inline-table;width:auto;margin:4px 12px 4px 0"

Colour = tuple[int, int, int]


def parts(code: str) -> Colour:
    """Red, green and blue of a colour such as #245a8c."""
    red, green, blue = bytes.fromhex(code.removeprefix("#"))
    return red, green, blue


BELOW, ABOVE, ZERO, UNKNOWN = (parts(LIGHT[name]) for name in ("weight", "image", "card", "line"))
"""The colours of the lowest number, the highest, zero and NaN."""
BLACK, WHITE = (0, 0, 0), (255, 255, 255)


def html(tensor: Variable) -> str:
    """A tensor as HTML.

    Args:
        tensor: of any shape and dtype.

    Returns: a `div`: a table for each matrix of the last two dimensions, or shape, dtype, range and mean.
    """
    array = tensor._array
    shape = "×".join(map(str, array.shape)) or "one number"
    words = [
        f"{shape}, {DTYPES[array.dtype]}",
        *(one for one in remarks(tensor) if not one.startswith(("dtype", "size"))),
    ]
    head = f"<p style='margin:4px 0'>{escape(', '.join(words))}</p>"
    columns = array.shape[-1] if array.ndim else 1
    planes = math.prod(array.shape[:-2])
    if not array.size or array.size > MOST_CELLS or planes > MOST_PLANES or columns > WIDEST:
        return f"<div>{head}{_in_words(array)}<pre>{escape(written(tensor))}</pre></div>"
    return f"<div>{head}{''.join(_tables(array))}</div>"


def _in_words(array: np.ndarray) -> str:
    """Range, mean and what isn't finite."""
    if not array.size:
        return "<p style='margin:4px 0'>no elements</p>"
    values = array.astype(np.float64)
    finite = values[np.isfinite(values)]
    words = []
    if finite.size:
        words.append(f"{finite.min():.4g} to {finite.max():.4g}, mean {finite.mean():.4g}")
    if finite.size < values.size:
        words.append(f"{np.isnan(values).sum():,} NaN, {np.isinf(values).sum():,} infinite")
    return f"<p style='margin:4px 0'>{'; '.join(words)}</p>"


def _tables(array: np.ndarray) -> Iterator[str]:
    """A table for each matrix, with its place in the tensor as caption."""
    numbers = Numbers(array)
    finite = np.abs(array[np.isfinite(array)].astype(np.float64))
    largest = finite.max(initial=0)
    matrices = array.reshape(*array.shape[:-2], *(1,) * (2 - array.ndim), *array.shape[-2:])
    for place in np.ndindex(matrices.shape[:-2]):
        caption = f"<caption style='text-align:left'>[{', '.join(map(str, place))}]</caption>" if place else ""
        rows = (
            "<tr>" + "".join(_cell(value, numbers.write(value).strip(), largest) for value in row) + "</tr>"
            for row in matrices[place].tolist()
        )
        yield f"<table style='{TABLE}'>{caption}{''.join(rows)}</table>"


def _cell(value: Any, text: str, largest: float) -> str:
    background, ink = colours(float(value), largest)
    return f"<td style='{CELL};background:{_code(background)};color:{_code(ink)}'>{text}</td>"


def _code(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def colours(value: float, largest: float) -> tuple[Colour, Colour]:
    """A number's background and ink.

    Args:
        value: the number.
        largest: the largest absolute value beside it.
    """
    if math.isnan(value):
        background = UNKNOWN
    else:
        share = min(abs(value) / largest, 1.0) if largest and math.isfinite(value) else float(math.isinf(value))
        end = BELOW if value < 0 else ABOVE
        background = _mixed(ZERO, end, share)
    return background, max(BLACK, WHITE, key=lambda ink: contrast(background, ink))


def _mixed(start: Colour, end: Colour, share: float) -> Colour:
    red, green, blue = (round(one + (other - one) * share) for one, other in zip(start, end, strict=True))
    return red, green, blue


def contrast(one: Colour, other: Colour) -> float:
    """The contrast of two colours, 1 to 21; text is legible from 4.5 on (WCAG 2.2)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: Colour) -> float:
    """Relative luminance of sRGB, as WCAG 2.2 defines it."""
    parts = [part / 255 for part in colour]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
