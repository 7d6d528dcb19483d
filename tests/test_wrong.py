"""The corpus of wrong implementations: its building blocks are right, its mistakes are mistakes, and no two are one."""

import inspect
import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from wrong_cases import CASES, Case
from wrong_untouched import EVERYWHERE, UNTOUCHED

from minicnn.testing.wrong import MISTAKES, Mistake
from minicnn.testing.wrong.mistake import IMAGES, complete
from minicnn.testing.wrong.parts import convolution, normalization, padding, pooling, vectors

RIGHT = {
    "conv2d": convolution.conv2d,
    "conv_transpose2d": convolution.conv_transpose2d,
    "linear": vectors.linear,
    "max_pool2d": pooling.max_pool2d,
    "avg_pool2d": pooling.avg_pool2d,
    "adaptive_avg_pool2d": pooling.adaptive_avg_pool2d,
    "batch_norm": normalization.batch_norm,
    "layer_norm": normalization.layer_norm,
    "relu": vectors.relu,
    "softmax": vectors.softmax,
    "log_softmax": vectors.log_softmax,
    "cross_entropy": vectors.cross_entropy,
    "pad": padding.pad,
    "unfold": padding.unfold,
    "fold": padding.fold,
}
RIGHT_GRADIENTS = {
    "conv2d": convolution.conv2d_gradients,
    "conv_transpose2d": convolution.conv_transpose2d_gradients,
    "linear": vectors.linear_gradients,
    "max_pool2d": pooling.max_pool2d_gradient,
    "avg_pool2d": pooling.avg_pool2d_gradient,
    "adaptive_avg_pool2d": pooling.adaptive_avg_pool2d_gradient,
    "batch_norm": normalization.batch_norm_gradients,
    "layer_norm": normalization.layer_norm_gradients,
    "relu": vectors.relu_gradient,
    "softmax": vectors.softmax_gradient,
    "log_softmax": vectors.log_softmax_gradient,
    "cross_entropy": vectors.cross_entropy_gradient,
    "pad": padding.pad_gradient,
    "unfold": padding.unfold_gradient,
    "fold": padding.fold_gradient,
}
FLOATS = dict.fromkeys(CASES, (0,)) | {
    "conv2d": (0, 1, 2),
    "conv_transpose2d": (0, 1, 2),
    "linear": (0, 1, 2),
    "batch_norm": (0, 3, 4),
    "layer_norm": (0, 1, 2),
}
"""Which arrays have gradients."""
UPDATED = {"batch_norm": (1, 2)}
"""Which arrays the operation changes in place."""


@cache
def cases(operation: str) -> tuple[Case, ...]:
    return tuple(CASES[operation](np.random.default_rng(13)))


@cache
def right(operation: str, backward: bool) -> Callable:
    function = (RIGHT_GRADIENTS if backward else RIGHT)[operation]
    return complete(operation, function, backward)


def call(
    function: Callable, operation: str, arrays: Sequence[Any], options: dict[str, Any], backward: bool = False
) -> Any:
    """Call with arrays by position; those that F has behind `normalized_shape` by name."""
    first = 1 + backward if operation == "layer_norm" else len(arrays)
    return function(*arrays[:first], **dict(zip(("weight", "bias"), arrays[first:], strict=False)), **options)


def grad_output(case: Case, operation: str) -> np.ndarray:
    y = as_tuple(call(right(operation, False), operation, case.copies(), case.options))[0]
    rng = np.random.default_rng(y.size)
    return np.asarray(rng.integers(1, 4, y.shape) * rng.choice([-1, 1], y.shape), y.dtype)


def asked(operation: str, backward: bool, case: Case) -> list[np.ndarray | None]:
    """Copies of what a function is given."""
    return [*([grad_output(case, operation)] if backward else []), *case.copies()]


def as_tuple(results: Any) -> tuple:
    return results if isinstance(results, tuple) else (results,)


