"""The same program on minicnn and on PyTorch: equal results and dtypes, or an error from both."""

import ast
import textwrap
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import settings

import minicnn
from minicnn import Tensor

MARGIN = 16
"""How much larger than PyTorch's own rounding error ours may be; the two add in different orders."""

DEFAULT_EXAMPLES = 60
"""What the default profile draws in tests that name no number."""

ERRORS = (ValueError, TypeError, RuntimeError, IndexError, ZeroDivisionError, AttributeError)


def since(release: str) -> pytest.MarkDecorator:
    """The mark of a test whose rule PyTorch has had since `release`; minicnn does what the newest does."""
    return pytest.mark.skipif(torch.__version__ < release, reason=f"compared from PyTorch {release} on")


def examples(number: int) -> int:
    """How many examples a test of its own `number` draws: as many times more as this profile draws than the default."""
    return max(number * settings.default.max_examples // DEFAULT_EXAMPLES, 1)


def torch_of(value: Any) -> Any:
    """`value` with torch tensors in place of minicnn's, arrays and dtypes, nested as it was."""
    if isinstance(value, Tensor):
        return torch.from_numpy(value.detach().numpy().copy()).requires_grad_(value.requires_grad)
    if isinstance(value, np.ndarray):
        return torch.from_numpy(value.copy())
    if isinstance(value, (np.dtype, minicnn.dtype)):
        return getattr(torch, np.dtype(value).name)
    if isinstance(value, (list, tuple)):
        return type(value)(torch_of(item) for item in value)
    if isinstance(value, dict):
        return {key: torch_of(item) for key, item in value.items()}
    if isinstance(value, slice):
        return slice(*[torch_of(bound) for bound in (value.start, value.stop, value.step)])
    return value


def outcome(function: Callable, *arguments: Any) -> Any:
    """What `function(*arguments)` returns, or the exception it raises."""
    try:
        return function(*arguments)
    except Exception as error:
        return error


def assert_same(ours: Any, theirs: Any, rtol: float = 0.0, what: str = "", terms: float = 1.0) -> None:
    """Equal values (within `rtol`, NaN equal to NaN), shapes and dtypes; or two exceptions.

    Args:
        terms: how large the terms of a sum are that may cancel; `rtol` of that is allowed, too.
    """
    if isinstance(ours, Exception) or isinstance(theirs, Exception):
        both = isinstance(ours, Exception) and isinstance(theirs, Exception)
        assert both, f"{what}: minicnn {ours!r}, torch {theirs!r}"
        assert isinstance(ours, ERRORS), repr(ours)
        return
    if isinstance(theirs, torch.Tensor):
        assert isinstance(ours, Tensor), f"{what}: minicnn {ours!r}, torch {theirs!r}"
        assert str(ours.dtype) == str(theirs.dtype), f"{what}: minicnn {ours!r}, torch {theirs!r}"
        assert tuple(ours.shape) == tuple(theirs.shape), f"{what}: minicnn {ours!r}, torch {theirs!r}"
        expected = theirs.detach().numpy()
        np.testing.assert_allclose(ours.detach().numpy(), expected, rtol=rtol, atol=rtol * terms, err_msg=what)
    elif isinstance(theirs, (list, tuple)):
        assert len(ours) == len(theirs), f"{what}: minicnn {ours!r}, torch {theirs!r}"
        for a, b in zip(ours, theirs, strict=True):
            assert_same(a, b, rtol, what, terms)
    else:
        assert ours == theirs or (ours != ours and theirs != theirs), f"{what}: minicnn {ours!r}, torch {theirs!r}"


def assert_agrees(program: Callable, *values: Any, rtol: float = 0.0, what: str = "", terms: float = 1.0) -> None:
    """`program(module, *values)` gives the same on minicnn and on torch, gradients included.

    Tensors among `values` that require a gradient get one from the sum of every floating-point result, each
    element weighted differently.
    """
    copies = torch_of(list(values))  # before minicnn's run, which may change them
    ours, theirs = outcome(_run, program, minicnn, list(values)), outcome(_run, program, torch, copies)
    assert_same(ours, theirs, rtol, what or repr(values), terms)


def largest_terms(program: Callable, *values: Any) -> float:
    """How large the terms are that `program` and its gradients add up, at least 1: its results for absolute values."""
    copies = [abs(one.detach()).requires_grad_(one.requires_grad) for one in torch_of(list(values))]
    results = outcome(_run, program, torch, copies)
    if isinstance(results, Exception):
        return 1.0
    sizes = [one.detach().abs().nan_to_num(0, 0, 0).max().item() for one in (results[0], *results[1]) if one.numel()]
    return max([1.0, *sizes])


def _run(program: Callable, module: Any, values: list) -> Any:
    leaves = [v for v in values if isinstance(v, (Tensor, torch.Tensor)) and v.requires_grad]
    for leaf in leaves:
        leaf.grad = None
    result = program(module, *values)
    results = list(result) if isinstance(result, (list, tuple)) else [result]
    for r in results:
        if isinstance(r, (Tensor, torch.Tensor)) and r.requires_grad:
            weights = np.arange(1, r.numel() + 1, dtype=str(r.dtype).removeprefix("torch.")).reshape(tuple(r.shape))
            r.backward(module.from_numpy(weights), retain_graph=True)
    return [result, [_gradient(leaf, module) for leaf in leaves]]


def _gradient(leaf: Any, module: Any) -> Any:
    """The leaf's gradient, zeros where none came: torch now and then leaves out a gradient of zeros."""
    return module.zeros_like(leaf.detach()) if leaf.grad is None else leaf.grad


def assert_rounding_apart(actual, exact, single, what):
    """Whether two computations differ by rounding alone.

    How a network amplifies rounding errors is measured: PyTorch's float32 result is off from its float64 result by so
    much, in units of float32's eps. In units of its own eps, `actual` may be off by `MARGIN` times as much.

    Args:
        actual: minicnn's result, float32 or float64.
        exact: PyTorch's, float64.
        single: PyTorch's, float32.
        what: what to call it.
    """
    actual, exact, single = (np.asarray(tensor.detach()) for tensor in (actual, exact, single))
    assert actual.shape == exact.shape, what
    eps = np.finfo(np.float32).eps
    amplified = np.abs(single - exact).max(initial=0) / eps + np.abs(exact).max(initial=0)
    allowed = MARGIN * np.finfo(actual.dtype).eps * amplified
    error = np.abs(actual - exact).max(initial=0)
    assert error <= allowed, f"{what}: off by {error:.3g}, allowed {allowed:.3g}"


def assert_computes_alike(program: Callable, *arrays: np.ndarray, layout: Any = None) -> None:
    """`program(module, *tensors)` on minicnn, in float32 and float64, is off from PyTorch by rounding alone.

    So are the gradients with respect to all tensors, given whole numbers as the gradient with respect to the result.

    Args:
        program: computes one tensor, with the names that both modules have.
        arrays: values in float64.
        layout: how the first one lies in memory for minicnn, a `testing.arrays.Layout`.
    """
    if layout is not None:
        arrays = (layout.of(arrays[0]).copy(order="C"), *arrays[1:])  # some layouts turn the values around
    exact = _computed(torch, program, arrays, np.dtype("float64"), None)
    single = _as_rounded(program, arrays, exact)
    for kind in ("float64", "float32"):
        ours = _computed(minicnn, program, arrays, np.dtype(kind), layout)
        for number, results in enumerate(zip(ours, exact, single, strict=True)):
            assert str(results[0].dtype).removeprefix("torch.") == kind
            assert_rounding_apart(*results, what="value" if not number else f"gradient {number}")


FACTORS = 1, 1 + 2**-10, 1 - 2**-10
"""Input values are multiplied by these to round the same computation in different ways; ties stay ties."""


def _as_rounded(program: Callable, arrays: tuple, exact: list) -> list:
    """`exact`, each off by as much as PyTorch's float32 results are, for the `FACTORS` where it is most.

    In a result of few numbers, rounding errors cancel now and then: one computation says too little about them.
    """
    found = [(0.0, one.detach()) for one in exact]
    for factor in FACTORS:
        scaled = tuple(factor * array for array in arrays)
        runs = [_computed(torch, program, scaled, np.dtype(kind), None) for kind in ("float64", "float32")]
        for number, (precise, rough) in enumerate(zip(*runs, strict=True)):
            error = (rough.detach() - precise.detach()).abs()
            most = error.max().item() if error.numel() else 0.0
            if not most <= found[number][0]:  # NaN too
                found[number] = most, exact[number].detach() + error
    return [one for _, one in found]


def _laid_out(values: np.ndarray, layout: Any) -> np.ndarray:
    """The same values in memory of that layout."""
    result = layout.of(values)
    result[...] = values
    return result


def _computed(module: Any, program: Callable, arrays: tuple, dtype: np.dtype, layout: Any) -> list:
    tensors = []
    for number, array in enumerate(arrays):
        values = np.ascontiguousarray(array, dtype)
        if layout is not None and not number:
            values = _laid_out(values, layout)
        tensors.append(module.from_numpy(values).requires_grad_())
    result = program(module, *tensors)
    weights = np.random.default_rng(0).integers(-4, 5, tuple(result.shape)).astype(dtype)
    result.backward(module.from_numpy(np.asarray(weights)))
    return [result, *(_gradient(tensor, module) for tensor in tensors)]


def assert_same_session(source: str) -> None:
    """Every expression of a program over `T`, `nn` and `np` is the same in both modules.

    Numbers and Tensors by value, to 4 digits; anything else as it prints; errors by their kind. `A(2, 3)` gives a
    Tensor of normally distributed numbers, the same on both sides.
    """
    ours, theirs = (_session(module, textwrap.dedent(source)) for module in (minicnn, torch))
    for (line, mine), (_, other) in zip(ours, theirs, strict=True):
        if isinstance(other, Exception):
            known = isinstance(mine, (type(other), *ERRORS)) and isinstance(mine, Exception)
            assert known, f"{line}: minicnn {mine!r}, torch {other!r}"
        else:
            assert mine == other or _close(mine, other), f"{line}: minicnn {mine!r}, torch {other!r}"


def _session(module: Any, source: str) -> list[tuple[str, Any]]:
    rng = np.random.default_rng(0)
    names = {
        "T": module,
        "nn": module.nn,
        "np": np,
        "A": lambda *shape: module.from_numpy(rng.standard_normal(shape).astype(np.float32)),
    }
    results = []
    for statement in ast.parse(source).body:
        line = ast.unparse(statement)
        if isinstance(statement, ast.Expr):
            try:
                results.append((line, _plain(eval(line, names))))
            except Exception as error:
                results.append((line, error))
        else:
            exec(compile(ast.Module([statement], []), line, "exec"), names)
    return results


def _plain(value: Any) -> Any:
    """What is compared of a value."""
    if isinstance(value, (Tensor, torch.Tensor)):
        return value.detach().numpy().tolist()
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value if isinstance(value, (int, float, str)) else repr(value)


def _close(mine: Any, other: Any) -> bool:
    if isinstance(mine, list) and isinstance(other, list):
        return len(mine) == len(other) and all(map(_close, mine, other))
    if isinstance(mine, float) and isinstance(other, float):
        return abs(mine - other) <= 1e-4 * max(1, abs(other))
    return mine == other
