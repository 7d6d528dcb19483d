"""`python -m reference.parity MODEL`: the table of a comparison; exit status 1 where the two diverge."""

from collections.abc import Callable
from typing import Annotated

import torch
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

import minicnn
from minicnn.recipes.errors import UserError, one_of, plain_errors, positive
from reference.models import INPUT_SIZES, MODELS
from reference.parity import Comparison, Row, compare, draw_batches, twins

DTYPES = {"float32": torch.float32, "float64": torch.float64}
COLUMNS: dict[str, Callable[[str], bool]] = {
    "value": lambda what: what in ("input", "output"),
    "grad": lambda what: what in ("gradient by input", "gradient by output"),
    "weight": lambda what: what == "gradient by weight",
    "bias": lambda what: what == "gradient by bias",
    "running": lambda what: what.startswith(("running", "num_batches")),
    "update": lambda what: what.startswith("update"),
}
"""What of a row's errors each column shows, the largest of them."""


@plain_errors
def parity(
    model: Annotated[str, typer.Argument(callback=one_of(MODELS), help=f"The network: {', '.join(MODELS)}.")],
    batch_size: Annotated[int, typer.Option(callback=positive, help="Images per step.")] = 4,
    image_size: Annotated[
        int | None, typer.Option(callback=positive, help="Height and width.  [default: what the network is made for]")
    ] = None,
    steps: Annotated[int, typer.Option(callback=positive, help="Steps of the optimizer, SGD.")] = 3,
    lr: Annotated[float, typer.Option(callback=positive, help="Its learning rate.")] = 0.01,
    dtype: Annotated[str, typer.Option(callback=one_of(DTYPES), help="float32 or float64.")] = "float32",
    seed: Annotated[int, typer.Option(min=0, help="Seed of weights, images and labels.")] = 0,
) -> None:
    """Compare a network of minicnn with its PyTorch twin in training, layer by layer."""
    C, H, W = INPUT_SIZES[model]
    shape = (batch_size, C, image_size or H, image_size or W)
    ours, theirs = twins(model, dtype, seed)
    with minicnn.no_grad():
        try:
            classes = ours.eval()(minicnn.zeros(1, *shape[1:], dtype=getattr(minicnn, dtype))).shape[1]
        except (ValueError, RuntimeError) as error:
            raise UserError(f"{model} is not made for images of {shape[2]}×{shape[3]} pixels: {error}") from error
    entries = theirs.state_dict().values()
    numbers = sum(entry.numel() for entry in entries)
    console = Console(highlight=False)
    images = f"{steps} × {batch_size} images of {'×'.join(map(str, shape[1:]))}"
    console.print(f"{model}, {dtype}, {images}, seed {seed}, lr {lr:g}")
    console.print(f"{numbers:,} weights and statistics, to minicnn and back, are equal bit by bit\n")
    result = compare(ours, theirs, draw_batches(shape, classes, steps, dtype, seed), lr)
    console.print(table_of(result))
    for line in verdict(result, model):
        console.print(line, style="" if result.agree else "red")
    if not result.agree:
        raise SystemExit(1)


def table_of(result: Comparison) -> Table:
    """Layer by layer the errors, in units of the scaled bound."""
    table = Table(box=None, padding=(0, 0, 0, 1), pad_edge=False, header_style="bold")
    table.add_column("layer", no_wrap=True)
    table.add_column("output", justify="right", no_wrap=True)
    for name in COLUMNS:
        table.add_column(name, justify="right", no_wrap=True)
    for row in result.rows:
        size = "×".join(map(str, row.shape[1:])) or "number"
        table.add_row(row.name, size, *(cell(row, row.errors, name, result.allowed) for name in COLUMNS))
    ours, theirs = [row.errors for row in result.rows], [row.pytorch for row in result.rows]
    for name, every in (("worst", ours), ("PyTorch", theirs)):
        merged = {what: max(errors.get(what, 0.0) for errors in every) for errors in every for what in errors}
        if merged:
            table.add_row(name, "", *(cell(None, merged, column, float("inf")) for column in COLUMNS), style="bold")
    return table


def cell(row: Row | None, errors: dict[str, float], column: str, allowed: float) -> Text:
    """The largest of the errors that a column shows, marked where it is more than allowed."""
    found = [error for what, error in errors.items() if COLUMNS[column](what)]
    if not found:
        return Text("–", style="dim")
    worst = max(found)
    number = "0" if worst == 0 else f"{worst:.2f}" if worst < 1000 else f"{worst:.0e}"
    return Text(f"{number}!", style="bold red") if worst > allowed else Text(number)


def verdict(result: Comparison, model: str) -> list[str]:
    """What the table means, in a few lines."""
    scores, masks = result.scores, any(row.kind == "Dropout" for row in result.rows)
    lines = [
        "",
        f"Largest errors, in units of the scaled bound eps · magnitude: up to {result.allowed:g} is rounding.",
        "  value    what a layer gets, and what it makes of it",
        "  grad     the gradients by both",
        "  weight   the gradients by its parameters",
        "  running  batch normalization's running statistics, after the last step",
        "  update   the parameters after a step",
        *(["Dropout draws at random: PyTorch is given the masks that minicnn drew."] if masks else []),
        "",
        f"Scores in evaluation are off by {scores.minicnn:.1e} of the largest; PyTorch's own, by {scores.pytorch:.1e}.",
    ]
    if result.diverged is not None:
        row, what = result.diverged
        lines.append(f"{model} diverges, first at {row.name}: its {what} is off by {row.errors[what]:.3g}.")
    elif not result.agree:
        lines.append(f"{model} diverges in evaluation: its scores may be off by {scores.allowed:.1e}.")
    else:
        lines.append(f"{model} agrees with PyTorch.")
    return lines


app = typer.Typer(
    rich_markup_mode=None,  # plain help and errors, as the command line of minicnn has them
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(parity)

if __name__ == "__main__":
    app(prog_name="python -m reference.parity")
