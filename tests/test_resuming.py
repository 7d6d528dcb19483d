"""A training that was interrupted, killed or failed, and went on: nothing is lost, and nothing is different."""

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import minicnn
from minicnn import nn, optim
from minicnn.cli import app
from minicnn.cli.train import Growing
from minicnn.serialization import load, read_metadata, save
from minicnn.training import (
    Callback,
    Epoch,
    History,
    Score,
    StoppedError,
    fit,
    former,
    load_snapshot,
    save_history,
    save_snapshot,
)  # fmt: skip
from minicnn.utils.data import DataLoader, TensorDataset

ROW = re.compile(r" +\d+ +\d+\.\d\d .*%")
SHORT = ("train", "--epochs", "3", "--threads", "1", "--optimizer", "sgd", "--schedule", "onecycle", "--seed", "3")
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")


def run(*arguments: Any) -> Any:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def started(*arguments: Any, **options: Any) -> subprocess.Popen:
    def listen() -> None:  # a shell starts what it runs in the background deaf to SIGINT
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    command = [sys.executable, "-m", "minicnn", *map(str, arguments)]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    return subprocess.Popen(command, text=True, preexec_fn=listen, **options)


def after_rows(process: subprocess.Popen, rows: int) -> None:
    """Wait for so many lines of the table."""
    for line in process.stdout:
        rows -= bool(ROW.match(line))
        if not rows:
            return


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a training that nothing interrupted."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    assert run(*SHORT, "--output", folder).exit_code == 0
    return folder


def assert_same(folder: Path, whole: Path) -> None:
    for name in ("weights.safetensors", "best.safetensors"):
        assert (folder / name).read_bytes() == (whole / name).read_bytes()
    one, other = (json.loads((place / "history.json").read_text()) for place in (folder, whole))
    assert one["losses"] == other["losses"]
    for mine, theirs in zip(one["epochs"], other["epochs"], strict=True):
        assert mine | {"seconds": 0} == theirs | {"seconds": 0}
    names = ["best.safetensors", "history.csv", "history.json", "history.png", "weights.safetensors"]
    assert sorted(path.name for path in folder.iterdir()) == names


# The command line


@POSIX
@pytest.mark.slow
def test_killed_at_twenty_moments_it_ends_the_same(tmp_path: Path, whole: Path) -> None:
    folder, moments = tmp_path / "run", random.Random(5)
    command, kills = [*SHORT, "--output", folder], 0
    while True:
        process = started(*command, "--checkpoint-every", 1, stdout=subprocess.DEVNULL)
        if kills < 20:
            time.sleep(0.8 + 1.5 * moments.random())
            process.kill()
        _, errors = process.communicate(timeout=120)
        kills += process.returncode == -signal.SIGKILL
        assert process.returncode in (0, -signal.SIGKILL), errors
        if process.returncode == 0:
            break
        if any(folder.glob("checkpoint.safetensors*")):
            command = ["train", "--resume", folder]
        elif (folder / "weights.safetensors").exists():
            break
    assert_same(folder, whole)


@POSIX
@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_says_how_to_go_on(tmp_path: Path, whole: Path, kind: signal.Signals) -> None:
    folder = tmp_path / "with space"
    process = started(*SHORT, "--output", folder)
    after_rows(process, 1)
    process.send_signal(kind)
    _, errors = process.communicate(timeout=60)
    if process.returncode == 0:
        pytest.skip("the training was faster than the signal")
    assert process.returncode == 130
    assert "once more to stop at once" in errors
    assert f"to go on: minicnn train --resume '{folder}'" in errors
    assert (folder / "history.csv").read_text().count("\n") == 2
    refused = run("train", "--resume", folder, "--epochs", 9)
    assert refused.exit_code == 2
    assert "keeps its options" in refused.stderr
    went_on = run("train", "--resume", folder)
    assert went_on.exit_code == 0, went_on.output
    assert "resumed" in went_on.stdout
    assert_same(folder, whole)
    nothing = run("train", "--resume", folder)
    assert nothing.exit_code == 1
    assert "its training has ended" in nothing.stderr


@POSIX
def test_interrupted_twice_it_stops_at_once(tmp_path: Path) -> None:
    process = started("train", "--epochs", 500, "--threads", 1, "--output", tmp_path / "run")
    after_rows(process, 1)
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        time.sleep(0.05)
    _, errors = process.communicate(timeout=60)
    assert process.returncode not in (0, None)
    assert "Traceback" not in errors
    assert (tmp_path / "run" / "checkpoint.safetensors").exists()


