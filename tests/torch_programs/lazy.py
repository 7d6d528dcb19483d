"""Layers that find out their sizes at the first batch; a state that is saved whole and brought back."""

import torch
from seeds import fill, images, labels
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.LazyConv2d(6, kernel_size=3, padding=1),
            nn.LazyBatchNorm2d(),
            nn.ReLU(),
            nn.ReflectionPad2d(1),
            nn.MaxPool2d(kernel_size=2, stride=2),
            nn.ZeroPad2d((1, 0, 1, 0)),
            nn.Flatten(),
            nn.LazyLinear(10),
            nn.Sigmoid(),
            nn.LazyLinear(4),
        )

    def forward(self, x):
        return self.net(x)

    def layer_summary(self, X_shape):
        self.eval()
        X = torch.zeros(*X_shape)
        for layer in self.net:
            X = layer(X)
            print(layer.__class__.__name__, "output shape:\t", X.shape)
        self.train()


model = Net()
model.layer_summary((1, 3, 8, 8))
fill(model)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
LOSSES = []
for step in range(2):
    optimizer.zero_grad()
    loss = nn.CrossEntropyLoss()(model(images(4, 3, 8, 8, seed=step)), labels(4, 4, seed=step))
    loss.backward()
    optimizer.step()
    LOSSES.append(loss.item())
torch.save({"epoch": 2, "model": model.state_dict(), "optimizer": optimizer.state_dict(), "loss": loss}, "whole.tar")

checkpoint = torch.load("whole.tar")
MODEL = Net()
MODEL.layer_summary((1, 3, 8, 8))
MODEL.double()
MODEL.load_state_dict(checkpoint["model"])
optimizer = torch.optim.SGD(MODEL.parameters(), lr=0.5, momentum=0.9)
optimizer.load_state_dict(checkpoint["optimizer"])
LOSSES += [checkpoint["epoch"], checkpoint["loss"].item(), optimizer.param_groups[0]["lr"]]
for step in range(2):
    optimizer.zero_grad()
    loss = nn.CrossEntropyLoss()(MODEL(images(4, 3, 8, 8, seed=step)), labels(4, 4, seed=step))
    loss.backward()
    optimizer.step()
    LOSSES.append(loss.item())
