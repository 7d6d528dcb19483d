"""The loader that shuffles and batches a data set.

It takes a batch in one of two ways with the same result. A data set of arrays is `Batched` and
answers for all indices at once; any other is asked item by item and the items are collated.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from minicnn._data import batch_method
from minicnn.random import Generator, numpy_generator
from minicnn.tensor import Tensor, computed
from minicnn.utils.data.collate import default_collate, default_convert


class IndexOrder:
    """The indices of a data set, in order or shuffled anew at every iteration."""

    def __init__(self, dataset: Any, shuffle: bool, generator: Generator | None) -> None:
        self.dataset = dataset
        self.shuffle = shuffle
        self.generator = generator

    def __len__(self) -> int:
        return len(self.dataset)

    def __iter__(self) -> Iterator[int]:
        size = len(self)
        if not self.shuffle:
            return iter(range(size))
        return iter(numpy_generator(self.generator).permutation(size).tolist())


class DataLoader:
    """Batches of a data set, `for images, labels in loader`.

    Arguments are torch's; those after `sampler` by name only. Others that torch has raise `TypeError`.

    Args:
        dataset: anything with `__getitem__` and, unless there is a sampler, `__len__`.
        batch_size: items in a batch; the last one may have fewer. None for items one by one, without batches.
        shuffle: draw a new order at every iteration.
        sampler: an iterable of indices that decides the order, instead of `shuffle`.
        num_workers: has no effect. Batches are made in this process: taking rows of an array costs less than
            passing them between processes.
        collate_fn: makes a batch of a list of items, instead of `default_collate`; items are then taken one
            by one. Without batches it is given each item, instead of `default_convert`.
        pin_memory: has no effect. Only copies to a GPU gain by it.
        drop_last: leave out a last batch with fewer items.
        generator: what the order is drawn from, and random transforms of a data set that answers for a
            whole batch; the default generator if `None`. Transforms that work item by item draw from the
            default generator, as in torch.

    Yields: a batch: for items that are tuples, a list of Tensors; int labels become int64.

    Raises:
        ValueError: `batch_size` is not positive, or None with `drop_last`; `num_workers` is negative; `sampler` and
            `shuffle` are both given; or an empty data set is to be shuffled.
        TypeError: `dataset` has no `__getitem__`.
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable[int] | None = None,
        *,
        num_workers: int = 0,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        generator: Generator | None = None,
    ) -> None:
        if not hasattr(dataset, "__getitem__"):
            raise TypeError(f"dataset must have __getitem__, got {type(dataset).__name__}")
        if batch_size is None:
            if drop_last:
                raise ValueError("batch_size=None makes no batches, of which drop_last could drop one")
        elif not isinstance(batch_size, int) or isinstance(batch_size, bool) or batch_size <= 0:
            raise ValueError(f"batch_size should be a positive integer value, but got batch_size={batch_size}")
        if num_workers < 0:
            raise ValueError(f"num_workers option should be non-negative, got {num_workers}")
        if sampler is not None and shuffle:
            raise ValueError("sampler option is mutually exclusive with shuffle")
        if shuffle and len(dataset) == 0:
            raise ValueError("num_samples should be a positive integer value, but got num_samples=0")
        self.dataset = dataset
        self.batch_size = batch_size
        self.sampler = IndexOrder(dataset, bool(shuffle), generator) if sampler is None else sampler
        self.num_workers = num_workers
        default = default_convert if batch_size is None else default_collate
        self.collate_fn = default if collate_fn is None else collate_fn
        self.pin_memory = pin_memory
        self.drop_last = drop_last
        self.generator = generator

    def __len__(self) -> int:
        """The number of batches."""
        size = len(self.sampler)  # type: ignore[arg-type]
        if self.batch_size is None:
            return size
        return size // self.batch_size if self.drop_last else -(-size // self.batch_size)

    def __iter__(self) -> Iterator[Any]:
        order = iter(self.sampler)
        if self.batch_size is None:
            for index in order:
                yield self.collate_fn(self.dataset[index])
            return
        while indices := list(itertools.islice(order, self.batch_size)):
            if len(indices) == self.batch_size or not self.drop_last:
                yield self._batch(indices)

    def _batch(self, indices: list[int]) -> Any:
        if self.collate_fn is default_collate:
            dataset_batch = batch_method(self.dataset, "__getitem__")
            batch = None if dataset_batch is None else dataset_batch(np.array(indices), self.generator)
            if batch is not None:
                return [part if isinstance(part, Tensor) else computed(part) for part in batch]
        return self.collate_fn([self.dataset[index] for index in indices])
