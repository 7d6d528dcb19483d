"""What the texts show, drawn by `minicnn.explain` from the objects that hold the numbers."""

from typing import Any

import numpy as np
from rich.text import Text

from minicnn.explain.terminal.convolution import forward, patch_row
from minicnn.explain.terminal.convolution_gradients import gradient, weight_gradient
from minicnn.explain.terminal.grid import beside, grid

WIDTH = 76
"""Columns of a drawing."""
MOST = 2
"""Dimensions of a matrix."""


def plain(parts: Any) -> str:
    """Texts as lines without colours."""
    return "\n".join(part.plain for part in parts).strip("\n")


def forward_of(e: Any) -> str:
    """The window of the output pixel, the kernel and the output."""
    return plain(forward(e, WIDTH))


def sum_of(e: Any) -> str:
    """What the taps of the output pixel see, and the sum of their products."""
    return plain(list(patch_row(e, WIDTH))[2:])  # without what speaks of the patch matrix


def gradient_of(e: Any) -> str:
    """Where the output pixel's gradient goes, and what a pixel of x collects."""
    return plain(gradient(e, WIDTH))


def weight_gradient_of(e: Any) -> str:
    """What a weight's gradient is the sum of."""
    return plain(weight_gradient(e, WIDTH))


def matrices(width: int = WIDTH, /, **arrays: np.ndarray) -> str:
    """Arrays next to each other, each under its name; of those of more dimensions every matrix that they hold."""
    return plain(beside([block for name, array in arrays.items() for block in _blocks(name, array, None)], width))


def compared(width: int, expected: np.ndarray, received: np.ndarray) -> str:
    """Two arrays of the same shape next to each other, the numbers that differ marked by a star."""
    near = np.isclose(expected, received, rtol=1e-6, atol=1e-9, equal_nan=True)
    pairs = zip(_blocks("expected", expected, None), _blocks("received", received, ~near), strict=True)
    marked = [pair for pair, differs in zip(pairs, _differs(near), strict=True) if differs]
    lines = [plain(beside(pair, width)) for pair in marked[:MOST]]
    return "\n\n".join([*lines, *([f"… and {len(marked) - MOST} more"] if len(marked) > MOST else [])])


def _blocks(name: str, array: np.ndarray, marks: np.ndarray | None) -> list[Text]:
    array = np.asarray(array)
    sheets = np.atleast_2d(array).reshape(-1, *np.atleast_2d(array).shape[-2:])
    flags = None if marks is None else np.atleast_2d(marks).reshape(sheets.shape)
    places = list(np.ndindex(array.shape[:-2])) if array.ndim > 2 else [()]
    blocks = []
    for k, (place, sheet) in enumerate(zip(places, sheets, strict=True)):
        title = f"{name}[{', '.join(map(str, place))}]" if place else name
        if not sheet.size:
            blocks.append(Text(f"{title}: no numbers"))
            continue
        wrong = (
            {}
            if flags is None
            else dict.fromkeys(zip(*(one.tolist() for one in np.nonzero(flags[k])), strict=True), "several")
        )
        blocks.append(grid(title, sheet, marks=wrong, width=WIDTH // 2))
    return blocks


def _differs(near: np.ndarray) -> list[bool]:
    sheets = np.atleast_2d(near)
    return [not sheet.all() for sheet in sheets.reshape(-1, *sheets.shape[-2:])]
