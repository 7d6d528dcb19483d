"""A normalizing flow on squeezed images: activation norm, invertible 1x1 convolutions, affine coupling."""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F
from seeds import fill, noise
from torch.distributions import Independent, Normal


def squeeze(x):
    b, c, h, w = x.size()
    x = x.view(b, c, h // 2, 2, w // 2, 2).permute(0, 1, 3, 5, 2, 4)
    return x.contiguous().view(b, c * 4, h // 2, w // 2)


class ActNorm(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.loc = nn.Parameter(torch.zeros(1, channels, 1, 1))
        self.scale = nn.Parameter(torch.ones(1, channels, 1, 1))
        self.register_buffer("initialized", torch.tensor(0, dtype=torch.uint8))

    def initialize(self, x):
        with torch.no_grad():
            rows = x.permute(1, 0, 2, 3).contiguous().view(x.shape[1], -1)
            self.loc.data.copy_(-rows.mean(1).view(1, -1, 1, 1))
            self.scale.data.copy_(1 / (rows.std(1).view(1, -1, 1, 1) + 1e-6))

    def forward(self, x):
        if self.initialized.item() == 0:
            self.initialize(x)
            self.initialized.fill_(1)
        return self.scale * (x + self.loc), x.shape[2] * x.shape[3] * torch.sum(torch.log(torch.abs(self.scale)))


class InvertibleConv(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels, channels, 1, 1))

    def forward(self, x):
        q, r = torch.linalg.qr(self.weight.squeeze())
        weight = q * r.diagonal().sign()
        log_det = torch.slogdet(weight + 0.1 * torch.eye(len(weight), dtype=x.dtype))[1]
        return F.conv2d(x, (weight + 0.1 * torch.eye(len(weight), dtype=x.dtype))[:, :, None, None]), x[
            0, 0
        ].numel() * log_det


class Coupling(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(channels // 2, 8, 3, padding=1), nn.ReLU(inplace=True), nn.Conv2d(8, channels, 3, padding=1)
        )

    def forward(self, x):
        a, b = x.chunk(2, 1)
        log_s, t = self.net(a).chunk(2, 1)
        s = torch.sigmoid(log_s + 2)
        return torch.cat([a, (b + t) * s], 1), torch.sum(torch.log(s).view(x.shape[0], -1), 1)


flow = fill(nn.ModuleList([ActNorm(4), InvertibleConv(4), Coupling(4), InvertibleConv(4), Coupling(4)]))
prior = Independent(Normal(torch.zeros(4, 4, 4).double(), torch.ones(4, 4, 4).double()), 3)
optimizer = torch.optim.Adam(flow.parameters(), lr=1e-3)
LOSSES = []
for step in range(4):
    z, log_det = squeeze(noise(6, 1, 8, 8, seed=step)), 0.0
    for layer in flow:
        z, change = layer(z)
        log_det = log_det + change
    loss = -(prior.log_prob(z) + log_det).mean() / (math.log(2) * 64)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_value_(flow.parameters(), 1.0)
    optimizer.step()
    LOSSES.append(loss.item())
MODEL = flow
RESULTS = {"z": z, "entropy": prior.entropy()}
