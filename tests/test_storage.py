"""Which tensors share memory, in which order their elements are promised to lie, and what follows: as in PyTorch."""

import copy
import pickle

import numpy as np
import pytest
import torch
from agreement import assert_agrees, examples
from hypothesis import given, settings
from hypothesis import strategies as st

import minicnn
from minicnn.autograd import storage
from minicnn.testing.cases import fill

IMAGE = fill((2, 3, 6, 8), "integers", 1)
KERNEL = fill((4, 3, 3, 3), "integers", 2)

ROOTS = {
    "convolution": "nn.functional.conv2d(x, w)",
    "unbatched convolution": "nn.functional.conv2d(x[0], w)",
    "one image": "nn.functional.conv2d(x[:1], w).squeeze(0)",
    "transposed convolution": "nn.functional.conv_transpose2d(x, w.transpose(0, 1)[:3])",
    "max pool": "nn.functional.max_pool2d(x, 2)",
    "average pool": "nn.functional.avg_pool2d(x, 2)",
    "relu": "nn.functional.relu(nn.functional.conv2d(x, w))",
    "linear": "nn.functional.linear(x, w[:, 0].reshape(-1, 3)[:, :1].expand(-1, 8))",
    "sum": "nn.functional.conv2d(x, w) + 1",
    "image": "x",
    "weight": "w * 2",
    "transposed": "x.transpose(1, 2)",
    "channels last": "x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)",
    "mean": "nn.functional.conv2d(x, w).mean(0)",
    "mask": "(nn.functional.conv2d(x, w) > 0).float()",
    "stack": "m.stack([nn.functional.conv2d(x, w)] * 2)[0]",
}
STEPS = """
.view(-1) .view(2,-1) .view(-1,2) .reshape(-1) .reshape(2,-1) .flatten() .flatten(1) .flatten(-2) [0] [:,1:] [...,::2]
[...,None] [1:] .squeeze() .unsqueeze(0) .unsqueeze(-1) .transpose(0,-1) .transpose(-1,-2) .contiguous() .clone()
.detach() .data .neg() .relu() .abs() *2 +1 .double().float() .sum(0) .sum(-1,keepdim=True)
.expand(2,*[-1]*x.ndim) .permute(*range(x.ndim)[::-1])
"""


def described(x):
    """Values, and the strides of axes along which there is a step."""
    strides = [stride for stride, size in zip(x.stride(), x.shape, strict=True) if size > 1]
    return [x.clone().detach(), strides if 0 not in x.shape else [], x.is_contiguous()]


