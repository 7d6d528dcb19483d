"""Creation, conversion, attributes and Python's protocols beside torch's; and the names promised."""

import copy
import pickle

import numpy as np
import pytest
import torch
from agreement import assert_agrees, assert_same, outcome, torch_of
from hypothesis import given
from hypothesis import strategies as st

import minicnn
from minicnn import Tensor, from_numpy

TOP_LEVEL = """
Tensor tensor from_numpy as_tensor zeros ones full arange randn rand randint randperm zeros_like ones_like
stack cat flatten max min argmax sum mean exp log sqrt abs where matmul no_grad is_grad_enabled
set_grad_enabled manual_seed save load device cuda float32 float64 int64 uint8 bool set_num_threads
get_num_threads equal allclose
"""
METHODS = """
shape size ndim dtype device numel view reshape flatten permute transpose T squeeze unsqueeze sum mean var max
argmax relu exp log pow item numpy tolist detach clone to cpu float double long requires_grad requires_grad_
grad grad_fn is_leaf backward retain_grad add_ mul_ zero_ copy_ fill_ data __len__ __iter__ __array__
__getitem__ __setitem__
"""


# Names


@pytest.mark.parametrize("name", TOP_LEVEL.split())
def test_the_library_has_the_name(name):
    assert hasattr(minicnn, name)
    assert hasattr(torch, name)


@pytest.mark.parametrize("name", METHODS.split())
def test_a_tensor_has_the_name(name):
    assert hasattr(minicnn.ones(2, 2), name)
    assert hasattr(torch.ones(2, 2), name)


def test_no_name_is_of_minicnns_own_making():
    """Whatever a Tensor or the library offers in public, torch offers too."""
    assert [name for name in minicnn.__all__ if not hasattr(torch, name)] == []
    own = [name for name in dir(Tensor) if not name.startswith("_") and not hasattr(torch.Tensor, name)]
    assert own == []


def test_the_table_of_contents_is_true():
    assert [name for name in minicnn.__all__ if not hasattr(minicnn, name)] == []
    assert len(set(minicnn.__all__)) == len(minicnn.__all__)


@pytest.mark.parametrize("name", ["conv2d_of_my_own", "svd", "fft"])
def test_what_is_missing_is_named(name):
    with pytest.raises(AttributeError, match=name):
        getattr(minicnn, name)
    with pytest.raises(AttributeError, match=name):
        getattr(minicnn.ones(2), name)


def test_unknown_options_are_named():
    for attempt in (
        lambda: minicnn.zeros(2, layout="strided"),
        lambda: minicnn.tensor([1.0], pin_memory="yes"),
        lambda: minicnn.ones(2).sum(out=minicnn.zeros(())),
        lambda: minicnn.ones(2).to(memory_format="channels_last"),
    ):
        with pytest.raises(TypeError, match=r"layout|pin_memory|out|memory_format"):
            attempt()


def test_cuda():
    assert minicnn.cuda.is_available() is False
    assert minicnn.cuda.device_count() == 0
    for attempt in (
        lambda: minicnn.ones(2).to("cuda"),
        lambda: minicnn.ones(2).cuda(),
        lambda: minicnn.device("cuda:0"),
        lambda: minicnn.zeros(2, device="cuda"),
        lambda: minicnn.ones(2).to(device="mps"),
        lambda: minicnn.ones(2).to(0),
    ):
        with pytest.raises(RuntimeError, match="reference"):
            attempt()


def test_the_only_device():
    device = minicnn.ones(2).device
    assert device == minicnn.device("cpu") == "cpu"
    assert str(device) == str(torch.ones(2).device)
    assert repr(device) == repr(torch.ones(2).device)
    assert device.type == "cpu"
    assert minicnn.zeros(1, device=device).device == minicnn.device(device)
    assert len({device, minicnn.device("cpu")}) == 1
    assert device != "cuda"


# Creation

