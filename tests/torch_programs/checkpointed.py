"""Activations that are computed again in the backward, on accumulated gradients, with a warm restart of the rate."""

import torch
import torch.nn as nn
from seeds import fill, images, labels
from torch.utils.checkpoint import checkpoint, checkpoint_sequential


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 3, padding=1)
        self.blocks = nn.ModuleList(nn.Sequential(nn.Conv2d(6, 6, 3, padding=1), nn.Tanh()) for _ in range(3))
        self.tail = nn.Sequential(nn.Conv2d(6, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4))

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = x + checkpoint(block, x, use_reentrant=False)
        return checkpoint_sequential(self.tail, 2, x, use_reentrant=False)


MODEL = fill(Net())
optimizer = torch.optim.SGD(MODEL.parameters(), lr=0.1)
scheduler = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=2)
accumulation_steps = 2
LOSSES = []
optimizer.zero_grad()
for step in range(6):
    loss = nn.functional.cross_entropy(MODEL(images(3, 3, 6, 6, seed=step)), labels(3, 4, seed=step))
    (loss / accumulation_steps).backward()
    LOSSES.append(loss.item())
    if (step + 1) % accumulation_steps == 0:
        optimizer.step()
        scheduler.step()
        if step < 5:
            optimizer.zero_grad()
        LOSSES.append(optimizer.param_groups[0]["lr"])
