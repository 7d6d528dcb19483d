"""Networks that convolve by somebody's own functions: `minicnn train --conv`."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

import minicnn
from minicnn import nn
from minicnn.cli import app
from minicnn.learn import CHAPTERS
from minicnn.learn.own import install
from minicnn.models.lenet import LeNet
from minicnn.nn import functional as F


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A folder with the solutions of chapters 3 to 6."""
    monkeypatch.chdir(tmp_path)
    for number in (3, 4, 5, 6):
        (tmp_path / CHAPTERS[number].file).write_text(CHAPTERS[number].solution)
    return tmp_path


@pytest.mark.parametrize("forward", [None, "learn_04.py:conv2d", "learn_03.py:conv2d"])
@pytest.mark.parametrize("backward", [None, "learn_06.py:conv2d_backward"])
@pytest.mark.parametrize("options", [{}, {"stride": 2, "padding": 1}, {"dilation": 2, "bias": False}])
def test_values_and_gradients_are_minicnns(mine, forward, backward, options):
    minicnn.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(2, 3, 3, **options), nn.ReLU(), nn.Conv2d(3, 2, 1)).double()
    x = minicnn.randn(2, 2, 7, 6).double().requires_grad_()

    def results():
        net.zero_grad()
        x.grad = None
        y = net(x)
        (y * y).sum().backward()
        return [y.detach().numpy(), x.grad.numpy().copy(), *[one.grad.numpy().copy() for one in net.parameters()]]

    expected = results()
    assert install(net, forward, backward) == 2
    for a, b in zip(results(), expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    ("source", "target", "sentence"),
    [
        ("", "conv2d", "there is no function conv2d"),
        ("def conv2d(x, weight, bias): return None", "conv2d", "mine.py:conv2d returned NoneType for y; an array is"),
        (
            "def conv2d(x, weight, bias): return x",
            "conv2d",
            "returned shape (1, 1, 28, 28) for y, expected (1, 6, 24, 24)",
        ),
        ("def conv2d(x, weight, bias):\n    return x / {}", "conv2d", "mine.py:conv2d, line 2, raised TypeError: "),
        ("def conv2d(x, weight): return x", "conv2d", "a layer has a bias, and mine.py:conv2d has no parameter bias"),
        ("1 / 0", "conv2d", "mine.py:conv2d, line 1, raised ZeroDivisionError: division by zero"),
    ],
)
def test_what_does_not_suit_is_said(mine, source, target, sentence):
    (mine / "mine.py").write_text(source)
    net = LeNet()

    def computed():
        install(net, f"mine.py:{target}", None)
        return net(minicnn.zeros(1, 1, 28, 28))

    with pytest.raises((ValueError, RuntimeError)) as caught:
        computed()
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("returned", "sentence"),
    [
        ("x", "must return the gradients with respect to input, weight, bias, got 1"),
        ("(x, weight)", "must return the gradients with respect to input, weight, bias, got 2"),
        ("(x, x, bias)", "for the gradient with respect to weight, expected (16, 6, 5, 5)"),
        ("{'x': x, 'weight': weight}", "returned x, weight, and nothing for bias"),
    ],
)
def test_gradients_that_do_not_suit_are_said(mine, returned, sentence):
    (mine / "mine.py").write_text(f"def back(grad_output, x, weight, bias):\n    return {returned}")
    net = LeNet()
    install(net, None, "mine.py:back")
    with pytest.raises(ValueError, match=r"mine\.py:back") as caught:
        net(minicnn.zeros(1, 1, 28, 28)).sum().backward()
    assert sentence in str(caught.value)


def test_gradients_by_name(mine):
    (mine / "mine.py").write_text(
        "from learn_06 import conv2d_backward\n"
        "def back(g, x, weight, bias):\n"
        "    a, b, c = conv2d_backward(g, x, weight, bias)\n"
        "    return {'grad_weight': b, 'bias': c, 'grad_x': a}\n"
    )
    x, weight, bias = (minicnn.randn(*shape).requires_grad_() for shape in ((1, 1, 5, 5), (2, 1, 3, 3), (2,)))
    F.conv2d(x, weight, bias).sum().backward()
    layer = nn.Conv2d(1, 2, 3)
    layer.load_state_dict({"weight": weight.detach(), "bias": bias.detach()})
    install(layer, None, "mine.py:back")
    layer(x.detach()).sum().backward()
    np.testing.assert_allclose(layer.weight.grad.numpy(), weight.grad.numpy(), rtol=1e-5)
    np.testing.assert_allclose(layer.bias.grad.numpy(), bias.grad.numpy(), rtol=1e-5)


def test_the_command_trains_with_ones_own(mine):
    own = ["--conv", "learn_04.py:conv2d", "--conv-backward", "learn_06.py:conv2d_backward"]
    losses = []
    for name, options in (("own", own), ("ours", [])):
        result = CliRunner().invoke(app, ["train", "--epochs", "1", "--output", name, *options])
        assert result.exit_code == 0, result.output
        history = json.loads((mine / name / "history.json").read_text())
        losses.append(history["epochs"][-1]["train"]["loss"])
        if options:
            assert "Convolution learn_04.py:conv2d and learn_06.py:conv2d_backward, in 2 layers" in result.output
            assert history["settings"]["conv"] == "learn_04.py:conv2d"
    np.testing.assert_allclose(*losses, rtol=0.02)
    result = CliRunner().invoke(app, ["train", "--conv", "none.py:conv2d", "--output", "never"])
    assert result.exit_code == 1
    assert "there is no file none.py" in result.output
    assert not (mine / "never").exists()
