"""Stochastic depth: branches of a residual network that are left out at random while it trains."""

from minicnn import empty, nn
from minicnn.tensor import Tensor


def stochastic_depth(input: Tensor, p: float, mode: str, training: bool = True) -> Tensor:
    """Zeros with probability `p`, else input / (1 − p).

    Huang et al., "Deep networks with stochastic depth", 2016.

    Args:
        input: (N, ...).
        p: the probability.
        mode: "batch" draws once for all, "row" for each of the N.
        training: False returns `input`.

    Raises:
        ValueError: for another mode, or a p outside [0, 1].
    """
    if p < 0.0 or p > 1.0:
        raise ValueError(f"drop probability has to be between 0 and 1, but got {p}")
    if mode not in ("batch", "row"):
        raise ValueError(f"mode has to be either 'batch' or 'row', but got {mode}")
    if not training or p == 0.0:
        return input
    shape = (input.shape[0] if mode == "row" else 1,) + (1,) * (input.ndim - 1)
    kept = empty(shape, dtype=input.dtype).bernoulli_(1.0 - p)
    return input * (kept / (1.0 - p) if p < 1.0 else kept)


class StochasticDepth(nn.Module):
    """`stochastic_depth` as a layer.

    Args:
        p, mode: as of the function.
    """

    def __init__(self, p: float, mode: str) -> None:
        super().__init__()
        self.p, self.mode = p, mode

    def forward(self, input: Tensor) -> Tensor:
        """The input, parts of it left out in training."""
        return stochastic_depth(input, self.p, self.mode, self.training)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p}, mode={self.mode})"
