"""What a trained network sees: maps, receptive fields, saliency, Grad-CAM, exciting pictures, mistakes."""

import json

import numpy as np
import pytest
import torch
from agreement import examples
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image
from typer.testing import CliRunner

import minicnn
import reference.models
from minicnn import datasets, inspect, nn
from minicnn.cli import app
from minicnn.recipes.models import build
from minicnn.recipes.presets import PRESETS
from minicnn.serialization import load, read_metadata, save
from minicnn.training.checkpoint import Story

NAMES = ["lenet", "mnist-cnn", "plain-cnn", "convnet", "alexnet-cifar10", "resnet18-cifar10", "block-vgg"]


def twins(name, shape=(3, 32, 32), seed=0):
    """A fresh network in both libraries with the same weights, and one image."""
    minicnn.manual_seed(seed)
    ours = build(name, shape, 10).eval()
    theirs = reference.models.MODELS[name](num_classes=10, in_channels=shape[0]).eval()
    theirs.load_state_dict({key: torch.from_numpy(value.numpy().copy()) for key, value in ours.state_dict().items()})
    image = np.random.default_rng(seed).standard_normal((1, *shape)).astype(np.float32)
    return ours.double(), theirs.double(), minicnn.from_numpy(image).double(), torch.from_numpy(image).double()


def hooked(model, x):
    """The maps of PyTorch's layers without children, by name."""
    found, handles = {}, []
    for name, module in model.named_modules():
        if not list(module.children()):
            handles.append(
                module.register_forward_hook(
                    lambda m, a, y, name=name: found.update({name: y.clone()} if name not in found else {})
                )
            )
    with torch.no_grad():
        model(x)
    for handle in handles:
        handle.remove()
    return found


@pytest.mark.parametrize("name", NAMES)
def test_feature_maps_saliency_and_grad_cam_are_pytorchs(name):
    shape = (3, 32, 32) if name.endswith(("cifar10", "vgg")) else (1, 28, 28)
    ours, theirs, x, image = twins(name, shape)
    expected = hooked(theirs, image)
    found = {one.name: one for one in inspect.feature_maps(ours, x)}
    assert {layer for layer, values in expected.items() if values.ndim == 4} <= set(found)
    for layer, values in expected.items():
        if values.ndim == 4:
            np.testing.assert_allclose(found[layer].values, values[0].numpy(), rtol=1e-8, atol=1e-10)
    leaf = image.clone().requires_grad_()
    theirs(leaf)[0, 3].backward()
    slopes = leaf.grad[0].abs().amax(0).numpy()
    np.testing.assert_allclose(inspect.saliency(ours, x, 3), slopes, rtol=1e-7, atol=1e-9 * slopes.max())
    layer = [n for n, module in theirs.named_modules() if isinstance(module, torch.nn.Conv2d)][-1]
    kept = []
    handle = dict(theirs.named_modules())[layer].register_forward_hook(
        lambda m, a, y: kept.append(y) or y.retain_grad() or y.clone()
    )
    theirs(image.clone().requires_grad_())[0, 3].backward()
    handle.remove()
    heat = torch.relu((kept[0].grad.mean((2, 3), keepdim=True) * kept[0]).sum(1, keepdim=True))
    heat = torch.nn.functional.interpolate(heat, size=shape[1:], mode="bilinear")[0, 0].detach().numpy()
    np.testing.assert_allclose(inspect.grad_cam(ours, x, 3), heat, rtol=1e-7, atol=1e-9 * max(heat.max(), 1e-9))
    np.testing.assert_allclose(inspect.grad_cam(ours, x, 3, layer), heat, rtol=1e-7, atol=1e-9 * max(heat.max(), 1e-9))


PADS = [nn.ZeroPad2d, nn.ReflectionPad2d, nn.ReplicationPad2d, nn.CircularPad2d]


