"""Several losses at once: labels side by side, boxes, triplets, a margin; weighed by learned variances."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from seeds import fill, images, labels, noise


class Heads(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 6, 3), nn.ELU(), nn.AvgPool2d(2), nn.Flatten())
        self.heads = nn.ModuleDict(
            {"labels": nn.Linear(6 * 9, 4), "boxes": nn.Linear(6 * 9, 4), "embedding": nn.Linear(6 * 9, 3)}
        )
        self.log_vars = nn.ParameterList([nn.Parameter(torch.zeros(1)) for _ in range(4)])

    def forward(self, x):
        h = self.body(x)
        return {name: head(h) for name, head in self.heads.items()}


MODEL = fill(Heads())
optimizer = torch.optim.Adagrad(MODEL.parameters(), lr=0.05)
bce = nn.BCEWithLogitsLoss(pos_weight=torch.tensor([1.0, 2.0, 3.0, 0.5], dtype=torch.float64))
smooth, triplet = nn.SmoothL1Loss(), nn.TripletMarginLoss(margin=0.7)
LOSSES = []
for step in range(3):
    out = MODEL(images(6, 1, 8, 8, seed=step))
    wanted = (labels(24, 2, seed=step)).view(6, 4).double()
    a, p, n = out["embedding"].split(2)
    parts = [
        bce(out["labels"], wanted),
        smooth(out["boxes"], noise(6, 4, seed=step)) + F.huber_loss(out["boxes"], noise(6, 4, seed=step), delta=0.5),
        triplet(a, p, n),
        nn.CosineEmbeddingLoss(margin=0.1)(a, n, torch.tensor([1.0, -1.0]).double())
        + nn.MarginRankingLoss(0.2)(a[:, 0], p[:, 0], torch.ones(2).double()),
    ]
    loss = sum(torch.exp(-s) * part + s for s, part in zip(MODEL.log_vars, parts)).sum()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    LOSSES += [part.item() for part in parts]
with torch.no_grad():
    probabilities = torch.sigmoid(MODEL(images(2, 1, 8, 8))["labels"])
RESULTS = {"probabilities": probabilities, "given": (probabilities > 0.5).int()}
