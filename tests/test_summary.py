"""`minicnn.summary` beside torchinfo, receptive fields beside known ones and beside what NaN touches, the command."""

import re

import numpy as np
import pytest
import torch
import torchinfo
from test_cli import fails, run
from test_models import on_meta, undrawn  # noqa: F401  (a fixture)

import minicnn
import reference.models
from minicnn import Tensor, nn
from minicnn.autograd import Operator
from minicnn.models import INPUT_SIZES, MODELS
from minicnn.nn import functional as F
from minicnn.summary import IN_FORWARD, summary


def test_input_sizes_are_what_the_networks_are_made_for():
    assert INPUT_SIZES == reference.models.INPUT_SIZES
    assert set(INPUT_SIZES) == set(MODELS)
    for name, (channels, *_) in INPUT_SIZES.items():
        assert next(on_meta(reference.models.MODELS[name]).parameters()).shape[1] == channels


# Totals


@pytest.mark.parametrize("name", MODELS)
def test_totals_are_those_of_torchinfo(name, undrawn):  # noqa: F811
    """ImageNet's networks on small images: the linear layers are what they are anyway."""
    channels, size, _ = INPUT_SIZES[name]
    shape = (2, channels, min(size, 64), min(size, 64))
    ours = summary(MODELS[name](), shape)
    theirs = torchinfo.summary(on_meta(reference.models.MODELS[name]), input_size=shape, device="meta", verbose=0)
    assert ours.parameters == theirs.total_params
    assert ours.trainable_parameters == theirs.trainable_params
    assert ours.parameter_bytes == theirs.total_param_bytes
    assert ours.mult_adds == theirs.total_mult_adds
    assert ours.training_bytes == theirs.total_output_bytes
    expected = [
        (tuple(row.output_size), row.macs, row.output_bytes, row.class_name)
        for row in theirs.summary_list
        if row.is_leaf_layer
    ]
    layers = [layer for layer in ours.layers if layer.name != IN_FORWARD]
    assert [(layer.output_shape, layer.mult_adds, layer.output_bytes, layer.kind) for layer in layers] == expected
    assert sum(layer.parameters for layer in ours.layers) == ours.parameters
    assert sum(layer.mult_adds for layer in ours.layers) == ours.mult_adds


def tower(library):
    """What the networks don't have: groups, a layer called twice, a transposed convolution, a frozen bias."""

    class Tower(library.Module):
        def __init__(self):
            super().__init__()
            self.conv = library.Conv2d(3, 6, (3, 2), groups=3)
            self.shared = library.Conv2d(6, 6, 3, padding=1, bias=False)
            self.up = library.ConvTranspose2d(6, 2, 2, stride=2)
            self.fc = library.Linear(16, 5)
            self.fc.bias.requires_grad_(False)

        def forward(self, x):
            return self.fc(self.up(self.shared(self.shared(self.conv(x)))))

    return Tower()


def test_totals_of_what_the_networks_lack():
    ours = summary(tower(nn), (2, 3, 10, 9))
    theirs = torchinfo.summary(tower(torch.nn), input_size=(2, 3, 10, 9), verbose=0)
    assert ours.parameters == theirs.total_params
    assert ours.trainable_parameters == theirs.trainable_params == ours.parameters - 5
    assert ours.mult_adds == theirs.total_mult_adds
    assert ours.training_bytes == theirs.total_output_bytes
    assert [layer.parameters for layer in ours.layers if layer.name == "shared"] == [324, 0]


def test_double_precision_takes_twice_the_memory():
    single, double = summary(MODELS["lenet"](), (3, 1, 28, 28)), summary(MODELS["lenet"]().double(), (3, 1, 28, 28))
    assert double.parameter_bytes == 2 * single.parameter_bytes
    assert double.training_bytes == 2 * single.training_bytes


def test_the_network_is_left_as_it_was():
    model = MODELS["mnist-cnn"]()
    model.block2.eval()
    before = {name: value.numpy().copy() for name, value in model.state_dict().items()}
    apply = Operator.__dict__["apply"]
    summary(model, (1, 1, 28, 28))
    with pytest.raises((ValueError, RuntimeError), match="3200"):
        summary(model, (1, 1, 32, 32))
    assert Operator.__dict__["apply"] is apply
    assert [module.training for module in (model, model.block1[1], model.block2[1])] == [True, True, False]
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), before[name])


# Receptive fields


def fields(model, shape):
    """Layer → receptive field, that of the last call."""
    return {layer.name: layer.receptive_field for layer in summary(model, shape).layers}


@pytest.mark.parametrize(
    ("name", "layer", "field"),
    [
        ("alexnet", "features.12", 195),  # Araujo et al., table 1
        ("vgg16", "features.30", 212),  # the same
        ("resnet18", "layer4.1.relu", 435),
        ("resnet50", "layer4.2.relu", 427),  # with the strides in the 3×3 convolutions; 483 in the 1×1
        ("lenet", "conv2", 14),
        ("lenet", "fc1", 28),
    ],
)
def test_receptive_fields_that_are_known(name, layer, field, undrawn):  # noqa: F811
    channels, size, _ = INPUT_SIZES[name]
    assert fields(MODELS[name](), (1, channels, min(size, 64), min(size, 64)))[layer] == (field, field)


