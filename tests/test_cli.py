"""The command line, as its users meet it: what it prints, what it leaves on disk, how it fails."""

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from PIL import Image
from typer.testing import CliRunner

import minicnn
import reference.models
from minicnn import datasets, nn, optim
from minicnn.cli import app
from minicnn.cli.evaluate import class_scores
from minicnn.kernels import choice
from minicnn.recipes.presets import PRESETS
from minicnn.recipes.recipe import OPTIMIZERS, SCHEDULES, Recipe
from minicnn.serialization import load, read_metadata, save

DATA = os.environ.get("MINICNN_DATA")
TABLE_ROW = re.compile(r" +\d+ +\d+\.\d\d +[\de.+-]+ +\d\.\d{4} +\d+\.\d\d% +\d\.\d{4} +\d+\.\d\d%")


def run(*arguments):
    """Run a command in this process."""
    threads = minicnn.get_num_threads()
    try:
        return CliRunner().invoke(app, [str(argument) for argument in arguments])
    finally:
        minicnn.set_num_threads(threads)


def fails(code, *arguments):
    """Run a command that must fail with one line of error and no traceback; returns that line."""
    result = run(*arguments)
    assert result.exit_code == code, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    errors = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1
    assert result.stderr.rstrip().endswith(errors[0])
    assert "Traceback" not in result.output
    return errors[0]


