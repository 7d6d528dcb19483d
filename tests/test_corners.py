"""Corners of the small operations: what minicnn does with odd arguments is what torch does."""

import math
import warnings

import pytest
import torch
from agreement import assert_agrees, assert_same, outcome

import minicnn
from minicnn import from_numpy

inf, nan = math.inf, math.nan

COMPARISON = [
    lambda m: m.equal(m.zeros(0, 2), m.zeros(0, 3)),
    lambda m: m.equal(m.tensor([1.0]), m.tensor([1])),
    lambda m: m.equal(m.tensor([1.0]), 1.0),
    lambda m: m.allclose(m.tensor([inf]), m.tensor([inf])),
    lambda m: m.allclose(m.tensor([inf]), m.tensor([1.0]), rtol=inf),
    lambda m: m.allclose(m.tensor([1.0]), m.tensor([inf]), rtol=1),
    lambda m: m.allclose(m.tensor([3e38]), m.tensor([-3e38]), rtol=3),
    lambda m: m.allclose(m.tensor([nan]), m.tensor([nan])),
    lambda m: m.allclose(m.tensor([nan, 1.0]), m.tensor([nan, 1.0]), equal_nan=True),
    lambda m: m.allclose(m.tensor([nan]), m.tensor([1.0]), equal_nan=True),
    lambda m: m.allclose(m.ones(2), m.ones(2), rtol=-1.0),
    lambda m: m.allclose(m.ones(2), m.ones(2), atol=-1.0),
    lambda m: m.allclose(m.ones(2), m.ones(2), atol=nan),
    lambda m: m.allclose(m.ones(2), m.ones(2), rtol=nan),
    lambda m: m.allclose(m.tensor([2**62]), m.tensor([2**62 + 1]), rtol=0, atol=0),
    lambda m: m.allclose(m.tensor([2**62]), m.tensor([2**62 + 1])),
    lambda m: m.allclose(m.tensor([2, 200], dtype=m.uint8), m.tensor([3, 199], dtype=m.uint8), atol=1),
    lambda m: m.allclose(m.tensor([2, 200], dtype=m.uint8), m.tensor([3, 198], dtype=m.uint8), atol=1),
    lambda m: m.allclose(m.tensor([True]), m.tensor([False]), atol=1),
    lambda m: m.allclose(m.zeros(2, 3), m.zeros(2)),
    lambda m: m.allclose(m.zeros(0, 3), m.zeros(1, 3)),
    lambda m: m.allclose(m.zeros(0), m.zeros(2)),
    lambda m: m.allclose(m.ones(2), [1.0, 1.0]),
]

JOINING = [
    *[lambda m, dim=dim: m.cat([m.zeros(0), m.zeros(0)], dim) for dim in (0, 1, -1, -7)],
    *[lambda m, dim=dim: m.cat([m.zeros(0), m.ones(2, 3)], dim) for dim in (0, 1, 2, -2, -3)],
    *[lambda m, dim=dim: m.cat([m.zeros(2), m.ones(2)], dim) for dim in (None, True, 0.0, (0,), "a")],
    lambda m: m.cat([m.zeros(2), m.ones(2)], m.tensor(0)),
    lambda m: m.cat([m.zeros(2, 2), m.ones(2, 2)], axis=1),
    lambda m: m.cat([m.zeros(2, 2), m.ones(2, 2)], dim=1, axis=1),
    lambda m: m.stack([m.zeros(2, 2), m.ones(2, 2)], axis=-1),
    lambda m: m.stack([m.zeros(2), m.ones(2)], m.tensor(1)),
    lambda m: m.stack([m.zeros(2), m.ones(2)], None),
    lambda m: m.cat([m.zeros(0, 2), m.ones(3)]),
    lambda m: m.cat([m.zeros(0, 2), m.zeros(0)]),
    lambda m: m.cat([m.zeros(0, dtype=m.float64), m.ones(3, dtype=m.int64)]),
    lambda m: m.cat([m.zeros(2, dtype=m.uint8), m.ones(3, dtype=m.int8)]),
]

ACTIVATION = [
    *[lambda m, n=n: m.nn.functional.softmax(m.ones((2, 3, 4, 2)[:n])) for n in range(5)],
    *[lambda m, n=n: m.nn.LogSoftmax()(m.ones((2, 3, 4, 2)[:n])) for n in range(5)],
    lambda m: m.nn.functional.softmax(m.ones(2, 3), 1, 3, m.float64),
    lambda m: m.softmax(m.ones(2, 3)),
    lambda m: m.ones(2, 3).log_softmax(),
    lambda m: m.softmax(m.ones(2, 3), 1, m.float64),
    lambda m: m.ones(2, 3).softmax(axis=0),
    lambda m: m.ones(2, 3).softmax(0, axis=0),
    lambda m: m.softmax(m.ones(2, 3), m.tensor(1)),
    lambda m: m.softmax(m.ones(2, 3), True),
    lambda m: m.softmax(m.tensor([1, 2]), 0),
    lambda m: m.softmax(m.tensor([1, 2]), 0, dtype=m.float64),
    lambda m: m.log_softmax(m.zeros(3, 0), 1),
    lambda m: m.log_softmax(m.tensor([-inf, -inf]), 0),
    lambda m: m.softmax(m.tensor([-inf, 1.0]), 0),
    *[
        lambda m, slope=slope: m.nn.functional.leaky_relu(m.tensor([-1.0, 2.0, inf, -inf, 0.0]), slope)
        for slope in (None, "a", [0.5], 2, True, nan, inf, 0.0, -1.0, 1e300, 10**400)
    ],
    lambda m: m.nn.functional.leaky_relu(m.tensor([-1.0]), m.tensor(0.5)),
    lambda m: m.nn.functional.leaky_relu(m.tensor([-1.0], dtype=m.float64), 1e300),
    *[
        lambda m, name=name, x=x: getattr(m, name)(x)
        for name in ("exp", "log", "sqrt", "abs", "sigmoid", "tanh", "relu")
        for x in (1.0, [1.0], "a", None)
    ],
]

