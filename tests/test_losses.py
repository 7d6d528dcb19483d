"""The losses beside those of classes, dropout of channels, and padding layers, against PyTorch."""

import itertools
import warnings

import numpy as np
import pytest
import torch
from agreement import assert_agrees, assert_same, examples, outcome
from hypothesis import given, settings
from hypothesis import strategies as st

import minicnn
import minicnn.nn as nn
import minicnn.nn.functional as F

REDUCTIONS = st.sampled_from(["mean", "sum", "none"])
shapes = st.lists(st.sampled_from([0, 1, 2, 3, 7, 8, 9]), max_size=3).map(tuple)

OF_TWO = {
    "mse_loss": [{}],
    "l1_loss": [{}],
    "smooth_l1_loss": [{}, {"beta": 0.5}, {"beta": 0}, {"beta": -1}],
    "huber_loss": [{}, {"delta": 0.5}, {"delta": 0}],
    "soft_margin_loss": [{}],
    "hinge_embedding_loss": [{}, {"margin": 2}],
    "binary_cross_entropy": [{}],
    "binary_cross_entropy_with_logits": [{}],
    "multilabel_soft_margin_loss": [{}],
    "poisson_nll_loss": [{}, {"full": True}, {"log_input": False}],
    "kl_div": [{}, {"log_target": True}],
}
CASES = [(name, arguments) for name, several in OF_TWO.items() for arguments in several]
SIGNS = ("soft_margin_loss", "hinge_embedding_loss")
PROBABILITIES = ("binary_cross_entropy", "binary_cross_entropy_with_logits", "multilabel_soft_margin_loss", "kl_div")


@pytest.mark.parametrize(("name", "arguments"), CASES)
@settings(max_examples=examples(12))
@given(shape=shapes, reduction=REDUCTIONS, seed=st.integers(0, 99), broadcast=st.booleans())
def test_losses_of_two(name, arguments, shape, reduction, seed, broadcast):
    """Value, gradients and errors, with shapes that are equal or broadcast."""
    rng = np.random.default_rng(seed)
    other = shape[1:] if broadcast else shape
    x, t = rng.standard_normal(shape), rng.standard_normal(other)
    if name in SIGNS:
        t = np.sign(t)
    if name in PROBABILITIES or name == "poisson_nll_loss":
        t = rng.random(other) * (3 if name == "poisson_nll_loss" else 1)
    if name == "binary_cross_entropy" or not arguments.get("log_input", True):
        x = rng.random(shape)

    def program(module, x, t):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            return getattr(module.nn.functional, name)(x, t, reduction=reduction, **arguments)

    differentiable = name not in SIGNS
    assert_agrees(
        program,
        minicnn.as_tensor(np.asarray(x)).requires_grad_(),
        minicnn.as_tensor(np.asarray(t)).requires_grad_(differentiable),
        rtol=1e-11,
    )


@settings(max_examples=examples(20))
@given(
    name=st.sampled_from(["binary_cross_entropy", "binary_cross_entropy_with_logits"]),
    shape=st.sampled_from([(3,), (2, 3), (2, 1)]),
    weight=st.sampled_from([None, (3,), (1,), (2, 1), (2, 3), (4,)]),
    pos_weight=st.sampled_from([None, (3,), (1,), (2, 1)]),
    reduction=REDUCTIONS,
)
def test_weights_of_binary_cross_entropy(name, shape, weight, pos_weight, reduction):
    rng = np.random.default_rng(0)
    arrays = [
        minicnn.as_tensor(rng.random(shape)).requires_grad_(),
        minicnn.as_tensor(rng.random(shape)).requires_grad_(),
    ]
    arrays += [None if n is None else minicnn.as_tensor(rng.random(n)) for n in (weight, pos_weight)]

    def program(module, x, t, weight, pos_weight):
        more = {"pos_weight": pos_weight} if name.endswith("logits") else {}
        return getattr(module.nn.functional, name)(x, t, weight, reduction=reduction, **more)

    assert_agrees(program, *arrays, rtol=1e-11)


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "huber_loss"])
@given(reduction=REDUCTIONS, weight=st.sampled_from([(2, 3), (3,)]))
@settings(max_examples=examples(8))
def test_weights_of_differences(name, reduction, weight):
    rng = np.random.default_rng(0)
    arrays = [minicnn.as_tensor(rng.random(n)).requires_grad_() for n in ((2, 3), (2, 3), weight)]
    assert_agrees(
        lambda module, x, t, w: getattr(module.nn.functional, name)(x, t, reduction=reduction, weight=w),
        *arrays,
        rtol=1e-12,
    )


