"""What `minicnn speedrun` and its twin in PyTorch run: a network, its data, its steps, and the accuracy to reach.

Everything that chance decides, first weights, order of the images and their shifts, comes from minicnn's generator in
both, so that one seed means the same run.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minicnn import nn
from minicnn.recipes.presets import PRESETS, Preset
from minicnn.recipes.recipe import Recipe
from minicnn.recipes.table import count


@dataclass(frozen=True)
class Speedrun:
    """One way to a goal.

    Attributes:
        name: what the command line calls it.
        goal: the share of the test images that the mean over several seeds shall reach, 0 to 1.
        dataset: a name in `PRESETS`.
        augment: whether its images are shifted (and mirrored) at random, as it says there.
        model: a name in `minicnn.models.MODELS`.
        epochs, batch_size: how long, and how many images a step.
        steps: optimizer, its settings and schedule.
        label_smoothing: how much of each target is spread over all classes.
        winograd: whether minicnn is faster by Winograd's algorithm; PyTorch's library chooses for itself.
    """

    name: str
    goal: float
    dataset: str
    augment: bool
    model: str
    epochs: int
    batch_size: int
    steps: Recipe
    label_smoothing: float
    winograd: bool = False

    @property
    def preset(self) -> Preset:
        """The data set and its habits."""
        return PRESETS[self.dataset]

    def load(self, folder: Path, download: bool) -> tuple[Any, Any]:
        """The training images, augmented as the recipe says, and the test images.

        Raises:
            UserError: where they aren't in `folder`, or are damaged.
        """
        return (
            self.preset.load(folder, download, train=True, augment=self.augment),
            self.preset.load(folder, download, train=False),
        )

    def steps_per_epoch(self, images: int) -> int:
        """Batches that so many images make."""
        return -(-images // self.batch_size)

    def lines(self, parameters: int, images: int, flops: int) -> list[str]:
        """The recipe as a command prints it.

        Args:
            parameters: of the network.
            images: how many are learned from in an epoch.
            flops: of one image, forward and backward.
        """
        moved = ", shifted at random" if self.augment else ""
        return [
            f"Recipe      {self.name}: {self.goal:.1%} of the test images of {self.preset.title}",
            f"Model       {self.model}, {parameters:,} parameters",
            f"Training    {self.steps}, label smoothing {self.label_smoothing:g}",
            f"            {count(self.epochs, 'epoch')} of {images:,} images{moved}, in batches of {self.batch_size}",
            f"Work        {flops / 1e6:.2f} MFLOP an image forward and backward, "
            f"{flops * images * self.epochs / 1e12:.3g} TFLOP in all",
        ]


def sgd(lr: float, weight_decay: float) -> Recipe:
    """Nesterov's momentum, and one rise and one fall of the learning rate."""
    return Recipe.of("sgd", "onecycle", lr, weight_decay, momentum=None, nesterov=True)


SPEEDRUNS = {
    run.name: run
    for run in (
        Speedrun("digits", 0.97, "digits", True, "speedrun-mnist", 4, 64, sgd(0.1, 5e-4), 0.1),
        Speedrun("mnist", 0.99, "mnist", False, "speedrun-mnist", 1, 128, sgd(0.1, 5e-4), 0.1),
        Speedrun("mnist-best", 0.995, "mnist", True, "speedrun-mnist-deep", 6, 128, sgd(0.1, 5e-4), 0.1),
        Speedrun("cifar10", 0.94, "cifar10", True, "speedrun-cifar10", 15, 256, sgd(0.2, 5e-4), 0.1, winograd=True),
    )
}
"""The recipes by name. `digits` needs no data set, and a few seconds."""


def batch_sizes(images: int, batch_size: int) -> list[int]:
    """The sizes of batches that so many images are cut into."""
    rest = images % batch_size
    return [batch_size] * (images >= batch_size) + [rest] * (rest > 0)


def training_flops(network: nn.Module, shape: tuple[int, int, int]) -> int:
    """Floating-point operations of one image's way through a network, forward and backward.

    A multiply-add counts two; only those of convolutions and linear layers count, as their definitions have them,
    even where an algorithm needs fewer. Backward, each layer takes as many for the gradient with respect to its weights
    and as many for that with respect to its input, which the first layer needs not.

    Args:
        network: all of whose convolutions and linear layers are modules.
        shape: (C, H, W) of an image.
    """
    from minicnn.summary import summary  # which loads Numba

    uses = [
        network.get_submodule(layer.name).weight.numel() * math.prod(layer.output_shape[2:])
        for layer in summary(network, (1, *shape)).layers
        if layer.kind in ("Conv2d", "Linear")
    ]
    return 2 * (3 * sum(uses) - uses[0])
