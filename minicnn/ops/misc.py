"""Parts that networks for detection and recent classifiers share."""

from collections.abc import Callable
from typing import Any

from minicnn import nn, ones, zeros
from minicnn.tensor import Tensor


def _without_count(state_dict: dict[str, Any], prefix: str, *_: Any) -> None:
    """Leave out how many batches a `BatchNorm2d` has seen, of its state dict."""
    state_dict.pop(f"{prefix}num_batches_tracked", None)


class FrozenBatchNorm2d(nn.Module):
    """Batch norm of fixed statistics and fixed scale: buffers, not parameters, also in training.

    Args:
        num_features: C.
        eps: added to the variance.
    """

    def __init__(self, num_features: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        for name, value in {"weight": ones, "bias": zeros, "running_mean": zeros, "running_var": ones}.items():
            self.register_buffer(name, value(num_features))
        self._register_load_state_dict_pre_hook(_without_count)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) scaled and shifted."""
        columns = (1, -1, 1, 1)
        scale = self.weight.reshape(columns) * (self.running_var.reshape(columns) + self.eps).rsqrt()
        return x * scale + (self.bias.reshape(columns) - self.running_mean.reshape(columns) * scale)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.weight.shape[0]}, eps={self.eps})"


class SqueezeExcitation(nn.Module):
    """Each channel times a number between 0 and 1 that depends on the means of all channels.

    Hu, Shen and Sun, "Squeeze-and-excitation networks", 2018.

    Args:
        input_channels: C.
        squeeze_channels: of the layer between.
        activation, scale_activation: build the nonlinearities behind the first and the second layer.
    """

    def __init__(
        self,
        input_channels: int,
        squeeze_channels: int,
        activation: Callable[..., nn.Module] = nn.ReLU,
        scale_activation: Callable[..., nn.Module] = nn.Sigmoid,
    ) -> None:
        super().__init__()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc1 = nn.Conv2d(input_channels, squeeze_channels, 1)
        self.fc2 = nn.Conv2d(squeeze_channels, input_channels, 1)
        self.activation = activation()
        self.scale_activation = scale_activation()

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, H, W) with its channels weighed."""
        return self.scale_activation(self.fc2(self.activation(self.fc1(self.avgpool(input))))) * input


class Permute(nn.Module):
    """`x.permute(dims)` as a layer.

    Args:
        dims: the new order of the dimensions.
    """

    def __init__(self, dims: list[int]) -> None:
        super().__init__()
        self.dims = dims

    def forward(self, x: Tensor) -> Tensor:
        """The input, its dimensions in another order."""
        return x.permute(self.dims)
