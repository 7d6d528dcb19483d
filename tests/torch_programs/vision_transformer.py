"""A vision transformer: patches by a convolution, a class token, learned positions, attention, a warmed-up AdamW."""

import math

import torch
from seeds import fill, images, labels
from torch import nn, optim


class Block(nn.Module):
    def __init__(self, dim, heads, mlp_ratio=2, drop=0.0):
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=1e-6)
        self.attn = nn.MultiheadAttention(dim, heads, dropout=drop, batch_first=True)
        self.norm2 = nn.LayerNorm(dim, eps=1e-6)
        self.mlp = nn.Sequential(nn.Linear(dim, dim * mlp_ratio), nn.GELU(), nn.Linear(dim * mlp_ratio, dim))

    def forward(self, x):
        normed = self.norm1(x)
        attended, weights = self.attn(normed, normed, normed, average_attn_weights=False)
        self.weights = weights.detach()
        x = x + attended
        return x + self.mlp(self.norm2(x))


class ViT(nn.Module):
    def __init__(self, size=12, patch=4, dim=16, depth=2, heads=4, classes=5):
        super().__init__()
        self.patch_embed = nn.Conv2d(3, dim, kernel_size=patch, stride=patch)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.pos_embed = nn.Parameter(torch.zeros(1, (size // patch) ** 2 + 1, dim))
        self.blocks = nn.ModuleList([Block(dim, heads) for _ in range(depth)])
        self.norm = nn.LayerNorm(dim)
        self.head = nn.Linear(dim, classes)
        nn.init.trunc_normal_(self.pos_embed, std=0.02)

    def forward(self, x):
        x = self.patch_embed(x).flatten(2).transpose(1, 2)
        x = torch.cat((self.cls_token.expand(x.shape[0], -1, -1), x), dim=1) + self.pos_embed
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x)[:, 0])

    def rollout(self):
        """Where the class token looks, through all layers."""
        seen = None
        for block in self.blocks:
            weights = block.weights.mean(1)
            weights = weights + torch.eye(weights.size(-1), dtype=weights.dtype)
            weights = weights / weights.sum(dim=-1, keepdim=True)
            seen = weights if seen is None else torch.bmm(weights, seen)
        return seen[:, 0, 1:]


MODEL = fill(ViT())
optimizer = optim.AdamW(MODEL.parameters(), lr=1e-2, weight_decay=0.05)
warmup, total = 2, 5
scheduler = optim.lr_scheduler.LambdaLR(
    optimizer,
    lambda step: (step + 1) / warmup if step < warmup else 0.5 * (1 + math.cos(math.pi * (step - warmup) / total)),
)
criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
LOSSES = []
for step in range(4):
    optimizer.zero_grad()
    loss = criterion(MODEL(images(3, 3, 12, 12, seed=step)), labels(3, 5, seed=step))
    loss.backward()
    nn.utils.clip_grad_norm_(MODEL.parameters(), 1.0)
    optimizer.step()
    scheduler.step()
    LOSSES += [loss.item(), scheduler.get_last_lr()[0], MODEL.rollout().max().item()]
