"""max_pool2d, avg_pool2d and adaptive_avg_pool2d in the battery."""

import math
from typing import Any

from minicnn.testing.choices import Choices
from minicnn.testing.laws import BATCH_ORDER
from minicnn.testing.operations.common import (
    BATCHES,
    COUNTS,
    MANNER_FEATURES,
    TAILS,
    manner,
    manner_rows,
    manner_themes,
)  # fmt: skip
from minicnn.testing.operations.operation import Fields, Operation, Plan, Theme
from minicnn.testing.operations.windows import (
    AXES,
    ELEMENTS,
    GEOMETRY,
    WINDOW_FEATURES,
    WINDOW_JOINT,
    WINDOW_NARROW,
    WINDOW_ROWS,
    every_window_sees,
    output,
    pair,
    paired,
    places,
    products,
    taps,
    window,
    window_themes,
)  # fmt: skip


def draft(choose: Choices) -> dict[str, Any]:
    """The fields of a pooling of (N, C, H, W); `strided` tells whether a stride is given."""
    f: dict[str, Any] = {"strided": choose("strided", (True, False))}
    for axis in AXES:
        window(choose, f, axis, pooled=True)
    f["ceil_mode"] = choose("ceil_mode", (False,), (False, True))
    return f | images(choose, f["H"] * f["W"], places(f) * taps(f)) | {"pairs": choose("pairs", (False, True))}


