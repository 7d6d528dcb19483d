"""Boxes and parts of networks under torchvision.ops's names: values, gradients, dtypes, printed forms and refusals."""

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
import torchvision
from hypothesis import given

import minicnn
from minicnn import ops

THEIRS = torchvision.ops
COUNTS = st.integers(0, 6)
SEEDS = st.integers(0, 2**31)


def boxes(n, seed, dtype="float64"):
    """n boxes with corners at whole numbers, so that they often touch, coincide or are empty."""
    corners = np.random.default_rng(seed).integers(0, 5, (n, 2))
    sizes = np.random.default_rng(seed + 1).integers(0, 4, (n, 2))
    return np.concatenate([corners, corners + sizes], 1).astype(dtype)


def both(array):
    return minicnn.tensor(array), torch.tensor(array)


def assert_equal(ours, theirs):
    assert tuple(ours.shape) == tuple(theirs.shape)
    assert str(ours.dtype) == str(theirs.dtype)
    np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", ["box_iou", "generalized_box_iou"])
@given(COUNTS, COUNTS, SEEDS, st.sampled_from(["float32", "float64", "int64", "int16"]))
def test_overlaps(name, n, m, seed, dtype):
    first, second = both(boxes(n, seed, dtype)), both(boxes(m, seed + 2, dtype))
    ours, theirs = (getattr(library, name)(a, b) for library, a, b in zip((ops, THEIRS), first, second, strict=True))
    assert str(ours.dtype) == str(theirs.dtype)
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-6)
    assert_equal(ops.box_area(first[0]), THEIRS.box_area(first[1]))


@pytest.mark.parametrize("name", ["box_iou", "generalized_box_iou"])
@given(st.integers(1, 4), SEEDS)
def test_gradients_of_overlaps(name, n, seed):
    draws = np.random.default_rng(seed).uniform(0, 3, (2, n, 4)) + np.array([0, 0, 4, 4])
    gradients = []
    for library, tensors in ((ops, minicnn), (THEIRS, torch)):
        first, second = (tensors.tensor(array).requires_grad_() for array in draws)
        getattr(library, name)(first, second).sum().backward()
        gradients.append((first.grad, second.grad))
    for ours, theirs in zip(*gradients, strict=True):
        assert_equal(ours, theirs)


@given(COUNTS, SEEDS, st.sampled_from([0.0, 0.2, 0.5, 1.0]), st.booleans())
def test_suppression(n, seed, threshold, ties):
    """Scores differ, for of equal ones PyTorch keeps any; categories of few boxes."""
    places, scores = both(boxes(n, seed)), both(np.random.default_rng(seed).permutation(n) / 8)
    categories = both(np.random.default_rng(seed).integers(0, 2, n))
    assert_equal(ops.nms(places[0], scores[0], threshold), THEIRS.nms(places[1], scores[1], threshold))
    ours = ops.batched_nms(places[0], scores[0], categories[0], threshold)
    assert_equal(ours, THEIRS.batched_nms(places[1], scores[1], categories[1], threshold))


@given(COUNTS, SEEDS, st.sampled_from(["xyxy", "xywh", "cxcywh"]), st.sampled_from(["xyxy", "xywh", "cxcywh"]))
def test_formats_and_borders(n, seed, before, after):
    ours, theirs = both(boxes(n, seed))
    assert_equal(ops.box_convert(ours, before, after), THEIRS.box_convert(theirs, before, after))
    assert_equal(ops.clip_boxes_to_image(ours, (3, 4)), THEIRS.clip_boxes_to_image(theirs, (3, 4)))
    assert_equal(ops.remove_small_boxes(ours, 2.0), THEIRS.remove_small_boxes(theirs, 2.0))


@given(
    SEEDS, st.sampled_from([0.25, 1.0, -1]), st.sampled_from([0.0, 1.5, 2]), st.sampled_from(["none", "mean", "sum"])
)
def test_focal_loss(seed, alpha, gamma, reduction):
    logits, targets = np.random.default_rng(seed).normal(size=(3, 4)) * 3, np.eye(4)[[1, 0, 3]]
    found = []
    for library, tensors in ((ops, minicnn), (THEIRS, torch)):
        x = tensors.tensor(logits).requires_grad_()
        loss = library.sigmoid_focal_loss(x, tensors.tensor(targets), alpha, gamma, reduction)
        loss.sum().backward()
        found.append((loss, x.grad))
    for ours, theirs in zip(*found, strict=True):
        assert_equal(ours, theirs)


