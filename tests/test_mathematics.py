"""Elementwise mathematics, comparison and logic against torch: values, gradients, dtypes, errors, in place, `out=`."""

import functools
import inspect
import math
import re

import numpy as np
import pytest
import torch
from agreement import examples, outcome
from hypothesis import given, settings
from hypothesis import strategies as st

import minicnn
from minicnn import Tensor
from minicnn.testing import assert_within_bound
from minicnn.testing.arrays import layouts

SPECIAL = (0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5, 3.0, float("inf"), -float("inf"), float("nan"))
SIZES = st.sampled_from([0, 1, 2, 3, 7, 8, 9, 15, 16, 17])
FLOATS = ("float32", "float64")
WHOLE = ("int8", "int16", "int32", "int64", "uint8", "bool")

UNARY_NAMES = """
abs absolute acos acosh arccos arccosh arcsin arcsinh arctan arctanh asin asinh atan atanh bitwise_not ceil cos cosh
deg2rad digamma erf erfc erfinv exp exp2 expm1 fix floor frac i0 isfinite isinf isnan isneginf isposinf isreal lgamma
log log10 log1p log2 logical_not logit nan_to_num neg negative positive rad2deg reciprocal relu round rsqrt sgn sigmoid
sign signbit sin sinc sinh special.entr special.erfcx special.expit special.gammaln special.i0e special.i1 special.i1e
special.ndtr special.ndtri special.psi sqrt square tan tanh trunc
"""
BINARY_NAMES = """
add arctan2 atan2 bitwise_and bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor clamp_max clamp_min copysign
div divide eq float_power floor_divide fmax fmin fmod gcd ge greater greater_equal gt heaviside hypot isclose lcm ldexp
le less less_equal logaddexp logaddexp2 logical_and logical_or logical_xor lt maximum minimum mul multiply ne nextafter
not_equal pow remainder rsub special.xlog1py sub subtract true_divide xlogy
"""
UNARY, BINARY = UNARY_NAMES.split(), BINARY_NAMES.split()
TERNARY = ("addcmul", "addcdiv", "lerp", "clamp", "clip", "where")

NO_GRADIENT_IN_PLACE = (
    "acosh",
    "arccosh",
    "arcsinh",
    "arctanh",
    "asinh",
    "atanh",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
)
"""Of which torch has no gradient, or forgets it: logic in place leaves a tensor in its former place in the graph."""


LACKING = re.compile(
    r"derivative for .* is not implemented|not implemented for 'Bool'|INTERNAL ASSERT|isDifferentiableType"
    r"|with (a|two) bool tensors? is not supported"
)
"""What torch says of a gradient that it doesn't have, or where it fails itself."""


LARGEST_FACTOR = 3
"""Of `alpha` and `value` below."""
CHOOSING = ("clamp", "clip", "maximum", "minimum")
"""Of a zero and a negative zero PyTorch takes either, by their place in the array."""
CANCELLING = ("expm1", "tanh", "sigmoid", "sinc", "lgamma", "digamma", "logit", "special.")
"""Functions that subtract numbers of order 1, or whose gradients do: how exact they are has to do with 1."""


def found(module, name):
    """The function of this dotted name."""
    for part in name.split("."):
        module = getattr(module, part)
    return module


@st.composite
def arrays(draw, dtype, shape=None):
    """Numbers, special ones among them, in any memory order."""
    shape = (
        draw(st.lists(SIZES, max_size=3).map(lambda sizes: tuple(sizes[:2] + [min(size, 3) for size in sizes[2:]])))
        if shape is None
        else shape
    )
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    if dtype in WHOLE:
        low = 0 if dtype in ("uint8", "bool") else -9
        values = rng.integers(low, 2 if dtype == "bool" else 10, shape).astype(dtype)
    else:
        values = (rng.standard_normal(shape) * draw(st.sampled_from([0.3, 1.0, 3.0]))).astype(dtype)
        special = rng.random(shape) < draw(st.sampled_from([0, 0.3]))
        values = np.where(special, rng.choice(SPECIAL, shape), values).astype(dtype)
    return np.asarray(draw(layouts()).of(values)) if values.ndim else values


def is_tensor(x):
    return isinstance(x, torch.Tensor)


