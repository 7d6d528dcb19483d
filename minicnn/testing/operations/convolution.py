"""conv2d in the battery."""

import math
from typing import Any

from minicnn.testing.choices import Choices
from minicnn.testing.operations.common import (
    BATCHES,
    COUNTS,
    KERNELS,
    MANNER_FEATURES,
    TAILS,
    manner,
    manner_rows,
    manner_themes,
)
from minicnn.testing.operations.operation import Fields, Operation, Plan, Theme

AXES = "HW"
ELEMENTS = 2**14
"""At most so many elements in an array, unless its smallest sizes make it larger."""


def extent(f: Fields, axis: str) -> int:
    """How many pixels the window spans."""
    return (f[f"K{axis}"] - 1) * f[f"D{axis}"] + 1


def relative(value: int | str, known: dict[str, int]) -> int:
    """A number that may be given as a relation."""
    return known[value] if isinstance(value, str) else value


def window(choose: Choices, f: dict[str, Any], axis: str, mode: str) -> None:
    """Kernel, dilation, stride, padding and image along one axis; the image holds at least one window."""
    kernel = f[f"K{axis}"] = choose(f"K{axis}", (1, 2, 3), KERNELS)
    f[f"D{axis}"] = choose(f"D{axis}", (1,), (1, 2, 3))
    span = extent(f, axis)
    stride = choose(f"S{axis}", (1,), (1, 2, 3, "kernel", "kernel + 1")) if mode != "same" else 1
    f[f"S{axis}"] = stride = relative(stride, {"kernel": kernel, "kernel + 1": kernel + 1})
    padding = choose(f"P{axis}", (0,), (0, 1, 2, "half", "all but one")) if mode == "numbers" else 0
    f[f"P{axis}"] = padding = relative(padding, {"half": span // 2, "all but one": span - 1})
    least = 1 if mode == "same" else max(span - 2 * padding, 1)
    windows = choose(f"windows{axis}", (1, 2, 3, 4), (1, 2, 3, 4, 7, 8, 9))
    rest = choose(f"rest{axis}", range(stride)) if stride > 1 else 0
    f[axis] = max(choose(f"size{axis}", (0,)) or least + (windows - 1) * stride + rest, least)


def output(f: Fields, axis: str) -> int:
    """How many windows there are along an axis."""
    if f["mode"] == "same":
        return f[axis]
    return (f[axis] + 2 * f[f"P{axis}"] - extent(f, axis)) // f[f"S{axis}"] + 1


def draft(choose: Choices) -> dict[str, Any]:
    """The fields of a conv2d: (N, C·groups, H, W) with O·groups outputs, C and O counted within a group."""
    mode = choose("mode", ("numbers",), ("numbers", "numbers", "same", "valid"))
    f: dict[str, Any] = {"mode": mode}
    for axis in AXES:
        window(choose, f, axis, mode)
    f["groups"] = choose("groups", (1,), (1, 1, 2, 3))
    places = max(f["H"] * f["W"], output(f, "H") * output(f, "W"))
    cost = output(f, "H") * output(f, "W") * f["KH"] * f["KW"] * f["groups"]
    room = max(ELEMENTS // (places * f["groups"]), 1)
    f["C"] = choose("C", (1, 2, 3), COUNTS, min(room, max(choose.most // cost, 1)))
    f["O"] = choose("O", (1, 2, 3), COUNTS, min(room, max(choose.most // (cost * f["C"]), 1)))
    f["N"] = choose("N", (1, 2), BATCHES, max(choose.most // (cost * f["C"] * f["O"]), 1))
    f["bias"] = choose("bias", (False, True))
    f["pairs"] = choose("pairs", (False, True))
    return f | manner(choose, ("input", "weight"))


def pair(f: Fields, letter: str) -> Any:
    """A pair, or the int that stands for two equal numbers."""
    values = tuple(f[f"{letter}{axis}"] for axis in AXES)
    return values[0] if values[0] == values[1] and not f["pairs"] else values


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
    return math.prod(f[name] for name in ("N", "C", "O", "groups", "KH", "KW")) * output(f, "H") * output(f, "W")


def terms(f: Fields) -> int:
    taps, places = f["KH"] * f["KW"], output(f, "H") * output(f, "W")
    return max(taps * f["C"] + 1, taps * f["O"], f["N"] * places)


def before(f: Fields, axis: str) -> int:
    """Pixels of padding before the image; "same" puts an odd one behind it."""
    return (extent(f, axis) - 1) // 2 if f["mode"] == "same" else f[f"P{axis}"]


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


GEOMETRY = ("KH", "KW", "windowsH", "windowsW")
FEATURES = {
    "a stride above 1": lambda f: max(f["SH"], f["SW"]) > 1,
    "a stride that differs between height and width": lambda f: f["SH"] != f["SW"],
    "padding": lambda f: max(f["PH"], f["PW"]) > 0,
    "padding that differs between height and width": lambda f: f["PH"] != f["PW"],
    'padding="same"': lambda f: f["mode"] == "same",
    'padding="valid"': lambda f: f["mode"] == "valid",
    "padding given as a word": lambda f: f["mode"] != "numbers",
    "dilation": lambda f: max(f["DH"], f["DW"]) > 1,
    "a dilation that differs between height and width": lambda f: f["DH"] != f["DW"],
    "groups": lambda f: f["groups"] > 1,
    "a bias": lambda f: f["bias"],
    "no bias": lambda f: not f["bias"],
    "options given as pairs": lambda f: f["pairs"],
    "an even kernel": lambda f: f["KH"] % 2 == 0 or f["KW"] % 2 == 0,
    "a window that spans an even number of pixels": lambda f: extent(f, "H") % 2 == 0 or extent(f, "W") % 2 == 0,
    "a kernel that is not square": lambda f: f["KH"] != f["KW"],
    "a kernel of more than one pixel": lambda f: f["KH"] * f["KW"] > 1,
    "an image that is not square": lambda f: f["H"] != f["W"],
    "an image one pixel wide or high": lambda f: min(f["H"], f["W"]) == 1,
    "a kernel larger than the image": lambda f: extent(f, "H") > f["H"] or extent(f, "W") > f["W"],
    "pixels left over under the stride": lambda f: any(
        f["mode"] != "same" and (f[a] + 2 * f[f"P{a}"] - extent(f, a)) % f[f"S{a}"] for a in AXES
    ),
    "an empty batch": lambda f: f["N"] == 0,
    **MANNER_FEATURES,
}

ROWS = {
    "stride": lambda f: max(f["SH"], f["SW"]) > 1,
    "padding": lambda f: max(f["PH"], f["PW"]) > 0,
    "same": lambda f: f["mode"] != "numbers",
    "dilation": lambda f: max(f["DH"], f["DW"]) > 1,
    "groups": lambda f: f["groups"] > 1,
    "bias": lambda f: bool(f["bias"]),
    "kernel sizes": lambda f: max(f["KH"], f["KW"]) > 3 or f["KH"] != f["KW"],
    "one-wide images": lambda f: min(f["H"], f["W"]) == 1,
    "block sizes": lambda f: max(f["C"], f["O"], f["W"], f["H"]) >= 7,
    "batches": lambda f: f["N"] > 2,
    "empty batch": lambda f: f["N"] == 0,
    **manner_rows(),
}

THEMES = (
    Theme("float32", 12),
    Theme("stride", 16, ("SH", "SW", *GEOMETRY, "PH", "PW"), {"SH": (1, 2, 3, "kernel", "kernel + 1")}),
    Theme("padding", 16, ("PH", "PW", *GEOMETRY), {"PH": (0, 1, 2, "half", "all but one")}),
    Theme("same", 20, (*GEOMETRY, "DH", "DW"), {}, {"mode": ("same", "valid", "same", "same")}),
    Theme("dilation", 14, ("DH", "DW", "PH", "PW"), {"KH": (1, 2, 3), "KW": (2, 3)}),
    Theme("groups", 12, ("N", "SH", "SW", "PH", "PW"), {}, {"groups": (2, 3, 4)}),
    Theme("bias", 8, ("N",), {"bias": (True,)}),
    Theme("kernel sizes", 14, ("PH", "PW"), {"KW": KERNELS}, {"KH": KERNELS}),
    Theme("one-wide images", 8, ("PH", "PW"), {"KH": (1, 2, 3)}, {"sizeH": (1, 0), "sizeW": (0, 1, 1)}),
    *(Theme("block sizes", len(TAILS), ("N",), {}, {name: TAILS}) for name in ("C", "O", "sizeW", "sizeH")),
    Theme("block sizes", 12, ("PH", "PW"), {"C": TAILS, "O": TAILS, "windowsH": (1, 2), "windowsW": (1, 2)}),
    Theme("batches", len(BATCHES), (), {}, {"N": BATCHES}),
    Theme("batches", 4, ("C", "O"), {"N": (17,)}),
    Theme("empty batch", 3, ("PH", "PW", "SH", "SW"), {"N": (0,)}),
    *manner_themes(("input", "weight"), ("N", "PH", "PW", "SH", "SW", *GEOMETRY)),
    Theme("mixed", 90, ("*",)),
)

CONV2D = Operation(
    name="conv2d",
    arrays=("input", "weight", "bias"),
    optional=frozenset({"bias"}),
    options={"stride": 1, "padding": 0, "dilation": 1, "groups": 1},
    order=("input", "weight", "bias", "stride", "padding", "dilation", "groups"),
    call=lambda F, a, o: F.conv2d(a["input"], a["weight"], a["bias"], **o),
    draft=draft,
    build=build,
    work=work,
    terms=terms,
    rows=ROWS,
    needs={
        "stride": ("stride",), "padding": ("padding",), "same": ("padding",), "dilation": ("dilation",),
        "groups": ("groups",), "bias": ("bias",),
    },
    narrow={
        "stride": {"SH": (1,), "SW": (1,)}, "padding": {"PH": (0,), "PW": (0,), "mode": ("numbers",)},
        "same": {"mode": ("numbers",)}, "dilation": {"DH": (1,), "DW": (1,)}, "groups": {"groups": (1,)},
        "bias": {"bias": (False,)},
    },
    themes=THEMES,
    features=FEATURES,
    counts={"N": "images", "C": "channels", "O": "outputs", "H": "rows", "W": "columns"},
    blocks=("C", "O", "W"),
    floats=("input", "weight", "bias"),
    least={"PH": 0, "PW": 0},
    simplest={"mode": "numbers"},
    joint=(("KH", "H"), ("KW", "W"), ("KH", "KW"), ("SH", "SW"), ("DH", "DW"), ("H", "W"), ("KH", "KW", "H", "W")),
    explain=products,
)  # fmt: skip
