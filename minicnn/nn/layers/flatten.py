"""`Flatten`: from images to vectors."""

from minicnn.nn.module import Module
from minicnn.tensor import Tensor


class Flatten(Module):
    """Merges dimensions `start_dim` to `end_dim`, both included, into one.

    Args:
        start_dim: the first to merge; 1 keeps the batch dimension.
        end_dim: the last to merge.
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, H, W) → (N, C·H·W) with the defaults, rows in C, H, W order."""
        return input.flatten(self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"
