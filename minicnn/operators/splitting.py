"""Parts of a tensor along one axis, as views: one of them (`narrow`, `select`), or all at once (`split`, `chunk`)."""

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from minicnn.autograd import Operator, Variable
from minicnn.autograd.mode import grad_mode
from minicnn.autograd.storage import share
from minicnn.autograd.variable import View
from minicnn.errors import ShapeError
from minicnn.operators.arguments import array_argument, single_axis
from minicnn.operators.indexing import Take
from minicnn.operators.numbers import integer_argument, integers_argument
from minicnn.operators.operands import array_of
from minicnn.operators.shape import Contiguous
from minicnn.operators.tracing import Traceable


class Split(Traceable, Operator):
    """Consecutive parts of x along an axis, from each of `bounds` to the next."""

    differentiable_outputs = None

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, axis: int, bounds: Sequence[int]) -> tuple:
        ctx.axis = axis
        return tuple([x[part] for part in _slices(axis, bounds)])

    @staticmethod
    def backward(ctx: Any, *gradients: np.ndarray) -> np.ndarray:
        return np.concatenate(gradients, ctx.axis)


class Unbind(Traceable, Operator):
    """The parts of x along an axis, without that axis."""

    differentiable_outputs = None

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, axis: int) -> tuple:
        ctx.axis = axis
        return tuple([x[part] for part in _places(axis, x.shape[axis])])

    @staticmethod
    def backward(ctx: Any, *gradients: np.ndarray) -> np.ndarray:
        return np.stack(gradients, ctx.axis)


def _slices(axis: int, bounds: Sequence[int]) -> list[tuple]:
    """The keys of the parts from each of `bounds` to the next."""
    return [(*[slice(None)] * axis, slice(start, end), ...) for start, end in pairwise(bounds)]


def _places(axis: int, count: int) -> list[tuple]:
    """The keys of the parts along an axis, without that axis."""
    return [(*[slice(None)] * axis, place, ...) for place in range(count)]


def _made_at_once(input: Any, parts: list[tuple], operator: type[Operator], *arguments: Any) -> tuple:
    """The parts of `input`. They are made at once, so they can't be changed in place where gradients flow."""
    if not parts:
        return ()
    tensor = input if isinstance(input, Variable) else Variable._computed(input)
    outputs = operator.apply(tensor, *arguments)
    above = tensor._view
    root = tensor if above is None else above.root
    for output, part in zip(outputs, parts, strict=True):
        output._memory = tensor._memory
        share(tensor, output, (Take, (part,)))
        output._view = View(root, None, root._node)
    return outputs


def _split_at(input: Any, axis: int, bounds: Sequence[int]) -> tuple:
    """The parts of `input` from each of `bounds` to the next."""
    return _made_at_once(input, _slices(axis, bounds), Split, axis, tuple(bounds))


def unbind(input: Any, dim: int = 0) -> tuple:
    """All parts of `input` along an axis, without that axis, as views.

    They are made at once, so they can't be changed in place where gradients flow, as in PyTorch; `input[i]` can.

    Raises:
        IndexError: for a `dim` out of range, or a tensor without dimensions.
    """
    shape = array_argument(input, "unbind").shape
    if not shape:
        raise IndexError("unbind needs a tensor with dimensions")
    axis = single_axis(dim, len(shape))
    return _made_at_once(input, _places(axis, shape[axis]), Unbind, axis)


def rows(input: Variable) -> Iterator[Any]:
    """What `unbind` gives along the first axis; one after another, where no gradient is led back through them."""
    if grad_mode.enabled and input.requires_grad:  # type: ignore[attr-defined]
        yield from unbind(input)
        return
    for place in range(input._array.shape[0]):
        row = Take.apply(input, (place, ...))
        root = row._view.root
        row._view = View(root, None, root._node)
        yield row


