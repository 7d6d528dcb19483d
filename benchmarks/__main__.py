"""`python -m benchmarks`: minicnn beside PyTorch."""

import json
import math
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.machine import copy_bandwidth, describe, pin_threads, sgemm_peak
from benchmarks.rows import Result, Work, measure

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
console = Console(width=145)

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
    show(title, results)
    if output:
        report = {"environment": environment, "sgemm_gflops": peak, "copy_gbs": bandwidth}
        output.write_text(json.dumps({**report, "rows": [r.as_dict() for r in results]}, indent=2) + "\n")
        console.print(f"figures written to {output}")
    return results


def show(title: str, results: list[Result]) -> None:
    """Print results as a table, with the geometric mean and the worst of the ratios."""
    view = Table(
        title=title, caption="medians of alternating runs; ratio = PyTorch ÷ minicnn, above 1 minicnn is faster"
    )
    view.add_column("work", no_wrap=True)
    for heading in ("first call", "minicnn", "PyTorch", "its format", "ratio", "rate", "of the limit"):
        view.add_column(heading, justify="right", no_wrap=True)
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
    mean = math.exp(sum(math.log(r.ratio) for r in results) / len(results))
    worst = min(results, key=lambda r: r.ratio)
    console.print(f"geometric mean {mean:.2f}, worst {worst.ratio:.2f} ({worst.name})", highlight=False)


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


@app.command()
def conv(
    threads: Threads = 0,
    seconds: Seconds = 0.15,
    output: Output = None,
    algorithm: Annotated[str, typer.Option(help="auto, or a name; winograd times the 3×3 layers it can do.")] = "auto",
) -> None:
    """Convolution layers of LeNet to VGG-16: forward, and forward with backward."""
    from benchmarks.work.layers import LAYERS, WINOGRAD, convolution

    layers = WINOGRAD if algorithm == "winograd" else LAYERS
    works = [convolution(layer, backward, algorithm) for backward in (False, True) for layer in layers]
    table(f"convolution, algorithm={algorithm!r}", works, threads, seconds, output)


@app.command()
def ops(threads: Threads = 0, seconds: Seconds = 0.15, output: Output = None) -> None:
    """Batch norm, relu and pooling, forward and backward, on 32×64×32×32."""
    from benchmarks.work.operators import operators

    table("operators on 32×64×32×32", operators(), threads, seconds, output)


@app.command()
def train(
    threads: Threads = 0,
    seconds: Seconds = 0.5,
    output: Output = None,
    winograd: Annotated[bool, typer.Option(help="Allow Winograd's algorithm in minicnn.")] = False,
) -> None:
    """Training steps of LeNet, the MNIST CNN, AlexNet and ResNet-18."""
    from benchmarks.work.training import steps
    from minicnn import backends

    with backends.winograd(winograd):
        table("training steps" + (", with Winograd" if winograd else ""), steps(), threads, seconds, output)


if __name__ == "__main__":
    app(prog_name="python -m benchmarks")
