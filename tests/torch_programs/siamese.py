"""Siamese and triplet networks: distances between embeddings, in pairs and in threes."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from seeds import fill, images, labels


class EmbeddingNet(nn.Module):
    def __init__(self):
        super(EmbeddingNet, self).__init__()
        self.convnet = nn.Sequential(nn.Conv2d(1, 6, 3), nn.LeakyReLU(), nn.MaxPool2d(2, stride=2))
        self.fc = nn.Sequential(nn.Linear(6 * 9, 12), nn.LeakyReLU(), nn.Linear(12, 4))

    def forward(self, x):
        output = self.convnet(x)
        output = output.view(output.size()[0], -1)
        return self.fc(output)


class SiameseNet(nn.Module):
    def __init__(self, embedding_net):
        super(SiameseNet, self).__init__()
        self.embedding_net = embedding_net

    def forward(self, *inputs):
        return tuple(self.embedding_net(x) for x in inputs)


class ContrastiveLoss(nn.Module):
    def __init__(self, margin):
        super(ContrastiveLoss, self).__init__()
        self.margin = margin

    def forward(self, output1, output2, target):
        distance = F.pairwise_distance(output1, output2)
        losses = 0.5 * (target * distance.pow(2) + (1 - target) * F.relu(self.margin - distance).pow(2))
        return losses.mean()


class TripletLoss(nn.Module):
    def __init__(self, margin):
        super(TripletLoss, self).__init__()
        self.margin = margin

    def forward(self, anchor, positive, negative):
        distance_positive = (anchor - positive).pow(2).sum(1)
        distance_negative = (anchor - negative).pow(2).sum(1)
        return F.relu(distance_positive - distance_negative + self.margin).mean()


MODEL = fill(SiameseNet(EmbeddingNet()))
optimizer = torch.optim.Adam(MODEL.parameters(), lr=1e-3)
scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: 0.5**epoch)
contrastive, triplet = ContrastiveLoss(1.0), TripletLoss(0.5)
LOSSES = []
for step in range(4):
    x1, x2, x3 = [images(5, 1, 8, 8, seed=3 * step + k) for k in range(3)]
    if step % 2:
        loss = triplet(*MODEL(x1, x2, x3))
    else:
        loss = contrastive(*MODEL(x1, x2), (labels(5, 2, seed=step)).double())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    scheduler.step()
    LOSSES.append(loss.item())
with torch.no_grad():
    a, b = MODEL(images(3, 1, 8, 8, seed=20), images(3, 1, 8, 8, seed=21))
RESULTS = {"cosine": F.cosine_similarity(a, b), "distance": torch.norm(a - b, dim=1)}
