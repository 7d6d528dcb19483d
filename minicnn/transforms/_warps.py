"""Transforms that turn, shear, and change the point of view, at random."""

from collections.abc import Sequence
from typing import Any

from minicnn.transforms import functional as F
from minicnn.transforms._draws import happens, integer, uniform
from minicnn.transforms._interpolation import InterpolationMode, interpolation_of
from minicnn.transforms._module import SingleTransform, angles_of, checked_fill, number_pair
from minicnn.transforms.functional._images import is_tensor

NEAREST = InterpolationMode.NEAREST


def _fill_for(img: Any, fill: Any) -> Any:
    """`fill` as floats for each channel, where the image is a Tensor."""
    if not is_tensor(img):
        return fill
    values = [fill] * F.get_image_num_channels(img) if isinstance(fill, (int, float)) else fill
    return [float(value) for value in values]


class RandomRotation(SingleTransform):
    """Turn by a random angle.

    Args:
        degrees: x for angles from −x to x, or (least, largest).
        interpolation: a mode; see `functional.rotate`.
        expand: make the result large enough for the whole image.
        center: (x, y) of the axis; the middle if None.
        fill: the value of pixels outside, or one for each channel.

    Raises:
        TypeError, ValueError: an argument is of another type, or has another length.
    """

    def __init__(
        self,
        degrees: float | Sequence[float],
        interpolation: InterpolationMode = NEAREST,
        expand: bool = False,
        center: Sequence[float] | None = None,
        fill: Any = 0,
    ) -> None:
        super().__init__()
        self.interpolation = interpolation_of(interpolation)
        self.degrees = angles_of(degrees, "degrees")
        if center is not None:
            number_pair(center, "center")
        self.center = center
        self.expand = expand
        self.fill = checked_fill(fill)

    @staticmethod
    def get_params(degrees: Sequence[float]) -> float:
        """Draw the angle."""
        return uniform(float(degrees[0]), float(degrees[1]))

    def forward(self, img: Any) -> Any:
        """An image turned."""
        fill = _fill_for(img, self.fill)
        return F.rotate(img, self.get_params(self.degrees), self.interpolation, self.expand, self.center, fill)

    def __repr__(self) -> str:
        text = f"{type(self).__name__}(degrees={self.degrees}, interpolation={self.interpolation.value}"
        text += f", expand={self.expand}"
        if self.center is not None:
            text += f", center={self.center}"
        return f"{text}, fill={self.fill})"


class RandomAffine(SingleTransform):
    """Turn, move, scale and shear at random.

    Args:
        degrees: x for angles from −x to x, or (least, largest).
        translate: the largest moves as parts of width and height, 0 to 1; None for no moves.
        scale: (least, largest) factor; None for none.
        shear: x for −x to x along x, or (least, largest), or those along x and along y; None for none.
        interpolation, fill, center: see `functional.affine`.

    Raises:
        TypeError, ValueError: an argument is of another type, out of its range, or has another length.
    """

    def __init__(
        self,
        degrees: float | Sequence[float],
        translate: Sequence[float] | None = None,
        scale: Sequence[float] | None = None,
        shear: float | Sequence[float] | None = None,
        interpolation: InterpolationMode = NEAREST,
        fill: Any = 0,
        center: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        self.interpolation = interpolation_of(interpolation)
        self.degrees = angles_of(degrees, "degrees")
        if translate is not None:
            number_pair(translate, "translate")
            if not all(0.0 <= part <= 1.0 for part in translate):
                raise ValueError(f"translation values should be between 0 and 1, got {translate}")
        self.translate = translate
        if scale is not None:
            number_pair(scale, "scale")
            if min(scale) <= 0:
                raise ValueError(f"scale values should be positive, got {scale}")
        self.scale = scale
        self.shear = None if shear is None else angles_of(shear, "shear", (2, 4))
        self.fill = checked_fill(fill)
        if center is not None:
            number_pair(center, "center")
        self.center = center

    @staticmethod
    def get_params(
        degrees: Sequence[float],
        translate: Sequence[float] | None,
        scale_ranges: Sequence[float] | None,
        shears: Sequence[float] | None,
        img_size: Sequence[int],
    ) -> tuple[float, tuple[int, int], float, tuple[float, float]]:
        """Draw the angle, the moves in pixels of an image (W, H), the scale and both shears."""
        angle = uniform(float(degrees[0]), float(degrees[1]))
        right = down = 0
        if translate is not None:
            widest, highest = float(translate[0] * img_size[0]), float(translate[1] * img_size[1])
            right, down = round(uniform(-widest, widest)), round(uniform(-highest, highest))
        scale = 1.0 if scale_ranges is None else uniform(scale_ranges[0], scale_ranges[1])
        shear_x = shear_y = 0.0
        if shears is not None:
            shear_x = uniform(shears[0], shears[1])
            shear_y = uniform(shears[2], shears[3]) if len(shears) == 4 else 0.0
        return angle, (right, down), scale, (shear_x, shear_y)

    def forward(self, img: Any) -> Any:
        """An image turned, moved, scaled and sheared."""
        drawn = self.get_params(self.degrees, self.translate, self.scale, self.shear, F.get_image_size(img))
        fill = _fill_for(img, self.fill)
        return F.affine(img, *drawn, interpolation=self.interpolation, fill=fill, center=self.center)

    def __repr__(self) -> str:
        shown = [f"degrees={self.degrees}"]
        shown += [f"{name}={getattr(self, name)}" for name in ("translate", "scale", "shear") if getattr(self, name)]
        if self.interpolation is not NEAREST:
            shown.append(f"interpolation={self.interpolation.value}")
        if self.fill != 0:
            shown.append(f"fill={self.fill}")
        if self.center is not None:
            shown.append(f"center={self.center}")
        return f"{type(self).__name__}({', '.join(shown)})"


class RandomPerspective(SingleTransform):
    """Move the four corners inwards at random, with probability `p`.

    Args:
        distortion_scale: how far, 0 to 1.
        p: the probability.
        interpolation, fill: see `functional.perspective`.

    Raises:
        TypeError: `fill` is neither a number nor a sequence.
    """

    _shown = ("p",)

    def __init__(
        self,
        distortion_scale: float = 0.5,
        p: float = 0.5,
        interpolation: InterpolationMode = InterpolationMode.BILINEAR,
        fill: Any = 0,
    ) -> None:
        super().__init__()
        self.p = p
        self.interpolation = interpolation_of(interpolation)
        self.distortion_scale = distortion_scale
        self.fill = checked_fill(fill)

    @staticmethod
    def get_params(width: int, height: int, distortion_scale: float) -> tuple[list[list[int]], list[list[int]]]:
        """The corners (x, y) of an image, and drawn ones: top left, top right, bottom right, bottom left."""
        across, down = int(distortion_scale * (width // 2)), int(distortion_scale * (height // 2))
        left, right = (0, across + 1), (width - across - 1, width)
        top, bottom = (0, down + 1), (height - down - 1, height)
        corners = [[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]]
        drawn = [[integer(*x), integer(*y)] for x, y in ((left, top), (right, top), (right, bottom), (left, bottom))]
        return corners, drawn

    def forward(self, img: Any) -> Any:
        """An image seen from elsewhere, or as it is."""
        if not happens(self.p):
            return img
        width, height = F.get_image_size(img)
        corners = self.get_params(width, height, self.distortion_scale)
        return F.perspective(img, *corners, self.interpolation, _fill_for(img, self.fill))
