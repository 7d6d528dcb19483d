"""`Flatten` and `Unflatten`: from images to vectors and back."""

from typing import Any

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


class Unflatten(Module):
    """Divides a dimension into several.

    Args:
        dim: the dimension.
        unflattened_size: a tuple or list of the new sizes, of which one may be −1.

    Raises:
        TypeError: for other sizes.
    """

    def __init__(self, dim: int, unflattened_size: Any) -> None:
        super().__init__()
        if not isinstance(unflattened_size, (tuple, list)):
            raise TypeError(
                f"unflattened_size must be a tuple of ints, but found type {type(unflattened_size).__name__}"
            )
        for position, size in enumerate(unflattened_size):
            if not isinstance(size, int):
                raise TypeError(
                    f"unflattened_size must be tuple of ints, but found element of type {type(size).__name__} at pos "
                    f"{position}"
                )
        self.dim = dim
        self.unflattened_size = unflattened_size

    def forward(self, input: Tensor) -> Tensor:
        """The same elements, in more dimensions."""
        return input.unflatten(self.dim, self.unflattened_size)

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
