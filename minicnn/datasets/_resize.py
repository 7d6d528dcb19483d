"""Resizing is a matrix product: each output row is a weighted sum of input rows, and so are the columns.

The weights are those of Pillow's and torchvision's antialiased bilinear filter: a triangle around the
centre of the output pixel, as wide as one output pixel is in the input, but never narrower than one
input pixel.
"""

import numpy as np

FIXED_POINT = 2.0**22  # Pillow's weights for bytes are integers with this denominator


def bilinear_weights(size: int, output_size: int) -> np.ndarray:
    """The matrix that resizes one axis.

    Args:
        size: the number of input pixels.
        output_size: the number of output pixels.

    Returns: float64 weights (output_size, size); each row sums to one.
    """
    scale = size / output_size
    support = max(scale, 1.0)
    centre = ((np.arange(output_size) + 0.5) * scale)[:, None]
    first = np.maximum((centre - support + 0.5).astype(np.int64), 0)
    end = np.minimum((centre + support + 0.5).astype(np.int64), size)
    pixel = np.arange(size)
    triangle = 1.0 - np.abs((pixel - centre + 0.5) * (1.0 / support))
    weights = np.where((first <= pixel) & (pixel < end), np.maximum(triangle, 0.0), 0.0)
    return weights / weights.cumsum(axis=1)[:, -1:]  # summed from left to right, as Pillow does


def resize_bilinear(images: np.ndarray, output_size: tuple[int, int]) -> np.ndarray:
    """Resize a batch of images, first their width and then their height.

    Bytes come out exactly as Pillow's BILINEAR makes them in these two steps: its integer arithmetic is
    repeated in float64, where sums of integers below 2⁵³ are exact. Pillow's single step does the same, but
    from version 13 on may begin with the height, and then a byte can differ by one.

    Args:
        images: (N, H, W, ...), uint8, float32 or float64.
        output_size: (OH, OW).

    Returns: (N, OH, OW, ...) of the same dtype.
    """
    OH, OW = output_size
    return _resize_axis(_resize_axis(images, 2, OW), 1, OH)


def _resize_axis(images: np.ndarray, axis: int, output_size: int) -> np.ndarray:
    weights = bilinear_weights(images.shape[axis], output_size)
    if images.dtype == np.uint8:
        sums = np.tensordot(images, np.floor(weights * FIXED_POINT + 0.5), (axis, 1))
        return np.moveaxis(np.floor(sums / FIXED_POINT + 0.5).astype(np.uint8), -1, axis)
    before, after = images.shape[:axis], images.shape[axis + 1 :]
    # One product for each image: one for all of them could round an image differently from batch to batch.
    matrices = np.ascontiguousarray(images).reshape(*before, images.shape[axis], -1)
    return (weights.astype(images.dtype) @ matrices).reshape(*before, output_size, *after)
