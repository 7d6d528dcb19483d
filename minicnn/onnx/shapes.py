"""How operations are written that move elements: views, joins, cuts, sums over axes."""

import math
from functools import partial
from typing import Any

import numpy as np

from minicnn.nn.functional.images import First
from minicnn.nn.functional.sequences import OnlyRow
from minicnn.onnx.elementwise import Writer, operand
from minicnn.onnx.gathers import index_of, parts_of_axes
from minicnn.onnx.graph import ENDS, ExportError, Graph, Value
from minicnn.operators import (
    extremes,
    indexing,
    joining,
    matmul,
    norms,
    reduction,
    repeating,
    scans,
    selecting,
    shape,
    softmax,
    splitting,
    turning,
)


def _like_output(graph: Graph, out: list[Value], x: Value, *_: Any) -> None:
    graph.like(x, out[0], out[0].name)


def _transpose(graph: Graph, out: list[Value], x: Value, axes: tuple[int, ...]) -> None:
    if axes:
        graph.add("Transpose", [x], out[0].name, perm=axes)
    else:
        graph.add("Identity", [x], out[0].name)


def _expand(graph: Graph, out: list[Value], x: Value, _: Any) -> None:
    graph.add("Expand", [x, graph.sizes(out[0].array.shape, out[0].twin.shape)], out[0].name)


def _take(graph: Graph, out: list[Value], x: Value, key: tuple) -> None:
    """Slices first; then ints and None are a matter of the shape."""
    starts, ends, axes, steps = [], [], [], []
    for axis, one in parts_of_axes(key, x.ndim):
        start, end, step = (one.start, one.stop, one.step) if isinstance(one, slice) else (one, one + 1 or ENDS, 1)
        starts.append(0 if start is None else int(start))
        ends.append(ENDS if end is None else int(end))
        steps.append(1 if step is None else int(step))
        axes.append(axis)
    part: Any = x
    if axes:
        part = graph.add("Slice", [x, *map(graph.integers, (starts, ends, axes, steps))])
    graph.like(part, out[0], out[0].name)


def _concatenate(graph: Graph, out: list[Value], axis: int, *parts: Value) -> None:
    """Vectors of nothing fit any shape, as in PyTorch."""
    others = [one for one in parts if one.shape != (0,)] or list(parts)
    graph.add("Concat", others, out[0].name, axis=axis % out[0].ndim)


def _split(graph: Graph, out: list[Value], x: Value, axis: int, bounds: Any) -> None:
    graph.add_several("Split", [x, graph.integers(np.diff(bounds))], [one.name for one in out], axis=axis)


def _unbind(graph: Graph, out: list[Value], x: Value, axis: int) -> None:
    for k, one in enumerate(out):
        graph.add("Gather", [x, graph.constant(k, np.int64)], one.name, axis=axis)


def _softmax(op: str, graph: Graph, out: list[Value], x: Value, axis: int) -> None:
    graph.add(op, [x], out[0].name, axis=axis)


def _matmul(graph: Graph, out: list[Value], a: Value, b: Value) -> None:
    graph.add("MatMul", [a, b], out[0].name)


def _reduce(op: str, graph: Graph, out: list[Value], x: Any, axes: tuple[int, ...], keepdim: bool) -> None:
    graph.add(op, [x, graph.integers(axes)] if axes else [x], out[0].name, keepdims=int(keepdim))


def _variance(
    graph: Graph, out: list[Value], x: Value, axes: tuple[int, ...], correction: float, keepdim: bool
) -> None:
    """Σ (x − mean)² / (n − correction)"""
    sizes = graph.integers(axes)
    count = int(np.prod([x.shape[axis] for axis in axes]))
    if any(x.array.shape[axis] != x.twin.shape[axis] for axis in axes):
        raise ExportError("a variance over the batch")
    apart = graph.add("Sub", [x, graph.add("ReduceMean", [x, sizes], keepdims=1)])
    total = graph.add("ReduceSum", [graph.add("Mul", [apart, apart]), sizes], keepdims=int(keepdim))
    graph.add("Div", [total, graph.constant(max(count - correction, 0), x.array.dtype)], out[0].name)


EXTREMES: dict[Any, str] = {np.max: "ReduceMax", np.min: "ReduceMin"}


def _extreme(
    graph: Graph, out: list[Value], x: Value, function: Any, axes: tuple[int, ...] | None = None, keepdim: bool = False
) -> None:
    op = EXTREMES.get(function)
    if op is None:
        raise ExportError(f"no ONNX is written for {getattr(function, '__name__', function).strip('_')}")
    _reduce(op, graph, out, x, tuple(range(x.ndim)) if axes is None else axes, keepdim)


def _extreme_along(graph: Graph, out: list[Value], x: Value, function: Any, axis: int, keepdim: bool) -> None:
    which = {np.argmin: "Min", np.argmax: "Max"}[function]
    _reduce(f"Reduce{which}", graph, out, x, (axis,), keepdim)
    graph.add(f"Arg{which}", [x], out[1].name, axis=axis, keepdims=int(keepdim))


