"""`python -m reference.speedrun`: what `minicnn speedrun` does, in PyTorch, on the processor or on a GPU.

A recipe's runs start from the same weights as minicnn's of the same seed and see the same batches, shifts included, so
that their curves of loss lie over each other until rounding has grown.
"""

import platform
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any

import numpy as np
import torch
import typer
from torch import nn

import minicnn
from minicnn.random import get_rng_state, set_rng_state
from minicnn.recipes import folder as folders
from minicnn.recipes import options
from minicnn.recipes.errors import one_of, plain_errors, positive, say
from minicnn.recipes.peak import sgemm_peak
from minicnn.recipes.report import LAP_HEADER, Lap, Report, Run, leave
from minicnn.recipes.speedrun import SPEEDRUNS, Speedrun, batch_sizes
from reference import hardware, networks
from reference.data import ResidentImages
from reference.distributed import World
from reference.hardware import Choices, bf16_peak, choose, configure, torch_product, training_flops
from reference.loop import TEST_BATCH, Training

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)


@app.command(context_settings={"help_option_names": ["-h", "--help"]})
@plain_errors
def speedrun(
    recipe: Annotated[str, typer.Argument(callback=one_of(SPEEDRUNS), help=f"The race: {', '.join(SPEEDRUNS)}.")],
    data_dir: options.DataDir = Path("data"),
    download: options.Download = False,
    device: hardware.Device = "auto",
    amp: hardware.Amp = None,
    channels_last: hardware.ChannelsLast = None,
    compiled: hardware.Compiled = None,
    seed: Annotated[int, typer.Option(help="Seed of the first run; the next one's is one more.")] = 0,
    seeds: Annotated[int, typer.Option(callback=positive, help="How many runs, each of a seed of its own.")] = 1,
    threads: options.Threads = None,
    output: Annotated[
        Path | None,
        typer.Option(help="Folder for report, plot and histories.  [default: runs/speedrun-<recipe>-reference]"),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is in the folder already.")] = False,
) -> None:
    """Run one of minicnn's recipes in PyTorch, and report where the time went."""
    chosen = SPEEDRUNS[recipe]
    folder = folders.choose(output, Path("runs", f"speedrun-{recipe}-reference"), overwrite)
    if threads is not None:
        minicnn.set_num_threads(threads)  # NumPy's, too
        torch.set_num_threads(threads)
    choices = choose(device, 0, amp, channels_last, compiled)
    configure(choices)
    with folders.writable(folder):
        race = Race(chosen, choices, data_dir, download)
        for line in race.lines():
            say(line)
        folders.clear(folder)
        say(LAP_HEADER)
        for number in range(seeds):
            race.run(seed + number)
            leave(race.report, folder)
        where = f"Report      {folder / folders.REPORT}, and as a plot {folders.REPORT_PLOT}"
        for line in ["", *race.report.lines(), where]:
            say(line)


class Race:
    """The data of a recipe on their device, and the runs so far.

    Args:
        speedrun: the recipe.
        choices: how to compute.
        data_dir, download: where its data are, and whether to fetch them.
    """

    def __init__(self, speedrun: Speedrun, choices: Choices, data_dir: Path, download: bool) -> None:
        self.speedrun, self.choices = speedrun, choices
        preset = speedrun.preset
        began = time.perf_counter()
        self.train_set, self.test_set = (preset.load(data_dir, download, train=part) for part in (True, False))
        self.train_images, self.test_images = self.resident(self.train_set, True), self.resident(self.test_set, False)
        self.wait()
        loading = time.perf_counter() - began
        on_meta = networks.on_meta(speedrun.model, preset.shape, len(preset.classes))
        self.parameters = sum(parameter.numel() for parameter in on_meta.parameters())
        self.report = Report(
            "reference",
            speedrun,
            machine={
                "device": str(choices),
                "processor": platform.processor() or platform.machine(),
                "python": platform.python_version(),
                "torch": torch.__version__,
                "minicnn": minicnn.__version__,
            },
            threads=torch.get_num_threads(),
            flops=int(training_flops(on_meta, preset.shape)),
            images=len(self.train_images),
            peak=peak_of(choices),
            loading=loading,
        )

    def resident(self, dataset: Any, train: bool) -> ResidentImages:
        """A data set on the device, augmented where the recipe says so."""
        place = (self.speedrun.preset, self.choices.device, self.choices.memory_format)
        return ResidentImages(dataset, *place, augment=train and self.speedrun.augment)

    def wait(self) -> None:
        """Let the device finish what it was given."""
        if self.choices.device.type == "cuda":
            torch.cuda.synchronize(self.choices.device)

    def lines(self) -> list[str]:
        """What is about to happen."""
        report = self.report
        return [*self.speedrun.lines(self.parameters, report.images, report.flops), *report.device_lines()]

    def run(self, seed: int) -> Run:
        """One run, which the report has too."""
        speedrun, preset = self.speedrun, self.speedrun.preset
        minicnn.manual_seed(seed)
        torch.manual_seed(seed)
        network = networks.fresh(speedrun.model, preset.shape, len(preset.classes))
        network.to(self.choices.device).to(memory_format=self.choices.memory_format)
        model: Any = torch.compile(network, dynamic=False) if self.choices.compiled else network
        run = Run(seed, self.warm_up(network, model))
        training = self.training(network, model, self.train_images, self.test_images, speedrun.epochs)
        run.history = training.history
        for _ in range(speedrun.epochs):
            began = time.perf_counter()
            epoch = training.run_epoch()
            trained = len(self.train_images) / training.speeds[-1]
            run.laps.append(Lap.of(epoch, trained, time.perf_counter() - began - trained))
            say(run.lap_line())
        self.report.runs.append(run)
        return run

    def training(
        self, network: nn.Module, model: Any, train_images: ResidentImages, test_images: ResidentImages, epochs: int
    ) -> Training:
        """A training of so many epochs, as the recipe says; see `reference.loop.Training`."""
        speedrun = self.speedrun
        steps = speedrun.steps_per_epoch(len(train_images))
        fused = self.choices.device.type == "cuda"
        optimizer, scheduler, per_batch = speedrun.steps.prepare(
            torch.optim, network.parameters(), epochs, steps, fused=fused
        )
        return Training(
            network,
            model,
            train_images,
            test_images,
            optimizer,
            scheduler,
            per_batch,
            speedrun.batch_size,
            self.choices.bf16,
            World(),
            label_smoothing=speedrun.label_smoothing,
        )

    def warm_up(self, network: nn.Module, model: Any) -> float:
        """Have every kernel compiled and chosen: a step and an evaluation of batches of each size.

        The network gets its weights back, and the generator its state.

        Returns: the seconds it took.
        """
        began, before = time.perf_counter(), get_rng_state()
        weights = {name: value.clone() for name, value in network.state_dict().items()}
        train = first(self.train_set, sum(batch_sizes(len(self.train_images), self.speedrun.batch_size)))
        test = first(self.test_set, sum(batch_sizes(len(self.test_images), TEST_BATCH)))
        self.training(network, model, self.resident(train, True), self.resident(test, False), epochs=1).run_epoch()
        self.wait()
        network.load_state_dict(weights)
        network.zero_grad()
        set_rng_state(before)
        return time.perf_counter() - began


def first(dataset: Any, number: int) -> SimpleNamespace:
    """The first images of a data set, as `ResidentImages` takes them."""
    return SimpleNamespace(data=np.asarray(dataset.data)[:number], targets=np.asarray(dataset.targets)[:number])


def peak_of(choices: Choices) -> float | None:
    """FLOP/s of a product of matrices: measured on a processor, a data sheet's of a GPU in bf16, if it is known."""
    if choices.device.type == "cpu":
        return sgemm_peak(torch_product)
    return bf16_peak(torch.cuda.get_device_name(choices.device)) if choices.bf16 else None


if __name__ == "__main__":
    app(prog_name="python -m reference.speedrun")
