"""Distributions agree with PyTorch's: probabilities, entropies, divergences, their gradients, shapes and refusals."""

import re

import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given

import minicnn

SHAPES = hnp.mutually_broadcastable_shapes(num_shapes=3, max_dims=3, max_side=3, min_side=0)
NAMES = ["Normal", "Uniform", "Bernoulli", "Bernoulli of logits", "Categorical", "Categorical of logits"]


@pytest.fixture(autouse=True)
def checked():
    """Whatever ran before in this process: `torch.compile` turns the checks of torch's distributions off for good."""
    torch.distributions.Distribution.set_default_validate_args(True)


def numbers(shape, low, high, seed):
    return np.asarray(np.random.default_rng(seed).uniform(low, high, shape))


def build(library, name, one, other):
    """A distribution of some parameters, and those that want gradients."""
    kind, _, logits = name.partition(" of ")
    first, second = (library.from_numpy(array.copy()).requires_grad_() for array in (one, other))
    make = getattr(library.distributions, kind)
    if kind == "Normal":
        return make(first, second), [first, second]
    if kind == "Uniform":
        return make(first, first + second), [first, second]
    # PyTorch can't check empty logits of categories
    return make(**{"logits" if logits else "probs": first}, validate_args=one.size > 0), [first]


def parameters(name, shapes, seed):
    first, second = shapes
    if name.startswith("Categorical"):
        first = (*first, 4)
    low, high = (0.05, 0.95) if name in ("Bernoulli", "Categorical") else (-2, 2)
    return numbers(first, low, high, seed), numbers(second, 0.3, 2, seed + 1)


def values(name, shape, seed):
    generator = np.random.default_rng(seed)
    if name == "Normal":
        return np.asarray(generator.normal(size=shape))
    if name == "Uniform":
        return np.asarray(generator.uniform(size=shape))
    return np.asarray(generator.integers(0, 4 if name.startswith("Categorical") else 2, shape), float)


def results(library, name, arrays, given_values):
    """What a distribution answers, and the gradients with respect to its parameters."""
    distribution, wanted = build(library, name, *arrays)
    distribution._validate_args = name != "Uniform"  # whose values are drawn wherever the others' are
    value = library.from_numpy(given_values.copy())
    answers = [distribution.log_prob(value), distribution.entropy(), distribution.perplexity()]
    if not name.startswith("Categorical"):
        answers += [distribution.mean, distribution.variance, distribution.stddev]
    if name in ("Normal", "Uniform"):
        answers += [distribution.cdf(value), distribution.icdf(distribution.cdf(value).clamp(0.01, 0.99))]
    total = sum((answer * (answer.detach().isfinite() if library is torch else 1)).sum() for answer in answers[:3])
    total.backward()
    return answers + [parameter.grad for parameter in wanted]


def assert_agree(ours, theirs):
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        if b is None:
            assert a is None
            continue
        a, b = a.detach().numpy(), b.detach().numpy()
        assert a.shape == b.shape
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-12)


@given(name=st.sampled_from(NAMES), shapes=SHAPES, seed=st.integers(0, 99))
def test_answers_and_gradients(name, shapes, seed):
    arrays = parameters(name, shapes.input_shapes[:2], seed)
    if name == "Uniform":
        arrays = (np.full_like(arrays[0], -0.5), np.full_like(arrays[1], 2.0))
    batch = shapes.input_shapes[0] if name.startswith(("B", "C")) else np.broadcast_shapes(*shapes.input_shapes[:2])
    value = values(name, np.broadcast_shapes(batch, shapes.input_shapes[2]), seed)
    assert_agree(*[results(library, name, arrays, value) for library in (minicnn, torch)])


@given(name=st.sampled_from(NAMES), shapes=SHAPES, seed=st.integers(0, 99))
def test_divergences(name, shapes, seed):
    found = []
    several = name in ("Normal", "Uniform")  # PyTorch's divergences of the others broadcast in part only
    for library in (minicnn, torch):
        pairs = [
            build(library, name, *parameters(name, shapes.input_shapes[i * several :][:2], seed + 5 * i))
            for i in (0, 1)
        ]
        divergence = library.distributions.kl_divergence(pairs[0][0], pairs[1][0])
        if name != "Uniform":
            divergence.sum().backward()
        gradients = [p.grad for _, wanted in pairs for p in wanted]
        found.append([divergence, *gradients])
    assert_agree(*found)


