"""Wrong softmax, log softmax and cross entropy, and wrong gradients of them."""

import numpy as np

from minicnn.testing.wrong.mistake import mistake
from minicnn.testing.wrong.parts.vectors import (
    class_axis,
    cross_entropy,
    cross_entropy_gradient,
    divisor,
    kept,
    log_softmax,
    losses,
    reduced,
    shares,
    softmax,
    usual_axis,
    wide_log_softmax,
)
from minicnn.testing.wrong.parts.windows import wide


@mistake("softmax", "a softmax that does not subtract the maximum: it overflows")
def without_maximum(x, dim=None, dtype=None):
    x, axis = x if dtype is None else x.astype(dtype), usual_axis(x, dim)
    y = np.exp(x)
    return y / y.sum(axis, keepdims=True)


@mistake("softmax", "a softmax that subtracts the maximum of the whole array, so that smaller rows vanish")
def maximum_of_everything(x, dim=None, dtype=None):
    x, axis = x if dtype is None else x.astype(dtype), usual_axis(x, dim)
    y = np.exp(x - x.max(initial=-np.inf))
    return y / y.sum(axis, keepdims=True)


@mistake("softmax", "a softmax over the last dimension, whatever dim says")
def last_dimension(x, dim=None, dtype=None):
    return softmax(x, -1, dtype)


@mistake("softmax", "a softmax with 1e-7 added to the sum of the exponentials")
def sum_with_eps(x, dim=None, dtype=None):
    x, axis = x if dtype is None else x.astype(dtype), usual_axis(x, dim)
    y = np.exp(wide(x) - wide(x).max(axis, keepdims=True, initial=-np.inf))
    return (y / (y.sum(axis, keepdims=True) + 1e-7)).astype(x.dtype)


@mistake("log_softmax", "the logarithm of a softmax: −∞ where the softmax rounds to 0")
def logarithm_of_softmax(x, dim=None, dtype=None):
    return np.log(softmax(x, dim, dtype))


@mistake("log_softmax", "the logarithm of a softmax to which 1e-9 is added")
def logarithm_with_eps(x, dim=None, dtype=None):
    return np.log(wide(softmax(x, dim, dtype)) + 1e-9).astype(x.dtype if dtype is None else dtype)


@mistake("log_softmax", "a log softmax over the last dimension, whatever dim says")
def log_last_dimension(x, dim=None, dtype=None):
    return log_softmax(x, -1, dtype)


@mistake("softmax", "a softmax gradient of the diagonal alone: g · y · (1 − y)", backward=True)
def diagonal_alone(grad_output, x, dim=None, dtype=None):
    y = wide(softmax(x, dim))
    return (grad_output * y * (1 - y)).astype(x.dtype)


@mistake("softmax", "a softmax gradient that sums over the last dimension, whatever dim says", backward=True)
def gradient_of_last_dimension(grad_output, x, dim=None, dtype=None):
    y, grad = np.exp(wide_log_softmax(x, usual_axis(x, dim))), wide(grad_output)
    return (y * (grad - (grad * y).sum(-1, keepdims=True))).astype(x.dtype)


@mistake(
    "log_softmax",
    "a log softmax gradient that takes the output's gradients to add up to 1: g − softmax(x)",
    backward=True,
)
def gradients_add_up_to_one(grad_output, x, dim=None, dtype=None):
    return (grad_output - np.exp(wide_log_softmax(x, usual_axis(x, dim)))).astype(x.dtype)


@mistake("cross_entropy", "a cross entropy that counts ignored targets in the mean")
def ignored_targets_counted(x, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0):
    loss = losses(x, shares(x, target, weight, ignore_index, label_smoothing))
    by = divisor(x, target, weight, ignore_index) + (~kept(x, target, ignore_index)).sum()
    return reduced(loss, by, reduction, x.dtype)


@mistake("cross_entropy", "a cross entropy that pays no heed to ignore_index unless it is −100")
def only_minus_100_ignored(x, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0):
    return cross_entropy(x, target, weight, -100, reduction, label_smoothing)


@mistake("cross_entropy", "a cross entropy whose label smoothing goes to the n − 1 other classes instead of all n")
def smoothed_over_the_others(x, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0):
    K = x.shape[class_axis(x)]
    spread = label_smoothing * K / max(K - 1, 1)  # 1 − s for the target, s / (K − 1) for every other
    return cross_entropy(x, target, weight, ignore_index, reduction, spread)


