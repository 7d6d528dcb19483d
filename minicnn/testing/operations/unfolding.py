"""unfold (im2col) and fold (col2im) in the battery."""

from typing import Any

from minicnn.testing.choices import Choices
from minicnn.testing.laws import BATCH_ORDER
from minicnn.testing.operations.common import BATCHES, MANNER_FEATURES, manner_rows, manner_themes
from minicnn.testing.operations.operation import Fields, Operation, Plan, Theme
from minicnn.testing.operations.pooling import images, overlapping
from minicnn.testing.operations.windows import (
    AXES,
    GEOMETRY,
    WINDOW_FEATURES,
    WINDOW_JOINT,
    WINDOW_NARROW,
    WINDOW_ROWS,
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
    f: dict[str, Any] = {}
    for axis in AXES:
        window(choose, f, axis)
    pairs = choose("pairs", (False, True))
    return f | images(choose, max(f["H"] * f["W"], places(f) * taps(f)), places(f) * taps(f)) | {"pairs": pairs}


def options(f: Fields) -> dict[str, Any]:
    return {"kernel_size": pair(f, "K"), "dilation": pair(f, "D"), "padding": pair(f, "P"), "stride": pair(f, "S")}


def build_unfold(f: Fields) -> Plan | None:
    if min(output(f, "H"), output(f, "W")) < 1:
        return None
    return {"input": (f["N"], f["C"], f["H"], f["W"])}, options(f)


def build_fold(f: Fields) -> Plan | None:
    if min(output(f, "H"), output(f, "W")) < 1:
        return None
    shape = (f["N"], f["C"] * taps(f), places(f))
    size = (f["H"], f["W"]) if f["pairs"] or f["H"] != f["W"] else f["H"]
    return {"input": shape}, {"output_size": size} | options(f)


COMMON: dict[str, Any] = {
    "arrays": ("input",),
    "optional": frozenset(),
    "laws": (BATCH_ORDER,),
    "draft": draft,
    "work": products,
    "terms": overlapping,
    "rows": {
        **WINDOW_ROWS,
        "pairs": lambda f: paired(f, "KSPD"),
        "block sizes": lambda f: max(f["C"], f["W"], f["H"]) >= 7,
        **manner_rows(),
    },
    "needs": {row: (row,) for row in ("stride", "padding", "dilation")},
    "narrow": WINDOW_NARROW,
    "themes": (
        *window_themes(BATCHES),
        *manner_themes(("input",), ("N", "PH", "PW", "SH", "SW", *GEOMETRY)),
        Theme("mixed", 90, ("*",)),
    ),
    "features": {**WINDOW_FEATURES, **MANNER_FEATURES},
    "counts": {"N": "images", "C": "channels", "H": "rows", "W": "columns"},
    "blocks": ("C", "W"),
    "floats": ("input",),
    "least": {"PH": 0, "PW": 0},
    "joint": WINDOW_JOINT,
    "views": True,
}
UNFOLD = Operation(
    name="unfold",
    options={"kernel_size": ..., "dilation": 1, "padding": 0, "stride": 1},
    order=("input", "kernel_size", "dilation", "padding", "stride"),
    call=lambda F, a, o: F.unfold(a["input"], **o),
    build=build_unfold,
    copies=True,
    **COMMON,
)
FOLD = Operation(
    name="fold",
    options={"output_size": ..., "kernel_size": ..., "dilation": 1, "padding": 0, "stride": 1},
    order=("input", "output_size", "kernel_size", "dilation", "padding", "stride"),
    call=lambda F, a, o: F.fold(a["input"], **o),
    build=build_fold,
    **COMMON,
)
