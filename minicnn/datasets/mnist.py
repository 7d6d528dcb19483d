"""MNIST and data sets in its format, read from the idx files they are published as.

An idx file is a header of big-endian integers and then raw numbers: two zero bytes, one byte for the type
of number (8 is uint8), one for the number of axes, four bytes for the length of each axis.
"""

import gzip
import os
import string
import struct
import warnings
import zipfile
from collections.abc import Callable, Sequence
from math import prod
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from minicnn.creation import from_numpy
from minicnn.datasets._files import EXPANSION, MissingError, download_file, opened, write_file
from minicnn.datasets._vision import ImagesInMemory
from minicnn.tensor import Tensor


class MNIST(ImagesInMemory):
    """Handwritten digits: 60,000 training and 10,000 test images of 28 × 28 (LeCun, Cortes and Burges, 1998).

    The files are torchvision's, in `root/MNIST/raw`, raw or gzipped: `train-images-idx3-ubyte[.gz]`,
    `train-labels-idx1-ubyte[.gz]`, and `t10k-...` for the test set. What is downloaded is checked against
    its MD5; what lies there is checked for structure, so that images of one's own work in the same format.

    Args:
        root: the folder above `MNIST/raw`.
        train: the training images, or the test images.
        transform: called with an image, a gray Pillow image, before it is returned.
        target_transform: called with a label, an `int`, before it is returned.
        download: fetch the files of this split that are missing. Touches no network if none is.

    Attributes:
        data: uint8 Tensor (N, H, W).
        targets: int64 Tensor (N,).

    Raises:
        RuntimeError: a file is missing, or could not be downloaded.
        ValueError: a file is damaged; the message names it and what is wrong with it.
    """

    mirrors: ClassVar[list[str]] = [
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "http://yann.lecun.com/exdb/mnist/",
    ]
    resources: ClassVar[list[tuple[str, str]]] = [
        ("train-images-idx3-ubyte.gz", "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
        ("train-labels-idx1-ubyte.gz", "d53e105ee54ea40749a09fcbcd1e9432"),
        ("t10k-images-idx3-ubyte.gz", "9fb629c4189551a2d022fa330f9573f3"),
        ("t10k-labels-idx1-ubyte.gz", "ec29112dd5afa0611ce80d1b7f02629c"),
    ]
    classes: Sequence[str] = [
        "0 - zero",
        "1 - one",
        "2 - two",
        "3 - three",
        "4 - four",
        "5 - five",
        "6 - six",
        "7 - seven",
        "8 - eight",
        "9 - nine",
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
        self.data, self.targets = map(from_numpy, self._read())

    @property
    def train_data(self) -> Tensor:
        """`data` under a former name."""
        return self._renamed("train_data", "data")

    @property
    def test_data(self) -> Tensor:
        """`data` under a former name."""
        return self._renamed("test_data", "data")

    @property
    def train_labels(self) -> Tensor:
        """`targets` under a former name."""
        return self._renamed("train_labels", "targets")

    @property
    def test_labels(self) -> Tensor:
        """`targets` under a former name."""
        return self._renamed("test_labels", "targets")

    def _renamed(self, former: str, name: str) -> Tensor:
        warnings.warn(f"{former} has been renamed {name}", stacklevel=3)
        return getattr(self, name)

    @property
    def raw_folder(self) -> str:
        """The folder of the idx files: `root`, the name of the class, `raw`, as in torchvision."""
        return os.path.join(str(self.root), self._subfolder())

    @property
    def processed_folder(self) -> str:
        """Where former versions of torchvision kept files of their own; nothing is read from it."""
        return os.path.join(str(self.root), type(self).__name__, "processed")

    def _subfolder(self) -> str:
        return os.path.join(type(self).__name__, "raw")

    def _check_exists(self) -> bool:
        """Whether the files of this split are there."""
        return self._find(self._images_name) is not None and self._find(self._labels_name) is not None

    def download(self) -> None:
        """Fetch the files of this split that are missing, checked against their MD5."""
        for archive, md5 in self.resources:
            if archive.startswith(self._prefix) and self._find(archive.removesuffix(".gz")) is None:
                urls = [mirror + archive for mirror in self.mirrors]
                download_file(Path(self.raw_folder, archive), urls, md5)

    @property
    def _prefix(self) -> str:
        return "train" if self.train else "t10k"

    @property
    def _images_name(self) -> str:
        return f"{self._prefix}-images-idx3-ubyte"

    @property
    def _labels_name(self) -> str:
        return f"{self._prefix}-labels-idx1-ubyte"

    def _find(self, name: str) -> Path | None:
        candidates = (Path(self.raw_folder, name), Path(self.raw_folder, name + ".gz"))
        return next((path for path in candidates if path.is_file()), None)

    def _require(self, name: str) -> Path:
        path = self._find(name)
        if path is None:
            raise MissingError(f"neither {name} nor {name}.gz is in {self.raw_folder}")
        return path

    def _read(self) -> tuple[np.ndarray, np.ndarray]:
        image_path, label_path = self._require(self._images_name), self._require(self._labels_name)
        images, labels = read_idx(image_path, ndim=3), read_idx(label_path, ndim=1)
        if len(images) != len(labels):
            raise ValueError(f"{label_path}: {len(labels)} labels for the {len(images)} images of {image_path}")
        if labels.size and labels.max() >= len(self.classes):
            raise ValueError(
                f"{label_path}: label {labels.max()} is outside 0 to {len(self.classes) - 1}, "
                f"at position {labels.argmax()}"
            )
        return images, labels.astype(np.int64)


class FashionMNIST(MNIST):
    """Clothes in MNIST's format (Xiao, Rasul and Vollgraf, 2017), in `root/FashionMNIST/raw`.

    Arguments, attributes and errors are those of `MNIST`.
    """

    mirrors: ClassVar[list[str]] = ["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"]
    resources: ClassVar[list[tuple[str, str]]] = [
        ("train-images-idx3-ubyte.gz", "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
        ("train-labels-idx1-ubyte.gz", "25c81989df183df01b3e8a0aad5dffbe"),
        ("t10k-images-idx3-ubyte.gz", "bef4ecab320f06d8554ea6380940ec79"),
        ("t10k-labels-idx1-ubyte.gz", "bb300cfdad3c16e7a12a480ee83cd310"),
    ]
    classes: Sequence[str] = [
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ]


class KMNIST(MNIST):
    """Cursive Japanese characters in MNIST's format (Clanuwat et al., 2018), in `root/KMNIST/raw`.

    Arguments, attributes and errors are those of `MNIST`.
    """

    mirrors: ClassVar[list[str]] = ["http://codh.rois.ac.jp/kmnist/dataset/kmnist/"]
    resources: ClassVar[list[tuple[str, str]]] = [
        ("train-images-idx3-ubyte.gz", "bdb82020997e1d708af4cf47b453dcf7"),
        ("train-labels-idx1-ubyte.gz", "e144d726b3acfaa3e44228e80efcd344"),
        ("t10k-images-idx3-ubyte.gz", "5c965bf0a639b31b8f53240b1b52f4d7"),
        ("t10k-labels-idx1-ubyte.gz", "7320c461ea6c1c855c0b718fb2a4b134"),
    ]
    classes: Sequence[str] = ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"]


_LETTERS = sorted(string.digits + string.ascii_letters)
_MERGED_LETTERS = [letter for letter in _LETTERS if letter not in "cijklmopsuvwxyz"]


class EMNIST(MNIST):
    """Handwritten digits and letters in MNIST's format (Cohen et al., 2017), in `root/EMNIST/raw`.

    The files are named `emnist-SPLIT-train-images-idx3-ubyte[.gz]` and so on.

    Args:
        root: the folder above `EMNIST/raw`.
        split: "byclass", "bymerge", "balanced", "letters", "digits" or "mnist".
        kwargs: the other arguments of `MNIST`.

    Raises:
        ValueError: there is no such split; else as `MNIST`.
    """

    url = "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip"
    md5 = "58c8d27c78d21e728a6bc7b3cc06412e"
    splits = ("byclass", "bymerge", "balanced", "letters", "digits", "mnist")
    classes_split_dict: ClassVar[dict[str, list[str]]] = {
        "byclass": _LETTERS,
        "bymerge": _MERGED_LETTERS,
        "balanced": _MERGED_LETTERS,
        "letters": ["N/A", *string.ascii_lowercase],
        "digits": list(string.digits),
        "mnist": list(string.digits),
    }

    def __init__(self, root: str | Path, split: str, **kwargs: Any) -> None:
        if split not in self.splits:
            raise ValueError(f"Unknown value {split!r} for argument split. Valid values are {set(self.splits)}.")
        self.split = split
        self.classes = self.classes_split_dict[split]
        super().__init__(root, **kwargs)

    @property
    def _prefix(self) -> str:
        return f"emnist-{self.split}-{'train' if self.train else 'test'}"

    def download(self) -> None:
        """Fetch the archive of all splits, checked against its MD5, and unpack the files of this one."""
        if self._check_exists():
            return
        archive = Path(self.raw_folder, "gzip.zip")
        download_file(archive, [self.url], self.md5)
        with zipfile.ZipFile(archive) as opened:
            for name in (f"{self._images_name}.gz", f"{self._labels_name}.gz"):
                write_file(Path(self.raw_folder, name), opened.read(f"gzip/{name}"))


def read_idx(path: Path, ndim: int) -> np.ndarray:
    """Read an idx file of bytes, raw or gzipped.

    Args:
        path: the file.
        ndim: how many axes the array must have: 3 for images, 1 for labels.

    Returns: a uint8 array with `ndim` axes.

    Raises:
        ValueError: the file is not an idx file of that kind, or its size is not what its header says.
    """
    header_size = 4 + 4 * ndim
    with opened(path) as file:
        header = file.read(header_size)
        if len(header) < header_size:
            raise ValueError(f"{path}: truncated, {len(header)} bytes are fewer than the {header_size} of its header")
        zeros, number_type, axes = struct.unpack(">HBB", header[:4])
        if zeros != 0:
            raise ValueError(f"{path}: not an idx file, it begins with {header[:4].hex(' ')}")
        if number_type != 8:
            raise ValueError(f"{path}: its numbers are of type 0x{number_type:02x}, expected 0x08 (uint8)")
        if axes != ndim:
            raise ValueError(f"{path}: its array has {axes} axes, expected {ndim}")
        shape = struct.unpack(f">{ndim}I", header[4:])
        said = f"{path}: its header says {' × '.join(map(str, shape))} = {prod(shape)} bytes, but"
        packed = isinstance(file, gzip.GzipFile)
        if packed and prod(shape) > EXPANSION * path.stat().st_size:
            raise ValueError(f"{said} the file has {path.stat().st_size}, too few even if it is gzipped")
        content = file.read(prod(shape) if packed else -1)
        more = packed and bool(file.read(1))
    if more or len(content) != prod(shape):
        raise ValueError(f"{said} {'more' if more else len(content)} follow")
    return np.frombuffer(content, np.uint8).reshape(shape).copy()