@given(N=st.integers(0, 4), D=st.integers(1, 9), batched=st.booleans(), reduction=REDUCTIONS, seed=st.integers(0, 99))
@settings(max_examples=examples(20))
def test_pairs_and_triplets(N, D, batched, reduction, seed):
    rng = np.random.default_rng(seed)
    shape = (N, D) if batched else (D,)
    a, p, n = (minicnn.as_tensor(rng.standard_normal(shape)).requires_grad_() for _ in range(3))
    sign = minicnn.as_tensor(np.asarray(rng.integers(-1, 2, shape[:-1])))

    def cosine(module, a, p, sign):
        return module.nn.functional.cosine_embedding_loss(a, p, sign, 0.25, reduction=reduction)

    def triplet(module, a, p, n):
        F = module.nn.functional
        own = F.triplet_margin_with_distance_loss(
            a, p, n, distance_function=lambda x, y: (x - y).abs().sum(-1), swap=True, reduction=reduction
        )
        return [
            F.triplet_margin_loss(a, p, n, 0.5, p=q, swap=s, reduction=reduction) for q, s in ((2, False), (1, True))
        ] + [own]

    def ranking(module, a, p):
        return module.nn.functional.margin_ranking_loss(a, p, a.detach().sign(), 0.5, reduction=reduction)

    assert_agrees(cosine, a, p, sign, rtol=1e-10)
    assert_agrees(triplet, a, p, n, rtol=1e-10)
    assert_agrees(ranking, a, p, rtol=1e-12)


KINDS = ("int64", "uint8", "bool", "float32", "float64")


@pytest.mark.parametrize("name", [
    "l1_loss", "mse_loss", "smooth_l1_loss", "huber_loss", "hinge_embedding_loss", "kl_div", "poisson_nll_loss",
    "soft_margin_loss", "multilabel_soft_margin_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits",
    "margin_ranking_loss", "cosine_embedding_loss", "triplet_margin_loss", "gaussian_nll_loss",
])  # fmt: skip
@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
def test_losses_of_any_dtypes(name, reduction):
    """Whole numbers and truths are computed as PyTorch computes them, or refused where it refuses them."""
    rng = np.random.default_rng(0)
    three = name in ("margin_ranking_loss", "cosine_embedding_loss", "triplet_margin_loss", "gaussian_nll_loss")
    for dtypes in itertools.product(KINDS, repeat=3 if three else 2):
        arrays = [np.asarray(rng.integers(0, 2, (3, 4))).astype(dtype) for dtype in dtypes]
        if name == "cosine_embedding_loss":
            arrays[2] = np.array([1, -1, 1]).astype(dtypes[2])

        def loss(module, arrays=arrays):
            tensors = [module.from_numpy(array.copy()) for array in arrays]
            return getattr(module.nn.functional, name)(*tensors, reduction=reduction)

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ours, theirs = outcome(loss, minicnn), outcome(loss, torch)
        assert_same(ours, theirs, rtol=1e-5, what=f"{name} of {dtypes}")


@pytest.mark.parametrize("margin", [1, 1.7, -0.5])
@pytest.mark.parametrize("dtype", ["int64", "uint8", "int16", "float32"])
@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
def test_hinges_of_whole_numbers(dtype, margin, reduction):
    """The margin is as whole as they are, and so are the losses."""

    def loss(module):
        x, target = module.from_numpy(np.arange(6).astype(dtype)), module.from_numpy(np.array([1.0, -1, 0, 1, -1, -1]))
        return module.nn.functional.hinge_embedding_loss(x, target, margin, reduction=reduction)

    assert_same(outcome(loss, minicnn), outcome(loss, torch))


@given(
    N=st.integers(1, 4),
    K=st.integers(1, 6),
    batched=st.booleans(),
    p=st.integers(1, 3),
    reduction=REDUCTIONS,
    seed=st.integers(0, 99),
)
@settings(max_examples=examples(25))
def test_margins_of_classes(N, K, batched, p, reduction, seed):
    rng = np.random.default_rng(seed)
    shape = (N, K) if batched else (K,)
    x, weight = minicnn.as_tensor(rng.standard_normal(shape)).requires_grad_(), minicnn.as_tensor(rng.random(K))
    one = minicnn.as_tensor(np.asarray(rng.integers(0, K + (seed % 10 == 0), shape[:-1])))
    labels = minicnn.as_tensor(rng.integers(-1, K, shape))

    def single(module, x, t, w):
        return module.nn.functional.multi_margin_loss(x, t, p, 0.75, w, reduction=reduction)

    def several(module, x, t):
        return module.nn.functional.multilabel_margin_loss(x, t, reduction=reduction)

    assert_agrees(single, x, one, weight, rtol=1e-12)
    assert_agrees(several, x, labels, rtol=1e-12)