@POSIX
def test_a_damaged_checkpoint_gives_way_to_the_one_before(tmp_path: Path, whole: Path) -> None:
    folder = tmp_path / "run"
    process = started(*SHORT, "--output", folder, "--checkpoint-every", 2)
    after_rows(process, 1)
    process.kill()
    process.communicate(timeout=60)
    newest = folder / "checkpoint.safetensors"
    content = bytearray(newest.read_bytes())
    content[-50] ^= 1
    newest.write_bytes(content)
    result = run("train", "--resume", folder)
    assert result.exit_code == 0, result.output
    assert "is damaged: its checksum is another; the snapshot before it is taken" in result.stderr
    assert_same(folder, whole)


def test_what_there_is_not_is_not_resumed(tmp_path: Path) -> None:
    for place, expected in ((tmp_path / "nowhere", "there is no checkpoint"), (tmp_path, "there is no checkpoint")):
        result = run("train", "--resume", place)
        assert result.exit_code == 1
        assert expected in result.stderr
    assert not (tmp_path / "nowhere").exists()
    (tmp_path / "checkpoint.safetensors").write_bytes(b"nothing of the kind")
    result = run("train", "--resume", tmp_path)
    assert result.exit_code == 1
    assert "cannot load" in result.stderr
    assert "Traceback" not in result.stderr


def test_no_training_takes_the_place_of_another(tmp_path: Path, whole: Path, monkeypatch: Any) -> None:
    before = (whole / "weights.safetensors").read_bytes()
    refused = run("train", "--epochs", 1, "--output", whole)
    assert refused.exit_code == 1
    assert "pass --overwrite" in refused.stderr
    assert (whole / "weights.safetensors").read_bytes() == before
    monkeypatch.chdir(tmp_path)
    for _ in range(3):
        assert run("train", "--epochs", 1, "--threads", 1, "--quiet").exit_code == 0
    assert sorted(path.name for path in Path("runs").iterdir()) == [f"digits-lenet{n}" for n in ("", "-2", "-3")]
    assert run("train", "--epochs", 2, "--threads", 1, "--quiet", "--overwrite").exit_code == 0
    assert len(json.loads(Path("runs/digits-lenet/history.json").read_text())["epochs"]) == 2


def test_a_failure_leaves_no_folders(tmp_path: Path) -> None:
    result = run("train", "--optimizer", "sgd", "--lr", 1e30, "--output", tmp_path / "a" / "b")
    assert result.exit_code == 1
    assert re.search(r"epoch 1, batch \d, .* the first layer whose output is not finite is \w+ \(\w+\)", result.stderr)
    assert list(tmp_path.iterdir()) == []


def test_it_can_be_silent_or_machine_readable(tmp_path: Path) -> None:
    quiet = run("train", "--epochs", 1, "--threads", 1, "-q", "--output", tmp_path / "a")
    assert (quiet.exit_code, quiet.output) == (0, "")
    result = run("train", "--epochs", 1, "--threads", 1, "--json", "--output", tmp_path / "b")
    (line,) = result.stdout.splitlines()
    assert json.loads(line)["epochs"] == 1
    assert json.loads(line)["output"] == str(tmp_path / "b")


def test_patience_ends_it_early(tmp_path: Path) -> None:
    result = run("train", "--epochs", 60, "--patience", 2, "--threads", 1, "--output", tmp_path / "a")
    assert result.exit_code == 0, result.output
    ended = re.search(r"Ended       after epoch (\d+): no better one than epoch (\d+)", result.stdout)
    assert int(ended[1]) == int(ended[2]) + 2
    story = json.loads(read_metadata(tmp_path / "a" / "best.safetensors")["test_accuracy"])
    epochs = json.loads((tmp_path / "a" / "history.json").read_text())["epochs"]
    assert story == max(epoch["test"]["accuracy"] for epoch in epochs)


@pytest.mark.slow
@POSIX
@pytest.mark.parametrize("sink", [">&-", "| head -1", "> /dev/full"])
def test_a_training_outlives_its_reader(tmp_path: Path, sink: str) -> None:
    if sink.endswith("full") and not os.path.exists("/dev/full"):
        pytest.skip("there is no /dev/full here")
    command = f"{sys.executable} -m minicnn train --epochs 1 --threads 1 --output {tmp_path / 'run'} {sink}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "run" / "weights.safetensors").exists()


def test_signs_give_way_to_words_where_the_encoding_has_none(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "minicnn", "train", "--epochs", "1", "--output", str(tmp_path / "run")]
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)
    assert done.returncode == 0, done.stderr
    assert "28x28 pixels in 1 channel" in done.stdout


