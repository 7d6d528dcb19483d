"""float16: every function computes in it as torch does, through float32 with the result rounded once, or refuses it."""

import inspect
import re
import warnings

import numpy as np
import pytest
import torch
from agreement import outcome

import minicnn

REFUSED = re.compile(r"needs (one dtype, )?float32 or float64.*, got .*float16")
"""The sentence of what doesn't compute in float16: convolution and its family, layers, losses."""

X = np.array([[0.1, -1.5, 2.25], [0.75, 3.0, -0.3]], np.float16)
LARGE = np.array([[6e4, 3e4, -6e4], [5e4, -3e4, 0.01]], np.float16)
ARGUMENTS = ((), ("x",), (1,), (0, 1), ("x", "x"), (0.5,), ("mask",), ((2, 3),), ("x", "mask"))
"""What follows the first tensor; the first that torch takes is compared."""

DRAWN = re.compile(r"rand|drop|bernoulli|multinomial|poisson|normal|rrelu|gumbel|empty")
"""Values that are drawn, or nobody's."""

SKIPPED = ("compile", "from_numpy", "as_tensor", "tensor", "save", "cholesky", "svd", "frombuffer")


def names():
    """The functions that both have, by dotted name."""
    for prefix in ("", "nn.functional.", "special.", "linalg."):
        ours, theirs = minicnn, torch
        for part in prefix.split(".")[:-1]:
            ours, theirs = getattr(ours, part, None), getattr(theirs, part)
        for name in sorted(set(dir(ours)) & set(dir(theirs))):
            both = inspect.isroutine(getattr(ours, name)) and inspect.isroutine(getattr(theirs, name))
            if both and not name.startswith(("_", "set_")) and not DRAWN.search(name) and name not in SKIPPED:
                yield prefix + name


def found(module, name):
    for part in name.split("."):
        module = getattr(module, part)
    return module


def call(module, name, array, arguments):
    """The results, flat."""
    values = {"x": array, "mask": array > 0}
    given = [module.from_numpy(values[a].copy()) if isinstance(a, str) else a for a in arguments]
    result = found(module, name)(module.from_numpy(array.copy()), *given)
    return list(result) if isinstance(result, (list, tuple)) else [result]


def is_tensor(value):
    return isinstance(value, (torch.Tensor, minicnn.Tensor))


@pytest.mark.parametrize("name", names())
def test_function(name):
    """Numbers of the usual size, and such as overflow float16 on the way."""
    for array in (X, LARGE):
        for arguments in ARGUMENTS:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                theirs = outcome(call, torch, name, array, arguments)
                wide = outcome(call, torch, name, array.astype(np.float32), arguments)
            if not isinstance(theirs, Exception) and any(is_tensor(t) and t.dtype == torch.float16 for t in theirs):
                compare(name, outcome(call, minicnn, name, array, arguments), theirs, wide)
                break


def compare(name, ours, theirs, wide):
    if isinstance(ours, Exception):
        assert isinstance(ours, TypeError), f"{name}: {ours!r}"
        assert REFUSED.search(str(ours)), f"{name}: {ours!r}"
        return
    for a, b, c in zip(ours, theirs, theirs if isinstance(wide, Exception) else wide, strict=True):
        if not is_tensor(b):
            continue
        assert str(a.dtype) == str(b.dtype), name
        assert tuple(a.shape) == tuple(b.shape), name
        with np.errstate(all="ignore"):
            values, exact = np.asarray(a), c.numpy(force=True).astype(np.asarray(a).dtype)
        if values.dtype == np.float16 and not np.array_equal(values, b.numpy(), equal_nan=True):
            np.testing.assert_allclose(values, exact, rtol=2**-10, err_msg=name)  # a float32 close to a midpoint


@pytest.mark.parametrize("sign", ["+", "-", "*", "/", "**", "//", "%", "<", "==", ">="])
@pytest.mark.parametrize("number", [0.1, 3, -2.5, 1e5])
def test_beside_a_number(sign, number):
    for array in (X, LARGE):
        ours, theirs = (
            outcome(eval, f"x {sign} {number}", {"x": module.from_numpy(array.copy())}) for module in (minicnn, torch)
        )
        if isinstance(theirs, Exception):
            assert isinstance(ours, RuntimeError), f"{ours!r}, torch {theirs!r}"
            continue
        assert str(ours.dtype) == str(theirs.dtype)
        np.testing.assert_allclose(ours.numpy().astype(float), theirs.numpy().astype(float), rtol=2**-10)


@pytest.mark.parametrize(
    "name", ["sin", "exp", "tanh", "relu", "square", "add", "mul", "div", "maximum", "lerp", "pow"]
)
def test_gradients_are_float16(name):
    count = {"lerp": 3, "add": 2, "mul": 2, "div": 2, "maximum": 2, "pow": 2}.get(name, 1)
    arrays = [np.abs(X), np.abs(X[::-1]) + 1, X][:count]

    def gradients(module, dtype):
        leaves = [module.from_numpy(array.astype(dtype)).requires_grad_() for array in arrays]
        found(module, name)(*leaves).sum().backward()
        return [leaf.grad for leaf in leaves]

    for a, b, c in zip(
        gradients(minicnn, "float16"), gradients(torch, "float16"), gradients(torch, "float32"), strict=True
    ):
        assert str(a.dtype) == str(b.dtype)
        np.testing.assert_allclose(a.numpy(), c.numpy().astype(np.float16), rtol=2**-9, atol=2**-12)