DATA = [
    "3", "2.5", "True", "[]", "[[], []]", "[1, 2]", "[1, 2.5]", "[True, False]", "[True, 2]", "[True, 2.5]",
    "[[1, 2], [3, 4]]", "((1, 2), (3, 4))", "[(1, 2), [3, 4]]", "range(3)", "[range(2), range(2)]", "1e300",
    "[1e300]", "-1", "2**40", "np.float64(1.5)", "np.int32(2)", "np.bool_(True)", "[np.float64(1.5)]",
    "[np.float64(1.5), 2]", "[np.int32(1), 2]", "[np.int8(1), np.int16(2)]", "np.zeros(2)",
    "np.zeros((2, 0), np.float32)", "np.arange(3)", "np.array(2.5)", "np.array([True])",
    "[np.zeros(2), np.ones(2)]", "[np.zeros(2), [1, 2]]", "[np.zeros(2, np.float32), [1, 2]]",
    "m.tensor([1.0, 2.0])", "m.tensor([1, 2])", "[m.tensor(1.0), m.tensor(2.0)]",
    "[m.tensor(1.0, dtype=m.float64), 2]", "[m.tensor(1), 2.5]", "[[m.tensor(1)], [2]]",
    "[m.tensor([1.0, 2.0])]", "[m.tensor([1.0])]", "[[1, 2], [3]]", "[1, [2]]", "'a'", "['a']", "None",
    "[None]", "{1}", "{1: 2}", "object()", "2**70", "2**63", "[2**63]", "-2**63", "float('nan')",
    "np.array(['a'])", "np.array([None])", "(x for x in [1])", "slice(3)",
]  # fmt: skip


NOT_AS_INTEGERS_IN_TORCH = [d for d in DATA if d.startswith("[m.tensor(") and "." in d] + ["np.bool_(True)"]


@pytest.mark.filterwarnings("ignore:Creating a tensor from a list of numpy", "ignore:To copy construct from a tensor")
@pytest.mark.parametrize("name", ["tensor", "as_tensor"])
@pytest.mark.parametrize("data", DATA)
def test_tensors_from_data(name, data):
    for options in ("", ", dtype=m.float32", ", dtype=m.int64", ", dtype=m.bool", ", dtype=m.float64"):
        whole = "int64" in options or "bool" in options
        if whole and (data in NOT_AS_INTEGERS_IN_TORCH or "np.float32), [" in data):
            continue
        if options and data == "2**70":  # minicnn wants 64 bits, torch takes any integer for a float or a bool
            continue
        text = f"m.{name}({data}{options})"
        assert_agrees(lambda m, t=text: eval(t, {"m": m, "np": np}), what=text)


@given(
    data=st.recursive(
        st.one_of(st.integers(-5, 5), st.floats(-5, 5, width=16), st.booleans()),
        lambda s: st.lists(s, max_size=3),
    )
)
def test_tensors_from_nested_lists(data):
    theirs = outcome(torch.tensor, data)
    if isinstance(theirs, Exception) or theirs.numel():  # where nothing is in it, torch takes lists of any lengths
        assert_agrees(lambda m: m.tensor(data), what=repr(data))


