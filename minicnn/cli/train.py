"""`minicnn train`: from images to weights, their history, a picture of how it went, and a table on the way."""

import contextlib
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import typer

import minicnn
from minicnn import backends, optim
from minicnn.cli import options
from minicnn.cli.errors import UserError, plain_errors
from minicnn.cli.models import build, load_weights, size_of
from minicnn.cli.presets import PRESETS, Preset
from minicnn.cli.recipe import Recipe
from minicnn.training import Epoch, History, Story, fit, plot_history, save_checkpoint, save_history
from minicnn.utils.data import DataLoader

TEST_BATCH = 256

HEADER = "epoch   seconds   train loss   accuracy   test loss   accuracy"


@plain_errors
def train(
    model: options.Model = "lenet",
    dataset: options.Dataset = "digits",
    data_dir: options.DataDir = Path("data"),
    download: options.Download = False,
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
    winograd: Annotated[
        bool,
        typer.Option("--winograd", help="Allow Winograd's algorithm: fewer multiplications, larger rounding errors."),
    ] = False,
    output: options.Output = None,
) -> None:
    """Train a network, and save its weights, its history and a plot of its learning."""
    recipe = Recipe.of(optimizer, schedule, lr, weight_decay, momentum, nesterov)
    preset = PRESETS[dataset]
    epochs = epochs or preset.epochs
    augment = preset.augment if augment is None else augment
    folder = writable_folder(output or Path("runs", f"{dataset}-{model}"))
    if threads is not None:
        minicnn.set_num_threads(threads)
    minicnn.manual_seed(seed)

    algorithm = ", Winograd's algorithm" if winograd else ""
    print_line(f"Device      CPU, {count(minicnn.get_num_threads(), 'thread')}{algorithm}")
    network = build(model, preset.shape, len(preset.classes))
    parameters = sum(parameter.numel() for parameter in network.parameters())
    print_line(f"Model       {type(network).__name__}, {parameters:,} parameters, seed {seed}")
    if init is not None:
        load_weights(network, init, model)
        print_line(f"Start       {init}")
    train_set = preset.load(data_dir, download, train=True, augment=augment)
    test_set = preset.load(data_dir, download, train=False)
    print_line(data_line(preset, len(train_set), len(test_set), augment))
    print_line(f"Training    {recipe}, {epochs} epochs in batches of {batch_size}\n")

    train_loader = DataLoader(train_set, batch_size, shuffle=True)
    steps, scheduler, per_batch = recipe.prepare(optim, network.parameters(), epochs, len(train_loader))
    with progress(epochs, len(train_loader)) as (on_batch, on_epoch), backends.winograd(winograd):
        history = fit(
            network,
            train_loader,
            DataLoader(test_set, TEST_BATCH),
            steps,
            epochs=epochs,
            scheduler=scheduler,
            scheduler_per_batch=per_batch,
            on_batch=on_batch,
            on_epoch=on_epoch,
        )

    story = Story(
        model=model,
        dataset=dataset,
        classes=preset.classes,
        input_shape=list(preset.shape),
        mean=list(preset.mean),
        std=list(preset.std),
        seed=seed,
        threads=minicnn.get_num_threads(),
        settings={
            "optimizer": optimizer,
            "schedule": schedule,
            "epochs": epochs,
            "batch_size": batch_size,
            "augment": augment,
            "init": None if init is None else str(init),
            "winograd": winograd,
            **recipe.settings,
        },
        test_accuracy=history.last.test.accuracy,
        minicnn=minicnn.__version__,
    )
    save_checkpoint(network, folder / WEIGHTS, story)
    keep_history(history, folder, type(network).__name__, story, "minicnn")


WEIGHTS = "weights.safetensors"


def data_line(preset: Preset, train: int, test: int, augment: bool) -> str:
    """What is learned from, and tested on."""
    return (
        f"Data        {preset.title}, {train:,} images to train on{', shifted at random' if augment else ''}, "
        f"{test:,} to test on, {size_of(preset.shape)}"
    )


def keep_history(history: History, folder: Path, network: str, story: Story, by: str) -> None:
    """Write history and plot beside the weights, and print where all of them lie.

    Args:
        history: of the training.
        folder: where the weights are.
        network: the name of its class, for the title.
        story: of the weights.
        by: whose training it was.
    """
    numbers, plot = folder / "history.json", folder / "history.png"
    about = {name: getattr(story, name) for name in ("model", "dataset", "seed", "threads", "settings")}
    save_history(history, numbers, {"by": by, **about})
    title = f"{network} on {PRESETS[story.dataset].title}: {history.last.test.accuracy:.2%} of the test images"
    plot_history(history, plot, title)
    print_line(f"\nWeights     {folder / WEIGHTS}\nHistory     {numbers}\nPlot        {plot}")


def writable_folder(folder: Path) -> Path:
    """Make a folder, and find out before the training whether anything can be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise UserError(f"cannot write to {folder}: {error.strerror}") from error
    return folder


def print_line(line: str) -> None:
    """Print at once, even into a pipe."""
    typer.echo(line)


def count(number: int, noun: str) -> str:
    """A number and its noun."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def table_row(epoch: Epoch) -> str:
    """An epoch as a line of the table."""
    train, test = epoch.train, epoch.test
    return (
        f"{epoch.number:5}{epoch.seconds:10.2f}{train.loss:13.4f}{train.accuracy:11.2%}"
        f"{test.loss:12.4f}{test.accuracy:11.2%}"
    )


@contextlib.contextmanager
def progress(epochs: int, batches: int) -> Iterator[tuple[Callable | None, Callable]]:
    """Callbacks for `fit`: a bar that runs through every epoch on a terminal, and a table anywhere."""
    if not sys.stdout.isatty():
        print_line(HEADER)
        yield None, lambda epoch: print_line(table_row(epoch))
        return

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    console = Console(highlight=False)
    with Progress(
        TextColumn("epoch {task.fields[epoch]} of {task.fields[epochs]}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("loss {task.fields[loss]:.4f}"),
        console=console,
        transient=True,
    ) as bar:
        task = bar.add_task("", total=batches, epoch=1, epochs=epochs, loss=float("nan"))

        def on_batch(epoch: int, batch: int, loss: float) -> None:
            bar.update(task, completed=batch, epoch=epoch, loss=loss)

        console.print(HEADER, style="bold")
        yield on_batch, lambda epoch: console.print(table_row(epoch))
