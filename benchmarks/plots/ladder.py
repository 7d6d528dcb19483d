"""The ladder as a picture: a panel for each layer, a bar for each rung, its share of the machine's peak."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.plots.style import figure, save, tidy
from benchmarks.rungs import Bar, Ladder
from minicnn.palette import INK, OURS, OURS_LIGHT, THEIRS

FEWER = ("winograd", "fft")
"""Rungs that need fewer multiplications than the direct sum, whose operations are counted."""
BESIDE = (
    "GFLOP/s of the direct sum; pale ones multiply less than is counted; naive: one image, one thread; "
    "a line through an end: lowest to highest of the runs; dashed: sgemm of NumPy or PyTorch"
)


def draw(title: str, runs: Sequence[Ladder], environment: Mapping[str, str], path: Path) -> None:
    """Bars of the medians over the runs, a line from the lowest to the highest.

    Args:
        title: above it all.
        runs: what was measured.
        environment: for the small print.
        path: where the picture goes.
    """
    found = list(zip(*(run.bars for run in runs), strict=True))
    layers = list(dict.fromkeys(row[0].layer for row in found))
    peak, sgemm = median(run.peak for run in runs), median(run.sgemm / run.peak for run in runs)
    picture = figure(f"{title}: share of the machine's {peak:.0f} GFLOP/s", 13, 4.4)
    panels = picture.subplots(1, len(layers), sharex=True, sharey=True, squeeze=False)[0]
    widest = max(bar.share for row in found for bar in row)
    for panel, layer in zip(panels, layers, strict=True):
        _bars(panel, [row for row in found if row[0].layer == layer])
        tidy(panel, layer.replace(", ", "\n", 1), "x")
        panel.axvline(1, color=INK, linewidth=1)
        panel.axvline(sgemm, color=THEIRS, linewidth=1, linestyle="--")
    panels[0].invert_yaxis()
    panels[0].set_xlim(0, max(1.0, widest) * 1.25)
    panels[0].xaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    save(picture, {"beside bars:": BESIDE, **environment}, path)


def _bars(axes: Any, rows: Sequence[Sequence[Bar]]) -> None:
    for place, row in enumerate(rows):
        shares = [bar.share for bar in row]
        axes.barh(place, median(shares), color=OURS_LIGHT if row[0].rung in FEWER else OURS, height=0.72)
        axes.plot([min(shares), max(shares)], [place, place], color=INK, linewidth=1.2)
        speed = median(bar.gflops for bar in row)
        text = f"{speed:.0f}" if speed >= 10 else f"{speed:.1f}"
        axes.text(max(shares) + 0.02, place, text, va="center", fontsize=8.5, color=INK)
    axes.set_yticks(range(len(rows)), [row[0].rung for row in rows])
