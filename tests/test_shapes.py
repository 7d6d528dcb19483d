"""Shape operations against PyTorch: values, gradients, errors, strides, shared memory, changes in place."""

import warnings

import numpy as np
import pytest
import torch
from agreement import assert_agrees, assert_same, examples, outcome
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import minicnn

SIZES = st.sampled_from([2, 3, 1, 4, 0, 7, 8, 9])
DIM, WHOLE, COUNT = st.integers(-4, 3), st.integers(-3, 9), st.integers(-1, 4)
DIMS = st.lists(st.integers(-3, 2), max_size=3).map(tuple)
COUNTS = st.lists(st.integers(-1, 3), max_size=4).map(tuple)

NAMES = {"d": DIM, "e": DIM, "n": WHOLE, "k": COUNT, "ds": DIMS, "es": DIMS, "ns": COUNTS, "ks": COUNTS}

VIEWS = [
    "x.split({k}, {d})", "m.split(x, {ns}, {d})", "x.split_with_sizes({ns}, {d})", "x.chunk({k}, {d})",
    "m.chunk(x, {n}, dim={d})", "x.tensor_split({k}, {d})", "m.tensor_split(x, {ns}, {d})", "x.unbind({d})",
    "x.tensor_split(m.tensor({ns}, dtype=m.int64), dim={d})", "x.hsplit({k})", "x.vsplit({k})", "x.dsplit({ns})",
    "x.narrow({d}, {n}, {k})", "m.narrow(x, {d}, m.tensor({n}), {k})", "x.select({d}, {n})",
    "m.select(x, {d}, index={n})",
    "x.movedim({d}, {e})", "m.movedim(x, {ds}, {es})", "x.moveaxis({ds}, {es})", "x.swapaxes({d}, {e})",
    "m.swapdims(x, {d}, {e})", "x.t()", "m.t(x)", "x.mT", "x.mH", "x.H", "x.T", "x.adjoint()", "m.adjoint(x)",
    "x.unflatten({d}, {ns})", "m.unflatten(x, {d}, (-1, {n}))", "x.unflatten({d}, (1, -1))", "x.ravel()", "m.ravel(x)",
    "x.unfold({d}, {k}, {n})", "x.unfold({d}, 2, 1)", "m.broadcast_to(x, {ns})", "x.broadcast_to(2, *x.shape)",
    "m.broadcast_tensors(x, m.zeros({ns}))", "x.squeeze({ds})", "m.atleast_1d(x)", "m.atleast_2d(x)", "m.atleast_3d(x)",
    "m.atleast_3d(x, x)", "x.as_strided((2, {n}), (1, {k}))", "x.reshape_as(m.zeros({ns}))",
    "x.as_strided((), (), {n})",
]  # fmt: skip

COPIES = [
    "x.flip({ds})", "m.flip(x, {ds})", "x.flip({d}, {e})", "x.fliplr()", "m.flipud(x)", "x.roll({n}, {d})",
    "x.roll({k})", "m.roll(x, {ns}, {ds})",
    "x.roll(shifts=({n}, 1), dims=({d}, {e}))", "x.rot90({n})", "m.rot90(x, {k}, ({d}, {e}))",
    "x.repeat({ns})", "x.repeat(2, 1, {k}, 1)", "x.tile({ns})", "m.tile(x, dims={ns})", "x.repeat_interleave({k}, {d})",
    "x.repeat_interleave({k})", "x.repeat_interleave(m.tensor({ns}, dtype=m.int64), {d})", "x.narrow_copy({d}, 0, {k})",
    "m.repeat_interleave(x, m.arange(x.shape[0]), dim=0)", "m.hstack([x, x])", "m.vstack((x, x))",
    "m.dstack([x, x, x])",
    "m.column_stack([x, x])", "m.row_stack([x, x])", "m.concat([x, x], dim={d})", "m.concatenate((x, x), axis={d})",
    "m.hstack([x, m.zeros({ns})])", "m.block_diag(x, x)", "m.block_diag(x, m.ones(2, dtype=m.int64), m.zeros({ns}))",
    "m.cartesian_prod(x, x)", "m.combinations(x, {k}, {k} > 1)", "m.meshgrid(x, x, indexing='ij')",
    "m.meshgrid(x.sum(), x.ravel(), x.ravel()[:2], indexing='xy')",
    "m.meshgrid([x.ravel()[:2], x.ravel()[:3]])",
]  # fmt: skip


def evaluated(text, module, x):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return eval(text, {"m": module, "x": x})


