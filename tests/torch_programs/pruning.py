"""Pruning: masks keep the largest weights, the others stay 0 while training goes on."""

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from seeds import fill, images, labels


class MaskedLinear(nn.Linear):
    def __init__(self, in_features, out_features, bias=True):
        super(MaskedLinear, self).__init__(in_features, out_features, bias)
        self.mask_flag = False

    def set_mask(self, mask):
        self.register_buffer("mask", mask)
        self.weight.data = self.weight.data * self.mask.data
        self.mask_flag = True

    def forward(self, x):
        if self.mask_flag:
            return F.linear(x, self.weight * self.mask, self.bias)
        return F.linear(x, self.weight, self.bias)


class MaskedConv2d(nn.Conv2d):
    mask_flag = False

    def set_mask(self, mask):
        self.register_buffer("mask", mask)
        self.weight.data = self.weight.data * self.mask.data
        self.mask_flag = True

    def forward(self, x):
        weight = self.weight * self.mask if self.mask_flag else self.weight
        return F.conv2d(x, weight, self.bias, self.stride, self.padding, self.dilation, self.groups)


def weight_prune(model, pruning_perc):
    all_weights = []
    for p in model.parameters():
        if len(p.data.size()) != 1:
            all_weights += list(p.cpu().data.abs().numpy().flatten())
    threshold = np.percentile(np.array(all_weights), pruning_perc)
    masks = []
    for p in model.parameters():
        if len(p.data.size()) != 1:
            pruned_inds = p.data.abs() > threshold
            masks.append(pruned_inds.double())
    return masks


MODEL = fill(
    nn.Sequential(
        MaskedConv2d(1, 6, 3), nn.ReLU(), nn.Flatten(), MaskedLinear(6 * 16, 16), nn.ReLU(), MaskedLinear(16, 4)
    )
)
optimizer = torch.optim.SGD(MODEL.parameters(), lr=0.1)


def train(steps):
    for step in range(steps):
        optimizer.zero_grad()
        loss = F.cross_entropy(MODEL(images(4, 1, 6, 6, seed=step)), labels(4, 4, seed=step))
        loss.backward()
        optimizer.step()
        LOSSES.append(loss.item())


LOSSES = []
train(2)
layers = [module for module in MODEL.modules() if isinstance(module, (MaskedConv2d, MaskedLinear))]
for layer, mask in zip(layers, weight_prune(MODEL, 60.0)):
    layer.set_mask(mask)
train(3)
zeros = sum((p.data == 0).sum().item() for p in MODEL.parameters() if p.dim() > 1)
total = sum(p.numel() for p in MODEL.parameters())
RESULTS = {"zeros": zeros, "share": zeros / total}
