"""A physics-informed network: it is to solve u'' = −π² sin πx, whose second derivative it takes of itself."""

import numpy as np
import torch
from seeds import fill
from torch import nn

MODEL = fill(nn.Sequential(nn.Linear(1, 12), nn.Tanh(), nn.Linear(12, 12), nn.Tanh(), nn.Linear(12, 1)))
optimizer = torch.optim.Adam(MODEL.parameters(), lr=1e-2, eps=1e-4)
x = torch.linspace(0, 1, 9, dtype=torch.float64).reshape(-1, 1).requires_grad_(True)
LOSSES = []
for step in range(5):
    optimizer.zero_grad()
    u = MODEL(x)
    du = torch.autograd.grad(u, x, torch.ones_like(u), create_graph=True)[0]
    ddu = torch.autograd.grad(du, x, torch.ones_like(du), create_graph=True)[0]
    residual = ddu + np.pi**2 * torch.sin(np.pi * x)
    loss = residual.pow(2).mean() + u[0].pow(2).sum() + u[-1].pow(2).sum()
    loss.backward()
    optimizer.step()
    LOSSES.append(loss.item())

weights = MODEL[4].weight
RESULTS = {
    "hessian": torch.autograd.functional.hessian(
        lambda w: (MODEL[:4](x.detach()) @ w.T).pow(2).mean(), weights.detach()
    ),
    "hvp": torch.autograd.functional.hvp(
        lambda w: (MODEL[:4](x.detach()) @ w.T).pow(3).sum(), weights.detach(), torch.ones_like(weights)
    )[1],
}
