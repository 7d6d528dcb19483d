"""Promotion: dtype × {tensor, 0-dimensional tensor, number} × operation gives torch's dtype and values."""

import itertools
import operator

import numpy as np
import pytest
import torch
from agreement import assert_same, outcome, torch_of
from hypothesis import given
from hypothesis import strategies as st

import minicnn
from minicnn.dtypes import as_dtype, result_type

DTYPES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"]
NUMBERS = [True, False, 2, -1, 2.5]
OPERATORS = [
    operator.add,
    operator.sub,
    operator.mul,
    operator.truediv,
    operator.floordiv,
    operator.mod,
    operator.pow,
    operator.and_,
    operator.or_,
    operator.xor,
    operator.eq,
    operator.ne,
    operator.lt,
    operator.le,
    operator.gt,
    operator.ge,
]
IN_PLACE = [operator.iadd, operator.isub, operator.imul, operator.itruediv, operator.ipow]


def tensors(values):
    """Every dtype, with one dimension and without."""
    for dtype in DTYPES:
        yield minicnn.tensor(np.array(values).astype(dtype))
        yield minicnn.tensor(np.array(values[0]).astype(dtype))


def describe(function, a, b):
    return f"{function.__name__} of {a!r} ({getattr(a, 'dtype', '')}) and {b!r} ({getattr(b, 'dtype', '')})"


def is_torchs_quirk(function, a, b):
    """torch raises a bool tensor to the power of True and False, but not to that of a bool tensor."""
    return function is operator.pow and isinstance(b, bool) and a.dtype == bool


def roundoff(ours):
    """Half precision is computed in single by torch and in half by NumPy here and there."""
    return 2e-3 if getattr(ours, "dtype", None) == np.float16 else 1e-6


@pytest.mark.parametrize("function", OPERATORS, ids=lambda f: f.__name__)
def test_two_tensors(function):
    for a, b in itertools.product(tensors([3, 0, 1]), tensors([2, 1, 1])):
        ours, theirs = outcome(function, a, b), outcome(function, torch_of(a), torch_of(b))
        assert_same(ours, theirs, roundoff(ours), describe(function, a, b))


@pytest.mark.parametrize("function", OPERATORS, ids=lambda f: f.__name__)
def test_a_tensor_and_a_number(function):
    for a, number in itertools.product(tensors([3, 0, 1]), NUMBERS):
        if is_torchs_quirk(function, a, number):
            continue
        ours, theirs = outcome(function, a, number), outcome(function, torch_of(a), number)
        assert_same(ours, theirs, roundoff(ours), describe(function, a, number))


@pytest.mark.parametrize("function", OPERATORS, ids=lambda f: f.__name__)
def test_a_number_and_a_tensor(function):
    for number, b in itertools.product(NUMBERS, tensors([3, 2, 1])):
        ours, theirs = outcome(function, number, b), outcome(function, number, torch_of(b))
        assert_same(ours, theirs, roundoff(ours), describe(function, number, b))


@pytest.mark.parametrize("function", IN_PLACE, ids=lambda f: f.__name__)
def test_in_place(function):
    for a, b in itertools.product(tensors([3, 0, 1]), [*tensors([2, 1, 1]), *NUMBERS]):
        if function is operator.ipow and isinstance(b, bool) and a.dtype == bool:
            continue
        text = describe(function, a, b)
        theirs = outcome(function, torch_of(a), torch_of(b))
        ours = outcome(function, a.clone(), b)
        assert_same(ours, theirs, roundoff(ours), text)


@pytest.mark.parametrize("name", ["where", "cat", "stack", "max", "min"])
def test_functions_of_two_tensors(name):
    for a, b in itertools.product(DTYPES, DTYPES):
        left, right = (minicnn.tensor(np.array(v).astype(d)) for v, d in [([1, 0], a), ([1, 1], b)])
        arguments = [[left, right]] if name in ("cat", "stack") else [left, right]
        if name == "where":
            arguments = [minicnn.tensor([True, False]), *arguments]
        ours = outcome(getattr(minicnn, name), *arguments)
        theirs = outcome(getattr(torch, name), *torch_of(arguments))
        assert_same(ours, theirs, what=f"{name} of {a} and {b}")