def own_process(*arguments, **options):
    """Start a command in a process of its own, its output in pipes."""
    command = [sys.executable, "-m", "minicnn", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The output of a short training, and the folder it filled."""
    folder = tmp_path_factory.mktemp("trained")
    return run("train", "--epochs", 4, "--lr", 0.005, "--seed", 1, "--threads", 1, "--output", folder), folder


@pytest.fixture(scope="module")
def weights(trained):
    return trained[1] / "weights.safetensors"


# What it prints and leaves


def test_training_tells_what_it_does_and_where_it_left_it(trained):
    result, folder = trained
    assert result.exit_code == 0, result.output
    train, test = len(datasets.Digits(train=True)), len(datasets.Digits(train=False))
    lines = result.stdout.splitlines()
    assert lines[0] == "Device      CPU, 1 thread"
    assert lines[1] == "Model       LeNet, 44,426 parameters, seed 1"
    assert lines[2].startswith(f"Data        Digits, {train:,} images to train on, shifted at random, {test}")
    assert lines[3] == "Training    adam, lr 0.005, cosine schedule, 4 epochs in batches of 64"
    header = next(i for i, line in enumerate(lines) if line.startswith("epoch"))
    rows = lines[header + 1 : header + 5]
    assert all(TABLE_ROW.fullmatch(row) for row in rows)
    assert all(len(row) == len(lines[header]) for row in rows)
    assert lines[-5] == f"Weights     {folder / 'weights.safetensors'}"
    assert re.fullmatch(
        rf"Best        {re.escape(str(folder / 'best.safetensors'))}, [\d.]+% after epoch \d", lines[-4]
    )
    assert lines[-3] == f"History     {folder / 'history.json'}, and as a table history.csv"
    assert lines[-2] == f"Plot        {folder / 'history.png'}"
    assert lines[-1] == f"Next        minicnn predict {folder / 'weights.safetensors'} PICTURE"
    assert "\x1b" not in result.stdout
    assert "\r" not in result.stdout
    left = ["best.safetensors", "history.csv", "history.json", "history.png", "weights.safetensors"]
    assert sorted(path.name for path in folder.iterdir()) == left
    with Image.open(folder / "history.png") as picture:
        assert picture.format == "PNG"


def test_the_history_holds_every_step(trained):
    result, folder = trained
    history = json.loads((folder / "history.json").read_text())
    assert [history[name] for name in ("by", "model", "dataset", "seed", "threads")] == [
        *("minicnn", "lenet", "digits", 1, 1)
    ]
    assert history["settings"]["lr"] == 0.005
    rows = [line.split() for line in result.stdout.splitlines() if TABLE_ROW.fullmatch(line)]
    for row, epoch in zip(rows, history["epochs"], strict=True):
        scores = [epoch[part][name] for part in ("train", "test") for name in ("loss", "accuracy")]
        assert row[0] == str(epoch["number"])
        assert row[3:] == [f"{scores[0]:.4f}", f"{scores[1]:.2%}", f"{scores[2]:.4f}", f"{scores[3]:.2%}"]
    images = len(datasets.Digits(train=True))
    steps = -(-images // 64)
    assert len(history["losses"]) == 4 * steps
    sizes = [64] * (steps - 1) + [images % 64]
    assert np.average(history["losses"][:steps], weights=sizes) == pytest.approx(history["epochs"][0]["train"]["loss"])
    rates = [epoch["learning_rate"] for epoch in history["epochs"]]
    np.testing.assert_allclose(rates, [0.0025 * (1 + np.cos(np.pi * t / 4)) for t in range(4)])


def test_the_weights_know_their_story(weights):
    metadata = read_metadata(weights)
    assert metadata["model"] == '"lenet"'
    assert metadata["dataset"] == '"digits"'
    assert metadata["seed"] == "1"
    assert metadata["minicnn"] == f'"{minicnn.__version__}"'
    assert '"lr": 0.005' in metadata["settings"]


def test_evaluating_gives_the_accuracy_of_the_training(trained, weights):
    result = run("evaluate", weights)
    assert result.exit_code == 0, result.output
    *_, test_loss, test_accuracy = next(
        line.split() for line in reversed(trained[0].stdout.splitlines()) if TABLE_ROW.fullmatch(line)
    )
    lines = result.stdout.splitlines()
    assert lines[0] == f"lenet on Digits, {len(datasets.Digits(train=False))} test images"
    assert lines[1] == f"loss {test_loss}, accuracy {test_accuracy}"
    *rows, mean = [line.split(maxsplit=5) for line in lines[4:]]
    assert [row[0] for row in rows] == list("0123456789")
    images = [int(row[4]) for row in rows]
    assert (mean[0], int(mean[4])) == ("mean", sum(images))
    mistaken = [sum(int(n) for n in re.findall(r"\((\d+)\)", " ".join(row[5:]))) for row in rows]
    assert f"{1 - sum(mistaken) / sum(images):.2%}" == test_accuracy
    for row, count, wrong in zip(rows, images, mistaken, strict=True):
        assert row[2] == f"{1 - wrong / count:.1%}"  # recall


def test_scores_of_classes():
    scores = class_scores(np.array([[3, 1, 0], [2, 4, 0], [0, 0, 0]]))
    precision, recall = np.array([3 / 5, 4 / 5, 0]), np.array([3 / 4, 4 / 6, 0])
    f1 = [2 * p * r / (p + r) if p else 0 for p, r in zip(precision, recall, strict=True)]
    np.testing.assert_allclose(scores, np.stack([precision, recall, f1], 1))


def test_equal_seeds_and_threads_give_equal_files(tmp_path, trained):
    environment = os.environ | {"PYTHONHASHSEED": "7"}
    arguments = ["train", "--epochs", 1, "--seed", 5, "--threads", 1]
    process = own_process(*arguments, "--output", tmp_path / "a", env=environment)
    assert run(*arguments, "--output", tmp_path / "b").exit_code == 0
    assert run(*arguments, "--seed", 6, "--output", tmp_path / "c").exit_code == 0
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert "\x1b" not in output
    first, second, third = ((tmp_path / name / "weights.safetensors").read_bytes() for name in "abc")
    assert first == second
    assert first != third


def test_every_setting_reaches_the_training(tmp_path, weights):
    result = run(
        *("train", "--optimizer", "sgd", "--lr", 0.02, "--momentum", 0.5, "--nesterov", "--weight-decay", 0.001),
        *("--schedule", "onecycle", "--winograd", "--init", weights),
        *("--epochs", 1, "--batch-size", 100, "--threads", 1, "--no-augment", "--output", tmp_path),
    )
    assert result.exit_code == 0, result.output
    assert "CPU, 1 thread, Winograd's algorithm\n" in result.stdout
    assert f"Start       {weights}\n" in result.stdout
    assert "shifted" not in result.stdout
    expected = "sgd, lr 0.02, weight_decay 0.001, momentum 0.5, nesterov, onecycle schedule, 1 epoch in batches of 100"
    assert expected in result.stdout
    settings = json.loads(read_metadata(tmp_path / "weights.safetensors")["settings"])
    assert settings == {
        "optimizer": "sgd",
        "schedule": "onecycle",
        "epochs": 1,
        "batch_size": 100,
        "augment": False,
        "init": str(weights),
        "winograd": True,
        "lr": 0.02,
        "weight_decay": 0.001,
        "momentum": 0.5,
        "nesterov": True,
    }
    history = json.loads((tmp_path / "history.json").read_text())
    assert history["losses"][0] < 0.5  # where the weights of --init had left it
    assert history["epochs"][0]["learning_rate"] == pytest.approx(0.02 / 25)


def test_the_winograd_switch_holds_during_the_training_and_no_longer(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr("minicnn.cli.train.fit", lambda *_, **__: seen.append(choice.winograd_allowed) or 1 / 0)
    for switch in (["--winograd"], []):
        assert isinstance(run("train", *switch, "--output", tmp_path).exception, ZeroDivisionError)
    assert seen == [True, False]
    assert not choice.winograd_allowed


def test_help_and_version():
    assert run("--version").stdout == f"minicnn {minicnn.__version__}\n"
    for command in ("train", "evaluate", "predict", "summary"):
        assert command in run("--help").stdout
        assert run(command, "-h").stdout == run(command, "--help").stdout
    assert "lenet" in run("train", "--help").stdout


# Pictures


def digit(position=0):
    """A test image that the short training gets right, and its label."""
    data = datasets.Digits(train=False)
    return data.data[position].numpy(), int(data.targets[position])


def first_verdict(line):
    """The likeliest class of an output line."""
    return re.search(r": (\S+) \(", line).group(1)


def test_predicting_names_the_three_likeliest(tmp_path, weights):
    pixels, label = digit()
    Image.fromarray(pixels).save(tmp_path / "white on black.png")
    Image.fromarray(255 - pixels).resize((280, 280)).convert("RGB").save(tmp_path / "page.jpg", quality=95)
    ink = np.zeros((28, 28, 4), np.uint8)
    ink[..., 3] = pixels  # black ink on a transparent sheet
    Image.fromarray(ink).save(tmp_path / "ink.png")
    deep = (255 - pixels).astype(np.uint16) * 257
    Image.fromarray(deep).save(tmp_path / "deep.png")
    wide = np.full((28, 60), 255, np.uint8)
    wide[:, 16:44] = 255 - pixels
    Image.fromarray(wide).save(tmp_path / "wide.png")
    names = ["white on black.png", "page.jpg", "ink.png", "deep.png"]
    result = run("predict", weights, *(tmp_path / name for name in names))
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert len(lines) == 4
    for name, line in zip(names, lines, strict=True):
        assert line.startswith(f"{tmp_path / name}: ")
        assert first_verdict(line) == str(label)
        shares = [float(share) for share in re.findall(r"\((\d+\.\d)%\)", line)]
        assert len(shares) == 3
        assert shares == sorted(shares, reverse=True)
        assert sum(shares) <= 100.1
        assert ("inverted" in line) is (name != "white on black.png")
    assert lines[0].split(": ")[1] == lines[2].split(": ")[1].partition("  [")[0]
    assert lines[0].split(": ")[1] == lines[3].split(": ")[1].partition("  [")[0]
    assert "inverted" not in run("predict", weights, tmp_path / "page.jpg", "--no-invert").stdout
    assert "inverted" in run("predict", weights, tmp_path / "white on black.png", "--invert").stdout
    assert run("predict", weights, tmp_path / "wide.png").exit_code == 0


def test_weights_from_pytorch_work_when_told_what_they_are(tmp_path, weights):
    state = {name: torch.from_numpy(value.numpy()) for name, value in load(weights).items()}
    torch.save(state, tmp_path / "w.pth")
    told = ("--model", "lenet", "--dataset", "digits")
    assert run("evaluate", tmp_path / "w.pth", *told).stdout == run("evaluate", weights).stdout
    message = fails(1, "evaluate", tmp_path / "w.pth")
    assert "pass --model and --dataset" in message
    pixels, label = digit()
    Image.fromarray(pixels).save(tmp_path / "digit.png")
    result = run("predict", tmp_path / "w.pth", tmp_path / "digit.png", *told)
    assert first_verdict(result.stdout) == str(label)


def test_the_reference_reads_our_weights(weights):
    model = reference.models.lenet()
    model.load_state_dict(safetensors.torch.load_file(weights))
    pixels, label = digit()
    preset = PRESETS["digits"]
    x = (torch.from_numpy(pixels / 255.0).float() - preset.mean[0]) / preset.std[0]
    assert model(x[None, None]).argmax().item() == label


# How it fails


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--model", "lanet"], r"'lanet' is unknown; there are lenet.*Did you mean 'lenet'\?"),
        (
            ["--dataset", "minst"],
            r"'minst' is unknown; there are digits, mnist, fashion-mnist, cifar10. Did you mean 'mnist'\?",
        ),
        (["--optimizer", "adagrad"], r"'adagrad' is unknown; there are adam, sgd, adamw"),
        (["--schedule", "linear"], r"'linear' is unknown; there are cosine, onecycle, constant"),
        (["--epochs", "0"], r"--epochs.*at least 1, got 0"),
        (["--batch-size", "-3"], r"--batch-size.*at least 1, got -3"),
        (["--threads", "0"], r"--threads.*at least 1, got 0"),
        (["--lr", "0"], r"--lr.*above 0, got 0"),
        (["--lr", "-0.1"], r"--lr.*above 0, got -0\.1"),
        (["--lr", "nan"], r"--lr.*nan"),
        (["--lr", "inf"], r"--lr.*inf"),
        (["--lr", "fast"], r"--lr.*number"),
        (["--momentum", "-1", "--optimizer", "sgd"], r"--momentum.*between 0 and 1, got -1"),
        (["--momentum", "0.5"], r"--momentum.*only sgd"),
        (["--momentum", "0.5", "--optimizer", "adamw"], r"--momentum.*only sgd"),
        (["--nesterov"], r"--nesterov.*only sgd"),
        (["--nesterov", "--optimizer", "sgd", "--momentum", "0"], r"--nesterov.*without a momentum"),
        (["--weight-decay", "nan"], r"--weight-decay.*nan"),
        (["--quickly"], r"--quickly"),
    ],
)
def test_usage_errors_name_the_option(tmp_path, arguments, expected):
    assert re.search(expected, fails(2, "train", *arguments, "--output", tmp_path / "out"))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("name", "folder"), [("mnist", "MNIST"), ("fashion-mnist", "FashionMNIST")])
def test_a_missing_data_set_says_what_to_do(tmp_path, name, folder):
    message = fails(1, "train", "--dataset", name, "--data-dir", tmp_path, "--output", tmp_path / "out")
    assert str(tmp_path / folder / "raw") in message
    assert message.endswith("; --download fetches it, --data-dir says where it lies")


def test_a_model_that_does_not_fit_names_the_sizes(tmp_path):
    message = fails(1, "train", "--dataset", "cifar10", "--data-dir", tmp_path, "--output", tmp_path / "out")
    assert "lenet is not made for images of 32×32 pixels in 3 channels" in message
    assert "400" in message
    assert "256" in message


def test_a_damaged_data_set_is_named(tmp_path):
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name in ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"):
        (raw / name).write_bytes(b"\0\0\x08\x03")
    message = fails(1, "train", "--dataset", "mnist", "--data-dir", tmp_path, "--output", tmp_path / "out")
    assert "train-images-idx3-ubyte" in message


def test_an_output_that_cannot_be_written_fails_before_training(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    result = run("train", "--output", tmp_path / "file" / "deeper")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert f"cannot write to {tmp_path / 'file' / 'deeper'}" in result.stderr


def test_divergence_is_told(tmp_path):
    arguments = ("--optimizer", "sgd", "--lr", 1e30, "--epochs", 1, "--threads", 1, "--output", tmp_path)
    assert "training diverged: the loss became" in fails(1, "train", *arguments)
    assert list(tmp_path.iterdir()) == []


def test_bad_weights_are_named(tmp_path, weights):
    assert "nowhere" in fails(1, "evaluate", tmp_path / "nowhere")
    assert "nowhere" in fails(1, "predict", tmp_path / "nowhere", "x.png")
    (tmp_path / "short").write_bytes(weights.read_bytes()[:-9])
    for command in (["evaluate", tmp_path / "short"], ["predict", tmp_path / "short", "x.png"]):
        assert re.search(r"cannot load \S*short: .*truncated", fails(1, *command))
    save({"a": np.ones(1)}, tmp_path / "other")
    for name, expected in [("nowhere", "nowhere"), ("short", "truncated"), ("other", "other does not fit lenet")]:
        message = fails(1, "train", "--init", tmp_path / name, "--output", tmp_path / "out")
        assert expected in message
    told = ("--model", "lenet", "--dataset", "digits")
    message = fails(1, "evaluate", tmp_path / "other", *told)
    assert "other does not fit lenet" in message
    assert "conv1.weight" in message
    message = fails(1, "evaluate", weights, "--dataset", "cifar10")
    assert "28×28 pixels in 1 channel" in message
    assert "32×32 pixels in 3 channels" in message
    for field, value in [("model", '"nosuchnet"'), ("dataset", '"svhn"')]:
        save(load(weights), tmp_path / "foreign", metadata=read_metadata(weights) | {field: value})
        assert value.strip('"') in fails(1, "evaluate", tmp_path / "foreign")


def test_bad_pictures_are_named(tmp_path, weights):
    assert "there is no picture" in fails(1, "predict", weights, tmp_path / "nowhere.png")
    (tmp_path / "text.png").write_text("not a picture")
    assert "text.png" in fails(1, "predict", weights, tmp_path / "text.png")
    stream = io.BytesIO()
    Image.fromarray(digit()[0]).save(stream, "png")
    (tmp_path / "cut.png").write_bytes(stream.getvalue()[:80])
    assert "cut.png" in fails(1, "predict", weights, tmp_path / "cut.png")
    assert fails(2, "predict", weights)


# The recipes


def rates(library, parameter, recipe, epochs=3, batches=4):
    """The learning rate of every step."""
    optimizer, scheduler, per_batch = recipe.prepare(library, [parameter], epochs, batches)
    seen = []
    for _ in range(epochs):
        for _ in range(batches):
            seen.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            if per_batch:
                scheduler.step()
        if scheduler and not per_batch:
            scheduler.step()
    return seen


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_recipes_mean_the_same_in_both_libraries(optimizer, schedule):
    momentum = 0.7 if optimizer == "sgd" else None
    recipe = Recipe.of(optimizer, schedule, 0.3, None, momentum, nesterov=optimizer == "sgd")
    ours = rates(optim, nn.Parameter(minicnn.zeros(1)), recipe)
    theirs = rates(torch.optim, torch.nn.Parameter(torch.zeros(1)), recipe)
    assert ours == pytest.approx(theirs)
    expected = {
        "constant": [0.3] * 12,
        "cosine": np.repeat([0.15 * (1 + np.cos(np.pi * epoch / 3)) for epoch in range(3)], 4),
    }
    if schedule in expected:
        np.testing.assert_allclose(ours, expected[schedule])
    else:
        assert ours[0] == pytest.approx(0.3 / 25)
        assert 0.28 < max(ours) <= 0.3
        assert ours[-1] < 1e-5
    (ours,), (theirs,) = (
        recipe.prepare(library, [parameter], 1, 4)[0].param_groups
        for library, parameter in [
            (optim, nn.Parameter(minicnn.zeros(1))),
            (torch.optim, torch.nn.Parameter(torch.zeros(1))),
        ]
    )
    names = ["lr", "weight_decay", *(["momentum", "nesterov"] if optimizer == "sgd" else ["betas", "eps"])]
    assert {name: ours[name] for name in names} == {name: theirs[name] for name in names}
    assert recipe.settings["weight_decay"] == (0.01 if optimizer == "adamw" else 0)


# The presets


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_normalisation_constants_are_those_of_the_images(name):
    preset = PRESETS[name]
    if name != "digits" and DATA is None:
        pytest.skip("MINICNN_DATA names no folder of data sets")
    images = np.asarray(preset.dataset(Path(DATA or "."), train=True).data)
    pixels = images.reshape(len(images), *images.shape[1:3], -1)
    counts = [np.bincount(pixels[..., channel].ravel(), minlength=256) for channel in range(pixels.shape[-1])]
    levels = np.arange(256) / 255
    means = [np.average(levels, weights=count) for count in counts]
    stds = [np.sqrt(np.average((levels - mean) ** 2, weights=count)) for mean, count in zip(means, counts, strict=True)]
    np.testing.assert_allclose(preset.mean, means, atol=2e-4)
    np.testing.assert_allclose(preset.std, stds, atol=2e-4)
    assert preset.shape == (pixels.shape[-1], *images.shape[1:3])
    assert len(preset.classes) == 10


def test_importing_the_command_line_loads_nothing_heavy():
    heavy = ["numba", "sklearn", "matplotlib", "PIL", "pooch", "torch", "safetensors", "rich.progress"]
    script = f"import sys, minicnn.cli; print([name for name in {heavy} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"