def plain(array: np.ndarray | None) -> Any:
    """Something comparable: dtype, shape and numbers, −0 taken for 0 and every NaN for the same."""
    if array is None:
        return None
    array = np.asarray(array)
    return array.dtype.str, array.shape, np.where(np.isnan(array), np.nan, array + 0).tobytes()


def behaviour(function: Callable, operation: str, backward: bool, case: Case) -> Any:
    """What a caller can notice of two calls: results, arguments changed, memory shared, or an exception."""
    arguments, noticed, kept = asked(operation, backward, case), [], []
    for _ in range(2):
        given = [None if a is None else a.copy(order="K") for a in arguments]
        try:
            results = as_tuple(call(function, operation, given, case.options, backward))
        except (ValueError, IndexError) as error:
            noticed.append(type(error).__name__)
            continue
        shared = [np.may_share_memory(r, a) for r in results for a in given if r is not None and a is not None]
        before = [
            np.may_share_memory(r, old) or plain(old) != then for r in results if r is not None for old, then in kept
        ]
        kept = [(r, plain(r)) for r in results if r is not None]
        noticed.append((tuple(map(plain, results)), tuple(map(plain, given)), tuple(shared), tuple(before)))
    return hash(tuple(noticed))


@cache
def behaviours(operation: str, backward: bool, function: Callable) -> tuple[int, ...]:
    return tuple(behaviour(function, operation, backward, case) for case in gradient_cases(operation, backward))


@cache
def gradient_cases(operation: str, backward: bool) -> tuple[Case, ...]:
    """The cases of one direction; gradients are asked of finite numbers alone."""
    return tuple(
        case for case in cases(operation) if not backward or all(a is None or np.isfinite(a).all() for a in case.arrays)
    )


def named(mistake: Mistake) -> str:
    return f"{mistake.operation}-{'backward-' * mistake.backward}{mistake.function.__name__}"


every_mistake = pytest.mark.parametrize("mistake", MISTAKES, ids=named)


def close(actual: np.ndarray, wanted: np.ndarray, dtype: Any) -> None:
    assert actual.shape == wanted.shape
    if wanted.dtype == np.int64:
        np.testing.assert_array_equal(actual, wanted, strict=True)
        return
    assert actual.dtype == dtype
    with np.errstate(over="ignore"):
        wanted = wanted.astype(dtype)
    scale = np.abs(wanted[np.isfinite(wanted)]).max(initial=1)
    np.testing.assert_allclose(actual, wanted, rtol=20 * np.finfo(dtype).eps, atol=20 * np.finfo(dtype).eps * scale)


@pytest.mark.filterwarnings("ignore:Using padding='same':UserWarning")
@pytest.mark.parametrize("operation", CASES)
def test_the_building_blocks_are_right(operation):
    for case in cases(operation):
        tensors = [None if a is None else torch.from_numpy(np.array(a)) for a in case.arrays]
        tensors = [t.double() if t is not None and t.is_floating_point() else t for t in tensors]
        for i in FLOATS[operation]:
            if tensors[i] is not None:
                tensors[i].requires_grad_(True)
        results, given = call(getattr(F, operation), operation, tensors, case.options), case.copies()
        received = call(right(operation, False), operation, given, case.options)
        for wanted, one in zip(as_tuple(results), as_tuple(received), strict=True):
            close(one, wanted.detach().numpy(), case.arrays[0].dtype)
        for i in UPDATED.get(operation, ()):
            if given[i] is not None:
                close(given[i], tensors[i].numpy(), case.arrays[0].dtype)
        if case in gradient_cases(operation, True):
            gradients_are_right(operation, case, tensors, as_tuple(results)[0])


