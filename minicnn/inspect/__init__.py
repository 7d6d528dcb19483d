"""What a trained network sees: its kernels and maps, where it looks, what excites it, and what it mistakes.

    maps = inspect.feature_maps(model, x)            # layer by layer
    inspect.saliency(model, x, label)                # |∂ score / ∂ pixel|
    inspect.grad_cam(model, x, label)                # where the last convolution saw the class
    inspect.excite(model, images, "conv2", units)    # the pictures that excite a unit most
    inspect.mistakes(model, loader, classes=10)      # confusion matrix, and the most confidently wrong

`minicnn inspect` draws all of it. Everything is computed in evaluation mode, and leaves the network as it was.
"""

from minicnn.inspect.exciting import Excitement, excite
from minicnn.inspect.layers import Map, feature_maps, first_kernels
from minicnn.inspect.mistakes import Mistakes, mistakes
from minicnn.inspect.saliency import grad_cam, saliency

__all__ = [
    "Excitement",
    "Map",
    "Mistakes",
    "excite",
    "feature_maps",
    "first_kernels",
    "grad_cam",
    "mistakes",
    "saliency",
]
