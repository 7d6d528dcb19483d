"""`minicnn speedrun`: a stated accuracy as soon as can be, with the time of every part told apart."""

import contextlib
import copy
import json
import platform
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

import minicnn
from minicnn import backends, nn, optim
from minicnn.cli.compiling import Helper
from minicnn.cli.interrupts import STATUS, asked_to_stop
from minicnn.cli.progress import progress
from minicnn.models import MODELS
from minicnn.random import Generator, get_rng_state, set_rng_state
from minicnn.recipes import folder as folders
from minicnn.recipes import options
from minicnn.recipes.errors import one_of, plain_errors, positive, say, tell
from minicnn.recipes.peak import sgemm_peak
from minicnn.recipes.report import LAP_HEADER, Lap, Report, Run, leave
from minicnn.recipes.speedrun import SPEEDRUNS, Speedrun, batch_sizes, training_flops
from minicnn.recipes.table import count
from minicnn.training import Callback, Epoch, History, StoppedError, fit
from minicnn.utils.data import DataLoader

TEST_BATCH = 500


@plain_errors
def speedrun(
    recipe: Annotated[str, typer.Argument(callback=one_of(SPEEDRUNS), help=f"The race: {', '.join(SPEEDRUNS)}.")],
    data_dir: options.DataDir = Path("data"),
    download: options.Download = False,
    seed: Annotated[int, typer.Option(help="Seed of the first run; the next one's is one more.")] = 0,
    seeds: Annotated[int, typer.Option(callback=positive, help="How many runs, each of a seed of its own.")] = 1,
    threads: options.Threads = None,
    winograd: Annotated[
        bool | None,
        typer.Option(
            "--winograd/--no-winograd",
            help="Allow Winograd's algorithm: fewer multiplications, larger rounding errors.  [default: by recipe]",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(help="Folder for report, plot and histories.  [default: runs/speedrun-<recipe>]"),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is in the folder already.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one line of JSON at the end, and nothing else.")
    ] = False,
) -> None:
    """Train a small network to a stated accuracy as fast as can be, and report where the time went.

    Reading the data, compiling, training and evaluating are timed apart. `python -m reference.speedrun` runs the same
    recipes in PyTorch, from the same weights on the same batches. Exit status 0: it is done; 1: it failed; 2: the
    options are wrong; 130: it was interrupted, and the runs that had ended are reported.
    """
    chosen, folder = SPEEDRUNS[recipe], folders.choose(output, Path("runs", f"speedrun-{recipe}"), overwrite)
    shown = not (quiet or as_json)
    print_line = say if shown else lambda line: None
    if threads is not None:
        minicnn.set_num_threads(threads)
    allowed = chosen.winograd if winograd is None else winograd
    with folders.writable(folder), asked_to_stop() as stop, backends.winograd(allowed):
        race = Race(chosen, data_dir, download)
        race.report.machine["device"] += ", Winograd's algorithm" if allowed else ""
        for line in race.lines():
            print_line(line)
        folders.clear(folder)
        try:
            for number in range(seeds):
                header = LAP_HEADER if number == 0 else None
                table = (header, chosen.epochs, race.batches, chosen.batch_size, print_line)
                with progress(*table) if shown else contextlib.nullcontext((None, print_line)) as (on_batch, print_row):
                    race.run(seed + number, on_batch, print_row, stop)
                leave(race.report, folder)
        except StoppedError as error:
            tell(f"stopped after batch {error.batch} of epoch {error.epoch} with seed {seed + number}")
            raise typer.Exit(STATUS) from error
        finally:
            race.tell_outcome(folder, print_line)
    if as_json:
        say(json.dumps({"output": str(folder), **race.report.content()["summary"]}))


class Race:
    """The data of a recipe, and the runs so far.

    Args:
        speedrun: the recipe.
        data_dir, download: where its data are, and whether to fetch them.
    """

    def __init__(self, speedrun: Speedrun, data_dir: Path, download: bool) -> None:
        self.speedrun = speedrun
        began = time.perf_counter()
        self.train_set, self.test_set = speedrun.load(data_dir, download)
        loading = time.perf_counter() - began
        self.batches = speedrun.steps_per_epoch(len(self.train_set))
        helper = Helper(speedrun.steps.optimizer)
        with helper.called():
            flops = training_flops(self.network(), speedrun.preset.shape)
        helper.wait()  # which would take its core from what is measured now
        self.report = Report(
            "minicnn",
            speedrun,
            machine={
                "device": f"CPU, {count(minicnn.get_num_threads(), 'thread')}",
                "processor": platform.processor() or platform.machine(),
                "python": platform.python_version(),
                "numpy": np.__version__,
                "numba": version("numba"),
                "minicnn": minicnn.__version__,
            },
            threads=minicnn.get_num_threads(),
            flops=flops,
            images=len(self.train_set),
            peak=sgemm_peak(_own_product),
            loading=loading,
        )

    def network(self) -> nn.Module:
        """The recipe's, its weights drawn from the generator."""
        preset = self.speedrun.preset
        return MODELS[self.speedrun.model](num_classes=len(preset.classes), in_channels=preset.shape[0])

    def lines(self) -> list[str]:
        """What is about to happen."""
        report = self.report
        parameters = sum(parameter.numel() for parameter in self.network().parameters())
        return [*self.speedrun.lines(parameters, report.images, report.flops), *report.device_lines()]

    def run(self, seed: int, on_batch: Any, print_row: Any, stop: Any) -> Run:
        """One run, which the report has too."""
        speedrun = self.speedrun
        minicnn.manual_seed(seed)
        network = self.network()
        run = Run(seed, self.warm_up(network))
        run.history = self.fit(
            network,
            DataLoader(self.train_set, speedrun.batch_size, shuffle=True),
            DataLoader(self.test_set, TEST_BATCH),
            speedrun.epochs,
            on_batch=on_batch,
            on_epoch=lambda epoch: print_row(run.lap_line()),
            callbacks=[Stopwatch(run)],
            stop=stop,
        )
        self.report.runs.append(run)
        return run

    def fit(self, network: nn.Module, train: Any, test: Any, epochs: int, **options: Any) -> History:
        """Train a network on what `train` yields, and evaluate it on what `test` yields, as the recipe says."""
        optimizer, scheduler, per_batch = self.speedrun.steps.prepare(optim, network.parameters(), epochs, len(train))
        loss = nn.CrossEntropyLoss(label_smoothing=self.speedrun.label_smoothing)
        return fit(
            network, train, test, loss, optimizer, epochs, scheduler=scheduler, scheduler_per_batch=per_batch, **options
        )

    def warm_up(self, network: nn.Module) -> float:
        """Have every kernel compiled, or read from the cache: a step and an evaluation of batches of each size.

        A copy of the network takes them; neither the network nor the generator is changed.

        Returns: the seconds it took.
        """
        began, before = time.perf_counter(), get_rng_state()
        copied, own = copy.deepcopy(network), Generator()
        train, test = (
            [next(iter(DataLoader(images, size, sampler=range(size), generator=own))) for size in sizes]
            for images, sizes in (
                (self.train_set, batch_sizes(len(self.train_set), self.speedrun.batch_size)),
                (self.test_set, batch_sizes(len(self.test_set), TEST_BATCH)),
            )
        )
        self.fit(copied, train, test, epochs=1)
        set_rng_state(before)
        return time.perf_counter() - began

    def tell_outcome(self, folder: Path, print_line: Any) -> None:
        """Print the means of all runs, if there are any, and where the report is."""
        if self.report.runs:
            where = f"Report      {folder / folders.REPORT}, and as a plot {folders.REPORT_PLOT}"
            for line in ["", *self.report.lines(), where]:
                print_line(line)


class Stopwatch(Callback):
    """Notes the laps of a run, training and evaluation apart."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def on_begin(self, history: History) -> None:
        self.began = time.perf_counter()

    def on_batch(self, epoch: int, batch: int, loss: float) -> None:
        self.trained = time.perf_counter()

    def on_epoch(self, epoch: Epoch) -> None:
        now = time.perf_counter()
        self.run.laps.append(Lap.of(epoch, self.trained - self.began, now - self.trained))
        self.began = now


def _own_product(a: np.ndarray) -> Callable[[], Any]:
    """What multiplies a matrix by its transpose with minicnn's kernels, which may beat BLAS; see `sgemm_peak`."""
    matrix = minicnn.from_numpy(a)
    return lambda: nn.functional.linear(matrix, matrix)
