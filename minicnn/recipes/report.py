"""What speedruns leave: a line for every epoch, a report as JSON, and a plot of accuracy against time."""

import json
import os
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from minicnn.palette import GRID, INK, OURS, THEIRS
from minicnn.recipes.folder import HISTORY, REPORT, REPORT_PLOT
from minicnn.recipes.speedrun import Speedrun
from minicnn.recipes.table import count
from minicnn.serialization import replacing
from minicnn.training import Epoch, History, save_history

LAP_HEADER = "seed   epoch   training   evaluation   train loss   accuracy"


@dataclass(frozen=True)
class Lap:
    """An epoch of a run.

    Attributes:
        training, evaluation: seconds.
        train_loss: mean over the epoch's batches, each before the step it caused.
        accuracy: on the test images afterwards, 0 to 1.
    """

    training: float
    evaluation: float
    train_loss: float
    accuracy: float

    @classmethod
    def of(cls, epoch: Epoch, training: float, evaluation: float) -> "Lap":
        """An epoch's record and its two times."""
        return cls(training, evaluation, epoch.train.loss, epoch.test.accuracy)


@dataclass
class Run:
    """One seed's run.

    Attributes:
        seed: where the random numbers started.
        compiling: seconds that one step and one evaluation of batches of each size took before it, on other weights.
        laps: its epochs.
        history: what the training recorded.
    """

    seed: int
    compiling: float
    laps: list[Lap] = field(default_factory=list)
    history: History = field(default_factory=History)

    @property
    def accuracy(self) -> float:
        """On the test images, after the last epoch."""
        return self.laps[-1].accuracy

    @property
    def training(self) -> float:
        """Seconds of training, evaluation left out."""
        return sum(lap.training for lap in self.laps)

    @property
    def evaluation(self) -> float:
        """Seconds of evaluation."""
        return sum(lap.evaluation for lap in self.laps)

    def lap_line(self) -> str:
        """The last epoch as a line under `LAP_HEADER`, its time counted from the start of the run."""
        lap = self.laps[-1]
        return (
            f"{self.seed:4}{len(self.laps):8}{self.training:10.2f}s{self.evaluation:12.2f}s{lap.train_loss:13.4f}"
            f"{lap.accuracy:11.2%}"
        )


@dataclass
class Report:
    """Several seeds' runs of one recipe.

    Attributes:
        by: the program, "minicnn" or "reference".
        speedrun: the recipe.
        machine: what it ran on, in words, and versions.
        threads: how many computed.
        flops: of one image, forward and backward.
        images: how many are learned from in an epoch.
        peak: FLOP/s that the machine reaches in a matrix product; None where it isn't known.
        loading: seconds of reading the data set.
        runs: one a seed.
    """

    by: str
    speedrun: Speedrun
    machine: dict[str, str]
    threads: int
    flops: int
    images: int
    peak: float | None
    loading: float
    runs: list[Run] = field(default_factory=list)

    def rate(self, run: Run) -> float:
        """FLOP/s of a run's training."""
        return self.flops * self.images * self.speedrun.epochs / run.training

    def share(self, run: Run) -> float | None:
        """Of the machine's peak, in a run's training."""
        return None if self.peak is None else self.rate(run) / self.peak

    def device_lines(self) -> list[str]:
        """What the runs are made on, and what it can do at most."""
        most = "" if self.peak is None else f", {self.peak / 1e9:,.0f} GFLOP/s in a matrix product"
        return [f"Device      {self.machine['device']}{most}\n"]

    def figures(self) -> dict[str, list[float]]:
        """What is told of all runs: name → one number a run."""
        names = ("accuracy", "training", "evaluation", "compiling")
        return {name: [getattr(run, name) for run in self.runs] for name in names}

    def lines(self) -> list[str]:
        """The outcome as a command prints it: means, and standard deviations where there are several runs."""
        told = self.figures()
        accuracy, training = told["accuracy"], told["training"]
        goal = self.speedrun.goal
        reached = "reached" if statistics.fmean(accuracy) >= goal else "missed"
        rate = statistics.fmean(self.rate(run) for run in self.runs)
        shares = [share for share in map(self.share, self.runs) if share is not None]
        of_peak = f", {statistics.fmean(shares):.1%} of what a matrix product reaches" if shares else ""
        return [
            f"Accuracy    {spread([100 * one for one in accuracy], ' %')} after {count(len(self.runs), 'run')}, "
            f"{min(accuracy):.2%} to {max(accuracy):.2%}; the goal of {goal:.1%} is {reached}",
            f"Training    {spread(training, ' s')}, {rate / 1e9:,.0f} GFLOP/s{of_peak}",
            f"Apart       evaluation {spread(told['evaluation'], ' s')}, compiling {spread(told['compiling'], ' s')}, "
            f"loading {self.loading:.2f} s",
        ]

    def content(self) -> dict[str, Any]:
        """The report as it is written."""
        speedrun = self.speedrun
        steps = speedrun.preset.augmentation if speedrun.augment else []
        recipe = asdict(speedrun) | {"augmentation": [repr(step) for step in steps]}
        return {
            "by": self.by,
            "recipe": recipe,
            "machine": self.machine,
            "threads": self.threads,
            "flops_per_image": self.flops,
            "flops": self.flops * self.images * speedrun.epochs,
            "peak_flops_per_second": self.peak,
            "seconds_loading": self.loading,
            "summary": {name: summarised(values) for name, values in self.figures().items()},
            "runs": [
                {
                    "seed": run.seed,
                    "accuracy": run.accuracy,
                    "seconds_training": run.training,
                    "seconds_evaluation": run.evaluation,
                    "seconds_compiling": run.compiling,
                    "flops_per_second": self.rate(run),
                    "share_of_peak": self.share(run),
                    "epochs": [asdict(lap) for lap in run.laps],
                }
                for run in self.runs
            ],
        }


