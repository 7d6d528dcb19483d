"""Wrong gradients of a convolution that are right on paper: blocks, memory, number formats, threads."""

import numpy as np

from minicnn.testing.wrong.mistake import mistake
from minicnn.testing.wrong.parts.convolution import conv2d_grad_weight, conv2d_gradients


@mistake(
    "conv2d", "an input gradient that adds up blocks of 16 output channels and drops those left over", backward=True
)
def tail_of_outputs_dropped(grad_output, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    _, *others = conv2d_gradients(grad_output, x, weight, bias, stride, padding, dilation, groups)
    O = len(weight) // groups
    in_blocks = np.arange(len(weight)) % O < (O - O % 16 if O > 16 else O)
    weight = np.where(in_blocks[:, None, None, None], weight, 0)
    return conv2d_gradients(grad_output, x, weight, None, stride, padding, dilation, groups)[0], *others


@mistake(
    "conv2d", "a weight gradient that races when the batch is large: what the last thread adds is lost", backward=True
)
def weight_gradient_races(grad_output, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    grad_x, grad_weight, grad_bias = conv2d_gradients(grad_output, x, weight, bias, stride, padding, dilation, groups)
    N = len(x)
    if N >= 16:  # each of four threads adds up a quarter, and two of them write at once
        most, options = 3 * N // 4, (weight.shape[2:], stride, padding, dilation, groups)
        grad_weight = conv2d_grad_weight(grad_output[:most], x[:most], *options)
    return grad_x, grad_weight, grad_bias


@mistake("conv2d", "a weight gradient that adds up the images in float16", backward=True)
def weight_gradient_in_float16(grad_output, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    grad_x, _, grad_bias = conv2d_gradients(grad_output, x, weight, bias, stride, padding, dilation, groups)
    total, options = np.zeros(weight.shape, np.float16), (weight.shape[2:], stride, padding, dilation, groups)
    for n in range(len(x)):
        one = conv2d_grad_weight(grad_output[n : n + 1], x[n : n + 1], *options)
        total = total + one.astype(np.float16)
    return grad_x, total.astype(x.dtype), grad_bias


@mistake(
    "conv2d", "a right gradient whose part with respect to the weight is float64 whatever the dtype", backward=True
)
def weight_gradient_in_float64(grad_output, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    grad_x, grad_weight, grad_bias = conv2d_gradients(grad_output, x, weight, bias, stride, padding, dilation, groups)
    return grad_x, grad_weight.astype(np.float64), grad_bias


@mistake("conv2d", "a right bias gradient with a needless axis: (1, O) instead of (O,)", backward=True)
def bias_gradient_as_a_row(grad_output, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    grad_x, grad_weight, grad_bias = conv2d_gradients(grad_output, x, weight, bias, stride, padding, dilation, groups)
    return grad_x, grad_weight, None if grad_bias is None else grad_bias[None]


@mistake("conv2d", "a right gradient that sets the caller's output gradient to zero afterwards", backward=True)
def output_gradient_overwritten(grad_output, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    results = conv2d_gradients(grad_output, x, weight, bias, stride, padding, dilation, groups)
    grad_output[...] = 0
    return results


_before = np.zeros(0)


@mistake("conv2d", "a weight gradient that is added to the one of the call before", backward=True)
def weight_gradient_kept(grad_output, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    global _before
    grad_x, grad_weight, grad_bias = conv2d_gradients(grad_output, x, weight, bias, stride, padding, dilation, groups)
    kept = _before if _before.shape == grad_weight.shape else 0
    _before = (grad_weight + kept).astype(x.dtype)
    return grad_x, _before.copy(), grad_bias