@given(var=st.sampled_from([(2, 3), (2,), (2, 1), (1, 3), (3,), ()]), full=st.booleans(), reduction=REDUCTIONS)
@settings(max_examples=examples(20))
def test_gaussian_nll_loss(var, full, reduction):
    rng = np.random.default_rng(0)
    arrays = [minicnn.as_tensor(np.asarray(rng.random(n))).requires_grad_() for n in ((2, 3), (2, 3), var)]

    def program(module, x, t, v):
        return module.nn.functional.gaussian_nll_loss(x, t, v, full, 0.25, reduction)

    assert_agrees(program, *arrays, rtol=1e-12)


OLD = [(None, None), (True, None), (False, None), (None, False), (False, False), (True, False), (False, True)]


@pytest.mark.parametrize(("size_average", "reduce"), OLD[1:])
def test_old_arguments(size_average, reduce):
    """They warn, and choose what PyTorch chooses."""
    x, t = np.array([0.25, 0.5]), np.array([1.0, 0.0])
    for name in ("mse_loss", "binary_cross_entropy", "kl_div", "soft_margin_loss"):
        with pytest.warns(UserWarning, match="please use reduction="):
            ours = getattr(F, name)(
                minicnn.as_tensor(x), minicnn.as_tensor(t), size_average=size_average, reduce=reduce
            )
        with pytest.warns(UserWarning, match="please use reduction="):
            theirs = getattr(torch.nn.functional, name)(
                torch.from_numpy(x), torch.from_numpy(t), size_average=size_average, reduce=reduce
            )
        assert_same(ours, theirs, 1e-12)
    with pytest.warns(UserWarning, match="please use reduction="):
        assert nn.BCELoss(None, size_average, reduce).reduction in ("mean", "sum", "none")


def test_no_classes():
    """All targets ignored where there are no classes at all: NaN, or zeros."""
    for name in ("nll_loss", "cross_entropy"):
        for reduction in ("mean", "sum", "none"):
            assert_agrees(
                lambda module, x, t, n=name, r=reduction: getattr(module.nn.functional, n)(x, t, reduction=r),
                minicnn.as_tensor(np.zeros((2, 0))).requires_grad_(),
                minicnn.as_tensor(np.full(2, -100)),
            )


LAYERS = [
    "BCELoss()", "BCEWithLogitsLoss()", "SmoothL1Loss(beta=0.5)", "HuberLoss(delta=2.0)", "KLDivLoss(reduction='sum')",
    "TripletMarginLoss(0.5)", "TripletMarginWithDistanceLoss(swap=True)", "CosineEmbeddingLoss(0.5)",
    "MarginRankingLoss(0.5)", "SoftMarginLoss()", "HingeEmbeddingLoss(2.0)", "MultiMarginLoss(2)",
    "MultiLabelMarginLoss()", "MultiLabelSoftMarginLoss()", "PoissonNLLLoss(full=True)", "GaussianNLLLoss(full=True)",
    "ReflectionPad2d(1)", "ReflectionPad1d((1, 2))", "ReflectionPad3d(1)", "ReplicationPad2d((1, 0, 2, 1))",
    "ReplicationPad1d(2)", "ReplicationPad3d(1)", "ZeroPad2d((1, 2, 0, -1))", "ZeroPad1d(3)", "ZeroPad3d(1)",
    "ConstantPad2d(1, 0.5)", "ConstantPad1d((2, 1), 3)", "ConstantPad3d(1, 2)", "CircularPad2d(1)",
    "CircularPad1d((1, 2))", "CircularPad3d(1)", "Dropout(0.2)", "Dropout1d()", "Dropout2d(0.3, True)", "Dropout3d()",
    "AlphaDropout(0.1)", "FeatureAlphaDropout()",
]  # fmt: skip


