"""`DataLoader`: batches of a data set."""

import itertools
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from minicnn.datasets._data import IterableDataset, batch_method
from minicnn.random import Generator
from minicnn.tensor import Tensor, computed
from minicnn.utils.data.collate import default_collate, default_convert
from minicnn.utils.data.dataset import items_of
from minicnn.utils.data.sampler import BatchSampler, RandomSampler, SequentialSampler

__all__ = ["DataLoader", "default_collate", "default_convert", "get_worker_info"]

FIXED = ("batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers")
"""Attributes of a loader that can't be set after it is made."""


INTEGERS = (int, np.integer)
"""Indices that a data set may be asked for all at once; slices, lists and names are asked for one by one."""


def get_worker_info() -> None:
    """What PyTorch tells of a worker process: None, since batches are made in the process that asks for them."""
    return


class DataLoader:
    """Batches of a data set, `for images, labels in loader`.

    Batches are made in this process: taking rows of an array costs less than passing them between processes. Arguments
    about workers are checked as by PyTorch, and change nothing.

    Args:
        dataset: anything with `__getitem__` and, unless there is a sampler, `__len__`; or an `IterableDataset`.
        batch_size: items in a batch; the last one may have fewer. None for items one by one, without batches.
        shuffle: draw a new order at every iteration.
        sampler: an iterable of indices that decides the order, instead of `shuffle`.
        batch_sampler: an iterable of lists of indices, instead of all the above.
        num_workers: has no effect.
        collate_fn: makes a batch of a list of items, instead of `default_collate`; items are then taken one
            by one. Without batches it is given each item, instead of `default_convert`.
        pin_memory: has no effect. Only copies to a GPU gain by it.
        drop_last: leave out a last batch with fewer items.
        timeout: how long to wait for workers: has no effect.
        worker_init_fn: is never called, as without workers in PyTorch.
        multiprocessing_context: has no effect.
        generator: what the order is drawn from, and random transforms of a data set that answers for a
            whole batch; the default generator if `None`. Transforms that work item by item draw from the
            default generator, as in torch.
        prefetch_factor, persistent_workers, pin_memory_device, in_order: have no effect.

    Yields: a batch: for items that are tuples, a list of Tensors; int labels become int64.

    Raises:
        ValueError: `batch_size` is not positive, or None with `drop_last`; `num_workers`, `timeout` or
            `prefetch_factor` is negative; an argument about workers is given without any; arguments exclude each other;
            an empty data set is to be shuffled; or an attribute that decides about batches is set later.
        TypeError: `dataset` has no `__getitem__`, or `multiprocessing_context` is none.
        AssertionError: when iterated over: there is a timeout without workers.
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable[Any] | None = None,
        batch_sampler: Iterable[list] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        multiprocessing_context: Any = None,
        generator: Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        self._iterable = isinstance(dataset, IterableDataset)
        if not self._iterable and not hasattr(dataset, "__getitem__"):
            raise TypeError(f"dataset must have __getitem__, got {type(dataset).__name__}")
        _check_workers(num_workers, timeout, prefetch_factor, persistent_workers)
        self.dataset = dataset
        self.num_workers = num_workers
        self.prefetch_factor = 2 if num_workers > 0 and prefetch_factor is None else prefetch_factor
        self.pin_memory = pin_memory
        self.pin_memory_device = pin_memory_device
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.multiprocessing_context = _checked_context(multiprocessing_context, num_workers)
        self.in_order = in_order
        if self._iterable:
            for name, given in (("shuffle", shuffle or None), ("sampler", sampler), ("batch_sampler", batch_sampler)):
                if given is not None:
                    raise ValueError(
                        f"DataLoader with IterableDataset: expected unspecified {name} option, got {given}"
                    )
        if sampler is not None and shuffle:
            raise ValueError("sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                raise ValueError(
                    "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last"
                )
            batch_size = None
        elif batch_size is None and drop_last:
            raise ValueError("batch_size=None makes no batches, of which drop_last could drop one")
        if sampler is None:
            if self._iterable:
                sampler = itertools.repeat(None)
            else:
                sampler = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)
        if batch_size is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        self.generator = generator
        default = default_convert if batch_sampler is None else default_collate
        self.collate_fn = default if collate_fn is None else collate_fn
        self.persistent_workers = persistent_workers
        self._told_length: int | None = None
        self._ready = True

    def __setattr__(self, name: str, value: Any) -> None:
        if name in FIXED and self.__dict__.get("_ready"):
            raise ValueError(f"{name} attribute should not be set after {type(self).__name__} is initialized")
        super().__setattr__(name, value)

    def __len__(self) -> int:
        """The number of batches."""
        if not self._iterable:
            return len(self.sampler if self.batch_sampler is None else self.batch_sampler)  # type: ignore[arg-type]
        size = self._told_length = len(self.dataset)
        if self.batch_size is None:
            return size
        return size // self.batch_size if self.drop_last else -(-size // self.batch_size)

    def __iter__(self) -> Iterator[Any]:
        if self.timeout != 0 and self.num_workers == 0:
            raise AssertionError("a timeout needs workers to wait for: num_workers > 0")
        if self._iterable:
            return self._stream()
        if self.batch_sampler is None:
            return (self.collate_fn(self.dataset[index]) for index in self.sampler)
        return map(self._batch, self.batch_sampler)

    def _stream(self) -> Iterator[Any]:
        """The batches of an iterable data set, or its items one by one."""
        items = iter(self.dataset)
        size = self.batch_size
        parts = items if size is None else BatchSampler(items, size, self.drop_last)
        for number, part in enumerate(parts, 1):
            if self._told_length is not None and number > self._told_length:
                warnings.warn(
                    f"Length of IterableDataset {self.dataset} was reported to be {self._told_length}, "
                    f"but {number} samples have been fetched.",
                    stacklevel=2,
                )
            yield self.collate_fn(part)

    def _batch(self, indices: list[Any]) -> Any:
        if self.collate_fn is default_collate:
            dataset_batch = batch_method(self.dataset, "__getitem__")
            if dataset_batch is not None and all(issubclass(kind, INTEGERS) for kind in {*map(type, indices)}):
                batch = dataset_batch(np.array(indices), self.generator)
                if batch is not None:
                    return [part if isinstance(part, Tensor) else computed(part) for part in batch]
        return self.collate_fn(items_of(self.dataset, indices))


def _check_workers(num_workers: int, timeout: float, prefetch_factor: int | None, persistent_workers: bool) -> None:
    if num_workers < 0:
        raise ValueError(f"num_workers option should be non-negative, got {num_workers}")
    if timeout < 0:
        raise ValueError(f"timeout option should be non-negative, got {timeout}")
    if prefetch_factor is not None and num_workers == 0:
        raise ValueError("prefetch_factor option could only be specified in multiprocessing, with num_workers > 0")
    if prefetch_factor is not None and prefetch_factor < 0:
        raise ValueError(f"prefetch_factor option should be non-negative, got {prefetch_factor}")
    if persistent_workers and num_workers == 0:
        raise ValueError("persistent_workers option needs num_workers > 0")


def _checked_context(context: Any, num_workers: int) -> Any:
    if context is None:
        return None
    if num_workers <= 0:
        raise ValueError(
            f"multiprocessing_context can only be used with multi-process loading (num_workers > 0), got {num_workers}"
        )
    import multiprocessing.context  # only here: it leaves a module of its own behind

    if isinstance(context, str):
        methods = multiprocessing.get_all_start_methods()
        if context not in methods:
            raise ValueError(f"multiprocessing_context must be one of {methods}, got {context!r}")
        return multiprocessing.get_context(context)
    if not isinstance(context, multiprocessing.context.BaseContext):
        raise TypeError(f"multiprocessing_context must be a context or the name of a start method, got {context!r}")
    return context
