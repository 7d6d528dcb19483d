"""Adafactor."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from minicnn.creation import from_numpy
from minicnn.optim.elementwise import Elementwise, approach
from minicnn.optim.fused import zeros_like
from minicnn.optim.optimizer import plain_number
from minicnn.tensor import Tensor


class Adafactor(Elementwise):
    """Steps divided by a mean square of the gradient of which only the means of rows and columns are kept.

    β = t^beta2_decay and ρ = min(lr, 1 / √t) in step t = 1, 2, ...
    p = p − lr · weight_decay · p
    R = R + β · (mean of g² over columns − R), C = C + β · (mean over rows − C), v = R C / max(mean of R, eps1),
    or v = v + β · (g² − v) for parameters of one dimension
    u = g / max(√v, eps1), and u = u / max(1, RMS(u) / d)
    p = p − max(eps2, RMS(p)) · ρ · u, with RMS(p) from before the step

    Shazeer and Stern, "Adafactor: adaptive learning rates with sublinear memory cost", 2018, with PyTorch's use of lr
    and eps1.

    Args:
        params: what to learn; see `Optimizer`.
        lr: the largest step, relative to the parameter.
        beta2_decay: how fast the means become slow; not positive.
        eps: eps1, the dtype's own if None, and eps2.
        d: how large an update may be before it is clipped, from 1.
        weight_decay: the factor of the decay.
        foreach: makes no difference.
        maximize: whether to ascend.

    Raises:
        ValueError: for a number out of its range.
        TypeError: for a Tensor in place of a number.
    """

    _decay = ""  # the parameter itself is shrunk; nothing is added to its gradient

    def __init__(
        self,
        params: Iterable,
        lr: float = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
    ) -> None:
        if not plain_number("lr", lr) >= 0.0:
            raise ValueError(f"Learning rate should be >= 0 but is: {lr}")
        if not beta2_decay <= 0.0:
            raise ValueError(f"beta2_decay should be <= 0 but is: {beta2_decay}")
        if eps[0] is not None and not eps[0] >= 0.0:
            raise ValueError(f"epsilon1 should be >= 0 but is: {eps[0]}")
        if not eps[1] >= 0.0:
            raise ValueError(f"epsilon2 should be >= 0 but is: {eps[1]}")
        if not d >= 1.0:
            raise ValueError(f"Clipping threshold d should be >= 1 but is: {d}")
        if not weight_decay >= 0.0:
            raise ValueError(f"weight_decay should be >= 0 but is: {weight_decay}")
        defaults = {
            "lr": lr,
            "beta2_decay": beta2_decay,
            "eps": eps,
            "d": d,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _begin(self, state: dict[str, Any], parameter: Tensor, group: dict[str, Any]) -> None:
        super()._begin(state, parameter, group)
        p = parameter._array
        if p.ndim > 1:
            state["row_var"] = from_numpy(np.zeros((*p.shape[:-1], 1), p.dtype))
            state["col_var"] = from_numpy(np.zeros((*p.shape[:-2], 1, p.shape[-1]), p.dtype))
        else:
            state["variance"] = zeros_like(parameter)

    def _change(
        self, p: np.ndarray, g: np.ndarray, state: dict[str, np.ndarray], group: dict[str, Any], step: float
    ) -> None:
        least, smallest_scale = group["eps"]
        least = float(np.finfo(p.dtype).eps) if least is None else least
        share = step ** group["beta2_decay"]
        rate = max(smallest_scale, _root_mean_square(p)) * min(group["lr"], 1 / step**0.5)
        if group["weight_decay"] != 0:
            p *= 1 - group["lr"] * group["weight_decay"]
        if p.ndim > 1:
            rows, columns = state["row_var"], state["col_var"]
            approach(rows, np.square(g).mean(axis=-1, keepdims=True), share)
            approach(columns, np.square(g).mean(axis=-2, keepdims=True), share)
            variance = rows @ columns / np.maximum(rows.mean(axis=-2, keepdims=True), least)
        else:
            variance = state["variance"]
            approach(variance, g * g, share)
        update = g / np.sqrt(np.maximum(variance, least * least))
        p -= rate / max(1.0, _root_mean_square(update) / group["d"]) * update


def _root_mean_square(x: np.ndarray) -> float:
    return float(np.sqrt(np.square(x).sum())) / max(x.size, 1) ** 0.5
