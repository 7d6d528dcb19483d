"""Wrong batch and layer normalisation."""

import numpy as np

from minicnn.testing.wrong.mistake import mistake
from minicnn.testing.wrong.parts.normalization import (
    all_but_channels,
    batch_norm,
    batch_norm_gradients,
    batch_statistics,
    last_axes,
    layer_norm,
    layer_norm_gradients,
    scaled,
    updated,
)
from minicnn.testing.wrong.parts.windows import per_channel, wide


@mistake("batch_norm", "a batch normalisation whose running variance moves towards the biased variance")
def running_variance_biased(
    x, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5
):
    kept = None if running_var is None else running_var.copy()
    y = batch_norm(x, running_mean, running_var, weight, bias, training, momentum, eps)
    if training and x.size and running_var is not None:
        running_var[...] = kept
        updated(running_var, batch_statistics(x)[1], momentum)
    return y


@mistake("batch_norm", "a batch normalisation with the momentum the other way round: it is the share that stays")
def momentum_reversed(x, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5):
    return batch_norm(x, running_mean, running_var, weight, bias, training, 1 - momentum, eps)


@mistake("batch_norm", "a batch normalisation that never moves its running statistics")
def statistics_kept(x, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5):
    copies = [None if one is None else one.copy() for one in (running_mean, running_var)]
    return batch_norm(x, *copies, weight, bias, training, momentum, eps)


@mistake("batch_norm", "a batch normalisation that divides by √var + eps instead of √(var + eps)")
def eps_outside_the_root(x, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5):
    batch_norm(x, running_mean, running_var, None, None, training, momentum, eps)  # moves the running statistics
    mean, var = batch_statistics(x) if training else (wide(running_mean), wide(running_var))
    return scaled(x, mean, 1 / (np.sqrt(var) + eps), weight, bias)


@mistake("batch_norm", "a batch normalisation by the unbiased variance of the batch")
def unbiased_variance(x, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5):
    y = batch_norm(x, running_mean, running_var, weight, bias, training, momentum, eps)
    if training and x.size:
        mean, var = batch_statistics(x)
        R = x.size // x.shape[1]
        y = scaled(x, mean, 1 / np.sqrt(var * R / (R - 1) + eps), weight, bias)
    return y


@mistake("batch_norm", "a batch normalisation by the batch's statistics in evaluation too")
def always_training(x, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5):
    if not training:
        running_mean = running_var = None
    return batch_norm(x, running_mean, running_var, weight, bias, True, momentum, eps)


@mistake("batch_norm", "a normalisation of every image by itself in training, which is instance normalisation")
def every_image_by_itself(x, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5):
    y = batch_norm(x, running_mean, running_var, weight, bias, training, momentum, eps)
    if training:
        alone = [batch_norm(one[None], None, None, weight, bias, True, momentum, eps) for one in x]
        y = np.concatenate([y[:0], *alone])
    return y


@mistake("batch_norm", "a right batch normalisation that writes its result over the input")
def input_overwritten(x, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5):
    x[...] = batch_norm(x, running_mean, running_var, weight, bias, training, momentum, eps)
    return x.copy()


@mistake("layer_norm", "a layer normalisation that divides by √var + eps instead of √(var + eps)")
def layer_eps_outside_the_root(x, normalized_shape, weight=None, bias=None, eps=1e-5):
    axes, values = last_axes(x, normalized_shape), wide(x)
    y = (values - values.mean(axes, keepdims=True)) / (np.sqrt(values.var(axes, keepdims=True)) + eps)
    return (y * (1 if weight is None else weight) + (0 if bias is None else bias)).astype(x.dtype)


@mistake("layer_norm", "a layer normalisation by the unbiased standard deviation")
def layer_unbiased(x, normalized_shape, weight=None, bias=None, eps=1e-5):
    axes, values = last_axes(x, normalized_shape), wide(x)
    count = int(np.prod([x.shape[axis] for axis in axes]))
    var = values.var(axes, keepdims=True) * count / max(count - 1, 1)
    y = (values - values.mean(axes, keepdims=True)) / np.sqrt(var + eps)
    return (y * (1 if weight is None else weight) + (0 if bias is None else bias)).astype(x.dtype)


