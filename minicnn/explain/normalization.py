"""batch_norm explained: the statistics of a channel, and the three terms of the gradient."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from minicnn import kernels
from minicnn.explain.explanation import Explanation
from minicnn.explain.given import given
from minicnn.explain.images import position
from minicnn.explain.results import results_of
from minicnn.nn.functional.normalization import to_rows

if TYPE_CHECKING:
    from rich.text import Text


@dataclass(frozen=True, eq=False)
class BatchNormalization(Explanation):
    """A batch_norm of given numbers; its results have the moved "running_mean" and "running_var" too, if any."""

    @property
    def channel(self) -> int:
        """The channel that is explained."""
        return self.at[1]

    def of_channel(self, array: np.ndarray) -> np.ndarray:
        """The channel of an array of the input's shape: (N, …)."""
        return array[:, self.channel]

    def statistics(self) -> tuple[float, float]:
        """Mean and variance that normalise the channel: those of the batch in training, else the running ones."""
        if not self.options["training"]:
            mean, variance = (self.arrays[f"running_{name}"].array[self.channel] for name in ("mean", "var"))
            return float(mean), float(variance)
        means, variances = kernels.normalization.moments(to_rows(self.arrays["input"].array))
        return float(means[self.channel]), float(variances[self.channel])

    @property
    def deviation(self) -> float:
        """√(variance + eps)"""
        return float(np.sqrt(self.statistics()[1] + self.options["eps"]))

    @property
    def scale(self) -> float:
        """The channel's weight, 1 if there is none."""
        return float(self.arrays["weight"].array[self.channel]) if "weight" in self.arrays else 1.0

    @property
    def shift(self) -> float:
        """The channel's bias, 0 if there is none."""
        return float(self.arrays["bias"].array[self.channel]) if "bias" in self.arrays else 0.0

    def normalized(self) -> np.ndarray:
        """The channel's x̂ = (x − mean) / √(variance + eps): (N, …)."""
        return (self.of_channel(self.arrays["input"].array) - self.statistics()[0]) / self.deviation

    def terms(self) -> dict[str, np.ndarray]:
        """What the channel's gradient with respect to x is the sum of, each (N, …).

        weight / √(variance + eps) · (g − mean(g) − x̂ · mean(g · x̂)), after Ioffe & Szegedy, 2015: what comes straight,
        and in training what comes through the mean and through the variance.
        """
        g, normalized = self.of_channel(self.results["grad_output"].array), self.normalized()
        factor = self.scale / self.deviation
        straight = {"straight": factor * g}
        if not self.options["training"]:
            return straight
        through = {
            "mean": np.full_like(g, -factor * g.mean()),
            "variance": -factor * normalized * (g * normalized).mean(),
        }
        return straight | through

    def state(self) -> dict[str, Any]:
        """As `Explanation.state`, with the input and all that has its shape as images: (N, C, H, W)."""
        shape = self.arrays["input"].array.shape
        images = (*shape[:2], math.prod(shape[2:-1]), shape[-1] if len(shape) > 2 else 1)
        state = super().state()
        for plain in (*state["arrays"].values(), *state["results"].values()):
            if len(plain["shape"]) > 1:
                plain["shape"] = list(images)
        place = np.unravel_index(np.ravel_multi_index(self.at, shape), images)
        return state | {"at": [int(index) for index in place]}

    def _steps(self, width: int) -> "Iterator[Text]":
        from minicnn.explain.terminal.normalization import sections

        return sections(self, width)


def batch_norm(
    x: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    training: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
    *,
    at: Sequence[int] | None = None,
    grad_output: Any = None,
    seed: int = 0,
) -> BatchNormalization:
    """What a batch normalisation does on these numbers; see `minicnn.nn.functional.batch_norm`.

    Args:
        x: (N, C) or (N, C, …): an array, a Tensor, nested lists; computed in float64.
        running_mean, running_var: (C,), not changed; both may be None in training.
        weight, bias: (C,) or None for ones and zeros.
        training, momentum, eps: those of the function.
        at: the element that is explained, (n, c, …), or the last few of its indices; one in the middle if None.
        grad_output: the gradient with respect to the output, of its shape; small whole numbers if None.
        seed: of the numbers that are drawn.

    Returns: what `print()` shows in a terminal.

    Raises:
        ValueError: for shapes or values that don't fit, an output without elements, or no such element in it.
        TypeError: for what isn't numbers.
        RuntimeError: without running statistics where they are needed.
    """
    named = {"running_mean": running_mean, "running_var": running_var, "weight": weight, "bias": bias}
    arrays = {"input": given(x, "x")} | {name: given(one, name) for name, one in named.items() if one is not None}
    options = {"training": bool(training), "momentum": momentum, "eps": eps}
    results = results_of("batch_norm", arrays, options, grad_output, seed)
    return BatchNormalization("batch_norm", arrays, options, position(at, results["output"].array.shape), results)
