"""`python -m benchmarks`: minicnn beside PyTorch."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.machine import copy_bandwidth, describe, pin_threads, sgemm_peak
from benchmarks.rows import Result, Work, measure

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
console = Console()

Threads = Annotated[int, typer.Option(help="Threads on both sides; 0 for all cores.", min=0)]
Seconds = Annotated[float, typer.Option(help="Seconds of one turn of one side.", min=0.01)]
Output = Annotated[Path | None, typer.Option(help="Write the figures to this file as JSON.")]


def table(title: str, works: list[Work], threads: int, seconds: float, output: Path | None) -> list[Result]:
    """Measure each work, print the table, write the figures."""
    from minicnn.threads import available_cores

    threads = threads or available_cores()
    pin_threads(threads)
    environment = describe(threads)
    peak, bandwidth = sgemm_peak(), copy_bandwidth()
    for name, value in environment.items():
        console.print(f"[dim]{name}:[/] {value}", highlight=False)
    console.print(
        f"[dim]limits:[/] {peak:.0f} GFLOP/s in sgemm, {bandwidth:.1f} GB/s in a copy (read + written)",
        highlight=False,
    )
    results = []
    with console.status("") as status:
        for work in works:
            status.update(f"timing {work.name}")
            results.append(measure(work, peak, bandwidth, seconds=seconds))
    view = Table(
        title=title,
        caption="medians of alternating runs; ratio = PyTorch ÷ minicnn, above 1 minicnn is faster",
    )
    view.add_column("work")
    for heading in ("first call", "minicnn", "PyTorch", "its format", "ratio", "rate", "of the limit"):
        view.add_column(heading, justify="right")
    for r in results:
        colour = "green" if r.ratio >= 1 else "red"
        view.add_row(
            r.name,
            f"{r.first:.2f} s",
            f"{r.ours * 1e3:.3f} ms",
            f"{r.theirs * 1e3:.3f} ms",
            r.format,
            f"[{colour}]{r.ratio:.2f}[/]",
            f"{r.rate:.0f} {r.unit}",
            f"{r.share:.0%}",
        )
    console.print(view)
    if output:
        report = {"environment": environment, "sgemm_gflops": peak, "copy_gbs": bandwidth}
        output.write_text(json.dumps({**report, "rows": [r.as_dict() for r in results]}, indent=2) + "\n")
        console.print(f"figures written to {output}")
    return results


@app.callback(invoke_without_command=True)
def lenet(context: typer.Context, threads: Threads = 0, seconds: Seconds = 0.15, output: Output = None) -> None:
    """LeNet's training step and its layers."""
    if context.invoked_subcommand:
        return
    from benchmarks.work.layers import LENET, convolution
    from benchmarks.work.training import training_step
    from minicnn.models import lenet
    from reference.models import LeNet

    works = [training_step(f"LeNet step, batch {n}", lenet, LeNet, (n, 1, 28, 28)) for n in (4, 64, 128)]
    works += [convolution(layer, backward) for layer in LENET for backward in (False, True)]
    table("LeNet", works, threads, seconds, output)


if __name__ == "__main__":
    app(prog_name="python -m benchmarks")
