"""Adamax."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from minicnn.optim.elementwise import Elementwise, approach
from minicnn.optim.optimizer import check_options


class Adamax(Elementwise):
    """Adam with the largest recent gradient in place of the root of the mean square.

    g = gradient + weight_decay · p
    m = beta1 · m + (1 − beta1) · g
    u = max(beta2 · u, |g| + eps)
    p = p − lr / (1 − beta1ᵗ) · m / u in step t = 1, 2, ...

    Kingma and Ba, "Adam: a method for stochastic optimization", 2015, section 7.

    Args:
        params: what to learn; see `Optimizer`.
        lr: the learning rate.
        betas: beta1 and beta2.
        eps: keeps the division finite.
        weight_decay: the factor of the L2 penalty.
        foreach: makes no difference.
        maximize: whether to ascend.
        differentiable, capturable: True is refused.

    Raises:
        ValueError: for a number out of its range.
        TypeError: for a Tensor in place of a number, or an option that minicnn hasn't.
    """

    _moments = ("exp_avg", "exp_inf")

    def __init__(
        self,
        params: Iterable,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check_options(lr, betas, eps=eps, weight_decay=weight_decay)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _change(
        self, p: np.ndarray, g: np.ndarray, state: dict[str, np.ndarray], group: dict[str, Any], step: float
    ) -> None:
        mean, largest = state["exp_avg"], state["exp_inf"]
        beta1, beta2 = group["betas"]
        approach(mean, g, 1 - beta1)
        largest *= beta2
        np.maximum(largest, np.abs(g) + group["eps"], out=largest)
        p -= group["lr"] / (1 - beta1**step) * mean / largest