def on(module, arrays, requires_grad):
    """Tensors of a library on copies of arrays that lie as they do; numbers stay."""
    result = []
    for array in arrays:
        if isinstance(array, np.ndarray):
            tensor = module.from_numpy(array.copy(order="K"))
            result.append(tensor.requires_grad_() if requires_grad and array.dtype.kind == "f" else tensor)
        else:
            result.append(array)
    return result


def computed(module, function, arrays, in_place=False):
    """The result, then the gradients with respect to all arguments or None, from a gradient of whole numbers."""
    leaves = on(module, arrays, requires_grad=True)
    arguments = [leaf.clone() if in_place and number == 0 else leaf for number, leaf in enumerate(leaves)]
    result = function(*arguments)
    if result.requires_grad:
        weights = np.asarray(np.arange(1, result.numel() + 1).reshape(tuple(result.shape)) % 5 + 1)
        result.backward(module.from_numpy(weights.astype(str(result.dtype).removeprefix("torch."))))
    return [result.detach(), *[getattr(leaf, "grad", None) for leaf in leaves]]


def single(function, arrays, in_place):
    """torch's answer in another precision: float32 for float64, and float64 for everything else."""
    given = [
        array.astype("float32" if array.dtype == np.float64 else "float64") if isinstance(array, np.ndarray) else array
        for array in arrays
    ]
    return computed(torch, function, given, in_place)


def agree(name, ours, theirs, arrays, in_place=False, laid_alike=True):
    """Both raise, or results and gradients agree but for rounding, in dtype, shape, strides, NaN and signs of zeros."""
    mine = outcome(computed, minicnn, ours, arrays, in_place)
    torchs = outcome(computed, torch, theirs, arrays, in_place)
    what = f"{name} of {arrays}"
    if isinstance(torchs, Exception):
        if LACKING.search(str(torchs)):
            return
        assert isinstance(mine, (RuntimeError, TypeError, ValueError, ZeroDivisionError)), (
            f"{what}: {mine!r}, {torchs!r}"
        )
        if isinstance(torchs, RuntimeError):
            assert isinstance(mine, RuntimeError), f"{what}: {mine!r}, torch {torchs!r}"
        return
    assert not isinstance(mine, Exception), f"{what}: {mine!r}"
    other = outcome(single, theirs, arrays, in_place)
    if len({array.dtype for array in arrays if isinstance(array, np.ndarray)}) > 1 and any(map(is_tensor, torchs[1:])):
        better = outcome(promoted, theirs, arrays)
        if in_place:
            mine, torchs = ([*results[:1], *[None] * len(arrays)] for results in (mine, torchs))
        elif not isinstance(better, Exception):
            torchs = [torchs[0], *better]
    signed = all(not isinstance(array, np.ndarray) or array.size for array in arrays)  # not the sum of nothing
    signed = signed and not name.startswith(CHOOSING)
    summed = [0.0, *summed_terms(theirs, arrays, in_place)]
    others = torchs if isinstance(other, Exception) else other
    for a, b, c, total in zip(mine, torchs, others, summed, strict=True):
        assert (a is None) == (b is None), f"{what}: {a}, torch {b}"
        if b is None:
            continue
        assert str(a.dtype) == str(b.dtype), f"{what}: {a.dtype}, torch {b.dtype}"
        assert tuple(a.shape) == tuple(b.shape), f"{what}: {a.shape}, torch {b.shape}"
        values, expected = a.numpy(), b.numpy(force=True)
        if values.dtype.kind != "f" or (a is mine[0] and name.startswith("nextafter")):
            np.testing.assert_array_equal(values, expected, err_msg=what)
        else:
            other_values = (b if c is None else c).numpy(force=True)
            terms = terms_of(name, arrays) + total
            if mine[0].numpy().dtype == np.float32:  # gradients of wider operands are computed in that, too
                values = values.astype(np.float32)
            close(values, expected, other_values, signed, len(arrays) > 1, name, what, terms)
    if laid_alike and not in_place and mine[0].numel() and name != "ldexp":  # whose order depends on dtypes in PyTorch
        strides = [
            (mine[0].stride()[axis], torchs[0].stride()[axis]) for axis, size in enumerate(mine[0].shape) if size > 1
        ]
        assert all(a == b for a, b in strides), f"{what}: strides {mine[0].stride()}, torch {torchs[0].stride()}"


