"""Pruning by torch.nn.utils.prune: single weights, whole channels, the whole network at once; then made permanent."""

import torch
import torch.nn.functional as F
import torch.nn.utils.prune as prune
from seeds import fill, images, labels
from torch import nn


class LeNet(nn.Module):
    def __init__(self):
        super(LeNet, self).__init__()
        self.conv1 = nn.Conv2d(1, 6, 3)
        self.conv2 = nn.Conv2d(6, 8, 3)
        self.fc1 = nn.Linear(8, 12)
        self.fc2 = nn.Linear(12, 4)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), (2, 2))
        x = F.relu(self.conv2(x))
        x = x.view(-1, int(x.nelement() / x.shape[0]))
        x = F.relu(self.fc1(x))
        return self.fc2(x)


MODEL = fill(LeNet())
optimizer = torch.optim.SGD(MODEL.parameters(), lr=0.1)
LOSSES = []


def train(steps):
    for step in range(steps):
        optimizer.zero_grad()
        loss = F.cross_entropy(MODEL(images(4, 1, 8, 8, seed=step)), labels(4, 4, seed=step))
        loss.backward()
        optimizer.step()
        LOSSES.append(loss.item())


train(1)
prune.l1_unstructured(MODEL.conv1, name="bias", amount=3)
prune.ln_structured(MODEL.conv2, name="weight", amount=0.5, n=2, dim=0)
train(2)
prune.global_unstructured(
    ((MODEL.conv1, "weight"), (MODEL.fc1, "weight"), (MODEL.fc2, "weight")),
    pruning_method=prune.L1Unstructured,
    amount=0.3,
)
train(2)
LOSSES.append(float(prune.is_pruned(MODEL)))
RESULTS = {
    name: 100.0 * float(torch.sum(getattr(MODEL, name).weight == 0)) / getattr(MODEL, name).weight.nelement()
    for name in ("conv1", "conv2", "fc1", "fc2")
}
prune.remove(MODEL.conv2, "weight")
LOSSES.append(float(sum((p == 0).sum() for p in MODEL.parameters())))
