"""Modules and layers against PyTorch's: what they print, hold, refuse and compute."""

import copy
import inspect
import pickle
from collections import OrderedDict

import numpy as np
import pytest
import torch
from agreement import examples
from hypothesis import given, settings
from hypothesis import strategies as st

import minicnn
from minicnn import nn

IMAGES = (2, 4, 7, 9)

LAYERS = {
    "Conv2d(4, 6, 3)": IMAGES,
    "Conv2d(4, 6, (3, 1), stride=(2, 1), padding=(1, 0), bias=False)": IMAGES,
    "Conv2d(4, 6, [3, 2], [1, 2], [2, 1], [2, 1], 2)": IMAGES,
    "Conv2d(4, 8, 3, padding='same', dilation=2, groups=4)": IMAGES,
    "Conv2d(4, 8, (2, 4), padding='same')": IMAGES,
    "Conv2d(4, 8, 2, padding='valid', stride=2)": IMAGES,
    "Conv2d(4, 2, 3, padding=(1, 2), padding_mode='reflect')": IMAGES,
    "Conv2d(4, 2, 3, stride=2, padding=2, padding_mode='circular')": IMAGES,
    "Conv2d(4, 2, (2, 3), padding='same', padding_mode='replicate')": IMAGES,
    "Conv2d(4, 2, 3, padding='valid', padding_mode='reflect')": IMAGES,
    "ConvTranspose2d(4, 6, 3)": IMAGES,
    "ConvTranspose2d(4, 6, (3, 2), stride=2, padding=1, output_padding=(1, 0), groups=2, bias=False)": IMAGES,
    "ConvTranspose2d(4, 2, 3, 3, 0, 1, 1, True, 2)": IMAGES,
    "Linear(9, 3)": IMAGES,
    "Linear(9, 3, bias=False)": (5, 9),
    "MaxPool2d(2)": IMAGES,
    "MaxPool2d((3, 2), stride=(1, 2), padding=1, ceil_mode=True)": IMAGES,
    "MaxPool2d(2, 1, 0, 2)": IMAGES,
    "MaxPool2d(3, return_indices=True)": IMAGES,
    "AvgPool2d(2)": IMAGES,
    "AvgPool2d((3, 2), (1, 2), 1, True, False)": IMAGES,
    "AvgPool2d(2, divisor_override=3)": IMAGES,
    "AdaptiveAvgPool2d((3, None))": IMAGES,
    "AdaptiveAvgPool2d(1)": IMAGES,
    "AdaptiveMaxPool2d((2, 5))": IMAGES,
    "AdaptiveMaxPool2d(3, return_indices=True)": IMAGES,
    "BatchNorm2d(4)": IMAGES,
    "BatchNorm2d(4, eps=0.1, momentum=None)": IMAGES,
    "BatchNorm2d(4, momentum=0.5, affine=False)": IMAGES,
    "BatchNorm2d(4, track_running_stats=False)": IMAGES,
    "BatchNorm1d(4)": (6, 4),
    "BatchNorm1d(4, affine=False, track_running_stats=False)": (6, 4, 3),
    "ReLU()": IMAGES,
    "ReLU(inplace=True)": IMAGES,
    "LeakyReLU()": IMAGES,
    "LeakyReLU(0.2, True)": IMAGES,
    "Sigmoid()": IMAGES,
    "Tanh()": IMAGES,
    "Softmax(1)": IMAGES,
    "LogSoftmax(dim=-1)": IMAGES,
    "Dropout(0.0)": IMAGES,
    "Dropout(1.0)": IMAGES,
    "Flatten()": IMAGES,
    "Flatten(0, 2)": IMAGES,
    "Identity()": IMAGES,
    "Identity(3, anything='goes')": IMAGES,
}

LOSSES = [
    "CrossEntropyLoss()",
    "CrossEntropyLoss(weight=tensor([1.0, 2.0, 0.5]), reduction='sum')",
    "CrossEntropyLoss(ignore_index=1, label_smoothing=0.2)",
    "CrossEntropyLoss(reduction='none')",
    "NLLLoss()",
    "NLLLoss(weight=tensor([1.0, 2.0, 0.5]), ignore_index=0, reduction='none')",
    "MSELoss()",
    "MSELoss(reduction='sum')",
    "L1Loss()",
    "L1Loss(reduction='none')",
]


def build(text, library):
    return eval(text, {**vars(library.nn), "tensor": library.tensor, "OrderedDict": OrderedDict})


def twins(text):
    """The same module in both libraries, with the same parameters."""
    theirs = build(text, torch)
    mine = build(text, minicnn)
    mine.load_state_dict(theirs.state_dict())
    return mine, theirs


