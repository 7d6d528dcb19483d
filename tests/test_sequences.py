"""One dimension: convolutions and poolings of sequences against PyTorch."""

import numpy as np
import pytest
from agreement import assert_agrees, assert_computes_alike, examples
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import minicnn
from minicnn import nn
from minicnn.testing.cases import layouts

FEW = settings(max_examples=examples(15))
LENGTHS = (1, 2, 7, 8, 9, 15, 16, 17)


def reals(shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


@st.composite
def windows(draw):
    """A sequence (N, C, L) or (C, L), a window's size, stride, padding and dilation that fit it."""
    L = draw(st.sampled_from(LENGTHS))
    shape = (draw(st.integers(1, 3)), draw(st.sampled_from([1, 2, 3, 8])), L)
    kernel, stride, padding = draw(st.integers(1, 4)), draw(st.integers(1, 3)), draw(st.integers(0, 2))
    dilation = draw(st.integers(1, 3))
    assume((kernel - 1) * dilation + 1 <= L + 2 * padding)
    return shape if draw(st.booleans()) else shape[1:], kernel, stride, padding, dilation, draw(layouts())


@FEW
@given(windows(), st.sampled_from([1, 2, 4]), st.booleans(), st.sampled_from([None, "same", "valid"]))
def test_conv1d(case, outputs, depthwise, named):
    shape, kernel, stride, padding, dilation, layout = case
    C = shape[-2]
    groups = C if depthwise else 1
    assume(named != "valid" or (kernel - 1) * dilation + 1 <= shape[-1])

    def program(T, x, weight, bias):
        options = {"stride": 1 if named == "same" else stride, "padding": named or padding, "dilation": dilation}
        return T.nn.functional.conv1d(x, weight, bias, groups=groups, **options)

    weight = reals((outputs * groups, C // groups, kernel), 1)
    assert_computes_alike(program, reals(shape), weight, reals(outputs * groups, 2), layout=layout)


@FEW
@given(windows(), st.sampled_from([1, 3]))
def test_conv_transpose1d(case, outputs):
    shape, kernel, stride, padding, dilation, layout = case
    assume((shape[-1] - 1) * stride - 2 * padding + (kernel - 1) * dilation + 1 > 0)

    def program(T, x, weight, bias):
        more = max(stride, dilation) - 1
        return T.nn.functional.conv_transpose1d(x, weight, bias, stride, padding, more, 1, dilation)

    assert_computes_alike(
        program, reals(shape), reals((shape[-2], outputs, kernel), 1), reals(outputs, 2), layout=layout
    )


@FEW
@given(windows(), st.booleans(), st.booleans())
def test_pools(case, ceil_mode, counted):
    shape, kernel, stride, padding, dilation, layout = case
    padding = min(padding, kernel // 2)
    assume((kernel - 1) * dilation + 1 <= shape[-1])
    values = np.random.default_rng(0).permutation(np.prod(shape)).reshape(shape).astype(float)

    def largest(T, x):
        return T.nn.functional.max_pool1d(x, kernel, stride, padding, dilation, ceil_mode)

    def mean(T, x):
        return T.nn.functional.avg_pool1d(x, kernel, stride, padding, ceil_mode, counted)

    def norm(T, x):
        return T.nn.functional.lp_pool1d(x * x + 1, 3, kernel, stride, ceil_mode)

    def unpooled(T, x):
        y, where = T.nn.functional.max_pool1d(x, kernel, kernel, return_indices=True)
        return T.nn.functional.max_unpool1d(y, where, kernel, kernel, output_size=x.shape[-1:])

    for program in (largest, mean, norm, unpooled):
        assert_computes_alike(program, values, layout=layout)


@FEW
@given(windows(), st.integers(1, 9))
def test_adaptive_pools(case, size):
    shape, *_, layout = case

    def largest(T, x):
        y, where = T.nn.functional.adaptive_max_pool1d(x, size, return_indices=True)
        return y * (where + 1)

    def mean(T, x):
        return T.nn.functional.adaptive_avg_pool1d(x, size)

    for program in (largest, mean):
        assert_computes_alike(program, reals(shape), layout=layout)


LAYERS = [
    "nn.Conv1d(3, 4, 3, padding=2, padding_mode='circular')",
    "nn.Conv1d(3, 6, 2, padding='same', padding_mode='reflect', groups=3)",
    "nn.Conv1d(3, 4, 3, stride=2, padding=1, padding_mode='replicate', bias=False)",
    "nn.ConvTranspose1d(3, 6, 3, 2, 1, 1, groups=3)",
    "nn.MaxPool1d(2)",
    "nn.MaxPool1d(3, 1, 1, return_indices=True)",
    "nn.AvgPool1d(2, 1, 1)",
    "nn.LPPool1d(2, 3)",
    "nn.AdaptiveAvgPool1d(4)",
    "nn.AdaptiveMaxPool1d(4)",
]


@pytest.mark.parametrize("source", LAYERS)
@pytest.mark.parametrize("shape", [(2, 3, 8), (3, 8), (0, 3, 8), (2, 3), (2, 2, 8), (1, 2, 3, 8)])
def test_layers_as_in_torch(source, shape):
    def program(T, x):
        layer = eval(source, {"nn": T.nn}).double()
        for p in layer.parameters():
            p.data = T.from_numpy(np.arange(p.numel(), dtype=float).reshape(tuple(p.shape)) % 5 - 2)
        return layer(x)

    x = minicnn.from_numpy(np.random.default_rng(0).integers(-4, 5, shape).astype(float)).requires_grad_()
    assert_agrees(program, x, rtol=1e-12)


BAD = [
    ("conv1d", ((2, 3, 8), (4, 2, 3)), {}),
    ("conv1d", ((2, 3, 8), (4, 3, 9)), {}),
    ("conv1d", ((2, 3, 8), (4, 3)), {}),
    ("conv1d", ((8,), (4, 3, 3)), {}),
    ("conv1d", ((2, 3, 8), (4, 3, 3)), {"stride": (1, 1)}),
    ("conv1d", ((2, 3, 8), (4, 3, 3)), {"stride": 0}),
    ("conv1d", ((2, 3, 8), (4, 3, 3)), {"padding": -1}),
    ("max_pool1d", ((2, 3, 8),), {"kernel_size": (2, 2)}),
    ("max_pool1d", ((2, 3, 8),), {"kernel_size": 9}),
    ("avg_pool1d", ((2, 3, 8),), {"kernel_size": 2, "padding": 2}),
    ("avg_pool1d", ((2, 3, 8, 1),), {"kernel_size": 2}),
    ("adaptive_avg_pool1d", ((2, 3, 8),), {"output_size": (1, 2)}),
]


@pytest.mark.parametrize(("name", "shapes", "options"), BAD)
def test_what_does_not_fit_raises_as_in_torch(name, shapes, options):
    tensors = [minicnn.ones(*shape) for shape in shapes]
    assert_agrees(lambda T, *tensors: getattr(T.nn.functional, name)(*tensors, **options), *tensors)


def test_there_is_nothing_for_volumes():
    with pytest.raises(AttributeError, match="sequences and images"):
        nn.Conv3d  # noqa: B018
