"""`reference.parity`: equal networks agree, whatever the seed, and a planted bug is found where it is."""

import re

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

import minicnn
import minicnn.models
import reference.parity.__main__ as command
from minicnn import kernels, nn
from minicnn.kernels import few_rows
from minicnn.kernels.convolution import implicit
from minicnn.models import INPUT_SIZES, MODELS
from minicnn.nn import functional as F
from minicnn.nn.functional import normalization
from reference.models.vgg import CONFIGURATIONS
from reference.parity import compare, draw_batches, twins
from reference.parity.networks import changes, weights_of

BLOCKS = {
    "resnet18": ("BasicBlock", (2, 2, 2, 2)),
    "resnet34": ("BasicBlock", (3, 4, 6, 3)),
    "resnet50": ("Bottleneck", (3, 4, 6, 3)),
}


def alexnet_with_small_linear_layers(models):
    model = models.alexnet()
    linear = type(model.classifier[1])
    for position, (inputs, outputs) in {1: (256 * 6 * 6, 32), 4: (32, 32), 6: (32, 10)}.items():
        model.classifier[position] = linear(inputs, outputs)
    return model


def slim(name):
    """A network as it is, or, where it is large, with a sixteenth of the channels or small linear layers."""
    if name == "alexnet":
        return alexnet_with_small_linear_layers
    if name.startswith("vgg"):
        row = {"vgg11": "A", "vgg13": "B", "vgg16": "D", "vgg19": "E"}[name[:5]]
        widths = tuple(tuple(width // 16 for width in stage) for stage in CONFIGURATIONS[row])
        return lambda models: models.VGG(widths, name.endswith("bn"), num_classes=10, hidden=64)
    if name == "block-vgg":
        return lambda models: models.block_vgg(base_dim=4)
    base, small = name.removesuffix("-cifar10"), name.endswith("cifar10")
    if base in BLOCKS:
        block, layers = BLOCKS[base]
        return lambda models: models.ResNet(getattr(models, block), layers, 10, small_images=small, width=4)
    return name


def run(network, shape, dtype="float32", seed=0, steps=1, change=None):
    """Compare twins, of which `change` may have altered minicnn's."""
    ours, theirs = twins(network, dtype, seed)
    if change is not None:
        change(ours)
    return compare(ours, theirs, draw_batches(shape, 10, steps, dtype, seed), lr=0.05)


def size_for(name, batch=4):
    """The shape of a batch of small images for a network."""
    channels, size, _ = INPUT_SIZES[name]
    return (batch, channels, *[64 if size == 224 else size] * 2)


# Equal networks


DOUBLE = ("lenet", "mnist-cnn", "vgg11-bn", "resnet18", "resnet50-cifar10")
"""Which networks are compared in float64 too."""


@pytest.mark.parametrize(
    ("name", "dtype"), [(name, "float32") for name in MODELS] + [(name, "float64") for name in DOUBLE]
)
def test_all_networks_agree(name, dtype):
    result = run(slim(name), size_for(name, 2 if "alexnet" in name else 4), dtype)
    assert result.diverged is None
    assert result.agree
    assert result.rows[-1].name == "loss"
    parameters = sum("gradient by weight" in row.errors for row in result.rows)
    assert parameters == sum("update of weight" in row.errors for row in result.rows) >= 4
    assert any(error > 0 for row in result.rows for error in row.errors.values())
    assert all(bool(row.pytorch) == (dtype == "float32") for row in result.rows)


@pytest.mark.parametrize("seed", range(1, 5))
@pytest.mark.parametrize("name", ["lenet", "mnist-cnn", "resnet18-cifar10"])
def test_no_false_alarm(name, seed):
    assert run(slim(name), size_for(name, 3), seed=seed, steps=3).agree


def test_weights_travel_both_ways():
    ours, theirs = twins("mnist-cnn", seed=3)
    assert changes(theirs.state_dict(), weights_of(ours)) == []
    ours.fc1.weight.data[0, 0] = 7
    assert changes(theirs.state_dict(), weights_of(ours)) == ["fc1.weight"]
    state = weights_of(ours)
    state["block1.0.bias"] = state["block1.0.bias"].double()
    del state["fc2.bias"]
    assert changes(theirs.state_dict(), state) == ["block1.0.bias", "fc1.weight", "fc2.bias"]
    compare(ours, theirs, draw_batches((4, 1, 28, 28), 10))
    assert changes(theirs.state_dict(), weights_of(ours)) == []


# Planted bugs


def nudged_weight(ours, patch):
    ours.block2[0].weight.data[3, 2, 1, 0] += 1e-4


def another_momentum(ours, patch):
    ours.block2[1].momentum = 0.101


def another_eps(ours, patch):
    ours.block2[1].eps = 2e-5


def another_rate_of_dropout(ours, patch):
    ours.block1[3].p = 0.26


def dropout_that_keeps_all(ours, patch):
    patch.setattr(ours.block1[3], "forward", lambda x: x / 0.75, raising=False)


def pool_that_averages(ours, patch):
    patch.setattr(ours.block1[4], "forward", lambda x: F.avg_pool2d(x, 2), raising=False)


def numbers_changed_between_layers(ours, patch):
    def forward(x):
        x = ours.block3(ours.block2(ours.block1(x)))
        return ours.fc2(ours.relu(ours.fc1(x.flatten(1) * 1.00001)))

    patch.setattr(ours, "forward", forward, raising=False)


def gradient_cut_between_layers(ours, patch):
    def forward(x):
        x = ours.block3(ours.block2(ours.block1(x)).detach())
        return ours.fc2(ours.relu(ours.fc1(x.flatten(1))))

    patch.setattr(ours, "forward", forward, raising=False)


def scaled(function, factor):
    return lambda *arguments: function(*arguments) * np.float32(factor)


def scaled_gradient_by_weight(ours, patch):
    original = implicit.grad_parameters

    def grad_parameters(*arguments):
        by_weight, by_bias = original(*arguments)
        return by_weight * np.float32(1.001), by_bias

    patch.setattr(implicit, "grad_parameters", grad_parameters)


def scaled_gradient_by_input(ours, patch):
    patch.setattr(implicit, "grad_input", scaled(implicit.grad_input, 1.001))


def scaled_gradient_of_few_rows(ours, patch):
    patch.setattr(few_rows, "combinations", scaled(few_rows.combinations, 1.001))


def biased_running_variance(ours, patch):
    original = normalization.move_running

    def update(running, batch, momentum):
        count = 4 * {32: 28, 64: 14, 128: 7}[batch.size] ** 2
        original(running, batch * (count - 1) / count if (batch >= 0).all() else batch, momentum)

    patch.setattr(normalization, "move_running", update)


def constant_statistics(ours, patch):
    def grad_input(g, x, mean, invstd, scale, sums, products):
        return g * scale.astype(g.dtype)

    patch.setattr(kernels.normalization, "grad_input", grad_input)


def cross_entropy_that_adds_up(ours, patch):
    original = nn.CrossEntropyLoss.forward
    patch.setattr(nn.CrossEntropyLoss, "forward", lambda *arguments: original(*arguments) * 4)


def another_learning_rate(ours, patch):
    original = minicnn.optim.SGD.__init__
    patch.setattr(minicnn.optim.SGD, "__init__", lambda self, params, lr: original(self, params, lr * 1.001))


def momentum_in_the_second_step(ours, patch):
    original = minicnn.optim.SGD.__init__
    patch.setattr(minicnn.optim.SGD, "__init__", lambda self, params, lr: original(self, params, lr, momentum=0.1))


BUGS = [
    (nudged_weight, "block2.0", "output"),
    (another_momentum, "block2.1", "running_mean"),
    (another_eps, "block2.1", "output"),
    (another_rate_of_dropout, "block1.3", "output"),
    (dropout_that_keeps_all, "block1.3", "output"),
    (pool_that_averages, "block1.4", "output"),
    (numbers_changed_between_layers, "fc1", "input"),
    (gradient_cut_between_layers, "block3.0", "gradient by input"),
    (scaled_gradient_by_weight, "fc2", "gradient by weight"),
    (scaled_gradient_by_input, "block3.0", "gradient by input"),
    (scaled_gradient_of_few_rows, "fc2", "gradient by input"),
    (biased_running_variance, "block1.1", "running_var"),
    (constant_statistics, "block3.1", "gradient by input"),
    (cross_entropy_that_adds_up, "loss", "output"),
    (another_learning_rate, "block1.0", "update of weight"),
    (momentum_in_the_second_step, "block1.0", "update of weight"),
]


@pytest.mark.parametrize(("plant", "row", "what"), BUGS, ids=lambda value: getattr(value, "__name__", ""))
def test_a_planted_bug_is_found_where_it_is(plant, row, what, monkeypatch):
    steps = 2 if plant is momentum_in_the_second_step else 1
    result = run("mnist-cnn", (4, 1, 28, 28), steps=steps, change=lambda ours: plant(ours, monkeypatch))
    assert not result.agree
    assert (result.diverged[0].name, result.diverged[1]) == (row, what)


def test_a_shortcut_without_a_gradient_is_found(monkeypatch):
    def forward(self, x):
        residual = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        identity = x if self.downsample is None else self.downsample(x)
        return self.relu(residual + identity.detach())

    monkeypatch.setattr(minicnn.models.BasicBlock, "forward", forward)
    result = run(slim("resnet18-cifar10"), (2, 3, 32, 32))
    wrong = [(row.name, what) for row in result.rows for what, error in row.errors.items() if error > result.allowed]
    places = ["maxpool", "layer1.0.relu (2)"]
    places += [f"layer{row}.0.{layer}" for row in (2, 3, 4) for layer in ("downsample.1", "relu (2)")]
    assert wrong == [(place, "gradient by output") for place in places]
    assert result.diverged[0].name == "layer4.0.relu (2)"  # the first on the way back


def test_a_bug_in_evaluation_is_found(monkeypatch):
    original = F.batch_norm

    def batch_norm(x, mean, var, weight, bias, training, momentum, eps):
        return original(x, mean, var, weight, bias, training, momentum, eps if training else 3 * eps)

    monkeypatch.setattr(F, "batch_norm", batch_norm)
    result = run("mnist-cnn", (4, 1, 28, 28))
    assert result.diverged is None
    assert not result.agree


def test_networks_that_cannot_be_compared_are_refused(monkeypatch):
    ours, theirs = twins("lenet")
    batches = draw_batches((2, 1, 28, 28), 10)
    with pytest.raises(ValueError, match=r"not the same; PyTorch's are conv1, conv2, fc1, fc2, fc3"):
        compare(nn.Sequential(ours), theirs, batches)
    monkeypatch.setattr(ours, "forward", lambda x: all_but_the_last(ours, x))
    with pytest.raises(ValueError, match="PyTorch calls fc3 more often than minicnn does"):
        compare(ours, theirs, batches)
    monkeypatch.undo()
    monkeypatch.setattr(theirs, "forward", lambda x: all_but_the_last(theirs, x)[:, :10])
    with pytest.raises(ValueError, match="PyTorch calls fc3 less often than minicnn does"):
        compare(ours, theirs, batches)
    unknown = [
        library.Sequential(library.Flatten(), library.Sigmoid(), library.Linear(4, 2)) for library in (nn, torch.nn)
    ]
    with pytest.raises(TypeError, match="no bound is known for a layer of type Sigmoid"):
        compare(*unknown, draw_batches((2, 1, 2, 2), 2))


def all_but_the_last(model, x):
    functions = F if isinstance(model, nn.Module) else torch.nn.functional
    for convolution in (model.conv1, model.conv2):
        x = functions.max_pool2d(functions.relu(convolution(x)), 2)
    return model.fc2(functions.relu(model.fc1(x.flatten(1))))


# The command


def invoke(*arguments):
    return CliRunner().invoke(command.app, [str(argument) for argument in arguments], prog_name="parity")


def test_the_command_prints_a_row_for_every_layer(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    result = invoke("mnist-cnn", "--steps", 1, "--batch-size", 2, "--seed", 4, "--lr", 0.02)
    assert result.exit_code == 0, result.output
    lines = [line.rstrip() for line in result.stdout.splitlines()]
    assert lines[0] == "mnist-cnn, float32, 1 × 2 images of 1×28×28, seed 4, lr 0.02"
    assert "620,685 weights and statistics, to minicnn and back, are equal bit by bit" in lines[1]
    assert any(re.fullmatch(r"block1\.1 +32×28×28( +\d\.\d\d){6}", line) for line in lines)
    assert any(re.fullmatch(r"PyTorch( +\d\.\d\d){6}", line) for line in lines)
    assert sum(line.startswith("block") for line in lines) == 15
    assert any("Dropout" in line for line in lines)
    assert lines[-1] == "mnist-cnn agrees with PyTorch."
    assert all(len(line) <= 80 for line in lines)
    assert "…" not in result.stdout


def test_the_command_fails_where_the_networks_diverge(monkeypatch):
    def nudged(*arguments):
        ours, theirs = twins(*arguments)
        ours.conv2.weight.data[0, 0, 0, 0] += 1e-3
        return ours, theirs

    monkeypatch.setattr(command, "twins", nudged)
    result = invoke("lenet", "--steps", 1, "--dtype", "float64")
    assert result.exit_code == 1
    assert re.search(r"^lenet diverges, first at conv2: its output is off by \S+\.$", result.stdout, re.MULTILINE)
    assert re.search(r"^conv2 .*!", result.stdout, re.MULTILINE)
    assert not re.search(r"^(conv1|fc1) .*!", result.stdout, re.MULTILINE)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["lanet"], 2, "'lanet' is unknown; there are lenet, "),
        (["lenet", "--dtype", "float16"], 2, "'float16' is unknown; there are float32, float64"),
        (["lenet", "--steps", "0"], 2, "--steps.*at least 1"),
        (["lenet", "--lr", "nan"], 2, "--lr.*nan"),
        (["lenet", "--image-size", "32"], 1, "lenet is not made for images of 32×32 pixels: .*400"),
        (["resnet18", "--image-size", "32", "--batch-size", "1"], 1, "more than 1 value per channel"),
    ],
)
def test_the_command_says_what_is_wrong_in_a_line(arguments, code, said):
    result = invoke(*arguments)
    assert result.exit_code == code
    errors = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1
    assert re.search(said, errors[0])
    assert "Traceback" not in result.output
