"""Pictures of people's own: found, brought into the form of the data set, and read."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from drawn import DEVELOPMENT, HELD_OUT
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from typer.testing import CliRunner

from minicnn import datasets
from minicnn.cli import app
from minicnn.cli.readings import as_input, preparation_of, read
from minicnn.datasets.ink import find_ink
from minicnn.datasets.preparation import as_digits, as_mnist, as_photograph, as_thing
from minicnn.recipes.models import load_trained

AS = (as_mnist, as_digits, as_thing, as_photograph)


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def greys(drawing):
    """A drawn page as the preparation takes it: (1, H, W) from 0 to 1."""
    return np.asarray(drawing.picture(), float)[None] / 255


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    """Weights of `minicnn train` with nothing said."""
    folder = tmp_path_factory.mktemp("recipe")
    result = run("train", "--output", folder, "--threads", 1)
    assert result.exit_code == 0, result.output
    return folder / "weights.safetensors"


def uneven(drawing, seed):
    """A page in changing light, with a shadow and a camera's noise."""
    page, generator = greys(drawing)[0], np.random.default_rng(seed)
    H, W = page.shape
    y, x = np.mgrid[0 : 1 : H * 1j, 0 : 1 : W * 1j]
    angle = generator.uniform(0, 6.28)
    light = 0.55 + 0.45 * (x * np.cos(angle) + y * np.sin(angle)).clip(-1, 1) ** 2
    return (page * light + generator.normal(0, 0.015, page.shape)).clip(0, 1)[None]


STYLES = {
    "as drawn": greys,
    "thin": lambda d: greys(replace(d, pen=max(1.2, d.height * 0.02))),
    "thick": lambda d: greys(replace(d, pen=d.height * 0.17)),
    "leaning": lambda d: greys(replace(d, slant=d.slant + 0.12)),
    "small in a corner": lambda d: greys(replace(d, page=(800, 600), height=60, pen=5, place=(690, 500))),
    "light on dark": lambda d: greys(replace(d, ink=240, paper=25)),
    "in uneven light": lambda d: uneven(replace(d, ink=40, paper=235), d.label),
    "tiny": lambda d: greys(replace(d, page=(28, 28), height=20, pen=2.2, place=(7, 4))),
}


def right(trained, pictures):
    """How many of the labelled pictures a network reads."""
    count = 0
    for label, picture in pictures:
        prepared = preparation_of(trained)(picture, None)
        assert prepared.image is not None
        count += int(trained.model(as_input(trained, prepared.image)).argmax(1)) == label
    return count


@pytest.mark.parametrize("style", STYLES)
def test_the_recipe_reads_drawn_digits(recipe, style):
    trained = load_trained(recipe, None, None)
    for drawings in (HELD_OUT, DEVELOPMENT):
        assert right(trained, [(d.label, STYLES[style](d)) for d in drawings]) >= 8


@pytest.mark.slow
@pytest.mark.skipif("MINICNN_DATA" not in os.environ, reason="needs MNIST in the folder that MINICNN_DATA names")
def test_mnists_recipe_reads_drawn_digits(tmp_path):
    told = ("--dataset", "mnist", "--data-dir", os.environ["MINICNN_DATA"], "--epochs", 1)
    assert run("train", *told, "--output", tmp_path).exit_code == 0
    trained = load_trained(tmp_path / "weights.safetensors", None, None)
    for style, picture in STYLES.items():
        assert right(trained, [(d.label, picture(d)) for d in HELD_OUT]) >= 9, style
    data = datasets.MNIST(os.environ["MINICNN_DATA"], train=False)
    pages = [(int(t), pasted(x.numpy())) for x, t in zip(data.data[:500], data.targets[:500], strict=True)]
    assert right(trained, pages) >= 0.95 * len(pages)


def pasted(pixels):
    """An image of a data set's, bright on black, as dark ink on a larger page: (1, H, W)."""
    page = np.ones((1, 100, 140))
    page[0, 30 : 30 + pixels.shape[0], 50 : 50 + pixels.shape[1]] = 1 - pixels / 255
    return page


@pytest.mark.parametrize("prepare", [as_digits, as_mnist])
def test_images_of_the_data_set_stay_as_they_are(prepare):
    if prepare is as_mnist:
        root = os.environ.get("MINICNN_DATA") or pytest.skip("needs MNIST in the folder that MINICNN_DATA names")
        images = datasets.MNIST(root, train=False).data.numpy()[:300]
    else:
        images = datasets.Digits(train=False).data.numpy()
    for image in images:
        for picture, dark in ((image / 255, False), (1 - image / 255, True)):
            prepared = prepare(picture[None])
            assert prepared.inverted is dark
            np.testing.assert_array_equal(prepared.image, image)


@pytest.mark.parametrize("drawing", DEVELOPMENT + HELD_OUT, ids=lambda d: str(d.label))
def test_the_ink_is_found(drawing):
    page = greys(drawing)[0]
    found = find_ink(page)
    assert found.dark is (drawing.ink < drawing.paper)
    inked = np.abs(page - drawing.paper / 255) > 0.5 * abs(drawing.ink - drawing.paper) / 255
    rows, columns = np.flatnonzero(inked.any(1)), np.flatnonzero(inked.any(0))
    top, left, bottom, right = found.box
    expected = rows[0], columns[0], rows[-1] + 1, columns[-1] + 1
    assert np.abs(np.subtract(found.box, expected)).max() <= 2
    assert found.strength.shape == (bottom - top, right - left)
    assert 0 <= found.strength.min() <= found.strength.max() <= 1


