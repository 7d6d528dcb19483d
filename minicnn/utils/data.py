"""Feeding a training loop: data sets, subsets, and the loader that shuffles and batches them.

The loader takes a batch in one of two ways with the same result. A data set of arrays is `Batched` and
answers for all indices at once; any other is asked item by item and the items are collated.
"""

import copy
import itertools
import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any

import numpy as np

from minicnn._data import Batched, Dataset, batch_method
from minicnn.creation import as_tensor, tensor
from minicnn.dtypes import float64
from minicnn.operators.joining import stack
from minicnn.random import Generator, numpy_generator
from minicnn.tensor import Tensor, computed

__all__ = ["DataLoader", "Dataset", "Subset", "TensorDataset", "default_collate", "default_convert", "random_split"]


class TensorDataset(Dataset[tuple[Tensor, ...]], Batched):
    """Items are the rows of some tensors: item i is `(tensors[0][i], tensors[1][i], ...)`.

    Args:
        tensors: Tensors or ndarrays of the same length; arrays are shared, not copied.

    Raises:
        ValueError: there is none, one has no axis, or their lengths differ.
    """

    def __init__(self, *tensors: Tensor | np.ndarray) -> None:
        self.tensors = tuple(t if isinstance(t, Tensor) else Tensor(t) for t in tensors)
        shapes = [tuple(t.shape) for t in self.tensors]
        if not shapes or not all(shapes):
            raise ValueError(f"TensorDataset needs tensors with at least one axis, got shapes {shapes}")
        if len({shape[0] for shape in shapes}) > 1:
            raise ValueError(f"Size mismatch between tensors: the first axes of {shapes} differ")

    def __getitem__(self, index: int) -> tuple[Tensor, ...]:
        return tuple(tensor[index] for tensor in self.tensors)

    def __len__(self) -> int:
        return len(self.tensors[0])

    def batch(self, indices: Any, generator: Generator | None = None) -> list[Tensor]:
        """The rows `indices` of every tensor, each (B, ...)."""
        return [tensor[np.asarray(indices)] for tensor in self.tensors]


class Subset(Dataset[Any], Batched):
    """Some items of a data set, under new numbers: item i is `dataset[indices[i]]`.

    Args:
        dataset: the whole.
        indices: which of its items, in which order.
    """

    def __init__(self, dataset: Any, indices: Sequence[int]) -> None:
        self.dataset = dataset
        self.indices = indices

    def __getitem__(self, index: int) -> Any:
        return self.dataset[self.indices[index]]

    def __len__(self) -> int:
        return len(self.indices)

    def batch(self, indices: Any, generator: Generator | None = None) -> Any:
        """What the whole data set gives for these items at once, or `None` if it goes item by item."""
        whole = batch_method(self.dataset, "__getitem__")
        if whole is None:
            return None
        return whole(np.array([self.indices[index] for index in np.asarray(indices).tolist()]), generator)


def random_split(dataset: Any, lengths: Sequence[int | float], generator: Generator | None = None) -> list[Subset]:
    """Deal a data set out at random into parts that share no item.

    Args:
        dataset: what to split.
        lengths: the lengths of the parts, which sum to `len(dataset)`, or their shares, which sum to 1; items
            left over by rounding the shares down go to the first parts, one each.
        generator: what the order is drawn from, the default generator if `None`.

    Returns: one `Subset` for each length.

    Raises:
        ValueError: the lengths do not sum to the length of the data set, or a share is not between 0 and 1.
    """
    size = len(dataset)
    if math.isclose(sum(lengths), 1) and sum(lengths) <= 1:
        lengths = _lengths_of_shares(lengths, size)
    if sum(lengths) != size or any(length < 0 or length != int(length) for length in lengths):
        raise ValueError(
            f"Sum of input lengths does not equal the length of the input dataset! Got {list(lengths)} for {size} items"
        )
    order = numpy_generator(generator).permutation(size).tolist()
    ends = itertools.accumulate(int(length) for length in lengths)
    return [Subset(dataset, order[end - int(length) : end]) for end, length in zip(ends, lengths, strict=True)]


def _lengths_of_shares(shares: Sequence[float], size: int) -> list[int]:
    for position, share in enumerate(shares):
        if not 0 <= share <= 1:
            raise ValueError(f"Fraction at index {position} is not between 0 and 1, got {share}")
    lengths = [math.floor(size * share) for share in shares]
    for position in range(size - sum(lengths)):
        lengths[position % len(lengths)] += 1
    for position, length in enumerate(lengths):
        if length == 0:
            warnings.warn(f"Length of split at index {position} is 0", stacklevel=3)
    return lengths


def default_collate(batch: Sequence[Any]) -> Any:
    """Turn a list of items into one item of stacked Tensors.

    Args:
        batch: items of the same make-up as the first. Tensors, ndarrays and numbers are stacked (ints become int64,
            floats float64); tuples, lists and dictionaries are collated part by part, under the keys of the first;
            text stays a list.

    Returns: a Tensor with a new first axis, or a list, named tuple or dictionary of such.

    Raises:
        TypeError: an item holds something else.
        ValueError: the items' shapes differ.
        RuntimeError: the lengths of their lists differ.
        KeyError: one lacks a key of the first.
    """
    first = batch[0]
    if isinstance(first, Tensor):
        return stack(list(batch))
    if isinstance(first, np.ndarray):
        return stack([as_tensor(array) for array in batch])
    if isinstance(first, float):  # np.float64 among them
        return tensor(list(batch), dtype=float64)
    if isinstance(first, bool | int | np.bool_ | np.number):
        return tensor(list(batch))
    if isinstance(first, str | bytes):
        return batch
    if isinstance(first, Sequence) and not hasattr(first, "_fields") and len({len(item) for item in batch}) > 1:
        raise RuntimeError("each element in list of batch should be of equal size")
    if isinstance(first, Mapping):
        return _rebuilt(first, {key: default_collate([item[key] for item in batch]) for key in first})
    if isinstance(first, Sequence):
        return _rebuilt(first, [default_collate(part) for part in zip(*batch, strict=False)])
    raise TypeError(
        f"default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {type(first)}"
    )


def default_convert(item: Any) -> Any:
    """An item with Tensors in place of its ndarrays and NumPy numbers; everything else stays what it is."""
    if isinstance(item, np.ndarray | np.generic):
        array = np.asarray(item)
        return item if array.dtype.kind in "SUO" else as_tensor(array)
    if isinstance(item, Mapping):
        return _rebuilt(item, {key: default_convert(value) for key, value in item.items()})
    if isinstance(item, Sequence) and not isinstance(item, str | bytes):
        return _rebuilt(item, [default_convert(part) for part in item])
    return item


def _rebuilt(model: Any, parts: Any) -> Any:
    """The list or dictionary `parts` as a container like `model`, where that can be made; a list of a plain tuple."""
    if hasattr(model, "_fields"):
        return type(model)(*parts)
    if isinstance(model, tuple):
        return parts
    try:
        if isinstance(model, MutableMapping | MutableSequence):
            copied: Any = copy.copy(model)
            for key, part in parts.items() if isinstance(model, Mapping) else enumerate(parts):
                copied[key] = part
            return copied
        return type(model)(parts)
    except TypeError:
        return parts


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
