"""From Pillow images and arrays to Tensors and back."""

import sys
from typing import Any

import numpy as np

from minicnn.creation import from_numpy
from minicnn.dtypes import as_dtype, float32
from minicnn.errors import DtypeError
from minicnn.tensor import Tensor
from minicnn.transforms._base import image_array, is_pillow
from minicnn.transforms._values import Normalize, ToTensor
from minicnn.transforms.functional._images import is_floating, largest_value

SHORT_MODE = "I;16" if sys.byteorder == "little" else "I;16B"
GRAY_MODES = {
    np.dtype(np.uint8): "L",
    np.dtype(np.int16): SHORT_MODE,
    np.dtype(np.int32): "I",
    np.dtype(np.float32): "F",
}
"""Pillow's mode of one channel, by dtype."""
MODES = {2: ("LA",), 3: ("RGB", "YCbCr", "HSV"), 4: ("RGBA", "CMYK", "RGBX")}
"""Pillow's modes of several channels; the first is what channels are taken for."""
SHORT_OF_NEXT = 0.001
"""What floats are scaled by less than the next integer, so that 1.0 stays the largest one, as in torchvision."""


def to_tensor(pic: Any) -> Tensor:
    """A Pillow image or an array (H, W[, C]) as a Tensor (C, H, W); bytes become float32 from 0 to 1."""
    return ToTensor()(pic)


def pil_to_tensor(pic: Any) -> Tensor:
    """A Pillow image as a Tensor (C, H, W) of its own numbers.

    Raises:
        TypeError: for anything else.
    """
    if not is_pillow(pic):
        raise TypeError(f"pic should be PIL Image. Got {type(pic)}")
    pixels = np.array(pic)
    return from_numpy(pixels.reshape(pic.height, pic.width, len(pic.getbands())).transpose(2, 0, 1))


def to_pil_image(pic: Any, mode: str | None = None) -> Any:
    """A Tensor (C, H, W) or (H, W), or an array (H, W, C) or (H, W), as a Pillow image.

    Args:
        pic: up to 4 channels; floats from 0 to 1 become bytes, unless `mode` is "F".
        mode: of the image; by default what the channels and the dtype say.

    Raises:
        TypeError: for anything else, or a dtype that no mode has.
        ValueError: for other shapes, or a mode of other channels.
    """
    from PIL import Image

    if isinstance(pic, Tensor):
        pixels = pic.detach().numpy()
        pixels = pixels.transpose(1, 2, 0) if pixels.ndim == 3 else pixels
    elif isinstance(pic, np.ndarray):
        pixels = pic
    else:
        raise TypeError(f"pic should be Tensor or ndarray. Got {type(pic)}.")
    pixels = pixels[:, :, None] if pixels.ndim == 2 else pixels
    if pixels.ndim != 3:
        raise ValueError(f"pic should be 2/3 dimensional. Got {pixels.ndim} dimensions.")
    channels = pixels.shape[2]
    if not 1 <= channels <= 4:
        raise ValueError(f"pic should not have > 4 channels. Got {channels} channels.")
    if pixels.dtype.kind == "f" and mode != "F":
        with np.errstate(all="ignore"):
            pixels = (pixels * 255).astype(np.uint8)
    mode = _mode_of(pixels, mode)
    pixels = np.ascontiguousarray(pixels[:, :, 0] if channels == 1 else pixels)
    return Image.frombuffer(mode, (pixels.shape[1], pixels.shape[0]), pixels.tobytes(), "raw", mode, 0, 1)


def _mode_of(pixels: np.ndarray, mode: str | None) -> str:
    channels = pixels.shape[2]
    if channels == 1:
        own = GRAY_MODES.get(pixels.dtype)
        if mode is not None and mode != own:
            raise ValueError(f"Incorrect mode ({mode}) supplied for input type {pixels.dtype}. Should be {own}")
    else:
        if mode is not None and mode not in MODES[channels]:
            raise ValueError(f"Only modes {list(MODES[channels])} are supported for {channels} channels, got {mode}")
        own = mode or (MODES[channels][0] if pixels.dtype == np.uint8 else None)
    if own is None:
        raise TypeError(f"Input type {pixels.dtype} is not supported")
    return own


def convert_image_dtype(image: Tensor, dtype: Any = float32) -> Tensor:
    """A Tensor image in another dtype, its values scaled so that white stays white.

    Args:
        image: of any shape.
        dtype: the wanted one.

    Raises:
        TypeError: `image` is no Tensor.
        RuntimeError: for floats to integers that need more digits than they have.
    """
    if not isinstance(image, Tensor):
        raise TypeError("Input img should be Tensor Image")
    source, target = np.dtype(image._array.dtype), np.dtype(as_dtype(dtype))
    if source == target:
        return image
    if source.kind == "f":
        if target.kind == "f":
            return image.to(dtype)
        if (source == np.float32 and target in (np.int32, np.int64)) or (source == np.float64 and target == np.int64):
            raise DtypeError(f"The cast from {source} to {target} cannot be performed safely.")
        return (image * (float(largest_value(target)) + 1.0 - SHORT_OF_NEXT)).to(dtype)
    if target.kind == "f":
        return from_numpy(np.divide(image._array, float(largest_value(source)), dtype=target))  # in one pass
    most, wanted = largest_value(source), largest_value(target)
    if most > wanted:
        return from_numpy((image._array // ((most + 1) // (wanted + 1))).astype(target))
    return image.to(dtype) * ((wanted + 1) // (most + 1))


def to_image(inpt: Any) -> Tensor:
    """A Tensor (C, H, W) of an image's own numbers.

    Args:
        inpt: a Pillow image, an array (H, W) or (H, W, C), or a Tensor, which stays.

    Raises:
        TypeError: it is something else.
    """
    if isinstance(inpt, Tensor):
        return inpt
    if is_pillow(inpt):
        return pil_to_tensor(inpt)
    pixels = image_array(inpt)
    return from_numpy(np.array(pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)))


def to_dtype(inpt: Tensor, dtype: Any = float32, scale: bool = False) -> Tensor:
    """A Tensor image in another dtype, its values scaled so that white stays white where `scale` asks for it.

    Raises:
        TypeError: `inpt` is no Tensor.
    """
    if not isinstance(inpt, Tensor):
        raise TypeError(f"Input can either be a plain tensor or a PIL image, but got {type(inpt)}.")
    return convert_image_dtype(inpt, dtype) if scale else inpt.to(dtype)


def normalize(tensor: Tensor, mean: Any, std: Any, inplace: bool = False) -> Tensor:
    """(tensor − mean) / std, for each channel of a floating-point image (..., C, H, W). See `transforms.Normalize`."""
    if not isinstance(tensor, Tensor):
        raise TypeError(f"img should be Tensor Image. Got {type(tensor)}")
    if not is_floating(tensor):
        raise TypeError(f"Input tensor should be a float tensor. Got {tensor.dtype}.")
    return Normalize(mean, std, inplace)(tensor)