def split(tensor: Any, split_size_or_sections: Any, dim: int = 0) -> tuple:
    """Consecutive parts along an axis, as views.

    Args:
        tensor: what to split.
        split_size_or_sections: the size of every part, of which the last may have less; or the sizes of all parts.
        dim: the axis.

    Returns: a tuple of views. They are made at once, so they can't be changed in place where gradients flow.

    Raises:
        ShapeError: for a tensor without dimensions, a negative size, size 0 of an axis that isn't empty, or sizes that
            don't add up.
        TypeError: for sizes that aren't ints.
        IndexError: for a `dim` out of range.
    """
    if isinstance(split_size_or_sections, (tuple, list)):
        return split_with_sizes(tensor, split_size_or_sections, dim)
    size = integer_argument(split_size_or_sections, "split", "split_size_or_sections")
    axis, length = _axis_to_split(tensor, dim, "split")
    if size < 0 or (size == 0 and length):
        raise ShapeError(f"split needs split_size > 0 for an axis of size {length}, got {size}")
    return _split_at(tensor, axis, [*range(0, length, size), length] if length else [0, 0])


def split_with_sizes(input: Any, split_sizes: Any, dim: int = 0) -> tuple:
    """Consecutive parts of these sizes along an axis, as views; see `split`."""
    sizes = integers_argument(split_sizes, "split_with_sizes", "split_sizes")
    axis, length = _axis_to_split(input, dim, "split_with_sizes")
    if min(sizes, default=0) < 0:
        raise ShapeError(f"split_with_sizes needs split_sizes that aren't negative, got {list(sizes)}")
    if sum(sizes) != length:
        raise ShapeError(f"split_with_sizes needs split_sizes that add up to {length}, got {list(sizes)}")
    return _split_at(input, axis, [0, *accumulate(sizes)]) if sizes else ()


