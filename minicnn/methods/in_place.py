"""In-place forms: `sin_` from `sin`."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from minicnn.autograd import Operator
from minicnn.autograd.mode import grad_mode


class Unrelated(Operator):
    """Values that take the place of x and depend neither on it nor on other operands continuously: gradients are 0."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, values: np.ndarray, *operands: Any) -> np.ndarray:
        return values.astype(x.dtype)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        return tuple([None if edge is None else np.zeros_like(g) for edge in ctx.edges])

    @staticmethod
    def backward_recorded(ctx: Any, g: Any) -> tuple:
        return tuple([None if edge is None else g.new_zeros(g.shape) for edge in ctx.edges])


def in_place(function: Callable, name: str | None = None, *, joins: bool = False, repeated: bool = False) -> Callable:
    """The method that replaces the values of a tensor by those of `function(tensor, ...)`, as `sin_` those of `sin`.

    The method takes the further arguments of `function` and returns the tensor. It raises what `function` raises, and
    RuntimeError where the values don't fit: on a leaf that requires a gradient, where the result has another shape or
    a dtype of a higher category, or where elements of the tensor share a place in memory, unless `repeated` allows it.

    Args:
        function: an operation whose first argument is the tensor; others may be Tensors, numbers, whatever it takes.
        name: the method's name; that of `function` with an underscore behind it where it isn't given.
        joins: whether the tensor requires a gradient afterwards where another operand does, though that will be 0.
        repeated: whether elements of the tensor may share a place in memory, as in an expanded one.
    """

    @wraps(function)
    def change(self: Any, *args: Any, **kwargs: Any) -> Any:
        if "out" in kwargs:
            raise TypeError(f"{change.__name__}() writes into its own tensor and takes no out=")

        def compute(former: Any) -> Any:
            after = function(former, *args, **kwargs)
            if grad_mode.enabled and not after._requires_grad and former._array.dtype.kind == "f":
                return Unrelated.apply(former, after, *(args if joins else ()))
            return after

        return self._assign(compute, *args, *kwargs.values(), repeated=repeated)

    change.__name__ = name or f"{function.__name__}_"
    change.__qualname__ = f"Tensor.{change.__name__}"
    change.__doc__ = f"Replace the values by those of `{function.__name__}` of the same arguments; returns the tensor."
    return change
