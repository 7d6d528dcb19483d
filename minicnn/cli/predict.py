"""`minicnn predict`: what saved weights see in a picture."""

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

import minicnn
from minicnn import transforms
from minicnn.cli.errors import UserError, one_of, plain_errors
from minicnn.cli.models import load_trained
from minicnn.cli.presets import PRESETS, normalisation
from minicnn.models import MODELS

BRIGHT = 127
BEST = 3


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
            help="Exchange dark and bright.  [default: where the border of a grey picture is bright]",
        ),
    ] = None,
) -> None:
    """Name what is in a picture: the three likeliest classes and their probabilities.

    Pictures are scaled to the size that the network takes. Networks for grey images learned bright strokes
    on black; a picture with a bright border is inverted, and the output says so.
    """
    trained = load_trained(weights, model, dataset)
    prepare = transforms.Compose(normalisation(trained.mean, trained.std))
    for path in images:
        pixels, border = read_picture(path, trained.shape)
        inverted = len(border) == 1 and border[0] > BRIGHT if invert is None else invert
        if inverted:
            pixels = 255 - pixels
        with minicnn.no_grad():
            scores = trained.model(prepare(pixels).unsqueeze(0))
            probabilities = scores.softmax(1).numpy()[0]
        best = np.argsort(-probabilities, kind="stable")[:BEST]
        verdict = ", ".join(f"{trained.classes[label]} ({probabilities[label]:.1%})" for label in best)
        note = "  [inverted: bright on dark]" if inverted else ""
        typer.echo(f"{path}: {verdict}{note}")


def read_picture(path: Path, shape: tuple[int, int, int]) -> tuple[np.ndarray, tuple[int, ...]]:
    """A picture as a data set would hold it.

    Args:
        path: a file that Pillow reads.
        shape: (C, H, W) to bring it to, C being 1 or 3; its proportions are kept, and the rest is filled with
            the colour of its border.

    Returns: uint8 pixels, (H, W) or (H, W, 3), and the colour of the border, C numbers.

    Raises:
        UserError: where it can't be read.
    """
    from PIL import Image, ImageOps

    C, H, W = shape
    try:
        with Image.open(path) as file:
            picture = on_white(ImageOps.exif_transpose(file)).convert("L" if C == 1 else "RGB")
    except FileNotFoundError as error:
        raise UserError(f"there is no picture {path}") from error
    except Exception as error:  # Pillow's decoders raise whatever they please on damaged files
        raise UserError(f"cannot read {path} as a picture: {error}") from error
    border = border_colour(np.asarray(picture))
    fitted = ImageOps.pad(picture, (W, H), Image.Resampling.BILINEAR, color=border)
    return np.array(fitted), border


def on_white(picture: Any) -> Any:
    """A picture without transparency or 16-bit greys: what the eye sees on a white page."""
    from PIL import Image

    if picture.mode.startswith("I"):  # 16 bits of grey
        return Image.fromarray((np.asarray(picture) / 257).round().clip(0, 255).astype(np.uint8))
    if not picture.has_transparency_data:
        return picture
    layers = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layers.size, "white"), layers)


def border_colour(pixels: np.ndarray) -> tuple[int, ...]:
    """The median along the four edges of (H, W) or (H, W, 3) pixels, for each channel."""
    edges = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    return tuple(np.atleast_1d(np.median(edges, axis=0)).astype(int).tolist())
