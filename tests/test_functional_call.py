"""Modules called with other parameters, and sequences of several lengths: as PyTorch's."""

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given

import minicnn
from minicnn.func import functional_call

SIDES = ((minicnn, functional_call), (torch, torch.func.functional_call))


def network(library):
    torch.manual_seed(0)
    layers = library.nn
    return layers.Sequential(
        layers.Conv2d(1, 2, 3), layers.BatchNorm2d(2), layers.Flatten(), layers.Linear(8, 3)
    ).double()


@given(
    st.integers(0, 2**31), st.sets(st.sampled_from(["0.weight", "0.bias", "1.weight", "3.weight", "1.running_mean"]))
)
def test_values_and_gradients(seed, names):
    generator = np.random.default_rng(seed)
    theirs = network(torch)
    state = {name: value.numpy() for name, value in theirs.state_dict().items()}
    arrays = {name: generator.normal(size=state[name].shape) for name in sorted(names)}
    x = generator.normal(size=(4, 1, 4, 4))
    found = []
    for library, call in SIDES:
        module = network(library)
        module.load_state_dict({name: library.tensor(value) for name, value in state.items()})
        before = {name: id(value) for name, value in module.named_parameters()}
        given_tensors = {
            name: library.tensor(array).requires_grad_("running" not in name) for name, array in arrays.items()
        }
        y = call(module, given_tensors, (library.tensor(x),))
        (y * y).sum().backward()
        assert before == {name: id(value) for name, value in module.named_parameters()}
        gradients = {name: value.grad for name, value in given_tensors.items()}
        found.append({"y": y.detach(), **gradients, **dict(module.named_buffers())})
        assert all((value.grad is None) == (name in names) for name, value in module.named_parameters())
    ours, theirs_found = found
    for name, value in theirs_found.items():
        assert (ours[name] is None) == (value is None), name
        if value is not None:
            np.testing.assert_allclose(ours[name].numpy(), value.numpy(), rtol=1e-9, atol=1e-9, err_msg=name)


def tied(library):
    module = library.nn.Sequential(library.nn.Linear(2, 2, bias=False), library.nn.Linear(2, 2, bias=False))
    module[1].weight = module[0].weight
    return module


@pytest.mark.parametrize("tie", [True, False])
def test_shared_parameters(tie):
    results = []
    for library, call in SIDES:
        module, x = tied(library), library.ones(1, 2)
        with library.no_grad():
            module[0].weight.fill_(1.0)
        results.append(call(module, {"0.weight": library.eye(2) * 3}, x, tie_weights=tie).tolist())
    assert results[0] == results[1]


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda m, f: f(m.nn.Linear(2, 2), {"weight": 3}, m.ones(1, 2)), TypeError),
        (lambda m, f: f(m.nn.Linear(2, 2), 3, m.ones(1, 2)), ValueError),
        (lambda m, f: f(m.nn.Linear(2, 2), {"a.b": m.ones(2)}, m.ones(1, 2)), AttributeError),
        (lambda m, f: f(m.nn.Linear(2, 2), {"weight": m.ones(3, 3)}, m.ones(1, 2)), RuntimeError),
        (lambda m, f: f(m.nn.Linear(2, 2), {"weight": m.ones(2, 2)}, m.ones(1, 2), strict=True), RuntimeError),
        (lambda m, f: f(m.nn.Linear(2, 2), [{"bias": m.ones(2)}, {"bias": m.ones(2)}], m.ones(1, 2)), ValueError),
        (lambda m, f: f(tied(m), {"0.weight": m.eye(2), "1.weight": m.ones(2, 2)}, m.ones(1, 2)), ValueError),
    ],
)
def test_refusals(call, error):
    for library, function in SIDES:
        with pytest.raises(error):
            call(library, function)


@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=4),
    st.booleans(),
    st.sampled_from(["left", "right"]),
    st.sampled_from([(), (2,), (0,)]),
)
def test_sequences_of_several_lengths(lengths, batch_first, side, rest):
    """PyTorch's unpad_sequence transposes its argument in place, so it gets a copy."""
    arrays = [np.random.default_rng(length).normal(size=(length, *rest)) for length in lengths]
    found = []
    for library, _ in SIDES:
        rnn = library.nn.utils.rnn
        parts = [library.tensor(array).requires_grad_() for array in arrays]
        padded = rnn.pad_sequence(parts, batch_first, -1.5, side)
        (padded * padded).sum().backward()
        back = rnn.unpad_sequence(padded.clone(), library.tensor(lengths), batch_first)
        found.append([padded.detach(), *(part.grad for part in parts), *(one.detach() for one in back)])
    for ours, theirs in zip(*found, strict=True):
        assert tuple(ours.shape) == tuple(theirs.shape)
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


def test_sequences_that_do_not_fit():
    for library, _ in SIDES:
        pad = library.nn.utils.rnn.pad_sequence
        with pytest.raises(RuntimeError):
            pad([])
        with pytest.raises(RuntimeError):
            pad([library.ones(2, 3), library.ones(2, 4)])
