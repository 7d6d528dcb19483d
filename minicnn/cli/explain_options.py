"""What `minicnn explain` is asked with: sizes, places, and where the numbers come from."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from minicnn.recipes.errors import UserError, not_negative

if TYPE_CHECKING:
    from minicnn.explain.given import Given


def whole_numbers(text: str) -> tuple[int, ...]:
    """The numbers between commas.

    Raises:
        ValueError: where something else is.
    """
    return tuple(int(part) for part in text.split(","))


def numbers(least: int, most: int, words: str, smallest: int | None) -> Callable[[str | None], str | None]:
    """A callback for an option that takes `least` to `most` whole numbers with commas, described by `words`."""

    def check(value: str | None) -> str | None:
        if value is None:
            return None
        try:
            found = whole_numbers(value)
        except ValueError:
            found = ()
        if not least <= len(found) <= most:
            raise typer.BadParameter(f"must be {words}, got {value!r}")
        if smallest is not None and min(found) < smallest:
            raise typer.BadParameter(f"must be at least {smallest}, got {value!r}")
        return value

    return check


def padding(value: str) -> str | None:
    """A callback for an option that takes a padding."""
    if value in WORDS:
        return value
    return numbers(1, 2, "same, valid, one number or two such as 1,2", 0)(value)


def real_numbers(text: str) -> tuple[float, ...]:
    """The real numbers between commas.

    Raises:
        ValueError: where something else is.
    """
    return tuple(float(part) for part in text.split(","))


def real(value: str | None) -> str | None:
    """A callback for an option that takes real numbers with commas."""
    if value is not None:
        try:
            real_numbers(value)
        except ValueError:
            raise typer.BadParameter(f"must be numbers such as 1,2,0.5, got {value!r}") from None
    return value


def fractions(text: str) -> list[float]:
    """The probabilities between commas: 0.25, 1/4.

    Raises:
        ValueError, ZeroDivisionError, OverflowError: where something else is.
    """
    return [float(Fraction(part.strip())) for part in text.split(",")]


def probabilities(value: str | None) -> str | None:
    """A callback for an option that takes probabilities with commas."""
    if value is not None:
        try:
            fractions(value)
        except (ValueError, ZeroDivisionError, OverflowError):
            raise typer.BadParameter(f"must be probabilities such as 0.5,1/4,0.25, got {value!r}") from None
    return value


def pair(text: str) -> tuple[int, int]:
    """One number for rows and columns alike, or two."""
    sizes = whole_numbers(text)
    return sizes[0], sizes[-1]


def padding_of(text: str) -> str | tuple[int, int]:
    """A padding as the functions take it."""
    return text if text in WORDS else pair(text)


def place(text: str | None) -> tuple[int, ...] | None:
    """The indices of an output pixel; None for the one in the middle."""
    return None if text is None else whole_numbers(text)


def the_input(
    size: str | None,
    values: Path | None,
    image: Path | None,
    digit: int | None,
    seed: int,
    usual: tuple[int, ...] = (1, 1, 5, 5),
) -> "Given":
    """The input that the options name: drawn, unless a file or a digit gives it.

    Args:
        size, values, image, digit, seed: the options.
        usual: its shape where none is named.

    Raises:
        UserError: for more than one of them.
    """
    from minicnn.explain import sources
    from minicnn.explain.given import drawn

    named = [f"--{name}" for name, one in (("values", values), ("image", image), ("digit", digit)) if one is not None]
    if len(named) > 1:
        raise UserError(f"{' and '.join(named)} both give the input; name one of them")
    shape = () if size is None else whole_numbers(size)
    if named and shape and (image is None or len(shape) != 3):
        how = "a picture takes --input C,H,W" if image else f"{named[0]} has a shape of its own"
        raise UserError(f"--input doesn't go with {named[0]} here: {how}")
    if values is not None:
        return sources.array_file(values)
    if image is not None:
        return sources.picture(image, (shape[0], shape[1], shape[2]) if shape else None)
    if digit is not None:
        return sources.digit(digit)
    return drawn("input", (1,) * (len(usual) - len(shape)) + shape if shape else usual, seed)


def the_weight(
    x: "Given",
    file: Path | None,
    kernel: str | None,
    outputs: int | None,
    groups: int,
    seed: int,
    transposed: bool = False,
) -> "Given":
    """The weight that the options name: drawn, unless a file gives it.

    Args:
        x: the input, for its channels.
        file, kernel, outputs, groups, seed: the options.
        transposed: whether input channels come first in it, as in a transposed convolution.

    Raises:
        UserError: for options that contradict each other.
    """
    from minicnn.explain import sources
    from minicnn.explain.given import drawn

    if file is not None:
        for name, value in (("kernel", kernel), ("outputs", outputs)):
            if value is not None:
                raise UserError(f"--weight says what --{name} would; leave one of them out")
        return sources.array_file(file)
    C = x.array.shape[-3] if x.array.ndim > 2 else 1
    O = outputs or groups
    if C % groups or O % groups:
        raise UserError(f"--groups {groups} doesn't divide the {C} channels and {O} outputs")
    channels = (C, O // groups) if transposed else (O, C // groups)
    return drawn("weight", (*channels, *pair(kernel or "3")), seed)


WORDS = ("same", "valid")
ONE_OR_TWO = "one number or two such as 3,2"
Input = Annotated[
    str | None,
    typer.Option(
        callback=numbers(2, 4, "a shape such as 1,5,5 (channels, rows, columns)", 1),
        help="Shape of the input: C,H,W, N,C,H,W or H,W.  [default: a small one]",
    ),
]
Batch = Annotated[
    str | None,
    typer.Option(
        callback=numbers(2, 4, "a shape such as 2,2,2,2 (images, channels, rows, columns)", 1),
        help="Shape of the input: N,C,H,W, C,H,W or H,W.  [default: 2,2,2,2]",
    ),
]
Scores = Annotated[
    str,
    typer.Option(
        callback=numbers(2, 2, "a shape such as 3,4 (rows, classes)", 1), help="Shape of the scores: rows, classes."
    ),
]
Target = Annotated[
    str | None,
    typer.Option(
        callback=numbers(1, 10**6, "classes such as 0,2,1", None), help="The class of each row.  [default: drawn]"
    ),
]
ClassWeight = Annotated[
    str | None, typer.Option(callback=real, help="A factor for each class, such as 1,2,0.5.  [default: none]")
]
Element = Annotated[
    str | None,
    typer.Option(
        callback=numbers(1, 4, "an element such as 0,1,1,0 (image, channel, row, column)", 0),
        help="The element that is explained: image, channel, row, column.  [default: in the middle]",
    ),
]
Kernel = Annotated[
    str | None, typer.Option(callback=numbers(1, 2, ONE_OR_TWO, 1), help="Size of the kernel: 3, or 3,2 for KH,KW.")
]
Stride = Annotated[str, typer.Option(callback=numbers(1, 2, ONE_OR_TWO, 1), help="Step from window to window.")]
Padding = Annotated[str, typer.Option(callback=padding, help="Zeros around the image: 1, or 1,2, or same, or valid.")]
Dilation = Annotated[
    str, typer.Option(callback=numbers(1, 2, ONE_OR_TWO, 1), help="How far apart a window's taps lie.")
]
Groups = Annotated[int, typer.Option(min=1, help="Into how many independent parts channels and outputs are divided.")]
Window = Annotated[str, typer.Option(callback=numbers(1, 2, ONE_OR_TWO, 1), help="Size of the window.")]
WindowStep = Annotated[
    str | None,
    typer.Option(
        callback=numbers(1, 2, ONE_OR_TWO, 1), help="Step from window to window.  [default: the window's size]"
    ),
]
Border = Annotated[
    str, typer.Option(callback=numbers(1, 2, ONE_OR_TWO, 0), help="Padding around the image, at most half the kernel.")
]
Zeros = Annotated[
    str, typer.Option(callback=numbers(1, 2, ONE_OR_TWO, 0), help="Rows and columns that are cut off the output.")
]
OutputPadding = Annotated[
    str,
    typer.Option(callback=numbers(1, 2, ONE_OR_TWO, 0), help="Rows and columns added at the bottom and to the right."),
]
CeilMode = Annotated[bool, typer.Option("--ceil-mode", help="Round the output's size up.")]
Outputs = Annotated[int | None, typer.Option(min=1, help="How many output channels.  [default: one a group]")]
At = Annotated[
    str | None,
    typer.Option(
        callback=numbers(2, 4, "an output pixel such as 0,1,2 (output channel, row, column)", 0),
        help="The output pixel that is explained: channel, row, column.  [default: in the middle]",
    ),
]
Bias = Annotated[bool, typer.Option("--bias/--no-bias", help="Whether a bias is added.")]
Values = Annotated[Path | None, typer.Option(help="Take the input from this file of NumPy's (.npy).")]
Weight = Annotated[Path | None, typer.Option(help="Take the weight (O, C/groups, KH, KW) from this .npy file.")]
Image = Annotated[
    Path | None, typer.Option(help="Take the input from a picture, in grey of 0 to 255, scaled to at most 32 pixels.")
]
Digit = Annotated[
    int | None, typer.Option(min=0, max=9, help="Take the input from a handwritten digit, 8×8 pixels of 0 to 16.")
]
Schedule = Annotated[
    bool, typer.Option("--schedule", help="Instead, the loops that the engine runs here in float32, and why.")
]
Html = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Write a page for the browser to this file, instead of printing.")
]
Seed = Annotated[int, typer.Option(callback=not_negative, help="Seed of the whole numbers that are drawn.")]
