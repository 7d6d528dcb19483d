"""Strategies for arrays: values that are exact, full of ties or real, in every order of memory."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from minicnn.testing.layouts import CONTIGUOUS, LAYOUTS, Layout, fill, lay_out

__all__ = ["CONTIGUOUS", "COUNTS", "LAYOUTS", "VALUES", "Layout", "counts", "fill", "lay_out", "layouts", "real_arrays"]

VALUES = ("integers", "ties", "reals")
COUNTS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65)
"""Sizes around those of vectors and tiles, where kernels change their way."""


def counts(most: int = COUNTS[-1], least: int = 1) -> st.SearchStrategy[int]:
    """Numbers of channels, images or pixels out of COUNTS, `least` to `most` (but never none)."""
    return st.sampled_from([count for count in COUNTS if least <= count <= max(most, least)])


def layouts(repeats: bool = False) -> st.SearchStrategy[Layout]:
    """Any order of the axes, sometimes with gaps, or an axis that runs backwards.

    Args:
        repeats: sometimes also with an axis of stride 0.
    """
    rarely = st.one_of(st.none(), st.none(), st.integers(0, 3))
    ranks = st.permutations(range(6)).map(tuple)
    return st.builds(Layout, ranks, rarely, rarely, rarely if repeats else st.none())


@st.composite
def real_arrays(
    draw: st.DrawFn, shape: tuple[int, ...], kinds: tuple[str, ...] = VALUES, dtype: Any = np.float32
) -> np.ndarray:
    """Arrays of `shape` with one of `kinds` of values in any memory layout."""
    values = fill(shape, draw(st.sampled_from(kinds)), draw(st.integers(0, 2**16)), dtype)
    return lay_out(values, draw(layouts()))