DROPOUT = [
    *[lambda m, p=p: m.nn.functional.dropout(m.ones(3), p) for p in (0.0, 1.0, True, -0.1, 1.1, nan, "a", None)],
    lambda m: m.nn.functional.dropout(m.tensor([inf, nan, 1.0]), 1.0),
    lambda m: m.nn.functional.dropout(m.tensor([1, 2]), 0.5, False),
    *[lambda m, p=p: m.nn.functional.dropout(m.tensor([1, 2]), p) for p in (0.0, 1.0)],
    lambda m: m.nn.functional.dropout(m.zeros(0, 3, dtype=m.int64), 0.5),
    lambda m: [m.nn.functional.dropout(x := m.ones(3), 0.0) is x, m.nn.functional.dropout(x, 0.0, inplace=True) is x],
    lambda m: [m.nn.functional.dropout(x := m.ones(3), 1.0, inplace=True) is x, x],
]

ONE_HOT = [
    *[lambda m, n=n: m.nn.functional.one_hot(m.tensor([1, 0]), n) for n in (-2, -1, 0, 1, 2, 5, 2.0, True, None)],
    lambda m: m.nn.functional.one_hot(m.tensor([1, 0]), m.tensor(3)),
    *[lambda m, n=n: m.nn.functional.one_hot(m.zeros(2, 0, dtype=m.int64), n) for n in (-1, 0, 3)],
    *[lambda m, x=x: m.nn.functional.one_hot(x, 3) for x in (1, [1], None)],
    *[lambda m, t=t: m.nn.functional.one_hot(m.ones(2, dtype=getattr(m, t)), 3) for t in ("int32", "uint8", "bool")],
    lambda m: m.nn.functional.one_hot(m.tensor([2**40]), 3),
]

INIT = [
    *[
        lambda m, t=t, v=v: m.nn.init.constant_(m.zeros(2, dtype=getattr(m, t)), v)
        for t, v in (
            *(("float32", v) for v in (3, True, inf, nan, None, "a", [1.0, 2.0])),
            *(("uint8", v) for v in (3, 300, -1)),
            *(("int64", v) for v in (3.5, nan, 2**70)),
            ("bool", 3),
        )
    ],
    lambda m: m.nn.init.constant_(m.zeros(2), m.tensor(2.0)),
    lambda m: m.nn.init.constant_(m.zeros(2), m.tensor([1.0, 2.0])),
    *[
        lambda m, a=a, b=b: m.nn.init.uniform_(m.zeros(3), a, b)
        for a, b in ((2.0, 2.0), (2.0, 1.0), (nan, 1.0), (-inf, 1.0), (0.0, inf), (-3e38, 3e38), (0.0, 1e300))
    ],
    lambda m: m.nn.init.uniform_(m.zeros(2, dtype=m.float64), 1e300, 1e300),
    *[
        lambda m, name=name: getattr(m.nn.init, name)(3.0)
        for name in ("uniform_", "normal_", "ones_", "eye_", "dirac_", "xavier_normal_", "kaiming_uniform_")
    ],
    lambda m: m.nn.init.ones_(m.zeros(2, requires_grad=True)),
    lambda m: [m.nn.init.zeros_(w := m.ones(2, requires_grad=True)) is w, w.is_leaf],
]


@pytest.mark.parametrize("program", [*COMPARISON, *JOINING, *ACTIVATION, *DROPOUT, *ONE_HOT, *INIT])
def test_corner(program):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        ours, theirs = outcome(program, minicnn), outcome(program, torch)
    if isinstance(ours, Exception):
        assert isinstance(ours, (ValueError, TypeError, RuntimeError, IndexError)), repr(ours)
    if isinstance(theirs, OverflowError):  # Python's own, from a number of more than 64 bits
        theirs = RuntimeError()
    assert_same(ours, theirs, rtol=1e-6)


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_a_missing_dim_is_chosen_with_a_warning(name):
    x = minicnn.ones(2, 3)
    with pytest.warns(UserWarning, match=f"Implicit dimension choice for {name}") as caught:
        getattr(minicnn.nn.functional, name)(x)
    assert caught[0].filename == __file__
    with pytest.warns(UserWarning, match="Implicit dimension choice") as caught:
        minicnn.nn.Softmax()(x)
    assert caught[0].filename == __file__


def test_joining_with_nothing_that_wants_a_gradient():
    def program(module, nothing, x):
        return module.cat([nothing, x, nothing])

    assert_agrees(program, minicnn.zeros(0, requires_grad=True), minicnn.ones(3))
    assert_agrees(program, minicnn.zeros(0, requires_grad=True), minicnn.ones(3, requires_grad=True))
    assert_agrees(program, minicnn.zeros(0, requires_grad=True), minicnn.zeros(0))


@pytest.mark.parametrize("slope", [-1.0, -0.0, 0.0, 0.5])
def test_leaky_relu_in_place(slope):
    def program(module, x):
        return module.nn.functional.leaky_relu(x * 1, slope, inplace=True)

    assert_agrees(program, from_numpy(minicnn.tensor([-2.0, 0.0, 3.0]).numpy()).requires_grad_())
