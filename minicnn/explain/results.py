"""Results and gradients, computed by minicnn."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from minicnn.creation import from_numpy
from minicnn.explain.given import Given, drawn, frozen, given
from minicnn.nn import functional as F

ALGORITHMS = {"conv2d": "im2col", "conv_transpose2d": "im2col"}
"""The algorithm that starts at once on a machine that has compiled no kernels yet."""
CHOOSES = ("max_pool2d",)
UPDATED = ("running_mean", "running_var")
"""Arrays that an operation moves."""
CONSTANTS = (*UPDATED, "target")
"""Arrays without a gradient."""


def run(
    op: str, arrays: Mapping[str, np.ndarray], options: Mapping[str, Any], grad_output: Any
) -> dict[str, np.ndarray]:
    """An operation's output and gradients.

    Args:
        op: its name in `minicnn.nn.functional`.
        arrays, options: its arguments by name; the arrays are not changed.
        grad_output: the gradient with respect to the output, or a function of the output's shape that gives it.

    Returns: "output", "grad_output", and "grad_" with the name of each array that has a gradient; "indices" too where
        elements are chosen, and running statistics as they are afterwards.
    """
    tensors = {name: from_numpy(array.copy()) for name, array in arrays.items()}
    constants = (*CONSTANTS, "weight") if op == "cross_entropy" else CONSTANTS
    variables = [name for name in arrays if name not in constants]
    for name in variables:
        tensors[name].requires_grad_()
    with np.errstate(all="ignore"):  # infinity times 0 is NaN
        y, *others = _called(op, tensors, options)
        gradient = grad_output(tuple(y.shape)) if callable(grad_output) else grad_output
        y.backward(from_numpy(gradient))
    results = {"output": y.detach().numpy(), "grad_output": gradient}
    results |= {"indices": others[0].numpy()} if others else {}
    results |= {name: tensors[name].numpy() for name in UPDATED if name in tensors}
    return results | {f"grad_{name}": tensors[name].grad.numpy() for name in variables}


def _called(op: str, tensors: Mapping[str, Any], options: Mapping[str, Any]) -> tuple[Any, ...]:
    """The results of the function: the output, and the positions of maxima where these are chosen."""
    more = {"algorithm": ALGORITHMS[op]} if op in ALGORITHMS else {"return_indices": True} if op in CHOOSES else {}
    absent = {} if op != "batch_norm" else dict.fromkeys(UPDATED)
    results = getattr(F, op)(**{**absent, **tensors}, **options, **more)
    return results if isinstance(results, tuple) else (results,)


def results_of(
    op: str, arrays: Mapping[str, Given], options: Mapping[str, Any], grad_output: Any, seed: int = 0
) -> dict[str, Given]:
    """The results of `run`, read-only.

    Args:
        op, arrays, options: as there.
        grad_output: of the output's shape; None for small whole numbers.
        seed: of what is drawn.

    Raises:
        ValueError: for an output without elements, or a grad_output of another shape.
    """
    gradient: list[Given] = []

    def chosen(shape: tuple[int, ...]) -> np.ndarray:
        if 0 in shape:
            raise ValueError(f"there is nothing to explain in an output of shape {shape}")
        found = drawn("grad_output", shape, seed) if grad_output is None else given(grad_output, "grad_output")
        if found.array.shape != shape:
            raise ValueError(f"grad_output needs the output's shape {shape}, got {found.array.shape}")
        gradient.append(found)
        return found.array

    results = run(op, {name: one.array for name, one in arrays.items()}, options, chosen)
    return {name: frozen(array, name, whole=array.dtype.kind == "i") for name, array in results.items()} | {
        "grad_output": gradient[0]
    }
