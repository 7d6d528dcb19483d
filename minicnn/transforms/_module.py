"""Transforms that are modules, as torchvision's, so that `nn.Sequential` takes them."""

from typing import Any

from minicnn.nn.module import Module
from minicnn.transforms._base import Transform


class SingleTransform(Module):
    """A transform of one image at a time, a Pillow image or a Tensor: `forward` says what it does.

    The lines of its printout are named by `_shown`.
    """

    _shown: tuple[str, ...] = ()

    def forward(self, img: Any) -> Any:
        """Transform one image."""
        raise NotImplementedError(f"{type(self).__name__} must define forward")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)}' for name in self._shown)})"


class BatchTransform(Module, Transform):
    """A transform that is a module and is defined by what it does with a batch."""

    def forward(self, image: Any) -> Any:
        """Transform one image; see `Transform`."""
        return Transform.__call__(self, image)

    def __repr__(self) -> str:
        return Transform.__repr__(self)


def number_pair(value: Any, name: str, sizes: tuple[int, ...] = (2,)) -> None:
    """See to it that `value` is a sequence of one of `sizes`.

    Raises:
        TypeError: it is no sequence.
        ValueError: it has another length.
    """
    wanted = " or ".join(map(str, sizes))
    if not isinstance(value, (list, tuple)):
        raise TypeError(f"{name} should be a sequence of length {wanted}.")
    if len(value) not in sizes:
        raise ValueError(f"{name} should be a sequence of length {wanted}.")


def angles_of(value: Any, name: str, sizes: tuple[int, ...] = (2,)) -> list[float]:
    """[least, largest] in degrees, of such a pair or of one number for both directions.

    Raises:
        TypeError, ValueError: it is neither.
    """
    if isinstance(value, (int, float)):
        if value < 0:
            raise ValueError(f"If {name} is a single number, it must be positive.")
        value = [-value, value]
    number_pair(value, name, sizes)
    return [float(angle) for angle in value]


def checked_fill(fill: Any) -> Any:
    """What a program gives as the value of new pixels; 0 for None.

    Raises:
        TypeError: it is neither a number nor a sequence.
    """
    if fill is not None and not isinstance(fill, (int, float, list, tuple)):
        raise TypeError(f"Fill should be either a sequence or a number, got {fill!r}")
    return 0 if fill is None else fill
