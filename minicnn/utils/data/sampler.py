"""Samplers: iterables of indices that decide which items a loader takes, and in which order."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar

import numpy as np

from minicnn.creation import as_tensor
from minicnn.dtypes import float64
from minicnn.random import Generator, numpy_generator

__all__ = [
    "BatchSampler",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "SubsetRandomSampler",
    "WeightedRandomSampler",
]

Index = TypeVar("Index", covariant=True)


class Sampler(Generic[Index]):
    """Base of all samplers. A subclass defines `__iter__`, and `__len__` where the number of indices is known."""

    def __iter__(self) -> Iterator[Index]:
        raise NotImplementedError(f"{type(self).__name__} must define __iter__")


def _positive(num_samples: Any) -> None:
    if not isinstance(num_samples, int) or num_samples <= 0:
        raise ValueError(f"num_samples should be a positive integer value, but got num_samples={num_samples}")


class SequentialSampler(Sampler[int]):
    """The indices of a data set in order.

    Args:
        data_source: the data set.
    """

    def __init__(self, data_source: Any) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """The indices of a data set in an order that is drawn anew at every iteration.

    Args:
        data_source: the data set.
        replacement: draw each index among all of them, so that some come twice and some never.
        num_samples: how many to draw, `len(data_source)` if None. Without replacement and with more than there are, all
            come once in a first order, then in a second one.
        generator: what is drawn from, the default generator if None.

    Raises:
        TypeError: `replacement` is no bool.
        ValueError: `num_samples` is no positive int.
    """

    def __init__(
        self,
        data_source: Any,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Generator | None = None,
    ) -> None:
        self.data_source = data_source
        self.replacement = replacement
        self._num_samples = num_samples
        self.generator = generator
        if not isinstance(replacement, bool):
            raise TypeError(f"replacement should be a boolean value, but got replacement={replacement}")
        _positive(self.num_samples)

    @property
    def num_samples(self) -> int:
        """How many indices are drawn."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        stream, size = numpy_generator(self.generator), len(self.data_source)
        if self.replacement:
            return iter(stream.integers(size, size=self.num_samples).tolist())
        rounds = -(-self.num_samples // size)
        orders = (stream.permutation(size).tolist() for _ in range(rounds))
        return itertools.islice(itertools.chain.from_iterable(orders), self.num_samples)

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler[int]):
    """Given indices in an order that is drawn anew at every iteration.

    Args:
        indices: a sequence of them.
        generator: what is drawn from, the default generator if None.
    """

    def __init__(self, indices: Sequence[int], generator: Generator | None = None) -> None:
        self.indices = indices
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        for position in numpy_generator(self.generator).permutation(len(self.indices)).tolist():
            yield self.indices[position]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """Indices 0 to N − 1, drawn with given weights.

    Args:
        weights: N numbers, which need not sum to one.
        num_samples: how many to draw.
        replacement: whether an index may come twice.
        generator: what is drawn from, the default generator if None.

    Raises:
        ValueError: `num_samples` is no positive int, `replacement` no bool, or `weights` no row of numbers.
        RuntimeError: when iterated over: a weight is negative, infinite or NaN, all are zero, or without replacement
            there are fewer than `num_samples`.
    """

    def __init__(
        self,
        weights: Sequence[float],
        num_samples: int,
        replacement: bool = True,
        generator: Generator | None = None,
    ) -> None:
        _positive(False if isinstance(num_samples, bool) else num_samples)
        if not isinstance(replacement, bool):
            raise ValueError(f"replacement should be a boolean value, but got replacement={replacement}")
        self.weights = as_tensor(weights, dtype=float64)
        if self.weights.ndim != 1:
            raise ValueError(
                f"weights should be a 1d sequence but given weights have shape {tuple(self.weights.shape)}"
            )
        self.num_samples = num_samples
        self.replacement = replacement
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        weights, stream = self.weights.numpy(), numpy_generator(self.generator)
        if not (np.isfinite(weights).all() and (weights >= 0).all() and weights.any()):
            raise RuntimeError("weights must be finite and not negative, and one of them positive")
        if self.replacement:
            shares = weights.cumsum()
            drawn = np.searchsorted(shares, stream.random(self.num_samples) * shares[-1], side="right")
            return iter(drawn.tolist())
        if len(weights) < self.num_samples:
            raise RuntimeError(f"cannot draw {self.num_samples} of {len(weights)} indices without replacement")
        with np.errstate(divide="ignore"):
            arrivals = stream.standard_exponential(len(weights)) / weights  # the first to come are drawn first
        return iter(np.argsort(arrivals)[: self.num_samples].tolist())

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """Lists of `batch_size` indices of another sampler.

    Args:
        sampler: an iterable of indices.
        batch_size: how many make a batch; the last one may have fewer.
        drop_last: leave out a last batch with fewer.

    Raises:
        ValueError: `batch_size` is no positive int, or `drop_last` no bool.
    """

    def __init__(self, sampler: Iterable[Any], batch_size: int, drop_last: bool) -> None:
        if not isinstance(batch_size, int) or isinstance(batch_size, bool) or batch_size <= 0:
            raise ValueError(f"batch_size should be a positive integer value, but got batch_size={batch_size}")
        if not isinstance(drop_last, bool):
            raise ValueError(f"drop_last should be a boolean value, but got drop_last={drop_last}")
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list[Any]]:
        order = iter(self.sampler)
        while batch := list(itertools.islice(order, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield batch

    def __len__(self) -> int:
        size = len(self.sampler)  # type: ignore[arg-type]
        return size // self.batch_size if self.drop_last else -(-size // self.batch_size)
