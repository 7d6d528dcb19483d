"""Captions: a convolutional encoder's pixels are what a transformer's decoder looks at, word by word."""

import torch
import torch.nn.functional as F
from seeds import fill, images, labels
from torch import nn, optim

WORDS, PAD, START = 11, 0, 1


class Captioner(nn.Module):
    def __init__(self, dim=16, heads=2, longest=6):
        super().__init__()
        self.cnn = nn.Sequential(
            nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.ReLU(), nn.Conv2d(8, dim, 3, stride=2, padding=1)
        )
        layer = nn.TransformerEncoderLayer(dim, heads, 32, dropout=0.0, activation="gelu", batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, num_layers=1, enable_nested_tensor=False)
        self.embed = nn.Embedding(WORDS, dim, padding_idx=PAD)
        self.positions = nn.Embedding(longest, dim)
        layer = nn.TransformerDecoderLayer(dim, heads, 32, dropout=0.0, batch_first=True, norm_first=True)
        self.decoder = nn.TransformerDecoder(layer, 2, norm=nn.LayerNorm(dim))
        self.fc = nn.Linear(dim, WORDS)

    def forward(self, pictures, words):
        memory = self.encoder(self.cnn(pictures).flatten(2).permute(0, 2, 1))
        L = words.size(1)
        tgt = self.embed(words) + self.positions(torch.arange(L))
        ahead = torch.triu(torch.ones(L, L, dtype=torch.bool), diagonal=1)
        return self.fc(self.decoder(tgt, memory, tgt_mask=ahead, tgt_key_padding_mask=words == PAD))


MODEL = fill(Captioner())
optimizer = optim.Adam(MODEL.parameters(), lr=3e-3)
LOSSES = []
for step in range(3):
    words = labels(4 * 6, WORDS - 2, seed=step).view(4, 6) + 2
    words[:, 0] = START
    words[1, 4:] = words[3, 3:] = PAD
    scores = MODEL(images(4, 3, 8, 8, seed=step), words[:, :-1])
    loss = F.cross_entropy(scores.reshape(-1, WORDS), words[:, 1:].reshape(-1), ignore_index=PAD)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    LOSSES.append(loss.item())

MODEL.eval()
with torch.no_grad():
    picture, said = images(1, 3, 8, 8, seed=9), torch.tensor([[START]])
    for _ in range(4):
        following = MODEL(picture, said)[:, -1].argmax(-1, keepdim=True)
        said = torch.cat([said, following], dim=1)
LOSSES += said.flatten().tolist()
