"""Chapter 14: a property that catches wrong convolutions."""

from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import numpy as np

from minicnn.learn.chapter import Case, Chapter, Mistake
from minicnn.learn.chapters.c03_seven_loops import CHAPTER as LOOPS
from minicnn.learn.chapters.c04_patch_matrix import CHAPTER as MATRIX
from minicnn.learn.exercise import solved

Convolution = Callable[..., np.ndarray]
TRIES = 400


def right_ones() -> dict[str, Convolution]:
    """Right convolutions of different make."""
    loops, matrix = solved(LOOPS).conv2d, solved(MATRIX).conv2d

    def slid(x: np.ndarray, weight: np.ndarray, padding: int = 0) -> np.ndarray:
        x = np.pad(x, [(0, 0), (0, 0), (padding, padding), (padding, padding)])
        windows = np.lib.stride_tricks.sliding_window_view(x, weight.shape[2:], (2, 3))
        return np.einsum("ncijpq,ocpq->noij", windows, weight)

    def either(x: np.ndarray, weight: np.ndarray, padding: int = 0) -> np.ndarray:
        square = weight.shape[2] == weight.shape[3]
        return (matrix if square else slid)(x, weight, padding=padding)

    return {"seven loops": loops, "sliding windows": slid, "the patch matrix": either}


def wrong_ones() -> dict[str, Convolution]:
    """Wrong convolutions that the learner has not seen."""
    right = right_ones()["sliding windows"]

    def with_rows(x: Any, weight: Any, padding: int = 0) -> Any:
        return right(x, weight.transpose(0, 1, 3, 2) if weight.shape[2] == weight.shape[3] else weight, padding)

    def first_image(x: Any, weight: Any, padding: int = 0) -> Any:
        y = right(x, weight, padding)
        return np.broadcast_to(y[:1], y.shape)

    def one_sided(x: Any, weight: Any, padding: int = 0) -> Any:
        return right(np.pad(x, [(0, 0), (0, 0), (0, 2 * padding), (0, 2 * padding)]), weight)

    def raising(x: Any, weight: Any, padding: int = 0) -> Any:
        raise ValueError("not today")

    def doubled(x: Any, weight: Any, padding: int = 0) -> Any:
        return 2 * right(x, weight, padding)

    def cut(x: Any, weight: Any, padding: int = 0) -> Any:
        return right(x, weight, padding)[..., :-1]

    def outputs(x: Any, weight: Any, padding: int = 0) -> Any:
        return right(x, weight[::-1], padding)

    return {
        "one that swaps rows and columns of square kernels": with_rows,
        "one that computes the first image only": first_image,
        "one that pads on one side": one_sided,
        "one that raises": raising,
        "one that is twice as large": doubled,
        "one without the last column": cut,
        "one with the outputs in reverse": outputs,
    }


def values() -> dict[str, Any]:
    module, right = solved(CHAPTER), right_ones()["seven loops"]
    generator = np.random.default_rng(0)
    noticed = 0
    for _ in range(TRIES):
        K = int(generator.integers(1, 4))
        x = generator.integers(-3, 4, (1, 1, K + 1, K + 1)).astype(float)
        weight = generator.integers(-3, 4, (1, 1, K, K)).astype(float)
        noticed += not np.allclose(right(x, weight), module.flipped(x, weight))
    x, weight = np.arange(9.0).reshape(1, 1, 3, 3), np.ones((1, 1, 2, 2))
    return {
        "tries": TRIES, "noticed": noticed,
        "same": bool(np.array_equal(right(x, weight), module.flipped(x, weight))),
    }  # fmt: skip


def cases(generator: np.random.Generator) -> Sequence[Case]:
    given = [(name, _given(name)) for name in ("right", "flipped", "one_channel", "repeated_edge")]
    found = [Case(f"is_right({name})", call) for name, call in given]
    for name, function in (right_ones() | wrong_ones()).items():
        kind = "a right convolution: " if name in right_ones() else ""
        found.append(Case(f"is_right({kind}{name})", _asked(function)))
    return found


def _given(name: str) -> Callable[[ModuleType], Any]:
    return lambda module: module.is_right(getattr(module, name))


def _asked(function: Convolution) -> Callable[[ModuleType], Any]:
    return lambda module: module.is_right(function)


CHAPTER = Chapter(
    number=14,
    title="A property that catches wrong convolutions",
    minutes=30,
    functions=("is_right",),
    hints=(
        "Draw sizes, numbers and a padding at random, many times; ask `right` and the function the same; compare "
        "shapes, then numbers.",
        "What would let each mistake through? One image, one channel, one output, square images, symmetrical kernels, "
        "no padding. So draw all of these larger and unequal, too.",
        "Small whole numbers make every sum exact. Give each function copies. Put the call into try: whatever raises "
        "is wrong.",
    ),
    source=("minicnn.testing.operations.convolution.draft", "minicnn.testing.bounds.assert_within_bound"),
    mistakes=(
        Mistake(
            "Only kernels of ones are drawn: they look the same flipped, and transposed.",
            "weight = generator.integers(-3, 4, (O, C, KH, KW)).astype(float)",
            "weight = np.ones((O, C, KH, KW))",
        ),
        Mistake(
            "Only one channel is drawn, so that a function that ignores the others passes.",
            "for low in (1, 1, 1, 1, 1, 0))",
            "for low in (1, 1, 1, 1, 1, 0))\n        C = 1",
        ),
        Mistake(
            "Only batches of one image are drawn.",
            "for low in (1, 1, 1, 1, 1, 0))",
            "for low in (1, 1, 1, 1, 1, 0))\n        N = 1",
        ),
        Mistake(
            "No padding is ever asked for, so that wrong paddings pass.",
            "for low in (1, 1, 1, 1, 1, 0))",
            "for low in (1, 1, 1, 1, 1, 0))\n        padding = 0",
        ),
        Mistake(
            "Only shapes are compared, not numbers.",
            "or not np.allclose(received, expected)",
            "",
        ),
        Mistake(
            "A function that raises ends the judge; whatever raises is wrong.",
            "        try:\n            received = conv2d(x.copy(), weight.copy(), padding=padding)\n"
            "        except Exception:\n            return False\n",
            "        received = conv2d(x.copy(), weight.copy(), padding=padding)\n",
        ),
        Mistake(
            "Only one output channel is drawn, so that their order goes unseen.",
            "for low in (1, 1, 1, 1, 1, 0))",
            "for low in (1, 1, 1, 1, 1, 0))\n        O = 1",
        ),
        Mistake(
            "Everything is found wrong, right ones too.",
            "    generator = np.random.default_rng(0)\n",
            "    return False\n    generator = np.random.default_rng(0)\n",
        ),
    ),
    values=values,
    cases=cases,
)