def spread(values: Sequence[float], unit: str) -> str:
    """`9.31 s`, or `9.31 ± 0.05 s`: the mean, and the standard deviation of several."""
    mean = f"{statistics.fmean(values):.2f}"
    return f"{mean} ± {statistics.stdev(values):.2f}{unit}" if len(values) > 1 else f"{mean}{unit}"


def summarised(values: Sequence[float]) -> dict[str, float | None]:
    """Mean, standard deviation (None of a single value), least and most."""
    return {
        "mean": statistics.fmean(values),
        "std": statistics.stdev(values) if len(values) > 1 else None,
        "least": min(values),
        "most": max(values),
    }


def leave(report: Report, folder: Path) -> list[Path]:
    """Write what a run adds: the report and the plot anew, and the history of the last run.

    A history is as `minicnn train` writes it, for `python -m benchmarks.curves`.

    Returns: where the report and the plot are.
    """
    run, speedrun = report.runs[-1], report.speedrun
    settings = {
        "epochs": speedrun.epochs,
        "batch_size": speedrun.batch_size,
        "augment": speedrun.augment,
        "label_smoothing": speedrun.label_smoothing,
        "optimizer": speedrun.steps.optimizer,
        "schedule": speedrun.steps.schedule,
        **speedrun.steps.settings,
    }
    about = {"by": report.by, "model": speedrun.model, "dataset": speedrun.dataset, "seed": run.seed}
    seed_folder = folder / f"seed-{run.seed}"
    seed_folder.mkdir(exist_ok=True)
    save_history(run.history, seed_folder / HISTORY, about | {"threads": report.threads, "settings": settings})
    with replacing(folder / REPORT) as file:
        file.write(json.dumps(report.content(), indent=1).encode() + b"\n")
    plot(report, folder / REPORT_PLOT)
    return [folder / REPORT, folder / REPORT_PLOT]


def plot(report: Report, path: str | os.PathLike[str]) -> None:
    """Draw the accuracy on the test images against the seconds of training, a line a run, and the goal."""
    from matplotlib.figure import Figure  # without pyplot, which takes a second to import
    from matplotlib.ticker import PercentFormatter

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for run in report.runs:
        times = [sum(lap.training for lap in run.laps[: number + 1]) for number in range(len(run.laps))]
        axes.plot(times, [lap.accuracy for lap in run.laps], "o-", color=OURS, markersize=3.5, alpha=0.7)
    axes.axhline(report.speedrun.goal, color=THEIRS, linestyle="--")
    axes.annotate("goal", (0, report.speedrun.goal), color=INK, va="bottom")
    axes.set_title(f"{report.speedrun.name}, {report.by}, {report.machine['device']}", loc="left", color=INK)
    axes.set_xlabel("seconds of training", color=INK)
    axes.set_ylabel("accuracy on the test images", color=INK)
    axes.set_xlim(left=0)
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.grid(axis="y", color=GRID)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    with replacing(path) as file:
        figure.savefig(file, format="png", dpi=150)
