"""Other shapes of the same elements, and parts of them."""

from typing import Any

from minicnn.autograd import Variable
from minicnn.operators import indexing
from minicnn.operators import shape as shapes


class Shape(Variable):
    """The methods of Tensor that rearrange its elements or take a part of them."""

    __slots__ = ()

    view = shapes.view
    reshape = shapes.reshape
    flatten = shapes.flatten
    permute = shapes.permute
    transpose = shapes.transpose
    squeeze = shapes.squeeze
    unsqueeze = shapes.unsqueeze
    expand = shapes.expand
    unbind = indexing.unbind
    __getitem__ = indexing.index

    def view_as(self, other: Any) -> Any:
        """`view(other.shape)`"""
        return self.view(other.shape)

    def expand_as(self, other: Any) -> Any:
        """`expand(other.shape)`"""
        return self.expand(other.shape)

    def t(self) -> Any:
        """A matrix transposed.

        Raises:
            ValueError: for more than 2 dimensions.
        """
        if self._array.ndim > 2:
            raise ValueError(f"t() needs at most 2 dimensions, got shape {self._array.shape}")
        return self.permute(tuple(range(self._array.ndim))[::-1])

    @property
    def T(self) -> Any:  # noqa: N802 (torch's name)
        """The dimensions in reverse order."""
        return self.permute(tuple(range(self._array.ndim - 1, -1, -1)))
