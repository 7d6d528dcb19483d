"""The transforms as classes against torchvision's: what they refuse, print and make of the same draws."""

import random

import numpy as np
import pytest
import torch
import torchvision.transforms as reference
from agreement import outcome
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from test_transforms_functional import assert_same

import minicnn
from minicnn import nn, transforms
from minicnn.datasets import Digits
from minicnn.utils.data import DataLoader

LIBRARIES = ((minicnn, transforms), (torch, reference))


def pixels(seed=0, shape=(8, 9, 3)):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def images(library):
    """A Pillow image, a gray one, a Tensor of bytes and one of floats."""
    tensor = library.from_numpy(pixels().transpose(2, 0, 1).copy())
    floats = library.from_numpy((pixels(1).transpose(2, 0, 1) / 255).astype(np.float32))
    return [Image.fromarray(pixels()), Image.fromarray(pixels()[..., 0]), tensor, floats]


MAKERS = {
    "CenterCrop": [
        lambda t, m: t.CenterCrop(5),
        lambda t, m: t.CenterCrop((12, 4)),
        lambda t, m: t.CenterCrop((1, 2, 3)),
    ],
    "Pad": [
        lambda t, m: t.Pad(2),
        lambda t, m: t.Pad((1, 2), 3, "constant"),
        lambda t, m: t.Pad((1, 2, 3, 4), padding_mode="reflect"),
        lambda t, m: t.Pad("a"),
        lambda t, m: t.Pad((1, 2, 3)),
        lambda t, m: t.Pad(1, None),
        lambda t, m: t.Pad(1, padding_mode="none"),
    ],
    "Resize": [
        lambda t, m: t.Resize(5),
        lambda t, m: t.Resize((5, 12), t.InterpolationMode.NEAREST),
        lambda t, m: t.Resize([5], t.InterpolationMode.BICUBIC, max_size=6),
        lambda t, m: t.Resize((5, 6), antialias=False),
        lambda t, m: t.Resize((5, 6), 0),
        lambda t, m: t.Resize((5, 6), 3),
        lambda t, m: t.Resize(None),
        lambda t, m: t.Resize((1, 2, 3)),
    ],
    "FiveCrop": [lambda t, m: t.FiveCrop(4), lambda t, m: t.FiveCrop((3, 20))],
    "TenCrop": [lambda t, m: t.TenCrop(4), lambda t, m: t.TenCrop((3, 5), vertical_flip=True)],
    "Flips": [
        lambda t, m: t.RandomHorizontalFlip(1.0),
        lambda t, m: t.RandomVerticalFlip(1.0),
        lambda t, m: t.RandomVerticalFlip(0.0),
    ],
    "Certain": [
        lambda t, m: t.RandomGrayscale(1.0),
        lambda t, m: t.RandomInvert(1.0),
        lambda t, m: t.RandomPosterize(3, 1.0),
        lambda t, m: t.RandomSolarize(0.5, 1.0),
        lambda t, m: t.RandomAdjustSharpness(2, 1.0),
        lambda t, m: t.RandomAutocontrast(1.0),
        lambda t, m: t.RandomEqualize(1.0),
        lambda t, m: t.RandomEqualize(0.0),
        lambda t, m: t.RandomApply([t.RandomInvert(1.0), t.CenterCrop(4)], 1.0),
        lambda t, m: t.RandomApply([t.RandomInvert(1.0), t.CenterCrop(4)], 0.0),
        lambda t, m: t.RandomChoice([t.CenterCrop(4)]),
        lambda t, m: t.RandomOrder([t.CenterCrop(4)]),
        lambda t, m: t.RandomChoice(3),
        lambda t, m: t.RandomChoice([abs], p=3),
        lambda t, m: t.RandomCrop((8, 9)),
    ],
    "Conversion": [
        lambda t, m: t.PILToTensor(),
        lambda t, m: t.ToPILImage(),
        lambda t, m: t.ToPILImage("RGB"),
        lambda t, m: t.ConvertImageDtype(m.float32),
        lambda t, m: t.ConvertImageDtype(m.uint8),
        lambda t, m: t.Lambda(lambda image: 5),
        lambda t, m: t.Lambda(3),
        lambda t, m: t.Grayscale(3),
        lambda t, m: t.Compose([t.CenterCrop(4), t.Pad(1)]),
    ],
    "Warps": [
        lambda t, m: t.RandomRotation((30, 30)),
        lambda t, m: t.RandomRotation((30.0, 30.0), t.InterpolationMode.BILINEAR, True, fill=4),
        lambda t, m: t.RandomRotation([90, 90], center=(2, 3), fill=None),
        lambda t, m: t.RandomRotation(-1),
        lambda t, m: t.RandomRotation((1, 2, 3)),
        lambda t, m: t.RandomRotation(10, center=3),
        lambda t, m: t.RandomRotation(10, fill={}),
        lambda t, m: t.RandomAffine((20, 20)),
        lambda t, m: t.RandomAffine((20, 20), (0, 0), (0.7, 0.7), (5, 5, 3, 3), fill=7, center=(1, 2)),
        lambda t, m: t.RandomAffine((20, 20), interpolation=t.InterpolationMode.BILINEAR),
        lambda t, m: t.RandomAffine(20, translate=(2, 0)),
        lambda t, m: t.RandomAffine(20, scale=(0, 1)),
        lambda t, m: t.RandomAffine(20, shear=(1, 2, 3)),
        lambda t, m: t.RandomPerspective(p=0.0),
        lambda t, m: t.RandomPerspective(fill={}),
    ],
    "Colours": [
        lambda t, m: t.ColorJitter((1.5, 1.5)),
        lambda t, m: t.ColorJitter(contrast=(0.5, 0.5)),
        lambda t, m: t.ColorJitter(saturation=[0.5, 0.5]),
        lambda t, m: t.ColorJitter(hue=(0.2, 0.2)),
        lambda t, m: t.ColorJitter(0, 0, 0, 0),
        lambda t, m: t.ColorJitter(-1),
        lambda t, m: t.ColorJitter(hue=0.6),
        lambda t, m: t.ColorJitter((1, 2, 3)),
        lambda t, m: t.ColorJitter((2, 1)),
        lambda t, m: t.GaussianBlur(3, 1.0),
        lambda t, m: t.GaussianBlur((3, 5), (0.7, 0.7)),
        lambda t, m: t.GaussianBlur(4),
        lambda t, m: t.GaussianBlur(3, 0),
        lambda t, m: t.GaussianBlur(3, (2, 1)),
        lambda t, m: t.GaussianBlur(3, (1, 2, 3)),
    ],
    "Erasing": [
        lambda t, m: t.RandomErasing(0.0),
        lambda t, m: t.RandomErasing(2),
        lambda t, m: t.RandomErasing(value="a"),
        lambda t, m: t.RandomErasing(value=None),
        lambda t, m: t.RandomErasing(scale=3),
        lambda t, m: t.RandomErasing(scale=(0.1, 2)),
        lambda t, m: t.RandomErasing(1.0, value=(1, 2)),
    ],
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "number"), [(name, n) for name, made in MAKERS.items() for n in range(len(made))])
def test_what_leaves_nothing_to_chance(name, number):
    make = MAKERS[name][number]
    made = [outcome(make, t, m) for m, t in LIBRARIES]
    if isinstance(made[1], Exception):
        assert type(made[0]) is type(made[1]), made
        return
    assert repr(made[0]) == repr(made[1]).replace("torch.", "minicnn.") or "dtype" in repr(made[1])
    for mine, theirs in zip(images(minicnn), images(torch), strict=True):
        ties = 0.15 if name == "Warps" else 0.0
        assert_same(outcome(made[0], mine), outcome(made[1], theirs), 1e-5, ties)


