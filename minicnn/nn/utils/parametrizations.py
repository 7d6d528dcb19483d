"""Spectral norm and weight norm as parametrizations, see `parametrize`."""

from typing import Any, NoReturn

from minicnn.autograd import no_grad
from minicnn.nn.module import Module
from minicnn.nn.utils import weights
from minicnn.nn.utils.parametrize import register_parametrization
from minicnn.tensor import Tensor


class _SpectralNorm(Module):
    """weight / σ, with σ estimated by power iteration in training."""

    _u: Tensor
    _v: Tensor

    def __init__(self, weight: Tensor, n_power_iterations: int, dim: int, eps: float) -> None:
        super().__init__()
        if not -weight.ndim <= dim < weight.ndim:
            raise IndexError(
                f"Dimension out of range (expected to be in range of [-{weight.ndim}, {weight.ndim - 1}] but got {dim})"
            )
        if n_power_iterations <= 0:
            raise ValueError(
                f"Expected n_power_iterations to be positive, but got n_power_iterations={n_power_iterations}"
            )
        self.dim = dim % weight.ndim
        self.eps = eps
        if weight.ndim > 1:
            self.n_power_iterations = n_power_iterations
            with no_grad():
                matrix = weights.as_matrix(weight, self.dim)
                u, v = weights.first_vectors(matrix, eps)
                self.register_buffer("_u", u)
                self.register_buffer("_v", v)
                weights.iterate(matrix, u, v, 15, eps)

    def forward(self, weight: Tensor) -> Tensor:
        """The weight, of a largest singular value of about 1."""
        if weight.ndim == 1:
            return weights.unit(weight, self.eps)
        matrix = weights.as_matrix(weight, self.dim)
        if self.training:
            weights.iterate(matrix, self._u, self._v, self.n_power_iterations, self.eps)
        return weight / weights.largest_singular_value(matrix, self._u, self._v)

    def right_inverse(self, value: Tensor) -> Tensor:
        """Any weight is taken as it is."""
        return value


class _WeightNorm(Module):
    """g · v / ‖v‖"""

    def __init__(self, dim: int | None) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g: Tensor, weight_v: Tensor) -> Tensor:
        """The weight of these lengths and this direction."""
        return weight_v * (weight_g / weights.norm_except(weight_v, self.dim))

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Lengths and direction of a weight."""
        return weights.norm_except(weight, self.dim), weight


def _tensor(module: Module, name: str) -> Tensor:
    found = getattr(module, name, None)
    if not isinstance(found, Tensor):
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    return found


def spectral_norm(
    module: Module, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> Module:
    """Divide a weight by its largest singular value. Miyato et al., 2018.

    Args:
        module: the layer.
        name: of its parameter.
        n_power_iterations: steps of power iteration each time the weight is read in training.
        eps: the smallest norm to divide by.
        dim: the dimension of the outputs; None for 0, or 1 in transposed convolutions.

    Raises:
        ValueError: where there is no such parameter, or where `n_power_iterations` isn't positive.
    """
    weight = _tensor(module, name)
    if dim is None:
        dim = 1 if isinstance(module, (weights.ConvTranspose1d, weights.ConvTranspose2d)) else 0
    return register_parametrization(module, name, _SpectralNorm(weight, n_power_iterations, dim, eps))


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Split a weight into its length, `original0`, and its direction, `original1`. Salimans and Kingma, 2016.

    A state dict of the old `weight_norm` can be loaded.

    Args:
        module: the layer.
        name: of its parameter.
        dim: the dimension of the outputs, each of which has a length; None for one length of all.
    """
    register_parametrization(module, name, _WeightNorm(dim), unsafe=True)

    def rename(state_dict: dict, prefix: str, *others: Any) -> None:
        for number, part in enumerate("gv"):
            if f"{prefix}{name}_{part}" in state_dict:
                new = f"{prefix}parametrizations.{name}.original{number}"
                state_dict[new] = state_dict.pop(f"{prefix}{name}_{part}")

    module._register_load_state_dict_pre_hook(rename)
    return module


def orthogonal(*args: Any, **kwargs: Any) -> NoReturn:
    """Not to be had.

    Raises:
        NotImplementedError: always; `nn.init.orthogonal_` draws orthogonal weights.
    """
    raise NotImplementedError("parametrizations.orthogonal is missing; nn.init.orthogonal_ draws orthogonal weights")
