"""Values written into a tensor."""

from collections.abc import Callable
from typing import Any, Self

import numpy as np

from minicnn.autograd import Variable, assign
from minicnn.autograd.inplace import check_places
from minicnn.autograd.storage import same_places
from minicnn.dtypes import check_fits
from minicnn.operators import indexing
from minicnn.operators.operands import NUMBERS, OPERANDS, array_of, cast


class Writing(Variable):
    """The methods of Tensor that write values into it."""

    __slots__ = ()

    def _assign(self, compute: Callable[[Any], Any], *operands: Any, repeated: bool = False) -> Self:
        """Replace the values by `compute(self)`; see `minicnn.autograd.assign`."""
        assign(self, compute, *operands, repeated=repeated)
        return self

    def zero_(self) -> Self:
        """All elements 0."""
        return self.fill_(0)

    def fill_(self, value: Any) -> Self:
        """All elements `value`.

        Args:
            value: a number, or a Tensor without dimensions.

        Raises:
            RuntimeError: for a Tensor with dimensions, or a number that the dtype can't hold.
        """
        if array_of(value).ndim if isinstance(value, OPERANDS[:2]) else 0:
            raise RuntimeError(f"fill_ needs a number or a Tensor without dimensions, got shape {value.shape}")
        self._check_assignable(value)
        filling = cast(value, self._array.dtype)
        number = not isinstance(value, OPERANDS[:2])  # which may go to elements that share their memory
        return self._assign(lambda x: indexing.Put.apply(x, filling, (...,)), repeated=number)

    def copy_(self, source: Any) -> Self:
        """All elements from `source`, broadcast and converted.

        Raises:
            RuntimeError: where its shape doesn't broadcast to this tensor's.
        """
        shape = np.shape(array_of(source))
        if len(shape) > self._array.ndim:
            raise RuntimeError(f"output with shape {self._array.shape} doesn't match the broadcast shape {shape}")
        if isinstance(source, Variable) and not same_places(self, source):
            check_places(self, source)
        self[...] = source
        return self

    def __setitem__(self, key: Any, value: Any) -> None:
        self._check_assignable(value)
        indexing.put(self, key, value)

    def _check_assignable(self, value: Any) -> None:
        """Raise for a value that this tensor's dtype can't hold, or that is no number."""
        if isinstance(value, NUMBERS):
            check_fits(value, self._array.dtype)
        elif not isinstance(value, OPERANDS):
            raise TypeError(f"can't assign a {type(value).__name__} to a Tensor of {self._array.dtype}")
