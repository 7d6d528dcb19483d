"""
A kernel you know: Sobel's
==========================

A convolution finds edges with nine fixed numbers. A network learns such numbers.
"""

import matplotlib.pyplot as plt
import numpy as np

import minicnn
from minicnn.nn import functional as F

# %%
# An image of a disc, as a batch of one image of one channel.
y, x = np.mgrid[-1:1:64j, -1:1:64j]
image = minicnn.from_numpy((x**2 + y**2 < 0.5).astype(np.float32))[None, None]

# %%
# Sobel's kernel is a difference along one axis, and a mean along the other. Its transposed form finds the other edges.
kernel = minicnn.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])
weight = minicnn.stack([kernel, kernel.t()])[:, None]
edges = F.conv2d(image, weight, padding="same")[0]

figure, axes = plt.subplots(1, 3, figsize=(9, 3))
for axis, picture, title in zip(axes, [image[0, 0], *edges], ["image", "along x", "along y"], strict=True):
    axis.imshow(picture.numpy(), cmap="gray")
    axis.set_title(title)
    axis.axis("off")
