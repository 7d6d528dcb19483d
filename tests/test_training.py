"""The training loop: what it computes, records, refuses and saves."""

import dataclasses
import json
import os
from array import array

import numpy as np
import pytest
import torch
from PIL import Image

import minicnn
from minicnn import datasets, nn, optim, transforms
from minicnn.models import lenet
from minicnn.training import (
    Epoch,
    History,
    Score,
    Story,
    confusion_matrix,
    evaluate,
    fit,
    load_checkpoint,
    plot_history,
    save_checkpoint,
    save_history,
)
from minicnn.utils.data import DataLoader, TensorDataset

STORY = Story(
    model="lenet",
    dataset="digits",
    classes=["nought", "one"],
    input_shape=[1, 28, 28],
    mean=[0.25],
    std=[0.5],
    seed=3,
    threads=2,
    settings={"optimizer": "adam", "lr": 0.1},
    test_accuracy=0.75,
    minicnn="0.0.0",
)


def points(count, seed=0):
    """Points in the plane, in three classes by their direction."""
    x = np.random.default_rng(seed).standard_normal((count, 2)).astype(np.float32)
    return x, (np.arctan2(x[:, 1], x[:, 0]) // (2 * np.pi / 3) + 1).astype(np.int64).clip(0, 2)


def loader(count=40, batch_size=16, seed=0):
    return DataLoader(TensorDataset(*points(count, seed)), batch_size)


def network():
    return nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Dropout(0.5), nn.BatchNorm1d(8), nn.Linear(8, 3))


def test_a_fit_is_the_loop_of_pytorchs_tutorials():
    theirs = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.Tanh(), torch.nn.Linear(8, 3))
    ours = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 3))
    ours.load_state_dict(theirs.state_dict())
    x, y = map(torch.from_numpy, points(40))
    x_test, y_test = map(torch.from_numpy, points(30, seed=1))
    criterion = torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(theirs.parameters(), lr=0.5, momentum=0.5)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 2, gamma=0.1)
    expected = []
    for _ in range(3):
        loss_sum = correct = 0
        learning_rate = optimizer.param_groups[0]["lr"]
        for start in (0, 16, 32):
            images, targets = x[start : start + 16], y[start : start + 16]
            optimizer.zero_grad()
            scores = theirs(images)
            loss = criterion(scores, targets)
            loss.backward()
            optimizer.step()
            loss_sum += loss.item() * len(targets)
            correct += (scores.argmax(1) == targets).sum().item()
        scheduler.step()
        with torch.no_grad():
            scores = theirs(x_test)
        test_loss = criterion(scores, y_test).item()
        test_accuracy = (scores.argmax(1) == y_test).float().mean().item()
        expected.append((learning_rate, loss_sum / 40, correct / 40, test_loss, test_accuracy))

    optimizer = optim.SGD(ours.parameters(), lr=0.5, momentum=0.5)
    scheduler = optim.lr_scheduler.StepLR(optimizer, 2, gamma=0.1)
    history = fit(ours, loader(), loader(30, 16, seed=1), None, optimizer, epochs=3, scheduler=scheduler)
    recorded = [(e.learning_rate, *e.train, *e.test) for e in history.epochs]
    np.testing.assert_allclose(recorded, expected, rtol=1e-5)
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-4, atol=1e-6)


def test_callbacks_see_every_batch_and_epoch_in_order():
    seen = []
    model = network()
    history = fit(
        model,
        loader(),
        loader(),
        None,
        optim.SGD(model.parameters(), lr=0.1),
        epochs=2,
        on_batch=lambda epoch, batch, loss: seen.append((epoch, batch, type(loss))),
        on_epoch=lambda epoch: seen.append(epoch),
    )
    batches = [[(epoch, batch, float) for batch in (1, 2, 3)] for epoch in (1, 2)]
    assert seen == [*batches[0], history.epochs[0], *batches[1], history.epochs[1]]
    assert [epoch.number for epoch in history.epochs] == [1, 2]
    assert all(epoch.seconds > 0 for epoch in history.epochs)
    assert history.last is history.epochs[1]


def test_a_scheduler_for_batches_is_stepped_after_each():
    model = network()
    optimizer = optim.SGD(model.parameters(), lr=1)
    scheduler = optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.5)
    seen = []
    history = fit(
        *(model, loader(), loader(), None, optimizer),
        epochs=2,
        scheduler=scheduler,
        scheduler_per_batch=True,
        on_batch=lambda epoch, batch, loss: seen.append((optimizer.param_groups[0]["lr"], loss)),
    )
    assert [rate for rate, _ in seen] == [0.5**step for step in range(1, 7)]
    assert list(history.losses) == [loss for _, loss in seen]
    assert [epoch.learning_rate for epoch in history.epochs] == [1, 0.125]
    sizes = [16, 16, 8]
    for epoch, losses in zip(history.epochs, (history.losses[:3], history.losses[3:]), strict=True):
        assert epoch.train.loss == pytest.approx(np.average(losses, weights=sizes))


