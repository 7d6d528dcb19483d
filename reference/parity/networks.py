"""Twins with equal weights, what to train them on, and weights that travel both ways."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

import minicnn
import minicnn.models
import reference.models

Batch = tuple[np.ndarray, np.ndarray]
"""Images (N, C, H, W), float32 or float64, and int64 labels (N,)."""


def twins(network: str | Callable[[Any], Any], dtype: str = "float32", seed: int = 0) -> tuple[Any, Any]:
    """A network of minicnn's and its PyTorch twin, with the same fresh weights.

    An error can hide behind the zeros and ones that biases and batch normalizations start from; these are drawn.

    Args:
        network: a name in `reference.models.MODELS`, or what builds one from `reference.models` or `minicnn.models`.
        dtype: "float32" or "float64".
        seed: of the weights, and of minicnn's dropout.

    Raises:
        RuntimeError: where a weight came back changed from its way to minicnn.
    """
    torch.manual_seed(seed)
    minicnn.manual_seed(seed)
    build = (lambda models: models.MODELS[network]()) if isinstance(network, str) else network
    theirs = build(reference.models).to(getattr(torch, dtype))
    for module in theirs.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.normal_(module.weight, 1, 0.2)
        if getattr(module, "bias", None) is not None:
            torch.nn.init.normal_(module.bias, 0, 0.2)
    ours = build(minicnn.models).to(getattr(minicnn, dtype))
    ours.load_state_dict(theirs.state_dict())
    changed = changes(theirs.state_dict(), weights_of(ours))
    if changed:
        raise RuntimeError(f"on the way to minicnn and back, weights changed: {', '.join(changed)}")
    return ours, theirs


def weights_of(ours: Any) -> dict[str, torch.Tensor]:
    """A minicnn network's parameters and buffers, copied for PyTorch's `load_state_dict`."""
    return {key: torch.from_numpy(np.array(value.numpy())) for key, value in ours.state_dict().items()}


def changes(before: dict[str, torch.Tensor], after: dict[str, torch.Tensor]) -> list[str]:
    """The entries of two state dicts that aren't equal bit by bit, or that only one of them has."""

    def bits(state: dict[str, torch.Tensor], key: str) -> Any:
        return (state[key].dtype, state[key].shape, state[key].numpy().tobytes()) if key in state else None

    return [key for key in {**before, **after} if bits(before, key) != bits(after, key)]


def draw_batches(
    shape: tuple[int, ...], classes: int, steps: int = 1, dtype: str = "float32", seed: int = 0
) -> list[Batch]:
    """Batches of normally distributed images of `shape` (N, C, H, W), with labels below `classes`."""
    rng = np.random.default_rng(seed)
    return [(rng.standard_normal(shape).astype(dtype), rng.integers(0, classes, shape[0])) for _ in range(steps)]


def leaves(network: Any) -> Iterator[tuple[str, Any]]:
    """Names and modules of the layers of either framework's network: the modules without children."""
    for name, module in network.named_modules():
        if not any(True for _ in module.children()):
            yield name, module