def _norm(graph: Graph, out: list[Value], x: Value, p: float, axes: tuple[int, ...], keepdim: bool) -> None:
    if p in (1, 2):
        _reduce(f"ReduceL{int(p)}", graph, out, x, axes, keepdim)
        return
    size: Any = graph.add("Abs", [x])
    if math.isinf(p):
        _reduce("ReduceMax" if p > 0 else "ReduceMin", graph, out, size, axes, keepdim)
        return
    if p <= 0:
        raise ExportError(f"a norm with p={p:g}, which has no operation")
    powers = graph.add("Pow", [size, graph.constant(p, x.array.dtype)])
    total = graph.add("ReduceSum", [powers, graph.integers(axes)] if axes else [powers], keepdims=int(keepdim))
    graph.add("Pow", [total, graph.constant(1 / p, x.array.dtype)], out[0].name)


def _tile(graph: Graph, out: list[Value], x: Value, repeats: tuple[int, ...]) -> None:
    wide = graph.reshaped(
        x, (*[1] * (len(repeats) - x.ndim), *x.array.shape), (*[1] * (len(repeats) - x.ndim), *x.twin.shape)
    )
    graph.add("Tile", [wide, graph.integers(repeats)], out[0].name)


def _repeat_each(graph: Graph, out: list[Value], x: Value, repeats: Any, axis: int) -> None:
    if x.array.shape[axis] != x.twin.shape[axis]:
        raise ExportError("repeat_interleave along the batch")
    counts = np.broadcast_to(np.asarray(repeats), x.shape[axis])
    graph.add("Gather", [x, graph.integers(np.repeat(np.arange(x.shape[axis]), counts))], out[0].name, axis=axis)


def _flip(graph: Graph, out: list[Value], x: Value, axes: tuple[int, ...]) -> None:
    count = len(axes)
    numbers = [-1] * count, [-ENDS] * count, axes, [-1] * count
    graph.add("Slice", [x, *map(graph.integers, numbers)], out[0].name)


def _roll(graph: Graph, out: list[Value], x: Value, shifts: tuple[int, ...], axes: tuple[int, ...] | None) -> None:
    """Along each axis the last elements before the others."""
    if not x.array.size and not x.twin.size:
        shifts, axes = (), ()
    result: Any = x if axes is not None else graph.add("Reshape", [x, graph.integers([-1])])
    for shift, axis in zip(shifts, (0,) if axes is None else axes, strict=True):
        size = x.shape[axis] if axes is not None else x.array.size
        other = x.twin.shape[axis] if axes is not None else x.twin.size
        if size != other and abs(shift) >= min(size, other):
            raise ExportError("a roll along the batch by more than its size")
        start = 0 if not size else shift % size if size == other else shift
        if start:
            cuts = [([-start], [ENDS]), ([0], [-start])]
            parts = [graph.add("Slice", [result, *map(graph.integers, (*cut, [axis]))]) for cut in cuts]
            result = graph.add("Concat", parts, axis=axis)
    graph.like(result, out[0], out[0].name)


def _cumulative(graph: Graph, out: list[Value], x: Value, axis: int) -> None:
    graph.add("CumSum", [x, graph.constant(axis, np.int64)], out[0].name)


def _gather(op: str, graph: Graph, out: list[Value], x: Value, index: Any, axis: int) -> None:
    graph.add(op, [x, index_of(graph, index)], out[0].name, axis=axis)


def _root(graph: Graph, out: list[Value], variance: Value) -> None:
    graph.add("Sqrt", [operand(graph, variance, out[0])], out[0].name)


OPERATORS: dict[type, Writer] = {
    shape.View: _like_output,
    shape.Reshape: _like_output,
    shape.Squeeze: _like_output,
    shape.Unsqueeze: _like_output,
    First: _like_output,
    OnlyRow: _like_output,
    shape.Permute: _transpose,
    shape.Expand: _expand,
    indexing.Take: _take,
    joining.Concatenate: _concatenate,
    splitting.Split: _split,
    splitting.Unbind: _unbind,
    softmax.Softmax: partial(_softmax, "Softmax"),
    softmax.LogSoftmax: partial(_softmax, "LogSoftmax"),
    matmul.MatrixProduct: _matmul,
    reduction.Sum: partial(_reduce, "ReduceSum"),
    reduction.Mean: partial(_reduce, "ReduceMean"),
    reduction.Product: partial(_reduce, "ReduceProd"),
    reduction.LogSumExp: partial(_reduce, "ReduceLogSumExp"),
    reduction.Variance: _variance,
    reduction.Deviation: _root,
    extremes.ExtremeOf: _extreme,
    extremes.ExtremeOver: _extreme,
    extremes.ExtremeAlong: _extreme_along,
    norms.VectorNorm: _norm,
    repeating.Repeat: _tile,
    repeating.RepeatInterleave: _repeat_each,
    turning.Flip: _flip,
    turning.Roll: _roll,
    scans.CumulativeSum: _cumulative,
    selecting.Gather: partial(_gather, "GatherElements"),
    selecting.IndexSelect: partial(_gather, "Gather"),
}