@pytest.mark.parametrize("name", ["exp", "log", "sqrt", "abs", "sigmoid", "tanh", "relu", "sum", "mean", "var", "std"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_functions_of_one_tensor(name, dtype):
    x = minicnn.tensor(np.array([1, 0, 3]).astype(dtype))
    if dtype == "float16" and name in ("relu", "var", "std", "mean", "sum"):
        pytest.skip("half precision is for storage in minicnn")
    ours, theirs = outcome(getattr(minicnn, name), x), outcome(getattr(torch, name), torch_of(x))
    assert_same(ours, theirs, roundoff(ours), f"{name} of {dtype}")


@pytest.mark.parametrize("reduction", ["sum", "mean"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("asked", ["int32", "int64", "float32", "float64"])
def test_reductions_in_a_dtype(reduction, dtype, asked):
    x = minicnn.tensor(np.array([1, 0, 2]).astype(dtype))
    ours = outcome(lambda: getattr(x, reduction)(dtype=getattr(minicnn, asked)))
    theirs = outcome(lambda: getattr(torch_of(x), reduction)(dtype=getattr(torch, asked)))
    assert_same(ours, theirs)


@pytest.mark.parametrize("kind", [bool, int, float, "float32", np.float64, np.dtype("int16"), np.int64])
def test_as_dtype_takes_names_types_and_dtypes(kind):
    assert as_dtype(kind) == np.dtype(kind)


@pytest.mark.parametrize("kind", [None, complex, "complex64", "no such type", str, object, 3, [1]])
def test_as_dtype_refuses_the_rest(kind):
    with pytest.raises(TypeError, match="dtype must be a number type"):
        as_dtype(kind)


def test_result_type_refuses_what_is_no_number():
    with pytest.raises(TypeError, match="got str"):
        result_type(np.zeros(2), "2")


def test_numbers_that_an_integer_type_cannot_hold():
    x = minicnn.zeros(2, dtype=minicnn.uint8)
    for value in (300, -256, float("nan"), float("inf")):
        theirs = outcome(torch_of(x).fill_, value)
        assert_same(outcome(x.fill_, value), theirs, what=f"fill_({value})")
        assert isinstance(outcome(minicnn.full, (2,), value), minicnn.Tensor)
    assert x.fill_(-1).tolist() == torch_of(x).fill_(-1).tolist() == [255, 255]


def test_names():
    assert (minicnn.long, minicnn.float, minicnn.double) == (minicnn.int64, minicnn.float32, minicnn.float64)
    assert minicnn.bool == np.bool_
    assert minicnn.int == minicnn.int32


NUMBERS_OF_CREATION = [
    "m.tensor(3)", "m.tensor(3.5)", "m.tensor(True)", "m.tensor(3, dtype=m.int32)", "m.tensor(2.0, dtype=m.float64)",
    "m.tensor([3])", "m.tensor([3, 3])", "m.tensor(3.0, requires_grad=True)", "True", "3", "-3",
    "2.5", "-0.5", "0", "0.0", "np.int32(3)", "np.float32(3.5)", "np.float64(3.5)", "np.array(3)", "np.array([3])",
    "inf", "-inf", "nan", "1e30", "2**62", "2**63", "2**70", "10**15", "1e-30", "'3'", "None", "[3]",
]  # fmt: skip


def created(text, library):
    names = {"m": library, "np": np, "inf": float("inf"), "nan": float("nan")}
    return outcome(lambda: eval(text, names))


@given(st.lists(st.sampled_from(NUMBERS_OF_CREATION[:18]), min_size=1, max_size=3), st.sampled_from(DTYPES))
def test_arange_of_numbers_and_tensors(numbers, dtype):
    for options in ("", f", dtype=m.{dtype}"):
        text = f"m.arange({', '.join(numbers)}{options})"
        assert_same(created(text, minicnn), created(text, torch), what=text)


@pytest.mark.parametrize("number", NUMBERS_OF_CREATION)
def test_creation_of_every_kind_of_number(number):
    texts = [f"m.arange({number})", f"m.arange(0, {number})", f"m.arange(end={number})", f"m.arange(0, 1, {number})"]
    texts += [f"m.full((2,), {number}{o})" for o in ("", *[f", dtype=m.{d}" for d in DTYPES])]
    texts += [f"m.full_like(m.zeros(2), {number})", f"m.full_like(m.zeros(2, dtype=m.int64), {number})"]
    texts += [f"m.randint({number}, (2,)).dtype", f"m.randint(0, {number}, (2,)).dtype", f"m.randperm({number}).dtype"]
    if number not in ("10**15", "np.array(3)"):  # torch tries to find the memory, or takes an array for an int
        texts += [f"m.zeros({number})", f"m.ones(({number}, 2)).shape", f"m.full(({number},), 1.0)"]
    if number == "inf" and torch.__version__ < "2.15":  # which gave no numbers then
        texts.remove("m.arange(0, 1, inf)")
    for text in texts:
        ours, theirs = created(text, minicnn), created(text, torch)
        if isinstance(theirs, torch.dtype):
            assert str(ours) == str(theirs), text
        else:
            assert_same(ours, theirs, what=text)


@pytest.mark.parametrize("high", [2, 3, 127, 128, 129, 256, 300, 40000, 70000, 2**31, 2**33, 2**63 - 1])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("low", [0, -5])
def test_integers_drawn_fit_their_dtype(low, high, dtype):
    for text in (
        f"m.randint({low}, {high}, (2,), dtype=m.{dtype}).dtype",
        f"m.randperm({high}, dtype=m.{dtype}).dtype",
    ):
        if high < 2**20 or "randint" in text:
            ours, theirs = created(text, minicnn), created(text, torch)
            assert str(theirs) == str(ours) or (isinstance(ours, Exception) and isinstance(theirs, Exception)), text


ARRAYS = [
    "np.array([1., 2.], '>f4')", "np.array([1], '>i8')", "np.array([1], '>i2')", "np.array([1.], np.longdouble)",
    "np.array([1j])", "np.array([None])", "np.array(['a'])", "np.array([b'a'])", "np.array(['2020'], 'M8[D]')",
    "np.array([1], 'm8[s]')", "np.longdouble(1)", "[np.longdouble(1)]", "np.zeros(2, 'i4,f4')", "np.array([1.], 'f2')",
]  # fmt: skip


@pytest.mark.parametrize("array", [text for text in ARRAYS if "1j" not in text])
@pytest.mark.parametrize("make", ["tensor", "from_numpy", "as_tensor"])
def test_arrays_of_foreign_numbers_are_refused(make, array):
    text = f"m.{make}({array})"
    assert_same(created(text, minicnn), created(text, torch), what=text)


@pytest.mark.parametrize("array", ARRAYS[:5])
def test_operands_of_foreign_numbers_are_refused(array):
    for text in (f"m.ones(2) + {array}", f"m.ones(1) * {array}", f"m.where(m.ones(1) > 0, {array}, 1.0)"):
        assert isinstance(created(text, minicnn), (TypeError, ValueError)), text


@pytest.mark.parametrize("seed", [0, -1, 2**63, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1, 1.5, True, "a", None, [3]])
def test_seeds(seed):
    assert minicnn.Generator().initial_seed() == torch.Generator().initial_seed() == 67280421310721
    for name in ("m.Generator().manual_seed(s).initial_seed()", "m.manual_seed(s).initial_seed()"):
        ours, theirs = (outcome(eval, name, {"m": m, "s": seed}) for m in (minicnn, torch))
        assert_same(ours, theirs)


def test_generators_of_ones_own_start_alike():
    first, second = (minicnn.rand(3, generator=minicnn.Generator()).tolist() for _ in range(2))
    assert first == second
    with pytest.raises(TypeError, match="Generator"):
        minicnn.rand(3, generator=3)
