"""Laws that hold whatever the right answer is: an operation is compared with itself, and no oracle is asked.

Their cases hold whole numbers, so that both sides of a law are equal, unless the function states a factor.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Arrays = Mapping[str, Any]
Call = Callable[[Arrays, Mapping[str, Any]], np.ndarray]
Sides = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Law:
    """An equation between answers.

    Attributes:
        name: such as "linearity in x".
        equation: in symbols, for the message.
        sides: both sides, given what calls the function on arrays and options, the case's arrays and its options.
        fixed: choices in whose cases the law holds.
        needs: parameters that the function must have.
    """

    name: str
    equation: str
    sides: Callable[[Call, Arrays, Mapping[str, Any]], Sides]
    fixed: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    needs: tuple[str, ...] = ()


def _linear_in(name: str) -> Callable[[Call, Arrays, Mapping[str, Any]], Sides]:
    def sides(call: Call, a: Arrays, o: Mapping[str, Any]) -> Sides:
        other = np.roll(a[name], 1, -1)
        left = call({**a, name: 2 * a[name] - other}, o)
        return left, 2 * call(a, o) - call({**a, name: other}, o)

    return sides


def _batch_order(call: Call, a: Arrays, o: Mapping[str, Any]) -> Sides:
    return call({**a, "input": a["input"][::-1].copy()}, o), call(a, o)[::-1]


def _channel_order(call: Call, a: Arrays, o: Mapping[str, Any]) -> Sides:
    turned = {name: a[name][:, ::-1].copy() for name in ("input", "weight")}
    return call({**a, **turned}, o), call(a, o)


def _output_order(call: Call, a: Arrays, o: Mapping[str, Any]) -> Sides:
    return call({**a, "weight": a["weight"][::-1].copy()}, o), call(a, o)[:, ::-1]


def _shift(call: Call, a: Arrays, o: Mapping[str, Any]) -> Sides:
    moved = np.zeros_like(a["input"])
    moved[..., 1:, 1:] = a["input"][..., :-1, :-1]
    return call({**a, "input": moved}, o)[..., 1:, 1:], call(a, o)[..., :-1, :-1]


def _identity(call: Call, a: Arrays, o: Mapping[str, Any]) -> Sides:
    channels, size = a["input"].shape[1], a["weight"].shape[2]
    weight = np.zeros((channels, channels, size, size), a["weight"].dtype)
    weight[range(channels), range(channels), size // 2, size // 2] = 1
    return call({**a, "weight": weight}, {**o, "padding": size // 2}), a["input"]


def _groups_apart(call: Call, a: Arrays, o: Mapping[str, Any]) -> Sides:
    parts = zip(np.split(a["input"], o["groups"], 1), np.split(a["weight"], o["groups"], 0), strict=True)
    apart = [call({**a, "input": x.copy(), "weight": w.copy()}, {**o, "groups": 1}) for x, w in parts]
    return call(a, o), np.concatenate(apart, 1)


def _subsampling(call: Call, a: Arrays, o: Mapping[str, Any]) -> Sides:
    rows, columns = np.broadcast_to(o["stride"], 2)
    return call(a, o), call(a, {**o, "stride": 1})[..., ::rows, ::columns]


BATCH_ORDER = Law("the order of images", "f(x[::-1]) = f(x)[::-1]", _batch_order, {"N": (2, 3, 5), "rank": (2, 3)})
LINEAR_IN_X = Law("linearity in x", "f(2a - b, w) = 2f(a, w) - f(b, w)", _linear_in("input"), {"bias": (False,)})
LINEAR_IN_W = Law("linearity in w", "f(x, 2a - b) = 2f(x, a) - f(x, b)", _linear_in("weight"), {"bias": (False,)})
PRODUCT_LAWS = (BATCH_ORDER, LINEAR_IN_X, LINEAR_IN_W)
CONVOLUTION_LAWS = (
    *PRODUCT_LAWS,
    Law(
        "the order of channels", "f(x[:, ::-1], w[:, ::-1]) = f(x, w)", _channel_order,
        {"groups": (1,), "C": (2, 3, 17), "bias": (False,)},
    ),
    Law(
        "the order of outputs", "f(x, w[::-1]) = f(x, w)[:, ::-1]", _output_order,
        {"groups": (1,), "O": (2, 3, 17), "bias": (False,)},
    ),
    Law(
        "shift equivariance", "f(shifted x) = shifted f(x)", _shift,
        {"SH": (1,), "SW": (1,), "PH": (0,), "PW": (0,), "windowsH": (2, 3, 5), "windowsW": (2, 4), "bias": (False,)},
    ),
    Law(
        "the identity kernel", "f(x, delta) = x", _identity,
        {
            "groups": (1,), "KH": (3, 1, 5), "DH": (1,), "DW": (1,), "SH": (1,), "SW": (1,),
            "mode": ("numbers",), "bias": (False,),
        },
        ("padding",),
    ),
    Law(
        "groups as separate convolutions", "f(x, w, groups=G) = each group by itself, side by side", _groups_apart,
        {"groups": (2, 3), "bias": (False,)}, ("groups",),
    ),
    Law(
        "stride as subsampling", "f(x, w, stride=s) = f(x, w)[..., ::s, ::s]", _subsampling,
        {"mode": ("numbers",), "SH": (2, 3, 1), "SW": (3, 2), "bias": (False,)}, ("stride",),
    ),
)  # fmt: skip


def adjoint_gap(arrays: Mapping[str, np.ndarray], y: np.ndarray, grad: np.ndarray, received: Mapping[str, Any]) -> str:
    """Whether ⟨y, g⟩ = ⟨x, ∂x⟩ = ⟨w, ∂w⟩ of a bilinear operation fails; empty if it holds."""
    whole = float((y.astype(np.float64) * grad).sum())
    for name in ("input", "weight"):
        found = received.get(f"the gradient with respect to {name}")
        if found is None or found.shape != arrays[name].shape:
            continue
        if float((arrays[name].astype(np.float64) * found).sum()) != whole:
            return f"it breaks adjointness: ⟨y, g⟩ differs from ⟨{name}, the gradient with respect to {name}⟩"
    return ""
