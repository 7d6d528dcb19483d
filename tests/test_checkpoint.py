"""`checkpoint` computes again in the backward: the same values and gradients as without it, whatever it is given."""

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given

import minicnn
from minicnn import nn
from minicnn.utils.checkpoint import checkpoint, checkpoint_sequential


def tensor(*shape, seed=0):
    return minicnn.from_numpy(np.random.default_rng(seed).normal(size=shape)).requires_grad_()


def network():
    minicnn.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Dropout(0.5), nn.Linear(4, 3), nn.Sigmoid()).double()


def gradients(model):
    return [parameter.grad.numpy() for parameter in model.parameters()]


def assert_equal(ours, theirs):
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a, b)


@given(
    reentrant=st.sampled_from([None, True, False]), calls=st.integers(1, 3), asks=st.booleans(), outside=st.booleans()
)
def test_gradients_are_those_without_it(reentrant, calls, asks, outside):
    def run(wrap):
        model, x, scale = network(), tensor(2, 3), tensor(3, seed=1)
        x.requires_grad = asks
        computed = scale * 2 if outside else scale  # seen, and not given
        h = x * 1
        minicnn.manual_seed(7)
        for _ in range(calls):
            h = wrap(lambda h: model(h) * computed + h, h)
        (h * h).sum().backward()
        return [h.detach().numpy(), *gradients(model), scale.grad.numpy(), *([x.grad.numpy()] if asks else [])]

    plain = run(lambda function, h: function(h))
    assert_equal(run(lambda function, h: checkpoint(function, h, use_reentrant=reentrant)), plain)


def test_arguments_and_results_may_be_nested():
    def function(pair, *, options):
        return {"sum": pair[0] + options["c"], "count": 3}, [pair[0] * pair[1], None]

    x, y, c = tensor(2), tensor(2, seed=1), tensor(2, seed=2)
    first, (product, nothing) = checkpoint(function, (x, y), options={"c": c}, use_reentrant=False)
    assert first["count"] == 3
    assert nothing is None
    (first["sum"] * product).sum().backward()
    expected = tensor(2), tensor(2, seed=1), tensor(2, seed=2)
    ((expected[0] + expected[2]) * (expected[0] * expected[1])).sum().backward()
    assert_equal([t.grad.numpy() for t in (x, y, c)], [t.grad.numpy() for t in expected])


def test_grad_reaches_parameters_and_touches_no_grad():
    model, x = network().eval(), tensor(2, 3)
    found = minicnn.autograd.grad(checkpoint(model, x, use_reentrant=False).sum(), [x, *model.parameters()])
    assert all(parameter.grad is None for parameter in model.parameters())
    model(x).sum().backward()
    assert_equal([gradient.numpy() for gradient in found], [x.grad.numpy(), *gradients(model)])


@given(segments=st.integers(1, 5))
def test_segments(segments):
    def run(chain):
        model, x = network(), tensor(2, 3)
        minicnn.manual_seed(3)
        chain(model, x).sum().backward()
        return [x.grad.numpy(), *gradients(model)]

    assert_equal(run(lambda model, x: checkpoint_sequential(model, segments, x)), run(lambda model, x: model(x)))


def test_values_are_not_kept():
    held = []

    class Watched(minicnn.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            held.append(ctx)
            return x * x

        @staticmethod
        def backward(ctx, grad_output):
            return 2 * ctx.saved_tensors[0] * grad_output

    x = tensor(3)
    y = checkpoint(Watched.apply, x, use_reentrant=False)
    import gc
    import weakref

    first = weakref.ref(held.pop())
    gc.collect()
    assert first() is None
    y.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 2 * x.detach().numpy())


def test_a_second_backward_and_a_change_in_place_are_refused():
    x = tensor(3)
    y = checkpoint(minicnn.tanh, x, use_reentrant=False).sum()
    y.backward()
    with pytest.raises(RuntimeError, match="second time"):
        y.backward()
    h = tensor(3) * 1
    y = checkpoint(minicnn.tanh, h, use_reentrant=False).sum()
    h.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an in-place operation"):
        y.backward()


def test_a_function_that_changes_its_mind_is_noticed():
    sizes = iter([1, 2])
    y = checkpoint(lambda x: x[: next(sizes)] * 2, tensor(3), use_reentrant=False)
    with pytest.raises(RuntimeError, match="checkpoint"):
        y.sum().backward()


def test_without_recording_it_is_a_call():
    with minicnn.no_grad():
        assert not checkpoint(minicnn.tanh, tensor(3), use_reentrant=False).requires_grad
    assert not checkpoint(minicnn.tanh, tensor(3).detach(), use_reentrant=False).requires_grad
    with pytest.raises(ValueError, match="determinism_check"):
        checkpoint(minicnn.tanh, tensor(3), determinism_check="never")


def test_it_is_torchs():
    x = np.random.default_rng(0).normal(size=(2, 3))
    found = []
    for library, function in ((minicnn, checkpoint), (torch, torch.utils.checkpoint.checkpoint)):
        t = library.from_numpy(x.copy()).requires_grad_()
        y = function(lambda t: (t * t).exp(), t, use_reentrant=False)
        y.sum().backward()
        found.append(t.grad.numpy())
    np.testing.assert_allclose(*found, rtol=1e-14)
