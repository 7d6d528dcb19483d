"""Numbers from a file of NumPy's, a picture or a handwritten digit, for `minicnn explain`."""

from pathlib import Path

import numpy as np

from minicnn.datasets._resize import resize_bilinear
from minicnn.datasets.digits import read_table
from minicnn.datasets.pictures import read_picture
from minicnn.explain.given import Given, frozen

LONGEST = 32
"""Pixels of a picture's longer side."""
GREY = np.array([0.299, 0.587, 0.114])
"""How bright red, green and blue look (ITU-R BT.601)."""


def array_file(path: Path, whole: bool = False) -> Given:
    """The array in an .npy file.

    Args:
        path: the file.
        whole: whether it holds classes.

    Raises:
        OSError: where there is no such file.
        ValueError: where it isn't such a file, or holds no numbers.
    """
    try:
        array = np.load(path, allow_pickle=False)
    except (ValueError, EOFError):
        raise ValueError(f"cannot read {path} as an array of numbers that numpy.save wrote") from None
    if not isinstance(array, np.ndarray):
        raise ValueError(f"{path} holds several arrays; save one of them with numpy.save")
    if array.dtype.kind not in ("iu" if whole else "biuf"):
        raise ValueError(f"{path} holds {array.dtype}, not {'whole ' if whole else ''}numbers")
    return frozen(array, f"np.load({str(path)!r})", whole=whole)


def picture(path: str | Path, shape: tuple[int, int, int] | None = None) -> Given:
    """A picture as whole numbers from 0 to 255: (1, C, H, W).

    Args:
        path: a file that Pillow reads.
        shape: (C, H, W) to bring it to, C being 1 for grey or 3 for colours; if None, grey and in its proportions, the
            longer side at most LONGEST pixels.

    Raises:
        OSError: where there is no such file.
        ValueError: where it is no picture, or C is another number.
    """
    C, *size = shape or (1,)
    if C not in (1, 3):
        raise ValueError(f"a picture has 1 or 3 channels, not {C}")
    pixels = read_picture(Path(path)).pixels
    if len(pixels) > C:
        pixels = np.tensordot(GREY, pixels, 1)[None]
    share = min(LONGEST / max(pixels.shape[1:]), 1)
    H, W = size or (max(round(side * share), 1) for side in pixels.shape[1:])
    scaled = resize_bilinear(pixels[..., None], (H, W))[..., 0]
    whole = np.rint(np.broadcast_to(scaled, (C, H, W)) * 255)
    arguments = f"{str(path)!r}" + (f", {(C, H, W)}" if shape else "")
    return frozen(whole[None], f"sources.picture({arguments}).array")


def digit(label: int) -> Given:
    """The first of scikit-learn's digits with that label, as it was scanned: (1, 1, 8, 8), 0 to 16."""
    table = read_table()
    pixels = table[table[:, -1] == label][0, :-1]
    return frozen(pixels.reshape(1, 1, 8, 8), f"sources.digit({label}).array")
