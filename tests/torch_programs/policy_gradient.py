"""REINFORCE: actions from a categorical distribution, returns that are discounted and normalised."""

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from seeds import fill, noise
from torch.distributions import Categorical


class Policy(nn.Module):
    def __init__(self):
        super(Policy, self).__init__()
        self.affine1 = nn.Linear(4, 12)
        self.affine2 = nn.Linear(12, 3)
        self.saved_log_probs = []
        self.entropies = []
        self.rewards = []

    def forward(self, x):
        x = F.relu(self.affine1(x))
        return F.softmax(self.affine2(x), dim=1)


rng = np.random.default_rng(0)
MODEL = fill(Policy())
optimizer = optim.Adam(MODEL.parameters(), lr=1e-2)
eps = np.finfo(np.float32).eps.item()
LOSSES = []
for episode in range(3):
    state = noise(1, 4, seed=episode)
    for t in range(5):
        m = Categorical(MODEL(state))
        action = torch.tensor([int(rng.integers(3))])
        assert m.sample().shape == action.shape
        MODEL.saved_log_probs.append(m.log_prob(action))
        MODEL.entropies.append(m.entropy())
        MODEL.rewards.append(float(rng.random()))
        state = state + 0.1 * noise(1, 4, seed=10 * episode + t)
    R = 0
    returns = []
    for r in MODEL.rewards[::-1]:
        R = r + 0.99 * R
        returns.insert(0, R)
    returns = torch.tensor(returns).double()
    returns = (returns - returns.mean()) / (returns.std() + eps)
    policy_loss = [-log_prob * R for log_prob, R in zip(MODEL.saved_log_probs, returns)]
    optimizer.zero_grad()
    loss = torch.cat(policy_loss).sum() - 0.01 * torch.stack(MODEL.entropies).mean()
    loss.backward()
    optimizer.step()
    LOSSES.append(loss.item())
    del MODEL.rewards[:], MODEL.saved_log_probs[:], MODEL.entropies[:]