def knows_bias():
    """Whether the installed PyTorch is recent enough to know batch normalization's `bias` argument."""
    return "bias" in inspect.signature(torch.nn.BatchNorm2d).parameters


@pytest.mark.parametrize("text", [*LAYERS, *LOSSES])
def test_printing(text):
    if "BatchNorm" in text and not knows_bias():
        pytest.skip("this PyTorch prints batch normalization without its bias")
    assert repr(build(text, minicnn)) == repr(build(text, torch))


def test_an_algorithm_is_printed():
    assert repr(nn.Conv2d(1, 1, 1, algorithm="im2col")).endswith("stride=(1, 1), algorithm=im2col)")


@pytest.mark.parametrize("text", [*LAYERS, *LOSSES])
def test_state(text):
    mine, theirs = build(text, minicnn).state_dict(), build(text, torch).state_dict()
    assert list(mine) == list(theirs)
    for name, value in theirs.items():
        assert mine[name].shape == tuple(value.shape)
        assert str(mine[name].dtype) == str(value.dtype)
    assert mine._metadata == theirs._metadata


@pytest.mark.parametrize("text", [*LAYERS, *LOSSES])
def test_signature(text):
    kind = text.partition("(")[0]
    mine = inspect.signature(getattr(nn, kind)).parameters
    theirs = inspect.signature(getattr(torch.nn, kind)).parameters
    shared = [(p.name, p.default) for p in mine.values() if p.name != "algorithm"]
    if kind in ("Sigmoid", "Tanh"):  # declared as (*args, **kwargs) there, of which none is taken
        assert shared == []
    elif knows_bias():
        assert shared == [(p.name, p.default) for p in theirs.values()]


def close(mine, theirs, bound=1e-5):
    mine, theirs = mine.detach().numpy(), theirs.detach().numpy()
    assert mine.shape == theirs.shape
    assert mine.dtype == theirs.dtype
    np.testing.assert_allclose(mine, theirs, rtol=bound, atol=bound)


@pytest.mark.parametrize(("text", "shape"), LAYERS.items())
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
def test_layers_compute_what_pytorchs_do(text, shape, training):
    mine, theirs = twins(text)
    mine.train(training)
    theirs.train(training)
    stream = np.random.default_rng(0)
    for _ in range(2):  # running estimates move in the first, and count in the second
        values = stream.standard_normal(shape).astype(np.float32)
        x = minicnn.tensor(values, requires_grad=True)
        y = torch.tensor(values, requires_grad=True)
        a, b = mine(x * 1), theirs(y * 1)  # times one: layers that write into a leaf are refused
        if isinstance(b, tuple):
            np.testing.assert_array_equal(a[1].numpy(), b[1].numpy())
            a, b = a[0], b[0]
        close(a, b)
        weights = stream.standard_normal(b.shape).astype(np.float32)
        (a * minicnn.from_numpy(weights)).sum().backward()
        (b * torch.from_numpy(weights)).sum().backward()
        close(x.grad, y.grad, 1e-4)
        for (name, p), (_, q) in zip(mine.named_parameters(), theirs.named_parameters(), strict=True):
            assert p.grad is not None, name
            close(p.grad, q.grad, 1e-4)
        for p, q in zip(mine.buffers(), theirs.buffers(), strict=True):
            close(p, q)


@pytest.mark.parametrize("text", LOSSES)
def test_losses_compute_what_pytorchs_do(text):
    mine, theirs = build(text, minicnn), build(text, torch)
    stream = np.random.default_rng(0)
    values = stream.standard_normal((5, 3)).astype(np.float32)
    targets = stream.standard_normal((5, 3)).astype(np.float32)
    if "Cross" in text or "NLL" in text:
        targets = np.array([0, 2, 1, 0, 2])
    close(
        mine(minicnn.tensor(values), minicnn.tensor(targets)),
        theirs(torch.tensor(values), torch.tensor(targets)),
    )


@pytest.mark.parametrize(("size_average", "reduce"), [(a, b) for a in (None, True, False) for b in (None, True, False)])
@pytest.mark.filterwarnings("ignore:size_average")
def test_the_old_reduction_arguments(size_average, reduce):
    expected = torch.nn.MSELoss(size_average, reduce).reduction
    assert nn.MSELoss(size_average, reduce).reduction == expected
    assert nn.CrossEntropyLoss(None, size_average, -100, reduce).reduction == expected


def test_transposed_convolution_to_a_size():
    mine, theirs = twins("ConvTranspose2d(2, 3, 3, stride=2, padding=1)")
    values = np.random.default_rng(0).standard_normal((1, 2, 4, 5)).astype(np.float32)
    x, y = minicnn.tensor(values), torch.tensor(values)
    for size in ([7, 9], [8, 10], [7, 10], [1, 3, 8, 9], (8, 9), [6, 9], [7, 11], [7], [1, 2, 3, 7, 9]):
        try:
            expected = theirs(y, output_size=size)
        except ValueError:
            with pytest.raises(ValueError, match=r"output.size"):
                mine(x, output_size=size)
        else:
            close(mine(x, output_size=size), expected)
    close(mine(x[0], output_size=[8, 9]), theirs(y[0], output_size=[8, 9]))


