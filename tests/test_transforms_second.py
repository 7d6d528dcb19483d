"""torchvision's second transforms: what is new in them, against torchvision's with the same draws."""

import numpy as np
import pytest
import torch
import torchvision.transforms.v2 as theirs
from PIL import Image

import minicnn
from minicnn.datasets import Digits
from minicnn.transforms import v2 as ours
from minicnn.utils.data import DataLoader

LIBRARIES = ((torch, theirs), (minicnn, ours))


def pixels(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def pictures(library):
    """Pillow images of several modes, a Tensor of bytes, one of floats."""
    colours = Image.fromarray(pixels(7, 9, 3))
    modes = [colours.convert(mode) for mode in ("RGB", "L", "RGBA", "P")]
    tensors = [library.from_numpy(pixels(3, 7, 9)), library.from_numpy(pixels(1, 7, 9)), library.rand(3, 4, 5)]
    return [*modes, *tensors]


MAKERS = [
    lambda t, m: t.Identity(),
    lambda t, m: t.ToImage(),
    lambda t, m: t.ToPureTensor(),
    lambda t, m: t.Compose([t.ToImage(), t.ToDtype(m.float32, scale=True)]),
    lambda t, m: t.Compose([t.ToImage(), t.ToDtype(m.float32)]),
    lambda t, m: t.Compose([t.ToImage(), t.ToDtype(m.float64, scale=True)]),
    lambda t, m: t.Compose([t.ToImage(), t.ToDtype(m.int16, scale=True), t.ToDtype(m.uint8, scale=True)]),
    lambda t, m: t.Compose((t.ToImage(), t.Resize((5, 4)), t.CenterCrop(3), t.RandomHorizontalFlip(1.0))),
    lambda t, m: t.Compose([t.ToImage(), t.ToDtype(m.float32, scale=True), t.Normalize([0.5], [0.25])]),
]


@pytest.mark.parametrize("make", MAKERS)
def test_same_values(make):
    for mine, picture in zip(pictures(minicnn), pictures(torch), strict=True):
        if isinstance(picture, torch.Tensor) and picture.is_floating_point():
            mine = minicnn.from_numpy(picture.numpy())
        expected, actual = make(theirs, torch)(picture), make(ours, minicnn)(mine)
        if isinstance(picture, torch.Tensor):
            assert isinstance(actual, minicnn.Tensor)
        assert np.asarray(actual).dtype == np.asarray(expected).dtype
        np.testing.assert_allclose(np.asarray(actual), np.asarray(expected), rtol=1e-6, atol=1e-6)


def test_three_channels():
    for mine, picture in zip(pictures(minicnn)[:6], pictures(torch)[:6], strict=True):
        np.testing.assert_array_equal(np.asarray(ours.RGB()(mine)), np.asarray(theirs.RGB()(picture)))


def test_functions():
    array = pixels(4, 5, 3)
    for F in (ours.functional, theirs.functional):
        assert tuple(F.to_image(array).shape) == (3, 4, 5)
        assert tuple(F.to_image(array[..., 0]).shape) == (1, 4, 5)
        scaled = F.to_dtype(F.to_image(Image.fromarray(array)), {ours.functional: minicnn}.get(F, torch).float32, True)
        np.testing.assert_allclose(np.asarray(scaled), array.transpose(2, 0, 1) / 255, rtol=1e-6)


@pytest.mark.parametrize("name", ["MixUp", "CutMix"])
@pytest.mark.parametrize("hot", [False, True])
def test_mixed_batches(name, hot, monkeypatch):
    for seed in range(20):
        found = []
        for library, t in LIBRARIES:
            rng = np.random.default_rng(seed)
            share = float(np.float32(rng.beta(1.0, 1.0)))
            if library is torch:
                monkeypatch.setattr(torch.distributions.Beta, "sample", lambda self, shape, share=share: share)
                integers = lambda high, size, rng=rng: torch.tensor([int(rng.integers(0, high))])  # noqa: E731
                monkeypatch.setattr(torch, "randint", integers)
            else:
                monkeypatch.setattr(ours._OfBatches, "_drawn", lambda self, share=share: share)
                monkeypatch.setattr(ours, "integer", lambda low, high, rng=rng: int(rng.integers(low, high)))
            images = library.from_numpy(np.random.default_rng(1).random((4, 3, 7, 9), np.float32))
            labels = library.tensor([1, 0, 4, 1])
            if hot:
                labels = library.nn.functional.one_hot(labels, 5)
            mix = getattr(t, name)(num_classes=5)
            found.append([np.asarray(x) for x in (*mix(images, labels), *mix((images, labels)))][:2])
        for expected, actual in zip(*found, strict=True):
            assert actual.dtype == expected.dtype
            np.testing.assert_allclose(actual, expected, rtol=1e-6, atol=1e-7)


REFUSED = [
    lambda t, m: t.Compose([]),
    lambda t, m: t.Compose(3),
    lambda t, m: t.MixUp()(m.ones(2, 3, 4, 4), m.tensor([0, 1])),
    lambda t, m: t.MixUp(num_classes=3)(m.ones(2, 3, 4, 4), m.tensor([[0.5, 0.5], [0.5, 0.5]])),
    lambda t, m: t.CutMix(num_classes=3)(m.ones(3, 3, 4, 4), m.tensor([0, 1])),
    lambda t, m: t.CutMix(num_classes=3)(m.ones(3, 4, 4), m.tensor([0, 1, 2])),
    lambda t, m: t.MixUp(num_classes=3)(m.ones(2, 3, 4, 4), [0, 1]),
    lambda t, m: t.MixUp(num_classes=3, labels_getter="last"),
    lambda t, m: t.GaussianNoise(sigma=-1.0)(m.ones(3, 4, 4)),
    lambda t, m: t.GaussianNoise()(m.ones(3, 4, 4, dtype=m.int32)),
]


@pytest.mark.parametrize("wrong", REFUSED)
def test_refusals(wrong):
    for library, t in LIBRARIES:
        with pytest.raises((ValueError, TypeError)):
            wrong(t, library)


def test_noise():
    minicnn.manual_seed(0)
    x = minicnn.full((3, 64, 64), 0.5)
    noisy = ours.GaussianNoise(0.1, 0.05)(x)
    assert abs(noisy.mean().item() - 0.6) < 0.005
    assert abs(noisy.std().item() - 0.05) < 0.005
    assert ours.GaussianNoise(5.0)(x).max().item() == 1.0
    bytes_ = ours.GaussianNoise(0.1, 0.05)(minicnn.full((3, 64, 64), 100, dtype=minicnn.uint8))
    assert bytes_.dtype == minicnn.uint8
    assert abs(bytes_.to(minicnn.float32).mean().item() - 125.5) < 1


def test_printed_form():
    for make in (
        lambda t, m: t.GaussianNoise(0.5, 0.25, False),
        lambda t, m: t.Identity(),
        lambda t, m: t.ToImage(),
        lambda t, m: t.MixUp(alpha=0.5, num_classes=3),
    ):
        assert repr(make(ours, minicnn)) == repr(make(theirs, torch))


def test_a_loader_transforms_whole_batches():
    transform = ours.Compose([ours.ToImage(), ours.ToDtype(minicnn.float32, scale=True), ours.Normalize([0.5], [0.5])])
    data = Digits(train=False, transform=transform)
    images, labels = next(iter(DataLoader(data, batch_size=16)))
    np.testing.assert_array_equal(images.numpy(), np.stack([data[i][0].numpy() for i in range(16)]))
    mixed, shares = ours.CutMix(num_classes=10)(images, labels)
    assert mixed.shape == images.shape
    np.testing.assert_allclose(shares.sum(1).numpy(), 1, rtol=1e-6)
