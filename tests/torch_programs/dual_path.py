"""Dual-path blocks: part of the channels is added, part of them is appended."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from seeds import fill, images, labels


class Bottleneck(nn.Module):
    def __init__(self, last_planes, in_planes, out_planes, dense_depth, stride, first_layer):
        super(Bottleneck, self).__init__()
        self.out_planes = out_planes
        self.dense_depth = dense_depth
        self.conv1 = nn.Conv2d(last_planes, in_planes, kernel_size=1, bias=False)
        self.bn1 = nn.BatchNorm2d(in_planes)
        self.conv2 = nn.Conv2d(in_planes, in_planes, kernel_size=3, stride=stride, padding=1, groups=4, bias=False)
        self.bn2 = nn.BatchNorm2d(in_planes)
        self.conv3 = nn.Conv2d(in_planes, out_planes + dense_depth, kernel_size=1, bias=False)
        self.bn3 = nn.BatchNorm2d(out_planes + dense_depth)
        self.shortcut = nn.Sequential()
        if first_layer:
            self.shortcut = nn.Sequential(
                nn.Conv2d(last_planes, out_planes + dense_depth, kernel_size=1, stride=stride, bias=False),
                nn.BatchNorm2d(out_planes + dense_depth),
            )

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)))
        out = F.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        x = self.shortcut(x)
        d = self.out_planes
        out = torch.cat([x[:, :d, :, :] + out[:, :d, :, :], x[:, d:, :, :], out[:, d:, :, :]], 1)
        out = F.relu(out)
        return out


MODEL = fill(
    nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        Bottleneck(8, 8, 12, 3, 1, True),
        Bottleneck(18, 8, 12, 3, 1, False),
        Bottleneck(21, 8, 16, 4, 2, True),
        nn.AdaptiveAvgPool2d((1, 1)),
        nn.Flatten(),
        nn.Linear(24, 6),
    )
)
optimizer = torch.optim.SGD(MODEL.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)
LOSSES = []
for step in range(3):
    optimizer.zero_grad()
    outputs = MODEL(images(4, 3, 8, 8, seed=step))
    loss = nn.CrossEntropyLoss()(outputs, labels(4, 6, seed=step))
    loss.backward()
    optimizer.step()
    LOSSES.append(loss.item())
