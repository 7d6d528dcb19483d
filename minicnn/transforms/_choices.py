"""Transforms made of others, of which chance picks some."""

import random
from collections.abc import Callable, Sequence
from typing import Any

from minicnn.random import numpy_generator
from minicnn.transforms._module import SingleTransform

Step = Callable[[Any], Any]


def _listed(name: str, lines: list[str]) -> str:
    return "\n".join([f"{name}(", *(f"    {line}" for line in lines), ")"])


class RandomApply(SingleTransform):
    """Do all of some transforms with probability `p`, or none.

    Args:
        transforms: any functions of an image.
        p: the probability.
    """

    def __init__(self, transforms: Any, p: float = 0.5) -> None:
        super().__init__()
        self.transforms = transforms
        self.p = p

    def forward(self, img: Any) -> Any:
        """The image, transformed or not."""
        if self.p < float(numpy_generator().random()):
            return img
        for transform in self.transforms:
            img = transform(img)
        return img

    def __repr__(self) -> str:
        return _listed(type(self).__name__, [f"p={self.p}", *map(str, self.transforms)])


class RandomTransforms:
    """Base of the transforms that pick among others.

    Args:
        transforms: a sequence of functions of an image.

    Raises:
        TypeError: it is none.
    """

    def __init__(self, transforms: Sequence[Step]) -> None:
        if not isinstance(transforms, Sequence):
            raise TypeError("Argument transforms should be a sequence")
        self.transforms = transforms

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define __call__")

    def __repr__(self) -> str:
        return _listed(type(self).__name__, [str(transform) for transform in self.transforms])


class RandomOrder(RandomTransforms):
    """Do all of some transforms, in an order that Python's `random` draws, as in torchvision."""

    def __call__(self, img: Any) -> Any:
        order = list(range(len(self.transforms)))
        random.shuffle(order)
        for number in order:
            img = self.transforms[number](img)
        return img


class RandomChoice(RandomTransforms):
    """Do one of some transforms, which Python's `random` picks, as in torchvision.

    Args:
        transforms: a sequence of functions.
        p: their weights; equal ones if None.

    Raises:
        TypeError: one is no sequence.
    """

    def __init__(self, transforms: Sequence[Step], p: Sequence[float] | None = None) -> None:
        super().__init__(transforms)
        if p is not None and not isinstance(p, Sequence):
            raise TypeError("Argument p should be a sequence")
        self.p = p

    def __call__(self, *args: Any) -> Any:
        return random.choices(self.transforms, weights=self.p)[0](*args)

    def __repr__(self) -> str:
        return f"{super().__repr__()}(p={self.p})"
