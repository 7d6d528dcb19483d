"""Weights divided by their spectral norm, or split into length and direction: the formulas, and the old way of use.

The old way keeps `weight_orig` (or `weight_g` and `weight_v`) as parameters and sets `weight` before every forward;
`parametrizations` is the new one.
"""

import warnings
from typing import Any

from minicnn.autograd import no_grad
from minicnn.creation import empty
from minicnn.nn import init
from minicnn.nn.layers.convolution import ConvTranspose1d, ConvTranspose2d
from minicnn.nn.module import Module
from minicnn.nn.parameter import Parameter
from minicnn.operators.norms import vector_norm
from minicnn.tensor import Tensor


def as_matrix(weight: Tensor, dim: int) -> Tensor:
    """The weight with `dim` first, all others as one."""
    if dim:
        weight = weight.permute(dim, *(d for d in range(weight.ndim) if d != dim))
    return weight.reshape(weight.shape[0], -1)


def unit(vector: Tensor, eps: float) -> Tensor:
    """A vector of norm 1."""
    return vector / vector_norm(vector).clamp(min=eps)


def first_vectors(matrix: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """Random unit vectors from which the power iteration starts."""
    drawn = [init.normal_(empty(size, dtype=matrix.dtype)) for size in matrix.shape]
    return unit(drawn[0], eps), unit(drawn[1], eps)


def iterate(matrix: Tensor, u: Tensor, v: Tensor, times: int, eps: float) -> None:
    """Bring u and v, in place, nearer to the first singular vectors."""
    with no_grad():
        for _ in range(times):
            u.copy_(unit(matrix @ v, eps))
            v.copy_(unit(matrix.T @ u, eps))


def largest_singular_value(matrix: Tensor, u: Tensor, v: Tensor) -> Tensor:
    """uᵀ · matrix · v, through which the gradient goes to the matrix alone."""
    return (u.clone() * (matrix @ v.clone())).sum()


def norm_except(weight: Tensor, dim: int) -> Tensor:
    """The norm of the weight over all dimensions but `dim`, which stay with size 1; over all of them for −1."""
    if dim == -1:
        return vector_norm(weight)
    return vector_norm(weight, 2, tuple(d for d in range(weight.ndim) if d != dim % weight.ndim), keepdim=True)


class _SpectralNorm:
    """Sets `weight` to weight_orig / σ before every forward; σ is estimated by power iteration in training."""

    def __init__(self, name: str, times: int, eps: float, dim: int) -> None:
        self.name, self.times, self.eps, self.dim = name, times, eps, dim

    def compute(self, module: Module, iterating: bool) -> Tensor:
        """The weight."""
        weight, u, v = (getattr(module, f"{self.name}_{part}") for part in ("orig", "u", "v"))
        matrix = as_matrix(weight, self.dim)
        if iterating:
            with no_grad():
                for _ in range(self.times):
                    v.copy_(unit(matrix.T @ u, self.eps))
                    u.copy_(unit(matrix @ v, self.eps))
        return weight / largest_singular_value(matrix, u, v)

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self.name, self.compute(module, module.training))

    def remove(self, module: Module) -> None:
        """Make the weight a plain parameter again."""
        with no_grad():
            weight = self.compute(module, False)
        delattr(module, self.name)
        for part in ("u", "v", "orig"):
            delattr(module, f"{self.name}_{part}")
        module.register_parameter(self.name, Parameter(weight.detach()))


class _WeightNorm:
    """Sets `weight` to weight_g · weight_v / ‖weight_v‖ before every forward."""

    def __init__(self, name: str, dim: int) -> None:
        self.name, self.dim = name, dim

    def compute(self, module: Module) -> Tensor:
        """The weight."""
        g, v = (getattr(module, f"{self.name}_{part}") for part in ("g", "v"))
        return v * (g / norm_except(v, self.dim))

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self.name, self.compute(module))

    def remove(self, module: Module) -> None:
        """Make the weight a plain parameter again."""
        weight = self.compute(module)
        delattr(module, self.name)
        for part in ("g", "v"):
            del module._parameters[f"{self.name}_{part}"]
        setattr(module, self.name, Parameter(weight.detach()))