class Branches(nn.Module):
    """Paths of different reach that are added, concatenated, changed in place and pooled by functions."""

    def __init__(self):
        super().__init__()
        self.narrow = nn.Conv2d(1, 2, (1, 3), padding=(0, 1))
        self.wide = nn.Conv2d(1, 2, 3, padding=2, dilation=2)
        self.after = nn.Conv2d(4, 2, 3, stride=2, padding=1)
        self.last = nn.Conv2d(2, 1, (2, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(N, 1, H, W) → (N, 1, …)"""
        narrow, wide = self.narrow(x), self.wide(x)
        narrow += wide * 0.5
        x = self.after(minicnn.cat([F.relu(narrow, inplace=True), self.narrow(x)], 1))
        return self.last(F.avg_pool2d(F.max_pool2d(x, 3, stride=1, padding=1), (1, 2)))


def touched(model, shape):
    """How many rows and columns of the image turn the middle cell of the last layer's result into NaN."""
    counts = []
    for axis in (2, 3):
        images = np.zeros((shape[axis], *shape[1:]), np.float32)
        for position in range(shape[axis]):
            images[(position, slice(None), *[position if axis == a else slice(None) for a in (2, 3)])] = np.nan
        with minicnn.no_grad():
            result = model.eval()(minicnn.from_numpy(images)).numpy()
        counts.append(int(np.isnan(result[:, 0, result.shape[2] // 2, result.shape[3] // 2]).sum()))
    return tuple(counts)


def test_receptive_fields_are_what_nan_touches():
    shape = (1, 1, 40, 40)
    assert fields(Branches(), shape)["last"] == touched(Branches(), shape)
    net = nn.Sequential(nn.Conv2d(1, 2, 5, stride=3), nn.AdaptiveAvgPool2d((6, 4)), nn.Conv2d(2, 1, (1, 2)))
    assert fields(net, shape)["2"] == touched(net, shape)
    net = nn.Sequential(nn.Conv2d(1, 2, 3, stride=2), nn.ConvTranspose2d(2, 1, 4, stride=2), nn.MaxPool2d((1, 3)))
    assert fields(net, shape)["2"] == touched(net, shape)


class Mean(nn.Module):
    """A layer behind the mean of a map."""

    def __init__(self):
        super().__init__()
        self.conv, self.fc = nn.Conv2d(1, 3, 3), nn.Linear(3, 2)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 1, H, W) → (N, 2)"""
        return self.fc(self.conv(x).mean((2, 3)))


def test_a_layer_behind_a_mean_sees_all():
    assert fields(Mean(), (1, 1, 9, 7))["fc"] == (9, 7)


def test_without_an_image_there_is_no_field():
    assert fields(nn.Sequential(nn.Linear(3, 4), nn.ReLU()), (2, 3)) == {"0": None, "1": None}


def test_layers_without_a_single_result_are_named():
    class Pair(nn.Module):
        def forward(self, x):
            return x, x

    with pytest.raises(TypeError, match="0 returns tuple"):
        summary(nn.Sequential(Pair()), (1, 3))


# The command


@pytest.mark.parametrize("name", ["lenet", "resnet50"])
@pytest.mark.parametrize("width", [80, 120])
def test_the_table_fits_the_terminal(name, width, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    size = [] if name == "lenet" else ["--input", "1,3,64,64"]
    result = run("summary", name, *size)
    assert result.exit_code == 0, result.output
    assert "…" not in result.stdout
    assert all(len(line) <= width for line in result.stdout.splitlines())


def test_the_table_of_lenet():
    lines = [line.rstrip() for line in run("summary", "lenet").stdout.splitlines()]
    assert lines[0] == "LeNet on 1×1×28×28"
    table = [re.split(r"\s{2,}|(?<=\S) (?=\d)", line) for line in lines]
    assert ["conv2 Conv2d", "16×8×8", "5×5", "2,416", "155 k", "4.10 kB", "14"] in table
    assert ["(in forward) MaxPool2d", "16×4×4", "2×2", "1.02 kB", "16"] in table
    assert lines[-3:] == [
        "Parameters  44,426",
        "Mult-adds   286,334",
        "Memory      178 kB for parameters, 37.6 kB for activations and gradients",
    ]


def test_blocks_are_named_once():
    lines = [line.rstrip() for line in run("summary", "resnet18-cifar10").stdout.splitlines()]
    blocks = [line for line in lines if re.fullmatch(r"layer\d\.\d", line)]
    assert blocks == [f"layer{i}.{j}" for i in (1, 2, 3, 4) for j in (0, 1)]
    assert sum("  downsample.1 BatchNorm2d" in line for line in lines) == 3


def test_the_input_decides_the_channels():
    result = run("summary", "mnist-cnn", "--input", "5,3,28,28")
    assert "MNISTCNN on 5×3×28×28" in result.stdout
    assert f"{32 * 3 * 9 + 32:,}" in result.stdout


@pytest.mark.parametrize("size", ["1,28,28", "1,1,28,28,1", "a,1,28,28", "0,1,28,28", "1,1,-28,28", "1x1x28x28", ""])
def test_a_malformed_input_is_named(size):
    message = fails(2, "summary", "lenet", "--input", size)
    assert "--input" in message
    assert repr(size) in message
    assert "1,3,224,224" in message


def test_what_does_not_fit_is_one_line():
    assert "'lanet' is unknown; there are lenet, " in fails(2, "summary", "lanet")
    message = fails(1, "summary", "lenet", "--input", "1,1,32,32")
    assert message.startswith("Error: lenet is not made for an input of 1,1,32,32: ")
    assert "400" in message
