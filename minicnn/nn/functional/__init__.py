"""Differentiable operations under PyTorch's names and signatures."""

from minicnn.compat import missing
from minicnn.nn.functional.activation import gumbel_softmax, log_softmax, softmax, softmin
from minicnn.nn.functional.convolution import conv2d, conv_transpose2d
from minicnn.nn.functional.distance import bilinear, cosine_similarity, pairwise_distance
from minicnn.nn.functional.dropout import dropout
from minicnn.nn.functional.embedding import embedding
from minicnn.nn.functional.linear import linear, one_hot
from minicnn.nn.functional.loss import cross_entropy, kl_div, l1_loss, mse_loss, nll_loss
from minicnn.nn.functional.normalization import batch_norm
from minicnn.nn.functional.padding import pad
from minicnn.nn.functional.parts import group_norm, instance_norm, layer_norm, local_response_norm, rms_norm
from minicnn.nn.functional.pooling import (
    adaptive_avg_pool2d,
    adaptive_max_pool2d,
    avg_pool2d,
    lp_pool2d,
    max_pool2d,
    max_unpool2d,
)
from minicnn.nn.functional.resizing import interpolate, upsample, upsample_bilinear, upsample_nearest
from minicnn.nn.functional.sampling import affine_grid, grid_sample
from minicnn.nn.functional.sequences import (
    adaptive_avg_pool1d,
    adaptive_max_pool1d,
    avg_pool1d,
    conv1d,
    conv_transpose1d,
    lp_pool1d,
    max_pool1d,
    max_unpool1d,
)
from minicnn.nn.functional.shuffling import channel_shuffle, pixel_shuffle, pixel_unshuffle
from minicnn.nn.functional.unfolding import fold, unfold
from minicnn.operators.activation import (
    celu,
    celu_,
    elu,
    elu_,
    gelu,
    hardshrink,
    hardsigmoid,
    hardswish,
    hardtanh,
    hardtanh_,
    leaky_relu,
    leaky_relu_,
    logsigmoid,
    mish,
    relu,
    relu6,
    relu_,
    selu,
    selu_,
    sigmoid,
    silu,
    softplus,
    softshrink,
    softsign,
    tanh,
    tanhshrink,
    threshold,
    threshold_,
)
from minicnn.operators.gates import glu, prelu, rrelu, rrelu_
from minicnn.operators.activation import leaky_relu, relu, sigmoid, tanh
from minicnn.operators.distances import cosine_similarity, normalize, pairwise_distance, pdist

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "affine_grid",
    "avg_pool1d",
    "avg_pool2d",
    "batch_norm",
    "bilinear",
    "celu",
    "celu_",
    "channel_shuffle",
    "conv1d",
    "conv2d",
    "conv_transpose1d",
    "conv_transpose2d",
    "cosine_similarity",
    "cross_entropy",
    "dropout",
    "elu",
    "elu_",
    "embedding",
    "fold",
    "gelu",
    "glu",
    "grid_sample",
    "group_norm",
    "gumbel_softmax",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "hardtanh_",
    "instance_norm",
    "interpolate",
    "kl_div",
    "l1_loss",
    "layer_norm",
    "leaky_relu",
    "leaky_relu_",
    "linear",
    "local_response_norm",
    "log_softmax",
    "logsigmoid",
    "lp_pool1d",
    "lp_pool2d",
    "max_pool1d",
    "max_pool2d",
    "max_unpool1d",
    "max_unpool2d",
    "mish",
    "mse_loss",
    "nll_loss",
    "normalize",
    "one_hot",
    "pad",
    "pairwise_distance",
    "pixel_shuffle",
    "pixel_unshuffle",
    "prelu",
    "pdist",
    "relu",
    "relu6",
    "relu_",
    "rms_norm",
    "rrelu",
    "rrelu_",
    "selu",
    "selu_",
    "sigmoid",
    "silu",
    "softmax",
    "softmin",
    "softplus",
    "softshrink",
    "softsign",
    "tanh",
    "tanhshrink",
    "threshold",
    "threshold_",
    "unfold",
    "upsample",
    "upsample_bilinear",
    "upsample_nearest",
]

__getattr__ = missing.getattr_of(__name__, lambda: __all__)
