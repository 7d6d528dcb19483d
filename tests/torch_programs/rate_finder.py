"""A learning-rate finder: the rate grows with every batch until the loss explodes; then everything is put back."""

import copy
import math

import torch
import torch.nn as nn
from seeds import fill, images, labels


class LRFinder:
    def __init__(self, model, optimizer, criterion):
        self.model, self.optimizer, self.criterion = model, optimizer, criterion
        self.state = copy.deepcopy(model.state_dict()), copy.deepcopy(optimizer.state_dict())
        self.history = {"lr": [], "loss": []}

    def range_test(self, start_lr, end_lr, num_iter, smooth=0.05):
        best = None
        factor = (end_lr / start_lr) ** (1 / (num_iter - 1))
        for group in self.optimizer.param_groups:
            group["lr"] = start_lr
        for iteration in range(num_iter):
            x, y = images(4, 1, 6, 6, seed=iteration % 3), labels(4, 3, seed=iteration % 3)
            self.optimizer.zero_grad()
            loss = self.criterion(self.model(x), y)
            loss.backward()
            self.optimizer.step()
            loss = loss.item()
            if iteration:
                loss = smooth * loss + (1 - smooth) * self.history["loss"][-1]
            best = loss if best is None else min(best, loss)
            self.history["loss"].append(loss)
            self.history["lr"].append(self.optimizer.param_groups[0]["lr"])
            if loss > 4 * best or math.isnan(loss):
                break
            for group in self.optimizer.param_groups:
                group["lr"] *= factor

    def reset(self):
        self.model.load_state_dict(self.state[0])
        self.optimizer.load_state_dict(self.state[1])


MODEL = fill(nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 16, 3)))
optimizer = torch.optim.SGD(MODEL.parameters(), lr=1e-3, momentum=0.9)
finder = LRFinder(MODEL, optimizer, nn.CrossEntropyLoss())
finder.range_test(1e-3, 0.5, 8)
LOSSES = finder.history["lr"] + finder.history["loss"]
finder.reset()
for step in range(2):
    optimizer.zero_grad()
    loss = nn.CrossEntropyLoss()(MODEL(images(4, 1, 6, 6, seed=step)), labels(4, 3, seed=step))
    loss.backward()
    optimizer.step()
    LOSSES += [loss.item(), optimizer.param_groups[0]["lr"]]
