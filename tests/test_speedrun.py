"""The race: recipes that both libraries run from the same start, their reports, and the times kept apart."""

import contextlib
import json
import os
import statistics
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

import reference.hardware
import reference.models
import reference.speedrun
from minicnn import nn, optim
from minicnn.cli import app
from minicnn.cli import speedrun as ours
from minicnn.models import MODELS
from minicnn.random import get_rng_state, set_rng_state
from minicnn.recipes import peak
from minicnn.recipes.report import Lap, Report, Run, spread
from minicnn.recipes.speedrun import SPEEDRUNS, batch_sizes, training_flops
from minicnn.training import evaluate
from minicnn.utils.data import DataLoader
from reference import networks
from reference.data import ResidentImages
from reference.distributed import World
from reference.loop import Training

CPU = torch.device("cpu")
NOWHERE = Path("nowhere")  # the digits need no folder


def run(*arguments: Any, command: Any = app) -> Any:
    """Run a command in this process."""
    result = CliRunner().invoke(command, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture(scope="module", autouse=True)
def small_products() -> Any:
    """Peaks measured by smaller matrices, which take less time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(peak, "SIZE", 256)
        yield


@pytest.fixture(scope="module")
def our_runs(tmp_path_factory: Any) -> Any:
    """Two runs on the digits: what the command printed, and where its files are."""
    folder = tmp_path_factory.mktemp("ours")
    return run("speedrun", "digits", "--seed", 3, "--seeds", 2, "--output", folder), folder


@pytest.fixture(scope="module")
def their_run(tmp_path_factory: Any) -> Any:
    """The first of them in PyTorch."""
    folder = tmp_path_factory.mktemp("theirs")
    options = ("--device", "cpu", "--seed", 3, "--output", folder)
    return run("digits", *options, command=reference.speedrun.app), folder


def report(runs: Any) -> dict[str, Any]:
    """The report of a fixture."""
    return json.loads((runs[1] / "report.json").read_text())


# What a race leaves


def test_the_digits_reach_their_goal_in_both_libraries(our_runs: Any, their_run: Any) -> None:
    for result, _ in (our_runs, their_run):
        assert result.exit_code == 0
        assert "the goal of 97.0% is reached" in result.stdout


def test_every_epoch_of_every_seed_is_a_row(our_runs: Any) -> None:
    rows = [line.split() for line in our_runs[0].stdout.splitlines() if line.strip()[:1].isdigit() and "s  " in line]
    epochs = SPEEDRUNS["digits"].epochs
    assert [(row[0], row[1]) for row in rows if row[2].endswith("s")] == [
        (str(seed), str(epoch)) for seed in (3, 4) for epoch in range(1, epochs + 1)
    ]


def test_a_report_adds_up(our_runs: Any) -> None:
    content = report(our_runs)
    assert [one["seed"] for one in content["runs"]] == [3, 4]
    assert content["by"] == "minicnn"
    assert content["recipe"]["name"] == "digits"
    assert content["recipe"]["augmentation"] == ["RandomCrop(size=(28, 28), padding=2)"]
    assert content["seconds_loading"] > 0
    assert content["flops"] == content["flops_per_image"] * 1438 * content["recipe"]["epochs"]
    for one in content["runs"]:
        assert one["accuracy"] == one["epochs"][-1]["accuracy"]
        assert one["seconds_training"] == sum(epoch["training"] for epoch in one["epochs"])
        assert one["seconds_evaluation"] == sum(epoch["evaluation"] for epoch in one["epochs"])
        assert one["seconds_compiling"] > 0
        assert one["flops_per_second"] == pytest.approx(content["flops"] / one["seconds_training"])
        assert one["share_of_peak"] == one["flops_per_second"] / content["peak_flops_per_second"]
    accuracies = [one["accuracy"] for one in content["runs"]]
    told = content["summary"]["accuracy"]
    assert told["mean"] == statistics.fmean(accuracies)
    assert told["std"] == pytest.approx(abs(accuracies[0] - accuracies[1]) / 2**0.5)
    assert (told["least"], told["most"]) == (min(accuracies), max(accuracies))


def test_a_plot_is_a_picture(our_runs: Any) -> None:
    with Image.open(our_runs[1] / "report.png") as picture:
        assert picture.format == "PNG"


def test_one_run_has_no_spread() -> None:
    assert spread([9.306], " s") == "9.31 s"
    assert spread([9.0, 9.5], " s") == "9.25 ± 0.35 s"


def test_without_a_peak_there_is_no_share(their_run: Any) -> None:
    speedrun = SPEEDRUNS["digits"]
    laps = [Lap(2.0, 0.5, 0.1, 0.9), Lap(2.0, 0.5, 0.1, 0.96)]
    told = Report("x", speedrun, {"device": "y"}, 1, 10, 100, None, 0.0, [Run(0, 1.0, laps)])
    assert told.share(told.runs[0]) is None
    assert "product" not in " ".join(told.lines() + told.device_lines())
    assert "the goal of 97.0% is missed" in told.lines()[0]
    assert (told.runs[0].training, told.runs[0].evaluation) == (4.0, 1.0)


def test_both_reports_are_of_the_same_work(our_runs: Any, their_run: Any) -> None:
    ours_, theirs = report(our_runs), report(their_run)
    assert theirs["by"] == "reference"
    assert ours_.keys() == theirs.keys()
    assert ours_["runs"][0].keys() == theirs["runs"][0].keys()
    for name in ("recipe", "flops_per_image", "flops"):
        assert ours_[name] == theirs[name]


# The same race in both libraries


@pytest.mark.parametrize("name", SPEEDRUNS)
def test_work_is_what_pytorch_counts(name: str) -> None:
    speedrun = SPEEDRUNS[name]
    preset = speedrun.preset
    network = MODELS[speedrun.model](num_classes=10, in_channels=preset.shape[0])
    theirs = networks.on_meta(speedrun.model, preset.shape, 10)
    assert training_flops(network, preset.shape) == reference.hardware.training_flops(theirs, preset.shape)


def test_first_losses_are_rounding_apart(our_runs: Any, their_run: Any) -> None:
    """Later ones aren't: where two values of a pool are almost equal, rounding decides which is the largest."""
    ours_, theirs = (
        json.loads((folder / "seed-3" / "history.json").read_text()) for _, folder in (our_runs, their_run)
    )
    assert ours_["losses"][0] == pytest.approx(theirs["losses"][0], rel=1e-6)
    assert len(ours_["losses"]) == len(theirs["losses"])
    for name in ("model", "dataset", "seed", "settings"):
        assert ours_[name] == theirs[name]


@pytest.mark.parametrize("model", ["speedrun-mnist", "speedrun-mnist-deep"])
def test_curves_lie_over_each_other_in_float64(model: str) -> None:
    """The batches are equal to the bit; in float64 no two values of a pool are nearly as close as rounding."""
    speedrun = SPEEDRUNS["digits"]
    train_set, _ = speedrun.load(NOWHERE, download=False)
    resident = ResidentImages(speedrun.preset.load(NOWHERE, False, train=True), speedrun.preset, CPU, augment=True)
    network, twin = MODELS[model](), reference.models.MODELS[model]()
    networks.fill(twin, network.state_dict())
    network.double()
    twin.double()
    size = speedrun.batch_size
    steps = speedrun.steps_per_epoch(len(train_set))
    optimizer, scheduler, _ = speedrun.steps.prepare(optim, network.parameters(), 1, steps)
    their_optimizer, their_scheduler, _ = speedrun.steps.prepare(torch.optim, twin.parameters(), 1, steps)
    loss = nn.CrossEntropyLoss(label_smoothing=speedrun.label_smoothing)
    their_loss = torch.nn.CrossEntropyLoss(label_smoothing=speedrun.label_smoothing)
    before = get_rng_state()
    plan = resident.draw_epoch(size)
    set_rng_state(before)
    for number, (images, targets) in enumerate(DataLoader(train_set, size, shuffle=True)):
        theirs, their_targets = resident.drawn(plan[:, number * size : (number + 1) * size])
        np.testing.assert_array_equal(images.numpy(), theirs.numpy())
        np.testing.assert_array_equal(targets.numpy(), their_targets.numpy())
        optimizer.zero_grad()
        their_optimizer.zero_grad()
        value, their_value = loss(network(images.double()), targets), their_loss(twin(theirs.double()), their_targets)
        assert value.item() == pytest.approx(their_value.item(), rel=1e-9), f"step {number}"
        value.backward()
        their_value.backward()
        optimizer.step()
        their_optimizer.step()
        scheduler.step()
        their_scheduler.step()


def test_losses_of_the_test_images_are_smoothed_in_both() -> None:
    speedrun = SPEEDRUNS["digits"]
    _, test_set = speedrun.load(NOWHERE, download=False)
    network = MODELS[speedrun.model]()
    twin = networks.fresh(speedrun.model, speedrun.preset.shape, 10)
    networks.fill(twin, network.state_dict())
    images = ResidentImages(test_set, speedrun.preset, CPU)
    training = Training(twin, twin, images, images, None, None, False, 64, False, World(), label_smoothing=0.3)
    score = evaluate(network, DataLoader(test_set, 100), nn.CrossEntropyLoss(label_smoothing=0.3))
    assert training.test().loss == pytest.approx(score.loss, rel=1e-5)


# Times apart


def test_warming_up_changes_neither_weights_nor_random_numbers() -> None:
    race = ours.Race(SPEEDRUNS["digits"], NOWHERE, download=False)
    network = race.network()
    weights = {name: value.numpy().copy() for name, value in network.state_dict().items()}
    before = get_rng_state()
    assert race.warm_up(network) > 0
    assert str(get_rng_state()) == str(before)
    for name, value in network.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), weights[name])
    assert all(parameter.grad is None for parameter in network.parameters())


