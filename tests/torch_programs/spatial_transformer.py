"""A spatial transformer: a network that first turns and shifts its input as it likes."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from seeds import fill, images, labels


class Net(nn.Module):
    def __init__(self):
        super(Net, self).__init__()
        self.conv1 = nn.Conv2d(1, 6, kernel_size=3)
        self.fc1 = nn.Linear(6 * 25, 12)
        self.fc2 = nn.Linear(12, 5)
        self.localization = nn.Sequential(
            nn.Conv2d(1, 4, kernel_size=3),
            nn.MaxPool2d(2, stride=2),
            nn.ReLU(True),
            nn.Conv2d(4, 5, kernel_size=3),
            nn.ReLU(True),
        )
        self.fc_loc = nn.Sequential(nn.Linear(5 * 3 * 3, 8), nn.ReLU(True), nn.Linear(8, 3 * 2))

    def stn(self, x):
        xs = self.localization(x)
        xs = xs.view(-1, 5 * 3 * 3)
        theta = self.fc_loc(xs)
        theta = theta.view(-1, 2, 3)
        grid = F.affine_grid(theta, x.size(), align_corners=False)
        x = F.grid_sample(x, grid, align_corners=False)
        return x

    def forward(self, x):
        x = self.stn(x)
        x = F.relu(F.max_pool2d(self.conv1(x), 2))
        x = x.view(-1, 6 * 25)
        x = F.relu(self.fc1(x))
        return F.log_softmax(self.fc2(x), dim=1)


MODEL = fill(Net())
MODEL.fc_loc[2].weight.data.mul_(0.1)
MODEL.fc_loc[2].bias.data.copy_(torch.tensor([1, 0, 0, 0, 1, 0], dtype=torch.float))
optimizer = torch.optim.SGD(MODEL.parameters(), lr=0.05)
LOSSES = []
for step in range(3):
    optimizer.zero_grad()
    output = MODEL(images(4, 1, 12, 12, seed=step))
    loss = F.nll_loss(output, labels(4, 5, seed=step))
    loss.backward()
    optimizer.step()
    LOSSES.append(loss.item())
with torch.no_grad():
    RESULTS = {"turned": MODEL.stn(images(2, 1, 12, 12, seed=8))}
