"""Making tensors: every function against PyTorch, with its options."""

import warnings
from array import array
from collections import deque

import numpy as np
import pytest
import torch
from agreement import assert_same, outcome
from hypothesis import given
from hypothesis import strategies as st

import minicnn

SIZES = st.lists(st.sampled_from([0, 1, 2, 3, 7, 8, 9, -1]), max_size=3).map(tuple)
BOUNDS = st.sampled_from([0, 1, -3, 10, 2.5, -0.25, 7, 255, True, "m.tensor(2.5)", "m.tensor(3)", "np.float64(1.5)"])
DTYPES = st.sampled_from(["None", "m.float32", "m.float64", "m.int64", "m.int32", "m.uint8", "m.bool", "float", "int"])
LAYOUTS = ["x", "x.permute(*range(x.dim())[::-1])", "x[..., ::2]", "x.expand(2, *x.shape)", "x[:0]"]

OPTIONS = ["", ", dtype={t}", ", dtype={t}, requires_grad=True", ", device='cpu', pin_memory=False, layout=m.strided"]

MADE = [
    "m.zeros({s}{o})", "m.ones(*{s}{o})", "m.zeros(size={s}{o})", "m.full({s}, {a}{o})",
    "m.full(size={s}, fill_value={a}{o})", "m.eye({n}{o})", "m.eye({n}, {k}{o})", "m.eye(n={n}, m={k}{o})",
    "m.scalar_tensor({a}{o})", "m.arange({a}{o})", "m.arange({a}, {b}{o})", "m.range({a}, {b})",
    "m.tril_indices({n}, {k}, {k} - 2)", "m.triu_indices({n}, {k}, offset=1, dtype=m.int32)",
    "m.asarray([{c}, {c}], dtype={t})", "m.as_tensor({c}, dtype={t})", "m.tensor([{c}, {c}], dtype={t})",
    "m.zeros_like(m.empty({s}{o}))", "m.zeros_like(m.empty_strided({s}, {s}{o}))",
    "m.zeros_like(m.empty_permuted({s}, {p}{o}))",
]  # fmt: skip
LIKE = [
    "m.zeros_like(x{o})", "m.ones_like(x{o})", "m.full_like(x, {a}{o})", "m.zeros_like(m.empty_like(x{o}))",
    "m.zeros_like(x, memory_format=m.contiguous_format)", "m.zeros_like(x, memory_format=m.channels_last)",
    "m.zeros_like(input=x)", "x.new_zeros({s}{o})", "x.new_ones(*{s}{o})", "x.new_full({s}, {a}{o})",
    "x.new_tensor([{c}]{o})", "m.zeros_like(x.new_empty({s}))", "m.zeros_like(x.new_empty_strided((2, 3), (1, 2)))",
    "x.new([{c}])",
    "m.zeros_like(x.new(2, 3))", "x.new(x)", "m.asarray(x)", "m.asarray(x, copy=True)",
    "m.asarray(x, dtype={t}, copy=False)",
    "m.asarray(x, requires_grad=False)",
]  # fmt: skip


def evaluated(text, module, **names):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return eval(text, {"m": module, "np": np, **names})


def filled(draw, text):
    """The text with arguments drawn in place of names."""
    text = text.replace("{o}", draw(st.sampled_from(OPTIONS)))
    kinds = {
        "c": BOUNDS.filter(lambda bound: not isinstance(bound, str)),
        "s": SIZES,
        "a": BOUNDS,
        "b": BOUNDS,
        "n": st.integers(-1, 9),
        "k": st.integers(-1, 9),
        "t": DTYPES,
    }
    kinds["p"] = SIZES.map(lambda sizes: tuple(range(len(sizes)))[::-1])
    return text.format(**{name: draw(values) for name, values in kinds.items() if f"{{{name}}}" in text})


def properties(tensor):
    """What must be the same besides values: strides of axes with several elements, and whether a gradient is wanted."""
    strides = [step for size, step in zip(tensor.shape, tensor.stride(), strict=True) if size > 1 and tensor.numel()]
    return [tensor, strides, tensor.requires_grad, tensor.is_leaf]


@given(st.data(), st.sampled_from(MADE))
def test_made(data, text):
    text = filled(data.draw, text)
    ours, theirs = (outcome(lambda m: properties(evaluated(text, m)), m) for m in (minicnn, torch))
    assert_same(ours, theirs, 1e-6 if "range" in text else 0.0, what=text)


@given(
    st.data(),
    st.sampled_from(LIKE),
    st.sampled_from(LAYOUTS),
    SIZES.filter(lambda s: -1 not in s),
    st.sampled_from(["float32", "float64", "int64", "bool"]),
)
def test_like(data, text, layout, shape, dtype):
    text = filled(data.draw, text)

    def program(m):
        x = m.from_numpy(np.ones(shape, dtype))
        view = outcome(evaluated, layout, m, x=x)
        return properties(evaluated(text, m, x=x if isinstance(view, Exception) else view))

    assert_same(outcome(program, minicnn), outcome(program, torch), what=f"{text} of {layout} of {dtype}{shape}")


@given(BOUNDS, BOUNDS, st.integers(-1, 9), DTYPES, st.sampled_from(["", ", base=2", ", base=0.5"]))
def test_numbers_at_equal_distances(start, end, steps, dtype, base):
    for name, options in (("linspace", ""), ("logspace", base)):
        text = f"m.{name}({start}, {end}, {steps}{options}, dtype={dtype})"
        if name == "linspace" or dtype in ("None", "m.float32", "m.float64", "float"):  # powers may exceed integers
            assert_same(outcome(evaluated, text, minicnn), outcome(evaluated, text, torch), 2e-6, what=text)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int32", "float32"])
