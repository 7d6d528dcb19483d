"""Determinants, inverses and systems of linear equations, by NumPy's LAPACK."""

from typing import Any

import numpy as np

from minicnn.autograd import Operator
from minicnn.errors import DtypeError, ShapeError
from minicnn.operators.arguments import array_argument
from minicnn.operators.norms import decomposed
from minicnn.operators.operands import alone, array_of, check_broadcast
from minicnn.operators.shape import squeeze, transpose, unsqueeze
from minicnn.operators.tracing import Traceable
from minicnn.return_types import Results, linalg_qr, linalg_slogdet


def _transposed(A: np.ndarray) -> np.ndarray:
    return A.swapaxes(-1, -2)


class Determinant(Operator):
    """The determinants of matrices."""

    @staticmethod
    def forward(ctx: Any, A: np.ndarray) -> np.ndarray:
        y = np.asarray(decomposed(np.linalg.det, A))
        ctx.saved = A, y
        return y

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> np.ndarray:
        """The cofactors, from the singular values, since a matrix may have no inverse."""
        A, _ = ctx.saved
        U, s, V = decomposed(np.linalg.svd, A)
        n = s.shape[-1]
        others = np.repeat(s[..., None, :], n, -2)
        others[..., np.arange(n), np.arange(n)] = 1
        sign = np.linalg.det(U) * np.linalg.det(V)
        cofactors = (U * others.prod(-1)[..., None, :]) @ V
        return ((g * sign)[..., None, None] * cofactors).astype(g.dtype)

    @staticmethod
    def backward_recorded(ctx: Any, g: Any) -> Any:
        """det(A) A⁻ᵀ, of matrices that have an inverse."""
        A, y = ctx.tensors()
        return (g * y)[..., None, None] * Inverse.apply(A).mT


class Inverse(Traceable, Operator):
    """The inverses of matrices."""

    @staticmethod
    def forward(ctx: Any, A: np.ndarray) -> np.ndarray:
        y = decomposed(np.linalg.inv, A)
        ctx.saved = (y,)
        return y

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> np.ndarray:
        turned = _transposed(ctx.saved[0])
        return -turned @ g @ turned


class Solution(Operator):
    """The X of A @ X = B."""

    @staticmethod
    def forward(ctx: Any, A: np.ndarray, B: np.ndarray) -> np.ndarray:
        X = decomposed(np.linalg.solve, A, B)
        ctx.saved = A, X
        return X

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        A, X = ctx.saved
        by_B = decomposed(np.linalg.solve, _transposed(A), g)
        return -by_B @ _transposed(X), by_B

    @staticmethod
    def backward_recorded(ctx: Any, g: Any) -> tuple:
        A, X = ctx.tensors()
        by_B = Solution.apply(A.mT, g)
        return -by_B @ X.mT, by_B


class LogDeterminant(Operator):
    """The signs of the determinants of matrices, and the logarithms of their absolute values."""

    differentiable_outputs = None

    @staticmethod
    def forward(ctx: Any, A: np.ndarray) -> tuple:
        sign, logarithm = decomposed(np.linalg.slogdet, A)
        ctx.saved = (A,)
        return np.asarray(sign), np.asarray(logarithm)

    @staticmethod
    def backward(ctx: Any, by_sign: np.ndarray, g: np.ndarray) -> np.ndarray:
        return g[..., None, None] * _transposed(decomposed(np.linalg.inv, ctx.saved[0]))

    @staticmethod
    def backward_recorded(ctx: Any, by_sign: Any, g: Any) -> Any:
        (A,) = ctx.tensors()
        return g[..., None, None] * Inverse.apply(A).mT


def _square(A: Any, name: str) -> np.ndarray:
    """The array of square matrices.

    Raises:
        DtypeError: for integers and bools.
        ShapeError: for other shapes.
    """
    array = array_argument(A, name)
    if array.dtype not in (np.float32, np.float64):
        raise DtypeError(f"{name} needs float32 or float64, got {array.dtype}")
    if array.ndim < 2 or array.shape[-1] != array.shape[-2]:
        raise ShapeError(f"{name} needs square matrices, got shape {array.shape}")
    return array


def det(A: Any) -> Any:
    """The determinants of matrices: (…, N, N) gives (…).

    Raises:
        DtypeError: for integers and bools.
        ShapeError: for other shapes.
    """
    _square(A, "det")
    return Determinant.apply(A)


def inv(A: Any) -> Any:
    """The inverses of matrices: (…, N, N).

    Raises:
        DtypeError: for integers and bools.
        ShapeError: for other shapes.
        LinAlgError: for a matrix that has none.
    """
    _square(A, "inv")
    return Inverse.apply(A)


