"""Transforms that change colours at random, and blur."""

from collections.abc import Sequence
from typing import Any

from minicnn.random import numpy_generator
from minicnn.transforms import functional as F
from minicnn.transforms._draws import happens, uniform
from minicnn.transforms._module import SingleTransform
from minicnn.transforms.functional.geometry import pair

Range = float | Sequence[float]


class ColorJitter(SingleTransform):
    """Change brightness, contrast, saturation and hue by random factors, in random order.

    Args:
        brightness, contrast, saturation: x for factors from max(0, 1 − x) to 1 + x, or (least, largest).
        hue: x for parts of the circle of hues from −x to x, or (least, largest), −0.5 to 0.5.

    Raises:
        TypeError: one is neither.
        ValueError: one is out of its range.
    """

    _shown = ("brightness", "contrast", "saturation", "hue")

    def __init__(self, brightness: Range = 0, contrast: Range = 0, saturation: Range = 0, hue: Range = 0) -> None:
        super().__init__()
        self.brightness = _range_of("brightness", brightness)
        self.contrast = _range_of("contrast", contrast)
        self.saturation = _range_of("saturation", saturation)
        self.hue = _range_of("hue", hue, 0, (-0.5, 0.5))

    @staticmethod
    def get_params(
        brightness: Sequence[float] | None,
        contrast: Sequence[float] | None,
        saturation: Sequence[float] | None,
        hue: Sequence[float] | None,
    ) -> tuple[list[int], float | None, float | None, float | None, float | None]:
        """Draw the order of the four changes, and the factor of each that has a range."""
        order = numpy_generator().permutation(4).tolist()
        b, c, s, h = [None if ends is None else uniform(*ends) for ends in (brightness, contrast, saturation, hue)]
        return order, b, c, s, h

    def forward(self, img: Any) -> Any:
        """An image in other colours."""
        changes = (F.adjust_brightness, F.adjust_contrast, F.adjust_saturation, F.adjust_hue)
        order, *factors = self.get_params(self.brightness, self.contrast, self.saturation, self.hue)
        for number in map(int, order):
            factor = factors[number]
            if factor is not None:
                img = changes[number](img, factor)
        return img


def _range_of(
    name: str, value: Any, center: float = 1, bounds: tuple[float, float] = (0, float("inf"))
) -> tuple[float, float] | None:
    """(least, largest), or None where nothing is to change."""
    if isinstance(value, (int, float)):
        if value < 0:
            raise ValueError(f"If {name} is a single number, it must be non negative.")
        low, high = center - float(value), center + float(value)
        low = max(low, 0.0) if center else low
    elif isinstance(value, (list, tuple)) and len(value) == 2:
        low, high = float(value[0]), float(value[1])
    else:
        raise TypeError(f"{name} should be a single number or a list/tuple with length 2.")
    if not bounds[0] <= low <= high <= bounds[1]:
        raise ValueError(f"{name} values should be between {bounds}, but got {[low, high]}.")
    return None if low == high == center else (low, high)


class _Sometimes(SingleTransform):
    """Base of the transforms that do what they do with probability `p`, and else nothing."""

    _shown: tuple[str, ...] = ("p",)

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.p = p

    def forward(self, img: Any) -> Any:
        """The image, changed or not."""
        return self._changed(img) if happens(self.p) else img

    def _changed(self, img: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define _changed")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({','.join(f'{name}={getattr(self, name)}' for name in self._shown)})"


class RandomGrayscale(_Sometimes):
    """Take the colours away with probability `p`; the channels stay as many."""

    def __init__(self, p: float = 0.1) -> None:
        super().__init__(p)

    def _changed(self, img: Any) -> Any:
        return F.rgb_to_grayscale(img, F.get_image_num_channels(img))


class RandomInvert(_Sometimes):
    """Make the negative with probability `p`."""

    def _changed(self, img: Any) -> Any:
        return F.invert(img)


class RandomAutocontrast(_Sometimes):
    """Spread the values from black to white with probability `p`."""

    def _changed(self, img: Any) -> Any:
        return F.autocontrast(img)


class RandomEqualize(_Sometimes):
    """Make all values about as frequent with probability `p`."""

    def _changed(self, img: Any) -> Any:
        return F.equalize(img)


class RandomPosterize(_Sometimes):
    """Keep the `bits` highest bits with probability `p`."""

    _shown = ("bits", "p")

    def __init__(self, bits: int, p: float = 0.5) -> None:
        super().__init__(p)
        self.bits = bits

    def _changed(self, img: Any) -> Any:
        return F.posterize(img, self.bits)


class RandomSolarize(_Sometimes):
    """Invert values from `threshold` on with probability `p`."""

    _shown = ("threshold", "p")

    def __init__(self, threshold: float, p: float = 0.5) -> None:
        super().__init__(p)
        self.threshold = threshold

    def _changed(self, img: Any) -> Any:
        return F.solarize(img, self.threshold)


class RandomAdjustSharpness(_Sometimes):
    """Sharpen by `sharpness_factor` with probability `p`."""

    _shown = ("sharpness_factor", "p")

    def __init__(self, sharpness_factor: float, p: float = 0.5) -> None:
        super().__init__(p)
        self.sharpness_factor = sharpness_factor

    def _changed(self, img: Any) -> Any:
        return F.adjust_sharpness(img, self.sharpness_factor)


class GaussianBlur(SingleTransform):
    """Blur by a bell curve of random width.

    Args:
        kernel_size: pixels of the filter, (across, down) or one number for both; odd.
        sigma: the width, or (least, largest).

    Raises:
        ValueError: a size is not odd and positive, or `sigma` not positive.
    """

    _shown = ("kernel_size", "sigma")

    def __init__(self, kernel_size: int | Sequence[int], sigma: Range = (0.1, 2.0)) -> None:
        super().__init__()
        self.kernel_size = pair(kernel_size)
        if any(size <= 0 or size % 2 == 0 for size in self.kernel_size):
            raise ValueError(f"Kernel size value should be an odd and positive number, got {kernel_size}")
        if isinstance(sigma, (int, float)):
            if sigma <= 0:
                raise ValueError(f"If sigma is a single number, it must be positive, got {sigma}")
            sigma = (sigma, sigma)
        elif not isinstance(sigma, (list, tuple)) or len(sigma) != 2:
            raise ValueError(f"sigma should be a single number or a list/tuple with length 2, got {sigma!r}")
        elif not 0.0 < sigma[0] <= sigma[1]:
            raise ValueError(f"sigma values should be positive and of the form (min, max), got {sigma}")
        self.sigma = sigma

    @staticmethod
    def get_params(sigma_min: float, sigma_max: float) -> float:
        """Draw the width of the bell."""
        return uniform(sigma_min, sigma_max)

    def forward(self, img: Any) -> Any:
        """An image blurred."""
        sigma = self.get_params(*self.sigma)
        return F.gaussian_blur(img, self.kernel_size, [sigma, sigma])
