"""A denoising diffusion model: a cosine schedule, a U-Net told the time by sines and cosines, averaged weights."""

import copy
import math

import torch
import torch.nn as nn
import torch.nn.functional as F
from seeds import fill, images, noise
from torchvision.ops import SqueezeExcitation


class SinusoidalPosEmb(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.dim = dim

    def forward(self, t):
        half = self.dim // 2
        emb = torch.exp(torch.arange(half, device=t.device).double() * -(math.log(10000) / (half - 1)))
        emb = t[:, None] * emb[None, :]
        return torch.cat((emb.sin(), emb.cos()), dim=-1)


class Block(nn.Module):
    def __init__(self, dim_in, dim_out, time):
        super().__init__()
        self.mlp = nn.Sequential(nn.SiLU(), nn.Linear(time, dim_out * 2))
        self.conv1, self.norm1 = nn.Conv2d(dim_in, dim_out, 3, padding=1), nn.GroupNorm(2, dim_out)
        self.conv2, self.norm2 = nn.Conv2d(dim_out, dim_out, 3, padding=1), nn.GroupNorm(2, dim_out)
        self.res = nn.Conv2d(dim_in, dim_out, 1) if dim_in != dim_out else nn.Identity()

    def forward(self, x, t):
        scale, shift = self.mlp(t)[:, :, None, None].chunk(2, dim=1)
        h = self.norm1(self.conv1(x)) * (scale + 1) + shift
        return F.silu(self.norm2(self.conv2(F.silu(h)))) + self.res(x)


class LinearAttention(nn.Module):
    def __init__(self, dim, heads=2, dim_head=4):
        super().__init__()
        self.heads, self.scale = heads, dim_head**-0.5
        self.to_qkv = nn.Conv2d(dim, heads * dim_head * 3, 1, bias=False)
        self.to_out = nn.Sequential(nn.Conv2d(heads * dim_head, dim, 1), nn.GroupNorm(1, dim))

    def forward(self, x):
        b, _, h, w = x.shape
        q, k, v = (part.reshape(b, self.heads, -1, h * w) for part in self.to_qkv(x).chunk(3, dim=1))
        context = torch.einsum("b h d n, b h e n -> b h d e", k.softmax(dim=-1), v)
        out = torch.einsum("b h d e, b h d n -> b h e n", context, q.softmax(dim=-2) * self.scale)
        return self.to_out(out.contiguous().view(b, -1, h, w)) + x


class UNet(nn.Module):
    def __init__(self, dim=8):
        super().__init__()
        self.time = nn.Sequential(
            SinusoidalPosEmb(dim), nn.Linear(dim, dim * 2), nn.GELU(), nn.Linear(dim * 2, dim * 2)
        )
        self.first = nn.Conv2d(1, dim, 7, padding=3)
        self.down, self.smaller = Block(dim, dim, dim * 2), nn.Conv2d(dim, dim * 2, 4, 2, 1)
        self.middle, self.attention = Block(dim * 2, dim * 2, dim * 2), LinearAttention(dim * 2)
        self.excite = SqueezeExcitation(dim * 2, dim, activation=nn.SiLU)
        self.larger = nn.Sequential(nn.Upsample(scale_factor=2, mode="nearest"), nn.Conv2d(dim * 2, dim, 3, padding=1))
        self.up, self.last = Block(dim * 2, dim, dim * 2), nn.Conv2d(dim, 1, 1)

    def forward(self, x, t):
        t, x = self.time(t), self.first(x)
        h = self.down(x, t)
        x = self.excite(self.attention(self.middle(self.smaller(h), t)))
        return self.last(self.up(torch.cat((self.larger(x), h), dim=1), t))


def cosine_betas(steps, s=0.008):
    x = torch.linspace(0, steps, steps + 1, dtype=torch.float64)
    ac = torch.cos(((x / steps) + s) / (1 + s) * math.pi * 0.5) ** 2
    ac = ac / ac[0]
    return torch.clip(1 - (ac[1:] / ac[:-1]), 0, 0.999)


def extract(a, t, shape):
    b, *_ = t.shape
    return a.gather(-1, t).reshape(b, *((1,) * (len(shape) - 1)))


STEPS = 8
betas = cosine_betas(STEPS)
alphas = torch.cumprod(1.0 - betas, dim=0)
before = F.pad(alphas[:-1], (1, 0), value=1.0)
model = fill(UNet())
average = copy.deepcopy(model).eval().requires_grad_(False)
optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, betas=(0.9, 0.99))
schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1, (step + 1) / 3))
LOSSES = []
for step in range(3):
    x, e, t = images(3, 1, 8, 8, seed=step) * 2 - 1, noise(3, 1, 8, 8, seed=step), torch.tensor([0, 3 + step, 7])
    noisy = extract(alphas.sqrt(), t, x.shape) * x + extract((1 - alphas).sqrt(), t, x.shape) * e
    loss = F.smooth_l1_loss(model(noisy, t), e)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    schedule.step()
    for ours, theirs in zip(average.parameters(), model.parameters()):
        ours.lerp_(theirs, 0.2)
    LOSSES.append(loss.item())

with torch.inference_mode():
    img = noise(2, 1, 8, 8, seed=9)
    for i in reversed(range(STEPS)):
        t = torch.full((2,), i, dtype=torch.long)
        eps = average(img, t)
        x0 = (img - extract((1 - alphas).sqrt(), t, img.shape) * eps) / extract(alphas.sqrt(), t, img.shape)
        c1 = extract(betas * before.sqrt() / (1.0 - alphas), t, img.shape)
        c2 = extract((1.0 - before) * (1.0 - betas).sqrt() / (1.0 - alphas), t, img.shape)
        mask = (1 - (t == 0).float()).reshape(2, 1, 1, 1)
        spread = extract(betas * (1.0 - before) / (1.0 - alphas), t, img.shape).sqrt()
        img = c1 * x0.clamp_(-1.0, 1.0) + c2 * img + mask * spread * noise(2, 1, 8, 8, seed=i)
MODEL = [model, average]
RESULTS = {"sample": img}
