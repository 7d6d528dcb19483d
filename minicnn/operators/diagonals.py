"""Diagonals of matrices, matrices made of diagonals, and triangles."""

from typing import Any

import numpy as np

from minicnn.autograd import Operator, Variable
from minicnn.autograd.graph import entitled
from minicnn.autograd.operator import ViewOperator
from minicnn.dtypes import as_dtype, int64
from minicnn.errors import DtypeError, ShapeError
from minicnn.operators.arguments import array_argument, single_axis
from minicnn.operators.masking import masked_fill
from minicnn.operators.numbers import number
from minicnn.operators.reduction import sum
from minicnn.operators.shape import Clone, reshape


def _writable_diagonal(x: np.ndarray, offset: int, first: int, second: int) -> np.ndarray:
    """A view of a diagonal that can be written to where x can."""
    diagonal = np.diagonal(x, offset, first, second)
    diagonal.flags.writeable = x.flags.writeable
    return diagonal


class Diagonal(ViewOperator):
    """The diagonal of two axes, as the last axis of a view."""

    @staticmethod
    def view(x: np.ndarray, offset: int, first: int, second: int) -> np.ndarray:
        return _writable_diagonal(x, offset, first, second)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> np.ndarray:
        grad_input = np.zeros(ctx.shape, g.dtype)
        _writable_diagonal(grad_input, *ctx.arguments)[...] = g
        return grad_input


def _embedded(x: np.ndarray, offset: int, first: int, second: int) -> np.ndarray:
    """The last axis of x on a diagonal of zeros."""
    size = x.shape[-1] + abs(offset)
    shape = list(x.shape[:-1])
    for axis in sorted((first, second)):
        shape.insert(axis, size)
    y = np.zeros(shape, x.dtype)
    _writable_diagonal(y, offset, first, second)[...] = x
    return y


class Embedded(Operator):
    """Matrices that are 0 but for a diagonal, the last axis of x."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, offset: int, first: int, second: int) -> np.ndarray:
        ctx.place = offset, first, second
        return _embedded(x, offset, first, second)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> np.ndarray:
        return np.diagonal(g, *ctx.place).copy()

    @staticmethod
    def again(ctx: Any, x: np.ndarray) -> np.ndarray:
        return _embedded(x, *ctx.place)


class Triangle(Operator):
    """The elements on one side of a diagonal, 0 on the other."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, function: Any, diagonal: int) -> np.ndarray:
        ctx.triangle = function, diagonal
        return function(x, diagonal)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        function, diagonal = ctx.triangle
        return function(g, diagonal)

    @staticmethod
    def again(ctx: Any, x: np.ndarray) -> np.ndarray:
        return ctx.triangle[0](x, ctx.triangle[1])


def _two_axes(name: str, dim1: int, dim2: int, ndim: int) -> tuple[int, int]:
    """Two dims as axes.

    Raises:
        IndexError: out of range.
        ShapeError: where they are the same.
    """
    first, second = single_axis(dim1, ndim), single_axis(dim2, ndim)
    if first == second:
        raise ShapeError(f"{name} needs two different dims, got {dim1} and {dim2}")
    return first, second


