"""One process's share of the indices, where several train together."""

import math
from collections.abc import Iterator
from typing import Any

from minicnn import distributed
from minicnn.random import Generator, numpy_generator
from minicnn.utils.data.sampler import Sampler

__all__ = ["DistributedSampler"]


class DistributedSampler(Sampler[int]):
    """Every `num_replicas`-th index of a data set, from `rank` on, of an order that all processes share.

    Args:
        dataset: the data set.
        num_replicas: the number of processes.
        rank: the number of this one, from 0.
        shuffle: whether the order is drawn anew in every epoch; see `set_epoch`.
        seed: what it is drawn from, the same in all processes.
        drop_last: leave out items at the end until every process has as many; else some come twice.

    Raises:
        ValueError: `rank` is not below `num_replicas`, or negative; or one isn't given, and there is no process group.
    """

    def __init__(
        self,
        dataset: Any,
        num_replicas: int | None = None,
        rank: int | None = None,
        shuffle: bool = True,
        seed: int = 0,
        drop_last: bool = False,
    ) -> None:
        num_replicas = distributed.get_world_size() if num_replicas is None else num_replicas
        rank = distributed.get_rank() if rank is None else rank
        if rank >= num_replicas or rank < 0:
            raise ValueError(f"Invalid rank {rank}, rank should be in the interval [0, {num_replicas - 1}]")
        self.dataset = dataset
        self.num_replicas = num_replicas
        self.rank = rank
        self.epoch = 0
        self.drop_last = drop_last
        size = len(dataset)
        self.num_samples = size // num_replicas if drop_last else math.ceil(size / num_replicas)
        self.total_size = self.num_samples * num_replicas
        self.shuffle = shuffle
        self.seed = seed

    def __iter__(self) -> Iterator[int]:
        size = len(self.dataset)
        order = list(range(size))
        if self.shuffle:
            generator = Generator().manual_seed(self.seed + self.epoch)
            order = numpy_generator(generator).permutation(size).tolist()
        if size:
            order = (order * math.ceil(self.total_size / size))[: self.total_size]
        return iter(order[self.rank :: self.num_replicas])

    def __len__(self) -> int:
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch comes, for an order of its own: every process before every epoch."""
        self.epoch = epoch
