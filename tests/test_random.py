"""Random numbers: how they are distributed, what is refused, and generators that go on from where they stood."""

import copy
import pickle
from math import atan, erf, exp, log, pi, sqrt

import numpy as np
import pytest
import torch
from agreement import assert_agrees, assert_same, outcome
from hypothesis import given
from hypothesis import strategies as st

import minicnn

MANY = 20000
FARTHEST = 1.95 / sqrt(MANY)
"""The distance from its distribution that one sample of MANY in a thousand exceeds (Kolmogorov and Smirnov)."""


def normal(x, mean=0.0, std=1.0):
    return (1 + erf((x - mean) / std / sqrt(2))) / 2


CONTINUOUS = {
    "m.randn(n)": normal,
    "m.rand(n)": lambda x: min(max(x, 0), 1),
    "m.normal(2.0, 0.5, (n,))": lambda x: normal(x, 2, 0.5),
    "m.normal(m.full((n,), -1.0), m.full((n,), 3.0))": lambda x: normal(x, -1, 3),
    "m.normal(m.full((n,), -1.0))": lambda x: normal(x, -1, 1),
    "m.normal(2, m.ones(n))": lambda x: normal(x, 2, 1),
    "m.zeros(n).normal_(1, 2)": lambda x: normal(x, 1, 2),
    "m.zeros(n, dtype=m.float64).normal_()": normal,
    "m.zeros(n).uniform_(-3, 5)": lambda x: (x + 3) / 8,
    "m.zeros(n).exponential_(0.5)": lambda x: 1 - exp(-x / 2),
    "m.zeros(n).log_normal_(1, 0.5)": lambda x: normal(log(x), 1, 0.5),
    "m.zeros(n).cauchy_(1, 2)": lambda x: atan((x - 1) / 2) / pi + 0.5,
}


@pytest.mark.parametrize("text", CONTINUOUS)
@pytest.mark.parametrize("module", [minicnn, torch], ids=["minicnn", "torch"])
def test_distribution(text, module):
    """The empirical distribution is near the exact one; torch's sample shows that the measure is right."""
    module.manual_seed(7)
    sample = np.sort(np.asarray(eval(text, {"m": module, "n": MANY})).astype(np.float64))
    exact = np.array([CONTINUOUS[text](x) for x in sample])
    steps = np.arange(MANY + 1) / MANY
    assert max(np.abs(exact - steps[1:]).max(), np.abs(exact - steps[:-1]).max()) < FARTHEST


DISCRETE = {
    "m.randint(-2, 3, (n,))": dict.fromkeys(range(-2, 3), 0.2),
    "m.randint_like(m.zeros(n), 2, 4)": {2: 0.5, 3: 0.5},
    "m.zeros(n).random_(4)": dict.fromkeys(range(4), 0.25),
    "m.zeros(n, dtype=m.bool).random_()": {0: 0.5, 1: 0.5},
    "m.bernoulli(m.full((n,), 0.3))": {0: 0.7, 1: 0.3},
    "m.zeros(n, dtype=m.int64).bernoulli_(0.2)": {0: 0.8, 1: 0.2},
    "m.zeros(n).bernoulli_(m.full((n,), 0.9))": {0: 0.1, 1: 0.9},
    "m.zeros(n).geometric_(0.5)": {k: 0.5**k for k in range(1, 8)},
    "m.poisson(m.full((n,), 1.5))": {0: exp(-1.5), 1: 1.5 * exp(-1.5), 2: 1.125 * exp(-1.5), 3: 0.5625 * exp(-1.5)},
    "m.multinomial(m.tensor([1.0, 0.0, 3.0]), n, replacement=True)": {0: 0.25, 1: 0.0, 2: 0.75},
    "m.multinomial(m.tensor([[1.0, 0.0, 3.0]] * n), 1)[:, 0]": {0: 0.25, 1: 0.0, 2: 0.75},
    "m.multinomial(m.tensor([[1.0, 1.0, 2.0]] * n), 2)[:, 1]": {0: 1 / 4 * 1 / 3 + 1 / 2 * 1 / 2, 2: 1 / 2 * 2 / 3},
    "m.randperm(4)[0] + m.zeros(n)": {},
}


@pytest.mark.parametrize("text", DISCRETE)
@pytest.mark.parametrize("module", [minicnn, torch], ids=["minicnn", "torch"])
def test_frequencies(text, module):
    """Each number comes as often as it should, within five standard deviations."""
    module.manual_seed(7)
    sample = np.asarray(eval(text, {"m": module, "n": MANY})).astype(np.float64)
    for number, probability in DISCRETE[text].items():
        allowed = 5 * sqrt(MANY * probability * (1 - probability))
        assert abs((sample == number).sum() - MANY * probability) <= allowed, number


def test_no_number_is_drawn_twice_without_replacement():
    drawn = minicnn.multinomial(minicnn.rand(50, 9) + 0.1, 9)
    assert (np.sort(np.asarray(drawn), 1) == np.arange(9)).all()
    drawn = minicnn.multinomial(minicnn.tensor([0.0, 2.0, 0.0, 1.0]), 4)
    assert sorted(drawn[:2].tolist()) == [1, 3]


