"""`minicnn explain`: what its objects say beside PyTorch, what is printed, and how the command fails."""

import dataclasses
import json
import math
import re

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from explained import FEW, check_state, equal_sides, printed, run_program, text_of
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from test_cli import fails, run

from minicnn import explain, from_numpy
from minicnn.explain import program as programs
from minicnn.explain import sources
from minicnn.explain.given import drawn, frozen
from minicnn.explain.terminal.grid import MARKS, PADDING, grid


def leaf(array):
    return torch.tensor(array, dtype=torch.float64, requires_grad=True)


@st.composite
def convolutions(draw, reals=False):
    """Arguments of a conv2d, and a pixel of its output."""
    groups, N = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    C, O = groups * draw(st.integers(1, 2)), groups * draw(st.integers(1, 2))
    kernel = draw(st.tuples(st.integers(1, 3), st.integers(1, 4)))
    options = {
        "stride": draw(st.one_of(st.integers(1, 3), st.tuples(st.integers(1, 3), st.integers(1, 2)))),
        "padding": draw(st.one_of(st.integers(0, 2), st.tuples(st.integers(0, 2), st.integers(0, 3)))),
        "dilation": draw(st.one_of(st.just(1), st.tuples(st.integers(1, 2), st.integers(1, 3)))),
        "groups": groups,
    }
    if draw(st.booleans()):
        options |= {"padding": draw(st.sampled_from(["same", "valid"])), "stride": 1}
    least = np.add(1, np.multiply(np.subtract(kernel, 1), options["dilation"]))
    H, W = (int(size) + draw(st.integers(0, 4)) for size in least)
    seed = draw(st.integers(0, 2**20))
    bias = drawn("bias", (O,), seed) if draw(st.booleans()) else None
    arrays = [drawn("input", (N, C, H, W), seed), drawn("weight", (O, C // groups, *kernel), seed), bias]
    explanation = explain.conv2d(*arrays, **options, seed=seed)
    at = tuple(draw(st.integers(0, size - 1)) for size in explanation.results["output"].array.shape)
    return dataclasses.replace(explanation, at=at), options


def beside_torch(e, options):
    """PyTorch's tensors for a convolution, after the backward."""
    leaves = [leaf(e.arrays[name].array) if name in e.arrays else None for name in ("input", "weight", "bias")]
    y = F.conv2d(*leaves, **options)
    y.backward(torch.tensor(e.results["grad_output"].array))
    return y.detach(), leaves


@given(convolutions())
def test_results_of_a_convolution_are_those_of_pytorch(case):
    e, options = case
    y, leaves = beside_torch(e, options)
    np.testing.assert_array_equal(e.results["output"].array, y)
    for name, one in zip(("input", "weight", "bias"), leaves, strict=True):
        if one is None:
            assert f"grad_{name}" not in e.results
        else:
            np.testing.assert_array_equal(e.results[f"grad_{name}"].array, one.grad)


def padded(e):
    """The input with its padding, and the convolution's other sizes, as PyTorch's `unfold` takes them."""
    (top, bottom), (left, right) = e.state()["options"]["padding"]
    x = F.pad(torch.tensor(e.arrays["input"].array), (left, right, top, bottom))
    return x, {"kernel_size": e.geometry.kernel, "dilation": e.options["dilation"], "stride": e.options["stride"]}


@given(convolutions())
def test_a_pixel_is_its_patch_times_its_weights(case):
    e, _ = case
    n, o, i, j = e.at
    x, sizes = padded(e)
    columns = F.unfold(x, **sizes).reshape(x.shape[0], x.shape[1], *e.geometry.kernel, *e.geometry.output_size)
    expected = columns[n, e.channels.start : e.channels.stop, :, :, i, j].permute(1, 2, 0)
    np.testing.assert_array_equal(e.patch(), expected)
    bias = e.arrays["bias"].array[o] if "bias" in e.arrays else 0
    assert (e.patch() * e.kernel()).sum() + bias == e.results["output"].array[e.at]
    (top, _), (left, _) = e.state()["options"]["padding"]
    seen = x[n, e.channels.start][np.ix_([r + top for r in e.taps[0]], [c + left for c in e.taps[1]])]
    np.testing.assert_array_equal(seen, e.patch()[..., 0])


@given(convolutions())
def test_gradients_are_sums_over_windows(case):
    e, _ = case
    n, o, *_ = e.at
    x, sizes = padded(e)
    (top, _), (left, _) = e.state()["options"]["padding"]
    H, W = e.geometry.input_size
    ones = torch.ones(1, math.prod(e.geometry.kernel), math.prod(e.geometry.output_size))
    counts = F.fold(ones, x.shape[2:], **sizes)[0, 0, top : top + H, left : left + W]
    np.testing.assert_array_equal(e.windows_of_pixels(), counts)
    g, weight = e.results["grad_output"].array, e.arrays["weight"].array
    for c in e.channels:
        for row, column in np.ndindex(H, W):
            sources = e.collected(c, row, column)
            assert len(sources) == counts[row, column] * len(weight) // e.options["groups"]
            terms = [g[(n, *pixel)] * weight[(pixel[0], c - e.channels.start, *tap)] for pixel, tap in sources]
            assert sum(terms) == e.results["grad_input"].array[n, c, row, column]
    by_windows = np.einsum("nij,nijpqc->cpq", g[:, o], e.patches())
    np.testing.assert_array_equal(by_windows, e.results["grad_weight"].array[o])


@given(convolutions())
def test_the_gradient_of_one_pixel_alone(case):
    e, options = case
    _, leaves = beside_torch(e, options)
    x = leaf(e.arrays["input"].array)
    F.conv2d(x, *leaves[1:], **options)[e.at].backward(torch.tensor(e.results["grad_output"].array[e.at]))
    np.testing.assert_array_equal(e.alone()["grad_input"], x.grad)


@FEW
@given(convolutions(), st.sampled_from([60, 80, 120]), st.booleans())
def test_what_is_printed(case, width, ascii_only):
    """The sums that are printed are right, and their results the operation's."""
    e, _ = case
    text = printed(e, width, ascii_only)
    (y,) = re.findall(r" y\[[\d, ]+\] = ([^=]+) = (\S+)", text)
    assert equal_sides(y) == e.results["output"].array[e.at]
    gradients = re.findall(r"gradient of (x|bias)\[([\d, ]+)\] = ([^=]+) = (\S+)", text)
    assert len(gradients) == ("bias" in e.arrays) + int(e.windows_of_pixels().max() > 1)
    for name, place, *sides in gradients:
        gradient = e.results["grad_input" if name == "x" else "grad_bias"].array
        assert equal_sides(sides) == gradient[tuple(map(int, place.split(", ")))]
    sizes = re.findall(r"[HW] \+ [^=]+ = ([^=]+) = ([^=]+) = (\d+)", text)
    assert tuple(map(equal_sides, sizes)) == e.geometry.output_size


@given(convolutions())
def test_the_program_runs_as_it_is_printed(case):
    e, options = case
    y, leaves = beside_torch(e, options)
    names = run_program(e)
    np.testing.assert_array_equal(names["y"].detach(), y)
    np.testing.assert_array_equal(names["x"].grad, leaves[0].grad)
    np.testing.assert_array_equal(names["weight"].grad, leaves[1].grad)


@given(convolutions())
def test_the_state_is_json(case):
    check_state(case[0])


# Numbers in rows and columns


def parsed(text):
    """What a grid shows, by row and column as they are numbered: a number and the signs before and behind it."""
    _, header, *lines = text.plain.splitlines()
    columns = [(match.end(), int(match[0])) for match in re.finditer(r"-?\d+", header)]
    found = {}
    for line in lines:
        if line.startswith(("rows", "columns")):
            continue
        row = int(line.split()[0])
        for end, column in columns:
            start = max(
                [edge for edge, _ in columns if edge < end], default=len(line) - len(line.lstrip()) + len(str(row))
            )
            before, value, behind = re.fullmatch(
                r" *([\[>=]?)(-?[\d.e+-]+|\.)([\]<=*]?) *", line[start + 1 : end + 1]
            ).groups()
            found[row, column] = before, value, behind
    return found


@given(st.data())
def test_a_grid_shows_what_is_near(data):
    rows, columns = data.draw(st.integers(1, 30)), data.draw(st.integers(1, 40))
    values = np.random.default_rng(data.draw(st.integers(0, 99))).integers(-40, 99, (rows, columns)).astype(float)
    first = data.draw(st.tuples(st.integers(-3, 2), st.integers(-3, 2)))
    masked = np.ma.array(values, mask=np.random.default_rng(1).random(values.shape) < 0.1)
    every = [(i, j) for i in range(first[0], first[0] + rows) for j in range(first[1], first[1] + columns)]
    marks = {
        one: data.draw(st.sampled_from([name for name in MARKS if name]))
        for one in data.draw(st.sets(st.sampled_from(every), max_size=5))
    }
    row, column = data.draw(st.sampled_from(every))
    width = data.draw(st.integers(30, 100))
    text = grid("title", masked, marks=marks, first=first, focus=((row, row), (column, column)), width=width)
    shown = parsed(text)
    assert (row, column) in shown
    assert max(map(len, text.plain.splitlines())) <= max(width, len("columns 10 to 20 of 10 to 20"))
    for (i, j), (before, value, behind) in shown.items():
        here = i - first[0], j - first[1]
        assert value == (PADDING if masked.mask[here] else str(int(values[here])))
        assert (before, behind) == MARKS[marks.get((i, j), "")][:2]
    if len(shown) < len(every):
        assert " of " in text.plain


# The command


def test_the_command_prints_what_the_object_prints():
    result = run(
        "explain", "conv2d", "--input", "2,6,5", "--kernel", "3,2", "--stride", "2", "--padding", "1", "--at", "0,1,2"
    )
    assert result.exit_code == 0, result.output
    expected = explain.conv2d(
        drawn("input", (1, 2, 6, 5), 0), drawn("weight", (1, 2, 3, 2), 0), drawn("bias", (1,), 0), 2, 1, at=(0, 1, 2)
    )
    assert result.output == text_of(expected)


def test_numbers_from_files(tmp_path):
    x, weight = np.arange(50.0).reshape(2, 5, 5) / 8, np.arange(16).reshape(2, 2, 2, 2)
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "weight.npy", weight)
    result = run(
        *("explain", "conv2d", "--values", tmp_path / "x.npy", "--weight", tmp_path / "weight.npy", "--no-bias"),
        *("--padding", "same", "--dilation", "2"),
    )
    assert result.exit_code == 0, result.output
    assert result.output == text_of(
        explain.conv2d(sources.array_file(tmp_path / "x.npy"), weight, padding="same", dilation=2)
    )
    assert "gives the same numbers" in result.output


def test_a_digit_and_a_picture(tmp_path):
    result = run("explain", "conv2d", "--digit", 7)
    assert "input 1×1×8×8" in result.output
    assert "gives the same numbers" in result.output
    Image.fromarray(np.arange(64 * 40 * 3, dtype=np.uint8).reshape(40, 64, 3)).save(tmp_path / "picture.png")
    grey = sources.picture(tmp_path / "picture.png", (1, 40, 64)).array
    expected = np.asarray(Image.open(tmp_path / "picture.png").convert("L"), float)
    assert np.abs(grey[0, 0] - expected).max() <= 1
    result = run("explain", "conv2d", "--image", tmp_path / "picture.png")
    assert "input 1×1×20×32" in result.output
    assert "gives the same numbers" in result.output
    result = run("explain", "conv2d", "--image", tmp_path / "picture.png", "--input", "3,9,12", "--kernel", 5)
    assert "input 1×3×9×12" in result.output
    assert "gives the same numbers" in result.output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("--input 1,3,3 --kernel 4", "larger than the padded input"),
        ("--input 2,5,5 --groups 3", "--groups 3 doesn't divide the 2 channels"),
        ("--groups 0", "'--groups'"),
        ("--padding full", "must be same, valid"),
        ("--padding -1", "at least 0"),
        ("--padding same --stride 2", "needs stride 1"),
        ("--kernel 0", "at least 1"),
        ("--kernel 3,3,3", "one number or two"),
        ("--stride x", "one number or two"),
        ("--at 0,3,0", "up to (0, 0, 2, 2)"),
        ("--at 1", "such as 0,1,2"),
        ("--input 5", "must be a shape"),
        ("--input 0,5,5", "at least 1"),
        ("--input 1,99999,99999", "takes at most"),
        ("--outputs 99999999", "takes at most"),
        ("--seed -1", "0 or more"),
        ("--digit 3 --input 1,4,4", "has a shape of its own"),
        ("--digit 3 --values x.npy", "name one of them"),
        ("--values missing.npy", "missing.npy"),
        ("--values tests/test_explain.py", "cannot read"),
        ("--image tests/test_explain.py", "as a picture"),
        ("--weight missing.npy --kernel 3", "leave one of them out"),
    ],
)
def test_bad_options_end_with_a_sentence(arguments, sentence):
    assert sentence in fails(2, "explain", "conv2d", *arguments.split())


