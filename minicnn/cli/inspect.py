"""`minicnn inspect`: what a trained network sees, as figures or as one page."""

from collections.abc import Iterable
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from minicnn.cli.readings import as_input, probabilities, read
from minicnn.models import MODELS
from minicnn.recipes.errors import UserError, failing_with, one_of
from minicnn.recipes.models import Trained, load_trained
from minicnn.recipes.presets import PRESETS
from minicnn.serialization import replacing
from minicnn.utils.data import DataLoader, Subset

if TYPE_CHECKING:
    from minicnn.inspect.figures import Drawn

BATCH = 256
UNITS = 8


@failing_with(2)
def inspect_(
    weights: Annotated[Path, typer.Argument(help="File of weights: safetensors, .npz or PyTorch's .pth.")],
    image: Annotated[
        Path | None, typer.Argument(help="A picture that Pillow reads.  [default: the first test image]")
    ] = None,
    output: Annotated[Path, typer.Option(help="Folder for the figures, or for the page.")] = Path("inspection"),
    html: Annotated[bool, typer.Option("--html", help="One page, inspection.html, in place of figures.")] = False,
    layer: Annotated[
        str | None,
        typer.Option(
            help="Whose units and Grad-CAM are shown: a name of `minicnn summary`.  [default: last convolution]"
        ),
    ] = None,
    unit: Annotated[
        list[int] | None, typer.Option(help="A unit (channel) of the layer; may be repeated.  [default: the first 8]")
    ] = None,
    class_: Annotated[
        str | None, typer.Option("--class", help="The class for saliency and Grad-CAM.  [default: the likeliest]")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many test images are looked at, at most.")] = 2000,
    model: Annotated[
        str | None, typer.Option(callback=one_of(MODELS), help="The network.  [default: the one named in the file]")
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option(callback=one_of(PRESETS), help="What it was trained on.  [default: as in the file]"),
    ] = None,
    data_dir: Annotated[
        Path, typer.Option(help="Folder of the data sets, laid out as torchvision's. Digits need none.")
    ] = Path("data"),
) -> None:
    """Draw a network's first kernels, its maps of an image, where it looks, what excites it and what it mistakes."""
    trained = load_trained(weights, model, dataset)
    label = _class(trained, class_)
    test_set, missing = _test_set(trained, data_dir)
    if test_set is None and image is None:
        raise UserError(f"{missing}; or give a picture")
    drawn, facts = _of_image(trained, test_set, image, label, layer)
    facts = [("weights", str(weights)), ("network", f"{trained.name}, trained on {trained.dataset}"), *facts]
    if test_set is not None:
        drawn += _of_test_set(trained, test_set, layer, unit, limit)
    output.mkdir(parents=True, exist_ok=True)
    for name, value in facts:
        typer.echo(f"{name.capitalize():10} {value}")
    if html:
        from minicnn.inspect.page import render

        with replacing(output / "inspection.html") as file:
            file.write(render(f"What {weights.name} sees", facts, drawn).encode())
        typer.echo(f"Page       {output / 'inspection.html'}")
    else:
        for one in drawn:
            with replacing(output / f"{one.name}.png") as file:
                file.write(one.png())
            typer.echo(f"{output / one.name}.png")
            typer.echo(fill(one.words, 79, initial_indent="    ", subsequent_indent="    "))
    if test_set is None:
        typer.echo(fill(f"Left out   exciting pictures, confusion matrix, mistakes: {missing}", 79))


def _class(trained: Trained, name: str | None) -> int | None:
    """The number of a class that was asked for by name."""
    if name is None:
        return None
    if name not in trained.classes:
        raise UserError(f"there is no class {name!r}; there are {', '.join(trained.classes)}")
    return trained.classes.index(name)


def _test_set(trained: Trained, folder: Path) -> tuple[Any, str]:
    """The test images, normalised, or None and why they can't be had."""
    preset = PRESETS.get(trained.dataset)
    if preset is None or preset.shape != trained.shape or len(preset.classes) != len(trained.classes):
        return None, f"there are no test images for {trained.dataset!r}"
    try:
        return preset.load(folder, download=False, train=False), ""
    except UserError as error:
        return None, str(error).replace("--download fetches it", "`minicnn evaluate --download` fetches it")


def _of_image(
    trained: Trained, test_set: Any, path: Path | None, label: int | None, layer: str | None
) -> tuple[list["Drawn"], list[tuple[str, str]]]:
    """The figures about one image, and what is to be said of it."""
    from minicnn import inspect
    from minicnn.inspect import figures

    if path is None:
        x, target = test_set[0][0].unsqueeze(0), int(test_set[0][1])
        source = f"test image 0, {trained.classes[target]}"
        shares = probabilities(trained, x)
    else:
        reading = read(trained, path)
        if reading.prepared.image is None or reading.probabilities is None:
            raise UserError(f"{path} is blank: there is no ink on the page")
        x, shares, source = as_input(trained, reading.prepared.image), reading.probabilities, str(path)
    best = int(shares.argmax())
    label = best if label is None else label
    picture = eye(trained, x.numpy()[0])
    found = inspect.feature_maps(trained.model, x)
    salient = inspect.saliency(trained.model, x, label)
    heat = inspect.grad_cam(trained.model, x, label, layer)
    drawn = [
        figures.kernels(*inspect.first_kernels(trained.model)),
        figures.maps(found),
        figures.fields(found, picture),
        figures.looks(picture, salient, heat, trained.classes[label], float(shares[label])),
    ]
    return drawn, [("image", source), ("taken for", f"{trained.classes[best]} ({shares[best]:.1%})")]


def _of_test_set(
    trained: Trained, test_set: Any, layer: str | None, units: list[int] | None, limit: int
) -> list["Drawn"]:
    """The figures about the test images."""
    from minicnn import inspect
    from minicnn.inspect import figures

    chosen = Subset(test_set, range(min(limit, len(test_set))))
    loader = DataLoader(chosen, BATCH)
    name = layer or list(inspect.layers.convolutions(trained.model))[-1]
    if units is None:
        _, module = inspect.layers.layer_named(trained.model, name)
        units = list(range(min(UNITS, getattr(module, "out_channels", UNITS))))
    best = inspect.excite(trained.model, loader, name, units)
    found = inspect.mistakes(trained.model, loader, len(trained.classes))

    def pictures(indices: Iterable[int]) -> dict[int, np.ndarray]:
        return {index: eye(trained, chosen[index][0].numpy()) for index in indices}

    drawn = [
        figures.exciting(name, best, pictures(one.index for row in best.values() for one in row)),
        figures.confusion(found, trained.classes),
    ]
    wrong = figures.wrong(found, trained.classes, pictures(one.index for one in found.wrong[: figures.WRONG]))
    return drawn if wrong is None else [*drawn, wrong]


def eye(trained: Trained, x: np.ndarray) -> np.ndarray:
    """What the network takes, (C, H, W), as it is for the eye: (H, W) or (H, W, 3) from 0 to 1."""
    pixels = x * np.reshape(trained.std, (-1, 1, 1)) + np.reshape(trained.mean, (-1, 1, 1))
    return pixels[0].clip(0, 1) if len(pixels) == 1 else pixels.transpose(1, 2, 0).clip(0, 1)
