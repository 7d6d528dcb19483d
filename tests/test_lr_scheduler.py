"""The schedulers against PyTorch's, over whole runs."""

import copy
import warnings

import numpy as np
import pytest
import torch
from agreement import examples
from hypothesis import given, settings
from hypothesis import strategies as st

import minicnn
from minicnn.nn import Parameter

RATES = [0.1, 0.02]


def optimizer_of(library, name="SGD"):
    """An optimizer of two groups with different rates and no gradients."""
    weight = (lambda: torch.nn.Parameter(torch.ones(1))) if library is torch else new_parameter
    groups = [{"params": [weight()], "lr": rate} for rate in RATES]
    return getattr(library.optim, name)(groups, **({"momentum": 0.9} if name == "SGD" else {}))


def new_parameter():
    return Parameter(np.ones(1, np.float32))


def settled(optimizer):
    """What schedulers set."""
    return [[group["lr"], group.get("momentum", 0), *group.get("betas", ())] for group in optimizer.param_groups]


def course(library, name, makers, steps):
    """What the schedulers set at each step; it ends early where a phase of no length is divided by."""
    optimizer = optimizer_of(library, name)
    seen = []
    try:
        schedulers = [make(library.optim.lr_scheduler, optimizer) for make in makers]
        seen.append(settled(optimizer))
        for step in range(steps):
            optimizer.step()
            for scheduler in schedulers:
                scheduler.step()
                assert scheduler.last_epoch == step + 1
                assert scheduler.get_last_lr() == [group["lr"] for group in optimizer.param_groups]
            seen.append(settled(optimizer))
    except ZeroDivisionError:
        pass
    return seen


def check_same_course(name, makers, steps):
    mine, theirs = course(minicnn, name, makers, steps), course(torch, name, makers, steps)
    assert len(mine) == len(theirs)
    np.testing.assert_allclose(mine, theirs, rtol=1e-12, atol=1e-18)


GAMMAS = st.sampled_from([0.1, 0.5, 0.9, 1.5])

STEP = st.builds(lambda size, gamma: lambda s, o: s.StepLR(o, size, gamma), st.integers(1, 5), GAMMAS)
MULTI_STEP = st.builds(
    lambda milestones, gamma: lambda s, o: s.MultiStepLR(o, milestones, gamma),
    st.lists(st.integers(0, 12), max_size=4),
    GAMMAS,
)
COSINE = st.builds(
    lambda length, least: lambda s, o: s.CosineAnnealingLR(o, length, least),
    st.integers(1, 12),
    st.sampled_from([0.0, 1e-3]),
)


FACTOR = st.sampled_from(
    [lambda step: 0.9**step, lambda step: 1 / (1 + step), [lambda step: 0.5, lambda step: 1 - step / 40]]
)
BY_FUNCTION = st.builds(
    lambda name, factor: lambda s, o: getattr(s, name)(o, factor),
    st.sampled_from(["LambdaLR", "MultiplicativeLR"]),
    FACTOR,
)
EXPONENTIAL = GAMMAS.map(lambda gamma: lambda s, o: s.ExponentialLR(o, gamma))
CONSTANT = st.builds(
    lambda factor, length: lambda s, o: s.ConstantLR(o, factor, length),
    st.sampled_from([1 / 3, 0.5, 1.0]),
    st.integers(0, 8),
)
LINEAR = st.builds(
    lambda start, end, length: lambda s, o: s.LinearLR(o, start, end, length),
    st.sampled_from([1 / 3, 0.25, 1.0]),
    st.sampled_from([1.0, 0.5, 0.1]),
    st.integers(1, 8),
)
POLYNOMIAL = st.builds(
    lambda length, power: lambda s, o: s.PolynomialLR(o, length, power),
    st.integers(1, 8),
    st.sampled_from([1.0, 2.0, 0.5]),
)
RESTARTS = st.builds(
    lambda first, longer, least: lambda s, o: s.CosineAnnealingWarmRestarts(o, first, longer, least),
    st.integers(1, 6),
    st.integers(1, 3),
    st.sampled_from([0.0, 1e-3]),
)
CHAINABLE = STEP | MULTI_STEP | COSINE | EXPONENTIAL | CONSTANT | LINEAR | POLYNOMIAL
ANY = CHAINABLE | BY_FUNCTION | RESTARTS


