"""Losses against PyTorch, with weights, ignored targets, smoothing and every reduction."""

from contextlib import nullcontext

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
from minicnn.testing.bounds import assert_within_bound

REDUCTIONS = st.sampled_from(["mean", "sum", "none"])


@st.composite
def classifications(draw):
    """Logits, targets and the arguments of cross_entropy and nll_loss."""
    K = draw(st.integers(1, 6))
    shape = draw(
        st.just((K,)) | st.integers(0, 5).map(lambda n: (n, K)) | st.integers(1, 3).map(lambda n: (n, K, 2, 3))
    )
    rng = np.random.default_rng(draw(st.integers(0, 10**4)))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    logits = (rng.standard_normal(shape) * draw(st.sampled_from([1, 30, 500]))).astype(dtype)
    targets = rng.integers(0, K, shape[:1] + shape[2:] if len(shape) > 1 else ())
    ignore = draw(st.sampled_from([-100, 0, 255]))
    if ignore == 255:
        targets = np.where(rng.random(targets.shape) < 0.3, 255, targets)
    arguments = {"ignore_index": ignore, "reduction": draw(REDUCTIONS)}
    weight = rng.uniform(0.1, 2, K).astype(dtype) if draw(st.booleans()) else None
    return logits, np.asarray(targets, np.int64), weight, arguments


def compare(ours, theirs, x, magnitude):
    """Value and gradient of a scalar or elementwise loss, within the scaled bound of torch's float64."""
    a = minicnn.as_tensor(x).requires_grad_()
    b = torch.tensor(x.astype(np.float64), requires_grad=True)
    y, expected = ours(a), theirs(b)
    assert y.dtype == x.dtype
    assert_within_bound(
        y.detach().numpy(), expected.detach().numpy(), magnitude + np.zeros(expected.shape), name="loss"
    )
    y.sum().backward()
    expected.sum().backward()
    assert_within_bound(a.grad.numpy(), b.grad.numpy(), 8 + np.zeros(x.shape), name="gradient")


def double(weight):
    return None if weight is None else torch.tensor(weight.astype(np.float64))


@given(case=classifications(), smoothing=st.sampled_from([0.0, 0.1, 1.0]))
def test_cross_entropy_agrees_with_torch(case, smoothing):
    x, target, weight, arguments = case
    arguments = {**arguments, "label_smoothing": smoothing}
    compare(
        lambda t: F.cross_entropy(t, target, weight, **arguments),
        lambda t: TF.cross_entropy(t, torch.from_numpy(target), double(weight), **arguments),
        x,
        8 * (np.abs(x).sum() + 1),
    )


@given(case=classifications())
def test_nll_loss_agrees_with_torch(case):
    x, target, weight, arguments = case
    compare(
        lambda t: F.nll_loss(t, target, weight, **arguments),
        lambda t: TF.nll_loss(t, torch.from_numpy(target), double(weight), **arguments),
        x,
        8 * (np.abs(x).sum() + 1),
    )


@given(case=classifications(), smoothing=st.sampled_from([0.0, 0.3]), seed=st.integers(0, 99))
def test_cross_entropy_against_probabilities(case, smoothing, seed):
    x, _, weight, arguments = case
    q = np.random.default_rng(seed).dirichlet(np.ones(3), x.shape).astype(x.dtype)[..., 0]
    arguments = {"reduction": arguments["reduction"], "label_smoothing": smoothing}
    compare(
        lambda t: F.cross_entropy(t, q, weight, **arguments),
        lambda t: TF.cross_entropy(t, torch.tensor(q.astype(float)), double(weight), **arguments),
        x,
        8 * (np.abs(x).sum() * 6 + 1),
    )


@given(seed=st.integers(0, 99), reduction=REDUCTIONS, broadcast=st.booleans(), scale=st.sampled_from([1, 50]))
def test_regression_losses_agree_with_torch(seed, reduction, broadcast, scale):
    rng = np.random.default_rng(seed)
    x = rng.integers(-4, 5, (3, 4)).astype(np.float32) * scale
    t = rng.integers(-4, 5, (1, 4) if broadcast else (3, 4)).astype(np.float32)
    for ours, theirs in [(F.mse_loss, TF.mse_loss), (F.l1_loss, TF.l1_loss)]:
        a, b = minicnn.as_tensor(x).requires_grad_(), torch.tensor(x, requires_grad=True)
        with pytest.warns(UserWarning, match="target size") if broadcast else nullcontext():
            y = ours(a, t, reduction=reduction)
        with pytest.warns(UserWarning, match="target size") if broadcast else nullcontext():
            expected = theirs(b, torch.from_numpy(t), reduction=reduction)
        magnitude = (np.abs(x).max() + 4) ** 2 * x.size
        assert_within_bound(
            y.detach().numpy(), expected.detach().double().numpy(), magnitude + np.zeros(expected.shape)
        )
        y.sum().backward()
        expected.sum().backward()
        assert_within_bound(a.grad.numpy(), b.grad.double().numpy(), 2 * (np.abs(x) + 4))


