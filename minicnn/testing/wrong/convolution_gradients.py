"""Wrong gradients of a convolution: col2im, flips, crops, and sums over the wrong things."""

from minicnn.testing.wrong.mistake import mistake
from minicnn.testing.wrong.overlaps import assigned_over, averaged_over
from minicnn.testing.wrong.parts.convolution import (
    bias_gradient,
    conv2d_grad_input,
    conv2d_grad_weight,
    conv2d_gradients,
    grad_patches,
)
from minicnn.testing.wrong.parts.windows import added_up, cropped, padded, padding_widths, pair


@mistake(
    "conv2d",
    "an input gradient that is put together with = for += in col2im: where windows overlap, one wins",
    backward=True,
)
def assigned_in_col2im(grad_output, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    _, *others = conv2d_gradients(grad_output, x, weight, bias, stride, padding, dilation, groups)
    patches, widths = grad_patches(grad_output, weight, groups), padding_widths(padding, weight.shape[2:], dilation)
    whole = [length + sum(added) for length, added in zip(x.shape[2:], widths, strict=True)]
    return cropped(assigned_over(patches, whole, stride, dilation), widths).astype(x.dtype), *others


@mistake("conv2d", "an input gradient that is averaged instead of added up where windows overlap", backward=True)
def averaged_in_col2im(grad_output, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    _, *others = conv2d_gradients(grad_output, x, weight, bias, stride, padding, dilation, groups)
    patches, widths = grad_patches(grad_output, weight, groups), padding_widths(padding, weight.shape[2:], dilation)
    whole = [length + sum(added) for length, added in zip(x.shape[2:], widths, strict=True)]
    return cropped(averaged_over(patches, whole, stride, dilation), widths).astype(x.dtype), *others


@mistake(
    "conv2d",
    "an input gradient whose kernel is flipped once too often, or once too little",
    backward=True,
)
def kernel_flipped_once_more(grad_output, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    _, *others = conv2d_gradients(grad_output, x, weight, bias, stride, padding, dilation, groups)
    flipped = weight[:, :, ::-1, ::-1]
    return conv2d_grad_input(grad_output, x.shape[2:], flipped, stride, padding, dilation, groups), *others


@mistake(
    "conv2d",
    "an input gradient for which the kernel's input and output channels are reshaped, not transposed",
    backward=True,
)
def channels_reshaped(grad_output, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    _, *others = conv2d_gradients(grad_output, x, weight, bias, stride, padding, dilation, groups)
    O, C, KH, KW = weight.shape
    mixed = weight.reshape(groups, C, O // groups, KH, KW).swapaxes(1, 2).reshape(weight.shape)
    return conv2d_grad_input(grad_output, x.shape[2:], mixed, stride, padding, dilation, groups), *others


@mistake(
    "conv2d",
    "an input gradient that loses the pixels left over under the stride: it is smaller than the input",
    backward=True,
)
def remainder_lost(grad_output, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    grad_x, *others = conv2d_gradients(grad_output, x, weight, bias, stride, padding, dilation, groups)
    widths = padding_widths(padding, weight.shape[2:], dilation)
    spans = [(k - 1) * d + 1 for k, d in zip(weight.shape[2:], pair(dilation), strict=True)]
    lengths = [
        (outputs - 1) * s + span - sum(added)
        for outputs, s, span, added in zip(grad_output.shape[2:], pair(stride), spans, widths, strict=True)
    ]
    return grad_x[:, :, : max(lengths[0], 0), : max(lengths[1], 0)], *others


@mistake("conv2d", "an input gradient cut out by [P:-P], which leaves nothing where the padding is 0", backward=True)
def cut_by_minus_padding(grad_output, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    grad_x, *others = conv2d_gradients(grad_output, x, weight, bias, stride, padding, dilation, groups)
    (_, below), (_, right) = padding_widths(padding, weight.shape[2:], dilation)
    return grad_x[:, :, : None if below else 0, : None if right else 0], *others


@mistake(
    "conv2d", "an input gradient cut out at the corner of the padded image instead of behind the padding", backward=True
)
def cut_at_the_corner(grad_output, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    _, *others = conv2d_gradients(grad_output, x, weight, bias, stride, padding, dilation, groups)
    (above, below), (left, right) = padding_widths(padding, weight.shape[2:], dilation)
    H, W = x.shape[2:]
    whole = H + above + below, W + left + right
    patches = grad_patches(grad_output, weight, groups)
    return added_up(patches, whole, stride, dilation)[:, :, :H, :W].astype(x.dtype), *others


@mistake("conv2d", "an input gradient that spreads the output's gradient without the dilation", backward=True)
def spread_without_dilation(grad_output, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    _, *others = conv2d_gradients(grad_output, x, weight, bias, stride, padding, dilation, groups)
    widths = padding_widths(padding, weight.shape[2:], dilation)
    whole = [length + sum(added) for length, added in zip(x.shape[2:], widths, strict=True)]
    grad_x = added_up(grad_patches(grad_output, weight, groups), whole, stride)
    return cropped(grad_x, widths).astype(x.dtype), *others


@mistake("conv2d", 'an input gradient of padding="same" that takes the odd pixel to be in front', backward=True)
def odd_pixel_in_front(grad_output, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    grad_x, *others = conv2d_gradients(grad_output, x, weight, bias, stride, padding, dilation, groups)
    if padding == "same":
        (above, below), (left, right) = padding_widths("same", weight.shape[2:], dilation)
        H, W = x.shape[2:]
        whole = added_up(grad_patches(grad_output, weight, groups), (H + above + below, W + left + right), 1, dilation)
        grad_x = cropped(whole, ((below, above), (right, left))).astype(x.dtype)
    return grad_x, *others


@mistake("conv2d", "a weight gradient that comes out flipped in both directions", backward=True)
def weight_gradient_flipped(grad_output, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    grad_x, grad_weight, grad_bias = conv2d_gradients(grad_output, x, weight, bias, stride, padding, dilation, groups)
    return grad_x, grad_weight[:, :, ::-1, ::-1].copy(), grad_bias


@mistake(
    "conv2d",
    "a weight gradient that slides the output's gradient over x without spreading it by the stride",
    backward=True,
)
def weight_gradient_without_stride(grad_output, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    grad_x, _, grad_bias = conv2d_gradients(grad_output, x, weight, bias, stride, padding, dilation, groups)
    OH, OW = grad_output.shape[2:]
    spans = [(k - 1) * d + n for k, d, n in zip(weight.shape[2:], pair(dilation), (OH, OW), strict=True)]
    seen = padded(x, padding_widths(padding, weight.shape[2:], dilation))[:, :, : spans[0], : spans[1]]
    return grad_x, conv2d_grad_weight(grad_output, seen, weight.shape[2:], 1, 0, dilation, groups), grad_bias


@mistake("conv2d", "a weight gradient that counts the rows and columns next to the padding for nothing", backward=True)
def weight_gradient_without_border(grad_output, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    grad_x, _, grad_bias = conv2d_gradients(grad_output, x, weight, bias, stride, padding, dilation, groups)
    widths, inner = padding_widths(padding, weight.shape[2:], dilation), x.copy()
    (above, below), (left, right) = widths
    inner[:, :, :above] = inner[:, :, x.shape[2] - below :] = 0
    inner[..., :left] = inner[..., x.shape[3] - right :] = 0
    return (
        grad_x,
        conv2d_grad_weight(grad_output, inner, weight.shape[2:], stride, padding, dilation, groups),
        grad_bias,
    )


@mistake("conv2d", "a weight gradient that leaves out the last row of the output", backward=True)
def weight_gradient_without_last_row(grad_output, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    grad_x, _, grad_bias = conv2d_gradients(grad_output, x, weight, bias, stride, padding, dilation, groups)
    rest = grad_output.copy()
    rest[:, :, -1] = 0
    return grad_x, conv2d_grad_weight(rest, x, weight.shape[2:], stride, padding, dilation, groups), grad_bias


@mistake("conv2d", "a weight gradient of half the batch", backward=True)
def weight_gradient_of_half_the_batch(grad_output, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    grad_x, _, grad_bias = conv2d_gradients(grad_output, x, weight, bias, stride, padding, dilation, groups)
    half = (len(x) + 1) // 2
    options = weight.shape[2:], stride, padding, dilation, groups
    return grad_x, conv2d_grad_weight(grad_output[:half], x[:half], *options), grad_bias


@mistake("conv2d", "a weight gradient divided by the number of images", backward=True)
def weight_gradient_divided_by_n(grad_output, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    grad_x, grad_weight, grad_bias = conv2d_gradients(grad_output, x, weight, bias, stride, padding, dilation, groups)
    return grad_x, (grad_weight / max(len(x), 1)).astype(x.dtype), grad_bias


@mistake(
    "conv2d",
    "a weight gradient of grouped channels that is right in the first group and zero in the others",
    backward=True,
)
def weight_gradient_of_first_group(grad_output, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    grad_x, grad_weight, grad_bias = conv2d_gradients(grad_output, x, weight, bias, stride, padding, dilation, groups)
    grad_weight[len(weight) // groups :] = 0
    return grad_x, grad_weight, grad_bias


@mistake("conv2d", "a bias gradient that is averaged over the output pixels instead of added up", backward=True)
def bias_gradient_averaged(grad_output, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    grad_x, grad_weight, grad_bias = conv2d_gradients(grad_output, x, weight, bias, stride, padding, dilation, groups)
    OH, OW = grad_output.shape[2:]
    return grad_x, grad_weight, None if grad_bias is None else (grad_bias / (OH * OW)).astype(x.dtype)


@mistake("conv2d", "a bias gradient of the first image alone", backward=True)
def bias_gradient_of_first_image(grad_output, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    grad_x, grad_weight, _ = conv2d_gradients(grad_output, x, weight, bias, stride, padding, dilation, groups)
    return grad_x, grad_weight, bias_gradient(grad_output[:1], bias)
