"""Transforms against torchvision: the same values, printout and refusals; batches bit for bit."""

import numpy as np
import pytest
import torch
from agreement import outcome
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from torchvision import transforms as reference

from minicnn import Generator, from_numpy, manual_seed, transforms

SIDE = st.integers(1, 24)
SEED = st.integers(0, 2**32 - 1)


def pixels(seed, *shape, dtype=np.uint8):
    """Random pixels: bytes, or floats between 0 and 1."""
    generator = np.random.default_rng(seed)
    if dtype == np.uint8:
        return generator.integers(0, 256, shape, dtype=np.uint8)
    return generator.random(shape).astype(dtype)


@st.composite
def images(draw, channels=(None, 1, 3), dtype=np.uint8):
    """One image (H, W) or (H, W, C)."""
    count = draw(st.sampled_from(channels))
    return pixels(draw(SEED), draw(SIDE), draw(SIDE), *([] if count is None else [count]), dtype=dtype)


def tensor_like(image):
    """An image (H, W, C) as a torch tensor (C, H, W)."""
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))


def assert_same(result, expected):
    """Equal values, shapes and dtypes of an array, Pillow image or Tensor of either library."""
    result, expected = np.asarray(result), np.asarray(expected)
    assert result.dtype == expected.dtype
    np.testing.assert_array_equal(result, expected, strict=True)


# ToTensor


@given(images())
def test_to_tensor_of_bytes(image):
    assert_same(transforms.ToTensor()(image), reference.ToTensor()(image))


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "int32", "bool"])
def test_to_tensor_scales_bytes_only(dtype):
    image = pixels(0, 3, 4, 2).astype(dtype)
    assert_same(transforms.ToTensor()(image), reference.ToTensor()(image))


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "1", "F"])
def test_to_tensor_of_pillow_images(mode):
    image = Image.fromarray(pixels(1, 5, 7, 3)).convert(mode)
    assert_same(transforms.ToTensor()(image), reference.ToTensor()(image))


@pytest.mark.parametrize("image", [np.zeros(3, np.uint8), np.zeros((1, 2, 3, 4), np.uint8)])
def test_to_tensor_refuses_other_shapes(image):
    for library in (transforms, reference):
        with pytest.raises(ValueError, match="2/3 dimensional"):
            library.ToTensor()(image)


@pytest.mark.parametrize("library", [transforms, reference])
def test_to_tensor_refuses_what_is_no_image(library):
    tensor = from_numpy(np.zeros((2, 2))) if library is transforms else torch.zeros(2, 2)
    for image in (tensor, [[1, 2]], "image"):
        with pytest.raises(TypeError):
            library.ToTensor()(image)


def test_a_batch_of_tensors_lies_channels_last():
    batch = pixels(2, 4, 5, 6, 3)
    tensors = transforms.ToTensor().batch(batch)
    assert tensors.shape == (4, 3, 5, 6)
    assert tensors._array.transpose(0, 2, 3, 1).flags.c_contiguous
    floats = batch.astype(np.float32)
    assert np.shares_memory(transforms.ToTensor().batch(floats)._array, floats)


# Normalize


@given(
    seed=SEED,
    shape=st.tuples(SIDE, SIDE),
    channels=st.sampled_from([1, 3]),
    dtype=st.sampled_from([np.float32, np.float64]),
    data=st.data(),
)
def test_normalize(seed, shape, channels, dtype, data):
    values = st.lists(st.floats(0.1, 2), min_size=channels, max_size=channels)
    mean, std = data.draw(values, label="mean"), data.draw(values, label="std")
    image = pixels(seed, *shape, channels, dtype=dtype)
    expected = reference.Normalize(mean, std)(tensor_like(image))
    assert_same(transforms.Normalize(mean, std)(transforms.ToTensor()(image)), expected)
    assert_same(transforms.Normalize(mean, std)(from_numpy(tensor_like(image).numpy())), expected)


