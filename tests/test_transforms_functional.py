"""`transforms.functional` against torchvision's, on Pillow images and on Tensors of every dtype."""

import numpy as np
import pytest
import torch
import torchvision.transforms.functional as reference
from agreement import examples, outcome
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image
from torchvision.transforms._functional_tensor import _compute_affine_output_size

import minicnn
from minicnn.transforms import functional as ours

MODES = ["L", "RGB", "RGBA", "P", "1", "I", "F"]
DTYPES = [np.uint8, np.float32, np.float64, np.int32]
ERRORS = (ValueError, TypeError, RuntimeError, IndexError, ZeroDivisionError, OSError, NotImplementedError, KeyError)


@st.composite
def pictures(draw, modes=MODES, least=1):
    """A Pillow image."""
    H, W = draw(st.integers(least, 12)), draw(st.integers(least, 12))
    pixels = np.random.default_rng(draw(st.integers(0, 999))).integers(0, 256, (H, W, 4), dtype=np.uint8)
    mode = draw(st.sampled_from(modes))
    return Image.fromarray(pixels[..., :3]).convert(mode) if mode != "RGBA" else Image.fromarray(pixels)


@st.composite
def arrays(draw, dtypes=DTYPES, channels=(1, 3), least=1):
    """A Tensor image as an array (C, H, W) or (N, C, H, W)."""
    shape = (draw(st.sampled_from(channels)), draw(st.integers(least, 12)), draw(st.integers(least, 12)))
    if draw(st.booleans()):
        shape = (2, *shape)
    dtype = draw(st.sampled_from(dtypes))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    values = rng.random(shape) if np.dtype(dtype).kind == "f" else rng.integers(0, 256, shape)
    if draw(st.booleans()):
        values = values[..., ::-1, :].copy()[..., ::-1, :]
    return values.astype(dtype)


IMAGES = pictures() | arrays()


def given_to(library, image):
    return library.from_numpy(image.copy()) if isinstance(image, np.ndarray) else image


def flat(result):
    return [part for one in result for part in flat(one)] if isinstance(result, tuple) else [result]


def assert_same(mine, theirs, tolerance=0.0, unequal=0.0, settled=True):
    """Equal results, or errors from both.

    Args:
        tolerance: by how much of white values of Tensors may differ, floats by rounding.
        unequal: which part of the values may differ by more: ties between neighbouring pixels of a known picture.
        settled: the pixels that are compared, see `no_tie`.
    """
    if isinstance(theirs, Exception):
        assert isinstance(mine, ERRORS), (mine, theirs)
        return
    assert not isinstance(mine, Exception), (mine, theirs)
    for a, b in zip(flat(mine), flat(theirs), strict=True):
        if isinstance(b, Image.Image):
            assert (a.mode, a.size) == (b.mode, b.size)
            assert a.tobytes() == b.tobytes()
        elif isinstance(b, torch.Tensor):
            b = b.numpy()
            a = a.detach().numpy()
            assert a.dtype == b.dtype
            assert a.shape == b.shape
            slack = tolerance * (1 if b.dtype.kind == "f" else 255)
            if b.dtype.kind in "iu" and tolerance:
                slack = 1
            off = np.abs(a.astype(np.float64) - b.astype(np.float64)) > slack
            assert (off & settled).mean() <= unequal if off.size else True, (a, b)
        else:
            assert a == b


def both(function, image, *arguments, **options):
    results = []
    for library, module in ((minicnn, ours), (torch, reference)):

        def call(library=library, module=module):
            extra = {
                name: module.InterpolationMode(value) if name == "interpolation" and isinstance(value, str) else value
                for name, value in options.items()
            }
            return getattr(module, function)(given_to(library, image), *arguments, **extra)

        results.append(outcome(call))
    return results


SIZES = (
    st.integers(1, 14)
    | st.tuples(st.integers(1, 14), st.integers(1, 14)).map(list)
    | st.integers(1, 14).map(lambda s: [s])
)
WHERE = st.integers(-4, 12)


@given(IMAGES)
def test_flips_and_sizes(image):
    for name in ("hflip", "vflip", "get_dimensions", "get_image_size", "get_image_num_channels"):
        assert_same(*both(name, image))


@given(IMAGES, WHERE, WHERE, st.integers(1, 9), st.integers(1, 9))
def test_crop(image, top, left, height, width):
    mine, theirs = both("crop", image, top, left, height, width)
    assert_same(mine, theirs)


@given(IMAGES, SIZES, st.booleans())
def test_crops_by_size(image, size, flip):
    assert_same(*both("center_crop", image, size))
    assert_same(*both("five_crop", image, size))
    assert_same(*both("ten_crop", image, size, flip))


