"""Losses: how far a batch's results are from its targets, as one number."""

import warnings
from typing import Any

from minicnn.nn import functional as F
from minicnn.nn.module import Module
from minicnn.tensor import Tensor


class _Loss(Module):
    """What losses share.

    Args:
        size_average, reduce: PyTorch's old way of choosing `reduction`; they warn, and win over it.
        reduction: "mean", "sum", or "none" for one number per item.
    """

    def __init__(self, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean") -> None:
        super().__init__()
        if size_average is not None or reduce is not None:
            reduction = "none" if reduce is False else "sum" if size_average is False else "mean"
            warnings.warn(
                f"size_average and reduce args will be deprecated, please use reduction='{reduction}' instead.",
                stacklevel=3,
            )
        self.reduction = reduction


class MSELoss(_Loss):
    """(input − target)²

    Args:
        size_average, reduce: PyTorch's old way of choosing `reduction`; they warn, and win over it.
        reduction: "mean", "sum", or "none" for one number per element.
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Two tensors of one shape → a number, or that shape."""
        return F.mse_loss(input, target, reduction=self.reduction)


class L1Loss(_Loss):
    """|input − target|

    Args:
        size_average, reduce: PyTorch's old way of choosing `reduction`; they warn, and win over it.
        reduction: "mean", "sum", or "none" for one number per element.
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Two tensors of one shape → a number, or that shape."""
        return F.l1_loss(input, target, reduction=self.reduction)


class NLLLoss(_Loss):
    """−weight[target] · input[target], for input of log-probabilities

    Args:
        weight: a factor for every class, of shape (C,).
        size_average, reduce: PyTorch's old way of choosing `reduction`; they warn, and win over it.
        ignore_index: a target to leave out.
        reduction: "mean" (over the weights), "sum", or "none" for one number per item.
    """

    weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)
        self.ignore_index = ignore_index

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """(N, C, ...) log-probabilities, (N, ...) int64 classes → a number, or (N, ...); also without N."""
        return F.nll_loss(
            input,
            target,
            weight=self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
        )


class CrossEntropyLoss(_Loss):
    """−weight[target] · log softmax(input)[target]

    Args:
        weight: a factor for every class, of shape (C,).
        size_average, reduce: PyTorch's old way of choosing `reduction`; they warn, and win over it.
        ignore_index: a target to leave out.
        reduction: "mean" (over the weights), "sum", or "none" for one number per item.
        label_smoothing: the share of the target's probability that is spread over all classes.
    """

    weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: Any = None,
        ignore_index: int = -100,
        reduce: Any = None,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """(N, C, ...) logits, (N, ...) int64 classes or (N, C, ...) probabilities → a number, or (N, ...).

        N may be missing.
        """
        return F.cross_entropy(
            input,
            target,
            weight=self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )
