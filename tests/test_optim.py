"""The optimizers against PyTorch's: every step, every state, every refusal."""

import copy
import warnings

import numpy as np
import pytest
import torch
from agreement import examples
from hypothesis import given, settings
from hypothesis import strategies as st

import minicnn
from minicnn import kernels
from minicnn.nn import Parameter

SMALL = st.lists(st.integers(0, 3), max_size=4).map(tuple)
AROUND_VECTORS = st.sampled_from([7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65]).map(lambda size: (size,))
SHAPES = SMALL | AROUND_VECTORS


@st.composite
def layouts(draw, shape):
    """A function that copies an array of `shape` into some memory order, perhaps with gaps."""
    axes = draw(st.permutations(range(len(shape))))
    gap = draw(st.booleans())

    def lay(array):
        wide = [2 * size if gap and axis == axes[-1] else size for axis, size in enumerate(shape)]
        memory = np.empty([wide[axis] for axis in axes], array.dtype)
        view = memory.transpose(np.argsort(axes))[(*map(slice, shape), ...)]
        view[...] = array
        return view

    return lay


@st.composite
def arrays(draw, shape, dtype):
    """Eighths from -2 to 2."""
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    return np.array(rng.integers(-16, 17, shape) / 8, dtype)


SGD_OPTIONS = st.fixed_dictionaries(
    {
        "lr": st.sampled_from([0.1, 1e-3, 1.0, 0]),
        "momentum": st.sampled_from([0, 0.9, 0.5]),
        "dampening": st.sampled_from([0, 0.1]),
        "weight_decay": st.sampled_from([0, 0.5, 2**-9]),
        "nesterov": st.booleans(),
        "maximize": st.booleans(),
    }
).filter(lambda o: not o["nesterov"] or (o["momentum"] > 0 and o["dampening"] == 0))

ADAM_OPTIONS = st.fixed_dictionaries(
    {
        "lr": st.sampled_from([0.1, 1e-3, 0.0]),
        "betas": st.sampled_from([(0.9, 0.999), (0.5, 0.9), (0.3, 0.99), (0.0, 0.5)]),
        "eps": st.sampled_from([1e-8, 1e-3]),
        "weight_decay": st.sampled_from([0, 0.5, 2**-9]),
        "amsgrad": st.booleans(),
        "maximize": st.booleans(),
    }
)

OPTIMIZERS = st.one_of(
    st.tuples(st.just("SGD"), SGD_OPTIONS),
    st.tuples(st.just("Adam"), ADAM_OPTIONS),
    st.tuples(st.just("Adam"), ADAM_OPTIONS.map(lambda o: {**o, "decoupled_weight_decay": True})),
    st.tuples(st.just("AdamW"), ADAM_OPTIONS),
)


class Twins:
    """One model's parameters in both libraries, and how far rounding may take them apart.

    `scale` is the run repeated with absolute values, so that nothing cancels: an error is some multiple
    of eps · steps · scale.
    """

    def __init__(self, values, layout):
        self.mine = Parameter(layout(values))
        self.theirs = torch.nn.Parameter(torch.from_numpy(values.copy()))
        self.steps = 0
        self.scale = np.abs(values).astype(np.float64)
        self.buffer = np.zeros_like(self.scale)

    def set_gradient(self, values, layout):
        self.mine.grad = None if values is None else minicnn.as_tensor(layout(values))
        self.theirs.grad = None if values is None else torch.from_numpy(values.copy())

    def follow(self, name, options, state):
        """Advance `scale` by one step, after PyTorch's."""
        if self.theirs.grad is None:
            return
        self.steps += 1
        decoupled = name == "AdamW" or options.get("decoupled_weight_decay", False)
        gradient = np.abs(self.theirs.grad.numpy()).astype(np.float64)
        if not decoupled:
            gradient += options["weight_decay"] * self.scale
        if name == "SGD":
            momentum = options["momentum"]
            first = self.steps == 1
            self.buffer = gradient if first else momentum * self.buffer + gradient
            update = gradient + momentum * self.buffer if momentum else gradient
            self.scale = self.scale + options["lr"] * update
            return
        beta1, beta2 = options["betas"]
        self.buffer = beta1 * self.buffer + (1 - beta1) * gradient
        square = state["max_exp_avg_sq" if options["amsgrad"] else "exp_avg_sq"].numpy().astype(np.float64)
        denominator = np.sqrt(square / (1 - beta2**self.steps)) + options["eps"]
        self.scale = self.scale + options["lr"] / (1 - beta1**self.steps) * self.buffer / denominator

    def check(self, mine_state, theirs_state):
        eps = np.finfo(self.mine.dtype).eps
        bound = 16 * eps * max(self.steps, 1)
        error = np.abs(self.mine.detach().numpy() - self.theirs.detach().numpy())
        assert (error <= bound * self.scale).all(), (error, self.scale)
        assert set(mine_state) == {key for key, value in theirs_state.items() if value is not None}
        for key, value in mine_state.items():
            expected = theirs_state[key].numpy()
            assert value.dtype == expected.dtype
            reach = 1 if key == "step" else self.buffer if key in ("momentum_buffer", "exp_avg") else expected
            assert (np.abs(value.numpy() - expected) <= bound * (np.abs(reach) + self.buffer**2)).all(), key


@given(st.data(), OPTIMIZERS, st.sampled_from([np.float32, np.float64]))
@settings(max_examples=examples(2) * settings.default.max_examples)
def test_steps(data, optimizer, dtype):
    name, options = optimizer
    kind = ADAM_OPTIONS if name != "SGD" else SGD_OPTIONS
    groups = []
    for _ in range(data.draw(st.integers(1, 2), label="groups")):
        twins = []
        for _ in range(data.draw(st.integers(1, 2), label="parameters")):
            shape = data.draw(SHAPES, label="shape")
            twins.append(Twins(data.draw(arrays(shape, dtype)), data.draw(layouts(shape))))
        own = {} if not groups else {k: v for k, v in data.draw(kind).items() if k in ("lr", "weight_decay")}
        groups.append((twins, {**options, **own}, own))
    mine = getattr(minicnn.optim, name)(
        [{"params": [t.mine for t in twins], **own} for twins, _, own in groups], **options
    )
    theirs = getattr(torch.optim, name)(
        [{"params": [t.theirs for t in twins], **own} for twins, _, own in groups], **options
    )
    for _ in range(data.draw(st.integers(1, 4), label="steps")):
        for twins, _, _ in groups:
            for twin in twins:
                shape = twin.mine._array.shape
                values = data.draw(st.none() | arrays(shape, dtype), label="gradient")
                twin.set_gradient(values, data.draw(layouts(shape)))
        mine.step()
        theirs.step()
        for twins, used, _ in groups:
            for twin in twins:
                twin.follow(name, used, theirs.state[twin.theirs])
                twin.check(mine.state[twin.mine], theirs.state[twin.theirs])


def run(optimizer, parameters, wrap, seeds):
    for seed in seeds:
        stream = np.random.default_rng(seed)
        for parameter in parameters:
            parameter.grad = wrap(stream.standard_normal(tuple(parameter.shape)))
        optimizer.step()


def model(wrap):
    return [wrap(np.random.default_rng(i).standard_normal(shape)) for i, shape in enumerate([(3, 4), (5,), ()])]


KINDS = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    ("Adam", {"lr": 0.01}),
    ("Adam", {"lr": 0.01, "amsgrad": True, "weight_decay": 0.01, "maximize": True}),
    ("AdamW", {"lr": 0.01, "betas": (0.8, 0.99)}),
]


def torch_parameter(array):
    return torch.nn.Parameter(torch.from_numpy(np.array(array)))


@pytest.mark.parametrize(("name", "options"), KINDS)
@pytest.mark.parametrize("moved", [0, 1, 7])
def test_a_run_goes_on_from_pytorchs_state(name, options, moved):
    theirs = model(torch_parameter)
    their_optimizer = getattr(torch.optim, name)(theirs, **options)
    run(their_optimizer, theirs, torch.from_numpy, range(moved))
    mine = [Parameter(p.detach().numpy().copy()) for p in theirs]
    my_optimizer = getattr(minicnn.optim, name)(mine, lr=99.0)
    my_optimizer.load_state_dict(their_optimizer.state_dict())
    run(their_optimizer, theirs, torch.from_numpy, range(moved, moved + 5))
    run(my_optimizer, mine, minicnn.from_numpy, range(moved, moved + 5))
    for a, b in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(("name", "options"), KINDS)
