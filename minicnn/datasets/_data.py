"""What a data set is, and how one answers for a whole batch at once.

A loader could ask for 64 items and stack them. Where the images lie in one array, it is a hundred times
faster to take 64 rows of that array and transform them together. `Batched` is the promise that an object can
do so, and `batch_method` tells whether the promise still holds for a user's subclass.
"""

import itertools
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

import numpy as np

Item = TypeVar("Item", covariant=True)


class Dataset(Generic[Item]):
    """Items by index. A subclass defines `__getitem__`, and `__len__` where the number of items is known."""

    def __getitem__(self, index: int) -> Item:
        raise NotImplementedError(f"{type(self).__name__} must define __getitem__")

    def __add__(self, other: "Dataset") -> "Dataset":
        return ConcatDataset([self, other])


class Batched:
    """A promise: `batch` gives what item-by-item work would give, stacked, for many items at once.

    - A data set's `batch(indices, generator)` equals the stacked `self[index] for index in indices`.
    - A transform's `batch(images, generator)` equals the stacked `self(image) for image in images`.

    `generator` is the `minicnn.Generator` random transforms draw from, the default one if `None`. A
    `batch` that cannot keep the promise for some reason of its own (a part that works on single items only)
    returns `None`, and the caller goes item by item.
    """

    def batch(self, items: Any, generator: Any = None) -> Any:
        """All results at once, or `None` where only item-by-item work will do."""
        raise NotImplementedError(f"{type(self).__name__} must define batch")


def batch_method(thing: Any, item_method: str) -> Callable[..., Any] | None:
    """`thing.batch`, if it speaks for what `thing` does with a single item.

    A subclass that overrides `item_method` but not `batch` does something else with an item than the
    inherited `batch` knows of, and is not asked.

    Args:
        thing: a data set, a transform, or any function.
        item_method: `"__getitem__"` for a data set, `"__call__"` for a transform.

    Returns: the bound method, or `None` where only item-by-item work will do.
    """
    if not isinstance(thing, Batched):
        return None
    for owner in type(thing).__mro__:
        if "batch" in vars(owner):
            return thing.batch
        if item_method in vars(owner) or (item_method == "__call__" and "forward" in vars(owner)):
            return None
    return None


class IterableDataset(Dataset[Item], Iterable[Item]):
    """Items in the order in which they come. A subclass defines `__iter__`, and `__len__` where the number is known."""

    def __add__(self, other: Dataset) -> "Dataset":
        return ChainDataset([self, other])


class ConcatDataset(Dataset[Any], Batched):
    """Data sets end to end.

    Args:
        datasets: those to join; none of them an `IterableDataset`.

    Attributes:
        cumulative_sizes: where each of them ends.

    Raises:
        AssertionError: there is none, or one is an `IterableDataset`.
    """

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise AssertionError("datasets should not be an empty iterable")
        for dataset in self.datasets:
            if isinstance(dataset, IterableDataset):
                raise AssertionError("ConcatDataset does not support IterableDataset")
        self.cumulative_sizes = self.cumsum(self.datasets)

    @staticmethod
    def cumsum(sequence: Iterable[Any]) -> list[int]:
        """Where each of some data sets ends."""
        return list(itertools.accumulate(map(len, sequence)))

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, idx: int) -> Any:
        if idx < 0:
            if -idx > len(self):
                raise ValueError("absolute value of index should not exceed dataset length")
            idx += len(self)
        number = bisect_right(self.cumulative_sizes, idx)
        return self.datasets[number][idx - self.cumulative_sizes[number - 1] if number else idx]

    def batch(self, items: Any, generator: Any = None) -> list[np.ndarray] | None:
        """The items at indices `items` at once, where all the data sets can give theirs and they fit together."""
        methods = [batch_method(dataset, "__getitem__") for dataset in self.datasets]
        indices = np.asarray(items)
        if None in methods or not len(indices) or (indices < 0).any():
            return None
        owners = np.searchsorted(self.cumulative_sizes, indices, side="right")
        whole: list[np.ndarray] = []
        for number in np.unique(owners).tolist():
            places = np.flatnonzero(owners == number)
            start = self.cumulative_sizes[number - 1] if number else 0
            method = methods[number]
            parts = None if method is None else method(indices[places] - start, generator)
            if parts is None:
                return None
            arrays = [getattr(part, "_array", part) for part in parts]
            whole = whole or [np.empty_like(one, shape=(len(indices), *one.shape[1:])) for one in arrays]
            if [(one.dtype, one.shape[1:]) for one in arrays] != [(one.dtype, one.shape[1:]) for one in whole]:
                return None
            for target, one in zip(whole, arrays, strict=True):
                target[places] = one
        return whole


class ChainDataset(IterableDataset[Any]):
    """Iterable data sets, one after the other.

    Args:
        datasets: each an `IterableDataset`.

    Raises:
        AssertionError: when iterated over or measured: one is something else.
    """

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = datasets

    def _checked(self) -> Iterator[Any]:
        for dataset in self.datasets:
            if not isinstance(dataset, IterableDataset):
                raise AssertionError("ChainDataset only supports IterableDataset")
            yield dataset

    def __iter__(self) -> Iterator[Any]:
        return itertools.chain.from_iterable(self._checked())

    def __len__(self) -> int:
        return sum(len(dataset) for dataset in self._checked())  # type: ignore[arg-type]
