"""NAdam."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from minicnn.optim.elementwise import Elementwise, approach, blend
from minicnn.optim.optimizer import check_options, number
from minicnn.tensor import Tensor


class NAdam(Elementwise):
    """Adam with Nesterov's look ahead.

    g = gradient + weight_decay · p
    μₜ = beta1 · (1 − ½ · 0.96^(t · momentum_decay)), and Πₜ = μ₁ · … · μₜ
    m = beta1 · m + (1 − beta1) · g
    v = beta2 · v + (1 − beta2) · g²
    p = p − lr · ((1 − μₜ) / (1 − Πₜ) · g + μₜ₊₁ / (1 − Πₜ₊₁) · m) / (√(v / (1 − beta2ᵗ)) + eps) in step t = 1, 2, ...

    Dozat, "Incorporating Nesterov momentum into Adam", 2016.

    Args:
        params: what to learn; see `Optimizer`.
        lr: the learning rate.
        betas: beta1 and beta2.
        eps: keeps the division finite.
        weight_decay: the factor of the L2 penalty.
        momentum_decay: how fast μ grows.
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
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_options(lr, betas, eps=eps, weight_decay=weight_decay, momentum_decay=momentum_decay)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _begin(self, state: dict[str, Any], parameter: Tensor, group: dict[str, Any]) -> None:
        super()._begin(state, parameter, group)
        state["mu_product"] = number(1.0)

    def _change(
        self, p: np.ndarray, g: np.ndarray, state: dict[str, np.ndarray], group: dict[str, Any], step: float
    ) -> None:
        mean, square, product = state["exp_avg"], state["exp_avg_sq"], state["mu_product"]
        (beta1, beta2), rate, decay = group["betas"], group["lr"], group["momentum_decay"]
        if group["decoupled_weight_decay"]:
            p *= 1 - rate * group["weight_decay"]
        mu = beta1 * (1.0 - 0.5 * 0.96 ** (step * decay))
        next_mu = beta1 * (1.0 - 0.5 * 0.96 ** ((step + 1) * decay))
        product *= mu
        approach(mean, g, 1 - beta1)
        blend(square, g, beta2)
        denominator = np.sqrt(square / (1 - beta2**step)) + group["eps"]
        p -= rate * (1.0 - mu) / (1.0 - product.item()) * g / denominator
        p -= rate * next_mu / (1.0 - product.item() * next_mu) * mean / denominator
