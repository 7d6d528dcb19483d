"""CIFAR-10 and CIFAR-100, read from the pickled batches they are published as, without trusting the pickles."""

import os
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from minicnn.datasets._files import MissingError, download_file, write_file
from minicnn.datasets._plain_pickle import as_text, load_plain
from minicnn.datasets._vision import ImagesInMemory

IMAGE_SIZE = 3 * 32 * 32


class CIFAR10(ImagesInMemory):
    """Photographs of ten kinds of things: 50,000 training and 10,000 test images of 32 × 32 in colour.

    Krizhevsky, "Learning multiple layers of features from tiny images", 2009. The files are torchvision's, in
    `root/cifar-10-batches-py`: `data_batch_1` to `data_batch_5`, `test_batch`, and `batches.meta` for the
    names of the classes (the official names without it). What is downloaded is checked against its MD5; what
    lies there is checked for structure, so that batches of one's own work in the same format.

    Args:
        root: the folder above `cifar-10-batches-py`.
        train: the training images, or the test images.
        transform: called with an image, an RGB Pillow image, before it is returned.
        target_transform: called with a label, an `int`, before it is returned.
        download: fetch the archive, unless all files of this split are there, and unpack what is missing.

    Attributes:
        data: uint8 ndarray (N, 32, 32, 3).
        targets: a list of N ints.

    Raises:
        RuntimeError: a file is missing, or could not be downloaded.
        ValueError: a file is damaged, or its pickle asks for anything but plain data; the message names it.
    """

    base_folder = "cifar-10-batches-py"
    url = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
    filename = "cifar-10-python.tar.gz"
    tgz_md5 = "c58f30108f718f92721af3b95e74349a"
    train_list: ClassVar[list[str]] = [f"data_batch_{number}" for number in range(1, 6)]
    test_list: ClassVar[list[str]] = ["test_batch"]
    meta = "batches.meta"
    labels_key = "labels"
    names_key = "label_names"
    classes: Sequence[str] = [
        "airplane",
        "automobile",
        "bird",
        "cat",
        "deer",
        "dog",
        "frog",
        "horse",
        "ship",
        "truck",
    ]

    def __init__(
        self,
        root: str | Path,
        train: bool = True,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.train = train
        if download:
            self.download()
        paths = [self._folder / name for name in self._batches]
        for path in paths:
            if not path.is_file():
                raise MissingError(f"{path} is missing")
        if (self._folder / self.meta).is_file():
            self.classes = read_class_names(self._folder / self.meta, self.names_key)
        batches = [read_batch(path, self.labels_key, len(self.classes)) for path in paths]
        self.data = channels_last([images for images, _ in batches])
        self.targets = [label for _, labels in batches for label in labels]

    def _subfolder(self) -> str:
        return self.base_folder

    @property
    def _folder(self) -> Path:
        return Path(str(self.root), self.base_folder)

    @property
    def _batches(self) -> list[str]:
        return self.train_list if self.train else self.test_list

    def download(self) -> None:
        """Fetch the archive, checked against its MD5, and unpack the files that are missing.

        Touches no network if the files of this split, or the archive, are there.
        """
        if all((self._folder / name).is_file() for name in self._batches):
            return
        archive = Path(str(self.root), self.filename)
        download_file(archive, [self.url], self.tgz_md5)
        names = [*self.train_list, *self.test_list, self.meta]
        unpack(archive, self._folder, [name for name in names if not (self._folder / name).is_file()])


class CIFAR100(CIFAR10):
    """Photographs of a hundred kinds of things: 50,000 training and 10,000 test images of 32 × 32 in colour.

    The files are torchvision's, in `root/cifar-100-python`: `train`, `test`, and `meta` for the names of the classes.
    Arguments, attributes and errors are those of `CIFAR10`. Without `meta` the classes are named by their numbers.
    """

    base_folder = "cifar-100-python"
    url = "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz"
    filename = "cifar-100-python.tar.gz"
    tgz_md5 = "eb9058c3a382ffc7106e4002c42a8d85"
    train_list: ClassVar[list[str]] = ["train"]
    test_list: ClassVar[list[str]] = ["test"]
    meta = "meta"
    labels_key = "fine_labels"
    names_key = "fine_label_names"
    classes: Sequence[str] = [str(number) for number in range(100)]


def unpack(archive: Path, folder: Path, names: list[str]) -> None:
    """Unpack the regular files `names` out of a tar file into a folder, and nothing else of it.

    Raises:
        ValueError: one of the files is not in it as a regular file.
    """
    with tarfile.open(archive) as tar:
        members = {os.path.normpath(member.name): member for member in tar if member.isreg()}
        for name in names:
            member = members.get(f"{folder.name}/{name}")
            file = None if member is None else tar.extractfile(member)
            if file is None:
                raise ValueError(f"{archive}: holds no file {folder.name}/{name}")
            write_file(folder / name, file.read())


def read_batch(path: Path, key: str, classes: int) -> tuple[np.ndarray, list[int]]:
    """Read one batch.

    Args:
        path: a pickled dictionary with `data`, uint8 (N, 3072), each row red, green, blue of an image, and
            under `key` a list of N integers below `classes`.
        key: the name of the labels.
        classes: the number of classes.

    Returns: uint8 images (N, 3072) and N labels.
    """
    batch = read_pickle(path, "data", key)
    images = batch["data"]
    if not isinstance(images, np.ndarray) or images.dtype != np.uint8 or images.shape[1:] != (IMAGE_SIZE,):
        found = f"{images.dtype} {images.shape}" if isinstance(images, np.ndarray) else type(images).__name__
        raise ValueError(f"{path}: data must be a uint8 array (N, {IMAGE_SIZE}), got {found}")
    labels = batch[key]
    if isinstance(labels, np.ndarray):
        labels = labels.tolist()
    if not isinstance(labels, list | tuple) or not all(type(label) is int for label in labels):
        raise ValueError(f"{path}: {key} must be a list of integers")
    if len(labels) != len(images):
        raise ValueError(f"{path}: {len(labels)} labels for {len(images)} images")
    for position, label in enumerate(labels):
        if not 0 <= label < classes:
            raise ValueError(f"{path}: label {label} is outside 0 to {classes - 1}, at position {position}")
    return images, list(labels)


def read_class_names(path: Path, key: str) -> list[str]:
    """The names of the classes, from the list under `key`."""
    names = read_pickle(path, key)[key]
    if not isinstance(names, list | tuple) or not names:
        raise ValueError(f"{path}: {key} must be a list of text")
    try:
        return [as_text(name) for name in names]
    except TypeError as error:
        raise ValueError(f"{path}: {key} must be a list of text ({error})") from error


def read_pickle(path: Path, *keys: str) -> dict[str, Any]:
    """The dictionary in a pickle of plain data, which must have `keys`."""
    try:
        content = load_plain(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    for key in keys:
        if key not in content:
            raise ValueError(f"{path}: has no {key!r}, only {sorted(content)}")
    return content


def channels_last(batches: list[np.ndarray]) -> np.ndarray:
    """Batches of rows (N, 3072), planes of one colour each, as one array of images (N, 32, 32, 3)."""
    images = np.empty((sum(map(len, batches)), 32, 32, 3), np.uint8)
    start = 0
    for batch in batches:
        end = start + len(batch)
        for channel in range(3):  # one colour at a time: four times faster than one pixel at a time
            images[start:end, ..., channel] = batch.reshape(-1, 3, 32, 32)[:, channel]
        start = end
    return images
