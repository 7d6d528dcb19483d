"""MobileNet, third version: hard swish, hard sigmoid, squeeze and excitation, written as modules of one's own too."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from seeds import fill, images, labels


class hswish(nn.Module):
    def forward(self, x):
        return x * F.relu6(x + 3, inplace=True) / 6


class hsigmoid(nn.Module):
    def forward(self, x):
        return F.relu6(x + 3, inplace=True) / 6


class SeModule(nn.Module):
    def __init__(self, in_size, reduction=4):
        super(SeModule, self).__init__()
        self.se = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(in_size, in_size // reduction, kernel_size=1, bias=False),
            nn.ReLU(inplace=True),
            nn.Conv2d(in_size // reduction, in_size, kernel_size=1, bias=True),
            hsigmoid(),
        )

    def forward(self, x):
        return x * self.se(x)


class Block(nn.Module):
    """expand + depthwise + pointwise"""

    def __init__(self, kernel_size, in_size, expand_size, out_size, nolinear, semodule, stride):
        super(Block, self).__init__()
        self.stride = stride
        self.se = semodule
        self.conv1 = nn.Conv2d(in_size, expand_size, kernel_size=1, bias=False)
        self.bn1 = nn.BatchNorm2d(expand_size)
        self.nolinear1 = nolinear
        self.conv2 = nn.Conv2d(
            expand_size, expand_size, kernel_size, stride, kernel_size // 2, groups=expand_size, bias=False
        )
        self.bn2 = nn.BatchNorm2d(expand_size)
        self.nolinear2 = nolinear
        self.conv3 = nn.Conv2d(expand_size, out_size, kernel_size=1, bias=False)
        self.bn3 = nn.BatchNorm2d(out_size)
        self.shortcut = nn.Sequential()
        if stride == 1 and in_size != out_size:
            self.shortcut = nn.Sequential(nn.Conv2d(in_size, out_size, 1, bias=False), nn.BatchNorm2d(out_size))

    def forward(self, x):
        out = self.nolinear1(self.bn1(self.conv1(x)))
        out = self.nolinear2(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        if self.se is not None:
            out = self.se(out)
        return out + self.shortcut(x) if self.stride == 1 else out


MODEL = fill(
    nn.Sequential(
        nn.Conv2d(3, 8, 3, 1, 1, bias=False),
        nn.BatchNorm2d(8),
        nn.Hardswish(),
        Block(3, 8, 8, 8, nn.ReLU(inplace=True), None, 1),
        Block(3, 8, 16, 12, hswish(), SeModule(12), 2),
        Block(5, 12, 24, 12, nn.Hardswish(inplace=True), SeModule(12), 1),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(12, 10),
        nn.Hardsigmoid(),
        nn.Linear(10, 4),
    )
)
optimizer = torch.optim.SGD(MODEL.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-5)
LOSSES = []
for step in range(3):
    optimizer.zero_grad()
    loss = F.cross_entropy(MODEL(images(4, 3, 8, 8, seed=step)), labels(4, 4, seed=step))
    loss.backward()
    optimizer.step()
    LOSSES.append(loss.item())
