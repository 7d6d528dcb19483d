"""Losses written by hand as modules: label smoothing, the focal loss, the centre loss with parameters of its own."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from seeds import fill, images, labels, noise


class LabelSmoothing(nn.Module):
    def __init__(self, smoothing=0.1):
        super().__init__()
        self.confidence = 1.0 - smoothing
        self.smoothing = smoothing

    def forward(self, x, target):
        logprobs = F.log_softmax(x, dim=-1)
        nll_loss = -logprobs[torch.arange(len(target)), target]
        smooth_loss = -logprobs.mean(dim=-1)
        loss = self.confidence * nll_loss + self.smoothing * smooth_loss
        return loss.mean()


class FocalLoss(nn.Module):
    def __init__(self, gamma=2.0, alpha=0.25):
        super().__init__()
        self.gamma, self.alpha = gamma, alpha

    def forward(self, x, target):
        ce = F.cross_entropy(x, target, reduction="none")
        pt = (-ce).exp()
        return (self.alpha * (1 - pt) ** self.gamma * ce).mean()


class CenterLoss(nn.Module):
    def __init__(self, num_classes, feat_dim):
        super().__init__()
        self.centers = nn.Parameter(torch.zeros(num_classes, feat_dim))

    def forward(self, x, target):
        return ((x - self.centers[target]) ** 2).sum(dim=1).clamp(min=1e-12, max=1e12).mean()


body = fill(nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 16, 6)))
head = fill(nn.Linear(6, 5), seed=1)
center = fill(CenterLoss(5, 6), seed=2)
MODEL = {"body": body, "head": head, "center": center}
parameters = [p for module in MODEL.values() for p in module.parameters()]
optimizer = torch.optim.SGD(parameters, lr=0.05, momentum=0.5)
losses = [LabelSmoothing(), FocalLoss(), nn.CrossEntropyLoss(label_smoothing=0.2)]
LOSSES = []
for step in range(6):
    target = labels(4, 5, seed=step)
    features = body(images(4, 1, 6, 6, seed=step))
    loss = losses[step % 3](head(features), target) + 0.1 * center(features, target)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    LOSSES.append(loss.item())
soft = F.softmax(noise(4, 5), dim=1)
LOSSES.append(F.kl_div(F.log_softmax(head(features), dim=1), soft, reduction="batchmean").item())
