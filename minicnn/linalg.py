"""Norms of vectors and matrices, under `torch.linalg`'s names."""

from minicnn.operators.norms import linalg_norm as norm
from minicnn.operators.norms import matrix_norm, vector_norm

__all__ = ["matrix_norm", "norm", "vector_norm"]
