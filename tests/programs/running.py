"""A program run on minicnn or on PyTorch, and what is left of it at its end.

A program is source, one statement after another, over these names:

    T, F, nn                     the library, its nn.functional and its nn
    reals(2, 3, seed=1)          an array of normally distributed numbers
    integers(2, 3, seed=1)       an array of small integers as floating-point numbers: exact sums, many ties
    strided(array)               the same values with gaps in memory

Nothing is looked at before the end, so that looking can't bring a tensor up to date that would have been stale.
"""

import ast
import warnings
from dataclasses import dataclass, field
from functools import lru_cache
from types import CodeType
from typing import Any

import numpy as np
import torch
from torch.autograd.graph import allow_mutation_on_saved_tensors

import minicnn

HEADER = """\
import numpy as np
import minicnn as T  # or: import torch as T
F, nn = T.nn.functional, T.nn
def reals(*shape, seed=0): return np.random.default_rng(seed).standard_normal(shape)
def integers(*shape, seed=0): return np.random.default_rng(seed).integers(-4, 5, shape).astype(float)
def strided(array): return np.stack([array, array], -1)[..., 0]
"""

SUMS = (
    *("conv1d", "conv_transpose1d", "linear", "bilinear"),
    *("avg_pool1d", "avg_pool2d", "adaptive_avg_pool1d", "adaptive_avg_pool2d"),
    *("cosine_similarity", "pairwise_distance"),
)
"""Functions that add in an order of their own."""

NORMS = ("layer_norm", "rms_norm", "group_norm")
"""Functions that divide by standard deviations, beside batch and instance norm."""

UNTOLD = "refused to tell"
"""What stands for a view's place in the graph where a library raises instead of telling it."""


