"""What elementwise operations on two operands have in common, and how a table's row becomes one."""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from minicnn.autograd import Operator
from minicnn.dtypes import default_float, float16, result_type
from minicnn.errors import DtypeError, ShapeError
from minicnn.operators.operands import OPERANDS, array_of, cast, check_broadcast, promoted
from minicnn.operators.out import deliver
from minicnn.operators.quiet import quietly
from minicnn.operators.tracing import Traceable
from minicnn.operators.unary import documented

Numbers = Literal["none", "second", "either", "both"]
"""Which operands may be Python numbers: none, the second one, one of the two, or even both."""


class Binary(Traceable, Operator):
    """An elementwise operation on two operands; the walk undoes their broadcasting."""

    elementwise = True

    function: Callable
    rounds_numbers = True
    """Whether a Python number beside float16 is rounded to that first."""

    @classmethod
    def forward(cls, ctx: Any, a: Any, b: Any) -> np.ndarray:
        ctx.saved = a, b
        return np.asarray(quietly(cls.function, a, b))

    @classmethod
    def call(cls, a: Any, b: Any) -> Any:
        """Apply to Tensors, arrays or Python numbers.

        Raises:
            ShapeError: where the shapes don't broadcast.
            RuntimeError: for an integer of more than 64 bits.
        """
        left, right, dtype = promoted(a, b)
        if dtype == float16 and cls.rounds_numbers:
            left, right = _rounded(left), _rounded(right)
        try:
            result = cls.apply(left, right)
        except ValueError as error:
            check_broadcast(np.shape(array_of(a)), np.shape(array_of(b)))
            raise ShapeError(str(error)) from None  # the result is larger than the tensor to be changed in place
        except OverflowError:
            raise RuntimeError("an integer of more than 64 bits can't be computed with") from None
        return cast(result, float16) if dtype == float16 else result


def _rounded(operand: Any) -> Any:
    """A Python number as the float16 nearest to it; Tensors as they are."""
    return float(quietly(np.float16, operand)) if isinstance(operand, (int, float)) else operand


class Compared(Operator):
    """A function of two arrays in one dtype, element by element, whose result carries no gradient."""

    differentiable_outputs = 0
    elementwise = True

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any, function: Callable, dtype: np.dtype) -> np.ndarray:
        left, right = [
            operand
            if type(operand) is np.ndarray and operand.dtype == dtype
            else quietly(np.asarray(operand).astype, dtype, copy=False)
            for operand in (a, b)
        ]
        try:
            return np.asarray(quietly(function, left, right))
        except ValueError:
            check_broadcast(left.shape, right.shape)
            raise


def without_gradient(function: Callable, a: Any, b: Any, kinds: str = "fiub") -> Any:
    """`function` of two Tensors, arrays or numbers in the dtype in which they meet; it carries no gradient.

    Args:
        function: computes it for two arrays.
        a, b: the operands.
        kinds: the kinds of dtypes that it is defined for.

    Raises:
        DtypeError: for others.
        ShapeError: where the shapes don't broadcast.
    """
    dtype = result_type(array_of(a), array_of(b))
    if dtype.kind not in kinds:
        raise DtypeError(f"{function.__name__} is not defined for {dtype}")
    return Compared.apply(a, b, function, dtype)


def check_operands(name: str, a: Any, b: Any, numbers: Numbers) -> None:
    """Raise TypeError for operands that aren't Tensors, arrays or, where they may be, numbers."""
    for argument, operand, may_be_number in (
        ("input", a, numbers in ("either", "both")),
        ("other", b, numbers != "none"),
    ):
        if not isinstance(operand, OPERANDS if may_be_number else OPERANDS[:2]):
            wanted = "a Tensor or a number" if may_be_number else "a Tensor"
            raise TypeError(f"{name} needs {wanted} as {argument}, got {type(operand).__name__}")
    if numbers == "either" and not isinstance(a, OPERANDS[:2]) and not isinstance(b, OPERANDS[:2]):
        raise TypeError(f"{name} needs a Tensor as input or other, got two numbers")


def binary(
    name: str,
    meaning: str,
    operator: type[Binary],
    numbers: Numbers = "second",
    refused: str = "",
    floats: bool = False,
) -> Callable:
    """An elementwise function of two operands, for one row of a table.

    Args:
        name: the function's.
        meaning: its formula or what it gives.
        operator: computes it and its gradient.
        numbers: which operands may be numbers.
        refused: kinds of dtypes that it isn't defined for: b for bool, i for signed and u for unsigned integers.
        floats: whether integers and bools become the default dtype.
    """

    def call(input: Any, other: Any, *, out: Any = None) -> Any:
        check_operands(name, input, other, numbers)
        if refused or floats:
            dtype = result_type(array_of(input), array_of(other))
            if dtype.kind in refused:
                raise DtypeError(f"{name} is not defined for {dtype}")
            if floats and dtype.kind != "f":
                input, other = cast(input, default_float()), cast(other, default_float())
        return deliver(operator.call(input, other), out)

    return documented(call, name, meaning, "Args:\n    input, other: Tensors, or a number; their shapes broadcast.")


def comparing(
    name: str, meaning: str, function: Callable, numbers: Numbers = "second", kinds: str = "fiub"
) -> Callable:
    """An elementwise function of two operands without gradient, for one row of a table; arguments as for `binary`."""

    def call(input: Any, other: Any, *, out: Any = None) -> Any:
        check_operands(name, input, other, numbers)
        return deliver(without_gradient(function, input, other, kinds), out)

    return documented(call, name, meaning, "Args:\n    input, other: Tensors, or a number; their shapes broadcast.")
