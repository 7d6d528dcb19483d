"""Where gradients end: the `.grad` of leaves, each an array that nobody else holds."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn import kernels
from minicnn.autograd.storage import elements, is_dense, keep_strides
from minicnn.autograd.variable import Variable, owner


def hand_to_leaves(waiting: dict[Any, list], gradients: Sequence[np.ndarray]) -> None:
    """Put every leaf's gradient into its `.grad`; no two leaves, nor the caller's gradients, share memory."""
    owned = {id(owner(gradient)) for gradient in gradients}
    for leaf, (gradient, own) in waiting.items():
        if not leaf._requires_grad:  # not any more
            continue
        if leaf._node is not None:
            raise RuntimeError("leaf variable has been moved into the graph interior: it was changed in place since")
        if not own:
            memory = id(owner(gradient))
            if memory in owned or not gradient.flags.writeable:
                gradient = kernels.memory.copied(gradient, leaf._array)
            owned.add(memory)
        hand_over(leaf, gradient)


def hand_over(tensor: Variable, gradient: np.ndarray) -> None:
    """Add `gradient`, an array that nobody else holds, to a tensor's `.grad`, and call the hooks that wait for that."""
    accumulate(tensor, gradient)
    for hook in [*(tensor._hooks_after or {}).values()]:
        hook(tensor)


def accumulate(tensor: Variable, gradient: np.ndarray) -> None:
    """Add `gradient`, an array that nobody else holds, to a tensor's `.grad`."""
    if tensor._grad is None:
        tensor._grad = Variable._computed(gradient)
        array = tensor._array
        if tensor._layout is None and not array.flags.c_contiguous and is_dense(array.shape, elements(array)):
            keep_strides(tensor._grad, [tensor])
    else:
        tensor._grad._array += gradient
        tensor._grad._bump()
