"""A cell as an architecture search finds them: separable convolutions, pools, a factorised reduction, concatenation."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from seeds import fill, images, labels


class SepConv(nn.Module):
    """Separable Convolution."""

    def __init__(self, in_planes, out_planes, kernel_size, stride):
        super(SepConv, self).__init__()
        self.conv1 = nn.Conv2d(
            in_planes, out_planes, kernel_size, stride, padding=(kernel_size - 1) // 2, bias=False, groups=in_planes
        )
        self.bn1 = nn.BatchNorm2d(out_planes)

    def forward(self, x):
        return self.bn1(self.conv1(x))


class FactorizedReduce(nn.Module):
    def __init__(self, C_in, C_out):
        super(FactorizedReduce, self).__init__()
        self.relu = nn.ReLU(inplace=False)
        self.conv_1 = nn.Conv2d(C_in, C_out // 2, 1, stride=2, padding=0, bias=False)
        self.conv_2 = nn.Conv2d(C_in, C_out // 2, 1, stride=2, padding=0, bias=False)
        self.bn = nn.BatchNorm2d(C_out)

    def forward(self, x):
        x = self.relu(x)
        out = torch.cat([self.conv_1(x), self.conv_2(x[:, :, 1:, 1:])], dim=1)
        return self.bn(out)


class Cell(nn.Module):
    def __init__(self, in_planes, out_planes, stride=1):
        super(Cell, self).__init__()
        self.stride = stride
        self.sep_conv1 = SepConv(in_planes, out_planes, kernel_size=7, stride=stride)
        self.sep_conv2 = SepConv(in_planes, out_planes, kernel_size=3, stride=stride)
        self.sep_conv3 = SepConv(in_planes, out_planes, kernel_size=5, stride=stride)
        self.dilated = nn.Conv2d(in_planes, out_planes, 3, stride, padding=2, dilation=2, groups=in_planes, bias=False)
        if stride == 2:
            self.reduce = FactorizedReduce(in_planes, out_planes)
        self.conv2 = nn.Conv2d(2 * out_planes, out_planes, kernel_size=1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_planes)

    def forward(self, x):
        y1, y2 = self.sep_conv1(x), self.sep_conv2(x)
        y3 = F.max_pool2d(x, kernel_size=3, stride=self.stride, padding=1)
        y3 = self.reduce(x) if self.stride == 2 else y3
        y4 = self.sep_conv3(x) + self.dilated(x)
        b1, b2 = F.relu(y1 + y2), F.relu(y3 + y4)
        y = torch.cat([b1, b2], 1)
        return F.relu(self.bn2(self.conv2(y)))


MODEL = fill(
    nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1, bias=False),
        nn.BatchNorm2d(6),
        Cell(6, 6),
        Cell(6, 12, stride=2),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(12, 4),
    )
)
optimizer = torch.optim.SGD(MODEL.parameters(), 0.025, momentum=0.9, weight_decay=3e-4)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 3.0)
LOSSES = []
for step in range(3):
    optimizer.zero_grad()
    loss = F.cross_entropy(MODEL(images(3, 3, 10, 10, seed=step)), labels(3, 4, seed=step))
    loss.backward()
    nn.utils.clip_grad_norm_(MODEL.parameters(), 5)
    optimizer.step()
    scheduler.step()
    LOSSES.append(loss.item())
