"""Dense blocks: every layer sees what all layers before it made."""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F
from seeds import fill, images, labels


class Bottleneck(nn.Module):
    def __init__(self, in_planes, growth_rate):
        super(Bottleneck, self).__init__()
        self.bn1 = nn.BatchNorm2d(in_planes)
        self.conv1 = nn.Conv2d(in_planes, 2 * growth_rate, kernel_size=1, bias=False)
        self.bn2 = nn.BatchNorm2d(2 * growth_rate)
        self.conv2 = nn.Conv2d(2 * growth_rate, growth_rate, kernel_size=3, padding=1, bias=False)

    def forward(self, x):
        out = self.conv1(F.relu(self.bn1(x)))
        out = self.conv2(F.relu(self.bn2(out)))
        out = torch.cat([out, x], 1)
        return out


class Transition(nn.Module):
    def __init__(self, in_planes, out_planes):
        super(Transition, self).__init__()
        self.bn = nn.BatchNorm2d(in_planes)
        self.conv = nn.Conv2d(in_planes, out_planes, kernel_size=1, bias=False)

    def forward(self, x):
        out = self.conv(F.relu(self.bn(x)))
        return F.avg_pool2d(out, 2)


class DenseNet(nn.Module):
    def __init__(self, nblocks, growth_rate=4, reduction=0.5, num_classes=6):
        super(DenseNet, self).__init__()
        num_planes = 2 * growth_rate
        self.conv1 = nn.Conv2d(3, num_planes, kernel_size=3, padding=1, bias=False)
        self.stages = nn.ModuleList()
        for i, count in enumerate(nblocks):
            stage = nn.Sequential()
            for j in range(count):
                stage.add_module(f"dense{j}", Bottleneck(num_planes, growth_rate))
                num_planes += growth_rate
            if i + 1 < len(nblocks):
                out_planes = int(math.floor(num_planes * reduction))
                stage.add_module("trans", Transition(num_planes, out_planes))
                num_planes = out_planes
            self.stages.append(stage)
        self.bn = nn.BatchNorm2d(num_planes)
        self.linear = nn.Linear(num_planes, num_classes)

    def forward(self, x):
        out = self.conv1(x)
        for stage in self.stages:
            out = stage(out)
        out = F.relu(self.bn(out))
        out = F.avg_pool2d(out, out.size(-1))
        out = out.view(out.size(0), -1)
        return self.linear(out)


MODEL = fill(DenseNet([2, 3, 2]))
optimizer = torch.optim.SGD(MODEL.parameters(), lr=0.1, momentum=0.9, dampening=0, weight_decay=1e-4)
LOSSES = []
for step in range(3):
    optimizer.zero_grad()
    loss = F.cross_entropy(MODEL(images(3, 3, 12, 12, seed=step)), labels(3, 6, seed=step))
    loss.backward()
    optimizer.step()
    LOSSES.append(loss.item())