def gradients_are_right(operation, case, tensors, y):
    grad = grad_output(case, operation)
    y.backward(torch.from_numpy(grad).double())
    gradients = as_tuple(call(right(operation, True), operation, [grad, *case.copies()], case.options, True))
    assert len(gradients) == len(FLOATS[operation])
    for i, gradient in zip(FLOATS[operation], gradients, strict=True):
        if case.arrays[i] is None:
            assert gradient is None
        else:
            close(gradient, tensors[i].grad.numpy(), case.arrays[i].dtype)


@pytest.mark.parametrize("operation", CASES)
def test_the_building_blocks_leave_their_arguments_alone(operation):
    for backward in (False, True):
        function = right(operation, backward)
        for case in gradient_cases(operation, backward):
            given = asked(operation, backward, case)
            fixed = [a for i, a in enumerate(given) if backward or i not in UPDATED.get(operation, ())]
            before = [plain(a) for a in fixed]
            results = as_tuple(call(function, operation, given, case.options, backward))
            assert [plain(a) for a in fixed] == before
            assert not any(np.may_share_memory(r, a) for r in results for a in given if r is not None and a is not None)


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("operation", sorted(IMAGES | {"fold"}))
def test_one_image_is_taken_without_a_batch(operation, backward):
    function = right(operation, backward)
    for case in gradient_cases(operation, backward)[:20]:
        images = 2 if backward else 1
        many = [a[:1] if i < images else a for i, a in enumerate(asked(operation, backward, case))]
        one = [a[0] if i < images else a for i, a in enumerate(many)]
        batched = as_tuple(function(*many, **case.options))
        received = as_tuple(function(*one, **case.options))
        assert plain(received[0]) == plain(batched[0][0])
        assert list(map(plain, received[1:])) == list(map(plain, batched[1:]))


@pytest.mark.parametrize("operation", ["softmax", "log_softmax"])
def test_softmax_converts_first(operation):
    x = np.array([[0.1, 0.2, 0.3]], np.float32)
    wanted = getattr(torch, operation)(torch.from_numpy(x), 1, dtype=torch.float64).numpy()
    close(right(operation, False)(x, 1, dtype=np.float64), wanted, np.float64)


@every_mistake
def test_a_mistake_is_one(mistake):
    right_ones = behaviours(mistake.operation, mistake.backward, right(mistake.operation, mistake.backward))
    wrong_ones = behaviours(mistake.operation, mistake.backward, mistake.function)
    assert any(a != b for a, b in zip(right_ones, wrong_ones, strict=True))


@every_mistake
def test_a_mistake_is_right_where_it_makes_no_difference(mistake):
    place, name = (mistake.operation, mistake.backward), mistake.function.__name__
    if name in EVERYWHERE.get(place, ()):
        return
    right_ones = behaviours(*place, right(*place))
    wrong_ones = behaviours(*place, mistake.function)
    untouched = [UNTOUCHED[place][name](case) for case in gradient_cases(*place)]
    assert any(untouched)
    assert not all(untouched)
    for case, same, a, b in zip(gradient_cases(*place), untouched, right_ones, wrong_ones, strict=True):
        assert not same or a == b, case


@every_mistake
def test_a_mistake_takes_every_option(mistake):
    function = (RIGHT_GRADIENTS if mistake.backward else RIGHT)[mistake.operation]
    assert inspect.signature(mistake.function) == inspect.signature(function)


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("operation", CASES)
def test_no_two_mistakes_are_one(operation, backward):
    seen: dict[Any, str] = {}
    for mistake in MISTAKES:
        if (mistake.operation, mistake.backward) == (operation, backward):
            key = behaviours(operation, backward, mistake.function)
            assert key not in seen, f"{named(mistake)} does what {seen[key]} does"
            seen[key] = named(mistake)


def test_sentences_are_unique_and_plain():
    sentences = [mistake.sentence for mistake in MISTAKES]
    assert len(set(sentences)) == len(sentences)
    for sentence in sentences:
        assert re.fullmatch(r"[^\n.;]+[^\n.;:, ]", sentence), sentence
        assert 15 <= len(sentence) <= 120, sentence