@pytest.mark.parametrize(
    "text",
    [
        "zeros(2, 3)", "zeros((2, 3))", "zeros([2, 3])", "zeros(())", "zeros(0)", "zeros(2, 0)",
        "zeros(-1)", "zeros(2.0)", "zeros('2')", "zeros((2,), 3)", "zeros(m.tensor(2))",
        "zeros(np.int64(2), 3)", "zeros(2, dtype=m.int64)", "zeros(2, dtype=m.bool)",
        "zeros(2, dtype=None)", "zeros(2, dtype='no')", "zeros(2, device='cpu')", "zeros()",
        "zeros(2, requires_grad=True).requires_grad", "zeros(2, dtype=m.int64, requires_grad=True)",
        "zeros(m.zeros(2, 3).shape)", "ones(2, 3)", "ones((2,))", "ones(2, dtype=m.uint8)",
        "ones(2, dtype=m.bool)", "ones(2, dtype=float)", "ones(2, dtype=int)", "empty(2, 3).shape",
        "empty(2, dtype=m.int64).dtype == m.int64", "empty_like(m.ones(2, 3)).shape", "full((2, 3), 2)",
        "full((2,), 2.5)", "full((2,), True)", "full((), 3)", "full([2], 3)", "full(2, 3)",
        "full((2,), 3, dtype=m.float32)", "full((2,), 2.5, dtype=m.int64)",
        "full((2,), 300, dtype=m.uint8)", "full((2,), -1, dtype=m.uint8)",
        "full((2,), float('nan'), dtype=m.int64)", "full((2,), float('inf'))", "full((2,), m.tensor(2.5))",
        "full((2,), 'a')", "full((2,), [1, 2])", "zeros_like(m.ones(2, 3))", "zeros_like(m.tensor([1, 2]))",
        "zeros_like(m.ones(2), dtype=m.int64)", "ones_like(m.zeros(2, requires_grad=True)).requires_grad",
        "ones_like(m.zeros(2), requires_grad=True).requires_grad", "ones_like([1.0])",
        "full_like(m.ones(2), 3)", "full_like(m.tensor([1, 2]), 3.7)",
        "full_like(m.ones(2, dtype=m.uint8), 300)", "arange(5)", "arange(2, 5)", "arange(1, 6, 2)",
        "arange(5, 1, -2)", "arange(5, 1)", "arange(0)", "arange(3.0)", "arange(0, 1, 0.25)",
        "arange(1, 2.5)", "arange(0, 1, 0)", "arange(5, dtype=m.float64)", "arange(0, 1, 0.1)",
        "arange(True)", "arange('a')", "arange(3, requires_grad=True)",
        "arange(3.0, requires_grad=True).requires_grad", "arange(-3)", "arange(0, 5, 1.5)",
        "randn(2, 3).shape", "randn((2, 3)).dtype", "randn(()).shape", "randn(2, dtype=m.float64).dtype",
        "randn(2, dtype=m.int64)", "rand(2, 3).shape", "rand(2, dtype=m.int64)",
        "randn(2, requires_grad=True).requires_grad", "randn_like(m.ones(2, 3)).shape",
        "rand_like(m.ones(2, dtype=m.float64)).dtype", "rand_like(m.tensor([1]))",
        "randint(3, (2, 2)).shape", "randint(3, (2,)).dtype", "randint(2, 3, (4,))",
        "randint(low=0, high=1, size=(2,))", "randint(0, (2,))", "randint(3, 3, (2,))", "randint(3, 2)",
        "randint(0, 1, (2,), dtype=m.float32)", "randperm(0)", "randperm(1)", "randperm(-1)",
        "randperm(5).sum()", "randperm(5).dtype", "from_numpy(np.zeros(2))", "from_numpy(3)",
        "from_numpy([1.0])", "from_numpy(np.array(['a']))", "from_numpy(np.float64(1))",
        "is_grad_enabled()",
    ],
)  # fmt: skip
def test_creation(text):
    def program(m):
        result = eval(f"m.{text}", {"m": m, "np": np})
        return str(result).removeprefix("torch.") if "dtype" in text.split(")")[-1] else result

    assert_agrees(program, what=text)


def test_what_shares_memory():
    array = np.array([1.0, 2.0], np.float32)
    assert np.shares_memory(minicnn.from_numpy(array).numpy(), array)
    assert np.shares_memory(minicnn.as_tensor(array).numpy(), array)
    assert not np.shares_memory(minicnn.as_tensor(array, dtype=minicnn.float64).numpy(), array)
    assert not np.shares_memory(minicnn.tensor(array).numpy(), array)
    assert not np.shares_memory(minicnn.tensor(minicnn.from_numpy(array)).numpy(), array)
    assert np.shares_memory(from_numpy(array)._array, array)
    x = minicnn.from_numpy(array)
    assert minicnn.as_tensor(x) is x
    assert np.shares_memory(x.detach().numpy(), array)
    assert np.shares_memory(np.asarray(x), array)
    assert not np.shares_memory(np.array(x), array)
    assert not np.shares_memory(x.clone().numpy(), array)


def test_tensors_are_made_of_numbers_only():
    for wrong in ("a", 1.5, True, np.array(["a"]), np.array([1j]), np.array([None]), np.float32(2), np.array(2.0)):
        with pytest.raises(TypeError, match="Tensor"):
            Tensor(wrong)
    assert type(minicnn.from_numpy(np.ma.masked_array([1.0]))._array) is np.ndarray


