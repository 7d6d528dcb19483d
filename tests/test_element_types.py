"""dtypes as programs see them: names, questions, old types, and the default one."""

import copy
import itertools
import pickle

import numpy as np
import pytest
import torch

import minicnn
from tests.agreement import assert_agrees, assert_same, outcome

NAMES = (
    *(
        "float16",
        "float32",
        "float64",
        "int8",
        "int16",
        "int32",
        "int64",
        "uint8",
        "uint16",
        "uint32",
        "uint64",
        "bool",
    ),
    *("half", "float", "double", "short", "int", "long"),
)
OLD = ("Float", "Double", "Half", "Byte", "Char", "Short", "Int", "Long", "Bool")


@pytest.fixture
def default():
    """Sets the default dtype of both libraries; float32 comes back."""

    def choose(name):
        for library in (minicnn, torch):
            library.set_default_dtype(getattr(library, name))

    yield choose
    choose("float32")


def both(text, **values):
    """What an expression gives in each library, or the exceptions."""
    return [outcome(lambda m=m: eval(text, {"m": m, "np": np, **values})) for m in (minicnn, torch)]


@pytest.mark.parametrize("name", NAMES)
def test_a_dtype_says_what_torchs_says(name):
    ours, theirs = getattr(minicnn, name), getattr(torch, name)
    assert (repr(ours), str(ours), f"{ours}") == (repr(theirs), str(theirs), f"{theirs}")
    for question in ("itemsize", "is_floating_point", "is_complex", "is_signed"):
        assert getattr(ours, question) == getattr(theirs, question), question
    assert isinstance(ours, minicnn.dtype)
    assert ours.to_real() is ours
    assert copy.deepcopy(ours) is ours
    assert pickle.loads(pickle.dumps(ours)) is ours


@pytest.mark.parametrize("name", NAMES)
def test_numpy_takes_a_dtype_for_its_own(name):
    ours = getattr(minicnn, name)
    numpys = np.dtype(ours)
    assert np.zeros(3, ours).dtype == ours
    assert ours == numpys
    assert numpys == ours
    assert ours == numpys.type
    assert hash(ours) == hash(numpys)
    assert {ours: 1}[numpys] == 1
    assert np.ones(2).astype(ours).dtype == numpys
    assert minicnn.from_numpy(np.zeros(1, numpys)).dtype is ours


def test_dtypes_differ():
    distinct = {getattr(minicnn, name) for name in NAMES}
    assert len(distinct) == 12
    assert minicnn.float32 != minicnn.float64
    for other in (None, "no dtype", 3, [], torch.float32):
        assert minicnn.float32 != other


@pytest.mark.parametrize("name", ["complex64", "cfloat", "quint8", "float8_e4m3fn"])
def test_what_has_no_counterpart_is_named(name):
    with pytest.raises(AttributeError, match=name):
        getattr(minicnn, name)


@pytest.mark.parametrize("name", ["float16", "float32", "float64"])
def test_limits_of_floats(name):
    ours, theirs = minicnn.finfo(getattr(minicnn, name)), torch.finfo(getattr(torch, name))
    assert repr(ours) == repr(theirs)
    for field in ("bits", "eps", "max", "min", "tiny", "smallest_normal", "resolution", "dtype"):
        assert getattr(ours, field) == getattr(theirs, field), field


@pytest.mark.parametrize("name", ["int8", "int16", "int32", "int64", "uint8"])
def test_limits_of_integers(name):
    ours, theirs = minicnn.iinfo(getattr(minicnn, name)), torch.iinfo(getattr(torch, name))
    assert repr(ours) == repr(theirs)
    for field in ("bits", "max", "min", "dtype"):
        assert getattr(ours, field) == getattr(theirs, field), field


@pytest.mark.parametrize(
    "text",
    ["m.finfo(m.int32)", "m.iinfo(m.float32)", "m.iinfo(m.bool)", "m.iinfo()", "m.finfo(3)", "m.promote_types(1, 2)",
     "m.set_default_dtype(m.int32)", "m.set_default_dtype('float32')", "m.set_default_tensor_type(m.LongTensor)",
     "m.is_floating_point(3)", "m.ones(2, requires_grad=True, dtype=m.int64)", "m.ones(2).long().requires_grad_()",
     "m.promote_types(m.uint16, m.int32)"],
)  # fmt: skip
def test_refusals(text):
    ours, theirs = both(text)
    assert type(theirs) in type(ours).__mro__, (ours, theirs)


