"""Chapter 15: reading the engine: questions whose answers are functions."""


def window_begin(i, j, stride, padding):
    """Where does the window of output pixel (i, j) begin? (minicnn/kernels/geometry.py)

    Args:
        i, j: the output pixel.
        stride, padding: the same for rows and columns.

    Returns: (row, column) of x, below 0 in the padding.
    """
    return i * stride - padding, j * stride - padding


def steps_in_x(W, C, stride, dilation):
    """By how many elements of x does each loop of a contraction move? (contraction.py: Reach, Pixels)

    Args:
        W: columns of x, (N, H, W, C) in row-major order.
        C: channels, one group.
        stride, dilation: the same for rows and columns.

    Returns: a dict of "i", "j" (output rows and columns), "p", "q" (rows and columns of the kernel), "c" and "o".
    """
    row = W * C
    return {"i": stride * row, "j": stride * C, "p": dilation * row, "q": dilation * C, "c": 1, "o": 0}


def row_run(KW, C):
    """How many numbers of x, side by side in memory, does one kernel row see? (implicit.py, its docstring)

    Args:
        KW: columns of the kernel.
        C: channels.

    Returns: an int, for channels-last memory.
    """
    return KW * C


def phases(kernel, stride):
    """How many taps reach the pixels of each phase in the gradient with respect to x? (rewrites.py: phases)

    Along one axis, without padding: tap p reaches pixel a of x if a − p is a multiple of the stride.

    Args:
        kernel: taps along the axis.
        stride: along the axis.

    Returns: a list of `stride` counts, for the pixels a with remainder 0, 1, … (far from the border).
    """
    return [len(range(remainder, kernel, stride)) for remainder in range(stride)]


def neighbours(outputs, lanes):
    """How many neighbouring output pixels can share a vector? (rewrites.py: merge_pixels)

    Args:
        outputs: output channels, O, which lie side by side in y.
        lanes: numbers that a vector holds.

    Returns: the largest m with m · O ≤ lanes, at least 1.
    """
    return max(lanes // outputs, 1)


def seen(neighbours, KW, stride):
    """How many columns of x do m neighbouring output pixels of a row see between them? (rewrites.py: merge_pixels)

    Args:
        neighbours: m.
        KW: columns of the kernel.
        stride: along the row.

    Returns: an int, dilation 1.
    """
    return KW + (neighbours - 1) * stride


def through_images(pixels, images):
    """Do lines run through the images, rather than along the rows? (schedule.py: schedule_of)

    Args:
        pixels: output pixels of a row.
        images: of a thread, 8 or more.

    Returns: True or False.
    """
    return pixels < 16 and images > pixels


def sums(rows, vectors, lanes):
    """How many sums does a tile of the micro-kernel keep in registers? (microkernel.py: tiles)

    Args:
        rows: output pixels of the tile.
        vectors: vectors of output channels.
        lanes: numbers that a vector holds.

    Returns: an int.
    """
    return rows * vectors * lanes
