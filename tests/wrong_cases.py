"""Cases for the corpus of wrong implementations: every option of every operation, small, and the odd places."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Arrays = tuple[np.ndarray | None, ...]


@dataclass(frozen=True, eq=False)
class Case:
    """Arguments of an operation: its arrays in order, and its options by name."""

    arrays: Arrays
    options: dict[str, Any] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:
        try:
            return self.options[name]
        except KeyError:
            raise AttributeError(name) from None

    def copies(self) -> list[np.ndarray | None]:
        """The arrays, copied as they lie in memory."""
        return [None if a is None else a.copy(order="K") for a in self.arrays]


def integers(rng: np.random.Generator, *shape: int, dtype: Any = np.float32) -> np.ndarray:
    """Small whole numbers other than zero."""
    return (rng.integers(1, 5, shape) * rng.choice([-1, 1], shape)).astype(dtype)


def normals(rng: np.random.Generator, *shape: int, dtype: Any = np.float32) -> np.ndarray:
    """Normally distributed numbers."""
    return rng.standard_normal(shape).astype(dtype)


def one(rng: np.random.Generator, *options: Any) -> Any:
    """One of the options."""
    return options[rng.integers(len(options))]


def axis(rng: np.random.Generator, same: bool) -> tuple[int, int, int, int, int]:
    """Kernel, stride, padding, dilation and size along one axis."""
    kernel, dilation = one(rng, 1, 2, 3, 3, 4), one(rng, 1, 1, 2, 3)
    stride, padding = (1, 0) if same else (one(rng, 1, 2, 3), one(rng, 0, 0, 1, 2))
    span = (kernel - 1) * dilation + 1
    return kernel, stride, padding, dilation, max(span - 2 * padding, 1) + int(rng.integers(0, 6))


def convolution(rng: np.random.Generator, N: int, C: int, O: int, groups: int, **fixed: Any) -> Case:
    """A case of conv2d; C and O are counted within a group."""
    padding = one(rng, "numbers", "numbers", "numbers", "same", "valid")
    (KH, SH, PH, DH, H), (KW, SW, PW, DW, W) = axis(rng, padding == "same"), axis(rng, padding == "same")
    if padding != "numbers":
        PH = PW = 0
        H, W = H + 4, W + 4
    make = fixed.get("make", integers)
    arrays = (
        make(rng, N, C * groups, H, W),
        make(rng, O * groups, C, KH, KW),
        make(rng, O * groups) if rng.random() < 0.6 else None,
    )
    options = {
        "stride": (SH, SW),
        "padding": (PH, PW) if padding == "numbers" else padding,
        "dilation": (DH, DW),
        "groups": groups,
    }
    return Case(arrays, options)


def special(rng: np.random.Generator, x: np.ndarray, value: float) -> np.ndarray:
    """`x` with one element of another value."""
    x = x.copy()
    x.flat[rng.integers(x.size)] = value
    return x


def conv2d_cases(rng: np.random.Generator) -> Iterator[Case]:
    for _ in range(70):
        yield convolution(rng, one(rng, 1, 2, 3), one(rng, 1, 2, 3), one(rng, 1, 2, 3), one(rng, 1, 1, 2, 3))
    for N, C, O in ((16, 1, 2), (17, 2, 1), (0, 2, 3), (1, 17, 2), (2, 33, 1), (2, 1, 17), (1, 16, 16), (1, 2, 33)):
        yield convolution(rng, N, C, O, 1)
    for _ in range(4):
        yield convolution(rng, 2, 2, 3, 1, make=normals)
        yield convolution(rng, 2, 2, 2, 2, make=lambda rng, *shape: normals(rng, *shape, dtype=np.float64))
    x, weight, bias = integers(rng, 2, 3, 5, 65), integers(rng, 2, 3, 7, 2), integers(rng, 2)
    yield Case((x, weight, bias), {"padding": (2, 0)})
    x, weight = integers(rng, 2, 3, 6, 5), integers(rng, 2, 3, 3, 2)
    for value in (np.nan, np.inf, np.finfo(np.float32).max):
        yield Case((special(rng, x, value), weight, bias), {"padding": (1, 0)})
    yield Case((x * np.finfo(np.float32).smallest_subnormal, weight, None))
    yield Case((np.asarray(x, order="F"), weight, bias))
    yield Case((x, weight, None))
    yield Case((integers(rng, 2, 3, 4, 4), integers(rng, 2, 3, 1, 1), None))


def transposed(rng: np.random.Generator, N: int, C: int, O: int, groups: int, make: Any = integers) -> Case:
    """A case of conv_transpose2d; C and O are counted within a group."""
    axes = []
    for _ in "HW":
        kernel, dilation, stride, size = (
            one(rng, 1, 2, 3, 4),
            one(rng, 1, 1, 2),
            one(rng, 1, 2, 3),
            one(rng, 1, 2, 3, 4, 5),
        )
        extra = one(rng, 0, max(stride, dilation) - 1)
        most = ((size - 1) * stride + (kernel - 1) * dilation + extra) // 2
        axes.append((kernel, dilation, stride, size, extra, min(one(rng, 0, 1, 2), most)))
    kernel, dilation, stride, size, extra, padding = zip(*axes, strict=True)
    arrays = make(rng, N, C * groups, *size), make(rng, C * groups, O, *kernel), one(rng, make(rng, O * groups), None)
    options = {"stride": stride, "padding": padding, "output_padding": extra, "groups": groups, "dilation": dilation}
    return Case(arrays, options)


def conv_transpose2d_cases(rng: np.random.Generator) -> Iterator[Case]:
    for _ in range(70):
        yield transposed(rng, one(rng, 1, 2, 3), one(rng, 1, 2, 3), one(rng, 1, 2, 3), one(rng, 1, 1, 2, 3))
    for N, C, O in ((16, 1, 2), (17, 2, 1), (0, 2, 3), (1, 17, 2), (2, 1, 17)):
        yield transposed(rng, N, C, O, 1)
    for _ in range(4):
        yield transposed(rng, 2, 2, 3, 1, normals)
        yield transposed(rng, 2, 2, 2, 2, lambda rng, *shape: normals(rng, *shape, dtype=np.float64))
    yield Case((integers(rng, 2, 3, 4, 5), integers(rng, 3, 2, 3, 2), None))


def pooling(rng: np.random.Generator, dilated: bool) -> tuple[tuple[int, int], dict[str, Any]]:
    """The image's size and the options of a pooling."""
    axes = []
    for _ in "HW":
        kernel, dilation = one(rng, 1, 2, 3, 3, 4), one(rng, 1, 1, 2) if dilated else 1
        span = (kernel - 1) * dilation + 1
        padding = (
            one(rng, 0, 0, kernel // 2, min(1, kernel // 2)) if dilation == 1 else 0
        )  # a tap of every window is inside
        size = max(span - 2 * padding, 1) + int(rng.integers(0, 6))
        axes.append((kernel, dilation, one(rng, 1, 2, 3), padding, size))
    kernel, dilation, stride, padding, size = zip(*axes, strict=True)
    options = {"kernel_size": kernel, "padding": padding, "ceil_mode": one(rng, False, True)}
    if rng.random() < 0.7:
        options["stride"] = stride
    if dilated:
        options["dilation"] = dilation
    return size, options


def ties(rng: np.random.Generator, *shape: int, dtype: Any = np.float32) -> np.ndarray:
    """−2, −1 and 1."""
    return rng.choice(np.array([-2, -1, 1], dtype), shape)


def images(rng: np.random.Generator, size: tuple[int, int], makes: Any = (integers, ties, normals)) -> np.ndarray:
    return one(rng, *makes)(rng, one(rng, 1, 2, 3), one(rng, 1, 2, 3), *size, dtype=one(rng, np.float32, np.float64))


def max_pool2d_cases(rng: np.random.Generator) -> Iterator[Case]:
    for _ in range(70):
        size, options = pooling(rng, True)
        yield Case((images(rng, size),), options)
    for value in (np.nan, np.inf, -np.inf):
        for _ in range(4):
            size, options = pooling(rng, True)
            yield Case((special(rng, integers(rng, 1, 2, *size), value),), options)
    yield Case((np.full((1, 1, 4, 4), -np.inf, np.float32),), {"kernel_size": 3, "padding": 1, "return_indices": True})
    yield Case((integers(rng, 0, 2, 4, 5),), {"kernel_size": 2})
    yield Case((integers(rng, 2, 17, 5, 5),), {"kernel_size": 2})
    yield Case((np.abs(integers(rng, 2, 3, 5, 5)),), {"kernel_size": 2})
    yield Case((-np.abs(integers(rng, 2, 3, 5, 5)),), {"kernel_size": (3, 2), "padding": (1, 0)})
    for _ in range(4):
        size, options = pooling(rng, True)
        yield Case((ties(rng, 2, 2, *size),), options | {"return_indices": True})


def avg_pool2d_cases(rng: np.random.Generator) -> Iterator[Case]:
    for _ in range(70):
        size, options = pooling(rng, False)
        options |= {"count_include_pad": one(rng, True, False)} if rng.random() < 0.6 else {}
        options |= {"divisor_override": one(rng, 1, 3, 5)} if rng.random() < 0.2 else {}
        yield Case((images(rng, size),), options)
    for value in (np.nan, np.inf):
        size, options = pooling(rng, False)
        yield Case((special(rng, integers(rng, 1, 2, *size), value),), options)
    yield Case((integers(rng, 0, 2, 4, 5),), {"kernel_size": 2})
    yield Case((integers(rng, 2, 3, 65, 66),), {"kernel_size": (64, 65), "stride": 1})


def adaptive_avg_pool2d_cases(rng: np.random.Generator) -> Iterator[Case]:
    for _ in range(50):
        output = one(rng, 1, 2, 3, 4, 5, None), one(rng, 1, 2, 3, 4, None)
        size = one(rng, 1, 2, 4, 5, 6, 7, 8, 9), one(rng, 1, 3, 4, 5, 7, 8)
        yield Case((images(rng, size),), {"output_size": output})
    yield Case((special(rng, integers(rng, 2, 2, 6, 6), np.nan),), {"output_size": 3})
    yield Case((integers(rng, 0, 2, 4, 5),), {"output_size": 2})
    yield Case((integers(rng, 2, 3, 4, 4),), {"output_size": 2})


def batch_norm_cases(rng: np.random.Generator) -> Iterator[Case]:
    for i in range(60):
        C, dtype = one(rng, 1, 2, 3), one(rng, np.float32, np.float64)
        shape = one(rng, (3, C), (2, C, 4), (2, C, 3, 2), (4, C, 1, 2), (5, C))
        make = one(rng, normals, integers)
        weight, bias = (one(rng, normals(rng, C, dtype=dtype), None) for _ in range(2))
        training = one(rng, True, False)
        statistics: Any = normals(rng, C, dtype=dtype), np.abs(normals(rng, C, dtype=dtype)) + dtype(0.1)
        if training and rng.random() < 0.3:
            statistics = None, None
        options = {"training": training, "momentum": one(rng, 0.1, 0.3, 0.5), "eps": one(rng, 1e-5, 1e-3, 0.5)}
        x = make(rng, *shape, dtype=dtype)
        if i % 10 == 0 and dtype == np.float32:
            x += 1000
        yield Case((x, *statistics, weight, bias), options)
    x = integers(rng, 0, 3, 2, 2)
    yield Case((x, np.zeros(3, np.float32), np.ones(3, np.float32), None, None), {"training": True})
    x = special(rng, integers(rng, 3, 2, 2, 2), np.nan)
    yield Case((x, np.zeros(2, np.float32), np.ones(2, np.float32), None, None), {"training": True})
    yield Case((integers(rng, 3, 2, 2), np.zeros(2, np.float32), np.ones(2, np.float32), None, None))


def layer_norm_cases(rng: np.random.Generator) -> Iterator[Case]:
    for i in range(50):
        dtype, shape = one(rng, np.float32, np.float64), one(rng, (3, 4), (2, 3, 4), (4,), (2, 1, 3, 5))
        normalized = shape[-one(rng, 1, min(2, len(shape))) :]
        weight, bias = (one(rng, normals(rng, *normalized, dtype=dtype), None) for _ in range(2))
        x = one(rng, normals, integers)(rng, *shape, dtype=dtype)
        if i % 10 == 0 and dtype == np.float32:
            x += 1000
        yield Case((x, weight, bias), {"normalized_shape": normalized, "eps": one(rng, 1e-5, 1e-3, 0.5)})
    yield Case((integers(rng, 0, 3), None, None), {"normalized_shape": (3,)})
    yield Case((special(rng, integers(rng, 3, 4), np.nan), None, None), {"normalized_shape": (4,)})


def linear_cases(rng: np.random.Generator) -> Iterator[Case]:
    for _ in range(40):
        I, O, dtype = one(rng, 1, 2, 3, 4), one(rng, 1, 2, 3, 4), one(rng, np.float32, np.float64)
        shape, make = one(rng, (2, I), (3, I), (2, 3, I), (I,), (0, I)), one(rng, integers, normals)
        bias = one(rng, make(rng, O, dtype=dtype), None)
        yield Case((make(rng, *shape, dtype=dtype), make(rng, O, I, dtype=dtype), bias))
    yield Case((integers(rng, 2, 17), integers(rng, 17, 17), integers(rng, 17)))
    yield Case((integers(rng, 33, 3), integers(rng, 2, 3), integers(rng, 2)))
    yield Case((special(rng, integers(rng, 2, 3), np.nan), integers(rng, 2, 3), integers(rng, 2)))


def relu_cases(rng: np.random.Generator) -> Iterator[Case]:
    for _ in range(10):
        x = rng.integers(-2, 3, one(rng, (3,), (2, 3), (2, 2, 3, 3))).astype(one(rng, np.float32, np.float64))
        yield Case((x,))
        yield Case((normals(rng, 2, 9),))
    yield Case((np.array([np.nan, np.inf, -np.inf, 0, -0.0, 1], np.float32),))
    yield Case((integers(rng, 0, 3),))
    yield Case((-np.abs(integers(rng, 3, 3)),))
    yield Case((np.abs(integers(rng, 3, 3)),))


def softmax_cases(rng: np.random.Generator) -> Iterator[Case]:
    for i in range(40):
        shape = one(rng, (3, 4), (2, 3, 4), (5,), (2, 3, 2, 2), (3, 17), (4, 3))
        x = one(rng, normals, integers)(rng, *shape, dtype=one(rng, np.float32, np.float64))
        x += 1000 if i % 10 == 0 else -1000 if i % 10 == 1 else 0
        yield Case((x,), {"dim": one(rng, -1, *range(len(shape)))})
    for value in (np.nan, -np.inf):
        yield Case((special(rng, integers(rng, 3, 4), value),), {"dim": 1})
    yield Case((np.array([[0, 200, 0], [-400, 0, 400]], np.float32),), {"dim": 1})
    yield Case((integers(rng, 0, 3),), {"dim": 1})


def cross_entropy_cases(rng: np.random.Generator) -> Iterator[Case]:
    for i in range(80):
        K, dtype = one(rng, 2, 3, 4), one(rng, np.float32, np.float64)
        shape = one(rng, (3, K), (4, K), (2, K, 3), (2, K, 2, 2), (K,))
        x = one(rng, normals, integers)(rng, *shape, dtype=dtype)
        x += 1000 if i % 10 == 0 else 0
        places = (*shape[:1], *shape[2:]) if len(shape) > 1 else ()
        options: dict[str, Any] = {"reduction": one(rng, "mean", "mean", "sum", "none")}
        if rng.random() < 0.2:
            target = np.abs(normals(rng, *shape, dtype=dtype))
        else:
            target = rng.integers(0, K, places)
            ignored = one(rng, -100, 1)
            if ignored != -100:
                options["ignore_index"] = ignored
            elif rng.random() < 0.5:
                target = np.where(rng.random(places) < 0.3, -100, target)
        weight = one(rng, np.abs(normals(rng, K, dtype=dtype)) + dtype(0.1), None)
        if rng.random() < 0.4:
            options["label_smoothing"] = one(rng, 0.1, 0.5)
        yield Case((x, np.asarray(target), weight), options)
    yield Case((integers(rng, 2, 3), np.full(2, -100), None))
    yield Case((np.array([[0, -np.inf, 1]], np.float32), np.array([2]), None))
    yield Case((np.array([[0, 200, -200]], np.float32), np.array([2]), None))
    yield Case((integers(rng, 0, 3), np.zeros(0, np.int64), None), {"reduction": "sum"})


def pad_cases(rng: np.random.Generator) -> Iterator[Case]:
    for _ in range(50):
        mode = one(rng, "constant", "constant", "reflect", "replicate", "circular")
        shape, dtype = one(rng, (1, 2, 4, 5), (2, 1, 5, 3), (2, 3, 4, 4)), one(rng, np.float32, np.float64)
        widths = tuple(one(rng, 0, 1, 2) for _ in range(4))
        options: dict[str, Any] = {"pad": widths, "mode": mode}
        if mode == "constant":
            options["pad"] = tuple(one(rng, 0, 1, 2, -1) for _ in range(one(rng, 2, 4)))
            options |= {"value": one(rng, 1.5, -2.0)} if rng.random() < 0.5 else {}
        yield Case((one(rng, integers, normals)(rng, *shape, dtype=dtype),), options)
    yield Case((integers(rng, 2, 3, 4, 4),), {"pad": (0, 0, 0, 0)})
    yield Case((integers(rng, 0, 3, 4, 4),), {"pad": (1, 0, 2, 1)})
    yield Case((special(rng, integers(rng, 1, 2, 4, 4), np.nan),), {"pad": (1, 2, 1, 1), "mode": "reflect"})


def unfolding(rng: np.random.Generator) -> tuple[tuple[int, int], tuple[int, int], dict[str, Any]]:
    """The image's size, the number of windows and the options of unfold."""
    kernel, stride, padding, dilation, size = zip(*(axis(rng, False) for _ in "HW"), strict=True)
    options = {"kernel_size": kernel, "dilation": dilation, "padding": padding, "stride": stride}
    output = tuple(
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, p, d, k, s in zip(size, padding, dilation, kernel, stride, strict=True)
    )
    return size, output, options


def unfold_cases(rng: np.random.Generator) -> Iterator[Case]:
    for _ in range(50):
        size, _, options = unfolding(rng)
        yield Case((images(rng, size, (integers, normals)),), options)
    yield Case((integers(rng, 2, 3, 4, 4),), {"kernel_size": 1})
    yield Case((integers(rng, 0, 3, 4, 4),), {"kernel_size": 2})
    yield Case((special(rng, integers(rng, 2, 3, 4, 4), np.nan),), {"kernel_size": 2})


def fold_cases(rng: np.random.Generator) -> Iterator[Case]:
    for _ in range(50):
        size, output, options = unfolding(rng)
        rows, columns = one(rng, 1, 2, 3) * int(np.prod(options["kernel_size"])), int(np.prod(output))
        x = one(rng, integers, normals)(rng, one(rng, 1, 2), rows, columns, dtype=one(rng, np.float32, np.float64))
        yield Case((x,), {"output_size": size} | options)
    yield Case((integers(rng, 2, 12, 4),), {"output_size": 4, "kernel_size": 2, "stride": 2})
    yield Case((integers(rng, 0, 12, 4),), {"output_size": 4, "kernel_size": 2, "stride": 2})


CASES: dict[str, Callable[[np.random.Generator], Iterator[Case]]] = {
    "conv2d": conv2d_cases,
    "conv_transpose2d": conv_transpose2d_cases,
    "linear": linear_cases,
    "max_pool2d": max_pool2d_cases,
    "avg_pool2d": avg_pool2d_cases,
    "adaptive_avg_pool2d": adaptive_avg_pool2d_cases,
    "batch_norm": batch_norm_cases,
    "layer_norm": layer_norm_cases,
    "relu": relu_cases,
    "softmax": softmax_cases,
    "log_softmax": softmax_cases,
    "cross_entropy": cross_entropy_cases,
    "pad": pad_cases,
    "unfold": unfold_cases,
    "fold": fold_cases,
}
"""Draws the cases of every operation."""