def test_promotion():
    names = [name for name in NAMES[:12] if name not in ("uint16", "uint32", "uint64")]
    for a, b in itertools.product(names, names):
        for question in (f"m.promote_types(m.{a}, m.{b})", f"m.can_cast(m.{a}, m.{b})"):
            ours, theirs = both(question)
            assert str(ours) == str(theirs), question
    values = (
        "m.ones(2, dtype=m.int8)",
        "m.ones(2)",
        "m.tensor(1.5, dtype=m.float64)",
        "m.tensor(True)",
        "1",
        "2.5",
        "True",
    )
    for a, b in itertools.product(values, values):
        ours, theirs = both(f"m.result_type({a}, {b})")
        assert str(ours) == str(theirs), (a, b)


MADE = (
    "m.zeros(2)", "m.ones(2)", "m.empty(2)", "m.full((2,), 1.5)", "m.full((2,), 3)", "m.rand(2)", "m.randn(2)",
    "m.eye(2)",
    "m.linspace(0, 1, 3)", "m.arange(3)", "m.arange(3.)", "m.tensor(1.5)", "m.tensor([1, 2.5])", "m.tensor([])",
    "m.tensor(3)", "m.tensor([1, 2]) / 2", "m.tensor([1, 2]).sqrt()", "m.tensor([4]).exp()", "m.tensor([1, 2]) * 1.5",
    "m.tensor(2) + 0.5", "m.ones(2, dtype=m.float32) * 2.5", "m.nn.Linear(2, 3).weight",
    "m.nn.BatchNorm2d(2).running_mean",
    "m.Tensor(2)", "m.Tensor([1, 2])", "m.FloatTensor([1])", "m.ones(2).float()", "m.ones(2).double()",
    "m.nn.Parameter()",
    "m.zeros_like(m.ones(2, dtype=m.float32))", "m.ones(2).type(m.Tensor)", "m.ones(2, dtype=m.int8).new([1, 2])",
    "m.from_numpy(np.ones(2))",
    "m.as_tensor(2.5)",
)  # fmt: skip


@pytest.mark.parametrize("name", ["float32", "float64"])
@pytest.mark.parametrize("text", MADE)
def test_the_default_dtype_is_obeyed(default, name, text):
    default(name)
    ours, theirs = both(text)
    assert str(ours.dtype) == str(theirs.dtype)
    assert str(minicnn.get_default_dtype()) == str(torch.get_default_dtype()) == f"torch.{name}"


@pytest.mark.parametrize("kind", OLD)
def test_old_types(kind):
    for text in (
        f"m.{kind}Tensor(2, 3).shape", f"m.{kind}Tensor([[1, 0], [3, 4]])", f"m.{kind}Tensor((1, 2))",
        f"m.{kind}Tensor()",
        f"m.{kind}Tensor(m.tensor([1, 2]))", f"m.{kind}Tensor(np.arange(3))", f"m.{kind}Tensor(m.Size([2])).shape",
        f"m.ones(2).type(m.{kind}Tensor)", f"m.ones(2).type('torch.{kind}Tensor')", f"m.{kind}Tensor([1]).type()",
        f"isinstance(m.ones(2), m.{kind}Tensor)", f"isinstance(m.tensor([1]), m.{kind}Tensor)", f"repr(m.{kind}Tensor)",
        f"m.{kind}Tensor.__name__", f"m.{kind}Tensor(2.5)", f"m.{kind}Tensor('ab')", f"m.{kind}Tensor([[1], [2, 3]])",
        f"str(m.{kind}Tensor.dtype)", f"m.ones(2).type_as(m.{kind}Tensor([1]))", f"m.{kind}Tensor(range(3))",
    ):  # fmt: skip
        ours, theirs = both(text)
        assert_same(ours, theirs, what=text)


@pytest.mark.parametrize("method", ["half", "float", "double", "char", "short", "int", "long", "byte", "bool"])
def test_conversions(method):
    for values in ([0.0, 1.5, -2.0, 3.25], [1, 0, 2, 3], [True, False, True, True]):
        assert_agrees(lambda m, x: getattr(x, method)(), minicnn.tensor(values).reshape(2, 2).t())
    x = minicnn.ones(2, 2)
    assert x.float() is x


@pytest.mark.parametrize(
    "text",
    ["x.type(m.float64)", "x.type('torch.float64')", "x.type('LongTensor')", "x.type(3)", "x.type(dtype=m.int8)",
     "x.type('torch.cuda.FloatTensor')", "x.type(m.Tensor)", "x.type()", "x.long().type()",
     "x.to(m.ones(1).long(), True, True)",
     "x.to('cpu', m.int8, non_blocking=True)", "x.to(device='cpu', dtype=m.float64, copy=True)", "x.to('cuda')",
     "x.cuda()"],
)  # fmt: skip
def test_type_and_to(text):
    ours, theirs = (
        both(text, x=None)
        if False
        else [outcome(lambda m=m: eval(text, {"m": m, "x": m.ones(2)})) for m in (minicnn, torch)]
    )
    assert_same(ours, theirs, what=text)


