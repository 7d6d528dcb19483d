"""The engine's definition: what a contraction means; rewrites keep it, and every legal schedule computes it."""

import itertools

import numpy as np
import pytest
import torch
import torch.nn.functional as TF
from hypothesis import assume, given
from hypothesis import strategies as st

import minicnn
import minicnn.nn.functional as F
from minicnn.kernels.convolution import implicit, weight_gradient
from minicnn.kernels.convolution.contraction import Weights, define, interpret
from minicnn.kernels.convolution.plan import forward_plan
from minicnn.kernels.convolution.rewrites import (
    covers,
    flatten,
    is_pointwise,
    merge_pixels,
    merge_row,
    narrow,
    pad_columns,
    sees_whole_rows,
    split_by_stride,
    widen,
    within_images,
)
from minicnn.kernels.convolution.schedule import Schedule, blocks_of, check, rewritten, schedule_of
from minicnn.kernels.convolution.weight_schedule import (
    WeightSchedule,
    as_scheduled,
    check_weight_schedule,
    lines_of,
    weight_schedule_of,
)
from minicnn.kernels.geometry import convolution_geometry

ARRAYS = ("x", "weight", "y")


class Layer:
    """A small convolution of integers, and its contractions."""

    def __init__(self, draw, groups=(1, 1, 2), largest=6, pointwise=False, outputs=None):
        sizes, kernels = st.integers(1, largest), st.just(1) if pointwise else st.integers(1, 3)
        few = st.integers(1, 3)
        self.N, self.G, self.C, self.O = draw(few), draw(st.sampled_from(groups)), draw(few), outputs or draw(few)
        size, kernel = (draw(sizes), draw(sizes)), (draw(kernels), draw(kernels))
        steps, padding = st.tuples(few, few), st.tuples(st.integers(0, 2), st.integers(0, 2))
        self.options = [(1, 1), (0, 0), draw(steps)] if pointwise else [draw(steps), draw(padding), draw(steps)]
        try:
            self.geometry = convolution_geometry(size, kernel, *self.options)
        except ValueError:
            assume(False)
        generator = np.random.default_rng(draw(st.integers(0, 1000)))
        h, w = self.geometry.output_size
        shapes = (self.N, *size, self.G * self.C), (self.G, *kernel, self.C, self.O), (self.N, h, w, self.G * self.O)
        self.x, self.weight, self.y = (generator.integers(-3, 4, shape).astype(np.float64) for shape in shapes)

    def contraction(self, collects):
        weight = Weights.by_tap(self.G, self.C, self.O, self.geometry.kernel)
        return define(collects, self.N, self.G, self.C, self.O, self.geometry, weight)

    def by_output(self):
        """The weights as (G · O, C, KH, KW)."""
        by_group = self.weight.transpose(0, 4, 3, 1, 2)
        return np.ascontiguousarray(by_group).reshape(self.G * self.O, self.C, *self.geometry.kernel)

    def run(self, c, **arrays):
        """What `c` adds to zeros in the array that collects; `arrays` take the place of the layer's."""
        given = {name: arrays.get(name, getattr(self, name)).ravel().copy() for name in ARRAYS}
        shape = arrays.get(c.collects, getattr(self, c.collects)).shape
        given[c.collects][:] = 0
        interpret(c, **given)
        return given[c.collects].reshape(shape)


layers = st.composite(Layer)


@given(layers())
def test_a_contraction_is_pytorchs_convolution_and_its_gradients(layer):
    x = torch.from_numpy(layer.x).permute(0, 3, 1, 2).requires_grad_()
    weight = torch.from_numpy(layer.by_output()).requires_grad_()
    y = TF.conv2d(x, weight, None, *layer.options, layer.G)
    y.backward(torch.from_numpy(layer.y).permute(0, 3, 1, 2))
    expected = {
        "y": y.detach().permute(0, 2, 3, 1).numpy(),
        "x": x.grad.permute(0, 2, 3, 1).numpy(),
        "weight": weight.grad.numpy()
        .reshape(layer.G, layer.O, layer.C, *layer.geometry.kernel)
        .transpose(0, 3, 4, 2, 1),
    }
    for collects in ARRAYS:
        np.testing.assert_array_equal(layer.run(layer.contraction(collects)), expected[collects])


