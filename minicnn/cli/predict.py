"""`minicnn predict`: what saved weights see in a picture."""

from pathlib import Path
from typing import Annotated

import typer

from minicnn.cli.readings import Reading, read
from minicnn.models import MODELS
from minicnn.recipes.errors import one_of, plain_errors
from minicnn.recipes.models import load_trained
from minicnn.recipes.presets import PRESETS

FIGURE = Path("predicted.png")


@plain_errors
def predict(
    weights: Annotated[Path, typer.Argument(help="File of weights: safetensors, .npz or PyTorch's .pth.")],
    images: Annotated[list[Path], typer.Argument(help="Pictures: PNG, JPEG, whatever Pillow reads.")],
    model: Annotated[
        str | None,
        typer.Option(callback=one_of(MODELS), help="The network.  [default: the one named in the file]"),
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option(callback=one_of(PRESETS), help="What it was trained on.  [default: as in the file]"),
    ] = None,
    invert: Annotated[
        bool | None,
        typer.Option(
            "--invert/--no-invert",
            help="Exchange dark and bright.  [default: where a grey network's picture is dark on bright]",
        ),
    ] = None,
    show: Annotated[
        bool, typer.Option("--show", help=f"Draw what the network saw, for every picture, into {FIGURE}.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option(help=f"Where that figure goes; implies --show.  [default: {FIGURE}]")
    ] = None,
) -> None:
    """Name what is in a picture: the three likeliest classes and their probabilities.

    A digit, drawn or photographed, dark or bright, of any size and anywhere on its page, is cut out by its ink, scaled
    and placed as the data set's digits were. A page without ink is said to be blank, and the exit status is then 1.
    """
    from minicnn.cli import readings_figure
    from minicnn.filters.figure import check

    target = output or (FIGURE if show else None)
    if target is not None:
        check(target)
    trained = load_trained(weights, model, dataset)
    found = []
    for path in images:
        reading = read(trained, path, invert)
        typer.echo(f"{path}: {verdict(reading, trained.classes)}")
        found.append(reading)
    if target is not None:
        readings_figure.draw(found, trained.classes, target)
        typer.echo(f"What the network saw: {target}")
    if any(reading.probabilities is None for reading in found):
        raise typer.Exit(1)


def verdict(reading: Reading, classes: list[str]) -> str:
    """A reading in one line."""
    if reading.probabilities is None:
        return "blank: there is no ink on the page"
    best = ", ".join(f"{classes[label]} ({probability:.1%})" for label, probability in reading.best())
    return best + ("  [inverted: bright on dark]" if reading.prepared.inverted else "")
