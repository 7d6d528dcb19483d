"""A convolution as one sum of products over three arrays: what is computed, apart from how.

    y[n, i, j, g, o] = Σ over p, q, c of  x[n, row, column, g, c] · weight[g, o, c, p, q]

    row = top + i · SH + p · DH,   column = left + j · SW + q · DW;   what lies outside the image counts as 0

Eight loops, the seven of `naive` with its outputs as o of group g, visit every product once. The sum is linear in x and
in weight, so the gradient with respect to either one is the sum of the same products with the gradient with respect to
y in its place, collected by the other array:

    ∂weight[g, o, c, p, q]   = Σ over n, i, j of  x[n, row, column, g, c] · ∂y[n, i, j, g, o]
    ∂x[n, row, column, g, c] = Σ over o and the i, j, p, q that see it of  ∂y[n, i, j, g, o] · weight[g, o, c, p, q]

Proof: y is a sum of terms x[a] · weight[b], so ∂loss/∂x[a] is the sum of ∂y · weight[b] over the terms that hold x[a].

A `Contraction` says how far each loop goes, by how many elements it moves in each array, where a tap lies, and which
array collects. `interpret` runs one as it stands; `rewrites` change one into another of the same meaning. `schedule`
decides how the forward pass and the gradient with respect to x are carried out, and `implicit` does it;
`weight_schedule` and `weight_gradient` do for the gradient with respect to weight.
"""

import itertools
from typing import Literal, NamedTuple

import numpy as np

from minicnn.kernels.geometry import Axis, Geometry


class Reach(NamedTuple):
    """Along one axis: tap p of output position i sees pixel first + i · stride + p · dilation, if there is one.

    Attributes:
        size: of the image; a pixel below 0, or from `size` on, is padding.
        first: where tap 0 of position 0 lies, −padding in a forward pass.
        positions: extent of i.
        taps: extent of p.
        stride, dilation: pixels from one position, and from one tap, to the next.
    """

    size: int
    first: int
    positions: int
    taps: int
    stride: int
    dilation: int

    @classmethod
    def of(cls, axis: Axis) -> "Reach":
        """Of an axis of a window."""
        return cls(axis.size, axis.origin(0), axis.output, axis.kernel, axis.stride, axis.dilation)

    def pixel(self, position: int, tap: int) -> int:
        """What a tap of a position sees, perhaps in the padding."""
        return self.first + position * self.stride + tap * self.dilation

    @property
    def is_padded(self) -> bool:
        """Whether some tap lies outside the image."""
        return self.first < 0 or self.pixel(self.positions - 1, self.taps - 1) >= self.size

    @property
    def is_whole(self) -> bool:
        """Whether each position sees the pixel of the same place and no other."""
        return self == (self.size, 0, self.size, 1, 1, self.dilation)


class Pixels(NamedTuple):
    """Where the pixels of x or y lie, in elements; channels lie side by side."""

    start: int
    image: int
    row: int
    column: int
    group: int

    @classmethod
    def dense(cls, height: int, width: int, groups: int, channels: int) -> "Pixels":
        """Of a row-major (N, height, width, groups · channels)."""
        full = groups * channels
        return cls(0, height * width * full, width * full, full, channels)


class Weights(NamedTuple):
    """Where the weights lie, in elements."""

    start: int
    group: int
    output: int
    channel: int
    row: int
    column: int

    @classmethod
    def by_tap(cls, groups: int, channels: int, outputs: int, kernel: tuple[int, int]) -> "Weights":
        """Of a row-major (groups, KH, KW, channels, outputs)."""
        KH, KW = kernel
        one = channels * outputs
        return cls(0, KH * KW * one, 1, outputs, KW * one, one)


class Contraction(NamedTuple):
    """The sum above, over three flat arrays.

    Attributes:
        N, G, C, O: extents of images, groups, channels and outputs of a group.
        rows, columns: extents and steps of i and p, of j and q.
        x, y, weight: where each array's elements lie.
        collects: the array that the products are added to.
    """

    N: int
    G: int
    C: int
    O: int
    rows: Reach
    columns: Reach
    x: Pixels
    y: Pixels
    weight: Weights
    collects: Literal["x", "weight", "y"]

    @property
    def products(self) -> int:
        """How many multiplications it has, those with the padding among them."""
        rows, columns = self.rows, self.columns
        return self.N * self.G * self.C * self.O * rows.positions * rows.taps * columns.positions * columns.taps

    def places(self) -> list[int]:
        """Where the weights of each tap begin."""
        start, *_, row, column = self.weight
        return [start + p * row + q * column for p in range(self.rows.taps) for q in range(self.columns.taps)]


def define(
    collects: Literal["x", "weight", "y"], N: int, G: int, C: int, O: int, geometry: Geometry, weight: Weights
) -> Contraction:
    """The contraction of a convolution of dense channels-last arrays.

    Args:
        collects: "y" for the forward pass, "x" or "weight" for the gradient with respect to it.
        N, G, C, O: images, groups, channels and outputs of a group.
        geometry: where windows lie.
        weight: where weights lie.
    """
    h, w = Reach.of(geometry.height), Reach.of(geometry.width)
    x, y = Pixels.dense(h.size, w.size, G, C), Pixels.dense(h.positions, w.positions, G, O)
    return Contraction(N, G, C, O, h, w, x, y, weight, collects)


def interpret(c: Contraction, x: np.ndarray, weight: np.ndarray, y: np.ndarray) -> None:
    """Add every product to the array that collects, one after another: what a contraction means.

    Args:
        c: the contraction.
        x, weight, y: flat arrays; one of them is changed.
    """
    loops = (c.N, c.rows.positions, c.columns.positions, c.G, c.O, c.rows.taps, c.columns.taps, c.C)
    for n, i, j, g, o, p, q, k in itertools.product(*map(range, loops)):
        row, column = c.rows.pixel(i, p), c.columns.pixel(j, q)
        if not (0 <= row < c.rows.size and 0 <= column < c.columns.size):
            continue
        at_x = c.x.start + n * c.x.image + row * c.x.row + column * c.x.column + g * c.x.group + k
        at_y = c.y.start + n * c.y.image + i * c.y.row + j * c.y.column + g * c.y.group + o
        at_weight = c.weight.start + g * c.weight.group + o * c.weight.output + k * c.weight.channel
        at_weight += p * c.weight.row + q * c.weight.column
        if c.collects == "y":
            y[at_y] += x[at_x] * weight[at_weight]
        elif c.collects == "weight":
            weight[at_weight] += x[at_x] * y[at_y]
        else:
            x[at_x] += weight[at_weight] * y[at_y]
