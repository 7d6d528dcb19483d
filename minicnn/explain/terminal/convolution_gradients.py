"""conv2d's gradients in the terminal: where a pixel's goes, what the input collects, the weight's sum over windows."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from rich.text import Text

from minicnn.explain.terminal.grid import grid
from minicnn.explain.terminal.numbers import indices, number
from minicnn.explain.terminal.parts import bands, focus, output_grid, window_marks
from minicnn.explain.terminal.printing import heading, paragraph
from minicnn.explain.terminal.sums import equation, products, sum_of_windows

if TYPE_CHECKING:
    from minicnn.explain.convolution import Convolution


def gradient(e: "Convolution", width: int) -> Iterator[Text]:
    """Where the pixel's gradient goes, and what an input pixel collects."""
    n, o, *_ = e.at
    g = e.results["grad_output"].array
    c = e.channels.start
    yield heading(f"Backward: where the gradient of y{indices(e.at)} goes")
    yield paragraph(
        f"The output pixel has gradient g = {number(g[e.at])}; each pixel of its window gets g·weight. What all output "
        "pixels send is added up.",
        width - 2, "  ",
    )  # fmt: skip
    marks, near = window_marks(e), focus(e)
    counts = e.windows_of_pixels()
    several = {(int(row), int(column)): "several" for row, column in np.argwhere(counts > 1)}
    room = width - 2
    yield from bands(
        [
            output_grid(e, "grad_output", f"gradient of y{indices((n, o))}", width),
            grid(f"sent to x{indices((n, c))}", e.alone()["grad_input"][n, c], marks=marks, focus=near, width=room),
            grid(
                f"gradient of x{indices((n, c))}, all sent",
                e.results["grad_input"].array[n, c],
                marks=marks,
                focus=near,
                width=room,
            ),
            grid("windows that a pixel is in", counts, marks=several, focus=near, width=room),
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
        first = np.array([g[(n, *pixel)] for pixel, _ in sources])
        second = np.array([weight[(pixel[0], c - e.channels.start, *tap)] for pixel, tap in sources])
        total = e.results["grad_input"].array[n, c, row, column]
        yield paragraph(
            f"\n* is in several windows and collects from each: that is why col2im adds. For instance x"
            f"{indices((n, c, row, column))}, from {len(sources)} output pixels:",
            width - 2, "  ",
        )  # fmt: skip
        yield from products("y at o,i,j", "g", sources, first, second, width)
        yield equation(f"gradient of x{indices((n, c, row, column))}", first, second, result=total, width=width)
    else:
        yield Text("\n  No pixel is in more than one window: col2im only copies here.")
    if unseen:
        yield Text(f"  {unseen} of {counts.size} pixels are in no window: their gradient is 0.")


def weight_gradient(e: "Convolution", width: int) -> Iterator[Text]:
    """The gradient with respect to the weight as a sum over windows."""
    o, c = e.at[1], e.channels.start
    g = e.results["grad_output"].array[:, o]
    yield heading("Backward: the gradient with respect to the weight")
    yield paragraph(
        f"The sum over all {g.size} windows of g·window, here for weight{indices((o, 0))} and channel {c}.",
        width - 2,
        "  ",
    )

    def name(place: tuple[int, ...]) -> str:
        return f"window of y{indices((place[0], o, *place[1:]))}"

    total = e.results["grad_weight"].array[o, 0]
    yield from sum_of_windows(g, e.patches()[..., 0], name, f"gradient of weight{indices((o, 0))}", total, width)
    if "bias" in e.arrays:
        yield equation(f"gradient of bias[{o}]", g, result=e.results["grad_bias"].array[o], width=width)
