"""Pictures from files: whatever Pillow reads, as numbers."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from minicnn.io import check_claim

LONGEST = 1024
"""Pixels of a picture's longer side: larger pictures are shrunk to it first."""


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture, and where it comes from.

    Attributes:
        name: what to call it.
        pixels: float64 (C, H, W) from 0 to 1; C is 1 for grey pictures, 3 for colours.
        note: what was done to it, if anything.
    """

    name: str
    pixels: np.ndarray
    note: str = ""


def read_picture(path: Path) -> Picture:
    """A picture from a file that Pillow reads: grey, coloured, with a palette, transparent, of 8 or 16 bits.

    What is transparent is white. Greys of more than 16 bits are scaled so that they reach from 0 to 1.

    Args:
        path: the file.

    Raises:
        OSError: where there is no such file.
        ValueError: where it is no picture.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(path) as file:
            check_claim(file.size, path.stat().st_size)
            upright = ImageOps.exif_transpose(file)
            pixels = _of_greys(upright) if upright.mode[0] in "IF" else _of_bytes(upright)
    except (UnidentifiedImageError, Image.DecompressionBombError, SyntaxError, EOFError, ValueError) as error:
        raise ValueError(f"cannot read {path} as a picture: {error}") from None
    except MemoryError:  # sizes that a damaged file names
        raise ValueError(f"cannot read {path} as a picture: it asks for more memory than there is") from None
    except OSError as error:
        if error.filename is not None:
            raise
        raise ValueError(f"cannot read {path} as a picture: {error}") from None
    H, W = pixels.shape[1:]
    share = LONGEST / max(H, W)
    if share >= 1:
        return Picture(path.name, pixels)
    size = max(round(W * share), 1), max(round(H * share), 1)
    channels = [Image.fromarray(channel.astype(np.float32)).resize(size, Image.Resampling.BOX) for channel in pixels]
    note = f"shrunk from {W} by {H}"
    return Picture(path.name, np.stack([np.asarray(channel, np.float64) for channel in channels]), note)


def _of_bytes(picture: Any) -> np.ndarray:
    """Pixels of 8 bits: (C, H, W)."""
    from PIL import Image

    grey = picture.mode in ("1", "L", "LA", "La")
    if picture.has_transparency_data:
        layers = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", layers.size, "white"), layers)
    pixels = np.asarray(picture.convert("L" if grey else "RGB"), np.float64) / 255
    return pixels[None] if grey else pixels.transpose(2, 0, 1)


def _of_greys(picture: Any) -> np.ndarray:
    """Greys of 16 bits or more, or real numbers: (1, H, W)."""
    pixels = np.asarray(picture, np.float64)
    if not np.isfinite(pixels).all():
        raise ValueError("a picture's pixels must be finite")
    if picture.mode[0] == "I" and pixels.min() >= 0 and pixels.max() < 2**16:
        return pixels[None] / (2**16 - 1)
    least, span = pixels.min(), np.ptp(pixels)
    return ((pixels - least) / (span or 1.0))[None]
