"""Training written for several processes, with a group of one: sampler, gathered metrics, checkpoint by rank 0."""

import os
from collections import deque

import torch
import torch.distributed as dist
import torch.nn as nn
from seeds import fill, images, labels
from torch.nn.parallel import DistributedDataParallel as DDP
from torch.utils.data import DataLoader, TensorDataset
from torch.utils.data.distributed import DistributedSampler


class SmoothedValue:
    def __init__(self, window_size=20):
        self.deque = deque(maxlen=window_size)
        self.total, self.count = 0.0, 0

    def update(self, value, n=1):
        self.deque.append(value)
        self.count += n
        self.total += value * n

    def synchronize_between_processes(self):
        if not (dist.is_available() and dist.is_initialized()):
            return
        t = torch.tensor([self.count, self.total], dtype=torch.float64)
        dist.barrier()
        dist.all_reduce(t)
        self.count, self.total = int(t[0].item()), t[1].item()

    @property
    def median(self):
        return torch.tensor(list(self.deque), dtype=torch.float64).median().item()

    @property
    def global_avg(self):
        return self.total / self.count


def reduce_mean(tensor):
    tensor = tensor.clone()
    dist.all_reduce(tensor, op=dist.ReduceOp.SUM)
    return tensor / dist.get_world_size()


def concat_all_gather(tensor):
    gathered = [torch.ones_like(tensor) for _ in range(dist.get_world_size())]
    dist.all_gather(gathered, tensor, async_op=False)
    return torch.cat(gathered, dim=0)


dist.init_process_group("gloo", init_method=f"file://{os.path.abspath('rendezvous')}", rank=0, world_size=1)
model = fill(nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(64, 3)))
network = DDP(model)
data = TensorDataset(images(12, 1, 6, 6), labels(12, 3))
sampler = DistributedSampler(data, shuffle=False)
loader = DataLoader(data, batch_size=4, sampler=sampler)
optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)
LOSSES, meter = [], SmoothedValue()
for epoch in range(2):
    sampler.set_epoch(epoch)
    for i, (x, y) in enumerate(loader):
        if i == 0:
            with network.no_sync():
                nn.functional.cross_entropy(network(x), y).backward()
        output = network(x)
        loss = nn.functional.cross_entropy(output, y)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        meter.update(reduce_mean(loss.detach()).item(), len(x))
        LOSSES.append(meter.median)
    meter.synchronize_between_processes()
    if dist.get_rank() == 0:
        torch.save({"model": network.module.state_dict(), "epoch": epoch}, "checkpoint.pt")
    dist.barrier()
best = [meter.global_avg]
dist.broadcast_object_list(best, src=0)
RESULTS = {"output": concat_all_gather(output.detach()), "average": best[0]}
dist.destroy_process_group()
checkpoint = torch.load("checkpoint.pt", map_location="cpu")
network.module.load_state_dict(checkpoint["model"])
MODEL = network