@given(ANY, st.integers(0, 30))
@settings(max_examples=examples(3) * settings.default.max_examples)
def test_one(make, steps):
    check_same_course("SGD", [make], steps)


@given(st.lists(CHAINABLE, min_size=2, max_size=3), st.integers(0, 20))
def test_several_on_one_optimizer(makers, steps):
    check_same_course("SGD", makers, steps)


@given(
    name=st.sampled_from(["SGD", "Adam"]),
    total=st.integers(1, 40),
    options=st.fixed_dictionaries(
        {},
        optional={
            "pct_start": st.sampled_from([0.0, 0.25, 0.3, 0.5, 1.0]),
            "anneal_strategy": st.sampled_from(["cos", "linear"]),
            "cycle_momentum": st.booleans(),
            "base_momentum": st.sampled_from([0.8, [0.7, 0.8]]),
            "max_momentum": st.sampled_from([0.95, [0.9, 0.99]]),
            "div_factor": st.sampled_from([25.0, 3.0]),
            "final_div_factor": st.sampled_from([1e4, 7.0]),
            "three_phase": st.booleans(),
        },
    ),
    highest=st.sampled_from([0.1, [0.1, 0.3]]),
    epochs=st.booleans(),
)
@settings(max_examples=examples(2) * settings.default.max_examples)
def test_one_cycle(name, total, options, highest, epochs):
    length = {"epochs": 2, "steps_per_epoch": total} if epochs else {"total_steps": total}
    steps = 2 * total if epochs else total

    def make(schedulers, optimizer):
        return schedulers.OneCycleLR(optimizer, highest, **length, **options)

    check_same_course(name, [make], steps)


def test_one_cycle_ends():
    optimizer = optimizer_of(minicnn)
    scheduler = minicnn.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=3)
    optimizer.step()
    for _ in range(3):
        scheduler.step()
    with pytest.raises(ValueError, match="Tried to step 4 times"):
        scheduler.step()


@given(
    options=st.fixed_dictionaries(
        {},
        optional={
            "mode": st.sampled_from(["min", "max"]),
            "factor": st.sampled_from([0.1, 0.5]),
            "patience": st.integers(0, 3),
            "threshold": st.sampled_from([1e-4, 0.1, 0.5]),
            "threshold_mode": st.sampled_from(["rel", "abs"]),
            "cooldown": st.integers(0, 2),
            "min_lr": st.sampled_from([0, 0.01, [0.05, 0.001]]),
            "eps": st.sampled_from([1e-8, 0.005]),
        },
    ),
    metrics=st.lists(st.sampled_from([-1.0, 0.0, 0.5, 0.9, 1.0, 1.05, 2.0, float("nan")]), max_size=25),
)
@settings(max_examples=examples(2) * settings.default.max_examples)
def test_plateau(options, metrics):
    mine, theirs = optimizer_of(minicnn), optimizer_of(torch)
    a = minicnn.optim.lr_scheduler.ReduceLROnPlateau(mine, **options)
    b = torch.optim.lr_scheduler.ReduceLROnPlateau(theirs, **options)
    for metric in metrics:
        a.step(minicnn.tensor(metric, dtype=minicnn.float64))
        b.step(metric)
        np.testing.assert_allclose(settled(mine), settled(theirs), rtol=1e-12)
        assert a.get_last_lr() == pytest.approx(b.get_last_lr(), rel=1e-12)
        for name in ("num_bad_epochs", "cooldown_counter", "in_cooldown", "last_epoch", "best"):
            assert getattr(a, name) == getattr(b, name), name


MAKERS = [
    lambda s, o: s.StepLR(o, 3),
    lambda s, o: s.MultiStepLR(o, [2, 5, 5]),
    lambda s, o: s.CosineAnnealingLR(o, 6),
    lambda s, o: s.OneCycleLR(o, 0.1, total_steps=20, three_phase=True),
]


