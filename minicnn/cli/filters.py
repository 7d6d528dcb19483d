"""`minicnn filters`: the filters of the textbooks on a picture, as one figure."""

from pathlib import Path
from typing import Annotated

import typer

from minicnn.recipes.errors import failing_with, positive


@failing_with(2)
def filters(
    image: Annotated[
        Path | None,
        typer.Argument(help="A picture that Pillow reads.  [default: a digit and a photograph that are here already]"),
    ] = None,
    output: Annotated[Path, typer.Option(help="Where the figure goes.")] = Path("filters.png"),
    kernel: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="<path>", help="A kernel of your own: a .npy file, or a text with a row a line. May be repeated."
        ),
    ] = None,
    sigma: Annotated[float, typer.Option(callback=positive, help="The blur's standard deviation in pixels.")] = 2.0,
) -> None:
    """Blur, find edges, sharpen and emboss a picture: every filter is one conv2d with a kernel of fixed numbers.

    Every channel is filtered by itself. Beyond the border the nearest pixel repeats.
    """
    from minicnn.datasets.pictures import read_picture
    from minicnn.filters import figure
    from minicnn.filters.pictures import read_kernel, the_digit, the_photograph

    figure.check(output)
    chosen = figure.filters(sigma, [(path.name, read_kernel(path)) for path in kernel or []])
    pictures = [read_picture(image)] if image else [the_digit(), the_photograph()]
    figure.draw(pictures, chosen, output)
    for picture in pictures:
        C, H, W = picture.pixels.shape
        note = f", {picture.note}" if picture.note else ""
        typer.echo(f"Picture    {picture.name}: {W} by {H} pixels, {'grey' if C == 1 else 'in colours'}{note}")
    typer.echo(f"Filters    {', '.join(one.name for one in chosen[1:])}")
    typer.echo("Each is    F.conv2d(F.pad(x, ..., mode='replicate'), kernel), a channel at a time")
    typer.echo(f"Figure     {output}")