@pytest.mark.parametrize(
    "text",
    [
        "Conv2d(4, 6, 3, groups=0)",
        "Conv2d(4, 6, 3, groups=-1)",
        "Conv2d(4, 6, 3, groups=3)",
        "Conv2d(6, 4, 3, groups=3)",
        "Conv2d(4, 6, 3, padding='full')",
        "Conv2d(4, 6, 3, stride=2, padding='same')",
        "Conv2d(4, 6, 3, padding_mode='mirror')",
        "Conv2d(4, 6, 2.5)",
        "Conv2d(4, -6, 3)",
        "Conv2d(4, 6, 3, device='cuda')",
        "Conv2d(4, 6, 3, no_such_option=1)",
        "ConvTranspose2d(4, 6, 3, padding_mode='reflect')",
        "ConvTranspose2d(4, 6, 3, groups=3)",
        "Linear(3)",
        "Linear(3, 2.5)",
        "Linear(3, -2)",
        "Linear(3, 2, device='cuda')",
        "Dropout(1.5)",
        "Dropout(-0.1)",
        "Softmax('1')",
        "LogSoftmax(True)",
        "MaxPool2d()",
        "ReLU(bad=1)",
        "Sequential(3)",
        "Sequential(ReLU, ReLU())",
        "Sequential(OrderedDict([('a.b', ReLU())]))",
        "Sequential(OrderedDict([('', ReLU())]))",
        "Sequential(OrderedDict([('forward', ReLU())]))",
        "ModuleList(3)",
        "ModuleList([3])",
        "Module(3)",
        "Module()(3)",
        "CrossEntropyLoss(weight=[1.0, 2.0])",
        "BatchNorm2d(3)(tensor([[1.0]]))",
        "BatchNorm1d(3)(tensor([1.0]))",
    ],
)
def test_both_refuse(text):
    with pytest.raises(Exception) as expected:  # noqa: PT011
        build(text, torch)
    ours = (ValueError, TypeError, RuntimeError) if expected.type in (RuntimeError, AssertionError) else expected.type
    with pytest.raises(ours):
        build(text, minicnn)


@pytest.mark.parametrize("kind", ["Linear(3, 2, {})", "Conv2d(2, 2, 1, {})", "BatchNorm2d(3, {})"])
def test_dtype_and_device(kind):
    module = build(kind.format("dtype=float64, device='cpu'").replace("float64", "'float64'"), minicnn)
    assert {str(p.dtype) for p in module.parameters()} == {"torch.float64"}
    assert {str(b.dtype) for b in module.buffers()} <= {"torch.float64", "torch.int64"}
    with pytest.raises(RuntimeError, match="reference"):
        build(kind.format("device='cuda:0'"), minicnn)
    with pytest.raises(RuntimeError, match="floating"):
        build(kind.format("dtype='int64'"), minicnn)


# ---- containers ----

ELEMENTS = st.sampled_from(["ReLU()", "Linear(2, 3)", "Linear(3, 2, bias=False)", "Dropout(0.1)", "BatchNorm1d(2)"])
ROWS = st.recursive(
    ELEMENTS,
    lambda inner: st.builds(
        lambda kind, parts: f"{kind}([{', '.join(parts)}])".replace("Sequential([", "Sequential(*["),
        st.sampled_from(["Sequential", "ModuleList"]),
        st.lists(inner, max_size=4),
    ),
    max_leaves=10,
)


@given(ROWS)
def test_nested_containers(text):
    mine, theirs = build(text, minicnn), build(text, torch)
    if knows_bias():
        assert repr(mine) == repr(theirs)
    assert list(mine.state_dict()) == list(theirs.state_dict())
    for walk in ("named_parameters", "named_buffers", "named_modules", "named_children"):
        assert [name for name, _ in getattr(mine, walk)()] == [name for name, _ in getattr(theirs, walk)()]


@st.composite
def edits(draw):
    """A change to a row of modules, as text about `row` and `new`, a function that makes a module."""
    index = draw(st.integers(-5, 5))
    part = f"slice({draw(st.none() | st.integers(-4, 4))}, {draw(st.none() | st.integers(-4, 4))})"
    return draw(
        st.sampled_from(
            [
                "row.append(new())",
                f"row.insert({index}, new())",
                "row.extend([new(), new()])",
                f"row.__setitem__({index}, new())",
                f"row.__delitem__({index})",
                f"row.__delitem__({part})",
                f"row.pop({index})",
                f"row[{part}]",
                f"row[{index}]",
                "row + type(row)()",
                "row.append(3)",
                f"row.insert({index}, 3)",
                "row.__setitem__(0, 3)",
                f"row * {index}",
                f"{index} * row",
                "row.__iadd__(type(row)())",
                f"row.__imul__({index})",
                "row + 3",
                "len(row)",
            ]
        )
    )


