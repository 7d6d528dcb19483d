"""Norms of vectors and of matrices."""

from collections.abc import Callable
from math import inf, prod
from typing import Any, Literal

import numpy as np

from minicnn import kernels
from minicnn.autograd import Operator, Variable
from minicnn.dtypes import as_dtype
from minicnn.errors import DtypeError, LinAlgError, ShapeError
from minicnn.operators.arguments import array_argument, numpy_spelling, single_axis
from minicnn.operators.arithmetic import Multiply, Subtract
from minicnn.operators.choosing import where
from minicnn.operators.extremes import amax, amin
from minicnn.operators.half import half_in_float32
from minicnn.operators.operands import array_of, cast
from minicnn.operators.quiet import quietly
from minicnn.operators.reduction import Dimensions, normalize_dims, sum
from minicnn.operators.rounding import absolute
from minicnn.operators.shape import permute, reshape, squeeze


def decomposed(function: Callable, *matrices: np.ndarray, **options: Any) -> Any:
    """What a function of `numpy.linalg` returns.

    Raises:
        LinAlgError: where it has no result.
    """
    try:
        return quietly(function, *matrices, **options)
    except np.linalg.LinAlgError as error:
        raise LinAlgError(f"{function.__name__}: {error}") from None


Order = float | Literal["fro", "nuc"]


class SingularValues(Operator):
    """The singular values of matrices, the largest first: of A = U · diag(s) · V."""

    @staticmethod
    def forward(ctx: Any, A: np.ndarray) -> np.ndarray:
        U, s, V = decomposed(np.linalg.svd, A, full_matrices=False)
        ctx.saved = U, V
        return s

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> np.ndarray:
        U, V = ctx.saved
        return (U * g[..., None, :]) @ V


class VectorNorm(Operator):
    """(Σ |x|ᵖ)^(1/p) over some axes; for p = 0 how many aren't 0, for ±∞ the largest and the smallest |x|."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, p: float, axes: tuple[int, ...], keepdim: bool) -> np.ndarray:
        with np.errstate(all="ignore"):
            y = _norm(x, p, axes)
        ctx.saved, ctx.order = (x, y), (p, axes)
        return y if keepdim else y.reshape([n for axis, n in enumerate(x.shape) if axis not in axes])

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> Any:
        (x, y), (p, axes) = ctx.saved, ctx.order
        if p == 0:
            return None
        return _norm_gradient(g.reshape(y.shape), x, y, p, axes).astype(g.dtype)

    @staticmethod
    def backward_recorded(ctx: Any, g: Any) -> Any:
        (x, y), (p, axes) = ctx.saved, ctx.order
        if p == 0:
            return None
        kept = [1 if axis in axes else size for axis, size in enumerate(x.shape)]
        if p in (inf, -inf):  # of straight pieces
            slope = _norm_gradient(np.ones(kept, x.dtype), x, y, p, axes)
            return g.reshape(kept) * Variable._computed(slope.astype(x.dtype))
        nothing = Variable._computed(y.reshape(kept) == 0)
        norm = ctx.result(0, y.reshape(ctx.outputs[0][0])).reshape(kept).masked_fill(nothing, 1.0)  # 0 / 0 is 0 here
        tensor = ctx.argument(0, x)
        slope = tensor / norm if p == 2 else tensor.sign() * (tensor.abs() / norm) ** (p - 1)
        return (g.reshape(kept) * slope).masked_fill(nothing, 0.0)


def _norm(x: np.ndarray, p: float, axes: tuple[int, ...]) -> np.ndarray:
    """The norm in the dtype of x, the axes kept."""
    if p != 0 and all(x.shape[axis] == 1 for axis in axes):
        return np.abs(x)
    if p == inf:
        return np.abs(x).max(axes, keepdims=True)
    if p == -inf:
        return np.abs(x).min(axes, keepdims=True)
    if p == 2:
        zero = np.zeros([1 if axis in axes else n for axis, n in enumerate(x.shape)])
        return np.sqrt(kernels.sums.squares(x, zero, axes)).astype(x.dtype)
    if p == 0:
        terms = (x != 0).astype(x.dtype)
    else:
        terms = np.abs(x) if p == 1 else np.abs(x) ** x.dtype.type(p)
    total = kernels.sums.over(terms, axes, True)
    return total if p in (0, 1) else total ** x.dtype.type(1 / p)


def _norm_gradient(g: np.ndarray, x: np.ndarray, y: np.ndarray, p: float, axes: tuple[int, ...]) -> np.ndarray:
    """g · ∂y/∂x; 0 where the norm isn't differentiable because it, or an element, is 0."""
    if p == 1:
        return g * np.sign(x)
    if abs(p) == inf:
        ties = np.abs(x) == y
        counts = np.maximum(ties.sum(axes, keepdims=True), 1).astype(x.dtype)
        return np.where(ties, np.sign(x) * (g / counts), 0)
    if p == 2:
        return np.where(y == 0, 0, (x / y) * g)
    ratio = (np.abs(x) / y) ** x.dtype.type(p - 1)
    return np.where((y == 0) | ((x == 0) & (p < 2)), 0, np.sign(x) * ratio * g)