def test_warming_up_the_twin_changes_neither_weights_nor_random_numbers() -> None:
    choices = reference.hardware.choose("cpu", 0, None, None, None)
    race = reference.speedrun.Race(SPEEDRUNS["digits"], choices, NOWHERE, download=False)
    network = networks.fresh("speedrun-mnist", (1, 28, 28), 10)
    weights = {name: value.clone() for name, value in network.state_dict().items()}
    before = get_rng_state()
    assert race.warm_up(network, network) > 0
    assert str(get_rng_state()) == str(before)
    for name, value in network.state_dict().items():
        assert torch.equal(value, weights[name])
    assert all(parameter.grad is None for parameter in network.parameters())


@pytest.mark.parametrize(
    ("images", "batch_size", "sizes"), [(10, 4, [4, 2]), (8, 4, [4]), (3, 4, [3]), (4, 4, [4]), (1, 1, [1])]
)
def test_batches_of_each_size(images: int, batch_size: int, sizes: list[int]) -> None:
    assert batch_sizes(images, batch_size) == sizes


def test_a_peak_is_the_fastest_product() -> None:
    slow = peak.sgemm_peak()
    assert 0 < slow < peak.sgemm_peak(lambda a: lambda: None)


# The command


def test_another_run_goes_to_another_folder_unless_told(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    Path("runs/speedrun-digits").mkdir(parents=True)
    Path("runs/speedrun-digits/report.json").write_text("{}")
    told = ("speedrun", "digits", "--output", "runs/speedrun-digits")
    refused = run(*told)
    assert refused.exit_code == 1
    assert "holds a training already: pass --overwrite" in refused.stderr
    assert "--resume" not in refused.stderr
    Path("runs/speedrun-digits/seed-7").mkdir()
    assert run(*told, "--overwrite", "--quiet").stdout == ""
    assert {path.name for path in Path("runs/speedrun-digits").iterdir()} == {"report.json", "report.png", "seed-0"}
    result = json.loads(run("speedrun", "digits", "--json").stdout)
    assert result["output"] == str(Path("runs/speedrun-digits-2"))
    assert result["accuracy"]["std"] is None
    assert result["training"]["mean"] > 0


@pytest.mark.parametrize("command", [("speedrun",), ()])
def test_what_is_not_there_is_said_in_one_line(command: tuple[str, ...], tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    program = app if command else reference.speedrun.app
    unknown = run(*command, "imagenet", command=program)
    assert unknown.exit_code == 2
    assert "there are digits, mnist" in unknown.stderr
    missing = run(*command, "mnist", "--data-dir", tmp_path, command=program)
    assert missing.exit_code == 1
    assert missing.stderr.startswith("Error: cannot load MNIST")
    assert not list(tmp_path.iterdir())


def test_runs_that_had_ended_are_reported_after_an_interruption(tmp_path: Path, monkeypatch: Any) -> None:
    speedrun = SPEEDRUNS["digits"]
    batches = (speedrun.steps_per_epoch(1438) + 1) * speedrun.epochs
    asked = iter([False] * batches + [True] * batches)

    @contextlib.contextmanager
    def asked_to_stop() -> Any:
        yield lambda: next(asked)

    monkeypatch.setattr(ours, "asked_to_stop", asked_to_stop)
    result = run("speedrun", "digits", "--seeds", 3, "--output", tmp_path)
    assert result.exit_code == 130
    assert "with seed 1" in result.stderr
    assert "after 1 run," in result.stdout
    assert [one["seed"] for one in report((result, tmp_path))["runs"]] == [0]


@pytest.mark.slow
@pytest.mark.skipif("MINICNN_DATA" not in os.environ, reason="needs MNIST in the folder that MINICNN_DATA names")
@pytest.mark.parametrize("name", ["mnist", "mnist-best"])
def test_mnist_reaches_its_goals(name: str, tmp_path: Path) -> None:
    result = run("speedrun", name, "--data-dir", os.environ["MINICNN_DATA"], "--output", tmp_path, "--json")
    assert json.loads(result.stdout)["accuracy"]["mean"] >= SPEEDRUNS[name].goal
