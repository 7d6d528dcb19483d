"""`backward` and `grad`: what programs ask of the graph."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn.autograd.graph import run_backward
from minicnn.autograd.variable import Variable


def backward(
    tensors: Variable | Sequence[Variable], grad_tensors: Any = None, retain_graph: bool | None = None
) -> None:
    """Accumulate, in every leaf's `.grad`, the gradient of the sum of `tensors`.

    Args:
        tensors: one Tensor or several.
        grad_tensors: for each its gradient, of its shape; None for a single-element tensor.
        retain_graph: keep the graph, so that it can be walked again.

    Raises:
        RuntimeError: where a tensor has no graph, isn't a single element and comes without gradient, comes
            with one of another shape, or was walked already.
    """
    roots = _listed(tensors)
    run_backward(roots, _start_gradients(roots, grad_tensors), bool(retain_graph))


def grad(
    outputs: Variable | Sequence[Variable],
    inputs: Variable | Sequence[Variable],
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    *,
    allow_unused: bool = False,
) -> tuple:
    """The gradients of the sum of `outputs` by each of `inputs`; no `.grad` changes.

    Args:
        outputs: one Tensor or several.
        inputs: one Tensor or several, each requiring a gradient.
        grad_outputs: for each output its gradient; None for a single-element output.
        retain_graph: keep the graph, so that it can be walked again.
        allow_unused: give None for an input that no output depends on, instead of raising.

    Returns: a tuple with a Tensor of each input's shape.

    Raises:
        RuntimeError: as `backward`; also for an input that doesn't require a gradient or isn't used.
    """
    roots, targets = _listed(outputs), _listed(inputs)
    for target in targets:
        target._catch_up()
        view = target._view
        if not (target._requires_grad or (view is not None and view.root._requires_grad)):
            raise RuntimeError("one of the inputs does not require grad")
    found = run_backward(roots, _start_gradients(roots, grad_outputs), bool(retain_graph), targets)
    if not allow_unused and any(gradient is None for gradient in found):
        raise RuntimeError("one of the inputs is not used by the outputs; pass allow_unused=True to get None")
    return tuple(None if gradient is None else Variable._computed(gradient.copy()) for gradient in found)


def _listed(tensors: Any) -> list[Variable]:
    listed = [tensors] if isinstance(tensors, Variable) else list(tensors)
    for tensor in listed:
        if not isinstance(tensor, Variable):
            raise TypeError(f"expected Tensors, got {type(tensor).__name__}")
    return listed


def _start_gradients(roots: list[Variable], gradients: Any) -> list[np.ndarray]:
    """The gradients to start from: ones for single elements, otherwise what was given, checked."""
    if gradients is None:
        gradients = [None] * len(roots)
    elif isinstance(gradients, (Variable, np.ndarray)):
        gradients = [gradients]
    if len(gradients) != len(roots):
        raise RuntimeError(f"got {len(roots)} tensors and {len(gradients)} gradients")
    return [_start_gradient(root, gradient) for root, gradient in zip(roots, gradients, strict=True)]


def _start_gradient(root: Variable, gradient: Any) -> np.ndarray:
    root._catch_up()
    array = root._array
    if not root._requires_grad:
        raise RuntimeError("the tensor to differentiate does not require grad and does not have a grad_fn")
    if gradient is None:
        if array.size != 1:
            raise RuntimeError(f"grad can be implicitly created only for scalar outputs, got shape {array.shape}")
        return np.ones_like(array)
    if not isinstance(gradient, (Variable, np.ndarray)):
        raise TypeError(f"gradients can be either Tensors or None, but got {type(gradient).__name__}")
    given = gradient._array if isinstance(gradient, Variable) else gradient
    if given.shape != array.shape:
        raise RuntimeError(f"gradient has shape {given.shape}, but the output has shape {array.shape}")
    return given.astype(array.dtype, copy=False)
