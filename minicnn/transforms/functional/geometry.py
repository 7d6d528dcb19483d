"""Cutting, padding, mirroring and resizing."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn.dtypes import float32, float64
from minicnn.nn import functional
from minicnn.tensor import Tensor
from minicnn.transforms._interpolation import PILLOW, InterpolationMode, interpolation_of
from minicnn.transforms.functional._images import as_batch, get_dimensions, is_tensor, like_image

PADDING_MODES = ("constant", "edge", "reflect", "symmetric")
SMOOTH = (InterpolationMode.BILINEAR, InterpolationMode.BICUBIC)
ON_TENSORS = (InterpolationMode.NEAREST, InterpolationMode.NEAREST_EXACT, *SMOOTH)


def hflip(img: Any) -> Any:
    """An image with left and right exchanged."""
    if is_tensor(img):
        return img.flip(-1)
    from PIL.Image import Transpose

    return img.transpose(Transpose.FLIP_LEFT_RIGHT)


def vflip(img: Any) -> Any:
    """An image with top and bottom exchanged."""
    if is_tensor(img):
        return img.flip(-2)
    from PIL.Image import Transpose

    return img.transpose(Transpose.FLIP_TOP_BOTTOM)


def crop(img: Any, top: int, left: int, height: int, width: int) -> Any:
    """A window of an image; what lies outside the image is zero."""
    if not is_tensor(img):
        return img.crop((left, top, left + width, top + height))
    _, H, W = get_dimensions(img)
    right, bottom = left + width, top + height
    if left >= 0 and top >= 0 and right <= W and bottom <= H:
        return img[..., top:bottom, left:right]
    sides = [
        max(-left + min(0, right), 0),
        max(-top + min(0, bottom), 0),
        max(right - max(W, left), 0),
        max(bottom - max(H, top), 0),
    ]
    return pad(img[..., max(top, 0) : bottom, max(left, 0) : right], sides)


def center_crop(img: Any, output_size: int | Sequence[int]) -> Any:
    """The middle of an image, (OH, OW) or a square; padded with zeros where the image is smaller."""
    OH, OW = pair(output_size)
    _, H, W = get_dimensions(img)
    if OW > W or OH > H:
        wide, high = max(OW - W, 0), max(OH - H, 0)
        img = pad(img, [wide // 2, high // 2, (wide + 1) // 2, (high + 1) // 2])
        _, H, W = get_dimensions(img)
        if (OH, OW) == (H, W):
            return img
    return crop(img, round((H - OH) / 2.0), round((W - OW) / 2.0), OH, OW)


def resized_crop(
    img: Any,
    top: int,
    left: int,
    height: int,
    width: int,
    size: Any,
    interpolation: InterpolationMode = InterpolationMode.BILINEAR,
    antialias: bool | None = True,
) -> Any:
    """A window of an image, resized."""
    return resize(crop(img, top, left, height, width), size, interpolation, antialias=antialias)


def five_crop(img: Any, size: int | Sequence[int]) -> tuple[Any, ...]:
    """The four corners and the middle of an image, top left, top right, bottom left, bottom right.

    Raises:
        ValueError: the image is smaller than `size`.
    """
    OH, OW = pair(size)
    _, H, W = get_dimensions(img)
    if OW > W or OH > H:
        raise ValueError(f"Requested crop size {(OH, OW)} is bigger than input size {(H, W)}")
    corners = [crop(img, top, left, OH, OW) for top in (0, H - OH) for left in (0, W - OW)]
    return (*corners, center_crop(img, [OH, OW]))


def ten_crop(img: Any, size: int | Sequence[int], vertical_flip: bool = False) -> tuple[Any, ...]:
    """`five_crop` of an image and of its mirror image, turned upside down instead where `vertical_flip`."""
    return five_crop(img, size) + five_crop(vflip(img) if vertical_flip else hflip(img), size)


def pad(img: Any, padding: int | Sequence[int], fill: Any = 0, padding_mode: str = "constant") -> Any:
    """An image with a border.

    Args:
        img: the image.
        padding: pixels to add on every side, or (left and right, top and bottom), or (left, top, right, bottom);
            negative ones cut off.
        fill: the border's value, of Pillow images also one for each channel.
        padding_mode: "constant"; "edge" repeats the outermost pixel; "reflect" mirrors the image without and
            "symmetric" with its outermost pixel.

    Raises:
        TypeError: an argument is of another type.
        ValueError: `padding` or `fill` has another length, or there is no such mode.
    """
    tensor = is_tensor(img)
    sides = check_padding(padding, padding_mode)
    if not isinstance(fill, (int, float)) and fill is not None and (tensor or not isinstance(fill, (tuple, list))):
        raise TypeError(f"Got inappropriate fill arg: {fill!r}")
    if not tensor:
        return _pad_picture(img, sides, fill, padding_mode)
    left, top, right, bottom = sides
    if padding_mode == "symmetric":
        return _pad_symmetric(img, sides)
    batch = img if img.ndim >= 4 else img.unsqueeze(0)
    if padding_mode != "constant" and batch._array.dtype not in (np.float32, np.float64):
        batch = batch.to(float32)
    mode = "replicate" if padding_mode == "edge" else padding_mode
    options = {"value": float(fill or 0)} if mode == "constant" else {}  # type: ignore[arg-type]
    padded = functional.pad(batch, [left, right, top, bottom], mode=mode, **options)
    return (padded if img.ndim >= 4 else padded.squeeze(0)).to(img.dtype)


def check_padding(padding: Any, padding_mode: Any) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) of what a program gives for padding.

    Raises:
        TypeError: it is no integers, or the mode no text.
        ValueError: they are not 1, 2 or 4, or there is no such mode.
    """
    if not isinstance(padding, (int, tuple, list)):
        raise TypeError(f"Got inappropriate padding arg: {padding!r}")
    if not isinstance(padding_mode, str):
        raise TypeError(f"Got inappropriate padding_mode arg: {padding_mode!r}")
    sides = (padding,) if isinstance(padding, int) else tuple(padding)
    if len(sides) not in (1, 2, 4):
        raise ValueError(f"Padding must be an int or a 1, 2, or 4 element tuple, not a {len(sides)} element tuple")
    if padding_mode not in PADDING_MODES:
        raise ValueError(f"Padding mode should be either constant, edge, reflect or symmetric, got {padding_mode!r}")
    left, top, right, bottom = sides * (4 // len(sides))
    return left, top, right, bottom


def _pad_symmetric(img: Tensor, sides: tuple[int, int, int, int]) -> Tensor:
    _, H, W = get_dimensions(img)
    if img.ndim not in (3, 4):
        raise RuntimeError(f"symmetric padding needs an image of 3 or 4 dimensions, got {img.ndim}")
    left, top, right, bottom = sides
    rows, columns = _mirrored(H, top, bottom), _mirrored(W, left, right)
    return img[..., rows[:, None], columns[None, :]]


def _mirrored(size: int, before: int, after: int) -> np.ndarray:
    """Which of `size` pixels lie in a line with mirrored ones before and after."""
    line = np.arange(size)[max(-before, 0) : size - max(-after, 0)]
    return np.pad(line, (max(before, 0), max(after, 0)), mode="symmetric")


def fill_of(fill: Any, img: Any) -> Any:
    """What a program gives as the value of new pixels, as Pillow wants it for an image.

    Raises:
        ValueError: there are neither as many values as channels, nor one.
    """
    channels, values = len(img.getbands()), (0,) if fill is None else fill
    values = tuple(values) if isinstance(values, (list, tuple)) else (values,)
    single = channels == 1 and not isinstance(fill, (list, tuple))
    if len(values) == 1:
        values *= channels
    if len(values) != channels:
        raise ValueError(
            "The number of elements in 'fill' does not match the number of channels of the image "
            f"({len(values)} != {channels})"
        )
    if img.mode != "F":
        values = tuple(int(value) for value in values)
    return values[0] if single else values


def _pad_picture(img: Any, sides: tuple[int, int, int, int], fill: Any, padding_mode: str) -> Any:
    from PIL import Image, ImageOps

    left, top, right, bottom = sides
    if padding_mode == "constant":
        padded = ImageOps.expand(img, border=sides, fill=fill_of(fill, img))
    else:
        if min(sides) < 0:
            box = (max(-left, 0), max(-top, 0), img.width - max(-right, 0), img.height - max(-bottom, 0))
            img = img.crop(box)
        pixels = np.asarray(img)
        widths = [(max(top, 0), max(bottom, 0)), (max(left, 0), max(right, 0)), (0, 0)][: pixels.ndim]
        padded = Image.fromarray(np.pad(pixels, widths, mode=padding_mode))  # type: ignore[call-overload]
    if img.mode == "P":
        padded.putpalette(img.getpalette())
    return padded


def resize(
    img: Any,
    size: int | Sequence[int],
    interpolation: InterpolationMode = InterpolationMode.BILINEAR,
    max_size: int | None = None,
    antialias: bool | None = True,
) -> Any:
    """An image of another size.

    Args:
        img: the image.
        size: (OH, OW), or one number for the shorter side, the longer one following in proportion.
        interpolation: a mode; Tensors know "nearest", "nearest-exact", "bilinear" and "bicubic".
        max_size: with one number for `size`: the longest the longer side may become.
        antialias: whether a smaller image is the mean of what its pixels cover; Pillow images always are.

    Raises:
        TypeError: `interpolation` is no mode.
        ValueError: `size` or `max_size` doesn't fit, or Tensors don't know the mode.
    """
    mode = interpolation_of(interpolation)
    sizes = (size,) if isinstance(size, int) else tuple(size)
    if len(sizes) not in (1, 2):
        raise ValueError(f"Size must be an int or a 1 or 2 element tuple/list, not a {len(sizes)} element tuple/list")
    if max_size is not None and len(sizes) != 1:
        raise ValueError("max_size should only be passed if size specifies the length of the smaller edge")
    tensor = is_tensor(img)
    _, H, W = get_dimensions(img)
    OH, OW = output_size_of(H, W, sizes, max_size)
    if (OH, OW) == (H, W):
        return img
    if not tensor:
        if antialias is False:
            warnings.warn(
                "Anti-alias option is always applied for PIL Image input. Argument antialias is ignored.", stacklevel=2
            )
        return img.resize((OW, OH), PILLOW[mode])
    if mode not in ON_TENSORS:
        raise NotImplementedError(f"resizing Tensors knows no interpolation {mode.value!r}")
    options = {"align_corners": False, "antialias": bool(antialias)} if mode in SMOOTH else {}
    result = functional.interpolate(
        as_batch(img, (float32, float64)),
        size=[OH, OW],
        mode=mode.value,
        **options,  # type: ignore[arg-type]
    )
    if mode is InterpolationMode.BICUBIC and img._array.dtype == np.uint8:
        result = result.clamp(0, 255)
    return like_image(result, img)


def output_size_of(H: int, W: int, sizes: tuple[int, ...], max_size: int | None) -> tuple[int, int]:
    """(OH, OW) of an image (H, W) whose size, or shorter side alone, shall be `sizes`."""
    if len(sizes) == 2:
        return sizes[0], sizes[1]
    shorter, longer = sizes[0], int(sizes[0] * max(H, W) / min(H, W))
    if max_size is not None:
        if max_size <= shorter:
            raise ValueError(
                f"max_size = {max_size} must be strictly greater than the requested size for the smaller edge "
                f"size = {sizes[0]}"
            )
        if longer > max_size:
            shorter, longer = int(max_size * shorter / longer), max_size
    return (longer, shorter) if W <= H else (shorter, longer)


def pair(size: Any) -> tuple[int, int]:
    """(height, width) from one integer or a sequence of one or two.

    Raises:
        ValueError: there are more.
    """
    sizes = (int(size),) if isinstance(size, (int, float)) else tuple(size)
    if len(sizes) not in (1, 2):
        raise ValueError(f"Please provide only two dimensions (h, w) for size, got {size}")
    return sizes[0], sizes[-1]
