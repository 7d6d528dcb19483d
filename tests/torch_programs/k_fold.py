"""Cross-validation: a network for each fold, on subsets of one data set, weights reset in between."""

import numpy as np
import torch
from seeds import fill, images, labels
from torch import nn
from torch.utils.data import DataLoader, Subset, TensorDataset

dataset = TensorDataset(images(15, 1, 6, 6), labels(15, 3))
order = np.random.default_rng(0).permutation(len(dataset))
folds = np.array_split(order, 3)


def make():
    return fill(nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 16, 3)), seed=4)


LOSSES, MODEL, RESULTS = [], [], {}
for fold, test_ids in enumerate(folds):
    train_ids = np.concatenate([ids for other, ids in enumerate(folds) if other != fold])
    trainloader = DataLoader(Subset(dataset, train_ids.tolist()), batch_size=4)
    testloader = DataLoader(Subset(dataset, test_ids.tolist()), batch_size=4)
    network = make()
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    for epoch in range(2):
        current_loss = 0.0
        for inputs, targets in trainloader:
            optimizer.zero_grad()
            loss = nn.CrossEntropyLoss()(network(inputs), targets)
            loss.backward()
            optimizer.step()
            current_loss += loss.item()
        LOSSES.append(current_loss)
    correct, total = 0, 0
    with torch.no_grad():
        for inputs, targets in testloader:
            _, predicted = torch.max(network(inputs).data, 1)
            total += targets.size(0)
            correct += (predicted == targets).sum().item()
    RESULTS[f"fold {fold}"] = 100.0 * (correct / total)
    MODEL.append(network)