def summed_terms(theirs, arrays, in_place):
    """For each operand that was broadcast the sizes of the terms that are added up to its gradient; 0 for others."""
    shapes = [array.shape for array in arrays if isinstance(array, np.ndarray)]
    if in_place or len(set(shapes)) < 2:
        return [0.0] * len(arrays)
    wide = np.broadcast_shapes(*shapes)
    spread = [np.broadcast_to(array, wide).copy() if isinstance(array, np.ndarray) else array for array in arrays]
    results = outcome(computed, torch, theirs, spread, False)
    if isinstance(results, Exception):
        return [0.0] * len(arrays)
    sums = []
    for array, gradient in zip(arrays, results[1:], strict=True):
        if gradient is None or array.shape == wide:
            sums.append(0.0)
            continue
        terms = np.abs(gradient.numpy(force=True).astype(float))
        terms[~np.isfinite(terms)] = 0
        kept = terms.sum(tuple(range(len(wide) - array.ndim)))
        axes = tuple(i for i, size in enumerate(array.shape) if size == 1)
        sums.append(kept.sum(axes, keepdims=True).reshape(array.shape))
    return sums


def terms_of(name, arrays):
    """How large the terms of a sum are, which may cancel: PyTorch rounds a product and a sum at once, or not."""
    if not name.startswith(("add", "sub")):
        return 0.0
    with np.errstate(all="ignore"):
        largest = [np.abs(np.asarray(array, float)).max(initial=0, where=np.isfinite(array)) for array in arrays]
    return largest[0] + LARGEST_FACTOR * float(np.prod(largest[1:]))


def promoted(function, arrays):
    """Gradients where all arguments are promoted first: torch rounds some in the dtype of one of them, or wraps."""
    leaves = on(torch, arrays, requires_grad=True)
    dtype = functools.reduce(torch.promote_types, [leaf.dtype for leaf in leaves if is_tensor(leaf)])
    result = function(*[leaf.to(dtype) if is_tensor(leaf) else leaf for leaf in leaves])
    weights = np.asarray(np.arange(1, result.numel() + 1).reshape(tuple(result.shape)) % 5 + 1)
    result.backward(torch.from_numpy(weights).to(result.dtype))
    return [getattr(leaf, "grad", None) for leaf in leaves]


def close(values, expected, other, signed, several, name, what, terms):
    """Equal but for rounding: as much of it as torch's own results in two precisions show, where they are finite."""
    eps, wide = np.finfo(values.dtype).eps, np.finfo(np.float32).eps
    with np.errstate(all="ignore"):
        spread = np.abs(expected.astype(float) - other) / wide
        spread = np.where(np.isfinite(spread), spread, 0)
        magnitude = np.abs(expected.astype(float)) + spread + np.finfo(values.dtype).tiny / eps
        magnitude += 10 * name.startswith(CANCELLING) + terms
        if several or name.startswith(CANCELLING):
            # sums of terms that are as large as the largest result, or gradients summed where shapes broadcast
            magnitude += np.abs(expected[np.isfinite(expected)].astype(float)).max(initial=0)
    assert_within_bound(values, expected.astype(float), magnitude, name=what)
    zero = (values == 0) & (expected == 0) & signed
    np.testing.assert_array_equal(
        np.signbit(values[zero]), np.signbit(expected[zero]), err_msg=f"{what}: signs of zeros"
    )


@pytest.mark.parametrize("name", UNARY)
@settings(max_examples=examples(6))
@given(data=st.data())
def test_function_of_one(name, data):
    array = data.draw(arrays(data.draw(st.sampled_from(FLOATS * 4 + WHOLE))))
    if name == "logit":  # torch's gradient at -0 is inf or -inf, by the place in the vector
        array = np.where(array == 0, np.zeros_like(array), array)
    if name == "sinc":  # torch's gradient cancels near 0, see below
        array = np.where(np.abs(array) < 0.25, np.zeros_like(array), array)
    if name in ("special.i1", "special.i1e") and torch.__version__ < "2.15":
        array = np.where(np.isnan(array), np.zeros_like(array), array)  # whose gradient was 1/2 then
    agree(name, found(minicnn, name), found(torch, name), [array])
    if hasattr(torch.Tensor, f"{name}_") and name not in NO_GRADIENT_IN_PLACE:
        agree(f"{name}_", getattr(Tensor, f"{name}_"), getattr(torch.Tensor, f"{name}_"), [array], in_place=True)


