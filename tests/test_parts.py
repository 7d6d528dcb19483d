"""Instance, group, layer, root-mean-square and local response norms against PyTorch."""

import numpy as np
import pytest
from agreement import assert_agrees, assert_computes_alike, examples
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import minicnn
from minicnn import nn
from minicnn.testing.cases import layouts

FEW = settings(max_examples=examples(15))
SHARED = settings(FEW, suppress_health_check=[HealthCheck.function_scoped_fixture])
"""On two threads: a single image is shared out, several are taken one by one."""


@st.composite
def normalizations(draw, least=2):
    """An input (N, C, …), an affine map of its channels, and in how many groups.

    Two values are normalised to −1 and 1, whatever they are: of their gradients only rounding errors and eps remain,
    which no computation can be held to. So there are more along the last axis.
    """
    ndim = draw(st.integers(least, 5))
    groups, each = draw(st.sampled_from([1, 2, 3, 7])), draw(st.sampled_from([1, 2, 5]))
    others = [2] * (ndim == 5) + [draw(st.sampled_from([3, 4, 8, 9])) for _ in range(min(ndim, 4) - 2)]
    shape = (draw(st.integers(1, 3)), groups * each, *others)
    rng = np.random.default_rng(draw(st.integers(0, 10**4)))
    x = rng.standard_normal(shape) * draw(st.sampled_from([0.5, 20])) + draw(st.sampled_from([0, 3]))
    affine = [rng.standard_normal(shape[1]) for _ in range(draw(st.sampled_from([0, 1, 2])))]
    return x, affine, groups, draw(layouts())


@SHARED
@given(normalizations(3))
def test_instance_norm(two_threads, case):
    x, affine, _, layout = case

    def program(T, x, *affine):
        return T.nn.functional.instance_norm(x, None, None, *affine, eps=1e-3)

    assert_computes_alike(program, x, *affine, layout=layout)


@SHARED
@given(normalizations(2))
def test_group_norm(two_threads, case):
    x, affine, groups, layout = case
    assume(x[0].size > 2 * groups)

    def program(T, x, *affine):
        return T.nn.functional.group_norm(x, groups, *affine, eps=1e-3)

    assert_computes_alike(program, x, *affine, layout=layout)


@FEW
@given(normalizations(2), st.integers(1, 3))
def test_layer_norm_and_rms_norm(case, dims):
    x, affine, _, layout = case
    shape = x.shape[-min(dims, x.ndim - 1) :]
    assume(np.prod(shape) > 2)
    rng = np.random.default_rng(0)
    weights = [rng.standard_normal(shape) for _ in affine]

    def layer(T, x, *affine):
        return T.nn.functional.layer_norm(x, shape, *affine, eps=1e-3)

    def rms(T, x, *affine):
        return T.nn.functional.rms_norm(x, shape, *affine, eps=1e-3)

    assert_computes_alike(layer, x, *weights, layout=layout)
    assert_computes_alike(rms, x, *weights[:1], layout=layout)


@FEW
@given(normalizations(3), st.integers(1, 6), st.sampled_from([0.5, 0.75, 1.0]))
def test_local_response_norm(case, size, beta):
    x, _, _, layout = case

    def program(T, x):
        return T.nn.functional.local_response_norm(x, size, alpha=0.3, beta=beta, k=2.0)

    assert_computes_alike(program, x, layout=layout)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_many_values_far_from_zero_are_normalised_accurately(dtype):
    x = (np.random.default_rng(0).standard_normal((2, 4, 32, 32)) + 1000).astype(dtype)
    exact = x.astype(np.longdouble)
    exact = (exact - exact.mean((2, 3), keepdims=True)) / np.sqrt(exact.var((2, 3), keepdims=True) + 1e-5)
    pixels = np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    results = nn.functional.instance_norm(x), nn.functional.instance_norm(pixels), nn.functional.layer_norm(x, (32, 32))
    for y in results:
        assert np.abs(y.numpy() - exact).max() < 2000 * np.finfo(dtype).eps  # what rounding x and its mean amounts to


@pytest.mark.parametrize("training", [True, False])
def test_running_statistics_of_an_instance_norm(training):
    def program(T, x):
        layer = T.nn.InstanceNorm2d(3, momentum=0.25, affine=True, track_running_stats=True).double().train(training)
        return [layer(x), layer(x), layer.running_mean, layer.running_var, layer(x[0])]

    x = minicnn.from_numpy(np.random.default_rng(0).standard_normal((2, 3, 4, 5))).requires_grad_()
    assert_agrees(program, x, rtol=1e-12)


NORMS = [
    ("group_norm", (2, 4, 3), (2,)),
    ("group_norm", (0, 4, 3), (2,)),
    ("group_norm", (2, 4, 3), (3,)),
    ("group_norm", (2, 4, 3), (0,)),
    ("group_norm", (2,), (1,)),
    ("group_norm", (1, 2), (2,)),
    ("group_norm", (2, 4, 0), (2,)),
    ("instance_norm", (2, 3, 1, 1), ()),
    ("instance_norm", (0, 3, 2, 2), ()),
    ("instance_norm", (2, 0, 2), ()),
    ("instance_norm", (2, 3, 4), (None, None, None, None, False)),
    ("layer_norm", (2, 3), ((3,),)),
    ("layer_norm", (0, 3), ((3,),)),
    ("layer_norm", (2, 3), ((2,),)),
    ("layer_norm", (2, 3), ((),)),
    ("layer_norm", (2, 3), (3,)),
    ("rms_norm", (2, 3), ((3,),)),
    ("rms_norm", (2, 3), ((2, 2),)),
    ("local_response_norm", (2, 3), (2,)),
    ("local_response_norm", (0, 3, 2), (2,)),
]


@pytest.mark.parametrize(("name", "shape", "arguments"), NORMS)
@pytest.mark.parametrize("dtype", ["float32", "int64"])
def test_corners_as_in_torch(name, shape, arguments, dtype):
    x = minicnn.from_numpy(np.arange(np.prod(shape)).reshape(shape).astype(dtype) + 1)
    if dtype == "float32":
        x.requires_grad_()
    if dtype == "int64" and (name == "local_response_norm" or 0 in shape):
        pytest.skip("of integers only PyTorch computes it")
    assert_agrees(lambda T, x: getattr(T.nn.functional, name)(x, *arguments), x, rtol=1e-5)


def test_weights_of_another_dtype_or_shape_raise():
    x, F = np.ones((2, 4, 3), np.float32), nn.functional
    for call in (F.group_norm, F.instance_norm):
        arguments = (2,) if call is F.group_norm else (None, None)
        for weight in (np.ones(4), np.ones(3, np.float32)):
            with pytest.raises(RuntimeError, match="weight"):
                call(x, *arguments, weight)
    with pytest.raises(RuntimeError, match="weight"):
        F.layer_norm(x, (3,), np.ones(4, np.float32))


def test_one_process_needs_no_synchronized_norm():
    with pytest.raises(RuntimeError, match="BatchNorm"):
        nn.SyncBatchNorm(3)
    with pytest.raises(RuntimeError, match="one process"):
        nn.SyncBatchNorm.convert_sync_batchnorm(nn.Identity())


def test_input_may_not_change_before_backward():
    for call in (nn.functional.instance_norm, lambda x: nn.functional.layer_norm(x, (4,))):
        x = minicnn.rand(2, 3, 4, requires_grad=True)
        former = x * 1
        y = call(former)
        former.mul_(2)
        with pytest.raises(RuntimeError, match="modified"):
            y.sum().backward()
