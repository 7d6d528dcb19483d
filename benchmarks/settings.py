"""What every command can be told, and the checks of it before anything runs."""

from pathlib import Path
from typing import Annotated

import typer

from benchmarks.machine import describe, pin_threads

PICTURES = (".png", ".svg", ".pdf")


def _writable(path: Path | None) -> Path | None:
    """A callback for an option that names a file to write."""
    if path is not None and (path.is_dir() or not path.absolute().parent.is_dir()):
        raise typer.BadParameter(f"{path} " + ("is a folder" if path.is_dir() else "lies in no folder that exists"))
    return path


def _picture(path: Path | None) -> Path | None:
    """A callback for an option that names a picture to write."""
    if path is not None and path.suffix.lower() not in PICTURES:
        raise typer.BadParameter(f"{path} must end with {', '.join(PICTURES)}")
    return _writable(path)


Threads = Annotated[int, typer.Option(help="Threads on both sides; 0 for all cores.", min=0)]
Seconds = Annotated[float, typer.Option(help="Seconds of one turn of one side.", min=0.001)]
Turns = Annotated[int, typer.Option(help="Turns of each side.", min=1)]
Repeat = Annotated[int, typer.Option(help="Measure the whole table so many times.", min=1)]
Only = Annotated[str, typer.Option(help="Only rows whose name contains this.")]
Output = Annotated[Path | None, typer.Option(help="Write the figures to this file as JSON.", callback=_writable)]
Plot = Annotated[Path | None, typer.Option(help="Draw them to this file: .png, .svg or .pdf.", callback=_picture)]


def set_up(threads: int) -> dict[str, str]:
    """Give both sides their threads.

    Args:
        threads: how many; 0 for all cores.

    Returns: the environment, as in `describe`.

    Raises:
        ValueError: for more threads than Numba started with.
    """
    from minicnn.threads import available_cores

    threads = threads or available_cores()
    pin_threads(threads)
    return describe(threads)
