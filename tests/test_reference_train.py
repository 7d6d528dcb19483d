"""The training in PyTorch: the same start and batches as minicnn's, one process or two, weights both ways."""

import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
import torch
from agreement import assert_rounding_apart
from PIL import Image
from test_cli import TABLE_ROW
from two_processes import gradients
from typer.testing import CliRunner

import minicnn
import reference.train
from benchmarks import curves
from minicnn import datasets, transforms
from minicnn.cli import app
from minicnn.recipes.models import build
from minicnn.recipes.presets import PRESETS, Preset
from minicnn.serialization import load, read_metadata
from minicnn.training import evaluate, load_checkpoint
from minicnn.utils.data import DataLoader
from reference import networks
from reference.data import Augmentation, ResidentImages
from reference.distributed import World
from reference.hardware import Choices, bf16_peak, training_flops
from reference.loop import Training

CPU = torch.device("cpu")
cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")


def run(*arguments, command=reference.train.app):
    """Run a command in this process, on one thread."""
    result = CliRunner().invoke(command, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def fails(code, *arguments):
    """Run a training that must fail with one line of error; returns that line."""
    result = run(*arguments)
    assert result.exit_code == code, result.output
    (error,) = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    return error


def history(folder):
    """What a training left in `folder`."""
    return json.loads((folder / "history.json").read_text())


SETTINGS = (
    "--optimizer",
    "adamw",
    "--schedule",
    "onecycle",
    "--lr",
    0.01,
    "--epochs",
    1,
    "--batch-size",
    75,
    "--seed",
    3,
)
"""Of a short training: 19 batches of 75 images and one of 13."""


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    """A short training in PyTorch: what it printed, and where it left its files."""
    folder = tmp_path_factory.mktemp("theirs")
    return run("lenet", *SETTINGS, "--device", "cpu", "--threads", 1, "--output", folder), folder


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    """The folder of the same training in minicnn."""
    folder = tmp_path_factory.mktemp("ours")
    assert run("train", *SETTINGS, "--threads", 1, "--output", folder, command=app).exit_code == 0
    return folder


# Beside minicnn


def test_it_tells_what_it_does(theirs):
    result, folder = theirs
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0] == "Device      CPU, 1 thread, float32"
    assert lines[1] == "Model       LeNet, 44,426 parameters, seed 3"
    assert lines[3] == "Training    adamw, lr 0.01, weight_decay 0.01, onecycle schedule, 1 epoch in batches of 75"
    assert lines[5].endswith("   images/s")
    assert len(lines[5]) == len(lines[6])
    assert TABLE_ROW.fullmatch(lines[6][:-11])
    speed = re.fullmatch(r"Speed       (\S+) images/s, (\S+) GFLOP/s", lines[8])
    flops = training_flops(networks.on_meta("lenet", (1, 28, 28), 10), (1, 28, 28))
    images, rate = (float(number.replace(",", "")) for number in speed.groups())
    assert rate == pytest.approx(images * flops / 1e9, abs=0.06)
    names = ["history.json", "history.png", "weights.safetensors"]
    assert sorted(path.name for path in folder.iterdir()) == names
    settings = json.loads(read_metadata(folder / "weights.safetensors")["settings"])
    assert settings == history(folder)["settings"]
    assert (settings["processes"], settings["torch"]) == (1, torch.__version__)
    assert history(folder)["by"] == "reference"


def test_equal_seeds_take_equal_steps_in_both_libraries(ours, theirs):
    mine, other = history(ours), history(theirs[1])
    assert len(mine["losses"]) == 20
    np.testing.assert_allclose(mine["losses"][0], other["losses"][0], rtol=1e-6)
    np.testing.assert_allclose(mine["losses"], other["losses"], rtol=1e-4)
    for a, b in zip(mine["epochs"], other["epochs"], strict=True):
        assert a["learning_rate"] == b["learning_rate"]
        for part in ("train", "test"):
            assert a[part]["loss"] == pytest.approx(b[part]["loss"], rel=1e-4)
            assert a[part]["accuracy"] == pytest.approx(b[part]["accuracy"], abs=0.003)


