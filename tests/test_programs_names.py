"""Names that programs meet now and then, against PyTorch: attention, derivatives of functions, types, paths."""

import copy
import importlib
import math
import pickle

import numpy as np
import pytest
import torch
from agreement import examples
from hypothesis import given, settings
from hypothesis import strategies as st

import minicnn
from minicnn.autograd import functional
from minicnn.compat import modules

SIZES = st.sampled_from([1, 2, 3, 7, 8, 9, 17])


def pairs(*shapes, seed=0, dtype="float64"):
    """The same numbers as leaves of both libraries."""
    arrays = [np.random.default_rng(seed + i).standard_normal(shape).astype(dtype) for i, shape in enumerate(shapes)]
    return [torch.tensor(a, requires_grad=True) for a in arrays], [
        minicnn.tensor(a, requires_grad=True) for a in arrays
    ]


def assert_close(ours, theirs, scale=1.0):
    theirs = theirs.detach().numpy()
    assert tuple(ours.shape) == theirs.shape
    assert str(ours.dtype) == f"torch.{theirs.dtype}"
    eps = np.finfo(theirs.dtype).eps
    np.testing.assert_allclose(ours.detach().numpy(), theirs, rtol=0, atol=64 * eps * scale)


@settings(max_examples=examples(25))
@given(st.data())
def test_attention(data):
    batch = data.draw(st.sampled_from([(), (2,), (2, 3), (0, 2)]))
    L, S, E, V = (data.draw(SIZES) for _ in range(4))
    dtype = data.draw(st.sampled_from(["float32", "float64"]))
    theirs, ours = pairs((*batch, L, E), (*batch, S, E), (*batch, S, V), seed=L, dtype=dtype)
    kind = data.draw(st.sampled_from([None, "bool", "added", "causal"]))
    scale = data.draw(st.sampled_from([None, 0.3, 1.0]))
    rng = np.random.default_rng(S)
    mask = {"bool": rng.random((L, S)) < 0.6, "added": rng.standard_normal((L, S)).astype(dtype)}.get(kind)
    results = []
    for library, (q, k, v) in ((torch, theirs), (minicnn, ours)):
        attend = library.nn.functional.scaled_dot_product_attention
        own_mask = None if mask is None else library.tensor(mask)
        y = attend(q, k, v, own_mask, is_causal=kind == "causal", scale=scale)
        (y * library.tensor(np.random.default_rng(5).standard_normal(y.shape).astype(dtype))).sum().backward()
        results.append((y, q.grad, k.grad, v.grad))
    for own, their in zip(results[1], results[0], strict=True):
        assert_close(own, their, scale=S * (1 + V + E))


def test_attention_nowhere_is_zero():
    for mask in (np.zeros((2, 3), bool), np.full((2, 3), -np.inf)):
        theirs, ours = pairs((2, 4), (3, 4), (3, 5))
        results = []
        for library, tensors in ((torch, theirs), (minicnn, ours)):
            y = library.nn.functional.scaled_dot_product_attention(*tensors, library.tensor(mask))
            y.sum().backward()
            results.append([y, *(tensor.grad for tensor in tensors)])
        for own, their in zip(results[1], results[0], strict=True):
            assert_close(own, their)


def test_attention_of_grouped_heads():
    theirs, ours = pairs((2, 6, 4, 8), (2, 3, 5, 8), (2, 3, 5, 7))
    y, expected = (
        library.nn.functional.scaled_dot_product_attention(*tensors, enable_gqa=True)
        for library, tensors in ((minicnn, ours), (torch, theirs))
    )
    assert_close(y, expected, 8)


@pytest.mark.parametrize(
    "change",
    [
        lambda library, q, k, v: (q[0, 0], k, v),
        lambda library, q, k, v: (q.long(), k.long(), v.long()),
        lambda library, q, k, v: (q, k.float(), v),
        lambda library, q, k, v: (q, k[..., :3], v),
        lambda library, q, k, v: (q, k, v, library.ones(4, 5, dtype=library.bool), 0.0, True),
        lambda library, q, k, v: (q, k, v, library.ones(4, 5, dtype=library.int64)),
        lambda library, q, k, v: (q, k, v, None, 1.5),
    ],
)
def test_attention_refuses(change):
    theirs, ours = pairs((1, 4, 8), (1, 5, 8), (1, 5, 6))
    for library, tensors in ((torch, theirs), (minicnn, ours)):
        with pytest.raises((RuntimeError, ValueError)):
            library.nn.functional.scaled_dot_product_attention(*change(library, *tensors))


