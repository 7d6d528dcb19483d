"""`python -m reference.train`: what `minicnn train` does, in PyTorch, on the processor or on GPUs.

The same seed starts from the same weights as `minicnn train` and sees the same batches, augmentation included, so that
the two can be compared step by step. The weights it saves are minicnn's too: `minicnn evaluate` and `minicnn predict`
take them, and `--init` goes both ways.
"""

import contextlib
import statistics
from pathlib import Path
from typing import Annotated, Any

import torch
import typer

import minicnn
from minicnn.models import MODELS
from minicnn.recipes import options
from minicnn.recipes.errors import UserError, one_of, plain_errors
from minicnn.recipes.errors import say as print_line
from minicnn.recipes.folder import HISTORY, PLOT, WEIGHTS, writable
from minicnn.recipes.presets import PRESETS, Preset
from minicnn.recipes.recipe import Recipe
from minicnn.recipes.table import HEADER, count, data_line, plot_title, table_row
from minicnn.training import Story, plot_history, save_history
from reference import hardware, networks
from reference.data import ResidentImages
from reference.distributed import World, joined, local_rank
from reference.hardware import Choices, bf16_peak, choose, configure, training_flops
from reference.loop import Training

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)


@app.command(context_settings={"help_option_names": ["-h", "--help"]})
@plain_errors
def train(
    model: Annotated[str, typer.Argument(callback=one_of(MODELS), help=f"The network: {', '.join(MODELS)}.")] = "lenet",
    dataset: options.Dataset = "digits",
    data_dir: options.DataDir = Path("data"),
    download: options.Download = False,
    device: hardware.Device = "auto",
    amp: hardware.Amp = None,
    channels_last: hardware.ChannelsLast = None,
    compiled: hardware.Compiled = None,
    epochs: options.Epochs = None,
    batch_size: options.BatchSize = 64,
    optimizer: options.OptimizerName = "adam",
    lr: options.LearningRate = None,
    schedule: options.Schedule = "cosine",
    momentum: options.Momentum = None,
    nesterov: options.Nesterov = False,
    weight_decay: options.WeightDecay = None,
    augment: options.Augment = None,
    init: options.Init = None,
    seed: options.Seed = 0,
    threads: options.Threads = None,
    output: options.Output = None,
) -> None:
    """Train one of reference's networks in PyTorch, as `minicnn train` trains its twin.

    `torchrun --nproc-per-node N -m reference.train …` shares every batch out among N processes.
    """
    recipe = Recipe.of(optimizer, schedule, lr, weight_decay, momentum, nesterov)
    preset = PRESETS[dataset]
    epochs = epochs or preset.epochs
    augment = preset.augment if augment is None else augment
    if threads is not None:
        torch.set_num_threads(threads)
    choices = choose(device, local_rank(), amp, channels_last, compiled)
    configure(choices)
    folder = output or Path("runs", f"{dataset}-{model}-reference")
    with joined(choices.device) as world, writable(folder) if world.rank == 0 else contextlib.nullcontext():
        say = print_line if world.rank == 0 else lambda line: None
        say(f"Device      {choices}{f' in each of {world.size} processes' if world.size > 1 else ''}")
        minicnn.manual_seed(seed)
        torch.manual_seed(seed + world.rank)  # masks of dropout differ from process to process
        network = networks.fresh(model, preset.shape, len(preset.classes))
        parameters = sum(parameter.numel() for parameter in network.parameters())
        say(f"Model       {type(network).__name__}, {parameters:,} parameters, seed {seed}")
        if init is not None:
            networks.load(network, init, model)
            say(f"Start       {init}")
        network.to(choices.device).to(memory_format=choices.memory_format)
        train_images, test_images = load(preset, data_dir, download, augment, choices, world)
        check_shares(len(train_images), batch_size, world)
        say(data_line(preset, len(train_images), len(test_images), augment))
        say(f"Training    {recipe}, {count(epochs, 'epoch')} in batches of {batch_size}\n")

        steps = -(-len(train_images) // batch_size)
        fused = choices.device.type == "cuda"
        prepared = recipe.prepare(torch.optim, network.parameters(), epochs, steps, fused=fused)
        trained: Any = world.wrap(network)
        if choices.compiled:
            trained = torch.compile(trained, dynamic=False)  # one program for full batches, one for the last
        training = Training(network, trained, train_images, test_images, *prepared, batch_size, choices.bf16, world)
        say(HEADER + "   images/s")
        for _ in range(epochs):
            say(table_row(training.run_epoch()) + f"{training.speeds[-1]:11,.0f}")
        if world.rank > 0:
            return
        flops = training_flops(networks.on_meta(model, preset.shape, len(preset.classes)), preset.shape)
        say("\n" + speed_line(training.speeds, flops, choices, world))
        story = Story(
            model=model,
            dataset=dataset,
            classes=preset.classes,
            input_shape=list(preset.shape),
            mean=list(preset.mean),
            std=list(preset.std),
            seed=seed,
            threads=torch.get_num_threads(),
            settings={
                "optimizer": optimizer,
                "schedule": schedule,
                "epochs": epochs,
                "batch_size": batch_size,
                "augment": augment,
                "init": None if init is None else str(init),
                "torch": torch.__version__,
                "device": str(choices),
                "processes": world.size,
                **recipe.settings,
            },
            test_accuracy=training.history.last.test.accuracy,
            minicnn=minicnn.__version__,
        )
        minicnn.save(networks.arrays_of(network), folder / WEIGHTS, metadata=story.metadata())
        about = {name: getattr(story, name) for name in ("model", "dataset", "seed", "threads", "settings")}
        save_history(training.history, folder / HISTORY, {"by": "reference", **about})
        plot_history(training.history, folder / PLOT, plot_title(type(network).__name__, preset, training.history))
        say(f"\nWeights     {folder / WEIGHTS}\nHistory     {folder / HISTORY}\nPlot        {folder / PLOT}")


def load(
    preset: Preset, data_dir: Path, download: bool, augment: bool, choices: Choices, world: World
) -> tuple[ResidentImages, ResidentImages]:
    """The training and the test images, on the device; where they must be fetched, one process does."""
    with world.first_alone():
        train_set, test_set = (preset.load(data_dir, download, train=part) for part in (True, False))
    place = (preset, choices.device, choices.memory_format)
    return ResidentImages(train_set, *place, augment), ResidentImages(test_set, *place)


def check_shares(images: int, batch_size: int, world: World) -> None:
    """Raise UserError where a process would be left without an image of the smallest batch."""
    smallest = min(images, images % batch_size or batch_size)
    if smallest < world.size:
        raise UserError(
            f"{images:,} images in batches of {batch_size} leave {smallest} in the last batch, too few for "
            f"{world.size} processes: choose another --batch-size"
        )


def speed_line(speeds: list[float], flops: float, choices: Choices, world: World) -> str:
    """How fast it was: the median of all epochs but the first, which made the kernels.

    Args:
        speeds: images a second of every epoch.
        flops: of one image, forward and backward.
        choices: what it ran on.
        world: in how many processes.
    """
    speed = statistics.median(speeds[1:] or speeds)
    rate = speed * flops
    line = f"Speed       {speed:,.0f} images/s, " + (
        f"{rate / 1e12:.1f} TFLOP/s" if rate >= 1e12 else f"{rate / 1e9:.1f} GFLOP/s"
    )
    if not (choices.device.type == "cuda" and choices.bf16):
        return line
    name = torch.cuda.get_device_name(choices.device)
    peak = bf16_peak(name)
    if peak is None:
        return f"{line} (the bf16 peak of {name} is not known here)"
    return f"{line}, {rate / (peak * world.size):.1%} of the bf16 peak ({peak / 1e12:.0f} TFLOP/s a card)"


if __name__ == "__main__":
    app(prog_name="python -m reference.train")
