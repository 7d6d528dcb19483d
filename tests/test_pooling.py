"""Pooling against PyTorch: values, indices, ties, gradients and errors."""

import dataclasses

import numpy as np
import pytest
import torch
import torch.nn.functional as TF
from agreement import assert_agrees
from hypothesis import assume, example, given
from hypothesis import strategies as st

import minicnn
import minicnn.nn.functional as F
from minicnn import kernels
from minicnn.autograd import gradcheck
from minicnn.kernels.geometry import pooling_geometry
from minicnn.testing import check_avg_pool2d, check_max_pool2d
from minicnn.testing.bounds import assert_within_bound
from minicnn.testing.cases import KERNELS, adaptive_poolings, fill, lay_out, poolings

TAPS = max(KERNELS) ** 2
"""No sum over a window, or over the windows that see a pixel, has more terms."""


def as_torch(x, requires_grad=True):
    return torch.from_numpy(np.array(x, order="C")).requires_grad_(requires_grad)


def both(ours, theirs, case):
    """Run both and their backward; returns value and gradient of each."""
    x, t = minicnn.as_tensor(case.x).requires_grad_(), as_torch(case.x)
    y, expected = ours(x), theirs(t)
    g = case.grad_output(tuple(expected.shape))
    y.backward(g)
    expected.backward(as_torch(g, False))
    return y.detach().numpy(), x.grad.numpy(), expected.detach().numpy(), t.grad.numpy()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(data=st.data())
def test_max_pool2d_agrees_with_torch(dtype, data):
    case = data.draw(poolings(dtype=dtype))
    arguments = (case.kernel_size, case.stride, case.padding, case.dilation, case.ceil_mode)
    y, gradient, expected, expected_gradient = both(
        lambda x: F.max_pool2d(x, *arguments), lambda x: TF.max_pool2d(x, *arguments), case
    )
    assert y.dtype == gradient.dtype == dtype
    np.testing.assert_array_equal(y, expected)
    if case.kind == "reals":
        bound = np.abs(case.grad_output(y.shape)).max(initial=0) * TAPS + np.zeros(gradient.shape)
        assert_within_bound(gradient, expected_gradient.astype(np.float64), bound)
    else:
        np.testing.assert_array_equal(gradient, expected_gradient)


