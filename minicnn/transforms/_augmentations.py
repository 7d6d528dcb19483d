"""Augmentation by changes drawn from a list: RandAugment, TrivialAugment, AutoAugment and AugMix."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn.creation import linspace
from minicnn.random import numpy_generator
from minicnn.tensor import Tensor, computed
from minicnn.transforms import functional as F
from minicnn.transforms._draws import integer
from minicnn.transforms._interpolation import InterpolationMode, interpolation_of
from minicnn.transforms._module import SingleTransform
from minicnn.transforms._policies import AutoAugmentPolicy, policies
from minicnn.transforms.functional._images import is_tensor

NEAREST, BILINEAR = InterpolationMode.NEAREST, InterpolationMode.BILINEAR


def _warped(img: Any, mode: InterpolationMode, fill: Any, move: tuple = (0, 0), **options: Any) -> Any:
    return F.affine(img, 0.0, list(move), 1.0, interpolation=mode, fill=fill, **{"shear": [0.0, 0.0], **options})


def _degrees(slope: float) -> float:
    return math.degrees(math.atan(slope))


CHANGES: dict[str, Callable[[Any, float, InterpolationMode, Any], Any]] = {
    "Identity": lambda img, m, mode, fill: img,
    "ShearX": lambda img, m, mode, fill: _warped(img, mode, fill, shear=[_degrees(m), 0.0], center=[0, 0]),
    "ShearY": lambda img, m, mode, fill: _warped(img, mode, fill, shear=[0.0, _degrees(m)], center=[0, 0]),
    "TranslateX": lambda img, m, mode, fill: _warped(img, mode, fill, (int(m), 0)),
    "TranslateY": lambda img, m, mode, fill: _warped(img, mode, fill, (0, int(m))),
    "Rotate": lambda img, m, mode, fill: F.rotate(img, m, mode, fill=fill),
    "Brightness": lambda img, m, mode, fill: F.adjust_brightness(img, 1.0 + m),
    "Color": lambda img, m, mode, fill: F.adjust_saturation(img, 1.0 + m),
    "Contrast": lambda img, m, mode, fill: F.adjust_contrast(img, 1.0 + m),
    "Sharpness": lambda img, m, mode, fill: F.adjust_sharpness(img, 1.0 + m),
    "Posterize": lambda img, m, mode, fill: F.posterize(img, int(m)),
    "Solarize": lambda img, m, mode, fill: F.solarize(img, m),
    "AutoContrast": lambda img, m, mode, fill: F.autocontrast(img),
    "Equalize": lambda img, m, mode, fill: F.equalize(img),
    "Invert": lambda img, m, mode, fill: F.invert(img),
}
"""What is made of an image by a change of some strength."""

WARPS = ("ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate")
COLOURS = ("Brightness", "Color", "Contrast", "Sharpness")
SIGNED = WARPS + COLOURS
"""Changes that have two directions; the strength is negative in one of two draws."""


def _strengths(
    bins: int, shear: float, move: tuple[float, float], angle: float, colour: float, bits: tuple[int, int]
) -> dict[str, list[float]]:
    """The strengths of each change, from none to the largest.

    Args:
        bins: how many strengths.
        shear: the largest slope.
        move: the largest moves along x and along y, in pixels.
        angle: the largest, in degrees.
        colour: the largest part by which colours change.
        bits: how many are kept at first, and how many fewer in the end.
    """
    largest = dict(zip(WARPS, (shear, shear, *move, angle), strict=True)) | dict.fromkeys(COLOURS, colour)
    found = {name: linspace(0.0, end, bins).tolist() for name, end in largest.items()}
    lost = np.round(np.arange(bins, dtype=np.float32) / np.float32((bins - 1) / bits[1]))
    found["Posterize"] = [float(bits[0] - int(n)) for n in lost]
    found["Solarize"] = linspace(255.0, 0.0, bins).tolist()
    return found


class _Augmentation(SingleTransform):
    """What the four share: changes by name, and what is filled in.

    Args:
        interpolation: a mode; see `functional.rotate`.
        fill: the value of pixels outside, or one for each channel; None for black.
    """

    def __init__(self, interpolation: InterpolationMode, fill: Any) -> None:
        super().__init__()
        self.interpolation = interpolation_of(interpolation)
        self.fill = fill

    def _changed(self, img: Any, name: str, strength: float) -> Any:
        fill = self.fill
        if is_tensor(img) and fill is not None:
            values = [fill] * F.get_dimensions(img)[0] if isinstance(fill, (int, float)) else fill
            fill = [float(value) for value in values]
        return CHANGES[name](img, strength, self.interpolation, fill)


def _drawn_sign(name: str) -> int:
    """−1 or 1 for a change that has two directions."""
    return -1 if name in SIGNED and integer(0, 2) else 1


RAND_AUGMENT = ("Identity", *WARPS, *COLOURS, "Posterize", "Solarize", "AutoContrast", "Equalize")


class RandAugment(_Augmentation):
    """Several changes of one strength, drawn one after another (Cubuk and others, "RandAugment", 2019).

    Args:
        num_ops: how many changes.
        magnitude: their strength, a number of a bin.
        num_magnitude_bins: how many strengths there are.
        interpolation: a mode; see `functional.rotate`.
        fill: the value of pixels outside, or one for each channel; None for black.
    """

    _shown = ("num_ops", "magnitude", "num_magnitude_bins", "interpolation", "fill")

    def __init__(
        self,
        num_ops: int = 2,
        magnitude: int = 9,
        num_magnitude_bins: int = 31,
        interpolation: InterpolationMode = NEAREST,
        fill: Any = None,
    ) -> None:
        super().__init__(interpolation, fill)
        self.num_ops, self.magnitude, self.num_magnitude_bins = num_ops, magnitude, num_magnitude_bins

    def forward(self, img: Any) -> Any:
        """An image changed `num_ops` times."""
        _, height, width = F.get_dimensions(img)
        move = 150.0 / 331.0 * width, 150.0 / 331.0 * height
        strengths = _strengths(self.num_magnitude_bins, 0.3, move, 30.0, 0.9, (8, 4))
        for _ in range(self.num_ops):
            name = RAND_AUGMENT[integer(0, len(RAND_AUGMENT))]
            strength = strengths[name][self.magnitude] if name in strengths else 0.0
            img = self._changed(img, name, strength * _drawn_sign(name))
        return img


class TrivialAugmentWide(_Augmentation):
    """One change of a random strength (Müller and Hutter, "TrivialAugment", 2021, the wide list).

    Args:
        num_magnitude_bins: how many strengths there are.
        interpolation: a mode; see `functional.rotate`.
        fill: the value of pixels outside, or one for each channel; None for black.
    """

    _shown = ("num_magnitude_bins", "interpolation", "fill")

    def __init__(
        self, num_magnitude_bins: int = 31, interpolation: InterpolationMode = NEAREST, fill: Any = None
    ) -> None:
        super().__init__(interpolation, fill)
        self.num_magnitude_bins = num_magnitude_bins

    def forward(self, img: Any) -> Any:
        """An image changed once."""
        strengths = _strengths(self.num_magnitude_bins, 0.99, (32.0, 32.0), 135.0, 0.99, (8, 6))
        name = RAND_AUGMENT[integer(0, len(RAND_AUGMENT))]
        strength = strengths[name][integer(0, self.num_magnitude_bins)] if name in strengths else 0.0
        return self._changed(img, name, strength * _drawn_sign(name))


class AutoAugment(_Augmentation):
    """One of 25 pairs of changes, each with a probability of its own, that were learnt on a data set.

    Cubuk and others, "AutoAugment", 2019.

    Args:
        policy: the data set.
        interpolation: a mode; see `functional.rotate`.
        fill: the value of pixels outside, or one for each channel; None for black.

    Raises:
        ValueError: there is no such policy.
    """

    _shown = ("policy", "fill")

    def __init__(
        self,
        policy: AutoAugmentPolicy = AutoAugmentPolicy.IMAGENET,
        interpolation: InterpolationMode = NEAREST,
        fill: Any = None,
    ) -> None:
        if not isinstance(policy, AutoAugmentPolicy):
            raise ValueError(f"The provided policy {policy} is not recognized.")
        super().__init__(interpolation, fill)
        self.policy = policy
        self.policies = policies(policy)

    @staticmethod
    def get_params(transform_num: int) -> tuple[int, list[float], list[int]]:
        """Draw the number of a pair, a number from 0 to 1 for each change, and a sign, 0 for minus."""
        chosen = integer(0, transform_num)
        probabilities = [float(x) for x in numpy_generator().random(2)]
        return chosen, probabilities, [integer(0, 2), integer(0, 2)]

    def forward(self, img: Any) -> Any:
        """An image changed up to twice."""
        _, height, width = F.get_dimensions(img)
        strengths = _strengths(10, 0.3, (150.0 / 331.0 * width, 150.0 / 331.0 * height), 30.0, 0.9, (8, 4))
        chosen, drawn, signs = self.get_params(len(self.policies))
        for (name, probability, number), x, sign in zip(self.policies[chosen], drawn, signs, strict=True):
            if x <= probability:
                strength = 0.0 if number is None else strengths[name][number]
                img = self._changed(img, name, -strength if name in SIGNED and not sign else strength)
        return img


class AugMix(_Augmentation):
    """An image mixed with several chains of changes of it (Hendrycks and others, "AugMix", 2020).

    Args:
        severity: the strongest change that is drawn, 1 to 10.
        mixture_width: how many chains.
        chain_depth: how many changes a chain has; 1 to 3, drawn, if it isn't positive.
        alpha: of the Dirichlet distributions that the weights are drawn from.
        all_ops: whether colours change, too.
        interpolation: a mode; see `functional.rotate`.
        fill: the value of pixels outside, or one for each channel; None for black.

    Raises:
        ValueError: `severity` is out of its range.
    """

    _shown = ("severity", "mixture_width", "chain_depth", "alpha", "all_ops", "interpolation", "fill")

    def __init__(
        self,
        severity: int = 3,
        mixture_width: int = 3,
        chain_depth: int = -1,
        alpha: float = 1.0,
        all_ops: bool = True,
        interpolation: InterpolationMode = BILINEAR,
        fill: Any = None,
    ) -> None:
        super().__init__(interpolation, fill)
        if not 1 <= severity <= 10:
            raise ValueError(f"The severity must be between [1, 10]. Got {severity} instead.")
        self.severity, self.mixture_width, self.chain_depth = severity, mixture_width, chain_depth
        self.alpha, self.all_ops = alpha, all_ops

    def forward(self, img: Any) -> Any:
        """An image mixed with changed ones; a batch (N, C, H, W) gets weights for each image."""
        given = img
        if not is_tensor(img):
            img = F.pil_to_tensor(img)
        height, width = img.shape[-2:]
        strengths = _strengths(10, 0.3, (width / 3.0, height / 3.0), 30.0, 0.9, (4, 4))
        names = [*WARPS, "Posterize", "Solarize", "AutoContrast", "Equalize", *(COLOURS if self.all_ops else ())]
        batch = img.reshape(*[1] * (4 - img.ndim), *img.shape)
        by_image = (len(batch), *[1] * (batch.ndim - 1))
        own = self._weights(2, len(batch))
        shares = self._weights(self.mixture_width, len(batch)) * own[:, 1:]
        mix = own[:, 0].reshape(by_image) * batch._array
        for i in range(self.mixture_width):
            changed = batch
            for _ in range(self.chain_depth if self.chain_depth > 0 else integer(1, 4)):
                name = names[integer(0, len(names))]
                strength = strengths[name][integer(0, self.severity)] if name in strengths else 0.0
                changed = self._changed(changed, name, strength * _drawn_sign(name))
            mix = mix + shares[:, i].reshape(by_image) * changed._array
        mixed: Tensor = computed(mix.reshape(img.shape).astype(img._array.dtype))
        return mixed if is_tensor(given) else F.to_pil_image(mixed)

    def _weights(self, width: int, count: int) -> np.ndarray:
        """Weights for each image that add up to 1."""
        return numpy_generator().dirichlet([self.alpha] * width, count).astype(np.float32)
