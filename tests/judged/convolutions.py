"""Functions for the judge's tests: a right conv2d, and wrong ones written without a look at the corpus."""

import ctypes
import sys
import time

import numpy as np


def pads_of(weight, padding, dilation):
    """((top, bottom), (left, right)) of padding."""
    if padding == "same":
        spans = [(size - 1) * d for size, d in zip(weight.shape[2:], np.broadcast_to(dilation, 2), strict=True)]
        return [(span // 2, span - span // 2) for span in spans]
    return [(p, p) for p in np.broadcast_to(0 if padding == "valid" else padding, 2)]


def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1, pads=None):
    (SH, SW), (DH, DW) = np.broadcast_to(stride, 2), np.broadcast_to(dilation, 2)
    O, C, KH, KW = weight.shape
    padded = np.pad(x, ((0, 0), (0, 0), *(pads or pads_of(weight, padding, dilation))))
    spans = ((KH - 1) * DH + 1, (KW - 1) * DW + 1)
    windows = np.lib.stride_tricks.sliding_window_view(padded, spans, (2, 3))[:, :, ::SH, ::SW, ::DH, ::DW]
    windows = windows.reshape(len(x), groups, C, *windows.shape[2:])
    kernels = weight.reshape(groups, O // groups, C, KH, KW)
    y = np.einsum("ngcijpq,gocpq->ngoij", windows, kernels)
    y = y.reshape(len(x), O, *y.shape[3:])
    return (y if bias is None else y + bias[:, None, None]).astype(x.dtype)


def flipped(x, weight, bias=None, stride=1, padding=0):
    return conv2d(x, weight[:, :, ::-1, ::-1], bias, stride, padding)


def odd_pixel_first(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    pads = [pair[::-1] for pair in pads_of(weight, padding, dilation)]
    return conv2d(x, weight, bias, stride, padding, dilation, groups, pads)


def width_stride_from_height(x, weight, stride=1):
    return conv2d(x, weight, stride=np.broadcast_to(stride, 2)[0])


def fourth_image_forgotten(x, weight):
    y = conv2d(x, weight)
    y[3:4] = 0
    return y


def wrong_beyond_64_columns(x, weight, padding=0):
    y = conv2d(x, weight, padding=padding)
    y[..., 62:] *= 2
    return y


def overwrites_its_input(x, weight):
    y = conv2d(x, weight)
    np.copyto(x, 0, where=x > 3)
    return y


def peeks(x, weight):
    """Look for an answer in the frames of whoever calls."""
    frame = sys._getframe()
    while frame is not None:
        for value in frame.f_locals.values():
            if hasattr(value, "values") and isinstance(getattr(value, "values", None), dict) and "y" in value.values:
                return value.values["y"].astype(x.dtype)
        frame = frame.f_back
    return np.zeros((1, 1, 1, 1), x.dtype)


def exits(x, weight):
    sys.exit(3)


def breaks(x, weight):
    if len(x) > 2:
        ctypes.string_at(0)
    return conv2d(x, weight)


def hangs(x, weight):
    while len(x) > 2:
        time.sleep(0.01)
    return conv2d(x, weight)


def takes_all_memory(x, weight):
    return np.ones(2**36, x.dtype)


def nothing(x, weight):
    conv2d(x, weight)


def without_the_border(x, weight):
    return conv2d(x, weight)[..., 1:]


def half(x, weight):
    return conv2d(x, weight).astype(np.float16)


def a_list(x, weight):
    return conv2d(x, weight).tolist()


def a_masked_array(x, weight):
    return np.ma.masked_array(conv2d(x, weight))


def one_buffer(x, weight, buffer=np.zeros(2**16)):  # noqa: B008
    y = conv2d(x, weight)
    view = buffer.view(x.dtype)[: y.size].reshape(y.shape)
    view[...] = y
    return view


def its_input(x, weight):
    y = conv2d(x, weight)
    if y.shape == x.shape and x.flags.writeable:
        np.copyto(x, y)
        return x
    return y


def prints(x, weight):
    print("hello")
    print("world", file=sys.stderr)
    return conv2d(x, weight)


def restless(x, weight):
    return conv2d(x, weight) + np.random.default_rng().integers(1, 1000)


def backward(g, x, weight, bias=None, stride=1, padding=0):
    """Gradients by the definition, one product after the other."""
    (SH, SW), (PH, PW) = np.broadcast_to(stride, 2), np.broadcast_to(padding, 2)
    padded = np.pad(x, ((0, 0), (0, 0), (PH, PH), (PW, PW)))
    by_padded, by_weight = np.zeros_like(padded), np.zeros_like(weight)
    KH, KW = weight.shape[2:]
    for i in range(g.shape[2]):
        for j in range(g.shape[3]):
            window = (..., slice(i * SH, i * SH + KH), slice(j * SW, j * SW + KW))
            by_padded[window] += np.einsum("no,ocpq->ncpq", g[:, :, i, j], weight)
            by_weight += np.einsum("no,ncpq->ocpq", g[:, :, i, j], padded[window])
    by_x = by_padded[:, :, PH : PH + x.shape[2], PW : PW + x.shape[3]].copy()
    return by_x, by_weight, None if bias is None else g.sum((0, 2, 3), dtype=g.dtype)


def weight_gradient_averaged(g, x, weight, bias=None, stride=1, padding=0):
    by_x, by_weight, by_bias = backward(g, x, weight, bias, stride, padding)
    return {"grad_input": by_x, "grad_weight": by_weight / max(len(x), 1), "grad_bias": by_bias}


def wrong_for_reversed_batches(x, weight):
    """Wrong for images that are views in reverse or sums of others, as laws make them: what is large is lost."""
    y = conv2d(x, weight)
    return np.where(np.abs(x).max(initial=0) > 8, 0, y).astype(x.dtype)


def nan_is_zero(x, weight):
    return conv2d(np.nan_to_num(x, posinf=np.inf, neginf=-np.inf), weight)


def ignores_strides(x, weight):
    return conv2d(np.ascontiguousarray(x.T).reshape(x.shape) if x.flags.f_contiguous and x.size > 1 else x, weight)
