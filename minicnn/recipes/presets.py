"""The data sets that the command line knows, and what it does with each unless told otherwise."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minicnn import datasets, transforms
from minicnn.datasets._files import MissingError
from minicnn.datasets.preparation import Preparation, as_digits, as_mnist, as_photograph, as_thing
from minicnn.recipes.errors import UserError


@dataclass(frozen=True)
class Preset:
    """A data set and its habits.

    Attributes:
        title: its name in a sentence.
        dataset: constructor, as torchvision's.
        shape: (C, H, W) of its images.
        mean, std: of each channel over the training images, in units of full brightness.
        epochs: how long to train.
        augmentation: what is done to a training image at random; `[]` for nothing.
        augment: whether that is done unless told otherwise.
        prepare: brings a picture of one's own into the form of these images; None scales it.
    """

    title: str
    dataset: Callable[..., Any]
    shape: tuple[int, int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    epochs: int
    augmentation: list[Any]
    augment: bool
    prepare: Preparation | None = None

    @property
    def classes(self) -> list[str]:
        """The name of every class."""
        return list(self.dataset.classes)  # type: ignore[attr-defined]

    def load(self, folder: Path, download: bool, train: bool, augment: bool = False) -> Any:
        """The training or the test images, normalised.

        Raises:
            UserError: where they aren't in `folder`, or are damaged.
        """
        steps = [*(self.augmentation if augment else []), *normalisation(self.mean, self.std)]
        try:
            return self.dataset(folder, train=train, transform=transforms.Compose(steps), download=download)
        except MissingError as error:
            hint = "" if download else "; --download fetches it, --data-dir says where it lies"
            raise UserError(f"cannot load {self.title}: {error.what}{hint}") from error
        except RuntimeError as error:
            raise UserError(f"cannot load {self.title} from {folder}: {error}") from error


def normalisation(mean: Any, std: Any) -> list[Any]:
    """The transforms that turn a uint8 image into what a model takes."""
    return [transforms.ToTensor(), transforms.Normalize(mean, std)]


# Means and standard deviations were computed once over the training images; tests compute them again.
PRESETS = {
    "digits": Preset(
        title="Digits",
        dataset=datasets.Digits,
        shape=(1, 28, 28),
        mean=(0.3060,),
        std=(0.3251,),
        epochs=10,
        augmentation=[transforms.RandomCrop(28, padding=2)],  # a small data set, made larger
        augment=True,
        prepare=as_digits,
    ),
    "mnist": Preset(
        title="MNIST",
        dataset=datasets.MNIST,
        shape=(1, 28, 28),
        mean=(0.1307,),
        std=(0.3081,),
        epochs=3,
        augmentation=[transforms.RandomCrop(28, padding=2)],
        augment=False,
        prepare=as_mnist,
    ),
    "fashion-mnist": Preset(
        title="Fashion-MNIST",
        dataset=datasets.FashionMNIST,
        shape=(1, 28, 28),
        mean=(0.2860,),
        std=(0.3530,),
        epochs=5,
        augmentation=[transforms.RandomCrop(28, padding=2), transforms.RandomHorizontalFlip()],
        augment=False,
        prepare=as_thing,
    ),
    "cifar10": Preset(
        title="CIFAR-10",
        dataset=datasets.CIFAR10,
        shape=(3, 32, 32),
        mean=(0.4914, 0.4822, 0.4465),
        std=(0.2470, 0.2435, 0.2616),
        epochs=10,
        augmentation=[transforms.RandomCrop(32, padding=4), transforms.RandomHorizontalFlip()],
        augment=True,
        prepare=as_photograph,
    ),
}
