"""What a tensor says of itself: where it lives (`device`), how it lies (`memory_format`), its shape (`Size`)."""

import enum
from math import prod
from typing import Any


class device:  # noqa: N801 (torch's name)
    """Where a tensor lives: always the CPU.

    `with device("cpu"): ...` changes nothing.

    Args:
        device: "cpu", with or without a number, or such a device.
        index: a number.
        type: the same as `device`, by name.

    Raises:
        RuntimeError: for any other device; `reference` holds the same models in PyTorch, which run on CUDA.
    """

    type = "cpu"
    index = None

    def __init__(self, device: Any = "cpu", index: int | None = None, *, type: str | None = None) -> None:
        name = device if type is None else type
        if str(name).split(":")[0] != "cpu":
            raise RuntimeError(
                f"minicnn computes on the CPU only, got device {str(name)!r}; the same models in `reference` "
                "run on CUDA"
            )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) or other == "cpu"

    def __hash__(self) -> int:
        return hash("cpu")

    def __enter__(self) -> "device":
        return self

    def __exit__(self, *raised: object) -> None:
        return None

    def __str__(self) -> str:
        return "cpu"

    def __repr__(self) -> str:
        return "device(type='cpu')"


class memory_format(enum.Enum):  # noqa: N801 (torch's name)
    """In which order the elements of a tensor lie."""

    preserve_format = "preserve_format"
    contiguous_format = "contiguous_format"
    channels_last = "channels_last"

    def __repr__(self) -> str:
        return f"torch.{self.value}"


class layout(enum.Enum):  # noqa: N801 (torch's name)
    """How a tensor keeps its elements: all of them, at distances given by its strides."""

    strided = "strided"

    def __repr__(self) -> str:
        return f"torch.{self.value}"

    __str__ = __repr__


class Size(tuple):
    """A shape, as `torch.Size`."""

    def numel(self) -> int:
        """The number of elements of a tensor of this shape."""
        return prod(self)

    def __getitem__(self, key: Any) -> Any:
        part = super().__getitem__(key)
        return Size(part) if isinstance(key, slice) else part

    def __add__(self, other: Any) -> Any:
        return Size(super().__add__(other)) if isinstance(other, tuple) else NotImplemented

    def __radd__(self, other: Any) -> Any:
        return Size((*other, *self)) if isinstance(other, tuple) else NotImplemented

    def __mul__(self, times: Any) -> "Size":
        return Size(super().__mul__(times))

    __rmul__ = __mul__

    def __repr__(self) -> str:
        return f"torch.Size({list(self)})"
