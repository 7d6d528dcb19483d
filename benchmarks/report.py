"""A table of minicnn beside PyTorch: measured, printed, written, drawn."""

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.machine import measure_limits
from benchmarks.rows import Result, Run, Work, geometric_mean, measure
from benchmarks.settings import set_up
from minicnn.recipes.errors import UserError
from minicnn.serialization import replacing

console = Console(width=145)
CAPTION = (
    "medians of alternating runs; ratio = PyTorch ÷ minicnn, above 1 minicnn is faster\n"
    "and back: forward and the gradients by weight, bias and input; no ∂x: without the last, the input being an image"
)


def chosen(works: Sequence[Work], only: str) -> list[Work]:
    """The works whose title contains `only`, in whatever case.

    Raises:
        UserError: where there is none.
    """
    found = [work for work in works if only.lower() in work.title.lower()]
    if not found:
        raise UserError(f"no row contains {only!r}; there are {'; '.join(work.title for work in works)}")
    return found


def report(
    title: str,
    works: Sequence[Work],
    *,
    threads: int,
    seconds: float,
    turns: int,
    repeat: int,
    only: str,
    output: Path | None,
    plot: Path | None,
) -> list[Run]:
    """Measure, print, write and draw a table.

    Args:
        title: of the table.
        works: its rows.
        threads: on both sides; 0 for all cores.
        seconds, turns: how long a side's turn lasts, and how many it has.
        repeat: how often to measure the whole table.
        only: a part of the names of the rows wanted.
        output: where the figures go as JSON.
        plot: where the picture goes.
    """
    works = chosen(works, only)
    environment = set_up(threads)
    print_environment(environment)
    runs = []
    with console.status("") as status:
        for number in range(repeat):
            run = f"run {number + 1} of {repeat}: " if repeat > 1 else ""
            status.update(f"{run}measuring the machine's limits")
            limits, results = measure_limits(), []
            for work in works:
                status.update(f"{run}timing {work.title}")
                results.append(measure(work, limits, turns, seconds))
            runs.append(Run(limits, results))
    for run in runs:
        console.print(f"[dim]limits:[/] {run.limits}", highlight=False)
    show(title, runs)
    if output:
        write(output, {"title": title, "environment": environment, "runs": [run.as_dict() for run in runs]})
    if plot:
        from benchmarks.plots.rows import draw

        draw(title, runs, environment, plot)
        console.print(f"picture drawn to {plot}", highlight=False)
    return runs


def print_environment(environment: dict[str, str]) -> None:
    """CPU, threads, versions, cache: a line each."""
    for name, value in environment.items():
        console.print(f"[dim]{name}:[/] {value}", highlight=False)


def write(path: Path, content: dict[str, Any]) -> None:
    """Write figures as JSON, whole or not at all."""
    with replacing(path) as file:
        file.write((json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode())
    console.print(f"figures written to {path}", highlight=False)


def coloured(ratio: float) -> str:
    """A ratio in green where minicnn is faster, in red where it is slower."""
    return f"[{'green' if ratio >= 1 else 'red'}]{ratio:.2f}[/]"


def show(title: str, runs: Sequence[Run]) -> None:
    """Print the table: medians over the runs, every run's ratios and their geometric means."""
    view = Table(title=title, caption=CAPTION)
    view.add_column("work", no_wrap=True)
    for heading in ("first call", "minicnn", "PyTorch", "its format", "ratio", "rate", "of the limit"):
        view.add_column(heading, justify="right", no_wrap=True)
    rows = list(zip(*(run.results for run in runs), strict=True))
    for row in rows:
        view.add_row(
            row[0].title,
            f"{row[0].first:.2f} s",
            f"{median(r.ours for r in row) * 1e3:.3f} ms",
            f"{median(r.theirs for r in row) * 1e3:.3f} ms",
            row[0].format,
            " ".join(coloured(r.ratio) for r in row),
            f"{median(r.rate for r in row):.0f} {row[0].unit}",
            f"{median(r.share for r in row):.0%}",
        )
    console.print(view)
    parts = list(dict.fromkeys(kind(result) for result in runs[0].results))
    if len(parts) > 1:
        for part in parts:
            print_mean(part or "alone", [[r for r in run.results if kind(r) == part] for run in runs])
    print_mean("all", [run.results for run in runs])
    worst = min(rows, key=lambda row: median(r.ratio for r in row))
    console.print(f"worst: {' '.join(coloured(r.ratio) for r in worst)} ({worst[0].title})", highlight=False)


def kind(result: Result) -> str:
    """The part of the work, whatever it leaves out."""
    return result.part.split(",")[0]


def print_mean(name: str, runs: Sequence[Sequence[Result]]) -> None:
    """The geometric mean of the ratios of each run."""
    means = " ".join(coloured(geometric_mean(r.ratio for r in results)) for results in runs)
    console.print(f"geometric mean, {name}: {means}", highlight=False)
