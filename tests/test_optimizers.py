"""All optimizers over runs of steps against PyTorch's: parameters, states, printouts, hooks; and averages of models."""

import copy
import importlib
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import minicnn
from minicnn.nn import Parameter

RATE = st.sampled_from([0.1, 1e-3, 0.0])
DECAY = st.sampled_from([0, 0.5, 2**-9])
BETAS = st.sampled_from([(0.9, 0.999), (0.5, 0.9), (0.0, 0.5)])
EPS = st.sampled_from([1e-8, 1e-3])
SWITCH = st.booleans()

OPTIONS = {
    "RMSprop": {
        "lr": RATE,
        "alpha": st.sampled_from([0.99, 0.4]),
        "eps": EPS,
        "weight_decay": DECAY,
        "momentum": st.sampled_from([0, 0.9]),
        "centered": SWITCH,
    },
    "Adadelta": {"lr": st.sampled_from([1.0, 0.1]), "rho": st.sampled_from([0.9, 0.3]), "weight_decay": DECAY},
    "Adafactor": {
        "lr": RATE,
        "beta2_decay": st.sampled_from([-0.8, -0.3]),
        "eps": st.sampled_from([(None, 1e-3), (1e-4, 0.1)]),
        "d": st.sampled_from([1.0, 3.0]),
        "weight_decay": DECAY,
    },
    "Adagrad": {
        "lr": RATE,
        "lr_decay": st.sampled_from([0, 0.1]),
        "weight_decay": DECAY,
        "initial_accumulator_value": st.sampled_from([0, 0.5]),
        "eps": EPS,
    },
    "Adamax": {"lr": RATE, "betas": BETAS, "eps": EPS, "weight_decay": DECAY},
    "NAdam": {
        "lr": RATE,
        "betas": BETAS,
        "eps": EPS,
        "weight_decay": DECAY,
        "momentum_decay": st.sampled_from([4e-3, 0.1]),
        "decoupled_weight_decay": SWITCH,
    },
    "RAdam": {"lr": RATE, "betas": BETAS, "eps": EPS, "weight_decay": DECAY, "decoupled_weight_decay": SWITCH},
    "ASGD": {
        "lr": RATE,
        "lambd": st.sampled_from([1e-4, 0.1]),
        "alpha": st.sampled_from([0.75, 0.5]),
        "t0": st.sampled_from([1e6, 1, 3]),
        "weight_decay": DECAY,
    },
    "Rprop": {"lr": RATE, "etas": st.sampled_from([(0.5, 1.2), (0.3, 2.0)]), "step_sizes": st.just((1e-6, 0.2))},
}
SHAPES = [(0,), (), (1,), (7,), (9,), (2, 3), (3, 1, 2)]  # Adafactor divides by the size of a parameter
NAMES = sorted(OPTIONS)
EVERY = [*NAMES, "SGD", "Adam", "AdamW", "LBFGS"]


def parameter_of(library, array):
    return Parameter(array.copy()) if library is minicnn else torch.nn.Parameter(torch.from_numpy(array.copy()))


def eighths(seed, shape, dtype=np.float64):
    return np.array(np.random.default_rng(seed).integers(-16, 17, shape) / 8, dtype)


def as_arrays(value):
    """State entries of either library as arrays."""
    if isinstance(value, (list, tuple)):
        return [as_arrays(one) for one in value]
    return np.asarray(value.detach().numpy() if hasattr(value, "detach") else value)


