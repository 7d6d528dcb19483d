"""EfficientNet's blocks: swish, squeeze and excitation, dropped connections, a schedule that warms up, then falls."""

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from seeds import fill, images, labels

rng = np.random.default_rng(0)


def swish(x):
    return x * x.sigmoid()


def drop_connect(x, drop_ratio):
    keep_ratio = 1.0 - drop_ratio
    mask = torch.from_numpy((rng.random((x.shape[0], 1, 1, 1)) < keep_ratio).astype(np.float64))
    x.div_(keep_ratio)
    x.mul_(mask)
    return x


class SE(nn.Module):
    def __init__(self, in_channels, se_channels):
        super(SE, self).__init__()
        self.se1 = nn.Conv2d(in_channels, se_channels, kernel_size=1, bias=True)
        self.se2 = nn.Conv2d(se_channels, in_channels, kernel_size=1, bias=True)

    def forward(self, x):
        out = F.adaptive_avg_pool2d(x, (1, 1))
        out = swish(self.se1(out))
        out = self.se2(out).sigmoid()
        out = x * out
        return out


class Block(nn.Module):
    def __init__(self, in_channels, out_channels, kernel_size, stride, expand_ratio, drop_rate):
        super(Block, self).__init__()
        self.drop_rate = drop_rate
        channels = expand_ratio * in_channels
        self.conv1 = nn.Conv2d(in_channels, channels, kernel_size=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(
            channels, channels, kernel_size, stride, padding=(1 if kernel_size == 3 else 2), groups=channels, bias=False
        )
        self.bn2 = nn.BatchNorm2d(channels)
        self.se = SE(channels, in_channels // 2)
        self.conv3 = nn.Conv2d(channels, out_channels, kernel_size=1, bias=False)
        self.bn3 = nn.BatchNorm2d(out_channels)
        self.has_skip = (stride == 1) and (in_channels == out_channels)
        self.act = nn.SiLU(inplace=True)

    def forward(self, x):
        out = swish(self.bn1(self.conv1(x)))
        out = self.act(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(self.se(out)))
        if self.has_skip:
            if self.training and self.drop_rate > 0:
                out = drop_connect(out, self.drop_rate)
            out = out + x
        return out


MODEL = fill(
    nn.Sequential(
        nn.Conv2d(3, 8, 3, 1, 1, bias=False),
        nn.BatchNorm2d(8),
        Block(8, 8, 3, 1, 2, 0.3),
        Block(8, 12, 5, 2, 2, 0.3),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(12, 4),
    )
)
optimizer = torch.optim.AdamW(MODEL.parameters(), lr=1e-3, weight_decay=0.05, eps=1e-4)
warmup = torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.1, total_iters=2)
cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=3, eta_min=1e-5)
scheduler = torch.optim.lr_scheduler.SequentialLR(optimizer, [warmup, cosine], milestones=[2])
LOSSES = []
for step in range(4):
    optimizer.zero_grad()
    loss = F.cross_entropy(MODEL(images(4, 3, 8, 8, seed=step)), labels(4, 4, seed=step))
    loss.backward()
    optimizer.step()
    scheduler.step()
    LOSSES += [loss.item(), scheduler.get_last_lr()[0]]
