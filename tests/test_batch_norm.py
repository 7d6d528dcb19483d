"""batch_norm against PyTorch: values, running statistics and gradients in training and evaluation."""

import numpy as np
import pytest
import torch
import torch.nn.functional as TF
from agreement import assert_agrees, assert_same, outcome
from hypothesis import given
from hypothesis import strategies as st

import minicnn
import minicnn.nn.functional as F
from minicnn.autograd import gradcheck
from minicnn.testing.bounds import C, assert_within_bound
from minicnn.testing.cases import lay_out, layouts


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


def _normalised(case, axes, shape):
    """The value in training, in extended precision: float64's own rounding of long sums is more than the bound."""
    x = case["x"].astype(np.longdouble)
    mean, var = (np.reshape(moment, shape) for moment in (x.mean(axes), x.var(axes)))
    w, b = (
        default if case[name] is None else case[name].astype(case["x"].dtype).reshape(shape)
        for name, default in (("weight", 1), ("bias", 0))
    )
    return ((x - mean) / np.sqrt(var + np.longdouble(case["eps"])) * w + b).astype(np.float64)


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
    terms = np.abs(case["x"].astype(float)).mean(axes) if training else np.abs(used_mean)  # of the mean
    reach = np.abs(case["x"].astype(float)) + spread(terms)  # what rounding mean and x amounts to
    g = np.abs(case["g"])
    by_bias = g.sum(axes)
    by_weight = (g * reach * spread(invstd)).sum(axes)
    count = case["x"].size / x.shape[1]
    by_x = g * spread(scale)
    if training:
        by_x = spread(scale) * (g + spread(by_bias / count) + reach * spread(invstd * by_weight / count))
    bias = np.zeros(x.shape[1]) if case["bias"] is None else np.abs(case["bias"])
    exact = _normalised(case, axes, shape) if dtype == np.float64 and training else y.detach().numpy()
    values = [exact, x.grad.numpy(), *[None if t is None else t.grad.numpy() for t in (w, b)]]
    bounds = [reach * spread(scale) + spread(bias), by_x, by_weight, by_bias]
    running = [(mean.numpy(), np.abs(before[0]) + terms), (var.numpy(), before[1] + 2 * used_var)]
    return values, bounds, running


@pytest.mark.parametrize("training", [True, False])
@given(case=normalizations())
def test_agrees_with_torch(training, case):
    dtype = case["x"].dtype
    x = minicnn.as_tensor(case["x"]).requires_grad_()
    w, b = (
        None if case[n] is None else minicnn.as_tensor(case[n].astype(dtype)).requires_grad_()
        for n in ("weight", "bias")
    )
    case["weight"], case["bias"] = (None if t is None else t.detach().numpy() for t in (w, b))
    case["g"] = case["g"].astype(dtype)
    mean, var = (minicnn.as_tensor(case[name].astype(dtype)) for name in ("mean", "var"))
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
    y = F.batch_norm(x, mean, var, training=True, momentum=1.0, eps=3.0)
    np.testing.assert_array_equal(y.numpy(), [[-0.5], [0.5]])
    assert (mean.item(), var.item()) == (1.0, 2.0)


@pytest.mark.parametrize("training", [True, False])
def test_gradcheck(training):
    rng = np.random.default_rng(0)
    x, w, b = (minicnn.as_tensor(rng.standard_normal(s)).requires_grad_() for s in [(3, 2, 2, 2), (2,), (2,)])
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


DTYPES = [None, "float32", "float64", "int64", "float16"]
SHAPES = [
    (0, 3),
    (0, 3, 2, 2),
    (4, 3, 0, 2),
    (2, 3, 0),
    (4, 0),
    (0, 0),
    (1, 0, 1, 1),
    (0,),
    (3,),
    (),
    (1, 3),
    (4, 3),
    (2, 3, 2),
]


