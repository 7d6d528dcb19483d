"""Tensors print as PyTorch's, character for character."""

import numpy as np
import pytest
import torch
from agreement import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import minicnn
from minicnn.printing import get_printoptions, printoptions

DTYPES = ("float32", "float64", "float16", "int64", "int32", "int16", "int8", "uint8", "bool")
SPECIAL = [0.0, -0.0, 1.0, -2.0, 0.00896, 1e-5, 123456.0, 1e8, 1e9, float("inf"), -float("inf"), float("nan"), 1 / 3]
SIDES = st.sampled_from([0, 1, 2, 3, 7, 8, 30])


@st.composite
def arrays(draw):
    """Arrays of few different kinds of numbers, so that every way of printing occurs."""
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    shape = tuple(draw(st.lists(SIDES, max_size=4)))
    if np.prod(shape) > 3000:
        shape = shape[:2]
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    if dtype.kind != "f":
        width = draw(st.sampled_from([1, 2, 100, 2**20]))
        with np.errstate(all="ignore"):
            return rng.integers(-width, width, shape).astype(dtype)
    kind = draw(st.sampled_from(["normal", "whole", "special", "wide"]))
    if kind == "special":
        values = rng.choice(SPECIAL, shape)
    elif kind == "wide":
        values = 10.0 ** rng.integers(-8, 9, shape) * rng.normal(size=shape)
    else:
        values = rng.normal(size=shape) * draw(st.sampled_from([0.001, 1, 100, 1e7]))
        values = np.round(values) if kind == "whole" else values
    with np.errstate(all="ignore"):
        return np.asarray(values).astype(dtype)


OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "precision": st.integers(0, 8),
        "threshold": st.sampled_from([0, 5, 1000]),
        "edgeitems": st.integers(0, 4),
        "linewidth": st.sampled_from([20, 80, 120]),
        "profile": st.sampled_from(["default", "short", "full"]),
        "sci_mode": st.sampled_from([None, True, False]),
    },
)


@pytest.fixture(autouse=True)
def _options_of_a_fresh_process():
    yield
    torch.set_printoptions(profile="default")
    minicnn.set_printoptions(profile="default")


@given(arrays())
@settings(max_examples=examples(150))
def test_tensors_print_alike(array):
    ours, theirs = minicnn.from_numpy(array), torch.from_numpy(array.copy())
    assert repr(ours) == repr(theirs)
    assert f"{ours.reshape(-1)}" == f"{theirs.reshape(-1)}"


@given(arrays(), OPTIONS)
@settings(max_examples=examples(150))
def test_options_are_torchs(array, options):
    torch.set_printoptions(profile="default")
    minicnn.set_printoptions(profile="default")
    torch.set_printoptions(**options)
    minicnn.set_printoptions(**options)
    assert repr(minicnn.from_numpy(array)) == repr(torch.from_numpy(array.copy()))


@given(
    hnp.arrays(np.float32, hnp.array_shapes(min_dims=0, max_dims=3, max_side=9), elements=st.floats(-4, 4, width=16))
)
@settings(max_examples=examples(40))
def test_what_stands_behind_the_elements(array):
    for program in (
        lambda m, x: x,
        lambda m, x: x * 2,
        lambda m, x: x.double().exp(),
        lambda m, x: m.nn.Parameter(x.detach()),
        lambda m, x: (x * 2).detach(),
        lambda m, x: (x * 2)[None] if x.ndim else x.view(1) + 1,
    ):
        ours = minicnn.tensor(array, requires_grad=True)
        theirs = torch.tensor(array, requires_grad=True)
        assert repr(program(minicnn, ours)) == repr(program(torch, theirs))


def test_the_default_dtype_needs_no_telling():
    for name in ("float64", "float16", "float32"):
        for library in (minicnn, torch):
            library.set_default_dtype(getattr(library, name))
        try:
            for text in (
                "m.ones(2)",
                "m.ones(2, dtype=m.float32)",
                "m.zeros(0)",
                "m.tensor([1.5])",
                "m.ones(2).double()",
            ):
                assert repr(eval(text, {"m": minicnn})) == repr(eval(text, {"m": torch})), text
        finally:
            for library in (minicnn, torch):
                library.set_default_dtype(library.float32)


def test_options_for_a_block():
    before = get_printoptions()
    with printoptions(precision=1, sci_mode=True):
        assert repr(minicnn.tensor([1.25])) == "tensor([1.2e+00])"
    assert get_printoptions() == before


def test_numbers_format_as_torchs():
    for text in (
        "f'{x:.4f}'",
        "f'{x:8.2e}'",
        "f'{x}'",
        "f'{y:5d}'",
        "f'{y}'",
        "'%.3f' % x",
        "'{:.1f}'.format(x)",
        "str(y)",
    ):
        values = [eval(text, {"x": m.tensor(0.00896), "y": m.tensor(7)}) for m in (minicnn, torch)]
        assert values[0] == values[1], text
    for shape in [(1,), (2, 2), (0,)]:
        with pytest.raises(TypeError, match="unsupported format string"):
            f"{minicnn.ones(*shape):.2f}"
