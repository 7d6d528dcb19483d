"""`gradcheck`: the gradients that backward gives against central differences."""

from collections.abc import Callable, Sequence

import numpy as np

from minicnn.autograd.graph import Variable, run_backward
from minicnn.autograd.mode import no_grad


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

    For every input x that requires a gradient and every output y, the Jacobian ∂y_i/∂x_j by backward must agree
    with (y_i(x + eps·e_j) − y_i(x − eps·e_j)) / 2eps.

    Args:
        func: takes `inputs`, returns a Tensor or several; must be smooth within `eps` of them.
        inputs: Tensors, float64 where they require a gradient, or other arguments.
        eps: the step.
        atol, rtol: what |analytic − numerical| may be: atol + rtol·|numerical|.
        raise_exception: raise on disagreement instead of returning False.

    Returns: True when they agree.

    Raises:
        ValueError: where no input requires a gradient, or one is not float64, so that nothing could be compared.
        RuntimeError: on disagreement, naming input, output, both values and the worst entry.
    """
    arguments = [inputs] if isinstance(inputs, Variable) else list(inputs)
    checked = [i for i, a in enumerate(arguments) if isinstance(a, Variable) and a._requires_grad]
    if not checked:
        raise ValueError("gradcheck needs at least one input that requires a gradient")
    for i in checked:
        if arguments[i]._array.dtype != np.float64:
            raise ValueError(f"gradcheck needs float64 inputs, input {i} is {arguments[i]._array.dtype}")

    def outputs() -> list[Variable]:
        result = func(*arguments)
        results = list(result) if isinstance(result, (tuple, list)) else [result]
        return [r for r in results if r._array.dtype.kind == "f"]

    def values() -> list[np.ndarray]:
        with no_grad():
            return [np.array(o._array) for o in outputs()]

    for number, output in enumerate(outputs()):
        for i in checked:
            x = arguments[i]
            analytic = np.zeros((output._array.size, x._array.size))
            for row in range(output._array.size) if output._requires_grad else ():
                one_hot = np.zeros(output._array.size)
                one_hot[row] = 1
                start = [one_hot.reshape(output._array.shape)]
                (found,) = run_backward([output], start, retain_graph=True, targets=[x])
                if found is not None and found.shape != x._array.shape:
                    message = f"the gradient by input {i} has shape {found.shape}, expected {x._array.shape}"
                    return _disagree(message, raise_exception)
                analytic[row] = 0 if found is None else found.ravel()
            numerical = np.zeros_like(analytic)
            for column, index in enumerate(np.ndindex(x._array.shape)):
                original = x._array[index]
                x._array[index] = original + eps
                above = values()[number]
                x._array[index] = original - eps
                below = values()[number]
                x._array[index] = original
                numerical[:, column] = (above - below).ravel() / (2 * eps)
            error = np.abs(analytic - numerical)
            excess = error - (atol + rtol * np.abs(numerical))
            if not (excess <= 0).all():  # NaN disagrees
                worst = np.unravel_index(np.argmax(np.where(np.isnan(excess), np.inf, excess)), excess.shape)
                return _disagree(
                    f"Jacobian mismatch for output {number} with respect to input {i}: entry (output element "
                    f"{worst[0]}, input element {worst[1]}) is {analytic[worst]:.8g} by backward and "
                    f"{numerical[worst]:.8g} by central differences",
                    raise_exception,
                )
    return True


def _disagree(message: str, raise_exception: bool) -> bool:
    if raise_exception:
        raise RuntimeError(message)
    return False
