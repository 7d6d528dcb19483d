"""Transforms that make one kind of image of another, and those of Tensors alone."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minicnn.creation import from_numpy
from minicnn.random import numpy_generator
from minicnn.tensor import Tensor
from minicnn.transforms import functional as F
from minicnn.transforms._draws import happens, integer, log_uniform, uniform
from minicnn.transforms._module import SingleTransform
from minicnn.transforms._windows import TRIES, check_ranges


class PILToTensor:
    """A Pillow image as a Tensor (C, H, W) of its own numbers."""

    def __call__(self, pic: Any) -> Tensor:
        return F.pil_to_tensor(pic)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class ToPILImage:
    """A Tensor (C, H, W) or an array (H, W, C) as a Pillow image.

    Args:
        mode: of the image; by default what the channels and the dtype say.
    """

    def __init__(self, mode: str | None = None) -> None:
        self.mode = mode

    def __call__(self, pic: Any) -> Any:
        return F.to_pil_image(pic, self.mode)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({'' if self.mode is None else f'mode={self.mode}'})"


class ConvertImageDtype(SingleTransform):
    """A Tensor image in another dtype, its values scaled so that white stays white.

    Args:
        dtype: the wanted one.
    """

    def __init__(self, dtype: Any) -> None:
        super().__init__()
        self.dtype = dtype

    def forward(self, image: Tensor) -> Tensor:
        """A Tensor image converted."""
        return F.convert_image_dtype(image, self.dtype)


class Lambda:
    """A function of one's own as a transform.

    Args:
        lambd: the function.

    Raises:
        TypeError: it is none.
    """

    def __init__(self, lambd: Callable[[Any], Any]) -> None:
        if not callable(lambd):
            raise TypeError(f"Argument lambd should be callable, got {type(lambd).__name__!r}")
        self.lambd = lambd

    def __call__(self, img: Any) -> Any:
        return self.lambd(img)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class LinearTransformation(SingleTransform):
    """(image − mean_vector) · transformation_matrix, of the image's numbers in a row: for whitening.

    Args:
        transformation_matrix: a Tensor (n, n), n = C · H · W.
        mean_vector: a Tensor (n,) of its dtype.

    Raises:
        ValueError: their shapes or dtypes don't fit each other; when called: nor the image.
    """

    def __init__(self, transformation_matrix: Tensor, mean_vector: Tensor) -> None:
        super().__init__()
        rows, columns = transformation_matrix.shape
        if rows != columns:
            raise ValueError(f"transformation_matrix should be square. Got {(rows, columns)} rectangular matrix.")
        if mean_vector.shape[0] != rows:
            raise ValueError(
                f"mean_vector should have the same length {mean_vector.shape[0]} as any one of the dimensions of the "
                f"transformation_matrix [{(rows, columns)}]"
            )
        if transformation_matrix.dtype != mean_vector.dtype:
            raise ValueError(
                f"Input tensors should have the same dtype. Got {transformation_matrix.dtype} and {mean_vector.dtype}"
            )
        self.transformation_matrix = transformation_matrix
        self.mean_vector = mean_vector

    def forward(self, tensor: Tensor) -> Tensor:
        """An image (..., C, H, W) transformed."""
        size = math.prod(tensor.shape[-3:])
        if size != self.transformation_matrix.shape[0]:
            raise ValueError(
                "Input tensor and transformation matrix have incompatible shape."
                f"{list(tensor.shape[-3:])} != {self.transformation_matrix.shape[0]}"
            )
        rows = tensor.reshape(-1, size) - self.mean_vector
        return (rows @ self.transformation_matrix.to(rows.dtype)).reshape(tensor.shape)

    def __repr__(self) -> str:
        matrix, mean = self.transformation_matrix.tolist(), self.mean_vector.tolist()
        return f"{type(self).__name__}(transformation_matrix={matrix}, mean_vector={mean})"


class RandomErasing(SingleTransform):
    """Overwrite a random window of a Tensor image, with probability `p`.

    Zhong et al., "Random erasing data augmentation", 2020.

    Args:
        p: the probability.
        scale: the least and the largest part of the image's area.
        ratio: the least and the largest height, by width.
        value: what is written: a number, one for each channel, or "random" for normal noise.
        inplace: write into the image that is given.

    Raises:
        TypeError, ValueError: an argument is of another type, or out of its range.
    """

    _shown = ("p", "scale", "ratio", "value", "inplace")

    def __init__(
        self,
        p: float = 0.5,
        scale: Sequence[float] = (0.02, 0.33),
        ratio: Sequence[float] = (0.3, 3.3),
        value: Any = 0,
        inplace: bool = False,
    ) -> None:
        super().__init__()
        if not isinstance(value, (int, float, str, tuple, list)):
            raise TypeError("Argument value should be either a number or str or a sequence")
        if isinstance(value, str) and value != "random":
            raise ValueError("If value is str, it should be 'random'")
        check_ranges(scale, ratio)
        if scale[0] < 0 or scale[1] > 1:
            raise ValueError(f"Scale should be between 0 and 1, got {scale}")
        if p < 0 or p > 1:
            raise ValueError(f"Random erasing probability should be between 0 and 1, got {p}")
        self.p = p
        self.scale = scale
        self.ratio = ratio
        self.value = value
        self.inplace = inplace

    @staticmethod
    def get_params(
        img: Tensor, scale: Sequence[float], ratio: Sequence[float], value: Sequence[float] | None = None
    ) -> tuple[int, int, int, int, Tensor]:
        """Draw a window (top, left, height, width) and what is written there; the image itself where none fits."""
        C, H, W = img.shape[-3:]
        for _ in range(TRIES):
            area, aspect = H * W * uniform(*scale), log_uniform(*ratio)
            height, width = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
            if not (height < H and width < W):
                continue
            if value is None:
                new = from_numpy(numpy_generator().standard_normal((C, height, width), np.float32))
            else:
                new = from_numpy(np.array(value, np.float32)[:, None, None])
            return integer(0, H - height + 1), integer(0, W - width + 1), height, width, new
        return 0, 0, H, W, img

    def forward(self, img: Tensor) -> Tensor:
        """A Tensor image, with a window overwritten or not."""
        if not happens(self.p):
            return img
        if not isinstance(img, Tensor):
            raise TypeError(f"img should be Tensor Image. Got {type(img)}")
        value = None
        if not isinstance(self.value, str):
            value = [float(one) for one in (self.value if isinstance(self.value, (list, tuple)) else [self.value])]
            if len(value) not in (1, img.shape[-3]):
                raise ValueError(
                    f"If value is a sequence, it should have either a single value or {img.shape[-3]} "
                    "(number of input channels)"
                )
        top, left, height, width, new = self.get_params(img, self.scale, self.ratio, value)
        return F.erase(img, top, left, height, width, new.to(img.dtype), self.inplace)