@given(
    seed=st.integers(0, 99),
    reduction=st.sampled_from(["mean", "sum", "none", "batchmean"]),
    log_target=st.booleans(),
)
def test_kl_div_agrees_with_torch(seed, reduction, log_target):
    rng = np.random.default_rng(seed)
    x = np.log(rng.dirichlet(np.ones(4), 3))
    q = rng.dirichlet(np.ones(4), 3) * (rng.random((3, 4)) < 0.8)
    q = np.log(q + 0.1) if log_target else q
    a, b = minicnn.as_tensor(x).requires_grad_(), torch.tensor(x, requires_grad=True)
    y = F.kl_div(a, q, reduction=reduction, log_target=log_target)
    expected = TF.kl_div(b, torch.tensor(q), reduction=reduction, log_target=log_target)
    np.testing.assert_allclose(y.detach().numpy(), expected.detach().numpy(), rtol=1e-13, atol=1e-15)
    y.sum().backward()
    expected.sum().backward()
    np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy(), rtol=1e-13, atol=1e-15)


def test_nothing_but_ignored_targets_is_nan():
    x, target = minicnn.zeros(2, 3, requires_grad=True), np.array([-100, -100])
    for loss in (F.cross_entropy(x, target), F.nll_loss(x, target)):
        assert np.isnan(loss.item())
    assert F.cross_entropy(x, target, reduction="sum").item() == 0


def test_huge_logits_do_not_overflow():
    x = minicnn.tensor([[1e30, -1e30], [3e38, 3e38]], requires_grad=True)
    loss = F.cross_entropy(x, np.array([0, 1]), reduction="none")
    loss.sum().backward()
    np.testing.assert_allclose(loss.detach().numpy(), [0, np.log(2)], rtol=1e-6)
    np.testing.assert_allclose(x.grad.numpy(), [[0, 0], [0.5, -0.5]])


def test_gradcheck():
    rng = np.random.default_rng(0)
    x, target = minicnn.as_tensor(rng.standard_normal((4, 3))).requires_grad_(), np.array([0, 2, 1, 2])
    weight = rng.uniform(1, 2, 3)
    assert gradcheck(lambda x: F.cross_entropy(x, target, weight, label_smoothing=0.2), x)
    assert gradcheck(lambda x: F.nll_loss(x, target, weight, ignore_index=2), x)
    assert gradcheck(lambda x: F.mse_loss(x, rng.standard_normal((4, 3)) * 0 + 1), x)


BAD = [
    ((2, 3), np.array([0, 3]), {}, IndexError),
    ((2, 3), np.array([0, -1]), {}, IndexError),
    ((2, 3), np.array([0, 1, 2]), {}, ValueError),
    ((2, 3, 4), np.zeros((2, 3), np.int64), {}, ValueError),
    ((2, 3), np.array([0, 1]), {"weight": np.ones(2, "f")}, ValueError),
    ((2, 3), np.array([0, 1]), {"reduction": "max"}, ValueError),
    ((2, 3), np.array([0, 1], np.int32), {}, TypeError),
]


@pytest.mark.parametrize(("shape", "target", "arguments", "error"), BAD)
@pytest.mark.parametrize("name", ["cross_entropy", "nll_loss"])
def test_bad_arguments_raise_as_in_torch(shape, target, arguments, error, name):
    with pytest.raises(error):
        getattr(F, name)(np.zeros(shape, np.float32), target, **arguments)
    tensors = {k: torch.from_numpy(v) if isinstance(v, np.ndarray) else v for k, v in arguments.items()}
    with pytest.raises((RuntimeError, ValueError, IndexError)):
        getattr(TF, name)(torch.zeros(shape), torch.from_numpy(target), **tensors)