@given(layers())
def test_the_phases_of_a_gradient_are_the_gradient(layer):
    c = layer.contraction("x")
    phases, total = split_by_stride(c), np.full(layer.x.size, np.nan)
    for phase in phases:
        assert phase.rows.stride == phase.columns.stride == 1
        assert phase.collects == "y"
        for n, i, j in itertools.product(range(phase.N), range(phase.rows.positions), range(phase.columns.positions)):
            begin = phase.y.start + n * phase.y.image + i * phase.y.row + j * phase.y.column
            assert np.isnan(total[begin : begin + layer.G * layer.C]).all()  # no two phases share a pixel
            total[begin : begin + layer.G * layer.C] = 0
        interpret(phase, layer.y.ravel(), layer.weight.ravel(), total)
    assert np.isnan(total).any() == (not (covers(c.rows) and covers(c.columns)))
    np.testing.assert_array_equal(np.nan_to_num(total).reshape(layer.x.shape), layer.run(c))


@given(layers(pointwise=True), st.data())
def test_a_flattened_layer_is_the_layer(layer, data):
    pixels = layer.N * layer.geometry.height.size * layer.geometry.width.size
    width = data.draw(st.sampled_from([width for width in range(1, pixels + 1) if pixels % width == 0]))
    for collects in ARRAYS:
        c = layer.contraction(collects)
        assert is_pointwise(c)
        flat = flatten(c, width)
        assert (flat.N, flat.columns.positions) == (1, width)
        np.testing.assert_array_equal(layer.run(flat), layer.run(c))


@given(layers())
def test_only_layers_that_see_the_same_place_are_flattened(layer):
    plain = layer.geometry.kernel == layer.options[0] == (1, 1) and layer.options[1] == (0, 0)
    assert is_pointwise(layer.contraction("y")) == plain or layer.geometry.output_size == (1, 1)


def padded(layer, c):
    """The layer's x as `pad_columns` sees it."""
    wide = pad_columns(c)
    x = np.zeros((layer.N, c.rows.size, wide.columns.size, layer.G * layer.C))
    for column in range(c.columns.size):
        if 0 <= column - c.columns.first < wide.columns.size:
            x[:, :, column - c.columns.first] = layer.x[:, :, column]
    return wide, x


@given(layers(groups=(1,)))
def test_a_kernel_row_as_channels_is_the_kernel_row(layer):
    for collects in ("y", "weight"):
        c = layer.contraction(collects)
        wide, x = padded(layer, c)
        np.testing.assert_array_equal(layer.run(wide, x=x), layer.run(c))
        if c.columns.dilation == 1:
            assert sees_whole_rows(wide)
            merged = merge_row(wide)
            assert (merged.C, merged.columns.taps) == (layer.C * c.columns.taps, 1)
            np.testing.assert_array_equal(layer.run(merged, x=x), layer.run(c))


@given(layers(groups=(1,)), st.data())
def test_neighbouring_pixels_as_outputs_are_the_pixels(layer, data):
    c, stride = layer.contraction("y"), layer.geometry.width.stride
    wide, x = padded(layer, c)
    if c.columns.dilation > 1:
        return
    pixels = data.draw(st.sampled_from([m for m in range(1, 7) if c.columns.positions % m == 0]))
    merged = merge_pixels(wide, pixels)
    weights = widen(layer.by_output(), pixels, stride)
    for seen in (merged, merge_row(merged)):
        assert pixels * layer.O == seen.O
        np.testing.assert_array_equal(layer.run(seen, x=x, weight=weights), layer.run(c))
    collected = layer.run(merged._replace(collects="weight"), x=x, weight=weights)
    expected = layer.run(layer.contraction("weight"))[0]
    np.testing.assert_array_equal(narrow(collected, pixels, stride), expected)


