"""The same program on minicnn and on PyTorch: equal results and dtypes, or an error from both."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import minicnn
from minicnn import Tensor

MARGIN = 16
"""How much larger than PyTorch's own rounding error ours may be; the two add in different orders."""

ERRORS = (ValueError, TypeError, RuntimeError, IndexError, ZeroDivisionError, AttributeError)


def since(release: str) -> pytest.MarkDecorator:
    """The mark of a test whose rule PyTorch has had since `release`; minicnn does what the newest does."""
    return pytest.mark.skipif(torch.__version__ < release, reason=f"compared from PyTorch {release} on")


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


def assert_same(ours: Any, theirs: Any, rtol: float = 0.0, what: str = "") -> None:
    """Equal values (within `rtol`, NaN equal to NaN), shapes and dtypes; or two exceptions."""
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
        np.testing.assert_allclose(ours.detach().numpy(), expected, rtol=rtol, atol=rtol, err_msg=what)
    elif isinstance(theirs, (list, tuple)):
        assert len(ours) == len(theirs), f"{what}: minicnn {ours!r}, torch {theirs!r}"
        for a, b in zip(ours, theirs, strict=True):
            assert_same(a, b, rtol, what)
    else:
        assert ours == theirs or (ours != ours and theirs != theirs), f"{what}: minicnn {ours!r}, torch {theirs!r}"


def assert_agrees(program: Callable, *values: Any, rtol: float = 0.0, what: str = "") -> None:
    """`program(module, *values)` gives the same on minicnn and on torch, gradients included.

    Tensors among `values` that require a gradient get one from the sum of every floating-point result, each
    element weighted differently.
    """
    copies = torch_of(list(values))  # before minicnn's run, which may change them
    ours, theirs = outcome(_run, program, minicnn, list(values)), outcome(_run, program, torch, copies)
    assert_same(ours, theirs, rtol, what or repr(values))


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