@pytest.mark.parametrize("make", MAKERS)
def test_a_run_goes_on_from_a_state_dict(make):
    library = minicnn.optim.lr_scheduler
    mine, theirs = optimizer_of(minicnn), optimizer_of(torch)
    first, original = make(library, mine), make(torch.optim.lr_scheduler, theirs)
    for _ in range(4):
        mine.step()
        theirs.step()
        first.step()
        original.step()
    for state, optimizer_state in (
        (first.state_dict(), mine.state_dict()),
        (original.state_dict(), theirs.state_dict()),
    ):
        assert "optimizer" not in state
        resumed_optimizer = optimizer_of(minicnn)
        resumed = make(library, resumed_optimizer)
        resumed_optimizer.load_state_dict(optimizer_state)
        resumed.load_state_dict(copy.deepcopy(state))
        expected_optimizer = optimizer_of(minicnn)
        expected = make(library, expected_optimizer)
        for scheduler, optimizer, steps in (
            (expected, expected_optimizer, 12),
            (resumed, resumed_optimizer, 8),
        ):
            for _ in range(steps):
                optimizer.step()
                scheduler.step()
        np.testing.assert_allclose(settled(resumed_optimizer), settled(expected_optimizer), rtol=1e-12)


@pytest.mark.parametrize(
    "make", [lambda s, o: s.StepLR(o, 3, last_epoch=4), lambda s, o: s.CosineAnnealingLR(o, 7, last_epoch=4)]
)
def test_a_run_goes_on_from_last_epoch(make):
    mine, theirs = optimizer_of(minicnn), optimizer_of(torch)
    for optimizer in (mine, theirs):
        for group in optimizer.param_groups:
            group["initial_lr"] = group["lr"] * 2
    a = make(minicnn.optim.lr_scheduler, mine)
    b = make(torch.optim.lr_scheduler, theirs)
    for _ in range(10):
        np.testing.assert_allclose(settled(mine), settled(theirs), rtol=1e-12)
        for thing in (mine, theirs, a, b):
            thing.step()


@pytest.mark.parametrize(
    "make",
    [
        lambda s, o: s.StepLR(object(), 3),
        lambda s, o: s.StepLR(o, 3, last_epoch=2),
        lambda s, o: s.OneCycleLR(object(), 0.1, 10),
        lambda s, o: s.OneCycleLR(o, 0.1),
        lambda s, o: s.OneCycleLR(o, 0.1, epochs=3),
        lambda s, o: s.OneCycleLR(o, 0.1, total_steps=0),
        lambda s, o: s.OneCycleLR(o, 0.1, total_steps=2.5),
        lambda s, o: s.OneCycleLR(o, 0.1, epochs=0, steps_per_epoch=3),
        lambda s, o: s.OneCycleLR(o, 0.1, epochs=1, steps_per_epoch=-3),
        lambda s, o: s.OneCycleLR(o, 0.1, 10, pct_start=1),
        lambda s, o: s.OneCycleLR(o, 0.1, 10, pct_start=1.5),
        lambda s, o: s.OneCycleLR(o, 0.1, 10, anneal_strategy="square"),
        lambda s, o: s.OneCycleLR(o, [0.1], 10),
        lambda s, o: s.OneCycleLR(o, 0.1, 10, base_momentum=[0.1, 0.2, 0.3]),
        lambda s, o: s.OneCycleLR(o, 0.1, 10, last_epoch=3),
        lambda s, o: s.ReduceLROnPlateau(o, "least"),
        lambda s, o: s.ReduceLROnPlateau(o, factor=1.0),
        lambda s, o: s.ReduceLROnPlateau(o, threshold_mode="both"),
        lambda s, o: s.ReduceLROnPlateau(o, min_lr=[0.1]),
        lambda s, o: s.ReduceLROnPlateau(object()),
        lambda s, o: s.ReduceLROnPlateau(o).step("bad"),
        lambda s, o: s.LRScheduler(o),
    ],
)
def test_refusals_are_pytorchs(make):
    mine, theirs = optimizer_of(minicnn), optimizer_of(torch)
    with pytest.raises(Exception) as expected:  # noqa: PT011
        make(torch.optim.lr_scheduler, theirs)
    with pytest.raises(expected.type):
        make(minicnn.optim.lr_scheduler, mine)


def test_one_cycle_needs_a_momentum_to_cycle():
    class Plain(minicnn.optim.Optimizer):
        pass

    optimizer = Plain([new_parameter()], {"lr": 0.1})
    with pytest.raises(ValueError, match="momentum"):
        minicnn.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, 10)
    minicnn.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, 10, cycle_momentum=False)


def test_the_wrong_order_of_steps_warns():
    optimizer = optimizer_of(minicnn)
    scheduler = minicnn.optim.lr_scheduler.StepLR(optimizer, 3)
    with pytest.warns(UserWarning, match=r"before `optimizer.step\(\)`"):
        scheduler.step()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scheduler.step()
        optimizer.step()
        minicnn.optim.lr_scheduler.StepLR(optimizer, 3).step()