@given(layers(groups=(1,)))
def test_a_gradient_scattered_along_rows_is_the_gradient(layer):
    c = layer.contraction("x")
    if c.columns.dilation > 1:
        return
    wide, x = padded(layer, c)
    total = np.zeros(x.size)
    for phase in split_by_stride(merge_row(wide)):
        assert phase.columns.taps == 1
        interpret(phase, layer.y.ravel(), layer.weight.ravel(), total)
    inside = total.reshape(x.shape)[:, :, -c.columns.first :][:, :, : c.columns.size]
    expected = layer.run(c)
    np.testing.assert_array_equal(inside, expected[:, :, : inside.shape[2]])
    assert not expected[:, :, inside.shape[2] :].any()


@given(layers())
def test_images_side_by_side_are_the_images(layer):
    c = layer.contraction("weight")
    np.testing.assert_array_equal(layer.run(within_images(c), x=layer.x.transpose(1, 2, 0, 3)), layer.run(c))


@st.composite
def scheduled(draw):
    """A layer and a legal schedule of its forward pass."""
    layer = Layer(draw, largest=9, pointwise=draw(st.booleans()))
    c = layer.contraction("y")
    width, pixels = 0, 1
    if is_pointwise(c) and draw(st.booleans()):
        count = c.N * c.rows.size * c.columns.size
        width = draw(st.sampled_from([w for w in range(1, count + 1) if count % w == 0]))
    elif sees_whole_rows(c):
        pixels = draw(st.sampled_from([m for m in range(1, 10) if c.columns.positions % m == 0]))
    seen = rewritten(c, Schedule(width, pixels))
    private = draw(st.booleans())
    images, rows = (most if private else draw(st.integers(1, most)) for most in (seen.N, seen.rows.positions))
    parts = draw(st.integers(1, seen.G * seen.O))
    return layer, Schedule(width, pixels, images, rows, parts, draw(st.booleans()), private)


@given(scheduled(), st.sampled_from(["float32", "float64"]))
def test_every_legal_schedule_gives_what_the_loops_give(case, dtype):
    layer, schedule = case
    arrays = [layer.x, layer.by_output()]
    y = implicit.forward(*[one.astype(dtype) for one in arrays], None, layer.geometry, schedule)
    np.testing.assert_array_equal(y, layer.run(layer.contraction("y")), str(schedule))


@st.composite
def scheduled_for_weight(draw):
    """A layer and a legal schedule of its gradient with respect to weight."""
    many = draw(st.sampled_from([None, None, 17, 40, 100]))
    layer = Layer(draw, largest=2 if many else 9, pointwise=draw(st.booleans()), outputs=many)
    c = layer.contraction("weight")
    chosen = WeightSchedule(packs=draw(st.booleans()))
    ways = ["rows", "images"] + ["width"] * is_pointwise(c) + ["merged"] * (c.G == 1 and c.columns.dilation == 1)
    way = draw(st.sampled_from(ways))
    if way == "images":
        chosen = WeightSchedule(through_images=True)
    elif way == "width":
        pixels = c.N * c.rows.size * c.columns.size
        chosen = chosen._replace(width=draw(st.sampled_from([w for w in range(1, pixels + 1) if pixels % w == 0])))
    elif way == "merged":
        pixels = draw(st.sampled_from([m for m in range(1, 10) if c.columns.positions % m == 0]))
        chosen = chosen._replace(merged=True, pixels=pixels)
    seen = as_scheduled(c, chosen)
    lines, _ = lines_of(seen, chosen.through_images)
    most = lines, lines, blocks_of(seen, np.dtype("float32"))
    at_once, parts, outputs = (draw(st.integers(1, one)) for one in most)
    return layer, chosen._replace(lines=at_once, parts=parts, outputs=outputs)