def images(choose: Choices, pixels: int, work: int) -> dict[str, Any]:
    """Channels and images, as many as there is room for, and their values."""
    room = max(ELEMENTS // pixels, 1)
    channels = choose("C", (1, 2, 3), COUNTS, min(room, max(choose.most // work, 1)))
    batch = choose("N", (1, 2), BATCHES, max(min(room, choose.most // work) // channels, 1))
    return {"C": channels, "N": batch} | manner(choose, ("input",))


def build(f: Fields) -> Plan | None:
    if any(2 * f[f"P{axis}"] > f[f"K{axis}"] or output(f, axis) < 1 for axis in AXES):
        return None
    if not f["strided"] and (f["SH"], f["SW"]) != (f["KH"], f["KW"]):
        return None
    if not every_window_sees(f):
        return None
    options = {"kernel_size": pair(f, "K"), "stride": pair(f, "S") if f["strided"] else None, "padding": pair(f, "P")}
    return {"input": (f["N"], f["C"], f["H"], f["W"])}, options | {"ceil_mode": f["ceil_mode"]}


def build_max(f: Fields) -> Plan | None:
    plan = build(f)
    return plan and (plan[0], plan[1] | {"dilation": pair(f, "D")})


def draft_average(choose: Choices) -> dict[str, Any]:
    counted = choose("count_include_pad", (True,), (True, False))
    return draft(choose) | {"count_include_pad": counted, "divisor": choose("divisor", (0,), (0, 0, 1, 3, 7))}


def build_average(f: Fields) -> Plan | None:
    plan = build(f)
    if plan is None or (f["DH"], f["DW"]) != (1, 1):
        return None
    counted = {"count_include_pad": f["count_include_pad"], "divisor_override": f["divisor"] or None}
    return plan[0], plan[1] | counted


def overlapping(f: Fields) -> int:
    """In how many windows a pixel lies, at most."""
    return math.prod(-(-f[f"K{axis}"] // f[f"S{axis}"]) * f[f"D{axis}"] for axis in AXES)


ROWS = {
    "stride": lambda f: f["strided"],
    "default stride": lambda f: not f["strided"],
    **{row: counts for row, counts in WINDOW_ROWS.items() if row not in ("stride", "dilation")},
    "pairs": lambda f: paired(f, "KSPD"),
    "ceil_mode": lambda f: bool(f["ceil_mode"]),
    "block sizes": lambda f: max(f["C"], f["W"], f["H"]) >= 7,
    **manner_rows(),
}
FEATURES = {
    "no stride given": lambda f: not f["strided"],
    "a stride given": lambda f: f["strided"],
    **WINDOW_FEATURES,
    "ceil_mode": lambda f: f["ceil_mode"],
    "a last window that hangs over the image": lambda f: any(
        (output(f, a) - 1) * f[f"S{a}"] + (f[f"K{a}"] - 1) * f[f"D{a}"] + 1 > f[a] + f[f"P{a}"] for a in AXES
    ),
    **MANNER_FEATURES,
}
NEEDS = {"stride": ("stride",), "padding": ("padding",), "ceil_mode": ("ceil_mode",)}
NARROW = {
    "stride": {"strided": (False,)},
    "default stride": {"strided": (True,)},
    "padding": WINDOW_NARROW["padding"],
    "ceil_mode": {"ceil_mode": (False,)},
}
COMMON: dict[str, Any] = {
    "arrays": ("input",),
    "optional": frozenset(),
    "laws": (BATCH_ORDER,),
    "work": products,
    "features": FEATURES,
    "counts": {"N": "images", "C": "channels", "H": "rows", "W": "columns"},
    "blocks": ("C", "W"),
    "floats": ("input",),
    "least": {"PH": 0, "PW": 0, "divisor": 0},
    "joint": (*WINDOW_JOINT, ("KH", "SH"), ("KW", "SW"), ("KH", "SH", "H"), ("KW", "SW", "W")),
    "defaults": {"stride": "default stride"},
}
ABOUT = ("N", "PH", "PW", "SH", "SW", *GEOMETRY)


def pool_themes(dilated: bool) -> tuple[Theme, ...]:
    return (
        *window_themes(BATCHES, dilated),
        Theme("default stride", 12, (*GEOMETRY, "PH", "PW", "ceil_mode"), {"strided": (False,)}),
        Theme("ceil_mode", 20, ABOUT, {"ceil_mode": (True,), "SH": (2, 3, 1), "SW": (2, 3, 1)}),
    )


MAX_POOL2D = Operation(
    name="max_pool2d",
    options={"kernel_size": ..., "stride": None, "padding": 0, "dilation": 1, "ceil_mode": False},
    order=("input", "kernel_size", "stride", "padding", "dilation", "ceil_mode"),
    call=lambda F, a, o: F.max_pool2d(a["input"], **o),
    draft=draft,
    build=build_max,
    terms=overlapping,
    rows={**ROWS, "dilation": WINDOW_ROWS["dilation"], "ties": lambda f: f["values"] == "ties"},
    needs={**NEEDS, "dilation": ("dilation",)},
    narrow={**NARROW, "dilation": WINDOW_NARROW["dilation"]},
    themes=(
        *pool_themes(dilated=True),
        Theme("ties", 12, ABOUT, {"values": ("ties",)}),
        Theme("infinity", 8, ABOUT, {"values": ("minus infinity",)}),
        Theme("padding", 8, (*GEOMETRY, "SH", "SW"), {"PH": (1,), "PW": (1,), "values": ("below zero",)}),
        *manner_themes(("input",), ABOUT),
        Theme("mixed", 90, ("*",)),
    ),
    copies=True,
    **COMMON,
)
AVG_POOL2D = Operation(
    name="avg_pool2d",
    options={
        "kernel_size": ..., "stride": None, "padding": 0, "ceil_mode": False, "count_include_pad": True,
        "divisor_override": None,
    },
    order=("input", "kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override"),
    call=lambda F, a, o: F.avg_pool2d(a["input"], **o),
    draft=draft_average,
    build=build_average,
    terms=lambda f: max(taps(f), overlapping(f)),
    rows={
        **ROWS,
        "count_include_pad": lambda f: not f["count_include_pad"],
        "divisor_override": lambda f: bool(f["divisor"]),
    },
    needs={**NEEDS, "count_include_pad": ("count_include_pad",), "divisor_override": ("divisor_override",)},
    narrow={**NARROW, "count_include_pad": {"count_include_pad": (True,)}, "divisor_override": {"divisor": (0,)}},
    themes=(
        *pool_themes(dilated=False),
        Theme("count_include_pad", 14, (*ABOUT, "ceil_mode"), {"count_include_pad": (False,), "PH": (1, 0, "half")}),
        Theme("divisor_override", 8, (*ABOUT, "ceil_mode"), {"divisor": (3, 1, 7)}),
        *manner_themes(("input",), ABOUT),
        Theme("mixed", 90, (*ABOUT, "C", "ceil_mode", "count_include_pad", "divisor", "dtype", "values", "layout")),
    ),
    exact=False,
    **{
        **COMMON,
        "features": {
            **FEATURES,
            "count_include_pad=False": lambda f: not f["count_include_pad"],
            "count_include_pad=True": lambda f: f["count_include_pad"],
            "a divisor_override": lambda f: f["divisor"],
        },
    },
)  # fmt: skip


def draft_adaptive(choose: Choices) -> dict[str, Any]:
    """The fields of an adaptive pooling from H×W to GH×GW pixels; 0 keeps the image's size."""
    f: dict[str, Any] = {}
    for axis in AXES:
        goal = f[f"G{axis}"] = choose(f"G{axis}", (1, 2, 3), (1, 2, 3, 4, 5, 7, 8, 0))
        size = choose(f"size{axis}", (1, 2, 3, 4, 5, 6), ("goal", "twice", "thrice", 1, 2, 3, 4, 5, 6, 7, 8, 9, 13))
        relations = {"goal": max(goal, 1), "twice": 2 * max(goal, 1), "thrice": 3 * max(goal, 1)}
        f[axis] = relations[size] if isinstance(size, str) else size
    return f | images(choose, f["H"] * f["W"], 4 * f["H"] * f["W"]) | {"pairs": choose("pairs", (False, True))}


def build_adaptive(f: Fields) -> Plan | None:
    goal = tuple(f[f"G{axis}"] or None for axis in AXES)
    both = goal[0] if goal[0] == goal[1] and goal[0] is not None and not f["pairs"] else goal
    return {"input": (f["N"], f["C"], f["H"], f["W"])}, {"output_size": both}


def windowed(f: Fields) -> int:
    """Products: pixels times the windows that see them, at most."""
    return f["N"] * f["C"] * (f["H"] + 2 * f["GH"]) * (f["W"] + 2 * f["GW"])


SIZES = ("GH", "GW", "sizeH", "sizeW")
ADAPTIVE_AVG_POOL2D = Operation(
    name="adaptive_avg_pool2d",
    options={"output_size": ...},
    order=("input", "output_size"),
    call=lambda F, a, o: F.adaptive_avg_pool2d(a["input"], **o),
    draft=draft_adaptive,
    build=build_adaptive,
    terms=lambda f: f["H"] * f["W"] + f["GH"] * f["GW"],
    rows={
        "output_size": lambda f: (f["GH"], f["GW"]) != (1, 1),
        "no divisor": lambda f: any(f[f"G{a}"] and f[a] % f[f"G{a}"] for a in AXES),
        "enlarging": lambda f: f["GH"] > f["H"] or f["GW"] > f["W"],
        "size kept": lambda f: not f["GH"] or not f["GW"],
        "pairs": lambda f: paired(f, "G"),
        "one-wide images": WINDOW_ROWS["one-wide images"],
        "block sizes": lambda f: max(f["C"], f["W"], f["H"]) >= 7,
        "batches": WINDOW_ROWS["batches"],
        "empty batch": WINDOW_ROWS["empty batch"],
        **manner_rows(),
    },
    needs={},
    narrow={"enlarging": {}, "size kept": {"GH": (1, 2, 3), "GW": (1, 2, 3)}},
    themes=(
        Theme("float32", 12),
        Theme("output_size", 24, SIZES),
        Theme("no divisor", 14, (), {"GH": (2, 3, 4, 5), "GW": (3, 2, 5), "sizeH": (5, 7, 4), "sizeW": (4, 7, 5, 8)}),
        Theme("enlarging", 10, (), {"GH": (4, 5, 7), "sizeH": (1, 2, 3), "sizeW": (2, 3)}),
        Theme("size kept", 8, SIZES, {}, {"GH": (0, 2, 0), "GW": (0, 0, 3)}),
        Theme("one-wide images", 6, SIZES, {}, {"sizeH": (1, 5), "sizeW": (3, 1)}),
        Theme("block sizes", len(TAILS), SIZES, {}, {"C": TAILS}),
        Theme("block sizes", len(TAILS), SIZES, {}, {"sizeW": TAILS}),
        Theme("batches", len(BATCHES), SIZES, {}, {"N": BATCHES}),
        Theme("empty batch", 3, SIZES, {"N": (0,)}),
        *manner_themes(("input",), ("N", *SIZES)),
        Theme("mixed", 60, ("*",)),
    ),
    exact=False,
    **{
        **COMMON,
        "work": windowed,
        "features": {
            "an output size that does not divide the image's": lambda f: any(
                f[f"G{a}"] and f[a] % f[f"G{a}"] for a in AXES
            ),
            "an output larger than the image": lambda f: f["GH"] > f["H"] or f["GW"] > f["W"],
            "an output_size with None": lambda f: not f["GH"] or not f["GW"],
            "an output size that differs between height and width": lambda f: f["GH"] != f["GW"],
            "an output_size given as a pair": lambda f: f["pairs"] or f["GH"] != f["GW"],
            "an image that is not square": lambda f: f["H"] != f["W"],
            "an empty batch": lambda f: f["N"] == 0,
            **MANNER_FEATURES,
        },
        "joint": (("GH", "H"), ("GW", "W"), ("GH", "GW"), ("H", "W")),
        "defaults": {},
    },
)
