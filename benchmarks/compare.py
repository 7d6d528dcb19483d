"""One convolution by every algorithm: time, memory, and error against float64."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Annotated, Any

import numpy as np
import typer
from rich.table import Table

from benchmarks.machine import measure_limits
from benchmarks.memory import readable, workspace
from benchmarks.report import console, print_environment, write
from benchmarks.rows import Way, as_array
from benchmarks.settings import Output, Seconds, Threads, set_up
from benchmarks.spec import EXAMPLE, Convolution, parse
from benchmarks.timing import alternate
from minicnn.recipes.errors import plain_errors

NAIVE_FLOPS = 4e9
"""The seven loops are left out of work that would keep them busy for many seconds."""
RESULTS = ("y", "∂x", "∂weight", "∂bias")


@dataclass
class Row:
    """What was measured of one way.

    Attributes:
        name: minicnn's algorithm, or PyTorch and its memory format.
        seconds: median of a call.
        gflops: operations of the direct sum ÷ seconds, whatever the algorithm computes.
        share: of sgemm's GFLOP/s.
        workspace: bytes beyond inputs and results, None where the system can't tell.
        errors: for each result the largest and the mean of |y − y₆₄| / (eps · conv(|x|, |w|)).
    """

    name: str
    seconds: float
    gflops: float
    share: float
    workspace: int | None
    errors: dict[str, tuple[float, float]]


def scaled_errors(results: Iterable, exact: Iterable, magnitude: Iterable) -> dict[str, tuple[float, float]]:
    """The largest and the mean error of each result.

    Args:
        results: y, or y and its gradients, float32.
        exact: the same, computed in float64.
        magnitude: the same in float64, of the absolute values of all inputs.
    """
    eps = np.finfo(np.float32).eps
    errors = {}
    arrays = (map(as_array, side) for side in (results, exact, magnitude))
    for name, ours, right, size in zip(RESULTS, *arrays, strict=False):
        scaled = np.abs(ours - right) / (eps * np.maximum(size, np.finfo(np.float32).tiny))
        errors[name] = (float(scaled.max()), float(scaled.mean()))
    return errors


def ways(convolution: Convolution, problem: Any, backward: bool) -> tuple[dict[str, Way], list[str]]:
    """Everything that can compute it by name, and what was left out and why."""
    from benchmarks.work.convolution import formats, minicnn_way, torch_way
    from minicnn.kernels.convolution import ALGORITHMS, grouped, winograd

    found: dict[str, Way] = {}
    left_out = []
    sizes = (convolution.C, convolution.O, convolution.groups)
    for name in ALGORITHMS:
        if name == "winograd" and not winograd.applies(convolution.geometry, convolution.groups):
            left_out.append("winograd: only 3×3 kernels with stride 1, dilation 1 and one group")
        elif name == "grouped" and not grouped.applies(convolution.geometry, *sizes, problem.x.dtype):
            left_out.append("grouped: only many groups of few channels")
        elif name == "naive" and convolution.flops > NAIVE_FLOPS:
            left_out.append(f"naive: {convolution.flops / 1e9:.1f} GFLOP would take the seven loops too long")
        else:
            found[name] = minicnn_way(problem, backward, algorithm=name)
    for memory_format in formats(convolution):
        found[f"PyTorch, {memory_format}"] = torch_way(problem, backward, memory_format=memory_format)
    return found, left_out


def measured(convolution: Convolution, backward: bool, seconds: float, gflops: float) -> tuple[list[Row], list[str]]:
    """Time and check every way.

    Args:
        convolution: what to compute.
        backward: with the gradients.
        seconds: of one turn of each way; each has seven.
        gflops: the machine's limit.
    """
    from benchmarks.work.convolution import Problem, torch_way

    problem = Problem.random(convolution)
    found, left_out = ways(convolution, problem, backward)
    doubles = [array.astype(np.float64) for array in problem[1:]]
    exact = torch_way(Problem(convolution, *doubles), backward)()
    magnitude = torch_way(Problem(convolution, *map(np.abs, doubles)), backward)()
    errors = {name: scaled_errors(way(), exact, magnitude) for name, way in found.items()}
    times = alternate(list(found.values()), seconds=seconds)
    flops = convolution.flops * (3 if backward else 1)
    return [
        Row(name, time, flops / time / 1e9, flops / time / 1e9 / gflops, workspace(way), errors[name])
        for (name, way), time in zip(found.items(), times, strict=True)
    ], left_out


@plain_errors
def compare(
    spec: Annotated[str, typer.Argument(metavar="CONV-SPEC", help=f"The convolution, such as {EXAMPLE}.")],
    threads: Threads = 0,
    seconds: Seconds = 0.15,
    backward: Annotated[bool, typer.Option("--backward", help="Time and check the gradients too.")] = False,
    output: Output = None,
) -> None:
    """One convolution by every algorithm: time, GFLOP/s, workspace, error against float64."""
    convolution = parse(spec)
    environment = set_up(threads)
    print_environment(environment)
    limits = measure_limits()
    console.print(f"[dim]limits:[/] {limits}", highlight=False)
    rows, left_out = measured(convolution, backward, seconds, limits.gflops)
    title = f"{convolution.label}{', forward and back' if backward else ', forward'}"
    show(title, rows)
    for line in left_out:
        console.print(f"left out: {line}", highlight=False)
    if output:
        report = {"spec": str(convolution), "backward": backward, "environment": environment}
        limit = {"sgemm_gflops": limits.gflops, "copy_gbs": limits.gbs}
        write(output, {**report, **limit, "rows": [asdict(row) for row in rows], "left_out": left_out})


def show(title: str, rows: list[Row]) -> None:
    """Print the table."""
    caption = (
        "GFLOP/s count the direct sum, whatever an algorithm computes; workspace: memory beyond inputs and results;\n"
        "error: largest (mean) |result − float64's| / (eps · the same sum of absolute values)"
    )
    view = Table(title=title, caption=caption)
    view.add_column("", no_wrap=True)
    for heading in ("time", "GFLOP/s", "of sgemm", "workspace", *[f"error of {name}" for name in rows[0].errors]):
        view.add_column(heading, justify="right")
    for row in rows:
        errors = [f"{largest:.2f} ({mean:.3f})" for largest, mean in row.errors.values()]
        view.add_row(
            row.name, f"{row.seconds * 1e3:.3f} ms", f"{row.gflops:.1f}", f"{row.share:.0%}",
            readable(row.workspace), *errors,
        )  # fmt: skip
    console.print(view)
