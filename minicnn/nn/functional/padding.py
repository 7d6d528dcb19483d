"""pad: elements added around a tensor."""

import functools
import math
from types import SimpleNamespace
from typing import Any

import numpy as np

from minicnn import kernels
from minicnn.autograd import Operator
from minicnn.errors import ShapeError
from minicnn.kernels.geometry import INT64, integer
from minicnn.operators.operands import array_of

MODES = ("constant", "reflect", "replicate", "circular")


class Pad(Operator):
    """x with its axes padded or cut; an element that came from x sends its gradient there."""

    hands_over = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, pairs: dict[int, tuple[int, int]], mode: str, value: Any) -> np.ndarray:
        ctx.pairs, ctx.mode, ctx.shape = pairs, mode, x.shape
        ctx.freezes = mode in ("reflect", "replicate")
        result = tuple(size + sum(pairs.get(axis, ())) for axis, size in enumerate(x.shape))
        y = np.empty(result, x.dtype)  # first of all, since it shows whether there is memory enough
        if mode == "constant" or not y.size:
            crop, inside = _common(x.shape, pairs)
            y[...] = value
            y[inside] = x[crop]
            return y
        ctx.padding = _padding(x.shape, x.strides, tuple(pairs.items()), mode)
        return ctx.padding.forward(x)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> np.ndarray:
        if ctx.mode == "constant" or not g.size:
            crop, inside = _common(ctx.shape, ctx.pairs)
            by_x = np.zeros(ctx.shape, g.dtype)
            by_x[crop] = g[inside]
            return by_x
        return ctx.padding.backward(g)

    @staticmethod
    def again(ctx: Any, x: np.ndarray) -> np.ndarray:
        return Pad.forward(SimpleNamespace(), x, ctx.pairs, ctx.mode, 0)


@functools.lru_cache(maxsize=1024)
def _padding(shape: tuple[int, ...], strides: tuple[int, ...], pairs: tuple, mode: str) -> Any:
    """How arrays of a shape and memory order are padded."""
    places = {axis: origins(mode, shape[axis], *sides) for axis, sides in pairs}
    return kernels.padding.Padding(shape, strides, places)


def _common(shape: tuple[int, ...], pairs: dict[int, tuple[int, int]]) -> tuple[tuple, tuple]:
    """Where what x and y have in common lies in x, and where in y."""
    sides = [(size, *pairs.get(axis, (0, 0))) for axis, size in enumerate(shape)]
    crop = tuple(slice(max(-before, 0), size - max(-after, 0)) for size, before, after in sides)
    inside = tuple(slice(max(before, 0), size + before + min(after, 0)) for size, before, after in sides)
    return crop, inside


def origins(mode: str, size: int, before: int, after: int) -> np.ndarray:
    """Where each element of a padded axis comes from; −1 for nowhere."""
    places = np.arange(-before, size + after)
    if mode == "reflect":
        return size - 1 - abs(size - 1 - abs(places))
    if mode == "replicate":
        return places.clip(0, size - 1)
    places[(places < 0) | (places >= size)] = -1
    if mode == "constant":
        return places
    # circular: a copy of the other end of the padded axis, where nothing is that was cut off
    left, right = max(before, 0), len(places) - max(after, 0)
    if before > 0:
        places[:left] = places[right - left : right].copy()
    if after > 0:
        places[right:] = places[left : left + after].copy()
    return places


def _check(shape: tuple[int, ...], pairs: dict[int, tuple[int, int]], mode: str) -> None:
    """Raise ValueError unless `mode` can pad or cut the axes by (before, after)."""
    for axis, (before, after) in pairs.items():
        size = shape[axis]
        kept = size + min(before, 0) + min(after, 0)
        most = {"reflect": size - 1, "circular": size}.get(mode, INT64)
        least = 1 if mode in ("reflect", "replicate") else 0
        if size + before + after < least or max(before, after) > most:
            raise ShapeError(f"pad {(before, after)} of dimension {axis} does not fit shape {shape} in mode {mode!r}")
        if kept < 0 and (mode == "constant" or (mode == "circular" and size + before + after)):
            raise ShapeError(f"pad {(before, after)} of dimension {axis} removes more than shape {shape} has")
        if mode == "circular" and 0 < kept < max(before, after) and math.prod(shape[:axis]) == 1:
            raise ShapeError(
                f"circular padding {(before, after)} of dimension {axis} needs more than the {kept} elements it leaves "
                f"of shape {shape}"
            )


