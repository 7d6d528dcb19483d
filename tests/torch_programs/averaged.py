"""Stochastic weight averaging: a second phase at a constant rate, averaged weights, batch norms counted anew."""

import torch
from seeds import fill, images, labels
from torch import nn
from torch.optim.swa_utils import SWALR, AveragedModel, update_bn
from torch.utils.data import DataLoader, TensorDataset

loader = DataLoader(TensorDataset(images(12, 1, 6, 6), labels(12, 3)), batch_size=4)
model = fill(
    nn.Sequential(nn.Conv2d(1, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(64, 3))
)
loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
swa_model = AveragedModel(model)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=4)
swa_start = 2
swa_scheduler = SWALR(optimizer, swa_lr=0.05, anneal_epochs=2)
LOSSES = []
for epoch in range(4):
    for input, target in loader:
        optimizer.zero_grad()
        loss = loss_fn(model(input), target)
        loss.backward()
        optimizer.step()
        LOSSES.append(loss.item())
    if epoch >= swa_start:
        swa_model.update_parameters(model)
        swa_scheduler.step()
    else:
        scheduler.step()
    LOSSES.append(optimizer.param_groups[0]["lr"])
update_bn(loader, swa_model)
preds = swa_model(images(2, 1, 6, 6, seed=5))
MODEL = [model, swa_model]
RESULTS = {"predictions": preds}
