"""`python -m benchmarks ladder`: what each idea brings, from the seven loops to Winograd, on three layers."""

from dataclasses import asdict, replace
from statistics import median
from typing import Any

import numpy as np
from rich.table import Table

from benchmarks.machine import sgemm_peak
from benchmarks.report import console, print_environment, write
from benchmarks.rows import Sides, compare
from benchmarks.rungs import Bar, Ladder
from benchmarks.settings import Output, Plot, Repeat, Seconds, Threads, Turns, set_up
from benchmarks.spec import Convolution
from benchmarks.timing import alternate, once
from minicnn.recipes.errors import plain_errors

RUNGS = ("naive", "im2col", "tiled", "packed", "registers", "implicit", "winograd", "fft")
"""`grouped` is for many small groups, which these layers don't have."""
STATIONS = (("early", "AlexNet 1"), ("middle", "ResNet-18 1"), ("late", "ResNet-18 3"))
"""Where in its network a layer stands, and its name in the table of layers."""
TITLE = "the ladder, forward"
PEAK, REPEATS = 512, 50
"""Rows of the product that tries the micro-kernel, and how often."""
TOLERANCE = 1e-3
"""How far a rung may be from PyTorch, as a part of the largest value: Winograd's rounding is the largest."""


def micro_kernel_peak() -> float:
    """The most GFLOP/s of a product by the micro-kernel: BLAS may know a processor too little to fill its vectors."""
    from minicnn.kernels.convolution.registers import product

    a = np.random.default_rng(0).standard_normal((PEAK, PEAK), np.float32)
    product(a, a)
    return 2 * PEAK**3 / min(once(lambda: product(a, a)) for _ in range(REPEATS)) / 1e9


def layers() -> dict[str, Convolution]:
    """The three layers by what they are called."""
    from benchmarks.work.layers import LAYERS

    by_name = dict(reversed(LAYERS))  # the first of a name counts
    return {f"{place}: {name}, {by_name[name].label}": by_name[name] for place, name in STATIONS}


def measured(layer: str, convolution: Convolution, peak: float, turns: int, seconds: float) -> list[Bar]:
    """Check every rung against PyTorch and time it.

    The seven loops get one image: they are one thread's work, image after image, and slow.

    Args:
        layer: its name.
        convolution: its sizes.
        peak: the machine's, in GFLOP/s.
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
        Bar(layer, rung, size.N, time, size.flops / time / 1e9, size.flops / time / 1e9 / peak)
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
            sgemm, bars = sgemm_peak(), []
            peak = max(sgemm, micro_kernel_peak())
            for layer, convolution in layers().items():
                status.update(f"run {number + 1} of {repeat}: timing {layer}")
                bars += measured(layer, convolution, peak, turns, seconds)
            runs.append(Ladder(sgemm, peak, bars))
    limits = [f"{' / '.join(f'{getattr(run, field):.0f}' for run in runs)} GFLOP/s" for field in ("peak", "sgemm")]
    console.print(
        f"[dim]limits:[/] {limits[0]}, the faster of sgemm ({limits[1]}) and the micro-kernel", highlight=False
    )
    show(runs)
    if output:
        content: dict[str, Any] = {"title": TITLE, "environment": environment}
        content["runs"] = [{**run._asdict(), "bars": [asdict(bar) for bar in run.bars]} for run in runs]
        write(output, content)
    if plot:
        from benchmarks.plots.ladder import draw

        draw(TITLE, runs, environment, plot)
        console.print(f"picture drawn to {plot}", highlight=False)


def show(runs: list[Ladder]) -> None:
    """Print a row for each rung, a column for each layer: GFLOP/s and share, medians over the runs."""
    caption = (
        "GFLOP/s of the direct sum, whatever an algorithm computes, and share of the machine's peak\n"
        "medians over all runs; naive: on one image, in one thread"
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
