"""Differentiable operations under PyTorch's names and signatures."""

from minicnn.compat import missing
from minicnn.nn.functional.activation import gumbel_softmax, log_softmax, softmax, softmin
from minicnn.nn.functional.attention import scaled_dot_product_attention
from minicnn.nn.functional.classes import cross_entropy, nll_loss
from minicnn.nn.functional.convolution import conv2d, conv_transpose2d
from minicnn.nn.functional.differences import huber_loss, l1_loss, mse_loss, smooth_l1_loss
from minicnn.nn.functional.distance import bilinear, cosine_similarity, pairwise_distance
from minicnn.nn.functional.dropout import alpha_dropout, dropout, dropout1d, dropout2d, dropout3d, feature_alpha_dropout
from minicnn.nn.functional.embedding import embedding
from minicnn.nn.functional.heads import multi_head_attention_forward
from minicnn.nn.functional.labels import multi_margin_loss, multilabel_margin_loss, multilabel_soft_margin_loss
from minicnn.nn.functional.linear import linear, one_hot
from minicnn.nn.functional.margins import (
    cosine_embedding_loss,
    hinge_embedding_loss,
    margin_ranking_loss,
    soft_margin_loss,
    triplet_margin_loss,
    triplet_margin_with_distance_loss,
)
from minicnn.nn.functional.normalization import batch_norm
from minicnn.nn.functional.padding import pad
from minicnn.nn.functional.parts import group_norm, instance_norm, layer_norm, rms_norm
from minicnn.nn.functional.pooling import (
    adaptive_avg_pool2d,
    adaptive_max_pool2d,
    avg_pool2d,
    lp_pool2d,
    max_pool2d,
    max_unpool2d,
)
from minicnn.nn.functional.probabilities import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    gaussian_nll_loss,
    kl_div,
    poisson_nll_loss,
)
from minicnn.nn.functional.resizing import interpolate, upsample, upsample_bilinear, upsample_nearest
from minicnn.nn.functional.response import local_response_norm
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
from minicnn.operators.distances import normalize, pdist
from minicnn.operators.gates import glu, prelu, rrelu, rrelu_

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "affine_grid",
    "alpha_dropout",
    "avg_pool1d",
    "avg_pool2d",
    "batch_norm",
    "bilinear",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "celu",
    "celu_",
    "channel_shuffle",
    "conv1d",
    "conv2d",
    "conv_transpose1d",
    "conv_transpose2d",
    "cosine_embedding_loss",
    "cosine_similarity",
    "cross_entropy",
    "dropout",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "elu",
    "elu_",
    "embedding",
    "feature_alpha_dropout",
    "fold",
    "gaussian_nll_loss",
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
    "hinge_embedding_loss",
    "huber_loss",
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
    "margin_ranking_loss",
    "max_pool1d",
    "max_pool2d",
    "max_unpool1d",
    "max_unpool2d",
    "mish",
    "mse_loss",
    "multi_head_attention_forward",
    "multi_margin_loss",
    "multilabel_margin_loss",
    "multilabel_soft_margin_loss",
    "nll_loss",
    "normalize",
    "one_hot",
    "pad",
    "pairwise_distance",
    "pdist",
    "pixel_shuffle",
    "pixel_unshuffle",
    "poisson_nll_loss",
    "prelu",
    "relu",
    "relu6",
    "relu_",
    "rms_norm",
    "rrelu",
    "rrelu_",
    "scaled_dot_product_attention",
    "selu",
    "selu_",
    "sigmoid",
    "silu",
    "smooth_l1_loss",
    "soft_margin_loss",
    "softmax",
    "softmin",
    "softplus",
    "softshrink",
    "softsign",
    "tanh",
    "tanhshrink",
    "threshold",
    "threshold_",
    "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
    "unfold",
    "upsample",
    "upsample_bilinear",
    "upsample_nearest",
]

__getattr__ = missing.getattr_of(__name__, lambda: __all__)
