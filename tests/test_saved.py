"""Which operands of an operation may be changed in place before the backward: those that PyTorch doesn't keep."""

import numpy as np
import pytest
import torch

import minicnn

LONG = [0, 1]
ACTIVATIONS = ["tanhshrink", "softshrink", "hardshrink", "softsign", "logsigmoid", "mish", "glu", "celu", "hardswish"]
ALONG = ["cummax", "cummin", "cumprod", "cumsum", "logcumsumexp", "median", "mode", "sort", "amax", "max"]
WHOLE = ["nansum", "nanmean", "prod", "median"]
OPERATIONS = {
    "rms_norm": (lambda T, x, w: T.nn.functional.rms_norm(x, (2,), w), (3, 2), (2,)),
    "layer_norm": (lambda T, x, w: T.nn.functional.layer_norm(x, (2,), w), (3, 2), (2,)),
    "group_norm": (lambda T, x, w: T.nn.functional.group_norm(x, 1, w), (1, 2, 2), (2,)),
    "instance_norm": (lambda T, x, w: T.nn.functional.instance_norm(x, weight=w), (1, 2, 2), (2,)),
    "batch_norm": (lambda T, x, w: T.nn.functional.batch_norm(x, None, None, w, training=True), (3, 2, 2), (2,)),
    "prelu": (lambda T, x, w: T.nn.functional.prelu(x, w), (4,), (1,)),
    "cosine_similarity": (lambda T, x, y: T.nn.functional.cosine_similarity(x, y, 0), (3,), (3,)),
    "pairwise_distance": (lambda T, x, y: T.nn.functional.pairwise_distance(x, y), (3, 2), (3, 2)),
    "local_response_norm": (lambda T, x: T.nn.functional.local_response_norm(x, 2), (1, 3, 4)),
    "bilinear": (lambda T, x, y, w: T.nn.functional.bilinear(x, y, w), (3, 2), (3, 2), (1, 2, 2)),
    "cross": (lambda T, x, y: T.linalg.cross(x, y), (2, 3), (2, 3)),
    "normalize": (lambda T, x: T.nn.functional.normalize(x, dim=0), (3,)),
    **{name: (lambda T, x, name=name: getattr(T.nn.functional, name)(x), (4,)) for name in ACTIVATIONS},
    **{name: (lambda T, x, name=name: getattr(x, name)(0), (3,)) for name in ALONG},
    **{name: (lambda T, x, name=name: getattr(x, name)(), (3,)) for name in WHOLE},
    "masked_select": (lambda T, x: x.masked_select(x > 0), (3, 2)),
    "by mask": (lambda T, x: x[x > 0], (3, 2)),
    "masked_scatter": (lambda T, x, y: x.masked_scatter(x > 0, y), (3,), (4,)),
    "gather": (lambda T, x: x.gather(0, T.tensor(LONG)), (3,)),
    "take": (lambda T, x: x.take(T.tensor(LONG)), (3,)),
    "index_select": (lambda T, x: x.index_select(0, T.tensor(LONG)), (3,)),
    "index_copy": (lambda T, x, y: x.index_copy(0, T.tensor(LONG), y), (3, 2), (2, 2)),
    "index_add": (lambda T, x, y: x.index_add(0, T.tensor(LONG), y), (3, 2), (2, 2)),
    "index_put": (lambda T, x, y: x.index_put((T.tensor(LONG),), y), (3,), (2,)),
    "scatter": (lambda T, x, y: x.scatter(0, T.tensor(LONG), y), (3,), (2,)),
    "where": (lambda T, x, y: T.where(x > 0, x, y), (3,), (3,)),
}


def outcome(T, operation, shapes, changed, differentiated):
    """Gradients after operand number `changed` was changed between forward and backward, or that this was refused."""
    rng = np.random.default_rng(0)
    leaves = [
        T.tensor(rng.standard_normal(shape)).requires_grad_(i in differentiated) for i, shape in enumerate(shapes)
    ]
    operands = [leaf * 1 for leaf in leaves]
    result = operation(T, *operands)
    result = result[0] if isinstance(result, tuple) else result
    operands[changed].add_(1)
    try:
        result.sum().backward()
    except RuntimeError as error:
        return "refused" if "modified by an in" in str(error) else str(error)
    return [None if leaf.grad is None else leaf.grad.numpy() for leaf in leaves]


@pytest.mark.parametrize("name", OPERATIONS)
def test_operands_may_change_where_pytorch_lets_them(name):
    operation, *shapes = OPERATIONS[name]
    for changed in range(len(shapes)):
        for differentiated in [*({i} for i in range(len(shapes))), set(range(len(shapes)))]:
            ours, theirs = (outcome(T, operation, shapes, changed, differentiated) for T in (minicnn, torch))
            where = f"{name}, operand {changed} changed, gradients of {differentiated}"
            assert (ours == "refused") == (theirs == "refused"), where
            if ours != "refused":
                for mine, expected in zip(ours, theirs, strict=True):
                    assert (mine is None) == (expected is None), where
                    if mine is not None:
                        np.testing.assert_allclose(mine, expected, rtol=1e-9, atol=1e-12, err_msg=where)


COMPOSED = {
    "quantile": lambda T, x: x.quantile(0.25, 0),
    "rot90": lambda T, x: x.rot90(),
    "kron": lambda T, x: T.kron(x, x),
    "einsum": lambda T, x: T.einsum("ij,kl->ijkl", x, x),
    "index_put": lambda T, x: x.index_put((T.tensor(LONG),), x[0] * 1, accumulate=True),
    "softmax": lambda T, x: x[0, 0].softmax(0),
    "batch_norm": lambda T, x: T.nn.functional.batch_norm(x[:0], None, None, training=True),
    "solve": lambda T, x: T.linalg.solve(x[:2, :2], x[:2, 0]),
    "cholesky": lambda T, x: T.linalg.cholesky(T.eye(2, dtype=x.dtype), upper=True),
    "multi_margin_loss": lambda T, x: T.nn.functional.multi_margin_loss(x[0], T.tensor(1), reduction="none"),
    "trilinear": lambda T, x: T.nn.functional.interpolate(x[None, None, None], (2, 2, 2), mode="trilinear"),
    "channels_last": lambda T, x: x[None, None].double().clone(memory_format=T.channels_last),
}


@pytest.mark.parametrize("name", COMPOSED)
@pytest.mark.parametrize("recording", [True, False])
def test_what_an_operation_makes_for_itself_is_no_view(name, recording):
    for T in (minicnn, torch):
        x = T.from_numpy(np.random.default_rng(0).standard_normal((3, 2))).requires_grad_()
        with T.set_grad_enabled(recording):
            y = COMPOSED[name](T, x)
        assert not y._is_view(), T.__name__
        y += T.ones(y.shape, dtype=y.dtype).requires_grad_()
        assert y.requires_grad
