"""Weight norm and spectral norm in one network, old spelling and new, with layers that normalise in other ways."""

import torch
import torch.nn as nn
from seeds import fill, images, labels
from torch.nn.utils import parametrizations, weight_norm


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, padding=1)
        self.group = nn.GroupNorm(2, 8)
        self.second = nn.Conv2d(8, 6, 3)
        self.instance = nn.InstanceNorm2d(6, affine=True)
        self.layer = nn.LayerNorm([6, 4, 4])
        self.prelu = nn.PReLU()
        self.fc = nn.Linear(6 * 16, 5)

    def forward(self, x):
        x = self.prelu(self.group(self.first(x)))
        x = nn.functional.gelu(self.instance(self.second(x)))
        x = self.layer(x)
        return self.fc(x.flatten(1))


model = fill(Net())
model.first = weight_norm(model.first)
model.fc = parametrizations.weight_norm(model.fc, dim=0)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
LOSSES = []
for step in range(3):
    loss = nn.functional.cross_entropy(model(images(3, 3, 6, 6, seed=step)), labels(3, 5, seed=step))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    LOSSES.append(loss.item())
MODEL = model
RESULTS = {"first": model.first.weight, "fc": model.fc.weight}
