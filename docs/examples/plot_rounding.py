"""
What fast algorithms round
==========================

All algorithms compute the same convolution; those that rearrange its sums round more.
"""

import matplotlib.pyplot as plt
import numpy as np

import minicnn
from minicnn.nn import functional as F

# %%
# An image and kernels, once in float64 for the true result, and in float32 for each algorithm.
minicnn.manual_seed(0)
x, weight = minicnn.randn(4, 64, 28, 28), minicnn.randn(64, 64, 3, 3)
exact = F.conv2d(x.double(), weight.double(), padding=1).numpy()

errors = {}
for name in ("naive", "im2col", "tiled", "packed", "registers", "implicit", "winograd", "fft"):
    result = F.conv2d(x, weight, padding=1, algorithm=name).numpy()
    errors[name] = np.abs(result - exact).max() / np.abs(exact).max()

plt.bar(list(errors), list(errors.values()))
plt.yscale("log")
plt.ylabel("largest error, of the largest result")
plt.show()
