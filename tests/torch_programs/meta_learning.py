"""Model-agnostic meta-learning: the loss after a step of gradient descent, differentiated through that step."""

import torch
import torch.nn.functional as F
from seeds import fill, images, labels
from torch import nn

MODEL = fill(
    nn.Sequential(
        nn.Conv2d(1, 6, 3, stride=2, padding=1),
        nn.BatchNorm2d(6, track_running_stats=False),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(6 * 2 * 2, 3),
    )
)


def functional_forward(x, weights):
    x = F.conv2d(x, weights[0], weights[1], stride=2, padding=1)
    x = F.batch_norm(x, None, None, weights[2], weights[3], training=True)
    x = F.max_pool2d(F.relu(x), 2)
    return F.linear(x.flatten(1), weights[4], weights[5])


meta_optimizer = torch.optim.SGD(MODEL.parameters(), lr=0.05, momentum=0.9)
LOSSES = []
for episode in range(3):
    meta_optimizer.zero_grad()
    outer = 0.0
    for task in range(2):
        seed = 10 * episode + task
        support, query = images(6, 1, 8, 8, seed=seed), images(6, 1, 8, 8, seed=seed + 5)
        fast = list(MODEL.parameters())
        for _ in range(2):
            loss = F.cross_entropy(functional_forward(support, fast), labels(6, 3, seed=seed))
            gradients = torch.autograd.grad(loss, fast, create_graph=True)
            fast = [w - 0.1 * g for w, g in zip(fast, gradients)]
        outer = outer + F.cross_entropy(functional_forward(query, fast), labels(6, 3, seed=seed + 5))
    outer.backward()
    meta_optimizer.step()
    LOSSES.append(outer.item())