def test_the_curves_are_drawn_over_each_other(ours, theirs, tmp_path):
    files = theirs[1] / "history.json", ours / "history.json"
    result = run(*files, "--output", tmp_path / "curves.png", command=curves.app)
    assert result.exit_code == 0, result.output
    mine, other = (np.array(history(folder)["losses"]) for folder in (ours, theirs[1]))
    apart = np.abs(mine - other)
    assert f"at most {apart.max():.2g}, mean {apart.mean():.2g}, in 20 steps" in result.stdout
    with Image.open(tmp_path / "curves.png") as picture:
        assert picture.format == "PNG"
        assert len(picture.convert("RGB").getcolors(2**20)) > 10

    changed = history(ours)
    changed["settings"]["lr"] = 0.02
    (tmp_path / "changed.json").write_text(json.dumps(changed))
    (tmp_path / "empty.json").write_text("[]")
    for name, expected in [
        ("changed.json", "two different trainings: lr 0.01 and 0.02"),
        ("empty.json", "empty.json is no history of a training"),
        ("nowhere.json", "there is no history"),
    ]:
        result = run(files[0], tmp_path / name, command=curves.app)
        assert result.exit_code == 1
        assert expected in result.stderr


def test_minicnn_takes_the_weights(theirs):
    folder = theirs[1]
    weights = folder / "weights.safetensors"
    state, story = load_checkpoint(weights)
    test_images = DataLoader(PRESETS["digits"].load(folder, False, train=False), 359)
    ((images, _),) = test_images
    model = build("lenet", (1, 28, 28), 10).eval()
    model.load_state_dict(state)
    twin = networks.on_meta("lenet", (1, 28, 28), 10).eval()
    networks.load(twin, weights, "lenet")
    single = twin(torch.from_numpy(images.numpy()))
    exact = twin.double()(torch.from_numpy(images.numpy()).double())
    assert_rounding_apart(model(images), exact, single, "scores")
    score = evaluate(model, test_images)
    assert score.accuracy == story.test_accuracy
    assert score.loss == pytest.approx(history(folder)["epochs"][-1]["test"]["loss"], rel=1e-5)
    assert f"accuracy {score.accuracy:.2%}" in run("evaluate", weights, command=app).stdout


def test_it_starts_from_minicnns_weights(ours, tmp_path):
    weights = ours / "weights.safetensors"
    result = run("lenet", "--init", weights, "--lr", 1e-12, "--epochs", 1, "--output", tmp_path)
    assert result.exit_code == 0, result.output
    assert f"Start       {weights}\n" in result.stdout
    before, after = (history(folder)["epochs"][-1]["test"] for folder in (ours, tmp_path))
    assert before["accuracy"] == after["accuracy"]
    assert before["loss"] == pytest.approx(after["loss"], rel=1e-5)


class Noise(datasets._vision.ImagesInMemory):
    """37 images of 32×32 pixels in 3 channels."""

    classes = ("a", "b")

    def __init__(self, root, train=True, transform=None, download=False):
        super().__init__(root, transform=transform)
        self.train = train
        generator = np.random.default_rng(0)
        self.data = generator.integers(0, 256, (37, 32, 32, 3), np.uint8)
        self.targets = generator.integers(0, 2, 37)


CROP, FLIP = transforms.RandomCrop(32, padding=(1, 2, 3, 4)), transforms.RandomHorizontalFlip(0.3)


@pytest.mark.parametrize("steps", [[], [CROP], [FLIP], [CROP, FLIP], [transforms.RandomCrop((20, 24))]])
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_batches_are_minicnns_bit_for_bit(steps, memory_format):
    preset = Preset("Noise", Noise, (3, 32, 32), (0.1, 0.2, 0.3), (0.4, 0.5, 0.6), 1, steps, True)
    loader = DataLoader(preset.load(None, False, train=True, augment=True), 10, shuffle=True)
    resident = ResidentImages(Noise(None), preset, CPU, memory_format, augment=bool(steps))
    minicnn.manual_seed(1)
    expected = [batch for _ in range(2) for batch in loader]
    minicnn.manual_seed(1)
    found = []
    for _ in range(2):
        plan = resident.draw_epoch(10)
        found += [resident.drawn(plan[:, start : start + 10]) for start in range(0, 37, 10)]
    for (images, targets), (x, y) in zip(expected, found, strict=True):
        np.testing.assert_array_equal(x.numpy(), images.numpy())
        np.testing.assert_array_equal(y.numpy(), targets.numpy())
        assert x.is_contiguous(memory_format=memory_format)
    x, y = resident.in_order(3, 6)
    assert torch.equal(y, torch.from_numpy(Noise(None).targets)[3:6])
    plain = preset.load(None, False, train=True)
    if not steps or steps == [FLIP]:  # without a frame or a window of another size
        np.testing.assert_array_equal(x.numpy(), np.stack([plain[i][0].numpy() for i in range(3, 6)]))


@pytest.mark.parametrize(
    "steps", [[FLIP, CROP], [transforms.Resize(8)], [transforms.RandomCrop(32, fill=1)], [CROP, CROP]]
)
def test_an_augmentation_that_the_device_cannot_do_is_refused(steps):
    with pytest.raises(ValueError, match="only a crop with black padding and then a flip"):
        Augmentation.of(steps, (32, 32))


