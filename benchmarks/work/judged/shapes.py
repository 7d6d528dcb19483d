"""Linear, relu, pad, unfold, fold and the transposed convolution in a few lines of NumPy each."""

from typing import Any

import numpy as np

from benchmarks.work.judged.window import Pair, pair


def linear(x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None = None) -> np.ndarray:
    """x (…, I) @ weight (O, I)ᵀ + bias (O,)"""
    y = x @ weight.T
    return y if bias is None else y + bias


def linear_backward(
    grad_output: np.ndarray, x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """The gradients with respect to x, weight and bias."""
    rows, g = x.reshape(-1, x.shape[-1]), grad_output.reshape(-1, grad_output.shape[-1])
    return grad_output @ weight, g.T @ rows, None if bias is None else g.sum(0)


def relu(x: np.ndarray) -> np.ndarray:
    """max(x, 0)"""
    return np.maximum(x, 0)


def relu_backward(grad_output: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The gradient with respect to x; 0 at 0."""
    return np.where(x > 0, grad_output, np.zeros((), x.dtype))


def pad(x: np.ndarray, pad: tuple[int, ...], mode: str = "constant", value: float | None = None) -> np.ndarray:
    """x with its last dimensions made larger, the last first; negative numbers cut."""
    pairs = [(0, 0)] * (x.ndim - len(pad) // 2) + list(zip(pad[::2], pad[1::2], strict=True))[::-1]
    cut = tuple(slice(max(-a, 0), size - max(-b, 0)) for (a, b), size in zip(pairs, x.shape, strict=True))
    ways: dict[str, Any] = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}
    grown = [(max(a, 0), max(b, 0)) for a, b in pairs]
    if mode == "constant":
        return np.pad(x[cut], grown, constant_values=0 if value is None else value)
    return np.pad(x[cut], grown, mode=ways[mode])


def _taps(size: tuple[int, int], kernel_size: Pair, dilation: Pair, padding: Pair, stride: Pair) -> tuple:
    """The rows (KH, OH) and columns (KW, OW) of the padded image that every tap sees."""
    index = []
    options = zip(size, *(pair(value) for value in (kernel_size, dilation, padding, stride)), strict=True)
    for pixels, k, d, p, s in options:
        count = (pixels + 2 * p - (k - 1) * d - 1) // s + 1
        index.append(np.arange(k)[:, None] * d + np.arange(count) * s)
    return index[0], index[1]


def unfold(x: np.ndarray, kernel_size: Pair, dilation: Pair = 1, padding: Pair = 0, stride: Pair = 1) -> np.ndarray:
    """The windows of x (N, C, H, W) as columns (N, C·KH·KW, OH·OW)."""
    above, left = pair(padding)
    padded = np.pad(x, [(0, 0)] * (x.ndim - 2) + [(above, above), (left, left)])
    rows, columns = _taps((x.shape[-2], x.shape[-1]), kernel_size, dilation, padding, stride)
    patches = padded[..., rows[:, None, :, None], columns[None, :, None, :]]  # (N, C, KH, KW, OH, OW)
    *batch, C, KH, KW, OH, OW = patches.shape
    return patches.reshape(*batch, C * KH * KW, OH * OW)


def fold(
    x: np.ndarray,
    output_size: Pair,
    kernel_size: Pair,
    dilation: Pair = 1,
    padding: Pair = 0,
    stride: Pair = 1,
) -> np.ndarray:
    """Columns (N, C·KH·KW, OH·OW) added up in the images (N, C, H, W) that they are windows of."""
    (H, W), (above, left), (KH, KW) = pair(output_size), pair(padding), pair(kernel_size)
    rows, columns = _taps((H, W), kernel_size, dilation, padding, stride)
    patches = x.reshape(*x.shape[:-2], x.shape[-2] // (KH * KW), KH, KW, rows.shape[1], columns.shape[1])
    image = np.zeros((*patches.shape[:-4], H + 2 * above, W + 2 * left), x.dtype)
    for p in range(KH):
        for q in range(KW):
            image[..., rows[p][:, None], columns[q]] += patches[..., p, q, :, :]
    return image[..., above : above + H, left : left + W]


def conv_transpose2d(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray | None = None,
    stride: Pair = 1,
    padding: Pair = 0,
    output_padding: Pair = 0,
    groups: int = 1,
    dilation: Pair = 1,
) -> np.ndarray:
    """y (N, O, OH, OW) from x (N, C, H, W) and weight (C, O/groups, KH, KW): every pixel sends its kernel out."""
    N, C, H, W = x.shape
    _, OG, KH, KW = weight.shape
    (down, right), (above, left), (d, e), extra = (pair(v) for v in (stride, padding, dilation, output_padding))
    wide = ((H - 1) * down + (KH - 1) * d + 1 + extra[0], (W - 1) * right + (KW - 1) * e + 1 + extra[1])
    y = np.zeros((N, groups, OG, *wide), x.dtype)
    images = x.reshape(N, groups, C // groups, H, W)
    kernels = weight.reshape(groups, C // groups, OG, KH, KW)
    for p in range(KH):
        for q in range(KW):
            sent = np.einsum("ngcij,gco->ngoij", images, kernels[..., p, q])
            rows, columns = (
                slice(p * d, p * d + (H - 1) * down + 1, down),
                slice(q * e, q * e + (W - 1) * right + 1, right),
            )
            y[..., rows, columns] += sent
    y = y.reshape(N, groups * OG, *wide)[:, :, above : wide[0] - above, left : wide[1] - left]
    return y if bias is None else y + bias[:, None, None]
