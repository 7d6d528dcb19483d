"""batch_norm against PyTorch: values, running statistics and gradients in training and evaluation."""

import numpy as np
import pytest
import torch
import torch.nn.functional as TF
from hypothesis import given
from hypothesis import strategies as st

import minicnn
import minicnn.nn.functional as F
from minicnn.autograd import gradcheck
from minicnn.testing.bounds import C, assert_within_bound
from minicnn.testing.cases import fill, lay_out, layouts


@st.composite
def normalizations(draw):
    shape = draw(
        st.tuples(st.integers(2, 6), st.integers(1, 5))
        | st.tuples(st.integers(2, 4), st.integers(1, 5), st.integers(1, 4))
        | st.tuples(st.integers(1, 3), st.integers(1, 5), st.integers(2, 5), st.integers(1, 5))
    )
    seed = draw(st.integers(0, 10**4))
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape) * draw(st.sampled_from([0.1, 1, 30])) + draw(st.sampled_from([0, 1, -20]))
    affine = draw(st.booleans())
    return {
        "x": lay_out(x.astype(draw(st.sampled_from([np.float32, np.float64]))), draw(layouts())),
        "mean": rng.standard_normal(shape[1]),
        "var": rng.uniform(0.5, 2, shape[1]),
        "weight": rng.standard_normal(shape[1]) if affine else None,
        "bias": rng.standard_normal(shape[1]) if affine else None,
        "g": rng.standard_normal(shape),
        "momentum": draw(st.sampled_from([0.1, 0.0, 1.0, 0.37])),
        "eps": draw(st.sampled_from([1e-5, 1e-3])),
    }


def oracle(case, training):
    """Value, running statistics and gradients in float64, with the magnitudes of the scaled bound."""
    arrays = [case["x"], case["weight"], case["bias"]]
    x, w, b = (None if a is None else torch.tensor(np.array(a, np.float64, order="C")).requires_grad_() for a in arrays)
    dtype = case["x"].dtype
    mean, var = (torch.tensor(case[name].astype(dtype).astype(np.float64)) for name in ("mean", "var"))
    before = mean.numpy().copy(), var.numpy().copy()
    y = TF.batch_norm(x, mean, var, w, b, training, case["momentum"], case["eps"])
    y.backward(torch.tensor(case["g"]))
    axes = tuple(a for a in range(x.ndim) if a != 1)
    shape = [1, -1, *[1] * (x.ndim - 2)]

    def spread(values):
        return np.reshape(values, shape)

    used_mean = case["x"].astype(float).mean(axes) if training else before[0]
    used_var = case["x"].astype(float).var(axes) if training else before[1]
    invstd = 1 / np.sqrt(used_var + case["eps"])
    scale = np.abs(case["weight"] if case["weight"] is not None else np.ones(x.shape[1])) * invstd
    reach = np.abs(case["x"].astype(float)) + np.abs(spread(used_mean))  # what rounding mean and x amounts to
    g = np.abs(case["g"])
    by_bias = g.sum(axes)
    by_weight = (g * reach * spread(invstd)).sum(axes)
    count = case["x"].size / x.shape[1]
    by_x = g * spread(scale)
    if training:
        by_x = spread(scale) * (g + spread(by_bias / count) + reach * spread(invstd * by_weight / count))
    bias = np.zeros(x.shape[1]) if case["bias"] is None else np.abs(case["bias"])
    values = [y.detach().numpy(), x.grad.numpy(), *[None if t is None else t.grad.numpy() for t in (w, b)]]
    bounds = [reach * spread(scale) + spread(bias), by_x, by_weight, by_bias]
    running = [(mean.numpy(), np.abs(before[0]) + np.abs(used_mean)), (var.numpy(), before[1] + 2 * used_var)]
    return values, bounds, running