@given(name=st.sampled_from(NAMES), shapes=SHAPES, sample=hnp.array_shapes(min_dims=0, max_dims=2, min_side=1))
def test_samples_have_torchs_shapes_and_lie_in_range(name, shapes, sample):
    arrays = parameters(name, shapes.input_shapes[:2], 0)
    (ours, wanted), (theirs, _) = (build(library, name, *arrays) for library in (minicnn, torch))
    drawn, expected = ours.sample(sample), theirs.sample(sample)
    assert tuple(drawn.shape) == tuple(expected.shape)
    assert drawn.numpy().dtype == expected.numpy().dtype
    assert not drawn.requires_grad
    assert np.isfinite(ours.log_prob(drawn).detach().numpy()).all()
    assert ours.has_rsample == theirs.has_rsample
    assert (tuple(ours.batch_shape), tuple(ours.event_shape)) == (tuple(theirs.batch_shape), tuple(theirs.event_shape))
    if ours.has_rsample:
        ours.rsample(sample).sum().backward()
        assert all(parameter.grad is not None for parameter in wanted)
    else:
        with pytest.raises(NotImplementedError):
            ours.rsample()
    if ours.has_enumerate_support:
        for expand in (True, False):
            listed = ours.enumerate_support(expand)
            assert listed.tolist() == theirs.enumerate_support(expand).tolist()
    wider = (2, *ours.batch_shape)
    assert tuple(ours.expand(wider).batch_shape) == wider


def test_draws_follow_the_probabilities():
    minicnn.manual_seed(0)
    count = 40_000
    d = minicnn.distributions
    probs = minicnn.tensor([[0.1, 0.2, 0.7], [0.5, 0.0, 0.5]])
    drawn = d.Categorical(probs).sample((count,)).numpy()
    shares = np.stack([(drawn == k).mean(0) for k in range(3)], -1)
    np.testing.assert_allclose(shares, probs.numpy(), atol=5 * 0.5 / count**0.5)
    drawn = d.Bernoulli(minicnn.tensor([0.0, 0.3, 1.0])).sample((count,)).numpy()
    np.testing.assert_allclose(drawn.mean(0), [0, 0.3, 1], atol=5 * 0.5 / count**0.5)
    drawn = d.Normal(3.0, 2.0).sample((count,)).numpy()
    np.testing.assert_allclose([drawn.mean(), drawn.std()], [3, 2], atol=5 * 2 / count**0.5)
    drawn = d.Uniform(-1.0, 3.0).sample((count,)).numpy()
    np.testing.assert_allclose([drawn.mean(), drawn.min(), drawn.max()], [1, -1, 3], atol=5 * 1.2 / count**0.5)


REFUSED = [
    "d.Normal(0, -1)",
    "d.Normal(0.0, float('nan'))",
    "d.Normal([1.0], 2)",
    "d.Normal(0.0, 1.0).log_prob(3)",
    "d.Normal(torch.zeros(2), torch.ones(3))",
    "d.Normal(torch.zeros(2), torch.ones(2)).log_prob(torch.ones(3))",
    "d.Bernoulli(1.5)",
    "d.Bernoulli()",
    "d.Bernoulli(0.3, 0.2)",
    "d.Bernoulli(0.5).log_prob(torch.tensor(0.5))",
    "d.Bernoulli(logits=float('nan'))",
    "d.Categorical(torch.tensor([-1.0, 2.0]))",
    "d.Categorical(torch.tensor(1.0))",
    "d.Categorical(torch.ones(2, 3)).log_prob(torch.tensor(3))",
    "d.Uniform(1.0, 0.0)",
    "d.Uniform(0.0, 1.0).log_prob(torch.tensor(2.0))",
    "d.kl_divergence(d.Normal(0.0, 1.0), d.Bernoulli(0.5))",
    "d.Normal(0.0, 1.0).sample(2)",
]


@pytest.mark.parametrize("expression", REFUSED)
def test_what_torch_refuses_is_refused(expression):
    errors = []
    for library in (minicnn, torch):
        with pytest.raises(Exception) as caught:  # noqa: PT011
            eval(expression, {"d": library.distributions, "torch": library})
        errors.append(caught)
    assert errors[0].type is errors[1].type or issubclass(errors[0].type, errors[1].type)


ALIKE = [
    "d.Normal(torch.zeros(2), 1)",
    "d.Normal(0, 1).mean",
    "d.Bernoulli(0.5)",
    "d.Bernoulli(logits=torch.zeros(2))",
    "d.Categorical(torch.ones(2, 3))",
    "d.Categorical(torch.ones(2, 3)).mean",
    "d.Categorical(logits=torch.ones(2, 3)).param_shape",
    "d.Bernoulli(torch.tensor([0.5, 0.2, 0.7])).mode.tolist()",
    "d.Categorical(torch.tensor([0.5, 0.2, 0.7])).mode",
    "d.Normal(torch.zeros(2), 1).expand((3, 2))",
    "d.Uniform(0.0, 1.0)",
    "d.Bernoulli(torch.tensor([0.0, 1.0])).log_prob(torch.tensor([0.0, 1.0])).isfinite().all()",
    "d.kl_divergence(d.Uniform(0.0, 2.0), d.Uniform(0.0, 1.0))",
    "d.kl_divergence(d.Bernoulli(torch.tensor([0.5, 0.0])), d.Bernoulli(torch.tensor([0.0, 0.0]))).tolist()",
    "d.Uniform(0.0, 1.0, validate_args=False).log_prob(torch.tensor([2.0, 0.5, 1.0, 0.0])).tolist()",
]


