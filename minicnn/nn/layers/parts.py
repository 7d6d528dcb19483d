"""Layers that normalise parts of each example: instances, groups of channels, layers, neighbouring channels."""

import math
import operator
import warnings
from collections.abc import Iterable
from typing import Any

from minicnn.nn import functional as F
from minicnn.nn import init
from minicnn.nn._arguments import empty, empty_parameter
from minicnn.nn.layers.normalization import _ChannelNorm
from minicnn.nn.module import Module
from minicnn.nn.parameter import Parameter
from minicnn.tensor import Tensor

_INSTANCE_DOC = """
    Mean and variance are those of each channel of each example. Ulyanov et al., "Instance Normalization", 2016.

    y = (x − mean) / √(variance + eps) · weight + bias

    Args:
        num_features: C, the number of channels.
        eps: added to the variance.
        momentum: the batch's share in the running estimates.
        affine: whether to learn weight and bias.
        track_running_stats: whether to keep running estimates, which evaluation then normalizes by.
        device: None or "cpu".
        dtype: of the parameters and running estimates, float32 by default.
        bias: whether, where `affine`, to learn a bias.

    Attributes:
        weight, bias: Parameters of shape (C,), from 1 and 0; or None.
        running_mean, running_var: buffers of shape (C,), from 0 and 1; or None.
        num_batches_tracked: buffer, an int64 number; or None.
"""


class _InstanceNorm(_ChannelNorm):
    """What the dimensions share."""

    _dimensions: int

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)

    def _check_input_dim(self, input: Tensor) -> None:
        alone = self._dimensions + 1
        if input.ndim not in (alone, alone + 1):
            raise ValueError(f"expected {alone}D or {alone + 1}D input (got {input.ndim}D input)")

    def forward(self, input: Tensor) -> Tensor:
        """The same shape, normalized; see the class. The batch dimension may be missing."""
        self._check_input_dim(input)
        alone = input.ndim == self._dimensions + 1
        axis = 0 if alone else 1
        if input.shape[axis] != self.num_features:
            if self.affine:
                raise ValueError(
                    f"expected input's size at dim={axis} to match num_features ({self.num_features}), but got: "
                    f"{input.shape[axis]}."
                )
            warnings.warn(
                f"input's size at dim={axis} does not match num_features. You can silence this warning by not passing "
                "in num_features, which is not used because affine=False",
                stacklevel=2,
            )
        result = F.instance_norm(
            input.unsqueeze(0) if alone else input,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            0.0 if self.momentum is None else self.momentum,
            self.eps,
        )
        return result.squeeze(0) if alone else result


class InstanceNorm1d(_InstanceNorm):
    __doc__ = "Instance normalization of sequences (N, C, L) or (C, L).\n" + _INSTANCE_DOC
    _dimensions = 1


class InstanceNorm2d(_InstanceNorm):
    __doc__ = "Instance normalization of images (N, C, H, W) or (C, H, W).\n" + _INSTANCE_DOC
    _dimensions = 2


class InstanceNorm3d(_InstanceNorm):
    __doc__ = "Instance normalization of volumes (N, C, D, H, W) or (C, D, H, W).\n" + _INSTANCE_DOC
    _dimensions = 3


class GroupNorm(Module):
    """Mean and variance are those of each group of channels of each example. Wu and He, "Group Normalization", 2018.

    y = (x − mean) / √(variance + eps) · weight + bias

    Args:
        num_groups: into how many groups the channels are divided.
        num_channels: C, the number of channels.
        eps: added to the variance.
        affine: whether to learn weight and bias.
        device: None or "cpu".
        dtype: of the parameters, float32 by default.
        bias: whether, where `affine`, to learn a bias.

    Attributes:
        weight, bias: Parameters of shape (C,), from 1 and 0; or None.

    Raises:
        ValueError: where the groups don't divide the channels.
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if num_channels % num_groups != 0:
            raise ValueError(f"num_channels ({num_channels}) must be divisible by num_groups ({num_groups})")
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        for name, wanted in (("weight", affine), ("bias", affine and bias)):
            self.register_parameter(name, empty_parameter((num_channels,), device, dtype) if wanted else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Ones and zeros."""
        _ones_and_zeros(self)

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, …), normalized; see the class."""
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )


def _ones_and_zeros(layer: Module) -> None:
    """Set the weight to ones and the bias to zeros, as far as the layer has them."""
    for name, fill in (("weight", init.ones_), ("bias", init.zeros_)):
        parameter = layer._parameters.get(name)
        if parameter is not None:
            fill(parameter)


class _RowNorm(Module):
    """What `LayerNorm` and `RMSNorm` share: parameters of the shape of what is normalized together."""

    weight: Parameter | None
    bias: Parameter | None

    def _make_parameters(
        self, normalized_shape: int | Iterable[int], names: dict[str, bool], device: Any, dtype: Any
    ) -> None:
        given = normalized_shape if isinstance(normalized_shape, Iterable) else (normalized_shape,)
        self.normalized_shape = shape = tuple(operator.index(size) for size in given)
        for name, wanted in names.items():
            row_major = empty((math.prod(shape),), device, dtype).view(shape) if wanted else None
            self.register_parameter(name, Parameter(row_major) if wanted else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Ones and zeros."""
        _ones_and_zeros(self)


class LayerNorm(_RowNorm):
    """Mean and variance are those over the last dimensions. Ba, Kiros and Hinton, "Layer Normalization", 2016.

    y = (x − mean) / √(variance + eps) · weight + bias

    Args:
        normalized_shape: the sizes of the last dimensions; an int for one.
        eps: added to the variance.
        elementwise_affine: whether to learn weight and bias.
        bias: whether, where `elementwise_affine`, to learn a bias.
        device: None or "cpu".
        dtype: of the parameters, float32 by default.

    Attributes:
        weight, bias: Parameters of this shape, from 1 and 0; or None.
    """

    def __init__(
        self,
        normalized_shape: Any,
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        names = {"weight": elementwise_affine, "bias": elementwise_affine and bias}
        self._make_parameters(normalized_shape, names, device, dtype)

    def forward(self, input: Tensor) -> Tensor:
        """(…, *normalized_shape), normalized; see the class."""
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
            f"bias={self.bias is not None}"
        )


class RMSNorm(_RowNorm):
    """Divides by the root of the mean square over the last dimensions.

    y = x / √(mean(x²) + eps) · weight. Zhang and Sennrich, "Root Mean Square Layer Normalization", 2019.

    Args:
        normalized_shape: the sizes of the last dimensions; an int for one.
        eps: added to the mean square; None for the smallest step of the input's dtype at 1.
        elementwise_affine: whether to learn a weight.
        device: None or "cpu".
        dtype: of the weight, float32 by default.

    Attributes:
        weight: Parameter of this shape, from 1; or None.
    """

    def __init__(
        self,
        normalized_shape: Any,
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        self._make_parameters(normalized_shape, {"weight": elementwise_affine}, device, dtype)

    def forward(self, input: Tensor) -> Tensor:
        """(…, *normalized_shape), normalized; see the class."""
        return F.rms_norm(input, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class LocalResponseNorm(Module):
    """Divides every channel by a power of its neighbours' squares: x / (k + alpha / size · Σ x²)^beta.

    Krizhevsky, Sutskever and Hinton, "ImageNet classification with deep convolutional neural networks", 2012.

    Args:
        size: how many neighbouring channels count.
        alpha, beta, k: as in the formula.
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, …), normalized; see the class."""
        return F.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"