@st.composite
def inputs(draw, dtype=None):
    """A tensor of up to three dimensions."""
    shape = tuple(draw(st.lists(SIZES, max_size=3)))
    dtype = dtype or draw(st.sampled_from(["float32", "float64", "int64", "bool"]))
    array = np.random.default_rng(draw(st.integers(0, 99))).integers(-4, 5, shape).astype(dtype)
    return minicnn.as_tensor(np.asarray(array)).requires_grad_(np.dtype(dtype).kind == "f")


LAYOUTS = [
    "x",
    "x.permute(*range(x.dim())[::-1])",
    "x[..., ::2]",
    "x[1:]",
    "x.clone().flatten(0, 1).t()",
    "x.expand(2, *x.shape)",
]
"""Views of a tensor in various orders of memory."""


def laid(layout, x):
    """The view of x that `layout` tells, or x where it hasn't the dimensions for it."""
    result = outcome(eval, layout, {"x": x})
    return x if isinstance(result, Exception) else result


def filled(draw, text):
    """The text with drawn numbers in place of names."""
    return text.format(**{name: draw(values) for name, values in NAMES.items() if f"{{{name}}}" in text})


def strides_of(x):
    """The strides of axes that have several elements."""
    return [stride for size, stride in zip(x.shape, x.stride(), strict=True) if size > 1]


def program_of(text, layout="x"):
    """Evaluates the text, and tells the strides of its results, and what x becomes when they are zeroed."""

    def program(m, leaf):
        x = laid(layout, leaf)
        result = evaluated(text, m, x)
        results = list(result) if isinstance(result, (list, tuple)) else [result]
        copies = [r * 1 if r.dtype != m.bool else r.clone() for r in results]
        strides = [strides_of(r) for r in results if r.numel()]
        with m.no_grad():
            apart = laid(layout, leaf.detach())
            again = evaluated(text, m, apart)
            for r in list(again) if isinstance(again, (list, tuple)) else [again]:
                if r.numel() and 0 not in r.stride() and "unfold" not in text and "as_strided" not in text:
                    r.zero_()
        return [*copies, *[m.tensor(s, dtype=m.int64) for s in strides], apart]

    return program


@given(st.data(), st.sampled_from(VIEWS + COPIES), st.sampled_from(LAYOUTS), inputs())
def test_one_operation(data, text, layout, x):
    text = filled(data.draw, text)
    assume(not repeats_nothing(text, x))
    assert_agrees(program_of(text, layout), x, what=f"{text} of {layout} of {x.dtype}{list(x.shape)}")


def repeats_nothing(text, x):
    """Whether no elements are repeated a negative number of times: PyTorch does that, but its backward fails."""
    return not x.numel() and "-" in text and ("x.repeat(" in text or "tile" in text)


@pytest.mark.parametrize("numbers", ["m.tensor([-1])", "m.tensor(-2)", "-1", "m.tensor([-1, -2])"])
@pytest.mark.parametrize("dim", [None, 0, 1])
@pytest.mark.parametrize("shape", [(0,), (0, 2), (2, 0)])
def test_negative_repeats_of_no_elements(shape, dim, numbers):
    """A number in a Tensor is never looked at, an int is."""
    assert_agrees(lambda m, x: x.repeat_interleave(eval(numbers, {"m": m}), dim), minicnn.zeros(*shape))


@pytest.mark.parametrize("text", VIEWS + COPIES)
@settings(max_examples=examples(5))
@given(st.data(), st.sampled_from(LAYOUTS), st.sampled_from([(0,), (0, 2), (2, 0), (1, 0, 3)]))
def test_an_operation_on_no_elements(text, data, layout, shape):
    text, x = filled(data.draw, text), minicnn.zeros(*shape, requires_grad=True)
    assume(not repeats_nothing(text, x))
    assert_agrees(program_of(text, layout), x, what=f"{text} of {layout} of {list(shape)}")


@pytest.mark.parametrize("text", VIEWS + COPIES)
def test_every_operation(text):
    """With a few arguments that fit, so that none is compared by its errors alone."""
    agreed = 0
    for shape in ((), (3,), (4, 2), (2, 3, 4), (0, 2)):
        for numbers in ({"d": 0, "e": -1, "n": 1, "k": 2}, {"d": 1, "e": 0, "n": 2, "k": 1}):
            tuples = {"ds": (0, 1)[: len(shape)], "es": (-1, 0)[: len(shape)], "ns": (2, 2), "ks": (1, 2)}
            one = text.format(**numbers, **tuples)
            x = minicnn.as_tensor(np.arange(1.0, np.prod(shape) + 1).reshape(shape)).requires_grad_()
            assert_agrees(program_of(one), x, what=f"{one} of {shape}")
            agreed += not isinstance(outcome(evaluated, one, torch, torch.ones(shape)), Exception)
    assert agreed or "{ds}" in text or "{ns}" in text, "no arguments fit"


