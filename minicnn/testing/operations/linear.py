"""linear in the battery."""

from typing import Any

from minicnn.testing.choices import Choices
from minicnn.testing.laws import PRODUCT_LAWS
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

ARRAYS = ("input", "weight", "bias")


def draft(choose: Choices) -> dict[str, Any]:
    f = {name: choose(name, (1, 2, 3, 4), COUNTS) for name in ("C", "O")}
    f["N"] = choose("N", (1, 2, 3), BATCHES)
    f["rank"] = choose("rank", (2, 2, 3), (2, 3, 1))
    f["H"] = choose("H", (2, 1, 3), (1, 2, 3, 4)) if f["rank"] == 3 else 1
    f["bias"] = choose("bias", (False, True))
    return f | manner(choose, ("input", "weight"))


def build(f: Fields) -> Plan | None:
    if f["rank"] != 3 and f["H"] != 1:
        return None
    shape = {1: (f["C"],), 2: (f["N"], f["C"]), 3: (f["N"], f["H"], f["C"])}[f["rank"]]
    return {"input": shape, "weight": (f["O"], f["C"]), "bias": (f["O"],) if f["bias"] else None}, {}


def products(f: Fields, position: tuple[int, ...]) -> list[list[tuple[str, tuple[int, ...]]]]:
    """The products, and the bias, that add up to one output."""
    *row, o = position
    found: list[list[tuple[str, tuple[int, ...]]]]
    found = [[("input", (*row, c)), ("weight", (o, c))] for c in range(f["C"])]
    return [*found, [("bias", (o,))]] if f["bias"] else found


LINEAR = Operation(
    name="linear",
    arrays=ARRAYS,
    optional=frozenset({"bias"}),
    options={},
    order=ARRAYS,
    call=lambda F, a, o: F.linear(a["input"], a["weight"], a["bias"]),
    draft=draft,
    build=build,
    work=lambda f: f["N"] * f["H"] * f["C"] * f["O"],
    terms=lambda f: max(f["C"] + 1, f["O"], f["N"] * f["H"]),
    rows={
        "bias": lambda f: bool(f["bias"]),
        "dimensions": lambda f: f["rank"] != 2,
        "block sizes": lambda f: max(f["C"], f["O"]) >= 7,
        "batches": lambda f: f["N"] > 3,
        "empty batch": lambda f: f["N"] == 0,
        **manner_rows(),
    },
    needs={"bias": ("bias",)},
    narrow={"bias": {"bias": (False,)}, "dimensions": {"rank": (2,)}},
    themes=(
        Theme("float32", 16),
        Theme("dimensions", 16, ("N", "C", "O"), {"bias": (True, False)}, {"rank": (3, 3, 1)}),
        Theme("bias", 16, ("N",), {"bias": (True,)}),
        *(Theme("block sizes", len(TAILS), ("N",), {}, {name: TAILS}) for name in ("C", "O")),
        Theme("block sizes", 12, ("N",), {"C": TAILS, "O": TAILS}),
        Theme("batches", len(BATCHES), ("C", "O"), {}, {"N": BATCHES}),
        Theme("empty batch", 3, (), {"N": (0,)}),
        *manner_themes(("input", "weight"), ("N", "C", "O")),
        Theme("mixed", 60, ("*",)),
    ),
    features={
        "a bias": lambda f: f["bias"],
        "no bias": lambda f: not f["bias"],
        "an input of 3 dimensions": lambda f: f["rank"] == 3,
        "an input of 1 dimension": lambda f: f["rank"] == 1,
        "an empty batch": lambda f: f["N"] == 0,
        "as many outputs as inputs": lambda f: f["C"] == f["O"],
        "more outputs than inputs": lambda f: f["C"] < f["O"],
        "fewer outputs than inputs": lambda f: f["C"] > f["O"],
        **MANNER_FEATURES,
    },
    counts={"N": "rows", "C": "inputs", "O": "outputs"},
    blocks=("C", "O", "N"),
    floats=ARRAYS,
    joint=(("C", "O"),),
    laws=PRODUCT_LAWS,
    bilinear=True,
    explain=products,
)
