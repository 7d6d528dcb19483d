"""Evaluation mode for a while."""

from collections.abc import Iterator
from contextlib import contextmanager

from minicnn.nn.module import Module


@contextmanager
def evaluating(model: Module) -> Iterator[None]:
    """The network in evaluation mode in this `with` block, and afterwards every module of it in the mode it was in."""
    modes = [(module, module.training) for module in model.modules()]
    try:
        model.eval()
        yield
    finally:
        for module, training in modes:
            module.training = training
