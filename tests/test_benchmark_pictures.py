"""The pictures of README.md and the other pages: all made by one command, all there, none without a page."""

import re
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image
from typer.testing import CliRunner

from benchmarks import recorded
from benchmarks.__main__ import app
from benchmarks.pictures import PICTURES
from benchmarks.plots.rows import roofline
from benchmarks.rows import Work
from benchmarks.work.layers import LAYERS, convolution

ROOT = Path(__file__).parents[1]
LINK = re.compile(r"!\[[^\]]*\]\(([^)\s]+)\)|<img[^>]*src=[\"']([^\"']+)")
LAYER_WORKS = [convolution(layer, backward) for backward in (False, True) for layer in LAYERS]
COMMAND = "python -m benchmarks conv --repeat 3"


def shown():
    """Every picture that a page of the repository shows: file → page."""
    pages = [
        *ROOT.glob("*.md"),
        *(page for room in ("minicnn", "benchmarks", "reference") for page in (ROOT / room).rglob("*.md")),
    ]
    return {
        (page.parent / (link[0] or link[1])).resolve(): page
        for page in pages
        for link in LINK.findall(page.read_text(encoding="utf-8"))
        if "://" not in "".join(link)
    }


def test_every_picture_of_a_page_is_made_by_the_command_and_is_there():
    made = {(recorded.HERE / name).resolve() for name in PICTURES}
    assert shown().keys() == made
    for path in made:
        with Image.open(path) as picture:
            picture.verify()


@pytest.mark.parametrize("name", ["convolution-layers.png", "growth.png", "ladder.png"])
def test_recorded_figures_are_drawn(name, tmp_path):
    result = CliRunner().invoke(app, ["pictures", "--only", name, "--folder", str(tmp_path)])
    assert result.exit_code == 0, result.output
    with Image.open(tmp_path / name) as ours, Image.open(recorded.HERE / name) as theirs:
        assert ours.size == theirs.size
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_the_recorded_table_is_read_whole():
    runs = recorded.table(COMMAND, LAYER_WORKS)
    assert [len(run.results) for run in runs] == [len(LAYER_WORKS)] * 3
    for number, result in enumerate(runs[0].results):
        ratios = [run.results[number].ratio for run in runs]
        assert 0.8 * min(ratios) <= result.theirs / result.ours <= 1.2 * max(ratios), result.title
        assert result.rate == pytest.approx(result.flops / result.ours / 1e9, rel=0.05), result.title


def test_no_point_is_above_the_roof():
    runs = recorded.table(COMMAND, LAYER_WORKS)
    axes = Figure().subplots()
    roofline(axes, list(zip(*(run.results for run in runs), strict=True)), runs[0].limits.gflops, runs[0].limits.gbs)
    lines = {line.get_label().partition(":")[0]: line.get_data() for line in axes.get_lines()}
    x, y = lines.pop("roof")
    points = [data for label, data in lines.items() if label.startswith(("PyTorch", "minicnn"))]
    assert len(points) == 3
    for intensity, speed in points:
        roof = np.exp(np.interp(np.log(intensity), np.log(x), np.log(y)))
        assert (speed <= roof * (1 + 1e-9)).all()


@pytest.mark.parametrize(
    ("arguments", "message"), [(["--only", "none"], "no picture contains 'none'"), (["--folder", "/none"], "no folder")]
)
def test_bad_options_get_a_sentence(arguments, message):
    result = CliRunner().invoke(app, ["pictures", *arguments])
    assert result.exit_code == 1
    assert message in result.stderr


def test_another_table_is_refused():
    with pytest.raises(Exception, match="has no table"):
        recorded.table("python -m benchmarks none", LAYER_WORKS)
    other = Work("another layer", "forward", LAYER_WORKS[0].prepare, 1, 1)
    with pytest.raises(Exception, match="has other rows: another layer forward"):
        recorded.table(COMMAND, [*LAYER_WORKS, other])