@POSIX
@pytest.mark.parametrize("columns", [40, 80])
def test_a_narrow_terminal_cuts_no_numbers(tmp_path: Path, columns: int) -> None:
    pty = pytest.importorskip("pty")
    command = [sys.executable, "-m", "minicnn", "train", "--epochs", "2", "--output", str(tmp_path / "run")]
    ours, theirs = pty.openpty()
    environment = os.environ | {"COLUMNS": str(columns), "TERM": "xterm"}
    with subprocess.Popen(command, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        printed = b""
        while True:
            try:
                printed += os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
        process.wait(timeout=60)
    os.close(ours)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", printed.decode())
    assert process.returncode == 0, text
    assert "\u2026" not in text  # the sign that rich ends what it cut with
    assert "compiling" in text
    assert re.search(r"images/s,\s+\d+:\d\d\s+left", text)


def test_events_for_tensorboard(tmp_path: Path) -> None:
    pytest.importorskip("tensorboardX")
    for _ in range(2):
        result = run("train", "--epochs", 2, "--threads", 1, "--tensorboard", "--overwrite", "--output", tmp_path / "a")
        assert result.exit_code == 0, result.output
        (events,) = (tmp_path / "a" / "events").iterdir()
        content = events.read_bytes()
        for tag in (b"loss/train", b"loss/test", b"accuracy/train", b"accuracy/test", b"learning_rate"):
            assert content.count(tag) == 2  # once an epoch, and none of the training that was overwritten


def test_hostile_weights_are_refused(tmp_path: Path, whole: Path) -> None:
    weights, story = load(whole / "weights.safetensors"), read_metadata(whole / "weights.safetensors")
    for name, value in (("input_shape", "[true,28,28]"), ("classes", '["\\u001b[31m"]')):
        save(weights, tmp_path / "bad.safetensors", metadata=story | {name: value})
        result = run("evaluate", tmp_path / "bad.safetensors")
        assert result.exit_code == 1
        assert "damaged metadata" in result.stderr
    nan = {name: minicnn.full_like(value, float("nan")) for name, value in weights.items()}
    save(nan, tmp_path / "nan.safetensors", metadata=story)
    result = run("evaluate", tmp_path / "nan.safetensors")
    assert result.exit_code == 1
    assert "not finite" in result.stderr


# The library


def network() -> nn.Module:
    minicnn.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Dropout(0.5), nn.BatchNorm1d(8), nn.Linear(8, 3))


def loaders() -> tuple:
    x = np.random.default_rng(0).standard_normal((40, 2)).astype(np.float32)
    data = TensorDataset(x, (x.sum(1) > 0).astype(np.int64))
    return DataLoader(data, 16, shuffle=True), DataLoader(data, 16)