class TorchFunctional:
    """PyTorch's functional module.

    Its convolutions take minicnn's `algorithm=` too. Its batch and instance norms, whose backward pass is wrong for
    some gradients that aren't in row-major order, get them in that order.

    Args:
        noise: by how much, relatively, its results are off, so that no two sums of the same numbers are equal.
        seed: which way they are off.
    """

    def __init__(self, noise: float = 0.0, seed: int = 0) -> None:
        self._noise, self._seed = noise, seed

    def _off(self, y: torch.Tensor) -> torch.Tensor:
        if self._noise:
            noise = np.random.default_rng(self._seed).standard_normal(tuple(y.shape))
            y.data.mul_(torch.from_numpy(np.asarray(1 + self._noise * noise)))
        return y

    def _normalized_off(self, y: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        """A norm's result, off by what rounding errors of x are divided by: the least standard deviation, √1e-5."""
        if self._noise and x.numel():
            noise = np.random.default_rng(self._seed).standard_normal(tuple(y.shape))
            largest = float(x.detach().abs().max()) * 1e-5**-0.5
            y.data.add_(torch.from_numpy(np.asarray(self._noise * largest * noise)))
        return y

    def __getattr__(self, name: str) -> Any:
        function = getattr(torch.nn.functional, name)
        if name in NORMS:
            return lambda x, *args, **options: self._normalized_off(function(x, *args, **options), x)
        if name not in SUMS:
            return function
        return lambda *args, **options: self._off(function(*args, **options))

    def interpolate(self, x: torch.Tensor, **options: Any) -> torch.Tensor:
        y = torch.nn.functional.interpolate(x, **options)
        if options.get("antialias") and options.get("size") and y.shape[-1] == 1:  # PyTorch repeats the first row then
            turned = options | {"size": tuple(y.shape[:1:-1])}
            y = torch.nn.functional.interpolate(x.transpose(2, 3), **turned).transpose(2, 3).contiguous()
        return self._off(y)

    def conv2d(self, *args: Any, algorithm: str = "auto", **options: Any) -> torch.Tensor:
        return self._off(torch.nn.functional.conv2d(*args, **options))

    def batch_norm(self, x: torch.Tensor, *args: Any, **options: Any) -> torch.Tensor:
        # of weights with gaps in memory 2.14 and 2.15 read what lies between them for the gradient
        factors = [one.contiguous() if isinstance(one, torch.Tensor) else one for one in args[2:]]
        args = (*args[:2], *factors)
        return self._with_row_major_gradient(torch.nn.functional.batch_norm(x, *args, **options), x)

    def instance_norm(self, x: torch.Tensor, *args: Any, **options: Any) -> torch.Tensor:
        return self._with_row_major_gradient(torch.nn.functional.instance_norm(x, *args, **options), x)

    def _with_row_major_gradient(self, y: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        y = self._normalized_off(y, x)
        if y.requires_grad:
            y.register_hook(lambda gradient: None if gradient is None else gradient.contiguous())
        return y

    def conv_transpose2d(self, *args: Any, algorithm: str = "auto", **options: Any) -> torch.Tensor:
        return self._off(torch.nn.functional.conv_transpose2d(*args, **options))


class MinicnnFunctional:
    """minicnn's functional module, its norms and sums off as a rounding error has them; see `TorchFunctional`."""

    def __init__(self, noise: float, seed: int) -> None:
        self._noise, self._seed = noise, seed

    def __getattr__(self, name: str) -> Any:
        function = getattr(minicnn.nn.functional, name)
        if name not in (*SUMS, *NORMS, "batch_norm", "instance_norm", "conv2d", "conv_transpose2d"):
            return function
        most = 1e-5**-0.5 if name.endswith("_norm") else 1.0

        def off(x: Any, *args: Any, **options: Any) -> Any:
            y = function(x, *args, **options)
            largest = max((float(one.detach().abs().max()) for one in (x, y) if one.numel()), default=0.0)
            noise = np.random.default_rng(self._seed).standard_normal(tuple(y.shape))
            y.data.add_(minicnn.from_numpy(np.asarray(self._noise * largest * most * noise)))
            return y

        return off


def names_of(library: Any, dtype: Any = np.float64, noise: float = 0.0, all_noisy: int = 0) -> dict[str, Any]:
    """The names that a program starts with.

    Args:
        library: minicnn or torch.
        dtype: of `reals` and `integers`.
        noise: by how much, relatively, `reals` are off; they stand for rounding errors.
        all_noisy: not 0 where `integers` and the results of sums are off, too; then other numbers are off otherwise.
    """

    def off(x: np.ndarray, seed: int, wanted: bool) -> np.ndarray:
        if wanted:
            x = x * (1 + noise * np.random.default_rng((seed + 1, all_noisy, x.ndim)).standard_normal(x.shape))
        return np.asarray(x, dtype)

    def reals(*shape: int, seed: int = 0) -> np.ndarray:
        return off(np.asarray(np.random.default_rng(seed).standard_normal(shape)), seed, noise > 0)

    def integers(*shape: int, seed: int = 0) -> np.ndarray:
        return off(np.asarray(np.random.default_rng(seed).integers(-4, 5, shape)), seed, noise > 0 and all_noisy > 0)

    def strided(array: np.ndarray) -> np.ndarray:
        return np.stack([array, array], -1)[..., 0]

    functional: Any = minicnn.nn.functional
    if library is torch:
        functional = TorchFunctional(noise if all_noisy else 0.0, all_noisy)
    elif noise and all_noisy:
        functional = MinicnnFunctional(noise, all_noisy)
    return {
        "T": library,
        "F": functional,
        "nn": library.nn,
        "np": np,
        "reals": reals,
        "integers": integers,
        "strided": strided,
    }


HELPERS = {*names_of(minicnn), "__builtins__", "__warningregistry__"}


@lru_cache(maxsize=4096)
def _compiled(statement: str) -> CodeType:
    return compile(statement, "<program>", "exec")


@lru_cache(maxsize=64)
def statements(source: str) -> tuple[str, ...]:
    """The statements of a program, in order."""
    return tuple(ast.get_source_segment(source, node) or "" for node in ast.parse(source).body)


def execute(statement: str, names: dict[str, Any]) -> None:
    """Run one statement."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        exec(_compiled(statement), names)


@dataclass
class State:
    """What can be seen of one tensor.

    Attributes:
        value, gradient: copies.
        place: whether it requires a gradient, and whether it is a leaf.
        written_view: whether it is a view in PyTorch, of memory that was written to.
        gradient_at: where PyTorch's gradient lies.
        shares_gradient: whether that is another tensor's, too, and what one got later was added to both.
    """

    value: np.ndarray
    gradient: np.ndarray | None
    place: str
    written_view: bool = False
    gradient_at: int = 0
    shares_gradient: bool = False


@dataclass
class Outcome:
    """What a program leaves.

    Attributes:
        step: the statement that raised, or the number of statements.
        error: what it raised, or None.
        states: of every tensor, by its name in the program.
        others: what else the program named: numbers, shapes.
    """

    step: int
    error: Exception | None
    states: dict[str, State] = field(default_factory=dict)
    others: dict[str, Any] = field(default_factory=dict)


def run(source: str, library: Any, dtype: Any = np.float64, noise: float = 0.0, all_noisy: int = 0) -> Outcome:
    """Run a program; see `names_of` for the arguments."""
    return _run(source, names_of(library, dtype, noise, all_noisy), dtype)


def run_saving_copies(source: str) -> Outcome:
    """Run a program by PyTorch in float64, which copies what a backward needs before it is changed in place, and so
    computes where it refuses otherwise."""
    with allow_mutation_on_saved_tensors():
        return _run(source, names_of(torch))


def _run(source: str, names: dict, dtype: Any = np.float64) -> Outcome:
    """Run a program whose quotients of integers are of `dtype`, too, as all else in it is."""
    library = names["T"]
    before = library.get_default_dtype()
    library.set_default_dtype(library.float64 if dtype is np.float64 else library.float32)
    try:
        return _outcome(source, names)
    finally:
        library.set_default_dtype(before)


def _outcome(source: str, names: dict) -> Outcome:
    steps = statements(source)
    for step, statement in enumerate(steps):
        try:
            execute(statement, names)
        except Exception as error:
            return Outcome(step, error)
    outcome = Outcome(len(steps), None)
    for name, value in names.items():
        if name not in HELPERS:
            _collect(outcome, name, value)
    return outcome


def _collect(outcome: Outcome, name: str, value: Any) -> None:
    if isinstance(value, (torch.Tensor, minicnn.Tensor)):
        outcome.states[name] = state_of(value)
    elif isinstance(value, (tuple, list)):
        outcome.others[f"len({name})"] = len(value)
        for i, item in enumerate(value):
            _collect(outcome, f"{name}[{i}]", item)
    else:
        outcome.others[name] = value


def state_of(tensor: Any) -> State:
    """What can be seen of a tensor, copied."""
    try:
        place = f"requires_grad={tensor.requires_grad}, is_leaf={tensor.is_leaf}"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of a leaf's gradient that outlives its being one
            gradient = tensor.grad
    except RuntimeError:
        place, gradient = UNTOLD, None
    written_view = isinstance(tensor, torch.Tensor) and tensor._is_view() and tensor._version > 0
    at = gradient.untyped_storage().data_ptr() if isinstance(gradient, torch.Tensor) else 0
    return State(_array(tensor), None if gradient is None else _array(gradient), place, written_view, at)


def _array(tensor: Any) -> np.ndarray:
    detached = tensor.detach()
    return np.array(detached.numpy(force=True) if isinstance(detached, torch.Tensor) else detached.numpy())
