"""The networks beside their PyTorch twins and torchvision: layers, names, scores, gradients and running statistics.

(That the files of twins differ in nothing but their imports is in test_lenet_parity.)
"""

import copy

import numpy as np
import pytest
import torch
import torchvision
from agreement import assert_rounding_apart

import minicnn
import minicnn.models
import minicnn.ops.intermediate
import reference.models
from minicnn import nn
from minicnn.recipes.errors import UserError
from minicnn.recipes.models import build

TORCHVISION = [name for name in reference.models.MODELS if name.replace("-", "_") in torchvision.models.list_models()]


@pytest.fixture
def undrawn(monkeypatch):
    """Leave minicnn's weights as they lie in memory: nothing is drawn, and of big networks little is even touched."""
    for name in ("kaiming_uniform_", "kaiming_normal_", "uniform_", "normal_"):
        monkeypatch.setattr(nn.init, name, lambda tensor, *args, **kwargs: tensor)


def on_meta(constructor, **arguments):
    """A PyTorch network without memory."""
    with torch.device("meta"):
        return constructor(**arguments)


def shapes(model):
    """Names, shapes and dtypes of a network's parameters and buffers, in order."""
    return [
        (name, tuple(entry.shape), str(entry.dtype).removeprefix("torch."))
        for name, entry in model.state_dict().items()
    ]


# Layers and names


def test_names_are_the_constructors_with_hyphens():
    for module in (minicnn.models, reference.models):
        for name, constructor in module.MODELS.items():
            assert constructor is getattr(module, name.replace("-", "_"))
    assert minicnn.models.FOR_SMALL_IMAGES == reference.models.FOR_SMALL_IMAGES
    assert minicnn.models.__all__ == reference.models.__all__
    for names in minicnn.models.FOR_SMALL_IMAGES.items():
        assert all(name in minicnn.models.MODELS for name in names)


@pytest.mark.parametrize("name", reference.models.MODELS)
def test_twins_have_the_same_layers_and_state(name, undrawn):
    theirs = on_meta(reference.models.MODELS[name], num_classes=7, in_channels=2)
    ours = minicnn.models.MODELS[name](num_classes=7, in_channels=2)
    assert repr(ours) == repr(theirs)
    assert shapes(ours) == shapes(theirs)
    parameters = list(ours.parameters())
    assert parameters[0].shape[1] == 2
    assert parameters[-1].shape == (7,)


def test_torchvision_knows_them():
    assert {"alexnet", "resnet18", "resnet34", "resnet50"} < set(TORCHVISION)
    assert sum(name.startswith("vgg") for name in TORCHVISION) == 8


@pytest.mark.parametrize("name", TORCHVISION)
def test_imagenet_networks_are_those_of_torchvision(name):
    theirs = on_meta(torchvision.models.get_model_builder(name.replace("-", "_")))
    twin = on_meta(reference.models.MODELS[name])
    assert repr(twin) == repr(theirs)
    assert shapes(twin) == shapes(theirs)
    assert sum(p.numel() for p in twin.parameters()) == sum(p.numel() for p in theirs.parameters())


# Scores, gradients, running statistics

WIDTHS = ((4,), (8, 8), (12,))
NETWORKS = {
    "mnist-cnn": ((1, 28, 28), lambda models: models.mnist_cnn(dropout=0.0)),
    "mnist-cnn, 3 channels": ((3, 28, 28), lambda models: models.mnist_cnn(7, 3, dropout=0.0)),
    "plain-cnn": ((1, 28, 28), lambda models: models.plain_cnn()),
    "convnet": ((1, 28, 28), lambda models: models.convnet(dropout=0.0)),
    "alexnet-cifar10": ((3, 32, 32), lambda models: models.alexnet_cifar10(dropout=0.0)),
    "narrow vgg": ((3, 32, 32), lambda models: models.VGG(WIDTHS, dropout=0.0, hidden=16)),
    "narrow vgg with bn": ((3, 32, 32), lambda models: models.VGG(WIDTHS, batch_norm=True, dropout=0.0, hidden=16)),
    "narrow speedrun": (
        (1, 28, 28),
        lambda models: models.SpeedrunCNN(
            (models.Stage(4, kernel_size=5, stride=2), models.Stage(6, stride=2), models.Stage(8, pool=2)), 28
        ),
    ),
    "narrow speedrun, last pool": (
        (3, 32, 32),
        lambda models: models.SpeedrunCNN((models.Stage(4, pool=2), models.Stage(8, pool=16)), 32, 7, 3),
    ),
    "narrow block-vgg": ((3, 32, 32), lambda models: models.block_vgg(base_dim=4, dropout=0.0)),
} | {
    f"narrow resnet of {block}, {'small' if small else 'large'} images": (
        (3, 32, 32) if small else (3, 64, 64),
        lambda models, block=block, small=small: models.ResNet(
            getattr(models, block), (2, 1, 1, 1), num_classes=10, small_images=small, width=4
        ),
    )
    for block in ("BasicBlock", "Bottleneck")
    for small in (True, False)
}


