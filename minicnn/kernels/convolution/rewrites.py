"""One contraction seen as another: the same sums over the same numbers, with other extents and strides in memory.

Each rewrite is a function from contraction to contraction, and says when it holds. `pad_columns` and `within_images`
need a copy of x in another order, `merge_pixels` weights with zeros among them. They compose: the gradient with respect
to x of few channels is `split_by_stride(merge_row(…))`.
"""

import math
from typing import NamedTuple

import numpy as np

from minicnn.kernels.convolution.contraction import Contraction, Pixels, Reach, Weights


def is_pointwise(c: Contraction) -> bool:
    """Whether every output pixel sees the pixel of the same place alone, and both lie densely."""
    pixels, rows, columns = c.rows.size * c.columns.size, c.rows, c.columns
    dense = all(
        (one.image, one.row) == (pixels * one.column, columns.size * one.column) and one.start == 0
        for one in (c.x, c.y)
    )
    return rows.is_whole and columns.is_whole and dense


def flatten(c: Contraction, width: int) -> Contraction:
    """All pixels of all images of a pointwise contraction as one image, `width` pixels to the row.

    A 1 × 1 layer doesn't know which pixels are neighbours. Long rows fill tiles, whatever the images' size.

        N images of H × W      ▦ ▦ ▦      →      ▤     one of (N · H · W / width) × width

    It holds where `is_pointwise`, and for a width that divides the number of pixels.
    """
    lines = c.N * c.rows.size * c.columns.size // width
    reaches = [Reach(size, 0, size, 1, 1, 1) for size in (lines, width)]
    x, y = (one._replace(image=lines * width * one.column, row=width * one.column) for one in (c.x, c.y))
    return c._replace(N=1, rows=reaches[0], columns=reaches[1], x=x, y=y)


class Phase(NamedTuple):
    """Along one axis, the pixels of one remainder by the stride, and the taps that reach them.

    Attributes:
        pixel: the first of the pixels; the next is a stride further.
        tap, tap_step: the tap that reaches it from the smallest output position, and the step from tap to tap.
        reach: of those pixels over the output positions: stride 1.
    """

    pixel: int
    tap: int
    tap_step: int
    reach: Reach


