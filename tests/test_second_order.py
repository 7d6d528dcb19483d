"""Gradients of gradients: of every operation that has them against PyTorch's, and by central differences."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as torch_functional

import minicnn
import minicnn.nn.functional as functional
from minicnn.autograd import gradgradcheck

POSITIVE = "positive"


def index(T: Any, *values: Any) -> Any:
    return T.tensor(list(values))


def written(T: Any, a: Any, b: Any) -> Any:
    c = a * 2
    c[:, 1] = b * b
    c[0].mul_(3)
    return c**2


def in_place(T: Any, a: Any) -> Any:
    c = a * 1
    c.relu_()
    c = c * 2
    c.add_(a).sigmoid_()
    return c * c


def conv(**options: Any) -> Callable:
    return lambda T, F, x, w, b: F.conv2d(x, w, b, **options)


def elementwise(name: str, **options: Any) -> Callable:
    return lambda T, F, x: getattr(F, name)(x, **options) ** 2


def of_unit(name: str) -> Callable:
    return lambda T, F, x: getattr(T, name)(x.sigmoid())


def cross_entropy(targets: list, **options: Any) -> Callable:
    return lambda T, F, x: F.cross_entropy(x, T.tensor(targets), **options)


ACTIVATIONS = [
    "relu",
    "leaky_relu",
    "elu",
    "selu",
    "celu",
    "gelu",
    "silu",
    "mish",
    "softplus",
    "softsign",
    "tanhshrink",
    "hardswish",
    "hardsigmoid",
    "hardtanh",
    "logsigmoid",
    "softshrink",
    "hardshrink",
    "sigmoid",
    "tanh",
    "relu6",
]
FUNCTIONS = [
    "erf",
    "erfc",
    "exp",
    "exp2",
    "expm1",
    "log",
    "log2",
    "log10",
    "log1p",
    "sqrt",
    "rsqrt",
    "sin",
    "cos",
    "tan",
    "asin",
    "acos",
    "atan",
    "sinh",
    "cosh",
    "asinh",
    "sinc",
    "lgamma",
    "digamma",
    "reciprocal",
    "square",
    "abs",
    "frac",
    "logit",
    "neg",
    "deg2rad",
    "erfinv",
]

CASES: dict[str, tuple[Callable, tuple]] = {
    "conv2d": (conv(stride=2, padding=1), ((2, 4, 5, 6), (6, 4, 3, 3), (6,))),
    "conv2d groups": (conv(groups=2, dilation=2), ((2, 4, 6, 6), (6, 2, 3, 3), (6,))),
    "conv2d depthwise": (conv(groups=4, padding=1), ((2, 4, 6, 6), (4, 1, 3, 3), (4,))),
    "conv2d same": (conv(padding="same"), ((2, 4, 6, 6), (6, 4, 2, 2), (6,))),
    "conv2d 1x1": (conv(), ((2, 4, 3, 3), (6, 4, 1, 1), (6,))),
    "conv2d unbatched": (conv(), ((4, 3, 3), (6, 4, 2, 2), (6,))),
    "conv1d": (lambda T, F, x, w, b: F.conv1d(x, w, b, stride=2), ((2, 4, 7), (3, 4, 3), (3,))),
    "conv_transpose2d": (
        lambda T, F, x, w, b: F.conv_transpose2d(x, w, b, stride=2, output_padding=1),
        ((2, 4, 3, 3), (4, 3, 3, 3), (3,)),
    ),
    "linear": (lambda T, F, x, w, b: F.linear(x, w, b), ((3, 4), (5, 4), (5,))),
    "linear of a vector": (lambda T, F, x, w, b: F.linear(x, w, b), ((4,), (5, 4), (5,))),
    "linear in three dimensions": (lambda T, F, x, w: F.linear(x, w), ((2, 3, 4), (5, 4))),
    "bilinear": (lambda T, F, a, b, w: F.bilinear(a, b, w), ((3, 2), (3, 4), (5, 2, 4))),
    "embedding": (lambda T, F, w: F.embedding(index(T, [0, 1], [2, 1]), w, padding_idx=0) ** 2, ((3, 4),)),
    "max_pool2d": (lambda T, F, x: F.max_pool2d(x, 2) ** 2, ((2, 5, 6, 6),)),
    "max_pool2d overlapping": (lambda T, F, x: F.max_pool2d(x, 3, 2, 1) ** 2, ((2, 3, 6, 6),)),
    "avg_pool2d": (lambda T, F, x: F.avg_pool2d(x, 3, 2, 1) ** 2, ((2, 3, 6, 6),)),
    "adaptive_max_pool2d": (lambda T, F, x: F.adaptive_max_pool2d(x, 3) ** 2, ((2, 3, 7, 7),)),
    "adaptive_avg_pool2d": (lambda T, F, x: F.adaptive_avg_pool2d(x, 3) ** 2, ((2, 3, 7, 7),)),
    "lp_pool2d": (lambda T, F, x: F.lp_pool2d(x, 2, 2), ((2, 3, 4, 4),)),
    "batch_norm": (lambda T, F, x, w, b: F.batch_norm(x, None, None, w, b, True), ((4, 3, 2, 2), (3,), (3,))),
    "batch_norm without weight": (lambda T, F, x: F.batch_norm(x, None, None, training=True), ((4, 3),)),
    "batch_norm in evaluation": (
        lambda T, F, x, w, b: F.batch_norm(x, T.ones(3).double(), T.full((3,), 2.0).double(), w, b) ** 2,
        ((4, 3, 2, 2), (3,), (3,)),
    ),
    "layer_norm": (lambda T, F, x, w, b: F.layer_norm(x, (4,), w, b), ((3, 4), (4,), (4,))),
    "layer_norm without weight": (lambda T, F, x: F.layer_norm(x, (2, 4)), ((3, 2, 4),)),
    "rms_norm": (lambda T, F, x, w: F.rms_norm(x, (4,), w), ((3, 4), (4,))),
    "group_norm": (lambda T, F, x, w, b: F.group_norm(x, 2, w, b), ((3, 4, 2, 2), (4,), (4,))),
    "instance_norm": (lambda T, F, x: F.instance_norm(x), ((3, 4, 2, 3),)),
    "local_response_norm": (lambda T, F, x: F.local_response_norm(x, 3), ((2, 5, 2, 2),)),
    "softmax": (lambda T, F, x: F.softmax(x, 1), ((3, 5),)),
    "log_softmax": (lambda T, F, x: F.log_softmax(x, 1), ((3, 5),)),
    "cross_entropy": (cross_entropy([1, 4, -100]), ((3, 5),)),
    "cross_entropy, none": (cross_entropy([1, 4, 0], reduction="none"), ((3, 5),)),
    "cross_entropy, smoothed": (cross_entropy([1, 4, -100], label_smoothing=0.2), ((3, 5),)),
    "cross_entropy of images": (
        cross_entropy([[[1, 4], [0, 2]]], label_smoothing=0.2, reduction="sum"),
        ((1, 5, 2, 2),),
    ),
    "cross_entropy, weighted": (
        lambda T, F, x: F.cross_entropy(
            x, T.tensor([1, 4, 0]), weight=T.tensor([1.0, 2, 0, 3, 4]).double(), label_smoothing=0.1
        ),
        ((3, 5),),
    ),
    "cross_entropy of probabilities": (lambda T, F, x, t: F.cross_entropy(x, t.softmax(1)), ((3, 5), (3, 5))),
    "nll_loss": (lambda T, F, x: F.nll_loss(F.log_softmax(x, 1), T.tensor([1, 4, 0])), ((3, 5),)),
    "kl_div": (lambda T, F, x, t: F.kl_div(x.log_softmax(1), t.softmax(1), reduction="sum"), ((3, 5), (3, 5))),
    "mse_loss": (lambda T, F, x, t: F.mse_loss(x, t), ((3, 4), (3, 4))),
    "l1_loss": (lambda T, F, x, t: F.l1_loss(x, t) ** 2, ((3, 4), (3, 4))),
    "smooth_l1_loss": (lambda T, F, x, t: F.smooth_l1_loss(x, t), ((3, 4), (3, 4))),
    "huber_loss": (lambda T, F, x, t: F.huber_loss(x, t, delta=0.7), ((3, 4), (3, 4))),
    "binary_cross_entropy": (
        lambda T, F, x: F.binary_cross_entropy(x.sigmoid(), T.full((3, 4), 0.3).double()),
        ((3, 4),),
    ),
    "binary_cross_entropy_with_logits": (
        lambda T, F, x, t: F.binary_cross_entropy_with_logits(x, t.sigmoid()),
        ((3, 4), (3, 4)),
    ),
    "cosine_similarity": (lambda T, F, a, b: F.cosine_similarity(a, b), ((3, 4), (3, 4))),
    "pairwise_distance": (lambda T, F, a, b: F.pairwise_distance(a, b), ((3, 4), (3, 4))),
    "norm": (lambda T, F, x: x.norm(2, dim=1), ((3, 4),)),
    "norm of all": (lambda T, F, x: x.norm(), ((3, 4),)),
    "norm of order 3": (lambda T, F, x: x.norm(3, dim=1, keepdim=True), ((3, 4),)),
    "norm of order 1": (lambda T, F, x: x.norm(1, dim=1) ** 2, ((3, 4),)),
    "norm of order inf": (lambda T, F, x: x.norm(float("inf"), dim=1) ** 2, ((3, 4),)),
    "std": (lambda T, F, x: x.std(1), ((3, 4),)),
    "var": (lambda T, F, x: x.var(), ((3, 4),)),
    "mean": (lambda T, F, x: x.mean(1) ** 3, ((3, 4),)),
    "logsumexp": (lambda T, F, x: x.logsumexp(1), ((3, 4),)),
    "prod": (lambda T, F, x: x.prod(1), ((3, 4),)),
    "cumprod": (lambda T, F, x: x.cumprod(1), ((3, 4),)),
    "cumsum": (lambda T, F, x: x.cumsum(1) ** 2, ((3, 4),)),
    "matmul": (lambda T, F, a, b: a @ b, ((3, 4), (4, 2))),
    "matrix times vector": (lambda T, F, a, b: a @ b, ((3, 4), (4,))),
    "vector times matrices": (lambda T, F, a, b: a @ b, ((4,), (2, 4, 3))),
    "dot": (lambda T, F, a, b: a @ b, ((4,), (4,))),
    "matmul of many": (lambda T, F, a, b: a @ b, ((2, 3, 4), (1, 4, 2))),
    "einsum": (lambda T, F, a, b: T.einsum("ij,jk->ik", a, b), ((3, 4), (4, 2))),
    "addmm": (lambda T, F, a, b, c: T.addmm(a, b, c) ** 2, ((2,), (3, 4), (4, 2))),
    "addcmul": (lambda T, F, a, b, c: T.addcmul(a, b, c, value=0.5) ** 2, ((3, 4), (3, 4), (3, 4))),
    "addcdiv": (lambda T, F, a, b, c: T.addcdiv(a, b, c, value=0.5), ((3, 4), (3, 4), (3, 4))),
    "inverse": (lambda T, F, a: a.inverse(), ((3, 3),)),
    "det": (lambda T, F, a: a.det(), ((3, 3),)),
    "slogdet": (lambda T, F, a: T.linalg.slogdet(a)[1], ((3, 3),)),
    "solve": (lambda T, F, a, b: T.linalg.solve(a, b), ((3, 3), (3, 2))),
    "cross": (lambda T, F, a, b: T.cross(a, b, dim=1), ((2, 3), (2, 3))),
    "cat": (lambda T, F, a, b: T.cat([a, b], 1) ** 2, ((3, 2), (3, 3))),
    "stack": (lambda T, F, a, b: T.stack([a, b], 1) ** 2, ((3, 2), (3, 2))),
    "split": (lambda T, F, a: sum(part.prod() for part in a.split(2, 1)), ((2, 4),)),
    "unbind": (lambda T, F, a: a.unbind(1)[0] * a.unbind(1)[2], ((2, 3),)),
    "index": (lambda T, F, a: a[index(T, 0, 0, 2)] ** 2, ((3, 2),)),
    "slice": (lambda T, F, a: a[1:, ::2] ** 2, ((3, 4),)),
    "mask": (lambda T, F, a: a[a.detach() > 0] ** 2, ((3, 4),)),
    "gather": (lambda T, F, a: a.gather(1, index(T, [0, 0], [1, 2], [2, 2])) ** 2, ((3, 4),)),
    "index_select": (lambda T, F, a: a.index_select(1, index(T, 0, 0, 2)) ** 2, ((3, 4),)),
    "scatter": (lambda T, F, a, b: a.scatter(1, index(T, [0, 1], [2, 3], [1, 0]), b) ** 2, ((3, 4), (3, 2))),
    "scatter_add": (lambda T, F, a, b: a.scatter_add(1, index(T, [0, 1], [2, 2], [1, 0]), b) ** 2, ((3, 4), (3, 2))),
    "index_add": (lambda T, F, a, b: a.index_add(1, index(T, 0, 0), b) ** 2, ((3, 4), (3, 2))),
    "masked_fill": (lambda T, F, a: a.masked_fill(a.detach() > 0, 2.0) ** 2, ((3, 4),)),
    "where": (lambda T, F, a, b: T.where(a > 0, a * b, b * b), ((3, 4), (3, 4))),
    "take": (lambda T, F, a: T.take(a, index(T, 0, 5, 5)) ** 2, ((3, 4),)),
    "pad": (lambda T, F, a: F.pad(a, (1, 2, -1, 1)) ** 2, ((1, 2, 3, 4),)),
    "pad by reflection": (lambda T, F, a: F.pad(a, (1, 2, 1, 1), mode="reflect") ** 2, ((1, 2, 3, 4),)),
    "pad by replication": (lambda T, F, a: F.pad(a, (1, 2, 1, 1), mode="replicate") ** 2, ((1, 2, 3, 4),)),
    "pad in circles": (lambda T, F, a: F.pad(a, (1, 2, 1, 1), mode="circular") ** 2, ((1, 2, 3, 4),)),
    "unfold": (lambda T, F, a: F.unfold(a, 2) ** 2, ((1, 2, 3, 4),)),
    "fold": (lambda T, F, a: F.fold(a, (4, 4), 2) ** 2, ((1, 8, 9),)),
    "windows": (lambda T, F, a: a.unfold(1, 3, 2) ** 2, ((2, 7),)),
    "pixel_shuffle": (lambda T, F, a: F.pixel_shuffle(a, 2) ** 2, ((1, 8, 3, 3),)),
    "interpolate": (lambda T, F, a: F.interpolate(a, scale_factor=2, mode="bilinear") ** 2, ((1, 2, 3, 3),)),
    "interpolate to the nearest": (lambda T, F, a: F.interpolate(a, scale_factor=2) ** 2, ((1, 2, 3, 3),)),
    "writes": (lambda T, F, a, b: written(T, a, b), ((3, 4), (3,))),
    "in place": (lambda T, F, a: in_place(T, a), ((3, 4),)),
    "max": (lambda T, F, a: a.max(1)[0] ** 2, ((3, 4),)),
    "max of all": (lambda T, F, a: a.max() ** 2, ((3, 4),)),
    "amax": (lambda T, F, a: a.amax((0, 1)) ** 2, ((3, 4),)),
    "median": (lambda T, F, a: a.median(1)[0] ** 2, ((3, 5),)),
    "sort": (lambda T, F, a: a.sort(1)[0] ** 2, ((3, 4),)),
    "topk": (lambda T, F, a: a.topk(2)[0] ** 2, ((3, 4),)),
    "expand": (lambda T, F, a: a[:, None].expand(3, 5, 4) ** 2, ((3, 4),)),
    "repeat": (lambda T, F, a: a.repeat(2, 1, 2) ** 2, ((3, 4),)),
    "repeat_interleave": (lambda T, F, a: a.repeat_interleave(2, 1) ** 2, ((3, 4),)),
    "permute": (lambda T, F, a: a.permute(2, 0, 1).reshape(4, 6) ** 2, ((2, 3, 4),)),
    "flip": (lambda T, F, a: a.flip(1) ** 2 * a, ((3, 4),)),
    "roll": (lambda T, F, a: a.roll(1, 1) ** 2 * a, ((3, 4),)),
    "diagonal": (lambda T, F, a: a.diagonal() ** 2, ((3, 4),)),
    "diag_embed": (lambda T, F, a: T.diag_embed(a) ** 2, ((3, 4),)),
    "tril": (lambda T, F, a: a.tril() ** 2, ((3, 4),)),
    "block_diag": (lambda T, F, a, b: T.block_diag(a, b) ** 2, ((2, 2), (1, 3))),
    "atan2": (lambda T, F, a, b: T.atan2(a, b), ((3, 4), (3, 4))),
    "hypot": (lambda T, F, a, b: T.hypot(a, b), ((3, 4), (3, 4))),
    "pow": (lambda T, F, a, b: a.abs() ** b, ((3, 4), (3, 4))),
    "pow of a number": (lambda T, F, a: 2**a + a**3 + a**-1, ((3, 4),)),
    "div": (lambda T, F, a, b: a / b, ((3, 4), (4,))),
    "remainder": (lambda T, F, a, b: T.remainder(a, b) ** 2, ((3, 4), (4,))),
    "maximum": (lambda T, F, a, b: T.maximum(a, b) ** 2, ((3, 4), (3, 4))),
    "clamp": (lambda T, F, a: a.clamp(-0.5, 0.5) ** 2, ((3, 4),)),
    "clamp by tensors": (lambda T, F, a, b: a.clamp(b - 0.5, b + 0.5) ** 2, ((3, 4), (3, 4))),
    "lerp": (lambda T, F, a, b, w: T.lerp(a, b, w), ((3, 4), (3, 4), (3, 4))),
    "logaddexp": (lambda T, F, a, b: T.logaddexp(a, b), ((3, 4), (3, 4))),
    "xlogy": (lambda T, F, a, b: T.xlogy(a, b.abs()), ((3, 4), (3, 4))),
    "copysign": (lambda T, F, a, b: T.copysign(a, b) ** 2, ((3, 4), (3, 4))),
    "ldexp": (lambda T, F, a, b: T.ldexp(a, b), ((3, 4), (3, 4))),
    "prelu": (lambda T, F, a, w: F.prelu(a, w) ** 2, ((3, 4), (1,))),
    "glu": (lambda T, F, a: F.glu(a), ((3, 4),)),
    "attention": (lambda T, F, q, k, v: F.scaled_dot_product_attention(q, k, v), ((1, 3, 4), (1, 3, 4), (1, 3, 4))),
    "nansum": (lambda T, F, a: a.nansum(1) ** 2, ((3, 4),)),
    "gelu by tanh": (lambda T, F, a: F.gelu(a, approximate="tanh"), ((3, 4),)),
    **{name: (elementwise(name), ((3, 4),)) for name in ACTIVATIONS},
    **{name: (of_unit(name), ((3, 4),)) for name in FUNCTIONS},
}


THIRD_IS_NOT_TORCHS = (
    "conv_transpose2d",
    "batch_norm",
    "batch_norm without weight",
    "instance_norm",
    "layer_norm",
    "layer_norm without weight",
)
SECOND_IS_NOT_TORCHS = ("attention", "hardsigmoid")


def gradients(T: Any, F: Any, function: Callable, arrays: list, order: int) -> list:
    """Gradients by the arguments; then, again and again, those of the sum of their squares, by the arguments and by the
    gradient that the first walk began with."""
    tensors = [T.tensor(array.copy(), requires_grad=True) for array in arrays]
    y = function(T, F, *tensors)
    start = T.tensor(np.linspace(0.5, 1.5, y.numel()).reshape(tuple(y.shape)), requires_grad=True)
    found = T.autograd.grad(y, tensors, start, create_graph=True, allow_unused=True)
    results = [*found]
    for _ in range(order - 1):
        total = sum((g * g).sum() for g in found if g is not None and g.requires_grad)
        if not isinstance(total, T.Tensor):
            break
        found = T.autograd.grad(total, [*tensors, start], create_graph=True, allow_unused=True)
        results += found
    return [None if g is None else g.detach().numpy() for g in results]


@pytest.mark.parametrize("name", CASES)
def test_gradients_of_gradients_are_those_of_torch(name: str) -> None:
    function, shapes = CASES[name]
    numbers = np.random.default_rng(len(name))
    arrays = [numbers.standard_normal(shape) for shape in shapes]
    order = 1 if name in SECOND_IS_NOT_TORCHS else 2 if name in THIRD_IS_NOT_TORCHS else 3
    expected = gradients(torch, torch_functional, function, arrays, order)
    found = gradients(minicnn, functional, function, arrays, order)
    for mine, theirs in itertools.zip_longest(found, expected):
        mine, theirs = (0 if one is None else one for one in (mine, theirs))
        np.testing.assert_allclose(mine, theirs, rtol=1e-7, atol=1e-9 * max(1, np.abs(theirs).max(initial=0)))


SMOOTH = ["conv2d", "linear", "softmax", "cross_entropy", "matmul", "silu", "norm"]


@pytest.mark.parametrize("name", [*SMOOTH, *THIRD_IS_NOT_TORCHS, *SECOND_IS_NOT_TORCHS])
def test_gradgradcheck(name: str) -> None:
    function, shapes = CASES[name]
    numbers = np.random.default_rng(len(name))
    tensors = [minicnn.tensor(numbers.standard_normal(shape), requires_grad=True) for shape in shapes]
    assert gradgradcheck(lambda *arguments: function(minicnn, functional, *arguments), tensors)


# The walk itself

BOTH = pytest.mark.parametrize("T", [minicnn, torch])


def same(program: Callable) -> None:
    """The program gives the same numbers on both libraries."""
    mine, theirs = program(minicnn), program(torch)
    assert np.allclose(mine, theirs, rtol=1e-6, atol=1e-7), (mine, theirs)


@pytest.mark.filterwarnings("ignore:.*create_graph=True:UserWarning")
def test_backward_leaves_gradients_with_a_graph() -> None:
    def program(T: Any) -> list:
        x = T.tensor([1.0, 2.0, -1.5], requires_grad=True)
        h = x * x
        h.retain_grad()
        (h * x).sum().backward(create_graph=True)
        (x.grad * h.grad).sum().backward()
        return [*x.grad.tolist(), *h.grad.tolist()]

    same(program)
    x = minicnn.ones(2, requires_grad=True)
    with pytest.warns(UserWarning, match="create_graph=True"):
        (x * x).sum().backward(create_graph=True)
    assert x.grad.requires_grad


@pytest.mark.filterwarnings("ignore:.*create_graph=True:UserWarning")
def test_named_inputs_alone_get_gradients() -> None:
    def program(T: Any) -> list:
        x, w = (T.tensor([1.0, 2.0], requires_grad=True) * 1.0 for _ in range(2))
        x, w = x.detach().requires_grad_(), w.detach().requires_grad_()
        (x * x * w).sum().backward(create_graph=True, inputs=[x])
        assert w.grad is None
        x.grad.sum().backward()
        return [*x.grad.tolist(), *w.grad.tolist()]

    same(program)


def test_hooks_see_tensors_with_graphs() -> None:
    def program(T: Any) -> list:
        seen = []
        x = T.tensor([1.0, 2.0], requires_grad=True)
        x.register_hook(lambda g: seen.append(g.requires_grad) or g * 2)
        h = x * x
        h.register_hook(lambda g: seen.append(g.requires_grad) or g * x)
        y = (h * h).sum()
        y.grad_fn.next_functions[0][0].register_hook(lambda into, out: tuple(g * 3 for g in into))
        (first,) = T.autograd.grad(y, x, create_graph=True)
        (second,) = T.autograd.grad(first.sum(), x)
        return [*map(float, seen), *first.tolist(), *second.tolist()]

    same(program)


def test_a_function_of_ones_own_has_second_gradients() -> None:
    def program(T: Any) -> list:
        class Cube(T.autograd.Function):
            @staticmethod
            def forward(ctx: Any, x: Any) -> Any:
                y = x**3
                ctx.save_for_backward(x, y)
                return y

            @staticmethod
            def backward(ctx: Any, g: Any) -> Any:
                x, y = ctx.saved_tensors
                return g * 3 * y / x

        x = T.tensor([1.0, -2.0], requires_grad=True)
        (first,) = T.autograd.grad(Cube.apply(x * 2).sum(), x, create_graph=True)
        (second,) = T.autograd.grad((first * first).sum(), x)
        return [*first.tolist(), *second.tolist()]

    same(program)


@BOTH
def test_once_differentiable_is_once_differentiable(T: Any) -> None:
    class Square(T.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        @T.autograd.function.once_differentiable
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            return g * 2 * x

    x = T.tensor([1.0, -2.0], requires_grad=True)
    (first,) = T.autograd.grad(Square.apply(x).sum(), x, create_graph=True)
    assert first.tolist() == [2, -4]
    assert not first.requires_grad
    start = T.ones(2, requires_grad=True)
    (first,) = T.autograd.grad(Square.apply(x), x, start, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        first.sum().backward()


@BOTH
def test_the_graph_is_kept_unless_it_is_not_to_be(T: Any) -> None:
    x = T.tensor([1.0, -2.0], requires_grad=True)
    y = (x.exp() * x).sum()
    T.autograd.grad(y, x, create_graph=True)
    T.autograd.grad(y, x, create_graph=True, retain_graph=False)
    with pytest.raises(RuntimeError, match="second time"):
        T.autograd.grad(y, x)


@BOTH
def test_what_changed_since_is_noticed(T: Any) -> None:
    x = T.tensor([1.0, -2.0], requires_grad=True)
    h = x * 2
    (first,) = T.autograd.grad((h * h).sum(), x, create_graph=True)
    with T.no_grad():
        h.mul_(3)
    T.autograd.grad(first.sum(), x, retain_graph=True)  # linear in h: its values are not read
    (first,) = T.autograd.grad((x.sin() * x).sum(), x, create_graph=True)
    with T.no_grad():
        x.mul_(3)
    with pytest.raises(RuntimeError, match="modified by an in"):
        T.autograd.grad(first.sum(), x)


def test_a_checkpointed_part_has_second_gradients() -> None:
    def program(T: Any) -> list:
        weight = T.tensor([[0.5, -1.0], [0.2, 0.3]], dtype=T.float64, requires_grad=True)
        x = T.tensor([[1.0, -0.7]], dtype=T.float64, requires_grad=True)
        part = T.utils.checkpoint.checkpoint(lambda h: (h @ weight).tanh(), x * x, use_reentrant=False)
        (first,) = T.autograd.grad((part**2).sum(), x, create_graph=True)
        return [*first[0].tolist(), *T.autograd.grad((first**2).sum(), weight)[0].flatten().tolist()]

    same(program)


def test_an_operation_without_one_says_so() -> None:
    x = minicnn.eye(3).double().requires_grad_()
    with pytest.raises(RuntimeError, match=r"gradient of the gradient of CholeskyBackward0 is not there"):
        minicnn.autograd.grad(minicnn.linalg.cholesky(x).sum(), x, create_graph=True)


def test_gradients_given_may_have_graphs() -> None:
    def program(T: Any) -> list:
        x = T.tensor([1.0, -2.0], requires_grad=True)
        v = T.tensor([0.5, 3.0], requires_grad=True)
        (first,) = T.autograd.grad(x**3, x, v * v, create_graph=True)
        return [*T.autograd.grad(first.sum(), v)[0].tolist()]

    same(program)


CONNECTED = {
    **{
        name: (lambda T, F, x, name=name: getattr(F, name)(x), ((3, 4),))
        for name in ("relu", "leaky_relu", "hardtanh", "softshrink", "hardshrink", "elu")
    },
    "max_pool2d": (lambda T, F, x: F.max_pool2d(x, 2), ((1, 2, 4, 4),)),
    "avg_pool2d": (lambda T, F, x: F.avg_pool2d(x, 2), ((1, 2, 4, 4),)),
    "adaptive_avg_pool2d": (lambda T, F, x: F.adaptive_avg_pool2d(x, 2), ((1, 2, 4, 4),)),
    "pad by reflection": (lambda T, F, x: F.pad(x, (1, 1, 1, 1), mode="reflect"), ((1, 2, 4, 4),)),
    "pad by zeros": (lambda T, F, x: F.pad(x, (1, 1, 1, 1)), ((1, 2, 4, 4),)),
    "nll_loss": (lambda T, F, x: F.nll_loss(x, T.tensor([0, 1, 2])), ((3, 4),)),
    "gather": (lambda T, F, x: x.gather(1, T.tensor([[0], [1], [2]])), ((3, 4),)),
    "linear": (lambda T, F, x, w, b: F.linear(x, w, b), ((3, 4), (2, 4), (2,))),
    "conv2d": (lambda T, F, x, w, b: F.conv2d(x, w, b), ((1, 2, 4, 4), (2, 2, 3, 3), (2,))),
    "dropout": (lambda T, F, x: F.dropout(x, 0.0), ((3, 4),)),
    "maximum": (lambda T, F, a, b: T.maximum(a, b), ((3, 4), (3, 4))),
    "clamp": (lambda T, F, x: x.clamp(-0.5, 0.5), ((3, 4),)),
}


@pytest.mark.parametrize("name", CONNECTED)
def test_what_has_a_second_gradient_of_zero_and_what_has_none(name: str) -> None:
    function, shapes = CONNECTED[name]
    arrays = [np.random.default_rng(0).standard_normal(shape) for shape in shapes]
    expected = gradients(torch, torch_functional, function, arrays, 2)
    found = gradients(minicnn, functional, function, arrays, 2)
    assert [one is None for one in found] == [one is None for one in expected]


@pytest.mark.filterwarnings("ignore:.*create_graph=True:UserWarning")
def test_hooks_where_a_walk_begins_and_ends() -> None:
    def program(T: Any) -> list:
        seen: list = []
        x = T.tensor([1.0, 2.0], requires_grad=True)
        h = x * x
        h.retain_grad()
        h.register_hook(lambda g: seen.append(float(g.sum())))
        T.autograd.grad(h, h, T.ones(2), create_graph=True)
        y = (x * x).sum()
        x.register_post_accumulate_grad_hook(lambda leaf: seen.append(float(leaf.grad.sum())))
        y.backward(create_graph=True, inputs=[x])
        (x * x).sum().backward(create_graph=True)
        return [*seen, *h.grad.tolist()]

    same(program)


@BOTH
@pytest.mark.filterwarnings("ignore:.*Error detected:UserWarning")
def test_anomalies_are_looked_for(T: Any) -> None:
    x = T.tensor([0.0], requires_grad=True)
    y = (x.sqrt() * 0).sum()
    with T.autograd.set_detect_anomaly(True), pytest.raises(RuntimeError, match="returned nan values"):
        T.autograd.grad(y, x, create_graph=True)