OPTIMIZERS = ("SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "NAdam")
SCHEDULERS = {
    "none": lambda steps: None,
    "cosine": lambda steps: optim.lr_scheduler.CosineAnnealingLR(steps, 4),
    "cycle": lambda steps: optim.lr_scheduler.OneCycleLR(steps, 0.1, 12, cycle_momentum=False),
    "plateau": lambda steps: optim.lr_scheduler.ReduceLROnPlateau(steps, patience=0),
}


@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("after", [1, 3, 5])
def test_stopped_after_any_step_it_goes_on_to_the_bit(
    tmp_path: Path, optimizer: str, scheduler: str, after: int
) -> None:
    def training(**options: Any) -> tuple:
        model = network()
        steps = getattr(optim, optimizer)(model.parameters(), lr=0.05)
        rates = SCHEDULERS[scheduler](steps)
        options |= {"scheduler": rates, "scheduler_per_batch": scheduler == "cycle"}
        return fit(model, *loaders(), None, steps, epochs=4, snapshot=tmp_path / "snapshot", **options), model

    expected, whole_model = training()
    left = iter(range(after - 1, -1, -1))
    with pytest.raises(StoppedError):
        training(stop=lambda: not next(left))
    found, model = training(resume=True)
    assert found.losses == expected.losses
    for one, other in zip(model.state_dict().values(), whole_model.state_dict().values(), strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())


def test_a_long_history_is_not_written_anew_after_every_epoch(tmp_path: Path, monkeypatch: Any) -> None:
    sizes = []

    def save(history: History, path: Path, about: Any) -> None:
        sizes.append(len(history.epochs))
        save_history(history, path, about)

    monkeypatch.setattr("minicnn.cli.train.save_history", save)
    history, growing = History(), Growing(tmp_path, {"model": "lenet"})
    growing.on_begin(history)
    for number in range(1, 1001):
        history.epochs.append(Epoch(number, 1.0, 0.1, Score(1.0, 0.5), Score(1.0, 0.5)))
        history.losses.append(1 / number)
        growing.on_epoch(history.epochs[-1])
        table = (tmp_path / "history.csv").read_text()
        assert table.count("\n") == number + 1
        assert len(json.loads((tmp_path / "history.json").read_text())["epochs"]) >= 0.95 * number - 1
    growing.write()
    growing.write()
    assert sizes[:20] == list(range(1, 21))
    assert sizes[-1] == 1000
    assert sum(sizes) < 22 * 1000  # of what was written, all in all: a multiple of what there is, not its square
    assert len(json.loads((tmp_path / "history.json").read_text())["losses"]) == 1000


def test_callbacks_see_it_all() -> None:
    seen: list = []

    class Watching(Callback):
        def on_begin(self, history: Any) -> None:
            seen.append("begin")

        def on_batch(self, epoch: int, batch: int, loss: float) -> None:
            seen.append((epoch, batch))

        def on_end(self, history: Any) -> None:
            seen.append(len(history.losses))

    model = network()
    fit(model, *loaders(), None, optim.SGD(model.parameters(), lr=0.1), epochs=1, callbacks=[Watching()])
    assert seen == ["begin", (1, 1), (1, 2), (1, 3), 3]


def test_steps_without_a_finite_loss_can_be_left_out() -> None:
    model, (train, test) = network(), loaders()
    batches = [*train]
    batches[1][0][:] = float("nan")
    history = fit(model, batches, test, None, optim.SGD(model.parameters(), lr=0.1), epochs=2, keep_going=True)
    assert np.isnan(history.losses).tolist() == [False, True, False] * 2
    with pytest.raises(FloatingPointError, match="the images are not finite"):
        fit(model, batches, test, None, optim.SGD(model.parameters(), lr=0.1), epochs=1)
    with pytest.raises(FloatingPointError, match="no batch of epoch 1"):
        fit(model, batches[1:2], test, None, optim.SGD(model.parameters(), lr=0.1), epochs=1, keep_going=True)


def test_a_snapshot_of_another_model_is_refused(tmp_path: Path) -> None:
    model = network()
    fit(model, *loaders(), None, optim.SGD(model.parameters(), lr=0.1), epochs=1, snapshot=tmp_path / "s")
    other = nn.Linear(2, 3)
    steps = optim.SGD(other.parameters(), lr=0.1)
    with pytest.raises(ValueError, match="is of another training"):
        fit(other, *loaders(), None, steps, epochs=2, snapshot=tmp_path / "s", resume=True)


def test_any_nest_comes_back(tmp_path: Path) -> None:
    content = {"a": [1, 2.5, None, True, ("x", {3: minicnn.ones(2)})], "b": np.arange(3), "inf": float("inf")}
    save_snapshot(content, tmp_path / "s")
    found = load_snapshot(tmp_path / "s")
    assert found["a"][:4] == [1, 2.5, None, True]
    assert isinstance(found["a"][4], tuple)
    assert found["a"][4][1][3].tolist() == [1, 1]
    assert found["b"].tolist() == [0, 1, 2]
    assert found["inf"] == float("inf")
    with pytest.raises(TypeError, match="can't hold a set"):
        save_snapshot({1}, tmp_path / "t")


@POSIX
def test_a_full_disk_leaves_the_snapshot_that_was_there(tmp_path: Path, monkeypatch: Any) -> None:
    save_snapshot({"a": 1}, tmp_path / "s")

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        save_snapshot({"a": 2}, tmp_path / "s")
    assert load_snapshot(tmp_path / "s") == {"a": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["s"]


def test_the_best_weights_go_where_they_are_asked_to(tmp_path: Path) -> None:
    model, kept = network(), []

    class Keeping(Callback):
        def on_epoch(self, epoch: Any) -> None:
            kept.append((epoch.test, {name: value.numpy().copy() for name, value in model.state_dict().items()}))

    steps = optim.SGD(model.parameters(), lr=0.5)
    fit(model, *loaders(), None, steps, epochs=5, save_best=tmp_path / "best", callbacks=[Keeping()])
    _, best = max(kept, key=lambda pair: (pair[0].accuracy, -pair[0].loss))
    for name, value in load(tmp_path / "best").items():
        np.testing.assert_array_equal(value.numpy(), best[name])


def test_a_kill_between_two_names_leaves_one_that_is_taken(tmp_path: Path) -> None:
    save_snapshot({"a": 1}, tmp_path / "checkpoint.safetensors")
    os.replace(tmp_path / "checkpoint.safetensors", former(tmp_path / "checkpoint.safetensors"))
    assert load_snapshot(tmp_path / "checkpoint.safetensors") == {"a": 1}
    refused = run("train", "--epochs", 1, "--output", tmp_path)
    assert "holds a training already" in refused.stderr


@pytest.mark.parametrize("every", [None, 2])
def test_snapshots_come_when_they_are_said_to(tmp_path: Path, every: int | None, monkeypatch: Any) -> None:
    taken = []
    monkeypatch.setattr(
        "minicnn.training.loop.save_snapshot", lambda content, path: taken.append(len(content["losses"]))
    )
    model = network()
    steps = optim.SGD(model.parameters(), lr=0.1)
    fit(model, *loaders(), None, steps, epochs=3, snapshot=tmp_path / "s", snapshot_every=every)
    assert taken == ([3, 6, 9] if every is None else [2, 4, 6, 8])
