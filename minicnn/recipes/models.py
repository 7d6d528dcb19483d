"""Models by name, fresh or with saved weights."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

import minicnn
from minicnn import nn
from minicnn.errors import unknown
from minicnn.models import FOR_SMALL_IMAGES, MODELS
from minicnn.recipes.errors import UserError
from minicnn.recipes.presets import PRESETS
from minicnn.training import load_checkpoint

SMALL_IMAGE = 64
"""Up to how many pixels of height and width an image is more like CIFAR-10's than like ImageNet's."""

TRIED = 16
"""Images that a new model is tried on: linear layers of fewer have kernels that training doesn't need."""


def build(name: str, shape: tuple[int, int, int], num_classes: int) -> nn.Module:
    """A fresh model for images of one shape.

    Args:
        name: a name in `minicnn.models.MODELS`; on small images, a network for large ones gives way to its variant in
            `minicnn.models.FOR_SMALL_IMAGES`.
        shape: (C, H, W).
        num_classes: how many classes to tell apart.

    Raises:
        UserError: where the model isn't made for such images.
    """
    model = MODELS[variant_of(name, shape)](num_classes=num_classes, in_channels=shape[0])
    try:
        with minicnn.no_grad():
            model.eval()(minicnn.zeros(TRIED, *shape))
    except (ValueError, RuntimeError) as error:
        raise misfit(name, shape, error) from error
    return model.train()


def variant_of(name: str, shape: tuple[int, int, int]) -> str:
    """The model that stands in for `name` on images (C, H, W) of this shape; mostly itself."""
    return FOR_SMALL_IMAGES.get(name, name) if max(shape[1:]) <= SMALL_IMAGE else name


def misfit(name: str, shape: tuple[int, int, int], error: Exception) -> UserError:
    """What to raise where a model can't take images (C, H, W) of this shape."""
    return UserError(f"{name} is not made for images of {size_of(shape)}: {error}")


def size_of(shape: tuple[int, int, int]) -> str:
    """(C, H, W) as people say it."""
    C, H, W = shape
    return f"{H}×{W} pixels in {C} {'channel' if C == 1 else 'channels'}"


class Trained(NamedTuple):
    """A model with saved weights, and what it was trained on."""

    model: nn.Module
    name: str
    dataset: str
    shape: tuple[int, int, int]
    mean: list[float]
    std: list[float]
    classes: list[str]


def load_trained(weights: Path, model: str | None, dataset: str | None) -> Trained:
    """The model that saved weights belong to, ready to be asked.

    Args:
        weights: a file of weights.
        model: the model's name; needed where the file doesn't tell.
        dataset: the data set's name; needed where the file doesn't tell.

    Raises:
        UserError: where the file doesn't tell, or its weights don't fit the model.
        FileNotFoundError, ValueError: as `minicnn.load`.
    """
    state, story = load_checkpoint(weights)
    for key, value in state.items():
        if value._array.dtype.kind == "f" and not np.isfinite(value._array).all():
            raise UserError(f"{weights} holds numbers that are not finite, in {key}: nothing can be predicted with it")
    if story is not None:
        C, H, W = story.input_shape
        name, source, shape = model or story.model, story.dataset, (C, H, W)
        mean, std, classes = story.mean, story.std, story.classes
    elif model is not None and dataset is not None:
        preset = PRESETS[dataset]
        name, source, shape = model, dataset, preset.shape
        mean, std, classes = list(preset.mean), list(preset.std), preset.classes
    else:
        raise UserError(f"{weights} doesn't tell where it comes from: pass --model and --dataset")
    if name not in MODELS:
        raise UserError(f"{weights} is of a model of the name {unknown(name, MODELS)}")
    network = build(name, shape, len(classes))
    fill(network, state, weights, name)
    return Trained(network.eval(), name, source, shape, mean, std, classes)


def load_weights(network: nn.Module, weights: Path, name: str) -> None:
    """Put saved weights into a network.

    Args:
        network: takes them.
        weights: a file of weights; what its metadata tells makes no difference.
        name: the network's.

    Raises:
        UserError: where they don't fit.
        FileNotFoundError, ValueError: as `minicnn.load`.
    """
    state, _ = load_checkpoint(weights)
    fill(network, state, weights, name)


def fill(network: nn.Module, state: dict[str, minicnn.Tensor], weights: Path, name: str) -> None:
    """Put weights that were read from a file into a network of some name, or raise UserError."""
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise UserError(f"{weights} does not fit {name}: {error}") from error
