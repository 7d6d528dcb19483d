"""`minicnn explain` of the other operations, beside PyTorch: values, gradients, their parts, and what is printed."""

import dataclasses
import json
import re

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from explained import FEW, check_state, equal_sides, printed, run_program, text_of
from hypothesis import given
from hypothesis import strategies as st
from test_cli import fails, run

from minicnn import explain
from minicnn.explain.given import drawn, drawn_classes

WIDTHS = st.sampled_from([60, 80, 120])
PIXELS = r"\[([\d, ]+)\]"


def leaf(array):
    return torch.tensor(array, dtype=torch.float64, requires_grad=True)


def place(text):
    return tuple(map(int, text.split(", ")))


def somewhere(draw, explanation):
    """The explanation at another element of the output."""
    shape = explanation.results["output"].array.shape
    return dataclasses.replace(explanation, at=tuple(draw(st.integers(0, size - 1)) for size in shape))


def check_program(e):
    """The lines that are printed give the results."""
    names = run_program(e)
    np.testing.assert_allclose(names["y"].detach(), e.results["output"].array, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(names["x"].grad, e.results["grad_input"].array, rtol=1e-9, atol=1e-12)


# conv_transpose2d


@st.composite
def transposed_convolutions(draw):
    groups, N = draw(st.integers(1, 2)), draw(st.integers(1, 2))
    C, OG = groups * draw(st.integers(1, 2)), draw(st.integers(1, 2))
    kernel = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    stride = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    dilation = draw(st.tuples(st.integers(1, 2), st.integers(1, 2)))
    extents = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    options = {
        "stride": stride,
        "padding": tuple(draw(st.integers(0, (extent - 1) // 2)) for extent in extents),
        "output_padding": tuple(draw(st.integers(0, max(s, d) - 1)) for s, d in zip(stride, dilation, strict=True)),
        "groups": groups,
        "dilation": dilation,
    }
    size, seed = draw(st.tuples(st.integers(1, 4), st.integers(1, 4))), draw(st.integers(0, 2**20))
    bias = drawn("bias", (OG * groups,), seed) if draw(st.booleans()) else None
    arrays = drawn("input", (N, C, *size), seed), drawn("weight", (C, OG, *kernel), seed), bias
    return somewhere(draw, explain.conv_transpose2d(*arrays, **options, seed=seed)), options


@given(transposed_convolutions())
def test_a_transposed_convolution(case):
    e, options = case
    leaves = [leaf(e.arrays[name].array) if name in e.arrays else None for name in ("input", "weight", "bias")]
    y = F.conv_transpose2d(*leaves, **options)
    y.backward(torch.tensor(e.results["grad_output"].array))
    np.testing.assert_array_equal(e.results["output"].array, y.detach())
    for name, one in zip(("input", "weight", "bias"), leaves, strict=True):
        if one is not None:
            np.testing.assert_array_equal(e.results[f"grad_{name}"].array, one.grad)
    n, o, *_ = e.at
    x, weight, g = (e.arrays["input"].array, e.arrays["weight"].array, e.results["grad_output"].array)
    OG, within = weight.shape[1], e.output_in_group
    bias = e.arrays["bias"].array[o] if "bias" in e.arrays else 0
    terms = [x[(n, *pixel)] * weight[(pixel[0], within, *tap)] for pixel, tap in e.sources()]
    assert sum(terms) + bias == y[e.at]
    c, i, j = e.pixel
    sent = [g[(n, *pixel)] * weight[(c, pixel[0] % OG, *tap)] for pixel, tap in e.collected()]
    assert sum(sent) == leaves[0].grad[n, c, i, j]
    alone = torch.zeros_like(leaves[0])
    alone[n, c, i, j] = x[n, c, i, j]
    np.testing.assert_array_equal(e.spread(), F.conv_transpose2d(alone, leaves[1], None, **options).detach())
    by_windows = np.einsum("nij,nijpq->pq", x[:, c], e.gradient_windows())
    np.testing.assert_array_equal(by_windows, leaves[1].grad[c, within])


@FEW
@given(transposed_convolutions(), WIDTHS, st.booleans())
def test_what_is_printed_of_a_transposed_convolution(case, width, ascii_only):
    e, _ = case
    text = printed(e, width, ascii_only)
    (y,) = re.findall(rf" y{PIXELS} = ([^=]+) = (\S+)", text)
    assert place(y[0]) == e.at
    assert equal_sides(y[1:]) == e.results["output"].array[e.at]
    (x,) = re.findall(rf"gradient of x{PIXELS} = ([^=]+) = (\S+)", text)
    assert equal_sides(x[1:]) == e.results["grad_input"].array[place(x[0])]
    sizes = re.findall(r"[HW] [-−] 1\)[^=]+ = ([^=]+) = (\d+)", text)
    assert tuple(map(equal_sides, sizes)) == e.results["output"].array.shape[2:]
    check_program(e)
    check_state(e)


# Pooling


@st.composite
def poolings(draw, op):
    kernel = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    dilation = draw(st.tuples(st.integers(1, 2), st.integers(1, 2))) if op == "max_pool2d" else (1, 1)
    extents = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    options = {
        "kernel_size": kernel,
        "stride": draw(st.one_of(st.none(), st.tuples(st.integers(1, 3), st.integers(1, 3)))),
        "padding": tuple(draw(st.integers(0, k // 2)) for k in kernel),
        "ceil_mode": draw(st.booleans()),
    }
    if op == "max_pool2d":
        options["dilation"] = dilation
    else:
        options["count_include_pad"] = draw(st.booleans())
        options["divisor_override"] = draw(st.sampled_from([None, None, 1, 2, 7]))
    size = tuple(extent + draw(st.integers(0, 4)) for extent in extents)
    seed = draw(st.integers(0, 2**20))
    x = drawn("input", (draw(st.integers(1, 2)), draw(st.integers(1, 2)), *size), seed)
    return somewhere(draw, getattr(explain, op)(x, **options, seed=seed)), options


@given(poolings("max_pool2d"))
def test_a_max_pooling(case):
    e, options = case
    x = leaf(e.arrays["input"].array)
    y, where = F.max_pool2d(x, **options, return_indices=True)
    y.backward(torch.tensor(e.results["grad_output"].array))
    np.testing.assert_array_equal(e.results["output"].array, y.detach())
    np.testing.assert_array_equal(e.results["indices"].array, where)
    np.testing.assert_array_equal(e.results["grad_input"].array, x.grad)
    n, c, *_ = e.at
    row, column = e.winner
    assert row * x.shape[3] + column == where[e.at]
    values, largest = e.counted(), y[e.at].item()
    assert max(values.values()) == largest
    assert [one for one, value in values.items() if value == largest] == [e.winner, *e.ties()]
    np.testing.assert_array_equal(np.bincount(where[n, c].ravel(), minlength=x[0, 0].numel()), e.times_chosen().ravel())


@FEW
@given(poolings("max_pool2d"), WIDTHS, st.booleans())
def test_what_is_printed_of_a_max_pooling(case, width, ascii_only):
    e, _ = case
    text = printed(e, width, ascii_only)
    ((at, inner, result, winner),) = re.findall(rf" y{PIXELS} = max\(([^)]*)\) = (\S+), from x{PIXELS}", text)
    assert place(at) == e.at
    assert max(map(float, inner.split(", "))) == float(result) == e.results["output"].array[e.at]
    assert place(winner) == e.at[:2] + e.winner
    ties = re.findall(r"A tie: (\d+) pixels", text)
    assert [int(one) for one in ties] == ([len(e.ties()) + 1] if e.ties() else [])
    assert ("No tie" in text) == (not ties)
    for pixel, *sides in re.findall(rf"gradient of x{PIXELS} = ([^=]+) = (\S+)", text):
        assert equal_sides(sides) == e.results["grad_input"].array[place(pixel)]
    sizes = re.findall(r"[HW] \+ [^=]+ = ([^=]+) = ([^=]+) = (\d+)(?:, less the last, \D*: (\d+))?", text)
    for size, (*sides, cut) in zip(e.geometry.output_size, sizes, strict=True):
        assert equal_sides(sides) == size + bool(cut)
        assert not cut or int(cut) == size
    check_program(e)
    state = check_state(e)
    assert state["options"]["stride"] == list(e.options["stride"])


def test_of_several_nans_the_last_wins():
    e = explain.max_pool2d([[np.nan, 1.0], [np.nan, 2.0]], 2)
    assert e.winner == (1, 0)
    assert e.ties() == [(0, 0)]
    text = text_of(e)
    assert "A tie: 2 pixels hold nan. NaN counts as larger" in " ".join(text.split())
    assert "gives the same numbers" in text


@given(poolings("avg_pool2d"))
def test_an_average_pooling(case):
    e, options = case
    x = leaf(e.arrays["input"].array)
    y = F.avg_pool2d(x, **options)
    y.backward(torch.tensor(e.results["grad_output"].array))
    np.testing.assert_allclose(e.results["output"].array, y.detach(), rtol=1e-14)
    np.testing.assert_allclose(e.results["grad_input"].array, x.grad, rtol=1e-13)
    n, c, *_ = e.at
    total = sum(e.counted().values())
    assert total / e.divisors()[e.pixel] == pytest.approx(y[e.at].item(), rel=1e-13)
    g = e.results["grad_output"].array[n, c]
    for row, column in np.ndindex(x.shape[2:]):
        shares = [g[pixel] / e.divisors()[pixel] for pixel, _ in e.seen_by(row, column)]
        assert sum(shares) == pytest.approx(x.grad[n, c, row, column].item(), rel=1e-12)


@FEW
@given(poolings("avg_pool2d"), WIDTHS, st.booleans())
def test_what_is_printed_of_an_average_pooling(case, width, ascii_only):
    e, _ = case
    text = printed(e, width, ascii_only)
    ((at, *sides),) = re.findall(rf" y{PIXELS} = ([^=]+) = ([^=]+) = (\S+)", text)
    assert place(at) == e.at
    assert equal_sides(sides) == pytest.approx(e.results["output"].array[e.at], rel=1e-3)
    (divisor,) = re.findall(r"The divisor is (-?\d+)", text)
    assert int(divisor) == e.divisors()[e.pixel]
    for pixel, *sides in re.findall(rf"gradient of x{PIXELS} = ([^=]+) = (\S+)", text):
        assert equal_sides(sides) == pytest.approx(e.results["grad_input"].array[place(pixel)], rel=1e-3)
    check_program(e)
    check_state(e)


# batch_norm


@st.composite
def batch_norms(draw):
    C, seed = draw(st.integers(1, 3)), draw(st.integers(0, 2**20))
    rest = draw(st.sampled_from([(), (3,), (2, 3), (2, 1, 2)]))
    x = drawn("input", (draw(st.integers(2, 3)), C, *rest), seed)
    training = draw(st.booleans())
    random = np.random.default_rng(seed)
    running = [random.integers(0, 3, C), random.integers(1, 4, C)]
    arrays = [None, None] if training and draw(st.booleans()) else running
    arrays += [drawn(name, (C,), seed) if draw(st.booleans()) else None for name in ("scale", "bias")]
    options = {"training": training, "momentum": draw(st.sampled_from([0.0, 0.1, 1.0])), "eps": 1e-5}
    return somewhere(draw, explain.batch_norm(x, *arrays, **options, seed=seed)), options


@given(batch_norms())
def test_a_batch_normalisation(case):
    e, options = case
    x = leaf(e.arrays["input"].array)
    running = [torch.tensor(e.arrays[n].array) if n in e.arrays else None for n in ("running_mean", "running_var")]
    weight, bias = (leaf(e.arrays[name].array) if name in e.arrays else None for name in ("weight", "bias"))
    y = F.batch_norm(x, *running, weight, bias, **options)
    y.backward(torch.tensor(e.results["grad_output"].array))
    close = {"rtol": 1e-8, "atol": 1e-8}  # a variance of 0 makes a factor of 316, whose rounding is multiplied too
    np.testing.assert_allclose(e.results["output"].array, y.detach(), **close)
    np.testing.assert_allclose(e.results["grad_input"].array, x.grad, **close)
    for name, one in (("grad_weight", weight), ("grad_bias", bias)):
        if one is not None:
            np.testing.assert_allclose(e.results[name].array, one.grad, **close)
    for name, one in zip(("running_mean", "running_var"), running, strict=True):
        if one is not None:
            np.testing.assert_allclose(e.results[name].array, one, **close)
    c = e.channel
    np.testing.assert_allclose(e.scale * e.normalized() + e.shift, y.detach()[:, c], **close)
    np.testing.assert_allclose(sum(e.terms().values()), x.grad[:, c], **close)
    assert len(e.terms()) == (3 if options["training"] else 1)


@FEW
@given(batch_norms(), WIDTHS, st.booleans())
def test_what_is_printed_of_a_batch_normalisation(case, width, ascii_only):
    e, options = case
    text = printed(e, width, ascii_only)
    n = {"rel": 1e-3, "abs": 1e-3}
    mean, variance = e.statistics()
    if options["training"]:
        sides = re.search(r" mean = ([^=]+) = (\S+) variance = ([^=]+) = (\S+)", text).groups()
        assert float(sides[1]) == pytest.approx(mean, **n)
        assert equal_sides(sides[:2]) == float(sides[1])
        assert float(sides[3]) == pytest.approx(variance, **n)
        assert equal_sides(sides[2:]) == float(sides[3])
        terms = re.findall(r"(?:straight|through the mean|through the variance) \S+ / [^=]+ = (\S+)", text)
        total = re.findall(r" gradient ([^=]+) = (\S+)", text.partition("Backward: the gradient of x")[2])[0]
        assert float(total[1]) == pytest.approx(e.results["grad_input"].array[e.at], **n)
        assert float(total[1]) == equal_sides(total)
        assert len(terms) == 3
    check_program(e)
    check_state_of_images(e)


def check_state_of_images(e):
    """The state has images, whatever the input's shape."""
    state = json.loads(json.dumps(e.state(), allow_nan=False))
    shape = state["arrays"]["input"]["shape"]
    assert len(shape) == len(state["at"]) == 4
    assert shape[:2] == list(e.arrays["input"].array.shape[:2])
    for name in ("output", "grad_output", "grad_input"):
        assert state["results"][name]["shape"] == shape
        found = np.reshape(state["results"][name]["values"], shape)
        np.testing.assert_array_equal(found.ravel(), e.results[name].array.ravel())
        assert found[tuple(state["at"])] == e.results[name].array[e.at]


# cross_entropy


@st.composite
def cross_entropies(draw):
    N, K, seed = draw(st.integers(1, 4)), draw(st.integers(1, 5)), draw(st.integers(0, 2**20))
    options = {
        "ignore_index": draw(st.sampled_from([-100, 0, 1])),
        "reduction": draw(st.sampled_from(["mean", "sum", "none"])),
        "label_smoothing": draw(st.sampled_from([0.0, 0.0, 0.1, 0.5, 1.0])),
    }
    weight = np.random.default_rng(seed).integers(1, 4, K) if draw(st.booleans()) else None
    x = drawn("input", (N, K), seed)
    return explain.cross_entropy(
        x, drawn_classes(N, K, seed), weight, **options, at=draw(st.integers(0, N - 1))
    ), options


@given(cross_entropies())
def test_a_cross_entropy(case):
    e, options = case
    x, target = leaf(e.arrays["input"].array), torch.tensor(e.arrays["target"].array)
    weight = torch.tensor(e.arrays["weight"].array) if "weight" in e.arrays else None
    y = F.cross_entropy(x, target, weight, **options)
    y.backward(torch.tensor(e.results["grad_output"].array))
    np.testing.assert_allclose(e.results["output"].array, y.detach(), rtol=1e-12)
    np.testing.assert_allclose(e.results["grad_input"].array, x.grad, rtol=1e-11, atol=1e-15)
    np.testing.assert_allclose(e.probabilities(), torch.softmax(x, 1).detach(), rtol=1e-12)
    losses = F.cross_entropy(x, target, weight, **options | {"reduction": "none"}).detach()
    np.testing.assert_allclose(e.losses(), losses, rtol=1e-12)
    np.testing.assert_allclose(-(e.wanted() * torch.log_softmax(x, 1).detach().numpy()).sum(1), losses, rtol=1e-12)
    if not e.ignored.all():
        assert options["reduction"] == "none" or e.losses().sum() / e.divisor == pytest.approx(y.item(), rel=1e-12)
        wanted, p = e.wanted(), e.probabilities()
        expected = (wanted.sum(1, keepdims=True) * p - wanted) / e.divisor
        np.testing.assert_allclose(expected, x.grad, rtol=1e-9, atol=1e-12)


@FEW
@given(cross_entropies(), WIDTHS, st.booleans())
def test_what_is_printed_of_a_cross_entropy(case, width, ascii_only):
    e, options = case
    text = printed(e, width, ascii_only)
    (n,) = e.at
    if e.ignored[n]:
        assert "counts nothing" in text
        assert "The row is ignored" in text
    else:
        result = re.search(r" loss = .*? = ([^ =]+) Forward: all rows", text)[1]
        assert float(result) == pytest.approx(e.losses()[n], rel=1e-3, abs=1e-3)
    if options["reduction"] == "mean" and not e.ignored.all():
        sides = re.search(r" mean = ([^=]+) = ([^;]+);", text).groups()
        assert equal_sides(sides) == pytest.approx(float(e.results["output"].array), rel=1e-3, abs=1e-3)
    check_program(e)
    if np.isfinite(e.results["output"].array).all():
        check_state(e)


# The commands


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("conv_transpose2d --stride 2", lambda: explain.conv_transpose2d(*three("input weight bias"), 2)),
        ("max_pool2d --kernel 3,2 --stride 1", lambda: explain.max_pool2d(drawn("input", (1, 1, 5, 5), 0), (3, 2), 1)),
        (
            "avg_pool2d --padding 1 --no-count-include-pad --ceil-mode --divisor 3 --at 0,0,0",
            lambda: explain.avg_pool2d(drawn("input", (1, 1, 5, 5), 0), 2, 2, 1, True, False, 3, at=(0, 0)),
        ),
        (
            "batch_norm --eval --no-affine --input 3,2",
            lambda: explain.batch_norm(drawn("input", (1, 1, 3, 2), 0), [0], [1], training=False),
        ),
        (
            "cross_entropy --input 2,3 --target 0,2 --class-weight 1,2,.5 --label-smoothing 0.1 --at 1",
            lambda: explain.cross_entropy(drawn("input", (2, 3), 0), [0, 2], [1, 2, 0.5], label_smoothing=0.1, at=1),
        ),
    ],
)
def test_a_command_prints_what_the_object_prints(arguments, expected):
    result = run("explain", *arguments.split())
    assert result.exit_code == 0, result.output
    assert result.output == text_of(expected())


def three(names):
    """Input, weight and bias of the small transposed convolution that the command explains."""
    shapes = {"input": (1, 1, 3, 3), "weight": (1, 1, 3, 3), "bias": (1,)}
    return [drawn(name, shapes[name], 0) for name in names.split()]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("conv_transpose2d --output-padding 1", "output_padding must be smaller"),
        ("conv_transpose2d --padding 3", "has no output"),
        ("conv_transpose2d --groups 2", "doesn't divide"),
        ("max_pool2d --kernel 6", "larger than the padded input"),
        ("max_pool2d --padding 2", "at most half"),
        ("avg_pool2d --divisor 0", "must not be zero"),
        ("avg_pool2d --at 0,2,0", "up to (0, 0, 1, 1)"),
        ("batch_norm --input 1,1,1", "more than 1 value per channel"),
        ("batch_norm --eps 0", "eps must be positive"),
        ("batch_norm --momentum 2", "between 0 and 1"),
        ("cross_entropy --target 0,1", "target must have shape (3,)"),
        ("cross_entropy --target 0,1,4", "out of bounds"),
        ("cross_entropy --target x", "classes such as"),
        ("cross_entropy --class-weight 1,2", "weight must have shape (4,)"),
        ("cross_entropy --class-weight 1;2", "must be numbers"),
        ("cross_entropy --reduction all", "is unknown"),
        ("cross_entropy --at 3", "up to (2)"),
        ("cross_entropy --label-smoothing 1.5", "between 0 and 1"),
        ("cross_entropy --input 3", "must be a shape"),
    ],
)
def test_bad_options_end_with_a_sentence(arguments, sentence):
    assert sentence in fails(2, "explain", *arguments.split())


@pytest.mark.parametrize(
    ("arguments", "sentences"),
    [
        (
            "64,1,28,28 --kernel 5 --outputs 6 --padding 2",
            ["1 channel and 6 outputs", "runs of neighbouring"],
        ),
        ("4,32,9,9 --kernel 3 --stride 2 --outputs 8", ["rows 1, 3, … and columns 0, 2, …"]),
        ("64,32,9,9 --kernel 3 --outputs 8", ["x is copied with the images of a pixel side by side"]),
        ("1,512,7,7 --kernel 3 --padding 1 --outputs 512", ["packs the block's weights", "packs the block's ∂y"]),
        ("8,64,56,56 --kernel 1 --outputs 256", ["seen as 1 image, ", "long rows fill tiles", "long lines"]),
    ],
)
def test_a_schedule_is_a_loop_nest_with_reasons(arguments, sentences):
    shown = " ".join(run("explain", "conv2d", "--input", *arguments.split(), "--schedule").output.split())
    gradients = ["gradient with respect to x", "gradient with respect to weight"]
    for word in ["forward: ", *gradients, "for each tile", "registers", *sentences]:
        assert word in shown


def test_a_schedule_is_for_the_implicit_product():
    arguments = "explain conv2d --input 4,32,9,9 --groups 32 --outputs 32 --schedule"
    assert "'grouped'" in fails(2, *arguments.split())
    assert "--html" in fails(2, *["explain", "conv2d", "--schedule", "--html", "page.html"])


def test_rewrites_are_drawn_from_the_contractions():
    lines = [line.strip() for line in run("explain", "rewrites").output.splitlines()]
    drawn = [line for line in lines if line.startswith("(")]
    assert "(0, 0, 1)  · 0 1 2 · ·  to y 2 to 3" in drawn  # of merge_pixels, before and after
    assert "(0, 0, 1)  · · 0 1 2 3  to y 4 to 7" in drawn
    assert "(0, 0, 1)  · · 0 0 0 0 0 0 · · · ·  to y 1" in drawn  # merge_row
    assert "(0, 0, 1)  2 0 ·  to y 2" in drawn  # split_by_stride
    assert "(0, 2, 1)  · · · · · 0  to y 20 to 23" in drawn  # flatten
    for example in explain.rewrites().examples:
        assert sum(one.products for one in example.after) >= example.before.products - example.before.C
        assert example.name in lines


def test_a_schedule_of_what_is_no_convolution_is_refused():
    with pytest.raises(ValueError, match="four sizes"):
        explain.schedule((3, 5, 5), (2, 3, 3, 3))
    with pytest.raises(ValueError, match="groups"):
        explain.schedule((1, 3, 5, 5), (2, 2, 3, 3))
    with pytest.raises(TypeError, match="int64"):
        explain.schedule((1, 3, 5, 5), (2, 3, 3, 3), dtype=np.int64)
