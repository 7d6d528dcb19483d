"""How operations are written that replace parts of a tensor: assignments, and what a view's change is for the whole.

A part along an axis of fixed size is put in by gathering from both: where the part goes, elements are taken from behind
the tensor's own,

    y = Gather(Concat(x, part), [0, n, n + 1, 3, …])

and where it is a part along several axes, the part of x along the first gets the rest put in.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn.onnx.elementwise import Writer
from minicnn.onnx.graph import ExportError, Graph, Value
from minicnn.onnx.traced import Written
from minicnn.operators import indexing, putting, shape


def _put(graph: Graph, out: list[Value], x: Value, value: Any, basic: tuple, *advanced: Any) -> None:
    mask = advanced[0] if len(advanced) == 1 and _is_mask(advanced[0]) else None
    if mask is not None and _array(value).size == 1 and all(one in (slice(None), ...) for one in basic):
        _fill(graph, out[0], x, mask, value)
        return
    index: Any = None
    if advanced:
        if any(one not in (slice(None), ...) for one in basic):
            raise ExportError("an assignment by index tensors beside slices or numbers")
        chosen = [axis for axis, one in enumerate(advanced) if not isinstance(one, slice)]
        if len(chosen) != 1 or any(one != slice(None) for one in advanced if isinstance(one, slice)):
            raise ExportError("an assignment by several index tensors")
        index = advanced[chosen[0]]
        if _is_mask(index) and (isinstance(index, Value) or index.ndim > 1):
            raise ExportError("an assignment of many numbers by a mask")
        selected = {chosen[0]: np.flatnonzero(index) if _is_mask(index) else _array(index).reshape(-1)}
    else:
        selected = _selected(x, basic)
    for axis in selected:
        if x.array.shape[axis] != x.twin.shape[axis]:
            raise ExportError("an assignment to some examples of the batch")
    part = _part(graph, x, value, basic, advanced, selected)
    if isinstance(index, Value):
        (axis,) = selected
        _scatter_rows(graph, out[0], x, index, part, axis, "none")
    else:
        _place(graph, x, x.shape, list(selected.items()), part, out[0].name)


def _array(x: Any) -> np.ndarray:
    return x.array if isinstance(x, Value) else np.asarray(x)


def _is_mask(index: Any) -> bool:
    return not isinstance(index, slice) and _array(index).dtype.kind == "b"


def _fill(graph: Graph, out: Value, x: Value, mask: Any, value: Any) -> None:
    """One number where a mask of the first axes holds."""
    number = graph.add("Reshape", [value, graph.integers([])]) if isinstance(value, Value) else None
    number = number or graph.constant(np.asarray(value).reshape(()), x.array.dtype)
    axes = list(range(_array(mask).ndim, x.ndim))
    mask = mask if isinstance(mask, Value) else graph.constant(mask)
    wide = graph.add("Unsqueeze", [mask, graph.integers(axes)]) if axes else mask
    graph.add("Where", [wide, number, x], out.name)


def _selected(x: Value, basic: tuple) -> dict[int, np.ndarray]:
    """Of the axes that a key of ints and slices doesn't leave whole, the places it selects."""
    known = [one for one in basic if one is not None]
    if Ellipsis in known:
        place = known.index(Ellipsis)
        known[place : place + 1] = [slice(None)] * (x.ndim - len(known) + 1)
    return {
        axis: np.atleast_1d(np.arange(x.shape[axis])[one])
        for axis, one in enumerate(known)
        if not (isinstance(one, slice) and one == slice(None))
    }


def _part(graph: Graph, x: Value, value: Any, basic: tuple, advanced: tuple, selected: dict[int, np.ndarray]) -> str:
    """What is put in, in the shape of x but for the axes of which not all is selected."""

    def shapes(array: np.ndarray) -> tuple[tuple[int, ...], tuple[int, ...]]:
        seen = np.broadcast_to(np.empty((), bool), array.shape)[basic]
        key = tuple(_array(one) if not isinstance(one, slice) else one for one in advanced)
        sizes = tuple(len(selected[axis]) if axis in selected else size for axis, size in enumerate(array.shape))
        return (seen[key] if key else seen).shape, sizes

    (target, sizes), (target_twin, sizes_twin) = shapes(x.array), shapes(x.twin)
    value = value if isinstance(value, Value) else graph.constant(value, x.array.dtype)
    wide = graph.add("Expand", [value, graph.sizes(target, target_twin)])
    return graph.reshaped(wide, sizes, sizes_twin)


def _place(
    graph: Graph, x: Any, sizes: Sequence[int], selected: list[tuple[int, np.ndarray]], part: str, output: str = ""
) -> str:
    """x with a part in its place."""
    if not selected:
        return graph.add("Identity", [part], output)
    (axis, places), *rest = selected
    if rest:
        own = graph.add("Gather", [x, graph.constant(places, np.int64)], axis=axis)
        part = _place(graph, own, sizes, rest, part)
    size = sizes[axis]
    order = np.arange(size)
    order[places] = size + np.arange(len(places))
    both = graph.add("Concat", [x, part], axis=axis)
    return graph.add("Gather", [both, graph.constant(order, np.int64)], output, axis=axis)


def _scatter_rows(graph: Graph, out: Value, x: Value, index: Any, part: Any, axis: int, reduction: str) -> None:
    """Parts put, or added, at an index of one axis."""
    rows = graph.add("Reshape", [index, graph.integers([-1 if k == axis else 1 for k in range(x.ndim)])])
    places = graph.add("Expand", [rows, graph.add("Shape", [part])])
    graph.add("ScatterElements", [x, places, part], out.name, axis=axis, reduction=reduction)


def _index_add(graph: Graph, out: list[Value], x: Value, index: Any, source: Value, axis: int) -> None:
    if not x.ndim or x.array.shape[axis] != x.twin.shape[axis]:
        raise ExportError("index_add to some examples of the batch, or to a single number")
    name = index if isinstance(index, Value) else graph.constant(index, np.int64)
    _scatter_rows(graph, out[0], x, name, source, axis, "add")


def _written(graph: Graph, out: list[Value], x: Value, view: Value, made_by: type, *options: Any) -> None:
    if issubclass(made_by, indexing.Take):
        _put(graph, out, x, view, *options)
    elif issubclass(made_by, shape.Permute) and options[0]:
        graph.add("Transpose", [view], out[0].name, perm=np.argsort(options[0]).tolist())
    else:
        graph.like(view, x, out[0].name)


OPERATORS: dict[type, Writer] = {
    indexing.Put: _put,
    putting.IndexAdd: _index_add,
    Written: _written,
}
