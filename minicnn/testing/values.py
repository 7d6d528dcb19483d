"""The numbers in a case's arrays: kinds of values, and where they lie in memory."""

import zlib
from typing import Any

import numpy as np

from minicnn.testing.layouts import Layout, fill

EXACT = frozenset(
    {
        "minus infinity",
        "integers",
        "nonzero",
        "below zero",
        "ties",
        "one-hot",
        "zeros",
        "subnormal",
        "largest",
        "NaN",
        "infinity",
    }
)
"""Kinds whose sums of products are exact in every order, so that equality is demanded."""
SPECIAL = frozenset({"subnormal", "largest", "NaN", "infinity", "minus infinity"})
"""Kinds for the forward alone, and not for methods that rearrange sums (--factor)."""

PLACES: dict[str, Layout] = {
    "contiguous": Layout(),
    "channels last": Layout((1, 2, 0, 3, 4, 5)),
    "transposed": Layout((1, 0, 2, 3, 4, 5)),
    "Fortran order": Layout((5, 4, 3, 2, 1, 0)),
    "strided": Layout(gap=0),
    "strided rows": Layout(gap=1),
    "reversed": Layout(reverse=0),
    "reversed rows": Layout(reverse=1),
    "broadcast": Layout(repeat=0),
    "read-only": Layout(),
    "unaligned": Layout(),
}
"""The memory layouts, by name. "read-only" and "unaligned" are contiguous otherwise."""


def drawn_array(kind: str, shape: tuple[int, ...], dtype: str, seed: int, name: str, first: bool) -> np.ndarray:
    """Numbers of one kind.

    Args:
        kind: "normals", "reals", or one of `EXACT`.
        shape, dtype: of the array.
        seed: of the case; arrays of one case differ by their names.
        name: of the array.
        first: whether the array is the operation's first. Only that one holds what is special; the others are whole
            numbers without zero, lest infinity times zero, which methods treat differently, comes about.
    """
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    if kind in ("integers", "ties", "normals", "reals"):
        return fill(shape, kind, int(rng.integers(2**31)), dtype)
    info = np.finfo(np.dtype(dtype).type)
    whole = (rng.integers(1, 5, shape) * rng.choice([-1, 1], shape)).astype(dtype)
    if kind == "nonzero":
        return whole
    if kind == "below zero":
        return -np.abs(whole)
    if kind == "large":
        return (whole * rng.choice([1, 30, 100, 1000], shape)).astype(dtype)
    if not first:
        if kind == "largest":
            return (np.sign(whole) if name == "weight" else np.zeros_like(whole)).astype(dtype)
        if kind == "subnormal":
            return whole if name == "weight" else whole * info.smallest_subnormal
        return whole
    if kind in ("one-hot", "largest"):
        x = np.zeros(shape, dtype)
        if x.size:
            x.flat[rng.integers(x.size)] = 1 if kind == "one-hot" else info.max * rng.choice([-1, 1])
        return x
    if kind == "zeros":
        return rng.choice(np.array([0.0, -0.0, 1.0, -1.0], dtype), shape)
    if kind == "subnormal":
        return fill(shape, "integers", int(rng.integers(2**31)), dtype) * info.smallest_subnormal
    if kind == "minus infinity":
        return np.where(rng.random(shape) < 0.8, -np.inf, whole).astype(dtype)
    if x_size := whole.size:
        for _ in range(int(rng.integers(1, 4))):
            whole.flat[rng.integers(x_size)] = np.nan if kind == "NaN" else np.inf * rng.choice([-1, 1])
    return whole


def placed(x: np.ndarray, place: str) -> np.ndarray:
    """The values of `x` in memory as `place` says; "broadcast" changes them."""
    y = PLACES[place].of(np.asarray(x))
    if place == "read-only":
        y.flags.writeable = False
    return y


def shift_of(place: str) -> int:
    """By how many bytes an array is out of line."""
    return 1 if place == "unaligned" else 0


def same_numbers(a: Any, b: Any) -> bool:
    """Whether two arrays hold the same numbers, NaN equal to NaN."""
    return a.shape == b.shape and a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind in "fc")