CALLS = [
    "m.normal(x, 1.0)", "m.normal(x, abs(x))", "m.normal(0.0, x)", "m.normal(x, x[:1])", "m.normal(0, {a}, (2,))",
    "m.normal(x, {a})", "m.normal({a}, 1.0)", "m.normal(x, 1.0, (2,))", "m.normal({a}, 1.0, (2, 0), dtype=m.float64)",
    "m.bernoulli(x)", "m.bernoulli(x, {a})", "x.bernoulli(p={a})", "x.bernoulli_({a})", "x.bernoulli_(x)",
    "x.bernoulli_(m.full((1,), 0.5))", "m.poisson(x)", "m.multinomial(x, {n})", "x.multinomial({n}, True)",
    "m.multinomial(x.abs() + 1, {n}, replacement=True)", "x.normal_({a}, {b})", "x.normal_(generator=3)",
    "x.uniform_({a}, {b})", "x.uniform_(to={a})", "x.random_()", "x.random_({n})", "x.random_({n}, {k})",
    "x.random_(to={n})", "x.exponential_({a})", "x.geometric_({a})", "x.log_normal_({a}, {b})", "x.cauchy_({a}, {b})",
    "x.expand(2, *x.shape).normal_()", "m.rand_like(x)", "m.randn_like(x, dtype=m.float32)", "m.rand(2, dtype=x.dtype)",
    "m.randn(size=(2, {n}))", "m.randint_like(x, {n})", "m.randint_like(x, {n}, {k})", "m.randint({n}, {k}, (2,))",
    "m.randperm({n})",
]  # fmt: skip


@given(st.data(), st.sampled_from(CALLS), st.sampled_from(["float32", "float64", "int64", "uint8", "bool"]))
def test_what_is_refused(data, call, dtype):
    """Shape, dtype, strides and whether a gradient is wanted as in PyTorch, or an error from both."""
    numbers = st.sampled_from([0.5, 0, 1, -1, 2, 0.25, float("nan"), float("inf"), 300])
    kinds = {"a": numbers, "b": numbers, "n": st.integers(-2, 300), "k": st.integers(-2, 300)}
    call = call.format(**{name: data.draw(kind) for name, kind in kinds.items() if f"{{{name}}}" in call})
    empty = [(0,), (2, 0)] if dtype.startswith("float") else []  # PyTorch looks at dtypes when it comes to elements
    shape = data.draw(st.sampled_from([(3,), (2, 3), (), (4, 5), *empty]))
    scale = data.draw(st.sampled_from([1.0, 5.0]))
    needs = data.draw(st.sampled_from([False, False, True])) and dtype.startswith("float")

    def program(m):
        values = (np.random.default_rng(3).random(shape) * scale).astype(dtype)
        x = m.from_numpy(np.asarray(values)).requires_grad_(needs)
        x = x * 1 if needs else x.transpose(0, -1)
        result = eval(call, {"m": m, "x": x, "inf": float("inf"), "nan": float("nan")})
        strides = [
            step for size, step in zip(result.shape, result.stride(), strict=True) if size > 1 and result.numel()
        ]
        return [str(result.dtype), tuple(result.shape), strides, result.requires_grad]

    assert_same(outcome(program, minicnn), outcome(program, torch), what=f"{call} of {dtype}{shape}")


def test_gradients_of_what_is_drawn_are_zero():
    x = minicnn.full((3,), 0.5, requires_grad=True)
    for draw in (minicnn.bernoulli, minicnn.poisson, lambda p: minicnn.normal(p, p), lambda p: (p * 2).normal_()):
        assert_agrees(lambda m, x, draw=draw: (draw(x) * 0 + x) if m is minicnn else torch.bernoulli(x) * 0 + x, x)


def test_numbers_stay_within_their_bounds():
    x = minicnn.zeros(MANY).uniform_(1.0, 1.0 + 2**-22)
    assert x.min() >= 1
    assert x.max() < 1 + 2**-22
    assert minicnn.zeros(MANY).exponential_().min() > 0
    assert minicnn.zeros(5).uniform_(2, 2).tolist() == [2] * 5
    assert minicnn.zeros(4, dtype=minicnn.float16).normal_().dtype == minicnn.float16


def test_generators_go_on_from_where_they_stood():
    generator = minicnn.Generator().manual_seed(5)
    minicnn.rand(3, generator=generator)
    copies = [copy.deepcopy(generator), pickle.loads(pickle.dumps(generator)), generator.clone_state()]
    copies.append(minicnn.Generator().set_state(generator.get_state()))
    expected = minicnn.randint(10, (9,), generator=generator).tolist() + minicnn.randn(3, generator=generator).tolist()
    for other in copies:
        assert other.initial_seed() == 5
        drawn = minicnn.randint(10, (9,), generator=other).tolist() + minicnn.randn(3, generator=other).tolist()
        assert drawn == expected


def test_the_default_generator():
    minicnn.manual_seed(3)
    assert minicnn.initial_seed() == minicnn.default_generator.initial_seed() == minicnn.random.initial_seed() == 3
    state = minicnn.get_rng_state()
    assert state.dtype == minicnn.uint8
    first = minicnn.rand(4).tolist()
    with minicnn.random.fork_rng():
        minicnn.rand(100)
    minicnn.set_rng_state(state)
    assert minicnn.rand(4).tolist() == first
    assert minicnn.seed() == minicnn.initial_seed()
    for wrong, error in ((minicnn.zeros(3), TypeError), (state[:5], RuntimeError), ([1], TypeError)):
        for module in (minicnn, torch):
            given_to = wrong if module is minicnn or isinstance(wrong, list) else torch.from_numpy(np.asarray(wrong))
            with pytest.raises(error):
                module.set_rng_state(given_to)


def test_dtypes_of_normal():
    for call in (
        "m.normal(x.double(), x)",
        "m.normal(x, x.double())",
        "m.normal(1, x.double())",
        "m.normal(x.sum(), x.double())",
    ):
        for module in (minicnn, torch):
            result = eval(call, {"m": module, "x": module.ones(3)})
            assert str(result.dtype) == str(eval(call, {"m": torch, "x": torch.ones(3)}).dtype), call
