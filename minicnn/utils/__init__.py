"""Utilities: `minicnn.utils.data` feeds data to a training loop."""

from minicnn.compat import missing
from minicnn.utils import data

__all__ = ["data"]

__getattr__ = missing.getattr_of(__name__, lambda: __all__)
