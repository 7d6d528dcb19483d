"""What every operation on images asks first: is it an image, of what size, batched or not?"""

from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn.autograd import Operator
from minicnn.dtypes import float32, float64
from minicnn.errors import DtypeError, ShapeError
from minicnn.operators.operands import array_of, described
from minicnn.operators.tracing import Traceable


def image_size(x: Any, name: str, filled: int = 3) -> tuple[int, int]:
    """(H, W) of a Tensor or array (N, C, H, W) or (C, H, W).

    Args:
        x: the image.
        name: of the operation, for the message.
        filled: how many of the last dimensions must not be empty.

    Raises:
        TypeError: where it isn't float32 or float64.
        ValueError: for any other number of dimensions, or where one of the `filled` ones is empty.
    """
    shape = image_shape(described(x), name)
    if 0 in shape[len(shape) - filled :]:
        raise ShapeError(f"{name} needs channels and pixels, got input of shape {shape}")
    return shape[-2], shape[-1]


def image_shape(image: Any, name: str) -> tuple[int, ...]:
    """The shape of an image that is `described`.

    Raises:
        TypeError, ValueError: as `image_size`, but any dimension may be empty.
    """
    if not isinstance(image, tuple):
        raise TypeError(f"{name} needs a Tensor or an ndarray, got {image}")
    shape, dtype = image
    if dtype not in (float32, float64):
        raise DtypeError(f"{name} needs float32 or float64, got {dtype}")
    if len(shape) not in (3, 4):
        raise ShapeError(f"{name} needs input of shape (N, C, H, W) or (C, H, W), got {shape}")
    return shape


class First(Traceable, Operator):
    """The only image of a batch that nobody else holds: not a view, as far as programs are concerned."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        return x[0]

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> np.ndarray:
        return g[None]


def batched(operation: Callable, x: Any, view: bool = False) -> Any:
    """`operation` on (N, C, H, W), for an `x` that may lack N.

    Args:
        operation: what to compute.
        x: (N, C, H, W) or (C, H, W).
        view: whether the result without N is a view of the one with it, as that of PyTorch's convolutions is.

    Raises:
        RuntimeError: where there is not enough memory for the result.
    """
    try:
        if array_of(x).ndim == 4:
            return operation(x)
        result = operation(x[None])
    except MemoryError as error:
        raise RuntimeError(f"the result for input of shape {array_of(x).shape} is too large: {error}") from None
    if view:
        return result[0]
    return tuple(map(First.apply, result)) if isinstance(result, tuple) else First.apply(result)
