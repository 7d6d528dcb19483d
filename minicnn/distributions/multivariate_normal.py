"""Normal distributions of vectors, whose elements depend on each other."""

import math
from typing import Any, ClassVar

from minicnn.creation import randn
from minicnn.distributions.distribution import Distribution
from minicnn.errors import LinAlgError
from minicnn.operators.broadcasting import broadcast_shapes
from minicnn.operators.inverses import cholesky, inv
from minicnn.tensor import Tensor


class MultivariateNormal(Distribution):
    """Density exp(−½ (x − loc)ᵀ Σ⁻¹ (x − loc)) / √((2π)ᴺ det Σ).

    Args:
        loc: the means (…, N).
        covariance_matrix: Σ (…, N, N), symmetric and positive definite; or
        precision_matrix: Σ⁻¹; or
        scale_tril: the lower triangular L with L Lᵀ = Σ. One of the three.
        validate_args: whether to check parameters and values; True by default.

    Raises:
        ValueError: for none or several of the three, fewer dimensions, or a matrix that isn't what it should be.
    """

    parameters: ClassVar[tuple[str, ...]] = ("loc", "covariance_matrix", "precision_matrix", "scale_tril")
    has_rsample = True

    def __init__(
        self,
        loc: Tensor,
        covariance_matrix: Tensor | None = None,
        precision_matrix: Tensor | None = None,
        scale_tril: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        if loc.ndim < 1:
            raise ValueError("loc must be at least one-dimensional.")
        given = {"covariance_matrix": covariance_matrix, "precision_matrix": precision_matrix, "scale_tril": scale_tril}
        matrices = {name: matrix for name, matrix in given.items() if matrix is not None}
        if len(matrices) != 1:
            raise ValueError("Exactly one of covariance_matrix or precision_matrix or scale_tril may be specified.")
        ((name, matrix),) = matrices.items()
        if matrix.ndim < 2:
            raise ValueError(f"{name} must be at least two-dimensional, with optional leading batch dimensions")
        N = loc.shape[-1]
        batch = broadcast_shapes(matrix.shape[:-2], loc.shape[:-1])
        self.loc = loc.expand((*batch, N))
        matrix = matrix.expand((*batch, N, N))
        setattr(self, name, matrix)
        super().__init__(batch, validate_args, (N,))
        self._check("loc", self.loc == self.loc, "IndependentConstraint(Real(), 1)")
        if self._validate_args:
            self._check_matrix(name, matrix)
        if name == "scale_tril":
            self._L = matrix
        else:
            try:
                self._L = cholesky(matrix if name == "covariance_matrix" else inv(matrix))
            except LinAlgError:
                self._check(name, matrix != matrix, "PositiveDefinite()")
                raise

    def _check_matrix(self, name: str, matrix: Tensor) -> None:
        """Raise where L isn't lower triangular with a positive diagonal, or another matrix isn't symmetric."""
        plain = matrix.detach()
        if name == "scale_tril":
            fits = (plain.tril() == plain).all() & (plain.diagonal(0, -2, -1) > 0).all()
            self._check(name, fits, "LowerCholesky()")
            return
        self._check(name, (plain - plain.transpose(-1, -2)).abs() <= 1e-6, "PositiveDefinite()")

    @property
    def mean(self) -> Tensor:
        """loc"""
        return self.loc

    @property
    def mode(self) -> Tensor:
        """loc"""
        return self.loc

    @property
    def variance(self) -> Tensor:
        """The diagonal of Σ."""
        return self._L.pow(2).sum(-1)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """loc + L ε with ε from the standard normal distribution."""
        noise = randn(self._extended(sample_shape), dtype=self.loc.dtype)
        return self.loc + (self._L @ noise.unsqueeze(-1)).squeeze(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        """−½ (|L⁻¹ (x − loc)|² + N log 2π) − log det L"""
        self._check_value(value, lambda value: value == value, "IndependentConstraint(Real(), 1)")
        away = (value - self.loc).unsqueeze(-1)
        whitened = inv(self._L.tril()) @ away
        return -0.5 * (self.event_shape[0] * math.log(2 * math.pi) + whitened.squeeze(-1).pow(2).sum(-1)) - self._half()

    def _half(self) -> Tensor:
        """½ log det Σ = log det L"""
        return self._L.diagonal(0, -2, -1).log().sum(-1)

    def entropy(self) -> Tensor:
        """½ N (1 + log 2π) + log det L"""
        return 0.5 * self.event_shape[0] * (1.0 + math.log(2 * math.pi)) + self._half()
