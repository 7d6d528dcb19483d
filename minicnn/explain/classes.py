"""cross_entropy explained: softmax, the loss of one row of scores, and p − y."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from minicnn.creation import from_numpy
from minicnn.explain.explanation import Explanation
from minicnn.explain.given import Given, frozen, given
from minicnn.explain.images import position
from minicnn.explain.results import results_of
from minicnn.nn import functional as F

if TYPE_CHECKING:
    from rich.text import Text


@dataclass(frozen=True, eq=False)
class CrossEntropy(Explanation):
    """A cross_entropy of scores (N, K) against class indices (N,); `at` is the explained row (n,)."""

    @property
    def target(self) -> int:
        """The class of the explained row."""
        return int(self.arrays["target"].array[self.at])

    @property
    def ignored(self) -> np.ndarray:
        """Which rows count nothing: bool (N,)."""
        return self.arrays["target"].array == self.options["ignore_index"]

    @property
    def weights(self) -> np.ndarray:
        """A factor for each class: (K,)."""
        K = self.arrays["input"].array.shape[1]
        return self.arrays["weight"].array if "weight" in self.arrays else np.ones(K)

    def probabilities(self) -> np.ndarray:
        """The softmax of each row: (N, K)."""
        return np.exp(self.logarithms())

    def logarithms(self) -> np.ndarray:
        """log p of each row, without overflow: (N, K)."""
        return F.log_softmax(from_numpy(self.arrays["input"].array.copy()), 1).numpy()

    def wanted(self) -> np.ndarray:
        """How much each class's −log p counts, class weights and smoothing included; 0 in ignored rows: (N, K)."""
        smoothing, K = self.options["label_smoothing"], self.arrays["input"].array.shape[1]
        target, ignored = self.arrays["target"].array, self.ignored
        counts = np.zeros((len(target), K))
        rows = np.flatnonzero(~ignored)
        counts[rows, target[rows]] = 1 - smoothing
        counts[rows] += smoothing / K
        counts *= self.weights
        return counts

    def losses(self) -> np.ndarray:
        """The loss of each row: (N,)."""
        arrays: dict[str, Any] = {name: from_numpy(one.array.copy()) for name, one in self.arrays.items()}
        return F.cross_entropy(**arrays, **{**self.options, "reduction": "none"}).numpy()

    @property
    def divisor(self) -> float:
        """What the sum of the losses is divided by: for the mean, the weights of the targets; else 1."""
        if self.options["reduction"] != "mean":
            return 1.0
        target = self.arrays["target"].array[~self.ignored]
        return float(self.weights[target].sum())

    def _steps(self, width: int) -> "Iterator[Text]":
        from minicnn.explain.terminal.classes import sections

        return sections(self, width)


def cross_entropy(
    x: Any,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
    *,
    at: int | Sequence[int] | None = None,
    grad_output: Any = None,
) -> CrossEntropy:
    """What a cross-entropy does on these scores; see `minicnn.nn.functional.cross_entropy`.

    Args:
        x: scores (N, K), or (K,) for one row: an array, a Tensor, nested lists; computed in float64.
        target: class indices (N,), or one for one row.
        weight: (K,), a factor for each class, or None.
        ignore_index, reduction, label_smoothing: those of the function.
        at: the row that is explained; the first if None.
        grad_output: the gradient with respect to the loss; ones if None.

    Returns: what `print()` shows in a terminal.

    Raises:
        ValueError: for shapes or values that don't fit, or no such row.
        TypeError: for what isn't numbers.
        IndexError: for a target that is no class.
    """
    scores, classes = _rows(given(x, "x"), 2), _rows(given(target, "target", whole=True), 1)
    N = len(scores.array)
    if classes.array.shape != (N,):
        raise ValueError(
            f"target must have shape ({N},) for scores of shape {scores.array.shape}, got {classes.array.shape}"
        )
    arrays = {"input": scores, "target": classes} | ({} if weight is None else {"weight": given(weight, "weight")})
    options = {"ignore_index": ignore_index, "reduction": reduction, "label_smoothing": label_smoothing}
    if isinstance(label_smoothing, (int, float)) and not 0 <= label_smoothing <= 1:
        raise ValueError(f"label_smoothing must be between 0 and 1, got {label_smoothing}")
    if 0 in scores.array.shape:
        raise ValueError(f"there is nothing to explain in scores of shape {scores.array.shape}")
    if grad_output is None:
        shape = (N,) if reduction == "none" else ()
        grad_output = frozen(np.ones(shape), f"np.ones({shape})")
    results = results_of("cross_entropy", arrays, options, grad_output)
    row = position([at] if isinstance(at, int) else at, (N,))
    return CrossEntropy("cross_entropy", arrays, options, row, results)


def _rows(found: Given, dimensions: int) -> Given:
    """One row as a batch of it; `dimensions` is how many a batch has.

    Raises:
        ValueError: for another number of dimensions.
    """
    shape = found.array.shape
    if len(shape) == dimensions:
        return found
    if len(shape) != dimensions - 1:
        names = "x must have shape (N, K) or (K,)" if dimensions == 2 else "target must have shape (N,) or ()"
        raise ValueError(f"{names}, got {shape}")
    whole = (1, *shape)
    return frozen(found.array.reshape(whole), f"np.reshape({found.code}, {whole})", found.name, dimensions == 1)
