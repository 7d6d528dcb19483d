"""What Python asks of an object: length, iteration, truth, numbers, text, copies and pickles."""

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np

from minicnn.autograd import Variable
from minicnn.autograd.storage import copied, is_contiguous
from minicnn.dtypes import bool_, float32, int64
from minicnn.operators import indexing
from minicnn.operators.operands import OPERANDS


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
        return indexing.parts(self, 0)

    def __contains__(self: Any, value: Any) -> bool:
        if not isinstance(value, OPERANDS):
            raise RuntimeError(f"Tensor.__contains__ only supports Tensor or number, got {type(value).__name__}")
        return (self == value).any().item()

    def __bool__(self) -> bool:
        if self._array.size != 1:
            raise RuntimeError(f"Boolean value of Tensor with {self._array.size} values is ambiguous")
        return self._array.item() != 0

    def __float__(self: Any) -> float:
        return float(self.item())

    def __int__(self: Any) -> int:
        return int(self.item())

    def __index__(self) -> int:
        if self._array.dtype.kind not in "iub" or self._array.size != 1:
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return int(self._array.item())

    def __format__(self: Any, specification: str) -> str:
        return format(self.item(), specification) if not self._array.ndim else object.__format__(self, specification)

    def __repr__(self: Any) -> str:
        parts = [np.array2string(self._array, separator=", ", prefix="tensor(", precision=4, floatmode="maxprec_equal")]
        if self._array.size == 0 and self.ndim != 1:
            parts.append(f"size={tuple(self.shape)}")
        if self.dtype not in (float32, int64, bool_) or (self._array.size == 0 and self.dtype != float32):
            parts.append(f"dtype={self.dtype}")
        view = self._view
        if view is not None and view.steps is None and view.node is not view.root._node:
            parts.append("grad_fn=<Invalid>")
        elif self.grad_fn is not None:
            parts.append(f"grad_fn={self._node!r}")
        elif self._requires_grad:
            parts.append("requires_grad=True")
        return f"tensor({', '.join(parts)})"

    def __deepcopy__(self: Any, memo: dict) -> Any:
        if self.grad_fn is not None:
            raise RuntimeError("only leaf Tensors support deepcopy; use detach() or clone()")
        result = copied(self, memo, Variable._computed)
        result._requires_grad = self._requires_grad
        memo[id(self)] = result
        result._grad = copy.deepcopy(self._grad, memo)
        return result

    def __reduce__(self: Any) -> tuple:
        if self.grad_fn is not None:
            raise RuntimeError("only leaf Tensors can be pickled; use detach()")
        return _restored, (self._array, self._requires_grad, is_contiguous(self))


def _restored(array: np.ndarray, requires_grad: bool, row_major: bool) -> Any:
    """A Tensor as it was before it was pickled."""
    tensor: Any = Variable._computed(array)
    tensor._requires_grad = requires_grad
    if not row_major:
        tensor._layout = None
    return tensor