@given(st.sampled_from(["Sequential", "ModuleList"]), st.integers(0, 3), st.lists(edits(), max_size=5))
@settings(max_examples=examples(2) * settings.default.max_examples)
def test_editing_containers(kind, length, changes):
    def history(library):
        made = iter(range(1, 1000))

        def new():
            return library.nn.Linear(1, next(made))

        parts = [new() for _ in range(length)]
        row = getattr(library.nn, kind)(*([parts] if kind == "ModuleList" else parts))
        seen = []
        for change in changes:
            try:
                result = eval(change, {"row": row, "new": new})
            except (AssertionError, TypeError, AttributeError, ValueError, IndexError):
                seen.append("refused")
            else:
                seen.append(result if isinstance(result, int) else repr(result))
            seen.append(repr(row))
            seen.append(list(row.state_dict()))
        return seen

    if kind == "ModuleList":  # PyTorch's leaves gaps when it inserts outside the list; see the test below
        changes = [change for change in changes if "insert(" not in change]
    assert history(minicnn) == history(torch)


def test_inserting_into_a_module_list():
    row = nn.ModuleList([nn.Linear(1, 1), nn.Linear(1, 2)])
    row.insert(1, nn.Linear(1, 3))
    row.insert(-1, nn.Linear(1, 4))
    assert [layer.out_features for layer in row] == [1, 3, 4, 2]
    assert list(row._modules) == ["0", "1", "2", "3"]
    with pytest.raises(IndexError):
        row.insert(9, nn.ReLU())


def test_sequential_passes_results_on():
    net = nn.Sequential(OrderedDict([("twice", Double()), ("relu", nn.ReLU())]))
    assert net(minicnn.tensor([-1.0, 2.0])).tolist() == [0, 4]
    assert net.twice is net[0]
    assert nn.Sequential()(3) == 3


# ---- members ----


class Double(nn.Module):
    def forward(self, x):
        return x * 2


