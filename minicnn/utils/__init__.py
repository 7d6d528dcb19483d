"""Utilities: `minicnn.utils.data` feeds data to a training loop."""

from minicnn.utils import data

__all__ = ["data"]
