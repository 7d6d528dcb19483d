"""Filters: scipy.ndimage's numbers by property, pictures and kernels of all kinds, the command."""

from pathlib import Path

import numpy as np
import pytest
from agreement import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image
from scipy import ndimage
from typer.testing import CliRunner

from minicnn import filters
from minicnn.cli import app
from minicnn.datasets.pictures import LONGEST, read_picture
from minicnn.filters import figure, pictures

EPS = np.finfo(np.float64).eps
VALUES = st.integers(-8000, 8000).map(lambda number: number / 1000)
"""Zero or well above eps: scipy.ndimage leaves taps below eps out of a kernel."""
IMAGES = hnp.arrays(np.float64, hnp.array_shapes(min_dims=2, max_dims=3, max_side=9), elements=VALUES)
KERNELS = hnp.arrays(np.float64, hnp.array_shapes(min_dims=2, max_dims=2, max_side=6), elements=VALUES)


def channelwise(operation, image, *arguments, **options):
    """scipy's answer, a channel at a time, the nearest pixel repeating beyond the border."""
    channels = image.reshape(-1, *image.shape[-2:])
    return np.stack([operation(c, *arguments, mode="nearest", **options) for c in channels]).reshape(image.shape)


def assert_close(ours, theirs, image, kernel, factor=4):
    bound = factor * EPS * channelwise(ndimage.correlate, np.abs(image), np.abs(kernel))
    assert ours.shape == theirs.shape
    assert (np.abs(ours - theirs) <= bound + 1e-300).all()


@given(IMAGES, KERNELS)
def test_a_kernel_is_correlated_as_scipy_does(image, kernel):
    terms = kernel.size
    assert_close(
        filters.filter2d(image, kernel), channelwise(ndimage.correlate, image, kernel), image, kernel, max(4, terms)
    )


@given(IMAGES)
def test_the_named_kernels_are_scipys_filters(image):
    x, y = filters.filter2d(image, filters.SOBEL_X), filters.filter2d(image, filters.SOBEL_Y)
    for ours, kernel, axis in ((x, filters.SOBEL_X, 1), (y, filters.SOBEL_Y, 0)):
        assert_close(ours, channelwise(ndimage.sobel, image, axis=axis), image, kernel, 16)
    laplacian = channelwise(ndimage.laplace, image)
    assert_close(filters.filter2d(image, filters.LAPLACIAN), laplacian, image, filters.LAPLACIAN, 16)
    assert_close(filters.filter2d(image, filters.SHARPEN), image - laplacian, image, filters.SHARPEN, 16)
    np.testing.assert_allclose(filters.sobel_magnitude(image), np.hypot(x, y), rtol=1e-15)


@given(IMAGES, st.floats(0.05, 5))
def test_the_blur_is_scipys(image, sigma):
    theirs = channelwise(ndimage.gaussian_filter, image, sigma)
    size = channelwise(ndimage.gaussian_filter, np.abs(image), sigma)
    bound = 4 * len(filters.gaussian(sigma)) * EPS * size
    assert (np.abs(filters.gaussian_blur(image, sigma) - theirs) <= bound + 1e-300).all()


def test_edges_have_the_signs_that_are_promised():
    step = np.repeat([[0.0, 0, 1, 1]], 4, axis=0)
    assert filters.filter2d(step, filters.SOBEL_X)[1].tolist() == [0, 4, 4, 0]
    assert filters.filter2d(step.T, filters.SOBEL_Y)[:, 1].tolist() == [0, 4, 4, 0]
    assert not filters.filter2d(step, filters.SOBEL_Y).any()


@pytest.mark.parametrize("sigma", [0, -1, np.nan, np.inf, 101])
def test_a_blur_needs_a_width(sigma):
    with pytest.raises(ValueError, match="sigma must be above 0"):
        filters.gaussian(sigma)


@pytest.mark.parametrize(
    ("image", "kernel", "message"),
    [
        (np.ones(3), np.ones((3, 3)), r"image must have shape \(H, W\) or \(C, H, W\)"),
        (np.ones((0, 3)), np.ones((3, 3)), "image must have shape"),
        (np.ones((3, 3)), np.ones(3), r"kernel must have shape \(H, W\)"),
        ([[1, 2], [3]], np.ones((3, 3)), "equally long"),
    ],
)
def test_other_shapes_are_refused(image, kernel, message):
    with pytest.raises(ValueError, match=message):
        filters.filter2d(image, kernel)


def test_what_is_no_number_is_refused():
    with pytest.raises(TypeError, match="real numbers"):
        filters.filter2d(np.ones((3, 3), complex), np.ones((3, 3)))


COLOURS = np.arange(4 * 5 * 4, dtype=np.uint8).reshape(4, 5, 4) * 3


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "F"])
def test_pictures_of_every_kind_are_read(mode, tmp_path):
    if mode == "I;16":
        picture = Image.fromarray(COLOURS[..., 0].astype(np.uint16) * 257)
    else:
        picture = Image.fromarray(COLOURS[..., :3]).convert("L" if mode == "LA" else "RGB").convert(mode)
    path = tmp_path / ("picture.tif" if mode in ("CMYK", "I", "F") else "picture.png")
    picture.save(path)
    pixels = read_picture(path).pixels
    assert pixels.shape == (3 if mode in ("P", "RGB", "RGBA", "CMYK") else 1, 4, 5)
    assert pixels.min() >= 0
    assert pixels.max() <= 1
    if mode == "RGB":
        np.testing.assert_array_equal(pixels, COLOURS[..., :3].transpose(2, 0, 1) / 255)
    if mode == "I;16":
        np.testing.assert_allclose(pixels[0], COLOURS[..., 0] / 255, rtol=1e-15)