@pytest.mark.parametrize("dtype", FLOATS)
def test_gradient_of_sinc_near_zero(dtype):
    x = minicnn.tensor(np.linspace(-0.3, 0.3, 61).astype(dtype), requires_grad=True)
    minicnn.sinc(x).sum().backward()
    a = x.detach().numpy().astype(np.longdouble) * np.longdouble(np.pi)
    terms = [(-1) ** k * 2 * k / np.longdouble(math.factorial(2 * k + 1)) * a ** (2 * k - 1) for k in range(1, 15)]
    np.testing.assert_allclose(x.grad.numpy(), (np.pi * sum(terms)).astype(float), rtol=8 * np.finfo(dtype).eps)


@st.composite
def pairs(draw, count=2):
    """Arrays whose shapes broadcast, of one dtype or several."""
    dtype = draw(st.sampled_from(FLOATS * 3 + WHOLE))
    full = draw(st.lists(st.sampled_from([0, 1, 2, 3, 8]), max_size=3).map(tuple))
    result = []
    for _ in range(count):
        kept = full[draw(st.integers(0, len(full))) :] if draw(st.booleans()) else full
        shape = tuple(draw(st.sampled_from([size, size, 1])) for size in kept)
        own = draw(st.sampled_from([dtype] * 5 + list(FLOATS + WHOLE)))
        result.append(draw(arrays(own, shape)))
    return result


def like(divisor, dividend):
    """In the dtype of the other: the gradient with respect to a float beside integers makes torch stumble."""
    with np.errstate(invalid="ignore"):
        return divisor.astype(dividend.dtype)


@pytest.mark.parametrize("name", BINARY)
@settings(max_examples=examples(7))
@given(data=st.data())
def test_function_of_two(name, data):
    a, b = data.draw(pairs())
    if data.draw(st.integers(0, 3)) == 0:
        b = data.draw(st.sampled_from([0, 1, 2, -1, 3, 0.5, -1.5, True]))
    elif data.draw(st.integers(0, 5)) == 0:
        a = data.draw(st.sampled_from([2, 0.5]))
    if not isinstance(a, np.ndarray) and not isinstance(b, np.ndarray):
        return
    if name.startswith("clamp") and b is not True and isinstance(b, int) and b < 0 and str(a.dtype) == "uint8":
        return  # bounds beyond a dtype's range wrap before PyTorch 2.15
    if name in ("fmax", "fmin") and torch.__version__ < "2.15":
        a, b = (np.where(np.isnan(x), np.ones_like(x), x) if isinstance(x, np.ndarray) else x for x in (a, b))
    if name in ("atan2", "arctan2") and "bool" in (getattr(a, "dtype", ""), getattr(b, "dtype", "")):
        return  # torch's gradient stumbles over a bool
    if name == "ldexp":  # PyTorch computes the power in the exponent's dtype, bool and int8 among them
        a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    agree(name, found(minicnn, name), found(torch, name), [a, b])
    if isinstance(a, np.ndarray) and hasattr(torch.Tensor, f"{name}_") and name not in NO_GRADIENT_IN_PLACE:
        agree(f"{name}_", getattr(Tensor, f"{name}_"), getattr(torch.Tensor, f"{name}_"), [a, b], in_place=True)


@pytest.mark.parametrize("name", TERNARY)
@settings(max_examples=examples(25))
@given(data=st.data())
def test_function_of_three(name, data):
    a, b, c = data.draw(pairs(3))
    if name == "where":
        a = a > 0
    if name == "addcdiv":
        c = like(c, b)
    if name == "lerp" and data.draw(st.booleans()):
        c = data.draw(st.sampled_from([0, 1, 0.25, -0.5, 0.5, 2.0]))
    if name in ("clamp", "clip") and data.draw(st.booleans()):
        bounds = [(0, 1), (-0.5, 2), (None, 0.0), (0.0, None), (2, -2)]
        b, c = data.draw(st.sampled_from(bounds if a.dtype != np.uint8 else bounds[:-1]))  # see test_function_of_two
    agree(name, found(minicnn, name), found(torch, name), [a, b, c])
    if name != "where":
        agree(f"{name}_", getattr(Tensor, f"{name}_"), getattr(torch.Tensor, f"{name}_"), [a, b, c], in_place=True)