@pytest.mark.parametrize("name", NETWORKS)
def test_training_and_evaluation_give_the_same_as_pytorch(name):
    shape, make = NETWORKS[name]
    torch.manual_seed(2)
    single = make(reference.models)
    exact = copy.deepcopy(single).double()
    ours = make(minicnn.models).double()
    ours.load_state_dict(exact.state_dict())
    images = torch.randn(4, *shape)
    weights = torch.randn(4, len(list(single.parameters())[-1]))  # of the scores, in the sum that is differentiated

    x, x_exact, x_single = minicnn.from_numpy(images.double().numpy()), images.double(), images.clone()
    scores, scores_exact, scores_single = (
        model(batch.requires_grad_()) for model, batch in ((ours, x), (exact, x_exact), (single, x_single))
    )
    assert_rounding_apart(scores, scores_exact, scores_single, "scores in training")
    scores.backward(minicnn.from_numpy(weights.double().numpy()))
    scores_exact.backward(weights.double())
    scores_single.backward(weights)
    assert_rounding_apart(x.grad, x_exact.grad, x_single.grad, "gradient of the images")
    for (parameter, p), q, r in zip(ours.named_parameters(), exact.parameters(), single.parameters(), strict=True):
        assert_rounding_apart(p.grad, q.grad, r.grad, f"gradient of {parameter}")
    for (buffer, p), q, r in zip(ours.named_buffers(), exact.buffers(), single.buffers(), strict=True):
        if buffer.endswith("num_batches_tracked"):
            assert p.item() == q.item() == 1
        else:
            assert_rounding_apart(p, q, r, buffer)

    single.load_state_dict(exact.state_dict())
    with torch.no_grad(), minicnn.no_grad():
        expected, rounded = exact.eval()(x_exact), single.eval()(x_single)
        assert_rounding_apart(ours.eval()(x), expected, rounded, "scores in evaluation")
        scores = ours.float()(minicnn.from_numpy(images.numpy()))
        assert scores.dtype == minicnn.float32
        assert_rounding_apart(scores, expected, rounded, "scores in evaluation, float32")


@pytest.mark.parametrize("name", ["alexnet", "resnet18", "resnet50"])
def test_scores_with_the_weights_of_torchvision(name, undrawn):
    torch.manual_seed(3)
    theirs = torchvision.models.get_model(name).eval()
    for module in theirs.modules():
        if isinstance(module, torch.nn.BatchNorm2d):  # fresh ones would hide a swap of mean and bias
            for entry in (module.running_var, module.weight.detach()):
                entry.uniform_(0.5, 1.5)
            for entry in (module.running_mean, module.bias.detach()):
                entry.normal_()
    ours = getattr(minicnn.models, name)().eval()
    ours.load_state_dict(theirs.state_dict())
    image = torch.randn(1, 3, 64, 64)
    with torch.no_grad(), minicnn.no_grad():
        scores, single = ours(minicnn.from_numpy(image.numpy())), theirs(image)
        assert scores.shape == (1, 1000)
        assert_rounding_apart(scores, theirs.double()(image.double()), single, "scores")


# Fresh weights, dropout


@pytest.mark.parametrize("batch_norm", [False, True])
def test_vgg_draws_weights_for_rectifiers(batch_norm):
    minicnn.manual_seed(4)
    model = minicnn.models.VGG(((32,), (64, 64)), batch_norm, num_classes=10, hidden=64)
    kinds = [nn.Conv2d] * 3 + [nn.Linear] * 3
    layers = [module for module in model.modules() if isinstance(module, (nn.Conv2d, nn.Linear))]
    for layer, kind in zip(layers, kinds, strict=True):
        assert isinstance(layer, kind)
        weight = layer.weight.detach().numpy()
        std = (2 / (9 * len(weight))) ** 0.5 if kind is nn.Conv2d else 0.01
        deviation = 5 * std / weight.size**0.5  # five standard deviations of a sample's mean
        assert abs(weight.mean()) < deviation
        assert abs(weight.std() - std) < deviation
        assert not layer.bias.detach().numpy().any()


