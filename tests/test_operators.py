"""Every operation of API.md's first two rows against torch: values, dtypes, shapes, gradients, errors."""

import operator
import re

import numpy as np
import pytest
import torch
from agreement import assert_agrees, assert_same, largest_terms, outcome, since, torch_of
from hypothesis import assume, given
from hypothesis import strategies as st

import minicnn
from minicnn.testing.cases import LAYOUTS, lay_out

SIZES = st.integers(0, 3)
SHAPES = st.lists(SIZES, max_size=3).map(tuple)
FILLED_SHAPES = st.lists(st.integers(1, 3), max_size=3).map(tuple)
TIES = st.sampled_from([-1.0, 0.0, 1.0])
REALS = st.floats(-4, 4, width=16)
POSITIVE = st.sampled_from([float("nan"), float("inf"), 0.0, 0.5, 1.0, 2.5])
SPECIAL = st.sampled_from([float("nan"), float("inf"), -float("inf"), -0.0, 0.0, 1.0, 2.5])


@st.composite
def tensors(draw, shape=SHAPES, elements=None, dtype=None, requires_grad=None):
    """Tensors of any layout; floating-point ones require a gradient as a rule."""
    shape = draw(shape) if isinstance(shape, st.SearchStrategy) else shape
    dtype = np.dtype(dtype or draw(st.sampled_from(["float32", "float64"])))
    elements = draw(st.sampled_from([TIES, REALS, SPECIAL])) if elements is None else elements
    count = int(np.prod(shape))
    values = np.array(draw(st.lists(elements, min_size=count, max_size=count))).reshape(shape).astype(dtype)
    if values.ndim:
        values = lay_out(values, draw(st.sampled_from(LAYOUTS if dtype.kind == "f" else ("contiguous", "transposed"))))
    needs = dtype.kind == "f" if requires_grad is None else requires_grad
    return minicnn.as_tensor(values).requires_grad_(needs)


@st.composite
def shapes_that_broadcast(draw, count=2):
    """Shapes that fit together by size 1 and lacking axes; one in ten doesn't."""
    full = draw(FILLED_SHAPES)
    shapes = []
    for _ in range(count):
        kept = full[draw(st.integers(0, len(full))) :]
        shapes.append(tuple(draw(st.sampled_from([size, size, 1])) for size in kept))
    if draw(st.integers(0, 9)) == 0:
        shapes[0] = (*shapes[0], 5)
    return shapes


def dims(ndim):
    """A dimension, or several of them, or None; mostly in range."""
    one = st.integers(-ndim - 1, ndim)
    return st.one_of(st.none(), one, st.lists(one, max_size=3).map(tuple))


def one_dim(ndim):
    return st.integers(-ndim - 1, ndim)


# Two operands

BINARY = [operator.add, operator.sub, operator.mul, operator.truediv, operator.mod]


@pytest.mark.parametrize("function", BINARY, ids=lambda f: f.__name__)
@given(st.data())
def test_arithmetic(function, data):
    a, b = (data.draw(tensors(shape)) for shape in data.draw(shapes_that_broadcast()))
    program = lambda m, a, b: function(a, b)  # noqa: E731
    assert_agrees(program, a, b, rtol=1e-5, terms=largest_terms(program, a, b))


@given(st.data())
def test_powers(data):
    a_shape, b_shape = data.draw(shapes_that_broadcast())
    elements = data.draw(st.sampled_from([TIES, REALS, POSITIVE]))  # √(−∞) is NaN, (−∞) to the power of ½ is ∞
    a = data.draw(tensors(a_shape, elements, dtype="float64"))
    b = data.draw(tensors(b_shape, st.sampled_from([-1.0, 0.0, 0.5, 1.0, 2.0, 3.0, float("nan")]), dtype="float64"))
    assert_agrees(lambda m, a, b: a**b, a, b, rtol=1e-6)


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, -1, -2, 0.5, 1.5, -0.5])
@given(data=st.data())
def test_powers_of_a_number(exponent, data):
    whole = exponent == int(exponent)  # for others, torch gives √a or a power, which differ at −∞ and −0
    elements = data.draw(st.sampled_from([TIES, REALS, POSITIVE] if whole else [st.floats(0, 4), POSITIVE]))
    a = data.draw(tensors(elements=elements, dtype="float64"))
    assert_agrees(lambda m, a: [a**exponent, a.pow(exponent)], a, rtol=1e-6)


@given(st.data())
def test_a_number_on_either_side(data):
    a, number = data.draw(tensors(dtype="float64")), data.draw(st.sampled_from([0, 1, -2, 2.5, True]))
    for function in (operator.add, operator.mul, operator.truediv, operator.pow, operator.mod):
        assert_agrees(lambda m, a, f=function: f(a, number), a, rtol=1e-6, what=f"{function} {number}")
        if function is operator.mod:  # torch has no gradient for number % tensor
            a = a.detach()
        assert_agrees(lambda m, a, f=function: f(number, a), a, rtol=1e-6, what=f"{number} {function}")


