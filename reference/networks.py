"""PyTorch's networks with minicnn's weights: fresh ones, or those of a file."""

from pathlib import Path

import numpy as np
import torch
from torch import nn

import minicnn.models
from minicnn.recipes.errors import UserError
from minicnn.recipes.models import misfit, variant_of
from minicnn.training import load_checkpoint
from reference import models


def on_meta(name: str, shape: tuple[int, int, int], num_classes: int) -> nn.Module:
    """A network without memory: shapes alone.

    Args:
        name: as `minicnn train --model` takes it.
        shape: (C, H, W) of its images.
        num_classes: how many classes to tell apart.

    Raises:
        UserError: where it isn't made for such images.
    """
    with torch.device("meta"):
        network = models.MODELS[variant_of(name, shape)](num_classes=num_classes, in_channels=shape[0])
        try:
            network.eval()(torch.empty(1, *shape))
        except RuntimeError as error:
            raise misfit(name, shape, error) from error
    return network.train()


def fresh(name: str, shape: tuple[int, int, int], num_classes: int) -> nn.Module:
    """A network with the weights that minicnn's twin draws, from minicnn's generator.

    Arguments and errors as for `on_meta`.
    """
    network = on_meta(name, shape, num_classes)
    threads = torch.get_num_threads()
    twin = minicnn.models.MODELS[variant_of(name, shape)](num_classes=num_classes, in_channels=shape[0])
    fill(network, twin.state_dict())
    torch.set_num_threads(threads)  # Numba's threads are OpenMP's too; when they start they say how many there are
    return network


def load(network: nn.Module, weights: Path, name: str) -> None:
    """Put saved weights into a network.

    Args:
        network: takes them.
        weights: a file that minicnn reads, whoever wrote it.
        name: the network's, for the message.

    Raises:
        UserError: where they don't fit.
        FileNotFoundError, ValueError: as `minicnn.load`.
    """
    state, _ = load_checkpoint(weights)
    try:
        fill(network, state)
    except RuntimeError as error:
        raise UserError(f"{weights} does not fit {name}: {error}") from error


def fill(network: nn.Module, state: dict[str, minicnn.Tensor]) -> None:
    """Let a network hold the tensors of a minicnn state dict, in row-major order; RuntimeError where they don't fit."""
    arrays = {key: np.array(tensor.detach().numpy(), order="C") for key, tensor in state.items()}
    network.load_state_dict({key: torch.from_numpy(array) for key, array in arrays.items()}, assign=True)


def arrays_of(network: nn.Module) -> dict[str, np.ndarray]:
    """A network's weights and statistics, as `minicnn.save` takes them."""
    return {key: tensor.detach().cpu().numpy() for key, tensor in network.state_dict().items()}
