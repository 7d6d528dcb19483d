"""A known mistake: a wrong implementation, and the sentence that says what is wrong about it."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

IMAGES = frozenset({"conv2d", "conv_transpose2d", "max_pool2d", "avg_pool2d", "adaptive_avg_pool2d", "unfold"})
"""Operations on (N, C, H, W) that also take one image, (C, H, W)."""


@dataclass(frozen=True)
class Mistake:
    """A wrong implementation of one operation.

    Attributes:
        operation: its name in `minicnn.nn.functional`.
        sentence: what is wrong; it completes "This is …".
        function: takes NumPy arrays and the operation's options, as `minicnn.nn.functional` names them; a backward
            takes the gradient with respect to the output first and returns the gradients with respect to the float
            arrays, in the order of the inputs, None for an array that was left out.
        backward: whether `function` computes gradients.
    """

    operation: str
    sentence: str
    function: Callable
    backward: bool = False


_known: dict[str, list[Mistake]] = {}


def mistake(operation: str, sentence: str, backward: bool = False) -> Callable[[Callable], Callable]:
    """Register the decorated function as a mistake of an operation.

    Args:
        operation, sentence, backward: as in `Mistake`.
    """

    def register(function: Callable) -> Callable:
        whole = complete(operation, function, backward)
        _known.setdefault(function.__module__, []).append(Mistake(operation, sentence, whole, backward))
        return whole

    return register


def known_in(*modules: ModuleType) -> tuple[Mistake, ...]:
    """The mistakes that the modules register, in their order."""
    return tuple(one for module in modules for one in _known[module.__name__])


def complete(operation: str, function: Callable, backward: bool = False) -> Callable:
    """`function`, written for batches, that also takes one image, and keeps NumPy's warnings to itself."""
    dimensions = 3 if operation in IMAGES else 2 if operation == "fold" else None
    images = 2 if backward else 1

    @functools.wraps(function)
    def call(*arrays: Any, **options: Any) -> Any:
        single = arrays[images - 1].ndim == dimensions
        if single:
            arrays = (*(image[None] for image in arrays[:images]), *arrays[images:])
        with np.errstate(all="ignore"):
            results = function(*arrays, **options)
        if not single:
            return results
        if not isinstance(results, tuple):
            return results[0]
        return (results[0][0], *(results[1:] if backward else (one[0] for one in results[1:])))

    return call
