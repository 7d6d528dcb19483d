"""Chapter 2: stride, padding, dilation: where a window lies."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn import explain
from minicnn.kernels.geometry import Axis, convolution_geometry
from minicnn.learn.chapter import Case, Chapter, Mistake, calling

SIZE, KERNEL, STRIDE, PADDING = 7, 3, 2, 1


def shown() -> Any:
    x = np.arange(25.0).reshape(5, 5) % 7
    return explain.conv2d(x, np.ones((1, 1, 3, 3)), None, 2, 1, at=(0, 1))


def drawn(axis: Axis) -> str:
    """A line for each output position: `o` for its taps, `.` for pixels, `-` for padding."""
    places = range(-axis.before, axis.size + axis.after)
    head = " " * 10 + "".join(f"{place:>4}" for place in places)
    lines = [head, " " * 10 + "".join("   ." if 0 <= place < axis.size else "   -" for place in places)]
    for position in range(axis.output):
        taps = {axis.origin(position) + tap * axis.dilation for tap in range(axis.kernel)}
        lines.append(f"position {position}" + "".join("   o" if place in taps else "    " for place in places))
    return "\n".join(line.rstrip() for line in lines)


def axis_of(size: int, kernel: int, stride: int, padding: int, dilation: int) -> Axis:
    return convolution_geometry((1, size), (1, kernel), (1, stride), (0, padding), (1, dilation)).width


def values() -> dict[str, Any]:
    axis, dilated = axis_of(SIZE, KERNEL, STRIDE, PADDING, 1), axis_of(9, 3, 1, 0, 3)
    return {
        "size": SIZE, "kernel": KERNEL, "stride": STRIDE, "padding": PADDING, "axis": axis, "dilated": dilated,
        "picture": drawn(axis), "wide": drawn(dilated),
    }  # fmt: skip


def cases(generator: np.random.Generator) -> Sequence[Case]:
    settings = [
        (3, 2, 1, 0, 1), (3, 3, 1, 1, 1), (5, 3, 2, 0, 1), (5, 3, 2, 1, 1), (6, 3, 2, 1, 1), (7, 3, 1, 0, 2),
        (7, 2, 3, 0, 2), (8, 4, 3, 2, 2), (9, 3, 2, 2, 3), (4, 1, 2, 0, 1), (28, 5, 1, 2, 1), (10, 3, 4, 1, 1),
    ]  # fmt: skip
    found = []
    for size, kernel, stride, padding, dilation in settings:
        options = {"stride": stride, "padding": padding, "dilation": dilation}
        found.append(calling("output_size", size, kernel, **options))
    for size, kernel, stride, padding, dilation in settings:
        options = {"stride": stride, "padding": padding, "dilation": dilation}
        for position in range(axis_of(size, kernel, stride, padding, dilation).output):
            found.append(calling("taps", position, size, kernel, **options))
    return found


CHAPTER = Chapter(
    number=2,
    title="Stride, padding, dilation: where a window lies",
    minutes=20,
    functions=("output_size", "taps"),
    hints=(
        "A window of K taps that lie d pixels apart reaches over (K − 1)·d + 1 pixels. How far can its first tap move?",
        "The first tap of the window of position i lies at i·stride − padding; in the padding that is below 0.",
        "Count: (size + 2·padding − extent) // stride + 1. Keep a tap if 0 <= pixel < size.",
    ),
    source=("minicnn.kernels.geometry.Axis",),
    mistakes=(
        Mistake(
            "One window is missing: the first one is there before any step is taken, so there is one more than steps.",
            "// stride + 1",
            "// stride",
        ),
        Mistake(
            "The padding is counted once, but there is some at both ends.",
            "size + 2 * padding",
            "size + padding",
        ),
        Mistake(
            "The extent is K·d; behind the last tap there is no gap, so it is (K − 1)·d + 1.",
            "(kernel - 1) * dilation + 1",
            "kernel * dilation",
        ),
        Mistake(
            "The last window hangs over the end: rounding is downwards.",
            "return (size + 2 * padding - extent) // stride + 1",
            "return -(-(size + 2 * padding - extent) // stride) + 1",
        ),
        Mistake(
            "The padding moves the windows to the wrong side: the first one begins before the image, at −padding.",
            "position * stride - padding",
            "position * stride + padding",
        ),
        Mistake(
            "Stride and dilation are swapped: windows lie `stride` apart, taps `dilation`.",
            "origin = position * stride - padding\n    found = []\n    for tap in range(kernel):\n"
            "        pixel = origin + tap * dilation",
            "origin = position * dilation - padding\n    found = []\n    for tap in range(kernel):\n"
            "        pixel = origin + tap * stride",
        ),
        Mistake(
            "Taps in the padding before the image are kept: their pixel is below 0.",
            "0 <= pixel < size",
            "pixel < size",
        ),
        Mistake(
            "Taps in the padding behind the image are kept: pixels end at size − 1.",
            "0 <= pixel < size",
            "0 <= pixel <= size",
        ),
    ),
    values=values,
    cases=cases,
    widget=shown,
)
