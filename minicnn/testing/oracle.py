"""PyTorch as the oracle: values, gradients and magnitudes of an operation on arrays."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Answer:
    """What PyTorch says.

    Attributes:
        value: the output.
        gradients: by each argument that is an array, None for the others.
    """

    value: np.ndarray
    gradients: tuple[np.ndarray | None, ...]


def ask(
    operation: Callable,
    arguments: Sequence[np.ndarray | None],
    grad_output: Callable[[tuple[int, ...]], np.ndarray],
    dtype: type = np.float64,
    absolute: bool = False,
) -> Answer:
    """Run a PyTorch operation and its backward.

    Args:
        operation: takes torch tensors (or None) in the order of `arguments`, returns one.
        arguments: arrays, or None.
        grad_output: gives the gradient by the output, from its shape.
        dtype: to compute in.
        absolute: take absolute values of everything first; of an operation that is linear in each argument this gives
            the magnitudes of the scaled bound, for the value and for every gradient.
    """
    import torch

    def prepare(array: np.ndarray) -> np.ndarray:
        return np.array(np.abs(array) if absolute else array, dtype, order="C")

    tensors = [None if a is None else torch.from_numpy(prepare(a)).requires_grad_() for a in arguments]
    y = operation(*tensors)
    y.backward(torch.from_numpy(prepare(grad_output(tuple(y.shape)))))
    gradients = tuple(None if t is None else np.asarray(t.grad) for t in tensors)
    return Answer(y.detach().numpy(), gradients)