def test_smoothing_outside_its_range_raises():
    with pytest.raises(ValueError, match="label_smoothing"):
        F.cross_entropy(np.zeros((1, 2), np.float32), np.array([0]), label_smoothing=1.5)


SHAPES = [(2, 3), (0, 3), (3,), (2, 0), (0, 0), (0,), (), (1, 3), (2, 3, 0), (2, 3, 2), (1, 3, 1, 1), (2, 0, 3)]
SHARE = st.sampled_from([0.0] * 3 + [0.3, 1.0, 1, -0.1, float("nan"), 1.5, None])


@st.composite
def calls(draw):
    """Arguments of cross_entropy and nll_loss that need not fit; each is right more often than not."""
    shape = draw(st.sampled_from(SHAPES))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    dtype = draw(st.sampled_from(["float32", "float64"]))
    x = minicnn.as_tensor(rng.standard_normal(shape).astype(dtype)).requires_grad_(draw(st.booleans()))
    alone = [()] if x.requires_grad else [(), (1,)]  # of (1,) PyTorch's backward raises
    classes = shape[min(len(shape) - 1, 1)] if shape else 1
    fitting = shape[:1] + shape[2:] if len(shape) > 1 else draw(st.sampled_from(alone))
    size = draw(st.sampled_from([fitting] * 6 + [(2,), (2, 1), ()]))
    target = rng.integers(0, max(classes, 1), size)
    # PyTorch looks at uint8 targets of images only where there are any, and its backward refuses them in any case
    others = ["int32", "bool"] if len(shape) > 2 else ["uint8", "int32", "bool"]
    target = np.asarray(target).astype(draw(st.sampled_from(["int64"] * 6 + others)))
    weight = None
    if draw(st.booleans()):
        count = classes + draw(st.sampled_from([0] * 6 + [1]))
        weight = rng.integers(0, 2, count).astype(draw(st.sampled_from([dtype] * 4 + ["float32", "float64", "int64"])))
        weight = minicnn.as_tensor(weight).requires_grad_(draw(st.integers(0, 5)) == 0 and weight.dtype.kind == "f")
    options = {
        "ignore_index": draw(st.sampled_from([-100, 0, 1, 1.0] if classes else [-100])),
        "reduction": draw(st.sampled_from(["mean", "sum", "none"] * 3 + ["batchmean", None])),
    }
    return [x, minicnn.as_tensor(target), weight], options


