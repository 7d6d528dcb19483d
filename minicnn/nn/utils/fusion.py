"""Batch normalisation in evaluation is a factor and a term for every channel, which the layer before it can take in."""

import copy
from typing import Any

from minicnn.creation import ones_like, zeros_like
from minicnn.nn.module import Module
from minicnn.nn.parameter import Parameter
from minicnn.tensor import Tensor


def _fused(weight: Tensor, bias: Any, statistics: tuple, eps: float, affine: tuple, shape: list[int]) -> tuple:
    mean, variance = statistics
    scale, shift = affine
    bias = zeros_like(mean) if bias is None else bias
    factor = (variance + eps) ** -0.5 * (ones_like(mean) if scale is None else scale)
    shift = zeros_like(mean) if shift is None else shift
    new_weight = (weight * factor.reshape(shape)).to(weight.dtype)
    new_bias = ((bias - mean) * factor + shift).to(bias.dtype)
    return Parameter(new_weight.detach(), weight.requires_grad), Parameter(new_bias.detach(), bias.requires_grad)


def fuse_conv_bn_weights(
    conv_w: Tensor,
    conv_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor | None,
    bn_b: Tensor | None,
    transpose: bool = False,
) -> tuple[Parameter, Parameter]:
    """Weight and bias of a convolution that does the batch normalisation after it, too.

    Args:
        conv_w, conv_b: the convolution's.
        bn_rm, bn_rv, bn_eps, bn_w, bn_b: running mean and variance, eps, weight and bias of the normalisation.
        transpose: whether the convolution is a transposed one.
    """
    channels = (1, 0) if transpose else (0, 1)
    shape = [-1 if axis == channels[0] else 1 for axis in range(conv_w.ndim)]
    return _fused(conv_w, conv_b, (bn_rm, bn_rv), bn_eps, (bn_w, bn_b), shape)


def fuse_linear_bn_weights(
    linear_w: Tensor,
    linear_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor,
    bn_b: Tensor,
) -> tuple[Parameter, Parameter]:
    """As `fuse_conv_bn_weights`, of a linear layer."""
    return _fused(linear_w, linear_b, (bn_rm, bn_rv), bn_eps, (bn_w, bn_b), [-1, 1])


def _checked_copy(layer: Module, norm: Any) -> Any:
    if layer.training or norm.training:
        raise AssertionError("Fusion only for eval!")
    if norm.running_mean is None or norm.running_var is None:
        raise AssertionError("bn.running_mean and bn.running_var must not be None")
    return copy.deepcopy(layer)


def fuse_conv_bn_eval(conv: Any, bn: Any, transpose: bool = False) -> Any:
    """A copy of a convolution that does the batch normalisation after it, too.

    Args:
        conv: the convolution, in evaluation.
        bn: the batch normalisation, in evaluation.
        transpose: whether the convolution is a transposed one.

    Raises:
        AssertionError: in training, or without running statistics.
    """
    fused = _checked_copy(conv, bn)
    statistics = bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias
    fused.weight, fused.bias = fuse_conv_bn_weights(conv.weight, conv.bias, *statistics, transpose)
    return fused


def fuse_linear_bn_eval(linear: Any, bn: Any) -> Any:
    """As `fuse_conv_bn_eval`, of a linear layer.

    Raises:
        AssertionError: also where the numbers of features differ.
    """
    fused = _checked_copy(linear, bn)
    if bn.num_features not in (linear.out_features, 1):
        raise AssertionError(
            "To fuse, linear.out_features == bn.num_features or bn.num_features == 1, got "
            f"linear.out_features={linear.out_features} and bn.num_features={bn.num_features}"
        )
    statistics = bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias
    fused.weight, fused.bias = fuse_linear_bn_weights(linear.weight, linear.bias, *statistics)
    return fused
