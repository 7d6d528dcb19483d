"""Hooks of tensors and nodes, and what a graph tells of itself, as PyTorch has them."""

import copy
import pickle

import numpy as np
import pytest
import torch
from agreement import examples
from hypothesis import given, settings
from hypothesis import strategies as st

import minicnn
import minicnn.nn.functional as F
from tests.agreement import outcome

HOOKS = ("lambda g: None", "lambda g: g * 2", "lambda g: g + 1", "lambda g: g.clone()", "seen.append", "lambda g: -g")
PLACES = ("x", "h", "y", "w")


@given(
    st.lists(st.tuples(st.sampled_from(PLACES), st.sampled_from(HOOKS), st.booleans()), max_size=6),
    st.sets(st.sampled_from(PLACES[1:3])),
    st.booleans(),
)
@settings(max_examples=examples(30))
def test_hooks_see_and_replace_gradients(hooks, retained, by_grad):
    def program(m):
        seen = []
        x = m.arange(1.0, 4.0).requires_grad_()
        w = m.tensor([0.5, -1.0, 2.0], requires_grad=True)
        h = x * w
        y = h + x
        tensors = {"x": x, "w": w, "h": h, "y": y}
        handles = [tensors[place].register_hook(eval(hook, {"seen": seen})) for place, hook, _ in hooks]
        for handle, (*_, removed) in zip(handles, hooks, strict=True):
            if removed:
                handle.remove()
        for name in retained:
            tensors[name].retain_grad()
        z = (y * h).sum()
        if by_grad:
            results = m.autograd.grad(z, [x, w, h])
        else:
            z.backward()
            results = [x.grad, w.grad, *[tensors[name].grad for name in sorted(retained)]]
        return [g.tolist() for g in results], sorted([g.tolist() for g in seen])

    assert program(minicnn) == program(torch)


def test_what_a_hook_keeps_stays_as_it_was():
    kept = []
    x = minicnn.ones(3, requires_grad=True)
    x.register_hook(kept.append)
    (2 * x).sum().backward()
    x.grad.zero_()
    (2 * x).sum().backward()
    assert [g.tolist() for g in kept] == [[2, 2, 2], [2, 2, 2]]
    h = x.view(3, 1).relu()
    h.register_hook(lambda g: g.mul_(5))
    x.grad = None
    h.sum().backward()
    assert x.grad.tolist() == [5, 5, 5]


@pytest.mark.parametrize(
    "text",
    ["m.ones(2).register_hook(print)", "m.ones(2).register_post_accumulate_grad_hook(print)",
     "(m.ones(2, requires_grad=True) * 2).register_post_accumulate_grad_hook(print)", "run(lambda g: 3)",
     "run(lambda g: g[:2])", "run(lambda g: g.double())"],
)  # fmt: skip
def test_refusals(text):
    def attempt(m):
        def run(hook):
            y = m.ones(3, requires_grad=True) * 2
            y.register_hook(hook)
            y.sum().backward()

        return eval(text, {"m": m, "run": run})

    ours, theirs = outcome(attempt, minicnn), outcome(attempt, torch)
    assert isinstance(theirs, Exception)
    assert type(ours) is type(theirs)
    assert str(ours)[:25] == str(theirs)[:25]


def test_hooks_after_accumulation():
    def program(m):
        seen = []
        x = m.ones(2, requires_grad=True)
        with x.register_post_accumulate_grad_hook(lambda p: seen.append((p is x, p.grad.tolist()))):
            (x * 3).sum().backward()
            (x * 4).sum().backward()
        (x * 5).sum().backward()
        return seen, x.grad.tolist()

    assert program(minicnn) == program(torch)


def test_hooks_of_nodes():
    def program(m):
        seen = []
        x, w = m.ones(3, requires_grad=True), m.full((3,), 2.0)
        y = x * w
        y.grad_fn.register_hook(lambda grads, outputs: seen.append(str((grads, outputs))))
        y.grad_fn.register_prehook(lambda outputs: (outputs[0] * 7,))
        y.grad_fn.register_hook(lambda grads, outputs: (grads[0] + 1, grads[1]))
        y.sum().backward()
        return seen, x.grad.tolist()

    assert program(minicnn) == program(torch)


