"""pad: cells added around a tensor."""

from typing import Any

import numpy as np

from minicnn.autograd import Operator
from minicnn.operators.operands import array_of

MODES = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


class Pad(Operator):
    """x between constant cells or copies of its own; a copied cell sends its gradient to the original."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, widths: tuple, mode: Any, value: float) -> np.ndarray:
        crop = tuple(slice(max(-a, 0), s - max(-b, 0)) for s, (a, b) in zip(x.shape, widths, strict=True))
        ctx.crop, ctx.shape, ctx.mode = crop, x.shape, mode
        ctx.widths = tuple((max(a, 0), max(b, 0)) for a, b in widths)
        if mode == "constant":
            return np.pad(x[crop], ctx.widths, constant_values=value)
        return np.pad(x[crop], ctx.widths, mode=mode)

    @staticmethod
    def backward(ctx: Any, g: np.ndarray) -> tuple:
        grad_input = np.zeros(ctx.shape, g.dtype)
        inside = grad_input[ctx.crop]
        for axis, (before, after) in enumerate(ctx.widths):
            size = inside.shape[axis]
            if not before and not after:
                continue
            middle = np.take(g, np.arange(before, before + size), axis)
            if ctx.mode != "constant":
                origin = np.pad(np.arange(size), (before, after), mode=ctx.mode)
                added = [k for k in range(size + before + after) if not before <= k < before + size]
                lines = np.moveaxis(middle, axis, 0)
                for k in added:
                    lines[origin[k]] += np.take(g, k, axis)
            g = middle
        grad_input[ctx.crop] = g
        return grad_input, None, None, None


def pad(input: Any, pad: Any, mode: str = "constant", value: float | None = None) -> Any:
    """`input` with cells added, or with negative numbers removed, on both sides of its last dimensions.

    Args:
        input: any shape for "constant"; for the other modes (N, C, H, W) or (C, H, W), or one dimension less.
        pad: (before, after) of the last dimension, then of the one before it, and so on.
        mode: "constant", "reflect" (without the border), "replicate" (of the border) or "circular".
        value: what "constant" adds; 0 if None.

    Returns: a Tensor with the sizes of those dimensions changed.

    Raises:
        ValueError: for an odd or too large number of widths, an unknown mode, or widths the mode can't fill.
        TypeError: for widths that aren't ints.
    """
    shape = array_of(input).shape
    widths = tuple(pad)
    if not all(isinstance(w, (int, np.integer)) and not isinstance(w, bool) for w in widths):
        raise TypeError(f"pad must hold ints, got {pad!r}")
    if len(widths) % 2 or len(widths) > 2 * len(shape):
        raise ValueError(f"pad needs a pair for each of at most {len(shape)} dimensions, got {pad!r}")
    if mode not in MODES:
        raise ValueError(f"mode must be one of {', '.join(MODES)}, got {mode!r}")
    if mode != "constant":
        if value is not None and value != 0:
            raise ValueError(f"padding mode {mode!r} doesn't take in a value argument")
        dims = len(widths) // 2
        if dims not in (1, 2) or len(shape) not in (dims + 1, dims + 2):
            raise ValueError(f"{mode} padding needs (N, C, …) with {dims} dimensions to pad, got shape {tuple(shape)}")
    pairs = [(0, 0)] * len(shape)
    for k in range(len(widths) // 2):
        pairs[-1 - k] = (int(widths[2 * k]), int(widths[2 * k + 1]))
    for size, (before, after) in zip(shape, pairs, strict=True):
        most = {"reflect": size - 1, "circular": size}.get(mode, max(before, after))
        if size + before + after < (0 if mode == "constant" else 1) or max(before, after) > most:
            raise ValueError(f"pad {tuple(widths)} does not fit input of shape {tuple(shape)} in mode {mode!r}")
        if -min(before, 0) - min(after, 0) > size:
            raise ValueError(f"pad {tuple(widths)} removes more than shape {tuple(shape)} has")
    return Pad.apply(input, tuple(pairs), MODES[mode], 0.0 if value is None else value)
