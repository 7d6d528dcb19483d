"""The transforms as functions of an image and of what to do, with torchvision's names and values.

An image is a Pillow image or a Tensor (..., C, H, W); gradients pass through what is done to Tensors of floats.
"""

from minicnn.compat import missing
from minicnn.transforms._interpolation import InterpolationMode
from minicnn.transforms.functional._images import get_dimensions, get_image_num_channels, get_image_size
from minicnn.transforms.functional.color import (
    adjust_brightness,
    adjust_contrast,
    adjust_gamma,
    adjust_saturation,
    autocontrast,
    equalize,
    invert,
    posterize,
    rgb_to_grayscale,
    solarize,
    to_grayscale,
)
from minicnn.transforms.functional.conversion import (
    convert_image_dtype,
    normalize,
    pil_to_tensor,
    to_dtype,
    to_image,
    to_pil_image,
    to_tensor,
)
from minicnn.transforms.functional.filtering import adjust_sharpness, erase, gaussian_blur
from minicnn.transforms.functional.geometry import (
    center_crop,
    crop,
    five_crop,
    hflip,
    pad,
    resize,
    resized_crop,
    ten_crop,
    vflip,
)
from minicnn.transforms.functional.hue import adjust_hue
from minicnn.transforms.functional.warping import affine, perspective, rotate

__all__ = [
    "InterpolationMode",
    "adjust_brightness",
    "adjust_contrast",
    "adjust_gamma",
    "adjust_hue",
    "adjust_saturation",
    "adjust_sharpness",
    "affine",
    "autocontrast",
    "center_crop",
    "convert_image_dtype",
    "crop",
    "equalize",
    "erase",
    "five_crop",
    "gaussian_blur",
    "get_dimensions",
    "get_image_num_channels",
    "get_image_size",
    "hflip",
    "invert",
    "normalize",
    "pad",
    "perspective",
    "pil_to_tensor",
    "posterize",
    "resize",
    "resized_crop",
    "rgb_to_grayscale",
    "rotate",
    "solarize",
    "ten_crop",
    "to_dtype",
    "to_grayscale",
    "to_image",
    "to_pil_image",
    "to_tensor",
    "vflip",
]

__getattr__ = missing.getattr_of(__name__, lambda: __all__)
