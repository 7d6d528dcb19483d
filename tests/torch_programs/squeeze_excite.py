"""Channels weighed by what the whole picture shows (squeeze and excitation), with two groups of parameters."""

from seeds import fill, images, labels
from torch import nn, optim


class SELayer(nn.Module):
    def __init__(self, channel, reduction=4):
        super().__init__()
        self.avg_pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Sequential(
            nn.Linear(channel, channel // reduction, bias=False),
            nn.ReLU(inplace=True),
            nn.Linear(channel // reduction, channel, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, x):
        b, c, _, _ = x.size()
        y = self.avg_pool(x).view(b, c)
        y = self.fc(y).view(b, c, 1, 1)
        return x * y.expand_as(x)


class Block(nn.Module):
    def __init__(self, inplanes, planes, stride=1, downsample=None):
        super().__init__()
        self.conv1 = nn.Conv2d(inplanes, planes, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.se = SELayer(planes)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample

    def forward(self, x):
        residual = x
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.se(self.bn2(self.conv2(out)))
        if self.downsample is not None:
            residual = self.downsample(x)
        out += residual
        return self.relu(out)


MODEL = fill(
    nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1),
        Block(8, 8),
        Block(8, 16, 2, nn.Sequential(nn.Conv2d(8, 16, 1, 2, bias=False), nn.BatchNorm2d(16))),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(16, 4),
    )
)
decay, no_decay = [], []
for name, param in MODEL.named_parameters():
    (no_decay if param.dim() == 1 or name.endswith(".bias") else decay).append(param)
optimizer = optim.SGD(
    [{"params": decay, "weight_decay": 1e-3}, {"params": no_decay, "weight_decay": 0.0, "lr": 0.02}],
    lr=0.05,
    momentum=0.9,
)
scheduler = optim.lr_scheduler.StepLR(optimizer, 2, gamma=0.5)
LOSSES = []
for step in range(4):
    optimizer.zero_grad()
    loss = nn.CrossEntropyLoss()(MODEL(images(4, 3, 8, 8, seed=step)), labels(4, 4, seed=step))
    loss.backward()
    optimizer.step()
    scheduler.step()
    LOSSES += [loss.item(), *[group["lr"] for group in optimizer.param_groups]]
