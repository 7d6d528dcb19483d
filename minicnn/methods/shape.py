"""Other shapes of the same elements, and parts of them."""

from typing import Any

from minicnn.autograd import Variable
from minicnn.operators import axes, broadcasting, indexing, repeating, reshaping, splitting, strided, turning
from minicnn.operators import shape as shapes
from minicnn.operators.numbers import variadic


class Shape(Variable):
    """The methods of Tensor that rearrange its elements or take a part of them."""

    __slots__ = ()

    view = shapes.view
    reshape = shapes.reshape
    flatten = shapes.flatten
    permute = shapes.permute
    transpose = shapes.transpose
    squeeze = variadic(shapes.squeeze)
    unsqueeze = shapes.unsqueeze
    expand, broadcast_to = shapes.expand, variadic(broadcasting.broadcast_to)
    unbind = splitting.unbind
    __getitem__ = indexing.index

    movedim = moveaxis = axes.movedim
    swapaxes, swapdims = axes.swapaxes, axes.swapdims
    t, adjoint = axes.t, axes.adjoint
    T, H = property(axes.reversed_axes), property(axes.H)
    mT, mH = property(axes.mT), property(axes.mH)  # noqa: N815 (torch's names)
    unflatten, ravel = axes.unflatten, axes.ravel
    squeeze_, unsqueeze_ = reshaping.squeeze_, reshaping.unsqueeze_
    transpose_, t_ = reshaping.transpose_, reshaping.t_
    swapaxes_, swapdims_ = reshaping.swapaxes_, reshaping.swapdims_
    resize_, resize_as_ = reshaping.resize_, reshaping.resize_as_

    split_with_sizes, chunk = splitting.split_with_sizes, splitting.chunk
    tensor_split = splitting.tensor_split
    hsplit, vsplit, dsplit = splitting.hsplit, splitting.vsplit, splitting.dsplit
    narrow, narrow_copy, select = splitting.narrow, splitting.narrow_copy, splitting.select
    unfold, as_strided = strided.unfold, strided.as_strided

    repeat, tile = variadic(repeating.repeat), variadic(repeating.tile)
    repeat_interleave = repeating.repeat_interleave
    flip, fliplr, flipud = variadic(turning.flip), turning.fliplr, turning.flipud
    roll, rot90 = turning.roll, turning.rot90

    def split(self, split_size: Any, dim: int = 0) -> tuple:
        """Consecutive parts along an axis, as views; see `minicnn.split`."""
        return splitting.split(self, split_size, dim)

    def reshape_as(self, other: Any) -> Any:
        """`reshape(other.shape)`"""
        return self.reshape(other.shape)

    def view_as(self, other: Any) -> Any:
        """`view(other.shape)`"""
        return self.view(other.shape)

    def expand_as(self, other: Any) -> Any:
        """`expand(other.shape)`"""
        return self.expand(other.shape)
