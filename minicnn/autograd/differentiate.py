"""`backward` and `grad`: what programs ask of the graph."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn.autograd.leaves import hand_over
from minicnn.autograd.recorded import hand_over_recorded, run_recorded
from minicnn.autograd.variable import Variable
from minicnn.autograd.walk import run_backward


def backward(
    tensors: Variable | Sequence[Variable],
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    grad_variables: Any = None,
    inputs: Variable | Sequence[Variable] | None = None,
) -> None:
    """Accumulate, in every leaf's `.grad`, the gradient of the sum of `tensors`.

    Args:
        tensors: one Tensor or several.
        grad_tensors: for each its gradient, of its shape; None for a single-element tensor.
        retain_graph: keep the graph, so that it can be walked again.
        create_graph: record the walk, so that the gradients have gradients; the graph is kept then, too.
        grad_variables: the old name of `grad_tensors`.
        inputs: accumulate in these tensors' `.grad` alone; one that isn't a leaf retains its gradient from then on.

    Raises:
        RuntimeError: where a tensor has no graph, isn't a single element and comes without gradient, comes
            with one of another shape, or was walked already; for no inputs, or one that requires no gradient; with
            `create_graph` at an operation that has no gradient of its gradient.
    """
    if grad_variables is not None:
        warnings.warn("`grad_variables` is deprecated. Use `grad_tensors` instead.", FutureWarning, stacklevel=2)
        if grad_tensors is not None:
            raise RuntimeError("backward takes grad_tensors or grad_variables, the old name, not both")
        grad_tensors = grad_variables
    roots = _listed(tensors)
    retain_graph = create_graph if retain_graph is None else bool(retain_graph)
    if create_graph:
        warnings.warn(
            "backward with create_graph=True leaves a cycle: a parameter holds its gradient, whose graph holds the "
            "parameter. autograd.grad leaves none; otherwise set .grad to None when it is no longer needed.",
            UserWarning,
            stacklevel=2,
        )
    walk: Any = run_recorded if create_graph else run_backward
    starts = (_start_tensors if create_graph else _start_gradients)(roots, grad_tensors)
    if inputs is None:
        walk(roots, starts, retain_graph)
        return
    targets = list({id(target): target for target in _listed(inputs)}.values())  # one that is named twice counts once
    if not targets:
        raise RuntimeError("`inputs` argument to `backward()` cannot be empty.")
    for target in targets:
        if not _requires_grad(target):
            raise RuntimeError(f"backward's input of shape {target._array.shape} does not require grad")
        if target._node is not None:
            target._node.retain(target)  # from now on, as in PyTorch
    for target, gradient in zip(targets, walk(roots, starts, retain_graph, targets), strict=True):
        if gradient is None or target._node is not None:
            continue
        if create_graph:
            hand_over_recorded(target, gradient)
        else:
            hand_over(target, gradient.copy())


def _requires_grad(target: Variable) -> bool:
    """Whether a tensor does, or what it is a view of."""
    target._catch_up()
    view = target._view
    return target._requires_grad or (view is not None and view.root._requires_grad)


def grad(
    outputs: Variable | Sequence[Variable],
    inputs: Variable | Sequence[Variable],
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple:
    """The gradients of the sum of `outputs` with respect to each of `inputs`; no `.grad` changes.

    Args:
        outputs: one Tensor or several.
        inputs: one Tensor or several, each requiring a gradient.
        grad_outputs: for each output its gradient; None for a single-element output.
        retain_graph: keep the graph, so that it can be walked again.
        create_graph: record the walk, so that the gradients have gradients; the graph is kept then, too.
        only_inputs: has no effect; PyTorch deprecated it.
        allow_unused: give None for an input that no output depends on, instead of raising.
        is_grads_batched: False: `grad_outputs` holds one gradient for each output.
        materialize_grads: give zeros for an input that no output depends on.

    Returns: a tuple with a Tensor of each input's shape.

    Raises:
        RuntimeError: as `backward`; also for an input that doesn't require a gradient or isn't used, and for
            `is_grads_batched`.
        ValueError: for `materialize_grads` where `allow_unused` is False.
    """
    if not only_inputs:
        warnings.warn(
            "only_inputs argument is deprecated and is ignored now (defaults to True). To accumulate gradient for "
            "other parts of the graph, please use torch.autograd.backward.",
            FutureWarning,
            stacklevel=2,
        )
    if is_grads_batched:
        raise RuntimeError("minicnn differentiates one gradient at a time; call grad for each, not is_grads_batched")
    if materialize_grads and allow_unused is False:
        raise ValueError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, but got: allow_unused=False."
        )
    roots, targets = _listed(outputs), _listed(inputs)
    for target in targets:
        if not _requires_grad(target):
            raise RuntimeError("one of the inputs does not require grad")
    retain_graph = create_graph if retain_graph is None else bool(retain_graph)
    if create_graph:
        found = run_recorded(roots, _start_tensors(roots, grad_outputs), retain_graph, targets)
    else:
        arrays = run_backward(roots, _start_gradients(roots, grad_outputs), retain_graph, targets)
        found = [None if array is None else Variable._computed(array.copy()) for array in arrays]
    if materialize_grads:
        pairs = zip(found, targets, strict=True)
        found = [Variable._computed(np.zeros_like(t._array)) if gradient is None else gradient for gradient, t in pairs]
    for position, gradient in enumerate(found):
        if gradient is None and not allow_unused:
            raise RuntimeError(
                f"The differentiated Tensor at index {position} appears to not have been used in the graph. Set "
                "allow_unused=True if this is the desired behavior."
            )
    return tuple(found)


def _listed(tensors: Any) -> list[Variable]:
    listed = [tensors] if isinstance(tensors, Variable) else list(tensors)
    for tensor in listed:
        if not isinstance(tensor, Variable):
            raise TypeError(f"expected Tensors, got {type(tensor).__name__}")
    return listed


def _start_tensors(roots: list[Variable], gradients: Any) -> list[Variable]:
    """As `_start_gradients`, as Tensors: those given, with their places in a graph."""
    given = _given_for(roots, gradients)
    arrays = [_start_gradient(root, gradient) for root, gradient in zip(roots, given, strict=True)]
    return [
        one if isinstance(one, Variable) else Variable._computed(array)
        for one, array in zip(given, arrays, strict=True)
    ]


def _start_gradients(roots: list[Variable], gradients: Any) -> list[np.ndarray]:
    """The gradients to start from: ones for single elements, otherwise what was given, checked."""
    given = _given_for(roots, gradients)
    return [_start_gradient(root, gradient) for root, gradient in zip(roots, given, strict=True)]


def _given_for(roots: list[Variable], gradients: Any) -> list:
    """For each root the gradient that was given, or None."""
    if gradients is None:
        gradients = [None] * len(roots)
    elif isinstance(gradients, (Variable, np.ndarray)):
        gradients = [gradients]
    if len(gradients) != len(roots):
        raise RuntimeError(f"got {len(roots)} tensors and {len(gradients)} gradients")
    return list(gradients)


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