@st.composite
def calls(draw):
    """A call of batch_norm whose arguments need not fit; each is right more often than not."""
    shape = draw(st.sampled_from(SHAPES))
    dtype = draw(st.sampled_from(["float32", "float64"]))
    channels = shape[min(len(shape) - 1, 1)] if shape else 1

    def values(at_least):
        kind = draw(st.sampled_from([dtype] * 6 + DTYPES))
        if kind is None:
            return None
        size = channels + (0 not in shape and draw(st.integers(0, 9)) == 0)  # torch doesn't look at an empty input's
        array = at_least + np.arange(size) % 3
        wanted = draw(st.integers(0, 3)) == 0
        return minicnn.as_tensor(array.astype(kind)).requires_grad_(wanted and kind not in ("int64", "float16"))

    mean, var, weight, bias = values(0), values(1), values(1), values(0)
    if draw(st.integers(0, 5)) == 0:
        mean = var = None
    x = minicnn.as_tensor(np.random.default_rng(0).integers(-4, 5, shape).astype(dtype)).requires_grad_(
        draw(st.booleans())
    )
    options = {
        "training": draw(st.booleans()),
        "momentum": draw(st.sampled_from([0.1] * 5 + [0, 1, 2.0, -1.0, None, "a"])),
        "eps": draw(st.sampled_from([1e-5] * 5 + [0, 0.0, -1.0, -1e-30, 7, None, "a"])),
    }
    return [x, mean, var, weight, bias], options


@given(calls())
def test_both_compute_or_both_raise(call):
    arguments, options = call

    def program(module, *arguments):
        y = module.nn.functional.batch_norm(*arguments, **options)
        return [y, *arguments[1:3]]

    assert_agrees(program, *arguments, rtol=3e-5, what=f"{arguments} {options}")


@given(
    cls=st.sampled_from(["BatchNorm1d", "BatchNorm2d"]),
    shape=st.sampled_from(SHAPES),
    dtype=st.sampled_from(["float32"] * 3 + ["float64"]),
    training=st.booleans(),
    momentum=st.sampled_from([0.1, None]),
    eps=st.sampled_from([1e-5, 0.0, -1.0]),
    affine=st.booleans(),
    track=st.booleans(),
    removed=st.sampled_from(["", "", "", "running_mean", "running_var", "num_batches_tracked"]),
)
def test_modules_follow_torch_in_every_state(cls, shape, dtype, training, momentum, eps, affine, track, removed):
    states = []

    def program(module, x):
        channels = shape[1] if len(shape) > 1 else 3
        layer = getattr(module.nn, cls)(channels, eps, momentum, affine, track).train(training)
        if removed:
            setattr(layer, removed, None)
        states.append(layer)
        return [layer(x), layer(x)]

    x = minicnn.as_tensor(np.random.default_rng(0).integers(-4, 5, shape).astype(dtype)).requires_grad_()
    assert_agrees(program, x, rtol=1e-5)
    ours, theirs = (layer.state_dict() for layer in states)
    assert_same(list(ours.values()), list(theirs.values()), rtol=1e-6)
    for a, b in zip(*[layer.parameters() for layer in states], strict=True):
        assert_same(a.grad, b.grad, rtol=1e-4)


@pytest.mark.parametrize("layout", ["rows", "channels-last"])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("changed", range(5))
@pytest.mark.parametrize("wanted", [(0,), (3,), (4,), (0, 3, 4)])
def test_a_change_before_backward_is_refused(layout, training, changed, wanted):
    x = np.arange(24.0).reshape(2, 3, 2, 2)
    if layout == "channels-last":
        x = lay_out(x, "channels_last")
    arrays = [x, np.zeros(3), np.ones(3), np.ones(3), np.zeros(3)]

    def program(module, *arrays):
        tensors = [module.from_numpy(np.array(a)) for a in arrays]
        for number in wanted:
            tensors[number].requires_grad_()
        y = module.nn.functional.batch_norm(*tensors, training)
        with module.no_grad():
            tensors[changed].mul_(2)
        y.sum().backward()
        return [tensors[number].grad for number in wanted]

    ours, theirs = (outcome(program, module, *arrays) for module in (minicnn, torch))
    assert_same(ours, theirs, 1e-6)
    assert isinstance(theirs, RuntimeError) == (changed != 4)


def test_running_statistics_move_on_between_forward_and_backward():
    mean, var = minicnn.zeros(1), minicnn.ones(1)
    x = minicnn.tensor([[1.0], [3.0]], requires_grad=True)
    y = F.batch_norm(x, mean, var, eps=0.0)
    F.batch_norm(x.detach() * 2, mean, var, training=True)
    y.sum().backward()
    assert x.grad.tolist() == [[1], [1]]