def diagonal(input: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """The diagonal of two dimensions, as a view whose last dimension it is.

    Args:
        input: at least 2 dimensions.
        offset: how far right of the main diagonal.
        dim1, dim2: the rows and the columns.

    Raises:
        IndexError: for dims out of range.
        ShapeError: for the same dim twice.
    """
    axes = _two_axes("diagonal", dim1, dim2, array_argument(input, "diagonal").ndim)
    return Diagonal.apply(input, int(offset), *axes)


def linalg_diagonal(A: Any, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    """`diagonal` of the last two dimensions."""
    return diagonal(A, offset, dim1, dim2)


def diag_embed(input: Any, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    """Matrices that are 0 but for the last dimension of `input` on a diagonal.

    Args:
        input: (…, n).
        offset: how far right of the main diagonal.
        dim1, dim2: where the rows and columns of the matrices lie in the result.

    Returns: one dimension more; n + |offset| rows and columns.

    Raises:
        IndexError: for dims out of range.
        ShapeError: for the same dim twice, or a number.
    """
    ndim = array_argument(input, "diag_embed").ndim
    axes = _two_axes("diag_embed", dim1, dim2, ndim + 1)
    if not ndim:
        raise IndexError("diag_embed needs at least one dimension")
    return Embedded.apply(input, int(offset), *axes)


def diag(input: Any, diagonal: int = 0) -> Any:
    """The diagonal of a matrix as a vector, or a vector as the diagonal of a matrix.

    Args:
        input: (n,) or (M, N).
        diagonal: how far right of the main diagonal.

    Raises:
        ShapeError: for other dimensions.
    """
    array = array_argument(input, "diag")
    if array.ndim not in (1, 2):
        raise ShapeError(f"diag needs a vector or a matrix, got shape {array.shape}")
    if array.ndim == 1:
        return diag_embed(input, diagonal)
    return Clone.apply(Diagonal.apply(input, int(diagonal), 0, 1))


def diagflat(input: Any, offset: int = 0) -> Any:
    """All elements as the diagonal of a matrix."""
    array_argument(input, "diagflat")
    return diag_embed(reshape(input, -1), offset)


@entitled("TraceBackward0")
def trace(input: Any) -> Any:
    """The sum of the diagonal of a matrix; integers add up as int64.

    Raises:
        ShapeError: for other dimensions.
        DtypeError: for bools.
    """
    array = array_argument(input, "trace")
    if array.ndim != 2:
        raise ShapeError(f"trace needs a matrix, got shape {array.shape}")
    if array.dtype == bool:
        raise DtypeError("trace does not support bool tensors")
    return sum(Diagonal.apply(input, 0, 0, 1))


def tril(input: Any, diagonal: int = 0) -> Any:
    """Matrices with 0 right of a diagonal.

    Args:
        input: (…, M, N).
        diagonal: how far right of the main one.

    Raises:
        ShapeError: for fewer dimensions.
    """
    return _triangle("tril", np.tril, input, diagonal)


def triu(input: Any, diagonal: int = 0) -> Any:
    """Matrices with 0 left of a diagonal.

    Args, Raises: as for `tril`.
    """
    return _triangle("triu", np.triu, input, diagonal)


def _triangle(name: str, function: Any, input: Any, diagonal: int) -> Any:
    shape = array_argument(input, name).shape
    if len(shape) < 2:
        raise ShapeError(f"{name} needs at least 2 dimensions, got shape {shape}")
    return Triangle.apply(input, function, int(diagonal))


def fill_diagonal(input: Any, fill_value: Any, wrap: bool = False) -> Any:
    """A copy whose diagonal, the elements with the same index everywhere, is one number.

    Args:
        input: of at least 2 dimensions, which have the same size if they are more than 2.
        fill_value: a number, converted to the dtype.
        wrap: whether the diagonal of a tall matrix starts again below, after an empty row.

    Raises:
        ShapeError: for fewer than 2 dimensions, or more of several sizes.
    """
    array = array_argument(input, "fill_diagonal_")
    if array.ndim < 2:
        raise ShapeError(f"fill_diagonal_ needs at least 2 dimensions, got shape {array.shape}")
    if array.ndim > 2 and len({*array.shape}) > 1:
        raise ShapeError(f"fill_diagonal_ needs dimensions of one size where they are more than 2, got {array.shape}")
    mask = np.zeros(array.shape, bool)
    if array.size:
        np.fill_diagonal(mask, True, wrap)
    value = np.asarray(number(fill_value, "fill_value")).astype(array.dtype)
    return masked_fill(input, Variable._computed(mask), value.item())


def tril_indices(row: int, col: int, offset: int = 0, *, dtype: Any = int64, device: Any = "cpu") -> Any:
    """The indices of the elements of a matrix that `tril` keeps: (2, n), rows above columns.

    Args:
        row, col: the size of the matrix.
        offset: how far right of the main diagonal.
        dtype: of the indices.
        device: must be "cpu".

    Raises:
        ShapeError: for negative sizes.
    """
    return _indices("tril_indices", np.tril_indices, row, col, offset, dtype, device)


def triu_indices(row: int, col: int, offset: int = 0, *, dtype: Any = int64, device: Any = "cpu") -> Any:
    """The indices of the elements of a matrix that `triu` keeps: (2, n), rows above columns.

    Args, Raises: as for `tril_indices`.
    """
    return _indices("triu_indices", np.triu_indices, row, col, offset, dtype, device)


def _indices(name: str, function: Any, row: int, col: int, offset: int, dtype: Any, device: Any) -> Any:
    if str(device).split(":")[0] != "cpu":
        raise RuntimeError(f"minicnn computes on the CPU only, got device {str(device)!r}")
    if row < 0 or col < 0:
        raise ShapeError(f"{name} needs sizes that aren't negative, got {row} and {col}")
    return Variable._computed(np.array(function(row, offset, col), as_dtype(dtype)).reshape(2, -1))