def test_state_dict_round_trip(name, options):
    first = model(Parameter)
    optimizer = getattr(minicnn.optim, name)(first, **options)
    run(optimizer, first, minicnn.from_numpy, range(3))
    second = [Parameter(p.detach().numpy().copy()) for p in first]
    other = getattr(minicnn.optim, name)(second)
    saved = copy.deepcopy(optimizer.state_dict())
    other.load_state_dict(optimizer.state_dict())
    run(other, second, minicnn.from_numpy, range(3, 6))
    for key, entries in saved["state"].items():  # loading copied: the first optimizer's state has not moved
        for entry, value in entries.items():
            np.testing.assert_array_equal(optimizer.state_dict()["state"][key][entry].numpy(), value.numpy())
    run(optimizer, first, minicnn.from_numpy, range(3, 6))
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a.detach().numpy(), b.detach().numpy())


@pytest.mark.parametrize(("name", "options"), KINDS)
def test_state_dict_has_pytorchs_format(name, options):
    def groups(wrap):
        a, b, c = model(wrap)
        return [a, b, c], [{"params": [a, c]}, {"params": b, "lr": 0.5}]

    theirs, their_groups = groups(torch_parameter)
    mine, my_groups = groups(Parameter)
    their_optimizer = getattr(torch.optim, name)(their_groups, **options)
    my_optimizer = getattr(minicnn.optim, name)(my_groups, **options)
    run(their_optimizer, theirs, torch.from_numpy, range(2))
    run(my_optimizer, mine, minicnn.from_numpy, range(2))
    their_state, my_state = their_optimizer.state_dict(), my_optimizer.state_dict()
    assert list(my_state) == list(their_state)
    for my_group, their_group in zip(my_state["param_groups"], their_state["param_groups"], strict=True):
        assert my_group == their_group
    kept = {n: {k for k, v in s.items() if v is not None} for n, s in their_state["state"].items()}
    assert {n: set(s) for n, s in my_state["state"].items()} == {n: s for n, s in kept.items() if s}


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("SGD", {"lr": -1}),
        ("SGD", {"momentum": -0.1}),
        ("SGD", {"weight_decay": -0.1}),
        ("SGD", {"nesterov": True}),
        ("SGD", {"nesterov": True, "momentum": 0.9, "dampening": 0.1}),
        ("SGD", {"lr": 0}),
        ("Adam", {"lr": -1}),
        ("Adam", {"lr": float("nan")}),
        ("Adam", {"eps": -1e-8}),
        ("Adam", {"betas": (1.0, 0.9)}),
        ("Adam", {"betas": (0.9, 1.0)}),
        ("Adam", {"betas": (-0.1, 0.9)}),
        ("Adam", {"betas": (0, 0.9)}),
        ("Adam", {"weight_decay": -1}),
        ("AdamW", {"weight_decay": -1}),
        ("AdamW", {"decoupled_weight_decay": True}),
        ("Adam", {"eps": 0.0}),
        ("SGD", {"no_such_option": 1}),
    ],
)
def test_options_are_refused_as_by_pytorch(name, options):
    def outcome(library, parameter):
        try:
            getattr(library, name)([parameter], **options)
        except (ValueError, TypeError) as error:
            return type(error)
        return None

    mine = outcome(minicnn.optim, Parameter(np.zeros(2, np.float32)))
    assert mine == outcome(torch.optim, torch.nn.Parameter(torch.zeros(2)))


@pytest.mark.parametrize("option", ["capturable", "differentiable"])
def test_options_of_other_machines_are_refused(option):
    parameter = Parameter(np.zeros(2, np.float32))
    with pytest.raises(TypeError, match=option):
        minicnn.optim.Adam([parameter], **{option: True})
    with pytest.raises(TypeError, match=option):
        minicnn.optim.Adam([{"params": [parameter], option: True}])


def test_options_about_speed_change_nothing():
    results = []
    for options in ({}, {"foreach": True}, {"fused": True}, {"foreach": False, "fused": False}):
        parameter = Parameter(np.ones(2))
        optimizer = minicnn.optim.Adam([parameter], **options)
        run(optimizer, [parameter], minicnn.from_numpy, range(3))
        results.append(parameter.tolist())
    assert results == results[:1] * 4
    with pytest.raises(RuntimeError, match="together"):
        minicnn.optim.SGD([parameter], foreach=True, fused=True)


