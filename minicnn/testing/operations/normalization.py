"""batch_norm and layer_norm in the battery.

The bound of normalised numbers: with reach = |x| + mean|x|, which is what rounding x − mean amounts to, and
r = reach / √(var + eps), the rounding of x̂ is at most about t · (r + |x̂| · mean r²) · eps, where t = 1 + √R / 2 stands
for the sums over R numbers, and mean r² for the variance's own error, that of the formula E[x²] − E[x]² included. The
same terms, with those of the incoming gradients, bound the gradients. (See also `minicnn.testing.layers`.)
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

EPS = (1e-5, 1e-3, 0.1)
Magnitudes = dict[str, np.ndarray | None]


def normalized_magnitudes(
    x: np.ndarray, mean: np.ndarray, variance: np.ndarray, size: np.ndarray, eps: float, factor: Any, shift: Any,
    g: np.ndarray, over: tuple[int, ...], own: tuple[int, ...], moving: bool,
) -> Magnitudes:  # fmt: skip
    """Magnitudes of y and of the gradients with respect to input, weight and bias.

    Args:
        x, g: input, and absolute values of the gradient with respect to the output.
        mean, variance: that were used, shaped so that they broadcast.
        size: mean|x| over the same numbers, or |mean| where it is given.
        eps: added to the variance.
        factor, shift: absolute values of weight and bias, shaped so that they broadcast.
        over: axes of the statistics; own: axes over which the parameters' gradients are sums.
        moving: the statistics are the input's own, and have gradients.
    """
    count = np.prod([x.shape[axis] for axis in over])
    t = 1 + np.sqrt(count) / 2
    with np.errstate(all="ignore"):
        inverse = 1 / np.sqrt(variance + eps)
        hat, r = np.abs(x - mean) * inverse, (np.abs(x) + size) * inverse
        error = t * (r + hat * (r * r).mean(over, keepdims=True)) if moving else 2 * r
        flow = g * factor
        if moving:
            spread = flow + flow.mean(over, keepdims=True) + r * (flow * r).mean(over, keepdims=True)
            by_x = t * inverse * spread * (1 + (r * r).mean(over, keepdims=True))
        else:
            by_x = 2 * inverse * flow
        rows = 1 + np.sqrt(np.prod([x.shape[axis] for axis in own])) / 2
        return {
            "y": factor * error + shift,
            "the gradient with respect to input": by_x,
            "the gradient with respect to weight": rows * (g * (hat + error)).sum(own),
            "the gradient with respect to bias": rows * g.sum(own),
        }


def absolute(case: "Case", name: str, shape: tuple[int, ...], default: float) -> Any:
    array = case.arrays[name]
    return default if array is None else np.abs(array.astype(np.float64)).reshape(shape)


def gradient_size(case: "Case", exact: dict[str, np.ndarray]) -> np.ndarray:
    return np.abs(case.grad_output(exact["y"].shape).astype(np.float64))


def batch_norm_magnitude(case: "Case", exact: dict[str, np.ndarray]) -> Magnitudes:
    x = np.asarray(case.arrays["input"], np.float64)
    over, along = (0, 2, 3), (1, -1, 1, 1)
    weight, bias = absolute(case, "weight", along, 1.0), absolute(case, "bias", along, 0.0)
    training = case.options["training"]
    with np.errstate(all="ignore"):
        own_mean, own_variance = x.mean(over, keepdims=True), x.var(over, keepdims=True)
        size = np.abs(x).mean(over, keepdims=True)
    mean, variance = own_mean, own_variance
    if not training:
        mean, variance = (
            np.asarray(case.arrays[n], np.float64).reshape(along) for n in ("running_mean", "running_var")
        )
        size = np.abs(mean)
    found = normalized_magnitudes(
        x, mean, variance, size, case.options["eps"], weight, bias, gradient_size(case, exact), over, over, training
    )
    m, count = case.options["momentum"], x.size // x.shape[1]
    t = 1 + np.sqrt(count) / 2
    for name, batch in (
        ("running_mean", t * size),
        ("running_var", t * (own_variance + 2 * ((np.abs(x) + size) ** 2).mean(over, keepdims=True))),
    ):
        if name in exact:
            old = np.abs(np.asarray(case.arrays[name], np.float64))
            found[name] = (1 + m) * old + (2 * m * batch.reshape(-1) if training else 0)
    return {name: found[name] for name in exact}


def draft_batch_norm(choose: Choices) -> dict[str, Any]:
    f = {"W": choose("W", (1, 2, 3, 4), COUNTS), "H": choose("H", (1, 2, 3), (1, 2, 3, 4, 5))}
    f["C"] = choose("C", (1, 2, 3), COUNTS, max(1, 2**12 // (f["W"] * f["H"])))
    f["N"] = choose("N", (2, 1, 3), (2, 1, 3, 4, 5, 17), max(1, 2**12 // (f["W"] * f["H"] * f["C"])))
    f["training"] = choose("training", (True, False))
    f["tracked"] = True if not f["training"] else choose("tracked", (True, True, False))
    f["affine"] = choose("affine", ("both", "both", "none"), ("both", "none", "weight", "bias"))
    f["momentum"] = choose("momentum", (0.1,), (0.1, 0.3, 1.0, 0.0))
    f["eps"] = choose("eps", (1e-5,), EPS)
    return f | manner(choose, ("input", "weight"), KINDS)


def build_batch_norm(f: Fields) -> Plan | None:
    if f["training"] and f["N"] * f["H"] * f["W"] < 2:
        return None
    if not f["training"] and not f["tracked"]:
        return None
    tracked = (f["C"],) if f["tracked"] else None
    shapes: dict[str, tuple[int, ...] | None] = {
        "input": (f["N"], f["C"], f["H"], f["W"]),
        "running_mean": tracked,
        "running_var": tracked,
        "weight": (f["C"],) if f["affine"] in ("both", "weight") else None,
        "bias": (f["C"],) if f["affine"] in ("both", "bias") else None,
    }
    return shapes, {"training": f["training"], "momentum": f["momentum"], "eps": f["eps"]}


def positive_variance(name: str, f: Fields, shape: tuple[int, ...]) -> np.ndarray | None:
    if name not in ("running_mean", "running_var"):
        return None
    rng = np.random.default_rng([f["seed"], len(name)])
    drawn = rng.integers(1, 9, shape) / 4 if name == "running_var" else rng.integers(-8, 9, shape) / 4
    return drawn.astype(f["dtype"])


KINDS = ("normals", "integers", "ties", "reals")
SIZES = ("N", "H", "W")
BN_FEATURES = {
    "training=True": lambda f: f.get("training", False),
    "training=False": lambda f: not f.get("training", True),
    "running statistics": lambda f: f.get("tracked", False),
    "a weight": lambda f: f["affine"] in ("both", "weight"),
    "a bias": lambda f: f["affine"] in ("both", "bias"),
    "no weight": lambda f: f["affine"] in ("none", "bias"),
    "no bias": lambda f: f["affine"] in ("none", "weight"),
    "an eps other than 1e-5": lambda f: f["eps"] != 1e-5,
    **MANNER_FEATURES,
}
BATCH_NORM = Operation(
    name="batch_norm",
    arrays=("input", "running_mean", "running_var", "weight", "bias"),
    optional=frozenset({"running_mean", "running_var", "weight", "bias"}),
    options={"training": False, "momentum": 0.1, "eps": 1e-5},
    order=("input", "running_mean", "running_var", "weight", "bias", "training", "momentum", "eps"),
    call=lambda F, a, o: F.batch_norm(a["input"], a["running_mean"], a["running_var"], a["weight"], a["bias"], **o),
    draft=draft_batch_norm,
    build=build_batch_norm,
    work=lambda f: f["N"] * f["C"] * f["H"] * f["W"],
    terms=lambda f: f["N"] * f["H"] * f["W"],
    rows={
        "training": lambda f: f["training"],
        "evaluation": lambda f: not f["training"],
        "running stats": lambda f: f["tracked"] and f["training"],
        "weight and bias": lambda f: f["affine"] != "none",
        "momentum": lambda f: f["momentum"] != 0.1,
        "eps": lambda f: f["eps"] != 1e-5,
        "block sizes": lambda f: max(f["C"], f["W"]) >= 7,
        "batches": lambda f: f["N"] > 2,
        **manner_rows(),
    },
    needs={
        "evaluation": ("training", "running_mean", "running_var"), "running stats": ("running_mean", "running_var"),
        "weight and bias": ("weight", "bias"), "momentum": ("momentum",), "eps": ("eps",),
    },
    narrow={
        "training": {"training": (False,), "tracked": (True,)},
        "evaluation": {"training": (True,)},
        "running stats": {"tracked": (False,)},
        "weight and bias": {"affine": ("none",)},
        "momentum": {"momentum": (0.1,)},
        "eps": {"eps": (1e-5,)},
    },
    themes=(
        Theme("training", 24, SIZES, {"training": (True,)}),
        Theme("evaluation", 20, SIZES, {"training": (False,)}),
        Theme("running stats", 20, (*SIZES, "momentum"), {"training": (True,), "tracked": (True,)}),
        Theme("weight and bias", 16, SIZES, {}, {"affine": ("both", "weight", "bias", "none")}),
        Theme("momentum", 12, SIZES, {"training": (True,), "tracked": (True,)}, {"momentum": (0.3, 1.0, 0.0)}),
        Theme("eps", 9, SIZES, {}, {"eps": (1e-3, 0.1)}),
        *(Theme("block sizes", len(TAILS), (), {}, {name: TAILS}) for name in ("C", "W")),
        Theme("batches", 8, (), {}, {"N": (3, 4, 5, 17)}),
        *(one for one in manner_themes(("input", "weight"), SIZES) if one.row not in ("extreme values", "infinity")),
        Theme("mixed", 80, ("*",)),
    ),
    features=BN_FEATURES,
    counts={"N": "images", "C": "channels", "H": "rows", "W": "columns"},
    blocks=("C", "W"),
    exact=False,
    magnitude=batch_norm_magnitude,
    values=positive_variance,
    floats=("input", "weight", "bias"),
    updates=("running_mean", "running_var"),
    simplest={"affine": "none", "momentum": 0.1, "eps": 1e-5},
    unasked=("extreme values", "infinity"),
)  # fmt: skip


def layer_norm_magnitude(case: "Case", exact: dict[str, np.ndarray]) -> Magnitudes:
    x = np.asarray(case.arrays["input"], np.float64)
    shape = case.options["normalized_shape"]
    over = tuple(range(x.ndim - len(shape), x.ndim))
    weight, bias = absolute(case, "weight", shape, 1.0), absolute(case, "bias", shape, 0.0)
    with np.errstate(all="ignore"):
        mean, variance, size = (
            v.mean(over, keepdims=True) for v in (x, (x - x.mean(over, keepdims=True)) ** 2, np.abs(x))
        )
    own = tuple(range(x.ndim - len(shape)))
    found = normalized_magnitudes(
        x, mean, variance, size, case.options["eps"], weight, bias, gradient_size(case, exact), over, own, True
    )
    return {name: found[name] for name in exact}


def draft_layer_norm(choose: Choices) -> dict[str, Any]:
    f = {"W": choose("W", (2, 3, 4, 1), COUNTS), "H": choose("H", (1, 2, 3), (1, 2, 3, 4, 5))}
    f["N"] = choose("N", (1, 2, 3), BATCHES)
    f["dims"] = choose("dims", (1, 1, 2))
    f["affine"] = choose("affine", ("both", "both", "none"), ("both", "none", "weight", "bias"))
    f["eps"] = choose("eps", (1e-5,), EPS)
    return f | manner(choose, ("input", "weight"), KINDS)


def build_layer_norm(f: Fields) -> Plan | None:
    own = (f["H"], f["W"])[-f["dims"] :]
    shapes: dict[str, tuple[int, ...] | None] = {
        "input": (f["N"], f["H"], f["W"]),
        "weight": own if f["affine"] in ("both", "weight") else None,
        "bias": own if f["affine"] in ("both", "bias") else None,
    }
    return shapes, {"normalized_shape": own, "eps": f["eps"]}


LAYER_NORM = Operation(
    name="layer_norm",
    arrays=("input", "weight", "bias"),
    optional=frozenset({"weight", "bias"}),
    options={"normalized_shape": ..., "eps": 1e-5},
    order=("input", "normalized_shape", "weight", "bias", "eps"),
    call=lambda F, a, o: F.layer_norm(a["input"], o["normalized_shape"], a["weight"], a["bias"], o["eps"]),
    draft=draft_layer_norm,
    build=build_layer_norm,
    work=lambda f: f["N"] * f["H"] * f["W"],
    terms=lambda f: f["N"] * f["H"] * f["W"],
    rows={
        "two dimensions": lambda f: f["dims"] == 2,
        "weight and bias": lambda f: f["affine"] != "none",
        "eps": lambda f: f["eps"] != 1e-5,
        "block sizes": lambda f: f["W"] >= 7,
        "batches": lambda f: f["N"] > 2,
        "empty batch": lambda f: f["N"] == 0,
        **manner_rows(),
    },
    needs={"weight and bias": ("weight", "bias"), "eps": ("eps",)},
    narrow={"weight and bias": {"affine": ("none",)}, "eps": {"eps": (1e-5,)}, "two dimensions": {"dims": (1,)}},
    themes=(
        Theme("float32", 24, SIZES),
        Theme("two dimensions", 16, SIZES, {"dims": (2,)}),
        Theme("weight and bias", 16, SIZES, {}, {"affine": ("both", "weight", "bias", "none")}),
        Theme("eps", 9, SIZES, {}, {"eps": (1e-3, 0.1)}),
        Theme("block sizes", len(TAILS), (), {}, {"W": TAILS}),
        Theme("batches", len(BATCHES), (), {}, {"N": BATCHES}),
        Theme("empty batch", 3, (), {"N": (0,)}),
        *(one for one in manner_themes(("input", "weight"), SIZES) if one.row not in ("extreme values", "infinity")),
        Theme("mixed", 80, ("*",)),
    ),
    features={
        **{phrase: one for phrase, one in BN_FEATURES.items() if "training" not in phrase and "running" not in phrase},
        "two normalized dimensions": lambda f: f["dims"] == 2,
        "one normalized dimension": lambda f: f["dims"] == 1,
        "an empty batch": lambda f: f["N"] == 0,
    },
    counts={"N": "images", "H": "rows", "W": "columns"},
    blocks=("W",),
    exact=False,
    magnitude=layer_norm_magnitude,
    floats=("input", "weight", "bias"),
    simplest={"affine": "none", "eps": 1e-5},
    unasked=("extreme values", "infinity"),
)
