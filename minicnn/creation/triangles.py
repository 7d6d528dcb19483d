"""Indices of the elements below or above a diagonal."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn.creation.options import factory
from minicnn.dtypes import int64
from minicnn.errors import ShapeError
from minicnn.operators.numbers import integer_argument


def _indices(name: str, find: Callable, row: Any, col: Any, offset: Any, dtype: np.dtype | None) -> np.ndarray:
    given = zip((row, col, offset), ("row", "col", "offset"), strict=True)
    rows, columns, diagonal = [integer_argument(value, name, argument) for value, argument in given]
    if min(rows, columns) < 0:
        raise ShapeError(f"{name} needs row and col that aren't negative, got {rows} and {columns}")
    return np.array(find(rows, diagonal, columns)).reshape(2, -1).astype(dtype or int64)


@factory
def tril_indices(row: int, col: int, offset: int = 0, *, dtype: Any = None) -> Any:
    """Indices of the elements on and below a diagonal of a matrix, row by row: (2, number of elements), int64.

    Args:
        row, col: the matrix's shape.
        offset: of the diagonal; positive ones lie above the main one.

    Raises:
        ShapeError: for negative sizes.
    """
    return _indices("tril_indices", np.tril_indices, row, col, offset, dtype)


@factory
def triu_indices(row: int, col: int, offset: int = 0, *, dtype: Any = None) -> Any:
    """Indices of the elements on and above a diagonal of a matrix; see `tril_indices`."""
    return _indices("triu_indices", np.triu_indices, row, col, offset, dtype)
