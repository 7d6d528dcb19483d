"""The pictures that excite a unit most, and the part of each that does."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minicnn import nn
from minicnn.autograd import no_grad
from minicnn.inspect.layers import Box, Map, feature_maps, layer_named
from minicnn.nn.modes import evaluating
from minicnn.tensor import Tensor


@dataclass(frozen=True)
class Excitement:
    """A picture that excites a unit.

    Attributes:
        index: of the picture.
        value: the largest in the unit's map.
        cell: (i, j) where that is; the first of equal ones.
        box: the pixels that the cell sees.
    """

    index: int
    value: float
    cell: tuple[int, int]
    box: Box


def excite(
    model: nn.Module, batches: Iterable[Any], layer: str | None, units: Sequence[int], count: int = 8
) -> dict[int, list[Excitement]]:
    """For each unit of a layer the pictures in whose maps it has the largest values.

    Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", 2014, section 4.

    Args:
        model: the network.
        batches: yields images (N, C, H, W), or pairs of images and anything.
        layer: dotted name of a module that returns maps; None for the last convolution.
        units: channels of the layer.
        count: how many pictures each.

    Returns: for each unit at most `count`, the most exciting first; of equal ones the earlier first.

    Raises:
        ValueError: for a layer or a unit that isn't there, or a layer that returns no maps.
    """
    name, module = layer_named(model, layer)
    values: list[np.ndarray] = []  # of each batch (N, units), and where in the map
    places: list[np.ndarray] = []

    def note(module: nn.Module, arguments: tuple, result: Any) -> None:
        if not isinstance(result, Tensor) or result.ndim != 4:
            raise ValueError(f"{name} returns no maps (N, C, H, W)")
        wrong = [unit for unit in units if not 0 <= unit < result.shape[1]]
        if wrong:
            raise ValueError(f"{name} has units 0 to {result.shape[1] - 1}, got {wrong[0]}")
        flat = result.detach().numpy()[:, list(units)].reshape(len(result), len(units), -1)
        places.append(flat.argmax(2))
        values.append(flat.max(2))

    first = None
    with evaluating(model), no_grad(), module.register_forward_hook(note):
        for batch in batches:
            images = batch[0] if isinstance(batch, (tuple, list)) else batch
            first = images[:1] if first is None else first
            model(images)
    if first is None:
        return {unit: [] for unit in units}
    if not values:
        raise ValueError(f"{name} takes no part in {type(model).__name__}'s forward")
    field = next(found for found in feature_maps(model, first) if found.name == name)
    largest, place = np.concatenate(values), np.concatenate(places)
    return {
        unit: [
            _excitement(field, index, largest[index, position], place[index, position])
            for index in np.argsort(-largest[:, position], kind="stable")[:count].tolist()
        ]
        for position, unit in enumerate(units)
    }


def _excitement(field: Map, index: int, value: float, place: int) -> Excitement:
    """A picture whose largest value lies at a place in the map, counted in row-major order."""
    i, j = divmod(int(place), field.values.shape[2])
    return Excitement(index, float(value), (i, j), field.box(i, j))