@given(
    IMAGES,
    st.integers(0, 4) | st.lists(st.integers(-2, 4), min_size=1, max_size=4),
    st.sampled_from([0, 7, 0.5, (9,), (1, 2, 3), [4]]),
    st.sampled_from(["constant", "edge", "reflect", "symmetric", "other"]),
)
@settings(max_examples=examples(2) * settings.default.max_examples)
def test_pad(image, padding, fill, mode):
    mine, theirs = both("pad", image, padding, fill, mode)
    if isinstance(mine, Exception) and "symmetric" in mode:
        return  # torchvision wraps around where there are fewer pixels than padding
    if mode == "symmetric" and isinstance(image, np.ndarray):
        sides = padding if isinstance(padding, list) else [padding]
        if max(sides) > min(image.shape[-2:]) or min(sides) < 0:
            return  # where torchvision reads other pixels than the mirrored ones, or mixes up the sides
    assert_same(mine, theirs)


def assert_resized_alike(function, image, *arguments, **options):
    """Equal images. Of Tensors that become one pixel wide PyTorch confuses rows and columns, see test_interpolate."""
    mine, theirs = both(function, image, *arguments, **options)
    if isinstance(mine, minicnn.Tensor) and mine.shape[-1] == 1 and options["interpolation"] in ("bilinear", "bicubic"):
        return
    assert_same(mine, theirs, 2e-6)


INTERPOLATIONS = st.sampled_from(["nearest", "nearest-exact", "bilinear", "bicubic", "box", "hamming", "lanczos"])


@given(IMAGES, SIZES, INTERPOLATIONS, st.none() | st.integers(1, 20), st.booleans())
@settings(max_examples=examples(2) * settings.default.max_examples)
@pytest.mark.filterwarnings("ignore:Anti-alias")
def test_resize(image, size, interpolation, longest, antialias):
    options = {"interpolation": interpolation, "max_size": longest, "antialias": antialias}
    assert_resized_alike("resize", image, size, **options)


@given(IMAGES, st.integers(0, 3), st.integers(0, 3), st.integers(1, 6), st.integers(1, 6), SIZES, INTERPOLATIONS)
def test_resized_crop(image, top, left, height, width, size, interpolation):
    assume(width > 1 or interpolation == "nearest")  # see test_interpolate
    assert_resized_alike("resized_crop", image, top, left, height, width, size, interpolation=interpolation)


ANGLES = st.sampled_from([0, 90, 180, -90, 30, 45.0, 13.7, -200.25])
CENTERS = st.none() | st.tuples(st.integers(-3, 12), st.integers(-3, 12)).map(list)
FILLS = st.sampled_from([None, 0, 5, 0.25, [3.0], [1.0, 2.0, 3.0]])
PLANAR = st.sampled_from(["nearest", "bilinear", "bicubic"])


def no_tie(columns, rows, interpolation):
    """Which pixels are compared: not those looked up in the middle between neighbours, where rounding decides."""
    if interpolation != "nearest":
        return True
    return np.all([np.abs(np.abs(place % 1) - 0.5) > 1e-3 for place in (columns, rows)], axis=0)


def size_of(image):
    return (image.height, image.width) if isinstance(image, Image.Image) else image.shape[-2:]


def looked_up(image, interpolation, center, expand, *arguments):
    """As `no_tie`, for the positions of an affine map: torchvision's matrix, applied in float64."""
    H, W = size_of(image)
    middle = [0.0, 0.0] if center is None else [center[0] - W / 2, center[1] - H / 2]
    matrix = reference._get_inverse_affine_matrix(middle, *arguments)
    width, height = _compute_affine_output_size(matrix, W, H) if expand else (W, H)
    y, x = np.mgrid[:height, :width] + 0.5 - np.reshape([height / 2, width / 2], (2, 1, 1))
    a, b, c, d, e, f = matrix
    return no_tie(a * x + b * y + c + W / 2 - 0.5, d * x + e * y + f + H / 2 - 0.5, interpolation)


@given(IMAGES, ANGLES, PLANAR, st.booleans(), CENTERS, FILLS)
@settings(max_examples=examples(2) * settings.default.max_examples)
def test_rotate(image, angle, interpolation, expand, center, fill):
    options = {"interpolation": interpolation, "expand": expand, "center": center, "fill": fill}
    settled = looked_up(image, interpolation, center, expand, -angle, [0.0, 0.0], 1.0, [0.0, 0.0])
    assert_same(*both("rotate", image, angle, **options), tolerance=1e-4, settled=settled)


