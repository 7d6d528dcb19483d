"""How losses are written whose gradients minicnn computes in one piece."""

from typing import Any

import numpy as np

from minicnn.nn.functional import classes, labels, probabilities
from minicnn.onnx.elementwise import Writer, cast, operand
from minicnn.onnx.graph import Graph, Value


def _entropy(graph: Graph, out: list[Value], t: Value) -> None:
    """t · ln t, 0 where t is 0"""
    zero = graph.add("Equal", [t, graph.constant(0, t.array.dtype)])
    graph.add("Where", [zero, t, graph.add("Mul", [t, graph.add("Log", [t])])], out[0].name)


def _cross_entropy_of_two(graph: Graph, out: list[Value], x: Value, t: Value) -> None:
    """(t − 1) · max(ln(1 − x), −100) − t · max(ln x, −100)"""
    one, least = graph.constant(1, x.array.dtype), graph.constant(-100, x.array.dtype)
    logs = [graph.add("Max", [graph.add("Log", [p]), least]) for p in (x, graph.add("Sub", [one, x]))]
    other = graph.add("Mul", [graph.add("Sub", [t, one]), logs[1]])
    graph.add("Sub", [other, graph.add("Mul", [t, logs[0]])], out[0].name)


def _cross_entropy_of_logits(graph: Graph, out: list[Value], x: Value, t: Value, weight: Any) -> None:
    """(1 − t) · x + (1 + (w − 1) · t) · softplus(−x)"""
    one = graph.constant(1, x.array.dtype)
    loss = graph.add("Softplus", [graph.add("Neg", [x])])
    if weight is not None:
        more = graph.add("Mul", [graph.add("Sub", [weight, one]), t])
        loss = graph.add("Mul", [graph.add("Add", [more, one]), loss])
    graph.add("Add", [graph.add("Mul", [graph.add("Sub", [one, t]), x]), loss], out[0].name)


def _along_classes(op: str, graph: Graph, x: Any) -> str:
    return graph.add(op, [x, graph.integers([1])])


def _index(graph: Graph, target: Value) -> Any:
    return target if target.array.dtype == np.int64 else cast(graph, target, np.int64)


def _likelihood(
    graph: Graph,
    out: list[Value],
    scores: Any,
    x: Value,
    target: Value,
    weight: Any,
    ignored: int,
    smoothing: float,
    reduction: str,
) -> None:
    """−(1 − s) · w[t] · scores[t] − s/K · Σ w[c] · scores[c], 0 where the target is ignored; the mean is over w[t]."""
    dtype, K = x.array.dtype, x.shape[1]
    index, zero = _index(graph, target), graph.constant(0, dtype)
    counted = graph.add("Not", [graph.add("Equal", [index, graph.constant(ignored, np.int64)])])
    places = graph.add("Where", [counted, index, graph.constant(0, np.int64)])
    picked = graph.add("GatherElements", [scores, _along_classes("Unsqueeze", graph, places)], axis=1)
    factors = operand(graph, np.ones(K) if weight is None else weight, x)
    factor = graph.add("Gather", [factors, places])
    losses = graph.add("Neg", [graph.add("Mul", [factor, _along_classes("Squeeze", graph, picked)])])
    if smoothing:
        wide = graph.add("Reshape", [factors, graph.integers([1, K, *[1] * (x.ndim - 2)])])
        sums = graph.add("ReduceSum", [graph.add("Mul", [scores, wide]), graph.integers([1])], keepdims=0)
        own = graph.add("Mul", [losses, graph.constant(1 - smoothing, dtype)])
        losses = graph.add("Sub", [own, graph.add("Mul", [sums, graph.constant(smoothing / K, dtype)])])
    name = out[0].name
    losses = graph.add("Where", [counted, losses, zero], name if reduction == "none" else "")
    if reduction != "none":
        total = graph.add("ReduceSum", [losses], name if reduction == "sum" else "", keepdims=0)
    if reduction == "mean":
        share = graph.add("ReduceSum", [graph.add("Where", [counted, factor, zero])], keepdims=0)
        graph.add("Div", [total, share], name)


def _cross_entropy(graph: Graph, out: list[Value], x: Value, *options: Any) -> None:
    _likelihood(graph, out, graph.add("LogSoftmax", [x], axis=1), x, *options)


def _negative_log_likelihood(
    graph: Graph, out: list[Value], x: Value, target: Value, weight: Any, ignored: int, reduction: str
) -> None:
    _likelihood(graph, out, x, x, target, weight, ignored, 0.0, reduction)


def _multi_margin(graph: Graph, out: list[Value], x: Value, target: Value, p: int, margin: float, weight: Any) -> None:
    """All classes' terms, without that of the target itself: marginᵖ."""
    dtype, K = x.array.dtype, x.shape[1]
    own = graph.add("GatherElements", [x, _along_classes("Unsqueeze", graph, target)], axis=1)
    terms = graph.add("Relu", [graph.add("Add", [graph.add("Sub", [x, own]), graph.constant(margin, dtype)])])
    if p == 2:
        terms = graph.add("Mul", [terms, terms])
    total = graph.add("ReduceSum", [terms, graph.integers([1])], keepdims=0)
    others = graph.add("Sub", [total, graph.constant(max(margin, 0.0) ** p, dtype)])
    if weight is not None:
        others = graph.add("Mul", [others, graph.add("Gather", [operand(graph, weight, x), target])])
    graph.add("Div", [others, graph.constant(K, dtype)], out[0].name)


def _multi_label_margin(graph: Graph, out: list[Value], x: Value, target: Value) -> None:
    """Terms of labels by classes, (N, K, K); those of labels before the first −1, classes that are none."""
    dtype, K = x.array.dtype, x.shape[1]
    nothing, one = graph.constant(0, np.int64), graph.constant(1, np.int64)
    ends = cast(graph, graph.add("Less", [target, nothing]), np.int64)
    label = graph.add("Equal", [graph.add("CumSum", [ends, one]), nothing])
    places = graph.add("Where", [label, target, nothing])
    wide = graph.add("Unsqueeze", [label, graph.integers([2])])
    same = graph.add("Equal", [graph.add("Unsqueeze", [places, graph.integers([2])]), graph.constant(np.arange(K))])
    hits = cast(graph, graph.add("And", [wide, same]), np.int64)
    free = graph.add("Equal", [graph.add("ReduceMax", [hits, graph.integers([1])], keepdims=1), nothing])
    own = graph.add("Unsqueeze", [graph.add("GatherElements", [x, places], axis=1), graph.integers([2])])
    apart = graph.add("Sub", [_along_classes("Unsqueeze", graph, x), own])
    terms = graph.add("Relu", [graph.add("Add", [apart, graph.constant(1, dtype)])])
    counting = graph.add("Where", [graph.add("And", [wide, free]), terms, graph.constant(0, dtype)])
    total = graph.add("ReduceSum", [counting, graph.integers([1, 2])], keepdims=0)
    graph.add("Div", [total, graph.constant(K, dtype)], out[0].name)


OPERATORS: dict[type, Writer] = {
    probabilities.Entropy: _entropy,
    probabilities.BinaryCrossEntropy: _cross_entropy_of_two,
    probabilities.BinaryCrossEntropyWithLogits: _cross_entropy_of_logits,
    classes.CrossEntropy: _cross_entropy,
    classes.NegativeLogLikelihood: _negative_log_likelihood,
    labels.MultiMargin: _multi_margin,
    labels.MultiLabelMargin: _multi_label_margin,
}
