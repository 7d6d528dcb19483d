"""A network's arithmetic: how large each layer's output is, how many parameters it has, how often it multiplies.

LeCun et al., 1998; Krizhevsky et al., 2012; Simonyan and Zisserman, 2014 give such tables of their networks; here the
networks themselves are asked: the shapes come from a forward pass, the factors from the weights.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from minicnn import nn
from minicnn.errors import unknown
from minicnn.explain.shown import Shown
from minicnn.models import INPUT_SIZES, MODELS
from minicnn.summary import IN_FORWARD, Layer, Summary, summary

if TYPE_CHECKING:
    from rich.text import Text

FAMOUS = ("lenet", "alexnet", "vgg16")
"""The networks that are set side by side."""


@dataclass(frozen=True, eq=False)
class Sizes(Shown):
    """A network on one image.

    Attributes:
        name: the network's.
        model: the network.
        summary: its layers and totals.
    """

    name: str
    model: nn.Module
    summary: Summary

    def weight_shape(self, layer: Layer) -> tuple[int, ...]:
        """The shape of a layer's weight; () where it has none."""
        weight = None if layer.name == IN_FORWARD else getattr(self.model.get_submodule(layer.name), "weight", None)
        return () if weight is None else tuple(weight.shape)

    def biases(self, layer: Layer) -> int:
        """How many biases a layer has."""
        bias = None if layer.name == IN_FORWARD else getattr(self.model.get_submodule(layer.name), "bias", None)
        return 0 if bias is None else bias.numel()

    def share(self, kind: str, of: str) -> float:
        """What part of "parameters" or "mult_adds" layers of one kind, such as Conv2d, have."""
        whole = sum(getattr(layer, of) for layer in self.summary.layers)
        return sum(getattr(layer, of) for layer in self.summary.layers if layer.kind == kind) / whole

    def _sections(self, width: int) -> "Iterator[Text]":
        from minicnn.explain.terminal.sizes import sections

        return sections(self, width)


@dataclass(frozen=True, eq=False)
class Comparison(Shown):
    """Several networks side by side."""

    networks: tuple[Sizes, ...]

    def _sections(self, width: int) -> "Iterator[Text]":
        from minicnn.explain.terminal.sizes import side_by_side

        return side_by_side(self.networks, width)


def sizes(model: str, input_size: Sequence[int] | None = None) -> Sizes:
    """The arithmetic of a network on one image.

    Args:
        model: a name in `minicnn.models.MODELS`.
        input_size: (C, H, W) of the image; what the network is made for, if None.

    Raises:
        ValueError: for an unknown name, or an image that the network isn't made for.
    """
    if model not in MODELS:
        raise ValueError(f"model {unknown(model, MODELS)}")
    C, H, W = INPUT_SIZES[model] if input_size is None else input_size
    network = MODELS[model](in_channels=C)
    try:
        return Sizes(model, network, summary(network, (1, C, H, W)))
    except (ValueError, RuntimeError) as error:
        raise ValueError(f"{model} is not made for an image of {C},{H},{W}: {error}") from error


def compare_sizes(models: Sequence[str] = FAMOUS) -> Comparison:
    """Networks side by side, each on the image that it is made for.

    Args:
        models: names in `minicnn.models.MODELS`.

    Raises:
        ValueError: for an unknown name.
    """
    return Comparison(tuple(map(sizes, models)))
