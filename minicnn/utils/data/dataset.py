"""Data sets made of tensors, or of other data sets."""

import itertools
import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn.creation import from_numpy
from minicnn.datasets._data import Batched, ChainDataset, ConcatDataset, Dataset, IterableDataset, batch_method
from minicnn.random import Generator, numpy_generator
from minicnn.tensor import Tensor

__all__ = [
    "ChainDataset",
    "ConcatDataset",
    "Dataset",
    "IterableDataset",
    "StackDataset",
    "Subset",
    "TensorDataset",
    "random_split",
]


class TensorDataset(Dataset[tuple[Tensor, ...]], Batched):
    """Items are the rows of some tensors: item i is `(tensors[0][i], tensors[1][i], ...)`.

    Args:
        tensors: Tensors or ndarrays of the same length; arrays are shared, not copied.

    Raises:
        ValueError: there is none, one has no axis, or their lengths differ.
    """

    def __init__(self, *tensors: Tensor | np.ndarray) -> None:
        self.tensors = tuple(t if isinstance(t, Tensor) else from_numpy(t) for t in tensors)
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


class StackDataset(Dataset[Any]):
    """Data sets side by side: item i holds item i of each, in a tuple, or a dictionary where they are given by name.

    Args:
        args: data sets of one length,
        kwargs: or these by name.

    Raises:
        ValueError: there is none, both are given, or the lengths differ.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if args and kwargs:
            raise ValueError("StackDataset takes data sets in a row or by name, got both")
        if not args and not kwargs:
            raise ValueError("At least one dataset should be passed")
        self.datasets: Any = args or kwargs
        lengths = [len(dataset) for dataset in args or kwargs.values()]
        if len(set(lengths)) > 1:
            raise ValueError(f"Size mismatch between datasets: their lengths are {lengths}")
        self._length = lengths[0]

    def __getitem__(self, index: int) -> Any:
        if isinstance(self.datasets, dict):
            return {name: dataset[index] for name, dataset in self.datasets.items()}
        return tuple(dataset[index] for dataset in self.datasets)

    def __getitems__(self, indices: list[int]) -> list[Any]:
        """Many items; each data set is asked for all of its own at once, where it has `__getitems__` too."""
        if isinstance(self.datasets, dict):
            columns = [items_of(dataset, indices) for dataset in self.datasets.values()]
            return [dict(zip(self.datasets, row, strict=True)) for row in zip(*columns, strict=True)]
        return list(zip(*[items_of(dataset, indices) for dataset in self.datasets], strict=True))

    def __len__(self) -> int:
        return self._length


def items_of(dataset: Any, indices: list[Any]) -> list[Any]:
    """The items `indices` of a data set, by its `__getitems__` where it has one.

    Raises:
        ValueError: it gave another number of them.
    """
    if not callable(getattr(dataset, "__getitems__", None)):
        return [dataset[index] for index in indices]
    items = dataset.__getitems__(indices)
    if len(items) != len(indices):
        raise ValueError(f"Nested dataset's output size mismatch. Expected {len(indices)}, got {len(items)}")
    return items


class Subset(Dataset[Any], Batched):
    """Some items of a data set, under new numbers: item i is `dataset[indices[i]]`.

    Args:
        dataset: the whole.
        indices: which of its items, in which order.
    """

    def __init__(self, dataset: Any, indices: Sequence[int]) -> None:
        self.dataset = dataset
        self.indices = indices

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, list):
            return self.dataset[[self.indices[one] for one in index]]
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
