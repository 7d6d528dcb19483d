"""The benchmarks run, write what they say, and refuse what they can't read. No figure is judged by its time."""

import json

import pytest
import torch
from typer.testing import CliRunner

import minicnn
from benchmarks import recorded
from benchmarks.__main__ import app
from benchmarks.compare import measured
from benchmarks.growth import Point
from benchmarks.ladder import RUNGS, layers
from benchmarks.rows import geometric_mean
from benchmarks.scale import slope
from benchmarks.spec import parse
from benchmarks.work.layers import LAYERS
from minicnn.kernels.convolution import ALGORITHMS, winograd

FAST = ["--threads", "1", "--seconds", "0.001"]
ERROR_BOUNDS = {"winograd": 64, "fft": 64}
"""In units of the scaled bound; all others keep within 4."""


@pytest.fixture(autouse=True)
def threads_as_before():
    ours, theirs = minicnn.get_num_threads(), torch.get_num_threads()
    yield
    minicnn.set_num_threads(ours)
    torch.set_num_threads(theirs)


def call(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def is_png(path):
    return path.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("command", "only", "rows"),
    [
        pytest.param(["conv"], "LeNet 2", 2, marks=pytest.mark.slow),
        (["ops"], "max pool", 2),
        pytest.param(["train"], "LeNet, batch 64", 1, marks=pytest.mark.slow),
        pytest.param([], "batch 4", 1, marks=pytest.mark.slow),
    ],
)
def test_a_table_is_printed_written_and_drawn(tmp_path, command, only, rows):
    figures, picture = tmp_path / "figures.json", tmp_path / "picture.png"
    result = call(*command, "--only", only, "--repeat", 2, *FAST, "--output", figures, "--plot", picture)
    assert result.exit_code == 0, result.output
    content = json.loads(figures.read_text())
    assert [len(run["rows"]) for run in content["runs"]] == [rows, rows]
    for run in content["runs"]:
        assert run["geometric_mean"] == pytest.approx(geometric_mean(row["ratio"] for row in run["rows"]))
        for row in run["rows"]:
            assert row["ratio"] == pytest.approx(row["theirs"] / row["ours"])
            assert row["share"] > 0
    assert {"CPU", "threads", "versions", "kernel cache"} <= content["environment"].keys()
    assert "limits:" in result.output
    assert is_png(picture)


@pytest.mark.slow
def test_growth(tmp_path):
    figures, picture = tmp_path / "figures.json", tmp_path / "picture.png"
    result = call("scale", "--spec", "2x4x8x8,o4,k3,p1", *FAST, "--output", figures, "--plot", picture)
    assert result.exit_code == 0, result.output
    axes = json.loads(figures.read_text())["axes"]
    assert {axis: [point["value"] for point in points] for axis, points in axes.items()} == {
        "batch": [1, 2, 4], "channels": [1, 2, 4, 8], "image side": [2, 4, 8, 16], "threads": [1],
    }  # fmt: skip
    assert is_png(picture)


def test_every_rung_of_the_ladder_is_checked_timed_and_drawn(tmp_path, monkeypatch):
    small = {"early: few, 2×3×6²": parse("2x3x6x6,o4,k3,p1"), "late: more, 2×8×5²": parse("2x8x5x5,o8,k3,p1")}
    monkeypatch.setattr("benchmarks.ladder.layers", lambda: small)
    figures, picture = tmp_path / "figures.json", tmp_path / "picture.svg"
    result = call("ladder", "--repeat", 2, "--turns", 1, *FAST, "--output", figures, "--plot", picture)
    assert result.exit_code == 0, result.output
    assert "registers" in result.output
    runs, environment = recorded.ladder(figures)
    assert "CPU" in environment
    assert [len(run.bars) for run in runs] == [len(RUNGS) * len(small)] * 2
    for run in runs:
        for bar in run.bars:
            flops = small[bar.layer].flops * bar.images / small[bar.layer].N
            assert bar.images == (1 if bar.rung == "naive" else 2)
            assert bar.gflops == pytest.approx(flops / bar.seconds / 1e9)
            assert bar.share == pytest.approx(bar.gflops / run.peak)
        assert run.peak >= run.sgemm
    assert "implicit" in picture.read_text()