def test_a_scheduler_that_needs_the_test_loss_cannot_be_stepped_per_batch():
    model = nn.Linear(2, 3)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    for scheduler in (None, optim.lr_scheduler.ReduceLROnPlateau(optimizer)):
        with pytest.raises(ValueError, match="scheduler_per_batch needs a scheduler that looks at no test loss"):
            fit(*(model, loader(), loader(), None, optimizer), epochs=1, scheduler=scheduler, scheduler_per_batch=True)


def test_plateaus_are_judged_by_the_test_loss():
    model = nn.Linear(2, 3)
    optimizer = optim.SGD(model.parameters(), lr=1e-9)
    scheduler = optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=0, eps=0)
    history = fit(model, loader(), loader(), None, optimizer, epochs=4, scheduler=scheduler)
    assert [epoch.learning_rate for epoch in history.epochs] == [1e-9, 1e-9, 5e-10, 2.5e-10]


@pytest.mark.parametrize("mode", [True, False])
def test_training_and_evaluating_use_the_right_mode_and_leave_the_old_one(mode):
    modes = []

    class Watched(nn.Linear):
        def forward(self, x):
            modes.append((self.training, minicnn.is_grad_enabled()))
            return super().forward(x)

    model = Watched(2, 3).train(mode)
    evaluate(model, loader())
    confusion_matrix(model, loader(), 3)
    assert modes == [(False, False)] * 6
    assert model.training is mode
    modes.clear()
    fit(model, loader(), loader(), None, optim.SGD(model.parameters(), lr=0.1), epochs=1)
    assert modes == [(True, True)] * 3 + [(False, False)] * 3
    assert model.training is mode


@pytest.mark.parametrize("batch_size", [1, 7, 16, 40])
def test_scores_do_not_depend_on_the_batches(batch_size):
    model = network().eval()
    x, y = points(40)
    scores = model(minicnn.from_numpy(x))
    score = evaluate(model, loader(40, batch_size))
    assert score.loss == pytest.approx(nn.CrossEntropyLoss()(scores, minicnn.from_numpy(y)).item(), rel=1e-6)
    assert score.accuracy == (scores.detach().numpy().argmax(1) == y).mean()
    confusion = confusion_matrix(model, loader(40, batch_size), 3)
    assert confusion.trace() / 40 == score.accuracy
    np.testing.assert_array_equal(confusion.sum(1), np.bincount(y, minlength=3))


def test_another_loss_is_used():
    model = nn.Linear(2, 3)
    for factor in (1, 2):
        copy = nn.Linear(2, 3)
        copy.load_state_dict(model.state_dict())
        steps = optim.SGD(copy.parameters(), lr=0.0)
        history = fit(copy, loader(), loader(), lambda s, t, n=factor: n * nn.CrossEntropyLoss()(s, t), steps, 1)
        assert history.last.test.loss == pytest.approx(factor * evaluate(model, loader()).loss)
    doubled = evaluate(model, loader(), lambda scores, targets: 2 * nn.CrossEntropyLoss()(scores, targets))
    assert doubled.loss == pytest.approx(2 * evaluate(model, loader()).loss)


def test_nothing_to_learn_from_is_an_error():
    model = nn.Linear(2, 3)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(TypeError, match="a loss, or None, and then an optimizer"):
        fit(model, loader(), loader(), optimizer, nn.CrossEntropyLoss(), 1)
    with pytest.raises(ValueError, match="epochs must be at least 1, got 0"):
        fit(model, loader(), loader(), None, optimizer, epochs=0)
    with pytest.raises(ValueError, match="train_loader yields no images"):
        fit(model, [], loader(), None, optimizer, epochs=1)
    with pytest.raises(ValueError, match="loader yields no images"):
        fit(model, loader(), [], None, optimizer, epochs=1)


@pytest.mark.parametrize("poison", [np.nan, np.inf])
def test_divergence_stops_before_it_spoils_the_weights(poison):
    x, y = points(40)
    x[20] = poison
    model = nn.Linear(2, 3)
    optimizer = optim.SGD(model.parameters(), lr=0.125)
    batches = DataLoader(TensorDataset(x, y), 16)
    with pytest.raises(FloatingPointError, match=r"nan in epoch 1, batch 2, at learning rate 0\.125"):
        fit(model, batches, loader(), None, optimizer, epochs=3)
    assert all(np.isfinite(p.detach().numpy()).all() for p in model.parameters())
    assert model.training


# What is left on disk


def test_a_checkpoint_comes_back(tmp_path):
    model = lenet(num_classes=2)
    save_checkpoint(model, tmp_path / "w.safetensors", STORY)
    state, story = load_checkpoint(tmp_path / "w.safetensors")
    assert story == STORY
    fresh = lenet(num_classes=2)
    fresh.load_state_dict(state)
    for p, q in zip(fresh.parameters(), model.parameters(), strict=True):
        assert minicnn.equal(p, q)


