"""Inception modules: four branches side by side, and a second classifier on the way."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from seeds import fill, images, labels


def conv(inp, out, **kwargs):
    return nn.Sequential(nn.Conv2d(inp, out, bias=False, **kwargs), nn.BatchNorm2d(out, eps=0.001), nn.ReLU(True))


class Inception(nn.Module):
    def __init__(self, in_planes, n1x1, n3x3red, n3x3, n5x5red, n5x5, pool_planes):
        super(Inception, self).__init__()
        self.b1 = conv(in_planes, n1x1, kernel_size=1)
        self.b2 = nn.Sequential(conv(in_planes, n3x3red, kernel_size=1), conv(n3x3red, n3x3, kernel_size=3, padding=1))
        self.b3 = nn.Sequential(
            conv(in_planes, n5x5red, kernel_size=1),
            conv(n5x5red, n5x5, kernel_size=(1, 5), padding=(0, 2)),
            conv(n5x5, n5x5, kernel_size=(5, 1), padding=(2, 0)),
        )
        self.b4 = nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1), conv(in_planes, pool_planes, kernel_size=1))

    def forward(self, x):
        return torch.cat([self.b1(x), self.b2(x), self.b3(x), self.b4(x)], 1)


class GoogLeNet(nn.Module):
    def __init__(self, num_classes=5):
        super(GoogLeNet, self).__init__()
        self.pre_layers = conv(3, 8, kernel_size=3, padding=1)
        self.a3 = Inception(8, 4, 4, 6, 2, 3, 3)
        self.maxpool = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.a4 = Inception(16, 4, 4, 8, 2, 4, 4)
        self.aux = nn.Linear(16, num_classes)
        self.linear = nn.Linear(20, num_classes)

    def forward(self, x):
        out = self.maxpool(self.a3(self.pre_layers(x)))
        aux = self.aux(F.adaptive_avg_pool2d(out, (1, 1)).flatten(1)) if self.training else None
        out = self.a4(out).mean([2, 3])
        return self.linear(out), aux


MODEL = fill(GoogLeNet())
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(MODEL.parameters(), lr=0.05, momentum=0.9)
LOSSES = []
for step in range(3):
    MODEL.train()
    out, aux = MODEL(images(4, 3, 9, 9, seed=step))
    target = labels(4, 5, seed=step)
    loss = criterion(out, target) + 0.3 * criterion(aux, target)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    LOSSES.append(loss.item())
MODEL.eval()
RESULTS = {"logits": MODEL(images(2, 3, 9, 9))[0]}
