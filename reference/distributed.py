"""Several processes that train one network: who takes which images, and how their numbers come together.

`torchrun --nproc-per-node N` starts them; without it there is one. Every process draws the same order of the same
images and takes its share of each batch. Gradients are averaged by DistributedDataParallel. Batch norm takes mean and
variance over a process's own share (in training; the running statistics that are kept are those of process 0), so that
networks with it learn a little differently in several processes; others learn the same up to rounding.
"""

import atexit
import contextlib
import gc
import os
from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.distributed as dist
import torch.distributed.nn.functional  # before they meet: its default arguments keep whatever connection there is
from torch import nn
from torch.nn.parallel import DistributedDataParallel


@dataclass(frozen=True)
class World:
    """The processes of a training.

    Attributes:
        rank: this process's number, from 0.
        size: how many there are.
    """

    rank: int = 0
    size: int = 1

    def share(self, start: int, stop: int) -> tuple[int, int]:
        """This process's part of the images from `start` to before `stop`; parts differ by one image at most."""
        images = stop - start
        return start + images * self.rank // self.size, start + images * (self.rank + 1) // self.size

    def wrap(self, network: nn.Module) -> nn.Module:
        """The network with gradients averaged over the processes."""
        if self.size == 1:
            return network
        device = next(network.parameters()).device
        devices = [device] if device.type == "cuda" else None
        return DistributedDataParallel(network, devices, gradient_as_bucket_view=True)

    def add_up(self, numbers: torch.Tensor) -> torch.Tensor:
        """The sum of all processes' tensors, in place."""
        if self.size > 1:
            dist.all_reduce(numbers)
        return numbers

    def spread_buffers(self, network: nn.Module) -> None:
        """Give all processes the running statistics of process 0, the ones that are saved."""
        if self.size > 1:
            for buffer in network.buffers():
                dist.broadcast(buffer, 0)

    @contextlib.contextmanager
    def first_alone(self) -> Iterator[None]:
        """Let process 0 go through a block before the others, which then find what it has left on disk."""
        if self.size > 1 and self.rank > 0:
            dist.barrier()
        yield
        if self.size > 1 and self.rank == 0:
            dist.barrier()


def local_rank() -> int:
    """This process's number on this machine, and of its GPU; 0 without torchrun."""
    return int(os.environ.get("LOCAL_RANK", 0))


@contextlib.contextmanager
def joined(device: torch.device) -> Iterator[World]:
    """Meet the other processes that torchrun has started; part from them at the end of the block.

    Gloo's threads end with the last tensor, network or cycle that holds the connection, and they must do so before
    Python does: the one that drops a finished sum afterwards ends the process ("terminate called without an active
    exception").

    Args:
        device: what this process computes on: NCCL connects GPUs, Gloo CPUs.
    """
    if not dist.is_torchelastic_launched():
        yield World()
        return
    cuda = device.type == "cuda"
    atexit.register(gc.collect)
    dist.init_process_group("nccl" if cuda else "gloo", device_id=device if cuda else None)
    try:
        yield World(dist.get_rank(), dist.get_world_size())
    finally:
        dist.destroy_process_group()
