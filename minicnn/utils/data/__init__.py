"""Feeding a training loop: data sets, subsets, and the loader that shuffles and batches them."""

from minicnn.compat import missing
from minicnn.utils.data.collate import default_collate, default_convert
from minicnn.utils.data.dataloader import DataLoader
from minicnn.utils.data.dataset import Dataset, Subset, TensorDataset, random_split

__all__ = ["DataLoader", "Dataset", "Subset", "TensorDataset", "default_collate", "default_convert", "random_split"]

__getattr__ = missing.getattr_of(__name__, lambda: __all__)
