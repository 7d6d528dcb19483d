"""Differentiable operations under PyTorch's names and signatures."""

from minicnn.compat import missing
from minicnn.nn.functional.activation import log_softmax, softmax
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
from minicnn.operators.activation import leaky_relu, relu, sigmoid, tanh

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
    "channel_shuffle",
    "conv1d",
    "conv2d",
    "conv_transpose1d",
    "conv_transpose2d",
    "cosine_similarity",
    "cross_entropy",
    "dropout",
    "embedding",
    "fold",
    "grid_sample",
    "group_norm",
    "instance_norm",
    "interpolate",
    "kl_div",
    "l1_loss",
    "layer_norm",
    "leaky_relu",
    "linear",
    "local_response_norm",
    "log_softmax",
    "lp_pool1d",
    "lp_pool2d",
    "max_pool1d",
    "max_pool2d",
    "max_unpool1d",
    "max_unpool2d",
    "mse_loss",
    "nll_loss",
    "one_hot",
    "pad",
    "pairwise_distance",
    "pixel_shuffle",
    "pixel_unshuffle",
    "relu",
    "rms_norm",
    "sigmoid",
    "softmax",
    "tanh",
    "unfold",
    "upsample",
    "upsample_bilinear",
    "upsample_nearest",
]

__getattr__ = missing.getattr_of(__name__, lambda: __all__)