@pytest.mark.parametrize("exponent", [2, 3, 0.5, -0.5, -1, -2, 1, 0, 4, 3.0, 1.5, -3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_powers_of_special_numbers(dtype, exponent):
    info = np.finfo(dtype)
    numbers = [
        0,
        -0.0,
        np.inf,
        -np.inf,
        np.nan,
        1,
        -1,
        2.5,
        -2.5,
        info.tiny,
        -info.tiny,
        info.max,
        -info.max,
        1e-3,
        3e5,
    ]
    for as_tensor in (False, True):
        results = []
        for library in (minicnn, torch):
            x = library.from_numpy(np.array([*numbers, info.smallest_subnormal], dtype)).requires_grad_()
            y = x ** (library.tensor(float(exponent)) if as_tensor else exponent)
            y.sum().backward()
            results.append((y.detach().numpy(), x.grad.numpy()))
        for one, expected in zip(*results, strict=True):
            assert one.dtype == expected.dtype
            np.testing.assert_allclose(one, expected, 4 * info.eps, 4 * info.smallest_subnormal)


@pytest.mark.parametrize("exponent", [True, False])
@pytest.mark.parametrize("shape", [(), (3,), (0,)])
def test_bools_to_the_power_of_a_bool(shape, exponent):
    x = np.asarray(np.arange(np.prod(shape, dtype=int)).reshape(shape) % 2 == 0)
    agree("pow", minicnn.pow, torch.pow, [x, exponent])
    agree("pow_", Tensor.pow_, torch.Tensor.pow_, [x, exponent], in_place=True)


@pytest.mark.parametrize("weight", [0.3, True, 1])
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "int64", "bool"])
@pytest.mark.parametrize("shapes", [((), ()), ((1,), (1,)), ((1,), ()), ((), (1,))])
@pytest.mark.parametrize("ends", ["float64", "float32", "float16", "int8", "bool"])
def test_lerp_with_a_weight_without_dimensions(ends, shapes, dtype, weight):
    a, b = np.ones(shapes[0]).astype(ends), np.zeros(shapes[1]).astype(ends)
    w = np.array(weight).astype(dtype)

    def program(module):
        return module.lerp(*[module.from_numpy(array.copy()) for array in (a, b, w)])

    mine, torchs = outcome(program, minicnn), outcome(program, torch)
    if isinstance(torchs, Exception):
        assert isinstance(mine, RuntimeError), f"{mine!r}, torch {torchs!r}"
    else:
        assert str(mine.dtype) == str(torchs.dtype)
        assert np.array_equal(mine.numpy(), torchs.numpy())


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("add", {"alpha": 2}),
        ("add", {"alpha": 0.5}),
        ("add", {"alpha": True}),
        ("sub", {"alpha": -3}),
        ("rsub", {"alpha": 2}),
        ("div", {"rounding_mode": "floor"}),
        ("div", {"rounding_mode": "trunc"}),
        ("div", {"rounding_mode": "up"}),
        ("isclose", {"rtol": 0.3, "equal_nan": True}),
        ("isclose", {"atol": -1.0}),
        ("addcmul", {"value": 0.5}),
        ("addcmul", {"value": 2}),
        ("addcdiv", {"value": -1.5}),
        ("round", {"decimals": 1}),
        ("round", {"decimals": -1}),
        ("logit", {"eps": 0.25}),
        ("nan_to_num", {"nan": 1.5, "posinf": 2, "neginf": -3.0}),
        ("clamp", {}),
        ("clamp", {"min": 0}),
        ("clamp", {"max": 0.5}),
    ],
)
@settings(max_examples=examples(15))
@given(data=st.data())
def test_options(name, options, data):
    count = {"addcmul": 3, "addcdiv": 3, "round": 1, "logit": 1, "nan_to_num": 1, "clamp": 1}.get(name, 2)
    given = data.draw(pairs(count))
    if name == "addcdiv":
        given[2] = like(given[2], given[1])

    if "eps" in options:  # by the place in the vector, torch's gradient at NaN is NaN or 0
        given = [np.where(np.isnan(array), np.zeros_like(array), array) for array in given]

    def call(function):
        return lambda *tensors: function(*tensors, **options)

    agree(f"{name} {options}", call(found(minicnn, name)), call(found(torch, name)), given)
    if hasattr(torch.Tensor, f"{name}_"):
        ours, theirs = getattr(Tensor, f"{name}_"), getattr(torch.Tensor, f"{name}_")
        agree(f"{name}_ {options}", call(ours), call(theirs), given, in_place=True)


