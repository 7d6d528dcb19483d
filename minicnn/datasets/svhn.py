"""Street View House Numbers, read from the MATLAB files they are published as."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from minicnn.datasets._files import MissingError, download_file
from minicnn.datasets._vision import ImagesInMemory


class SVHN(ImagesInMemory):
    """Digits of house numbers in photographs of streets, 32 × 32 in colour (Netzer et al., 2011).

    The files are torchvision's, in `root`: `train_32x32.mat`, `test_32x32.mat`, `extra_32x32.mat`. They are checked
    against their MD5 before SciPy, which some damaged files crash, reads them.

    Args:
        root: the folder of the files.
        split: "train", "test" or "extra".
        transform: called with an image, an RGB Pillow image, before it is returned.
        target_transform: called with a label, an `int`, before it is returned.
        download: fetch the file, unless it is there.

    Attributes:
        data: uint8 ndarray (N, 3, 32, 32).
        labels: int64 ndarray (N,), the digits.

    Raises:
        ValueError: there is no such split.
        RuntimeError: the file is missing or damaged, or could not be downloaded; or SciPy, which reads it, is not
            installed.
    """

    split_list: ClassVar[dict[str, list[str]]] = {
        split: [f"http://ufldl.stanford.edu/housenumbers/{split}_32x32.mat", f"{split}_32x32.mat", md5]
        for split, md5 in (
            ("train", "e26dedcc434d2e4c54c9b2d4a06d8373"),
            ("test", "eb5a983be6a315427106f1b164d9cef3"),
            ("extra", "a93ce644f1a588dc4d68dda5feec44a7"),
        )
    }

    def __init__(
        self,
        root: str | Path,
        split: str = "train",
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        if split not in self.split_list:
            raise ValueError(f"Unknown value {split!r} for argument split. Valid values are {set(self.split_list)}.")
        self.split = split
        self.url, self.filename, self.file_md5 = self.split_list[split]
        path = Path(str(self.root), self.filename)
        if download:
            self.download()
        if not path.is_file():
            raise MissingError(f"{path} is missing")
        if not is_whole(path, self.file_md5):
            raise RuntimeError(f"Dataset corrupted: {path} has another MD5 than {self.file_md5}; remove it")
        images, self.labels = read_mat(path)
        self.data = images.transpose(3, 2, 0, 1)

    def download(self) -> None:
        """Fetch the file, checked against its MD5, unless it is there."""
        path = Path(str(self.root), self.filename)
        if not path.is_file():
            download_file(path, [self.url], self.file_md5)

    @property
    def targets(self) -> np.ndarray:  # type: ignore[override]
        """`labels`, under the name that other data sets have for it."""
        return self.labels

    def _images(self, indices: Any) -> np.ndarray:
        return np.ascontiguousarray(self.data[indices].transpose(0, 2, 3, 1))

    def extra_repr(self) -> str:
        return f"Split: {self.split}"


def is_whole(path: Path, md5: str) -> bool:
    """Whether a file has the checksum that it was published with."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest() == md5


def read_mat(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read one file: X, uint8 (32, 32, 3, N), and y, digits (N, 1), where 10 stands for 0.

    Returns: the images as they lie, and int64 labels (N,).
    """
    try:
        from scipy.io import loadmat
    except ImportError as error:
        raise RuntimeError("SVHN is read by SciPy, which is not installed") from error
    try:
        content = loadmat(str(path))
    except Exception as error:  # SciPy raises whatever the damage leads to
        raise ValueError(f"{path}: not a MATLAB file that SciPy reads ({error})") from error
    images, labels = content.get("X"), content.get("y")
    if not isinstance(images, np.ndarray) or images.dtype != np.uint8 or images.ndim != 4 or images.shape[2] != 3:
        raise ValueError(f"{path}: X must be a uint8 array (H, W, 3, N)")
    if not isinstance(labels, np.ndarray) or labels.size != images.shape[3]:
        raise ValueError(f"{path}: y must hold a label for each of the {images.shape[3]} images")
    labels = labels.astype(np.int64).reshape(-1)
    return images, np.where(labels == 10, 0, labels)