def test_small_images_go_to_the_small_variant():
    assert networks.fresh("resnet18", (3, 32, 32), 10).conv1.kernel_size == (3, 3)
    assert networks.on_meta("resnet18", (3, 224, 224), 10).conv1.kernel_size == (7, 7)


# Ways to compute


def test_bfloat16_learns_too_and_differs(theirs, tmp_path):
    fast = ("--amp", "bf16", "--channels-last", "--device", "cpu", "--threads", 1)
    result = run("lenet", *SETTINGS, *fast, "--output", tmp_path)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("Device      CPU, 1 thread, bf16, channels last\n")
    exact, rounded = history(theirs[1])["losses"], history(tmp_path)["losses"]
    assert rounded != exact
    np.testing.assert_allclose(rounded[:5], exact[:5], rtol=0.02)
    assert rounded[-1] < 0.75 * rounded[0]
    assert load(tmp_path / "weights.safetensors")["conv1.weight"].dtype == np.float32


@pytest.mark.slow
def test_compiling_compiles_and_changes_nothing(theirs, tmp_path, monkeypatch):
    asked = []

    def compile_quickly(model, **options):
        asked.append(options)
        return compiler(model, backend="eager", **options)

    compiler = torch.compile
    monkeypatch.setattr(torch, "compile", compile_quickly)
    result = run("lenet", *SETTINGS, "--compile", "--threads", 1, "--device", "cpu", "--output", tmp_path)
    assert result.exit_code == 0, result.output
    assert asked == [{"dynamic": False}]
    assert history(tmp_path)["losses"] == history(theirs[1])["losses"]
    assert list(load(tmp_path / "weights.safetensors")) == list(load(theirs[1] / "weights.safetensors"))


def test_floating_point_operations_are_counted():
    forward = [2 * 24 * 24 * 6 * 25, 2 * 8 * 8 * 16 * 6 * 25, 2 * 256 * 120, 2 * 120 * 84, 2 * 84 * 10]
    backward = 2 * sum(forward) - forward[0]  # nobody asks for the gradient by the images
    assert training_flops(networks.on_meta("lenet", (1, 28, 28), 10), (1, 28, 28)) == sum(forward) + backward


@pytest.mark.parametrize(
    ("name", "peak"),
    [
        ("NVIDIA H200", 989e12),
        ("NVIDIA H100 80GB HBM3", 989e12),
        ("NVIDIA H100 PCIe", 756e12),
        ("NVIDIA A100-SXM4-80GB", 312e12),
        ("NVIDIA A10", 125e12),
        ("NVIDIA A10G", None),
        ("NVIDIA L4", 121e12),
        ("NVIDIA L40S", 362e12),
        ("NVIDIA GeForce RTX 4090", 165e12),
        ("NVIDIA GeForce RTX 4090 Laptop GPU", None),
        ("NVIDIA H200 MIG 1g.18gb", None),
        ("Tesla V100-SXM2-16GB", None),
    ],
)
def test_peaks_are_those_of_the_card(name, peak):
    assert bf16_peak(name) == peak


def test_the_share_of_the_peak_counts_every_card_and_leaves_the_first_epoch_out(monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "NVIDIA H200")
    choices = Choices(torch.device("cuda", 0), bf16=True, channels_last=True, compiled=True)
    line = reference.train.speed_line([1, 40_000, 50_000, 60_000], 3.3e9, choices, World(0, 2))
    assert line == "Speed       50,000 images/s, 165.0 TFLOP/s, 8.3% of the bf16 peak (989 TFLOP/s a card)"


# Several processes


@pytest.mark.parametrize(("images", "processes"), [(64, 1), (64, 2), (13, 4), (4, 4)])
def test_shares_are_all_images_once(images, processes):
    shares = [World(rank, processes).share(100, 100 + images) for rank in range(processes)]
    assert [i for start, stop in shares for i in range(start, stop)] == list(range(100, 100 + images))
    sizes = [stop - start for start, stop in shares]
    assert max(sizes) - min(sizes) <= 1
    assert min(sizes) > 0


