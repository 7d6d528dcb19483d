"""The figure of `minicnn predict --show`: each picture, what the network saw of it, and what it read."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from minicnn.cli.readings import Reading
from minicnn.filters.figure import format_of
from minicnn.inspect.figures import bare, image
from minicnn.palette import GRID, INK, OURS, OURS_LIGHT
from minicnn.serialization import replacing

MOST = 40
"""Rows of a figure."""


def draw(readings: Sequence[Reading], classes: list[str], output: Path) -> None:
    """A row a picture: as it was given, framed where it was cut out; as the network saw it; the likeliest classes.

    Args:
        readings: at most `MOST` are drawn.
        classes: their names.
        output: where the figure goes, whole or not at all.
    """
    from matplotlib.figure import Figure

    shown = readings[:MOST]
    figure = Figure(figsize=(9, 2.5 * len(shown)), layout="constrained")
    rows = figure.subplots(len(shown), 3, squeeze=False, width_ratios=(1.3, 1, 1.3))
    for (given, seen, read), reading in zip(rows, shown, strict=True):
        _given(given, reading)
        _seen(seen, reading)
        _read(read, reading, classes)
    with replacing(output) as file:
        figure.savefig(file, format=format_of(output), dpi=110)


def _given(axes: Any, reading: Reading) -> None:
    pixels, box = reading.picture.pixels, reading.prepared.box
    image(axes, pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0), () if box is None else (box,))
    axes.spines[:].set(visible=True, color=GRID)
    axes.set_title(reading.picture.name, color=INK, fontsize=9, parse_math=False)


def _seen(axes: Any, reading: Reading) -> None:
    seen = reading.prepared.image
    bare(axes)
    if seen is None:
        axes.text(0.5, 0.5, "blank", color=INK, ha="center", va="center", transform=axes.transAxes)
        return
    image(axes, seen / 255)
    axes.set_title(f"as the network saw it, {seen.shape[0]}×{seen.shape[1]}", color=INK, fontsize=9)


def _read(axes: Any, reading: Reading, classes: list[str]) -> None:
    if reading.probabilities is None:
        axes.set_axis_off()
        return
    best = reading.best()
    places = range(len(best))
    axes.barh(places, [share for _, share in best], color=[OURS, *[OURS_LIGHT] * (len(best) - 1)], height=0.6)
    axes.set_yticks(places, [classes[label] for label, _ in best], color=INK, parse_math=False)
    axes.set_ylim(len(best) - 0.4, -0.6)
    axes.set_xlim(0, 1.25)
    axes.set_xticks([])
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    for place, (_, share) in zip(places, best, strict=True):
        axes.text(share + 0.02, place, f"{share:.1%}", color=INK, va="center", fontsize=9)