@pytest.mark.parametrize("source", LAYERS)
def test_layers(source):
    """Printed as PyTorch's, with the same attributes."""
    ours, theirs = eval(f"nn.{source}", {"nn": nn}), eval(f"nn.{source}", {"nn": torch.nn})
    assert repr(ours) == repr(theirs)
    for name, value in vars(theirs).items():
        if not name.startswith("_") and not callable(value):
            assert getattr(ours, name) == value, name
    assert list(ours.state_dict()) == list(theirs.state_dict())


@pytest.mark.parametrize("source", [source for source in LAYERS if "Pad" in source])
@pytest.mark.parametrize("batched", [True, False])
def test_padding_layers(source, batched):
    """Values and gradients, in both orders of memory."""
    dimensions = int(source.split("Pad")[1][0])
    shape = ((2,) if batched else ()) + (3, 4, 5, 6)[: dimensions + 1]
    x = np.random.default_rng(0).integers(-9, 9, shape).astype(np.float32)
    for array in (x, np.moveaxis(np.ascontiguousarray(np.moveaxis(x, -dimensions - 1, -1)), -1, -dimensions - 1)):
        assert_agrees(
            lambda module, x: eval(f"nn.{source}", {"nn": module.nn})(x), minicnn.as_tensor(array).requires_grad_()
        )


@pytest.mark.parametrize(
    ("name", "shape", "drawn"),
    [
        ("dropout1d", (5, 40, 3), (5, 40, 1)),
        ("dropout1d", (200, 3), (200, 1)),
        ("dropout2d", (5, 40, 2, 3), (5, 40, 1, 1)),
        ("dropout3d", (5, 40, 1, 2, 3), (5, 40, 1, 1, 1)),
        ("alpha_dropout", (20, 30), (20, 30)),
        ("feature_alpha_dropout", (5, 40, 3), (5, 40, 1)),
    ],
)
def test_dropout_of_parts(name, shape, drawn):
    """Channels go together, about as many as asked for; what they become is PyTorch's; the gradient is the factor."""
    minicnn.manual_seed(1)
    torch.manual_seed(1)
    x = minicnn.as_tensor(np.ones(shape)).requires_grad_()
    y = getattr(F, name)(x, 0.25, training=True)
    theirs = getattr(torch.nn.functional, name)(torch.ones(shape, dtype=torch.float64), 0.25, training=True)
    values = y.detach().numpy()
    np.testing.assert_allclose(np.unique(values.round(12)), np.unique(theirs.numpy().round(12)), atol=1e-11)
    first = values[tuple(slice(None, n) for n in drawn)]
    np.testing.assert_array_equal(values, np.broadcast_to(first, shape))
    assert 0.1 < (first == values.min()).mean() < 0.4
    y.sum().backward()
    assert len(np.unique(x.grad.numpy())) == 2
    with_none, left = (T.ones(shape).requires_grad_() for T in (minicnn, torch))
    same = getattr(torch.nn.functional, name)(left, 0.25, training=False) is left  # an unbatched image is viewed
    assert (getattr(F, name)(with_none, 0.25, training=False) is with_none) == same


WRONG = [
    lambda F, x: F.dropout(x, 1.5),
    lambda F, x: F.dropout1d(x[0], 0.5),
    lambda F, x: F.dropout2d(x.long(), 0.5),
    lambda F, x: F.alpha_dropout(x.long(), 0.5, True),
    lambda F, x: F.binary_cross_entropy(x * 4, x),
    lambda F, x: F.binary_cross_entropy(x, x[0]),
    lambda F, x: F.binary_cross_entropy_with_logits(x, x[0]),
    lambda F, x: F.triplet_margin_loss(x, x, x, margin=0),
    lambda F, x: F.triplet_margin_loss(x, x, x[0]),
    lambda F, x: F.cosine_embedding_loss(x, x, x),
    lambda F, x: F.margin_ranking_loss(x, x, x[0]),
    lambda F, x: F.mse_loss(x, x, reduction="batchmean"),
    lambda F, x: F.multi_margin_loss(x, x),
    lambda F, x: F.gaussian_nll_loss(x, x, -x),
]


@pytest.mark.parametrize("call", WRONG)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_wrong_arguments(call):
    x = np.linspace(0.1, 1, 6, dtype=np.float32).reshape(2, 3)
    ours, theirs = outcome(call, F, minicnn.as_tensor(x)), outcome(call, torch.nn.functional, torch.from_numpy(x))
    assert isinstance(theirs, (RuntimeError, ValueError)), theirs
    assert isinstance(ours, RuntimeError if isinstance(theirs, RuntimeError) else ValueError), ours