@pytest.mark.parametrize("mean", [0.5, (0.5,), [0.5], np.array([0.5]), np.array([0.1, 0.2, 0.3])])
def test_normalize_takes_numbers_and_arrays(mean):
    x = pixels(3, 3, 4, 5, dtype=np.float32)
    assert_same(transforms.Normalize(mean, mean)(from_numpy(x)), reference.Normalize(mean, mean)(torch.from_numpy(x)))


def test_normalize_writes_into_its_argument_only_if_asked():
    x = pixels(4, 1, 2, 2, dtype=np.float32)
    before = x.copy()
    result = transforms.Normalize(0.5, 0.25)(from_numpy(x))
    np.testing.assert_array_equal(x, before)
    transforms.Normalize(0.5, 0.25, inplace=True)(from_numpy(x))
    np.testing.assert_array_equal(x, result.numpy())


def test_normalize_in_place_is_noticed_by_backward():
    weight, x = (
        from_numpy(np.ones((1, 2, 2), np.float32)).requires_grad_(),
        from_numpy(np.ones((1, 2, 2), np.float32)),
    )
    product = (weight * x).sum()
    transforms.Normalize(0.5, 0.25, inplace=True)(x)
    with pytest.raises(RuntimeError, match=r"in.?place"):
        product.backward()


@pytest.mark.parametrize(
    ("mean", "std", "x"),
    [
        ((0.5,), (0.0,), np.zeros((1, 2, 2), np.float32)),
        ((0.5, 0.5), (1.0, 1.0), np.zeros((3, 2, 2), np.float32)),
        ((0.5,), (1.0,), np.zeros((2, 2), np.float32)),
        ((0.5,), (1e-60,), np.zeros((1, 2, 2), np.float32)),
        ((0.5,), (1.0,), np.zeros((1, 2, 2), np.uint8)),
    ],
)
def test_normalize_refuses_what_torchvision_refuses(mean, std, x):
    with pytest.raises((ValueError, TypeError, RuntimeError)):
        reference.Normalize(mean, std)(torch.from_numpy(x))
    with pytest.raises((ValueError, TypeError)):
        transforms.Normalize(mean, std)(from_numpy(x))


def test_normalize_refuses_arrays():
    with pytest.raises(TypeError, match="Tensor Image"):
        transforms.Normalize(0.5, 0.5)(np.zeros((2, 2), np.float32))


# Resize


def pillow_resize(image, height, width):
    """Pillow's bilinear resize, width before height."""
    bilinear = Image.Resampling.BILINEAR
    return image.resize((width, image.height), bilinear).resize((width, height), bilinear)


@given(image=images(channels=(None, 3)), size=st.tuples(SIDE, SIDE))
def test_resize_of_bytes_is_pillows(image, size):
    expected = pillow_resize(Image.fromarray(image), *size)
    assert_same(transforms.Resize(size)(image), expected)
    resized = transforms.Resize(size)(Image.fromarray(image))
    assert isinstance(resized, Image.Image)
    assert_same(resized, reference.Resize(size)(Image.fromarray(image)))
    assert np.abs(np.asarray(resized, dtype=int) - np.asarray(expected)).max() <= 1


@given(image=images(channels=(None,)), size=st.integers(1, 30), slack=st.none() | st.integers(1, 20))
def test_resize_of_the_shorter_side(image, size, slack):
    max_size = None if slack is None else size + slack
    try:
        expected = reference.Resize(size, max_size=max_size)(Image.fromarray(image))
    except ValueError:  # an image so thin that nothing of it would be left
        with pytest.raises(ValueError, match=r"."):
            transforms.Resize(size, max_size=max_size)(image)
        return
    result = transforms.Resize(size, max_size=max_size)(image)
    assert_same(result, pillow_resize(Image.fromarray(image), *np.asarray(expected).shape))


