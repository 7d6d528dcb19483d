"""Hooks: activations and gradients are watched, an output is changed, gradients are halved on their way."""

import torch
import torch.nn as nn
from seeds import fill, images, labels

seen = {}


def remember(name):
    def hook(module, inputs, output):
        seen[name] = output.detach().clone()
        seen[name + " mean"] = output.data.mean().item()

    return hook


MODEL = fill(
    nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(4, 6, 3, stride=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(6 * 3 * 3, 3),
    )
)
handles = [layer.register_forward_hook(remember(f"layer {name}")) for name, layer in MODEL.named_children()]
clamped = MODEL[1].register_forward_hook(lambda module, inputs, output: output.clamp(max=1.0))

optimizer = torch.optim.SGD(MODEL.parameters(), lr=0.1)
LOSSES = []
for step in range(3):
    optimizer.zero_grad()
    x = images(2, 1, 8, 8, seed=step).requires_grad_()
    out = MODEL(x)
    out.retain_grad()
    loss = nn.functional.cross_entropy(out, labels(2, 3, seed=step))
    loss.backward()
    seen[f"gradient of the picture {step}"] = x.grad.clone()
    seen[f"gradient of the logits {step}"] = out.grad.clone()
    optimizer.step()
    LOSSES.append(loss.item())
    if step == 1:
        clamped.remove()
        handles[0].remove()
RESULTS = seen