@given(st.data())
def test_the_old_order_of_arguments(data):
    """Not in which order results lie: PyTorch's of axes of size one is not always the same in this form."""
    shapes = data.draw(pairs(3))
    a, b, c = (data.draw(arrays("float64", array.shape)) for array in shapes)
    for name in ("add", "sub"):
        agree(
            name,
            lambda x, y, n=name: getattr(x, n)(0.5, y),
            lambda x, y, n=name: getattr(x, n)(0.5, y),
            [a, b],
            laid_alike=False,
        )
    for name in ("addcmul", "addcdiv"):
        call = lambda x, y, z, n=name: getattr(x, n)(0.5, y, z)  # noqa: E731
        agree(name, call, call, [a, b, c], laid_alike=False)


def takes_out(name):
    return "out" in inspect.signature(found(minicnn, name)).parameters


@pytest.mark.parametrize("name", [name for name in UNARY + BINARY if takes_out(name)])
@settings(max_examples=examples(5))
@given(data=st.data())
def test_out_receives_the_result(name, data):
    given = data.draw(pairs(1 if name in UNARY else 2))
    target = data.draw(st.sampled_from(FLOATS + WHOLE))

    def run(module):
        function = found(module, name)
        tensors = on(module, given, requires_grad=False)
        shape = tuple(function(*tensors).shape)
        out = module.zeros(0 if shape and target == "float32" else shape, dtype=getattr(module, target))
        result = function(*tensors, out=out)
        assert result is out
        return out

    mine, torchs = outcome(run, minicnn), outcome(run, torch)
    if isinstance(torchs, Exception):
        assert LACKING.search(str(torchs)) or isinstance(mine, (RuntimeError, TypeError)), f"{mine!r}, torch {torchs!r}"
        return
    assert not isinstance(mine, Exception), f"{mine!r}"
    assert str(mine.dtype) == str(torchs.dtype)
    assert tuple(mine.shape) == tuple(torchs.shape)
    whole = not mine.is_floating_point()
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(
            mine.numpy(), torchs.numpy(), rtol=0 if whole else 1e-4, atol=1 if whole else 1e-4, equal_nan=True
        )


def test_out_that_does_not_fit():
    x = minicnn.tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(RuntimeError, match="gradients"):
        minicnn.sin(x, out=minicnn.zeros(2))
    with pytest.raises(RuntimeError, match="shape"):
        minicnn.sin(x.detach(), out=minicnn.zeros(3))
    with pytest.raises(RuntimeError, match="cast"):
        minicnn.sin(x.detach(), out=minicnn.zeros(2, dtype=minicnn.int64))
    with pytest.raises(TypeError, match="out"):
        minicnn.sin(x.detach(), out=np.zeros(2))
    with pytest.raises(TypeError, match="out"):
        x.detach().sin_(out=minicnn.zeros(2))


def test_every_name_is_a_method_where_torch_has_one():
    names = [name for name in UNARY + BINARY + list(TERNARY) if "." not in name]
    for name in [*names, *[f"{name}_" for name in names]]:
        if hasattr(torch.Tensor, name):
            assert hasattr(Tensor, name), name


@pytest.mark.parametrize("number", [2**63, 2**64, -(2**64), 10**400])
def test_integers_beyond_64_bits(number):
    for x in (minicnn.ones(2), minicnn.ones(2, dtype=minicnn.int64)):
        for sign in ("__add__", "__mul__", "__eq__"):
            result = outcome(getattr(x, sign), number)
            assert isinstance(result, (Tensor, RuntimeError)), repr(result)