def leaf_and_other(library):
    if library is torch:
        leaf = torch.nn.Parameter(torch.ones(2))
        return leaf, leaf * 2, torch.nn.Parameter(torch.ones(3))
    leaf = Parameter(np.ones(2, np.float32))
    return leaf, leaf * 2, Parameter(np.ones(3, np.float32))


@pytest.mark.parametrize(
    "arguments",
    [
        lambda leaf, computed, other: leaf,
        lambda leaf, computed, other: [],
        lambda leaf, computed, other: [computed],
        lambda leaf, computed, other: [leaf, 3],
        lambda leaf, computed, other: [{"params": [leaf]}, {"params": [leaf, other]}],
        lambda leaf, computed, other: [{"params": {leaf}}],
        lambda leaf, computed, other: [("a", leaf), other],
        lambda leaf, computed, other: [{"params": [("a", leaf)]}, {"params": [other]}],
        lambda leaf, computed, other: [{"params": [leaf]}, [other]],
        lambda leaf, computed, other: [{"lr": 0.1}],
        lambda leaf, computed, other: [("a", leaf), ("b", other)],
        lambda leaf, computed, other: iter([leaf, other]),
        lambda leaf, computed, other: [{"params": leaf}, {"params": other, "lr": 1}],
    ],
)
def test_parameters_are_refused_as_by_pytorch(arguments):
    def outcome(library):
        try:
            optimizer = library.optim.SGD(arguments(*leaf_and_other(library)), lr=0.1)
        except (ValueError, TypeError, KeyError) as error:
            return type(error)
        return [(len(group["params"]), group["lr"], group.get("param_names")) for group in optimizer.param_groups]

    assert outcome(minicnn) == outcome(torch)


def test_duplicates_in_a_group_warn():
    leaf, *_ = leaf_and_other(minicnn)
    with pytest.warns(UserWarning, match="duplicate parameters"):
        minicnn.optim.SGD([leaf, leaf])


def test_a_tensor_as_hyperparameter_is_refused():
    leaf, *_ = leaf_and_other(minicnn)
    with pytest.raises(TypeError, match="lr"):
        minicnn.optim.SGD([leaf], lr=minicnn.tensor(0.1))


def test_loading_the_wrong_groups_changes_nothing():
    a, b, c = model(Parameter)
    optimizer = minicnn.optim.Adam([a, b])
    run(optimizer, [a, b], minicnn.from_numpy, range(2))
    before = copy.deepcopy(optimizer.state_dict())
    with pytest.raises(ValueError, match="size of optimizer's group"):
        optimizer.load_state_dict(minicnn.optim.Adam([c]).state_dict())
    with pytest.raises(ValueError, match="number of parameter groups"):
        optimizer.load_state_dict(minicnn.optim.Adam([{"params": [c]}, {"params": [a]}]).state_dict())
    swapped = minicnn.optim.Adam([b, a])
    run(swapped, [b, a], minicnn.from_numpy, range(1))
    with pytest.raises(ValueError, match="shape"):
        optimizer.load_state_dict(swapped.state_dict())
    after = optimizer.state_dict()
    assert after["param_groups"] == before["param_groups"]
    for number, entries in before["state"].items():
        for key, value in entries.items():
            np.testing.assert_array_equal(after["state"][number][key].numpy(), value.numpy())


def test_loading_keeps_what_a_scheduler_left_in_the_groups():
    a, *_ = model(Parameter)
    optimizer = minicnn.optim.SGD([a], lr=0.5)
    minicnn.optim.lr_scheduler.StepLR(optimizer, 3)
    other = minicnn.optim.SGD([a], lr=0.1)
    other.load_state_dict(optimizer.state_dict())
    assert other.param_groups[0]["initial_lr"] == 0.5
    assert other.param_groups[0]["params"][0] is a


def test_zero_grad():
    parameter = Parameter(np.ones(3, np.float32))
    optimizer = minicnn.optim.SGD([parameter], lr=0.1)
    (parameter * 2).sum().backward()
    kept = parameter.grad
    optimizer.zero_grad(set_to_none=False)
    assert parameter.grad is kept
    assert kept.tolist() == [0, 0, 0]
    optimizer.zero_grad()
    assert parameter.grad is None


