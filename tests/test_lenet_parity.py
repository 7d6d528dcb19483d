"""LeNet as a whole: the same weights and images give PyTorch's scores, gradients and steps."""

from pathlib import Path

import numpy as np
import pytest
import torch

import minicnn
import minicnn.models
import reference.models
from minicnn import nn, optim

# Rounding errors of a few hundred additions, relative to the largest number beside them.
BOUND = {"float32": 2e-5, "float64": 4e-14}


def assert_close(actual, expected, dtype, what):
    """Whether two arrays agree within a bound that scales with the largest entry."""
    actual, expected = actual.detach().numpy(), expected.detach().numpy()
    assert actual.dtype == expected.dtype == dtype, what
    assert actual.shape == expected.shape, what
    error = np.abs(actual - expected).max(initial=0)
    scale = np.abs(expected).max(initial=0)
    assert error <= BOUND[dtype] * scale, f"{what}: off by {error:.3g}, where the largest is {scale:.3g}"


def twins(dtype, **arguments):
    """A reference LeNet and a minicnn LeNet with its weights."""
    theirs = reference.models.lenet(**arguments).to(getattr(torch, dtype))
    ours = minicnn.models.lenet(**arguments).to(getattr(minicnn, dtype))
    ours.load_state_dict(theirs.state_dict())
    return theirs, ours


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("channels", "classes", "batch", "momentum"), [(1, 10, 32, 0.9), (3, 7, 5, 0.0)])
def test_forward_backward_and_three_steps(dtype, channels, classes, batch, momentum):
    torch.manual_seed(1)
    theirs, ours = twins(dtype, num_classes=classes, in_channels=channels)
    images = torch.randn(3, batch, channels, 28, 28, dtype=getattr(torch, dtype))
    targets = torch.randint(0, classes, (3, batch))
    their_steps = torch.optim.SGD(theirs.parameters(), lr=0.05, momentum=momentum, weight_decay=1e-3)
    our_steps = optim.SGD(ours.parameters(), lr=0.05, momentum=momentum, weight_decay=1e-3)
    for step, (x, y) in enumerate(zip(images, targets, strict=True)):
        their_scores = theirs(x)
        our_scores = ours(minicnn.from_numpy(x.numpy()))
        assert_close(our_scores, their_scores, dtype, f"scores in step {step}")
        their_loss = torch.nn.CrossEntropyLoss()(their_scores, y)
        our_loss = nn.CrossEntropyLoss()(our_scores, minicnn.from_numpy(y.numpy()))
        assert_close(our_loss, their_loss, dtype, f"loss in step {step}")
        their_steps.zero_grad()
        our_steps.zero_grad()
        their_loss.backward()
        our_loss.backward()
        for (name, p), q in zip(ours.named_parameters(), theirs.parameters(), strict=True):
            assert_close(p.grad, q.grad, dtype, f"gradient of {name} in step {step}")
        their_steps.step()
        our_steps.step()
        for (name, p), q in zip(ours.named_parameters(), theirs.parameters(), strict=True):
            assert_close(p, q, dtype, f"{name} after step {step}")


def test_an_empty_batch_gives_no_scores():
    assert minicnn.models.lenet()(minicnn.zeros(0, 1, 28, 28)).shape == (0, 10)


def test_both_refuse_images_of_another_size():
    theirs, ours = twins("float32")
    with pytest.raises(RuntimeError):
        theirs(torch.zeros(1, 1, 32, 32))
    with pytest.raises((ValueError, RuntimeError), match="400"):
        ours(minicnn.zeros(1, 1, 32, 32))


def test_twins_have_the_same_state_and_print_alike():
    theirs, ours = twins("float32")
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert repr(ours) == repr(theirs)


def test_the_registries_know_the_same_models():
    assert list(minicnn.models.MODELS) == list(reference.models.MODELS)


OUR_FILES = sorted(path.name for path in Path(minicnn.models.__file__).parent.glob("[!_]*.py"))


@pytest.mark.parametrize("name", OUR_FILES)
def test_twins_read_line_by_line_alike(name):
    """A model file becomes the reference when its imports change, and nothing else does."""
    ours = Path(minicnn.models.__file__).with_name(name).read_text(encoding="utf-8")
    theirs = Path(reference.models.__file__).with_name(name).read_text(encoding="utf-8")
    translated = ours.replace("from minicnn import", "from torch import")
    assert translated.replace("from minicnn.nn import", "from torch.nn import") == theirs
