"""Weights and their story, in one file."""

import json
import math
import os
from dataclasses import asdict, dataclass, fields
from typing import Any

from minicnn import nn
from minicnn.serialization import load, read_metadata, save
from minicnn.tensor import Tensor


@dataclass(frozen=True)
class Story:
    """Where weights come from: all that is needed to use them, and to train them again.

    Attributes:
        model: a name in `minicnn.models.MODELS`.
        dataset: what it was trained on.
        classes: the name of every class.
        input_shape: (C, H, W) of an image.
        mean, std: of each channel, in units of full brightness; images are normalised to (x − mean) / std.
        seed: where the random numbers started.
        threads: how many threads computed; sums depend on it in their last bits.
        settings: optimizer, learning rate, batch size and whatever else decided the outcome.
        test_accuracy: of these weights, 0 to 1.
        minicnn: the version.
    """

    model: str
    dataset: str
    classes: list[str]
    input_shape: list[int]
    mean: list[float]
    std: list[float]
    seed: int
    threads: int
    settings: dict[str, Any]
    test_accuracy: float
    minicnn: str

    def metadata(self) -> dict[str, str]:
        """The story as `minicnn.save` takes it beside the weights: every value in JSON."""
        return {name: json.dumps(value) for name, value in asdict(self).items()}


def save_checkpoint(model: nn.Module, path: str | os.PathLike[str], story: Story) -> None:
    """Write a model's weights and their story, with `minicnn.save`."""
    save(model.state_dict(), path, metadata=story.metadata())


def load_checkpoint(path: str | os.PathLike[str]) -> tuple[dict[str, Tensor], Story | None]:
    """Read weights and their story.

    Returns: a state dict, and the story; None for weights that came without one, such as PyTorch's.

    Raises:
        FileNotFoundError: where there is no such file.
        ValueError: where the file is damaged, or isn't a dictionary of tensors; the message names it.
    """
    state = load(path)
    if not (isinstance(state, dict) and all(isinstance(value, Tensor) for value in state.values())):
        raise ValueError(f"{os.fspath(path)} holds no plain state dict of names and tensors")
    metadata = read_metadata(path)
    if "model" not in metadata:
        return state, None
    try:
        return state, _checked_story({f.name: json.loads(metadata[f.name]) for f in fields(Story)})
    except (LookupError, TypeError, ValueError) as error:
        raise ValueError(f"{os.fspath(path)} has damaged metadata ({error!r})") from error


_MOST_PIXELS = 2**24
"""No model here takes larger images; a file that claims so is damaged."""


def _checked_story(values: dict[str, Any]) -> Story:
    story = Story(**values)
    channels = story.input_shape[0]
    numbers = [*story.mean, *story.std]
    if not (
        all(isinstance(name, str) and name.isprintable() for name in (story.model, story.dataset, *story.classes))
        and len(story.input_shape) == 3
        and all(type(size) is int and size > 0 for size in story.input_shape)
        and math.prod(story.input_shape) <= _MOST_PIXELS
        and len(story.mean) == len(story.std) == channels
        and all(isinstance(number, (int, float)) and math.isfinite(number) for number in numbers)
        and all(story.std)
    ):
        raise ValueError("names, classes, input_shape, mean and std don't describe images")
    return story
