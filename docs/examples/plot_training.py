"""
A network that learns
=====================

Two convolutions and a linear layer learn 1797 handwritten digits of 8 x 8 pixels in a few seconds.
"""

import matplotlib.pyplot as plt

import minicnn
from minicnn import nn, optim
from minicnn.datasets import Digits
from minicnn.nn import functional as F
from minicnn.transforms import Compose, Resize, ToTensor
from minicnn.utils.data import DataLoader

# %%
# The digits come with scikit-learn. They are given at 28 x 28 pixels, as MNIST is.
minicnn.manual_seed(0)
digits = Digits(transform=Compose([Resize(14), ToTensor()]))
model = nn.Sequential(
    nn.Conv2d(1, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 3), nn.ReLU(), nn.Flatten(), nn.Linear(256, 10)
)
optimizer = optim.Adam(model.parameters(), lr=0.003)

# %%
# One pass over the training data is an epoch.
losses = []
for _ in range(3):
    for images, labels in DataLoader(digits, batch_size=32, shuffle=True):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())

plt.plot(losses)
plt.xlabel("step")
plt.ylabel("loss")
plt.show()