@given(
    IMAGES,
    ANGLES,
    st.tuples(st.integers(-4, 4), st.integers(-4, 4)),
    st.sampled_from([1.0, 0.7, 1.9]),
    st.sampled_from([0.0, 12.5, [5.0], [3.0, -7.0], (2.0, 1.0)]),
    PLANAR,
    FILLS,
    CENTERS,
)
@settings(max_examples=examples(2) * settings.default.max_examples)
def test_affine(image, angle, translate, scale, shear, interpolation, fill, center):
    options = {"interpolation": interpolation, "fill": fill, "center": center}
    shears = [shear, 0.0] if isinstance(shear, float) else list(shear) * (3 - len(shear))
    settled = looked_up(image, interpolation, center, False, angle, list(translate), scale, shears)
    assert_same(*both("affine", image, angle, translate, scale, shear, **options), tolerance=1e-4, settled=settled)


@given(pictures(least=8) | arrays(least=8), st.data(), PLANAR, FILLS)  # smaller ones may lose their area
def test_perspective(image, data, interpolation, fill):
    H, W = size_of(image)
    start = [[0, 0], [W - 1, 0], [W - 1, H - 1], [0, H - 1]]
    moves = [[data.draw(st.integers(0, 1)) for _ in range(2)] for _ in range(4)]
    signs = [(1, 1), (-1, 1), (-1, -1), (1, -1)]
    end = [[x + a * s, y + b * t] for (x, y), (a, b), (s, t) in zip(start, moves, signs, strict=True)]
    options = {"interpolation": interpolation, "fill": fill}
    mine, theirs = both("perspective", image, start, end, **options)
    a, b, c, d, e, f, g, h = reference._get_perspective_coeffs(start, end)
    y, x = np.mgrid[:H, :W] + 0.5
    depth = g * x + h * y + 1
    places = (a * x + b * y + c) / depth - 0.5, (d * x + e * y + f) / depth - 0.5
    if isinstance(image, Image.Image) and not isinstance(theirs, Exception):
        m, t = (np.asarray(result).astype(float).reshape(H, W, -1) for result in (mine, theirs))
        if image.mode == "RGBA":  # Pillow computes with colours times alpha, and rounds once more when it divides
            m, t = (np.concatenate([p[..., :3] * p[..., 3:] / 255, p[..., 3:]], -1) for p in (m, t))
        off = np.abs(m - t).max(-1) > (2 if image.mode == "RGBA" else 1)  # their coefficients differ in a last bit
        assert not (off & no_tie(*places, "nearest")).any()  # whatever the mode, nothing is seen from outside
    else:
        assert_same(mine, theirs, tolerance=1e-3, settled=no_tie(*places, interpolation))


FACTORS = st.sampled_from([0.0, 0.3, 1.0, 1.7, 3, -1.0])
COLOURS = arrays(channels=(1, 3, 2))


@given(pictures() | COLOURS, FACTORS)
@settings(max_examples=examples(2) * settings.default.max_examples)
def test_adjusting(image, factor):
    for name in ("adjust_brightness", "adjust_contrast", "adjust_saturation", "adjust_sharpness"):
        assert_same(*both(name, image, factor), 1e-5)


@given(pictures() | COLOURS, st.sampled_from([0.0, 0.2, -0.4, 0.5, 0.7]))
def test_adjust_hue(image, factor):
    assert_same(*both("adjust_hue", image, factor), 1e-5)


@given(pictures() | COLOURS, st.sampled_from([0.5, 1, 2.2, 0.0, -1]), st.sampled_from([1, 0.5, 2]))
def test_adjust_gamma(image, gamma, gain):
    assert_same(*both("adjust_gamma", image, gamma, gain), 1e-5)


@given(pictures() | COLOURS)
def test_colours(image):
    for name in ("invert", "autocontrast", "equalize"):
        assert_same(*both(name, image), 1e-5)
    for channels in (1, 3, 2):
        assert_same(*both("rgb_to_grayscale", image, channels), 1e-6)
    if isinstance(image, Image.Image):
        assert_same(*both("to_grayscale", image, 3))


@given(pictures() | COLOURS, st.sampled_from([0, 1, 0.5, 128, 255, 300]))
def test_solarize(image, threshold):
    assert_same(*both("solarize", image, threshold))


@given(pictures() | COLOURS, st.integers(-1, 9))
def test_posterize(image, bits):
    assert_same(*both("posterize", image, bits))


@given(
    pictures(["L", "RGB", "RGBA"], least=4) | arrays(channels=(1, 2, 3), least=4),
    st.sampled_from([1, 3, [3, 5], 7, 4, (3,), [5, 1]]),
    st.sampled_from([None, 0.5, 2, [0.7, 1.5], (1.0,), 0.0]),
)
def test_gaussian_blur(image, size, sigma):
    assert_same(*both("gaussian_blur", image, size, sigma), 1e-5)


@given(arrays(), st.integers(0, 3), st.integers(0, 3), st.booleans())
def test_erase(image, top, left, inplace):
    results = []
    for library, module in ((minicnn, ours), (torch, reference)):
        x = given_to(library, image)
        value = library.from_numpy(np.array([[[1]]], image.dtype))
        result = module.erase(x, top, left, 2, 3, value, inplace)
        results.append((result, x))
    assert_same(*results)


