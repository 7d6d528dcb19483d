"""Capsules with routing by agreement, the margin loss and a decoder that draws the winner."""

import torch
import torch.nn.functional as F
from seeds import fill, images, labels
from torch import nn


def squash(s, dim=-1):
    squared_norm = torch.sum(s**2, dim=dim, keepdim=True)
    return squared_norm / (1 + squared_norm) * s / (torch.sqrt(squared_norm) + 1e-8)


class PrimaryCapsules(nn.Module):
    def __init__(self):
        super().__init__()
        self.capsules = nn.ModuleList([nn.Conv2d(6, 4, kernel_size=3, stride=2) for _ in range(3)])

    def forward(self, x):
        outputs = [capsule(x).view(x.size(0), -1, 1) for capsule in self.capsules]
        outputs = torch.cat(outputs, dim=-1)
        return squash(outputs)


class DigitCapsules(nn.Module):
    def __init__(self, routes, classes=3, in_dim=3, out_dim=4):
        super().__init__()
        self.W = nn.Parameter(torch.zeros(1, routes, classes, out_dim, in_dim))

    def forward(self, x):
        u_hat = (self.W * x[:, :, None, None, :]).sum(-1)
        b = torch.zeros(*u_hat.size()[:3], 1).double()
        temp_u_hat = u_hat.detach()
        for r in range(3):
            c = F.softmax(b, dim=2)
            v = squash((c * (u_hat if r == 2 else temp_u_hat)).sum(dim=1, keepdim=True))
            if r < 2:
                b = b + (temp_u_hat * v).sum(dim=-1, keepdim=True)
        return v.squeeze(1)


class CapsNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 6, 3)
        self.primary = PrimaryCapsules()
        self.digit = DigitCapsules(routes=16)
        self.decoder = nn.Sequential(nn.Linear(12, 16), nn.ReLU(inplace=True), nn.Linear(16, 49), nn.Sigmoid())

    def forward(self, x, y=None):
        v = self.digit(self.primary(F.relu(self.conv(x))))
        classes = (v**2).sum(dim=-1) ** 0.5
        if y is None:
            y = torch.eye(3).double()[classes.max(dim=1)[1]]
        reconstruction = self.decoder((v * y[:, :, None]).view(x.size(0), -1))
        return classes, reconstruction


MODEL = fill(CapsNet())
optimizer = torch.optim.Adam(MODEL.parameters(), lr=1e-3)
LOSSES = []
for step in range(3):
    x = images(4, 1, 7, 7, seed=step)
    y = F.one_hot(labels(4, 3, seed=step), 3).double()
    classes, reconstruction = MODEL(x, y)
    left = F.relu(0.9 - classes) ** 2
    right = F.relu(classes - 0.1) ** 2
    margin_loss = (y * left + 0.5 * (1.0 - y) * right).sum(dim=1).mean()
    loss = margin_loss + 0.0005 * F.mse_loss(reconstruction, x.view(4, -1), reduction="sum")
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    LOSSES.append(loss.item())
with torch.no_grad():
    RESULTS = {"lengths": MODEL(images(2, 1, 7, 7, seed=9))[0]}
