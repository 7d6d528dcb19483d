"""The digits that come with scikit-learn: a small real data set that needs no download."""

import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from minicnn.creation import from_numpy
from minicnn.datasets._resize import resize_bilinear
from minicnn.datasets._vision import ImagesInMemory

IMAGE_SIZE = (28, 28)
DARKEST = 16  # the scanner counted 4 × 4 dots for each of the 8 × 8 pixels
TEST_SHARE = 0.2


class Digits(ImagesInMemory):
    """Handwritten digits: 1,438 training and 359 test images, scaled from 8 × 8 to MNIST's 28 × 28.

    Alpaydin and Kaynak, "Optical recognition of handwritten digits", 1998, as scikit-learn carries it.
    The split is fixed: a fifth of each class, drawn with a fixed seed, is the test set.

    Args:
        root: only printed; nothing is read from it. It is here, as `download` is, so that `Digits` can take
            the place of `MNIST`.
        train: the training images, or the test images.
        transform: called with an image, a gray Pillow image, before it is returned.
        target_transform: called with a label, an `int`, before it is returned.
        download: makes no difference: the images are there already.

    Attributes:
        data: uint8 Tensor (N, 28, 28).
        targets: int64 Tensor (N,).
    """

    classes: Sequence[str] = [str(digit) for digit in range(10)]

    def __init__(
        self,
        root: str | Path | None = None,
        train: bool = True,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.train = train
        table = read_table()
        chosen = is_test(table[:, -1]) != train
        pixels = (table[chosen, :-1].reshape(-1, 8, 8) * 255 + DARKEST // 2) // DARKEST
        self.data = from_numpy(resize_bilinear(pixels.astype(np.uint8), IMAGE_SIZE))
        self.targets = from_numpy(table[chosen, -1])


def read_table() -> np.ndarray:
    """The table in scikit-learn's folder: int64 (1797, 65), 64 pixels from 0 to 16 and then the label.

    `import sklearn.datasets` would take longer than everything else here; the file needs none of it.
    """
    package = importlib.util.find_spec("sklearn")
    if package is None or not package.submodule_search_locations:
        raise RuntimeError("Dataset not found: Digits are part of scikit-learn, which is not installed")
    path = Path(package.submodule_search_locations[0], "datasets", "data", "digits.csv.gz")
    if path.is_file():
        return np.loadtxt(path, delimiter=",", dtype=np.int64)
    from sklearn.datasets import load_digits  # a scikit-learn that keeps the file elsewhere

    digits = load_digits()
    return np.column_stack([digits.data, digits.target]).astype(np.int64)


def is_test(labels: np.ndarray) -> np.ndarray:
    """Which images are test images: a fifth of each class, bool (N,)."""
    generator = np.random.RandomState(0)  # the one generator whose numbers NumPy promises never to change
    chosen = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels):
        members = generator.permutation(np.flatnonzero(labels == label))
        chosen[members[: round(TEST_SHARE * len(members))]] = True
    return chosen
