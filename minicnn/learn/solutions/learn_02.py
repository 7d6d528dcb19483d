"""Chapter 2: stride, padding, dilation: where a window lies."""


def output_size(size, kernel, stride=1, padding=0, dilation=1):
    """How many windows fit along one axis.

    Args:
        size: pixels of the image along the axis.
        kernel: taps.
        stride: pixels from one window to the next.
        padding: pixels added at each end.
        dilation: pixels from one tap to the next.

    Returns: the output's size, an int.
    """
    extent = (kernel - 1) * dilation + 1
    return (size + 2 * padding - extent) // stride + 1


def taps(position, size, kernel, stride=1, padding=0, dilation=1):
    """Which pixels the window of one output position sees, along one axis.

    Args:
        position: the output position, from 0.
        size, kernel, stride, padding, dilation: as in `output_size`.

    Returns: a list of (tap, pixel), in the order of the taps, of those taps that lie inside the image.
    """
    origin = position * stride - padding
    found = []
    for tap in range(kernel):
        pixel = origin + tap * dilation
        if 0 <= pixel < size:
            found.append((tap, pixel))
    return found
