"""Backwards that are NumPy's arithmetic, run on Tensors: NumPy asks its operands how to compute, and these record it.

`np.exp(x)` of an array that defines `__array_ufunc__` calls that instead of computing. So a formula that is written
once, for arrays, also gives the operations of which it consists: what gradients of gradients are made of.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from minicnn.autograd import Variable
from minicnn.autograd.operator import unrecorded

NAMES = {
    "absolute": "abs",
    "arccos": "acos",
    "arccosh": "acosh",
    "arcsin": "asin",
    "arcsinh": "asinh",
    "arctan": "atan",
    "arctan2": "atan2",
    "arctanh": "atanh",
    "divide": "true_divide",
    "matmul": "matmul",
    "negative": "neg",
    "power": "pow",
    "psi": "digamma",
    "subtract": "sub",
    "multiply": "mul",
}
"""NumPy's and SciPy's names of functions that Tensors have under another."""

COMPARISONS = {"equal", "not_equal", "less", "less_equal", "greater", "greater_equal"}
LOGIC = {"invert", "bitwise_and", "bitwise_or", "bitwise_xor", "logical_and", "logical_or", "logical_not"}
STEPS = {"isnan", "isfinite", "isinf", "signbit", "sign", "floor", "ceil", "trunc", "rint", "floor_divide"}
CONSTANT = COMPARISONS | LOGIC | STEPS
"""Functions whose results have no gradient, or one of 0."""

NUMBERS = {"add", "subtract", "multiply", "divide", "power"}
"""Functions that take a number as their second operand; otherwise it becomes a Tensor without dimensions."""


class UntracedError(RuntimeError):
    """A backward asks for something that can't be recorded."""


class Traced(NDArrayOperatorsMixin):
    """A Tensor in the part of an array.

    Args:
        tensor: the Tensor.
    """

    def __init__(self, tensor: Any) -> None:
        self.tensor = tensor

    shape = property(lambda self: self.tensor._array.shape)
    dtype = property(lambda self: self.tensor._array.dtype)
    ndim = property(lambda self: self.tensor._array.ndim)
    size = property(lambda self: self.tensor._array.size)

    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        raise UntracedError

    def __array_ufunc__(self, function: np.ufunc, method: str, *operands: Any, **options: Any) -> Any:
        out = options.pop("out", None)
        if method != "__call__" or options or (out is not None and not isinstance(out[0], Traced)):
            raise UntracedError
        name = function.__name__
        if name in CONSTANT:
            return function(*[x.tensor._array if isinstance(x, Traced) else x for x in operands])
        first = _operand(operands[0], self.dtype)
        others = [_operand(x, None if name in NUMBERS else self.dtype) for x in operands[1:]]
        call = getattr(first, NAMES.get(name, name), None)
        if call is None:
            raise UntracedError
        result = Traced(call(*others))
        if out is None:
            return result
        out[0].tensor = result.tensor
        return out[0]

    def __array_function__(self, function: Callable, types: Any, arguments: tuple, options: dict) -> Any:
        if function not in FUNCTIONS:
            raise UntracedError
        return FUNCTIONS[function](*arguments, **options)

    def __getitem__(self, key: Any) -> "Traced":
        return Traced(self.tensor[key])

    def astype(self, dtype: Any, copy: bool = True) -> "Traced":
        """In another dtype."""
        return Traced(self.tensor.to(np.dtype(dtype)))

    def reshape(self, *shape: Any) -> "Traced":
        """In another shape."""
        return Traced(self.tensor.reshape(*shape))

    def sum(self, axis: Any = None, keepdims: bool = False) -> "Traced":
        """The sum over axes."""
        return Traced(self.tensor.sum() if axis is None else self.tensor.sum(axis, keepdim=keepdims))

    def swapaxes(self, first: int, second: int) -> "Traced":
        """With two axes exchanged."""
        return Traced(self.tensor.swapaxes(first, second))


def _operand(operand: Any, dtype: Any = None) -> Any:
    """A Tensor, or a number; as a Tensor without dimensions where its `dtype` is given."""
    if isinstance(operand, Traced):
        return operand.tensor
    if isinstance(operand, np.ndarray):
        return Variable._computed(operand)
    if dtype is not None:
        return Variable._computed(np.asarray(operand, dtype))
    return operand.item() if isinstance(operand, np.generic) else operand


def _where(condition: Any, a: Any, b: Any) -> Traced:
    dtype = (a if isinstance(a, Traced) else b).dtype
    return Traced(_operand(a, dtype).where(_operand(np.asarray(condition)), _operand(b, dtype)))


def _joined(parts: Sequence, axis: int, stacked: bool) -> Traced:
    from minicnn.operators.joining import cat  # it stands on operations that this file serves

    tensors = [_operand(part) for part in parts]
    return Traced(cat([tensor.unsqueeze(axis) for tensor in tensors] if stacked else tensors, axis))


FUNCTIONS: dict[Callable, Callable] = {
    np.where: _where,
    np.zeros_like: lambda x: Traced(x.tensor.new_zeros(x.shape)),
    np.broadcast_to: lambda x, shape: Traced(x.tensor.expand(shape)),
    np.result_type: lambda *parts: np.result_type(*[one.dtype if isinstance(one, Traced) else one for one in parts]),
    np.expand_dims: lambda x, axis: Traced(x.tensor.unsqueeze(axis)),
    np.diagonal: lambda x, *place: Traced(x.tensor.diagonal(*place)),
    np.tril: lambda x, k=0: Traced(x.tensor.tril(k)),
    np.concatenate: lambda parts, axis=0: _joined(parts, axis, False),
    np.stack: lambda parts, axis=0: _joined(parts, axis, True),
}
"""NumPy's functions that aren't ufuncs."""


class _Context:
    """`ctx` with Traced ones in place of the arrays that were saved."""

    def __init__(self, ctx: Any) -> None:
        self.ctx = ctx
        self.saved = tuple([Traced(saved) if isinstance(saved, Variable) else saved for saved in ctx.tensors()])

    def __getattr__(self, name: str) -> Any:
        return getattr(self.ctx, name)


class Traceable:
    """What an operation inherits whose `backward` is NumPy's arithmetic on arguments, results and whole numbers."""

    @classmethod
    def backward_recorded(cls: Any, ctx: Any, *grad_outputs: Any) -> tuple:
        """The backward in terms of operations, found by running it."""
        try:
            results = cls.backward(_Context(ctx), *map(Traced, grad_outputs))
        except UntracedError:
            raise RuntimeError(unrecorded(ctx)) from None
        several = results if type(results) is tuple else (results,)
        return tuple([_operand(one) for one in several])