@settings(max_examples=examples(40))
@given(
    st.lists(st.integers(0, 9), min_size=2, max_size=2) | st.integers(1, 4).map(lambda n: [n, n, n]),
    st.booleans(),
    st.sampled_from(["float32", "float64", "int64", "bool"]),
    st.sampled_from([2, 1.5, -0.0]),
)
def test_fill_diagonal(shape, wrap, dtype, value):
    x = np.random.default_rng(1).integers(0, 5, shape).astype(dtype)
    ours, theirs = minicnn.tensor(x), torch.tensor(x)
    assert ours.fill_diagonal_(value, wrap) is ours
    np.testing.assert_array_equal(ours.numpy(), theirs.fill_diagonal_(value, wrap).numpy())


def test_fill_diagonal_gradient_and_errors():
    theirs, ours = pairs((3, 3))
    for (x,) in (theirs, ours):
        (x * 2).fill_diagonal_(7).sum().backward()
    np.testing.assert_array_equal(ours[0].grad.numpy(), theirs[0].grad.numpy())
    for shape in ((3,), (3, 2, 3)):
        for library in (torch, minicnn):
            with pytest.raises(RuntimeError):
                library.zeros(shape).fill_diagonal_(1)


FUNCTIONS = {
    "sum": lambda library, a, b: (a * b).sum(),
    "product": lambda library, a, b: a @ b.t(),
    "several": lambda library, a, b: (a.exp().sum(1), b * 2),
    "unrelated": lambda library, a, b: library.ones(2, dtype=library.float64),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_jacobian(name):
    theirs, ours = pairs((2, 3), (2, 3))
    expected, found = (
        jacobian(lambda a, b, library=library: FUNCTIONS[name](library, a, b), tuple(tensors))
        for library, jacobian, tensors in (
            (torch, torch.autograd.functional.jacobian, theirs),
            (minicnn, functional.jacobian, ours),
        )
    )
    flat = lambda value: [leaf for part in value for leaf in flat(part)] if isinstance(value, tuple) else [value]  # noqa: E731
    assert len(flat(found)) == len(flat(expected))
    for own, their in zip(flat(found), flat(expected), strict=True):
        assert_close(own, their, 16)


def test_vjp():
    theirs, ours = pairs((2, 3), (2, 3))
    v = np.random.default_rng(3).standard_normal((2, 2))
    (y, gradients), (expected, theirs_gradients) = (
        module.vjp(lambda a, b: a @ b.t(), tuple(tensors), library.tensor(v))
        for library, module, tensors in ((minicnn, functional, ours), (torch, torch.autograd.functional, theirs))
    )
    assert_close(y, expected, 8)
    for own, their in zip(gradients, theirs_gradients, strict=True):
        assert_close(own, their, 8)
    x = minicnn.arange(3.0)
    assert functional.vjp(lambda a: a.sum(), x)[1].tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda f, library, x: f.jacobian(lambda a: a, [x]), TypeError),
        (lambda f, library, x: f.jacobian(lambda a: 1.0, x), TypeError),
        (lambda f, library, x: f.jacobian(lambda a: library.ones(2), x, strict=True), RuntimeError),
        (lambda f, library, x: f.vjp(lambda a: a, x), RuntimeError),
        (lambda f, library, x: f.vjp(lambda a: a, x, library.ones(2)), RuntimeError),
        (lambda f, library, x: f.jacobian(lambda a: a, x.long()), RuntimeError),
    ],
)
def test_derivatives_refuse(call, error):
    for f, library in ((functional, minicnn), (torch.autograd.functional, torch)):
        with pytest.raises(error):
            call(f, library, library.arange(3.0))


def test_derivatives_refuse_vectorize():
    with pytest.raises(NotImplementedError):
        functional.jacobian(lambda a: a, minicnn.ones(2), vectorize=True)