@pytest.mark.parametrize("kind", ["", "Float", "Double", "Long"])
@pytest.mark.parametrize("dtype", ["f4", "f8", "i8", "u1", "?", "f2"])
def test_the_constructors_take_the_memory_of_an_array_of_their_dtype(kind, dtype):
    made = []
    for library in (minicnn, torch):
        array = np.arange(24).reshape(2, 3, 4).astype(dtype).transpose(2, 0, 1)[::2]
        x = getattr(library, f"{kind}Tensor")(array)
        array[0, 0, 0] = 1
        made.append((x.detach().numpy(), x.stride(), str(x.dtype), x.requires_grad))
    (ours, *described), (theirs, *expected) = made
    np.testing.assert_array_equal(ours, theirs)
    assert described == expected


def test_seeds():
    def draws():
        return [minicnn.randn(3), minicnn.rand(3), minicnn.randint(100, (3,)), minicnn.randperm(9)]

    minicnn.manual_seed(7)
    first = draws()
    minicnn.manual_seed(7)
    for a, b in zip(first, draws(), strict=True):
        assert a.tolist() == b.tolist()
    assert minicnn.randn(3).tolist() != minicnn.randn(3).tolist()
    own = minicnn.Generator().manual_seed(7)
    assert minicnn.randn(3, generator=own).tolist() == first[0].tolist()
    assert minicnn.rand(3, generator=own).tolist() == first[1].tolist()
    assert minicnn.randint(100, (3,), generator=own).tolist() == first[2].tolist()
    assert minicnn.randperm(9, generator=own).tolist() == first[3].tolist()


def test_random_numbers_are_spread_as_promised():
    minicnn.manual_seed(0)
    normal, uniform, whole = minicnn.randn(40_000), minicnn.rand(40_000), minicnn.randint(-2, 3, (40_000,))
    assert abs(normal.mean().item()) < 0.03
    assert abs(normal.std().item() - 1) < 0.03
    assert 0 <= uniform.min().item() < 0.01 < 0.99 < uniform.max().item() < 1
    assert np.bincount(whole.numpy() + 2).min() > 7_500
    assert sorted(set(whole.tolist())) == [-2, -1, 0, 1, 2]
    assert sorted(minicnn.randperm(100).tolist()) == list(range(100))


# Attributes and conversion


@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3), (2, 0, 3)])
def test_attributes(shape):
    def program(m, x):
        return [
            x.shape, x.size(), x.ndim, x.dim(), x.numel(), x.nelement(), x.element_size(),
            x.is_floating_point(), x.stride(), x.is_contiguous(), x.requires_grad, x.is_leaf,
            x.grad is None, x.grad_fn is None, x.shape.numel(), str(x.device),
        ]  # fmt: skip

    assert_agrees(program, minicnn.zeros(shape))
    assert_agrees(program, minicnn.ones(shape, dtype=minicnn.int64))
    for dim in range(-3, 3):
        assert_agrees(lambda m, x, d=dim: x.size(d), minicnn.zeros(shape))


def test_shapes_are_tuples():
    shape = minicnn.zeros(2, 3).shape
    assert shape == (2, 3)
    assert isinstance(shape, tuple)
    assert repr(shape) == repr(torch.zeros(2, 3).shape)
    assert minicnn.zeros(shape).shape == shape


