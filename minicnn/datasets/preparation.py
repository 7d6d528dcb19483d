"""Pictures of one's own, brought into the form of a data set, so that a network trained on it can read them.

    prepared = as_mnist(pixels)       # as_digits, as_thing, as_photograph
    prepared.image                    # uint8, what a data set would hold; None: the page is blank

The authors of MNIST scaled each digit to fit 20 × 20 pixels and put its centre of mass at the centre of 28 × 28 (LeCun,
Bottou, Bengio, Haffner, "Gradient-based learning applied to document recognition", 1998, section III.A). Those of the
digits that scikit-learn carries stretched each to the whole height of 32 × 32 dots and counted the dots in blocks of
4 × 4 (Alpaydin and Kaynak, 1998).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from minicnn.datasets._resize import resize_bilinear
from minicnn.datasets.digits import DARKEST, IMAGE_SIZE
from minicnn.datasets.ink import Ink, find_ink

FINE = 160
"""Pixels of the longer side at which strokes are made wider or narrower."""

INKED = 0.3
"""Share of full brightness from which on a pixel of a data set's image counts as ink."""

BARE = 0.1
"""And below which one counts as bare."""

LEAST_BARE = 0.25
"""Share of bare pixels in each of a data set's images."""

MNIST_BOX = 20
MNIST_STROKES = (2.3, 3.7)
"""Width of MNIST's strokes in pixels: 25 of 100 images have narrower ones, 10 of 100 wider ones."""

DOTS = 32
DOTS_OF_INK = 312
"""Of 1,024 dots. Hardly varies among the embedded digits: their strokes are as wide as that takes."""

DOTS_ACROSS = 24
"""Width to which the embedded digits are stretched, which leaves a column of blocks free on both sides."""

MOST_STRETCH = 1.5
"""Further than this a digit isn't stretched: a 1 stays narrow."""


@dataclass(frozen=True, eq=False)
class Prepared:
    """A picture as a data set would hold it.

    Attributes:
        image: uint8 (H, W) for grey images, (H, W, 3) for colours; None where the page is blank.
        box: (top, left, bottom, right) of the part of the picture that it shows, in pixels; None where it is blank.
        inverted: whether dark and bright were exchanged.
    """

    image: np.ndarray | None
    box: tuple[int, int, int, int] | None
    inverted: bool


Preparation = Callable[[np.ndarray, bool | None], Prepared]
"""Picture (C, H, W), and whether to exchange dark and bright (None: find out), to what a data set would hold."""


def as_mnist(picture: np.ndarray, invert: bool | None = None) -> Prepared:
    """A drawn digit as MNIST would hold it: bright on black, 20 pixels high or wide, its centre of mass in the middle.

    Strokes narrower or wider than most of MNIST's are drawn as wide as those. A picture that is made so already stays
    as it is.

    Args:
        picture: (C, H, W), from 0 to 1; C is 1, or 3 for colours.
        invert: whether the strokes are dark; None finds out.

    Returns: an image (28, 28).

    Raises:
        ValueError: for other shapes or numbers.
    """
    return _of_ink(picture, invert, _mnist_image, _fills_mnist)


def as_digits(picture: np.ndarray, invert: bool | None = None) -> Prepared:
    """A drawn digit as `minicnn.datasets.Digits` would hold it: bright on black, as high as the image, in blocks.

    Strokes are drawn as wide as those of the data set. A picture that is made so already stays as it is.

    Args:
        picture: (C, H, W), from 0 to 1; C is 1, or 3 for colours.
        invert: whether the strokes are dark; None finds out.

    Returns: an image (28, 28).

    Raises:
        ValueError: for other shapes or numbers.
    """
    return _of_ink(picture, invert, _digits_image, _fills_digits)


def _of_ink(
    picture: np.ndarray,
    invert: bool | None,
    image_of: Callable[[Ink], np.ndarray],
    fills: Callable[[np.ndarray], bool],
) -> Prepared:
    """What `image_of` makes of the ink in a picture; the picture itself where it is one of the data set's.

    Args:
        picture, invert: as for `as_mnist`.
        image_of: makes an image of ink.
        fills: whether the ink lies in an image as it does in the data set's.
    """
    grey = to_grey(picture)
    H, W = grey.shape
    if H == W >= IMAGE_SIZE[0]:
        small = _resized(grey, *IMAGE_SIZE)
        dark = bool((small > 1 - BARE).sum() > (small < BARE).sum()) if invert is None else invert
        image = 1 - small if dark else small
        if (image < BARE).mean() > LEAST_BARE and (image > INKED).any() and fills(image):
            return Prepared(_bytes(image), (0, 0, H, W), dark)
    found = find_ink(grey, dark=invert)
    if found is None:
        return Prepared(None, None, False)
    return Prepared(image_of(found), found.box, found.dark)


