"""Padding by copies of what is inside: reflected, replicated or circular, along one to three neighbouring axes.

    y[a, i, j, k, b] = x[a, depth[i], height[j], width[k], b],     ∂x[a, i, j, k, b] = Σ of ∂y over what came from there

in the order of memory, (A, D, H, W, B): for images B is 1, or the channels where those lie last. The maps `depth`,
`height` and `width` say where an element comes from, −1 for nowhere (a zero). A stretch that stays together, which is
most of a line, is copied or added as one.
"""

import math
from typing import Any

import numpy as np

from minicnn.kernels.compile import part
from minicnn.kernels.memory import empty
from minicnn.kernels.tasks import tasks


@part
def _copy(x, start, y, place, places, begin, end, B):
    """y's places begin … end of a line at `place`, one by one, from the line of x at `start`."""
    zero, width = np.uint64(0), np.uint64(B)
    for i in range(begin, end):
        target = place + np.uint64(i) * width
        if places[i] < 0:
            for b in range(zero, width):
                y[target + b] = 0
        else:
            source = start + np.uint64(places[i]) * width
            for b in range(zero, width):
                y[target + b] = x[source + b]


@part
def _add(g, start, grad_input, place, places, begin, end, B):
    """Add the gradients of a line's places begin … end to where they came from, one by one."""
    zero, width = np.uint64(0), np.uint64(B)
    for i in range(begin, end):
        if places[i] >= 0:
            source, target = start + np.uint64(i) * width, place + np.uint64(places[i]) * width
            for b in range(zero, width):
                grad_input[target + b] += g[source + b]


@tasks
def _pad(line, x, y, D, H, W, depth, height, width, first, count, B):
    """A line of y (A, OD, OH, OW, B) from x (A, D, H, W, B), flat; `count` places from `first` on are a stretch."""
    OD, OH, OW = depth.size, height.size, width.size
    zero, length = np.uint64(0), np.uint64(count * B)
    a, rest = line // (OD * OH), line % (OD * OH)
    d, h = depth[rest // OH], height[rest % OH]
    place = np.uint64(line * OW * B)
    if d < 0 or h < 0:
        for i in range(zero, np.uint64(OW * B)):
            y[place + i] = 0
    else:
        start = np.uint64(((a * D + d) * H + h) * W * B)
        _copy(x, start, y, place, width, 0, first, B)
        source, target = start + np.uint64(width[first] * B), place + np.uint64(first * B)
        for i in range(zero, length):
            y[target + i] = x[source + i]
        _copy(x, start, y, place, width, first + count, OW, B)


@tasks
def _pad_gradient(line, g, grad_input, D, H, W, depths, depth_starts, heights, height_starts, width, first, count, B):
    """A line of the gradient with respect to x collects the lines that came from it.

    Those of depth d are depths[depth_starts[d]] … depths[depth_starts[d + 1] − 1]; likewise for heights.
    """
    OD, OH, OW = depths.size, heights.size, width.size
    zero, length = np.uint64(0), np.uint64(count * B)
    a, rest = line // (D * H), line % (D * H)
    d, h = rest // H, rest % H
    place = np.uint64(line * W * B)
    for i in range(zero, np.uint64(W * B)):
        grad_input[place + i] = 0
    for i in range(depth_starts[d], depth_starts[d + 1]):
        for j in range(height_starts[h], height_starts[h + 1]):
            start = np.uint64(((a * OD + depths[i]) * OH + heights[j]) * OW * B)
            _add(g, start, grad_input, place, width, 0, first, B)
            source, target = start + np.uint64(first * B), place + np.uint64(width[first] * B)
            for k in range(zero, length):
                grad_input[target + k] += g[source + k]
            _add(g, start, grad_input, place, width, first + count, OW, B)


def _places_of(places: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """The places to which elements 0 … `size` − 1 went, one element after another, and where each one's begin."""
    order = np.argsort(places, kind="stable")
    starts = np.searchsorted(places[order], np.arange(size + 1))
    return order, starts


def _stretch(places: np.ndarray) -> tuple[int, int]:
    """The longest run of places each of which follows the one before: where it begins, and how many there are."""
    breaks = np.flatnonzero((np.diff(places) != 1) | (places[:-1] < 0))
    ends = np.concatenate([breaks + 1, [len(places)]])
    starts = np.concatenate([[0], breaks + 1])
    longest = int(np.argmax(ends - starts))
    return int(starts[longest]), int(ends[longest] - starts[longest]) if places[starts[longest]] >= 0 else 0


def _order(strides: tuple[int, ...], axes: list[int]) -> list[int]:
    """The axes of an array from the outermost in memory to the innermost, those to pad being kept together."""
    rank = {axis: strides[axis] for axis in range(len(strides))}
    inner = [axis for axis in rank if axis not in axes and rank[axis] < min(rank[one] for one in axes)]
    outer = [axis for axis in rank if axis not in axes and axis not in inner]
    return [*sorted(outer, key=lambda axis: -rank[axis]), *axes, *sorted(inner, key=lambda axis: -rank[axis])]


class Padding:
    """How arrays of one shape and memory order are padded.

    Args:
        shape, strides: of such an array; its axes are taken from the outermost in memory to the innermost.
        places: for each padded axis, where the elements of the result come from, −1 for nowhere.
    """

    def __init__(self, shape: tuple[int, ...], strides: tuple[int, ...], places: dict[int, np.ndarray]) -> None:
        axes = sorted(places)
        self.order = _order(strides, axes)
        self.back = tuple(np.argsort(self.order))
        self.shape = shape
        self.result = tuple(len(places[axis]) if axis in places else size for axis, size in enumerate(shape))
        missing = 3 - len(axes)
        self.maps = [np.zeros(1, np.int64)] * missing + [np.ascontiguousarray(places[axis]) for axis in axes]
        self.sizes = (1,) * missing + tuple(shape[axis] for axis in axes)
        self.inner = math.prod(shape[axis] for axis in self.order[self.order.index(axes[-1]) + 1 :])
        self.last = axes[-1]
        depth, height, width = self.maps
        self.back_maps = (*_places_of(depth, self.sizes[0]), *_places_of(height, self.sizes[1]), width)
        self.stretch = _stretch(width)

    def _run(self, lines: Any, source: np.ndarray, shape: tuple[int, ...], maps: Any) -> np.ndarray:
        memory = np.ascontiguousarray(source.transpose(self.order))
        result = empty(tuple([shape[axis] for axis in self.order]), source.dtype)
        if not source.size or not result.size:
            result[...] = 0
            return result.transpose(self.back)
        count = result.size // (shape[self.last] * self.inner)
        lines(count, memory.reshape(-1), result.reshape(-1), *self.sizes, *maps, *self.stretch, self.inner)
        return result.transpose(self.back)

    def forward(self, x: np.ndarray) -> np.ndarray:
        """x padded, in the same order of memory."""
        return self._run(_pad, x, self.result, self.maps)

    def backward(self, grad_output: np.ndarray) -> np.ndarray:
        """The gradient with respect to x."""
        return self._run(_pad_gradient, grad_output, self.shape, self.back_maps)