def solve(A: Any, B: Any, *, left: bool = True) -> Any:
    """The X of A @ X = B, or of X @ A = B.

    Args:
        A: (…, N, N), float32 or float64.
        B: (…, N, K), or (…, N) with the batch dimensions of A; of the same dtype.
        left: False for X @ A = B.

    Raises:
        DtypeError, ShapeError: for dtypes or shapes that don't fit.
        LinAlgError: for a matrix that has no inverse.
    """
    matrix, values = _square(A, "solve"), array_argument(B, "solve")
    if values.dtype != matrix.dtype:
        raise DtypeError(f"solve needs operands of one dtype, got {matrix.dtype} and {values.dtype}")
    vector = values.ndim == 1 or (values.ndim == matrix.ndim - 1 and values.shape == matrix.shape[:-1])
    if vector and not left:
        raise ShapeError("solve with left=False needs matrices as B")
    columns = unsqueeze(B, -1) if vector else B
    shape = array_of(columns).shape
    if len(shape) < 2 or shape[-2 if left else -1] != matrix.shape[-1]:
        raise ShapeError(f"solve needs a B that fits A of shape {matrix.shape}, got {values.shape}")
    check_broadcast(matrix.shape[:-2], shape[:-2])
    if not left:
        return alone(transpose(solve(transpose(A, -1, -2), transpose(columns, -1, -2)), -1, -2))
    result = Solution.apply(A, columns)
    return alone(squeeze(result, -1)) if vector else result


def slogdet(A: Any) -> Results:
    """The signs of the determinants of matrices, and the logarithms of their absolute values.

    Args:
        A: (…, N, N), float32 or float64.

    Returns: `(sign, logabsdet)`, both (…).

    Raises:
        DtypeError: for integers and bools.
        ShapeError: for other shapes.
    """
    _square(A, "slogdet")
    return linalg_slogdet(LogDeterminant.apply(A))


class Cholesky(Operator):
    """The lower triangular L with L Lᵀ = A."""

    @staticmethod
    def forward(ctx: Any, A: np.ndarray) -> np.ndarray:
        L = decomposed(np.linalg.cholesky, A)
        ctx.saved = (L,)
        return L

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> np.ndarray:
        """L⁻ᵀ Φ(Lᵀ g) L⁻¹, made symmetric; Φ keeps the lower triangle and half the diagonal (Murray, 2016)."""
        (L,) = ctx.saved
        middle = np.tril(_transposed(L) @ g)
        middle[..., np.arange(L.shape[-1]), np.arange(L.shape[-1])] /= 2
        inverse = decomposed(np.linalg.inv, L)
        by_A = _transposed(inverse) @ middle @ inverse
        return (by_A + _transposed(by_A)) / 2


class Orthogonal(Operator):
    """The Q and R of A = Q R: Q has orthonormal columns, R is upper triangular."""

    differentiable_outputs = None

    @staticmethod
    def forward(ctx: Any, A: np.ndarray) -> tuple:
        Q, R = decomposed(np.linalg.qr, A)
        ctx.saved = Q, R
        return Q, R

    @staticmethod
    def backward(ctx: Any, by_Q: np.ndarray, by_R: np.ndarray) -> np.ndarray:
        """(gQ + Q copyltu(M)) R⁻ᵀ with M = R gRᵀ − gQᵀ Q; copyltu mirrors the lower triangle (Liao et al., 2019).

        Of more columns than rows the square part gives Q, and the others are Y = Q V: gY = Q gV, and Y gVᵀ joins gQ.
        """
        Q, R = ctx.saved
        K = Q.shape[-1]
        U, by_U, V, by_V = R[..., :K], by_R[..., :K], R[..., K:], by_R[..., K:]
        by_Q = by_Q + Q @ V @ _transposed(by_V)
        M = U @ _transposed(by_U) - _transposed(by_Q) @ Q
        mirrored = np.tril(M) + _transposed(np.tril(M, -1))
        square = _transposed(decomposed(np.linalg.solve, U, _transposed(by_Q + Q @ mirrored)))
        return np.concatenate([square, Q @ by_V], -1) if V.shape[-1] else square


def cholesky(A: Any, *, upper: bool = False) -> Any:
    """The lower triangular L with L Lᵀ = A of symmetric positive definite matrices (…, N, N), of A's lower triangle.

    Args:
        A: the matrices.
        upper: whether to give Lᵀ, of A's upper triangle, instead.

    Raises:
        LinAlgError: for a matrix that isn't positive definite.
        DtypeError, ShapeError: for integers and bools, and for other shapes.
    """
    _square(A, "cholesky")
    return alone(transpose(Cholesky.apply(transpose(A, -2, -1)), -2, -1)) if upper else Cholesky.apply(A)


def qr(A: Any, mode: str = "reduced") -> Results:
    """A = Q R, where Q has orthonormal columns and R is upper triangular.

    Args:
        A: matrices (…, M, N).
        mode: "reduced", Q (…, M, K) and R (…, K, N) with K = min(M, N); no others here.

    Returns: a named tuple of Q and R.

    Raises:
        NotImplementedError: for another mode.
        DtypeError, ShapeError: for integers and bools, and for fewer than two dimensions.
    """
    if mode != "reduced":
        raise NotImplementedError(f"minicnn's qr has mode='reduced' alone, got {mode!r}")
    array = array_argument(A, "qr")
    if array.dtype not in (np.float32, np.float64):
        raise DtypeError(f"qr needs float32 or float64, got {array.dtype}")
    if array.ndim < 2:
        raise ShapeError(f"qr needs matrices, got shape {array.shape}")
    return linalg_qr(Orthogonal.apply(A))
