"""Growth as a picture: time and memory along each axis, both logarithmic."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.growth import Point
from benchmarks.plots.style import figure, save, tidy
from minicnn.palette import INK, OURS, OURS_LIGHT, THEIRS, THEIRS_LIGHT

LINES = (
    ("ours", "minicnn, forward", OURS, "o-"),
    ("ours_back", "minicnn, forward and back", OURS_LIGHT, "o-"),
    ("theirs", "PyTorch, forward", THEIRS, "s--"),
    ("theirs_back", "PyTorch, forward and back", THEIRS_LIGHT, "s--"),
)


def draw(title: str, found: Mapping[str, Sequence[Point]], environment: Mapping[str, str], path: Path) -> None:
    """Times above, workspace below, a column for each axis.

    Args:
        title: above it all.
        found: axis → what was measured along it.
        environment: for the small print.
        path: where the picture goes.
    """
    picture = figure(title, 13, 6.4)
    panels = picture.subplots(2, len(found), sharey="row", height_ratios=(2, 1), squeeze=False)
    for column, (axis, points) in enumerate(found.items()):
        values = [point.value for point in points]
        above, below = panels[:, column]
        for field, label, colour, style in LINES:
            above.plot(values, [getattr(point, field) * 1e3 for point in points], style, color=colour, label=label)
        room = [point.workspace for point in points]
        if all(room):
            below.plot(values, [size / 1e6 for size in room if size], "o-", color=OURS)
        for panel in (above, below):
            panel.set_xscale("log", base=2)
            panel.set_yscale("log")
            panel.set_xticks(values, [str(value) for value in values])
        tidy(above, axis)
        tidy(below, "")
    panels[0, 0].set_ylabel("milliseconds", color=INK)
    panels[1, 0].set_ylabel("workspace, MB", color=INK)
    panels[0, 0].legend(frameon=False, labelcolor=INK, fontsize=8)
    save(picture, environment, path)
