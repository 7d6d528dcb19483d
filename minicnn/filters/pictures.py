"""Pictures and kernels from files, and the two pictures that come with the installation."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from minicnn.datasets import Digits

LONGEST = 1024
"""Pixels of a picture's longer side: larger pictures are shrunk to it first."""

LARGEST_KERNEL = 255
"""Rows and columns of a kernel from a file, at most."""


NOUGHT = 4
"""Which of the test digits is a nought, whose outline has every direction."""


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


def the_digit() -> Picture:
    """A handwritten nought of scikit-learn's, as LeNet sees it: 28×28, bright on dark."""
    return Picture("digit", Digits(train=False).data.numpy()[NOUGHT : NOUGHT + 1] / 255)


def the_photograph() -> Picture:
    """The photograph of a temple that scikit-learn carries: 640×427, in colours."""
    from sklearn.datasets import load_sample_image

    return Picture("photograph", load_sample_image("china.jpg").transpose(2, 0, 1) / 255)


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
            upright = ImageOps.exif_transpose(file)
            pixels = _of_greys(upright) if upright.mode[0] in "IF" else _of_bytes(upright)
    except (UnidentifiedImageError, Image.DecompressionBombError, SyntaxError, EOFError) as error:
        raise ValueError(f"cannot read {path} as a picture: {error}") from None
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


def read_kernel(path: Path) -> np.ndarray:
    """A kernel from a file of numpy.save's, or from a text with a row a line, numbers between blanks or commas.

    Args:
        path: the file; `.npy` is NumPy's, everything else a text.

    Returns: float64 (KH, KW).

    Raises:
        OSError: where there is no such file.
        ValueError: where it holds no such thing.
    """
    try:
        if path.suffix.lower() == ".npy":
            array = np.load(path, allow_pickle=False)
        else:
            lines = path.read_text(encoding="utf-8").replace(",", " ").splitlines()
            rows = [line.partition("#")[0].split() for line in lines]
            array = np.array([[float(text) for text in row] for row in rows if row])
    except (ValueError, EOFError):
        raise ValueError(f"cannot read {path} as a kernel: a .npy file, or a text of numbers in equal rows") from None
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "biuf":
        raise ValueError(f"{path} holds no array of real numbers")
    if array.ndim != 2 or not 1 <= min(array.shape) <= max(array.shape) <= LARGEST_KERNEL:
        raise ValueError(f"{path} must hold a kernel of 1 to {LARGEST_KERNEL} rows and columns, got {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{path} holds numbers that are not finite")
    return array.astype(np.float64)
