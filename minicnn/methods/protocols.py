"""What Python asks of an object: length, iteration, truth, numbers, text, copies and pickles."""

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np

from minicnn.autograd import Variable
from minicnn.autograd.operator import readers
from minicnn.autograd.storage import copied, is_contiguous
from minicnn.errors import ShapeError
from minicnn.operators import splitting
from minicnn.operators.operands import OPERANDS
from minicnn.printing import written
from minicnn.printing.cells import html


class Protocols(Variable):
    """The methods of Tensor that Python calls by itself."""

    __slots__ = ()

    def __len__(self) -> int:
        if not self._array.ndim:
            raise TypeError("len() of a 0-d tensor")
        return self._array.shape[0]

    def __iter__(self) -> Iterator:
        if not self._array.ndim:
            raise TypeError("iteration over a 0-d tensor")
        return splitting.rows(self)

    def __reversed__(self: Any) -> Any:
        return self.flip(0) if self._array.ndim else self

    def __contains__(self: Any, value: Any) -> bool:
        if not isinstance(value, OPERANDS):
            raise RuntimeError(
                f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a {type(value)}."
            )
        return (self == value).any().item()

    def __bool__(self) -> bool:
        if self._array.size != 1:
            many = "more than one value" if self._array.size else "no values"
            raise RuntimeError(f"Boolean value of Tensor with {many} is ambiguous")
        return self._number() != 0

    def is_nonzero(self) -> bool:
        """Whether the one element isn't 0.

        Raises:
            RuntimeError: for another number of elements.
        """
        return bool(self)

    def _number(self) -> Any:
        """The only element, as a number of Python's."""
        if self._array.size != 1:
            raise ShapeError("only one element tensors can be converted to Python scalars")
        for read in readers:
            read(self)
        return self._array.item()

    def __float__(self) -> float:
        return float(self._number())

    def __int__(self) -> int:
        return int(self._number())

    def __complex__(self) -> complex:
        return complex(self._number())

    def __index__(self) -> int:
        if self._array.dtype.kind not in "iub" or self._array.size != 1:
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return int(self._number())

    def __format__(self: Any, specification: str) -> str:
        return format(self.item(), specification) if not self._array.ndim else object.__format__(self, specification)

    def __repr__(self) -> str:
        name = type(self).__name__
        return written(self, "tensor" if name in ("Tensor", "Parameter") else name)

    def _repr_html_(self) -> str:
        return html(self)

    def __deepcopy__(self: Any, memo: dict) -> Any:
        if self.grad_fn is not None:
            raise RuntimeError("only leaf Tensors support deepcopy; use detach() or clone()")
        result = copied(self, memo, Variable._computed)
        result._requires_grad = self._requires_grad
        memo[id(self)] = result
        result._grad = copy.deepcopy(self._grad, memo)
        result.__dict__.update(copy.deepcopy(own_attributes(self), memo))
        return result

    def __reduce__(self: Any) -> tuple:
        if self.grad_fn is not None:
            raise RuntimeError("only leaf Tensors can be pickled; use detach()")
        return _restored, (self._array, self._requires_grad, is_contiguous(self)), own_attributes(self) or None


def own_attributes(tensor: Any) -> dict[str, Any]:
    """The attributes that a program gave a tensor, which copies and pickles keep; hooks stay behind."""
    return {name: value for name, value in tensor.__dict__.items() if name not in ("_hooks", "_hooks_after")}


def _restored(array: np.ndarray, requires_grad: bool, row_major: bool) -> Any:
    """A Tensor as it was before it was pickled."""
    tensor: Any = Variable._computed(array)
    tensor._requires_grad = requires_grad
    if not row_major:
        tensor._layout = None
    return tensor