@pytest.mark.parametrize("dtype", [np.int32, np.int16, np.int64, np.uint8, np.float64])
@pytest.mark.parametrize("antialias", [True, False])
def test_tensors_of_every_dtype_are_resized(dtype, antialias):
    values = pixels().transpose(2, 0, 1).astype(dtype)
    results = [outcome(t.Resize((5, 12), antialias=antialias), m.from_numpy(values.copy())) for m, t in LIBRARIES]
    assert_same(*results, 1e-5)


def test_tensors_by_a_matrix():
    values = np.random.default_rng(0).random((3, 2, 2, 3))
    matrix, mean = np.random.default_rng(1).random((12, 12)), np.random.default_rng(2).random(12)
    made = [t.LinearTransformation(m.from_numpy(matrix), m.from_numpy(mean)) for m, t in LIBRARIES]
    for x in (values, values[0]):
        results = [one(m.from_numpy(x)).numpy() for one, (m, _) in zip(made, LIBRARIES, strict=True)]
        np.testing.assert_allclose(*results, rtol=1e-12)
    for m, t in LIBRARIES:
        with pytest.raises(ValueError, match="square"):
            t.LinearTransformation(m.zeros(2, 3), m.zeros(2))
        with pytest.raises(ValueError, match="same length"):
            t.LinearTransformation(m.zeros(3, 3), m.zeros(2))
        with pytest.raises(ValueError, match="incompatible"):
            t.LinearTransformation(m.zeros(3, 3), m.zeros(3))(m.zeros(3, 2, 2))


