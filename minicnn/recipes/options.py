"""The options of a training, which `minicnn train` and its PyTorch twin share."""

from pathlib import Path
from typing import Annotated

import typer

from minicnn.models import MODELS
from minicnn.recipes.errors import not_negative, one_of, positive, share
from minicnn.recipes.presets import PRESETS
from minicnn.recipes.recipe import OPTIMIZERS, SCHEDULES


def _by_optimizer(setting: str) -> str:
    """`[default: 0.004 for adam, …]`"""
    values = (f"{getattr(habits, setting):g} for {name}" for name, habits in OPTIMIZERS.items())
    return f"[default: {', '.join(values)}]"


Dataset = Annotated[str, typer.Option(callback=one_of(PRESETS), help=f"The images: {', '.join(PRESETS)}.")]
DataDir = Annotated[Path, typer.Option(help="Folder of the data sets, laid out as torchvision's. Digits need none.")]
Download = Annotated[bool, typer.Option("--download/--no-download", help="Fetch a data set that isn't in --data-dir.")]
Epochs = Annotated[
    int | None, typer.Option(callback=positive, help="Walks through the training images.  [default: by data set]")
]
BatchSize = Annotated[int, typer.Option(callback=positive, help="Images per step.")]
OptimizerName = Annotated[
    str, typer.Option(callback=one_of(OPTIMIZERS), help=f"What makes the steps: {', '.join(OPTIMIZERS)}.")
]
LearningRate = Annotated[
    float | None,
    typer.Option(callback=positive, help=f"The highest learning rate; --schedule moves it.  {_by_optimizer('lr')}"),
]
Schedule = Annotated[
    str,
    typer.Option(
        callback=one_of(SCHEDULES),
        help="What the learning rate does: " + "; ".join(f"{name}, {what}" for name, what in SCHEDULES.items()) + ".",
    ),
]
Momentum = Annotated[float | None, typer.Option(callback=share, help="Momentum, 0 to 1, of sgd alone.  [default: 0.9]")]
Nesterov = Annotated[bool, typer.Option("--nesterov", help="Let sgd look ahead, as Nesterov does.")]
WeightDecay = Annotated[
    float | None,
    typer.Option(
        callback=not_negative,
        help="Factor of the L2 penalty on all parameters; for adamw, of their decay.  " + _by_optimizer("weight_decay"),
    ),
]
Augment = Annotated[
    bool | None,
    typer.Option(
        "--augment/--no-augment",
        help="Shift (and where it makes sense mirror) training images at random.  [default: by data set]",
    ),
]
Init = Annotated[
    Path | None,
    typer.Option(help="Start from the weights in this file, whoever wrote them.  [default: fresh ones]"),
]
Seed = Annotated[int, typer.Option(help="Seed of all random numbers; the same seed and threads give the same weights.")]
Threads = Annotated[int | None, typer.Option(callback=positive, help="Threads that compute.  [default: all cores]")]
Output = Annotated[
    Path | None,
    typer.Option(help="Folder for weights, history and plot.  [default: runs/<dataset>-<model>]"),
]
Model = Annotated[str, typer.Option(callback=one_of(MODELS), help=f"The network: {', '.join(MODELS)}.")]
