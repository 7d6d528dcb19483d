"""How tensors print: PyTorch's layout, number for number, and `set_printoptions`."""

import contextlib
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from minicnn.autograd import Variable
from minicnn.dtypes import bool_, default_float, int64
from minicnn.element_types import DTYPES


@dataclass
class PrintOptions:
    """What `set_printoptions` sets.

    Attributes:
        precision: digits behind the point.
        threshold: a tensor of more elements is printed in part.
        edgeitems: how many items are printed at either end of every dimension then.
        linewidth: characters of a line.
        sci_mode: whether numbers are printed as 1.0000e+00; None to choose by the numbers.
    """

    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


_options = PrintOptions()
_PROFILES = {
    "default": PrintOptions(),
    "short": PrintOptions(precision=2, edgeitems=2),
    "full": PrintOptions(threshold=math.inf),
}


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Choose how tensors print; what isn't given stays, but for `sci_mode`.

    Args:
        precision: digits behind the point, 4 at first.
        threshold: a tensor of more elements is printed in part, 1000 at first.
        edgeitems: how many items are printed at either end of every dimension then, 3 at first.
        linewidth: characters of a line, 80 at first.
        profile: "default", "short" or "full", which set all of these.
        sci_mode: whether numbers are printed as 1.0000e+00; None to choose by the numbers.
    """
    given = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    if profile in _PROFILES:
        given = asdict(_PROFILES[profile]) | {name: value for name, value in given.items() if value is not None}
    for name, value in given.items():
        if value is not None:
            setattr(_options, name, value)
    _options.sci_mode = sci_mode


def get_printoptions() -> dict[str, Any]:
    """What `set_printoptions` takes, as it is now."""
    return asdict(_options)


@contextlib.contextmanager
def printoptions(**options: Any) -> Iterator[None]:
    """Other options of printing, those of `set_printoptions`, for a block."""
    before = get_printoptions()
    set_printoptions(**options)
    try:
        yield
    finally:
        set_printoptions(**before)


class Numbers:
    """Writes the elements of one tensor, all of the same width.

    Args:
        array: the elements that will be printed.
    """

    def __init__(self, array: np.ndarray) -> None:
        self._floats = array.dtype.kind == "f"
        self._scientific: bool | None = False
        self._whole, self.width = True, 1
        if not self._floats:
            self.width = max([1, *(len(str(value)) for value in array.ravel().tolist())])
            return
        finite = array[np.isfinite(array) & (array != 0)].astype(np.float64)
        if not finite.size:
            return
        sizes = np.abs(finite)
        least, most = sizes.min(), sizes.max()
        self._whole = bool((finite == np.ceil(finite)).all())
        self._scientific = _options.sci_mode
        if _options.sci_mode is None:
            with np.errstate(over="ignore"):
                self._scientific = bool(most / least > 1000 or most > 1e8 or least < 1e-4)
        self.width = max(1, *(len(self._text(value)) for value in finite.tolist()))

    def _text(self, value: Any) -> str:
        if not self._floats:
            return str(value)
        if self._scientific:
            return f"{value:.{_options.precision}e}"
        if not self._whole:
            return f"{value:.{_options.precision}f}"
        return f"{value:.0f}." if math.isfinite(value) else f"{value:.0f}"

    def write(self, value: Any) -> str:
        """One element."""
        return self._text(value).rjust(self.width)


def _printed_part(array: np.ndarray) -> np.ndarray:
    """The elements that are printed of an array that is printed in part."""
    edge = _options.edgeitems
    if not edge and array.ndim > 1:
        return array[:0]
    for axis, size in enumerate(array.shape):
        if size > 2 * edge:
            ends = [array[(slice(None),) * axis + (part,)] for part in (slice(edge), slice(-edge, None))]
            array = np.concatenate(ends, axis)
    return array


def _written(array: np.ndarray, indent: int, in_part: bool, numbers: Numbers) -> str:
    """The elements in brackets, from column `indent` on."""
    if not array.ndim:
        return numbers.write(array.item())
    edge = _options.edgeitems
    cut = in_part and len(array) > 2 * edge
    if array.ndim > 1:
        rows = [*range(edge), None, *range(len(array) - edge, len(array))] if cut else range(len(array))
        texts = ["..." if i is None else _written(array[i], indent + 1, in_part, numbers) for i in rows]
        return "[" + ("," + "\n" * (array.ndim - 1) + " " * (indent + 1)).join(texts) + "]"
    if in_part and not edge:
        texts = ["..."]
    elif cut:
        texts = [
            *map(numbers.write, array[:edge].tolist()),
            " ...",
            *map(numbers.write, array[-edge:].tolist()),
        ]
    else:
        texts = [*map(numbers.write, array.tolist())]
    count = max(1, (_options.linewidth - indent) // (numbers.width + 2))
    lines = [", ".join(texts[start : start + count]) for start in range(0, len(texts), count)]
    return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"


def _elements(array: np.ndarray, indent: int) -> str:
    if not array.size:
        return "[]"
    in_part = array.size > _options.threshold
    return _written(array, indent, in_part, Numbers(_printed_part(array) if in_part else array))


def remarks(tensor: Any) -> Iterator[str]:
    """What stands behind the elements: what these don't tell."""
    array = tensor._array
    if (not array.size and array.ndim != 1) or (array.size and not _options.edgeitems):
        yield f"size={array.shape}"
    usual = (default_float(), int64, bool_) if array.size else (default_float(),)
    if array.dtype not in usual:
        yield f"dtype={DTYPES[array.dtype]}"
    view = tensor._view
    if view is not None and view.steps is None and view.node is not view.root._node:
        yield "grad_fn=<Invalid>"
    elif tensor.grad_fn is not None:
        yield f"grad_fn=<{type(tensor.grad_fn).__name__}>"
    elif tensor.requires_grad:
        yield "requires_grad=True"


def written(tensor: Variable, name: str = "tensor") -> str:
    """A tensor as PyTorch prints it, with `name` before the bracket."""
    indent = len(name) + 1
    text = f"{name}({_elements(tensor._array, indent)}"
    column = len(text) - text.rfind("\n") + 1
    for remark in remarks(tensor):
        if column + len(remark) + 2 > _options.linewidth:
            text += f",\n{' ' * indent}{remark}"
            column = indent + len(remark)
        else:
            text += f", {remark}"
            column += len(remark) + 2
    return f"{text})"
