"""Mixup and cutmix: pictures and labels of two examples at once."""

import numpy as np
import torch
import torch.nn as nn
from seeds import fill, images, labels


def mixup_data(x, y, rng, alpha=1.0):
    lam = rng.beta(alpha, alpha) if alpha > 0 else 1
    index = torch.from_numpy(rng.permutation(x.size()[0]))
    mixed_x = lam * x + (1 - lam) * x[index, :]
    y_a, y_b = y, y[index]
    return mixed_x, y_a, y_b, lam


def rand_bbox(size, lam, rng):
    W, H = size[2], size[3]
    cut_rat = np.sqrt(1.0 - lam)
    cut_w, cut_h = int(W * cut_rat), int(H * cut_rat)
    cx, cy = rng.integers(W), rng.integers(H)
    return (
        np.clip(cx - cut_w // 2, 0, W),
        np.clip(cy - cut_h // 2, 0, H),
        np.clip(cx + cut_w // 2, 0, W),
        np.clip(cy + cut_h // 2, 0, H),
    )


def mixup_criterion(criterion, pred, y_a, y_b, lam):
    return lam * criterion(pred, y_a) + (1 - lam) * criterion(pred, y_b)


rng = np.random.default_rng(3)
MODEL = fill(nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 36, 5)))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(MODEL.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4)
LOSSES = []
for step in range(4):
    inputs, targets = images(6, 3, 8, 8, seed=step), labels(6, 5, seed=step)
    if step % 2:
        lam = rng.beta(1.0, 1.0)
        rand_index = torch.from_numpy(rng.permutation(inputs.size()[0]))
        targets_a, targets_b = targets, targets[rand_index]
        bbx1, bby1, bbx2, bby2 = rand_bbox(inputs.size(), lam, rng)
        inputs[:, :, bbx1:bbx2, bby1:bby2] = inputs[rand_index, :, bbx1:bbx2, bby1:bby2]
        lam = 1 - ((bbx2 - bbx1) * (bby2 - bby1) / (inputs.size()[-1] * inputs.size()[-2]))
    else:
        inputs, targets_a, targets_b, lam = mixup_data(inputs, targets, rng)
    outputs = MODEL(inputs)
    loss = mixup_criterion(criterion, outputs, targets_a, targets_b, lam)
    _, predicted = torch.max(outputs.data, 1)
    correct = lam * predicted.eq(targets_a.data).sum().float() + (1 - lam) * predicted.eq(targets_b.data).sum().float()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    LOSSES += [loss.item(), correct.item()]
