"""Losses: how far a batch's results are from its targets, as one number."""

import warnings
from collections.abc import Callable
from typing import Any

from minicnn.nn import functional as F
from minicnn.nn.functional.reducing import legacy
from minicnn.nn.module import Module
from minicnn.tensor import Tensor


class _Loss(Module):
    """A loss of `nn.functional` as a layer.

    A subclass names the function, and those of its attributes that the function takes by the same names.

    Args:
        size_average, reduce: PyTorch's old way of choosing `reduction`; they warn, and win over it.
        reduction: "mean", "sum", or "none" for one number per item.
    """

    _function: Callable
    _arguments: tuple[str, ...] = ()

    def __init__(self, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean") -> None:
        super().__init__()
        old = size_average is not None or reduce is not None
        self.reduction = legacy(size_average, reduce, 3) if old else reduction

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Results and targets → a number, or one for each item."""
        return self._of(input, target)

    def _of(self, *tensors: Tensor) -> Tensor:
        return self._function(
            *tensors, reduction=self.reduction, **{name: getattr(self, name) for name in self._arguments}
        )


class _WeightedLoss(_Loss):
    """A loss with factors, which are a buffer."""

    weight: Tensor | None
    _arguments: tuple[str, ...] = ("weight",)

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)


class MSELoss(_Loss):
    """(input − target)²

    Args:
        size_average, reduce: PyTorch's old way of choosing `reduction`; they warn, and win over it.
        reduction: "mean", "sum", or "none" for one number per element.
    """

    _function = staticmethod(F.mse_loss)


class L1Loss(_Loss):
    """|input − target|

    Args:
        size_average, reduce: PyTorch's old way of choosing `reduction`; they warn, and win over it.
        reduction: "mean", "sum", or "none" for one number per element.
    """

    _function = staticmethod(F.l1_loss)


class SmoothL1Loss(_Loss):
    """(input − target)² / 2 / beta near 0, |input − target| − beta / 2 from beta on

    Args:
        size_average, reduce: PyTorch's old way of choosing `reduction`; they warn, and win over it.
        reduction: "mean", "sum", or "none" for one number per element.
        beta: where the square passes into the absolute value.
    """

    _function, _arguments = staticmethod(F.smooth_l1_loss), ("beta",)

    def __init__(
        self, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean", beta: float = 1.0
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.beta = beta


class HuberLoss(_Loss):
    """(input − target)² / 2 near 0, delta · (|input − target| − delta / 2) from delta on

    Args:
        reduction: "mean", "sum", or "none" for one number per element.
        delta: where the square passes into the absolute value.
    """

    _function, _arguments = staticmethod(F.huber_loss), ("delta",)

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.delta = delta


class NLLLoss(_WeightedLoss):
    """−weight[target] · input[target], for input of log-probabilities

    Args:
        weight: a factor for every class, of shape (C,).
        size_average, reduce: PyTorch's old way of choosing `reduction`; they warn, and win over it.
        ignore_index: a target to leave out.
        reduction: "mean" (over the weights), "sum", or "none" for one number per item.
    """

    _function = staticmethod(F.nll_loss)
    _arguments: tuple[str, ...] = ("weight", "ignore_index")

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """(N, C, ...) log-probabilities, (N, ...) int64 classes → a number, or (N, ...); also without N."""
        return self._of(input, target)


class NLLLoss2d(NLLLoss):
    """`NLLLoss` under its old name, with PyTorch's warning."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        warnings.warn(
            "`NLLLoss2d` has been deprecated. Please use `NLLLoss` instead as a drop-in replacement.",
            FutureWarning,
            stacklevel=2,
        )
        super().__init__(*args, **kwargs)


class CrossEntropyLoss(NLLLoss):
    """−weight[target] · log softmax(input)[target]

    Args:
        weight: a factor for every class, of shape (C,).
        size_average, reduce: PyTorch's old way of choosing `reduction`; they warn, and win over it.
        ignore_index: a target to leave out.
        reduction: "mean" (over the weights), "sum", or "none" for one number per item.
        label_smoothing: the share of the target's probability that is spread over all classes.
    """

    _function = staticmethod(F.cross_entropy)
    _arguments = ("weight", "ignore_index", "label_smoothing")

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: Any = None,
        ignore_index: int = -100,
        reduce: Any = None,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(weight, size_average, ignore_index, reduce, reduction)
        self.label_smoothing = label_smoothing

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """(N, C, ...) logits, (N, ...) int64 classes or (N, C, ...) probabilities → a number, or (N, ...).

        N may be missing.
        """
        return self._of(input, target)


class BCELoss(_WeightedLoss):
    """−weight · (target · ln input + (1 − target) · ln(1 − input)), the logarithms held above −100

    Args:
        weight: factors that broadcast to the input's shape.
        size_average, reduce: PyTorch's old way of choosing `reduction`; they warn, and win over it.
        reduction: "mean", "sum", or "none" for one number per element.
    """

    _function = staticmethod(F.binary_cross_entropy)


class BCEWithLogitsLoss(_WeightedLoss):
    """`BCELoss` of sigmoid(input), computed without overflow

    Args:
        weight: factors that broadcast to the input's shape.
        size_average, reduce: PyTorch's old way of choosing `reduction`; they warn, and win over it.
        reduction: "mean", "sum", or "none" for one number per element.
        pos_weight: factors of the part that the target weighs, which broadcast to that shape.
    """

    pos_weight: Tensor | None
    _function = staticmethod(F.binary_cross_entropy_with_logits)
    _arguments = ("weight", "pos_weight")

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        pos_weight: Tensor | None = None,
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.register_buffer("pos_weight", pos_weight)


class KLDivLoss(_Loss):
    """target · (ln target − input), for input of log-probabilities

    Args:
        size_average, reduce: PyTorch's old way of choosing `reduction`; they warn, and win over it.
        reduction: "mean" (over elements), "batchmean" (over the batch), "sum" or "none".
        log_target: whether the target is logarithms, too.
    """

    _function, _arguments = staticmethod(F.kl_div), ("log_target",)

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        log_target: bool = False,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_target = log_target


class PoissonNLLLoss(_Loss):
    """exp(input) − target · input: the negative log-likelihood of counts

    Args:
        log_input: whether the input is a logarithm of the rate.
        full: add Stirling's formula for ln(target!).
        size_average, reduce: PyTorch's old way of choosing `reduction`; they warn, and win over it.
        eps: added below the logarithm, where the input is none.
        reduction: "mean", "sum", or "none" for one number per element.
    """

    _function, _arguments = staticmethod(F.poisson_nll_loss), ("log_input", "full", "eps")

    def __init__(
        self,
        log_input: bool = True,
        full: bool = False,
        size_average: bool | None = None,
        eps: float = 1e-8,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_input, self.full, self.eps = log_input, full, eps


class GaussianNLLLoss(_Loss):
    """(ln var + (input − target)² / var) / 2: the negative log-likelihood of a normal distribution

    Args:
        full: add ln(2π) / 2.
        eps: the least variance.
        reduction: "mean", "sum", or "none" for one number per element.
    """

    _function, _arguments = staticmethod(F.gaussian_nll_loss), ("full", "eps")

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.full, self.eps = full, eps

    def forward(self, input: Tensor, target: Tensor, var: Tensor | float) -> Tensor:  # type: ignore[override]
        """Means, what was drawn, and variances → a number, or one for each item."""
        return self._of(input, target, var)  # type: ignore[arg-type]
