"""Networks, each in a file that reads line by line like its PyTorch twin in `reference.models`."""

from collections.abc import Callable

from minicnn.models.lenet import LeNet, lenet
from minicnn.nn import Module

__all__ = ["MODELS", "LeNet", "lenet"]

MODELS: dict[str, Callable[..., Module]] = {
    "lenet": lenet,
}
"""What `minicnn train --model` knows: name → constructor, which takes `num_classes` and `in_channels`."""
