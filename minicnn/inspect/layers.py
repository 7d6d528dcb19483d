"""Layer by layer: the kernels of the first, the maps of all, and the pixels that each cell sees."""

from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np

from minicnn import nn
from minicnn.autograd import no_grad
from minicnn.autograd.observed import every_operation
from minicnn.nn.modes import evaluating
from minicnn.summary.receptive_field import Fields
from minicnn.tensor import Tensor

Box = tuple[int, int, int, int]
"""(top, left, bottom, right) of pixels; the last two are beyond the last pixel."""


@dataclass(frozen=True, eq=False)
class Map:
    """What a layer makes of an image.

    Attributes:
        name: the layer's dotted name; a later call of the same layer has "#2" and so on behind it.
        kind: its class.
        values: a copy, (C, H, W).
        field: (rows, columns) of the image that a cell sees.
        rows: int (H, 2), the first row of the image that the cells of each row see, and the one beyond the last.
        columns: int (W, 2), the same of columns.
    """

    name: str
    kind: str
    values: np.ndarray
    field: tuple[int, int]
    rows: np.ndarray
    columns: np.ndarray

    def brightest(self, unit: int) -> tuple[int, int]:
        """The cell (i, j) of a channel with the largest value, the first of equal ones."""
        place = np.unravel_index(int(np.nanargmax(self.values[unit])), self.values.shape[1:])
        return int(place[0]), int(place[1])

    def box(self, row: int, column: int) -> Box:
        """The pixels that a cell sees; none where it sees padding alone."""
        (top, bottom), (left, right) = self.rows[row].tolist(), self.columns[column].tolist()
        return top, left, bottom, right


def feature_maps(model: nn.Module, x: Tensor) -> list[Map]:
    """The maps of every layer for one image, in the order in which they are computed.

    Layers are the modules without children whose results are maps; what `forward` computes by functions between them
    isn't listed, but its windows count in the receptive fields.

    Args:
        model: the network.
        x: one image, (1, C, H, W), of the dtype of the network's parameters.

    Returns: a `Map` a call of a layer, its values in the layer's dtype.

    Raises:
        ValueError: for another shape.
    """
    if x.ndim != 4 or len(x) != 1:
        raise ValueError(f"feature maps need one image, (1, C, H, W), got shape {tuple(x.shape)}")
    found: list[Map] = []
    calls: dict[str, int] = {}
    fields = Fields()

    def note(name: str, module: nn.Module, result: Any) -> None:
        if not isinstance(result, Tensor) or result.ndim != 4:
            return
        calls[name] = calls.get(name, 0) + 1
        seen = fields.of(result)
        if seen is None:
            return
        called = name if calls[name] == 1 else f"{name}#{calls[name]}"
        values = np.array(result.detach().numpy()[0])
        found.append(Map(called, type(module).__name__, values, seen, *fields.spans(result)))

    with ExitStack() as undo:
        undo.enter_context(evaluating(model))
        for name, module in model.named_modules():
            if not any(True for _ in module.children()):
                undo.enter_context(
                    module.register_forward_hook(lambda module, _, result, name=name: note(name, module, result))
                )
        undo.enter_context(every_operation(fields.follow))
        undo.enter_context(no_grad())
        image = x.detach().clone()
        fields.start(image)
        model(image)
    return found


def convolutions(model: nn.Module) -> dict[str, nn.Conv2d]:
    """The convolutions of a network by their names, in the order in which they were made."""
    return {name: module for name, module in model.named_modules() if isinstance(module, nn.Conv2d)}


def first_kernels(model: nn.Module) -> tuple[str, np.ndarray]:
    """The name of the first convolution and a copy of its kernels, (O, C, KH, KW).

    Raises:
        ValueError: for a network without a convolution.
    """
    for name, module in convolutions(model).items():
        return name, np.array(module.weight.detach().numpy())
    raise ValueError(f"{type(model).__name__} has no Conv2d")


def layer_named(model: nn.Module, name: str | None) -> tuple[str, nn.Module]:
    """A module by its dotted name; None for the last convolution.

    Raises:
        ValueError: where there is none of that name.
    """
    known = convolutions(model)
    if name is None:
        if not known:
            raise ValueError(f"{type(model).__name__} has no Conv2d")
        name = list(known)[-1]
    modules = dict(model.named_modules())
    if not name or name not in modules:
        raise ValueError(f"there is no layer {name!r}; the convolutions are {', '.join(known)}")
    return name, modules[name]
