"""How operations are written that take elements from places: index tensors, windows, diagonals, blocks."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn.onnx.elementwise import Writer
from minicnn.onnx.graph import ExportError, Graph, Value
from minicnn.operators import broadcasting, diagonals, indexing, selecting, strided


def array_of(x: Any) -> np.ndarray:
    """What a Value held, or an array is."""
    return x.array if isinstance(x, Value) else np.asarray(x)


def is_mask(index: Any) -> bool:
    """Whether a part of a key is a mask."""
    return not isinstance(index, slice) and array_of(index).dtype.kind == "b"


def index_of(graph: Graph, index: Any) -> Any:
    """An index in the graph; where it isn't a tensor of the program, as a constant."""
    return index if isinstance(index, Value) else graph.constant(index, np.int64)


def indexed_axes(key: Sequence[Any]) -> list[int]:
    """The axes that index tensors stand for in a key of them and of whole slices."""
    return [axis for axis, one in enumerate(key) if not (isinstance(one, slice) and one == slice(None))]


def parts_of_axes(key: tuple, ndim: int) -> list[tuple[int, Any]]:
    """The axes that a key of ints, slices, None and `...` doesn't leave whole, each with its int or slice."""
    known = [one for one in key if one is not None]
    if Ellipsis in known:
        place = known.index(Ellipsis)
        known[place : place + 1] = [slice(None)] * (ndim - len(known) + 1)
    return [(axis, one) for axis, one in enumerate(known) if not (isinstance(one, slice) and one == slice(None))]


def inverse(axes: Sequence[int]) -> list[int]:
    """The permutation that undoes another one."""
    return [int(axis) for axis in np.argsort(axes)]


def fixed(x: Value, *axes: int) -> None:
    """Raise ExportError where one of the axes follows the batch."""
    if any(x.array.shape[axis] != x.twin.shape[axis] for axis in axes):
        raise ExportError("places along the batch, which has no fixed size")


class Places:
    """Several index tensors for some axes of a tensor, together.

    Attributes:
        order: x's axes, those with an index first.
        index: the name of the indices side by side, as GatherND and ScatterND take them.
        back: the axes of a selection, [index's axes, x's other axes], in the order in which the selection has them.
    """

    def __init__(self, graph: Graph, x: Value, key: Sequence[Any]) -> None:
        axes = indexed_axes(key)
        if any(is_mask(key[axis]) for axis in axes):
            raise ExportError("indexing with masks")
        indices = [key[axis] for axis in axes]
        here = np.broadcast_shapes(*[array_of(one).shape for one in indices])
        there = np.broadcast_shapes(*[one.twin.shape if isinstance(one, Value) else one.shape for one in indices])
        last = graph.integers([-1])
        wide = [graph.add("Expand", [index_of(graph, one), graph.sizes(here, there)]) for one in indices]
        self.index = graph.add("Concat", [graph.add("Unsqueeze", [one, last]) for one in wide], axis=-1)
        others = [axis for axis in range(x.ndim) if axis not in axes]
        self.order = axes + others
        adjacent = axes == list(range(axes[0], axes[0] + len(axes)))
        before = sum(axis < axes[0] for axis in others) if adjacent else 0
        own, rest = list(range(len(here))), [len(here) + k for k in range(len(others))]
        self.back = rest[:before] + own + rest[before:]


def _pick(graph: Graph, out: list[Value], x: Value, *key: Any) -> None:
    axes = indexed_axes(key)
    if len(axes) == 1 and not is_mask(key[axes[0]]):
        graph.add("Gather", [x, index_of(graph, key[axes[0]])], out[0].name, axis=axes[0])
        return
    places = Places(graph, x, key)
    picked = graph.add("GatherND", [graph.add("Transpose", [x], perm=places.order), places.index])
    graph.add("Transpose", [picked], out[0].name, perm=places.back)


def _take_elements(graph: Graph, out: list[Value], x: Value, index: Any) -> None:
    row = graph.add("Reshape", [x, graph.integers([-1])])
    graph.add("Gather", [row, index_of(graph, index)], out[0].name, axis=0)


def _windows(graph: Graph, out: list[Value], x: Value, axis: int, size: int, step: int) -> None:
    fixed(x, axis)
    places = step * np.arange(out[0].shape[axis])[:, None] + np.arange(size)
    found = graph.add("Gather", [x, graph.constant(places, np.int64)], axis=axis)
    graph.add("Transpose", [found], out[0].name, perm=[k for k in range(x.ndim + 1) if k != axis + 1] + [axis + 1])


def _diagonal(graph: Graph, out: list[Value], x: Value, offset: int, first: int, second: int) -> None:
    fixed(x, first, second)
    order = [axis for axis in range(x.ndim) if axis not in (first, second)] + [first, second]
    sizes = x.shape[first], x.shape[second]
    flat, size = graph.add("Transpose", [x], perm=order), sizes[0] * sizes[1]
    here, there = ([array.shape[axis] for axis in order[:-2]] for array in (x.array, x.twin))
    flat = graph.reshaped(flat, [*here, size], [*there, size])
    places = np.diagonal(np.arange(size).reshape(sizes), offset)
    graph.add("Gather", [flat, graph.constant(places, np.int64)], out[0].name, axis=-1)


def _embedded(graph: Graph, out: list[Value], x: Value, offset: int, first: int, second: int) -> None:
    """Of what follows a row by a zero, elements or the zero for each place."""
    fixed(x, x.ndim - 1)
    length = x.shape[-1]
    size = length + abs(offset)
    places = np.diagflat(np.arange(1, length + 1), offset) - 1
    places[places < 0] = length
    padded = graph.add("Pad", [x, graph.integers([0] * (2 * x.ndim - 1) + [1])])
    flat = graph.add("Gather", [padded, graph.constant(places.reshape(-1), np.int64)], axis=x.ndim - 1)
    square = graph.reshaped(flat, [*x.array.shape[:-1], size, size], [*x.twin.shape[:-1], size, size])
    ndim = x.ndim + 1
    order = [axis for axis in range(ndim) if axis not in (first, second)] + [first, second]
    graph.add("Transpose", [square], out[0].name, perm=inverse(order))


def _block_diagonal(graph: Graph, out: list[Value], *matrices: Value) -> None:
    left, rows = 0, []
    for matrix in matrices:
        fixed(matrix, 0, 1)
        right = out[0].shape[1] - left - matrix.shape[1]
        rows.append(graph.add("Pad", [matrix, graph.integers([0, left, 0, right])]))
        left += matrix.shape[1]
    graph.add("Concat", rows, out[0].name, axis=0)


OPERATORS: dict[type, Writer] = {
    indexing.Pick: _pick,
    selecting.TakeElements: _take_elements,
    strided.Windows: _windows,
    diagonals.Diagonal: _diagonal,
    diagonals.Embedded: _embedded,
    broadcasting.BlockDiagonal: _block_diagonal,
}
