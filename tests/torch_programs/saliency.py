"""What a network looks at: saliency, smoothed and integrated gradients, and class activation maps."""

import torch
import torch.nn as nn
from seeds import fill, images, labels, noise


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(), nn.Conv2d(6, 8, 3), nn.ReLU())
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(8, 5)

    def forward(self, x):
        self.maps = self.features(x)
        return self.fc(self.pool(self.maps).flatten(1))


MODEL = fill(Net())
optimizer = torch.optim.SGD(MODEL.parameters(), lr=0.2)
LOSSES = []
for step in range(2):
    loss = nn.functional.cross_entropy(MODEL(images(4, 3, 7, 7, seed=step)), labels(4, 5, seed=step))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    LOSSES.append(loss.item())

MODEL.eval()
for param in MODEL.parameters():
    param.requires_grad = False


def saliency(picture):
    picture = picture.clone().requires_grad_()
    scores = MODEL(picture)
    score_max_index = scores.argmax()
    score_max = scores[0, score_max_index]
    score_max.backward()
    value, _ = torch.max(picture.grad.data.abs(), dim=1)
    return picture.grad, value, score_max_index.item()


picture = images(1, 3, 7, 7, seed=8)
gradient, value, best = saliency(picture)
smooth = torch.zeros_like(picture)
for sample in range(4):
    smooth += saliency(picture + 0.05 * noise(1, 3, 7, 7, seed=sample))[0] / 4
steps = [saliency(picture * (k / 5))[0] for k in range(1, 6)]
integrated = picture * torch.stack(steps).mean(dim=0)
MODEL(picture)
cam = (MODEL.fc.weight[best].view(1, -1, 1, 1) * MODEL.maps).sum(dim=1)
cam = (cam - cam.min()) / (cam.max() - cam.min())
RESULTS = {"saliency": value, "class": best, "smooth": smooth, "integrated": integrated, "cam": cam}
