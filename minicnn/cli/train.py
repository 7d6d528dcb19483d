"""`minicnn train`: from images to weights, their history, a picture of how it went, and a table on the way."""

import contextlib
import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

import minicnn
from minicnn import backends, optim
from minicnn.cli.compiling import Helper, compile_ahead
from minicnn.cli.interrupts import STATUS, asked_to_stop
from minicnn.cli.progress import progress
from minicnn.recipes import folder as folders
from minicnn.recipes import options
from minicnn.recipes.errors import UserError, plain_errors, positive, say, tell
from minicnn.recipes.folder import WEIGHTS
from minicnn.recipes.models import build, load_weights
from minicnn.recipes.presets import PRESETS
from minicnn.recipes.recipe import Recipe
from minicnn.recipes.table import HEADER, count, data_line, plot_title, table_row
from minicnn.training import (
    Callback,
    Epoch,
    History,
    StoppedError,
    Story,
    fit,
    load_snapshot,
    plot_history,
    save_checkpoint,
    save_history,
    save_table,
)
from minicnn.utils.data import DataLoader

TEST_BATCH = 256

OWN = ("resume", "checkpoint_every", "quiet", "as_json", "tensorboard")
"""Options that go with --resume: they don't change what is computed."""


@plain_errors
def train(
    context: typer.Context,
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
    conv: Annotated[
        str | None,
        typer.Option(help="Convolve by your own function: file.py:conv2d, on NumPy arrays.", show_default=False),
    ] = None,
    conv_backward: Annotated[
        str | None,
        typer.Option(help="Your own function for the gradients: file.py:conv2d_backward.", show_default=False),
    ] = None,
    patience: Annotated[
        int | None,
        typer.Option(callback=positive, help="End after so many epochs without a better test accuracy."),
    ] = None,
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="Leave out the steps whose loss is not finite, instead of ending.")
    ] = False,
    output: options.Output = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the training that is in the folder already.")
    ] = False,
    checkpoint_every: Annotated[
        int | None,
        typer.Option(callback=positive, help="Steps between checkpoints.  [default: an epoch]"),
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(help="Go on with the interrupted training in this folder, with its options, to its last epoch."),
    ] = None,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Write events for TensorBoard, too; needs tensorboardX.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one line of JSON at the end, and nothing else.")
    ] = False,
) -> None:
    """Train a network, and save its weights, its history and a plot of its learning.

    Ctrl-C ends it after the current batch; `minicnn train --resume FOLDER` goes on, and ends with the same weights, to
    the bit, as without an interruption. Exit status 0: it is done; 1: it failed; 2: the options are wrong; 130: it was
    interrupted.
    """
    asked = {name: value for name, value in context.params.items() if name not in OWN}
    if resume is not None:
        for name in asked:
            if getattr(context.get_parameter_source(name), "name", None) == "COMMANDLINE":
                option = f"--{name.replace('_', '-')}"
                raise typer.BadParameter("an interrupted training keeps its options", param_hint=f"'{option}'")
        snapshot, folder = _snapshot_of(resume), resume
        asked = snapshot["about"] | {"output": folder}
    else:
        snapshot, folder = None, folders.choose(output, Path("runs", f"{dataset}-{model}"), overwrite)
    print_line = (lambda line: None) if quiet or as_json else say
    with folders.writable(folder), asked_to_stop() as stop:
        try:
            training = Training(asked, folder, snapshot, print_line)
            history = training.run(checkpoint_every, tensorboard, stop, not (quiet or as_json))
        except StoppedError as error:
            how = f"minicnn train --resume {shlex.quote(str(folder))}"
            tell(f"stopped after batch {error.batch} of epoch {error.epoch}; to go on: {how}")
            raise typer.Exit(STATUS) from error
        training.leave(history)
    if as_json:
        last = history.last
        result = {"output": str(folder), "epochs": last.number, "test_loss": last.test.loss}
        result |= {"test_accuracy": last.test.accuracy, "train_loss": last.train.loss}
        say(json.dumps(result | {"seconds": sum(epoch.seconds for epoch in history.epochs)}))


def _snapshot_of(folder: Path) -> dict[str, Any]:
    """The snapshot of the interrupted training in a folder; under "about" the options it was given.

    Raises:
        UserError: where there is none.
    """
    try:
        content = load_snapshot(folder / folders.SNAPSHOT, tell)
    except FileNotFoundError:
        what = "its training has ended" if (folder / WEIGHTS).exists() else "there is no checkpoint"
        raise UserError(f"nothing to go on with in {folder}: {what}") from None
    about = content.get("about") if isinstance(content, dict) else None
    if not isinstance(about, dict) or not {"model", "dataset", "data_dir", "init", "seed"} <= about.keys():
        raise UserError(f"{folder / folders.SNAPSHOT} was not written by minicnn train")
    about |= {name: Path(about[name]) for name in ("data_dir", "init") if about[name] is not None}
    return content


