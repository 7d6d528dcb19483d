"""What the battery's operations have in common: dtypes, kinds of values, layouts, and the themes for them."""

from collections.abc import Callable, Mapping
from typing import Any

from minicnn.testing.choices import Choices
from minicnn.testing.operations.operation import Fields, Theme
from minicnn.testing.values import PLACES

KERNELS = (1, 2, 3, 4, 5, 6, 7)
TAILS = (17, 65, 33, 9, 64, 16, 31, 15, 63, 8, 7, 32)
"""Sizes around those of vectors and tiles, where kernels change their way; the most telling first."""
COUNTS = (1, 2, 3, 4, 5, 6, *sorted(TAILS))
BATCHES = (1, 2, 0, 3, 4, 5, 17)
KINDS = ("integers", "ties", "normals", "reals", "one-hot", "zeros")


def manner(choose: Choices, arrays: tuple[str, ...], kinds: tuple[str, ...] = KINDS) -> dict[str, Any]:
    """The choices that are about numbers and memory rather than sizes."""
    return {
        "dtype": choose("dtype", ("float32",), ("float32", "float64")),
        "values": choose("values", kinds[:1], kinds),
        "layout": choose("layout", ("contiguous",), tuple(PLACES)),
        "laid": choose("laid", ("all",), ("all", *arrays)),
        "seed": choose("seed", range(2**16)),
    }


LAYOUT_ROWS = {
    "channels last": ("channels last",),
    "transposed": ("transposed", "Fortran order"),
    "strided": ("strided", "strided rows"),
    "reversed": ("reversed", "reversed rows"),
    "broadcast": ("broadcast",),
    "read-only": ("read-only",),
    "unaligned": ("unaligned",),
}
"""The coverage table's rows of memory layouts."""


def _lies(names: tuple[str, ...]) -> Callable[[Fields], bool]:
    """Whether arrays have one of these layouts."""
    return lambda f: f["layout"] in names


def manner_rows() -> dict[str, Callable[[Fields], bool]]:
    """The coverage table's rows about numbers and memory."""

    return {
        "float32": lambda f: f["dtype"] == "float32",
        "float64": lambda f: f["dtype"] == "float64",
        "real numbers": lambda f: f["values"] in ("normals", "reals"),
        "NaN": lambda f: f["values"] == "NaN",
        "infinity": lambda f: f["values"] in ("infinity", "minus infinity"),
        "extreme values": lambda f: f["values"] in ("zeros", "subnormal", "largest"),
        **{row: _lies(names) for row, names in LAYOUT_ROWS.items()},
    }


def manner_themes(arrays: tuple[str, ...], sizes: tuple[str, ...], weight: float = 1.0) -> tuple[Theme, ...]:
    """Themes about numbers and memory; `sizes` are the choices that vary beside them."""

    def many(count: int) -> int:
        return max(2, round(count * weight))

    themes = [
        Theme("float64", many(8), sizes, {"dtype": ("float64",)}),
        Theme("real numbers", many(16), sizes, {"values": ("normals", "reals")}, {"dtype": ("float32", "float64")}),
        Theme("NaN", many(6), sizes, {"values": ("NaN",)}),
        Theme("infinity", many(6), sizes, {"values": ("infinity",)}),
        Theme("extreme values", many(9), sizes, {}, {"values": ("zeros", "subnormal", "largest")}),
    ]
    for row, names in LAYOUT_ROWS.items():
        themes.append(Theme(row, many(2 + 2 * len(names)), sizes, {"laid": ("all", *arrays)}, {"layout": names}))
    return tuple(themes)


MANNER_FEATURES: Mapping[str, Callable[[Fields], bool]] = {
    "float64": lambda f: f["dtype"] == "float64",
    "real numbers": lambda f: f["values"] in ("normals", "reals"),
    "NaN in the input": lambda f: f["values"] == "NaN",
    "an infinity in the input": lambda f: f["values"] in ("infinity", "minus infinity"),
    "little but minus infinity in the input": lambda f: f["values"] == "minus infinity",
    "subnormal numbers": lambda f: f["values"] == "subnormal",
    "the largest finite number": lambda f: f["values"] == "largest",
    "zeros of both signs": lambda f: f["values"] == "zeros",
    "arrays that are not contiguous": lambda f: f["layout"] not in ("contiguous", "read-only", "unaligned"),
    **{f"{name} arrays": _lies((name,)) for name in PLACES if name != "contiguous"},
}
