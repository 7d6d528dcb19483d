"""conv2d and conv_transpose2d against PyTorch: values, gradients, dtypes, errors and algebraic laws."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as TF
from agreement import examples
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import minicnn
import minicnn.nn.functional as F
from minicnn.autograd import gradcheck
from minicnn.kernels.convolution import implicit, weight_gradient
from minicnn.kernels.machine import lanes
from minicnn.kernels.microkernel import STEPS
from minicnn.testing.bounds import assert_within_bound
from minicnn.testing.cases import ConvolutionCase, convolutions, fill, transposed_convolutions
from minicnn.testing.oracle import agree, torch_conv2d

ALGORITHMS = ["naive", "im2col", "tiled", "packed", "registers", "implicit"]
NAMES = ["y", *[f"gradient with respect to {name}" for name in ("x", "weight", "bias")]]


def run(case: ConvolutionCase, algorithm: str) -> list:
    """The value and the gradients that minicnn gives."""
    arguments = [None if a is None else minicnn.as_tensor(a).requires_grad_() for a in (case.x, case.weight, case.bias)]
    if case.output_padding is None:
        y = F.conv2d(*arguments, case.stride, case.padding, case.dilation, case.groups, algorithm=algorithm)
    else:
        rest = (case.stride, case.padding, case.output_padding, case.groups, case.dilation)
        y = F.conv_transpose2d(*arguments, *rest, algorithm=algorithm)
    y.backward(case.grad_output(y.shape))
    return [y.detach().numpy(), *[None if a is None else a.grad.numpy() for a in arguments]]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(data=st.data())
def test_agrees_with_torch(algorithm, dtype, data):
    case = data.draw(convolutions(dtype=dtype))
    results = run(case, algorithm)
    assert all(r is None or r.dtype == dtype for r in results)
    agree(results, NAMES, torch_conv2d(case), torch_conv2d(case, absolute=True), case.exact)


@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_shared_out_over_threads_it_agrees_too(two_threads, data):
    case = data.draw(convolutions())
    results = run(case, "implicit")
    agree(results, NAMES, torch_conv2d(case), torch_conv2d(case, absolute=True), case.exact)


LARGE = [  # (N, C, H, O, K, stride, padding, groups): every way in which work is divided
    (20, 3, 9, 40, 3, 1, 1, 1),  # lines through images, outputs of three blocks
    (2, 40, 20, 33, 3, 1, 1, 1),  # lines along rows, a border on each side
    (3, 17, 31, 6, 5, 2, 2, 1),
    (1, 64, 40, 48, 1, 1, 0, 1),  # cells in one long line
    (9, 1, 28, 6, 5, 1, 0, 1),
    (4, 34, 8, 68, 3, 2, 1, 2),
    (2, 2, 70, 2, 11, 4, 2, 1),
    (5, 20, 5, 1000, 1, 1, 0, 1),
    (9, 130, 8, 70, 1, 1, 0, 1),  # the same, and gradients packed
    (3, 300, 4, 256, 3, 1, 1, 1),  # weights packed block by block
    (2, 512, 3, 1024, 1, 1, 0, 2),
]


@pytest.mark.parametrize("shape", LARGE)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_larger_layers_agree_with_torch(shape, dtype, two_threads):
    N, C, H, O, K, stride, padding, groups = shape
    arrays = [fill(s, "integers", i, dtype) for i, s in enumerate([(N, C, H, H), (O, C // groups, K, K), (O,)])]
    case = ConvolutionCase(*arrays, stride, padding, 1, groups, "integers", 0)
    agree(run(case, "implicit"), NAMES, torch_conv2d(case), torch_conv2d(case, absolute=True), equal=True)


@st.composite
def narrow_layers(draw):
    """Few channels, few outputs, many images: cells that share vectors, kernel rows that count as channels.

    Values are integers: of so many terms even an honest sum of reals may leave the bound.
    """
    images, channels, outputs = draw(st.integers(1, 26)), draw(st.integers(1, 7)), draw(st.integers(1, 9))
    kernel, stride = draw(st.tuples(st.integers(1, 5), st.integers(1, 5))), draw(st.integers(1, 3))
    padding = draw(st.sampled_from([0, 0, (1, 0), (0, 2), 1, 2]))
    dilation = draw(st.sampled_from([(1, 1), (1, 1), (2, 1), (1, 2)]))
    size = [(k - 1) * d + 1 + draw(st.integers(0, 12)) for k, d in zip(kernel, dilation, strict=True)]
    seed, dtype = draw(st.integers(0, 99)), draw(st.sampled_from([np.float32, np.float64]))
    shapes = [(images, channels, *size), (outputs, channels, *kernel), (outputs,)]
    arrays = [fill(shape, "integers", seed + i).astype(dtype) for i, shape in enumerate(shapes)]
    return ConvolutionCase(*arrays, stride, padding, dilation, 1, "integers", seed)


@given(case=narrow_layers())
def test_narrow_layers_agree_with_torch(case):
    results = run(case, "implicit")
    agree(results, NAMES, torch_conv2d(case), torch_conv2d(case, absolute=True), equal=True)


@st.composite
def grouped_layers(draw):
    """Many groups of few channels, as many outputs a group or others, in numbers around the vectors'."""
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    width = lanes(dtype)
    inner, outer = draw(
        st.sampled_from(
            [(1, 1), (1, 1), (1, 2), (2, 1), (2, 2), (3, 5), (4, 4), (width // 2, width // 2), (width - 1, width // 2)]
        )
    )
    fewest = -(-width // min(inner, outer))
    groups = fewest + draw(st.sampled_from([0, 1, 2, 3, width - 1, width, width + 1]))
    kernel = [draw(st.sampled_from([1, 2, 3, 3, 5])) for _ in "hw"]
    if max(inner, outer) * kernel[0] * kernel[1] > STEPS:
        kernel = [3, 3]
    dilation = [draw(st.integers(1, 2)) for _ in "hw"]
    stride = draw(st.one_of(st.integers(1, 3), st.just(tuple(kernel))))
    padding = [draw(st.integers(0, k)) for k in kernel]
    size = [max((k - 1) * d + 1 - 2 * p, 1) + draw(st.sampled_from([0, 1, 3, 4, 7, 8, 9])) for k, d, p in
            zip(kernel, dilation, padding, strict=True)]  # fmt: skip
    kinds = ["normal", "integers", "ties"] if max(inner, outer) * kernel[0] * kernel[1] <= 9 else ["integers", "ties"]
    kind, seed = draw(st.sampled_from(kinds)), draw(st.integers(0, 99))
    N = draw(st.sampled_from([0, 1, 2, 5]))
    x = fill((N, groups * inner, *size), kind, seed, dtype)
    weight = fill((groups * outer, inner, *kernel), kind, seed + 1, dtype)
    bias = draw(st.sampled_from([None, fill((groups * outer,), kind, seed + 2, dtype)]))
    return ConvolutionCase(x, weight, bias, stride, tuple(padding), tuple(dilation), groups, kind, seed)


@given(case=grouped_layers())
@settings(max_examples=examples(30), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_grouped_layers_agree_with_torch(two_threads, case):
    agree(run(case, "grouped"), NAMES, torch_conv2d(case), torch_conv2d(case, absolute=True), case.exact)


@given(case=grouped_layers(), where=st.integers(0, 2**16), bad=st.sampled_from([np.inf, np.nan]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_grouped_layers_keep_infinities_where_they_are_seen(two_threads, case, where, bad):
    if case.x.size:
        case.x.flat[where % case.x.size] = bad
    expected = torch_conv2d(case).value
    np.testing.assert_array_equal(np.isfinite(run(case, "grouped")[0]), np.isfinite(expected))


def test_grouped_refuses_what_it_cannot_do():
    with pytest.raises(ValueError, match="grouped"):
        F.conv2d(image(1, 64, 8, 8), image(64, 64, 3, 3), algorithm="grouped")


@given(case=narrow_layers(), where=st.integers(0, 2**16), bad=st.sampled_from([np.inf, np.nan]))
def test_what_is_not_finite_shows_only_where_it_is_seen(case, where, bad):
    case.x.reshape(-1)[where % case.x.size] = bad
    results, expected = run(case, "implicit")[0], run(case, "naive")[0]
    np.testing.assert_array_equal(results, expected)


@st.composite
def wide_layers(draw):
    """Up to three blocks of channels and outputs: every way in which work is divided among tasks."""
    few_to_many = st.one_of(st.integers(1, 20), st.integers(60, 70), st.integers(120, 140))
    images, channels, outputs = draw(st.integers(1, 12)), draw(few_to_many), draw(few_to_many)
    kernel, stride, size = (
        draw(st.sampled_from([1, 1, 2, 3])),
        draw(st.sampled_from([1, 1, 2])),
        draw(st.integers(3, 17)),
    )
    padding, seed = draw(st.integers(0, kernel - 1)), draw(st.integers(0, 99))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    shapes = [(images, channels, size, draw(st.integers(3, 17))), (outputs, channels, kernel, kernel), (outputs,)]
    arrays = [fill(shape, "integers", seed + i).astype(dtype) for i, shape in enumerate(shapes)]
    return ConvolutionCase(*arrays, stride, padding, 1, 1, "integers", seed)


@given(case=wide_layers())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_wide_layers_agree_with_torch(two_threads, case):
    results = run(case, "implicit")
    agree(results, NAMES, torch_conv2d(case), torch_conv2d(case, absolute=True), equal=True)


@given(
    images=st.integers(15, 33),
    sizes=st.tuples(st.integers(14, 18), st.integers(1, 18)),
    kernel=st.integers(2, 3),
    size=st.integers(3, 6),
    seed=st.integers(0, 99),
)
def test_wide_layers_with_many_images(images, sizes, kernel, size, seed):
    """Rows are short beside the batch: lines run through the images, backwards too."""
    (C, O), padding = sizes, seed % 2
    shapes = [(images, C, size, size), (O, C, kernel, kernel), (O,)]
    arrays = [fill(shape, "integers", seed + i) for i, shape in enumerate(shapes)]
    case = ConvolutionCase(*arrays, 1, padding, 1, 1, "integers", seed)
    agree(run(case, "implicit"), NAMES, torch_conv2d(case), torch_conv2d(case, absolute=True), equal=True)


def test_the_same_threads_give_the_same_bits(two_threads):
    case = ConvolutionCase(
        *[fill(s, "reals", i) for i, s in enumerate([(16, 3, 20, 20), (6, 3, 5, 5), (6,)])],
        1,
        2,
        1,
        1,
        "reals",
        0,
    )
    first = run(case, "implicit")
    for _ in range(5):
        for a, b in zip(first, run(case, "implicit"), strict=True):
            np.testing.assert_array_equal(a, b)


@given(case=convolutions(kinds=("integers",), unbatched=False))
def test_nothing_is_written_outside_the_arrays(case):
    """Kernels compute addresses of their own; they must stay within what they were given."""
    margin, mark = 512, 12345

    def guarded(function, positions):
        def call(*arguments):
            replaced, guards = list(arguments), []
            for position in positions:
                inside = arguments[position]
                outside = np.full(inside.size + 2 * margin, mark, inside.dtype)
                outside[margin:-margin] = inside.reshape(-1)
                replaced[position] = outside[margin:-margin]
                guards.append((inside, outside))
            function(*replaced)
            for inside, outside in guards:
                assert (outside[:margin] == mark).all()
                assert (outside[-margin:] == mark).all()
                inside.reshape(-1)[...] = outside[margin:-margin]

        return call

    with pytest.MonkeyPatch.context() as patch:
        for (module, name), positions in WRITTEN.items():
            patch.setattr(module, name, guarded(getattr(module, name), positions))
        results = run(case, "implicit")
    agree(results, NAMES, torch_conv2d(case), torch_conv2d(case, absolute=True), equal=True)


WRITTEN = {(implicit, "_correlate"): (2, 4), (weight_gradient, "_weight_products"): (2, 3)}
"""Which arguments each kernel writes to."""


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize(
    ("shape", "weight", "arguments"),
    [
        ((2, 3, 4, 5), (4, 3, 2, 3), {"padding": 1, "stride": (2, 1)}),
        ((1, 4, 5, 5), (4, 2, 2, 2), {"groups": 2, "dilation": 2}),
        ((1, 2, 4, 4), (2, 1, 3, 3), {"groups": 2, "padding": "same"}),
    ],
)
def test_gradcheck(algorithm, shape, weight, arguments):
    x, w, b = (
        minicnn.as_tensor(fill(s, "integers", i, np.float64) / 4).requires_grad_()
        for i, s in enumerate([shape, weight, weight[:1]])
    )
    assert gradcheck(lambda x, w, b: F.conv2d(x, w, b, algorithm=algorithm, **arguments), [x, w, b])


@given(case=convolutions(kinds=("integers",), unbatched=False, named_padding=False), data=st.data())
def test_adjoint(case, data):
    """⟨conv(x, w), g⟩ = ⟨x, convᵀ(g, w)⟩ = ⟨w, ∂w⟩, exactly on integers."""
    y, by_x, by_w, _ = run(ConvolutionCase(**{**vars(case), "bias": None}), data.draw(st.sampled_from(ALGORITHMS)))
    product = (y * case.grad_output(y.shape)).sum()
    assert product == (case.x * by_x).sum() == (case.weight * by_w).sum()


@given(case=convolutions(kinds=("integers",)), algorithm=st.sampled_from(ALGORITHMS))
def test_bilinear(case, algorithm):
    def conv(x, w):
        return F.conv2d(x, w, None, case.stride, case.padding, case.dilation, case.groups, algorithm=algorithm).numpy()

    other_x, other_w = np.roll(case.x, 1, -1), np.roll(case.weight, 1, 0)
    np.testing.assert_array_equal(
        conv(2 * case.x - other_x, case.weight), 2 * conv(case.x, case.weight) - conv(other_x, case.weight)
    )
    np.testing.assert_array_equal(
        conv(case.x, 3 * case.weight + other_w), 3 * conv(case.x, case.weight) + conv(case.x, other_w)
    )


@given(case=convolutions(unbatched=False), algorithm=st.sampled_from(ALGORITHMS))
def test_groups_are_split_and_concatenate(case, algorithm):
    parts = []
    channels, outputs = case.x.shape[1] // case.groups, case.weight.shape[0] // case.groups
    for g in range(case.groups):
        ins, outs = slice(g * channels, (g + 1) * channels), slice(g * outputs, (g + 1) * outputs)
        parts.append(
            F.conv2d(
                case.x[:, ins],
                case.weight[outs],
                None,
                case.stride,
                case.padding,
                case.dilation,
                algorithm=algorithm,
            ).numpy()
        )
    whole = F.conv2d(
        case.x, case.weight, None, case.stride, case.padding, case.dilation, case.groups, algorithm=algorithm
    ).numpy()
    bound = torch_conv2d(ConvolutionCase(**{**vars(case), "bias": None}), absolute=True).value
    assert_within_bound(whole, np.concatenate(parts, 1).astype(np.float64), bound)


@given(case=convolutions(kinds=("integers",), named_padding=False), algorithm=st.sampled_from(ALGORITHMS))
def test_dilation_is_a_kernel_stuffed_with_zeros(case, algorithm):
    dilation = np.broadcast_to(case.dilation, 2)
    O, C, KH, KW = case.weight.shape
    stuffed = np.zeros((O, C, (KH - 1) * dilation[0] + 1, (KW - 1) * dilation[1] + 1), case.weight.dtype)
    stuffed[:, :, :: dilation[0], :: dilation[1]] = case.weight
    arguments = {"bias": case.bias, "stride": case.stride, "padding": case.padding, "groups": case.groups}
    np.testing.assert_array_equal(
        F.conv2d(case.x, case.weight, dilation=case.dilation, algorithm=algorithm, **arguments).numpy(),
        F.conv2d(case.x, stuffed, algorithm=algorithm, **arguments).numpy(),
    )


@given(shift=st.integers(1, 3), seed=st.integers(0, 100), algorithm=st.sampled_from(ALGORITHMS))
def test_shift_equivariance(shift, seed, algorithm):
    """Shifting the image by s · stride shifts the result by s."""
    x, w = fill((1, 2, 12, 12), "integers", seed), fill((3, 2, 3, 3), "integers", seed + 1)
    y = F.conv2d(x, w, stride=2, algorithm=algorithm).numpy()
    moved = F.conv2d(x[:, :, 2 * shift :, 2 * shift :], w, stride=2, algorithm=algorithm).numpy()
    np.testing.assert_array_equal(moved, y[:, :, shift:, shift:])


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(data=st.data())
def test_transposed_agrees_with_torch(algorithm, dtype, data):
    case = data.draw(transposed_convolutions(dtype=dtype))
    results = run(case, algorithm)
    assert all(r is None or r.dtype == dtype for r in results)
    agree(results, NAMES, torch_conv2d(case), torch_conv2d(case, absolute=True), case.exact)


@pytest.mark.parametrize("algorithm", ["auto", *ALGORITHMS])
@pytest.mark.parametrize("output_padding", [1, (1, 0), (0, 1)])
def test_output_padding_beyond_the_kernel(algorithm, output_padding):
    """The smallest cases in which the image is larger than the windows reach."""
    arrays = [fill(shape, "integers", i) for i, shape in enumerate([(1, 1, 2, 2), (1, 1, 1, 1), (1,)])]
    case = ConvolutionCase(*arrays, 1, 0, 2, 1, "integers", 0, output_padding=output_padding)
    agree(run(case, algorithm), NAMES, torch_conv2d(case), torch_conv2d(case, absolute=True), equal=True)


def image(*shape):
    return np.zeros(shape, np.float32)


BAD = [
    ((image(2, 3, 5, 5), image(4, 2, 3, 3)), {}, ValueError, "channels"),
    ((image(2, 3, 5, 5), image(4, 3, 3, 3), image(5)), {}, ValueError, "bias"),
    ((image(2, 3, 5, 5), image(4, 3, 3)), {}, ValueError, "weight"),
    ((image(3, 5), image(4, 3, 3, 3)), {}, ValueError, "input"),
    ((image(1, 2, 3, 5, 5), image(4, 3, 3, 3)), {}, ValueError, "input"),
    ((image(2, 3, 5, 5), image(4, 3, 3, 3)), {"stride": 0}, ValueError, "stride"),
    ((image(2, 3, 5, 5), image(4, 3, 3, 3)), {"stride": (1, -1)}, ValueError, "stride"),
    ((image(2, 3, 5, 5), image(4, 3, 3, 3)), {"dilation": 0}, ValueError, "dilation"),
    ((image(2, 3, 5, 5), image(4, 3, 3, 3)), {"padding": -1}, ValueError, "padding"),
    ((image(2, 3, 5, 5), image(4, 3, 3, 3)), {"padding": "full"}, ValueError, "padding"),
    ((image(2, 3, 5, 5), image(4, 3, 3, 3)), {"padding": "same", "stride": 2}, ValueError, "stride"),
    ((image(2, 3, 5, 5), image(4, 3, 6, 3)), {}, ValueError, "larger than the padded input"),
    ((image(2, 3, 5, 5), image(4, 3, 3, 3)), {"dilation": 3}, ValueError, "larger than the padded input"),
    ((image(2, 4, 5, 5), image(3, 2, 3, 3)), {"groups": 2}, ValueError, "groups"),
    ((image(2, 4, 5, 5), image(4, 2, 3, 3)), {"groups": 0}, ValueError, "groups"),
    ((image(2, 3, 5, 5), image(4, 3, 3, 3)), {"stride": (1, 1, 1)}, ValueError, "stride"),
    ((image(2, 3, 5, 5), image(4, 3, 3, 3)), {"stride": 1.5}, TypeError, "stride"),
    ((image(2, 3, 5, 5), image(4, 3, 3, 3).astype("f8")), {}, TypeError, "dtype"),
    ((image(2, 3, 5, 5).astype("i8"), image(4, 3, 3, 3).astype("i8")), {}, TypeError, "float32"),
]


@pytest.mark.parametrize(("arrays", "arguments", "error", "word"), BAD)
def test_bad_arguments_raise_as_in_torch(arrays, arguments, error, word):
    with pytest.raises(error, match=word):
        F.conv2d(*arrays, **arguments)
    if error is ValueError and len(np.atleast_1d(arguments.get("stride", 1))) < 3:
        with pytest.raises(RuntimeError):  # what programs written for torch catch
            F.conv2d(*arrays, **arguments)
    if "int64" not in str(arrays[0].dtype):  # torch does convolve integers
        with pytest.raises((RuntimeError, ValueError, TypeError)):
            TF.conv2d(*map(torch.from_numpy, arrays), **arguments)


def test_unknown_algorithm_lists_the_known_ones():
    with pytest.raises(
        ValueError, match="auto, naive, im2col, tiled, packed, registers, implicit, grouped, winograd, fft"
    ):
        F.conv2d(image(1, 1, 3, 3), image(1, 1, 3, 3), algorithm="magic")


@given(
    kernel=st.integers(0, 4),
    stride=st.integers(-1, 3),
    padding=st.integers(-1, 3),
    dilation=st.integers(-1, 3),
    size=st.integers(1, 5),
    channels=st.integers(1, 4),
    groups=st.integers(0, 3),
)
def test_both_raise_or_neither(kernel, stride, padding, dilation, size, channels, groups):
    x, w = np.ones((1, 4, size, size), np.float32), np.ones((4, channels, kernel, kernel), np.float32)
    arguments = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    try:
        expected = TF.conv2d(torch.from_numpy(x), torch.from_numpy(w), **arguments).numpy()
    except (RuntimeError, ValueError):
        with pytest.raises((ValueError, TypeError)):
            F.conv2d(x, w, **arguments)
    else:
        np.testing.assert_array_equal(F.conv2d(x, w, **arguments).numpy(), expected)


@st.composite
def three_by_three(draw, dtype=np.float32):
    """Cases for Winograd: 3 × 3, stride 1, any padding, channel counts around a vector's width."""
    seed = draw(st.integers(0, 999))
    size = draw(st.tuples(st.integers(1, 13), st.integers(1, 13)))
    padding = draw(st.tuples(st.integers(0 if size[0] > 2 else 1, 3), st.integers(0 if size[1] > 2 else 1, 3)))
    C, O = (draw(st.sampled_from([1, 3, 16, 33])) for _ in range(2))
    rng = np.random.default_rng(seed)
    arrays = [rng.standard_normal(s).astype(dtype) for s in [(draw(st.integers(0, 3)), C, *size), (O, C, 3, 3), (O,)]]
    return ConvolutionCase(*arrays, 1, padding, 1, 1, "reals", seed)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(data=st.data())
def test_winograd_agrees_with_torch_at_its_own_accuracy(dtype, data):
    """Every element of a tile goes into every output of it, also what a tap outside would have multiplied by
    zero: errors are measured against sums of the largest values, and may be 50 eps of them.
    """
    case = data.draw(three_by_three(dtype))
    results = run(case, "winograd")
    exact = torch_conv2d(case)
    x, w, g = (np.abs(a).max(initial=0) for a in (case.x, case.weight, case.grad_output(exact.value.shape)))
    outputs, channels = case.weight.shape[:2]
    scales = [9 * channels * x * w, 9 * outputs * w * g, max(case.x.size, exact.value.size) * x * g]
    for result, wanted, scale in zip(results, [exact.value, *exact.gradients], [*scales, scales[2]], strict=True):
        assert result.dtype == dtype
        assert_within_bound(result, wanted, np.full(wanted.shape, scale + np.abs(case.bias).max()), c=50)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(data=st.data())
def test_fft_agrees_with_torch_at_its_own_accuracy(dtype, data):
    """A transform mixes all of an image: errors are measured against sums of the largest values."""
    case = data.draw(convolutions(dtype=dtype))
    results = run(case, "fft")
    exact, magnitude = torch_conv2d(case), torch_conv2d(case, absolute=True)
    x, w, g = (np.abs(a).max(initial=0) for a in (case.x, case.weight, case.grad_output(exact.value.shape)))
    taps, cells = case.weight[0].size, max(case.x.size, exact.value.size)
    scales = [4 * taps * x * w, 4 * case.weight.size * w * g, 4 * cells * x * g, 0]
    wanted = [exact.value, *exact.gradients]
    bounds = [magnitude.value, *magnitude.gradients]
    for result, value, bound, scale in zip(results, wanted, bounds, scales, strict=True):
        if result is not None:
            assert result.dtype == dtype
            assert_within_bound(result, value, bound + scale, c=16)


def test_winograd_is_chosen_only_where_it_is_allowed():
    x, w = np.ones((1, 40, 8, 8), np.float32), np.ones((40, 40, 3, 3), np.float32)

    def algorithm(weight=w, **arguments):
        y = F.conv2d(minicnn.as_tensor(x).requires_grad_(), weight, **arguments)
        return y.grad_fn.algorithm.__name__.rpartition(".")[2]

    assert algorithm() == "implicit"
    with minicnn.backends.winograd(True):
        assert algorithm() == "winograd"
        assert algorithm(stride=2) == "implicit"
        assert algorithm(w[:8]) == "implicit"
        assert algorithm(algorithm="im2col") == "im2col"
        with minicnn.backends.winograd(False):
            assert algorithm() == "implicit"
        assert algorithm() == "winograd"
    assert algorithm() == "implicit"
    minicnn.backends.winograd(True)
    assert algorithm() == "winograd"
    minicnn.backends.winograd(False)
    assert algorithm() == "implicit"


@pytest.mark.parametrize("arguments", [{"stride": 2}, {"dilation": 2}, {"groups": 2}])
def test_winograd_refuses_what_it_cannot_do(arguments):
    weight = image(4, 4 // arguments.get("groups", 1), 3, 3)
    with pytest.raises(ValueError, match="winograd"):
        F.conv2d(image(1, 4, 8, 8), weight, algorithm="winograd", **arguments)
    with pytest.raises(ValueError, match="winograd"):
        F.conv2d(image(1, 4, 8, 8), image(4, 4, 5, 5), algorithm="winograd")


@pytest.mark.parametrize(
    ("processor", "features", "vector"), [("haswell", "+avx,+avx2,+fma", 32), ("x86-64", "+sse2", 16)]
)
@pytest.mark.slow  # compiles for a minute
@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="names processors of another kind")
def test_older_processors_compute_the_same(tmp_path, processor, features, vector):
    environment = {"NUMBA_CPU_NAME": processor, "NUMBA_CPU_FEATURES": features, "MINICNN_CACHE_DIR": str(tmp_path)}
    program = [sys.executable, str(Path(__file__).with_name("other_processor.py")), str(vector)]
    subprocess.run(program, env=os.environ | environment, check=True, timeout=600)


@st.composite
def depthwise_layers(draw):
    """A depthwise convolution whose windows have 9 taps and more; one side of the image may be long."""
    kernel = draw(st.sampled_from([(3, 3), (3, 3), (5, 5), (7, 7), (4, 5), (3, 7), (9, 9), (5, 3), (2, 10), (11, 11)]))
    step = draw(st.sampled_from([1, 1, 1, 2, 3]))
    size = [draw(st.integers(1, 23)) for _ in kernel]
    if draw(st.integers(0, 3)) == 0:
        size[draw(st.integers(0, 1))] = draw(st.sampled_from([27, 28, 39, 40, 255, 256, 257, 300]))
    fits = [max(0, -(-((k - 1) * step + 1 - n) // 2)) for k, n in zip(kernel, size, strict=True)]
    padding = [draw(st.integers(least, k * step + 1)) for k, least in zip(kernel, fits, strict=True)]
    stride = draw(st.sampled_from([step, 1, 2]))
    channels = draw(st.sampled_from([16, 17, 24, 40, 64, 100]))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    return draw(st.integers(0, 3)), channels, tuple(size), kernel, stride, tuple(padding), step, dtype


@given(case=depthwise_layers(), seed=st.integers(0, 99))
@example(case=(1, 16, (3, 21), (3, 3), 1, (300, 300), 300, np.float32), seed=0)  # a row cut where windows begin outside
@example(case=(2, 17, (3, 700), (3, 3), 1, (300, 300), 300, np.float64), seed=0)
def test_depthwise_layers_are_exact(case, seed):
    N, C, size, kernel, stride, padding, dilation, dtype = case
    rng = np.random.default_rng(seed)
    arrays = [rng.integers(-4, 5, shape).astype(dtype) for shape in ((N, C, *size), (C, 1, *kernel), (C,))]
    x, weight, bias = (minicnn.from_numpy(array.copy()).requires_grad_() for array in arrays)
    tx, tweight, tbias = (torch.from_numpy(array.copy()).requires_grad_() for array in arrays)
    y = F.conv2d(x, weight, bias, stride, padding, dilation, C)
    expected = torch.nn.functional.conv2d(tx, tweight, tbias, stride, padding, dilation, C)
    g = rng.integers(-4, 5, tuple(expected.shape)).astype(dtype)
    np.testing.assert_array_equal(y.numpy(force=True), expected.detach().numpy())
    y.backward(minicnn.from_numpy(g))
    expected.backward(torch.from_numpy(g))
    for ours, theirs in ((x, tx), (weight, tweight), (bias, tbias)):
        np.testing.assert_array_equal(ours.grad.numpy(), theirs.grad.numpy())


@given(case=depthwise_layers(), seed=st.integers(0, 99), bad=st.sampled_from([np.inf, -np.inf, np.nan]))
def test_depthwise_layers_show_what_is_not_finite_only_where_it_is_seen(case, seed, bad):
    N, C, size, kernel, stride, padding, dilation, dtype = case
    rng = np.random.default_rng(seed)
    x, weight = (rng.integers(-4, 5, shape).astype(dtype) for shape in ((N, C, *size), (C, 1, *kernel)))
    results = []
    for array in (x, weight):
        if array.size and rng.integers(2):
            array.flat[rng.integers(array.size)] = bad
    for algorithm in ("auto", "naive"):
        leaves = [minicnn.from_numpy(array.copy()).requires_grad_() for array in (x, weight)]
        y = F.conv2d(*leaves, None, stride, padding, dilation, C, algorithm=algorithm)
        g = np.random.default_rng(seed).integers(-4, 5, y.shape).astype(dtype)
        if g.size:
            g.flat[seed % g.size] = bad
        y.backward(minicnn.from_numpy(g))
        results.append([y.numpy(force=True), *[leaf.grad.numpy() for leaf in leaves]])
    for ours, naive in zip(*results, strict=True):
        np.testing.assert_array_equal(ours, naive)


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_depthwise_weights_that_are_not_finite_meet_no_zeros_of_the_padding(value):
    rng = np.random.default_rng(0)
    x, weight = rng.standard_normal((2, 16, 9, 9)), rng.standard_normal((16, 1, 5, 5))
    weight[3, 0, 0, 0] = value
    y = F.conv2d(minicnn.from_numpy(x), minicnn.from_numpy(weight), padding=2, groups=16).numpy()
    expected = F.conv2d(
        minicnn.from_numpy(x), minicnn.from_numpy(weight), padding=2, groups=16, algorithm="naive"
    ).numpy()
    np.testing.assert_array_equal(np.isfinite(y), np.isfinite(expected))
    assert np.isfinite(y[:, 3]).any()