def test_closure():
    parameter = Parameter(np.ones(3, np.float32))
    optimizer = minicnn.optim.SGD([parameter], lr=0.25)

    def closure():
        optimizer.zero_grad()
        loss = (parameter * parameter).sum()
        loss.backward()
        return loss

    with minicnn.no_grad():  # the closure records all the same
        assert optimizer.step(closure).item() == 3
    assert parameter.tolist() == [0.5, 0.5, 0.5]
    assert optimizer.step() is None


def test_a_step_is_noticed_by_a_backward_that_needs_the_old_values():
    parameter = Parameter(np.ones(3, np.float32))
    optimizer = minicnn.optim.SGD([parameter], lr=0.1)
    loss = (parameter * parameter).sum()
    loss.backward(retain_graph=True)
    optimizer.step()
    with pytest.raises(RuntimeError, match="modified"):
        loss.backward()


def test_a_gradient_or_moment_of_another_shape_is_refused():
    parameter = Parameter(np.ones((2, 3), np.float32))
    optimizer = minicnn.optim.SGD([parameter], lr=0.1, momentum=0.9)
    parameter.grad = minicnn.ones(2, 3)
    optimizer.state[parameter]["momentum_buffer"] = minicnn.ones(2)
    with pytest.raises(ValueError, match=r"moment has shape \(2,\)"):
        optimizer.step()
    parameter.data = optimizer.state[parameter]["momentum_buffer"] = minicnn.ones(6)
    with pytest.raises(ValueError, match=r"gradient or moment has shape \(2, 3\)"):
        optimizer.step()
    assert parameter.tolist() == [1] * 6


@pytest.mark.parametrize("dtype", ["int64", "float16"])
@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW"])
def test_only_float32_and_float64_are_learned(name, dtype):
    parameter = Parameter(np.ones(2, dtype), requires_grad=False)
    optimizer = getattr(minicnn.optim, name)([parameter], lr=0.5)
    optimizer.step()  # without a gradient there is nothing to do
    parameter.grad = minicnn.ones(2, dtype=getattr(minicnn, dtype))
    with pytest.raises(TypeError, match=f"float32 or float64, got {dtype}"):
        optimizer.step()
    assert parameter.tolist() == [1, 1]


@pytest.mark.parametrize("option", ["lr", "momentum", "dampening", "weight_decay"])
def test_an_int_larger_than_any_float_is_refused(option):
    with pytest.raises(ValueError, match=option):
        minicnn.optim.SGD([Parameter(np.ones(2, np.float32))], **{option: 10**400})


def test_a_parameter_listed_twice_takes_both_steps():
    parameter = Parameter(np.ones(3, np.float32))
    with pytest.warns(UserWarning, match="duplicate"):
        optimizer = minicnn.optim.SGD([parameter, parameter], lr=0.25)
    parameter.grad = minicnn.ones(3)
    optimizer.step()
    assert parameter.tolist() == [0.5] * 3


def test_a_parameter_with_gaps_listed_twice_takes_both_steps():
    parameter = Parameter(np.ones((3, 4), np.float32)[:, ::2])
    with pytest.warns(UserWarning, match="duplicate"):
        optimizer = minicnn.optim.SGD([parameter, parameter], lr=0.25)
    parameter.grad = minicnn.ones(3, 2)
    optimizer.step()
    assert parameter.tolist() == [[0.5] * 2] * 3


def test_new_arrays_and_copies_are_found_where_they_lie():
    parameter = Parameter(np.ones((2, 3), np.float32))
    optimizer = minicnn.optim.SGD([parameter], lr=0.5, momentum=0.5)
    parameter.grad = minicnn.ones(2, 3)
    optimizer.step()
    copied = copy.deepcopy(optimizer)
    copied.param_groups[0]["params"][0].grad = minicnn.ones(2, 3)
    parameter.data = minicnn.zeros(2, 3)
    optimizer.step()
    copied.step()
    assert parameter.tolist() == [[-0.75] * 3] * 2
    assert copied.param_groups[0]["params"][0].tolist() == [[-0.25] * 3] * 2


