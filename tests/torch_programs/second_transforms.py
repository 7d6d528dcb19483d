"""torchvision's second transforms on a data set of one's own, and batches of images and labels cut and pasted."""

import numpy as np
import torch
from PIL import Image
from seeds import fill
from torch import nn, optim
from torch.utils.data import DataLoader, Dataset, default_collate
from torchvision.transforms import v2


class Pictures(Dataset):
    def __init__(self, transform=None):
        generator = np.random.default_rng(0)
        self.data = generator.integers(0, 256, (12, 20, 18, 3), dtype=np.uint8)
        self.targets = generator.integers(0, 4, 12).tolist()
        self.transform = transform

    def __len__(self):
        return len(self.data)

    def __getitem__(self, index):
        image = Image.fromarray(self.data[index])
        if self.transform is not None:
            image = self.transform(image)
        return image, self.targets[index]


train_transform = v2.Compose(
    [
        v2.ToImage(),
        v2.CenterCrop(16),
        v2.RandomHorizontalFlip(p=1.0),
        v2.ToDtype(torch.float64, scale=True),
        v2.Normalize(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225]),
    ]
)


def paste(images, labels, share=0.5, classes=4):
    """CutMix with a rectangle that is always the same, so that nothing depends on random numbers."""
    side = int(images.size(-1) * (1 - share) ** 0.5)
    mixed = images.clone()
    mixed[:, :, :side, :side] = images.roll(1, 0)[:, :, :side, :side]
    share = 1 - side**2 / images.size(-1) ** 2
    hot = nn.functional.one_hot(labels, classes).double()
    return mixed, hot * share + hot.roll(1, 0) * (1 - share)


def collate(batch):
    return paste(*default_collate(batch))


loader = DataLoader(Pictures(train_transform), batch_size=4, collate_fn=collate)
features = nn.Sequential(nn.Conv2d(3, 8, 3, stride=2), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(2))
MODEL = fill(nn.Sequential(features, nn.Flatten(), nn.Linear(32, 4)))
optimizer = optim.SGD(MODEL.parameters(), lr=0.05, momentum=0.9, nesterov=True)
LOSSES = []
for _ in range(2):
    for images, labels in loader:
        optimizer.zero_grad()
        loss = nn.CrossEntropyLoss()(MODEL(images), labels)
        loss.backward()
        optimizer.step()
        LOSSES += [loss.item(), labels.sum().item()]
