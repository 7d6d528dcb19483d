"""The operator signs, their methods by name, and both in place."""

from collections.abc import Callable
from typing import Any

from minicnn.autograd import Variable
from minicnn.autograd.graph import entitled
from minicnn.methods.in_place import in_place
from minicnn.operators import arithmetic, comparison, division, elementwise, logic, matmul, mixing, rounding
from minicnn.operators.operands import OPERANDS


def _sign(call: Callable, swapped: bool = False) -> Callable[[Any, Any], Any]:
    """The method of an operator sign, which leaves lists, strings and the like to the other operand."""

    def compute(self: Any, other: Any) -> Any:
        if not isinstance(other, OPERANDS):
            return NotImplemented
        return call(other, self) if swapped else call(self, other)

    return compute


def _divide(number: Any, x: Any) -> Any:
    """number / x as PyTorch computes it, number · (1 / x), whose gradient needs the result alone."""
    if isinstance(number, OPERANDS[:2]):
        return arithmetic.true_divide(number, x)
    return arithmetic.Multiply.call(elementwise.reciprocal(x), number)


class Arithmetic(Variable):
    """The methods of Tensor behind the operator signs."""

    __slots__ = ()

    __add__ = _sign(arithmetic.Add.call)
    __radd__ = _sign(arithmetic.Add.call, swapped=True)
    __sub__ = _sign(arithmetic.Subtract.call)
    __rsub__ = entitled("RsubBackward1")(_sign(arithmetic.Subtract.call, swapped=True))
    __mul__ = _sign(arithmetic.Multiply.call)
    __rmul__ = _sign(arithmetic.Multiply.call, swapped=True)
    __truediv__ = _sign(arithmetic.true_divide)
    __rtruediv__ = _sign(_divide, swapped=True)
    __pow__ = _sign(arithmetic.power)
    __rpow__ = _sign(arithmetic.power, swapped=True)
    __floordiv__ = _sign(division.floor_divide)
    __rfloordiv__ = _sign(division.floor_divide, swapped=True)
    __mod__ = _sign(division.remainder)
    __rmod__ = _sign(division.remainder, swapped=True)
    __matmul__ = _sign(matmul.matmul)
    __rmatmul__ = _sign(matmul.matmul, swapped=True)
    __and__ = __rand__ = _sign(logic.bitwise_and)
    __or__ = __ror__ = _sign(logic.bitwise_or)
    __xor__ = __rxor__ = _sign(logic.bitwise_xor)
    __lshift__ = _sign(logic.bitwise_left_shift)
    __rlshift__ = _sign(logic.bitwise_left_shift, swapped=True)
    __rshift__ = _sign(logic.bitwise_right_shift)
    __rrshift__ = _sign(logic.bitwise_right_shift, swapped=True)
    __eq__ = _sign(comparison.eq)  # type: ignore[assignment]
    __ne__ = _sign(comparison.ne)  # type: ignore[assignment]
    __lt__, __le__ = _sign(comparison.lt), _sign(comparison.le)
    __gt__, __ge__ = _sign(comparison.gt), _sign(comparison.ge)
    __hash__ = object.__hash__
    __neg__, __pos__ = rounding.negative, rounding.positive
    __abs__ = rounding.absolute
    __invert__ = logic.bitwise_not

    add, add_ = arithmetic.add, in_place(arithmetic.add)
    sub, sub_ = arithmetic.sub, in_place(arithmetic.sub)
    mul, mul_ = arithmetic.mul, in_place(arithmetic.mul)
    div, div_ = division.div, in_place(division.div)
    true_divide, true_divide_ = arithmetic.true_divide, in_place(arithmetic.true_divide)
    floor_divide, floor_divide_ = division.floor_divide, in_place(division.floor_divide)
    remainder, remainder_ = division.remainder, in_place(division.remainder)
    fmod, fmod_ = division.fmod, in_place(division.fmod)
    pow, pow_ = arithmetic.power, in_place(arithmetic.power, "pow_")
    float_power, float_power_ = arithmetic.float_power, in_place(arithmetic.float_power_of_double, "float_power_")
    ldexp, ldexp_ = arithmetic.ldexp, in_place(arithmetic.ldexp)
    gcd, gcd_ = division.gcd, in_place(division.gcd)
    lcm, lcm_ = division.lcm, in_place(division.lcm)
    subtract, subtract_ = sub, sub_
    multiply, multiply_ = mul, mul_
    divide, divide_ = div, div_
    matmul = matmul.matmul

    lerp, lerp_ = mixing.lerp, in_place(mixing.lerp)
    addcmul, addcmul_ = mixing.addcmul, in_place(mixing.addcmul)
    addcdiv, addcdiv_ = mixing.addcdiv, in_place(mixing.addcdiv)

    eq, eq_ = comparison.eq, in_place(comparison.eq, joins=True)
    ne, ne_ = comparison.ne, in_place(comparison.ne, joins=True)
    lt, lt_ = comparison.lt, in_place(comparison.lt, joins=True)
    le, le_ = comparison.le, in_place(comparison.le, joins=True)
    gt, gt_ = comparison.gt, in_place(comparison.gt, joins=True)
    ge, ge_ = comparison.ge, in_place(comparison.ge, joins=True)
    not_equal, not_equal_ = ne, ne_
    less, less_ = lt, lt_
    less_equal, less_equal_ = le, le_
    greater, greater_ = gt, gt_
    greater_equal, greater_equal_ = ge, ge_
    equal, allclose, isclose = comparison.equal, comparison.allclose, comparison.isclose

    logical_and, logical_and_ = logic.logical_and, in_place(logic.logical_and)
    logical_or, logical_or_ = logic.logical_or, in_place(logic.logical_or)
    logical_xor, logical_xor_ = logic.logical_xor, in_place(logic.logical_xor)
    logical_not, logical_not_ = logic.logical_not, in_place(logic.logical_not)
    bitwise_and, bitwise_and_ = logic.bitwise_and, in_place(logic.bitwise_and)
    bitwise_or, bitwise_or_ = logic.bitwise_or, in_place(logic.bitwise_or)
    bitwise_xor, bitwise_xor_ = logic.bitwise_xor, in_place(logic.bitwise_xor)
    bitwise_not, bitwise_not_ = logic.bitwise_not, in_place(logic.bitwise_not)
    bitwise_left_shift, bitwise_left_shift_ = logic.bitwise_left_shift, in_place(logic.bitwise_left_shift)
    bitwise_right_shift, bitwise_right_shift_ = logic.bitwise_right_shift, in_place(logic.bitwise_right_shift)

    __iadd__, __isub__ = _sign(add_), _sign(sub_)
    __imul__, __itruediv__ = _sign(mul_), _sign(div_)
    __ifloordiv__, __imod__ = _sign(floor_divide_), _sign(remainder_)
    __ipow__ = _sign(pow_)
    __iand__, __ior__, __ixor__ = _sign(bitwise_and_), _sign(bitwise_or_), _sign(bitwise_xor_)
    __ilshift__, __irshift__ = _sign(bitwise_left_shift_), _sign(bitwise_right_shift_)
