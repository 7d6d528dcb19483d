"""Wrong convolutions: channels, groups, images and the bias mixed up."""

import numpy as np

from minicnn.testing.wrong.mistake import mistake
from minicnn.testing.wrong.parts.convolution import conv2d


@mistake("conv2d", "a convolution whose input channels are dealt to the groups in turn instead of in blocks")
def groups_interleaved(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    dealt = np.arange(x.shape[1]).reshape(-1, groups).T.ravel()  # 0, 2, 4, 1, 3, 5 for two groups of three channels
    return conv2d(x[:, dealt], weight, bias, stride, padding, dilation, groups)


@mistake("conv2d", "a convolution whose output channels are dealt to the groups in turn instead of in blocks")
def outputs_interleaved(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    dealt = np.arange(len(weight)).reshape(-1, groups).T.ravel()
    y = np.empty_like(conv2d(x, weight, bias, stride, padding, dilation, groups))
    y[:, dealt] = conv2d(x, weight[dealt], None if bias is None else bias[dealt], stride, padding, dilation, groups)
    return y


@mistake("conv2d", "a convolution all of whose groups read the channels of the first")
def first_group_for_all(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    return conv2d(x[:, : weight.shape[1]], weight, bias, stride, padding, dilation)


@mistake("conv2d", "a convolution that reads its kernel as OHWI, channels last, instead of OIHW")
def kernel_ohwi(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    O, C, KH, KW = weight.shape
    return conv2d(x, weight.reshape(O, KH, KW, C).transpose(0, 3, 1, 2), bias, stride, padding, dilation, groups)


@mistake("conv2d", "a convolution that reads its kernel as IOHW, input channels first, instead of OIHW")
def kernel_iohw(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    O, C, KH, KW = weight.shape
    return conv2d(x, weight.reshape(C, O, KH, KW).swapaxes(0, 1), bias, stride, padding, dilation, groups)


@mistake("conv2d", "a convolution that uses one kernel for all input channels, that of the first")
def kernel_of_first_channel(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    return conv2d(x, np.repeat(weight[:, :1], weight.shape[1], 1), bias, stride, padding, dilation, groups)


@mistake("conv2d", "a convolution that averages over the input channels instead of adding them up")
def mean_of_channels(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    return conv2d(x, (weight / weight.shape[1]).astype(x.dtype), bias, stride, padding, dilation, groups)


@mistake("conv2d", "a convolution that reshapes (O, N, OH, OW) to (N, O, OH, OW) where it has to transpose")
def reshaped_for_transposed(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    y = conv2d(x, weight, bias, stride, padding, dilation, groups)
    return y.swapaxes(0, 1).reshape(y.shape)


@mistake("conv2d", "a convolution that answers every image of a batch with the result of the first")
def first_image_for_all(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    y = conv2d(x[:1], weight, bias, stride, padding, dilation, groups)
    return np.repeat(y, len(x), 0) if len(x) else y


@mistake("conv2d", "a convolution that forgets the bias")
def no_bias(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    return conv2d(x, weight, None, stride, padding, dilation, groups)


@mistake("conv2d", "a convolution that adds the bias by row of the output instead of by output channel")
def bias_per_row(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    y = conv2d(x, weight, None, stride, padding, dilation, groups)
    if bias is not None:
        y += bias[np.arange(y.shape[2]) % len(bias)][:, None]
    return y


@mistake("conv2d", "a convolution that adds the bias twice to the pixels on the border of the output")
def bias_twice_on_border(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    y = conv2d(x, weight, bias, stride, padding, dilation, groups)
    if bias is not None:
        inside = np.zeros(y.shape[2:], bool)
        inside[1:-1, 1:-1] = True
        y += np.where(inside, 0, bias[:, None, None])
    return y


@mistake("conv2d", "a convolution that adds the bias once for every group")
def bias_once_per_group(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    return conv2d(
        x, weight, None if bias is None else bias * bias.dtype.type(groups), stride, padding, dilation, groups
    )