def _value(value: Any, dtype: np.dtype) -> Any:
    """`value` in `dtype`.

    Raises:
        TypeError: for what isn't a real number.
        RuntimeError: for a number that `dtype` can't hold.
    """
    number = array_of(value)
    if isinstance(number, (str, bytes, complex)):
        raise TypeError(f"value must be a number, got {value!r}")
    number = float(number)
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        fits = limits.min <= number <= limits.max and number < 2.0**63
    else:
        fits = dtype.kind == "b" or not math.isfinite(number) or abs(number) <= float(np.finfo(dtype).max)
    if not fits:
        raise RuntimeError(f"value {value} cannot be converted to type {dtype} without overflow")
    return dtype.type(number)


def pad(input: Any, pad: Any, mode: str = "constant", value: float | None = None) -> Any:
    """`input` with elements added, or with negative numbers removed, on both sides of its last dimensions.

    Args:
        input: any shape for "constant"; for the other modes (N, C, …) or (C, …), where … are the one, two or three
            dimensions to pad, and only N may be 0 ("circular": C too).
        pad: (before, after) of the last dimension, then of the one before it, and so on.
        mode: "constant", "reflect" (without the border), "replicate" (of the border) or "circular".
        value: what "constant" adds; 0 if None.

    Returns: a Tensor with the sizes of those dimensions changed. Where "circular" cuts one side and pads the other with
        more than is left, there are zeros (PyTorch leaves memory as it finds it).

    Raises:
        ValueError: for an odd or too large number of widths, an unknown mode, or widths the mode can't fill.
        TypeError: for widths that aren't ints, integers or booleans where a mode doesn't take them, or a value that is
            no number.
        RuntimeError: for a value that the dtype can't hold, or a result too large for the memory.
    """
    array = array_of(input)
    shape = tuple(array.shape)
    if not isinstance(pad, (tuple, list)):
        raise TypeError(f"pad must be a tuple of ints, got {pad!r}")
    try:
        widths = [integer(width) for width in pad]
    except TypeError:
        raise TypeError(f"pad must hold ints, got {pad!r}") from None
    if len(widths) % 2 or len(widths) > 2 * len(shape):
        raise ShapeError(f"pad needs a pair for each of at most {len(shape)} dimensions, got {pad!r}")
    if max(map(abs, widths), default=0) > INT64 - max(shape, default=0):
        raise ShapeError(f"pad must be less than {INT64}, got {pad!r}")
    if mode not in MODES:
        raise ValueError(f"mode must be one of {', '.join(MODES)}, got {mode!r}")
    dims = len(widths) // 2
    if mode != "constant":
        if value is not None and value != 0:
            raise ShapeError(f"padding mode {mode!r} doesn't take in a value argument")
        if dims not in (1, 2, 3) or len(shape) not in (dims + 1, dims + 2):
            raise ShapeError(f"{mode} padding needs (N, C, …) with one to three dimensions to pad, got shape {shape}")
        if mode != "circular" and array.dtype == np.bool_:
            raise TypeError(f"{mode} padding doesn't take booleans")
        if mode != "circular" and 0 in shape[len(shape) - dims - 1 :]:
            raise ShapeError(f"{mode} padding needs channels and elements, got input of shape {shape}")
    pairs = {len(shape) - 1 - k: (widths[2 * k], widths[2 * k + 1]) for k in range(dims)}
    _check(shape, pairs, mode)
    fill = _value(0 if value is None else value, array.dtype)
    try:
        return Pad.apply(input, pairs, mode, fill)
    except MemoryError as error:
        raise RuntimeError(f"the result of pad {tuple(widths)} for shape {shape} is too large: {error}") from None