@pytest.mark.slow
def test_two_processes_learn_what_one_learns(theirs, tmp_path):
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", 2]
    program = ["tests/two_processes.py", tmp_path / "gradients", "lenet", *SETTINGS, "--device", "cpu"]
    command += [*program, "--output", tmp_path / "run"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}  # reference isn't installed
    parts = [str(part) for part in command]
    result = subprocess.run(parts, capture_output=True, text=True, timeout=300, env=environment)
    assert result.returncode == 0, result.stderr
    assert "Device      CPU, 1 thread, float32 in each of 2 processes\n" in result.stdout
    assert result.stdout.count("Weights") == 1
    assert result.stdout.count("Threads at the end:") == 2
    assert "gloo" not in result.stdout  # one that drops a sum after Python's end aborts the process

    exact, single = gradients(World(), torch.float64), gradients(World())
    for name, gradient in load(tmp_path / "gradients").items():
        assert_rounding_apart(gradient, exact[name], single[name], name)

    one, two = history(theirs[1]), history(tmp_path / "run")
    np.testing.assert_allclose(two["losses"], one["losses"], rtol=1e-4)
    for part in ("train", "test"):
        mine, other = one["epochs"][0][part], two["epochs"][0][part]
        assert other["loss"] == pytest.approx(mine["loss"], rel=1e-4)
        assert other["accuracy"] == pytest.approx(mine["accuracy"], abs=0.003)
    assert two["settings"]["processes"] == 2


# How it fails


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["lanet"], r"'lanet' is unknown; there are lenet"),
        (["--device", "tpu"], r"'tpu' is unknown; there are auto, cpu, cuda"),
        (["--amp", "fp16"], r"'fp16' is unknown; there are off, bf16"),
        (["--momentum", "0.5"], r"--momentum.*only sgd"),
        (["--batch-size", "0"], r"--batch-size.*at least 1"),
    ],
)
def test_usage_errors_name_the_option(tmp_path, arguments, expected):
    assert re.search(expected, fails(2, *arguments, "--output", tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_what_cannot_be_trained_is_told(tmp_path, theirs):
    here = ("--device", "cpu", "--output", tmp_path / "out")
    message = fails(1, "lenet", "--dataset", "cifar10", *here)
    assert "lenet is not made for images of 32×32 pixels in 3 channels" in message
    message = fails(1, "lenet", "--dataset", "mnist", "--data-dir", tmp_path, *here)
    assert "--download fetches it" in message
    message = fails(1, "plain-cnn", "--init", theirs[1] / "weights.safetensors", *here)
    assert "weights.safetensors does not fit plain-cnn" in message
    assert "nowhere" in fails(1, "lenet", "--init", tmp_path / "nowhere", *here)
    assert "training diverged: the loss became" in fails(1, "lenet", "--optimizer", "sgd", "--lr", 1e30, *here)
    assert not (tmp_path / "out").exists()
    (tmp_path / "file").write_bytes(b"")
    assert "cannot write to" in fails(1, "lenet", "--output", tmp_path / "file" / "deeper")
    with pytest.raises(minicnn.recipes.errors.UserError, match="leave 1 in the last batch, too few for 2 processes"):
        reference.train.check_shares(129, 64, World(0, 2))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_cuda_is_an_error(tmp_path):
    message = fails(1, "lenet", "--device", "cuda", "--output", tmp_path / "out")
    assert message == "Error: --device cuda: there is no GPU that PyTorch can use; --device cpu computes without"


# On a GPU


@cuda
def test_a_step_on_a_gpu_waits_for_nothing():
    device = torch.device("cuda", 0)
    minicnn.manual_seed(0)
    preset = PRESETS["digits"]
    digits = ResidentImages(datasets.Digits(), preset, device, torch.channels_last, augment=True)
    network = networks.fresh("mnist-cnn", (1, 28, 28), 10).to(device).to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(network.parameters(), 0.05, 0.9, fused=True)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.05, 1000)
    training = Training(
        *(network, torch.compile(network, dynamic=False), digits, digits, optimizer, scheduler, True, 64),
        bf16=True,
        world=World(),
    )
    before = training.train(digits.draw_epoch(64))  # compiles
    plan = digits.draw_epoch(64)
    torch.cuda.set_sync_debug_mode("error")
    try:
        after = training.train(plan)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert after[:-1].sum() < before[:-1].sum()


@cuda
def test_a_gpu_learns_what_the_processor_learns(theirs, tmp_path):
    plain = ("--device", "cuda", "--amp", "off", "--no-compile", "--no-channels-last")
    assert run("lenet", *SETTINGS, *plain, "--output", tmp_path / "plain").exit_code == 0
    np.testing.assert_allclose(history(tmp_path / "plain")["losses"], history(theirs[1])["losses"], rtol=1e-2)
    result = run("lenet", *SETTINGS, "--output", tmp_path / "fast")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[0].endswith(", bf16, channels last, compiled")
    fast = history(tmp_path / "fast")["losses"]
    np.testing.assert_allclose(fast[:5], history(theirs[1])["losses"][:5], rtol=0.02)
