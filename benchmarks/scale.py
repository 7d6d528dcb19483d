"""How time and memory of a convolution grow with batch, channels, image size and threads."""

from dataclasses import asdict, replace
from typing import Annotated, Any

import numpy as np
import typer
from rich.table import Table

from benchmarks.growth import Point
from benchmarks.machine import pin_threads
from benchmarks.memory import readable, workspace
from benchmarks.report import console, print_environment, write
from benchmarks.settings import Output, Plot, Seconds, Threads, set_up
from benchmarks.spec import Convolution, parse
from benchmarks.timing import alternate
from minicnn.recipes.errors import UserError, plain_errors

DEFAULT = "16x64x32x32,o64,k3,p1"
FACTORS = (0.25, 0.5, 1, 2)


def series(base: Convolution, threads: int) -> dict[str, list[tuple[int, Convolution, int]]]:
    """For each axis the values, the convolutions and their threads."""

    def scaled(number: int) -> list[int]:
        return sorted({max(1, int(number * factor)) for factor in FACTORS})

    counts = sorted({*[2**k for k in range(threads.bit_length()) if 2**k <= threads], threads})
    return {
        "batch": [(n, replace(base, N=n), threads) for n in scaled(base.N)],
        "channels": [(c, replace(base, C=c, O=c), threads) for c in scaled(base.C) if c % base.groups == 0],
        "image side": [(side, replace(base, H=side, W=side), threads) for side in scaled(base.H)],
        "threads": [(count, base, count) for count in counts],
    }


def measured(convolution: Convolution, value: int, seconds: float) -> Point:
    """Time one size on the threads that are set."""
    from benchmarks.work.convolution import Problem, formats, minicnn_way, torch_way

    problem = Problem.random(convolution)
    names = formats(convolution)
    times = []
    for backward in (False, True):
        theirs = [torch_way(problem, backward, memory_format=name) for name in names]
        ours, *others = alternate([minicnn_way(problem, backward), *theirs], 5, seconds)
        times.append((ours, min(others)))
    room = workspace(minicnn_way(problem, True))
    return Point(value, times[0][0], times[1][0], times[0][1], times[1][1], room)


def slope(points: list[Point], field: str) -> float | None:
    """The exponent p of field ∝ value^p: the slope of a least-squares line through the logarithms."""
    pairs = [(point.value, getattr(point, field)) for point in points]
    if len({value for value, _ in pairs}) < 2 or any(not number for _, number in pairs):
        return None
    x, y = np.log(np.array(pairs, np.float64)).T
    return float(np.polyfit(x, y, 1)[0])


@plain_errors
def scale(
    spec: Annotated[
        str, typer.Option("--spec", metavar="CONV-SPEC", help="The convolution from which sizes vary.")
    ] = DEFAULT,
    threads: Threads = 0,
    seconds: Seconds = 0.1,
    output: Output = None,
    plot: Plot = None,
) -> None:
    """How time and memory grow with batch, channels, image size and threads."""
    base = parse(spec)
    if base.H != base.W:
        raise UserError(f"{base} isn't square; scale varies the side of a square image")
    environment = set_up(threads)
    print_environment(environment)
    count = int(environment["threads"].split()[0])
    found: dict[str, list[Point]] = {}
    with console.status("") as status:
        for axis, sizes in series(base, count).items():
            found[axis] = []
            for value, convolution, used in sizes:
                status.update(f"{axis} {value}")
                pin_threads(used)
                found[axis].append(measured(convolution, value, seconds))
    pin_threads(count)
    show(base, found)
    if output:
        content: dict[str, Any] = {"spec": str(base), "environment": environment}
        content["axes"] = {axis: [asdict(point) for point in points] for axis, points in found.items()}
        write(output, content)
    if plot:
        from benchmarks.plots.scale import draw

        draw(f"growth from {base.label}", found, environment, plot)
        console.print(f"picture drawn to {plot}", highlight=False)


FIELDS = ("ours", "theirs", "ours_back", "theirs_back", "workspace")


def show(base: Convolution, found: dict[str, list[Point]]) -> None:
    """Print a row for each size, and the slopes below each axis."""
    view = Table(
        title=f"growth from {base.label}",
        caption="slope: the exponent p in time ∝ size^p, by least squares on logarithms; along threads −1 is ideal\n"
        "workspace: what minicnn needs beyond inputs and results, forward and back",
    )
    headings = ("minicnn", "PyTorch", "minicnn, and back", "PyTorch, and back", "workspace")
    for heading in ("axis", "size", *headings):
        view.add_column(heading, justify="left" if heading == "axis" else "right", no_wrap=True)
    for axis, points in found.items():
        for point in points:
            times = [f"{getattr(point, field) * 1e3:.3f} ms" for field in FIELDS[:4]]
            view.add_row(axis, str(point.value), *times, readable(point.workspace))
        slopes = [slope(points, field) for field in FIELDS]
        view.add_row(
            "", "[bold]slope[/]", *["" if p is None else f"[bold]{p:.2f}[/]" for p in slopes], end_section=True
        )
    console.print(view)