def _fills_mnist(image: np.ndarray) -> bool:
    """Whether the ink is 20 pixels high or wide, and its centre of mass where MNIST has it."""
    from scipy import ndimage

    extent = np.ptp(np.argwhere(image > INKED), axis=0) + 1
    off = np.subtract(ndimage.center_of_mass(image), (IMAGE_SIZE[0] / 2, IMAGE_SIZE[1] / 2))
    return max(extent) in (MNIST_BOX - 1, MNIST_BOX) and bool(np.abs(off).max() < 1)


def _fills_digits(image: np.ndarray) -> bool:
    """Whether the ink reaches from the first row to the last."""
    return bool((image[[0, -1]] > INKED).any(1).all())


def _mnist_image(found: Ink) -> np.ndarray:
    """The image of a digit, made as MNIST's were."""
    from scipy import ndimage

    fine = _enlarged(found.strength)
    distance = _distance(fine)
    longer = max(np.ptp(np.argwhere(distance > 0), axis=0) + 1)
    stroke = 4 * distance[distance > 0].mean()  # along a bar, the distance from its edges is a quarter of its width
    wanted = np.clip(MNIST_BOX * stroke / longer, *MNIST_STROKES)
    # The margin r that gives the stroke its share of the digit, which grows too: (stroke + 2 r) / (longer + 2 r).
    margin = (wanted * longer - MNIST_BOX * stroke) / (2 * (MNIST_BOX - wanted))
    fine = _cut((distance + margin + 0.5).clip(0, 1) if abs(margin) > 0.5 else fine)
    h, w = fine.shape
    scale = MNIST_BOX / max(h, w)
    small = _resized(fine, max(round(h * scale), 1), max(round(w * scale), 1))
    small /= small.max()
    image = np.zeros(IMAGE_SIZE)
    places = []
    for size, length, centre in zip(IMAGE_SIZE, small.shape, ndimage.center_of_mass(small), strict=True):
        places.append(min(max(round(size / 2 - centre), 0), size - length))
    top, left = places
    image[top : top + small.shape[0], left : left + small.shape[1]] = small
    return _bytes(image)


def _digits_image(found: Ink) -> np.ndarray:
    """The image of a digit, made as the embedded ones were."""
    distance = _distance(_enlarged(found.strength))
    least, most = -float(FINE), float(distance.max())
    for _ in range(20):  # bisection: the lower the level, the wider the strokes
        level = (least + most) / 2
        if _dots((distance - level + 0.5).clip(0, 1)).sum() > DOTS_OF_INK:
            least = level
        else:
            most = level
    blocks = _dots((distance - level + 0.5).clip(0, 1)).reshape(8, 4, 8, 4).sum((1, 3)).round()
    pixels = (blocks * 255 + DARKEST // 2) // DARKEST
    return resize_bilinear(pixels.astype(np.uint8)[None], IMAGE_SIZE)[0]


def _dots(fine: np.ndarray) -> np.ndarray:
    """A digit stretched to the height of 32 × 32 dots, float64."""
    digit = _cut(fine)
    h, w = digit.shape
    natural = DOTS * w / h
    across = min(max(round(min(natural * MOST_STRETCH, max(natural, DOTS_ACROSS))), 1), DOTS_ACROSS + 4)
    dots = np.zeros((DOTS, DOTS))
    left = (DOTS - across) // 2
    dots[:, left : left + across] = _resized(digit, DOTS, across)
    return dots


def as_thing(picture: np.ndarray, invert: bool | None = None, size: tuple[int, int] = IMAGE_SIZE) -> Prepared:
    """A picture of a thing before a plain background, as Fashion-MNIST would hold it: grey, whole, bright on black.

    Proportions are kept; what is missing to a square is filled with the shade of the border.

    Args:
        picture: (C, H, W), from 0 to 1; C is 1, or 3 for colours.
        invert: whether to exchange dark and bright; None does so where the border is bright.
        size: (h, w) of the image.

    Returns: an image (h, w).

    Raises:
        ValueError: for other shapes or numbers.
    """
    grey = to_grey(picture)
    border = float(np.median(np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])))
    inverted = border > 0.5 if invert is None else invert
    H, W = grey.shape
    scale = min(size[0] / H, size[1] / W)
    h, w = max(round(H * scale), 1), max(round(W * scale), 1)
    image = np.full(size, border)
    top, left = (size[0] - h) // 2, (size[1] - w) // 2
    image[top : top + h, left : left + w] = _resized(grey, h, w)
    return Prepared(_bytes(1 - image if inverted else image), (0, 0, H, W), inverted)


