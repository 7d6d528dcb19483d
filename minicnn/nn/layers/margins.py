"""Losses of margins: between classes, labels, pairs and triplets."""

from collections.abc import Callable

from minicnn.nn import functional as F
from minicnn.nn.layers.distance import PairwiseDistance
from minicnn.nn.layers.loss import _Loss, _WeightedLoss
from minicnn.tensor import Tensor


class SoftMarginLoss(_Loss):
    """ln(1 + exp(−target · input)), for targets 1 and −1

    Args:
        size_average, reduce: PyTorch's old way of choosing `reduction`; they warn, and win over it.
        reduction: "mean", "sum", or "none" for one number per element.
    """

    _function = staticmethod(F.soft_margin_loss)


class MultiLabelMarginLoss(_Loss):
    """Σ over labels t and classes c that are none of max(0, 1 − input[t] + input[c]) / C

    Args:
        size_average, reduce: PyTorch's old way of choosing `reduction`; they warn, and win over it.
        reduction: "mean", "sum", or "none" for one number per item.
    """

    _function = staticmethod(F.multilabel_margin_loss)


class MultiLabelSoftMarginLoss(_WeightedLoss):
    """The mean over classes of −target · ln sigmoid(input) − (1 − target) · ln sigmoid(−input)

    Args:
        weight: a factor for every class, of shape (C,).
        size_average, reduce: PyTorch's old way of choosing `reduction`; they warn, and win over it.
        reduction: "mean", "sum", or "none" for one number per item.
    """

    _function = staticmethod(F.multilabel_soft_margin_loss)


class MultiMarginLoss(_WeightedLoss):
    """Σ over classes c ≠ target of max(0, margin − input[target] + input[c])ᵖ / C

    Args:
        p: 1 or 2.
        margin: by how much the target's score should be the largest.
        weight: a factor for every class as a target, of shape (C,).
        size_average, reduce: PyTorch's old way of choosing `reduction`; they warn, and win over it.
        reduction: "mean", "sum", or "none" for one number per item.

    Raises:
        ValueError: for another `p`, or a weight that isn't a vector.
    """

    _function, _arguments = staticmethod(F.multi_margin_loss), ("p", "margin", "weight")

    def __init__(
        self,
        p: int = 1,
        margin: float = 1.0,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        if p not in (1, 2):
            raise ValueError("only p == 1 and p == 2 supported")
        if weight is not None and weight.ndim != 1:
            raise ValueError(f"MultiMarginLoss: expected weight to be None or 1D tensor, got {weight.ndim}D instead")
        self.p, self.margin = p, margin


class HingeEmbeddingLoss(_Loss):
    """input where target is 1, max(0, margin − input) where it is −1

    Args:
        margin: how far what is dissimilar should be.
        size_average, reduce: PyTorch's old way of choosing `reduction`; they warn, and win over it.
        reduction: "mean", "sum", or "none" for one number per element.
    """

    _function, _arguments = staticmethod(F.hinge_embedding_loss), ("margin",)

    def __init__(
        self,
        margin: float = 1.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin


class _PairLoss(_Loss):
    """A loss of two inputs and a target."""

    _arguments = ("margin",)

    def __init__(
        self,
        margin: float = 0.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:  # type: ignore[override]
        """Two inputs, and 1 or −1 → a number, or one for each item."""
        return self._of(input1, input2, target)


class CosineEmbeddingLoss(_PairLoss):
    """1 − cos(input1, input2) where target is 1, max(0, cos(input1, input2) − margin) where it is −1

    Args:
        margin: how similar what is dissimilar may be.
        size_average, reduce: PyTorch's old way of choosing `reduction`; they warn, and win over it.
        reduction: "mean", "sum", or "none" for one number per item.
    """

    _function = staticmethod(F.cosine_embedding_loss)


class MarginRankingLoss(_PairLoss):
    """max(0, −target · (input1 − input2) + margin)

    Args:
        margin: by how much the one should exceed the other.
        size_average, reduce: PyTorch's old way of choosing `reduction`; they warn, and win over it.
        reduction: "mean", "sum", or "none" for one number per item.
    """

    _function = staticmethod(F.margin_ranking_loss)


class TripletMarginLoss(_Loss):
    """max(0, d(anchor, positive) − d(anchor, negative) + margin), with d the distance of norm p

    Args:
        margin: above 0.
        p: the norm's order.
        eps: added to every difference.
        swap: take d(positive, negative) for d(anchor, negative) where that is smaller.
        size_average, reduce: PyTorch's old way of choosing `reduction`; they warn, and win over it.
        reduction: "mean", "sum", or "none" for one number per item.

    Raises:
        ValueError: where `margin` isn't above 0.
    """

    _function, _arguments = staticmethod(F.triplet_margin_loss), ("margin", "p", "eps", "swap")

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        _check_margin("TripletMarginLoss", margin)
        self.margin, self.p, self.eps, self.swap = margin, p, eps, swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:  # type: ignore[override]
        """Three (N, D), or (D,) → a number, or (N,)."""
        return self._of(anchor, positive, negative)


class TripletMarginWithDistanceLoss(_Loss):
    """`TripletMarginLoss` with a distance of one's own

    Args:
        distance_function: gives the distance of two Tensors; `pairwise_distance` if None.
        margin: above 0.
        swap: take d(positive, negative) for d(anchor, negative) where that is smaller.
        reduction: "mean", "sum", or "none" for one number per item.

    Raises:
        ValueError: where `margin` isn't above 0.
    """

    _function = staticmethod(F.triplet_margin_with_distance_loss)
    _arguments = ("distance_function", "margin", "swap")

    def __init__(
        self,
        *,
        distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
        margin: float = 1.0,
        swap: bool = False,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction=reduction)
        _check_margin("TripletMarginWithDistanceLoss", margin)
        self.distance_function = PairwiseDistance() if distance_function is None else distance_function
        self.margin, self.swap = margin, swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:  # type: ignore[override]
        """Three (N, D), or (D,) → a number, or (N,)."""
        return self._of(anchor, positive, negative)


def _check_margin(name: str, margin: float) -> None:
    if margin <= 0:
        raise ValueError(f"{name}: expected margin to be greater than 0, got {margin} instead")
