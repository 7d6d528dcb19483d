"""What the programs beside this file start from: weights, images and labels from NumPy's seeds."""

import numpy as np
import torch


def fill(model, seed=0):
    """Give a model weights from a seed, in float64: normal ones, scaled by the number of inputs; norms near 1."""
    generator = np.random.default_rng(seed)
    model.double()
    with torch.no_grad():
        for parameter in model.parameters():
            shape = tuple(parameter.shape)
            if len(shape) > 1:
                values = generator.normal(size=shape) / np.sqrt(np.prod(shape[1:]))
            else:
                values = 0.1 * generator.normal(size=shape) + (parameter.numpy().mean() > 0.9)
            parameter.copy_(torch.from_numpy(values))
    return model


def images(*shape, seed=0):
    """Random images in float64, between 0 and 1."""
    return torch.from_numpy(np.random.default_rng(seed).random(shape))


def noise(*shape, seed=0):
    """Normal random numbers in float64."""
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape))


def labels(count, classes=10, seed=0):
    """Random class labels."""
    return torch.from_numpy(np.random.default_rng(seed).integers(0, classes, count))
