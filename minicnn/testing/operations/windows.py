"""Windows that slide over an image: what convolution, pooling, unfold and fold have in common."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from minicnn.testing.choices import Choices
from minicnn.testing.operations.common import KERNELS, TAILS
from minicnn.testing.operations.operation import Fields, Theme

AXES = "HW"
ELEMENTS = 2**14
"""At most so many elements in an array, unless its smallest sizes make it larger."""


def extent(f: Fields, axis: str) -> int:
    """How many pixels the window spans."""
    return (f[f"K{axis}"] - 1) * f[f"D{axis}"] + 1


def relative(value: int | str, known: dict[str, int]) -> int:
    """A number that may be given as a relation."""
    return known[value] if isinstance(value, str) else value


def window(choose: Choices, f: dict[str, Any], axis: str, mode: str = "numbers", pooled: bool = False) -> None:
    """Kernel, dilation, stride, padding and image along one axis; the image holds at least one window.

    Args:
        choose: draws.
        f: the fields so far, which it adds to.
        axis: "H" or "W".
        mode: "numbers" for padding given as such, or "same", or "valid".
        pooled: the window is a pool's, with a padding of at most half a kernel and a stride that may be left out.
    """
    kernel = f[f"K{axis}"] = choose(f"K{axis}", (1, 2, 3), KERNELS)
    f[f"D{axis}"] = choose(f"D{axis}", (1,), (1, 2, 3))
    span = extent(f, axis)
    if pooled and not f["strided"]:
        stride = kernel
    else:
        stride = choose(f"S{axis}", (1,), (1, 2, 3, "kernel", "kernel + 1")) if mode != "same" else 1
    f[f"S{axis}"] = stride = relative(stride, {"kernel": kernel, "kernel + 1": kernel + 1})
    padding = choose(f"P{axis}", (0,), (0, 1, 2, "half", "all but one")) if mode == "numbers" else 0
    padding = relative(padding, {"half": span // 2, "all but one": span - 1})
    f[f"P{axis}"] = padding = min(padding, kernel // 2) if pooled else padding
    least = 1 if mode == "same" else max(span - 2 * padding, 1)
    windows = choose(f"windows{axis}", (1, 2, 3, 4), (1, 2, 3, 4, 7, 8, 9))
    rest = choose(f"rest{axis}", range(stride)) if stride > 1 else 0
    f[axis] = max(choose(f"size{axis}", (0,)) or least + (windows - 1) * stride + rest, least)


def output(f: Fields, axis: str) -> int:
    """How many windows there are along an axis."""
    if f.get("mode") == "same":
        return f[axis]
    size, stride = f[axis] + 2 * f[f"P{axis}"] - extent(f, axis), f[f"S{axis}"]
    if f.get("ceil_mode"):  # a last window that hangs over, unless it would lie in the padding alone
        windows = -(-size // stride) + 1
        return windows - ((windows - 1) * stride >= f[axis] + f[f"P{axis}"])
    return size // stride + 1


def taps(f: Fields) -> int:
    """How many pixels a window looks at."""
    return f["KH"] * f["KW"]


def places(f: Fields) -> int:
    """How many windows there are."""
    return output(f, "H") * output(f, "W")


def every_window_sees(f: Fields) -> bool:
    """Whether each window has a tap inside the image."""
    for axis in AXES:
        for i in range(output(f, axis)):
            first = i * f[f"S{axis}"] - f[f"P{axis}"]
            if not any(0 <= first + p * f[f"D{axis}"] < f[axis] for p in range(f[f"K{axis}"])):
                return False
    return True


def pair(f: Fields, letter: str) -> Any:
    """A pair, or the int that stands for two equal numbers."""
    values = tuple(f[f"{letter}{axis}"] for axis in AXES)
    return values[0] if values[0] == values[1] and not f["pairs"] else values


def before(f: Fields, axis: str) -> int:
    """Pixels of padding before the image; "same" puts an odd one behind it."""
    return (extent(f, axis) - 1) // 2 if f.get("mode") == "same" else f[f"P{axis}"]


GEOMETRY = ("KH", "KW", "windowsH", "windowsW")
"""The choices that make the sizes of kernel and image."""

WINDOW_FEATURES: Mapping[str, Callable[[Fields], bool]] = {
    "a stride above 1": lambda f: max(f["SH"], f["SW"]) > 1,
    "a stride that differs between height and width": lambda f: f["SH"] != f["SW"],
    "padding": lambda f: max(f["PH"], f["PW"]) > 0,
    "padding that differs between height and width": lambda f: f["PH"] != f["PW"],
    "dilation": lambda f: max(f["DH"], f["DW"]) > 1,
    "a dilation that differs between height and width": lambda f: f["DH"] != f["DW"],
    "a dilation other than the stride": lambda f: (f["DH"], f["DW"]) != (f["SH"], f["SW"]),
    "options given as pairs": lambda f: f["pairs"],
    "options given as single numbers": lambda f: not f["pairs"],
    "an even kernel": lambda f: f["KH"] % 2 == 0 or f["KW"] % 2 == 0,
    "a kernel that is not square": lambda f: f["KH"] != f["KW"],
    "a kernel of more than one pixel": lambda f: taps(f) > 1,
    "an image that is not square": lambda f: f["H"] != f["W"],
    "an image one pixel wide or high": lambda f: min(f["H"], f["W"]) == 1,
    "a kernel larger than the image": lambda f: extent(f, "H") > f["H"] or extent(f, "W") > f["W"],
    "pixels left over under the stride": lambda f: any(left_over(f, axis) for axis in AXES),
    "windows that overlap": lambda f: any(extent(f, axis) > f[f"S{axis}"] for axis in AXES),
    "an empty batch": lambda f: f["N"] == 0,
}


def paired(f: Fields, letters: str = "SPD") -> bool:
    """Whether one of the options with these letters is a pair."""
    return f["pairs"] or any(f[f"{letter}H"] != f[f"{letter}W"] for letter in letters)


WINDOW_ROWS: Mapping[str, Callable[[Fields], bool]] = {
    "stride": lambda f: max(f["SH"], f["SW"]) > 1,
    "padding": lambda f: max(f["PH"], f["PW"]) > 0,
    "dilation": lambda f: max(f["DH"], f["DW"]) > 1,
    "pairs": paired,
    "kernel sizes": lambda f: max(f["KH"], f["KW"]) > 3 or f["KH"] != f["KW"],
    "one-wide images": lambda f: min(f["H"], f["W"]) == 1,
    "batches": lambda f: f["N"] > 2,
    "empty batch": lambda f: f["N"] == 0,
}
WINDOW_NARROW: Mapping[str, Mapping[str, Sequence[Any]]] = {
    "stride": {"SH": (1,), "SW": (1,)},
    "padding": {"PH": (0,), "PW": (0,)},
    "dilation": {"DH": (1,), "DW": (1,)},
    "pairs": {"pairs": (False,)},
}
WINDOW_JOINT = (("KH", "H"), ("KW", "W"), ("KH", "KW"), ("SH", "SW"), ("DH", "DW"), ("H", "W"), ("KH", "KW", "H", "W"))


def left_over(f: Fields, axis: str) -> int:
    """Pixels behind the last window."""
    if f.get("mode") == "same":
        return 0
    return (f[axis] + 2 * f[f"P{axis}"] - extent(f, axis)) % f[f"S{axis}"]


def window_themes(batches: Sequence[int], dilated: bool = True) -> tuple[Theme, ...]:
    """Themes about where windows lie."""
    themes = [
        Theme("float32", 12),
        Theme("stride", 16, ("SH", "SW", *GEOMETRY, "PH", "PW"), {"SH": (1, 2, 3, "kernel", "kernel + 1")}),
        Theme("padding", 16, ("PH", "PW", *GEOMETRY), {"PH": (0, 1, 2, "half", "all but one")}),
        Theme("kernel sizes", 14, ("PH", "PW"), {"KW": KERNELS}, {"KH": KERNELS}),
        Theme("one-wide images", 8, ("PH", "PW"), {"KH": (1, 2, 3)}, {"sizeH": (1, 0), "sizeW": (0, 1, 1)}),
        Theme("batches", len(batches), (), {}, {"N": batches}),
        Theme("batches", 4, ("C", "O"), {"N": (17,)}),
        Theme("empty batch", 3, ("PH", "PW", "SH", "SW"), {"N": (0,)}),
        *(Theme("block sizes", len(TAILS), ("N",), {}, {name: TAILS}) for name in ("C", "sizeW", "sizeH")),
        *(Theme("block sizes", 4, ("C", "N"), {}, {name: (65, 33)}) for name in ("sizeW", "sizeH")),
    ]
    if dilated:
        themes.append(Theme("dilation", 14, ("DH", "DW", "PH", "PW"), {"KH": (1, 2, 3), "KW": (2, 3)}))
    return tuple(themes)


def products(f: Fields) -> int:
    """Products of an operation that takes every window of every channel once."""
    return math.prod((f["N"], f["C"], taps(f), places(f)))