def test_bfloat16_is_a_name():
    ours, theirs = minicnn.bfloat16, torch.bfloat16
    assert repr(ours) == repr(theirs)
    assert ours.itemsize == theirs.itemsize
    assert ours.is_floating_point
    assert isinstance(ours, minicnn.dtype)
    assert ours == minicnn.bfloat16
    assert ours != minicnn.float16
    assert minicnn.float16 != ours
    assert minicnn.ones(1).dtype not in (ours, minicnn.float16)
    assert {ours: 1, minicnn.float16: 2}[minicnn.bfloat16] == 1
    assert copy.deepcopy(ours) is ours
    assert pickle.loads(pickle.dumps(ours)) is ours
    for call in (
        lambda: minicnn.zeros(2, dtype=ours),
        lambda: minicnn.ones(2).to(ours),
        lambda: minicnn.nn.Linear(2, 2).to(ours),
        lambda: minicnn.tensor([1.0], dtype=ours),
    ):
        with pytest.raises(TypeError, match=r"torch\.bfloat16"):
            call()


def test_weights_by_address(tmp_path, monkeypatch):
    torch.save({"weight": torch.ones(2)}, tmp_path / "net-1.pth")
    with modules.serving():
        from torch.hub import get_dir, load_state_dict_from_url, set_dir
        from torch.utils import model_zoo

        assert model_zoo.load_url is load_state_dict_from_url
        url = "https://example.org/models/net-1.pth"
        assert load_state_dict_from_url(url, model_dir=tmp_path)["weight"].tolist() == [1, 1]
        monkeypatch.setenv("TORCH_HOME", str(tmp_path))
        assert get_dir() == str(tmp_path / "hub")
        try:
            set_dir(tmp_path / "elsewhere")
            with pytest.raises(RuntimeError, match=r"downloads no weights.*elsewhere"):
                load_state_dict_from_url(url)
        finally:
            from minicnn import hub

            hub._chosen.clear()


def test_paths_of_functions():
    with modules.serving():
        import torch as served
        import torch.linalg as LA
        from torch.special import erf

        assert served.linalg.norm is LA.norm
        assert served.special.erf is erf
        assert float(LA.norm(served.ones(4))) == 2
        assert math.isclose(float(erf(served.ones(1))), math.erf(1), rel_tol=1e-6)
        assert served.compiler.is_compiling() is False

        @served.compiler.disable
        def function():
            return 1

        @served.compiler.disable(recursive=False)
        def other():
            return 2

        assert function() + other() == 3


@pytest.mark.parametrize("mode", ["zeros", "reflect", "circular"])
@pytest.mark.parametrize("name", ["Conv1d", "Conv2d"])
def test_convolution_with_weights_of_a_subclass(name, mode):
    shape = (2, 3, 6, 7)[: 2 + int(name[4])]
    (x, weight), (own_x, own_weight) = pairs(shape, (4, 3, *[3] * int(name[4])))
    results = []
    for library, image, kernel in ((torch, x, weight), (minicnn, own_x, own_weight)):
        layer = type(
            "Halved",
            (getattr(library.nn, name),),
            {"forward": lambda self, image, kernel=kernel: self._conv_forward(image, kernel / 2, None)},
        )(3, 4, 3, stride=2, padding=1, padding_mode=mode, dtype=library.float64)
        y = layer(image)
        y.sum().backward()
        results.append((y, image.grad, kernel.grad))
    for own, their in zip(results[1], results[0], strict=True):
        assert_close(own, their, 64)


def test_hooks_are_kept_as_they_are():
    for library in (torch, minicnn):
        layer = library.nn.Linear(3, 2)

        def before(module, args):
            return None

        def after(module, args, output):
            return None

        layer.register_forward_pre_hook(before)
        layer.register_forward_hook(after)
        prune = importlib.import_module(f"{library.__name__}.nn.utils.prune")
        prune.l1_unstructured(layer, "weight", 1)
        prune.random_unstructured(layer, "weight", 1)
        assert [*layer._forward_hooks.values()] == [after]
        first, hook = layer._forward_pre_hooks.values()
        assert first is before
        assert hook._tensor_name == "weight"
        assert [type(method).__name__ for method in hook] == ["L1Unstructured", "RandomUnstructured"]
