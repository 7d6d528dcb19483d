"""How operations are written that replace parts of a tensor: assignments, and what a view's change is for the whole.

A run of an axis is put in between what lies before and behind it. A part with steps is put in by gathering from both:
where the part goes, elements are taken from behind the tensor's own,

    y = Gather(Concat(x, part), [0, n, n + 1, 3, …])

and where it is a part along several axes, the part of x along the first gets the rest put in.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn.onnx.elementwise import Writer
from minicnn.onnx.gathers import Places, array_of, index_of, inverse, is_mask, parts_of_axes
from minicnn.onnx.graph import ENDS, ExportError, Graph, Value
from minicnn.onnx.traced import Written
from minicnn.operators import indexing, putting, scattering, shape

REDUCTIONS = {"sum": ("add", 0.0), "prod": ("mul", 1.0), "amax": ("max", -np.inf), "amin": ("min", np.inf)}
"""ONNX's names, and what changes nothing."""


def _put(graph: Graph, out: list[Value], x: Value, value: Any, basic: tuple, *advanced: Any) -> None:
    mask = advanced[0] if len(advanced) == 1 and is_mask(advanced[0]) else None
    if advanced and any(one not in (slice(None), ...) for one in basic):
        raise ExportError("an assignment by index tensors beside slices or numbers")
    if mask is not None and array_of(value).size == 1:
        _fill(graph, out[0], x, mask, value)
        return
    here, there = (_selection(array, basic, advanced, k) for k, array in enumerate((x.array, x.twin)))
    part = value if isinstance(value, Value) else graph.constant(value, x.array.dtype)
    if not (isinstance(value, Value) and (value.array.shape, value.twin.shape) == (here, there)):
        part = graph.add("Expand", [part, graph.sizes(here, there)])
    if not advanced:
        parts = parts_of_axes(basic, x.ndim)
        regions = _region(x.array.shape, parts), _region(x.twin.shape, parts)
        part = part if regions == (here, there) else graph.reshaped(part, *regions)
        _place(graph, x, x, parts, part, out[0].name)
        return
    if isinstance(mask, np.ndarray) and mask.ndim == 1:
        advanced = (np.flatnonzero(mask),)
    places = Places(graph, x, advanced)
    turned = graph.add("Transpose", [x], perm=places.order)
    y = graph.add("ScatterND", [turned, places.index, graph.add("Transpose", [part], perm=inverse(places.back))])
    graph.add("Transpose", [y], out[0].name, perm=inverse(places.order))


def _fill(graph: Graph, out: Value, x: Value, mask: Any, value: Any) -> None:
    """One number where a mask of the first axes holds."""
    number = graph.add("Reshape", [value, graph.integers([])]) if isinstance(value, Value) else None
    number = number or graph.constant(np.asarray(value).reshape(()), x.array.dtype)
    axes = list(range(array_of(mask).ndim, x.ndim))
    mask = mask if isinstance(mask, Value) else graph.constant(mask)
    wide = graph.add("Unsqueeze", [mask, graph.integers(axes)]) if axes else mask
    graph.add("Where", [wide, number, x], out.name)


def _selection(array: np.ndarray, basic: tuple, advanced: tuple, run: int) -> tuple[int, ...]:
    """The shape of what a key selects, in the first or the second run."""
    seen = np.broadcast_to(np.empty((), bool), array.shape)[basic]
    key = tuple((one.array, one.twin)[run] if isinstance(one, Value) else one for one in advanced)
    return (seen[key] if key else seen).shape


Part = tuple[int, Any]
"""An axis, and the int or slice that selects some of it."""


def _places(size: int, selects: Any) -> np.ndarray:
    return np.atleast_1d(np.arange(size)[selects])


def _for_any_batch(sizes: list[int], selects: Any) -> bool:
    """Whether an int or slice selects the same examples, counted from one of the ends, of every batch, even of one."""
    if not isinstance(selects, slice):
        return selects in (0, -1)
    counts = [len(_places(size, selects)) for size in (*sizes, 1)]
    slope = counts[1] - counts[0]
    return selects.step in (None, 1) and slope in (0, 1) and counts[0] - slope * (sizes[0] - 1) == counts[2]