def test_transparency_is_white(tmp_path):
    Image.new("RGBA", (2, 2), (9, 9, 9, 0)).save(tmp_path / "clear.png")
    assert (read_picture(tmp_path / "clear.png").pixels == 1).all()


def test_large_pictures_are_shrunk(tmp_path):
    Image.new("RGB", (3000, 2), (255, 0, 0)).save(tmp_path / "long.png")
    picture = read_picture(tmp_path / "long.png")
    assert picture.pixels.shape == (3, 1, LONGEST)
    assert picture.note == "shrunk from 3000 by 2"
    np.testing.assert_allclose(picture.pixels[:, 0, 0], [1, 0, 0])


@given(KERNELS)
@settings(max_examples=examples(10))
def test_kernels_are_read_as_they_were_written(tmp_path_factory, kernel):
    folder = tmp_path_factory.mktemp("kernels")
    np.save(folder / "k.npy", kernel)
    np.savetxt(folder / "k.txt", kernel, fmt="%.17g", delimiter=", ", header="a kernel")
    for name in ("k.npy", "k.txt"):
        np.testing.assert_array_equal(pictures.read_kernel(folder / name), kernel)


def test_shades_mean_what_is_written_below():
    seen, meaning = figure.shades(np.array([[[-1.0, 0, 2]]]), "signed")
    assert seen.ravel().tolist() == pytest.approx([0.2475, 0.5, 1], abs=2e-3)
    assert meaning == "grey 0, black to −1.99, white from 1.99"
    assert figure.shades(np.zeros((1, 1, 1)), "signed")[0].item() == 0.5
    assert [figure.range_of(np.array([row])) for row in ([1, -1], [2, -1], [1, 1])] == [
        "signed",
        "picture",
        "stretched",
    ]


def run(*arguments):
    return CliRunner().invoke(app, ["filters", *map(str, arguments)])


def test_the_command_draws_a_picture_and_a_kernel(tmp_path):
    Image.fromarray(COLOURS).save(tmp_path / "a.png")
    (tmp_path / "mine.txt").write_text("1 2\n3 4\n")
    output = tmp_path / "figure.png"
    result = run(tmp_path / "a.png", "--kernel", tmp_path / "mine.txt", "--output", output, "--sigma", "0.7")
    assert result.exit_code == 0, result.output
    assert "a.png: 5 by 4 pixels, in colours" in result.output
    assert "emboss, mine.txt" in result.output
    assert Image.open(output).size[0] > 1000


def test_the_pictures_that_are_here_already():
    digit, photograph = pictures.the_digit(), pictures.the_photograph()
    assert digit.pixels.shape == (1, 28, 28)
    assert photograph.pixels.shape == (3, 427, 640)
    for one in (digit, photograph):
        assert one.pixels.min() >= 0
        assert 0.9 < one.pixels.max() <= 1


def broken_files(folder: Path) -> None:
    """Files that are none."""
    noise = np.random.default_rng(0).integers(0, 256, (40, 40), np.uint8)
    Image.fromarray(noise).save(folder / "good.png")
    (folder / "words.png").write_text("no picture")
    (folder / "cut.png").write_bytes((folder / "good.png").read_bytes()[:900])
    (folder / "ragged.txt").write_text("1 2\n3\n")
    (folder / "words.txt").write_text("one two")
    (folder / "empty.txt").write_text("")
    (folder / "nan.txt").write_text("1 nan")
    (folder / "wide.txt").write_text("1 " * 256)
    (folder / "words.npy").write_text("no array")
    np.save(folder / "line.npy", np.ones(3))
    np.save(folder / "complex.npy", np.ones((3, 3), complex))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.png"], "No such file"),
        (["words.png"], "cannot read"),
        (["cut.png"], "cannot read"),
        (["good.png", "--output", "a.xyz"], "no suffix of a picture"),
        (["good.png", "--output", "none/a.png"], "there is no folder"),
        (["good.png", "--sigma", "0"], "above 0"),
        (["good.png", "--sigma", "1000"], "at most 100 pixels"),
        *(
            (["good.png", "--kernel", name], words)
            for name, words in (
                ("none.txt", "No such file"),
                ("ragged.txt", "equal rows"),
                ("words.txt", "equal rows"),
                ("empty.txt", "1 to 255 rows and columns"),
                ("nan.txt", "not finite"),
                ("wide.txt", "1 to 255 rows and columns"),
                ("words.npy", "cannot read"),
                ("line.npy", "1 to 255 rows and columns"),
                ("complex.npy", "no array of real numbers"),
            )
        ),
    ],
)
def test_bad_input_gets_a_sentence(arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    broken_files(tmp_path)
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.output
    assert "Traceback" not in result.output
    assert not (tmp_path / "filters.png").exists()
