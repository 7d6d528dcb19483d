"""`python -m benchmarks ladder`: what each idea brings, from the seven loops to Winograd, on three layers."""

from dataclasses import asdict, replace
from statistics import median
from typing import Any

from rich.table import Table

from benchmarks.machine import sgemm_peak
from benchmarks.report import console, print_environment, write
from benchmarks.rows import Sides, compare
from benchmarks.rungs import Bar, Ladder
from benchmarks.settings import Output, Plot, Repeat, Seconds, Threads, Turns, set_up
from benchmarks.spec import Convolution
from benchmarks.timing import alternate
from minicnn.recipes.errors import plain_errors

RUNGS = ("naive", "im2col", "tiled", "packed", "registers", "implicit", "winograd", "fft")
"""`grouped` is for many small groups, which these layers don't have."""
STATIONS = (("early", "AlexNet 1"), ("middle", "ResNet-18 1"), ("late", "ResNet-18 3"))
"""Where in its network a layer stands, and its name in the table of layers."""
TITLE = "the ladder, forward"
TOLERANCE = 1e-3
"""How far a rung may be from PyTorch, as a part of the largest value: Winograd's rounding is the largest."""


def layers() -> dict[str, Convolution]:
    """The three layers by what they are called."""
    from benchmarks.work.layers import LAYERS

    by_name = dict(reversed(LAYERS))  # the first of a name counts
    return {f"{place}: {name}, {by_name[name].label}": by_name[name] for place, name in STATIONS}


def measured(layer: str, convolution: Convolution, gflops: float, turns: int, seconds: float) -> list[Bar]:
    """Check every rung against PyTorch and time it.

    The seven loops get one image: they are one thread's work, image after image, and slow.

    Args:
        layer: its name.
        convolution: its sizes.
        gflops: the machine's limit.
        turns, seconds: of each rung, as in `alternate`.
    """
    from benchmarks.work.convolution import Problem, minicnn_way, torch_way

    ways, sizes = [], []
    for rung in RUNGS:
        size = replace(convolution, N=1) if rung == "naive" else convolution
        problem = Problem.random(size)
        way = minicnn_way(problem, False, algorithm=rung)
        compare(f"{layer}, {rung}", Sides(way, {"NCHW": torch_way(problem, False)}), TOLERANCE)
        ways.append(way)
        sizes.append(size)
    rows = zip(RUNGS, sizes, alternate(ways, turns, seconds), strict=True)
    return [
        Bar(layer, rung, size.N, time, size.flops / time / 1e9, size.flops / time / 1e9 / gflops)
        for rung, size, time in rows
    ]


@plain_errors
def ladder(
    threads: Threads = 0,
    seconds: Seconds = 0.15,
    turns: Turns = 7,
    repeat: Repeat = 1,
    output: Output = None,
    plot: Plot = None,
) -> None:
    """Each rung of the ladder, from the seven loops to Winograd, on an early, a middle and a late layer."""
    environment = set_up(threads)
    print_environment(environment)
    runs = []
    with console.status("") as status:
        for number in range(repeat):
            status.update(f"run {number + 1} of {repeat}: measuring the machine's limit")
            limit, bars = sgemm_peak(), []
            for layer, convolution in layers().items():
                status.update(f"run {number + 1} of {repeat}: timing {layer}")
                bars += measured(layer, convolution, limit, turns, seconds)
            runs.append(Ladder(limit, bars))
    console.print(f"[dim]limits:[/] {' / '.join(f'{run.gflops:.0f}' for run in runs)} GFLOP/s in sgemm")
    show(runs)
    if output:
        content: dict[str, Any] = {"title": TITLE, "environment": environment}
        content["runs"] = [{"sgemm_gflops": run.gflops, "bars": [asdict(bar) for bar in run.bars]} for run in runs]
        write(output, content)
    if plot:
        from benchmarks.plots.ladder import draw

        draw(TITLE, runs, environment, plot)
        console.print(f"picture drawn to {plot}", highlight=False)


def show(runs: list[Ladder]) -> None:
    """Print a row for each rung, a column for each layer: GFLOP/s and share, medians over the runs."""
    caption = (
        "GFLOP/s of the direct sum, whatever an algorithm computes, and their share of sgemm's; medians over all runs\n"
        "naive: on one image, in one thread"
    )
    view = Table(title=TITLE, caption=caption)
    view.add_column("", no_wrap=True)
    found = list(zip(*(run.bars for run in runs), strict=True))
    names = dict.fromkeys(row[0].layer for row in found)
    for name in names:
        view.add_column(name, justify="right", min_width=24)
    for rung in RUNGS:
        row = [bars for bars in found if bars[0].rung == rung]
        cells = [f"{median(b.gflops for b in bars):.1f} {median(b.share for b in bars):5.0%}" for bars in row]
        view.add_row(rung, *cells)
    console.print(view)