@pytest.mark.parametrize("training", [True, False])
@given(case=normalizations())
def test_agrees_with_torch(training, case):
    dtype = case["x"].dtype
    x = minicnn.Tensor(case["x"], True)
    w, b = (None if case[n] is None else minicnn.Tensor(case[n].astype(dtype), True) for n in ("weight", "bias"))
    case["weight"], case["bias"] = (None if t is None else t.detach().numpy() for t in (w, b))
    case["g"] = case["g"].astype(dtype)
    mean, var = (minicnn.Tensor(case[name].astype(dtype)) for name in ("mean", "var"))
    y = F.batch_norm(x, mean, var, w, b, training, case["momentum"], case["eps"])
    y.backward(case["g"])
    values, bounds, running = oracle(case, training)
    c = C if dtype == np.float32 else 2 * C  # beside float64, the oracle's own rounding counts too
    results = [y.detach(), x.grad, *[None if t is None else t.grad for t in (w, b)]]
    for name, result, value, bound in zip(["y", "by x", "by weight", "by bias"], results, values, bounds, strict=True):
        if result is not None:
            assert result.dtype == dtype
            assert_within_bound(result.numpy(), value, bound, c, name)
    for result, (value, bound) in zip([mean, var], running, strict=True):
        assert_within_bound(result.numpy(), value, bound, c, "running statistics")


def test_running_variance_is_unbiased_and_normalisation_biased():
    x = np.array([[0.0], [2.0]], np.float32)
    mean, var = minicnn.zeros(1), minicnn.ones(1)
    y = F.batch_norm(x, mean, var, training=True, momentum=1.0, eps=0.0)
    np.testing.assert_array_equal(y.numpy(), [[-1], [1]])
    assert (mean.item(), var.item()) == (1.0, 2.0)


@pytest.mark.parametrize("training", [True, False])
def test_gradcheck(training):
    rng = np.random.default_rng(0)
    x, w, b = (minicnn.Tensor(rng.standard_normal(s), True) for s in [(3, 2, 2, 2), (2,), (2,)])
    mean, var = rng.standard_normal(2), rng.uniform(1, 2, 2)
    assert gradcheck(lambda x, w, b: F.batch_norm(x, mean.copy(), var.copy(), w, b, training), [x, w, b])


def test_a_mean_far_from_zero_costs_no_accuracy_in_the_variance():
    x = (1e4 + np.random.default_rng(0).standard_normal((4096, 2))).astype(np.float32)
    var = minicnn.ones(2)
    F.batch_norm(x, minicnn.zeros(2), var, training=True, momentum=1.0)
    np.testing.assert_allclose(var.numpy(), x.astype(np.float64).var(0, ddof=1), rtol=1e-6)


@pytest.mark.parametrize(
    ("shape", "arguments", "error", "word"),
    [
        ((1, 3), {"training": True}, ValueError, "more than 1 value per channel"),
        ((1, 3, 1, 1), {"training": True}, ValueError, "more than 1 value per channel"),
        ((4, 3), {"running_mean": np.zeros(2, "f")}, ValueError, "running_mean"),
        ((4, 3), {"weight": np.zeros(4, "f")}, ValueError, "weight"),
        ((4, 3), {"running_mean": None}, RuntimeError, "running_mean"),
        ((3,), {}, ValueError, "input"),
    ],
)
def test_bad_arguments_raise_as_in_torch(shape, arguments, error, word):
    arguments = {"running_mean": np.zeros(3, "f"), "running_var": np.ones(3, "f"), **arguments}
    with pytest.raises(error, match=word):
        F.batch_norm(np.zeros(shape, np.float32), **arguments)
    tensors = {k: torch.from_numpy(v) if isinstance(v, np.ndarray) else v for k, v in arguments.items()}
    with pytest.raises((RuntimeError, ValueError, IndexError)):
        TF.batch_norm(torch.zeros(shape), **tensors)


def test_integers_raise():
    with pytest.raises(TypeError, match="float32"):
        F.batch_norm(np.zeros((2, 3), np.int64), None, None, training=True)


def test_empty_batch():
    mean, var = minicnn.zeros(3), minicnn.ones(3)
    x = minicnn.Tensor(fill((0, 3, 2, 2), "reals", 0), True)
    y = F.batch_norm(x, mean, var, training=False)
    assert y.shape == (0, 3, 2, 2)
    y.sum().backward()
    assert x.grad.shape == x.shape
