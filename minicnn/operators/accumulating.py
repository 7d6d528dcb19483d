"""Sums of terms that fall on the same place: what gathering passes back, and what scattering adds.

    total[p] = Σ terms[i]  over the i with places[i] = p

float32 is carried in float64, float64 in blocks where many terms fall on one place, so that a sum is as accurate as
those of `kernels.sums` however many terms it has.
"""

from math import prod
from typing import Any

import numpy as np

FEW = 8
"""So few terms are added one after another in their own dtype."""
BLOCK = 256
"""More terms than this on one place are added up pairwise in float64."""
SPARSE = 4
"""Where rows are this many times fewer than places, only the places that occur are summed over."""


def sums_at(places: np.ndarray, terms: np.ndarray, size: int) -> np.ndarray:
    """total[p] = Σ terms[i] over the i with places[i] = p, a vector of `size` in the dtype of the terms.

    Args:
        places: integers from 0 to size − 1, any shape.
        terms: of the same shape.
        size: of the result.
    """
    places, terms = places.reshape(-1), terms.reshape(-1)
    if terms.dtype.kind != "f":
        total = np.zeros(size, terms.dtype)
        np.add.at(total, places, terms)
        return total
    if terms.dtype == np.float64 and places.size > BLOCK and np.bincount(places).max() > BLOCK:
        return _sums_of_runs(places, terms, size)
    return np.bincount(places, terms, size).astype(terms.dtype, copy=False)


def _sums_of_runs(places: np.ndarray, terms: np.ndarray, size: int) -> np.ndarray:
    """The same, by sorting the terms by place: NumPy adds up a run of neighbours pairwise."""
    order = places.argsort(kind="stable")
    places = places[order]
    starts = np.flatnonzero(np.diff(places, prepend=-1))
    total = np.zeros(size, terms.dtype)
    total[places[starts]] = np.add.reduceat(terms[order], starts)
    return total


def row_sums(rows: np.ndarray, terms: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """total[r] = Σ terms[i] over the i with rows[i] = r, where terms[i] and total[r] have the same shape.

    Args:
        rows: (n,) integers from 0 to shape[0] − 1.
        terms: (n, …).
        shape: of the result, (R, …).
    """
    R, width = shape[0], prod(shape[1:])
    if SPARSE * rows.size < R:
        present, rows = np.unique(rows, return_inverse=True)
        total = np.zeros(shape, terms.dtype)
        total[present] = row_sums(rows, terms, (present.size, *shape[1:]))
        return total
    places = rows if width == 1 else rows[:, None] * width + np.arange(width)
    return sums_at(places, terms, R * width).reshape(shape)


def sums_by_key(shape: tuple[int, ...], key: tuple, terms: np.ndarray) -> np.ndarray:
    """Zeros of `shape`, to whose part `key` the terms are added; an element that occurs twice in it gets both.

    Args:
        shape: of the result.
        key: integer arrays, masks and whole slices, as many as cover the shape.
        terms: of the shape of the part.
    """
    arrays = [part for part in key if isinstance(part, np.ndarray)]
    total = np.zeros(shape, terms.dtype)
    if len(arrays) == 1 and arrays[0].dtype == bool:  # a mask has every element once
        total[key] = terms
        return total
    if terms.size <= FEW or total.size == 0:
        np.add.at(total, key, terms)
        return total
    key = _without_last_slices(key)
    leading = shape[: sum(_covered(part) for part in key)]
    rows = np.arange(prod(leading)).reshape(leading)[key].reshape(-1)
    rest = shape[len(leading) :]
    return row_sums(rows, terms.reshape(rows.size, *rest), (prod(leading), *rest)).reshape(shape)


def _covered(part: Any) -> int:
    """How many dimensions a part of a key stands for."""
    return part.ndim if isinstance(part, np.ndarray) and part.dtype == bool else 1


def _without_last_slices(key: tuple) -> tuple:
    last = max(i for i, part in enumerate(key) if isinstance(part, np.ndarray))
    return key[: last + 1]
