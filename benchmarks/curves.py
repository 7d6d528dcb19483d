"""`python -m benchmarks.curves`: the loss curves of two trainings, laid over each other, and how far they are apart.

    minicnn train --epochs 5 --seed 0 --output runs/ours
    python -m reference.train lenet --device cpu --epochs 5 --seed 0 --output runs/theirs
    python -m benchmarks.curves runs/theirs/history.json runs/ours/history.json --output curves.png

With the same seed the two start from the same weights and see the same batches, bit for bit. What is left is rounding,
which training amplifies from step to step.
"""

import json
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import typer

from minicnn.palette import INK, OURS, THEIRS
from minicnn.recipes.errors import UserError, plain_errors
from minicnn.recipes.table import count
from minicnn.serialization import replacing

COLORS = (THEIRS, OURS)
NOT_OF_THE_COURSE = ("device", "torch", "processes", "winograd", "init")
"""Settings that decide how fast or how exactly, not what is computed (--init may name the same weights twice)."""

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)


class Curve(NamedTuple):
    """The losses of a training.

    Attributes:
        label: whose.
        course: what decides them: model, data, seed and settings.
        losses: of every step.
        epochs: how many epochs the steps are.
        accuracy: on the test images, at the end.
    """

    label: str
    course: dict[str, Any]
    losses: np.ndarray
    epochs: int
    accuracy: float


def read(path: Path) -> Curve:
    """The curve in a history that `minicnn train` or `reference.train` left.

    Raises:
        UserError: where the file is no such history.
    """
    try:
        content = json.loads(path.read_bytes())
        course = {name: content[name] for name in ("model", "dataset", "seed")} | content["settings"]
        device = content["settings"].get("device", f"CPU, {count(content['threads'], 'thread')}")
        return Curve(
            f"{content['by']} ({device})",
            {name: value for name, value in course.items() if name not in NOT_OF_THE_COURSE},
            np.array(content["losses"], np.float64),
            len(content["epochs"]),
            content["epochs"][-1]["test"]["accuracy"],
        )
    except FileNotFoundError as error:
        raise UserError(f"there is no history {path}") from error
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise UserError(f"{path} is no history of a training ({error!r})") from error


def check(a: Curve, b: Curve) -> None:
    """Raise UserError, naming what differs, where two trainings could not have the same curve."""
    different = [
        f"{name} {a.course.get(name)} and {b.course.get(name)}"
        for name in {**a.course, **b.course}
        if a.course.get(name) != b.course.get(name)
    ]
    if different:
        raise UserError(f"two different trainings: {', '.join(different)}")
    if len(a.losses) != len(b.losses):
        raise UserError(f"two different trainings: {len(a.losses)} and {len(b.losses)} steps")


def draw(a: Curve, b: Curve, output: Path) -> None:
    """Both curves above, the difference between them below, on a logarithmic axis.

    Args:
        a, b: curves of equally many steps.
        output: where the picture goes, whole or not at all; its suffix says in which format.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 6), layout="constrained")
    course = a.course
    figure.suptitle(f"{course['model']} on {course['dataset']}, seed {course['seed']}", color=INK, weight="bold")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(2, 1))
    steps = np.arange(1, len(a.losses) + 1)
    for curve, color, style, width in ((a, COLORS[0], "-", 3.0), (b, COLORS[1], "--", 1.2)):
        label = f"{curve.label}: {curve.accuracy:.2%} of the test images"
        above.plot(steps, curve.losses, style, color=color, linewidth=width, label=label)
    above.set_title("loss of each step", loc="left", color=INK)
    above.set_ylim(bottom=0)
    above.legend(frameon=False, labelcolor=INK)
    apart = np.abs(a.losses - b.losses)
    below.plot(steps, np.where(apart > 0, apart, np.nan), ".", color=INK, markersize=3)
    below.set_yscale("log")
    below.set_title(f"distance, at most {apart.max():.2g}; no dot: none", loc="left", color=INK)
    below.set_xlabel("step", color=INK)
    for axes in (above, below):
        axes.grid(axis="y", color="#e6e7eb")
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        for epoch in range(1, a.epochs):
            axes.axvline(0.5 + epoch * len(steps) / a.epochs, color="#e6e7eb", linewidth=0.8)
    with replacing(output) as file:
        figure.savefig(file, format=output.suffix.removeprefix(".") or "png", dpi=150)


@app.command()
@plain_errors
def curves(
    first: Annotated[Path, typer.Argument(help="history.json of one training, such as reference.train's.")],
    second: Annotated[Path, typer.Argument(help="history.json of the other, such as minicnn train's.")],
    output: Annotated[Path, typer.Option(help="Where the picture goes.")] = Path("curves.png"),
) -> None:
    """Lay two loss curves over each other."""
    a, b = read(first), read(second)
    check(a, b)
    draw(a, b, output)
    apart = np.abs(a.losses - b.losses)
    size = np.maximum(np.abs(a.losses), np.finfo(float).tiny)
    typer.echo(f"first step  {apart[0]:.2g} apart ({apart[0] / size[0]:.2g} of the loss)")
    typer.echo(f"all steps   at most {apart.max():.2g}, mean {apart.mean():.2g}, in {len(apart):,} steps")
    typer.echo(f"test        {a.accuracy:.2%} and {b.accuracy:.2%}")
    typer.echo(f"Plot        {output}")


if __name__ == "__main__":
    app(prog_name="python -m benchmarks.curves")
