"""`minicnn train`: from images to weights, a picture of how it went, and a table on the way."""

import contextlib
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

import minicnn
from minicnn import optim
from minicnn.cli.errors import UserError, not_negative, one_of, plain_errors, positive, share
from minicnn.cli.models import build, size_of
from minicnn.cli.presets import PRESETS
from minicnn.models import MODELS
from minicnn.training import Epoch, Story, fit, plot_history, save_checkpoint
from minicnn.utils.data import DataLoader

OPTIMIZERS = {"adam": optim.Adam, "sgd": optim.SGD}
LEARNING_RATES = {"adam": 0.004, "sgd": 0.05}
MOMENTUM = 0.9
TEST_BATCH = 256

HEADER = "epoch   seconds   train loss   accuracy   test loss   accuracy"


@plain_errors
def train(
    model: Annotated[str, typer.Option(callback=one_of(MODELS), help=f"The network: {', '.join(MODELS)}.")] = "lenet",
    dataset: Annotated[
        str, typer.Option(callback=one_of(PRESETS), help=f"The images: {', '.join(PRESETS)}.")
    ] = "digits",
    data_dir: Annotated[
        Path, typer.Option(help="Folder of the data sets, laid out as torchvision's. Digits need none.")
    ] = Path("data"),
    download: Annotated[
        bool, typer.Option("--download/--no-download", help="Fetch a data set that isn't in --data-dir.")
    ] = False,
    epochs: Annotated[
        int | None,
        typer.Option(callback=positive, help="Walks through the training images.  [default: by data set]"),
    ] = None,
    batch_size: Annotated[int, typer.Option(callback=positive, help="Images per step.")] = 64,
    optimizer: Annotated[
        str, typer.Option(callback=one_of(OPTIMIZERS), help="What makes the steps: adam or sgd.")
    ] = "adam",
    lr: Annotated[
        float | None,
        typer.Option(
            callback=positive,
            help="Learning rate of the first epoch; it falls along a cosine, to nothing after the last.  "
            "[default: 0.004 for adam, 0.05 for sgd]",
        ),
    ] = None,
    momentum: Annotated[
        float | None,
        typer.Option(callback=share, help="Momentum, 0 to 1, of sgd alone.  [default: 0.9]"),
    ] = None,
    weight_decay: Annotated[
        float, typer.Option(callback=not_negative, help="Factor of the L2 penalty on all parameters.")
    ] = 0.0,
    augment: Annotated[
        bool | None,
        typer.Option(
            "--augment/--no-augment",
            help="Shift (and where it makes sense mirror) training images at random.  [default: by data set]",
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(help="Seed of all random numbers; the same seed and threads give the same weights.")
    ] = 0,
    threads: Annotated[
        int | None, typer.Option(callback=positive, help="Threads that compute.  [default: all cores]")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(help="Folder for the weights and the plot.  [default: runs/<dataset>-<model>]"),
    ] = None,
) -> None:
    """Train a network, and save its weights and a plot of its learning."""
    if momentum is not None and optimizer != "sgd":
        raise typer.BadParameter("only sgd has a momentum", param_hint="'--momentum'")
    preset = PRESETS[dataset]
    epochs = epochs or preset.epochs
    rate = LEARNING_RATES[optimizer] if lr is None else lr
    augment = preset.augment if augment is None else augment
    folder = writable_folder(output or Path("runs", f"{dataset}-{model}"))
    if threads is not None:
        minicnn.set_num_threads(threads)
    minicnn.manual_seed(seed)

    print_line(f"Device      CPU, {count(minicnn.get_num_threads(), 'thread')}")
    network = build(model, preset.shape, len(preset.classes))
    parameters = sum(parameter.numel() for parameter in network.parameters())
    print_line(f"Model       {type(network).__name__}, {parameters:,} parameters, seed {seed}")
    train_set = preset.load(data_dir, download, train=True, augment=augment)
    test_set = preset.load(data_dir, download, train=False)
    print_line(
        f"Data        {preset.title}, {len(train_set):,} images to train on"
        f"{', shifted at random' if augment else ''}, {len(test_set):,} to test on, {size_of(preset.shape)}"
    )
    settings: dict[str, Any] = {"lr": rate, "weight_decay": weight_decay}
    if optimizer == "sgd":
        settings["momentum"] = MOMENTUM if momentum is None else momentum
    steps = OPTIMIZERS[optimizer](network.parameters(), **settings)
    described = ", ".join(f"{name} {value:g}" for name, value in settings.items() if value)
    print_line(f"Training    {optimizer}, {described}, {epochs} epochs in batches of {batch_size}\n")

    train_loader = DataLoader(train_set, batch_size, shuffle=True)
    with progress(epochs, len(train_loader)) as (on_batch, on_epoch):
        history = fit(
            network,
            train_loader,
            DataLoader(test_set, TEST_BATCH),
            steps,
            epochs=epochs,
            scheduler=optim.lr_scheduler.CosineAnnealingLR(steps, epochs),
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
        settings={"optimizer": optimizer, "epochs": epochs, "batch_size": batch_size, "augment": augment} | settings,
        test_accuracy=history.last.test.accuracy,
        minicnn=minicnn.__version__,
    )
    weights, plot = folder / "weights.safetensors", folder / "history.png"
    save_checkpoint(network, weights, story)
    title = f"{type(network).__name__} on {preset.title}: {history.last.test.accuracy:.2%} of the test images"
    plot_history(history, plot, title)
    print_line(f"\nWeights     {weights}\nPlot        {plot}")


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