def phases(reach: Reach) -> list[Phase]:
    """The phases that have taps; pixels of other remainders are seen by no window.

    Pixels are r + t · s, for the remainders r from 0 to s − 1 and t from 0 on. Tap p of output position i lies on that
    pixel where i = t + (r − first − p · d) / s. So its taps are those for which that division leaves nothing, whatever
    t; they lie s / gcd(s, d) apart, and each next one below reaches the pixel from an output position that is d /
    gcd(s, d) further on.
    """
    s, d = reach.stride, reach.dilation
    step = s // math.gcd(s, d)
    found = []
    for tap in reversed(range(max(reach.taps - step, 0), reach.taps)):  # one of each remainder, its last tap
        pixel = (reach.first + tap * d) % s
        if pixel < reach.size:
            origin, pixels = (pixel - reach.first - tap * d) // s, (reach.size - pixel - 1) // s + 1
            inner = Reach(reach.positions, origin, pixels, tap // step + 1, 1, d // math.gcd(s, d))
            found.append(Phase(pixel, tap, -step, inner))
    return sorted(found, key=lambda phase: phase.pixel)


def covers(reach: Reach) -> bool:
    """Whether every pixel belongs to a phase."""
    return len(phases(reach)) == min(reach.stride, reach.size)


def split_by_stride(c: Contraction) -> list[Contraction]:
    """The gradient with respect to x, which every product is scattered into, as sums that each pixel gathers.

    The pixels of one remainder by the stride, in rows and in columns, are all reached by the same taps; pixels of
    different remainders share none. So there are at most SH · SW convolutions of stride 1, each over ∂y, with its share
    of the taps, turned around, and each writes its own pixels of ∂x. Without padding, for 3 × 3 taps:

        stride 2:   a b a b        a from taps (0, 0) (0, 2) (2, 0) (2, 2),  b from (0, 1) (2, 1),
                    c d c d        c from (1, 0) (1, 2),  d from (1, 1)

    In the result ∂y takes the place of x, ∂x that of y, and channels and outputs change roles. It holds for every
    contraction that x collects. Remainders that no tap reaches have no phase (a kernel smaller than the stride, stride
    and dilation with a common divisor): their pixels get nothing, see `covers`.
    """
    weight = c.weight
    return [
        Contraction(
            c.N, c.G, c.O, c.C, a.reach, b.reach, c.y,
            c.x._replace(
                start=c.x.start + a.pixel * c.x.row + b.pixel * c.x.column,
                row=c.rows.stride * c.x.row, column=c.columns.stride * c.x.column,
            ),
            Weights(
                weight.start + a.tap * weight.row + b.tap * weight.column, weight.group, weight.channel,
                weight.output, a.tap_step * weight.row, b.tap_step * weight.column,
            ),
            "y",
        )
        for a in phases(c.rows) for b in phases(c.columns)
    ]  # fmt: skip


def sees_whole_rows(c: Contraction) -> bool:
    """Whether the taps of a kernel row are one run of memory that lies inside the image, for each position."""
    return c.G == 1 and c.columns.dilation == 1 and c.x.column == c.C and not c.columns.is_padded


def pad_columns(c: Contraction) -> Contraction:
    """x with all columns that windows see, those in the padding as zeros: then `sees_whole_rows` holds.

    It is a copy of x that is a little wider, not another sum.
    """
    reach, full = c.columns, c.G * c.C
    width = (reach.positions - 1) * reach.stride + (reach.taps - 1) * reach.dilation + 1
    x = Pixels(0, c.rows.size * width * full, width * full, full, c.C)
    return c._replace(columns=reach._replace(size=width, first=0), x=x)


def merge_row(c: Contraction) -> Contraction:
    """The columns of a kernel row as channels: KW · C channels and one tap, instead of C channels and KW taps.

    They lie side by side in x. More channels fill the tiles of a gradient with respect to weight, and make a longer
    sum without a break.

        ░░░ ░░░ ░░░      →      ░░░░░░░░░          three pixels of three channels, one of nine

    It holds where `sees_whole_rows`, and the weights lie so too, their columns C channels apart.
    """
    run, reach = c.columns.taps * c.C, c.columns
    columns = reach._replace(size=reach.size - reach.taps + 1, taps=1)
    return c._replace(C=run, columns=columns, weight=c.weight._replace(column=run * c.weight.channel))


def merge_pixels(c: Contraction, pixels: int) -> Contraction:
    """Neighbouring output pixels as outputs: m · O outputs for each m pixels, which see KW + (m − 1) · SW columns.

    They lie side by side in y. More outputs fill a vector.

        y  o o o o     →   oo oo           with weights for what both see, 0 where one doesn't look
        x  ░░░         →   ░░░░
            ░░░

    It holds where `sees_whole_rows`, m divides the pixels of a row and pixels lie O elements apart in y. Its weights
    are those of `widen`.
    """
    reach, outputs = c.columns, pixels * c.O
    taps = reach.taps + (pixels - 1) * reach.stride
    columns = reach._replace(positions=reach.positions // pixels, taps=taps, stride=pixels * reach.stride)
    weight = Weights.by_tap(1, c.C, outputs, (c.rows.taps, taps))
    return c._replace(O=outputs, columns=columns, y=c.y._replace(column=outputs), weight=weight)


def widen(weight: np.ndarray, pixels: int, stride: int) -> np.ndarray:
    """The weights of `merge_pixels`, for m neighbouring pixels.

        wide[p, q, c, k, o] = weight[o, c, p, q − k·s] where there is such a tap, else 0

    Args:
        weight: (O, C, KH, KW).
        pixels: m.
        stride: s, along the row.

    Returns: (KH, KW + (m − 1)·s, C, m·O)
    """
    O, C, KH, KW = weight.shape
    wide = np.zeros((KH, KW + (pixels - 1) * stride, C, pixels, O), weight.dtype)
    for k in range(pixels):
        wide[:, k * stride : k * stride + KW, :, k] = weight.transpose(2, 3, 1, 0)
    return wide.reshape(KH, -1, C, pixels * O)


def narrow(wide: np.ndarray, pixels: int, stride: int) -> np.ndarray:
    """What `widen` does to a gradient: each weight's shares are added up.

    Args:
        wide: (KH, KW + (m − 1)·s, C, m·O).
        pixels: m.
        stride: s.

    Returns: (KH, KW, C, O)
    """
    KH, columns, C, outputs = wide.shape
    KW, shares = columns - (pixels - 1) * stride, wide.reshape(KH, columns, C, pixels, outputs // pixels)
    total = shares[:, :KW, :, 0]
    for k in range(1, pixels):
        total = total + shares[:, k * stride : k * stride + KW, :, k]
    return total


def within_images(c: Contraction) -> Contraction:
    """x with the images of a pixel side by side, as (H, W, N, G · C): a line may run through the images.

    It is a copy of x in another order, not another sum.
    """
    full = c.G * c.C
    return c._replace(x=Pixels(0, full, c.columns.size * c.N * full, c.N * full, c.x.group))