# From one kind to another


@given(pictures([*MODES, "LA", "CMYK", "I;16"]))
def test_pictures_to_tensors(image):
    for name in ("to_tensor", "pil_to_tensor"):
        assert_same(*both(name, image))


ANY_ARRAY = st.builds(
    lambda seed, shape, dtype: np.random.default_rng(seed).integers(0, 100, shape).astype(dtype),
    st.integers(0, 99),
    st.sampled_from(
        [(3, 4), (1, 3, 4), (3, 4, 1), (2, 3, 4), (3, 4, 2), (3, 3, 4), (4, 3, 4), (5, 4, 5), (4,), (1, 1, 2, 2)]
    ),
    st.sampled_from([np.uint8, np.int16, np.int32, np.float32, np.float64, np.int64, np.bool_]),
)


@given(ANY_ARRAY, st.sampled_from([None, "L", "F", "RGB", "HSV", "YCbCr", "LA", "RGBA", "CMYK", "I"]), st.booleans())
@settings(max_examples=examples(3) * settings.default.max_examples)
def test_to_pil_image(array, mode, as_tensor):
    if array.dtype.kind == "f":
        array = (array / 100).astype(array.dtype)
    if as_tensor:
        assert_same(*both("to_pil_image", array, mode))
    else:
        assert_same(*[outcome(module.to_pil_image, array, mode) for module in (ours, reference)])


NAMES = ["uint8", "int8", "int16", "int32", "int64", "float32", "float64"]


@given(st.sampled_from(NAMES), st.sampled_from(NAMES), st.integers(0, 99))
def test_convert_image_dtype(source, target, seed):
    rng = np.random.default_rng(seed)
    values = rng.random((3, 4)) if "float" in source else rng.integers(0, np.iinfo(source).max, (3, 4))
    values = values.astype(source)
    results = []
    for library, module in ((minicnn, ours), (torch, reference)):
        results.append(outcome(module.convert_image_dtype, given_to(library, values), getattr(library, target)))
    assert_same(*results, 1e-6 if "float" in target else 0.0)


@given(arrays(), st.sampled_from([0.5, [0.5], (0.2, 0.3, 0.4)]), st.sampled_from([0.5, [0.25], (0.5, 0.6, 0.7), 0.0]))
def test_normalize(image, mean, std):
    results = [
        outcome(module.normalize, given_to(library, image), mean, std)
        for library, module in ((minicnn, ours), (torch, reference))
    ]
    if isinstance(mean, tuple) != isinstance(std, tuple) or image.shape[-3] == 1:
        return  # torchvision broadcasts to more channels than the image has
    assert_same(*results, 1e-6)


def test_what_is_no_image_is_refused():
    for name in ours.__all__:
        if name in ("InterpolationMode", "normalize", "erase", "to_tensor", "to_pil_image", "to_grayscale"):
            continue
        arguments = {
            "crop": (0, 0, 1, 1),
            "resized_crop": (0, 0, 1, 1, 2),
            "affine": (0, (0, 0), 1.0, 0.0),
            "perspective": ([[0, 0], [1, 0], [1, 1], [0, 1]],) * 2,
            "gaussian_blur": (3,),
            "convert_image_dtype": (minicnn.float32,),
        }.get(name, () if name in ("hflip", "vflip", "invert", "autocontrast", "equalize", "pil_to_tensor") else (1,))
        if name.startswith("get_"):
            arguments = ()
        with pytest.raises(TypeError):
            getattr(ours, name)(np.zeros((3, 4, 4)), *(arguments if name != "adjust_hue" else (0.1,)))


@pytest.mark.parametrize(
    "apply",
    [
        lambda f, x: f.hflip(x),
        lambda f, x: f.resize(x, [3, 5]),
        lambda f, x: f.adjust_contrast(x, 1.3),
        lambda f, x: f.adjust_saturation(x, 0.4),
        lambda f, x: f.gaussian_blur(x, [3, 3]),
        lambda f, x: f.pad(x, [1, 2], padding_mode="reflect"),
        lambda f, x: f.rotate(x, 20, f.InterpolationMode.BILINEAR),
        lambda f, x: f.normalize(x, [0.5, 0.4, 0.3], [0.5, 0.6, 0.7]),
        lambda f, x: f.rgb_to_grayscale(x),
        lambda f, x: f.center_crop(x, 4),
    ],
)
def test_gradients_pass(apply):
    values = np.random.default_rng(0).random((3, 8, 7))
    gradients = []
    for library, module in ((minicnn, ours), (torch, reference)):
        x = library.from_numpy(values.copy()).requires_grad_()
        (apply(module, x) ** 2).sum().backward()
        gradients.append(x.grad.numpy())
    np.testing.assert_allclose(*gradients, rtol=1e-6, atol=1e-9)
