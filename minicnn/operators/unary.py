"""What elementwise operations on one operand have in common, and how a table's row becomes one."""

from collections.abc import Callable
from inspect import signature
from typing import Any

import numpy as np

from minicnn.autograd import Operator
from minicnn.dtypes import default_float, float16, float32
from minicnn.errors import DtypeError
from minicnn.operators.arguments import array_argument
from minicnn.operators.operands import cast
from minicnn.operators.out import deliver
from minicnn.operators.quiet import quietly
from minicnn.operators.tracing import Traceable

Gradient = Callable[..., np.ndarray]


class Unary(Traceable, Operator):
    """An elementwise operation on one operand; integers become float32 first."""

    elementwise = True

    function: Callable
    saves_output = False
    """Whether `gradient` needs the output rather than the input."""

    @classmethod
    def forward(cls, ctx: Any, x: np.ndarray) -> np.ndarray:
        y = np.asarray(quietly(cls.function, x))
        ctx.saved = (y if cls.saves_output else x,)
        return y

    @classmethod
    def backward(cls, ctx: Any, g: np.ndarray) -> np.ndarray:
        return cls.gradient(g, *ctx.saved)

    gradient: Gradient
    """Gives the gradient with respect to x from that with respect to the result, and what is saved."""

    @classmethod
    def call(cls, x: Any) -> Any:
        """Apply to a Tensor or an array."""
        return floating_point(cls.apply, x)


def floating_point(function: Callable, x: Any, *arguments: Any) -> Any:
    """`function(x, *arguments)`, given x as a Tensor or an array of float32 or float64; float16 is rounded once."""
    dtype = array_argument(x, getattr(function, "__self__", function).__name__).dtype
    if dtype == float16:
        return cast(function(cast(x, float32), *arguments), float16)
    return function(x if dtype.kind == "f" else cast(x, default_float()), *arguments)


class Independent(Unary):
    """An elementwise operation whose gradient depends neither on the input nor on the output."""

    @classmethod
    def forward(cls, ctx: Any, x: np.ndarray) -> np.ndarray:
        return np.asarray(quietly(cls.function, x))

    @classmethod
    def backward(cls, ctx: Any, g: np.ndarray) -> np.ndarray:
        return cls.gradient(g)


def operator_of(name: str, function: Callable, gradient: Gradient, saves_output: bool = False) -> type[Unary]:
    """The operator of a row of a table."""
    base = Unary if len(signature(gradient).parameters) > 1 else Independent
    members = {"function": staticmethod(function), "gradient": staticmethod(gradient), "saves_output": saves_output}
    title = name.title().replace("_", "")
    return type(title, (base,), {"__doc__": f"{name}, elementwise", "__module__": __name__, **members})


def unary(name: str, meaning: str, function: Callable, gradient: Gradient, saves_output: bool = False) -> Callable:
    """An elementwise function of floating-point results, for one row of a table.

    Args:
        name: the function's.
        meaning: its formula or what it gives.
        function: computes it for a NumPy array.
        gradient: gives the gradient with respect to x from that with respect to the result, and x if it takes that.
        saves_output: whether `gradient` takes the result instead of x.
    """
    operator = operator_of(name, function, gradient, saves_output)

    def call(input: Any, *, out: Any = None) -> Any:
        return deliver(operator.call(input), out)

    return documented(
        call, name, meaning, "Args:\n    input: any shape; integers and bools compute as the default dtype."
    )


def preserving(
    name: str,
    meaning: str,
    function: Callable,
    gradient: Gradient,
    refused: str = "b",
    integers: Callable = np.copy,
    same_dtype: bool = True,
) -> Callable:
    """An elementwise function whose result has the dtype of its input, for one row of a table.

    Args:
        name, meaning, function, gradient: as for `unary`; `function` is for floating point alone.
        refused: kinds of dtypes that it isn't defined for: b for bool, i for signed and u for unsigned integers.
        integers: computes it for integers and bools.
        same_dtype: whether an `out` must have the dtype of the result.
    """
    operator = operator_of(name, function, gradient)

    def call(input: Any, *, out: Any = None) -> Any:
        array = array_argument(input, name)
        if array.dtype.kind == "f":
            return deliver(operator.apply(input), out, same_dtype)
        if array.dtype.kind in refused:
            raise DtypeError(f"{name} is not defined for {array.dtype}")
        return deliver(without_gradient(integers, input), out, same_dtype)

    return documented(call, name, meaning, "Args:\n    input: any shape; the result has its dtype.")


class WithoutGradient(Operator):
    """A function of arrays, element by element, whose result carries no gradient."""

    differentiable_outputs = 0
    elementwise = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, function: Callable) -> np.ndarray:
        return np.asarray(quietly(function, x))


def without_gradient(function: Callable, x: Any) -> Any:
    """`function` of a Tensor or an array of whole numbers, or one whose results are whole: it carries no gradient."""
    array_argument(x, function.__name__)
    return WithoutGradient.apply(x, function)


def documented(call: Callable, name: str, meaning: str, arguments: str, takes_out: bool = True) -> Callable:
    """`call` under its name, with a docstring."""
    call.__name__ = call.__qualname__ = name
    out = "    out: a Tensor that receives the result.\n" if takes_out else ""
    call.__doc__ = f"{meaning}, elementwise.\n\n{arguments}\n{out}"
    return call
