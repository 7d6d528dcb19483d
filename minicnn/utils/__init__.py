"""Utilities: `minicnn.utils.data` feeds data to a training loop; pictures come out of tensors."""

from minicnn.compat import missing
from minicnn.utils import data, dlpack
from minicnn.utils.images import make_grid, save_image

__all__ = ["data", "dlpack", "make_grid", "save_image"]

__getattr__ = missing.getattr_of(__name__, lambda: __all__)
