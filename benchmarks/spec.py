"""A convolution in one line of text: `32x64x32x32,o64,k3,s1,p1,d1,g1`.

NxCxHxW    N images of C channels and H × W pixels; × may be written for x
oO         outputs (needed)
kK         kernel (needed); k3x5 is 3 high and 5 wide, as with all that follow
sS         stride, 1 where it is left out
pP         zeros on both sides, 0 where it is left out; psame and pvalid as in PyTorch
dD         dilation, 1 where it is left out
gG         groups, 1 where it is left out
"""

import re
from dataclasses import dataclass
from typing import Any

from minicnn.kernels.geometry import Geometry, convolution_geometry
from minicnn.recipes.errors import UserError

EXAMPLE = "32x64x32x32,o64,k3,s1,p1,d1,g1"
FIELDS = {"o": "O", "k": "kernel", "s": "stride", "p": "padding", "d": "dilation", "g": "groups"}


@dataclass(frozen=True)
class Convolution:
    """The sizes of a convolution and its costs.

    Each of its three products (the output, the gradient by weight, the gradient by input) has as many multiply-adds as
    the others, reads two of the arrays x, weight and y (or a gradient of the same size) and writes the third. So
    `flops` and `bytes` hold for each.

    Attributes:
        N, C, H, W: of the input.
        O: outputs.
        kernel, stride, dilation: (rows, columns).
        padding: (rows, columns) on both sides, or "same" or "valid".
        groups: into how many parts channels and outputs are divided.

    Raises:
        ValueError: for sizes that make no convolution, naming them.
    """

    N: int
    C: int
    H: int
    W: int
    O: int
    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] | str = (0, 0)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1

    def __post_init__(self) -> None:
        if min(self.N, self.C, self.H, self.W, self.O, self.groups) < 1:
            raise ValueError(f"{self}: sizes must be at least 1")
        if self.C % self.groups or self.O % self.groups:
            raise ValueError(f"{self}: {self.groups} groups don't divide {self.C} channels and {self.O} outputs")
        try:
            _ = self.geometry
        except ValueError as error:
            raise ValueError(f"{self}: {error}") from None

    def __str__(self) -> str:
        """As `parse` reads it."""
        fields = [f"{letter}{_text(getattr(self, name))}" for letter, name in FIELDS.items()]
        return ",".join([f"{self.N}x{self.C}x{self.H}x{self.W}", *fields])

    @property
    def geometry(self) -> Geometry:
        """Where its windows lie."""
        return convolution_geometry((self.H, self.W), self.kernel, self.stride, self.padding, self.dilation)

    @property
    def input_shape(self) -> tuple[int, int, int, int]:
        """(N, C, H, W)"""
        return self.N, self.C, self.H, self.W

    @property
    def weight_shape(self) -> tuple[int, int, int, int]:
        """(O, C/groups, KH, KW)"""
        return self.O, self.C // self.groups, *self.kernel

    @property
    def output_shape(self) -> tuple[int, int, int, int]:
        """(N, O, OH, OW)"""
        return self.N, self.O, *self.geometry.output_size

    @property
    def arguments(self) -> tuple[Any, ...]:
        """What `conv2d` takes after x, weight and bias."""
        return self.stride, self.padding, self.dilation, self.groups

    @property
    def of_images(self) -> bool:
        """Whether it looks at grey or coloured images: the first layer of a network."""
        return self.C in (1, 3)

    @property
    def flops(self) -> float:
        """Floating-point operations of one product, a multiply-add being two, taps in the padding included."""
        N, _, OH, OW = self.output_shape
        return 2.0 * N * OH * OW * _product(self.weight_shape)

    @property
    def bytes(self) -> float:
        """Bytes that one product moves at least: x, weight and y once each, in float32."""
        return 4.0 * sum(map(_product, (self.input_shape, self.weight_shape, self.output_shape)))

    @property
    def label(self) -> str:
        """For people: `32×64×32² → 64, 3×3/2`."""
        image = f"{self.H}²" if self.H == self.W else f"{self.H}×{self.W}"
        label = f"{self.N}×{self.C}×{image} → {self.O}, {self.kernel[0]}×{self.kernel[1]}"
        label += f"/{_text(self.stride)}" if self.stride != (1, 1) else ""
        label += f", dilation {_text(self.dilation)}" if self.dilation != (1, 1) else ""
        return label + (f", {self.groups} groups" if self.groups > 1 else "")


def _text(value: Any) -> str:
    """A field's value: pairs of equal numbers as one."""
    if isinstance(value, tuple):
        return str(value[0]) if value[0] == value[1] else f"{value[0]}x{value[1]}"
    return str(value)


def _product(sizes: tuple[int, ...]) -> int:
    result = 1
    for size in sizes:
        result *= size
    return result


def parse(text: str) -> Convolution:
    """Read a convolution.

    Args:
        text: as above, such as `32x64x32x32,o64,k3,p1`.

    Raises:
        UserError: naming the part that can't be read, or what makes no convolution.
    """
    sizes, *fields = text.replace(" ", "").replace("×", "x").lower().split(",")
    if not re.fullmatch(r"\d+x\d+x\d+x\d+", sizes):
        raise UserError(f"a convolution begins with NxCxHxW, such as {EXAMPLE}; got {sizes!r}")
    values: dict[str, Any] = {}
    for field in fields:
        letter, value = field[:1], field[1:]
        if letter not in FIELDS:
            known = ", ".join(f"{letter} ({name})" for letter, name in FIELDS.items())
            raise UserError(f"{field!r} begins with none of {known}; an example: {EXAMPLE}")
        name = FIELDS[letter]
        if name in values:
            raise UserError(f"{field!r}: {name} is there twice in {text!r}")
        values[name] = _value(field, name, value)
    for letter, name in (("o", "outputs"), ("k", "kernel")):
        if FIELDS[letter] not in values:
            raise UserError(f"{text!r} lacks {name}, {letter} and a number; an example: {EXAMPLE}")
    N, C, H, W = map(int, sizes.split("x"))
    try:
        return Convolution(N, C, H, W, **values)
    except ValueError as error:
        raise UserError(str(error)) from None


def _value(field: str, name: str, value: str) -> Any:
    """A field's value: an int for outputs and groups, a pair or a word for padding, a pair for the others."""
    if name == "padding" and value in ("same", "valid"):
        return value
    if name in ("O", "groups"):
        if not re.fullmatch(r"\d+", value):
            raise UserError(f"{field!r}: {field[0]} takes one number")
        return int(value)
    if not re.fullmatch(r"\d+(x\d+)?", value):
        words = ", same or valid" if name == "padding" else ""
        raise UserError(f"{field!r}: {name} takes a number, two such as 3x5{words}")
    numbers = [int(number) for number in value.split("x")]
    return numbers[0], numbers[-1]
