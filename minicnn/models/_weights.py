"""Trained weights, which torchvision's constructors download and minicnn's do not."""

import functools
import warnings
from collections.abc import Callable
from enum import Enum
from typing import Any, TypeVar

Network = TypeVar("Network")


def untrained(constructor: Callable[..., Network]) -> Callable[..., Network]:
    """A constructor that takes torchvision's arguments about trained weights, where they ask for none.

    Its arguments `weights`, `pretrained` (also as the first, by position) and `progress` are torchvision's.

    Raises, when it is called:
        RuntimeError: for trained weights.
    """

    @functools.wraps(constructor)
    def build(
        *arguments: Any, weights: Any = None, pretrained: bool | None = None, progress: bool = True, **named: Any
    ) -> Network:
        if arguments and isinstance(arguments[0], bool):
            pretrained, arguments = arguments[0], arguments[1:]
            _warn("Using 'weights' as positional parameter(s) is", ". Please use keyword parameter(s) instead.")
        elif pretrained is not None:
            _warn("The parameter 'pretrained' is", ", please use 'weights' instead.")
        if weights is not None or pretrained:
            raise RuntimeError(
                f"minicnn downloads no trained weights: save PyTorch's by torch.save({constructor.__name__}"
                "(...).state_dict(), FILE), and load them here by load_state_dict(torch.load(FILE))"
            )
        return constructor(*arguments, **named)

    return build


def _warn(what: str, instead: str) -> None:
    """Warn of torchvision's former way to ask for weights, in its words."""
    warnings.warn(f"{what} deprecated since 0.13 and may be removed in the future{instead}", stacklevel=3)


SECOND = ("IMAGENET1K_V2",)
FEATURES = ("IMAGENET1K_FEATURES",)
FURTHER = {"ResNet50_Weights": SECOND, "VGG16_Weights": FEATURES}
"""Members that some have besides IMAGENET1K_V1; where there is a second version, it is the default."""


def weights_of(constructor: str) -> type[Enum]:
    """The enumeration of a constructor's weights: `ResNet18_Weights` of resnet18."""
    name = _title(constructor) + "_Weights"
    further = FURTHER.get(name, ())
    members = {member: member for member in ("IMAGENET1K_V1", *further)}
    return Enum(name, {**members, "DEFAULT": "IMAGENET1K_V2" if further == SECOND else "IMAGENET1K_V1"})  # type: ignore[return-value]


def _title(constructor: str) -> str:
    """ResNet18, VGG11_BN, AlexNet"""
    for plain, written in (("alexnet", "AlexNet"), ("resnet", "ResNet")):
        constructor = constructor.replace(plain, written)
    return constructor if constructor[0].isupper() else constructor.upper()
