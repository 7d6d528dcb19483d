"""`python -m benchmarks pictures`: every picture of README.md and RESULTS.md, drawn anew.

Curves of trainings come from trainings that are run for it; plots of measurements from the figures that were recorded.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from benchmarks import curves, recorded
from benchmarks.ladder import TITLE
from benchmarks.plots import ladder as ladder_plot
from benchmarks.plots import rows as rows_plot
from benchmarks.plots import scale as scale_plot
from benchmarks.report import console
from benchmarks.settings import Only
from benchmarks.spec import parse
from minicnn.recipes.errors import UserError, plain_errors
from minicnn.serialization import replacing


def lenet_digits(path: Path) -> None:
    """What README's first command leaves: `minicnn train`."""
    with tempfile.TemporaryDirectory() as folder:
        run("minicnn", "train", "--output", folder)
        with replacing(path) as file:
            file.write(Path(folder, "history.png").read_bytes())


def loss_curves(path: Path) -> None:
    """Five epochs by minicnn and by PyTorch, as RESULTS.md names them."""
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = Path(folder, "ours"), Path(folder, "theirs")
        run("minicnn", "train", "--epochs", "5", "--output", ours)
        run("reference.train", "lenet", "--device", "cpu", "--epochs", "5", "--output", theirs)
        a, b = curves.read(theirs / "history.json"), curves.read(ours / "history.json")
        curves.check(a, b)
        curves.draw(a, b, path)


def convolution_layers(path: Path) -> None:
    """RESULTS.md's table of convolution layers."""
    from benchmarks.work.layers import LAYERS, convolution

    works = [convolution(layer, backward) for backward in (False, True) for layer in LAYERS]
    runs = recorded.table("python -m benchmarks conv --repeat 3", works)
    rows_plot.draw("convolution layers", runs, recorded.machine(), path)


def growth(path: Path) -> None:
    """growth.json, which `python -m benchmarks scale --output benchmarks/growth.json` writes."""
    spec, axes, environment = recorded.growth()
    scale_plot.draw(f"growth from {parse(spec).label}", axes, environment, path)


def ladder(path: Path) -> None:
    """ladder.json, which `python -m benchmarks ladder --output benchmarks/ladder.json` writes."""
    ladder_plot.draw(TITLE, *recorded.ladder(), path)


def explain_page(path: Path) -> None:
    """The upper part of the page that README's first door names, in a browser 1280 pixels wide."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise UserError('the picture of the page needs playwright: pip install ".[browser]"') from None
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page = Path(folder, "page.html")
        options = ("--input", "1,5,5", "--kernel", 3, "--stride", 2, "--padding", 1)
        run("minicnn", "explain", "conv2d", *options, "--html", page)
        found = os.environ.get("MINICNN_BROWSER") or shutil.which("chromium") or playwright.chromium.executable_path
        if not Path(found).is_file():
            raise UserError("the picture of the page needs a browser: `playwright install chromium`")
        browser = playwright.chromium.launch(executable_path=found)
        window = browser.new_page(viewport={"width": 1280, "height": 1400}, color_scheme="light")
        window.goto(page.as_uri())
        with replacing(path) as file:
            file.write(window.screenshot(clip={"x": 0, "y": 0, "width": 1280, "height": 1400}))
        browser.close()


PICTURES: dict[str, Callable[[Path], None]] = {
    "explain-page.png": explain_page,
    "lenet-digits.png": lenet_digits,
    "loss-curves.png": loss_curves,
    "convolution-layers.png": convolution_layers,
    "growth.png": growth,
    "ladder.png": ladder,
}
"""The pictures by their names in `benchmarks/`."""


def run(*arguments: object) -> None:
    """Run a module of this project to its end.

    Raises:
        UserError: where it fails, with the last line that it wrote.
    """
    command = [sys.executable, "-m", *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, cwd=recorded.HERE.parent)
    if result.returncode:
        last = (result.stderr or result.stdout).strip().rpartition("\n")[2]
        raise UserError(f"{' '.join(command[2:])} failed: {last}")


@plain_errors
def pictures(
    only: Only = "",
    folder: Annotated[Path, typer.Option(help="Where the pictures go.")] = recorded.HERE,
) -> None:
    """Every picture of README.md and RESULTS.md, drawn anew: trainings are run, measurements read."""
    chosen = {name: draw for name, draw in PICTURES.items() if only.lower() in name}
    if not chosen:
        raise UserError(f"no picture contains {only!r}; there are {', '.join(PICTURES)}")
    if not folder.is_dir():
        raise UserError(f"there is no folder {folder}")
    for name, draw in chosen.items():
        with console.status(name):
            draw(folder / name)
        typer.echo(f"Picture     {folder / name}")