class Training:
    """What the options ask for, made ready.

    Args:
        asked: the options, by name.
        folder: where everything goes.
        snapshot: what to go on from, if anything.
        print_line: where lines go.
    """

    def __init__(self, asked: dict[str, Any], folder: Path, snapshot: Any, print_line: Callable[[str], Any]) -> None:
        self.asked, self.folder, self.snapshot, self.print_line = asked, folder, snapshot, print_line
        self.recipe = Recipe.of(
            *(asked[name] for name in ("optimizer", "schedule", "lr", "weight_decay", "momentum", "nesterov"))
        )
        self.preset = preset = PRESETS[asked["dataset"]]
        self.epochs = asked["epochs"] or preset.epochs
        self.augment = preset.augment if asked["augment"] is None else asked["augment"]
        if asked["threads"] is not None:
            minicnn.set_num_threads(asked["threads"])
        minicnn.manual_seed(asked["seed"])
        algorithm = ", Winograd's algorithm" if asked["winograd"] else ""
        print_line(f"Device      CPU, {count(minicnn.get_num_threads(), 'thread')}{algorithm}")
        usual = not self.own_convolution and not asked["winograd"]
        self.helper = Helper(asked["optimizer"]) if usual else None
        with contextlib.nullcontext() if self.helper is None else self.helper.called():
            self.network = network = build(asked["model"], preset.shape, len(preset.classes))
        parameters = sum(parameter.numel() for parameter in network.parameters())
        print_line(f"Model       {type(network).__name__}, {parameters:,} parameters, seed {asked['seed']}")
        own = self.own_convolution
        if own:
            try:
                from minicnn.learn.own import install
            except ModuleNotFoundError as error:
                raise UserError(f"--conv needs {error.name}, which is not installed") from None
            layers = install(network, own.get("conv"), own.get("conv_backward"))
            print_line(f"Convolution {' and '.join(own.values())}, in {count(layers, 'layer')}")
        if asked["init"] is not None and snapshot is None:
            load_weights(network, asked["init"], asked["model"])
            print_line(f"Start       {asked['init']}")
        where = (asked["data_dir"], asked["download"])
        train_set = preset.load(*where, train=True, augment=self.augment)
        test_set = preset.load(*where, train=False)
        print_line(data_line(preset, len(train_set), len(test_set), self.augment))
        plan = f"{count(self.epochs, 'epoch')} in batches of {asked['batch_size']}"
        print_line(f"Training    {self.recipe}, {plan}{'' if snapshot is None else ', resumed'}\n")
        self.train_loader = DataLoader(train_set, asked["batch_size"], shuffle=True)
        self.test_loader = DataLoader(test_set, TEST_BATCH)

    def run(self, every: int | None, tensorboard: bool, stop: Callable[[], bool], shown: bool) -> History:
        """Train; see `fit` for `every` and `stop`, `shown` is whether the progress is."""
        if self.helper is not None and self.helper.process is not None:
            compile_ahead(self.network, self.preset.shape, self.helper)
        steps, scheduler, per_batch = self.recipe.prepare(
            optim, self.network.parameters(), self.epochs, len(self.train_loader)
        )
        if self.snapshot is None:
            folders.clear(self.folder)
        growing = Growing(self.folder, self.about)
        callbacks: list[Callback] = [growing]
        if tensorboard:
            callbacks.append(Events(self.folder))
        batches, size = len(self.train_loader), self.asked["batch_size"]
        shower = (
            progress(HEADER, self.epochs, batches, size, self.print_line)
            if shown
            else contextlib.nullcontext((None, None))
        )
        with contextlib.ExitStack() as last:
            last.callback(growing.write)
            on_batch, print_row = last.enter_context(shower)
            last.enter_context(backends.winograd(self.asked["winograd"]))
            return fit(
                self.network,
                self.train_loader,
                self.test_loader,
                None,
                steps,
                self.epochs,
                scheduler=scheduler,
                scheduler_per_batch=per_batch,
                on_batch=on_batch,
                on_epoch=None if print_row is None else lambda epoch: print_row(table_row(epoch)),
                callbacks=callbacks,
                save_best=lambda epoch: save_checkpoint(self.network, self.folder / folders.BEST, self.story(epoch)),
                patience=self.asked["patience"],
                keep_going=self.asked["keep_going"],
                snapshot=self.folder / folders.SNAPSHOT,
                snapshot_every=every,
                about={name: str(x) if isinstance(x, Path) else x for name, x in self.asked.items()},
                resume=False if self.snapshot is None else self.snapshot,
                stop=stop,
            )

    @property
    def own_convolution(self) -> dict[str, str]:
        """The functions of one's own, by option; checkpoints of former versions know of none."""
        return {name: self.asked[name] for name in ("conv", "conv_backward") if self.asked.get(name)}

    @property
    def settings(self) -> dict[str, Any]:
        """What decided the outcome."""
        asked = self.asked
        return {
            "optimizer": asked["optimizer"],
            "schedule": asked["schedule"],
            "epochs": self.epochs,
            "batch_size": asked["batch_size"],
            "augment": self.augment,
            "init": None if asked["init"] is None else str(asked["init"]),
            "winograd": asked["winograd"],
            **self.own_convolution,
            **self.recipe.settings,
        }

    @property
    def about(self) -> dict[str, Any]:
        """What the history says of the training."""
        told = {name: self.asked[name] for name in ("model", "dataset", "seed")}
        return {"by": "minicnn", **told, "threads": minicnn.get_num_threads(), "settings": self.settings}

    def story(self, epoch: Epoch) -> Story:
        """That of the weights after an epoch."""
        preset = self.preset
        return Story(
            model=self.asked["model"],
            dataset=self.asked["dataset"],
            classes=preset.classes,
            input_shape=list(preset.shape),
            mean=list(preset.mean),
            std=list(preset.std),
            seed=self.asked["seed"],
            threads=minicnn.get_num_threads(),
            settings=self.settings,
            test_accuracy=epoch.test.accuracy,
            minicnn=minicnn.__version__,
        )

    def leave(self, history: History) -> None:
        """Write what a training leaves, the plot first and the weights last, and take the checkpoint away."""
        folder, network = self.folder, type(self.network).__name__
        plot_history(history, folder / folders.PLOT, plot_title(network, self.preset, history))
        save_checkpoint(self.network, folder / WEIGHTS, self.story(history.last))
        folders.end(folder)
        best = max(history.epochs, key=lambda epoch: (epoch.test.accuracy, -epoch.test.loss))
        if len(history.epochs) < self.epochs:
            self.print_line(f"\nEnded       after epoch {len(history.epochs)}: no better one than epoch {best.number}")
        self.print_line(f"\nWeights     {folder / WEIGHTS}")
        self.print_line(f"Best        {folder / folders.BEST}, {best.test.accuracy:.2%} after epoch {best.number}")
        self.print_line(f"History     {folder / folders.HISTORY}, and as a table {folders.TABLE}")
        self.print_line(f"Plot        {folder / folders.PLOT}")
        self.print_line(f"Next        minicnn predict {shlex.quote(str(folder / WEIGHTS))} PICTURE")