@st.composite
def networks(draw):
    """A few layers with windows of every kind; smooth, so that every pixel in a field counts."""
    layers, channels = [], 2
    for _ in range(draw(st.integers(1, 3))):
        kernel, stride, dilation = (draw(st.integers(1, n)) for n in (4, 3, 2))
        kind = draw(st.sampled_from(["conv", "pool", "transposed", "pad", "global"]))
        if kind == "conv":
            padding = draw(st.integers(0, 3))
            layers.append(nn.Conv2d(channels, 2, kernel, stride, padding, dilation=dilation))
        elif kind == "pool":
            layers.append(nn.AvgPool2d(kernel, stride, draw(st.integers(0, kernel // 2))))
        elif kind == "transposed":
            padding = draw(st.integers(0, dilation * (kernel - 1)))
            layers.append(nn.ConvTranspose2d(channels, 2, kernel, stride, padding, dilation=dilation))
        elif kind == "pad":
            layers.append(draw(st.sampled_from(PADS))(tuple(draw(st.integers(-1, 2)) for _ in range(4))))
        else:
            layers.append(nn.AdaptiveAvgPool2d(draw(st.integers(1, 12))))
    return nn.Sequential(*layers).double()


@settings(max_examples=examples(2) * settings.default.max_examples)
@example(nn.Sequential(nn.Conv2d(2, 2, 1, 2), nn.Conv2d(2, 2, 4), nn.AvgPool2d(4, 1, 2)).double(), 0)
@example(nn.Sequential(nn.Conv2d(2, 2, 6), nn.AdaptiveAvgPool2d(5)).double(), 0)
@example(nn.Sequential(nn.Conv2d(2, 2, 2), nn.Conv2d(2, 2, 1, padding=1)).double(), 0)
@given(networks(), st.integers(0, 2**31))
def test_the_box_of_a_cell_is_what_it_depends_on(network, seed):
    x = minicnn.from_numpy(np.random.default_rng(seed).standard_normal((1, 2, 12, 12)))
    try:
        found = inspect.feature_maps(network, x)
    except (ValueError, RuntimeError):  # a kernel larger than what is left of the image
        return
    last = found[-1]
    _, H, W = last.values.shape
    if not H * W:
        return
    generator = np.random.default_rng(seed)
    leaf = x.detach().requires_grad_()
    y = network(leaf)
    for _ in range(3):
        i, j = int(generator.integers(H)), int(generator.integers(W))
        leaf.grad = None
        y[0, :, i, j].sum().backward(retain_graph=True)
        slopes = np.abs(leaf.grad.numpy()[0]).sum(0)
        top, left, bottom, right = last.box(i, j)
        if slopes.any():
            rows, columns = np.flatnonzero(slopes.any(1)), np.flatnonzero(slopes.any(0))
            assert (top, left, bottom, right) == (rows[0], columns[0], rows[-1] + 1, columns[-1] + 1), (network, i, j)
        else:  # it sees padding alone
            assert top == bottom or left == right, (network, i, j)


def test_boxes_of_lenet():
    found = inspect.feature_maps(build("lenet", (1, 28, 28), 10), minicnn.zeros(1, 1, 28, 28))
    assert [one.name for one in found] == ["conv1", "conv2"]
    assert [one.field for one in found] == [(5, 5), (14, 14)]
    assert found[0].box(3, 4) == (3, 4, 8, 9)
    assert found[1].box(0, 7) == (0, 14, 14, 28)


def test_a_layer_that_is_called_twice_is_named_twice():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(1, 1, 3, padding=1)

        def forward(self, x):
            return self.conv(self.conv(x))

    first, second = inspect.feature_maps(Twice(), minicnn.ones(1, 1, 5, 5))
    assert (first.name, second.name) == ("conv", "conv#2")
    assert (first.field, second.field) == ((3, 3), (5, 5))


def test_the_network_is_left_as_it_was():
    model = build("resnet18-cifar10", (3, 32, 32), 10).train()
    model.conv1.eval()
    before = {name: value.numpy().copy() for name, value in model.state_dict().items()}
    x = minicnn.randn(1, 3, 32, 32)
    inspect.feature_maps(model, x)
    inspect.saliency(model, x, 0)
    inspect.grad_cam(model, x, 0)
    inspect.excite(model, [x], None, [0])
    assert model.training
    assert not model.conv1.training
    assert all(parameter.grad is None for parameter in model.parameters())
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), before[name])
    assert x.grad is None


def test_exciting_pictures():
    model = build("lenet", (1, 28, 28), 10)
    images = minicnn.randn(50, 1, 28, 28)
    found = inspect.excite(model, images.split(16), "conv1", [0, 5], count=4)
    with minicnn.no_grad():
        maps = model.conv1(images).numpy()
    for unit, best in found.items():
        largest = maps[:, unit].reshape(50, -1).max(1)
        assert [one.index for one in best] == np.argsort(-largest)[:4].tolist()
        for one in best:
            i, j = one.cell
            assert one.value == maps[one.index, unit, i, j] == largest[one.index]
            assert one.box == (i, j, i + 5, j + 5)
    assert inspect.excite(model, [], None, [1]) == {1: []}


def test_mistakes_are_counted_and_ordered():
    class Told(nn.Module):
        """Scores that are the image's own pixels."""

        def forward(self, x):
            return x.flatten(1)

    scores = np.random.default_rng(0).standard_normal((40, 1, 1, 4)).astype(np.float32)
    labels = np.random.default_rng(1).integers(0, 4, 40)
    loader = [(minicnn.from_numpy(scores[i : i + 16]), minicnn.from_numpy(labels[i : i + 16])) for i in (0, 16, 32)]
    found = inspect.mistakes(Told(), loader, 4)
    shares = torch.from_numpy(scores.reshape(40, 4)).softmax(1).numpy()
    answers = shares.argmax(1)
    from sklearn.metrics import confusion_matrix

    np.testing.assert_array_equal(found.confusion, confusion_matrix(labels, answers, labels=range(4)))
    assert found.accuracy == np.mean(answers == labels)
    assert sorted(one.index for one in found.wrong) == np.flatnonzero(answers != labels).tolist()
    assert [one.probability for one in found.wrong] == sorted((one.probability for one in found.wrong), reverse=True)
    for one in found.wrong:
        assert (one.label, one.taken_for) == (labels[one.index], answers[one.index])
        np.testing.assert_allclose(one.probability, shares[one.index].max(), rtol=1e-6)
    with pytest.raises(ValueError, match="targets must be from 0 to 2"):
        inspect.mistakes(Told(), loader, 3)


def test_what_can_not_be_inspected():
    model, x = build("lenet", (1, 28, 28), 10), minicnn.zeros(1, 1, 28, 28)
    for call, expected in [
        (lambda: inspect.feature_maps(model, minicnn.zeros(2, 1, 28, 28)), "one image"),
        (lambda: inspect.saliency(model, x, 10), "no class 10"),
        (lambda: inspect.saliency(model, minicnn.zeros(1, 28, 28), 0), "one image"),
        (lambda: inspect.grad_cam(model, x, 0, "conv9"), "no layer 'conv9'; the convolutions are conv1, conv2"),
        (lambda: inspect.grad_cam(model, x, 0, "fc1"), "returns maps"),
        (lambda: inspect.excite(model, [x], "conv1", [6]), "units 0 to 5, got 6"),
        (lambda: inspect.excite(model, [x], "fc1", [0]), "returns no maps"),
        (lambda: inspect.first_kernels(nn.Linear(2, 2)), "no Conv2d"),
    ]:
        with pytest.raises(ValueError, match=expected):
            call()


# The command


def run(*arguments):
    return CliRunner().invoke(app, ["inspect", *map(str, arguments)])


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    options = ["--epochs", "2", "--threads", "1", "--output", str(folder)]
    assert CliRunner().invoke(app, ["train", *options]).exit_code == 0
    return folder / "weights.safetensors"


FIGURES = ["confusion", "exciting", "feature-maps", "kernels", "receptive-fields", "where-it-looks", "wrong"]


@pytest.mark.slow
def test_figures_of_a_trained_network(weights, tmp_path):
    result = run(weights, "--output", tmp_path / "out", "--limit", 100)
    assert result.exit_code == 0, result.output
    assert sorted(path.stem for path in (tmp_path / "out").iterdir()) == FIGURES
    for path in (tmp_path / "out").iterdir():
        with Image.open(path) as picture:
            assert picture.format == "PNG"
            assert min(picture.size) > 50
    assert "test image 0" in result.stdout
    assert "of 100 test images recognised" in " ".join(result.stdout.split())
    assert all(len(line) <= 80 for line in result.stdout.splitlines() if str(tmp_path) not in line)


def test_a_page_of_a_picture_of_ones_own(weights, tmp_path):
    page = Image.new("L", (90, 120), 250)
    page.paste(Image.fromarray(255 - datasets.Digits(train=False).data[0].numpy()), (30, 50))
    page.save(tmp_path / "mine.png")
    told = ("--html", "--layer", "conv1", "--unit", 2, "--unit", 5, "--class", 7, "--limit", 50)
    result = run(weights, tmp_path / "mine.png", *told, "--output", tmp_path)
    assert result.exit_code == 0, result.output
    text = (tmp_path / "inspection.html").read_text("utf-8")
    assert text.count("data:image/png;base64,") == text.count("<section") >= 6
    assert 'src="http' not in text
    assert "mine.png" in text
    assert "For the class 7" in text
    assert "A row a unit of conv1" in text


def foreign(path, name, shape, dataset, weights):
    """A fresh network's weights, saved as if they had been trained on a data set."""
    preset = PRESETS[dataset] if dataset in PRESETS else PRESETS["cifar10"]
    network = build(name, shape, 10)
    story = Story(**{key: json.loads(value) for key, value in read_metadata(weights).items()})
    changed = {"model": name, "dataset": dataset, "input_shape": list(shape), "classes": preset.classes}
    changed |= {"mean": list(preset.mean), "std": list(preset.std)}
    metadata = Story(**(story.__dict__ | changed)).metadata()
    save(network.state_dict(), path, metadata=metadata)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["resnet18-cifar10", "block-vgg"])
def test_networks_for_colours_without_their_test_images(name, weights, tmp_path):
    foreign(tmp_path / "w", name, (3, 32, 32), "cifar10", weights)
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (50, 40, 3), np.uint8)).save(tmp_path / "x.png")
    result = run(tmp_path / "w", tmp_path / "x.png", "--output", tmp_path / "out", "--data-dir", tmp_path)
    assert result.exit_code == 0, result.output
    made = sorted(path.stem for path in (tmp_path / "out").iterdir())
    assert made == ["feature-maps", "kernels", "receptive-fields", "where-it-looks"]
    assert "Left out" in result.stdout
    assert "minicnn evaluate --download" in " ".join(result.stdout.split())


def fails(expected, *arguments):
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    assert expected in " ".join(result.stderr.split()), result.stderr
    assert "Traceback" not in result.output


def test_what_the_command_refuses(weights, tmp_path):
    out = ("--output", tmp_path / "out")
    fails("no layer 'conv7'", weights, "--layer", "conv7", *out)
    fails("conv2 has units 0 to 15, got 99", weights, "--unit", 99, *out)
    fails("there is no class 'cat'", weights, "--class", "cat", *out)
    fails("there is no picture", weights, tmp_path / "nowhere.png", *out)
    (tmp_path / "text.png").write_text("no picture")
    fails("cannot read", weights, tmp_path / "text.png", *out)
    Image.new("L", (40, 40), 255).save(tmp_path / "blank.png")
    fails("is blank", weights, tmp_path / "blank.png", *out)
    fails("limit", weights, "--limit", 0, *out)
    fails("nowhere", tmp_path / "nowhere", *out)
    foreign(tmp_path / "w", "resnet18-cifar10", (3, 32, 32), "cifar10", weights)
    fails("or give a picture", tmp_path / "w", "--data-dir", tmp_path, *out)
    assert not (tmp_path / "out").exists()
    assert load(weights)
