"""A fully convolutional network: transposed convolutions that start as bilinear ones, two depths, ignored pixels."""

import numpy as np
import torch
import torch.nn as nn
from seeds import fill, images, labels


def get_upsampling_weight(in_channels, out_channels, kernel_size):
    """Make a 2D bilinear kernel suitable for upsampling"""
    factor = (kernel_size + 1) // 2
    center = factor - 1 if kernel_size % 2 == 1 else factor - 0.5
    og = np.ogrid[:kernel_size, :kernel_size]
    filt = (1 - abs(og[0] - center) / factor) * (1 - abs(og[1] - center) / factor)
    weight = np.zeros((in_channels, out_channels, kernel_size, kernel_size), dtype=np.float64)
    weight[range(in_channels), range(out_channels), :, :] = filt
    return torch.from_numpy(weight).double()


class FCN(nn.Module):
    def __init__(self, n_class=4):
        super(FCN, self).__init__()
        self.conv1 = nn.Conv2d(3, 6, 3, padding=3)
        self.pool1 = nn.MaxPool2d(2, stride=2, ceil_mode=True)
        self.conv2 = nn.Conv2d(6, 8, 3, padding=1)
        self.pool2 = nn.MaxPool2d(2, stride=2, ceil_mode=True)
        self.relu = nn.ReLU(inplace=True)
        self.score = nn.Conv2d(8, n_class, 1)
        self.score_pool1 = nn.Conv2d(6, n_class, 1)
        self.upscore2 = nn.ConvTranspose2d(n_class, n_class, 4, stride=2, bias=False)
        self.upscore = nn.ConvTranspose2d(n_class, n_class, 4, stride=2, bias=False)

    def forward(self, x):
        h = self.relu(self.conv1(x))
        pool1 = self.pool1(h)
        h = self.pool2(self.relu(self.conv2(pool1)))
        h = self.upscore2(self.score(h))
        h = h[:, :, 1 : 1 + pool1.size()[2], 1 : 1 + pool1.size()[3]] + self.score_pool1(pool1)
        h = self.upscore(h)
        return h[:, :, 2 : 2 + x.size()[2], 2 : 2 + x.size()[3]].contiguous()


MODEL = fill(FCN())
for m in MODEL.modules():
    if isinstance(m, nn.ConvTranspose2d):
        m.weight.data.copy_(get_upsampling_weight(m.in_channels, m.out_channels, m.kernel_size[0]))
optimizer = torch.optim.SGD(
    [
        {"params": [p for n, p in MODEL.named_parameters() if n.endswith("weight")]},
        {"params": [p for n, p in MODEL.named_parameters() if n.endswith("bias")], "lr": 0.02, "weight_decay": 0},
    ],
    lr=0.01,
    momentum=0.99,
    weight_decay=0.0005,
)
criterion = nn.CrossEntropyLoss(ignore_index=3)
LOSSES = []
RESULTS = {}
for step in range(3):
    target = labels(2 * 9 * 11, 4, seed=step).reshape(2, 9, 11)
    score = MODEL(images(2, 3, 9, 11, seed=step))
    loss = criterion(score, target)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    LOSSES.append(loss.item())
    predicted = score.data.max(1)[1].cpu().numpy()[:, :, :]
    RESULTS[f"right {step}"] = (predicted == target.numpy()).mean()