def test_an_optimizer_of_ones_own():
    class SignDescent(minicnn.optim.Optimizer):
        def __init__(self, params, lr):
            super().__init__(params, {"lr": lr})

        @minicnn.no_grad()
        def step(self, closure=None):
            for group in self.param_groups:
                for parameter in group["params"]:
                    self.state[parameter]["count"] = self.state[parameter].get("count", 0) + 1
                    parameter.add_(parameter.grad / parameter.grad.abs(), alpha=-group["lr"])

    parameter = Parameter(np.array([1.0, -1.0], np.float32))
    optimizer = SignDescent([parameter], lr=0.5)
    scheduler = minicnn.optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.5)
    (parameter * parameter).sum().backward()
    optimizer.step()
    scheduler.step()  # without a warning: it knows that this optimizer stepped
    assert parameter.tolist() == [0.5, -0.5]
    assert optimizer.param_groups[0]["lr"] == 0.25
    assert optimizer.state_dict()["state"] == {0: {"count": 1}}


def test_any_state_of_an_optimizer_of_ones_own_is_loaded():
    parameter = Parameter(np.ones((2, 2), np.float32))
    optimizer = minicnn.optim.Optimizer([parameter], {})
    optimizer.state[parameter] = {"row": minicnn.ones(2, dtype=minicnn.float64), "note": ["a"], "none": None}
    optimizer.state["all"] = {"count": 3}
    other = minicnn.optim.Optimizer([parameter], {})
    other.load_state_dict(optimizer.state_dict())
    loaded = other.state[parameter]
    assert loaded["row"].tolist() == [1, 1]
    assert loaded["row"].dtype == minicnn.float32
    assert (loaded["note"], loaded["none"], other.state["all"]) == (["a"], None, {"count": 3})


def test_an_optimizer_without_step_says_so():
    optimizer = minicnn.optim.Optimizer([Parameter(np.ones(1, np.float32))], {})
    with pytest.raises(NotImplementedError):
        optimizer.step()


@pytest.mark.parametrize(("name", "options"), KINDS)
def test_split_over_threads_nothing_changes(name, options):
    size = kernels.optimizers.WAKE_OPTIMIZERS * 2 + 7
    stream = np.random.default_rng(0)
    values, gradient = stream.standard_normal((2, size)).astype(np.float32)
    results = []
    for pieces in (1, 7):  # the pieces are too small to be split
        parameters = [Parameter(part.copy()) for part in np.array_split(values, pieces)]
        optimizer = getattr(minicnn.optim, name)(parameters, **options)
        for _ in range(2):
            for parameter, part in zip(parameters, np.array_split(gradient, pieces), strict=True):
                parameter.grad = minicnn.from_numpy(part)
            optimizer.step()
        results.append(np.concatenate([p.detach().numpy() for p in parameters]))
    np.testing.assert_allclose(results[0], results[1], rtol=1e-6, atol=1e-7)


def test_repr_names_the_options():
    text = repr(minicnn.optim.SGD([Parameter(np.ones(1, np.float32))], lr=0.5))
    assert text == repr(torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.5))
    assert text.endswith("\n)")


@pytest.mark.parametrize("library", [minicnn, torch])
def test_a_wrapper_that_never_became_an_optimizer(library):
    class Wrapper(library.optim.Optimizer):
        def __init__(self, optimizer):
            self.optimizer = optimizer

        def step(self, closure=None):
            return self.optimizer.step(closure)

    x = library.ones(2).requires_grad_()
    x.sum().backward()
    assert Wrapper(library.optim.SGD([x], lr=0.5)).step() is None
    assert x.tolist() == [0.5, 0.5]


@pytest.mark.parametrize("options", [{"momentum": 0.5}, {"momentum": 0.5, "nesterov": True}, {}])
@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "NAdam"])
def test_a_parameter_that_is_there_twice(name, options):
    if ("nesterov" in options and name != "SGD") or (options and name not in ("SGD", "RMSprop")):
        pytest.skip("not an option of this optimizer")

    def walked(module):
        x = module.tensor([1.0]).requires_grad_()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            optimizer = getattr(module.optim, name)([x, x], lr=0.1, **options)
        path = []
        for gradient in (0.5, 1.5, -0.25):
            x.grad = module.tensor([gradient])
            optimizer.step()
            path.append(x.item())
        return path

    np.testing.assert_allclose(walked(minicnn), walked(torch), rtol=1e-6)
