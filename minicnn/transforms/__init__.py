"""Image transforms with torchvision's names and values, for one image or a whole batch at once.

An image is a uint8 array (H, W) or (H, W, C), a Pillow image, or, from `ToTensor` on, a Tensor (C, H, W). The
`batch` of a transform takes all images of a batch in one array, (N, H, W[, C]), or one Tensor,
(N, C, H, W); a single image is a batch of one, so that both give the same bits. Random transforms draw
anew for each image.

A transform of one's own is any function of an image. It joins in on whole batches if it inherits from
`Transform` and defines `batch`.
"""

from minicnn.compat import missing
from minicnn.transforms import functional
from minicnn.transforms._augmentations import AugMix, AutoAugment, RandAugment, TrivialAugmentWide
from minicnn.transforms._base import Transform
from minicnn.transforms._choices import RandomApply, RandomChoice, RandomOrder, RandomTransforms
from minicnn.transforms._colors import (
    ColorJitter,
    GaussianBlur,
    RandomAdjustSharpness,
    RandomAutocontrast,
    RandomEqualize,
    RandomGrayscale,
    RandomInvert,
    RandomPosterize,
    RandomSolarize,
)
from minicnn.transforms._compose import Compose
from minicnn.transforms._conversion import (
    ConvertImageDtype,
    Lambda,
    LinearTransformation,
    PILToTensor,
    RandomErasing,
    ToPILImage,
)
from minicnn.transforms._flips import RandomHorizontalFlip, RandomVerticalFlip
from minicnn.transforms._geometry import RandomCrop, Resize
from minicnn.transforms._interpolation import InterpolationMode
from minicnn.transforms._policies import AutoAugmentPolicy
from minicnn.transforms._values import Grayscale, Normalize, ToTensor
from minicnn.transforms._warps import RandomAffine, RandomPerspective, RandomRotation
from minicnn.transforms._windows import CenterCrop, FiveCrop, Pad, RandomResizedCrop, TenCrop

__all__ = [
    "AugMix",
    "AutoAugment",
    "AutoAugmentPolicy",
    "CenterCrop",
    "ColorJitter",
    "Compose",
    "ConvertImageDtype",
    "FiveCrop",
    "GaussianBlur",
    "Grayscale",
    "InterpolationMode",
    "Lambda",
    "LinearTransformation",
    "Normalize",
    "PILToTensor",
    "Pad",
    "RandAugment",
    "RandomAdjustSharpness",
    "RandomAffine",
    "RandomApply",
    "RandomAutocontrast",
    "RandomChoice",
    "RandomCrop",
    "RandomEqualize",
    "RandomErasing",
    "RandomGrayscale",
    "RandomHorizontalFlip",
    "RandomInvert",
    "RandomOrder",
    "RandomPerspective",
    "RandomPosterize",
    "RandomResizedCrop",
    "RandomRotation",
    "RandomSolarize",
    "RandomTransforms",
    "RandomVerticalFlip",
    "Resize",
    "TenCrop",
    "ToPILImage",
    "ToTensor",
    "Transform",
    "TrivialAugmentWide",
    "functional",
]

__getattr__ = missing.getattr_of(__name__, lambda: __all__)