# torch (2.15) fills an image that is and stays one pixel wide with its first row: SIDE + 1 avoids that.
OUTPUT = st.tuples(SIDE, SIDE.map(lambda side: side + 1))


@given(image=images(channels=(1, 3), dtype=np.float32), size=OUTPUT)
def test_resize_of_tensors(image, size):
    expected = reference.Resize(size)(tensor_like(image)).numpy()
    result = transforms.Resize(size)(transforms.ToTensor()(image)).numpy()
    assert result.dtype == np.float32
    # Each value is a mean, twice over, of up to 24 numbers below 1: 24 roundings each way.
    np.testing.assert_allclose(result, expected, rtol=0, atol=4 * 24 * np.finfo(np.float32).eps)


@given(image=images(channels=(3,)), size=OUTPUT)
def test_resize_of_byte_tensors_rounds_once_more_than_torchvision(image, size):
    expected = reference.Resize(size)(tensor_like(image)).numpy()
    result = transforms.Resize(size)(from_numpy(tensor_like(image).numpy())).numpy()
    assert result.dtype == np.uint8
    assert np.abs(result.astype(int) - expected).max() <= 1


@pytest.mark.parametrize(
    "options",
    [
        {"size": 0},
        {"size": (1, 2, 3)},
        {"size": (2, -1)},
        {"size": (8, 8), "max_size": 9},
        {"size": 8, "max_size": 8},
    ],
)
def test_resize_refuses_options_it_has_not(options):
    with pytest.raises(ValueError, match="size"):
        transforms.Resize(**options)


def test_resize_refuses_what_arrays_do_not_know():
    with pytest.raises(TypeError, match="InterpolationMode"):
        transforms.Resize(8, "nearest")
    with pytest.raises(TypeError, match="PIL Image or Tensor"):
        transforms.Resize(4, transforms.InterpolationMode.NEAREST)(np.zeros((8, 8), np.uint8))


def test_resize_refuses_integers():
    with pytest.raises(TypeError, match="int64"):
        transforms.Resize(4)(np.zeros((8, 8), np.int64))


# Grayscale


@given(image=images(channels=(None, 3)), channels=st.sampled_from([1, 3]))
def test_grayscale_of_bytes_is_pillows(image, channels):
    expected = reference.Grayscale(channels)(Image.fromarray(image))
    assert_same(transforms.Grayscale(channels)(image), expected)
    assert_same(transforms.Grayscale(channels)(Image.fromarray(image)), expected)


@given(
    image=images(channels=(3,), dtype=np.float32),
    channels=st.sampled_from([1, 3]),
    dtype=st.sampled_from(["float32", "float64", "uint8"]),
)
def test_grayscale_of_tensors(image, channels, dtype):
    image = (image * 255).astype(dtype)
    result = transforms.Grayscale(channels)(from_numpy(tensor_like(image).numpy()))
    assert_same(result, reference.Grayscale(channels)(tensor_like(image)))


def test_grayscale_refuses_other_channels():
    with pytest.raises(ValueError, match="1 or 3"):
        transforms.Grayscale(2)
    with pytest.raises(ValueError, match="1 or 3"):
        transforms.Grayscale()(np.zeros((2, 2, 4), np.uint8))
    with pytest.raises(ValueError, match="1 or 3"):
        transforms.Grayscale()(from_numpy(np.zeros((2, 2, 2), np.float32)))
    with pytest.raises(TypeError, match="float64"):
        transforms.Grayscale()(np.zeros((2, 2, 3)))


# RandomCrop: a crop as large as the padded image leaves nothing to chance