# Whether PyTorch agrees


def test_other_numbers_are_told():
    e = explain.conv2d(np.ones((3, 3)))
    assert (
        e.agreement() == f"PyTorch {torch.__version__.partition('+')[0]} gives the same numbers, forward and backward."
    )
    wrong = frozen(e.results["grad_weight"].array + 0.5, "grad_weight")
    told = dataclasses.replace(e, results={**e.results, "grad_weight": wrong}).agreement()
    assert "gives other numbers: grad_weight differ by up to 0.5" in told


def test_without_pytorch_there_is_the_command_that_installs_it(monkeypatch):
    monkeypatch.setattr(programs.importlib.util, "find_spec", lambda name: None)
    assert 'pip install "torch' in explain.conv2d(np.ones((3, 3))).agreement()


def test_reals_and_special_numbers():
    x = np.random.default_rng(0).standard_normal((2, 6, 6))
    x[0, 0, 0], x[0, 0, 1], x[1, 3, 3] = np.inf, -np.inf, np.nan
    e = explain.conv2d(from_numpy(x), np.random.default_rng(1).integers(-1, 2, (1, 2, 3, 3)), padding=1)
    assert "gives the same numbers" in e.agreement()
    state = json.loads(json.dumps(e.state(), allow_nan=False))
    assert state["arrays"]["input"]["values"][0] == "Infinity"
    assert "NaN" in state["results"]["output"]["values"]
    assert "four digits" in text_of(e)


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        (("a picture",), TypeError, "x must be an array of numbers"),
        (([[1, 2], [3]],), TypeError, "x must be an array of numbers"),
        ((np.ones(3),), ValueError, "x must have shape"),
        ((np.ones((0, 1, 5, 5)),), ValueError, "nothing to explain"),
        ((np.ones((5, 5)), np.ones((3, 3))), ValueError, "weight must have shape"),
        ((np.ones((5, 5)), np.ones((1, 2, 3, 3))), ValueError, "channels"),
        ((np.ones((5, 5)), None, None, 1.5), TypeError, "stride"),
    ],
)
def test_what_programs_get_wrong(arguments, error, sentence):
    with pytest.raises(error, match=re.escape(sentence)):
        explain.conv2d(*arguments)