@given(
    name=st.sampled_from(["SGD", "Adam"]),
    up=st.integers(1, 6),
    down=st.none() | st.integers(1, 6),
    options=st.fixed_dictionaries(
        {},
        optional={
            "mode": st.sampled_from(["triangular", "triangular2", "exp_range"]),
            "gamma": st.sampled_from([1.0, 0.9]),
            "scale_fn": st.sampled_from([None, lambda x: 1 / (1 + x)]),
            "scale_mode": st.sampled_from(["cycle", "iterations"]),
            "cycle_momentum": st.booleans(),
            "base_momentum": st.sampled_from([0.8, [0.7, 0.8]]),
            "max_momentum": st.sampled_from([0.9, [0.95, 0.9]]),
        },
    ),
    rates=st.sampled_from([(0.01, 0.1), ([0.01, 0.02], [0.1, 0.3])]),
    steps=st.integers(0, 25),
)
def test_cyclic(name, up, down, options, rates, steps):
    check_same_course(name, [lambda s, o: s.CyclicLR(o, *rates, up, down, **options)], steps)


@given(st.lists(ANY, min_size=1, max_size=3), st.data(), st.integers(0, 20))
def test_one_after_the_other(makers, data, steps):
    size = len(makers) - 1
    milestones = sorted(data.draw(st.lists(st.integers(0, 12), min_size=size, max_size=size), label="milestones"))

    def make(schedulers, optimizer):
        return schedulers.SequentialLR(optimizer, [m(schedulers, optimizer) for m in makers], milestones)

    check_same_course("SGD", [make], steps)


@given(st.lists(CHAINABLE, min_size=1, max_size=3), st.integers(1, 20))
def test_all_at_once(makers, steps):
    seen = []
    for library in (minicnn, torch):
        optimizer = optimizer_of(library)
        chained = library.optim.lr_scheduler.ChainedScheduler(
            [m(library.optim.lr_scheduler, optimizer) for m in makers]
        )
        course = []
        for _ in range(steps):
            optimizer.step()
            chained.step()
            course.append(chained.get_last_lr())
        seen.append(course)
    np.testing.assert_allclose(*seen, rtol=1e-12, atol=1e-18)


@pytest.mark.filterwarnings("ignore:The epoch parameter", "ignore:Detected call")
@given(ANY, st.lists(st.integers(0, 20), max_size=6))
def test_jumps_to_an_epoch(make, epochs):
    seen = []
    for library in (minicnn, torch):
        optimizer = optimizer_of(library)
        scheduler = make(library.optim.lr_scheduler, optimizer)
        course = []
        for epoch in epochs:
            scheduler.step(epoch)
            scheduler.step()
            course.append([scheduler.last_epoch, *scheduler.get_last_lr()])
        seen.append(course)
    np.testing.assert_allclose(*seen, rtol=1e-12, atol=1e-18)


def test_restarts_take_parts_of_an_epoch():
    seen = []
    for library in (minicnn, torch):
        scheduler = library.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer_of(library), 2, 2)
        course = []
        for epoch in np.arange(0, 9, 0.37).tolist():
            scheduler.step(epoch)
            course.append([scheduler.T_cur, scheduler.T_i, scheduler.last_epoch, *scheduler.get_last_lr()])
        seen.append(course)
    np.testing.assert_allclose(*seen, rtol=1e-12)


@pytest.mark.parametrize(
    "act",
    [
        lambda s, o: s.step(),
        lambda s, o: s.step(5),
        lambda s, o: s.get_lr(),
        lambda s, o: (o.step(), s.step()),
        lambda s, o: (setattr(o, "step", lambda: None), s.step()),
        lambda s, o: (s.step(), s.step()),
    ],
)
@pytest.mark.parametrize("stepped", [False, True])
def test_warnings_are_pytorchs(act, stepped):
    seen = []
    for library in (minicnn, torch):
        optimizer = optimizer_of(library)
        if stepped:
            optimizer.step()
        scheduler = library.optim.lr_scheduler.StepLR(optimizer, 3)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            act(scheduler, optimizer)
        seen.append([(one.category, str(one.message)[:40]) for one in caught])
    assert seen[0] == seen[1]


