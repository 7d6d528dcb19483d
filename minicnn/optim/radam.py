"""RAdam."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from minicnn.optim.elementwise import Elementwise, approach, blend
from minicnn.optim.optimizer import check_options

TRUSTED_LENGTH = 5.0
"""From how many averaged gradients on the mean square is trusted, as in PyTorch (the paper says 4)."""


class RAdam(Elementwise):
    """Adam that leaves the mean square out until it has seen enough gradients.

    g = gradient + weight_decay · p
    m = beta1 · m + (1 − beta1) · g
    v = beta2 · v + (1 − beta2) · g²
    ρ∞ = 2 / (1 − beta2) − 1, and ρₜ = ρ∞ − 2 t beta2ᵗ / (1 − beta2ᵗ)
    r = √((ρₜ − 4)(ρₜ − 2) ρ∞ / ((ρ∞ − 4)(ρ∞ − 2) ρₜ))
    p = p − lr · m / (1 − beta1ᵗ) · (r · √(1 − beta2ᵗ) / (√v + eps) if ρₜ > 5 else 1) in step t = 1, 2, ...

    Liu et al., "On the variance of the adaptive learning rate and beyond", 2020.

    Args:
        params: what to learn; see `Optimizer`.
        lr: the learning rate.
        betas: beta1 and beta2.
        eps: keeps the division finite.
        weight_decay: the factor of the L2 penalty.
        decoupled_weight_decay: shrink p by lr · weight_decay · p instead of adding to the gradient.
        foreach: makes no difference.
        maximize: whether to ascend.
        capturable, differentiable: True is refused.

    Raises:
        ValueError: for a number out of its range.
        TypeError: for a Tensor in place of a number, or an option that minicnn hasn't.
    """

    _moments = ("exp_avg", "exp_avg_sq")

    def __init__(
        self,
        params: Iterable,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_options(lr, betas, eps=eps, weight_decay=weight_decay)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "decoupled_weight_decay": decoupled_weight_decay,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _change(
        self, p: np.ndarray, g: np.ndarray, state: dict[str, np.ndarray], group: dict[str, Any], step: float
    ) -> None:
        mean, square = state["exp_avg"], state["exp_avg_sq"]
        (beta1, beta2), rate = group["betas"], group["lr"]
        if group["decoupled_weight_decay"]:
            p *= 1 - rate * group["weight_decay"]
        approach(mean, g, 1 - beta1)
        blend(square, g, beta2)
        update = mean / (1 - beta1**step) * rate
        correction = 1 - beta2**step
        longest = 2 / (1 - beta2) - 1
        length = longest - 2 * step * beta2**step / correction
        if length > TRUSTED_LENGTH:
            rectified = (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
            update = update * (correction**0.5 / (np.sqrt(square) + group["eps"])) * rectified**0.5
        p -= update