def _region(sizes: Sequence[int], parts: list[Part]) -> tuple[int, ...]:
    """The shape that some of each axis has, one of which an int selects as 1."""
    selected = dict(parts)
    return tuple(len(_places(n, selected[axis])) if axis in selected else n for axis, n in enumerate(sizes))


def _place(graph: Graph, x: Any, whole: Value, parts: list[Part], part: Any, output: str = "") -> str:
    """x, some of `whole`, with a part in its place."""
    if not parts:
        return graph.add("Identity", [part], output)
    (axis, selects), *rest = parts
    sizes = [array.shape[axis] for array in (whole.array, whole.twin)]
    both = [_places(size, selects) for size in sizes]
    if sizes[0] != sizes[1] and not _for_any_batch(sizes, selects):
        raise ExportError("an assignment to examples that some batches don't have")
    if not any(map(len, both)):
        return graph.add("Identity", [x], output)
    if not isinstance(selects, slice) or selects.step in (None, 1):
        start, stop = (selects.start, selects.stop) if isinstance(selects, slice) else (selects, selects + 1 or None)
        start, stop = int(start or 0), ENDS if stop is None else int(stop)
        own = _slice(graph, x, axis, start, stop) if rest else None
        inner = _place(graph, own, whole, rest, part) if rest else part
        pieces = [_slice(graph, x, axis, 0, start)] * bool(both[0][0] > 0) + [inner]
        pieces += [_slice(graph, x, axis, stop, ENDS)] * bool(both[0][-1] < whole.array.shape[axis] - 1)
        return graph.add("Concat", pieces, output, axis=axis)
    size, inner = sizes[0], part
    if rest:
        own = graph.add("Gather", [x, graph.constant(both[0], np.int64)], axis=axis)
        inner = _place(graph, own, whole, rest, part)
    order = np.arange(size)
    order[both[0]] = size + np.arange(len(both[0]))
    longer = graph.add("Concat", [x, inner], axis=axis)
    return graph.add("Gather", [longer, graph.constant(order, np.int64)], output, axis=axis)


def _slice(graph: Graph, x: Any, axis: int, start: int, stop: int) -> str:
    return graph.add("Slice", [x, *map(graph.integers, (start, stop, axis))])


def _index_add(graph: Graph, out: list[Value], x: Value, index: Any, source: Value, axis: int) -> None:
    if not x.ndim:
        raise ExportError("index_add to a single number")
    sizes = graph.integers([-1 if k == axis else 1 for k in range(x.ndim)])
    column = graph.add("Reshape", [index_of(graph, index), sizes])
    places = graph.add("Expand", [column, graph.add("Shape", [source])])
    graph.add("ScatterElements", [x, places, source], out[0].name, axis=axis, reduction="add")


def _scatter_reduce(
    graph: Graph, out: list[Value], x: Value, index: Value, source: Value, axis: int, reduce: str, include_self: bool
) -> None:
    if reduce not in REDUCTIONS or x.array.dtype.kind != "f":
        raise ExportError(f"scatter_reduce with reduce={reduce!r} of {x.array.dtype}")
    name, neutral = REDUCTIONS[reduce]
    base: Any = x
    if not include_self:
        empty = graph.add("Expand", [graph.constant(neutral, x.array.dtype), graph.add("Shape", [index])])
        base = graph.add("ScatterElements", [x, index, empty], axis=axis)
    part = graph.add("Slice", [source, graph.integers([0] * index.ndim), graph.add("Shape", [index])])
    graph.add("ScatterElements", [base, index, part], out[0].name, axis=axis, reduction=name)


def _written(graph: Graph, out: list[Value], x: Value, view: Value, made_by: type, *options: Any) -> None:
    if issubclass(made_by, indexing.Take):
        _put(graph, out, x, view, *options)
    elif issubclass(made_by, shape.Permute) and options[0]:
        graph.add("Transpose", [view], out[0].name, perm=inverse(options[0]))
    else:
        graph.like(view, x, out[0].name)


OPERATORS: dict[type, Writer] = {
    indexing.Put: _put,
    putting.IndexAdd: _index_add,
    scattering.ScatterReduce: _scatter_reduce,
    Written: _written,
}