@given(
    seed=SEED,
    shape=st.tuples(st.integers(4, 9), st.integers(4, 9)),
    padding=st.integers(0, 3)
    | st.lists(st.integers(0, 3), min_size=1, max_size=1)
    | st.tuples(*[st.integers(0, 3)] * 2)
    | st.tuples(*[st.integers(0, 3)] * 4),
    mode=st.sampled_from(["constant", "edge", "reflect", "symmetric"]),
    fill=st.integers(0, 255),
)
def test_padding(seed, shape, padding, mode, fill):
    image = pixels(seed, *shape, 3)
    left, top, right, bottom = transforms._geometry.sides_of(padding)
    size = (shape[0] + top + bottom, shape[1] + left + right)
    options = {"padding": padding, "fill": fill, "padding_mode": mode}
    expected = reference.RandomCrop(size, **options)(Image.fromarray(image))
    assert_same(transforms.RandomCrop(size, **options)(image), expected)
    as_tensor = transforms.RandomCrop(size, **options)(from_numpy(image.transpose(2, 0, 1)))
    assert_same(as_tensor.numpy().transpose(1, 2, 0), expected)


def test_padding_with_one_fill_for_each_channel():
    image = pixels(5, 4, 4, 3)
    expected = reference.RandomCrop(6, padding=1, fill=(1, 2, 3))(Image.fromarray(image))
    assert_same(transforms.RandomCrop(6, padding=1, fill=(1, 2, 3))(image), expected)


@pytest.mark.parametrize("size", [(6, 6), (6, 3), (3, 9), (2, 2)])
def test_padding_if_needed(size):
    image = np.full((4, 4), 9, np.uint8)
    crop = transforms.RandomCrop(size, pad_if_needed=True, fill=9)(image)
    assert_same(crop, reference.RandomCrop(size, pad_if_needed=True, fill=9)(Image.fromarray(image)))


@pytest.mark.parametrize("channels_first", [False, True])
def test_crops_are_windows_at_uniform_places_drawn_for_each_image(channels_first):
    numbered = np.arange(6 * 7, dtype=np.uint8).reshape(6, 7)  # a pixel's value tells its place
    batch = np.tile(numbered, (6000, 1, 1))
    given_ = from_numpy(batch[:, None]) if channels_first else batch
    crops = np.asarray(transforms.RandomCrop((4, 5)).batch(given_, Generator().manual_seed(0)))
    crops = crops.reshape(6000, 4, 5)
    corners = crops[:, 0, 0].astype(int)
    expected = corners[:, None, None] + np.arange(4)[:, None] * 7 + np.arange(5)
    np.testing.assert_array_equal(crops, expected)
    places, counts = np.unique(corners, return_counts=True)
    np.testing.assert_array_equal(places, [row * 7 + column for row in range(3) for column in range(3)])
    assert np.abs(counts - 6000 / 9).max() < 5 * np.sqrt(6000 / 9)  # five standard deviations


@pytest.mark.parametrize(
    "options",
    [
        {"size": 0},
        {"size": (2, 2, 2)},
        {"size": 2, "padding": (1, 1, 1)},
        {"size": 2, "padding": -1},
        {"size": 2, "padding_mode": "wrap"},
    ],
)
def test_crop_refuses_options_it_has_not(options):
    with pytest.raises(ValueError, match=r"size|padding"):
        transforms.RandomCrop(**options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 5}, "larger than input"),
        ({"size": 4, "padding": 1, "fill": (1, 2)}, "2 values"),
        ({"size": 4, "padding": 1, "fill": 0.5}, "uint8"),
        ({"size": 4, "padding": 1, "fill": 256}, "uint8"),
    ],
)
def test_crop_refuses_images_that_do_not_fit(options, message):
    with pytest.raises(ValueError, match=message):
        transforms.RandomCrop(**options)(np.zeros((4, 4, 3), np.uint8))


# RandomHorizontalFlip


@given(image=images(), as_tensor=st.booleans())
def test_flips_that_are_certain(image, as_tensor):
    if image.ndim == 3 and as_tensor:
        image = from_numpy(image.transpose(2, 0, 1))
        mirrored = image.numpy()[..., ::-1]
    else:
        mirrored = image[:, ::-1]
    assert_same(transforms.RandomHorizontalFlip(1)(image), mirrored)
    assert_same(transforms.RandomHorizontalFlip(0)(image), image)