# The same draws


@pytest.mark.parametrize(
    ("name", "options", "drawn"),
    [
        ("RandomCrop", {"size": 4}, (1, 3, 4, 4)),
        ("RandomCrop", {"size": (5, 4), "padding": 2, "padding_mode": "edge"}, (3, 0, 5, 4)),
        ("RandomCrop", {"size": (12, 4), "pad_if_needed": True, "fill": 9}, (2, 1, 12, 4)),
        ("RandomResizedCrop", {"size": 5}, (1, 2, 4, 6)),
        ("RandomResizedCrop", {"size": (5, 4), "interpolation": 0}, (0, 0, 8, 3)),
        ("RandomRotation", {"degrees": 30}, 17.25),
        ("RandomAffine", {"degrees": 5}, (12.5, (1, -2), 1.2, (3.0, 0.0))),
        ("ColorJitter", {"brightness": 0.5}, ([2, 0, 3, 1], 1.2, 0.7, 1.5, -0.1)),
        ("GaussianBlur", {"kernel_size": 3}, 0.9),
    ],
)
def test_equal_draws_give_equal_images(monkeypatch, name, options, drawn):
    for _, t in LIBRARIES:
        monkeypatch.setattr(getattr(t, name), "get_params", staticmethod(lambda *_: drawn))
    made = [getattr(t, name)(**options) for _, t in LIBRARIES]
    assert repr(made[0]) == repr(made[1])
    for mine, theirs in zip(images(minicnn), images(torch), strict=True):
        if name == "RandomCrop" and not isinstance(mine, Image.Image):
            continue  # whole batches draw for themselves
        assert_same(outcome(made[0], mine), outcome(made[1], theirs), 1e-5, 0.15 if "R" in name[6:7] else 0.0)


def test_python_draws_the_order_and_the_choice():
    results = []
    for _, t in LIBRARIES:
        random.seed(4)
        steps = [lambda text, n=n: f"{text}{n}" for n in range(5)]
        order, choice, weighted = t.RandomOrder(steps), t.RandomChoice(steps), t.RandomChoice(steps, p=[1, 0, 0, 3, 0])
        results.append([[order(""), choice(""), weighted("")] for _ in range(20)])
    assert results[0] == results[1]


@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 2**32))
def test_draws_stay_in_their_ranges(H, W, seed):
    minicnn.manual_seed(seed)
    x = minicnn.zeros(3, H, W)
    top, left, height, width = transforms.RandomResizedCrop.get_params(x, (0.08, 1.0), (0.75, 4 / 3))
    assert 0 <= top <= H - height
    assert 0 <= left <= W - width
    assert min(height, width) > 0
    top, left, height, width, _ = transforms.RandomErasing.get_params(x, (0.02, 0.33), (0.3, 3.3), [0.0])
    assert 0 <= top <= H - height
    assert 0 <= left <= W - width
    assert -30 <= transforms.RandomRotation.get_params([-30, 30]) <= 30
    angle, (right, down), scale, shear = transforms.RandomAffine.get_params(
        [-5, 5], (0.2, 0.1), (0.5, 2), (-3, 3, -1, 1), [W, H]
    )
    assert abs(angle) <= 5
    assert abs(right) <= W * 0.2 + 0.5
    assert abs(down) <= H * 0.1 + 0.5
    assert 0.5 <= scale <= 2
    assert abs(shear[0]) <= 3
    assert abs(shear[1]) <= 1
    order, *factors = transforms.ColorJitter.get_params((0.5, 1.5), None, (0.1, 2), (-0.2, 0.2))
    assert sorted(order) == [0, 1, 2, 3]
    assert factors[1] is None
    assert 0.5 <= factors[0] <= 1.5
    if min(H, W) > 3:
        corners, ends = transforms.RandomPerspective.get_params(W, H, 0.5)
        for (x0, y0), (x1, y1) in zip(corners, ends, strict=True):
            assert abs(x0 - x1) <= W / 4 + 1
            assert abs(y0 - y1) <= H / 4 + 1


