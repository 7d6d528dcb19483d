"""Linear algebra under `torch.linalg`'s names, as far as it goes here."""

from minicnn.errors import LinAlgError
from minicnn.operators.diagonals import linalg_diagonal as diagonal
from minicnn.operators.inverses import cholesky, det, inv, qr, slogdet, solve
from minicnn.operators.matmul import matmul
from minicnn.operators.norms import linalg_norm as norm
from minicnn.operators.norms import matrix_norm, svdvals, vector_norm
from minicnn.operators.products import linalg_cross as cross

__all__ = [
    "LinAlgError",
    "cholesky",
    "cross",
    "det",
    "diagonal",
    "inv",
    "matmul",
    "matrix_norm",
    "norm",
    "qr",
    "slogdet",
    "solve",
    "svdvals",
    "vector_norm",
]