@pytest.mark.parametrize("shape", [(3, 4), (3, 4, 3)])
def test_flips_are_drawn_for_each_image(shape):
    image = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    result = transforms.RandomHorizontalFlip(0.3).batch(np.tile(image, (5000, *[1] * len(shape))))
    axes = tuple(range(1, result.ndim))
    flipped = (result == image[:, ::-1]).all(axis=axes)
    kept = (result == image).all(axis=axes)
    assert (flipped ^ kept).all()
    assert abs(flipped.mean() - 0.3) < 5 * np.sqrt(0.3 * 0.7 / 5000)


def test_flip_refuses_what_is_no_probability():
    with pytest.raises(ValueError, match="p must be"):
        transforms.RandomHorizontalFlip(1.5)


# Batches, chains and printouts


@given(
    seed=SEED,
    shape=st.tuples(st.integers(1, 5), SIDE, SIDE),
    channels=st.sampled_from([None, 3]),
    size=st.tuples(SIDE, SIDE),
    before=st.booleans(),
)
def test_a_batch_is_its_items_bit_for_bit(seed, shape, channels, size, before):
    batch = pixels(seed, *shape, *([] if channels is None else [channels]))
    geometry = [transforms.Resize(size), transforms.RandomHorizontalFlip(1), transforms.Grayscale()]
    steps = [*geometry, transforms.ToTensor()] if before else [transforms.ToTensor(), *geometry]
    chain = transforms.Compose([*steps, transforms.Normalize(0.3, 0.7)])
    whole = chain.batch(batch)
    assert_same(whole, np.stack([chain(image).numpy() for image in batch]))


def test_random_transforms_follow_the_generator():
    batch = pixels(6, 50, 8, 8, 3)
    chain = transforms.Compose([transforms.RandomCrop(8, padding=2), transforms.RandomHorizontalFlip()])
    first = chain.batch(batch, Generator().manual_seed(1))
    assert_same(chain.batch(batch, Generator().manual_seed(1)), first)
    assert not np.array_equal(chain.batch(batch, Generator().manual_seed(2)), first)
    manual_seed(3)
    singly = [chain(image) for image in batch]
    manual_seed(3)
    for image, expected in zip(batch, singly, strict=True):
        assert_same(chain(image), expected)


class Inverted(transforms.ToTensor):
    """Does something else with one image than the inherited `batch` knows of."""

    def __call__(self, image):
        return super().__call__(255 - image)


class InvertedBatch(transforms.Transform):
    """A transform of one's own that joins in on whole batches."""

    def batch(self, images, generator=None):
        return 255 - images


@pytest.mark.parametrize("step", [lambda image: image, Inverted(), torch.nn.Identity()])
def test_a_chain_with_a_part_that_knows_single_images_only_has_no_batch(step):
    assert transforms.Compose([step]).batch(np.zeros((2, 3, 3), np.uint8)) is None
    nested = transforms.Compose([transforms.RandomHorizontalFlip(), transforms.Compose([step])])
    assert nested.batch(np.zeros((2, 3, 3), np.uint8)) is None


def test_a_transform_of_ones_own_joins_in():
    batch = pixels(7, 3, 4, 4)
    chain = transforms.Compose([InvertedBatch(), transforms.ToTensor()])
    assert_same(chain.batch(batch), np.stack([Inverted()(image).numpy() for image in batch]))
    assert_same(chain(batch[0]), Inverted()(batch[0]))


def test_printouts():
    def chain(library):
        return library.Compose(
            [
                library.Resize(32),
                library.Resize((32, 30)),
                library.RandomCrop(28, padding=4),
                library.RandomCrop((28, 24)),
                library.RandomHorizontalFlip(),
                library.Grayscale(3),
                library.ToTensor(),
                library.Normalize((0.5,), (0.25,)),
            ]
        )

    assert repr(chain(transforms)) == repr(chain(reference))