@given(scheduled_for_weight(), st.sampled_from(["float32", "float64"]))
def test_every_legal_schedule_for_weight_gives_what_the_loops_give(case, dtype):
    layer, schedule = case
    arrays = [layer.x.astype(dtype), layer.y.astype(dtype)]
    weight, bias = weight_gradient.grad_parameters(*arrays, layer.geometry, layer.G, schedule=schedule)
    expected = layer.run(layer.contraction("weight")).transpose(0, 4, 3, 1, 2).reshape(weight.shape)
    np.testing.assert_array_equal(weight, expected, str(schedule))
    np.testing.assert_array_equal(bias, layer.y.sum((0, 1, 2)))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@given(layer=layers(), threads=st.integers(1, 5))
def test_what_the_machine_chooses_for_weight_is_legal(dtype, layer, threads):
    c = layer.contraction("weight")
    check_weight_schedule(c, weight_schedule_of(c, np.dtype(dtype), threads), np.dtype(dtype))


@pytest.mark.parametrize(
    ("schedule", "word"),
    [
        (WeightSchedule(width=4), "width"),
        (WeightSchedule(merged=True, pixels=3), "pixels"),
        (WeightSchedule(pixels=5), "pixels"),
        (WeightSchedule(through_images=True, packs=False), "through_images"),
        (WeightSchedule(lines=11), "lines"),
        (WeightSchedule(parts=0), "parts"),
        (WeightSchedule(outputs=3), "outputs"),
    ],
)
def test_what_is_not_legal_for_weight_is_named(schedule, word):
    geometry = convolution_geometry((5, 5), (3, 3), 1, 1)
    x, y = np.zeros((2, 5, 5, 4), np.float32), np.zeros((2, 5, 5, 4), np.float32)
    with pytest.raises(ValueError, match=rf"schedule\.{word}"):
        weight_gradient.grad_parameters(x, y, geometry, 1, schedule=schedule)
    with pytest.raises(ValueError, match=r"schedule\.merged"):
        weight_gradient.grad_parameters(x, y, geometry, 2, schedule=WeightSchedule(merged=True))
    with pytest.raises(TypeError, match=r"schedule\.packs"):
        weight_gradient.grad_parameters(x, y, geometry, 2, schedule=WeightSchedule(packs=1))


@given(layers(), st.integers(1, 5), st.booleans())
def test_what_the_machine_chooses_is_legal(layer, threads, widens):
    c = layer.contraction("y")
    check(c, schedule_of(c, np.dtype("float32"), threads, widens))


@pytest.mark.parametrize(
    ("schedule", "word"),
    [
        (Schedule(width=4), "width"),
        (Schedule(pixels=2), "pixels"),
        (Schedule(images=3), "images"),
        (Schedule(images=0), "images"),
        (Schedule(rows=6), "rows"),
        (Schedule(parts=5), "parts"),
        (Schedule(rows=5, private=True), "images"),
    ],
)
def test_what_is_not_legal_is_named(schedule, word):
    x, weight = np.zeros((2, 3, 5, 5), np.float32), np.zeros((4, 3, 3, 3), np.float32)
    with pytest.raises(ValueError, match=rf"schedule\.{word}"):
        F.conv2d(x, weight, padding=1, schedule=schedule)


def test_a_schedule_is_taken_by_hand():
    x, weight = minicnn.randn(2, 3, 6, 6, requires_grad=True), minicnn.randn(4, 3, 3, 3, requires_grad=True)
    y = F.conv2d(x, weight, schedule=Schedule(pixels=2, images=2, rows=3))
    np.testing.assert_allclose(y.detach().numpy(), F.conv2d(x, weight).detach().numpy(), rtol=1e-5, atol=1e-5)
    y.sum().backward()
    assert x.grad.shape == x.shape
    with pytest.raises(ValueError, match="schedule"):
        F.conv2d(x, weight, algorithm="im2col", schedule=Schedule())
    for wrong in ((0, 1), Schedule(images=1.0), Schedule(private=1), Schedule(rows=True)):
        with pytest.raises(TypeError, match="schedule"):
            F.conv2d(x, weight, schedule=wrong)


def test_plans_are_kept():
    layer = (2, 1, 3, 8, convolution_geometry((8, 8), (3, 3), 1, 1), (108, 36, 12, 4), np.dtype("float32"), 2)
    assert forward_plan(*layer) is forward_plan(*layer)
