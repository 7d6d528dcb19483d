"""What every operation on images asks first: is it an image, of what size, batched or not?"""

from collections.abc import Callable
from typing import Any

from minicnn.dtypes import float32, float64
from minicnn.operators.operands import array_of, described


def image_size(x: Any, name: str) -> tuple[int, int]:
    """(H, W) of a Tensor or array (N, C, H, W) or (C, H, W).

    Raises:
        TypeError: where it isn't float32 or float64.
        ValueError: for any other number of dimensions, or no channels or cells.
    """
    return size_of(described(x), name)


def size_of(image: Any, name: str) -> tuple[int, int]:
    """`image_size` of what is `described`."""
    if not isinstance(image, tuple):
        raise TypeError(f"{name} needs a Tensor or an ndarray, got {image}")
    shape, dtype = image
    if dtype not in (float32, float64):
        raise TypeError(f"{name} needs float32 or float64, got {dtype}")
    if len(shape) not in (3, 4):
        raise ValueError(f"{name} needs input of shape (N, C, H, W) or (C, H, W), got {shape}")
    if 0 in shape[-3:]:
        raise ValueError(f"{name} needs channels and cells, got input of shape {shape}")
    return shape[-2], shape[-1]


def batched(operation: Callable, x: Any) -> Any:
    """`operation` on (N, C, H, W), for an `x` that may lack N."""
    if array_of(x).ndim == 4:
        return operation(x)
    result = operation(x[None])
    return type(result)(r[0] for r in result) if isinstance(result, tuple) else result[0]