@pytest.mark.slow
@pytest.mark.parametrize("prepare", [as_mnist, as_digits])
@given(st.sampled_from(HELD_OUT), st.integers(1, 3), st.integers(0, 40), st.integers(0, 40), st.booleans())
def test_size_place_and_polarity_make_no_difference(prepare, drawing, larger, down, right, inverted):
    page = greys(replace(drawing, page=(220, 220), height=120, pen=11, place=(40, 40)))
    other = np.roll(page, (down, right), (1, 2)).repeat(larger, 1).repeat(larger, 2)
    a, b = prepare(page), prepare(1 - other if inverted else other)
    assert b.inverted is (a.inverted is not inverted)
    assert np.abs(a.image.astype(float) - b.image).mean() < 8


@pytest.mark.parametrize("drawing", HELD_OUT, ids=lambda d: str(d.label))
def test_a_digit_lies_where_mnist_puts_it(drawing):
    image = as_mnist(greys(drawing)).image
    rows, columns = np.flatnonzero((image > 0).any(1)), np.flatnonzero((image > 0).any(0))
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == 20
    weight = image / image.sum()
    centre = weight.sum(1) @ np.arange(28), weight.sum(0) @ np.arange(28)
    np.testing.assert_allclose(centre, 14, atol=0.51)


@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 3]), st.integers(0, 2**32 - 1), st.booleans())
def test_whatever_is_on_a_page_something_can_be_said(H, W, C, seed, coarse):
    generator = np.random.default_rng(seed)
    page = generator.random((C, H, W))
    page = (page > generator.random()).astype(float) if coarse else page
    for prepare in AS:
        prepared = prepare(page)
        assert (prepared.image is None) == (prepared.box is None)
        if prepared.image is not None:
            assert prepared.image.dtype == np.uint8
            assert prepared.image.shape == ((32, 32, 3) if prepare is as_photograph else (28, 28))
            top, left, bottom, right = prepared.box
            assert 0 <= top < bottom <= H
            assert 0 <= left < right <= W


@pytest.mark.parametrize("shade", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("noise", [0.0, 0.02])
@pytest.mark.parametrize("shape", [(1, 1), (28, 28), (200, 300), (3, 400)])
def test_a_blank_page_is_blank(shade, noise, shape):
    page = shade + np.random.default_rng(0).normal(0, noise, shape)
    slope = np.linspace(0, 0.2, shape[1])
    for one in (page, page + slope):
        for prepare in (as_mnist, as_digits):
            assert prepare(one.clip(0, 1)[None]).image is None


def test_pages_that_are_none():
    for page in (np.zeros((28, 28)), np.zeros((2, 5, 5)), np.zeros((1, 0, 5)), np.full((1, 5, 5), 2.0)):
        for prepare in AS:
            with pytest.raises(ValueError, match="picture"):
                prepare(page)
    for page in (np.zeros((1, 5, 5)), np.zeros((0, 5)), np.full((5, 5), np.nan)):
        with pytest.raises(ValueError, match="pixels"):
            find_ink(page)


def test_things_and_photographs_keep_their_proportions():
    page = np.zeros((1, 10, 20))
    page[0, :, 5:15] = 1
    seen = as_thing(page).image
    assert (seen[:7] == 0).all()
    assert (seen[21:] == 0).all()
    assert (seen[9:19, 9:19] == 255).all()
    assert as_thing(1 - page).inverted
    photograph = as_photograph(np.broadcast_to(page, (3, 10, 20)))
    assert photograph.box == (0, 5, 10, 15)
    assert (photograph.image == 255).all()
    assert as_photograph(page, size=(20, 40)).image.shape == (20, 40, 3)


# The command


def test_several_pictures_and_a_blank_one(recipe, tmp_path):
    for drawing in HELD_OUT[:2]:
        drawing.picture().convert("RGB").save(tmp_path / f"{drawing.label}.jpg")
    Image.new("L", (50, 40), 240).save(tmp_path / "blank.png")
    names = ("0.jpg", "blank.png", "1.jpg")
    figure = tmp_path / "seen.png"
    result = run("predict", recipe, *(tmp_path / name for name in names), "--output", figure)
    assert result.exit_code == 1
    first, blank, second, told = result.stdout.splitlines()
    assert first.startswith(f"{tmp_path / '0.jpg'}: 0 (")
    assert blank == f"{tmp_path / 'blank.png'}: blank: there is no ink on the page"
    assert second.startswith(f"{tmp_path / '1.jpg'}: 1 (")
    assert told == f"What the network saw: {figure}"
    with Image.open(figure) as drawn:
        assert drawn.size == (990, 825)
    assert run("predict", recipe, tmp_path / "0.jpg").exit_code == 0


def test_the_figure_goes_where_it_can(recipe, tmp_path, monkeypatch):
    HELD_OUT[0].picture().save(tmp_path / "0.png")
    for output, expected in ((tmp_path / "nowhere" / "x.png", "nowhere"), (tmp_path / "x.doc", "no suffix")):
        result = run("predict", recipe, tmp_path / "0.png", "--output", output)
        assert result.exit_code == 1
        assert expected in result.stderr
        assert result.stdout == ""
    monkeypatch.chdir(tmp_path)
    assert run("predict", recipe, "0.png", "--show").exit_code == 0
    assert Path("predicted.png").is_file()


def test_a_photograph_of_the_wrong_way_up_is_turned(recipe, tmp_path):
    page = HELD_OUT[2].picture().transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[274] = 6  # to be turned by 90 degrees clockwise
    page.save(tmp_path / "turned.jpg", exif=exif)
    assert read(load_trained(recipe, None, None), tmp_path / "turned.jpg").best()[0][0] == 2