def script(library):
    """What attributes do, as far as one can see it; a string for every refusal."""
    nn, seen = library.nn, []
    tensor = library.tensor([1.0, 2.0])
    parameter = nn.Parameter(library.tensor([3.0]))

    def attempt(action):
        try:
            result = action()
        except Exception as error:
            seen.append(type(error).__name__)
        else:
            seen.append(result if isinstance(result, (str, bool, int, list, type(None))) else type(result).__name__)
        seen.append((list(m._parameters), list(m._buffers), list(m._modules), sorted(m._non_persistent_buffers_set)))

    class Early(nn.Module):
        def __init__(self, value):
            self.value = value
            super().__init__()

    m = nn.Module()
    attempt(lambda: Early(3).value)
    attempt(lambda: Early(parameter))
    attempt(lambda: Early(nn.ReLU()))
    attempt(lambda: Early.__new__(Early).register_buffer("b", tensor))
    attempt(lambda: Early.__new__(Early).register_parameter("p", None))
    attempt(lambda: setattr(m, "p", parameter))
    attempt(lambda: setattr(m, "p", tensor))
    attempt(lambda: setattr(m, "p", 3))
    attempt(lambda: setattr(m, "p", nn.ReLU()))
    attempt(lambda: setattr(m, "p", None))
    attempt(lambda: m.p)
    attempt(lambda: setattr(m, "p", parameter))
    attempt(lambda: setattr(m, "layer", nn.ReLU()))
    attempt(lambda: setattr(m, "layer", 3))
    attempt(lambda: setattr(m, "layer", None))
    attempt(lambda: m.layer)
    attempt(lambda: setattr(m, "layer", nn.Tanh()))
    attempt(lambda: setattr(m, "layer", parameter))
    attempt(lambda: m.register_buffer("b", tensor))
    attempt(lambda: m.register_buffer("b", None))
    attempt(lambda: setattr(m, "b", tensor))
    attempt(lambda: setattr(m, "b", 3))
    attempt(lambda: setattr(m, "b", None))
    attempt(lambda: setattr(m, "b", nn.ReLU()))
    attempt(lambda: m.register_buffer("hidden", tensor, persistent=False))
    attempt(lambda: m.register_buffer("hidden", tensor))
    attempt(lambda: m.register_buffer("hidden", tensor, False))
    attempt(lambda: setattr(m, "hidden", parameter))
    attempt(lambda: setattr(m, "plain", tensor))
    attempt(lambda: setattr(m, "plain", parameter))
    attempt(lambda: "plain" in m.__dict__)
    attempt(lambda: m.missing)
    attempt(lambda: delattr(m, "missing"))
    attempt(lambda: delattr(m, "plain"))
    attempt(lambda: delattr(m, "hidden"))
    attempt(lambda: m.register_buffer("gone", tensor, persistent=False))
    attempt(lambda: delattr(m, "gone"))
    attempt(lambda: delattr(m, "b"))
    attempt(lambda: m.register_parameter("q", parameter))
    attempt(lambda: m.register_parameter("q", None))
    attempt(lambda: m.register_parameter("q", tensor))
    attempt(lambda: m.register_parameter("r.s", parameter))
    attempt(lambda: m.register_parameter("", parameter))
    attempt(lambda: m.register_parameter(3, parameter))
    attempt(lambda: m.register_parameter("forward", parameter))
    attempt(lambda: m.register_parameter("training", parameter))
    attempt(lambda: m.register_buffer("q", tensor))
    attempt(lambda: m.register_buffer("r.s", tensor))
    attempt(lambda: m.register_buffer("", tensor))
    attempt(lambda: m.register_buffer(3, tensor))
    attempt(lambda: m.register_buffer("r", 3))
    attempt(lambda: m.add_module("child", nn.Linear(1, 1)))
    attempt(lambda: m.add_module("child", None))
    attempt(lambda: m.register_module("child", nn.Linear(1, 1)))
    attempt(lambda: m.add_module("q", nn.ReLU()))
    attempt(lambda: m.add_module("r.s", nn.ReLU()))
    attempt(lambda: m.add_module("", nn.ReLU()))
    attempt(lambda: m.add_module(3, nn.ReLU()))
    attempt(lambda: m.add_module("r", 3))
    attempt(lambda: m.add_module("r", nn.ReLU))
    attempt(lambda: [name in dir(m) for name in ("child", "p", "q", "forward", "missing")])
    attempt(lambda: dir(nn.Sequential(nn.ReLU())).count("0"))
    attempt(lambda: m.get_submodule("child") is m.child)
    attempt(lambda: m.get_submodule("") is m)
    attempt(lambda: m.get_submodule("child.weight"))
    attempt(lambda: m.get_submodule("nowhere.child"))
    attempt(lambda: m.get_parameter("child.weight") is m.child.weight)
    attempt(lambda: m.get_parameter("child"))
    attempt(lambda: m.get_parameter("child.nothing"))
    attempt(lambda: m.get_buffer("child.weight"))
    attempt(lambda: m.get_buffer("child.nothing"))
    attempt(lambda: nn.BatchNorm2d(3).get_buffer("running_mean"))
    attempt(lambda: m.train(3))
    attempt(lambda: m.eval().training)
    attempt(lambda: m.train().child.training)
    attempt(lambda: setattr(m, "x", parameter * 2))
    attempt(lambda: m.load_state_dict([1, 2]))
    attempt(lambda: nn.Parameter(library.tensor([1, 2])))
    attempt(lambda: nn.Parameter(library.tensor([1, 2]), requires_grad=False))
    attempt(lambda: list(nn.Parameter().shape))
    attempt(lambda: m.to(library.int64))
    attempt(lambda: m.to("cuda"))
    attempt(lambda: m.no_such_method())
    return seen


