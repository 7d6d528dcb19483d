"""`Dropout`: forget numbers at random, in training only."""

from minicnn.nn import functional as F
from minicnn.nn.module import Module
from minicnn.tensor import Tensor


class Dropout(Module):
    """In training, every number becomes 0 with probability `p` and is divided by 1 − p otherwise.

    Hinton et al., "Improving neural networks by preventing co-adaptation of feature detectors", 2012.

    Args:
        p: the probability of being dropped.
        inplace: write the result into the input.

    Raises:
        ValueError: for a `p` outside [0, 1].
    """

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if p < 0 or p > 1:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        self.p = p
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """The same shape; the input itself in evaluation."""
        return F.dropout(input, self.p, self.training, self.inplace)

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"
