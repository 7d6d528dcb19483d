"""Resilient backpropagation."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from minicnn.optim.elementwise import Elementwise
from minicnn.optim.optimizer import check_options
from minicnn.tensor import Tensor


class Rprop(Elementwise):
    """Steps by the sign of the gradient, longer while the sign stays and shorter when it changes.

    s = s · (etas[1] where g · previous > 0, etas[0] where < 0, else 1), between the two step sizes
    g = 0 where the sign changed
    p = p − sign(g) · s

    Riedmiller and Braun, "A direct adaptive method for faster backpropagation learning", 1993. For whole data sets,
    not batches.

    Args:
        params: what to learn; see `Optimizer`.
        lr: the first step size.
        etas: factors below and above 1.
        step_sizes: the smallest and the largest step.
        capturable, differentiable: True is refused.
        foreach: makes no difference.
        maximize: whether to ascend.

    Raises:
        ValueError: for a negative `lr`, or `etas` out of their range.
        TypeError: for a Tensor in place of a number, or an option that minicnn hasn't.
    """

    _moments = ("prev", "step_size")

    def __init__(
        self,
        params: Iterable,
        lr: float = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_options(lr)
        if not 0.0 < etas[0] < 1.0 < etas[1]:
            raise ValueError(f"Invalid eta values: {etas[0]}, {etas[1]}")
        defaults = {
            "lr": lr,
            "etas": etas,
            "step_sizes": step_sizes,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _begin(self, state: dict[str, Any], parameter: Tensor, group: dict[str, Any]) -> None:
        super()._begin(state, parameter, group)
        state["step_size"]._array[...] = group["lr"]

    def _change(
        self, p: np.ndarray, g: np.ndarray, state: dict[str, np.ndarray], group: dict[str, Any], step: float
    ) -> None:
        previous, size = state["prev"], state["step_size"]
        agreement = g * previous
        shrink, grow = group["etas"]
        size *= np.where(agreement > 0, grow, np.where(agreement < 0, shrink, 1)).astype(p.dtype)
        np.clip(size, *group["step_sizes"], out=size)
        previous[...] = np.where(agreement < 0, 0, g)
        p -= np.where(np.isnan(previous), 0, np.sign(previous)) * size  # as torch.sign, where NaN has none