def test_resnet_draws_weights_for_rectifiers():
    minicnn.manual_seed(5)
    model = minicnn.models.ResNet(minicnn.models.Bottleneck, (1, 1, 1, 1), width=16)
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            weight = module.weight.detach().numpy()
            std = (2 / (weight.shape[0] * weight[0, 0].size)) ** 0.5
            assert abs(weight.std() - std) < 5 * std / weight.size**0.5


@pytest.mark.parametrize(
    ("name", "count", "rate"), [("mnist_cnn", 3, 0.25), ("convnet", 1, 0.5), ("alexnet_cifar10", 2, 0.5)]
)
def test_dropout_has_the_rate_asked_for(name, count, rate):
    constructor = getattr(minicnn.models, name)
    for model, p in ((constructor(), rate), (constructor(dropout=0.125), 0.125)):
        assert [module.p for module in model.modules() if isinstance(module, nn.Dropout)] == [p] * count


# What doesn't fit


def test_the_command_line_takes_the_variant_for_small_images():
    model = build("alexnet", (3, 32, 32), 10)
    assert isinstance(model, minicnn.models.AlexNetCIFAR10)
    model = build("resnet18", (1, 28, 28), 10)
    assert isinstance(model.maxpool, nn.Identity)
    assert model.training
    assert model.conv1.weight.shape == (64, 1, 3, 3)
    assert isinstance(build("resnet18", (3, 96, 96), 10).maxpool, nn.MaxPool2d)


@pytest.mark.parametrize(
    ("name", "shape", "said"),
    [
        ("mnist-cnn", (3, 32, 32), "3200.*2048"),
        ("plain-cnn", (3, 32, 32), "1024.*576"),
        ("convnet", (3, 32, 32), "4096.*3136"),
        ("speedrun-mnist", (3, 32, 32), "1024.*576"),
        ("alexnet", (1, 28, 28), "1024.*2304"),
        ("block-vgg", (1, 28, 28), "larger than the padded input"),
    ],
)
def test_a_network_that_does_not_fit_the_images_says_so(name, shape, said):
    with pytest.raises(UserError, match=rf"{name} is not made for images of {shape[1]}×{shape[2]} pixels.*{said}"):
        build(name, shape, 10)


@pytest.mark.parametrize(
    "name", ["AlexNet", "ResNet18", "ResNet34", "ResNet50", "VGG11", "VGG13_BN", "VGG16", "VGG16_BN", "VGG19_BN"]
)
def test_names_of_trained_weights(name):
    ours, theirs = (getattr(library.models, f"{name}_Weights") for library in (minicnn, torchvision))
    assert [*ours.__members__] == [*theirs.__members__]
    assert ours.DEFAULT.name == theirs.DEFAULT.name
    assert str(ours.DEFAULT) == str(theirs.DEFAULT)
    constructor = getattr(minicnn.models, name.lower())
    with pytest.raises(RuntimeError, match="downloads no trained weights"):
        constructor(weights=ours.DEFAULT)


@pytest.mark.parametrize("wanted", [{"layer1": "a", "layer3": "b"}, {"conv1": "x"}])
def test_intermediate_layers(wanted):
    from torchvision.models._utils import IntermediateLayerGetter

    theirs = IntermediateLayerGetter(torchvision.models.resnet18().double().eval(), wanted)
    ours = minicnn.ops.intermediate.IntermediateLayerGetter(minicnn.models.resnet18().double().eval(), wanted)
    assert [*ours.state_dict()] == [*theirs.state_dict()]
    ours.load_state_dict({key: minicnn.tensor(value.numpy()) for key, value in theirs.state_dict().items()})
    x = torch.linspace(-1, 1, 3 * 32 * 32, dtype=torch.float64).reshape(1, 3, 32, 32)
    expected, found = theirs(x), ours(minicnn.tensor(x.numpy()))
    assert [*found] == [*expected]
    for name, value in expected.items():
        np.testing.assert_allclose(found[name].detach().numpy(), value.detach().numpy(), rtol=1e-9, atol=1e-9)
    with pytest.raises(ValueError, match="not present in model"):
        minicnn.ops.intermediate.IntermediateLayerGetter(minicnn.nn.Sequential(), {"layer1": "a"})