def svdvals(A: Any) -> Any:
    """The singular values of matrices, the largest first: (…, M, N) gives (…, min(M, N)).

    Raises:
        DtypeError: for integers and bools.
        ShapeError: for fewer than 2 dimensions.
    """
    _real(A, "svdvals", None)
    if array_of(A).ndim < 2:
        raise ShapeError(f"svdvals needs at least 2 dimensions, got shape {array_of(A).shape}")
    return SingularValues.apply(A)


def _real(x: Any, name: str, dtype: Any) -> Any:
    """x in the dtype to compute in.

    Raises:
        DtypeError: where x, or the dtype, isn't floating point.
    """
    array = array_argument(x, name)
    if array.dtype.kind != "f":
        raise DtypeError(f"{name} needs a floating-point tensor, got {array.dtype}")
    if dtype is None:
        return x
    wanted = as_dtype(dtype)
    if wanted.kind != "f" or wanted.itemsize < array.dtype.itemsize:
        raise DtypeError(f"{name} of {array.dtype} can't be computed in {wanted}, which is narrower")
    return cast(x, wanted)


@half_in_float32
@numpy_spelling
def vector_norm(x: Any, ord: float = 2, dim: Dimensions = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """(Σ |x|ᵖ)^(1/p) for p = `ord`, over `dim` or over everything.

    Args:
        x: any shape, floating point.
        ord: any number; inf for the largest |x|, -inf for the smallest, 0 for how many aren't 0.
        dim: axis or axes; None and () mean all.
        keepdim: keep reduced axes with size 1.
        dtype: convert to it first.

    Raises:
        DtypeError: for integers and bools.
        TypeError: for an `ord` that is no number.
        ShapeError: for ±inf or a negative `ord` over no elements.
        IndexError: for a `dim` out of range.
    """
    if isinstance(ord, (str, bool)) or not isinstance(ord, (int, float, np.number)):
        raise TypeError(f"vector_norm needs a number as ord, got {ord!r}")
    x = _real(x, "vector_norm", dtype)
    array = array_of(x)
    axes = normalize_dims(dim, array.ndim)
    if (ord < 0 or ord == inf) and not prod([array.shape[axis] for axis in axes]):
        raise ShapeError(f"vector_norm of order {ord} over no elements has no value, the shape is {array.shape}")
    return VectorNorm.apply(x, float(ord), axes, bool(keepdim))


@half_in_float32
@numpy_spelling
def matrix_norm(
    A: Any, ord: Order = "fro", dim: tuple[int, int] = (-2, -1), keepdim: bool = False, *, dtype: Any = None
) -> Any:
    """A norm of matrices: "fro" the root of the sum of squares, 1 and inf the largest sum of a column or row of |A|.

    Args:
        A: (…, M, N), floating point.
        ord: "fro", 1, -1, inf or -inf; 2, -2 and "nuc" for the largest, the smallest and all singular values.
        dim: the two axes of the matrices.
        keepdim: keep these axes with size 1.
        dtype: convert to it first.

    Raises:
        DtypeError: for integers and bools.
        ShapeError: for fewer than 2 dimensions, or another `dim`.
    """
    A = _real(A, "matrix_norm", dtype)
    array = array_of(A)
    if array.ndim < 2 or len(dim) != 2:
        raise ShapeError(f"matrix_norm needs at least 2 dimensions and two dims, got shape {array.shape} and {dim}")
    rows, columns = (single_axis(d, array.ndim) for d in dim)
    if rows == columns:
        raise ShapeError(f"matrix_norm needs two different dims, got {dim}")
    if ord == "fro":
        return vector_norm(A, 2, (rows, columns), keepdim)
    if ord in ("nuc", 2, -2):
        rest = [d for d in range(array.ndim) if d not in (rows, columns)]
        values = SingularValues.apply(permute(A, (*rest, rows, columns)))
        result = sum(values, -1) if ord == "nuc" else (amax if ord == 2 else amin)(values, -1)
        return (
            reshape(result, [1 if d in (rows, columns) else n for d, n in enumerate(array.shape)])
            if keepdim
            else result
        )
    if ord not in (1, -1, inf, -inf):
        raise ShapeError(
            f"matrix_norm: order {ord!r} is not supported; take 'fro', 'nuc', 1, 2, inf or their negatives"
        )
    added, left = (rows, columns) if abs(ord) == 1 else (columns, rows)  # type: ignore[arg-type]
    sums = sum(absolute(A), added, keepdim=True)
    result = (amax if ord > 0 else amin)(sums, left, keepdim=True)  # type: ignore[operator]
    return result if keepdim else squeeze(result, (rows, columns))


@half_in_float32
@numpy_spelling
def linalg_norm(
    A: Any, ord: Order | None = None, dim: Dimensions = None, keepdim: bool = False, *, dtype: Any = None
) -> Any:
    """A vector norm, or, where there are two dimensions and an `ord`, a matrix norm.

    Args:
        A: any shape, floating point.
        ord: None for the root of the sum of squares; otherwise as for `vector_norm` and `matrix_norm`.
        dim: an axis for vectors, two for matrices; all by default.
        keepdim: keep reduced axes with size 1.
        dtype: convert to it first.

    Raises: as `vector_norm` and `matrix_norm`.
    """
    array = array_argument(A, "linalg.norm")
    count = 1 if isinstance(dim, (int, np.integer)) else len(dim) if dim is not None else array.ndim
    if ord is None:
        return vector_norm(A, 2, dim, keepdim, dtype=dtype)
    if count not in (1, 2) and dim is not None:
        raise ShapeError(f"linalg.norm with ord needs one or two dims, got {dim}")
    if dim is None and count not in (1, 2):
        raise ShapeError(f"linalg.norm with ord needs a vector or a matrix, or dim=, got shape {array.shape}")
    if count == 1 and not isinstance(ord, str):
        return vector_norm(A, ord, dim, keepdim, dtype=dtype)
    if dim is None and count == 2:
        dim = (0, 1)
    matrix = (dim,) if isinstance(dim, (int, np.integer)) else tuple(dim or ())
    return matrix_norm(A, ord, matrix, keepdim, dtype=dtype)  # type: ignore[arg-type]


@half_in_float32
@numpy_spelling
def norm(input: Any, p: Order | None = "fro", dim: Dimensions = None, keepdim: bool = False, dtype: Any = None) -> Any:
    """The vector norm of order `p`, over `dim` or over everything: `linalg.vector_norm` under its old name.

    Args:
        input: any shape, floating point.
        p: a number, "fro" for 2, or "nuc" for the sum of the singular values of matrices.
        dim: axis or axes; None means all.
        keepdim: keep reduced axes with size 1.
        dtype: convert to it first.

    Raises:
        DtypeError: for integers and bools.
        ShapeError: for another name of a norm.
    """
    if p == "nuc":
        return matrix_norm(input, "nuc", _two_dims(input, dim), keepdim, dtype=dtype)
    if isinstance(p, str) and p != "fro":
        raise ShapeError(f"norm: order {p!r} is not supported; take a number or 'fro'")
    if p == "fro" and isinstance(dim, (tuple, list)) and len(dim) > 2:
        raise ShapeError(f"the Frobenius norm needs at most two dims, got {dim}")
    return vector_norm(input, 2 if p in ("fro", None) else p, dim, keepdim, dtype=dtype)  # type: ignore[arg-type]


def _two_dims(input: Any, dim: Dimensions) -> tuple[int, int]:
    """The two dims of matrices, which may be left out where there are no others."""
    ndim = array_argument(input, "norm").ndim
    dims = tuple(range(ndim)) if dim is None else (dim,) if isinstance(dim, (int, np.integer)) else tuple(dim)
    if len(dims) != 2:
        raise ShapeError(f"the nuclear norm needs two dims, got {dims}")
    return dims


@half_in_float32
def dist(input: Any, other: Any, p: float = 2) -> Any:
    """The vector norm of order `p` of input − other, broadcast.

    Args:
        input, other: Tensors; one of them floating point.
        p: as for `linalg.vector_norm`.
    """
    array_argument(other, "dist")
    return vector_norm(Subtract.call(input, other), p)


def renorm(input: Any, p: float, dim: int, maxnorm: float) -> Any:
    """`input`, of which each part along `dim` whose norm exceeds `maxnorm` is scaled down to it.

    Args:
        input: at least 2 dimensions, floating point.
        p: the order of the norm, above 0.
        dim: along which the parts lie.
        maxnorm: not negative.

    Raises:
        DtypeError: for integers and bools.
        ShapeError: for fewer dimensions, another `p` or `maxnorm`.
        IndexError: for a `dim` out of range.
    """
    array = array_of(_real(input, "renorm", None))
    if p <= 0 or maxnorm < 0:
        raise ShapeError(f"renorm needs p above 0 and maxnorm not below, got {p} and {maxnorm}")
    if array.ndim < 2:
        raise ShapeError(f"renorm needs at least 2 dimensions, got shape {array.shape}")
    axis = single_axis(dim, array.ndim)
    norms = vector_norm(input, p, tuple(d for d in range(array.ndim) if d != axis), keepdim=True)
    factor = where(norms > maxnorm, maxnorm / (norms + 1e-7), 1.0)
    return Multiply.call(input, factor)