@given(st.sampled_from(NAMES), st.data(), st.booleans(), st.sampled_from([np.float64, np.float32]))
def test_steps(name, data, maximize, dtype):
    options = data.draw(st.fixed_dictionaries({}, optional=OPTIONS[name]), label="options")
    shapes = data.draw(st.lists(st.sampled_from(SHAPES if name != "Adafactor" else SHAPES[1:]), min_size=1, max_size=3))
    steps = data.draw(st.integers(1, 12), label="steps")
    skipped = data.draw(st.sets(st.tuples(st.integers(0, 12), st.integers(0, 2))), label="without gradient")
    flipped = data.draw(st.booleans(), label="other memory order")
    results = []
    for library in (minicnn, torch):
        parameters = [parameter_of(library, eighths(i, shape, dtype)) for i, shape in enumerate(shapes)]
        if flipped and library is minicnn:
            parameters = [Parameter(np.array(p.detach().numpy(), order="F")) for p in parameters]
        groups = [{"params": parameters[:1]}]
        if parameters[1:]:
            groups.append({"params": parameters[1:], "lr": 0.05})
        optimizer = getattr(library.optim, name)(groups, maximize=maximize, **options)
        for step in range(steps):
            for i, parameter in enumerate(parameters):
                values = eighths(100 * step + i, shapes[i], dtype)
                parameter.grad = None if (step, i) in skipped else library.from_numpy(values)
            optimizer.step()
        results.append((parameters, [optimizer.state[p] for p in parameters]))
    tolerance = 1e-11 if dtype == np.float64 else 3e-4
    for mine, theirs in zip(results[0][0], results[1][0], strict=True):
        a, b = mine.detach().numpy(), theirs.detach().numpy()
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)
    for mine, theirs in zip(results[0][1], results[1][1], strict=True):
        assert set(mine) == set(theirs)
        for key in mine:
            assert as_arrays(mine[key]).dtype == as_arrays(theirs[key]).dtype, key
            np.testing.assert_allclose(as_arrays(mine[key]), as_arrays(theirs[key]), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", NAMES)
def test_nan_and_infinity_pass_as_in_pytorch(name):
    values = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e300])
    results = []
    for library in (minicnn, torch):
        parameter = parameter_of(library, np.ones(6))
        optimizer = getattr(library.optim, name)([parameter])
        for _ in range(3):
            parameter.grad = library.from_numpy(values.copy())
            optimizer.step()
        results.append(parameter.detach().numpy())
    np.testing.assert_allclose(*results, rtol=1e-12)


# A loss to go down


def rosenbrock(x):
    return ((1 - x[:-1]) ** 2).sum() + 20 * ((x[1:] - x[:-1] ** 2) ** 2).sum()


def descend(library, optimizer, parameters, steps, sign=1):
    losses = []

    def closure():
        optimizer.zero_grad()
        loss = sum(rosenbrock(p.reshape(-1)) for p in parameters) * sign
        loss.backward()
        return loss

    for _ in range(steps):
        losses.append(float(optimizer.step(closure)))
    return losses


@given(
    options=st.fixed_dictionaries(
        {},
        optional={
            "lr": st.sampled_from([1, 0.1, 0.01]),
            "max_iter": st.integers(1, 5),
            "max_eval": st.sampled_from([None, 1, 3, 9]),
            "tolerance_grad": st.sampled_from([1e-7, 0.5]),
            "tolerance_change": st.sampled_from([1e-9, 1e-2]),
            "history_size": st.sampled_from([1, 2, 100]),
            "line_search_fn": st.sampled_from([None, "strong_wolfe"]),
            "maximize": st.booleans(),
        },
    ),
    seed=st.integers(0, 99),
    steps=st.integers(1, 2),
)
def test_lbfgs(options, seed, steps):
    results = []
    for library in (minicnn, torch):
        parameters = [parameter_of(library, eighths(seed + i, shape) / 4) for i, shape in enumerate([(4,), (2, 3)])]
        few = {"lr": 0.01, "max_iter": 5}  # every iteration magnifies rounding: after forty, the sixth digit differs
        optimizer = library.optim.LBFGS(parameters, **(few | options))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            losses = descend(library, optimizer, parameters, steps, -1 if options.get("maximize") else 1)
        state = optimizer.state[parameters[0]]
        counts = [state["func_evals"], state["n_iter"]]
        results.append((losses, counts, [p.detach().numpy().ravel() for p in parameters]))
    (losses, counts, values), (their_losses, their_counts, their_values) = results
    if not np.isfinite(their_losses).all() or np.abs(their_losses).max() > 1e6:
        return  # a run that explodes magnifies the last bit of everything
    np.testing.assert_allclose(losses, their_losses, rtol=1e-6)
    assert counts == their_counts
    np.testing.assert_allclose(np.concatenate(values), np.concatenate(their_values), rtol=1e-6, atol=1e-7)


def test_lbfgs_goes_on_from_pytorchs_state_and_back():
    theirs = [parameter_of(torch, eighths(3, (5,)) / 4)]
    their_optimizer = torch.optim.LBFGS(theirs, lr=0.1, max_iter=4, line_search_fn="strong_wolfe")
    descend(torch, their_optimizer, theirs, 2)
    mine = [Parameter(theirs[0].detach().numpy().copy())]
    optimizer = minicnn.optim.LBFGS(mine)
    optimizer.load_state_dict(their_optimizer.state_dict())
    expected = descend(torch, their_optimizer, theirs, 2)
    np.testing.assert_allclose(descend(minicnn, optimizer, mine, 2), expected, rtol=1e-9)
    again = [Parameter(mine[0].detach().numpy().copy())]
    other = minicnn.optim.LBFGS(again)
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    assert descend(minicnn, other, again, 2) == descend(minicnn, optimizer, mine, 2)


