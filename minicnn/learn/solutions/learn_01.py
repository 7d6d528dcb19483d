"""Chapter 1: one window."""


def output_pixel(x, weight, i, j):
    """The output pixel (i, j) of a convolution of one channel, stride 1, no padding.

    Args:
        x: the image, (H, W).
        weight: the kernel, (KH, KW).
        i, j: the pixel's row and column.

    Returns: the sum of x[i + p, j + q] · weight[p, q] over the taps (p, q), a number.
    """
    KH, KW = weight.shape
    total = 0.0
    for p in range(KH):
        for q in range(KW):
            total += x[i + p, j + q] * weight[p, q]
    return total
