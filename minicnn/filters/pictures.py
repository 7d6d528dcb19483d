"""Kernels from files, and the two pictures that come with the installation."""

from pathlib import Path

import numpy as np

from minicnn.datasets import Digits
from minicnn.datasets.pictures import Picture

LARGEST_KERNEL = 255
"""Rows and columns of a kernel from a file, at most."""


NOUGHT = 4
"""Which of the test digits is a nought, whose outline has every direction."""


def the_digit() -> Picture:
    """A handwritten nought of scikit-learn's, as LeNet sees it: 28×28, bright on dark."""
    return Picture("digit", Digits(train=False).data.numpy()[NOUGHT : NOUGHT + 1] / 255)


def the_photograph() -> Picture:
    """The photograph of a temple that scikit-learn carries: 640×427, in colours."""
    from sklearn.datasets import load_sample_image

    return Picture("photograph", load_sample_image("china.jpg").transpose(2, 0, 1) / 255)


def read_kernel(path: Path) -> np.ndarray:
    """A kernel from a file of numpy.save's, or from a text with a row a line, numbers between blanks or commas.

    Args:
        path: the file; `.npy` is NumPy's, everything else a text.

    Returns: float64 (KH, KW).

    Raises:
        OSError: where there is no such file.
        ValueError: where it holds no such thing.
    """
    try:
        if path.suffix.lower() == ".npy":
            array = np.load(path, allow_pickle=False)
        else:
            lines = path.read_text(encoding="utf-8").replace(",", " ").splitlines()
            rows = [line.partition("#")[0].split() for line in lines]
            array = np.array([[float(text) for text in row] for row in rows if row])
    except (ValueError, EOFError):
        raise ValueError(f"cannot read {path} as a kernel: a .npy file, or a text of numbers in equal rows") from None
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "biuf":
        raise ValueError(f"{path} holds no array of real numbers")
    if array.ndim != 2 or not 1 <= min(array.shape) <= max(array.shape) <= LARGEST_KERNEL:
        raise ValueError(f"{path} must hold a kernel of 1 to {LARGEST_KERNEL} rows and columns, got {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{path} holds numbers that are not finite")
    return array.astype(np.float64)
