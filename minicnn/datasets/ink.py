"""Where the ink is in a picture of something drawn or written: photographed, scanned, or painted with a mouse.

    found = find_ink(pixels)          # None: the page is blank
    found.strength, found.box, found.dark

The page need not be evenly lit. Its shade at every pixel is estimated by a morphological closing (a maximum over a
square, then a minimum), which fills whatever is darker than its surroundings and narrower than the square: strokes, but
not shadows. The difference from it, the black top-hat of Serra (Image Analysis and Mathematical Morphology, 1982), is
the ink.
"""

from dataclasses import dataclass

import numpy as np

WIDEST_STROKE = 1 / 3
"""Of the picture's shorter side: what is wider is page or shadow."""

FAINTEST = 0.08
"""Contrast of the faintest ink with its page, from 0 to 1 = black on white."""

NOISE = 6.0
"""How many standard deviations of the page's noise ink must differ from it."""

THRESHOLD = 0.4
"""Share of the ink's typical contrast from which on a pixel counts as ink."""

SMALLEST = 1 / 50
"""Height or width of a drawing, the larger of both, as a share of the picture's longer side; less is dust."""

PART = 0.2
"""Height or width of a part of a drawing, as a share of the whole's largest part; less is a speck."""

SMOOTHED = 64
"""Pictures with a shorter side than this have too few pixels a stroke to be smoothed."""

FRAME = 0.1
"""Width of the frame along the edges in which the page is looked for, as a share of each side."""

LOOKED_AT = 64
"""Rows and columns, at most, of the coarse picture in which page and ink are told apart."""


@dataclass(frozen=True, eq=False)
class Ink:
    """What is drawn in a picture.

    Attributes:
        strength: float64 (h, w), the drawing cut out: 0 where the page is bare, 1 where the ink is full.
        box: (top, left, bottom, right) of it in the picture, in pixels; the last two are beyond the last pixel.
        dark: whether the ink is darker than the page.
    """

    strength: np.ndarray
    box: tuple[int, int, int, int]
    dark: bool


def find_ink(pixels: np.ndarray, dark: bool | None = None) -> Ink | None:
    """The drawing in a picture, or None where the page is blank.

    Args:
        pixels: (H, W), greys from 0 = black to 1 = white.
        dark: whether the ink is darker than the page; None finds out.

    Raises:
        ValueError: for other shapes, or numbers outside 0 to 1.
    """
    pixels = np.asarray(pixels, np.float64)
    if pixels.ndim != 2 or 0 in pixels.shape:
        raise ValueError(f"pixels must have shape (H, W) and no size 0, got {pixels.shape}")
    if not (pixels.min() >= 0 and pixels.max() <= 1):
        raise ValueError(f"pixels must be from 0 to 1, got {pixels.min():g} to {pixels.max():g}")
    if dark is None:
        dark = is_dark(pixels)
    difference = contrast(pixels if dark else 1 - pixels)
    spread = 1.4826 * np.median(np.abs(difference - np.median(difference)))
    difference = (difference - np.median(difference)).clip(0)
    strongest = difference.max()
    if strongest < max(FAINTEST, NOISE * spread):
        return None
    full = np.median(difference[difference > strongest / 2])
    drawn = drawing(difference > THRESHOLD * full)
    if drawn is None:
        return None
    rows, columns = np.flatnonzero(drawn.any(1)), np.flatnonzero(drawn.any(0))
    top, left, bottom, right = rows[0], columns[0], rows[-1] + 1, columns[-1] + 1
    strength = np.where(drawn, difference / full, 0)[top:bottom, left:right].clip(0, 1)
    return Ink(strength, (int(top), int(left), int(bottom), int(right)), dark)


def is_dark(pixels: np.ndarray) -> bool:
    """Whether what is drawn is darker than its page (H, W).

    The page's shade is fitted, as a polynomial of second degree in x and y, to the frame along the picture's edges,
    such that absolute deviations are smallest: strokes that touch an edge count little.
    """
    H, W = pixels.shape
    coarse = pixels[:: -(-H // LOOKED_AT), :: -(-W // LOOKED_AT)]
    H, W = coarse.shape
    y, x = (axis.ravel() for axis in np.meshgrid(np.linspace(-1, 1, H), np.linspace(-1, 1, W), indexing="ij"))
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=1)
    shades, frame = coarse.ravel(), np.maximum(np.abs(x), np.abs(y)) >= 1 - 2 * FRAME
    weights = np.ones(frame.sum())
    for _ in range(20):  # least absolute deviations as least squares, weighted anew each time
        factors = np.linalg.lstsq(terms[frame] * weights[:, None], shades[frame] * weights, rcond=None)[0]
        weights = 1 / np.sqrt(np.maximum(np.abs(shades[frame] - terms[frame] @ factors), 1e-3))
    return bool(((shades - terms @ factors) ** 3).sum() <= 0)


def contrast(pixels: np.ndarray) -> np.ndarray:
    """How much darker each pixel (H, W) is than the page around it, by a closing as wide as no stroke is."""
    from scipy import ndimage

    shorter = min(pixels.shape)
    if shorter >= SMOOTHED:
        pixels = ndimage.gaussian_filter(pixels, 1.0, mode="nearest")
    return ndimage.grey_closing(pixels, size=2 * round(shorter * WIDEST_STROKE / 2) + 1, mode="reflect") - pixels


def drawing(marked: np.ndarray) -> np.ndarray | None:
    """Of the marked pixels (H, W) those that belong to the drawing, or None where there is nothing but dust.

    Specks are left out, and so is what touches the picture's edges (the page's own edge, a finger) where something as
    large does not.
    """
    from scipy import ndimage

    labels, _ = ndimage.label(marked, np.ones((3, 3)))
    boxes = ndimage.find_objects(labels)
    H, W = marked.shape
    sizes = np.array([max(rows.stop - rows.start, columns.stop - columns.start) for rows, columns in boxes])
    inside = np.array([r.start > 0 and r.stop < H and c.start > 0 and c.stop < W for r, c in boxes])
    large = sizes >= max(SMALLEST * max(H, W), 2)
    if not large.any():
        return None
    chosen = large & inside if (large & inside).any() else large
    chosen &= sizes >= PART * sizes[chosen].max()
    return np.isin(labels, 1 + np.flatnonzero(chosen))