def chunk(input: Any, chunks: int, dim: int = 0) -> tuple:
    """At most `chunks` parts of one size along an axis, as views; the last may have less.

    Raises:
        ShapeError: for a tensor without dimensions, or `chunks` below 1.
        IndexError: for a `dim` out of range.
    """
    count = integer_argument(chunks, "chunk", "chunks")
    axis, length = _axis_to_split(input, dim, "chunk")
    if count < 1:
        raise ShapeError(f"chunk needs chunks > 0, got {count}")
    if not length:
        return _split_at(input, axis, [0] * (count + 1))
    return split(input, -(-length // count), dim)


def _axis_to_split(input: Any, dim: Any, name: str) -> tuple[int, int]:
    """The axis and its size."""
    shape = array_argument(input, name).shape
    if not shape:
        raise ShapeError(f"{name} needs a tensor with dimensions, got one of shape ()")
    axis = single_axis(dim, len(shape))
    return axis, shape[axis]


def tensor_split(
    input: Any,
    indices_or_sections: Any = None,
    dim: int = 0,
    *,
    indices: Any = None,
    sections: Any = None,
    tensor_indices_or_sections: Any = None,
) -> tuple:
    """Parts along an axis, as views: so many of nearly the same size, or from each of some indices to the next.

    Args:
        input: what to split.
        indices_or_sections: an int or an int64 Tensor without dimensions, how many parts; or a list, a tuple or a
            one-dimensional int64 Tensor of indices, where parts begin.
        dim: the axis.
        indices, sections, tensor_indices_or_sections: `indices_or_sections` by the names it has in PyTorch.

    Raises:
        ShapeError: for a tensor without dimensions, no parts, or a Tensor of another dtype or with more dimensions.
        TypeError: for anything that isn't ints.
        IndexError: for a `dim` out of range.
    """
    given = [one for one in (indices_or_sections, indices, sections, tensor_indices_or_sections) if one is not None]
    if len(given) != 1:
        raise TypeError(f"tensor_split needs indices_or_sections once, got {len(given)} of them")
    axis, length = _axis_to_split(input, dim, "tensor_split")
    where = _indices_or_sections(given[0], "tensor_split")
    if isinstance(where, int):
        if where < 1:
            raise ShapeError(f"tensor_split needs at least one section, got {where}")
        size, longer = divmod(length, where)
        bounds = [0, *accumulate([size + (part < longer) for part in range(where)])]
    else:
        bounds = [0, *where, length]
    return tuple([Take.apply(input, part) for part in _slices(axis, bounds)])


def _indices_or_sections(given: Any, name: str) -> Any:
    """One int, or a tuple of them."""
    array = array_of(given)
    if not isinstance(array, np.ndarray):
        if isinstance(given, (tuple, list)):
            return integers_argument(given, name, "indices_or_sections")
        return integer_argument(given, name, "indices_or_sections")
    if array.dtype != np.int64 or array.ndim > 1:
        raise ShapeError(
            f"{name} needs indices_or_sections of dtype int64 and at most one dimension, got {array.dtype} of shape "
            f"{array.shape}"
        )
    return array.item() if not array.ndim else tuple(array.tolist())


def hsplit(input: Any, indices_or_sections: Any) -> tuple:
    """Parts side by side, as views: along the second axis, or the only one; see `tensor_split`."""
    ndim = array_argument(input, "hsplit").ndim
    return _equal_parts(input, indices_or_sections, min(ndim, 2) - 1, 1, "hsplit")


def vsplit(input: Any, indices_or_sections: Any) -> tuple:
    """Parts one below the other, as views: along the first axis of at least two; see `tensor_split`."""
    return _equal_parts(input, indices_or_sections, 0, 2, "vsplit")


def dsplit(input: Any, indices_or_sections: Any) -> tuple:
    """Parts one behind the other, as views: along the third axis; see `tensor_split`."""
    return _equal_parts(input, indices_or_sections, 2, 3, "dsplit")


def _equal_parts(input: Any, given: Any, axis: int, least: int, name: str) -> tuple:
    """`tensor_split` into parts that must be of one size where their number is given."""
    shape = array_argument(input, name).shape
    if len(shape) < least:
        raise ShapeError(f"{name} needs a tensor of at least {least} dimensions, got shape {shape}")
    where = _indices_or_sections(given, name)
    if isinstance(where, int) and (where < 1 or shape[axis] % where):
        raise ShapeError(f"{name} can't split axis {axis} of size {shape[axis]} into {where} equal parts")
    return tensor_split(input, where, axis)


def narrow(input: Any, dim: int, start: Any, length: int) -> Any:
    """`length` elements along an axis from `start` on, as a view.

    Args:
        input: any tensor with dimensions.
        dim: the axis.
        start: the first of them, an int or an integer Tensor without dimensions; negative ones count from the end.
        length: how many.

    Raises:
        IndexError: for a `dim` or `start` out of range.
        ShapeError: for a negative `length`, one that leads beyond the end, or a tensor without dimensions.
    """
    axis, size = _axis_to_split(input, dim, "narrow")
    array = array_of(start)
    if isinstance(array, np.ndarray) and (array.ndim or array.dtype.kind not in "iu"):
        raise ShapeError(f"narrow needs start as an int or an integer Tensor without dimensions, got {start!r}")
    first, count = integer_argument(start, "narrow", "start"), integer_argument(length, "narrow", "length")
    if count < 0:
        raise ShapeError(f"narrow needs a length that isn't negative, got {count}")
    if not -size <= first <= size:
        raise IndexError(f"start out of range (expected to be in range of [{-size}, {size}], but got {first})")
    first += size if first < 0 else 0
    if first + count > size:
        raise ShapeError(f"narrow: start ({first}) + length ({count}) exceeds the size {size} of axis {axis}")
    return Take.apply(input, (*[slice(None)] * axis, slice(first, first + count), ...))


def narrow_copy(input: Any, dim: int, start: int, length: int) -> Any:
    """`narrow` as a copy."""
    return Contiguous.apply(narrow(input, dim, start, length))


def select(input: Any, dim: int, index: int) -> Any:
    """One element along an axis, without that axis, as a view.

    Raises:
        IndexError: for a `dim` or `index` out of range, or a tensor without dimensions.
    """
    shape = array_argument(input, "select").shape
    if not shape:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    axis, place = single_axis(dim, len(shape)), integer_argument(index, "select", "index")
    if not -shape[axis] <= place < shape[axis]:
        raise IndexError(f"select(): index {place} out of range for a tensor of shape {shape} at dimension {axis}")
    return Take.apply(input, (*[slice(None)] * axis, place, ...))