def _hook_of(module: Module, kind: Any, name: str) -> tuple[int, Any] | None:
    for number, hook in module._forward_pre_hooks.items():
        if isinstance(hook, kind) and hook.name == name:
            return number, hook
    return None


def _remove(module: Module, kind: type, name: str, title: str) -> Module:
    found = _hook_of(module, kind, name)
    if found is None:
        raise ValueError(f"{title} of '{name}' not found in {module}")
    number, hook = found
    hook.remove(module)
    del module._forward_pre_hooks[number]
    return module


def spectral_norm(
    module: Module, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> Module:
    """Divide a weight by its largest singular value before every forward. Miyato et al., 2018.

    Args:
        module: the layer.
        name: of its parameter.
        n_power_iterations: steps of power iteration in every forward in training.
        eps: the smallest norm to divide by.
        dim: the dimension of the outputs; None for 0, or 1 in transposed convolutions.

    Returns: the layer, whose parameter is `weight_orig` now.

    Raises:
        RuntimeError: where this parameter has a spectral norm already.
        ValueError: where `n_power_iterations` isn't positive.
    """
    if _hook_of(module, _SpectralNorm, name):
        raise RuntimeError(f"Cannot register two spectral_norm hooks on the same parameter {name}")
    if n_power_iterations <= 0:
        raise ValueError(f"Expected n_power_iterations to be positive, but got n_power_iterations={n_power_iterations}")
    if dim is None:
        dim = 1 if isinstance(module, (ConvTranspose1d, ConvTranspose2d)) else 0
    weight = module._parameters[name]
    if weight is None:
        raise ValueError(f"`SpectralNorm` cannot be applied as parameter `{name}` is None")
    with no_grad():
        u, v = first_vectors(as_matrix(weight, dim), eps)
    del module._parameters[name]
    module.register_parameter(f"{name}_orig", weight)
    setattr(module, name, weight.data)
    module.register_buffer(f"{name}_u", u)
    module.register_buffer(f"{name}_v", v)
    module.register_forward_pre_hook(_SpectralNorm(name, n_power_iterations, eps, dim))
    return module


def remove_spectral_norm(module: Module, name: str = "weight") -> Module:
    """Make a weight with a spectral norm a plain parameter again, of the value that it has.

    Raises:
        ValueError: where it has none.
    """
    return _remove(module, _SpectralNorm, name, "spectral_norm")


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Split a weight into its length `weight_g` and its direction `weight_v`. Salimans and Kingma, 2016.

    Args:
        module: the layer.
        name: of its parameter.
        dim: the dimension of the outputs, each of which has a length; None for one length of all.

    Returns: the layer.

    Raises:
        RuntimeError: where this parameter is split already.
    """
    warnings.warn(
        "`torch.nn.utils.weight_norm` is deprecated in favor of `torch.nn.utils.parametrizations.weight_norm`.",
        FutureWarning,
        stacklevel=2,
    )
    if _hook_of(module, _WeightNorm, name):
        raise RuntimeError(f"Cannot register two weight_norm hooks on the same parameter {name}")
    hook = _WeightNorm(name, -1 if dim is None else dim)
    weight = getattr(module, name)
    del module._parameters[name]
    with no_grad():
        module.register_parameter(f"{name}_g", Parameter(norm_except(weight, hook.dim).detach()))
    module.register_parameter(f"{name}_v", Parameter(weight.data))
    setattr(module, name, hook.compute(module))
    module.register_forward_pre_hook(hook)
    return module


def remove_weight_norm(module: Module, name: str = "weight") -> Module:
    """Make a split weight a plain parameter again, of the value that it has.

    Raises:
        ValueError: where it isn't split.
    """
    return _remove(module, _WeightNorm, name, "weight_norm")
