"""A table as a picture: how much faster or slower than PyTorch, and where both lie below the machine's roof."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.plots.style import figure, save, tidy
from benchmarks.rows import Result, Run, geometric_mean
from minicnn.palette import GRID, INK, OURS, OURS_LIGHT, THEIRS

Row = Sequence[Result]
"""One row of the table, from every run."""

SPEEDS = tuple(factor * 10.0**power for power in range(-3, 6) for factor in (1, 2, 5))
TICKS = (0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10)


def draw(title: str, runs: Sequence[Run], environment: Mapping[str, str], path: Path) -> None:
    """Bars on the left, the roofline on the right.

    Args:
        title: of the table.
        runs: what was measured.
        environment: for the small print.
        path: where the picture goes.
    """
    rows = list(zip(*(run.results for run in runs), strict=True))
    names = dict.fromkeys(row[0].name for row in rows)
    lines = sum(max(1, sum(row[0].name == name for row in rows)) + 0.6 for name in names)
    picture = figure(title, 13.5, max(5.2, 1.6 + 0.155 * lines))
    left, right = picture.subplots(1, 2, width_ratios=(1, 1.05))
    bars(left, rows)
    limits = [run.limits for run in runs]
    roofline(right, rows, median(limit.gflops for limit in limits), median(limit.gbs for limit in limits))
    save(picture, environment, path)


def bars(axes: Any, rows: Sequence[Row]) -> None:
    """PyTorch's time ÷ minicnn's on a logarithmic axis, bars beginning at 1.

    Rows of one name (forward; forward and back) stand together. The bar is the median of the runs, a line through its
    end reaches from the lowest to the highest.
    """
    names = list(dict.fromkeys(row[0].name for row in rows))
    position = 0.0
    ticks = []
    for name in names:
        group = [row for row in rows if row[0].name == name]
        for offset, row in enumerate(group):
            _bar(axes, position + offset, row)
        ticks.append(position + (len(group) - 1) / 2)
        position += len(group) + 0.6
    ratios = [result.ratio for row in rows for result in row]
    low, high = min(0.66, min(ratios) * 0.8), max(1.5, max(ratios) * 1.25)
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.set_xticks([tick for tick in TICKS if low < tick < high])
    axes.set_xticklabels([f"{tick:g}" for tick in TICKS if low < tick < high])
    axes.minorticks_off()
    axes.set_yticks(ticks, names)
    axes.set_ylim(position - 0.5, -1.7)
    mean = geometric_mean(median(result.ratio for result in row) for row in rows)
    tidy(axes, f"PyTorch ÷ minicnn, geometric mean {mean:.2f}", "x")
    axes.axvline(1, color=INK, linewidth=1)
    for ratio, text, side in ((0.985, "← PyTorch is faster", "right"), (1.015, "minicnn is faster →", "left")):
        axes.text(ratio, -1.1, text, ha=side, va="center", fontsize=8, color=INK)
    axes.spines["left"].set_visible(False)


def _bar(axes: Any, position: float, row: Row) -> None:
    ratios = [result.ratio for result in row]
    ratio = median(ratios)
    axes.barh(position, ratio - 1, left=1, height=0.86, color=_colour(row[0]), linewidth=0)
    if len(ratios) > 1:
        axes.plot([min(ratios), max(ratios)], [position, position], color=INK, linewidth=1)
    faster = ratio >= 1
    tip = max(ratios) if faster else min(ratios)
    axes.annotate(
        f"{ratio:.2f}", (tip, position), (4 if faster else -4, 0), textcoords="offset points",
        ha="left" if faster else "right", va="center", fontsize=7.5, color=INK,
    )  # fmt: skip


def roofline(axes: Any, rows: Sequence[Row], gflops: float, gbs: float) -> None:
    """Arithmetic intensity against speed, below the roof: min(the highest speed, the highest bandwidth · intensity).

    A row is a point for either side, joined by a line. The roof passes through the fastest point of each kind where
    sgemm and the copy, the dashed lines, were slower: the clock moves, and a cache is faster than memory.
    (Williams, Waterman & Patterson, "Roofline: an insightful visual performance model", 2009.)

    Args:
        axes: where to draw.
        rows: of the table.
        gflops, gbs: the machine's limits.
    """
    intensity = np.array([row[0].flops / row[0].bytes for row in rows])
    ours = np.array([row[0].flops / median(r.ours for r in row) / 1e9 for row in rows])
    theirs = np.array([row[0].flops / median(r.theirs for r in row) / 1e9 for row in rows])
    both = np.maximum(ours, theirs)
    top_speed, top_bandwidth = max(gflops, both.max()), max(gbs, (both / intensity).max())
    ridge = top_speed / top_bandwidth
    low, high = min(intensity.min(), ridge) / 2, max(intensity.max(), ridge) * 2.5
    bottom = min(ours.min(), theirs.min()) / 2
    top = top_speed * 2
    reach = np.array([low, ridge, high])
    roof = np.minimum(top_speed, top_bandwidth * reach)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(low, high)
    axes.set_ylim(bottom, top)
    ticks = [tick for tick in SPEEDS if bottom < tick < top]
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    tidy(axes, "roofline: speed against operations for each byte that must move")
    axes.fill_between(reach, roof, top, color=GRID, alpha=0.5, linewidth=0)
    axes.plot(reach, roof, color=INK, linewidth=1.4, label="roof: the fastest of all that was measured")
    measured = np.minimum(gflops, gbs * np.array([low, gflops / gbs, high]))
    axes.plot(
        [low, gflops / gbs, high], measured, "--", color=INK, linewidth=0.8,
        label=f"sgemm, {gflops:.0f} GFLOP/s, and a copy, {gbs:.1f} GB/s",
    )  # fmt: skip
    axes.text(high / 1.1, top_speed * 1.06, f"{top_speed:.0f} GFLOP/s", ha="right", fontsize=8.5, color=INK)
    axes.text(
        0.7 * ridge, 0.8 * top_speed, f"{top_bandwidth:.1f} GB/s ", ha="right", va="bottom", fontsize=8.5, color=INK
    )
    axes.vlines(intensity, ours, theirs, color=THEIRS, linewidth=0.8)
    axes.plot(intensity, theirs, "o", markersize=5, markerfacecolor="white", color=THEIRS, label="PyTorch")
    for colour in dict.fromkeys(_colour(row[0]) for row in rows):
        picked = [number for number, row in enumerate(rows) if _colour(row[0]) == colour]
        back = colour == OURS_LIGHT
        label = "minicnn" + (", forward and back" if back else ", forward" if rows[picked[0]][0].part else "")
        axes.plot(intensity[picked], ours[picked], "o", markersize=5.5, color=colour, label=label)
    axes.set_xlabel("FLOP / byte", color=INK, fontsize=9)
    axes.set_ylabel("GFLOP/s", color=INK, fontsize=9)
    axes.legend(frameon=False, labelcolor=INK, fontsize=8.5, loc="lower right")


def _colour(result: Result) -> str:
    return OURS_LIGHT if result.part.startswith("and back") else OURS
