"""A chain of transforms."""

from collections.abc import Callable, Sequence
from typing import Any

from minicnn.datasets._data import batch_method
from minicnn.random import Generator
from minicnn.transforms._base import Images, Transform


class Compose(Transform):
    """Transforms one after the other.

    Args:
        transforms: any functions of an image.
    """

    def __init__(self, transforms: Sequence[Callable[[Any], Any]]) -> None:
        self.transforms = transforms

    def __call__(self, image: Any) -> Any:
        for transform in self.transforms:
            image = transform(image)
        return image

    def batch(self, images: Images, generator: Generator | None = None) -> Any:
        """Transform a batch of images; `None` if one of the transforms works on single images only."""
        steps = [batch_method(transform, "__call__") for transform in self.transforms]
        if None in steps:
            return None
        result: Any = images
        for step in steps:
            result = None if step is None or result is None else step(result, generator)
        return result

    def __repr__(self) -> str:
        lines = [f"    {transform}" for transform in self.transforms]
        return "\n".join([f"{type(self).__name__}(", *lines, ")"])