def test_transforms_refuse_what_is_no_image():
    for transform in (
        transforms.RandomCrop(2),
        transforms.RandomHorizontalFlip(),
        transforms.Resize(2),
        transforms.Grayscale(),
    ):
        with pytest.raises(TypeError):
            transform([[1, 2], [3, 4]])


def pictures(seed):
    """One Pillow image of every mode."""
    rgb, rgba = Image.fromarray(pixels(seed, 7, 9, 3)), Image.fromarray(pixels(seed, 7, 9, 4))
    generator = np.random.default_rng(seed)
    made = {mode: rgb.convert(mode) for mode in ("RGB", "L", "1", "RGBX", "CMYK", "YCbCr", "HSV")}
    made |= {mode: rgba.convert(mode) for mode in ("RGBA", "RGBa", "LA", "PA")}
    made |= {"La": made["LA"].convert("La"), "LAB": Image.frombytes("LAB", rgb.size, rgb.tobytes())}
    made |= {name: rgb.quantize(16) for name in ("P", "P, one transparent", "P, many transparent")}
    made["P, one transparent"].info["transparency"] = 3
    made["P, many transparent"].info["transparency"] = bytes(range(16))
    made["I"] = Image.fromarray(generator.integers(-70000, 70000, (7, 9), dtype=np.int32))
    made["I;16"] = Image.fromarray(generator.integers(0, 65536, (7, 9), dtype=np.uint16))
    made["F"] = Image.fromarray(generator.standard_normal((7, 9)).astype(np.float32) * 50)
    return made


PADDED = [{"padding": 2, "padding_mode": mode} for mode in ("constant", "edge", "reflect", "symmetric")]
PADDED += [{"padding": 2, "fill": fill} for fill in (7, 1.5, (5,), (1, 2), (1, 2, 3), (1, 2, 3, 4), 300)]
MADE = {
    "ToTensor": lambda m: m.ToTensor(),
    **{f"Resize {size}": lambda m, size=size: m.Resize(size) for size in ((4, 5), (7, 9), 12, 3)},
    **{f"Grayscale {count}": lambda m, count=count: m.Grayscale(count) for count in (1, 3)},
    **{f"RandomCrop {options}": lambda m, options=options: m.RandomCrop((11, 13), **options) for options in PADDED},
    "RandomCrop of its size": lambda m: m.RandomCrop((7, 9), pad_if_needed=True),
    "RandomCrop too large": lambda m: m.RandomCrop(20),
    "RandomCrop asymmetric": lambda m: m.RandomCrop((10, 12), padding=(1, 2, 2, 1)),
    "RandomHorizontalFlip": lambda m: m.RandomHorizontalFlip(1.0),
    "no RandomHorizontalFlip": lambda m: m.RandomHorizontalFlip(0.0),
    "Normalize": lambda m: m.Normalize(0.5, 0.5),
    "Compose": lambda m: m.Compose([m.Resize((5, 6)), m.ToTensor(), m.Normalize(0.5, 0.5)]),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("mode", pictures(0))
@pytest.mark.parametrize("name", MADE)
def test_pictures_of_every_mode(name, mode):
    picture = pictures(1)[mode]
    actual, expected = (outcome(MADE[name](m), picture.copy()) for m in (transforms, reference))
    if isinstance(expected, Exception) or isinstance(actual, Exception):
        assert isinstance(actual, (ValueError, TypeError, OSError)), repr(actual)
        assert isinstance(expected, Exception), repr(actual)
    elif isinstance(expected, torch.Tensor):
        assert str(actual.dtype) == str(expected.dtype)
        np.testing.assert_array_equal(actual.numpy(), expected.numpy())
    else:
        assert (actual.mode, actual.size, actual.tobytes()) == (expected.mode, expected.size, expected.tobytes())
        assert actual.getpalette() == expected.getpalette()
