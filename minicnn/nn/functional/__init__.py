"""Differentiable operations under PyTorch's names and signatures."""

from minicnn.nn.functional.activation import log_softmax, softmax
from minicnn.nn.functional.convolution import conv2d, conv_transpose2d
from minicnn.nn.functional.dropout import dropout
from minicnn.nn.functional.linear import linear, one_hot
from minicnn.nn.functional.loss import cross_entropy, kl_div, l1_loss, mse_loss, nll_loss
from minicnn.nn.functional.normalization import batch_norm
from minicnn.nn.functional.padding import pad
from minicnn.nn.functional.pooling import (
    adaptive_avg_pool2d,
    adaptive_max_pool2d,
    avg_pool2d,
    max_pool2d,
    max_unpool2d,
)
from minicnn.nn.functional.unfolding import fold, unfold
from minicnn.operators.activation import leaky_relu, relu, sigmoid, tanh

__all__ = [
    "adaptive_avg_pool2d",
    "adaptive_max_pool2d",
    "avg_pool2d",
    "batch_norm",
    "conv2d",
    "conv_transpose2d",
    "cross_entropy",
    "dropout",
    "fold",
    "kl_div",
    "l1_loss",
    "leaky_relu",
    "linear",
    "log_softmax",
    "max_pool2d",
    "max_unpool2d",
    "mse_loss",
    "nll_loss",
    "one_hot",
    "pad",
    "relu",
    "sigmoid",
    "softmax",
    "tanh",
    "unfold",
]