@given(case=poolings(kinds=("ties",)), nan=st.floats(0, 0.5), seed=st.integers(0, 1000))
def test_max_pool2d_indices_with_ties_and_nan(case, nan, seed):
    x = case.x.copy()
    x[np.random.default_rng(seed).random(x.shape) < nan] = np.nan
    arguments = (case.kernel_size, case.stride, case.padding, case.dilation, case.ceil_mode)
    y, where = F.max_pool2d(x, *arguments, return_indices=True)
    expected, expected_where = TF.max_pool2d(as_torch(x), *arguments, return_indices=True)
    np.testing.assert_array_equal(y.numpy(), expected.detach().numpy())
    np.testing.assert_array_equal(where.numpy(), expected_where.numpy())
    assert where.dtype == np.int64


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(
    channels=st.integers(1, 40),
    size=st.tuples(st.integers(3, 13), st.integers(3, 13)),
    window=st.sampled_from([(2, 2, 0), (3, 3, 0), (3, 2, 1), (2, 3, 0), (1, 2, 0), (2, 1, 1), ((2, 3), (2, 3), 0)]),
    whole=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_max_pool2d_of_few_and_many_channels(dtype, channels, size, window, whole, seed):
    """One or several cells a vector, the last one full or not; windows that tile the image, overlap or lie apart."""
    kernel, stride, padding = window
    if whole:
        size = tuple(np.broadcast_to(stride, 2) * size)
    x = fill((2, channels, *size), "ties", seed).astype(dtype)
    x[np.random.default_rng(seed).random(x.shape) < 0.05] = np.nan
    x = x.transpose(0, 2, 3, 1).copy().transpose(0, 3, 1, 2)
    a, b = minicnn.as_tensor(x).requires_grad_(), as_torch(x)
    y, where = F.max_pool2d(a, kernel, stride, padding, return_indices=True)
    expected, expected_where = TF.max_pool2d(b, kernel, stride, padding, return_indices=True)
    g = fill(tuple(expected.shape), "integers", seed).astype(dtype)
    y.backward(g)
    expected.backward(torch.from_numpy(g))
    np.testing.assert_array_equal(y.detach().numpy(), expected.detach().numpy())
    np.testing.assert_array_equal(where.numpy(), expected_where.numpy())
    np.testing.assert_array_equal(a.grad.numpy(), b.grad.numpy())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(data=st.data(), count_include_pad=st.booleans(), divisor=st.none() | st.integers(1, 7))
def test_avg_pool2d_agrees_with_torch(dtype, data, count_include_pad, divisor):
    case = data.draw(poolings(dtype=dtype, dilated=False))
    arguments = (case.kernel_size, case.stride, case.padding, case.ceil_mode, count_include_pad, divisor)
    y, gradient, expected, expected_gradient = both(
        lambda x: F.avg_pool2d(x, *arguments), lambda x: TF.avg_pool2d(x, *arguments), case
    )
    assert y.dtype == gradient.dtype == dtype
    # a mean divides by at least 1
    assert_within_bound(y, expected.astype(np.float64), np.abs(case.x).max(initial=0) * TAPS + np.zeros(y.shape))
    bound = np.abs(case.grad_output(y.shape)).max(initial=0) * TAPS + np.zeros(gradient.shape)
    assert_within_bound(gradient, expected_gradient.astype(np.float64), bound)


def test_the_public_checkers_accept_minicnn():
    def average(x, kernel_size, stride, padding, ceil_mode):
        return F.avg_pool2d(x, kernel_size, stride, padding, ceil_mode).numpy()

    def maximum_backward(g, x, *arguments):
        x = minicnn.as_tensor(x).requires_grad_()
        F.max_pool2d(x, *arguments).backward(g)
        return x.grad.numpy()

    check_avg_pool2d(average, max_examples=60, isolated=False)
    check_max_pool2d(lambda *a: F.max_pool2d(*a).numpy(), maximum_backward, max_examples=60, isolated=False)


@given(case=poolings(dilated=False, kinds=("integers",)))
def test_average_is_a_constant_kernel(case):
    kernel = np.broadcast_to(case.kernel_size, 2)
    channels = case.x.shape[-3]
    weight = np.ones((channels, 1, *kernel), np.float32)
    stride = case.kernel_size if case.stride is None else case.stride
    sums = F.conv2d(case.x, weight, stride=stride, padding=case.padding, groups=channels).numpy()
    average = F.avg_pool2d(case.x, case.kernel_size, case.stride, case.padding, divisor_override=1).numpy()
    np.testing.assert_array_equal(average, sums)


@given(case=adaptive_poolings(), nan=st.floats(0, 0.5), seed=st.integers(0, 1000))
def test_adaptive_pools_agree_with_torch(case, nan, seed):
    y, gradient, expected, expected_gradient = both(
        lambda x: F.adaptive_avg_pool2d(x, case.output_size),
        lambda x: TF.adaptive_avg_pool2d(x, case.output_size),
        case,
    )
    size = max(*case.x.shape[-2:], *y.shape[-2:]) ** 2
    scale = size * np.abs(case.x).max(initial=0)
    assert_within_bound(y, expected.astype(np.float64), scale + np.zeros(y.shape))
    scale = size * np.abs(case.grad_output(y.shape)).max(initial=0)
    assert_within_bound(gradient, expected_gradient.astype(np.float64), scale + np.zeros(gradient.shape))
    x = np.array(case.x)
    x[np.random.default_rng(seed).random(x.shape) < nan] = np.nan
    where = {}

    def positions(function, name):
        def pool(image):
            y, where[name] = function(image, case.output_size, return_indices=True)
            return y

        return pool

    case = dataclasses.replace(case, x=lay_out(x, case.layout))
    ours, theirs = (
        positions(function, name)
        for function, name in [(F.adaptive_max_pool2d, "minicnn"), (TF.adaptive_max_pool2d, "torch")]
    )
    y, gradient, expected, expected_gradient = both(ours, theirs, case)
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(where["minicnn"].numpy(), where["torch"].numpy())
    scale = size * np.abs(case.grad_output(y.shape)).max(initial=0)
    assert_within_bound(gradient, expected_gradient.astype(np.float64), scale + np.zeros(gradient.shape))


def test_max_pool2d_side_by_side_with_padding():
    """The smallest case in which as many windows as fit side by side don't tile the image, because of the padding."""
    x = fill((1, 4, 1, 6), "reals", 0)
    a, b = minicnn.as_tensor(x).requires_grad_(), as_torch(x)
    F.max_pool2d(a, (1, 3), padding=(0, 1)).sum().backward()
    TF.max_pool2d(b, (1, 3), padding=(0, 1)).sum().backward()
    np.testing.assert_array_equal(a.grad.numpy(), b.grad.numpy())


@given(seed=st.integers(0, 99), kernel=st.integers(1, 3), size=st.integers(3, 8))
def test_unpool_puts_values_back(seed, kernel, size):
    x = fill((2, 3, size, size), "integers", seed)
    t = as_torch(x)
    y, where = F.max_pool2d(x, kernel, return_indices=True)
    expected, expected_where = TF.max_pool2d(t, kernel, return_indices=True)
    values = minicnn.as_tensor(y.numpy().copy()).requires_grad_()
    result = F.max_unpool2d(values, where, kernel, output_size=x.shape)
    answer = TF.max_unpool2d(expected, expected_where, kernel, output_size=x.shape)
    np.testing.assert_array_equal(result.detach().numpy(), answer.detach().numpy())
    g = fill(x.shape, "integers", seed + 1)
    result.backward(g)
    expected.retain_grad()
    answer.backward(torch.from_numpy(g))
    np.testing.assert_array_equal(values.grad.numpy(), expected.grad.numpy())


@given(kernel=st.integers(-2, 3), stride=st.integers(-1, 3), size=st.integers(1, 3), padding=st.integers(-1, 1))
@example(0, 0, 1, 0)
@example(-1, 1, 2, 0)
def test_unpool_takes_any_window(kernel, stride, size, padding):
    x = fill((1, 2, size, size), "integers", 0)
    where = np.broadcast_to(np.arange(size * size).reshape(size, size), x.shape).copy()
    try:
        answer = TF.max_unpool2d(as_torch(x), torch.from_numpy(where), kernel, stride, padding)
    except (RuntimeError, ValueError):
        with pytest.raises(ValueError, match=r"max_unpool2d|indices"):
            F.max_unpool2d(x, where, kernel, stride, padding)
        return
    np.testing.assert_array_equal(F.max_unpool2d(x, where, kernel, stride, padding).numpy(), answer.detach().numpy())


def test_gradcheck():
    distinct = np.random.default_rng(0).permutation(48).reshape(1, 2, 4, 6) / 10
    x = minicnn.as_tensor(distinct).requires_grad_()
    assert gradcheck(lambda x: F.max_pool2d(x, 3, 2, 1), x)
    assert gradcheck(lambda x: F.avg_pool2d(x, 3, 2, 1, ceil_mode=True, count_include_pad=False), x)
    assert gradcheck(lambda x: F.adaptive_avg_pool2d(x, (3, 4)), x)
    assert gradcheck(lambda x: F.adaptive_max_pool2d(x, (3, 4)), x)


BAD = [
    ((2, 3, 5, 5), {"kernel_size": 0}, "kernel_size"),
    ((2, 3, 5, 5), {"kernel_size": 2, "stride": 0}, "stride"),
    ((2, 3, 5, 5), {"kernel_size": 2, "stride": -1}, "stride"),
    ((2, 3, 5, 5), {"kernel_size": 2, "padding": 2}, "padding"),
    ((2, 3, 5, 5), {"kernel_size": 2, "padding": -1}, "padding"),
    ((2, 3, 5, 5), {"kernel_size": 6}, "larger than the padded input"),
    ((5, 5), {"kernel_size": 2}, "input"),
    ((1, 2, 3, 5, 5), {"kernel_size": 2}, "input"),
    ((2, 0, 5, 5), {"kernel_size": 2}, "channels"),
]


@pytest.mark.parametrize(("shape", "arguments", "word"), BAD)
def test_bad_arguments_raise_as_in_torch(shape, arguments, word):
    for ours, theirs in [(F.max_pool2d, TF.max_pool2d), (F.avg_pool2d, TF.avg_pool2d)]:
        with pytest.raises(ValueError, match=word):
            ours(np.zeros(shape, np.float32), **arguments)
        with pytest.raises((RuntimeError, ValueError, IndexError)):
            theirs(torch.zeros(shape), **arguments)


@st.composite
def window_calls(draw):
    """Calls of a pooling at its limits and past them: padding and kernel up to what is refused, and one more."""
    name = draw(st.sampled_from(["max_pool1d", "max_pool2d", "avg_pool1d", "avg_pool2d"]))
    count = int(name[-2])
    sizes = st.integers(1, 5)
    kernel = [draw(sizes) for _ in range(count)]
    dilation = [draw(st.integers(1, 3)) if name.startswith("max") else 1 for _ in range(count)]
    span = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    options = {
        "kernel_size": kernel,
        "stride": draw(st.sampled_from([None, 1, 2, 3, kernel])),
        "padding": [
            draw(st.sampled_from([0, k // 2, (k + 1) // 2, k // 2 + 1, s // 2, k - 1]))
            for k, s in zip(kernel, span, strict=True)
        ],
        "ceil_mode": draw(st.booleans()),
    }
    if name.startswith("max"):
        options["dilation"] = dilation
        options["return_indices"] = draw(st.booleans())
    else:
        options["count_include_pad"] = draw(st.booleans())
    shape = [draw(st.sampled_from([1, 2, 5])) for _ in range(2)]
    image = [
        max(1, draw(st.sampled_from([s - 2 * p, s - 2 * p - 1, s - p, s, s + 1, 7])))
        for s, p in zip(span, options["padding"], strict=True)
    ]
    return name, shape + image, options


@given(call=window_calls(), seed=st.integers(0, 100))
def test_both_compute_or_both_raise(call, seed):
    name, shape, options = call
    x = minicnn.as_tensor(np.random.default_rng(seed).integers(-4, 5, shape).astype(np.float64)).requires_grad_()
    try:
        getattr(F, name)(x, **options)
    except ValueError as error:
        assume("no tap inside" not in str(error))  # PyTorch's maximum of nothing is −∞, at a place it doesn't have
    assert_agrees(lambda module, x: getattr(module.nn.functional, name)(x, **options), x, rtol=1e-12)


def test_integers_and_windows_outside_the_image_raise():
    for pool in (F.max_pool2d, F.avg_pool2d):
        with pytest.raises(TypeError, match="float32"):
            pool(np.zeros((1, 1, 4, 4), np.int64), 2)
    with pytest.raises(ValueError, match="no tap inside"):
        F.max_pool2d(np.zeros((1, 1, 1, 1), np.float32), 2, padding=1, dilation=2)


def test_empty_batch():
    x = minicnn.zeros(0, 3, 4, 4, requires_grad=True)
    y = F.avg_pool2d(F.max_pool2d(x, 2), 2)
    assert y.shape == (0, 3, 1, 1)
    y.sum().backward()
    assert x.grad.shape == x.shape


def test_positions_do_not_wrap_in_images_of_too_many_pixels():
    image = np.broadcast_to(np.float32(1), (1, 1, 2**16, 2**15))  # of no memory
    with pytest.raises(ValueError, match="2147483647 pixels"):
        kernels.pooling.adaptive_max_forward(np.moveaxis(image, 1, -1), (1, 1))
    geometry = pooling_geometry((2**16, 2**15), (2, 2), stride=(2, 2))
    with pytest.raises(ValueError, match="2147483647 pixels"):
        kernels.pooling.max_forward(np.moveaxis(image, 1, -1), geometry)
