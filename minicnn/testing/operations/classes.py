"""softmax, log_softmax and cross_entropy in the battery.

Exponentials are as exact as their exponents: of p = exp(x − log Σ exp x) at most about eps · (|x| + max|x| + log K)
gets lost, relative to p, and of log p as much, absolute. Far below the smallest normal number nothing is promised.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from minicnn.testing.choices import Choices
from minicnn.testing.operations.common import (
    BATCHES,
    COUNTS,
    MANNER_FEATURES,
    TAILS,
    manner,
    manner_rows,
    manner_themes,
)
from minicnn.testing.operations.operation import Fields, Operation, Plan, Theme

if TYPE_CHECKING:
    from minicnn.testing.case import Case

KINDS = ("normals", "integers", "reals", "large", "ties")
Magnitudes = dict[str, np.ndarray | None]


def floor_of(case: "Case") -> float:
    """What added to a magnitude allows for numbers below the smallest normal one."""
    info = np.finfo(case.dtype)
    return float(info.tiny) / float(info.eps)


def sizes(x: np.ndarray) -> np.ndarray:
    """|x|, and 0 for infinities, which make a result that is infinite, NaN or exactly 0."""
    return np.where(np.isfinite(x), np.abs(x), 0)


def log_p(x: np.ndarray, axis: int) -> np.ndarray:
    shifted = x - x.max(axis, keepdims=True, initial=-np.inf)
    return shifted - np.log(np.exp(shifted).sum(axis, keepdims=True))


def softmax_magnitude(case: "Case", exact: dict[str, np.ndarray]) -> Magnitudes:
    x, axis = np.asarray(case.arrays["input"], np.float64), case.options["dim"]
    grad = "the gradient with respect to input"
    with np.errstate(all="ignore"):
        p = np.exp(log_p(x, axis))
        loss = 2 + sizes(x) + sizes(x).max(axis, keepdims=True, initial=0) + np.log(max(x.shape[axis], 1))
        loss = loss + np.sqrt(x.shape[axis]) / 2
        g = np.abs(case.grad_output(x.shape).astype(np.float64))
        if case.operation.name == "softmax":
            found = {"y": p * loss, grad: p * loss * g + p * loss * (g * p * loss).sum(axis, keepdims=True)}
        else:
            found = {"y": loss, grad: g + p * loss * g.sum(axis, keepdims=True)}
        return {name: found[name] + floor_of(case) for name in exact}


def draft_softmax(choose: Choices) -> dict[str, Any]:
    f = {"rank": choose("rank", (2, 2, 3), (2, 3, 4, 1)), "W": choose("W", (2, 3, 4, 1), COUNTS)}
    f["H"], f["C"] = choose("H", (1, 2, 3), (1, 2, 3, 4, 5)), choose("C", (1, 2, 3), (1, 2, 3, 4, 5))
    f["N"] = choose("N", (1, 2, 3), BATCHES)
    f["dim"] = min(choose("dim", (1, 0, -1), (1, 0, -1, 2, 3)), f["rank"] - 1)
    return f | manner(choose, ("input",), KINDS)


def build_softmax(f: Fields) -> Plan | None:
    if f["dim"] >= f["rank"]:
        return None
    return {"input": tuple(f[name] for name in ("W", "N", "H", "C")[: f["rank"]][::-1])}, {"dim": f["dim"]}


def softmax_themes(sizes: tuple[str, ...]) -> tuple[Theme, ...]:
    return (
        Theme("float32", 24, sizes),
        Theme("large numbers", 16, sizes, {"values": ("large",)}),
        Theme("block sizes", len(TAILS), (), {}, {"W": TAILS}),
        Theme("batches", len(BATCHES), (), {}, {"N": BATCHES}),
        Theme("empty batch", 3, (), {"N": (0,), "dim": (-1,)}),
        *(one for one in manner_themes(("input",), sizes) if one.row != "extreme values"),
    )


ROWS = {
    "large numbers": lambda f: f["values"] == "large",
    "block sizes": lambda f: f["W"] >= 7,
    "batches": lambda f: f["N"] > 3,
    "empty batch": lambda f: f["N"] == 0,
    **manner_rows(),
}
FEATURES = {
    "large numbers": lambda f: f["values"] == "large",
    "an empty batch": lambda f: f["N"] == 0,
    **MANNER_FEATURES,
}
SHARED: dict[str, Any] = {
    "arrays": ("input",),
    "optional": frozenset(),
    "options": {"dim": 1},
    "order": ("input", "dim"),
    "draft": draft_softmax,
    "build": build_softmax,
    "work": lambda f: f["N"] * f["W"] * f["H"] * f["C"],
    "terms": lambda f: f["W"] * f["N"],
    "rows": {"dim": lambda f: f["dim"] not in (1, -1) or f["rank"] != 2, **ROWS},
    "needs": {"dim": ("dim",)},
    "narrow": {"dim": {"dim": (1,), "rank": (2,)}},
    "themes": (
        *softmax_themes(("N", "W")),
        Theme("dim", 24, ("N", "W", "H", "C", "rank"), {}, {"dim": (0, 1, 2, -1, 3)}),
        Theme("mixed", 60, ("*",)),
    ),
    "features": {
        "a dim other than the last": lambda f: f["dim"] not in (-1, f["rank"] - 1),
        "the last dim": lambda f: f["dim"] in (-1, f["rank"] - 1),
        "dim=0": lambda f: f["dim"] == 0,
        "a dim below zero": lambda f: f["dim"] < 0,
        "an input of more than 2 dimensions": lambda f: f["rank"] > 2,
        "an input of 1 dimension": lambda f: f["rank"] == 1,
        **FEATURES,
    },
    "counts": {"N": "rows", "W": "columns"},
    "blocks": ("W",),
    "exact": False,
    "magnitude": softmax_magnitude,
    "floats": ("input",),
    "least": {"dim": -1},
    "unasked": ("extreme values",),
}
SOFTMAX = Operation(name="softmax", call=lambda F, a, o: F.softmax(a["input"], **o), **SHARED)
LOG_SOFTMAX = Operation(name="log_softmax", call=lambda F, a, o: F.log_softmax(a["input"], **o), **SHARED)


def cross_entropy_magnitude(case: "Case", exact: dict[str, np.ndarray]) -> Magnitudes:
    x, target = np.asarray(case.arrays["input"], np.float64), np.asarray(case.arrays["target"])
    images, shape = np.moveaxis(x, 1, -1), target.shape
    x, target, K = images.reshape(-1, x.shape[1]), target.reshape(-1), x.shape[1]
    N = len(x)
    o, weight = case.options, case.arrays["weight"]
    w = np.ones(K) if weight is None else np.asarray(weight, np.float64)
    counted = target != o["ignore_index"]
    chosen = np.where(counted, target, 0)
    share = o["label_smoothing"]
    q = (1 - share) * np.eye(K)[chosen] + share / K
    q = q * w * counted[:, None]
    with np.errstate(all="ignore"):
        p = np.exp(log_p(x, 1))
        loss = 2 + sizes(x) + sizes(x).max(1, keepdims=True, initial=0) + np.log(K) + np.sqrt(K) / 2
        each, total = (q * loss).sum(1), (w[chosen] * counted).sum()
        scale = {"mean": np.ones(N) / total if N else np.ones(0), "sum": np.ones(N), "none": np.ones(N)}[o["reduction"]]
        each = each * (1 + np.sqrt(K) / 2) if share else each  # a sum over all classes
        value = each if o["reduction"] == "none" else np.asarray((each * scale).sum() * (1 + np.sqrt(N) / 2))
        g = np.abs(case.grad_output(exact["y"].shape).astype(np.float64)).reshape(-1)
        by_x = (g * scale)[:, None] * (q + p * loss * q.sum(1, keepdims=True))
    value = value.reshape(shape) if o["reduction"] == "none" else value
    by_x = np.moveaxis(by_x.reshape(images.shape), -1, 1)
    found = {"y": value + floor_of(case), "the gradient with respect to input": by_x + floor_of(case)}
    return {name: found[name] for name in exact}


def draft_cross_entropy(choose: Choices) -> dict[str, Any]:
    f = {"W": choose("W", (2, 3, 4), COUNTS), "N": choose("N", (1, 2, 3), BATCHES)}
    f["rank"] = choose("rank", (2,), (2, 2, 3))
    f["H"] = choose("H", (2, 3), (1, 2, 3, 4)) if f["rank"] == 3 else 1
    f["weighted"] = choose("weighted", (False,), (False, True))
    f["reduction"] = choose("reduction", ("mean",), ("mean", "sum", "none"))
    f["ignored"] = choose("ignored", ("none",), ("none", "some", "all"))
    f["ignore_index"] = choose("ignore_index", (-100,), (-100, 0, 1))
    f["smoothing"] = choose("smoothing", (0.0,), (0.0, 0.1, 0.5, 1.0))
    return f | manner(choose, ("input",), KINDS)


def build_cross_entropy(f: Fields) -> Plan | None:
    shapes: dict[str, tuple[int, ...] | None]
    if f["rank"] == 2 and f["H"] != 1:
        return None
    more = (f["H"],) if f["rank"] == 3 else ()
    shapes = {
        "input": (f["N"], f["W"], *more),
        "target": (f["N"], *more),
        "weight": (f["W"],) if f["weighted"] else None,
    }
    options = {"ignore_index": f["ignore_index"], "reduction": f["reduction"], "label_smoothing": f["smoothing"]}
    return shapes, options


def targets(name: str, f: Fields, shape: tuple[int, ...]) -> np.ndarray | None:
    if name == "input":
        return None
    rng = np.random.default_rng([f["seed"], len(name)])
    if name == "weight":
        return (rng.integers(1, 9, shape) / 4).astype(f["dtype"])
    found = rng.integers(0, f["W"], shape)
    if f["ignored"] != "none":
        found[rng.random(shape) < (0.4 if f["ignored"] == "some" else 2)] = f["ignore_index"]
    return found.astype(np.int64)


def ignoring(f: Fields) -> bool:
    return f["ignored"] != "none" or f["ignore_index"] >= 0


CHOSEN = ("N", "W")
CROSS_ENTROPY = Operation(
    name="cross_entropy",
    arrays=("input", "target", "weight"),
    optional=frozenset({"weight"}),
    options={"ignore_index": -100, "reduction": "mean", "label_smoothing": 0.0},
    order=("input", "target", "weight", "ignore_index", "reduction", "label_smoothing"),
    call=lambda F, a, o: F.cross_entropy(a["input"], a["target"], a["weight"], **o),
    draft=draft_cross_entropy,
    build=build_cross_entropy,
    work=lambda f: f["N"] * f["W"] * f["H"],
    terms=lambda f: f["W"] * f["N"] * f["H"],
    rows={
        "weight": lambda f: bool(f["weighted"]),
        "ignore_index": ignoring,
        "reduction": lambda f: f["reduction"] != "mean",
        "label_smoothing": lambda f: f["smoothing"] > 0,
        "positions": lambda f: f["rank"] == 3,
        **ROWS,
    },
    needs={row: (row,) for row in ("weight", "ignore_index", "reduction", "label_smoothing")},
    narrow={
        "weight": {"weighted": (False,)},
        "ignore_index": {"ignored": ("none",), "ignore_index": (-100,)},
        "reduction": {"reduction": ("mean",)},
        "label_smoothing": {"smoothing": (0.0,)},
        "positions": {"rank": (2,)},
    },
    themes=(
        *softmax_themes(CHOSEN),
        Theme(
            "weight", 16, (*CHOSEN, "reduction"), {"weighted": (True,)}, {"reduction": ("mean", "mean", "sum", "none")}
        ),
        Theme(
            "ignore_index", 20, (*CHOSEN, "reduction", "ignore_index", "weighted"), {"ignored": ("some", "some", "all")}
        ),
        Theme("positions", 12, (*CHOSEN, "weighted", "reduction"), {"rank": (3,)}),
        Theme("reduction", 16, CHOSEN, {}, {"reduction": ("sum", "none")}),
        Theme(
            "label_smoothing",
            20,
            (*CHOSEN, "weighted", "ignored", "reduction"),
            {"smoothing": (0.1, 0.5, 1.0)},
            {"weighted": (True, False)},
        ),
        Theme("mixed", 80, ("*",)),
    ),
    features={
        "a weight": lambda f: f["weighted"],
        "an input of more than 2 dimensions": lambda f: f["rank"] == 3,
        "targets that are ignored": lambda f: f["ignored"] != "none" or 0 <= f["ignore_index"] < f["W"],
        "nothing but ignored targets": lambda f: f["ignored"] == "all",
        "an ignore_index other than -100": lambda f: f["ignore_index"] != -100,
        'reduction="mean"': lambda f: f["reduction"] == "mean",
        'reduction="sum"': lambda f: f["reduction"] == "sum",
        'reduction="none"': lambda f: f["reduction"] == "none",
        "label_smoothing": lambda f: f["smoothing"] > 0,
        **FEATURES,
    },
    counts={"N": "rows", "W": "classes"},
    blocks=("W",),
    exact=False,
    magnitude=cross_entropy_magnitude,
    values=targets,
    floats=("input",),
    least={"ignore_index": -100},
    simplest={"reduction": "mean", "ignored": "none", "smoothing": 0.0},
    unasked=("extreme values",),
)
