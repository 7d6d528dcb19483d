"""relu and pad in the battery: operations that only choose numbers."""

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
)
from minicnn.testing.operations.operation import Fields, Operation, Plan, Theme

AXES = ("N", "C", "H", "W")


def image(choose: Choices) -> dict[str, Any]:
    """The sizes of (N, C, H, W)."""
    f = {"W": choose("W", (1, 2, 3, 4), COUNTS), "H": choose("H", (1, 2, 3, 4), (1, 2, 3, 4, 5, 7, 8, 9))}
    f["C"] = choose("C", (1, 2, 3), COUNTS, max(1, 2**13 // (f["W"] * f["H"])))
    f["N"] = choose("N", (1, 2), BATCHES, max(1, 2**13 // (f["W"] * f["H"] * f["C"])))
    return f


def draft_relu(choose: Choices) -> dict[str, Any]:
    return image(choose) | {"rank": choose("rank", (4, 2), (4, 2, 1, 3))} | manner(choose, ("input",))


def shape_of(f: Fields) -> tuple[int, ...]:
    return tuple(f[name] for name in (*AXES[: f["rank"] - 1], "W"))


SIZE_THEMES = (
    *(Theme("block sizes", len(TAILS), ("N",), {}, {name: TAILS}) for name in ("C", "W")),
    Theme("batches", len(BATCHES), (), {}, {"N": BATCHES}),
    Theme("empty batch", 3, (), {"N": (0,)}),
)
SIZE_ROWS = {
    "block sizes": lambda f: max(f["C"], f["W"]) >= 7,
    "batches": lambda f: f["N"] > 2,
    "empty batch": lambda f: f["N"] == 0,
}
COMMON: dict[str, Any] = {
    "arrays": ("input",),
    "optional": frozenset(),
    "laws": (BATCH_ORDER,),
    "counts": {"N": "images", "C": "channels", "H": "rows", "W": "columns"},
    "blocks": ("C", "W"),
    "floats": ("input",),
    "copies": True,
}
RELU = Operation(
    name="relu",
    options={},
    order=("input",),
    call=lambda F, a, o: F.relu(a["input"]),
    draft=draft_relu,
    build=lambda f: ({"input": shape_of(f)}, {}),
    work=lambda f: f["N"] * f["C"] * f["H"] * f["W"],
    terms=lambda f: 1,
    rows={
        "zeros": lambda f: f["values"] in ("ties", "zeros"),
        "dimensions": lambda f: f["rank"] != 4,
        **SIZE_ROWS,
        **manner_rows(),
    },
    needs={},
    narrow={"dimensions": {"rank": (4,)}},
    themes=(
        Theme("float32", 16),
        Theme("zeros", 16, ("N", "C"), {"values": ("ties", "zeros")}),
        Theme("dimensions", 9, ("W",), {}, {"rank": (1, 2, 3)}),
        *SIZE_THEMES,
        *manner_themes(("input",), ("N", "C", "W")),
        Theme("mixed", 60, ("*",)),
    ),
    features={
        "an empty batch": lambda f: f["N"] == 0,
        "an input of 4 dimensions": lambda f: f["rank"] == 4,
        "an input of fewer than 4 dimensions": lambda f: f["rank"] < 4,
        **MANNER_FEATURES,
    },
    **COMMON,
)

SIDES = ("left", "right", "top", "bottom")
MODES = ("constant", "reflect", "replicate", "circular")


def draft_pad(choose: Choices) -> dict[str, Any]:
    f = image(choose) | {"mode": choose("mode", ("constant",), MODES)}
    f["both"] = choose("both", (True, True, False))
    for side, size in zip(SIDES, ("W", "W", "H", "H"), strict=True):
        most = {"reflect": f[size] - 1, "circular": f[size]}.get(f["mode"], 5)
        drawn = choose(side, (0, 1, 2), (0, 1, 2, 3, 5)) if size == "W" or f["both"] else 0
        f[side] = max(min(drawn, most), (1 - f[size]) // 2 if f["mode"] == "constant" else 0)
    f["value"] = choose("value", (0,), (0, 1, -3)) if f["mode"] == "constant" else 0
    return f | manner(choose, ("input",))


def build_pad(f: Fields) -> Plan | None:
    for side, size in zip(SIDES, ("W", "W", "H", "H"), strict=True):
        if f["mode"] != "constant" and not f[size]:
            return None
        if f[side] < ((1 - f[size]) // 2 if f["mode"] == "constant" else 0):
            return None
        if f[side] > {"reflect": f[size] - 1, "circular": f[size]}.get(f["mode"], 5):
            return None
    if f["mode"] != "constant" and f["value"]:
        return None
    if not f["both"] and (f["top"] or f["bottom"]):
        return None
    rank_fits = f["both"] or f["mode"] == "constant"
    widths = tuple(f[side] for side in (SIDES if f["both"] else SIDES[:2]))
    options: dict[str, Any] = {"pad": widths, "mode": f["mode"], "value": float(f["value"]) if f["value"] else None}
    return ({"input": tuple(f[name] for name in AXES)}, options) if rank_fits else None


def lopsided(f: Fields) -> bool:
    return f["left"] != f["right"] or f["top"] != f["bottom"]


PAD = Operation(
    name="pad",
    options={"pad": ..., "mode": "constant", "value": None},
    order=("input", "pad", "mode", "value"),
    call=lambda F, a, o: F.pad(a["input"], **o),
    draft=draft_pad,
    build=build_pad,
    work=lambda f: f["N"] * f["C"] * (f["H"] + f["top"] + f["bottom"]) * (f["W"] + f["left"] + f["right"]),
    terms=lambda f: 36,
    rows={
        "constant": lambda f: f["mode"] == "constant",
        "value": lambda f: bool(f["value"]),
        **{mode: (lambda f, mode=mode: f["mode"] == mode) for mode in MODES[1:]},  # type: ignore[misc]
        "unequal sides": lopsided,
        "width only": lambda f: not f["both"],
        "negative": lambda f: min(f[side] for side in SIDES) < 0,
        **SIZE_ROWS,
        **manner_rows(),
    },
    needs={"value": ("value",), **dict.fromkeys(MODES[1:], ("mode",))},
    narrow={
        "value": {"value": (0,)},
        "width only": {"both": (True,)},
        **{mode: {"mode": tuple(one for one in MODES if one != mode)} for mode in MODES[1:]},
    },
    themes=(
        Theme("constant", 16, SIDES),
        Theme("value", 10, SIDES, {"value": (1, -3)}),
        *(Theme(mode, 16, (*SIDES, "W", "H"), {"mode": (mode,)}) for mode in MODES[1:]),
        Theme("unequal sides", 10, (), {"left": (0, 1), "right": (2, 3), "top": (2, 3), "bottom": (0, 1)}),
        Theme(
            "negative",
            12,
            ("N",),
            {
                "left": (-1, 0, 1),
                "right": (-1, -2, 2),
                "top": (-1, 0, 2),
                "bottom": (1, -1),
                "W": (3, 4, 7),
                "H": (3, 5),
            },
        ),
        Theme("width only", 8, SIDES, {"both": (False,)}),
        *SIZE_THEMES,
        *manner_themes(("input",), ("N", *SIDES)),
        Theme("mixed", 80, ("*",)),
    ),
    features={
        **{f'mode="{mode}"': (lambda f, mode=mode: f["mode"] == mode) for mode in MODES},  # type: ignore[misc]
        "a mode other than constant": lambda f: f["mode"] != "constant",
        "a value": lambda f: f["value"],
        "sides that differ": lopsided,
        "padding on the left": lambda f: f["left"],
        "padding on the right": lambda f: f["right"],
        "padding at the top": lambda f: f["top"],
        "padding at the bottom": lambda f: f["bottom"],
        "padding of two pixels or more": lambda f: max(f[side] for side in SIDES) > 1,
        "another padding of height than of width": lambda f: (f["left"], f["right"]) != (f["top"], f["bottom"]),
        "negative widths": lambda f: min(f[side] for side in SIDES) < 0,
        "two numbers in pad": lambda f: not f["both"],
        "an empty batch": lambda f: f["N"] == 0,
        **MANNER_FEATURES,
    },
    least=dict.fromkeys(SIDES, 0) | {"value": 0},
    simplest={"mode": "constant"},
    joint=(("left", "right"), ("top", "bottom"), ("left", "right", "top", "bottom")),
    views=True,
    **COMMON,
)
