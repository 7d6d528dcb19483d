"""Chapter 6: the gradient with respect to the weights, and with it the whole backward pass."""

from learn_04 import unfold
from learn_05 import grad_input


def grad_weight(grad_output, x, kernel_size, stride=1, padding=0, dilation=1):
    """The gradient of a convolution with respect to its kernels.

    Args:
        grad_output: the gradient with respect to y, (N, O, OH, OW).
        x: the images, (N, C, H, W).
        kernel_size: K.
        stride, padding, dilation: as in the convolution.

    Returns: the gradient with respect to weight, (O, C, K, K).
    """
    N, O = grad_output.shape[:2]
    C, K = x.shape[1], kernel_size
    columns = unfold(x, K, dilation, padding, stride)  # (N, C·K·K, OH·OW)
    rows = grad_output.reshape(N, O, grad_output.shape[2] * grad_output.shape[3])  # (N, O, OH·OW)
    products = rows @ columns.transpose(0, 2, 1)  # (N, O, OH·OW) @ (N, OH·OW, C·K·K)
    return products.sum(0).reshape(O, C, K, K)


def conv2d_backward(grad_output, x, weight, bias=None, stride: int = 1, padding: int = 0, dilation: int = 1):
    """All gradients of a convolution.

    Args:
        grad_output: the gradient with respect to y, (N, O, OH, OW).
        x, weight, bias, stride, padding, dilation: what the convolution was given.

    Returns: the gradients with respect to x, weight and bias; None for a bias that is None.
    """
    K = weight.shape[2]
    grad_bias = None if bias is None else grad_output.sum((0, 2, 3))
    return (
        grad_input(grad_output, weight, x.shape[2:], stride, padding, dilation),
        grad_weight(grad_output, x, K, stride, padding, dilation),
        grad_bias,
    )