def test_attributes_behave_as_pytorchs():
    mine, theirs = script(minicnn), script(torch)
    for number, (a, b) in enumerate(zip(mine, theirs, strict=True)):
        if b in ("AssertionError", "RuntimeError"):
            assert a in ("RuntimeError", "ValueError", "TypeError"), number
        else:
            assert a == b, (number // 2, a, b)


def test_parameters_share_memory_and_leave_the_graph():
    source = minicnn.tensor([1.0, 2.0], requires_grad=True)
    parameter = nn.Parameter(source * 2)
    assert parameter.is_leaf
    assert parameter.requires_grad
    array = np.ones(3)
    nn.Parameter(array).detach().numpy()[0] = 5
    assert array[0] == 5
    with pytest.raises(TypeError, match="Tensor or an ndarray"):
        nn.Parameter([1.0])
    assert repr(nn.Parameter(minicnn.tensor([1.0]))).startswith("Parameter containing:\ntensor([1.")


class Shared(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(2, 2)
        self.second = nn.Linear(2, 2)
        self.second.weight = self.first.weight
        self.again = self.first


def test_shared_parameters_are_walked_once():
    module = Shared()
    names = [name for name, _ in module.named_parameters()]
    assert names == ["first.weight", "first.bias", "second.bias"]
    assert len(list(module.parameters())) == 3
    assert [name for name, _ in module.named_modules()] == ["", "first", "second"]
    assert [name for name, _ in module.named_children()] == ["first", "second"]
    everything = [name for name, _ in module.named_parameters(remove_duplicate=False)]
    assert everything == list(module.state_dict())
    assert [name for name, _ in module.first.named_parameters(prefix="a", recurse=False)] == [
        "a.weight",
        "a.bias",
    ]
    assert list(module.parameters(recurse=False)) == []
    assert [name for name, _ in module.named_modules(remove_duplicate=False)] == [
        "",
        "first",
        "second",
        "again",
    ]


def test_deep_trees():
    depth = 300
    module = nn.Identity()
    for _ in range(depth):
        module = nn.Sequential(module)
    assert sum(1 for _ in module.modules()) == depth + 1
    assert module(3) == 3


# ---- acting on the tree ----


def test_conversion():
    net = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    weight = net[0].weight
    weight.grad = minicnn.zeros_like(weight)
    assert net.double() is net
    assert net[0].weight is weight
    assert weight.requires_grad
    assert {str(t.dtype) for t in [*net.parameters(), weight.grad, net[1].running_var]} == {"torch.float64"}
    assert net[1].num_batches_tracked.dtype == minicnn.int64
    net.to(minicnn.float32)
    assert {str(p.dtype) for p in net.parameters()} == {"torch.float32"}
    net.to("cpu", minicnn.float64)
    assert {str(p.dtype) for p in net.parameters()} == {"torch.float64"}
    net.to(minicnn.tensor(1.0))
    assert {str(p.dtype) for p in net.float().parameters()} == {"torch.float32"}
    assert net.to(device="cpu", non_blocking=True).to(minicnn.device("cpu")).cpu() is net
    for move in (
        net.cuda,
        lambda: net.cuda(0),
        lambda: net.to("cuda:1"),
        lambda: nn.ReLU().to(device="cuda"),
    ):
        with pytest.raises(RuntimeError, match="reference"):
            move()


def test_apply_visits_children_first():
    net = nn.Sequential(nn.ReLU(), nn.Sequential(nn.Tanh()))
    seen = []
    assert net.apply(lambda module: seen.append(type(module).__name__)) is net
    assert seen == ["ReLU", "Tanh", "Sequential", "Sequential"]


def test_zero_grad_and_requires_grad():
    layer = nn.Linear(2, 1)
    layer(minicnn.ones(3, 2)).sum().backward()
    layer.zero_grad(set_to_none=False)
    assert layer.weight.grad.tolist() == [[0, 0]]
    layer.zero_grad()
    assert layer.weight.grad is None
    assert layer.requires_grad_(False) is layer
    assert not layer(minicnn.ones(3, 2)).requires_grad


def test_copies_are_independent():
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    net[0].weight.note = "kept"
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert repr(other) == repr(net)
        assert isinstance(other[0].weight, nn.Parameter)
        assert other[0].weight.note == "kept"
        assert other[0].weight.requires_grad
        nn.init.zeros_(other[0].weight)
        assert net[0].weight.abs().sum().item() > 0
    shared = copy.deepcopy(Shared())
    assert shared.first.weight is shared.second.weight


# ---- state ----

NET = "Sequential(Conv2d(1, 2, 3), BatchNorm2d(2), Sequential(Linear(2, 3), Linear(3, 1, bias=False)))"


@pytest.mark.parametrize("form", ["torch", "tensor", "ndarray", "float64"])
def test_state_from_elsewhere(form):
    source = build(NET, torch)
    expected = {name: value.numpy() for name, value in source.state_dict().items()}
    forms = {
        "torch": source.state_dict(),
        "tensor": {name: minicnn.tensor(value) for name, value in expected.items()},
        "ndarray": expected,
        "float64": {name: value.astype(np.float64) for name, value in expected.items()},
    }
    net = build(NET, minicnn)
    held = net[0].weight, net[0].weight._array
    result = net.load_state_dict(forms[form])
    assert result == ([], [])
    assert repr(result) == "<All keys matched successfully>"
    assert held[0] is net[0].weight
    assert held[1] is net[0].weight._array
    for name, value in net.state_dict().items():
        assert value.dtype == expected[name].dtype
        np.testing.assert_array_equal(value.numpy(), expected[name])


def test_state_shares_memory_outside_the_graph():
    layer = nn.Linear(2, 2)
    state = layer.state_dict()
    assert not state["weight"].requires_grad
    state["weight"].zero_()
    assert layer.weight.abs().sum().item() == 0
    assert layer.state_dict(keep_vars=True)["weight"] is layer.weight
    assert list(layer.state_dict(prefix="a.")) == ["a.weight", "a.bias"]
    layer.register_buffer("hidden", minicnn.zeros(1), persistent=False)
    assert list(layer.state_dict()) == ["weight", "bias"]


CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["drop", "add", "reshape"]),
        st.sampled_from(
            [
                "0.weight",
                "1.weight",
                "1.running_mean",
                "1.num_batches_tracked",
                "2.0.bias",
                "2",
                "2.0",
                "x",
                "0.x.y",
            ]
        ),
    ),
    max_size=4,
)


