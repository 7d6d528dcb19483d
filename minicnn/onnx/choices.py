"""How operations are written that choose: comparisons, logic, positions of extremes, orders, what is put where."""

from functools import partial
from typing import Any

import numpy as np

from minicnn.onnx.elementwise import Writer, cast
from minicnn.onnx.graph import ExportError, Graph, Value
from minicnn.operators import comparison, diagonals, extremes, scattering, sorting, truth, unary
from minicnn.operators.binary import Compared

COMPARISONS: dict[Any, str] = {
    np.equal: "Equal", np.not_equal: "Equal", np.less: "Less", np.less_equal: "LessOrEqual", np.greater: "Greater",
    np.greater_equal: "GreaterOrEqual", np.logical_and: "And", np.logical_or: "Or", np.logical_xor: "Xor",
}  # fmt: skip
BITS: dict[Any, str] = {np.bitwise_and: "And", np.bitwise_or: "Or", np.bitwise_xor: "Xor"}


def _in(graph: Graph, x: Any, dtype: np.dtype) -> Any:
    """An operand in a dtype."""
    if not isinstance(x, Value):
        return graph.constant(x, dtype)
    return x if x.array.dtype == dtype else cast(graph, x, dtype)


def _compared(graph: Graph, out: list[Value], a: Any, b: Any, function: Any, dtype: np.dtype) -> None:
    name = COMPARISONS.get(function) or BITS.get(function)
    if name is None:
        raise ExportError(f"no ONNX is written for {getattr(function, '__name__', function)}")
    if function in BITS and dtype.kind != "b":
        name = f"Bitwise{name}"
    if function in (np.logical_and, np.logical_or, np.logical_xor):
        dtype = np.dtype(bool)
    elif function not in BITS and (dtype.kind in "bu" or dtype in (np.int8, np.int16)):
        dtype = np.dtype(np.int64)  # which has every comparison
    pair = [_in(graph, one, dtype) for one in (a, b)]
    if function is np.not_equal:
        graph.add("Not", [graph.add(name, pair)], out[0].name)
    else:
        graph.add(name, pair, out[0].name)


def _predicate(graph: Graph, out: list[Value], x: Value, function: Any) -> None:
    result = out[0].name
    whole = x.array.dtype.kind != "f"
    if function is np.logical_not or (function is np.invert and x.array.dtype == bool):
        graph.add("Not", [_in(graph, x, np.dtype(bool))], result)
    elif function is np.invert:
        graph.add("BitwiseNot", [x], result)
    elif function is np.copy:
        graph.add("Identity", [x], result)
    elif whole or function not in (comparison.is_nan, comparison.is_infinite, np.isfinite):
        raise ExportError(f"no ONNX is written for {getattr(function, '__name__', function)} of {x.array.dtype}")
    elif function is comparison.is_nan:
        graph.add("IsNaN", [x], result)
    elif function is comparison.is_infinite:
        graph.add("IsInf", [x], result)
    else:
        graph.add("Not", [graph.add("Or", [graph.add("IsNaN", [x]), graph.add("IsInf", [x])])], result)


def _truth(
    graph: Graph, out: list[Value], x: Value, function: Any, axes: tuple[int, ...] | None, keepdim: bool
) -> None:
    holds: Any = cast(graph, _in(graph, x, np.dtype(bool)), np.int64)
    if axes is None or axes:
        op = {np.any: "ReduceMax", np.all: "ReduceMin", np.count_nonzero: "ReduceSum"}[function]
        holds = graph.add(op, [holds, graph.integers(axes)] if axes else [holds], keepdims=int(keepdim))
    cast(graph, holds, out[0].array.dtype, out[0].name)


def _position(graph: Graph, out: list[Value], x: Value, function: Any, axis: int | None, keepdim: bool) -> None:
    flat = x if axis is not None else graph.add("Reshape", [x, graph.integers([-1])])
    op = "ArgMin" if function is np.argmin else "ArgMax"
    index = graph.add(op, [flat], axis=axis or 0, keepdims=int(keepdim and axis is not None))
    graph.like(index, out[0], out[0].name)


def _order(graph: Graph, out: list[Value], x: Value, axis: int, descending: bool, k: int | None) -> None:
    count = graph.add("Shape", [x], start=axis, end=axis + 1) if k is None else graph.integers(k)
    names = [graph.new_name("values"), out[0].name]
    graph.add_several("TopK", [x, count], names, axis=axis, largest=int(descending))


def _chosen(graph: Graph, out: list[Value], x: Value, index: Value, axis: int) -> None:
    if index.ndim < x.ndim:
        wide = graph.add("Unsqueeze", [index, graph.integers([axis])])
        graph.add("Squeeze", [graph.add("GatherElements", [x, wide], axis=axis), graph.integers([axis])], out[0].name)
    else:
        graph.add("GatherElements", [x, index], out[0].name, axis=axis)


def _scatter(reduction: str, graph: Graph, out: list[Value], x: Value, index: Value, source: Any, axis: int) -> None:
    if not isinstance(source, Value):  # a number, as many times as the index has elements
        source = graph.add("Expand", [graph.constant(source.flat[0]), graph.add("Shape", [index])])
    elif source.shape != index.shape:
        ends = graph.add("Shape", [index])
        source = graph.add("Slice", [source, graph.integers([0] * index.ndim), ends])
    graph.add("ScatterElements", [x, index, source], out[0].name, axis=axis, reduction=reduction)


def _triangle(graph: Graph, out: list[Value], x: Value, function: Any, diagonal: int) -> None:
    graph.add("Trilu", [x, graph.constant(diagonal, np.int64)], out[0].name, upper=int(function is np.triu))


OPERATORS: dict[type, Writer] = {
    Compared: _compared,
    unary.WithoutGradient: _predicate,
    truth.Truth: _truth,
    extremes.Position: _position,
    sorting.Order: _order,
    sorting.Chosen: _chosen,
    scattering.Scatter: partial(_scatter, "none"),
    scattering.ScatterAdd: partial(_scatter, "add"),
    diagonals.Triangle: _triangle,
}