@pytest.mark.parametrize("name", ["add", "sub", "mul", "div", "pow"])
@pytest.mark.parametrize("other", [2, 2.5, True, "2", None, [1.0], (), minicnn.ones(2)])
def test_named_methods(name, other):
    assert_agrees(lambda m, x: getattr(x, name)(torch_of(other) if m is torch else other), minicnn.ones(2) * 3)


@pytest.mark.parametrize(
    "sign", ["+", "-", "*", "/", "//", "%", "**", "@", "==", "!=", "<", "<=", ">", ">=", "&", "|", "^"]
)
@pytest.mark.parametrize("other", ["'2'", "None", "[1.0, 2.0]", "object", "3", "3.5", "1j"])
def test_operands_of_foreign_types(sign, other):
    if other == "1j":
        with pytest.raises(TypeError) if sign not in ("==", "!=") else pytest.MonkeyPatch.context():
            eval(f"x {sign} {other}", {"x": minicnn.tensor([1, 2])})
        return
    assert_agrees(lambda m, x: eval(f"x {sign} {other}", {"x": x}), minicnn.tensor([1, 2]))
    assert_agrees(lambda m, x: eval(f"{other} {sign} x", {"x": x}), minicnn.tensor([1, 2]))


@pytest.mark.parametrize(
    "function", [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow, operator.lt]
)
def test_arrays_on_either_side(function):
    x, array = minicnn.tensor([1.0, 2.0]), np.array([3.0, 4.0], np.float32)
    for result in (function(x, array), function(x, minicnn.tensor(array))):
        assert isinstance(result, minicnn.Tensor)
        np.testing.assert_array_equal(result.numpy(), function(x.numpy(), array))
    result = function(array, x)
    assert isinstance(result, minicnn.Tensor)
    np.testing.assert_array_equal(result.numpy(), function(array, x.numpy()))
    assert isinstance(function(np.float64(2), x), minicnn.Tensor)
    assert function(np.float64(2), x).dtype == function(2.0, x).dtype
    assert function(x, np.float64(2)).dtype == function(x, 2.0).dtype


@pytest.mark.parametrize("method", ["add", "sub", "add_", "sub_"])
@pytest.mark.parametrize("alpha", [1, 2, -0.5])
def test_alpha(method, alpha):
    x, y = minicnn.tensor([1.0, 2.0], requires_grad=True), minicnn.tensor([3.0, 4.0], requires_grad=True)
    assert_agrees(lambda m, x, y: getattr(x * 1, method)(y, alpha=alpha), x, y)


