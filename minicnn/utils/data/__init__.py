"""Feeding a training loop: data sets, samplers, and the loader that shuffles and batches them.

The loader takes a batch in one of two ways with the same result. A data set of arrays is `Batched` and
answers for all indices at once; any other is asked item by item and the items are collated.
"""

from minicnn.compat import missing
from minicnn.utils.data import dataloader, dataset, distributed, sampler
from minicnn.utils.data.collate import default_collate, default_convert
from minicnn.utils.data.dataloader import DataLoader, get_worker_info
from minicnn.utils.data.dataset import (
    ChainDataset,
    ConcatDataset,
    Dataset,
    IterableDataset,
    StackDataset,
    Subset,
    TensorDataset,
    random_split,
)
from minicnn.utils.data.distributed import DistributedSampler
from minicnn.utils.data.sampler import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)

__all__ = [
    "BatchSampler",
    "ChainDataset",
    "ConcatDataset",
    "DataLoader",
    "Dataset",
    "DistributedSampler",
    "IterableDataset",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "StackDataset",
    "Subset",
    "SubsetRandomSampler",
    "TensorDataset",
    "WeightedRandomSampler",
    "dataloader",
    "dataset",
    "default_collate",
    "default_convert",
    "distributed",
    "get_worker_info",
    "random_split",
    "sampler",
]

__getattr__ = missing.getattr_of(__name__, lambda: __all__)