@given(CHANGES, st.booleans(), st.booleans())
def test_what_does_not_fit_is_named_and_nothing_changes(changes, strict, versioned):
    def outcome(library):
        net = build(NET, library)
        state = net.state_dict()
        if not versioned:
            state = OrderedDict(state)
        for change, key in changes:
            if change == "drop":
                state.pop(key, None)
            else:
                state[key] = library.zeros(7) if change == "reshape" else state.get(key, library.zeros(3))
        before = {name: np.array(value.detach().numpy()) for name, value in net.state_dict().items()}
        state = type(state)((name, value * 0 + 9) for name, value in state.items())
        if versioned:
            state._metadata = net.state_dict()._metadata
        try:
            result = net.load_state_dict(state, strict=strict)
        except RuntimeError as error:
            if library is minicnn:
                for name, value in net.state_dict().items():
                    np.testing.assert_array_equal(value.numpy(), before[name])
            text = str(error)
            return [sorted(word for word in text.replace('"', " ").replace(":", " ").split() if word in KEYS)]
        return tuple(result)

    KEYS = {key for _, key in changes}
    assert outcome(minicnn) == outcome(torch)


def test_all_that_is_wrong_is_named_at_once():
    net = build(NET, minicnn)
    state = net.state_dict()
    del state["0.bias"], state["2.0.bias"]
    state["2.1.weight"] = minicnn.zeros(4, 4)
    state["1.weight"] = "text"
    state["extra"] = minicnn.zeros(1)
    with pytest.raises(RuntimeError) as caught:
        net.load_state_dict(state)
    for expected in (
        '"0.bias", "2.0.bias"',
        "size mismatch for 2.1.weight",
        '"1.weight"',
        '"extra"',
        "[4, 4]",
    ):
        assert expected in str(caught.value)
    with pytest.raises(RuntimeError, match="size mismatch") as caught:
        net.load_state_dict(state, strict=False)
    assert "extra" not in str(caught.value)


def test_backward_notices_that_state_was_loaded():
    layer = nn.Linear(2, 1, bias=False)
    x = minicnn.ones(1, 2).requires_grad_()
    y = layer(x).sum()
    layer.load_state_dict({"weight": np.zeros((1, 2))})
    with pytest.raises(RuntimeError, match="modified"):
        y.backward()


# ---- hooks ----


def hooked(library):
    """What hooks see and change, in order."""
    nn, seen = library.nn, []

    class Scale(nn.Module):
        def forward(self, x, factor=2):
            seen.append("forward")
            return x * factor

    def note(name, value=None):
        def hook(module, *args):
            seen.append((name, type(module).__name__, len(args), [type(a).__name__ for a in args]))
            return value(args) if value else None

        return hook

    scale = Scale()
    handles = [
        scale.register_forward_pre_hook(note("pre")),
        scale.register_forward_pre_hook(note("plus one", lambda a: a[0][0] + 1)),
        scale.register_forward_pre_hook(note("keyword", lambda a: (a[0], {"factor": 3})), with_kwargs=True),
        scale.register_forward_pre_hook(note("first"), prepend=True),
        scale.register_forward_hook(note("after")),
        scale.register_forward_hook(note("minus", lambda a: a[1] - 100)),
        scale.register_forward_hook(note("with keywords"), with_kwargs=True, prepend=True),
    ]
    x = library.tensor([1.0])
    seen.append(scale(x).tolist())
    handles[1].remove()
    handles[1].remove()
    seen.append(scale(x, factor=5).tolist())
    with handles[5]:
        seen.append(scale(x).tolist())
    seen.append(scale(x).tolist())
    for handle in handles:
        handle.remove()
    seen.append(scale(x).tolist())
    bad = scale.register_forward_pre_hook(lambda module, args, kwargs: 3, with_kwargs=True)
    try:
        scale(x)
    except RuntimeError:
        seen.append("refused")
    bad.remove()
    return seen


def test_forward_hooks_do_what_pytorchs_do():
    assert [str(entry).replace("Tensor", "tensor") for entry in hooked(minicnn)] == [
        str(entry).replace("Tensor", "tensor") for entry in hooked(torch)
    ]


