"""Pictures as tensors, shaped like `torchvision.io`; Pillow reads and writes the files."""

import enum
import os
from pathlib import Path
from typing import Any

import numpy as np

from minicnn.compat import missing
from minicnn.dtypes import uint8
from minicnn.tensor import Tensor, computed

__all__ = ["ImageReadMode", "read_image", "write_jpeg", "write_png"]


class ImageReadMode(enum.Enum):
    """The channels that a picture is read into."""

    UNCHANGED = 0
    GRAY = 1
    GRAY_ALPHA = 2
    RGB = 3
    RGB_ALPHA = 4
    RGBA = RGB_ALPHA


LARGE = 2**24
"""Pixels; of fewer no harm comes, whatever the file says."""

_PILLOW_MODE = {
    ImageReadMode.GRAY: "L",
    ImageReadMode.GRAY_ALPHA: "LA",
    ImageReadMode.RGB: "RGB",
    ImageReadMode.RGB_ALPHA: "RGBA",
}


def read_image(
    path: str | os.PathLike,
    mode: ImageReadMode | str = ImageReadMode.UNCHANGED,
    apply_exif_orientation: bool = False,
) -> Tensor:
    """Read a picture.

    Args:
        path: the file, of any format that Pillow reads.
        mode: the channels wanted; the file's own by default, numbers of colours where it has a palette.
        apply_exif_orientation: turn the picture as its camera noted.

    Returns: a uint8 Tensor (C, H, W).

    Raises:
        RuntimeError: the file is no picture, or can't be read.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    wanted = ImageReadMode[mode.upper()] if isinstance(mode, str) else mode
    try:
        with Image.open(path) as opened:
            check_claim(opened.size, Path(path).stat().st_size)
            if wanted is ImageReadMode.GRAY:
                opened.draft("L", opened.size)  # a JPEG holds the grey values themselves
            picture: Any = ImageOps.exif_transpose(opened) if apply_exif_orientation else opened
            picture = picture.convert(_PILLOW_MODE.get(wanted) or _own_mode(picture))
            pixels = np.array(picture, dtype=uint8)
    except FileNotFoundError as error:
        raise RuntimeError(f"[Errno 2] No such file or directory: '{os.fspath(path)}'") from error
    except MemoryError as error:  # sizes that a damaged file names
        raise RuntimeError(f"{os.fspath(path)} asks for more memory than there is") from error
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError, SyntaxError, ValueError) as error:
        raise RuntimeError(f"{os.fspath(path)} is no picture that can be read: {error}") from error
    return computed(np.ascontiguousarray(np.atleast_3d(pixels).transpose(2, 0, 1)))


def check_claim(size: tuple[int, int], bytes_there: int) -> None:
    """Raise ValueError where a file says that it holds a large picture, and is too short for it to be true.

    A byte of a PNG stands for 1032 bytes at most (RFC 1951: 258 bytes in two bits), of 8 pixels each; formats that can
    do with less have small pictures, if they have such files at all.
    """
    pixels = size[0] * size[1]
    if pixels > LARGE and pixels > 8 * 1032 * bytes_there:
        raise ValueError(f"{bytes_there} bytes can't hold {size[0]} × {size[1]} pixels")


def _own_mode(picture: Any) -> str:
    """The mode that keeps a picture's channels, eight bits each."""
    known = {"1": "L", "L": "L", "LA": "LA", "P": "P", "RGB": "RGB", "RGBA": "RGBA"}
    return known.get(picture.mode, "RGB")


def write_png(input: Tensor, filename: str | os.PathLike, compression_level: int = 6) -> None:
    """Write a uint8 Tensor (C, H, W) of 1 or 3 channels as PNG.

    Args:
        input: the picture.
        filename: the file.
        compression_level: 0 (none) to 9 (smallest).
    """
    _picture(input).save(Path(filename), format="png", compress_level=compression_level)


def write_jpeg(input: Tensor, filename: str | os.PathLike, quality: int = 75) -> None:
    """Write a uint8 Tensor (C, H, W) of 1 or 3 channels as JPEG.

    Args:
        input: the picture.
        filename: the file.
        quality: 1 to 100.
    """
    _picture(input).save(Path(filename), format="jpeg", quality=quality)


def _picture(tensor: Tensor) -> Any:
    from PIL import Image

    if tensor.dtype != uint8 or tensor.ndim != 3 or tensor.shape[0] not in (1, 3):
        raise RuntimeError(
            f"a picture is a uint8 Tensor (C, H, W) of 1 or 3 channels, got {tensor.dtype} {tuple(tensor.shape)}"
        )
    pixels = tensor.numpy().transpose(1, 2, 0)
    return Image.fromarray(np.ascontiguousarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels))


__getattr__ = missing.getattr_of(__name__, lambda: __all__)
