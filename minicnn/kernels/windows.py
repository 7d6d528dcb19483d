"""Which taps of a window lie inside the image."""

from minicnn.kernels.compile import part


@part
def range_inside(origin, taps, dilation, size):
    """The taps first … last − 1 that lie inside an image of `size` cells."""
    first = 0
    while first < taps and origin + first * dilation < 0:
        first += 1
    last = taps
    while last > first and origin + (last - 1) * dilation >= size:
        last -= 1
    return first, last