@pytest.mark.parametrize("dtype", ["uint8", "int64", "int32"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_dtypes_of_class_indices(dtype, weighted, reduction, smoothing):
    def program(m, x, target, weight):
        options = {"reduction": reduction, "label_smoothing": smoothing}
        return m.nn.functional.cross_entropy(x, target.to(getattr(m, dtype)), weight if weighted else None, **options)

    x, target = minicnn.tensor([[0.1, 0.2, 0.3], [0.3, 0.1, 0.4]]), minicnn.tensor([1, 2])
    assert_agrees(program, x, target, minicnn.tensor([1.0, 2.0, 3.0]), rtol=1e-5)


@given(calls(), st.sampled_from(["cross_entropy", "nll_loss"]), SHARE)
def test_both_compute_or_both_raise(call, name, smoothing):
    (x, target, weight), options = call
    if name == "cross_entropy":
        options["label_smoothing"] = smoothing

    def program(module, x, target, weight):
        return getattr(module.nn.functional, name)(x, target, weight, **options)

    assert_agrees(program, x, target, weight, rtol=1e-5, what=f"{x} {target} {weight} {options}")


@pytest.mark.parametrize("shape", [(0, 0), (0, 0, 2), (2, 0, 0)])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_cross_entropy_without_classes(shape, reduction, smoothing):
    def program(m, x):
        target = m.zeros(shape[:1] + shape[2:], dtype=m.int64)
        return m.nn.functional.cross_entropy(x, target, reduction=reduction, label_smoothing=smoothing)

    assert_agrees(program, minicnn.zeros(shape))


@st.composite
def soft_calls(draw):
    shape = draw(st.sampled_from(SHAPES))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    kinds = st.sampled_from(["float32", "float64"])
    x = minicnn.as_tensor(rng.standard_normal(shape).astype(draw(kinds))).requires_grad_(draw(st.booleans()))
    other = draw(st.sampled_from([shape] * 9 + [(3, 2)]))
    target = minicnn.as_tensor(np.asarray(rng.random(other)).astype(draw(kinds))).requires_grad_(draw(st.booleans()))
    weight = None
    if draw(st.booleans()):
        count = (shape[min(len(shape) - 1, 1)] if shape else 1) + draw(st.sampled_from([0] * 9 + [1]))
        weight = minicnn.as_tensor(rng.random(count).astype(draw(kinds))).requires_grad_(draw(st.booleans()))
    options = {
        "ignore_index": draw(st.sampled_from([-100] * 5 + [-1, 0, 255])),
        "reduction": draw(REDUCTIONS),
        "label_smoothing": draw(SHARE),
    }
    return [x, target, weight], options


@given(soft_calls(), st.booleans())
def test_both_compute_or_both_raise_against_probabilities(call, as_module):
    (x, target, weight), options = call

    def program(module, x, target, weight):
        if as_module:
            weight = None if weight is None else weight.detach()
            return module.nn.CrossEntropyLoss(weight, **options)(x, target)
        return module.nn.functional.cross_entropy(x, target, weight, **options)

    assert_agrees(program, x, target, weight, rtol=2e-5, what=f"{x} {target} {weight} {options}")


@pytest.mark.parametrize("shape", [(2, 3), (3,)])
@pytest.mark.parametrize("changed", [None, 0, 1, 2])
@pytest.mark.parametrize("options", [{}, {"label_smoothing": 0.1}])
@pytest.mark.parametrize("name", ["cross_entropy", "nll_loss"])
def test_a_change_before_backward_is_refused(shape, changed, options, name):
    options = options if name == "cross_entropy" else {}
    target = np.array([0, 1]) if len(shape) > 1 else np.array(1)

    def program(module):
        x = module.zeros(shape, requires_grad=True)
        tensors = [x * 1, module.from_numpy(target.copy()), module.ones(3)]
        y = getattr(module.nn.functional, name)(*tensors, **options)
        if changed is not None:
            tensors[changed].detach().mul_(2)
        y.backward()
        return x.grad

    assert_same(outcome(program, minicnn), outcome(program, torch), 1e-6)


BROADCAST = [((), ()), ((0,), (0,)), ((0, 3), (1, 3)), ((2, 0), (2, 0)), ((3,), (2, 3)), ((2, 3), (3,)), ((), (3,))]


@pytest.mark.filterwarnings("ignore:Using a target size", "ignore:reduction. 'mean' divides")
@pytest.mark.parametrize(
    ("name", "options"), [("kl_div", {}), ("kl_div", {"log_target": True}), ("mse_loss", {}), ("l1_loss", {})]
)
@given(
    shapes=st.sampled_from([*BROADCAST, ((2, 3), (2, 3)), ((3,), (2,)), ((4,), (4,))]),
    dtypes=st.tuples(*[st.sampled_from(["float32", "float64", "float64", "int64", "bool"])] * 2),
    wanted=st.tuples(st.booleans(), st.booleans()),
    reduction=st.sampled_from(["mean", "sum", "none", "batchmean"]),
    changed=st.sampled_from([None, None, None, 0, 1]),
)
def test_elementwise_losses_compute_or_raise_as_in_torch(name, options, shapes, dtypes, wanted, reduction, changed):
    values = [0.0, 0.5, -1.0, np.nan, 2.0, np.inf]
    arrays = [np.resize(np.roll(values, i), shape) for i, shape in enumerate(shapes)]
    with np.errstate(invalid="ignore"):
        arrays = [array.astype(dtype) for array, dtype in zip(arrays, dtypes, strict=True)]
    tensors = [
        minicnn.as_tensor(a).requires_grad_(w and a.dtype.kind == "f") for a, w in zip(arrays, wanted, strict=True)
    ]

    def program(module, *tensors):
        y = getattr(module.nn.functional, name)(*tensors, reduction=reduction, **options)
        if changed is not None and dtypes[0] == dtypes[1]:  # otherwise minicnn works on a copy
            tensors[changed].detach().mul_(1)
        return y

    assert_agrees(program, *tensors, rtol=1e-6, what=f"{tensors} {reduction}")


def test_what_is_no_tensor_is_refused():
    x = np.zeros((2, 3), np.float32)
    for name in ("cross_entropy", "nll_loss", "mse_loss", "l1_loss", "kl_div"):
        for other in ([0, 1], None, "a", 1.0):
            with pytest.raises(TypeError, match="Tensor"):
                getattr(F, name)(x, other)