def as_photograph(picture: np.ndarray, invert: bool | None = None, size: tuple[int, int] = (32, 32)) -> Prepared:
    """A photograph as CIFAR-10 would hold it: the largest part in its middle that has those proportions, in colours.

    Args:
        picture: (C, H, W), from 0 to 1; C is 3, or 1 for greys.
        invert: whether to exchange dark and bright; None does not.
        size: (h, w) of the image.

    Returns: an image (h, w, 3).

    Raises:
        ValueError: for other shapes or numbers.
    """
    pixels = _checked(picture)
    _, H, W = pixels.shape
    scale = min(H / size[0], W / size[1])
    h, w = max(int(size[0] * scale), 1), max(int(size[1] * scale), 1)
    top, left = (H - h) // 2, (W - w) // 2
    middle = np.broadcast_to(pixels[:, top : top + h, left : left + w], (3, h, w))
    image = resize_bilinear(np.ascontiguousarray(middle.transpose(1, 2, 0))[None], size)[0]
    return Prepared(_bytes(1 - image if invert else image), (top, left, top + h, left + w), bool(invert))


def to_grey(picture: np.ndarray) -> np.ndarray:
    """A picture (C, H, W) as greys (H, W), by the luminance of ITU-R BT.601 as Pillow has it."""
    pixels = _checked(picture)
    return pixels[0] if len(pixels) == 1 else np.tensordot((0.299, 0.587, 0.114), pixels, 1).clip(0, 1)


def _checked(picture: np.ndarray) -> np.ndarray:
    """A picture in float64, or ValueError."""
    pixels = np.asarray(picture, np.float64)
    if pixels.ndim != 3 or pixels.shape[0] not in (1, 3) or 0 in pixels.shape:
        raise ValueError(f"a picture must have shape (1, H, W) or (3, H, W) and no size 0, got {pixels.shape}")
    if not (pixels.min() >= 0 and pixels.max() <= 1):
        raise ValueError(f"a picture must have numbers from 0 to 1, got {pixels.min():g} to {pixels.max():g}")
    return pixels


def _enlarged(strength: np.ndarray) -> np.ndarray:
    """A drawing scaled to `FINE` pixels on its longer side, with as much room around it as strokes may take."""
    h, w = strength.shape
    scale = FINE / max(h, w)
    return np.pad(_resized(strength, max(round(h * scale), 1), max(round(w * scale), 1)), FINE)


def _distance(fine: np.ndarray) -> np.ndarray:
    """For pixels of ink the distance to the bare page, for bare ones minus the distance to the ink."""
    from scipy import ndimage

    inked = fine > 0.5 * fine.max()
    inside, outside = ndimage.distance_transform_edt(inked), ndimage.distance_transform_edt(~inked)
    return np.where(inked, inside - 0.5, 0.5 - outside)


def _cut(fine: np.ndarray) -> np.ndarray:
    """A drawing without the bare page around it."""
    rows, columns = np.flatnonzero((fine > 0).any(1)), np.flatnonzero((fine > 0).any(0))
    return fine[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _resized(image: np.ndarray, h: int, w: int) -> np.ndarray:
    """An image (H, W) of float64 in another size."""
    return resize_bilinear(np.ascontiguousarray(image, np.float64)[None], (h, w))[0]


def _bytes(image: np.ndarray) -> np.ndarray:
    """Shades from 0 to 1 as bytes."""
    return (image.clip(0, 1) * 255).round().astype(np.uint8)