@pytest.mark.parametrize(
    "text",
    [
        "x.to(m.float64)", "x.to(m.int64)", "x.to('cpu')", "x.to('cpu', m.float64)", "x.to(x)",
        "x.to(x.double())", "x.to(x.long())", "x.to(dtype=m.int64)", "x.to(device='cpu')",
        "x.to(device='cpu', dtype=m.float64)", "x.to()", "x.to(None)", "x.to(float)", "x.to(int)",
        "x.to(bool)", "x.to('float32')", "x.to([1])", "x.to('cpu', non_blocking=True)",
        "x.to(m.float32) is x", "x.to('cpu') is x", "x.cpu() is x", "x.float() is x", "x.double() is x",
        "x.to(m.float32, copy=True) is x", "x.to(m.float64, copy=True)", "x.type(m.int64)",
        "x.type_as(x.double())", "x.float()", "x.double()", "x.long()", "x.int()", "x.bool()",
        "x.long().requires_grad", "x.double().requires_grad", "x.double().float()", "x.tolist()",
        "x.item()", "x[0].item()", "x[:1].item()", "x[:0].item()", "x.numpy()",
        "x.detach().numpy().tolist()", "x.clone() is x", "x.detach().requires_grad",
        "x.requires_grad_(False).requires_grad", "(x * 2).requires_grad_(False)",
        "(x * 2).detach().requires_grad_()", "x.view_as(x.t())", "x.expand_as(m.zeros(2, 2))",
        "x.contiguous() is x", "x.long().requires_grad_()", "x.is_leaf", "(x * 2).is_leaf",
        "x.clone().is_leaf", "x.detach().is_leaf", "x.data.requires_grad", "(x * 2).data.is_leaf",
        "x.data is x",
    ],
)  # fmt: skip
def test_conversions(text):
    assert_agrees(lambda m, x: eval(text, {"m": m, "x": x}), minicnn.tensor([1.5, -2.0], requires_grad=True), what=text)


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")
def test_the_gradient_of_an_intermediate_is_none():
    assert_agrees(lambda m, x: (x * 2).grad, minicnn.ones(2, requires_grad=True))


def test_assigning_data():
    x = minicnn.tensor([1.0, 2.0], requires_grad=True)
    x.data = minicnn.tensor([5.0, 6.0, 7.0])
    assert x.tolist() == [5, 6, 7]
    assert x.requires_grad
    x.data[0] = 9
    assert x[0].item() == 9
    with pytest.raises(TypeError, match="data must be a Tensor"):
        x.data = [1.0]


def test_numpy_functions_take_tensors():
    x = minicnn.tensor([1.0, 2.0])
    assert isinstance(np.exp(x), Tensor)
    np.testing.assert_array_equal(np.asarray(x, dtype=np.float64), [1, 2])
    assert np.asarray(x, dtype=np.float64).dtype == np.float64
    np.testing.assert_array_equal(np.stack([x, x]), [[1, 2], [1, 2]])
    with pytest.raises(RuntimeError, match="requires grad"):
        np.asarray(minicnn.ones(2, requires_grad=True))


# Python's protocols


@pytest.mark.parametrize("value", [3, 2.5, True, [1], [2.5], [], [1, 2], [[1]], float("nan"), float("inf")])
@pytest.mark.parametrize("function", [bool, int, float, len, list, "abcd".__getitem__, range])
def test_builtins(function, value):
    x = minicnn.tensor(value)
    ours, theirs = outcome(function, x), outcome(function, torch_of(x))
    if isinstance(ours, OverflowError):  # int(inf)
        assert isinstance(theirs, OverflowError)
        return
    assert_same(ours, theirs, what=f"{function} of {value}")


@pytest.mark.parametrize("value", [1, 1.5, True, "a", None, [1], minicnn.tensor(1), minicnn.tensor([1, 2])])
def test_contains(value):
    x = minicnn.tensor([1, 2])
    assert_agrees(lambda m, x: (torch_of(value) if m is torch else value) in x, x)


def test_iteration_gives_differentiable_rows():
    assert_agrees(lambda m, x: [row * (i + 1) for i, row in enumerate(x)], minicnn.ones(3, 2, requires_grad=True))
    assert_agrees(lambda m, x: m.stack([2 * row for row in x[0]]), minicnn.ones(3, 2, requires_grad=True))
    a, b = minicnn.tensor([1, 2])
    assert (a.item(), b.item()) == (1, 2)


@pytest.mark.parametrize("text", ["f'{x:.3f}'", "f'{x:5}'", "'%d' % x", "'%.2f' % x", "f'{x[None]:.2f}'"])
@pytest.mark.parametrize("value", [3, 2.5])
def test_formatting(text, value):
    assert_agrees(lambda m, x: eval(text, {"x": x}), minicnn.tensor(value))


