"""The focal loss of detectors, most of whose boxes show nothing."""

from minicnn import sigmoid
from minicnn.nn import functional as F
from minicnn.tensor import Tensor


def sigmoid_focal_loss(
    inputs: Tensor, targets: Tensor, alpha: float = 0.25, gamma: float = 2, reduction: str = "none"
) -> Tensor:
    """−αₜ (1 − pₜ)^γ log pₜ, where pₜ is the probability that `sigmoid(inputs)` gives to the target.

    Lin et al., "Focal loss for dense object detection", 2017.

    Args:
        inputs: logits of any shape.
        targets: 0 or 1, floating point, of the same shape.
        alpha: weight of the ones, 1 − alpha that of the zeros; below 0 for none.
        gamma: how much well classified elements count less.
        reduction: "none", "mean" or "sum".

    Raises:
        ValueError: for another reduction, or an alpha above 1.
    """
    if not 0 <= alpha <= 1 and alpha != -1:
        raise ValueError(f"Invalid alpha value: {alpha}. alpha must be in the range [0,1] or -1 for ignore.")
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(
            f"Invalid Value for arg 'reduction': '{reduction} \n Supported reduction modes: 'none', 'mean', 'sum'"
        )
    p = sigmoid(inputs)
    right = p * targets + (1 - p) * (1 - targets)
    loss = F.binary_cross_entropy_with_logits(inputs, targets, reduction="none") * ((1 - right) ** gamma)
    if alpha >= 0:
        loss = (alpha * targets + (1 - alpha) * (1 - targets)) * loss
    if reduction == "none":
        return loss
    return loss.mean() if reduction == "mean" else loss.sum()