GROWTH = 1 / 20
"""By what share a history has grown when its JSON, with the loss of every step, is written anew: so often that an epoch
takes no longer the more there are before it."""


class Growing(Callback):
    """Writes the history as CSV after every epoch; as JSON where it has grown by `GROWTH`, and at the end."""

    def __init__(self, folder: Path, about: dict[str, Any]) -> None:
        self.folder, self.about = folder, about
        self.history, self.written = History(), 0

    def on_begin(self, history: History) -> None:
        self.history = history

    def on_epoch(self, epoch: Epoch) -> None:
        save_table(self.history, self.folder / folders.TABLE)
        if len(self.history.epochs) - self.written >= GROWTH * self.written:
            self.write()

    def write(self) -> None:
        """Write the JSON, if there is anything new."""
        if self.written < len(self.history.epochs):
            save_history(self.history, self.folder / folders.HISTORY, self.about)
            self.written = len(self.history.epochs)


class Events(Callback):
    """Writes events for TensorBoard."""

    def __init__(self, folder: Path) -> None:
        try:
            from minicnn.utils.tensorboard import SummaryWriter
        except ModuleNotFoundError as error:
            raise UserError(f"--tensorboard needs tensorboardX: pip install tensorboardX ({error.name})") from None
        self.writer = SummaryWriter(str(folder / folders.EVENTS))

    def on_epoch(self, epoch: Epoch) -> None:
        for part in ("train", "test"):
            for name, value in getattr(epoch, part)._asdict().items():
                self.writer.add_scalar(f"{name}/{part}", value, epoch.number)
        self.writer.add_scalar("learning_rate", epoch.learning_rate, epoch.number)

    def on_end(self, history: History) -> None:
        self.writer.close()
