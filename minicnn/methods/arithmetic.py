"""The operator signs, their methods by name, and both in place."""

from collections.abc import Callable
from typing import Any, Self

import numpy as np

from minicnn.autograd import Variable
from minicnn.autograd.storage import keep_strides
from minicnn.dtypes import result_type
from minicnn.methods.in_place import in_place
from minicnn.operators import arithmetic, comparison, elementwise, matmul
from minicnn.operators.operands import OPERANDS, array_of
from minicnn.operators.quiet import quietly


def _binary(call: Callable, swapped: bool = False) -> Callable[[Any, Any], Any]:
    """The method of an operator sign, which leaves lists, strings and the like to the other operand."""

    def compute(self: Any, other: Any) -> Any:
        if not isinstance(other, OPERANDS):
            return NotImplemented
        return call(other, self) if swapped else call(self, other)

    return compute


def _without_gradient(function: Callable, kinds: str = "fiub") -> Callable:
    """The method of a comparison or of a bitwise operation, for dtypes of `kinds`."""

    def compute(self: Any, other: Any) -> Any:
        if not isinstance(other, OPERANDS):
            return NotImplemented
        left, right = self._array, array_of(other)
        dtype = result_type(left, right)
        if dtype.kind not in kinds:
            raise TypeError(f"{function.__name__} needs bool or integer operands, got {dtype}")
        right = np.asarray(right).astype(dtype, copy=False)
        result = Variable._computed(np.asarray(quietly(function, left.astype(dtype, copy=False), right)))
        keep_strides(result, [operand for operand in (self, other) if isinstance(operand, Variable)])
        return result

    return compute


def _named(method: Callable) -> Callable:
    """The method of an operator sign under a name of its own, where nobody else is left to ask."""

    def compute(self: Any, other: Any) -> Any:
        result = method(self, other)
        if result is NotImplemented:
            raise TypeError(f"expected a Tensor or a number, got {type(other).__name__}")
        return result

    return compute


def _divide(number: Any, x: Any) -> Any:
    """number / x as PyTorch computes it, number · (1 / x), whose gradient needs the result alone."""
    if isinstance(number, OPERANDS[:2]):
        return arithmetic.true_divide(number, x)
    return arithmetic.Multiply.call(elementwise.reciprocal(x), number)


def _add(x: Any, other: Any, alpha: Any = 1) -> Any:
    return arithmetic.Add.call(x, other if alpha == 1 else arithmetic.Multiply.call(other, alpha))


def _subtract(x: Any, other: Any, alpha: Any = 1) -> Any:
    return arithmetic.Subtract.call(x, other if alpha == 1 else arithmetic.Multiply.call(other, alpha))


class Arithmetic(Variable):
    """The methods of Tensor behind the operator signs."""

    __slots__ = ()

    __add__ = _binary(arithmetic.Add.call)
    __radd__ = _binary(arithmetic.Add.call, swapped=True)
    __sub__ = _binary(arithmetic.Subtract.call)
    __rsub__ = _binary(arithmetic.Subtract.call, swapped=True)
    __mul__ = _binary(arithmetic.Multiply.call)
    __rmul__ = _binary(arithmetic.Multiply.call, swapped=True)
    __truediv__ = _binary(arithmetic.true_divide)
    __rtruediv__ = _binary(_divide, swapped=True)
    __pow__ = _binary(arithmetic.power)
    __rpow__ = _binary(arithmetic.power, swapped=True)
    __floordiv__ = _binary(arithmetic.floor_divide)
    __rfloordiv__ = _binary(arithmetic.floor_divide, swapped=True)
    __mod__ = _binary(arithmetic.remainder)
    __rmod__ = _binary(arithmetic.remainder, swapped=True)
    __matmul__ = _binary(matmul.matmul)
    __rmatmul__ = _binary(matmul.matmul, swapped=True)
    __and__ = __rand__ = _without_gradient(np.bitwise_and, "iub")
    __or__ = __ror__ = _without_gradient(np.bitwise_or, "iub")
    __xor__ = __rxor__ = _without_gradient(np.bitwise_xor, "iub")
    __eq__ = _without_gradient(np.equal)  # type: ignore[assignment]
    __ne__ = _without_gradient(np.not_equal)  # type: ignore[assignment]
    __lt__ = _without_gradient(np.less)
    __le__ = _without_gradient(np.less_equal)
    __gt__ = _without_gradient(np.greater)
    __ge__ = _without_gradient(np.greater_equal)
    __hash__ = object.__hash__
    eq, ne, lt = _named(__eq__), _named(__ne__), _named(__lt__)
    le, gt, ge = _named(__le__), _named(__gt__), _named(__ge__)
    __ifloordiv__ = in_place(arithmetic.floor_divide, "__ifloordiv__")
    __imod__ = in_place(arithmetic.remainder, "__imod__")
    __iand__, __ior__ = in_place(_named(__and__), "__iand__"), in_place(_named(__or__), "__ior__")
    __ixor__ = in_place(_named(__xor__), "__ixor__")
    mul, div, pow = _named(__mul__), _named(__truediv__), _named(__pow__)
    matmul = matmul.matmul
    __neg__ = neg = elementwise.negative
    __abs__ = abs = elementwise.absolute
    equal, allclose = comparison.equal, comparison.allclose

    def __invert__(self) -> Any:
        if self._array.dtype.kind == "f":
            raise TypeError("~ needs a bool or integer tensor")
        return Variable._computed(np.asarray(~self._array))

    def add(self, other: Any, *, alpha: Any = 1) -> Any:
        """self + alpha · other"""
        return _add(self, other, alpha)

    def sub(self, other: Any, *, alpha: Any = 1) -> Any:
        """self − alpha · other"""
        return _subtract(self, other, alpha)

    def add_(self: Any, other: Any, *, alpha: Any = 1) -> Any:
        """self += alpha · other"""
        return self._assign(lambda x: _add(x, other, alpha), other)

    def sub_(self: Any, other: Any, *, alpha: Any = 1) -> Any:
        """self −= alpha · other"""
        return self._assign(lambda x: _subtract(x, other, alpha), other)

    def mul_(self: Any, other: Any) -> Any:
        """self *= other"""
        return self._assign(lambda x: arithmetic.Multiply.call(x, other), other)

    def div_(self: Any, other: Any) -> Any:
        """self /= other"""
        return self._assign(lambda x: arithmetic.true_divide(x, other), other)

    def pow_(self: Any, exponent: Any) -> Any:
        """self **= exponent"""
        return self._assign(lambda x: arithmetic.power(x, exponent), exponent)

    def __iadd__(self, other: Any) -> Self:
        return self.add_(other)

    def __isub__(self, other: Any) -> Self:
        return self.sub_(other)

    def __imul__(self, other: Any) -> Self:
        return self.mul_(other)

    def __itruediv__(self, other: Any) -> Self:
        return self.div_(other)

    def __ipow__(self, other: Any) -> Self:
        return self.pow_(other)
