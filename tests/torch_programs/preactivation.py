"""Residual blocks that normalise first, with bottlenecks, under Nesterov's momentum and a one-cycle schedule."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from seeds import fill, images, labels


class PreActBottleneck(nn.Module):
    expansion = 4

    def __init__(self, in_planes, planes, stride=1):
        super(PreActBottleneck, self).__init__()
        self.bn1 = nn.BatchNorm2d(in_planes)
        self.conv1 = nn.Conv2d(in_planes, planes, kernel_size=1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, kernel_size=3, stride=stride, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(planes)
        self.conv3 = nn.Conv2d(planes, self.expansion * planes, kernel_size=1, bias=False)
        if stride != 1 or in_planes != self.expansion * planes:
            self.shortcut = nn.Sequential(
                nn.Conv2d(in_planes, self.expansion * planes, kernel_size=1, stride=stride, bias=False)
            )

    def forward(self, x):
        out = F.relu(self.bn1(x))
        shortcut = self.shortcut(out) if hasattr(self, "shortcut") else x
        out = self.conv1(out)
        out = self.conv2(F.relu(self.bn2(out)))
        out = self.conv3(F.relu(self.bn3(out)))
        out += shortcut
        return out


MODEL = fill(
    nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1, bias=False),
        PreActBottleneck(8, 4),
        PreActBottleneck(16, 4),
        PreActBottleneck(16, 6, stride=2),
        nn.BatchNorm2d(24),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(24, 5),
    )
)
steps = 4
optimizer = torch.optim.SGD(MODEL.parameters(), lr=0.05, momentum=0.9, nesterov=True, weight_decay=1e-4)
scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.1, total_steps=steps)
LOSSES = []
for step in range(steps):
    loss = F.cross_entropy(MODEL(images(4, 3, 10, 10, seed=step)), labels(4, 5, seed=step))
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    scheduler.step()
    LOSSES.extend([loss.item(), optimizer.param_groups[0]["lr"], optimizer.param_groups[0]["momentum"]])