def test_a_step_put_on_the_optimizer_is_noted():
    optimizer = optimizer_of(minicnn)
    calls = []
    optimizer.step = lambda: calls.append(1)
    scheduler = minicnn.optim.lr_scheduler.StepLR(optimizer, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        optimizer.step()
        scheduler.step()
    assert calls == [1]


class Warmup:
    def __init__(self, length):
        self.length = length

    def __call__(self, step):
        return min(1, (step + 1) / self.length)


@pytest.mark.parametrize(
    ("make", "other"),
    [
        (lambda s, o: s.LambdaLR(o, Warmup(4)), lambda s, o: s.LambdaLR(o, Warmup(9))),
        (lambda s, o: s.MultiplicativeLR(o, lambda step: 0.9), lambda s, o: s.MultiplicativeLR(o, lambda step: 0.9)),
        (lambda s, o: s.CyclicLR(o, 0.01, 0.1, 3, gamma=0.9), lambda s, o: s.CyclicLR(o, 0.01, 0.1, 5)),
        (
            lambda s, o: s.CyclicLR(o, 0.01, 0.1, 3, scale_fn=Warmup(4)),
            lambda s, o: s.CyclicLR(o, 0.01, 0.1, 3, scale_fn=Warmup(7)),
        ),
        (
            lambda s, o: s.SequentialLR(o, [s.ConstantLR(o, 0.5, 2), s.ExponentialLR(o, 0.9)], [3]),
            lambda s, o: s.SequentialLR(o, [s.ConstantLR(o, 0.5, 2), s.ExponentialLR(o, 0.5)], [4]),
        ),
        (
            lambda s, o: s.ChainedScheduler([s.StepLR(o, 2), s.ExponentialLR(o, 0.9)]),
            lambda s, o: s.ChainedScheduler([s.StepLR(o, 3), s.ExponentialLR(o, 0.8)]),
        ),
    ],
)
def test_state_dicts_carry_a_run_on(make, other):
    seen = []
    for library in (minicnn, torch):
        first = optimizer_of(library)
        scheduler = make(library.optim.lr_scheduler, first)
        for _ in range(4):
            first.step()
            scheduler.step()
        second = optimizer_of(library)
        resumed = other(library.optim.lr_scheduler, second)
        state = copy.deepcopy(scheduler.state_dict())
        seen.append(sorted(state))
        second.load_state_dict(first.state_dict())
        resumed.load_state_dict(state)
        for _ in range(5):
            second.step()
            resumed.step()
        seen.append(settled(second))
    np.testing.assert_allclose(seen[1], seen[3], rtol=1e-12)
    assert set(seen[2]) - set(seen[0]) <= {"_get_lr_called_within_step", "_is_initial"}


@pytest.mark.parametrize(
    "make",
    [
        lambda s, o: s.LambdaLR(o, [abs]),
        lambda s, o: s.MultiplicativeLR(o, 0.9),
        lambda s, o: s.ConstantLR(o, 1.5),
        lambda s, o: s.LinearLR(o, 0),
        lambda s, o: s.LinearLR(o, 0.5, 2),
        lambda s, o: s.CosineAnnealingWarmRestarts(o, 0),
        lambda s, o: s.CosineAnnealingWarmRestarts(o, 2, 0),
        lambda s, o: s.CosineAnnealingWarmRestarts(o, 2, 1, "a"),
        lambda s, o: s.CosineAnnealingWarmRestarts(o, 2).step(-1),
        lambda s, o: s.CyclicLR(o, 0.1, 0.2, mode="square"),
        lambda s, o: s.CyclicLR(o, [0.1], 0.2),
        lambda s, o: s.SequentialLR(o, [], []),
        lambda s, o: s.SequentialLR(o, [s.StepLR(o, 3)], [1]),
        lambda s, o: s.SequentialLR(o, [s.ReduceLROnPlateau(o)], []),
        lambda s, o: s.SequentialLR(o, [3], []),
        lambda s, o: s.ChainedScheduler([]),
        lambda s, o: s.ChainedScheduler([s.ReduceLROnPlateau(o)]),
        lambda s, o: s.StepLR(o, 3, verbose=True),
        lambda s, o: s.ExponentialLR(o),
    ],
)
def test_further_refusals_are_pytorchs(make):
    test_refusals_are_pytorchs(make)