DESCRIPTIONS = (
    "is_cuda", "is_sparse", "is_quantized", "is_meta", "is_nested", "nbytes", "itemsize", "element_size()",
    "ndimension()",
    "dim()", "is_complex()", "is_signed()", "is_floating_point()", "is_conj()", "is_neg()", "get_device()",
    "is_shared()",
    "is_pinned()", "storage_offset()", "untyped_storage().nbytes()", "is_leaf", "retains_grad", "output_nr",
    "_is_view()",
    "is_same_size(x)", "is_set_to(x)", "is_inference()", "numpy(force=True).tolist()", "tolist()", "requires_grad",
    "_version",
)  # fmt: skip


@pytest.mark.parametrize(
    "make", ["m.ones(2, 3)", "m.arange(6)", "m.arange(12.).reshape(3, 4)[1:, ::2]", "m.zeros(0, 2)"]
)
@pytest.mark.parametrize("what", DESCRIPTIONS)
def test_what_a_tensor_says_of_itself(make, what):
    ours, theirs = [outcome(lambda m=m: eval(f"x.{what}", {"x": eval(make, {"m": m})})) for m in (minicnn, torch)]
    assert ours == theirs


def test_places_in_memory():
    x = minicnn.arange(12.0).reshape(3, 4)
    assert x[1].data_ptr() - x.data_ptr() == 16
    assert x[1].storage_offset() == 4
    assert x.view(-1).data_ptr() == x.data_ptr() == x.untyped_storage().data_ptr() == x.detach().data_ptr()
    assert x.clone().data_ptr() != x.data_ptr()
    assert x.view(3, 4).is_set_to(x)
    assert not x[1].is_set_to(x)
    assert x[1]._base is not None
    version = x._version
    x[1].add_(1)
    assert x._version == version + 1
    y = minicnn.nn.functional.conv2d(minicnn.randn(2, 3, 8, 8), minicnn.randn(4, 3, 3, 3))
    assert [v.storage_offset() for v in (y, y[1], y[:, 1], y[1, 2, 3])] == [0, 144, 36, 234]
    assert y[1].data_ptr() == y.data_ptr() + 4 * 144
    with pytest.raises(RuntimeError, match="shares no memory"):
        x.share_memory_()
    assert x.pin_memory() is x


NUMBERS = ("float(x)", "int(x)", "complex(x)", "bool(x)", "x.__index__()", "[1, 2, 3][x]", "x.item()", "len(x)",
           "list(x)", "x[0]",
           "x.data[0]", "x.data[0][0]", "3 in x", "'s' in x", "None in x", "x.is_nonzero()", "x.tolist()",
           "range(3)[x]")  # fmt: skip


@pytest.mark.parametrize(
    "value", ["1", "2.5", "True", "[1]", "[2.5]", "[]", "[1, 2]", "float('nan')", "[[1, 2], [3, 4]]"]
)
@pytest.mark.parametrize("text", NUMBERS)
def test_as_pythons_numbers(text, value):
    ours, theirs = [outcome(lambda m=m: eval(text, {"m": m, "x": m.tensor(eval(value))})) for m in (minicnn, torch)]
    assert_same(ours, theirs, what=f"{text} of {value}")
    if isinstance(theirs, Exception):
        assert isinstance(ours, type(theirs)), (ours, theirs)
        if isinstance(theirs, (RuntimeError, IndexError, TypeError)) and "only" not in str(theirs):
            assert str(ours)[:30] == str(theirs)[:30]


def test_attributes_of_a_programs_own():
    x = minicnn.ones(2)
    x.name_of_mine = [1]
    twin = copy.deepcopy(x)
    assert twin.name_of_mine == [1]
    assert twin.name_of_mine is not x.name_of_mine
    assert pickle.loads(pickle.dumps(x)).name_of_mine == [1]


@pytest.mark.parametrize(
    "text",
    ["x.new(2, 3).shape", "x.new([1, 2])", "x.new()", "x.new(m.tensor([1, 2], dtype=x.dtype))",
     "x.new(m.ones(2).double())",
     "x.new(np.arange(3))", "x.new('a')", "x.new(2.5)", "reversed(x)"],
)  # fmt: skip
@pytest.mark.parametrize("dtype", ["float32", "int64"])
def test_the_old_way_of_making_one_like_another(text, dtype):
    ours, theirs = [
        outcome(lambda m=m: eval(text, {"m": m, "np": np, "x": m.tensor([[1, 2], [3, 4]], dtype=getattr(m, dtype))}))
        for m in (minicnn, torch)
    ]
    assert_same(ours, theirs, what=text)