@pytest.mark.parametrize("expression", ALIKE)
def test_what_is_printed(expression):
    ours, theirs = (
        repr(eval(expression, {"d": library.distributions, "torch": library})) for library in (minicnn, torch)
    )
    assert ours == theirs


def printed(distribution):
    """Without how its parameters came about: PyTorch broadcasts to the same shape without an operation."""
    return re.sub(r", (grad_fn=<\w+>|requires_grad=True)", "", repr(distribution))


@given(st.integers(1, 3), st.sampled_from([(), (2,), (2, 3)]), st.integers(0, 2**31),
       st.sampled_from(["scale_tril", "covariance_matrix", "precision_matrix"]))  # fmt: skip
def test_vectors(n, batch, seed, kind):
    """PyTorch can't check empty batches of matrices."""
    generator = np.random.default_rng(seed)
    loc, value = generator.normal(size=(*batch, n)), generator.normal(size=(3, *batch, n))
    L = np.tril(generator.normal(size=(n, n)), -1) + np.diag(generator.uniform(0.5, 2, n))
    found = []
    for library in (minicnn, torch):
        tensors = [library.tensor(array).requires_grad_() for array in (loc, L if kind == "scale_tril" else L @ L.T)]
        several = library.distributions.MultivariateNormal(tensors[0], **{kind: tensors[1]})
        answers = [
            several.log_prob(library.tensor(value)),
            several.entropy(),
            several.mean,
            several.mode,
            several.variance,
        ]
        (answers[0].sum() + (several.entropy() * 2).sum()).backward()
        assert tuple(several.rsample((4,)).shape) == (4, *batch, n)
        answers += [tensors[0].grad, tensors[1].grad]
        found.append([printed(several), tuple(several.batch_shape), tuple(several.event_shape), answers])
    assert found[0][:3] == found[1][:3]
    for ours, theirs in zip(found[0][3], found[1][3], strict=True):
        assert tuple(ours.shape) == tuple(theirs.shape)
        np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=1e-6, atol=1e-8)


def test_vectors_are_drawn_with_their_covariance():
    covariance = minicnn.tensor([[2.0, 0.6], [0.6, 0.5]])
    minicnn.manual_seed(0)
    drawn = minicnn.distributions.MultivariateNormal(minicnn.tensor([1.0, -1.0]), covariance).sample((40000,))
    np.testing.assert_allclose(drawn.mean(0).numpy(), [1, -1], atol=0.05)
    np.testing.assert_allclose(np.cov(drawn.numpy().T), covariance.numpy(), atol=0.06)


@given(
    hnp.mutually_broadcastable_shapes(num_shapes=3, max_dims=3, max_side=3), st.integers(0, 3), st.integers(0, 2**31)
)
def test_several_as_one(shapes, count, seed):
    """PyTorch can't add up over empty dimensions."""
    one, other = parameters("Normal", shapes.input_shapes[:2], seed)
    found = []
    for library in (minicnn, torch):
        base, wanted = build(library, "Normal", one, other)
        if count > len(base.batch_shape):
            with pytest.raises(ValueError, match="Expected reinterpreted_batch_ndims"):
                library.distributions.Independent(base, count)
            return
        several = library.distributions.Independent(base, count)
        value = library.tensor(np.random.default_rng(seed).normal(size=(2, *base.batch_shape)))
        answers = [several.log_prob(value), several.entropy(), several.mean, several.mode, several.variance]
        (answers[0].sum() + answers[1].sum()).backward()
        answers += [tensor.grad for tensor in wanted]
        shapes_of = several.expand((2, *several.batch_shape))
        found.append([
            (printed(several), tuple(several.batch_shape), tuple(several.event_shape), several.has_rsample),
            (tuple(shapes_of.batch_shape), tuple(shapes_of.event_shape), tuple(several.rsample((3,)).shape)),
            answers,
        ])  # fmt: skip
    assert found[0][:2] == found[1][:2]
    for ours, theirs in zip(found[0][2], found[1][2], strict=True):
        assert tuple(ours.shape) == tuple(theirs.shape)
        np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("kind", "matrix"),
    [
        ("covariance_matrix", [[1.0, 0.5], [0.0, 1.0]]),
        ("covariance_matrix", [[1.0, 2.0], [2.0, 1.0]]),
        ("scale_tril", [[1.0, 0.5], [0.0, 1.0]]),
        ("scale_tril", [[-1.0, 0.0], [0.0, 1.0]]),
        ("scale_tril", [1.0, 2.0]),
    ],
)
def test_matrices_of_no_distribution(kind, matrix):
    for library in (minicnn, torch):
        with pytest.raises(ValueError, match=kind):
            library.distributions.MultivariateNormal(library.zeros(2), **{kind: library.tensor(matrix)})
        with pytest.raises(ValueError, match="Exactly one"):
            library.distributions.MultivariateNormal(library.zeros(2))
