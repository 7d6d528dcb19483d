"""`gradcheck`: the gradients that backward gives against central differences."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minicnn.autograd.differentiate import grad
from minicnn.autograd.mode import enable_grad, no_grad
from minicnn.autograd.storage import repeats, settle
from minicnn.autograd.variable import Variable
from minicnn.autograd.walk import run_backward


def gradcheck(
    func: Callable,
    inputs: Variable | Sequence,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
) -> bool:
    """Compare the gradients that backward gives with central differences, entry by entry.

    For every input x that requires a gradient and every output y, the Jacobian ∂y_i/∂x_j by backward must
    agree with (y_i(x + eps·e_j) − y_i(x − eps·e_j)) / 2eps.

    Args:
        func: takes `inputs`, returns a Tensor or several; must be smooth within `eps` of them.
        inputs: Tensors, float64 where they require a gradient, or other arguments.
        eps: the step.
        atol, rtol: what |analytic − numerical| may be: atol + rtol·|numerical|.
        raise_exception: raise on disagreement instead of returning False.

    Returns: True when they agree.

    Raises:
        ValueError: where nothing could be compared: no input requires a gradient, one is not float64, or
            inputs or floating-point outputs have no elements.
        RuntimeError: on disagreement, naming input, output, both values and the worst entry.
    """
    arguments = [inputs] if isinstance(inputs, Variable) else list(inputs)
    checked = _inputs_to_check(arguments)
    outputs = _floating(func(*arguments))
    if not any(output._array.size for output in outputs):
        raise ValueError("gradcheck has nothing to compare: func returned no floating-point element")
    for position in checked:
        x = arguments[position]
        numerical = _by_differences(func, arguments, x._array, eps)
        for number, output in enumerate(outputs):
            message = _mismatch(_by_backward(output, x), numerical[number], atol, rtol)
            if message and raise_exception:
                raise RuntimeError(f"Jacobian mismatch for output {number} by input {position}: {message}")
            if message:
                return False
    return True


def _inputs_to_check(arguments: list) -> list[int]:
    checked = [i for i, a in enumerate(arguments) if isinstance(a, Variable) and a._requires_grad]
    for i in checked:
        array = arguments[i]._array
        if array.dtype != np.float64:
            raise ValueError(f"gradcheck needs float64 inputs, input {i} is {array.dtype}")
        if not array.flags.writeable or repeats(array):
            raise ValueError(f"gradcheck changes its inputs and puts them back; input {i} can't be written to")
        settle(arguments[i])  # so that no view that `func` makes lays the memory anew meanwhile
    if not any(arguments[i]._array.size for i in checked):
        raise ValueError("gradcheck needs at least one input that requires a gradient and has elements")
    return checked


def _floating(results: Any) -> list[Variable]:
    listed = list(results) if isinstance(results, (tuple, list)) else [results]
    return [result for result in listed if isinstance(result, Variable) and result._array.dtype.kind == "f"]


def _by_backward(output: Variable, x: Variable) -> np.ndarray:
    """∂output/∂x, (elements of output, elements of x), one backward for each row."""
    jacobian = np.zeros((output._array.size, x._array.size))
    for row in range(len(jacobian)) if output._requires_grad else ():
        one_hot = np.zeros(output._array.size, output._array.dtype)
        one_hot[row] = 1
        start = one_hot.reshape(output._array.shape)
        (gradient,) = run_backward([output], [start], retain_graph=True, targets=[x])
        jacobian[row] = 0 if gradient is None else gradient.ravel()
    return jacobian


def _by_differences(func: Callable, arguments: list, x: np.ndarray, eps: float) -> list[np.ndarray]:
    """∂output/∂x for every output, two evaluations for each column."""

    def values(index: tuple, change: float) -> list[np.ndarray]:
        original = x[index]
        x[index] = original + change
        try:
            with no_grad():
                return [np.array(output._array, np.float64) for output in _floating(func(*arguments))]
        finally:
            x[index] = original

    columns = []
    for index in np.ndindex(x.shape):
        above, below = values(index, eps), values(index, -eps)
        columns.append([(a - b).ravel() / (2 * eps) for a, b in zip(above, below, strict=True)])
    if not columns:
        return [np.zeros((output._array.size, 0)) for output in _floating(func(*arguments))]
    return [np.stack(column, axis=1) for column in zip(*columns, strict=True)]


def _mismatch(analytic: np.ndarray, numerical: np.ndarray, atol: float, rtol: float) -> str:
    """What is wrong, naming the worst entry; empty where nothing is."""
    excess = np.abs(analytic - numerical) - (atol + rtol * np.abs(numerical))
    if (excess <= 0).all():  # which NaN isn't
        return ""
    row, column = np.unravel_index(np.argmax(np.where(np.isnan(excess), np.inf, excess)), excess.shape)
    return (
        f"the gradient of output element {row} by input element {column} is {analytic[row, column]:.8g} by "
        f"backward and {numerical[row, column]:.8g} by central differences"
    )


def gradgradcheck(
    func: Callable,
    inputs: Variable | Sequence,
    grad_outputs: Variable | Sequence | None = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
) -> bool:
    """Compare the gradients of gradients with central differences of gradients, entry by entry.

    Args:
        func, inputs, eps, atol, rtol, raise_exception: as for `gradcheck`; `func` must be smooth twice.
        grad_outputs: for each floating-point output the gradient with respect to it; normally distributed numbers if
            None.

    Returns: True when they agree.

    Raises:
        ValueError, RuntimeError: as `gradcheck`; RuntimeError for an operation without a gradient of its gradient.
    """
    arguments = [inputs] if isinstance(inputs, Variable) else list(inputs)
    checked = _inputs_to_check(arguments)
    outputs = [output for output in _floating(func(*arguments)) if output._requires_grad]
    if grad_outputs is None:
        numbers = np.random.default_rng(0)
        drawn = [numbers.standard_normal(output._array.shape) for output in outputs]
        given = [Variable._computed(np.asarray(array)) for array in drawn]
        for gradient in given:
            gradient._require_grad()
    else:
        given = [grad_outputs] if isinstance(grad_outputs, Variable) else list(grad_outputs)

    def gradients(*values: Any) -> tuple:
        with enable_grad():
            results = [y for y in _floating(func(*values[: len(arguments)])) if y._requires_grad]
        by = [values[position] for position in checked]
        found = grad(results, by, values[len(arguments) :], create_graph=True, allow_unused=True)
        return tuple([one for one in found if one is not None and one._requires_grad])

    if not gradients(*arguments, *given):
        return True  # nothing depends on anything: all gradients of gradients are 0
    return gradcheck(gradients, [*arguments, *given], eps=eps, atol=atol, rtol=rtol, raise_exception=raise_exception)