def test_areas_and_shapes_are_drawn_as_in_torchvision():
    means = []
    for m, t in LIBRARIES:
        windows = [
            t.RandomResizedCrop.get_params(m.zeros(1, 100, 100), (0.08, 1.0), (0.75, 4 / 3)) for _ in range(2000)
        ]
        erased = [
            t.RandomErasing.get_params(m.zeros(1, 100, 100), (0.02, 0.33), (0.3, 3.3), [0.0]) for _ in range(2000)
        ]
        means.append(np.array([*np.mean(windows, axis=0), *np.mean([one[:4] for one in erased], axis=0)]))
    np.testing.assert_allclose(*means, atol=6 * 30 / np.sqrt(2000))


def test_chance_follows_the_seed_and_comes_as_often_as_it_should():
    def outcomes(seed):
        minicnn.manual_seed(seed)
        invert = transforms.RandomInvert(0.3)
        x = minicnn.zeros(1, 1, 1)
        return [invert(x).item() for _ in range(2000)]

    assert outcomes(3) == outcomes(3)
    assert abs(np.mean(outcomes(3)) - 0.3) < 6 * np.sqrt(0.21 / 2000)


def test_erasing():
    x = minicnn.rand(3, 16, 16)
    erased = transforms.RandomErasing(1.0, value=(2.0, 3.0, 4.0))(x)
    changed = (erased != x).numpy()
    assert changed.any(axis=(1, 2)).all()
    for channel, value in enumerate((2.0, 3.0, 4.0)):
        assert (erased.numpy()[channel][changed[channel]] == value).all()
    noisy = transforms.RandomErasing(1.0, value="random")(x)
    assert len(np.unique(noisy.numpy()[(noisy != x).numpy()])) > 3
    kept = x
    assert transforms.RandomErasing(1.0, inplace=True)(x) is kept


# Working together


def test_modules_in_a_row_and_gradients():
    for module, t in ((nn, transforms), (torch.nn, reference)):
        chain = module.Sequential(t.CenterCrop(6), t.Normalize([0.5] * 3, [0.5] * 3), t.Grayscale())
        library = minicnn if module is nn else torch
        x = library.from_numpy(pixels().transpose(2, 0, 1) / 255.0).requires_grad_()
        chain(x).sum().backward()
        assert x.grad[:, 3, 3].sum().item() == pytest.approx(2 * (0.2989 + 0.587 + 0.114))
        assert x.grad[:, 0, 0].sum().item() == 0


def test_gradients_pass_through_the_batched_transforms():
    for make in (
        lambda t: t.RandomHorizontalFlip(1.0),
        lambda t: t.RandomVerticalFlip(1.0),
        lambda t: t.RandomCrop((8, 9)),
        lambda t: t.Resize((4, 5)),
        lambda t: t.Normalize(0.5, 0.25),
        lambda t: t.Grayscale(3),
    ):
        gradients = []
        for library, t in LIBRARIES:
            x = library.from_numpy(pixels().transpose(2, 0, 1) / 255.0).requires_grad_()
            (make(t)(x) ** 2).sum().backward()
            gradients.append(x.grad.numpy())
        np.testing.assert_allclose(*gradients, rtol=1e-6, atol=1e-9)


class Doubled(transforms.RandomHorizontalFlip):
    def forward(self, image):
        return super().forward(image) * 2


def test_items_and_batches_of_a_data_set_agree():
    chains = [
        [transforms.RandomVerticalFlip(1.0), transforms.ToTensor()],
        [transforms.ToTensor(), Doubled(1.0)],
        [transforms.CenterCrop(20), transforms.ToTensor()],
        [transforms.Resize(20, transforms.InterpolationMode.BICUBIC), transforms.ToTensor()],
        [transforms.Compose([transforms.Pad(2), transforms.ToTensor()]), transforms.Normalize(0.5, 0.5)],
        [transforms.ToTensor(), transforms.Lambda(lambda x: x + 1)],
    ]
    for chain in chains:
        dataset = Digits(train=False, transform=transforms.Compose(chain))
        batch, _ = next(iter(DataLoader(dataset, 4)))
        for number in range(4):
            image = Image.fromarray(dataset.data[number].numpy())
            expected = transforms.Compose(chain)(image)
            np.testing.assert_array_equal(batch[number].numpy(), expected.numpy())
            np.testing.assert_array_equal(dataset[number][0].numpy(), expected.numpy())
