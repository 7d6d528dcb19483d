"""Derivatives of functions: the Jacobian, and its product with a vector."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn.autograd.differentiate import grad
from minicnn.autograd.mode import enable_grad
from minicnn.autograd.variable import Variable
from minicnn.compat import missing

__all__ = ["jacobian", "vjp"]


def jacobian(
    func: Callable,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """The derivative of every element that a function gives with respect to every element that it takes.

    Args:
        func: takes Tensors, gives a Tensor or a tuple of them.
        inputs: its argument, a Tensor, or a tuple of its arguments; floating point.
        create_graph: False: there are no gradients of gradients.
        strict: whether to raise where an output depends on an input in no way, instead of giving zeros.
        vectorize: False: one element is differentiated after another.
        strategy: "reverse-mode".

    Returns: for one output and one input a Tensor of the output's shape followed by the input's. A tuple of those over
        the inputs where `inputs` is a tuple, and around that a tuple over the outputs where `func` gives one.

    Raises:
        TypeError: where inputs or outputs aren't Tensors.
        RuntimeError: for `create_graph`, and for a missing dependence where `strict` asks for it.
        NotImplementedError: for `vectorize` and for another strategy.
    """
    if vectorize or strategy != "reverse-mode":
        raise NotImplementedError(
            "minicnn computes the Jacobian element by element, in reverse mode: leave vectorize out"
        )
    leaves, outputs = _called(func, inputs, "jacobian")
    rows = tuple(
        tuple(
            Variable._computed(_derivative(output, position, leaf, leaf_position, strict))
            for leaf_position, leaf in enumerate(leaves)
        )
        for position, output in enumerate(_tuple(outputs))
    )
    by_output = tuple(row if isinstance(inputs, tuple) else row[0] for row in rows)
    return by_output if isinstance(outputs, tuple) else by_output[0]


def vjp(func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple:
    """The product of a vector and the Jacobian: the gradient of the sum of v · func(inputs).

    Args:
        func, inputs, create_graph, strict: as for `jacobian`.
        v: a Tensor of the shape of each output; None for a single output of one element.

    Returns: what `func` gives, and the gradient with respect to each input.

    Raises:
        TypeError, RuntimeError: as `jacobian`; RuntimeError for `v` of another shape.
    """
    leaves, outputs = _called(func, inputs, "vjp")
    if v is None:
        if isinstance(outputs, tuple) or outputs._array.size != 1:
            raise RuntimeError(
                "The vector v can only be None if the user-provided function returns a single Tensor with a single "
                "element."
            )
        vectors: tuple = (Variable._computed(np.ones_like(outputs._array)),)
    else:
        vectors = _tuple(v)
    pairs = list(zip(vectors, _tuple(outputs), strict=True))
    for vector, output in pairs:
        if vector._array.shape != output._array.shape:
            raise RuntimeError(f"v has shape {vector._array.shape}, the output {output._array.shape}")
    recorded = [(vector, output) for vector, output in pairs if output.requires_grad]
    if strict and len(recorded) < len(pairs):
        raise RuntimeError("an output doesn't depend on the inputs, and strict=True")
    gradients = _gradients([output for _, output in recorded], leaves, [vector for vector, _ in recorded], strict)
    found = tuple(map(Variable._computed, gradients))
    plain = tuple(output.detach() for output in _tuple(outputs))
    return plain if isinstance(outputs, tuple) else plain[0], found if isinstance(inputs, tuple) else found[0]


def _tuple(values: Any) -> tuple:
    return values if isinstance(values, tuple) else (values,)


def _called(func: Callable, inputs: Any, name: str) -> tuple[list, Any]:
    """Copies of the inputs that require gradients, and what the function gives for them."""
    _check(inputs, f"inputs given to {name}")
    leaves = [value.detach().clone().requires_grad_() for value in _tuple(inputs)]
    with enable_grad():
        outputs = func(*leaves)
    _check(outputs, f"outputs of the function given to {name}")
    return leaves, outputs


def _check(values: Any, what: str) -> None:
    if not all(isinstance(value, Variable) for value in _tuple(values)):
        raise TypeError(f"The {what} must be either a Tensor or a tuple of Tensors, got {type(values)}")


def _derivative(output: Any, position: int, leaf: Any, leaf_position: int, strict: bool) -> np.ndarray:
    """Output's shape followed by the leaf's."""
    shape = output._array.shape
    if not output.requires_grad:
        if strict:
            raise RuntimeError(f"output {position} doesn't depend on the inputs, and strict=True")
        return np.zeros((*shape, *leaf._array.shape), leaf._array.dtype)
    derivative = np.zeros((*shape, *leaf._array.shape), leaf._array.dtype)
    for index in np.ndindex(shape):
        start = np.zeros_like(output._array)
        start[index] = 1
        found = grad(output, leaf, Variable._computed(start), retain_graph=True, allow_unused=True)[0]
        if found is not None:
            derivative[index] = found._array
        elif strict:
            raise RuntimeError(f"output {position} doesn't depend on input {leaf_position}, and strict=True")
    return derivative


def _gradients(outputs: list, leaves: list, vectors: list, strict: bool) -> list[np.ndarray]:
    found = grad(outputs, leaves, vectors, allow_unused=True) if outputs else (None,) * len(leaves)
    if strict and any(gradient is None for gradient in found):
        raise RuntimeError("the output doesn't depend on an input, and strict=True")
    return [
        np.zeros_like(leaf._array) if gradient is None else gradient._array
        for leaf, gradient in zip(leaves, found, strict=True)
    ]


__getattr__ = missing.getattr_of(__name__, lambda: __all__)
