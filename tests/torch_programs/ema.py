"""A moving average of the weights beside the network, and a warm-up of the rate by hand."""

import copy

import torch
import torch.nn as nn
from seeds import fill, images, labels


class ModelEMA:
    def __init__(self, model, decay=0.9):
        self.ema = copy.deepcopy(model)
        self.ema.eval()
        self.decay = decay
        for p in self.ema.parameters():
            p.requires_grad_(False)

    def update(self, model):
        with torch.no_grad():
            msd = model.state_dict()
            for k, v in self.ema.state_dict().items():
                if v.dtype.is_floating_point if hasattr(v.dtype, "is_floating_point") else v.is_floating_point():
                    v *= self.decay
                    v += (1.0 - self.decay) * msd[k].detach()
                else:
                    v.copy_(msd[k])


class Shadow:
    def __init__(self, model, decay):
        self.decay = decay
        self.shadow = {name: p.data.clone() for name, p in model.named_parameters() if p.requires_grad}

    def update(self, model):
        for name, p in model.named_parameters():
            if p.requires_grad:
                self.shadow[name] = ((1.0 - self.decay) * p.data + self.decay * self.shadow[name]).clone()


model = fill(nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 16, 3)))
ema, shadow = ModelEMA(model), Shadow(model, 0.8)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
LOSSES = []
for step in range(5):
    for param_group in optimizer.param_groups:
        param_group["lr"] = 0.1 * min(1.0, (step + 1) / 3)
    optimizer.zero_grad()
    loss = nn.CrossEntropyLoss()(model(images(4, 1, 6, 6, seed=step)), labels(4, 3, seed=step))
    loss.backward()
    optimizer.step()
    ema.update(model)
    shadow.update(model)
    LOSSES.append(loss.item())
MODEL = [model, ema.ema]
RESULTS = {**shadow.shadow, "average": ema.ema(images(2, 1, 6, 6, seed=9))}
