"""What a trained network reads in a picture of one's own."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

import minicnn
from minicnn import transforms
from minicnn.datasets.pictures import Picture, read_picture
from minicnn.datasets.preparation import Preparation, Prepared, as_photograph, as_thing
from minicnn.recipes.errors import UserError
from minicnn.recipes.models import Trained
from minicnn.recipes.presets import PRESETS, normalisation
from minicnn.tensor import Tensor


@dataclass(frozen=True, eq=False)
class Reading:
    """A picture, and what the network made of it.

    Attributes:
        picture: as it was given.
        prepared: as the network saw it; without an image where the page is blank.
        probabilities: float32, one a class; None where the page is blank.
    """

    picture: Picture
    prepared: Prepared
    probabilities: np.ndarray | None

    def best(self, count: int = 3) -> list[tuple[int, float]]:
        """The likeliest classes, by number, with their probabilities."""
        assert self.probabilities is not None
        order = np.argsort(-self.probabilities, kind="stable")[:count]
        return [(int(label), float(self.probabilities[label])) for label in order]


def read(trained: Trained, path: Path, invert: bool | None = None) -> Reading:
    """What a network reads in a picture.

    Args:
        trained: the network.
        path: a file that Pillow reads.
        invert: whether to exchange dark and bright; None finds out.

    Raises:
        UserError: where there is no such picture, or it can't be read.
    """
    try:
        picture = read_picture(path)
    except FileNotFoundError as error:
        raise UserError(f"there is no picture {path}") from error
    prepared = preparation_of(trained)(picture.pixels, invert)
    if prepared.image is None:
        return Reading(picture, prepared, None)
    return Reading(picture, prepared, probabilities(trained, as_input(trained, prepared.image)))


def probabilities(trained: Trained, x: Tensor) -> np.ndarray:
    """What a network gives each class of one image (1, C, H, W): float32 (classes,)."""
    with minicnn.no_grad():
        return trained.model(x).softmax(1).numpy()[0]


def as_input(trained: Trained, image: np.ndarray) -> Tensor:
    """An image of the data set's, uint8 (H, W) or (H, W, 3), as what the network takes: (1, C, H, W)."""
    return transforms.Compose(normalisation(trained.mean, trained.std))(image).unsqueeze(0)


def preparation_of(trained: Trained) -> Preparation:
    """How pictures are brought into the form of the images that a network was trained on."""
    preset = PRESETS.get(trained.dataset)
    if preset is not None and preset.prepare is not None and preset.shape == trained.shape:
        return preset.prepare
    C, H, W = trained.shape
    return partial(as_thing if C == 1 else as_photograph, size=(H, W))
