"""How elementwise operations are written.

A writer takes the graph, the operation's outputs as Values, and its arguments, those that are tensors as Values.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from onnx import helper

from minicnn.nn.functional.differences import SmoothAbsoluteError, SquaredError
from minicnn.onnx.graph import Graph, Value
from minicnn.operators import (
    activation,
    arithmetic,
    choosing,
    division,
    gates,
    masking,
    mixing,
    operands,
    pairs,
    rounding,
)
from minicnn.operators.shape import Clone

Writer = Callable[..., None]


def operand(graph: Graph, x: Any, like: Value) -> Any:
    """A tensor as it is; a number as a constant of the dtype of `like`, one that follows the batch in that dtype."""
    if isinstance(x, str):
        return x
    if isinstance(x, Value):
        whole = not x.array.ndim and x.array.dtype != like.array.dtype
        return cast(graph, x, like.array.dtype) if whole else x
    return graph.constant(x, like.array.dtype)


def cast(graph: Graph, x: Any, dtype: Any, output: str = "") -> str:
    """x in another dtype; truths of it where that is bool."""
    return graph.add("Cast", [x], output, to=helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))


def _plain(op: str, graph: Graph, out: list[Value], *arguments: Any, **attributes: Any) -> None:
    graph.add(op, [operand(graph, one, out[0]) for one in arguments], out[0].name, **attributes)


def _with(op: str, names: tuple[str, ...], graph: Graph, out: list[Value], x: Value, *parameters: float) -> None:
    """An operation whose parameters are attributes, in this order."""
    attributes = {name: float(value) for name, value in zip(names, parameters, strict=True)}
    graph.add(op, [x], out[0].name, **attributes)


def _chain(*ops: str) -> Writer:
    """Operations of one operand, one after the other."""

    def write(graph: Graph, out: list[Value], x: Value) -> None:
        result: Any = x
        for op in ops[:-1]:
            result = graph.add(op, [result])
        graph.add(ops[-1], [result], out[0].name)

    return write


def _scaled(op: str, factor: float) -> Writer:
    """op(x) · factor"""

    def write(graph: Graph, out: list[Value], x: Value) -> None:
        graph.add("Mul", [graph.add(op, [x]), graph.constant(factor, x.array.dtype)], out[0].name)

    return write


def _log1p(graph: Graph, out: list[Value], x: Value) -> None:
    graph.add("Log", [graph.add("Add", [x, graph.constant(1, x.array.dtype)])], out[0].name)


def _expm1(graph: Graph, out: list[Value], x: Value) -> None:
    graph.add("Sub", [graph.add("Exp", [x]), graph.constant(1, x.array.dtype)], out[0].name)


def _square(graph: Graph, out: list[Value], x: Value) -> None:
    graph.add("Mul", [x, x], out[0].name)


def _clip(graph: Graph, out: list[Value], x: Value, low: Any, high: Any) -> None:
    bounds = ["" if bound is None else graph.constant(bound, x.array.dtype) for bound in (low, high)]
    graph.add("Clip", [x, *bounds], out[0].name)


def _threshold(graph: Graph, out: list[Value], x: Value, threshold: float, value: float) -> None:
    above = graph.add("Greater", [x, graph.constant(threshold, x.array.dtype)])
    graph.add("Where", [above, x, graph.constant(value, x.array.dtype)], out[0].name)


def _elu(graph: Graph, out: list[Value], x: Value, negative: float, positive: float, inner: float) -> None:
    """ELU, SELU and CELU are one operation here; see `minicnn.operators.activation.Elu`."""
    scaled = x if inner == 1 else graph.add("Mul", [x, graph.constant(inner, x.array.dtype)])
    if inner != 1:  # CELU: alpha · elu(x / alpha)
        graph.add("Mul", [graph.add("Elu", [scaled]), graph.constant(negative, x.array.dtype)], out[0].name)
    elif positive != 1:
        graph.add("Selu", [x], out[0].name, alpha=negative / positive, gamma=positive)
    else:
        graph.add("Elu", [x], out[0].name, alpha=float(negative))


def _silu(graph: Graph, out: list[Value], x: Value) -> None:
    graph.add("Mul", [x, graph.add("Sigmoid", [x])], out[0].name)


def _gelu(graph: Graph, out: list[Value], x: Value) -> None:
    """x/2 · (1 + erf(x/√2))"""
    dtype = x.array.dtype
    erf = graph.add("Erf", [graph.add("Mul", [x, graph.constant(math.sqrt(0.5), dtype)])])
    half = graph.add("Mul", [x, graph.constant(0.5, dtype)])
    graph.add("Mul", [half, graph.add("Add", [erf, graph.constant(1, dtype)])], out[0].name)


def _gelu_tanh(graph: Graph, out: list[Value], x: Value) -> None:
    """x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³)))"""
    dtype = x.array.dtype
    cube = graph.add("Mul", [graph.add("Mul", [x, x]), x])
    inner = graph.add("Add", [x, graph.add("Mul", [cube, graph.constant(0.044715, dtype)])])
    tanh = graph.add("Tanh", [graph.add("Mul", [inner, graph.constant(math.sqrt(2 / math.pi), dtype)])])
    half = graph.add("Mul", [x, graph.constant(0.5, dtype)])
    graph.add("Mul", [half, graph.add("Add", [tanh, graph.constant(1, dtype)])], out[0].name)


def _softplus(graph: Graph, out: list[Value], x: Value, beta: float, threshold: float) -> None:
    """ln(1 + exp(beta · x)) / beta; x itself where beta · x lies above the threshold."""
    scale = graph.constant(beta, x.array.dtype)
    inner = graph.add("Mul", [x, scale])
    soft = graph.add("Div", [graph.add("Softplus", [inner]), scale])
    large = graph.add("Greater", [inner, graph.constant(threshold, x.array.dtype)])
    graph.add("Where", [large, x, soft], out[0].name)


def _tanhshrink(graph: Graph, out: list[Value], x: Value) -> None:
    graph.add("Sub", [x, graph.add("Tanh", [x])], out[0].name)


def _softshrink(graph: Graph, out: list[Value], x: Value, lambd: float) -> None:
    graph.add("Shrink", [x], out[0].name, lambd=float(lambd), bias=float(lambd))


def _squared_error(graph: Graph, out: list[Value], a: Value, b: Value) -> None:
    apart = graph.add("Sub", [a, b])
    graph.add("Mul", [apart, apart], out[0].name)


def _smooth_error(graph: Graph, out: list[Value], a: Value, b: Value, beta: float, factor: float) -> None:
    """z² / 2 / beta where z = |a − b| is below beta, z − beta / 2 elsewhere; times a factor."""
    z = graph.add("Abs", [graph.add("Sub", [a, b])])
    bend, half, scale = (graph.constant(one, a.array.dtype) for one in (beta, beta / 2, factor))
    square = graph.add("Mul", [graph.add("Mul", [z, z]), graph.constant(0.5 / beta if beta else 0, a.array.dtype)])
    chosen = graph.add("Where", [graph.add("Less", [z, bend]), square, graph.add("Sub", [z, half])])
    graph.add("Mul", [chosen, scale], out[0].name)


def _where(graph: Graph, out: list[Value], condition: Value, a: Any, b: Any) -> None:
    graph.add("Where", [condition, operand(graph, a, out[0]), operand(graph, b, out[0])], out[0].name)


def _masked(graph: Graph, out: list[Value], x: Value, mask: Value, value: Any) -> None:
    graph.add("Where", [mask, operand(graph, value, x), x], out[0].name)


def _cast(graph: Graph, out: list[Value], x: Value, dtype: Any) -> None:
    cast(graph, x, dtype, out[0].name)


def _trunc(graph: Graph, out: list[Value], x: Value) -> None:
    graph.add("Mul", [graph.add("Sign", [x]), graph.add("Floor", [graph.add("Abs", [x])])], out[0].name)


def _frac(graph: Graph, out: list[Value], x: Value) -> None:
    _plain("Mod", graph, out, x, 1, fmod=1)


def _lerp(graph: Graph, out: list[Value], a: Any, b: Any, w: Any) -> None:
    """a + w · (b − a)"""
    a, b, w = (operand(graph, one, out[0]) for one in (a, b, w))
    graph.add("Add", [a, graph.add("Mul", [w, graph.add("Sub", [b, a])])], out[0].name)


def _plus(op: str, graph: Graph, out: list[Value], a: Any, b: Any, c: Any, value: Any) -> None:
    """a + value · (b op c)"""
    a, b, c, value = (operand(graph, one, out[0]) for one in (a, b, c, value))
    graph.add("Add", [a, graph.add("Mul", [value, graph.add(op, [b, c])])], out[0].name)


def _between(graph: Graph, out: list[Value], x: Any, low: Any, high: Any) -> None:
    graph.add("Min", [graph.add("Max", [x, low]), high], out[0].name)


def _hypot(graph: Graph, out: list[Value], a: Any, b: Any) -> None:
    """√(a² + b²)"""
    squares = [graph.add("Mul", [one, one]) for one in (operand(graph, a, out[0]), operand(graph, b, out[0]))]
    graph.add("Sqrt", [graph.add("Add", squares)], out[0].name)


def _round(graph: Graph, out: list[Value], x: Value, decimals: int) -> None:
    if not decimals:
        graph.add("Round", [x], out[0].name)
        return
    scale = graph.constant(10.0**decimals, x.array.dtype)
    graph.add("Div", [graph.add("Round", [graph.add("Mul", [x, scale])]), scale], out[0].name)


def _remainder(graph: Graph, out: list[Value], a: Any, b: Any) -> None:
    """With the sign of b: the remainder with that of a, and b more where the signs differ."""
    a, b = operand(graph, a, out[0]), operand(graph, b, out[0])
    if out[0].array.dtype.kind != "f":
        graph.add("Mod", [a, b], out[0].name)
        return
    zero = graph.constant(0, out[0].array.dtype)
    rest = graph.add("Mod", [a, b], fmod=1)
    signs = graph.add("Xor", [graph.add("Less", [rest, zero]), graph.add("Less", [b, zero])])
    other = graph.add("And", [signs, graph.add("Not", [graph.add("Equal", [rest, zero])])])
    graph.add("Where", [other, graph.add("Add", [rest, b]), rest], out[0].name)


def _quotient(fmod: bool, graph: Graph, out: list[Value], a: Any, b: Any) -> None:
    """(a − remainder) / b, a whole number: rounded down, or towards 0 where the remainder has the sign of a."""
    dtype = out[0].array.dtype
    a, b = operand(graph, a, out[0]), operand(graph, b, out[0])
    if fmod:
        rest = graph.add("Mod", [a, b], fmod=1)
    else:
        rest = graph.new_name("rest")
        _remainder(graph, [Value(rest, out[0].array, out[0].twin)], a, b)
    whole = graph.add("Div", [graph.add("Sub", [a, rest]), b], "" if dtype.kind == "f" else out[0].name)
    if dtype.kind == "f":
        graph.add("Round", [whole], out[0].name)


def _nan_to_num(graph: Graph, out: list[Value], x: Value, nan: float, above: float, below: float) -> None:
    dtype = x.array.dtype
    result: Any = graph.add("Where", [graph.add("IsNaN", [x]), graph.constant(nan, dtype), x])
    large = graph.add("IsInf", [x], detect_negative=0)
    result = graph.add("Where", [large, graph.constant(above, dtype), result])
    small = graph.add("IsInf", [x], detect_positive=0)
    graph.add("Where", [small, graph.constant(below, dtype), result], out[0].name)


UNARY: dict[str, Writer] = {
    **{
        name: partial(_plain, name)
        for name in (
            "Abs", "Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "Ceil", "Cos", "Cosh", "Erf", "Exp", "Floor",
            "Log", "Neg", "Reciprocal", "Sign", "Sin", "Sinh", "Sqrt", "Tan",
        )
    },
    "Trunc": _trunc,
    "Frac": _frac,
    "Rsqrt": _chain("Sqrt", "Reciprocal"),
    "Log2": _scaled("Log", 1 / math.log(2)),
    "Log10": _scaled("Log", 1 / math.log(10)),
    "Log1P": _log1p,
    "Expm1": _expm1,
}  # fmt: skip
"""By the name of a class that a table made."""

OPERATORS: dict[type, Writer] = {
    arithmetic.Add: partial(_plain, "Add"),
    arithmetic.Subtract: partial(_plain, "Sub"),
    arithmetic.Multiply: partial(_plain, "Mul"),
    arithmetic.Divide: partial(_plain, "Div"),
    arithmetic.Power: partial(_plain, "Pow"),
    choosing.Maximum: partial(_plain, "Max"),
    choosing.Minimum: partial(_plain, "Min"),
    choosing.Clamp: _clip,
    choosing.ClampBetween: _between,
    mixing.Lerp: _lerp,
    mixing.AddProduct: partial(_plus, "Mul"),
    mixing.AddQuotient: partial(_plus, "Div"),
    pairs.Hypot: _hypot,
    choosing.HeldAbove: partial(_plain, "Max"),
    division.Remainder: _remainder,
    division.Fmod: partial(_plain, "Mod", fmod=1),
    division.FloorDivide: partial(_quotient, False),
    division.TruncatedQuotient: partial(_quotient, True),
    rounding.NanToNum: _nan_to_num,
    SquaredError: _squared_error,
    SmoothAbsoluteError: _smooth_error,
    choosing.Where: _where,
    masking.MaskedFill: _masked,
    operands.Cast: _cast,
    Clone: partial(_plain, "Identity"),
    rounding.Square: _square,
    rounding.Round: _round,
    gates.Prelu: partial(_plain, "PRelu"),
    activation.Relu: partial(_plain, "Relu"),
    activation.LeakyRelu: partial(_with, "LeakyRelu", ("alpha",)),
    activation.Threshold: _threshold,
    activation.Hardtanh: _clip,
    activation.Elu: _elu,
    activation.Sigmoid: partial(_plain, "Sigmoid"),
    activation.Tanh: partial(_plain, "Tanh"),
    activation.Silu: _silu,
    activation.Mish: partial(_plain, "Mish"),
    activation.Gelu: _gelu,
    activation.GeluTanh: _gelu_tanh,
    activation.LogSigmoid: _chain("Neg", "Softplus", "Neg"),
    activation.Softplus: _softplus,
    activation.Hardsigmoid: lambda graph, out, x: graph.add("HardSigmoid", [x], out[0].name, alpha=1 / 6, beta=0.5),
    activation.Hardswish: partial(_plain, "HardSwish"),
    activation.Softsign: partial(_plain, "Softsign"),
    activation.Tanhshrink: _tanhshrink,
    activation.Softshrink: _softshrink,
    activation.Hardshrink: partial(_with, "Shrink", ("lambd",)),
}