def test_lbfgs_refuses_what_pytorch_refuses():
    for library, error in ((minicnn, ValueError), (torch, ValueError)):
        a, b = parameter_of(library, np.zeros(2)), parameter_of(library, np.ones(2))
        with pytest.raises(error):
            library.optim.LBFGS([{"params": [a]}, {"params": [b]}])
        with pytest.raises(RuntimeError, match="strong_wolfe"):
            descend(library, library.optim.LBFGS([a], line_search_fn="other"), [a], 1)
        with pytest.raises(TypeError):
            library.optim.LBFGS([a]).step()


@pytest.mark.parametrize("name", EVERY)
def test_state_dicts_and_printouts_are_pytorchs(name):
    results = []
    for library in (minicnn, torch):
        parameters = [parameter_of(library, eighths(i, shape) / 4) for i, shape in enumerate([(2, 3), (4,)])]
        optimizer = getattr(library.optim, name)(parameters, lr=0.01)
        descend(library, optimizer, parameters, 2)
        results.append((optimizer, optimizer.state_dict(), parameters))
    (mine, my_state, _), (theirs, their_state, their_parameters) = results
    assert repr(mine) == repr(theirs)
    assert my_state["param_groups"] == their_state["param_groups"]
    assert list(my_state["param_groups"][0]) == list(their_state["param_groups"][0])
    assert my_state["state"].keys() == their_state["state"].keys()
    resumed = [Parameter(p.detach().numpy().copy()) for p in their_parameters]
    other = getattr(minicnn.optim, name)(resumed, lr=7.0)
    other.load_state_dict(their_state)
    expected = descend(torch, theirs, their_parameters, 3)
    np.testing.assert_allclose(descend(minicnn, other, resumed, 3), expected, rtol=1e-7)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("RMSprop", {"alpha": -1}),
        ("RMSprop", {"momentum": -1}),
        ("Adadelta", {"rho": 1.5}),
        ("Adafactor", {"beta2_decay": 0.5}),
        ("Adafactor", {"eps": (-1, 0)}),
        ("Adafactor", {"eps": (None, -1)}),
        ("Adafactor", {"d": 0.5}),
        ("Adagrad", {"lr_decay": -1}),
        ("Adagrad", {"initial_accumulator_value": -1}),
        ("Adagrad", {"fused": True, "foreach": True}),
        ("NAdam", {"momentum_decay": -1}),
        ("NAdam", {"betas": (1.0, 0.9)}),
        ("Rprop", {"etas": (1.5, 1.2)}),
        ("LBFGS", {"lr": -1}),
        *((name, {"lr": -1}) for name in NAMES),
        *((name, {"lr": float("nan")}) for name in NAMES),
        *((name, {"weight_decay": -1}) for name in NAMES),
        *((name, {"foreach": True}) for name in NAMES),
        *((name, {"no_such_option": True}) for name in NAMES),
    ],
)
def test_options_are_refused_as_by_pytorch(name, options):
    outcomes = []
    for library in (minicnn, torch):
        try:
            getattr(library.optim, name)([parameter_of(library, np.ones(2))], **options)
            outcomes.append(None)
        except (ValueError, TypeError, RuntimeError) as error:
            outcomes.append(type(error))
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize("name", NAMES)
def test_what_does_not_fit_is_refused(name):
    for options in ({"differentiable": True}, {"capturable": True}):
        with pytest.raises(TypeError, match=r"option|argument"):
            getattr(minicnn.optim, name)([Parameter(np.ones(2))], **options)
    parameter = Parameter(np.ones(2))
    with pytest.raises(TypeError, match="lr"):
        getattr(minicnn.optim, name)([parameter], lr=minicnn.tensor(0.1))
    optimizer = getattr(minicnn.optim, name)([parameter])
    parameter.grad = minicnn.from_numpy(np.ones(2))
    parameter.data = minicnn.from_numpy(np.ones(3))
    with pytest.raises(ValueError, match="shape"):
        optimizer.step()
    whole = Parameter(np.ones(2, np.int64), requires_grad=False)
    optimizer = getattr(minicnn.optim, name)([whole])
    whole.grad = minicnn.from_numpy(np.ones(2, np.int64))
    with pytest.raises(TypeError, match="float32 or float64"):
        optimizer.step()


# Hooks


