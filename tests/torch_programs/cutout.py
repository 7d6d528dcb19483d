"""Cutout as a transform of one's own, in a data set of one's own, with label smoothing."""

import numpy as np
import torch
from seeds import fill, images, labels
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

rng = np.random.default_rng(1)


class Cutout(object):
    def __init__(self, n_holes, length):
        self.n_holes = n_holes
        self.length = length

    def __call__(self, img):
        h = img.size(1)
        w = img.size(2)
        mask = np.ones((h, w), np.float32)
        for n in range(self.n_holes):
            y, x = rng.integers(h), rng.integers(w)
            y1, y2 = np.clip([y - self.length // 2, y + self.length // 2], 0, h)
            x1, x2 = np.clip([x - self.length // 2, x + self.length // 2], 0, w)
            mask[y1:y2, x1:x2] = 0.0
        mask = torch.from_numpy(mask)
        mask = mask.expand_as(img)
        return img * mask


class Pictures(Dataset):
    def __init__(self, transform=None):
        self.pictures = (images(9, 10, 10, 3) * 255).numpy().astype(np.uint8)
        self.targets = labels(9, 4).tolist()
        self.transform = transform

    def __len__(self):
        return len(self.targets)

    def __getitem__(self, index):
        picture, target = self.pictures[index], self.targets[index]
        if self.transform:
            picture = self.transform(picture)
        return picture.double(), target


transform = transforms.Compose(
    [
        transforms.ToTensor(),
        transforms.Normalize((0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)),
        Cutout(n_holes=1, length=4),
    ]
)
loader = DataLoader(Pictures(transform), batch_size=4, drop_last=False)
MODEL = fill(nn.Sequential(nn.Conv2d(3, 6, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(6 * 16, 4)))
criterion = nn.CrossEntropyLoss(label_smoothing=0.1, weight=torch.tensor([1.0, 2.0, 0.5, 1.0]).double())
optimizer = torch.optim.AdamW(MODEL.parameters(), lr=0.003)
LOSSES = []
for epoch in range(2):
    for x, y in loader:
        optimizer.zero_grad()
        loss = criterion(MODEL(x), y)
        loss.backward()
        optimizer.step()
        LOSSES.append(loss.item())
