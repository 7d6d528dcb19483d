"""Jacobians, Hessians and their products with vectors, beside PyTorch's."""

from typing import Any

import numpy as np
import pytest
import torch

import minicnn

FUNCTIONS = {
    "one input": (lambda T, a: (a.exp() * a.sum()).sum(), 1),
    "two inputs": (lambda T, a, b: (a.sin() * b**2).sum(), 2),
    "an unused input": (lambda T, a, b: (a**3).sum(), 2),
    "matrices": (lambda T, a, b: (a @ b.T).tanh().sum(), 2),
}
SEVERAL = {
    "one output": (lambda T, a: a**3 * a.sum(), 1),
    "two outputs": (lambda T, a, b: (a * b, (a.exp() + b).sum(0)), 2),
    "an unused input": (lambda T, a, b: a**2, 2),
}


def numbers(value: Any) -> Any:
    if isinstance(value, (tuple, list)):
        return [numbers(one) for one in value]
    return value.detach().numpy()


def flat(value: Any) -> list:
    return [one for part in value for one in flat(part)] if isinstance(value, list) else [value]


def arguments(T: Any, count: int, seed: int = 0) -> Any:
    drawn = np.random.default_rng(seed).standard_normal((count, 2, 3))
    tensors = tuple(T.tensor(array, requires_grad=True) for array in drawn)
    return tensors if count > 1 else tensors[0]


def agree(mine: Any, theirs: Any) -> None:
    assert str(type(mine).__name__) == str(type(theirs).__name__)
    mine, theirs = flat(numbers(mine)), flat(numbers(theirs))
    assert len(mine) == len(theirs)
    for one, other in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("name", ["hvp", "vhp", "hessian"])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_second_derivatives(function: str, name: str, create_graph: bool) -> None:
    compute, count = FUNCTIONS[function]
    found = []
    for T in (minicnn, torch):
        inputs = arguments(T, count)
        extra = () if name == "hessian" else (arguments(T, count, 1),)
        call = getattr(T.autograd.functional, name)
        found.append(call(lambda *tensors, T=T: compute(T, *tensors), inputs, *extra, create_graph=create_graph))
    agree(*found)


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("name", ["jacobian", "vjp", "jvp"])
@pytest.mark.parametrize("function", SEVERAL)
def test_first_derivatives(function: str, name: str, create_graph: bool) -> None:
    compute, count = SEVERAL[function]
    found = []
    for T in (minicnn, torch):
        inputs = arguments(T, count)
        outputs = compute(T, *(inputs if count > 1 else (inputs,)))
        along = {"vjp": outputs, "jvp": inputs}.get(name)
        extra = ()
        if along is not None:
            vectors = [T.ones_like(one).detach() * 2 for one in (along if isinstance(along, tuple) else (along,))]
            extra = (tuple(vectors) if isinstance(along, tuple) else vectors[0],)
        call = getattr(T.autograd.functional, name)
        found.append(call(lambda *tensors, T=T: compute(T, *tensors), inputs, *extra, create_graph=create_graph))
    agree(*found)


@pytest.mark.parametrize("name", ["jacobian", "hessian"])
def test_derivatives_with_a_graph_have_gradients(name: str) -> None:
    found = []
    for T in (minicnn, torch):
        x = T.tensor([[0.3, -1.2], [2.0, 0.5]], requires_grad=True)
        function = {"jacobian": lambda x: x**3, "hessian": lambda x: (x**4).sum()}[name]
        derivative = getattr(T.autograd.functional, name)(function, x, create_graph=True)
        (derivative**2).sum().backward()
        found.append(x.grad)
    agree(*found)


def test_refusals() -> None:
    x = minicnn.ones(2, requires_grad=True)
    functional = minicnn.autograd.functional
    with pytest.raises(RuntimeError, match="single element"):
        functional.hessian(lambda x: x * 2, x)
    with pytest.raises(RuntimeError, match="v has shape"):
        functional.jvp(lambda x: x * 2, x, minicnn.ones(3))
    with pytest.raises(RuntimeError, match="can only be None"):
        functional.vhp(lambda x: x.sum(), x)
    with pytest.raises(TypeError, match="must be either a Tensor"):
        functional.jvp(lambda x: 2, x, x)
    with pytest.raises(NotImplementedError, match="vectorize"):
        functional.hessian(lambda x: x.sum(), x, vectorize=True)
    with pytest.raises(RuntimeError, match="strict"):
        functional.hvp(lambda a, b: a.sum(), (x, x), (x, x), strict=True)