def test_the_layers_of_the_ladder_are_those_of_the_table_and_every_rung_can_do_them():
    found = layers()
    assert [title.partition(":")[0] for title in found] == ["early", "middle", "late"]
    for convolution in found.values():
        assert convolution in [layer for _, layer in LAYERS]
        assert winograd.applies(convolution.geometry, convolution.groups)
    assert set(ALGORITHMS) - set(RUNGS) == {"grouped"}


def test_slope_is_the_exponent():
    points = [Point(value, value**1.5, 3.0, 1 / value, 1.0, None) for value in (2, 4, 8, 16)]
    assert slope(points, "ours") == pytest.approx(1.5)
    assert slope(points, "ours_back") == pytest.approx(0)
    assert slope(points, "theirs") == pytest.approx(-1)
    assert slope(points, "workspace") is None
    assert slope(points[:1], "ours") is None


@pytest.mark.parametrize(
    "spec", [pytest.param("2x6x9x8,o5,k3,p1", marks=pytest.mark.slow), "1x4x11x7,o6,k3x5,s2x1,p2,d1x2,g2"]
)
def test_every_algorithm_is_compared_and_right(spec):
    convolution = parse(spec)
    rows, left_out = measured(convolution, True, 0.001, 100.0)
    names = {row.name for row in rows}
    assert {"naive", "im2col", "implicit", "fft", "PyTorch, NCHW"} <= names
    assert ("winograd" in names) != any(line.startswith("winograd") for line in left_out)
    for row in rows:
        assert list(row.errors) == ["y", "∂x", "∂weight", "∂bias"]
        for largest, mean in row.errors.values():
            assert mean <= largest <= ERROR_BOUNDS.get(row.name, 4), row


@pytest.mark.slow
def test_compare_prints_and_writes(tmp_path):
    figures = tmp_path / "figures.json"
    result = call("compare", "1×3×8×8,o4,k3,p1", *FAST, "--output", figures)
    assert result.exit_code == 0, result.output
    assert "workspace" in result.output
    assert json.loads(figures.read_text())["spec"] == "1x3x8x8,o4,k3,s1,p1,d1,g1"


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("2x3x8", "begins with NxCxHxW"),
        ("2x3x8x8,o4", "lacks kernel"),
        ("2x3x8x8,k3", "lacks outputs"),
        ("2x3x8x8,o4,k3,z1", "begins with none of"),
        ("2x3x8x8,o4,k3,k5", "there twice"),
        ("2x3x8x8,o4,k3x", "kernel takes a number"),
        ("2x3x8x8,o4x4,k3", "takes one number"),
        ("2x3x8x8,o4,k9", "larger than"),
        ("2x3x8x8,o4,k3,g2", "2 groups don't divide"),
        ("2x3x8x8,o4,k3,s0", "at least 1"),
    ],
)
def test_a_spec_that_makes_no_convolution_is_one_clear_line(spec, message):
    result = call("compare", spec, *FAST)
    assert result.exit_code != 0
    assert message in result.output
    assert "Traceback" not in result.output
    assert len(result.output.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["conv", "--only", "nothing such"], "no row contains"),
        (["conv", "--algorithm", "magic"], "magic"),
        (["ops", "--plot", "picture.bmp"], "must end with"),
        (["ops", "--output", "no/such/folder/figures.json"], "no folder that exists"),
        (["scale", "--spec", "1x1x4x8,o1,k1"], "isn't square"),
    ],
)
def test_what_cannot_be_done_is_said(arguments, message):
    result = call(*arguments)
    assert result.exit_code != 0
    assert message in result.output
    assert "Traceback" not in result.output
