"""Cases for the corpus of wrong implementations: every option of every operation, small, and the odd places."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Arrays = tuple[np.ndarray | None, ...]


@dataclass(frozen=True, eq=False)
class Case:
    """Arguments of an operation: its arrays in order, and its options by name."""

    arrays: Arrays
    options: dict[str, Any] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:
        try:
            return self.options[name]
        except KeyError:
            raise AttributeError(name) from None

    def copies(self) -> list[np.ndarray | None]:
        """The arrays, copied as they lie in memory."""
        return [None if a is None else a.copy(order="K") for a in self.arrays]


def integers(rng: np.random.Generator, *shape: int, dtype: Any = np.float32) -> np.ndarray:
    """Small whole numbers other than zero."""
    return (rng.integers(1, 5, shape) * rng.choice([-1, 1], shape)).astype(dtype)


def normals(rng: np.random.Generator, *shape: int, dtype: Any = np.float32) -> np.ndarray:
    """Normally distributed numbers."""
    return rng.standard_normal(shape).astype(dtype)


def one(rng: np.random.Generator, *options: Any) -> Any:
    """One of the options."""
    return options[rng.integers(len(options))]


def axis(rng: np.random.Generator, same: bool) -> tuple[int, int, int, int, int]:
    """Kernel, stride, padding, dilation and size along one axis."""
    kernel, dilation = one(rng, 1, 2, 3, 3, 4), one(rng, 1, 1, 2, 3)
    stride, padding = (1, 0) if same else (one(rng, 1, 2, 3), one(rng, 0, 0, 1, 2))
    span = (kernel - 1) * dilation + 1
    return kernel, stride, padding, dilation, max(span - 2 * padding, 1) + int(rng.integers(0, 6))


def convolution(rng: np.random.Generator, N: int, C: int, O: int, groups: int, **fixed: Any) -> Case:
    """A case of conv2d; C and O are counted within a group."""
    padding = one(rng, "numbers", "numbers", "numbers", "same", "valid")
    (KH, SH, PH, DH, H), (KW, SW, PW, DW, W) = axis(rng, padding == "same"), axis(rng, padding == "same")
    if padding != "numbers":
        PH = PW = 0
        H, W = H + 4, W + 4
    make = fixed.get("make", integers)
    arrays = (
        make(rng, N, C * groups, H, W),
        make(rng, O * groups, C, KH, KW),
        make(rng, O * groups) if rng.random() < 0.6 else None,
    )
    options = {
        "stride": (SH, SW),
        "padding": (PH, PW) if padding == "numbers" else padding,
        "dilation": (DH, DW),
        "groups": groups,
    }
    return Case(arrays, options)


def special(rng: np.random.Generator, x: np.ndarray, value: float) -> np.ndarray:
    """`x` with one element of another value."""
    x = x.copy()
    x.flat[rng.integers(x.size)] = value
    return x


def conv2d_cases(rng: np.random.Generator) -> Iterator[Case]:
    for _ in range(70):
        yield convolution(rng, one(rng, 1, 2, 3), one(rng, 1, 2, 3), one(rng, 1, 2, 3), one(rng, 1, 1, 2, 3))
    for N, C, O in ((16, 1, 2), (17, 2, 1), (0, 2, 3), (1, 17, 2), (2, 33, 1), (2, 1, 17), (1, 16, 16), (1, 2, 33)):
        yield convolution(rng, N, C, O, 1)
    for _ in range(4):
        yield convolution(rng, 2, 2, 3, 1, make=normals)
        yield convolution(rng, 2, 2, 2, 2, make=lambda rng, *shape: normals(rng, *shape, dtype=np.float64))
    x, weight, bias = integers(rng, 2, 3, 5, 65), integers(rng, 2, 3, 7, 2), integers(rng, 2)
    yield Case((x, weight, bias), {"padding": (2, 0)})
    x, weight = integers(rng, 2, 3, 6, 5), integers(rng, 2, 3, 3, 2)
    for value in (np.nan, np.inf, np.finfo(np.float32).max):
        yield Case((special(rng, x, value), weight, bias), {"padding": (1, 0)})
    yield Case((x * np.finfo(np.float32).smallest_subnormal, weight, None))
    yield Case((np.asarray(x, order="F"), weight, bias))
    yield Case((x, weight, None))
    yield Case((integers(rng, 2, 3, 4, 4), integers(rng, 2, 3, 1, 1), None))


CASES: dict[str, Callable[[np.random.Generator], Iterator[Case]]] = {"conv2d": conv2d_cases}
"""Draws the cases of every operation."""
