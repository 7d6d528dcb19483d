"""What random transforms draw from: the default generator, one number at a time, as in torchvision."""

import math

from minicnn.random import numpy_generator


def uniform(low: float, high: float) -> float:
    """A number from `low` to `high`."""
    return float(numpy_generator().uniform(low, high))


def integer(low: int, high: int) -> int:
    """An integer from `low` to high − 1."""
    return int(numpy_generator().integers(low, high))


def happens(p: float) -> bool:
    """Whether something of probability `p` happens."""
    return float(numpy_generator().random()) < p


def log_uniform(low: float, high: float) -> float:
    """A ratio from `low` to `high`, whose logarithm is uniform."""
    return math.exp(uniform(math.log(low), math.log(high)))