def backward_hooked(library, needs_input, returns):
    nn, seen = library.nn, []

    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(library.tensor([2.0, 3.0]))

        def forward(self, x, text, y):
            return x * self.weight, y * y * self.weight.sum()

    def numbers(gradients):
        return [None if g is None else g.tolist() for g in gradients]

    def hook(module, grad_input, grad_output):
        seen.append((numbers(grad_input), numbers(grad_output)))
        if returns:
            return tuple(None if g is None else g * 10 for g in grad_input)
        return None

    module = Two()
    handle = module.register_full_backward_hook(hook)
    x = library.tensor([1.0, -1.0], requires_grad=needs_input)
    y = library.tensor([4.0, 0.5])
    for both in (True, False):
        a, b = module(x, "text", y)
        (a.sum() * 2 + (b.sum() if both else 0)).backward()
        seen.append((numbers([x.grad]), module.weight.grad.tolist()))
        x.grad = module.weight.grad = None
        handle.remove()
    seen.append(numbers([module(x, "text", y)[0]]))
    return seen


@pytest.mark.parametrize("needs_input", [True, False])
@pytest.mark.parametrize("returns", [True, False])
@pytest.mark.filterwarnings("ignore:Full backward hook is firing")
def test_backward_hooks_do_what_pytorchs_do(needs_input, returns):
    assert backward_hooked(minicnn, needs_input, returns) == backward_hooked(torch, needs_input, returns)


def test_backward_hooks_are_checked():
    layer = nn.Linear(2, 1)
    x = minicnn.ones(1, 2)
    for result, needs_input in (((1, 2, 3), True), ((minicnn.ones(1, 2),), False)):
        handle = layer.register_full_backward_hook(lambda *_, result=result: result)
        y = layer(x.clone().requires_grad_(needs_input)).sum()
        with pytest.raises(RuntimeError, match="backward hook"):
            y.backward()
        handle.remove()


# ---- clipping ----


@given(
    st.lists(st.integers(-8, 8) | st.lists(st.integers(-8, 8), max_size=4), max_size=3),
    st.sampled_from([0.5, 1, 100.0, 0.0]),
    st.sampled_from([2.0, 1, 3.0, 0.5, 0, -1.0, float("inf"), -float("inf")]),
)
def test_clip_grad_norm(gradients, most, order):
    mine, theirs = [], []
    for gradient in gradients:
        values = np.array(gradient, np.float32)
        mine.append(nn.Parameter(np.zeros_like(values)))
        theirs.append(torch.nn.Parameter(torch.zeros(values.shape)))
        mine[-1].grad, theirs[-1].grad = minicnn.tensor(values), torch.tensor(values)
    mine.append(nn.Parameter(np.zeros(1)))
    theirs.append(torch.nn.Parameter(torch.zeros(1)))
    try:
        total = torch.nn.utils.clip_grad_norm_(theirs, most, order)
    except RuntimeError:  # no largest or smallest of nothing
        with pytest.raises(RuntimeError, match="without elements"):
            nn.utils.clip_grad_norm_(mine, most, order)
    else:
        close(nn.utils.clip_grad_norm_(mine, most, order), total, 1e-6)
    for p, q in zip(mine[:-1], theirs[:-1], strict=True):
        close(p.grad, q.grad, 1e-6)


def test_clip_grad_norm_of_what_is_not_finite():
    for value in (np.inf, np.nan):
        mine, theirs = nn.Parameter(np.zeros(2, np.float32)), torch.nn.Parameter(torch.zeros(2))
        values = np.array([value, 1], np.float32)
        mine.grad, theirs.grad = minicnn.tensor(values), torch.tensor(values)
        with pytest.raises(RuntimeError, match="non-finite"):
            nn.utils.clip_grad_norm_(mine, 1.0, error_if_nonfinite=True)
        np.testing.assert_array_equal(mine.grad.numpy(), values)
        nn.utils.clip_grad_norm_(iter([mine]), 1.0)
        torch.nn.utils.clip_grad_norm_(theirs, 1.0)
        np.testing.assert_array_equal(mine.grad.numpy(), theirs.grad.numpy())


def test_clip_grad_norm_of_no_parameters_warns():
    with pytest.warns(UserWarning, match="empty generator"):
        assert nn.utils.clip_grad_norm_((p for p in ()), 1.0).item() == 0


def test_clip_grad_norm_of_large_gradients_in_any_memory_order():
    gradient = np.random.default_rng(0).standard_normal((30, 40, 50)).astype(np.float32).transpose(2, 0, 1)
    parameter = nn.Parameter(np.zeros(gradient.shape, np.float32))
    parameter.grad = minicnn.tensor(gradient)
    total = nn.utils.clip_grad_norm_([parameter], 1.0)
    exact = np.sqrt((gradient.astype(np.float64) ** 2).sum())
    assert total.item() == pytest.approx(exact, rel=1e-5)
    np.testing.assert_allclose(parameter.grad.numpy(), gradient / exact, rtol=1e-5)
