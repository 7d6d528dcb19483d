"""conv2d in the battery."""

import math
from typing import Any

from minicnn.testing.choices import Choices
from minicnn.testing.laws import CONVOLUTION_LAWS
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
from minicnn.testing.operations.windows import (
    AXES,
    ELEMENTS,
    GEOMETRY,
    WINDOW_FEATURES,
    WINDOW_JOINT,
    WINDOW_NARROW,
    WINDOW_ROWS,
    before,
    extent,
    output,
    pair,
    places,
    taps,
    window,
    window_themes,
)  # fmt: skip


def draft(choose: Choices) -> dict[str, Any]:
    """The fields of a conv2d: (N, C·groups, H, W) with O·groups outputs, C and O counted within a group."""
    mode = choose("mode", ("numbers",), ("numbers", "numbers", "same", "valid"))
    f: dict[str, Any] = {"mode": mode}
    for axis in AXES:
        window(choose, f, axis, mode)
    f["groups"] = choose("groups", (1,), (1, 1, 2, 3))
    return finished(choose, f, max(f["H"] * f["W"], places(f)), places(f) * taps(f))


def finished(choose: Choices, f: dict[str, Any], pixels: int, products: int) -> dict[str, Any]:
    """The fields with channels, outputs and images, as many as there is room for."""
    products *= f["groups"]
    room = max(ELEMENTS // (pixels * f["groups"]), 1)
    f["C"] = choose("C", (1, 2, 3), COUNTS, min(room, max(choose.most // products, 1)))
    f["O"] = choose("O", (1, 2, 3), COUNTS, min(room, max(choose.most // (products * f["C"]), 1)))
    f["N"] = choose("N", (1, 2), BATCHES, max(choose.most // (products * f["C"] * f["O"]), 1))
    f["bias"] = choose("bias", (False, True))
    f["pairs"] = choose("pairs", (False, True))
    return f | manner(choose, ("input", "weight"))


def build(f: Fields) -> Plan | None:
    if f["mode"] == "same" and (f["SH"], f["SW"]) != (1, 1):
        return None
    if f["mode"] != "numbers" and (f["PH"] or f["PW"]):
        return None
    if min(output(f, "H"), output(f, "W")) < 1:
        return None
    shapes: dict[str, tuple[int, ...] | None] = {
        "input": (f["N"], f["C"] * f["groups"], f["H"], f["W"]),
        "weight": (f["O"] * f["groups"], f["C"], f["KH"], f["KW"]),
        "bias": (f["O"] * f["groups"],) if f["bias"] else None,
    }
    padding = pair(f, "P") if f["mode"] == "numbers" else f["mode"]
    options = {"stride": pair(f, "S"), "padding": padding, "dilation": pair(f, "D"), "groups": f["groups"]}
    return shapes, options


def work(f: Fields) -> int:
    return math.prod((f["N"], f["C"], f["O"], f["groups"], taps(f), places(f)))


def terms(f: Fields) -> int:
    return max(taps(f) * f["C"] + 1, taps(f) * f["O"], f["N"] * places(f))


def products(f: Fields, position: tuple[int, ...]) -> list[list[tuple[str, tuple[int, ...]]]]:
    """The products, and the bias, that add up to one output pixel."""
    n, o, i, j = position
    first = o // f["O"] * f["C"]
    found: list[list[tuple[str, tuple[int, ...]]]] = []
    for c in range(f["C"]):
        for p in range(f["KH"]):
            for q in range(f["KW"]):
                row = i * f["SH"] - before(f, "H") + p * f["DH"]
                column = j * f["SW"] - before(f, "W") + q * f["DW"]
                if 0 <= row < f["H"] and 0 <= column < f["W"]:
                    found.append([("input", (n, first + c, row, column)), ("weight", (o, c, p, q))])
    return [*found, [("bias", (o,))]] if f["bias"] else found


FEATURES = {
    'padding="same"': lambda f: f["mode"] == "same",
    'padding="valid"': lambda f: f["mode"] == "valid",
    "padding given as a word": lambda f: f["mode"] != "numbers",
    **WINDOW_FEATURES,
    "a window that spans an even number of pixels": lambda f: extent(f, "H") % 2 == 0 or extent(f, "W") % 2 == 0,
    "groups": lambda f: f["groups"] > 1,
    "a bias": lambda f: f["bias"],
    "no bias": lambda f: not f["bias"],
    **MANNER_FEATURES,
}
ROWS = {
    "stride": WINDOW_ROWS["stride"],
    "padding": WINDOW_ROWS["padding"],
    "same": lambda f: f["mode"] != "numbers",
    "dilation": WINDOW_ROWS["dilation"],
    "groups": lambda f: f["groups"] > 1,
    "bias": lambda f: bool(f["bias"]),
    **WINDOW_ROWS,
    "block sizes": lambda f: max(f["C"], f["O"], f["W"], f["H"]) >= 7,
    **manner_rows(),
}
ARRAYS = ("input", "weight", "bias")
NEEDS = {row: (row,) for row in ("stride", "padding", "dilation", "groups", "bias")}
NARROW = {**WINDOW_NARROW, "groups": {"groups": (1,)}, "bias": {"bias": (False,)}}
COUNTED = {"N": "images", "C": "channels", "O": "outputs", "H": "rows", "W": "columns"}


def more_themes() -> tuple[Theme, ...]:
    """Themes about channels, numbers and memory, and for everything at once."""
    return (
        Theme("groups", 12, ("N", "SH", "SW", "PH", "PW"), {}, {"groups": (2, 3, 4)}),
        Theme("bias", 8, ("N",), {"bias": (True,)}),
        Theme("block sizes", len(TAILS), ("N",), {}, {"O": TAILS}),
        Theme("block sizes", 12, ("PH", "PW"), {"C": TAILS, "O": TAILS, "windowsH": (1, 2), "windowsW": (1, 2)}),
        *manner_themes(("input", "weight"), ("N", "PH", "PW", "SH", "SW", *GEOMETRY)),
        Theme("mixed", 90, ("*",)),
    )


CONV2D = Operation(
    name="conv2d",
    arrays=ARRAYS,
    optional=frozenset({"bias"}),
    options={"stride": 1, "padding": 0, "dilation": 1, "groups": 1},
    order=(*ARRAYS, "stride", "padding", "dilation", "groups"),
    call=lambda F, a, o: F.conv2d(a["input"], a["weight"], a["bias"], **o),
    draft=draft,
    build=build,
    work=work,
    terms=terms,
    rows=ROWS,
    needs={**NEEDS, "same": ("padding",)},
    narrow={
        **NARROW, "padding": {**WINDOW_NARROW["padding"], "mode": ("numbers",)}, "same": {"mode": ("numbers",)},
    },
    themes=(
        *window_themes(BATCHES),
        Theme(
            "same", 16, (*GEOMETRY, "DH", "DW"),
            {"KH": (2, 3, 4, 1), "KW": (2, 3, 4, 5)}, {"mode": ("same", "same", "valid")},
        ),
        Theme("same", 8, ("DH", "DW", "N"), {"mode": ("same",), "KH": (2, 4), "KW": (1, 2, 3)}),
        *more_themes(),
    ),
    features=FEATURES,
    counts=COUNTED,
    blocks=("C", "O", "W"),
    floats=ARRAYS,
    least={"PH": 0, "PW": 0},
    simplest={"mode": "numbers"},
    joint=WINDOW_JOINT,
    laws=CONVOLUTION_LAWS,
    bilinear=True,
    explain=products,
)  # fmt: skip
