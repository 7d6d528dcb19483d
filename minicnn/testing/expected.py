"""The right answer to a case, in float64, and the sizes that the rounding bound is made of."""

import importlib
import importlib.util
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np

from minicnn.testing.bounds import C
from minicnn.testing.case import Case

FEW_TERMS = 8
MANY_TERMS = 2**9


@dataclass(frozen=True)
class Expected:
    """What an operation gives: results by name, "y" first, then the gradients, and their magnitudes.

    Attributes:
        values: in float64.
        magnitudes: the sizes of the scaled bound, of the same shapes; None for a result that is exact.
    """

    values: dict[str, np.ndarray]
    magnitudes: dict[str, np.ndarray | None]


@cache
def with_torch() -> bool:
    """Whether PyTorch is there to ask. minicnn answers otherwise."""
    return importlib.util.find_spec("torch") is not None


def oracle_name() -> str:
    """Who gives the right answers, in words."""
    return "PyTorch in float64" if with_torch() else "minicnn's plain loops in float64 (PyTorch is not installed)"


@contextmanager
def one_thread() -> Iterator[None]:
    """Let PyTorch compute without other threads, which a fork of this process would miss."""
    if not with_torch():
        yield
        return
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def expected(case: Case, gradients: bool, factor: float | None = None) -> Expected:
    """Results and magnitudes of a case; with `gradients` those with respect to its float arrays too.

    With a `factor` there are magnitudes for sums that are exact, too.
    """
    exact = compute(case, gradients)
    if case.operation.magnitude is not None:
        return Expected(exact, case.operation.magnitude(case, exact))
    if factor is not None and not case.operation.copies:  # what rearranges sums mixes all numbers of an array
        sizes = compute(case, gradients, absolute="largest")
        return Expected(exact, {name: np.maximum(size, _product(case, name, exact)) for name, size in sizes.items()})
    if case.exact:
        return Expected(exact, dict.fromkeys(exact))
    if case.operation.copies:  # what is chosen may not change; only gradients are added up
        sizes = compute(case, gradients, absolute="gradients") if gradients else {}
        return Expected(exact, {name: None if name == "y" else sizes[name] for name in exact})
    return Expected(exact, dict(compute(case, gradients, absolute="everything")))


def _product(case: Case, name: str, exact: dict[str, np.ndarray]) -> float:
    """The largest product that a bilinear operation may form for a result, whatever its windows see."""
    if not case.operation.bilinear or (case.arrays["bias"] is not None and name == grad_name("bias")):
        return 0.0
    factors = {"y": case.grad_output(exact["y"].shape)} | {grad_name(n): case.arrays[n] for n in ("input", "weight")}
    return float(
        np.prod([np.abs(array).max(initial=0) for one, array in factors.items() if one != name and array is not None])
    )


def compute(case: Case, gradients: bool, absolute: str = "") -> dict[str, np.ndarray]:
    """The operation by the oracle, on copies in float64; with `absolute` on absolute values of "everything", or of
    the incoming "gradients"; with the "largest" of each array in all its places."""
    operation = case.operation

    def prepared(array: np.ndarray) -> np.ndarray:
        copy = np.array(array, np.float64 if array.dtype.kind == "f" else array.dtype, order="C")
        if copy.dtype.kind != "f":
            return copy
        if absolute == "largest":
            return np.full_like(copy, np.abs(copy).max(initial=0))
        return np.abs(copy) if absolute == "everything" else copy

    arrays = {name: None if a is None else prepared(a) for name, a in case.arrays.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _by_library("torch" if with_torch() else "minicnn", operation, case, arrays, gradients, absolute)


def _by_library(
    library_name: str, operation: Any, case: Case, arrays: dict, gradients: bool, absolute: str
) -> dict[str, np.ndarray]:
    library = importlib.import_module(library_name)
    functional = importlib.import_module(f"{library_name}.nn.functional") if library_name == "torch" else PlainLoops()
    tensors: dict[str, Any] = {name: None if a is None else library.from_numpy(a) for name, a in arrays.items()}
    differentiable = [name for name in operation.floats if gradients and tensors[name] is not None]
    for name in differentiable:
        tensors[name].requires_grad_(True)
    y = operation.call(functional, tensors, case.options)
    results = {"y": np.array(y.detach().numpy())}
    for name in operation.updates:
        if tensors.get(name) is not None:
            results[name] = tensors[name].detach().numpy()
    if differentiable:
        grad = np.array(case.grad_output(tuple(y.shape)), np.float64, order="C")
        if absolute == "largest":
            grad = np.full_like(grad, np.abs(grad).max(initial=0))
        y.backward(library.from_numpy(np.abs(grad) if absolute else grad))
        for name in differentiable:
            grad = tensors[name].grad
            shape = arrays[name].shape
            results[grad_name(name)] = np.zeros(shape) if grad is None else np.array(grad.numpy())
    return results


class PlainLoops:
    """minicnn's functions, convolutions by their seven loops, forward and backward: no tile, no rewrite is trusted."""

    def __getattr__(self, name: str) -> Any:
        function = getattr(importlib.import_module("minicnn.nn.functional"), name)
        return partial(function, algorithm="naive") if name in ("conv2d", "conv_transpose2d") else function


def grad_name(array: str) -> str:
    """What the gradient with respect to an array is called."""
    return f"the gradient with respect to {array}"


def factor_of(case: Case, factor: float | None) -> float:
    """The factor of the rounding bound for a case, out of the one that its author states, if any.

    An honest sum of n terms is at most n · eps / 2 · Σ |terms| off; of up to 512 normally distributed ones 4 is never
    reached (see `minicnn.testing.bounds`).
    """
    terms = case.operation.terms(case.fields)
    spread = case.fields["values"] == "reals" or case.fields["layout"] == "broadcast"
    allowed = C if terms <= (FEW_TERMS if spread else MANY_TERMS) else max(C, terms / 2)
    return max(allowed, factor or 0.0)
