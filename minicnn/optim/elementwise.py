"""Optimizers whose rule is a few lines of NumPy: what they share."""

from typing import Any

import numpy as np

from minicnn.autograd.inplace import check_writeable
from minicnn.optim.fused import zeros_like
from minicnn.optim.optimizer import Optimizer, number
from minicnn.tensor import Tensor


class Elementwise(Optimizer):
    """Changes parameters one by one; a subclass says what their state is and how it changes them.

    `_moments` names the entries of the state that have the parameter's shape. They begin with zeros.
    """

    _decay = "weight_decay"  # the option that adds to the gradient; groups without it add nothing

    def _update(self, group: dict[str, Any]) -> None:
        with np.errstate(all="ignore"):
            for parameter in group["params"]:
                if parameter._grad is not None:
                    self._step_one(parameter, group)

    def _step_one(self, parameter: Tensor, group: dict[str, Any]) -> None:
        p, g = parameter._array, parameter._grad._array
        if p.dtype not in (np.float32, np.float64):
            raise TypeError(f"optimizers change parameters of float32 or float64, got {p.dtype} of {p.shape}")
        check_writeable(p)
        if g.shape != p.shape:
            raise ValueError(f"a gradient has shape {g.shape}, but its parameter has shape {p.shape}")
        state = self.state[parameter]
        if not state:
            self._begin(state, parameter, group)
        for name in self._moments:
            if name in state and state[name]._array.shape != p.shape:
                raise ValueError(f"{name} has shape {state[name]._array.shape}, but its parameter has shape {p.shape}")
        state["step"]._array += 1
        if group["maximize"]:
            g = -g
        decay = group.get(self._decay, 0)
        if decay != 0 and not group.get("decoupled_weight_decay"):
            g = g + decay * p
        arrays = {name: value._array for name, value in state.items()}
        self._change(p, g, arrays, group, arrays["step"].item())
        parameter._bump()

    def _begin(self, state: dict[str, Any], parameter: Tensor, group: dict[str, Any]) -> None:
        """Fill the state of a parameter that takes its first step."""
        state["step"] = number(0.0)
        for name in self._moments:
            state[name] = zeros_like(parameter)

    def _change(
        self, p: np.ndarray, g: np.ndarray, state: dict[str, np.ndarray], group: dict[str, Any], step: float
    ) -> None:
        """Change the parameter `p` and its state in place.

        Args:
            p: the parameter.
            g: its gradient, negated to ascend, with the L2 penalty's part.
            state: its state, the present step counted.
            group: the options.
            step: the number of this step, from 1.
        """
        raise NotImplementedError(f"{type(self).__name__} must define _change")


def approach(mean: np.ndarray, g: np.ndarray, weight: float) -> None:
    """Move `mean` towards `g` by `weight`, from the end of the line that is nearer, as torch.lerp."""
    if weight < 0.5:
        mean += weight * (g - mean)
    else:
        mean[...] = g - (g - mean) * (1 - weight)


def blend(square: np.ndarray, g: np.ndarray, keep: float) -> None:
    """Let `square` keep a part of itself and take the rest of g²."""
    square *= keep
    square += (1 - keep) * g * g
