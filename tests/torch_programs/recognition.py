"""Words in images of several widths: a collate function that pads, columns classified, accuracy of sequences."""

import string

import torch
import torch.nn.functional as F
from seeds import fill, noise
from torch import nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader, Dataset

CHARACTERS = string.digits
NUMBERS = {character: i + 1 for i, character in enumerate(CHARACTERS)}


class Words(Dataset):
    words = ("0", "12", "345", "6789", "01", "9")

    def __len__(self):
        return len(self.words)

    def __getitem__(self, i):
        return noise(1, 8, 8 + 2 * i, seed=i), self.words[i]


def collate(batch):
    pictures, words = zip(*batch)
    widest = max(picture.shape[-1] for picture in pictures)
    x = torch.stack([F.pad(picture, (0, widest - picture.shape[-1]), value=-1.0) for picture in pictures])
    y = pad_sequence([torch.tensor([NUMBERS[c] for c in word]) for word in words], batch_first=True)
    return x, y, torch.tensor([len(word) for word in words])


def collapsed(row):
    row = torch.unique_consecutive(row)
    return row[row != 0].tolist()


class Reader(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.GELU(), nn.MaxPool2d((2, 1)))
        self.columns = nn.Conv2d(8, classes, (4, 3), padding=(0, 1))

    def forward(self, x):
        return self.columns(self.features(x)).squeeze(2)


model = fill(Reader(len(CHARACTERS) + 1))
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
LOSSES, RESULTS = [], {}
for epoch in range(2):
    for i, (x, y, lengths) in enumerate(DataLoader(Words(), batch_size=3, collate_fn=collate)):
        columns = model(x)
        scores = F.adaptive_avg_pool1d(columns, y.size(1))
        loss = F.cross_entropy(scores, y, ignore_index=0)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        LOSSES.append(loss.item())
        right = (scores.argmax(1) == y) | (y == 0)
        RESULTS[f"{epoch} {i}"] = right.all(dim=1).double().mean()
        RESULTS[f"{epoch} {i} read"] = len(collapsed(columns[0].argmax(0)))
MODEL = model
