"""RandAugment, TrivialAugment, AutoAugment and AugMix against torchvision's, with the same draws."""

import numpy as np
import pytest
import torch
import torchvision.transforms as theirs
from PIL import Image
from torchvision.transforms import autoaugment

import minicnn
from minicnn import transforms as ours
from minicnn.transforms import _augmentations

LIBRARIES = ((torch, theirs), (minicnn, ours))


class Draws:
    """The same numbers for both libraries."""

    def __init__(self, seed):
        self.generator = np.random.default_rng(seed)

    def integer(self, low, high):
        return int(self.generator.integers(low, high))

    def randint(self, *args, size=None, low=0, high=None, dtype=None):
        if high is None:
            high, size = args
        return torch.tensor([self.integer(low, high) for _ in range(size[0])])

    def random(self, size):
        return self.generator.random(size)

    def rand(self, size):
        return torch.from_numpy(self.generator.random(size[0]))

    def weights(self, width, count):
        return self.generator.dirichlet([1.0] * width, count).astype(np.float32)


@pytest.fixture
def draws(monkeypatch):
    """Seeds the draws of a library."""

    def seed(library, number):
        draws = Draws(number)
        if library is torch:
            monkeypatch.setattr(torch, "randint", draws.randint)
            monkeypatch.setattr(torch, "rand", draws.rand)
            dirichlet = lambda self, params: torch.from_numpy(draws.weights(params.shape[1], len(params)))  # noqa: E731
            monkeypatch.setattr(autoaugment.AugMix, "_sample_dirichlet", dirichlet)
        else:
            monkeypatch.setattr(_augmentations, "integer", draws.integer)
            monkeypatch.setattr(_augmentations, "numpy_generator", lambda: draws)
            monkeypatch.setattr(ours.AugMix, "_weights", lambda self, width, count: draws.weights(width, count))

    return seed


MAKERS = {
    "RandAugment": lambda t: t.RandAugment(),
    "RandAugment, filled": lambda t: t.RandAugment(3, 14, 31, t.InterpolationMode.BILINEAR, fill=7),
    "RandAugment, few bins": lambda t: t.RandAugment(1, 4, 5, fill=[1, 2, 3]),
    "TrivialAugmentWide": lambda t: t.TrivialAugmentWide(),
    "TrivialAugmentWide, filled": lambda t: t.TrivialAugmentWide(10, t.InterpolationMode.BILINEAR, fill=128),
    "AutoAugment": lambda t: t.AutoAugment(),
    "AutoAugment, CIFAR-10": lambda t: t.AutoAugment(t.AutoAugmentPolicy.CIFAR10, t.InterpolationMode.BILINEAR, 5),
    "AutoAugment, SVHN": lambda t: t.AutoAugment(t.AutoAugmentPolicy.SVHN),
    "AugMix": lambda t: t.AugMix(),
    "AugMix, colours kept": lambda t: t.AugMix(10, 2, 2, 1.0, False, t.InterpolationMode.NEAREST, 9),
}


def pictures(library, seed):
    """Pillow images in colours and in gray, a Tensor, a batch."""
    bytes_ = np.random.default_rng(seed).integers(0, 256, (2, 3, 17, 20), dtype=np.uint8)
    colours = Image.fromarray(bytes_[0].transpose(1, 2, 0).copy())
    return {
        "colours": colours,
        "gray": colours.convert("L"),
        "tensor": library.from_numpy(bytes_[1].copy()),
        "batch": library.from_numpy(bytes_.copy()),
    }


@pytest.mark.parametrize("name", list(MAKERS))
@pytest.mark.parametrize("kind", ["colours", "gray", "tensor", "batch"])
def test_same_draws_make_the_same_image(name, kind, draws):
    if kind == "gray" and "few bins" in name:
        pytest.skip("three values to fill in, one channel")
    for seed in range(25):
        made = []
        for library, t in LIBRARIES:
            draws(library, seed)
            made.append(np.asarray(MAKERS[name](t)(pictures(library, seed)[kind])))
        assert made[1].dtype == made[0].dtype
        off = made[1] != made[0]
        # interpolated bytes that are halves are rounded either way, and a later change may make more of that
        assert off.mean() <= (0.02 if kind in ("tensor", "batch") or "AugMix" in name else 0), seed


@pytest.mark.parametrize("name", list(MAKERS))
def test_prints_as_torchvision(name):
    assert repr(MAKERS[name](ours)) == repr(MAKERS[name](theirs))


def test_policies_are_torchvisions():
    for policy in theirs.AutoAugmentPolicy:
        expected = theirs.AutoAugment(policy).policies
        assert ours.AutoAugment(ours.AutoAugmentPolicy(policy.value)).policies == [tuple(pair) for pair in expected]


@pytest.mark.parametrize("wrong", [lambda t: t.AutoAugment("cifar10"), lambda t: t.AugMix(0), lambda t: t.AugMix(11)])
def test_refusals(wrong):
    for _, t in LIBRARIES:
        with pytest.raises(ValueError, match=r"policy|severity"):
            wrong(t)


def test_draws_come_from_the_default_generator():
    picture = pictures(minicnn, 0)["colours"]
    for make in MAKERS.values():
        found = []
        for _ in range(2):
            minicnn.manual_seed(3)
            transform = make(ours)
            found.append([np.asarray(transform(picture)) for _ in range(6)])
        assert all((a == b).all() for a, b in zip(*found, strict=True))
        assert any((a != found[0][0]).any() for a in found[0])
