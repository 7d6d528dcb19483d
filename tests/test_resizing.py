"""Images resized, sampled and shuffled against PyTorch."""

import itertools

import numpy as np
import pytest
import torch
from agreement import assert_agrees, assert_computes_alike, examples
from hypothesis import given, settings
from hypothesis import strategies as st

import minicnn
from minicnn.testing.cases import layouts

FEW = settings(max_examples=examples(12))
SIZES = st.sampled_from([1, 2, 3, 7, 8, 9])


@FEW
@given(
    st.tuples(st.integers(1, 2), st.sampled_from([1, 2, 8]), SIZES, SIZES),
    st.tuples(SIZES, SIZES),
    st.sampled_from(["nearest", "nearest-exact", "bilinear", "bicubic", "area"]),
    st.sampled_from([None, True, False]),
    st.booleans(),
    layouts(),
)
def test_interpolate(shape, size, mode, align_corners, antialias, layout):
    # of images that are or become a single pixel wide PyTorch confuses rows and columns when it resizes with antialias
    options = {"align_corners": align_corners, "antialias": antialias and min(*shape[2:], *size) > 1}
    options = options if mode in ("bilinear", "bicubic") else {}

    def program(T, x):
        return T.nn.functional.interpolate(x, size, mode=mode, **options)

    assert_computes_alike(program, np.random.default_rng(0).standard_normal(shape), layout=layout)


@FEW
@given(
    st.sampled_from([(2, 3, 5), (1, 2, 4, 6), (2, 1, 3, 4, 2)]),
    st.floats(1.5, 3),
    st.sampled_from([None, True, False]),
    st.sampled_from([None, True]),
)
def test_interpolate_by_a_factor_in_any_dimensions(shape, factor, align_corners, recompute):
    mode = {3: "linear", 4: "bilinear", 5: "trilinear"}[len(shape)]

    def weighted(T, x):
        options = {"align_corners": align_corners, "recompute_scale_factor": recompute}
        return T.nn.functional.interpolate(x, scale_factor=factor, mode=mode, **options)

    def copied(T, x):
        # otherwise PyTorch's gradient now and then goes to other pixels than its copies come from
        return T.nn.functional.interpolate(x, scale_factor=factor, recompute_scale_factor=True)

    for program in (weighted, copied):
        assert_computes_alike(program, np.random.default_rng(0).standard_normal(shape))


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8"])
def test_the_nearest_pixel_is_pytorchs(mode, dtype):
    for n, o in itertools.product((1, 2, 3, 7, 12, 29), range(1, 80)):
        x = np.arange(n).astype(dtype)[None, None]
        for values, size in ((x, o), (x[:, :, None], (1, o))):
            ours = minicnn.nn.functional.interpolate(values, size, mode=mode).numpy()
            theirs = torch.nn.functional.interpolate(torch.from_numpy(values), size, mode=mode).numpy()
            np.testing.assert_array_equal(ours, theirs)


MODES = [*itertools.product(("bilinear", "nearest", "bicubic"), ("zeros", "border", "reflection"), (True, False))]


@pytest.mark.parametrize(("mode", "padding", "align_corners"), MODES)
def test_grid_sample(mode, padding, align_corners):
    rng = np.random.default_rng(0)

    def program(T, x, grid):
        return T.nn.functional.grid_sample(x, grid, mode, padding, align_corners)

    for shape in ((2, 3, 4, 5), (1, 1, 1, 6), (2, 2, 1, 1)):
        x = minicnn.from_numpy(rng.standard_normal(shape)).requires_grad_()
        grid = minicnn.from_numpy(rng.uniform(-2.5, 2.5, (shape[0], 4, 3, 2))).requires_grad_()
        assert_agrees(program, x, grid, rtol=1e-11)


@pytest.mark.parametrize("align_corners", [True, False])
def test_a_spatial_transformer(align_corners):
    def program(T, x, theta):
        grid = T.nn.functional.affine_grid(theta, (2, 3, 4, 5), align_corners)
        return [grid, T.nn.functional.grid_sample(x, grid, align_corners=align_corners)]

    rng = np.random.default_rng(1)
    x, theta = (minicnn.from_numpy(rng.standard_normal(s)).requires_grad_() for s in ((2, 3, 6, 6), (2, 2, 3)))
    assert_agrees(program, x, theta, rtol=1e-11)


@FEW
@given(st.integers(1, 3), st.tuples(*[st.integers(1, 3)] * 4), layouts())
def test_shuffles(r, shape, layout):
    N, C, H, W = shape

    def program(T, x):
        F = T.nn.functional
        rest = F.pixel_unshuffle(F.pixel_shuffle(x, r), r)
        return [F.pixel_shuffle(x, r), rest, F.channel_shuffle(x, r), F.pixel_shuffle(x[0], r)]

    values = np.arange(N * C * r * r * H * W, dtype=np.float32).reshape(N, C * r * r, H, W)
    assert_agrees(program, minicnn.from_numpy(layout.of(values)).requires_grad_())


BAD = [
    ("interpolate", (1, 2, 3, 4), {}),
    ("interpolate", (1, 2, 3, 4), {"size": 2, "scale_factor": 2}),
    ("interpolate", (1, 2, 3, 4), {"size": (2, 2, 2)}),
    ("interpolate", (1, 2, 3, 4), {"size": 2.5}),
    ("interpolate", (1, 2, 3, 4), {"scale_factor": (2.0,)}),
    ("interpolate", (1, 2, 3, 4), {"size": 0}),
    ("interpolate", (1, 2, 3, 4), {"scale_factor": 0.1}),
    ("interpolate", (1, 2, 0, 4), {"size": 2}),
    ("interpolate", (0, 2, 3, 4), {"size": 2, "mode": "bilinear"}),
    ("interpolate", (1, 2, 3), {"size": 2, "mode": "bilinear"}),
    ("interpolate", (1, 2, 3, 4), {"size": 2, "mode": "linear"}),
    ("interpolate", (1, 2, 3, 4), {"size": 2, "mode": "cubic"}),
    ("interpolate", (1, 2, 3, 4), {"size": 2, "align_corners": True}),
    ("interpolate", (1, 2, 3, 4), {"size": 2, "recompute_scale_factor": True}),
    ("interpolate", (1, 2, 3), {"size": 2, "mode": "linear", "antialias": True}),
    ("interpolate", (2, 3), {"size": 2}),
    ("pixel_shuffle", (1, 3, 2, 2), {"upscale_factor": 2}),
    ("pixel_shuffle", (4, 2), {"upscale_factor": 2}),
    ("pixel_shuffle", (1, 4, 2, 2), {"upscale_factor": 0}),
    ("pixel_unshuffle", (1, 4, 3, 2), {"downscale_factor": 2}),
    ("channel_shuffle", (1, 4, 3, 2), {"groups": 3}),
    ("channel_shuffle", (1, 4, 3, 2), {"groups": 0}),
]


@pytest.mark.parametrize(("name", "shape", "options"), BAD)
def test_what_does_not_fit_raises_as_in_torch(name, shape, options):
    x = minicnn.ones(*shape)
    assert_agrees(lambda T, x: getattr(T.nn.functional, name)(x, **options), x)
