"""Networks in PyTorch, each in a file that reads line by line like its twin in `minicnn.models`."""

from collections.abc import Callable

from torch.nn import Module

from reference.models.lenet import LeNet, lenet

__all__ = ["MODELS", "LeNet", "lenet"]

MODELS: dict[str, Callable[..., Module]] = {
    "lenet": lenet,
}
"""Name → constructor, which takes `num_classes` and `in_channels`."""