@mistake("cross_entropy", "a cross entropy that also smooths the labels that are ignored")
def ignored_targets_smoothed(x, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0):
    share, axis = shares(x, target, weight, ignore_index, label_smoothing), class_axis(x)
    if label_smoothing and target.dtype.kind != "f":
        factor = np.ones(x.shape[axis]) if weight is None else wide(weight)
        factor = factor.reshape(-1, *[1] * (x.ndim - 1 - axis)) * label_smoothing / x.shape[axis]
        share = np.where(np.expand_dims(kept(x, target, ignore_index), axis), share, factor)
    return reduced(losses(x, share), divisor(x, target, weight, ignore_index), reduction, x.dtype)


@mistake(
    "cross_entropy",
    "a weighted cross entropy whose mean is divided by the number of targets, not by the sum of their weights",
)
def weights_not_normalised(x, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0):
    loss = losses(x, shares(x, target, weight, ignore_index, label_smoothing))
    return reduced(loss, divisor(x, target, None, ignore_index), reduction, x.dtype)


@mistake("cross_entropy", "a cross entropy whose label smoothing leaves out the class weights")
def smoothing_without_weights(x, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0):
    own = shares(x, target, weight, ignore_index) * (1 - label_smoothing)
    spread = shares(x, target, None, ignore_index, 1.0) * label_smoothing
    return reduced(losses(x, own + spread), divisor(x, target, weight, ignore_index), reduction, x.dtype)


@mistake("cross_entropy", "a cross entropy of logits that went through a softmax before")
def softmax_twice(x, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0):
    return cross_entropy(softmax(x, class_axis(x)), target, weight, ignore_index, reduction, label_smoothing)


@mistake("cross_entropy", "a cross entropy that divides by the number of images, not of positions")
def divided_by_images(x, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0):
    places = x.size // x.shape[class_axis(x)] // (len(x) if x.ndim > 1 else 1) if x.size else 1
    y = cross_entropy(x, target, weight, ignore_index, reduction, label_smoothing)
    return np.asarray(y * places, x.dtype) if reduction == "mean" else y


@mistake("cross_entropy", "a cross entropy of softmax and logarithm one after the other, infinite where softmax is 0")
def logarithm_after_softmax(x, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0):
    share, axis = shares(x, target, weight, ignore_index, label_smoothing), class_axis(x)
    loss = -np.where(share == 0, 0, share * wide(np.log(softmax(x, axis)))).sum(axis)
    return reduced(loss, divisor(x, target, weight, ignore_index), reduction, x.dtype)


@mistake(
    "cross_entropy", "a cross entropy gradient, softmax minus target, that is not divided for the mean", backward=True
)
def mean_not_divided(grad_output, x, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0):
    reduction = "sum" if reduction == "mean" else reduction
    return cross_entropy_gradient(grad_output, x, target, weight, ignore_index, reduction, label_smoothing)


@mistake(
    "cross_entropy", "a cross entropy gradient that forgets the gradient it is handed, as if that were 1", backward=True
)
def output_gradient_forgotten(
    grad_output, x, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0
):
    ones = np.ones_like(grad_output)
    return cross_entropy_gradient(ones, x, target, weight, ignore_index, reduction, label_smoothing)


@mistake(
    "cross_entropy",
    "a cross entropy gradient divided by the number of targets, ignored ones and weights and all",
    backward=True,
)
def divided_by_all_targets(
    grad_output, x, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0
):
    if reduction == "mean":
        grad_output, reduction = wide(np.asarray(grad_output)) / kept(x, target, ignore_index).size, "sum"
    return cross_entropy_gradient(grad_output, x, target, weight, ignore_index, reduction, label_smoothing)


@mistake(
    "cross_entropy",
    "a cross entropy gradient that pushes ignored positions towards no class: their softmax stays",
    backward=True,
)
def ignored_positions_pushed(
    grad_output, x, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0
):
    right = cross_entropy_gradient(grad_output, x, target, weight, ignore_index, reduction, label_smoothing)
    axis, grad = class_axis(x), wide(np.asarray(grad_output))
    if reduction == "mean":
        grad = grad / divisor(x, target, weight, ignore_index)
    pushed = np.exp(wide_log_softmax(x, axis)) * (np.expand_dims(grad, axis) if reduction == "none" else grad)
    return np.where(np.expand_dims(kept(x, target, ignore_index), axis), right, pushed).astype(x.dtype)


@mistake("cross_entropy", "a cross entropy gradient without the label smoothing", backward=True)
def gradient_without_smoothing(
    grad_output, x, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0
):
    return cross_entropy_gradient(grad_output, x, target, weight, ignore_index, reduction)