IN_PLACE = [
    "x.squeeze_()", "x.squeeze_({d})", "x.unsqueeze_({d})", "x.transpose_({d}, {e})", "x.t_()", "x.swapaxes_({d}, {e})",
    "x.swapdims_(0, -1)",
]  # fmt: skip
AROUND = ["x.mul_(2)", "v.mul_(3)", "w = x * 2", "w = v * x.sum()", "v = x.select(0, 0)", "v = x.view(-1)"]


@given(st.data(), inputs("float64"), st.sampled_from(LAYOUTS), st.booleans(), st.booleans())
def test_shapes_changed_in_place(data, x, layout, leaf, recording):
    """Between views and changes of values: everything that shares the memory follows, or PyTorch refuses as well."""
    lines = data.draw(st.lists(st.sampled_from([*IN_PLACE, *AROUND]), min_size=2, max_size=6))
    lines = [filled(data.draw, line) for line in lines]

    def program(m, x):
        with m.set_grad_enabled(recording):
            x = laid(layout, x.detach().clone() if leaf else x * 1)
            names = {"x": x, "v": x[...]}
            for line in lines:
                exec(line, names)
            strides = m.tensor(strides_of(x) if x.numel() else [], dtype=m.int64)
            return [names["v"] * 1, x * 1, names.get("w", x) * 1, strides]

    assert_agrees(program, x, what=f"{lines} of {layout} of {list(x.shape)}")


@pytest.mark.parametrize(
    "part", ["split(1)", "chunk(2)", "unbind()", "split_with_sizes([1, 3])", "tensor_split(2)", "vsplit(2)"]
)
@pytest.mark.parametrize(
    "change", ["p[0].mul_(2)", "x.mul_(2); p[0] * 1", "p[0].mul_(m.ones(1, requires_grad=True))", "p[0] * 1; x.mul_(2)"]
)
@pytest.mark.parametrize("needs", [True, False])
def test_parts_made_at_once_can_not_be_changed_in_place(part, change, needs):
    def program(m):
        x = m.ones(4, 4, requires_grad=needs) * 2
        names = {"m": m, "x": x, "p": eval(f"x.{part}", {"x": x})}
        exec(change, names)
        return x * 1

    assert_same(outcome(program, minicnn), outcome(program, torch))


@given(inputs("float32"), st.lists(st.integers(0, 5), max_size=4).map(tuple))
def test_resize(x, sizes):
    """The elements that there were come first; how many are new is all that can be said of the others."""

    def program(m, x):
        y = x.detach().clone().contiguous()
        known = y.numel()
        y.resize_(sizes)
        return [y.ravel()[: min(known, y.numel())], m.tensor(list(y.shape)), y.is_contiguous()]

    assert_agrees(program, x)


def test_resize_keeps_memory_that_suffices():
    x = minicnn.arange(6.0)
    v = x[2:]
    assert v.resize_(2, 1).tolist() == [[2.0], [3.0]]
    v.zero_()
    assert x.tolist() == [0, 1, 0, 0, 4, 5]
    assert v.resize_as_(minicnn.zeros(4)).tolist() == [0, 0, 4, 5]
    with pytest.raises(RuntimeError, match="require grad"):
        minicnn.zeros(2, requires_grad=True).resize_(3)


def test_sizes():
    for text in ("s[1:]", "s[:]", "s + (1,)", "(1,) + s", "s + s", "s * 2", "2 * s", "s[0]", "s.numel()"):
        ours, theirs = (repr(eval(text, {"s": m.zeros(2, 3).shape})) for m in (minicnn, torch))
        assert ours == theirs, text
    with pytest.raises(TypeError):
        minicnn.zeros(2).shape + [1]  # noqa: RUF005


def test_ranges_as_indices():
    for text in (
        "x[range(2)]",
        "x[range(0)]",
        "x[range(2), 1]",
        "x[range(2), range(2)]",
        "x[[range(2)]]",
        "x[:, range(3)]",
    ):
        assert_agrees(lambda m, x, text=text: evaluated(text, m, x), minicnn.arange(12.0).reshape(3, 4), what=text)


def test_shapes_that_broadcast():
    for shapes in (((2, 1), (3,)), (2, (3, 1)), ((2,), (3,)), (), ((0,), (1,)), ((-1,),), ((2, 3), (1, 3), (1,))):
        ours, theirs = (outcome(m.broadcast_shapes, *shapes) for m in (minicnn, torch))
        assert repr(ours) == repr(theirs) or (isinstance(ours, ValueError) and isinstance(theirs, Exception)), shapes


def test_meshgrid_warns():
    with pytest.warns(UserWarning, match="indexing"):
        minicnn.meshgrid(minicnn.ones(2), minicnn.ones(3))