@pytest.mark.parametrize("bounds", ["0, -0.25", "0, 300", "0, float('nan')", "-0.25, 0", "-300, 0", "300, 0"])
@pytest.mark.parametrize("name", ["linspace", "logspace"])
def test_one_number_is_the_start_whatever_the_end(name, bounds, dtype):
    text = f"m.{name}({bounds}, 1, dtype=m.{dtype})"
    assert_same(outcome(evaluated, text, minicnn), outcome(evaluated, text, torch), 2e-6, what=text)


@pytest.mark.parametrize(
    "make", ["zeros(2, 3", "ones(2, 3", "full((2, 3), 2.0", "eye(2, 3", "rand(2, 3", "randn((2, 3)"]
)
def test_out(make):
    results = []
    for module in (minicnn, torch):
        for target in (
            module.empty(0),
            module.empty(2, 3),
            module.empty(2, 3, dtype=module.float64),
            module.empty(3, 2).t(),
        ):
            assert eval(f"m.{make}, out=target)", {"m": module, "target": target}) is target
            results.append(target)
    if "rand" not in make:
        assert_same(results[:4], results[4:])
    with pytest.raises(RuntimeError, match="dtype"):
        eval(f"m.{make}, out=m.empty(2, 3), dtype=m.float64)", {"m": minicnn})


def test_joined_into_out():
    x, out = minicnn.ones(2, 2), minicnn.empty(4, 2)
    assert minicnn.cat([x, x], out=out) is out
    assert out.sum() == 8
    assert minicnn.stack([x, x], out=minicnn.empty(0)).shape == (2, 2, 2)
    with pytest.raises(RuntimeError, match="single memory location"):
        minicnn.cat([out, x], out=out)


@pytest.mark.parametrize(
    "text",
    [
        "m.zeros(2, dtype=complex)", "m.tensor(1j)", "m.full((2,), 1j)", "m.tensor([1j])", "m.arange(1j)",
        "m.zeros(2, device='cuda')", "m.zeros(2, layout='sparse')", "m.zeros(2, names=('a',))",
        "m.zeros_like(m.zeros(2), out=m.zeros(2))",
    ],
)  # fmt: skip
def test_what_is_not_there_is_refused(text):
    with pytest.raises((TypeError, RuntimeError), match=r"complex|CPU|strided|names|out"):
        evaluated(text, minicnn)


class Countdown:
    """A sequence of a program's own."""

    def __len__(self):
        return 3

    def __getitem__(self, index):
        return float(range(3, 0, -1)[index])


@pytest.mark.parametrize(
    "text",
    [
        "deque()", "deque([1.0, 2.0])", "deque([True, False])", "[deque([1, 2]), (3, 4)]",
        "deque([deque([1]), range(1)])",
        "Countdown()", "[Countdown(), [1, 2, 3]]", "array('f', [1, 2])", "array('q', [1, 2])", "bytearray(b'ab')",
        "deque([m.tensor(1.0), m.tensor(2)])", "range(3)", "[range(3), range(3)]",
    ],
)  # fmt: skip
def test_any_sequence_makes_a_tensor(text):
    for make in (
        "m.tensor(DATA)",
        "m.as_tensor(DATA)",
        "m.ones(1).new_tensor(DATA)",
        "m.tensor(DATA, dtype=m.float64)",
    ):
        found, expected = [
            eval(make.replace("DATA", text), {"m": m, "deque": deque, "array": array, "Countdown": Countdown})
            for m in (minicnn, torch)
        ]
        assert_same(found, expected, what=make)
    if "m." not in text:
        for make in (minicnn.LongTensor, minicnn.DoubleTensor, minicnn.Tensor):
            data = eval(text, {"deque": deque, "array": array, "Countdown": Countdown})
            assert_same(make(data), getattr(torch, make.__name__)(data), what=make)


@pytest.mark.parametrize("data", ["ab", ["a"], b"ab", {1, 2}, {0: 1}, {0: 1}.keys(), (i for i in range(2))])
def test_what_is_no_sequence_of_numbers_makes_none(data):
    with pytest.raises(TypeError, match="number"):
        minicnn.tensor(data)
    with pytest.raises(TypeError, match="list"):
        minicnn.FloatTensor(data)


def test_buffers():
    buffer = bytearray(b"abcd")
    x = minicnn.frombuffer(buffer, dtype=minicnn.uint8, offset=1)
    buffer[1] = 0
    assert x.tolist() == [0, 99, 100]
    assert minicnn.asarray(b"ab", dtype=minicnn.uint8).tolist() == [97, 98]


def test_memory_is_shared_where_it_can_be():
    array = np.zeros(3, np.float32)
    for make in (minicnn.asarray, minicnn.as_tensor, minicnn.from_numpy):
        make(array)[0] += 1
    minicnn.asarray(array, copy=True)[0] = 9
    minicnn.tensor(array)[0] = 9
    assert array.tolist() == [3, 0, 0]


def test_signatures_tell_the_options():
    import inspect

    names = list(inspect.signature(minicnn.zeros).parameters)
    assert names[-6:] == ["out", "dtype", "layout", "device", "pin_memory", "requires_grad"]