@pytest.mark.parametrize("mode", ["batch", "row"])
def test_stochastic_depth(mode):
    minicnn.manual_seed(0)
    layer = ops.StochasticDepth(0.25, mode)
    assert repr(layer) == repr(THEIRS.StochasticDepth(0.25, mode))
    x = minicnn.ones(2000, 2, 3)
    rows = {round(row, 6) for row in layer(x).mean((1, 2)).tolist()}
    assert rows <= {0.0, round(1 / 0.75, 6)}
    if mode == "row":
        assert 0.2 < (layer(x)[:, 0, 0] == 0).double().mean().item() < 0.3
    else:
        assert len(rows) == 1
    assert layer.eval()(x) is x
    assert not ops.stochastic_depth(x, 1.0, mode).any()


@pytest.mark.parametrize(
    "make",
    [
        lambda library: library.FrozenBatchNorm2d(4, eps=0.1),
        lambda library: library.SqueezeExcitation(4, 2),
        lambda library: library.misc.Permute([0, 2, 3, 1]) if library is THEIRS else library.Permute([0, 2, 3, 1]),
    ],
)
def test_layers(make):
    ours, theirs = make(ops), make(THEIRS)
    assert repr(ours) == repr(theirs)
    generator = np.random.default_rng(0)
    state = {name: generator.uniform(0.5, 2, tuple(value.shape)) for name, value in theirs.state_dict().items()}
    results = []
    for module, tensors in ((ours, minicnn), (theirs, torch)):
        module.double().load_state_dict({name: tensors.tensor(value) for name, value in state.items()})
        x = tensors.tensor(np.random.default_rng(1).normal(size=(2, 4, 3, 3))).requires_grad_()
        y = module(x)
        (y * y).sum().backward()
        results.append((y, x.grad))
    for one, other in zip(*results, strict=True):
        assert_equal(one, other)
    assert [*ours.state_dict()] == [*theirs.state_dict()]


def test_frozen_batch_norm_takes_the_state_of_a_batch_norm():
    norm, frozen = minicnn.nn.BatchNorm2d(3), ops.FrozenBatchNorm2d(3)
    norm(minicnn.randn(4, 3, 2, 2))
    frozen.load_state_dict(norm.state_dict())
    x = minicnn.randn(2, 3, 4, 4)
    np.testing.assert_allclose(frozen(x).numpy(), norm.eval()(x).detach().numpy(), rtol=1e-5, atol=1e-6)
    assert not [*frozen.parameters()]


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda m, o: o.nms(m.ones(2, 3), m.ones(2), 0.5), RuntimeError),
        (lambda m, o: o.nms(m.ones(2, 4), m.ones(3), 0.5), RuntimeError),
        (lambda m, o: o.nms(m.ones(2, 4), m.ones(2).double(), 0.5), RuntimeError),
        (lambda m, o: o.box_convert(m.ones(2, 4), "xyxy", "yx"), ValueError),
        (lambda m, o: o.sigmoid_focal_loss(m.ones(2), m.ones(2), alpha=2.0), ValueError),
        (lambda m, o: o.sigmoid_focal_loss(m.ones(2), m.ones(2), reduction="median"), ValueError),
        (lambda m, o: o.stochastic_depth(m.ones(2), 1.5, "row"), ValueError),
        (lambda m, o: o.stochastic_depth(m.ones(2), 0.5, "column"), ValueError),
    ],
)
def test_refusals(call, error):
    for tensors, library in ((minicnn, ops), (torch, THEIRS)):
        with pytest.raises(error):
            call(tensors, library)


def test_what_is_missing_names_itself():
    with pytest.raises(AttributeError, match=r"minicnn.ops has no roi_align.*grid_sample"):
        ops.roi_align  # noqa: B018