@mistake("layer_norm", "a layer normalisation over the last dimension alone, whatever normalized_shape says")
def last_dimension_alone(x, normalized_shape, weight=None, bias=None, eps=1e-5):
    y = layer_norm(wide(x), x.shape[-1:], None, None, eps)
    return (y * (1 if weight is None else weight) + (0 if bias is None else bias)).astype(x.dtype)


@mistake("layer_norm", "a layer normalisation that leaves out weight and bias")
def layer_without_weight_and_bias(x, normalized_shape, weight=None, bias=None, eps=1e-5):
    return layer_norm(x, normalized_shape, None, None, eps)


@mistake("batch_norm", "a batch normalisation gradient that takes the batch's statistics for constants", backward=True)
def statistics_constant(
    grad_output, x, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5
):
    if training:
        running_mean, running_var = batch_statistics(x)
    return batch_norm_gradients(grad_output, x, running_mean, running_var, weight, bias, False, momentum, eps)


@mistake("batch_norm", "a batch normalisation gradient that takes the batch's variance for a constant", backward=True)
def variance_constant(
    grad_output, x, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5
):
    options = running_mean, running_var, weight, bias, training, momentum, eps
    grad_x, *others = batch_norm_gradients(grad_output, x, *options)
    if training and x.size:
        var = per_channel(batch_statistics(x)[1], x.ndim)
        grad = wide(grad_output) * (1 if weight is None else per_channel(weight, x.ndim)) / np.sqrt(var + eps)
        grad_x = (grad - grad.mean(all_but_channels(x), keepdims=True)).astype(x.dtype)
    return grad_x, *others


@mistake("batch_norm", "a batch normalisation gradient that forgets the weight on its way to the input", backward=True)
def weight_forgotten(
    grad_output, x, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5
):
    options = running_mean, running_var, weight, bias, training, momentum, eps
    _, *others = batch_norm_gradients(grad_output, x, *options)
    grad_x, *_ = batch_norm_gradients(grad_output, x, running_mean, running_var, None, None, training, momentum, eps)
    return grad_x, *others


@mistake("batch_norm", "a weight gradient of the input itself instead of the normalised input", backward=True)
def weight_gradient_of_x(
    grad_output, x, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5
):
    options = running_mean, running_var, weight, bias, training, momentum, eps
    grad_x, grad_weight, grad_bias = batch_norm_gradients(grad_output, x, *options)
    if weight is not None:
        grad_weight = (wide(grad_output) * wide(x)).sum(all_but_channels(x)).astype(x.dtype)
    return grad_x, grad_weight, grad_bias


@mistake("layer_norm", "a layer normalisation gradient that takes mean and variance for constants", backward=True)
def layer_statistics_constant(grad_output, x, normalized_shape, weight=None, bias=None, eps=1e-5):
    _, *others = layer_norm_gradients(grad_output, x, normalized_shape, weight, bias, eps)
    inverse = 1 / np.sqrt(wide(x).var(last_axes(x, normalized_shape), keepdims=True) + eps)
    grad_x = grad_output * (1 if weight is None else wide(weight)) * inverse
    return grad_x.astype(x.dtype), *others


@mistake(
    "layer_norm", "a weight gradient of layer normalisation averaged over the rows instead of added up", backward=True
)
def layer_weight_gradient_averaged(grad_output, x, normalized_shape, weight=None, bias=None, eps=1e-5):
    grad_x, grad_weight, grad_bias = layer_norm_gradients(grad_output, x, normalized_shape, weight, bias, eps)
    if weight is not None:
        grad_weight = (grad_weight / max(x.size // weight.size, 1)).astype(x.dtype)
    return grad_x, grad_weight, grad_bias
