"""conv_transpose2d in the battery."""

import math
from typing import Any

from minicnn.testing.choices import Choices
from minicnn.testing.laws import PRODUCT_LAWS
from minicnn.testing.operations.common import BATCHES, KERNELS, MANNER_FEATURES
from minicnn.testing.operations.convolution import (
    ARRAYS,
    COUNTED,
    FEATURES,
    NARROW,
    NEEDS,
    ROWS,
    finished,
    more_themes,
)  # fmt: skip
from minicnn.testing.operations.operation import Fields, Operation, Plan, Theme
from minicnn.testing.operations.windows import (
    AXES,
    GEOMETRY,
    WINDOW_JOINT,
    extent,
    pair,
    paired,
    relative,
    taps,
    window_themes,
)


def axis_of(choose: Choices, f: dict[str, Any], axis: str) -> None:
    """Kernel, dilation, stride, output padding, image and padding along one axis; the output holds a pixel."""
    kernel = f[f"K{axis}"] = choose(f"K{axis}", (1, 2, 3), KERNELS)
    f[f"D{axis}"] = choose(f"D{axis}", (1,), (1, 2, 3))
    stride = choose(f"S{axis}", (1,), (1, 2, 3, "kernel", "kernel + 1"))
    f[f"S{axis}"] = stride = relative(stride, {"kernel": kernel, "kernel + 1": kernel + 1})
    most = max(stride, f[f"D{axis}"]) - 1
    f[f"X{axis}"] = min(choose(f"X{axis}", (0,), (0, 1, 99)), most)
    f[axis] = choose(f"size{axis}", (0,)) or choose(f"windows{axis}", (1, 2, 3, 4), (1, 2, 3, 4, 7, 8, 9))
    whole = (f[axis] - 1) * stride + extent(f, axis) + f[f"X{axis}"]
    padding = choose(f"P{axis}", (0,), (0, 1, 2, "half", "all but one"))
    padding = relative(padding, {"half": kernel // 2, "all but one": extent(f, axis) - 1})
    f[f"P{axis}"] = min(padding, (whole - 1) // 2)


def size(f: Fields, axis: str) -> int:
    """Pixels of the output along an axis."""
    return (f[axis] - 1) * f[f"S{axis}"] - 2 * f[f"P{axis}"] + extent(f, axis) + f[f"X{axis}"]


def draft(choose: Choices) -> dict[str, Any]:
    f: dict[str, Any] = {}
    for axis in AXES:
        axis_of(choose, f, axis)
    f["groups"] = choose("groups", (1,), (1, 1, 2, 3))
    return finished(choose, f, max(f["H"] * f["W"], size(f, "H") * size(f, "W")), f["H"] * f["W"] * taps(f))


def build(f: Fields) -> Plan | None:
    if min(size(f, "H"), size(f, "W")) < 1:
        return None
    if any(f[f"X{axis}"] >= max(f[f"S{axis}"], f[f"D{axis}"]) for axis in AXES):
        return None
    shapes: dict[str, tuple[int, ...] | None] = {
        "input": (f["N"], f["C"] * f["groups"], f["H"], f["W"]),
        "weight": (f["C"] * f["groups"], f["O"], f["KH"], f["KW"]),
        "bias": (f["O"] * f["groups"],) if f["bias"] else None,
    }
    options = {"stride": pair(f, "S"), "padding": pair(f, "P"), "output_padding": pair(f, "X")}
    return shapes, options | {"groups": f["groups"], "dilation": pair(f, "D")}


def terms(f: Fields) -> int:
    return max(taps(f) * f["C"] + 1, taps(f) * f["O"], f["N"] * size(f, "H") * size(f, "W"))


def products(f: Fields, position: tuple[int, ...]) -> list[list[tuple[str, tuple[int, ...]]]]:
    """The products, and the bias, that add up to one output pixel."""
    n, o, i, j = position
    group, inside = divmod(o, f["O"])
    found: list[list[tuple[str, tuple[int, ...]]]] = []
    for c in range(group * f["C"], (group + 1) * f["C"]):
        for p in range(f["KH"]):
            for q in range(f["KW"]):
                row, below = divmod(i + f["PH"] - p * f["DH"], f["SH"])
                column, beside = divmod(j + f["PW"] - q * f["DW"], f["SW"])
                if not below and not beside and 0 <= row < f["H"] and 0 <= column < f["W"]:
                    found.append([("input", (n, c, row, column)), ("weight", (c, inside, p, q))])
    return [*found, [("bias", (o,))]] if f["bias"] else found


CONV_TRANSPOSE2D = Operation(
    name="conv_transpose2d",
    arrays=ARRAYS,
    optional=frozenset({"bias"}),
    options={"stride": 1, "padding": 0, "output_padding": 0, "groups": 1, "dilation": 1},
    order=(*ARRAYS, "stride", "padding", "output_padding", "groups", "dilation"),
    call=lambda F, a, o: F.conv_transpose2d(a["input"], a["weight"], a["bias"], **o),
    draft=draft,
    build=build,
    work=lambda f: math.prod((f["N"], f["C"], f["O"], f["groups"], taps(f), f["H"], f["W"])),
    terms=terms,
    rows={
        **{row: counts for row, counts in ROWS.items() if row not in ("same", "groups", "bias")},
        "pairs": lambda f: paired(f, "SPDX"),
        "output_padding": lambda f: max(f["XH"], f["XW"]) > 0, "groups": ROWS["groups"], "bias": ROWS["bias"],
    },
    needs={**NEEDS, "output_padding": ("output_padding",)},
    narrow={**NARROW, "output_padding": {"XH": (0,), "XW": (0,)}},
    themes=(
        *window_themes(BATCHES),
        Theme(
            "output_padding", 16, ("PH", "PW", *GEOMETRY, "DH", "DW"),
            {"XH": (1, 99, 0), "XW": (99, 1, 0), "SH": (2, 3, 1), "SW": (3, 2)},
        ),
        *more_themes(),
    ),
    features={
        **{phrase: one for phrase, one in FEATURES.items() if "word" not in phrase and "padding=" not in phrase
           and "left over" not in phrase and "larger than" not in phrase},
        "output_padding": lambda f: max(f["XH"], f["XW"]) > 0,
        "an output_padding that differs between height and width": lambda f: f["XH"] != f["XW"],
        **MANNER_FEATURES,
    },
    counts=COUNTED,
    blocks=("C", "O", "W"),
    floats=ARRAYS,
    least={"PH": 0, "PW": 0, "XH": 0, "XW": 0},
    joint=WINDOW_JOINT,
    laws=PRODUCT_LAWS,
    bilinear=True,
    explain=products,
)  # fmt: skip