def test_hooks_are_called_as_in_pytorch():
    seen = []
    for library in (minicnn, torch):
        calls = []
        parameter = parameter_of(library, np.ones(2))
        optimizer = library.optim.SGD([parameter], lr=0.1)
        module = importlib.import_module(f"{library.__name__}.optim.optimizer")

        def note(name, calls=calls):
            return lambda one, *others: calls.append((name, type(one).__name__, len(others)))

        handles = [
            module.register_optimizer_step_pre_hook(note("any before")),
            module.register_optimizer_step_post_hook(note("any after")),
            optimizer.register_step_pre_hook(note("before")),
            optimizer.register_step_post_hook(note("after")),
            optimizer.register_state_dict_pre_hook(note("saving")),
            optimizer.register_state_dict_post_hook(note("saved")),
            optimizer.register_state_dict_post_hook(note("first"), prepend=True),
            optimizer.register_load_state_dict_pre_hook(note("loading")),
            optimizer.register_load_state_dict_post_hook(note("loaded")),
        ]
        optimizer.step()
        optimizer.load_state_dict(optimizer.state_dict())
        for handle in handles:
            handle.remove()
        optimizer.step()
        optimizer.state_dict()
        with optimizer.register_step_pre_hook(lambda optimizer, *_: ((optimizer, lambda: 7.0), {})):
            assert optimizer.step() == 7.0
        with optimizer.register_step_pre_hook(lambda *_: 3), pytest.raises(RuntimeError, match="must return None"):
            optimizer.step()
        seen.append(calls)
    assert seen[0] == seen[1]


# Averages of models


def nets(library):
    nn = library.nn
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(18, 2)).double()
    with library.no_grad():
        for i, one in enumerate(net.parameters()):
            one.copy_(library.from_numpy(eighths(i, tuple(one.shape)) / 8))
    return net


AVERAGES = {
    "swa": lambda u: {},
    "ema": lambda u: {"multi_avg_fn": u.get_ema_multi_avg_fn(0.9)},
    "ema of one": lambda u: {"avg_fn": u.get_ema_avg_fn(0.9), "use_buffers": False},
    "swa of many": lambda u: {"multi_avg_fn": u.get_swa_multi_avg_fn()},
    "swa of one": lambda u: {"avg_fn": u.get_swa_avg_fn()},
    "own": lambda u: {"avg_fn": lambda average, new, number: (average + new) / (number + 2)},
    "buffers": lambda u: {"multi_avg_fn": u.get_ema_multi_avg_fn(0.5), "use_buffers": True},
}


@pytest.mark.parametrize("kind", AVERAGES)
def test_averaged_models(kind):
    states, outputs, printed = [], [], []
    for library in (minicnn, torch):
        utils = library.optim.swa_utils
        net = nets(library)
        averaged = utils.AveragedModel(net, **AVERAGES[kind](utils))
        optimizer = library.optim.SGD(net.parameters(), lr=0.01)
        batches = [library.from_numpy(eighths(i, (4, 1, 5, 5))) for i in range(4)]
        for batch in batches:
            optimizer.zero_grad()
            (net(batch) ** 2).mean().backward()
            optimizer.step()
            averaged.update_parameters(net)
        states.append({key: as_arrays(value) for key, value in averaged.state_dict().items()})
        utils.update_bn([(batch, 0) for batch in batches[:3]], averaged)
        outputs.append(as_arrays(averaged.eval()(batches[3])))
        printed.append(repr(averaged))
    assert list(states[0]) == list(states[1])
    for key in states[0]:
        np.testing.assert_allclose(states[0][key], states[1][key], rtol=1e-10, atol=1e-12, err_msg=key)
    np.testing.assert_allclose(*outputs, rtol=1e-10, atol=1e-12)
    assert printed[0] == printed[1]


def test_averaged_models_refuse_what_pytorch_refuses():
    for library in (minicnn, torch):
        utils = library.optim.swa_utils
        with pytest.raises(AssertionError):
            utils.AveragedModel(nets(library), avg_fn=utils.get_swa_avg_fn(), multi_avg_fn=utils.get_swa_multi_avg_fn())
        for function in (utils.get_ema_avg_fn, utils.get_ema_multi_avg_fn):
            with pytest.raises(ValueError, match="decay"):
                function(1.5)


@given(
    st.sampled_from([0.05, [0.01, 0.2]]),
    st.integers(0, 6),
    st.sampled_from(["cos", "linear"]),
    st.integers(0, 10),
    st.integers(0, 3),
)
def test_swalr(rate, length, strategy, steps, before):
    seen = []
    for library in (minicnn, torch):
        groups = [{"params": [parameter_of(library, np.ones(1))], "lr": lr} for lr in (0.1, 0.02)]
        optimizer = library.optim.SGD(groups)
        other = library.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
        course = []
        for _ in range(before):
            optimizer.step()
            other.step()
        scheduler = library.optim.swa_utils.SWALR(optimizer, rate, length, strategy)
        for _ in range(steps):
            optimizer.step()
            scheduler.step()
            course.append(scheduler.get_last_lr())
        seen.append(course)
    np.testing.assert_allclose(*seen, rtol=1e-10)
