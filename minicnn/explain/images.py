"""What a program may give as images and as a place in the output."""

from typing import Any

from minicnn.explain.given import Given, frozen, given
from minicnn.kernels.geometry import integer


def image(x: Any) -> Given:
    """Images (N, C, H, W) out of (N, C, H, W), (C, H, W) or (H, W).

    Raises:
        ValueError: for another number of dimensions.
        TypeError: for what isn't numbers.
    """
    found = given(x, "x")
    shape = found.array.shape
    if not 2 <= len(shape) <= 4:
        raise ValueError(f"x must have shape (N, C, H, W), (C, H, W) or (H, W), got {shape}")
    if len(shape) == 4:
        return found
    whole = (*[1] * (4 - len(shape)), *shape)
    return frozen(found.array.reshape(whole), f"np.reshape({found.code}, {whole})", found.name)


def four_dimensional(x: Any, name: str, shape: str) -> Given:
    """What a program gave with four dimensions, such as a weight.

    Raises:
        ValueError: for another number of dimensions.
        TypeError: for what isn't numbers.
    """
    found = given(x, name)
    if found.array.ndim != 4:
        raise ValueError(f"{name} must have shape {shape}, got {found.array.shape}")
    return found


def position(at: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The element of an output that is explained.

    Args:
        at: its indices, or the last few of them, the others being 0; None for one in the middle.
        shape: of the output.

    Raises:
        TypeError: for what isn't whole numbers.
        ValueError: for an element that isn't there.
    """
    if at is None:
        return (*[0] * (len(shape) - 2), *(size // 2 for size in shape[-2:])) if len(shape) == 4 else (0,) * len(shape)
    try:
        indices = tuple(map(integer, at))
    except TypeError:
        raise TypeError(f"at must be indices of the output, got {at!r}") from None
    whole = (*[0] * (len(shape) - len(indices)), *indices)
    if len(whole) != len(shape) or not all(0 <= i < size for i, size in zip(whole, shape, strict=True)):
        most = ", ".join(str(size - 1) for size in shape)
        raise ValueError(f"at must be an element of the output of shape {shape}, up to ({most}), got {at!r}")
    return whole