def test_weights_without_a_story_load_too(tmp_path):
    torch.save(torch.nn.Linear(2, 3).state_dict(), tmp_path / "w.pth")
    state, story = load_checkpoint(tmp_path / "w.pth")
    assert list(state) == ["weight", "bias"]
    assert story is None


@pytest.mark.parametrize("content", [[torch.ones(1)], {"model": {"w": torch.ones(1)}}, {"epoch": 3}])
def test_other_things_than_state_dicts_are_refused(tmp_path, content):
    torch.save(content, tmp_path / "w.pth")
    with pytest.raises(ValueError, match=r"w\.pth holds no plain state dict"):
        load_checkpoint(tmp_path / "w.pth")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("model", 3),
        ("classes", None),
        ("classes", [1, 2]),
        ("input_shape", []),
        ("input_shape", [1, 28]),
        ("input_shape", [0, 28, 28]),
        ("input_shape", [1, 10**6, 10**6]),
        ("input_shape", ["1", 28, 28]),
        ("mean", [0.1, 0.2]),
        ("mean", [float("nan")]),
        ("std", [0.0]),
        ("std", "?"),
    ],
)
def test_damaged_metadata_is_an_error(tmp_path, field, value):
    damaged = dataclasses.asdict(STORY) | {field: value}
    metadata = {name: json.dumps(value) for name, value in damaged.items()}
    minicnn.save({}, tmp_path / "w", metadata=metadata)
    with pytest.raises(ValueError, match="w has damaged metadata"):
        load_checkpoint(tmp_path / "w")
    for broken in ({"model": "{"}, {"model": '"lenet"'}):
        minicnn.save({}, tmp_path / "w", metadata=broken)
        with pytest.raises(ValueError, match="w has damaged metadata"):
            load_checkpoint(tmp_path / "w")


def history(epochs):
    return History(
        [Epoch(n, 1.0, 0.1, Score(2 / n, 1 - 0.5 / n), Score(1.5 / n, 1 - 0.4 / n)) for n in range(1, epochs + 1)],
        array("d", [3 / n for n in range(1, 2 * epochs + 1)]),
    )


def test_a_history_is_kept_as_numbers(tmp_path):
    save_history(history(2), tmp_path / "history.json", {"model": "lenet"})
    assert [path.name for path in tmp_path.iterdir()] == ["history.json"]
    kept = json.loads((tmp_path / "history.json").read_text())
    assert list(kept) == ["model", "epochs", "losses"]
    assert kept["model"] == "lenet"
    assert kept["losses"] == [3, 1.5, 1, 0.75]
    for count in (0, 999, 1000, 1001, 2500):
        losses = array("d", [1 / n for n in range(1, count + 1)])
        save_history(History([], losses), tmp_path / "history.json")
        assert json.loads((tmp_path / "history.json").read_text()) == {"epochs": [], "losses": losses.tolist()}
    second = {"number": 2, "seconds": 1, "learning_rate": 0.1}
    second |= {"train": {"loss": 1, "accuracy": 0.75}, "test": {"loss": 0.75, "accuracy": 0.8}}
    assert kept["epochs"][1] == second


@pytest.mark.parametrize("epochs", [1, 12])
@pytest.mark.parametrize("name", ["history.png", "history"])
def test_the_plot_is_a_picture(tmp_path, epochs, name):
    plot_history(history(epochs), tmp_path / name, "LeNet on Digits")
    with Image.open(tmp_path / name) as picture:
        assert picture.format == "PNG"
        assert picture.width > picture.height > 300
        assert len(picture.convert("RGB").getcolors(2**20)) > 10
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_plot_in_an_unknown_format_leaves_nothing(tmp_path):
    with pytest.raises(ValueError, match="txt"):
        plot_history(history(2), tmp_path / "history.txt")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif("MINICNN_DATA" not in os.environ, reason="MINICNN_DATA names no folder of data sets")
def test_lenet_learns_mnist_in_an_epoch():
    minicnn.manual_seed(0)
    threads = minicnn.get_num_threads()
    minicnn.set_num_threads(1)  # other tests run at the same time
    steps = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))])
    train, test = (
        DataLoader(datasets.MNIST(os.environ["MINICNN_DATA"], part, transform=steps), 64, shuffle=part)
        for part in (True, False)
    )
    model = lenet()
    try:
        history = fit(model, train, test, None, optim.Adam(model.parameters(), lr=0.004), epochs=1)
    finally:
        minicnn.set_num_threads(threads)
    assert history.last.test.accuracy >= 0.95


def test_scoring_leaves_every_module_in_its_mode():
    """A frozen batch norm, in evaluation mode inside a network that trains, is still frozen afterwards."""
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.LazyLinear(3))
    loader = [(minicnn.ones(2, 1, 4, 4), minicnn.tensor([0, 1]))]
    model.train()[1].eval()
    evaluate(model, loader)
    confusion_matrix(model, loader, 3)
    assert [module.training for module in model] == [True, False, True, True]