def test_floor_division_has_no_gradient():
    x = minicnn.tensor([5.0, -5.0], requires_grad=True)
    assert_agrees(lambda m, x: x.detach() // 2, x)
    assert_agrees(lambda m, x: x // 2, x)
    with pytest.raises(RuntimeError, match="floor division"):
        (x // 2).sum().backward()


@given(st.data())
def test_comparisons(data):
    a, b = (data.draw(tensors(shape, requires_grad=False)) for shape in data.draw(shapes_that_broadcast()))
    for name in ("eq", "ne", "lt", "le", "gt", "ge"):
        assert_agrees(lambda m, a, b, n=name: [getattr(operator, n)(a, b), getattr(a, n)(b)], a, b)
        assert_agrees(lambda m, a, n=name: [getattr(operator, n)(a, 1), getattr(a, n)(0.5)], a)


@given(st.data())
def test_largest_and_smallest_of_two(data):
    a, b = (data.draw(tensors(shape)) for shape in data.draw(shapes_that_broadcast()))
    for name in ("max", "min"):
        assert_agrees(lambda m, a, b, n=name: [getattr(m, n)(a, b), getattr(a, n)(b)], a, b)


@given(st.data())
def test_where(data):
    c_shape, a_shape, b_shape = data.draw(shapes_that_broadcast(3))
    condition = data.draw(tensors(c_shape, st.booleans(), "bool"))
    a, b = data.draw(tensors(a_shape)), data.draw(tensors(b_shape))
    assert_agrees(lambda m, c, a, b: m.where(c, a, b), condition, a, b)
    assert_agrees(lambda m, c, a: [m.where(c, a, 2.5), m.where(c, 2, a)], condition, a)
    assert_agrees(lambda m, c: [m.where(c, 1, 2.5), *m.where(c)], condition)


@given(st.data())
def test_clamp(data):
    x = data.draw(tensors())
    bound = st.sampled_from([None, -1, 0, 0.5, 1, float("nan")])
    low, high = data.draw(bound), data.draw(bound)
    assert_agrees(lambda m, x: m.clamp(x, low, high), x, what=f"clamp({low}, {high}) of {x!r}")
    assert_agrees(lambda m, x: x.clamp(min=low, max=high), x, what=f"clamp({low}, {high}) of {x!r}")
    a, b = (data.draw(tensors(x.shape)) for _ in range(2))
    assert_agrees(lambda m, x, a, b: [x.clamp(min=a), x.clamp(max=b)], x, a, b)
    assert_agrees(lambda m, x, a, b: x.clamp(a.detach() * 0 - 1, a.detach() * 0 + 1), x, a, b)
    assert_agrees(lambda m, x, a, b: x.detach().clamp(a.detach(), b.detach()), x, a, b)

    c = draw_broadcast(data, x)
    assert_agrees(lambda m, x, a, c: x.clamp(a, c), x, a, c, what="clamp by two Tensors")


def draw_broadcast(data, x):
    return data.draw(tensors(data.draw(st.sampled_from([(), x.shape]))))


@given(*[st.sampled_from([0.0, 1.0, 2.0, 3.0, float("nan")])] * 3)
def test_clamp_shares_gradients_among_tensors(x, low, high):
    values = [minicnn.tensor([value], requires_grad=True) for value in (x, low, high)]
    assert_agrees(lambda m, x, low, high: x.clamp(low, high), *values)


DTYPES_OF_CLAMP = ["uint8", "int8", "int32", "int64", "bool", "float32", "float64"]
LIMIT = [None, -1, 0, 2, 300, -300, 2**40, 2.5, -1.0, 300.5, True, float("inf"), float("nan")]
SATURATES = torch.__version__ >= "2.15"  # before, bounds out of an integer type's range wrap or raise


@given(st.sampled_from(DTYPES_OF_CLAMP), st.sampled_from(LIMIT), st.sampled_from(LIMIT), st.booleans())
def test_clamp_of_any_dtype(dtype, low, high, inplace):
    x = minicnn.tensor(np.array([0, 1, 2, 3, 120]).astype(dtype))
    ints = [bound for bound in (low, high) if type(bound) is int]
    if dtype in ("uint8", "int8", "int32") and any(not 0 <= i <= 127 for i in ints) and not SATURATES:
        return
    assert_agrees(lambda m, x: x.clamp_(low, high) if inplace else x.clamp(low, high), x, what=f"{dtype} {low} {high}")


def test_clamp_moves_bounds_into_the_range_of_an_integer_type():
    x = minicnn.tensor([1, 200], dtype=minicnn.uint8)
    assert x.clamp(-5, 100).tolist() == [1, 100]
    assert x.clamp(-300, 2**70).tolist() == [1, 200]
    for bounds in ((300, None), (None, -1)):
        with pytest.raises(ValueError, match="uint8"):
            x.clamp(*bounds)


@given(st.tuples(*[st.sampled_from([None, *DTYPES_OF_CLAMP])] * 3), st.tuples(*[st.booleans()] * 3))
def test_clamp_by_tensors_of_any_dtype(kinds, flat):
    kinds = (kinds[0] or "float32", *kinds[1:])
    values = [np.array([1, 0, 3]), np.array([0, 1, 2]), np.array([2, 1, 1])]
    operands = [
        None if k is None else minicnn.tensor(v[0] if f else v).to(getattr(minicnn, k))
        for k, v, f in zip(kinds, values, flat, strict=True)
    ]
    assert_agrees(lambda m, x, low, high: x.clamp(low, high), *operands, what=f"{operands}")


@given(st.sampled_from([1, 1.5, "T"]), st.sampled_from([2, 2.5, "T", "TT", "grad"]), st.booleans())
def test_clamp_by_a_number_and_a_tensor(low, high, swap):
    def bound(m, name):
        made = {"T": m.tensor(2.0), "TT": m.tensor([2.0, 3.0]), "grad": m.tensor(2.0, requires_grad=True)}
        return made.get(name, name)

    bounds = (high, low) if swap else (low, high)
    x = minicnn.tensor([1.0, 4.0], requires_grad=True)
    assert_agrees(lambda m, x: x.clamp(*[bound(m, name) for name in bounds]), x, what=f"{bounds}")


@pytest.mark.parametrize("function", ["relu", "leaky_relu", "dropout"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
def test_in_place_functions_write_into_arrays(function, dtype):
    if function == "dropout" and dtype == "int64":
        pytest.skip("dropout needs floating point in minicnn")
    array = np.array([-1, 2, 0]).astype(dtype)
    tensor = torch.from_numpy(array.copy())
    options = {"p": 1.0} if function == "dropout" else {}
    ours = outcome(lambda: getattr(minicnn.nn.functional, function)(array, inplace=True, **options))
    theirs = outcome(lambda: getattr(torch.nn.functional, function)(tensor, inplace=True, **options))
    assert_same(ours, theirs)
    np.testing.assert_array_equal(array, tensor.numpy())


@since("2.15")
@pytest.mark.parametrize("bounds", [(-1, 300), (-1, None), (None, 300)])
@pytest.mark.parametrize("dtype", ["uint8", "int64", "bool", "float32"])
def test_clamp_to_bounds_outside_of_the_dtype(bounds, dtype):
    assert_agrees(lambda m, x: x.clamp(*bounds), minicnn.tensor(np.array([0, 1, 2, 3]).astype(dtype)))


def shapes_for_matmul():
    return st.sampled_from(
        [
            ((3,), (3,)),
            ((2, 3), (3,)),
            ((3,), (3, 2)),
            ((2, 3), (3, 4)),
            ((5, 2, 3), (3,)),
            ((3,), (5, 3, 2)),
            ((5, 2, 3), (3, 4)),
            ((2, 3), (5, 3, 4)),
            ((5, 2, 3), (5, 3, 4)),
            ((1, 2, 3), (5, 3, 4)),
            ((4, 1, 2, 3), (5, 3, 1)),
            ((2, 0), (0, 3)),
            ((0, 3), (3, 2)),
            ((0,), (0,)),
            ((2, 3), (2, 3)),
            ((2,), (3,)),
            ((2, 2, 3), (3, 3, 4)),
            ((), (2,)),
            ((2,), ()),
        ]
    )


@given(st.data())
def test_matmul(data):
    shapes = data.draw(shapes_for_matmul())
    a, b = (data.draw(tensors(shape, st.integers(-4, 4), "float64")) for shape in shapes)
    assert_agrees(lambda m, a, b: [a @ b, m.matmul(a, b), a.matmul(b)], a, b)


def test_matmul_of_dtypes():
    for a in ("bool", "int64", "float32", "float64"):
        for b in ("bool", "int64", "float32", "float64"):
            x, y = (minicnn.tensor(np.ones((2, 2), d)) for d in (a, b))
            assert_agrees(lambda m, x, y: x @ y, x, y, what=f"{a} @ {b}")


# One operand

UNARY = [
    "exp",
    "log",
    "sqrt",
    "abs",
    "relu",
    "sigmoid",
    "tanh",
    "neg",
    "clone",
    "double",
    "float",
    "long",
    "detach",
]


@pytest.mark.parametrize("name", UNARY)
@given(x=tensors())
def test_elementwise(name, x):
    if name == "long":  # what NaN and infinity become depends on the machine
        x = minicnn.as_tensor(np.nan_to_num(x.detach().numpy(), posinf=2, neginf=-2)).requires_grad_()
    assert_agrees(lambda m, x: getattr(x, name)(), x, rtol=1e-5)


@pytest.mark.parametrize("name", ["exp", "log", "sqrt", "abs", "relu", "sigmoid", "tanh"])
def test_elementwise_functions_are_the_methods(name):
    x = minicnn.tensor([0.5, -2.0], requires_grad=True)
    assert_agrees(lambda m, x: getattr(m, name)(x), x, rtol=1e-6)


@given(x=tensors())
def test_signs(x):
    assert_agrees(lambda m, x: [-x, abs(x)], x)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64"])
def test_invert(dtype):
    assert_agrees(lambda m, x: ~x, minicnn.tensor(np.array([0, 1]).astype(dtype)))
    assert_agrees(lambda m, x: ~x, minicnn.zeros(2))


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@given(st.data())
def test_softmax(name, data):
    x = data.draw(tensors(dtype="float64"))
    dim = data.draw(one_dim(x.ndim))
    what = f"{name} of {x!r} along {dim}"
    assert_agrees(lambda m, x: [getattr(x, name)(dim), getattr(m, name)(x, dim=dim)], x, rtol=1e-9, what=what)


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax_in_a_dtype_and_of_large_numbers(name):
    x = minicnn.tensor([1e4, -1e4, 9999.0], requires_grad=True)
    assert_agrees(lambda m, x: getattr(x, name)(0, dtype=m.float64), x, rtol=1e-12)
    assert_agrees(lambda m, x: getattr(m.tensor([1, 2]), name)(0, dtype=m.float32), x, rtol=1e-6)
    assert_agrees(lambda m, x: getattr(m.tensor([1, 2]), name)(0), x)


# Reductions


@pytest.mark.parametrize("name", ["sum", "mean"])
@given(st.data())
def test_sums(name, data):
    x = data.draw(tensors(dtype="float64"))
    dim, keepdim = data.draw(dims(x.ndim)), data.draw(st.booleans())
    what = f"{name} of {x!r} over {dim}"
    assert_agrees(lambda m, x: getattr(x, name)(dim, keepdim), x, rtol=1e-9, what=what)
    assert_agrees(lambda m, x: getattr(m, name)(x, dim=dim, keepdim=keepdim), x, rtol=1e-9, what=what)
    assert_agrees(lambda m, x: getattr(x, name)(), x, rtol=1e-9, what=what)


@pytest.mark.filterwarnings("ignore:.*degrees of freedom")
@pytest.mark.parametrize("name", ["var", "std"])
@given(st.data())
def test_variances(name, data):
    x = data.draw(tensors(elements=REALS, dtype="float64"))
    dim, keepdim = data.draw(dims(x.ndim)), data.draw(st.booleans())
    correction, unbiased = data.draw(st.sampled_from([0, 1, 0.5])), data.draw(st.booleans())
    what = f"{name} of {x!r} over {dim}, {correction}, {unbiased}"
    f = name
    assert_agrees(lambda m, x: getattr(x, f)(), x, rtol=1e-7, what=what)
    assert_agrees(lambda m, x: getattr(x, f)(unbiased), x, rtol=1e-7, what=what)
    if dim == ():  # torch's gradient is wrong there
        dim = None
    assert_agrees(lambda m, x: getattr(x, f)(dim, unbiased=unbiased, keepdim=keepdim), x, rtol=1e-7, what=what)
    assert_agrees(lambda m, x: getattr(m, f)(x, dim, correction=correction), x, rtol=1e-7, what=what)


@pytest.mark.parametrize("name", ["max", "min"])
@given(st.data())
def test_extremes(name, data):
    x = data.draw(tensors())
    dim, keepdim = data.draw(one_dim(x.ndim)), data.draw(st.booleans())
    what = f"{name} of {x!r} along {dim}"
    assert_agrees(lambda m, x: getattr(x, name)(), x, what=what)
    assert_agrees(lambda m, x: getattr(x, name)(dim, keepdim), x, what=what)
    assert_agrees(lambda m, x: getattr(m, name)(x, dim=dim, keepdim=keepdim), x, what=what)


def test_the_pair_that_max_returns():
    for pair in (
        minicnn.tensor([[1.0, 3.0], [2.0, 2.0]]).max(1),
        minicnn.tensor([[-1.0, -3.0], [-2.0, -2.0]]).min(dim=1),
    ):
        values, indices = pair
        assert pair.values is values
        assert pair.indices is indices
        assert indices.dtype == np.int64
        assert indices.tolist() == [1, 0]


@pytest.mark.parametrize("name", ["argmax", "argmin", "any", "all"])
@given(st.data())
def test_indices_and_truth(name, data):
    dtype = data.draw(st.sampled_from(["bool", "uint8", "int64", "float32"]))
    elements = st.integers(0, 1) if dtype != "float32" else data.draw(st.sampled_from([TIES, SPECIAL]))
    x = data.draw(tensors(elements=elements, dtype=dtype, requires_grad=False))
    dim, keepdim = data.draw(one_dim(x.ndim)), data.draw(st.booleans())
    assert_agrees(lambda m, x: getattr(x, name)(), x)
    assert_agrees(lambda m, x: getattr(x, name)(dim, keepdim), x, what=f"{name} of {x!r} along {dim}")


@pytest.mark.parametrize("name", ["sum", "mean", "var", "max", "argmax", "softmax"])
@pytest.mark.parametrize("dim", [1.0, "0", True, (0, 0), (0.5,)])
def test_dims_that_are_none(name, dim):
    if name == "var" and dim is True:  # which is var(unbiased)
        return
    assert_agrees(lambda m, x: getattr(x, name)(dim), minicnn.ones(2, 3))


# Shapes


@given(st.data())
def test_reshape(data):
    x = data.draw(tensors(elements=REALS))
    shape = tuple(data.draw(st.lists(st.integers(-2, 6), max_size=4)))
    factors = data.draw(st.permutations([s for s in x.shape if s != 1]))
    for wanted in (shape, tuple(factors), (-1, *factors[1:]), (1, *factors)):
        assert_agrees(
            lambda m, x, s=wanted: [x.reshape(s), x.reshape(*s) if s else x], x, what=f"{x.shape} as {wanted}"
        )


@pytest.mark.parametrize("shape", [(2.0,), ("2",), (True,), ((2, 2), 2), ([4],), (np.int64(4),), (None,), ()])
def test_shapes_that_are_none(shape):
    assert_agrees(lambda m, x: x.reshape(*shape), minicnn.ones(4))
    assert_agrees(lambda m, x: x.view(*shape), minicnn.ones(4))
    assert_agrees(lambda m, x: m.zeros(*shape), minicnn.ones(4))


VIEWS = """
.t() .T [0] [:,1:] [...,None] [::2] [[0]] [0,0] [()] .view(-1) .view(2,-1) .reshape(-1) .flatten() .squeeze()
.unsqueeze(0) .contiguous() .clone() .detach() .data .float() .to("cpu") .transpose(0,-1) .permute(1,0)
.expand(2,-1,-1)
"""


@pytest.mark.filterwarnings("ignore:Tensor.T is deprecated", "ignore:The use of `x.T`")
@given(st.data())
def test_views_are_views_where_torchs_are(data):
    """After a chain of view operations, changing the root changes the result just where it does in torch."""
    steps = data.draw(
        st.lists(
            st.sampled_from(VIEWS.split()),
            min_size=1,
            max_size=4,
        )
    )
    text = "root" + "".join(steps)
    assume(not re.search(r"expand.*(clone|\[\[)", text))  # how torch orders the copies in memory is its own affair

    def program(m, root):
        result = eval(text, {"root": root})
        root.zero_()
        return [result, result.is_contiguous()]

    assert_agrees(program, minicnn.as_tensor(np.arange(1, 7, dtype=np.float32).reshape(2, 3)), what=text)


@given(st.data())
def test_moving_axes(data):
    x = data.draw(tensors())
    a, b = data.draw(one_dim(x.ndim)), data.draw(one_dim(x.ndim))
    order = tuple(data.draw(st.permutations(range(-x.ndim, 0)) | st.lists(one_dim(x.ndim), max_size=3)))
    assert_agrees(lambda m, x: [x.transpose(a, b), m.transpose(x, a, b)], x, what=f"{x.shape} {a} {b}")
    assert_agrees(lambda m, x: [x.permute(order), m.permute(x, order)], x, what=f"{x.shape} {order}")
    assert_agrees(
        lambda m, x: [x.squeeze(a), x.squeeze(order), x.squeeze(), m.squeeze(x)],
        x,
        what=f"{x.shape} {a} {order}",
    )
    assert_agrees(lambda m, x: [x.unsqueeze(a), m.unsqueeze(x, a)], x, what=f"{x.shape} {a}")
    assert_agrees(lambda m, x: [x.flatten(a, b), m.flatten(x, a, b)], x, what=f"{x.shape} {a} {b}")
    assert_agrees(lambda m, x: [x.flatten(), x.flatten(a)], x, what=f"{x.shape} {a}")
    assert_agrees(lambda m, x: x.t(), x)


@pytest.mark.filterwarnings("ignore:Tensor.T is deprecated", "ignore:The use of `x.T`")
@given(x=tensors())
def test_reversed_axes(x):
    assert_agrees(lambda m, x: x.T, x)


@given(st.data())
def test_expand(data):
    x = data.draw(tensors())
    sizes = tuple(data.draw(st.lists(st.integers(-1, 3), max_size=4)))
    fitting = (2, *[3 if s == 1 else data.draw(st.sampled_from([s, -1])) for s in x.shape])
    for wanted in (sizes, fitting):
        assert_agrees(lambda m, x, w=wanted: [x.expand(w), x.expand(*w) if w else x], x, what=f"{x.shape} as {wanted}")


# Joining


@given(st.data())
def test_cat(data):
    rest = data.draw(FILLED_SHAPES)
    dim = data.draw(one_dim(len(rest)))
    axis = min(max(dim % max(len(rest), 1), 0), len(rest))
    shapes = [(*rest[:axis], data.draw(SIZES), *rest[axis + 1 :]) for _ in range(data.draw(st.integers(1, 3)))]
    shapes += data.draw(st.sampled_from([[], [], [(0,)], [(4, 4)]]))
    parts = [data.draw(tensors(shape, elements=REALS)) for shape in data.draw(st.permutations(shapes))]
    if any(shape != (0,) for shape in shapes):  # torch takes any dim then
        assert_agrees(lambda m, *parts: m.cat(parts, dim), *parts, what=f"{shapes} along {dim}")


@given(st.data())
def test_stack(data):
    shape = data.draw(SHAPES)
    dim = data.draw(st.integers(-len(shape) - 2, len(shape) + 1))
    shapes = [shape] * data.draw(st.integers(1, 3)) + data.draw(st.sampled_from([[], [], [(7,)]]))
    parts = [data.draw(tensors(s, elements=REALS)) for s in shapes]
    assert_agrees(lambda m, *parts: m.stack(list(parts), dim), *parts, what=f"{shapes} along {dim}")


@pytest.mark.parametrize("name", ["cat", "stack"])
@pytest.mark.parametrize("parts", [[], (), 3, [1, 2], [[1.0], [2.0]], None, minicnn.ones(2, 2), [minicnn.ones(()), 3]])
def test_what_cannot_be_joined(name, parts):
    assert_agrees(lambda m, x: getattr(m, name)(torch_of(parts) if m is torch else parts), minicnn.ones(1))


# Indexing


@st.composite
def keys(draw, shape):
    """Keys of all kinds for a tensor of `shape`, most of them valid."""
    parts, axis, ellipsis_used = [], 0, False
    broadcast = draw(st.sampled_from([(), (2,), (1, 2)]))
    while axis < len(shape) and draw(st.integers(0, 4)):
        size = shape[axis]
        kinds = ["int", "slice", "slice", "none", "array", "list", "mask", "tensor int"]
        kind = draw(st.sampled_from(kinds if ellipsis_used else [*kinds, "..."]))
        index = st.integers(-size, max(size - 1, 0))
        if kind == "int":
            parts.append(draw(st.integers(-size - 1, size) if draw(st.integers(0, 9)) == 0 else index))
        elif kind == "slice":
            bound = st.none() | st.integers(-size - 1, size + 1)
            parts.append(slice(draw(bound), draw(bound), draw(st.sampled_from([None, 1, 2]))))
        elif kind == "none":
            parts.append(None)
            continue
        elif kind == "...":
            ellipsis_used = True
            parts.append(Ellipsis)
            axis = min(axis + draw(st.integers(0, 2)), len(shape))
            continue
        elif kind == "array" and size:
            count = int(np.prod(broadcast))
            values = draw(st.lists(index, min_size=count, max_size=count))
            parts.append(minicnn.tensor(np.array(values, np.int64).reshape(broadcast)))
        elif kind == "list" and size:
            parts.append(draw(st.lists(index, min_size=1, max_size=1)))
        elif kind == "mask" and 0 not in shape:  # NumPy checks no mask's shape on an empty array
            count = draw(st.integers(0, size))
            parts.append(minicnn.tensor(np.arange(size) < count))
        elif kind == "tensor int" and size:
            parts.append(minicnn.tensor(draw(index)))
        else:
            parts.append(slice(None))
        axis += 1
    if len(parts) == 1 and draw(st.booleans()):
        return parts[0]
    return tuple(parts)


@given(st.data())
def test_indexing(data):
    x = data.draw(tensors(elements=REALS))
    key = data.draw(keys(x.shape))
    assert_agrees(lambda m, x: x[torch_of(key) if m is torch else key], x, what=f"{x.shape}[{key!r}]")


@given(st.data())
def test_assigning_to_an_index(data):
    x = data.draw(tensors(elements=REALS, dtype="float32"))
    key = data.draw(keys(x.shape))
    selected = outcome(lambda: x.detach()[key])
    shape = tuple(selected.shape) if isinstance(selected, minicnn.Tensor) else ()
    shape = data.draw(st.sampled_from([shape, shape, shape[1:], (1, *shape), (), (5,)]))
    value = data.draw(tensors(shape, elements=REALS, dtype=data.draw(st.sampled_from(["float32", "float64", "int64"]))))
    if data.draw(st.integers(0, 3)) == 0:
        value = data.draw(st.sampled_from([0, 2.5, True]))
    repeated = isinstance(selected, minicnn.Tensor) and takes_an_element_twice(x, key)

    def program(m, x, value):
        y = x * 1
        y[torch_of(key) if m is torch else key] = value
        return y

    if not repeated:  # which of two values stays is anybody's guess
        assert_agrees(program, x, value, what=f"{x.shape}[{key!r}] = {value!r}")


def takes_an_element_twice(x, key):
    numbers = minicnn.tensor(np.arange(x.numel()).reshape(x.shape))[key]
    return len(set(numbers.flatten().tolist())) < numbers.numel()


@pytest.mark.parametrize(
    "key",
    [
        "1.0",
        "'a'",
        "slice(None, None, -1)",
        "slice(None, None, 0)",
        "(0, 0, 0)",
        "3",
        "-4",
        "[3]",
        "m.tensor([0.5])",
        "m.tensor([True])",
        "m.tensor([[True, False], [False, True]])",
        "(m.tensor([True, False, True]), m.tensor([0, 1, 0]))",
        "True",
        "False",
        "m.tensor(True)",
        "m.tensor([1, 0, 1], dtype=m.uint8)",
        "m.tensor([2, 0], dtype=m.int32)",
        "[[0, 1], [1, 0]]",
        "[0, slice(None)]",
        "[True, False, True]",
        "[]",
        "()",
        "(Ellipsis, None, 0)",
        "slice(m.tensor(1), m.tensor(3))",
        "(slice(None), [1, 0])",
        "(0, slice(None), None)",
        "(None, [0, 1], None, 0)",
        "{0: 1}",
        "m.tensor([[0, 1], [2, 0]])",
    ],
)
@pytest.mark.filterwarnings("ignore:indexing with dtype torch.uint8", "ignore:Using a non-tuple sequence")
def test_keys_of_all_kinds(key):
    x = minicnn.tensor(np.arange(6.0).reshape(3, 2), requires_grad=True)
    assert_agrees(lambda m, x: x[eval(key, {"m": m})], x, what=key)


def test_ints_beside_index_arrays_select_first():
    x = minicnn.randn(2, 3, 4, 5)
    for key in [
        (0, slice(None), [0, 1]),
        ([0, 1], slice(None), 0),
        ([0], slice(None), [1, 2]),
        (0, [0, 1], slice(None), 1),
    ]:
        assert_agrees(lambda m, x, k=key: x[k], x, what=repr(key))


def test_a_list_of_floats_is_no_key():
    with pytest.raises(IndexError, match="integer or bool"):
        minicnn.zeros(2)[[0.5]]


@pytest.mark.parametrize("value", [[1.0, 2.0], "1", None, (3,), 1j])
def test_values_that_cannot_be_assigned(value):
    with pytest.raises(TypeError, match="can't assign"):
        minicnn.zeros(2)[0] = value


# In place


@given(st.data())
def test_in_place_arithmetic(data):
    a_shape, b_shape = data.draw(shapes_that_broadcast())
    a = data.draw(tensors(a_shape, elements=REALS, requires_grad=False))
    b = data.draw(tensors(b_shape, elements=REALS, requires_grad=False))
    for name in ("add_", "sub_", "mul_", "div_", "copy_"):
        theirs = outcome(lambda n=name: getattr(torch_of(a), n)(torch_of(b)))
        mine = a.clone()
        ours = outcome(lambda n=name, mine=mine: getattr(mine, n)(b))
        assert_same(ours, theirs, rtol=1e-5, what=name)
        assert isinstance(theirs, Exception) or ours is mine


@pytest.mark.parametrize("value", [0, 2.5, True, float("nan"), minicnn.tensor(3), minicnn.tensor([3.0]), "1", None])
@pytest.mark.parametrize("dtype", ["float32", "int64", "bool"])
def test_fill(value, dtype):
    assert_agrees(lambda m, x: x.fill_(torch_of(value) if m is torch else value), minicnn.zeros(2, dtype=dtype))
    assert_agrees(lambda m, x: x.zero_(), minicnn.ones(2, dtype=dtype))


def test_in_place_relu_and_clamp_write_into_the_same_memory():
    for count in (4, 40_000):  # by NumPy, and by a kernel
        array = np.linspace(-1, 1, count, dtype=np.float32).reshape(2, -1)
        x = minicnn.from_numpy(array)
        assert x.relu_() is x
        assert array.min() == 0
        assert x.clamp_(max=0.5) is x
        assert array.max() == 0.5


def test_large_arrays_take_the_kernels():
    x = minicnn.tensor(np.random.default_rng(0).standard_normal((3, 100, 100)).astype(np.float32), requires_grad=True)
    assert_agrees(lambda m, x: x.transpose(0, 1).relu(), x)
    assert_agrees(lambda m, x: (x * 1).transpose(0, 2).relu_(), x)


def test_no_warnings_for_infinity_and_nan(recwarn):
    x = minicnn.tensor([1e38, -1e38, float("inf"), float("nan"), 0.0, -1.0], requires_grad=True)
    results = [
        x * 1e10,
        x + x * 10,
        x / 0,
        x.exp(),
        x.log(),
        x.sqrt(),
        x.sum(),
        x.var(),
        x.softmax(0),
        x**2,
        x - x,
        x > 0,
    ]
    results += [
        x.mean(),
        x.clamp(-1e300, 1e300),
        x.long(),
        x.double().float(),
        x @ x,
        x % 0,
        x // 0,
        x.max(),
        x.sigmoid(),
    ]
    for result in results:
        if result.requires_grad and "NotImplemented" not in repr(result.grad_fn):
            result.sum().backward(retain_graph=True)
    assert not [w for w in recwarn if issubclass(w.category, RuntimeWarning)]


@given(st.data())
def test_what_is_picked_lies_in_the_order_of_pytorch(data):
    """With two or three elements an axis: PyTorch's order of axes of one depends on strides that mean nothing."""
    shape = data.draw(st.lists(st.integers(2, 3), min_size=1, max_size=4))
    order = data.draw(st.permutations(range(len(shape))))
    x = np.arange(np.prod(shape), dtype=np.float32).reshape(shape).transpose(order)
    parts = [slice(None), 0, [0, 1], [[0, 1], [1, 0]], "mask"]
    key = [data.draw(st.sampled_from(parts)) for _ in shape]
    key = tuple([np.arange(n) < 2 if part == "mask" else part for n, part in zip(x.shape, key, strict=True)])
    picked = {}
    for library in (minicnn, torch):
        own = tuple([part if isinstance(part, slice | int) else library.tensor(part) for part in key])
        y = library.from_numpy(x)[own]
        picked[library] = y.tolist(), y.stride(), y.is_contiguous()
    assert picked[minicnn] == picked[torch], f"{x.shape}, {x.strides}, {key}"