def test_copies_leave_hooks_behind():
    x = minicnn.nn.Parameter(minicnn.ones(2))
    x.register_hook(lambda g: g * 2)
    for twin in (copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        twin.sum().backward()
        assert twin.grad.tolist() == [1, 1]


# Names


NAMED = (
    "x + y", "x - y", "x * y", "x / y", "x * 2", "x ** 2", "-x", "x.abs()", "x.exp()", "x.log()", "x.sqrt()", "x.sum()",
    "x.sum(0)", "x.mean()", "x.mean(1)", "x.max()", "x.min()", "x.max(1)[0]", "x.min(1)[0]", "x @ y", "x[0]", "x[:1]",
    "x[x > 0]", "x.t()", "x.view(-1)", "x.clone()", "x.relu()", "x.sigmoid()", "x.tanh()", "F.softmax(x, 1)",
    "F.log_softmax(x, 1)", "m.cat([x, y])", "m.stack([x, y])", "x.clamp(0, 1)", "x.double()", "x.expand(2, 2, 2)",
    "F.linear(x, y, y[0])", "F.linear(x, y)", "F.conv2d(x[None, None], y[None, None])", "x.unsqueeze(0)",
    "F.max_pool2d(x[None, None], 2)", "F.avg_pool2d(x[None, None], 2)", "F.mse_loss(x, y)", "F.smooth_l1_loss(x, y)",
    "F.binary_cross_entropy_with_logits(x, y)", "x.var()", "x.std()",
    "F.nll_loss(x, m.tensor([0, 1]))", "F.cross_entropy(x, m.tensor([0, 1]))", "m.where(x > 0, x, y)", "x.reciprocal()",
    "F.batch_norm(x, None, None, training=True)", "F.leaky_relu(x)", "F.pad(x, (1, 1))", "m.maximum(x, y)",
    "x.gather(0, i)",
    "x.index_select(0, i[0])", "x.flip(0)", "x.repeat(2, 1)", "x.permute(1, 0).permute(0, 1)", "x.roll(1)",
    "x.cumsum(0)",
    "x.prod()", "x.norm()", "x.sin()", "x.squeeze()", "x.flatten()", "F.elu(x)", "F.gelu(x)", "F.layer_norm(x, (2,))",
    "m.addmm(x, x, y)", "m.bmm(x[None], y[None])", "m.mm(x, y)", "x.masked_fill(x > 0, 0.5)", "x.sort()[0]",
    "x.floor()",
    "F.silu(x)", "F.softplus(x)", "F.hardtanh(x)", "F.relu6(x)", "x.atan2(y)", "x.logsumexp(0)", "x.transpose(0, 1)",
    "1 - x", "2 ** x", "x.T", "x.permute(1, 0)", "x[None].squeeze(0)", "x ** y", "2 / x",
)  # fmt: skip


@pytest.mark.parametrize("text", NAMED)
def test_operations_are_named_as_torchs(text):
    names = []
    for m, functional in ((minicnn, F), (torch, torch.nn.functional)):
        values = {"m": m, "F": functional, "i": m.tensor([[0, 1], [1, 0]])}
        values["x"] = m.tensor([[0.5, 2.0], [3.0, 1.5]], requires_grad=True)
        values["y"] = m.tensor([[1.5, 1.0], [2.5, 0.5]], requires_grad=True)
        node = eval(text, values).grad_fn
        assert type(node).__name__ == node.name().rpartition("::")[2]
        names.append(node.name())
    assert names[0] == names[1]


def test_a_graph_can_be_walked():
    def names(m, functional):
        x = m.ones(2, 1, 6, 6)
        net = m.nn.Sequential(m.nn.Conv2d(1, 2, 3), m.nn.ReLU(), m.nn.MaxPool2d(2), m.nn.Flatten(), m.nn.Linear(8, 3))
        loss = functional.mse_loss(net(x), m.zeros(2, 3))
        found, node = [], loss.grad_fn
        while node is not None:
            found.append(node.name())
            below = [edge[0] for edge in node.next_functions if edge[0] is not None]
            node = next(
                (n for n in below if n.name() != "torch::autograd::AccumulateGrad" and n.name() != "TBackward0"), None
            )
        return found

    assert names(minicnn, F) == names(torch, torch.nn.functional)
    x = minicnn.ones(2, requires_grad=True)
    node = (x * 2).grad_fn
    (leaf, number), other = node.next_functions
    assert (leaf.variable is x, number, other) == (True, 0, (None, 0))
    assert leaf == node.next_functions[0][0]
    assert leaf.next_functions == ()
    node.metadata["mine"] = 1
    assert node.metadata == {"mine": 1}


# Modes and functions


def test_functions_that_work_in_place():
    def program(m):
        class Triple(m.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.mark_dirty(x)
                return x.mul_(3)

            @staticmethod
            def backward(ctx, g):
                return 3 * g

        x = m.ones(2, requires_grad=True)
        h = x * 2
        y = Triple.apply(h)
        y.sum().backward()
        plain = m.ones(2)
        return y is h, h.tolist(), x.grad.tolist(), Triple.apply(plain) is plain, plain.tolist()

    assert program(minicnn) == program(torch)


def test_gradients_that_never_came():
    def program(m, materialize):
        got = []

        class Pair(m.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.set_materialize_grads(materialize)
                return x * 1, x * 2

            @staticmethod
            def backward(ctx, a, b):
                got.extend([a is None, b is None])
                return a if b is None else b

        x = m.ones(2, requires_grad=True)
        Pair.apply(x)[1].sum().backward()
        return got, x.grad.tolist()

    for materialize in (True, False):
        assert program(minicnn, materialize) == program(torch, materialize)


def test_anomalies():
    def program(m):
        x = m.zeros(2, requires_grad=True)
        with m.autograd.set_detect_anomaly(True):
            y = x.sqrt() * 0
            with pytest.warns(UserWarning, match="Error detected in SqrtBackward0") as warned:
                failure = outcome(lambda: y.sum().backward())
        assert "x.sqrt() * 0" in str(warned[0].message)
        return str(failure), m.is_anomaly_enabled()

    assert program(minicnn) == program(torch)


def test_inference_mode():
    def program(m):
        x = m.ones(2, requires_grad=True)

        @m.inference_mode()
        def decorated():
            return (x * 2).requires_grad

        @m.inference_mode
        def bare():
            return (x * 2).requires_grad, m.is_inference_mode_enabled()

        found = [decorated(), bare()]
        with m.inference_mode():
            with m.inference_mode(False):
                found.append((x * 2).requires_grad)
            found.append((x * 2).requires_grad)
        return [*found, (x * 2).requires_grad]

    assert program(minicnn) == program(torch)


def test_chosen_inputs():
    def program(m):
        x, y = m.ones(2, requires_grad=True), m.ones(2, requires_grad=True)
        h = x * y
        (h * 2).sum().backward(inputs=[x, h])
        m.autograd.backward([(x * 3).sum(), (y * 3).sum()], inputs=y)
        zeros = m.autograd.grad(x.sum(), [x, y], materialize_grads=True)
        return x.grad.tolist(), y.grad.tolist(), h.grad.tolist(), [z.tolist() for z in zeros]

    assert program(minicnn) == program(torch)
    x = minicnn.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError):
        x.sum().backward(inputs=[])


def test_leaving_the_graph():
    x = minicnn.ones(2, requires_grad=True)
    y = x * 2
    assert y.detach_() is y
    assert (y.requires_grad, y.is_leaf) == (False, True)
    with pytest.raises(RuntimeError, match="Can't detach views in-place"):
        (x * 2)[0].detach_()
    assert np.array_equal(x.numpy(force=True), [1, 1])


def hooked_and_written(T, view, retain, write, again):
    """Gradients where a hook on a tensor or a view of one was registered before a change in place, and what it saw."""
    x = T.tensor([1.0, 2.0, 3.0], dtype=T.float64).requires_grad_()
    base = x * 2
    v = {"unsqueezed": base.unsqueeze(0), "sliced": base[1:], "itself": base}[view]
    seen = []
    if retain:
        v.retain_grad()
    v.register_hook(lambda g: (seen.append(g.tolist()), 0 * g)[1])
    if write == "multiplied":
        v.mul_(3)
    elif write == "assigned":
        v[..., 0] = -1.0
    elif write == "base":
        base.mul_(3)
    if again:
        v.register_hook(lambda g: g * 5)
    (v.sum() + base.sum()).backward()
    return x.grad.tolist(), v.grad.tolist() if retain else None, seen


@pytest.mark.parametrize("write", ["multiplied", "assigned", "base", "nothing"])
@pytest.mark.parametrize("view", ["unsqueezed", "sliced", "itself"])
def test_hooks_of_a_view_that_is_written_to(view, write):
    """A view's hooks don't see the gradient by its former values.

    (Those that PyTorch gets after a write to the base, or to a part, it forgets; minicnn calls them.)
    """
    for retain in (False, True):
        for again in (False, True) if write in ("multiplied", "nothing") else (False,):
            ours = hooked_and_written(minicnn, view, retain, write, again)
            assert ours == hooked_and_written(torch, view, retain, write, again)


@pytest.mark.parametrize("change", ["pow_(0)", "mul_(3)", "mul_(0)", "pow_(2)", "exp_()"])
@pytest.mark.parametrize("reshape", ["transpose_(0, 1)", "t_()", "unsqueeze_(0)", "squeeze_()", "transpose_(0, 0)"])
@pytest.mark.parametrize("twice", [False, True])
def test_a_hook_of_a_tensor_reshaped_in_place_sees_a_later_change(reshape, change, twice):
    def gradients(module):
        x = module.ones(2, 3).requires_grad_()
        y, seen = x * -0.25, []
        for _ in range(1 + twice):
            eval(f"y.{reshape}")
        y.register_hook(lambda g: seen.append(g.detach().clone()) or g + 1)
        eval(f"y.{change}")
        y.backward(module.ones(*y.shape))
        return [*seen, x.grad]

    for ours, theirs in zip(gradients(minicnn), gradients(torch), strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-6)
