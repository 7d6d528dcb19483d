"""`Linear`: every output a weighted sum of all inputs."""

import math
from typing import Any

from minicnn.nn import functional as F
from minicnn.nn import init
from minicnn.nn._arguments import empty_parameter
from minicnn.nn.module import Module
from minicnn.nn.parameter import Parameter
from minicnn.tensor import Tensor


class Linear(Module):
    """y = x · weightᵀ + bias

    Args:
        in_features: size of every input vector.
        out_features: size of every output vector.
        bias: whether to add a learned bias.
        device: None or "cpu".
        dtype: of the parameters, float32 by default.

    Attributes:
        weight: Parameter of shape (out_features, in_features).
        bias: Parameter of shape (out_features,) or None. Both are drawn uniformly from ±1/√in_features.
    """

    weight: Parameter
    bias: Parameter | None

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        for name, shape in self._state_shapes().items():
            wanted = name != "bias" or bias
            self.register_parameter(name, empty_parameter(shape, device, dtype) if wanted else None)
        self.reset_parameters()

    def _state_shapes(self) -> dict[str, tuple[int, ...]]:
        """The shapes of the parameters, given the attributes."""
        return {"weight": (self.out_features, self.in_features), "bias": (self.out_features,)}

    def reset_parameters(self) -> None:
        """Draw new parameters."""
        reset_weight_and_bias(self.weight, self.bias)

    def forward(self, input: Tensor) -> Tensor:
        """(..., in_features) → (..., out_features)"""
        return F.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


def reset_weight_and_bias(weight: Tensor, bias: Tensor | None) -> None:
    """Draw both uniformly from ±1/√fan_in, as PyTorch does for linear and convolutional layers.

    Args:
        weight: of shape (outputs, inputs, *kernel).
        bias: of shape (outputs,), or None.
    """
    init.kaiming_uniform_(weight, a=math.sqrt(5))  # gain √(2 / (1 + 5)) times √(3 / fan_in) is 1/√fan_in
    if bias is not None:
        fan_in, _ = init._calculate_fan_in_and_fan_out(weight)
        bound = 1 / math.sqrt(fan_in) if fan_in > 0 else 0
        init.uniform_(bias, -bound, bound)