@pytest.mark.parametrize(
    ("tensor", "expected"),
    [
        (minicnn.tensor(3), "tensor(3)"),
        (minicnn.tensor([1, 2]), "tensor([1, 2])"),
        (minicnn.tensor([True]), "tensor([True])"),
        (minicnn.tensor([1.25, 2.5]), "tensor([1.2500, 2.5000])"),
        (minicnn.tensor([1.5], requires_grad=True), "tensor([1.5000], requires_grad=True)"),
        (minicnn.tensor([1.5], requires_grad=True) * 2, "tensor([3.], grad_fn=<MulBackward0>)"),
        (minicnn.zeros(2, dtype=minicnn.float64), "tensor([0., 0.], dtype=torch.float64)"),
        (minicnn.zeros(0), "tensor([])"),
        (minicnn.zeros(0, dtype=minicnn.int64), "tensor([], dtype=torch.int64)"),
        (minicnn.zeros(2, 0), "tensor([], size=(2, 0))"),
    ],
)
def test_repr(tensor, expected):
    assert repr(tensor) == str(tensor) == expected


def test_long_tensors_are_abbreviated():
    assert "..." in repr(minicnn.zeros(10_000))
    assert len(repr(minicnn.zeros(10_000))) < 200


def test_tensors_are_keys_by_identity():
    x, y = minicnn.ones(2), minicnn.ones(2)
    assert {x: 1, y: 2}[x] == 1
    assert len({x, y}) == 2


def test_deepcopy_and_pickle():
    x = minicnn.tensor([1.0, 2.0], requires_grad=True)
    x.grad = minicnn.tensor([3.0, 4.0])
    twice = copy.deepcopy([x, x])
    assert twice[0] is twice[1]
    assert twice[0] is not x
    assert twice[0].requires_grad
    assert twice[0].grad.tolist() == [3, 4]
    assert not np.shares_memory(twice[0]._array, x._array)
    back = pickle.loads(pickle.dumps(x))
    assert back.tolist() == [1, 2]
    assert back.requires_grad
    for function in (copy.deepcopy, pickle.dumps):
        with pytest.raises(RuntimeError, match="leaf"):
            function(x * 2)


# Functions of whole tensors


@pytest.mark.parametrize("name", ["equal", "allclose"])
@pytest.mark.parametrize(
    "text",
    [
        "m.ones(2), m.ones(2)", "m.ones(2), m.zeros(2)", "m.ones(2), m.ones(3)", "m.ones(2), m.ones(1)",
        "m.ones(2), 1", "1, m.ones(2)", "m.ones(2), m.ones(2, dtype=m.int64)",
        "m.tensor(float('nan')), m.tensor(float('nan'))", "m.zeros(0), m.zeros(0)",
        "m.ones(2), m.ones(2) + 1e-6", "m.ones(2), m.ones(2) + 1e-3", "m.ones(2, 1), m.ones(1, 2)",
    ],
)  # fmt: skip
def test_agreement_of_whole_tensors(name, text):
    assert_agrees(lambda m: eval(f"m.{name}({text})", {"m": m}), what=text)


def test_allclose_bounds():
    x, y = minicnn.tensor([1.0, float("nan")]), minicnn.tensor([1.05, float("nan")])
    for options in (
        {"rtol": 0.1},
        {"atol": 0.1},
        {"rtol": 0.1, "equal_nan": True},
        {"atol": 0.01, "equal_nan": True},
    ):
        assert_agrees(lambda m, x, y, o=options: m.allclose(x, y, **o), x, y)


# Threads


def test_threads():
    before = minicnn.get_num_threads()
    try:
        minicnn.set_num_threads(1)
        assert minicnn.get_num_threads() == 1
    finally:
        minicnn.set_num_threads(before)
    assert minicnn.get_num_threads() == before
    for wrong, error in (
        (0, ValueError),
        (-1, ValueError),
        (10_000, ValueError),
        (1.5, TypeError),
        (True, TypeError),
        ("2", TypeError),
    ):
        with pytest.raises(error, match="set_num_threads"):
            minicnn.set_num_threads(wrong)