def chain(root, steps, write):
    """A program that applies `steps` one after another, changes one of the results, and tells of all of them."""

    def program(m, x, w):
        x = eval(root, {"m": m, "nn": m.nn, "x": x, "w": w})
        known = [x]
        for step in steps:
            x = eval(f"x{step}", {"x": x})
            known.append(x)
        before = [described(one) for one in known]
        with m.no_grad():
            eval(f"x{write}", {"x": known[len(known) // 2]})
            after = [one.clone().detach() for one in known]
        known[-1].sum().backward() if known[-1].requires_grad else None
        return before + after

    return program


@pytest.mark.parametrize("root", ROOTS.values(), ids=ROOTS)
@settings(max_examples=examples(30))
@given(
    steps=st.lists(st.sampled_from(STEPS.split()), min_size=1, max_size=6),
    write=st.sampled_from([".zero_()", ".mul_(2)", ".add_(1)", ".fill_(7)", ".abs().neg()"]),
)
def test_order_and_sharing_are_torchs(root, steps, write):
    """The strides are torch's after every step, both refuse a view or neither does, and a write shows where it does."""
    leaves = [minicnn.tensor(IMAGE, requires_grad=True), minicnn.tensor(KERNEL)]
    assert_agrees(chain(root, steps, write), *leaves, rtol=1e-5, what=f"{root} {''.join(steps)} {write}")


def test_every_tensor_on_a_memory_follows_when_it_is_laid_anew():
    h = minicnn.nn.functional.conv2d(IMAGE, KERNEL)
    row, column, swapped, apart = h[0], h[:, 1:3, ::2], h.permute(2, 0, 3, 1), h.detach()
    values = [one.clone() for one in (row, column, swapped, apart)]
    flat = h.view(-1)
    assert all(np.shares_memory(one._array, flat._array) for one in (h, row, column, swapped, apart))
    for one, value in zip((row, column, swapped, apart), values, strict=True):
        assert (one == value).all()
    flat.zero_()
    assert not any(one.any() for one in (h, row, column, swapped, apart))
    swapped.fill_(1)
    assert (flat == 1).all()


def test_a_view_that_memory_allows_leaves_it_as_it_lies():
    h = minicnn.nn.functional.conv2d(IMAGE, KERNEL)
    strides = h._array.strides
    joined = h.view(2, 4, -1)
    h.unsqueeze(0), h.view(2, 4, 1, 4, 6), h.transpose(1, 2)
    assert h._array.strides == strides
    joined.zero_()
    assert not h.any()


def test_memory_is_shared_with_numpy_whatever_is_viewed_later():
    h = minicnn.nn.functional.conv2d(IMAGE, KERNEL)
    array = h.numpy()
    assert array.flags.c_contiguous
    h.view(-1)[:5] = 7
    assert (array.reshape(-1)[:5] == 7).all()
    array[...] = 3
    assert (h.view(2, -1) == 3).all()
    fortran = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    for x in (minicnn.as_tensor(fortran), minicnn.as_tensor(fortran)):
        with pytest.raises(RuntimeError, match="use reshape"):
            x.view(-1)
        assert np.shares_memory(x.t().view(-1).numpy(), fortran)


def test_views_that_are_gone_are_forgotten():
    weight = minicnn.nn.Conv2d(3, 4, 3).weight.detach()
    for _ in range(1000):
        weight[0]
    assert len(weight._layout.storage._members) < 50


@given(
    shape=st.lists(st.integers(1, 4), max_size=5).map(tuple),
    data=st.data(),
)
def test_what_can_be_viewed_is_what_torch_can_view(shape, data):
    """Against torch, for memory in any order, with gaps and repetitions."""
    whole = np.arange(np.prod([2 * size for size in shape], dtype=int)).reshape([2 * size for size in shape])
    order = data.draw(st.permutations(range(len(shape))))
    gaps = tuple(data.draw(st.sampled_from([slice(None, size), slice(None, None, 2)])) for size in shape)
    array = np.ascontiguousarray(whole.transpose(order)).transpose(*map(order.index, range(len(shape))))[gaps]
    if data.draw(st.booleans()):
        array = np.ascontiguousarray(array)
    if data.draw(st.booleans()):
        array = np.broadcast_to(array, (3, *array.shape))
    factors = data.draw(st.permutations([f for size in array.shape for f in factored(size)]))
    sizes = data.draw(st.permutations([*factors, *[1] * data.draw(st.integers(0, 2))]))
    for wanted in (sizes, sorted(sizes), (-1,), array.shape):
        assert_agrees(lambda m, s=tuple(wanted): viewed(m, array, s), what=f"{array.shape} {array.strides} {wanted}")


def factored(size):
    return {4: [2, 2]}.get(size, [size])


def viewed(m, array, sizes):
    if m is minicnn:
        return m.from_numpy(array).view(sizes)
    strides = [stride // array.itemsize for stride in array.strides]  # where repeated, torch would not take the array
    memory = np.arange(sum((size - 1) * stride for size, stride in zip(array.shape, strides, strict=True)) + 1)
    pattern = np.lib.stride_tricks.as_strided(memory, array.shape, [8 * stride for stride in strides])
    memory[pattern.reshape(-1)] = array.reshape(-1)
    return torch.from_numpy(memory).as_strided(array.shape, strides).view(sizes)


def test_copies_of_a_module_keep_the_order_kernels_read():
    layer = minicnn.nn.Conv2d(3, 4, 3)
    strides = layer.weight._array.strides
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert other.weight.view(4, -1).shape == (4, 27)
        assert (other.weight == layer.weight).all()
    assert copy.deepcopy(layer).weight._array.strides == strides


def test_deep_copies_share_memory_as_their_originals_do():
    def program(m):
        x = m.arange(24.0).view(2, 3, 4)
        h = m.nn.functional.max_pool2d(x[None], 2)
        a, b, c, d, e = copy.deepcopy([x, x[:, 1], x.view(-1)[3:], h, h[0, :, 0]])
        a.view(-1)[5] = 100
        b[0] = 200
        d.view(-1)[:1] = 300
        return [a, b, c, d, e, x, h]

    assert_agrees(lambda m: program(m))


@pytest.mark.parametrize(
    "layer", ["nn.Linear(3, 4)", "nn.Conv2d(3, 4, 2)", "nn.BatchNorm2d(3)", "nn.ConvTranspose2d(3, 2, 2)"]
)
def test_parameters_gradients_and_moments_can_be_viewed(layer):
    def program(m):
        built = eval(layer, {"nn": m.nn})
        shape = (2, 3) if "Linear" in layer else (2, 3, 4, 4)
        optimizer = m.optim.Adam(built.parameters())
        built(m.ones(shape)).sum().backward()
        optimizer.step()
        results = []
        for parameter in built.parameters():
            for one in (parameter.detach(), parameter.grad, optimizer.state[parameter]["exp_avg"]):
                one.view(-1)[:2] = 5
                results.append(one.reshape(-1)[:2])
        return results

    assert_agrees(program)


def test_training_goes_on_after_weights_were_viewed():
    """Every combination of orders of parameter, gradient and moments gives the step that it would give otherwise."""
    results = []
    for look in (False, True):
        minicnn.manual_seed(0)
        layer = minicnn.nn.Conv2d(3, 4, 3)
        optimizer = minicnn.optim.Adam(layer.parameters(), lr=0.1)
        for number in range(4):
            optimizer.zero_grad()
            (layer(minicnn.as_tensor(IMAGE)) ** 2).sum().backward()
            if look and number == 1:
                layer.weight.data.view(-1)
            if look and number == 2:
                optimizer.state[layer.weight]["exp_avg"].view(-1), layer.weight.grad.view(-1)
            optimizer.step()
        results.append(layer.weight.detach().numpy())
    np.testing.assert_allclose(*results, rtol=1e-6)


@given(data=st.data())
def test_elementwise_results_lie_as_torchs(data):
    """Operands of any order, gaps and broadcasting, two or three of them."""
    shape = data.draw(st.lists(st.integers(1, 3), min_size=1, max_size=4))

    def operand():
        sizes = [size if data.draw(st.integers(0, 3)) else 1 for size in shape[data.draw(st.integers(0, 1)) :]]
        return sizes, data.draw(st.permutations(range(len(sizes))))

    operands = [operand(), operand()]

    def program(m):
        a, b = (m.ones([sizes[i] for i in order]).permute([*map(order.index, range(len(order)))])
                for sizes, order in operands)  # fmt: skip
        return [described(one) for one in (a + b, a * b, m.where(a > b, a, b), a.clone(), a.exp(), a > b, a.double())]

    assert_agrees(program, rtol=1e-6, what=repr(operands))


@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (2, 1, 4, 5), (2, 3, 1, 1), (2, 3, 4), (6,)])
@pytest.mark.parametrize(
    "text",
    [
        "x.contiguous(memory_format=m.channels_last)", "x.contiguous(memory_format=m.contiguous_format)",
        "x.contiguous(memory_format=m.preserve_format)", "x.clone(memory_format=m.channels_last)",
        "x.to(memory_format=m.channels_last)", "x.to(m.float64, memory_format=m.channels_last)",
        "x.double(memory_format=m.channels_last)", "x.to(memory_format=m.channels_last).long()",
        "x.to(memory_format=m.channels_last).float(memory_format=m.contiguous_format)",
        "x.to(memory_format=m.channels_last).clone().view(2, -1)", "x.to(memory_format=m.channels_last).view(-1)",
        "x.to(memory_format=m.channels_last).flatten(2).relu()", "(x.to(memory_format=m.channels_last) > 0)[1:]",
    ],
)  # fmt: skip
def test_memory_formats(text, shape):
    def program(m):
        y = eval(text, {"m": m, "x": m.ones(shape)})
        return [*described(y), y.is_contiguous(memory_format=m.channels_last)]

    assert_agrees(program, what=text)


def test_promises_of_arrays():
    assert storage.row_major((2, 3, 4)) == (12, 4, 1)
    assert storage.is_row_major((2, 1, 4), (4, 99, 1))
    assert storage.can_view((2, 3, 4), (12, 4, 1), (6, 4))
    assert not storage.can_view((2, 3, 4), (12, 1, 3), (6, 4))
