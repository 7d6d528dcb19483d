"""Adadelta."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from minicnn.optim.elementwise import Elementwise, blend
from minicnn.optim.optimizer import check_options, plain_number


class Adadelta(Elementwise):
    """Steps whose size follows the sizes of recent steps.

    g = gradient + weight_decay · p
    v = rho · v + (1 − rho) · g²
    d = √(u + eps) / √(v + eps) · g
    u = rho · u + (1 − rho) · d²
    p = p − lr · d

    Zeiler, "ADADELTA: an adaptive learning rate method", 2012.

    Args:
        params: what to learn; see `Optimizer`.
        lr: the factor of a step.
        rho: what v and u keep in a step, 0 to 1.
        eps: keeps the division finite, and the first steps from being none.
        weight_decay: the factor of the L2 penalty.
        foreach: makes no difference.
        capturable, differentiable: True is refused.
        maximize: whether to ascend.

    Raises:
        ValueError: for a number out of its range.
        TypeError: for a Tensor in place of a number, or an option that minicnn hasn't.
    """

    _moments = ("square_avg", "acc_delta")

    def __init__(
        self,
        params: Iterable,
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_options(lr, eps=eps, weight_decay=weight_decay)
        if not 0.0 <= plain_number("rho", rho) <= 1.0:
            raise ValueError(f"Invalid rho value: {rho}")
        defaults = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "capturable": capturable,
            "foreach": foreach,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _change(
        self, p: np.ndarray, g: np.ndarray, state: dict[str, np.ndarray], group: dict[str, Any], step: float
    ) -> None:
        square, deltas = state["square_avg"], state["acc_delta"]
        blend(square, g, group["rho"])
        delta = np.sqrt(deltas + group["eps"]) / np.sqrt(square + group["eps"]) * g
        blend(deltas, delta, group["rho"])
        p -= group["lr"] * delta
