"""Whether minicnn and PyTorch agree on a program.

Both compute in float64. A value may be off by MARGIN · eps · scale. `scale` is the largest number that occurs in the
program times √n, where n is the size of the largest tensor: PyTorch adds some sums term by term, which leaves √n
roundings (Higham, section 2.8). Where a value is off by more, PyTorch tells how much the program amplifies rounding
errors: it runs again in float32, and again in float64 with leaves that are off by NOISE. What those runs are off by, in
units of their own eps, minicnn may be off by in units of its eps, MARGIN times. Where they are off grossly, a rounding
error decided (a relu of a number that should be zero, a maximum of numbers that should be equal), and the tensor isn't
compared.
"""

import re
from collections import Counter
from dataclasses import dataclass

import numpy as np
import torch

import minicnn

from .running import (
    HEADER,
    UNTOLD,
    Outcome,
    State,
    execute,
    names_of,
    run,
    run_saving_copies,
    statements,
)

MARGIN = 16
NOISE = 2.0**-40
GROSS = 2.0**12
"""An error, in units of a run's own eps and of the tensor's largest element, from which on it counts as chance."""

SLIGHT = 1e-6
"""Smaller errors, relative to the scale, are a kind of their own: shrinking a gross one must not end in one of them."""

LEAF = "a leaf Variable that requires grad is being used in an in-place operation"
"""What PyTorch says too of a view made before its base joined the graph; that is none."""

SETTLED = "needs float32 or float64"
"""minicnn's refusal of integers, of which PyTorch has a few images pooled."""

INEXACT = re.compile(
    r"sin|cos|tan|erf|hypot|gamma|lerp|softmax|_norm|exp|log|tanh|sigmoid|sqrt|std|var|mean|div|entropy|kl_div"
)
"""What makes equal numbers unequal by rounding, even of integers; so does every sum with other reals."""

OVERLAP = "more than one element of the written-to tensor"
"""What PyTorch's backward pass stumbles over where it let an expanded tensor be written to itself."""

SAVED = "modified by an inplace operation"
"""PyTorch's refusal where it has kept more than the gradient needs; then it is asked for the gradient all the same."""

REPEATED = re.compile(r"\b(threshold|masked_fill|index_fill|index_put|tril|triu|fill_diagonal)_\(")
"""What PyTorch lets write to overlapping memory, for some of it with a warning; minicnn refuses that throughout."""

CUT = "removes more than shape"
"""minicnn's refusal of circular padding whose negative side removes what the other repeats; PyTorch's result is memory
that nobody wrote to."""

FILLED = re.compile(r"\] = -?\d+(\.\d+)?$")
"""One number written to all elements of a part, those in one place among them: PyTorch refuses that until 2.15."""

OUTSIDE = "is out of bounds for axis"
"""minicnn's refusal of an index that PyTorch doesn't look at where the result has no elements."""

FLAT = "TensorAccessor expected 1 dims"
"""What PyTorch's batch norm says of statistics of another shape where the input has few dimensions."""

UNTOUCHED = "size mismatch (got input"
"""What PyTorch's backward says of one target for a vector of scores, which its forward takes."""

RESHAPED = re.compile(r"\.(squeeze|unsqueeze|transpose|swapaxes|swapdims|t|resize)_\(")
"""What makes minicnn's tensor a view, so that a later change through another view leaves the gradient that it retains
where it was, with respect to the values before; PyTorch's moves on."""

HOOKED = re.compile(r"\b(t\d+)\.register_hook\(")
"""A view whose hook PyTorch forgets when the memory is written to elsewhere; minicnn calls it (see test_hooks.py)."""

SIGNLESS = re.compile(r"(softshrink|cross_entropy).*(signbit|copysign)", re.DOTALL)
"""What tells the sign of a zero: PyTorch's softshrink leaves it as the number of elements will have it, and its
cross-entropy of one class is −0.0."""

CANCELS = re.compile(r"sinc_?\(")
"""What PyTorch takes a gradient of by a difference of two numbers that are almost equal."""

ZERO_SIGNS = re.compile(
    r"(matmul|mm|mv|dot|einsum|bilinear|linear|conv|@).*(pow_?\(-|reciprocal|rsqrt| / |div|signbit|copysign|atan2)",
    re.DOTALL,
)
"""What tells the sign of a zero that is a sum of products: it depends on where the sum begins."""

UNDEFINED = "'NoneType'"
"""What hooks stumble over that PyTorch calls with None, for a gradient that is nothing: that of a norm with p = 0."""

STRIDED = "grad_weight needs to be contiguous"
"""What PyTorch says of its own gradient with respect to a depthwise weight that lies in another order."""

LACKING = "is not implemented"
"""What PyTorch says of a gradient for which it has no formula."""

AMBIGUOUS = "its base or another view of its base has been modified inplace"
"""What PyTorch says of a view made in no_grad mode, even where what changed it wasn't recorded either."""

PARTLY = "refer to a single memory location"
"""What both say of overlapping memory; where axes have one element, by strides that mean nothing."""

STRAY = re.compile(r"(Scatter\w*|NativeBatchNorm)Backward\w* returned an invalid gradient")
"""What PyTorch says of its own gradient with respect to a source that is larger than the index of scatter, and of a
weight of batch norm that has more dimensions than one."""

MISFIT = "must match the size of tensor b"
"""What PyTorch says of the gradient of scatter_reduce where the source is larger than the index."""

HIDDEN = "A view was created in no_grad mode and is being modified inplace"
"""What PyTorch says too of what an operation returned, such as instance_norm, linear or einsum, which is a view of
nothing that anyone else holds."""

UNSTEADY = re.compile(r"quantile|linear\(")
"""What keeps its input for the backward, or a copy of it: as the number of elements is, or the order in memory."""

CLEAR_ERRORS = (ValueError, TypeError, RuntimeError, IndexError, KeyError)
NORM = re.compile(r"(layer|group|rms|batch|instance)_norm\(")
"""What divides by a standard deviation, which may be as small as √eps: of features that are all alike nothing but
rounding errors is left, and those become that much larger."""

NEWEST = tuple(map(int, torch.__version__.split(".")[:2])) >= (2, 15)
"""Whether PyTorch has 2.15's rules."""

EPS = float(np.finfo(np.float64).eps)
EPS_SINGLE = float(np.finfo(np.float32).eps)


@dataclass(frozen=True)
class Difference:
    """A program on which minicnn and PyTorch differ.

    Attributes:
        source: the program.
        what: what differs, for people.
        kind: what differs, without numbers and names: shrinking keeps it.
    """

    source: str
    what: str
    kind: str

    def __str__(self) -> str:
        return f"{self.what}\n\n{HEADER}\n{self.source}\n"


def difference(source: str, ours: Outcome | None = None, theirs: Outcome | None = None) -> Difference | None:
    """Where minicnn and PyTorch differ on a program, or None.

    Args:
        source: the program.
        ours, theirs: what minicnn and PyTorch in float64 make of it, where that is known.
    """
    ours, theirs = ours or run(source, minicnn), theirs or run(source, torch)
    if SIGNLESS.search(source) or (RESHAPED.search(source) and ".retain_grad()" in source):
        return None
    if SAVED in str(theirs.error) and ours.step > theirs.step:
        theirs = run_saving_copies(source)
    found = _errors_differ(source, ours, theirs)
    if found or theirs.error or ours.error:
        return Difference(source, *found) if found else None
    if ours.others != theirs.others:
        return Difference(source, f"minicnn {ours.others}, torch {theirs.others}", "others")
    tolerance = _Tolerance(source, theirs)
    places = Counter(state.gradient_at for state in theirs.states.values() if state.gradient_at)
    for name, expected in theirs.states.items():
        if places[expected.gradient_at] > 1:
            expected.shares_gradient = True
        if name not in ours.states:
            return Difference(source, f"{name}: torch has a tensor, minicnn {type(name).__name__}", "type")
        found = _states_differ(name, ours.states[name], expected, tolerance)
        if found:
            return Difference(source, *found)
    return None


def _errors_differ(source: str, ours: Outcome, theirs: Outcome) -> tuple[str, str] | None:
    steps = (*statements(source), "the end")

    def told(outcome: Outcome) -> str:
        error = outcome.error
        return f"`{steps[outcome.step]}` {type(error).__name__}: {str(error).strip()[:300]}" if error else "no error"

    if SETTLED in str(ours.error):
        return None
    if type(ours.error) is type(theirs.error) is AssertionError:
        return None
    if ours.error and not isinstance(ours.error, CLEAR_ERRORS):
        return f"minicnn: {told(ours)}", type(ours.error).__name__
    if _ended(ours) == _ended(theirs):
        return None
    if OVERLAP in str(theirs.error) and re.search(r"\.backward\(|autograd\.grad\(", steps[theirs.step]):
        return None
    if OVERLAP in str(ours.error) and theirs.step > ours.step and REPEATED.search(steps[ours.step]):
        return None
    if OVERLAP in str(theirs.error) and FILLED.search(steps[theirs.step]) and theirs.step < ours.step and not NEWEST:
        return None
    if CUT in str(ours.error) and "circular" in steps[ours.step]:
        return None
    if OUTSIDE in str(ours.error) and theirs.step > ours.step:
        return None
    if FLAT in str(theirs.error) and not ours.error:
        return None
    if UNTOUCHED in str(theirs.error) and not ours.error:
        return None
    if UNDEFINED in str(theirs.error) and ".register_hook(" in source and not ours.error:
        return None
    if STRIDED in str(theirs.error) and not ours.error:
        return None
    if LACKING in str(theirs.error) and not ours.error:
        return None
    if AMBIGUOUS in str(theirs.error) and not ours.error:
        return None
    if STRAY.search(str(theirs.error)) and not ours.error:
        return None
    if MISFIT in str(theirs.error) and "scatter_reduce" in source and not ours.error:
        return None
    if HIDDEN in str(theirs.error) and not ours.error:
        return None
    if "modified by an in" in f"{ours.error}{theirs.error}" and UNSTEADY.search(source):
        return None
    if PARTLY in f"{ours.error}{theirs.error}" and _names_single(source, min(ours.step, theirs.step)):
        return None
    if str(theirs.error).startswith(LEAF) and ours.step > theirs.step and not _writes_to_leaf(source, theirs.step):
        return None
    if any(_ended(run(source, torch, noise=NOISE, all_noisy=i)) != _ended(theirs) for i in range(1, 6)):
        return None  # a rounding error decides how many elements there are
    kind = f"minicnn {_sort(ours.error)}, torch {_sort(theirs.error)}"
    return f"minicnn: {told(ours)}\ntorch:   {told(theirs)}", kind


def _ended(outcome: Outcome) -> tuple[int, bool]:
    """At which statement a program ended, and whether by an error."""
    return outcome.step, bool(outcome.error)


def _writes_to_leaf(source: str, step: int) -> bool:
    """Whether minicnn takes for a leaf that requires a gradient what statement `step` begins with."""
    names, steps = names_of(minicnn), statements(source)
    for statement in steps[:step]:
        execute(statement, names)
    written = re.search(r"\bt\d+\b", steps[step])
    return written is None or (names[written[0]].is_leaf and names[written[0]].requires_grad)


def _names_single(source: str, step: int) -> bool:
    """Whether a tensor that statement `step` names has an axis of size 1, or no axis."""
    names, steps = names_of(torch), statements(source)
    for statement in steps[:step]:
        execute(statement, names)
    named = [names[name] for name in re.findall(r"\bt\d+\b", steps[step]) if name in names]
    return any(not t.dim() or 1 in t.shape for t in named)


def _sort(error: Exception | None) -> str:
    """An error without its numbers."""
    return re.sub(r"[\d(), -]+", " ", f"{type(error).__name__}: {error}"[:80]) if error else "no error"


def _states_differ(name: str, ours: State, theirs: State, tolerance: "_Tolerance") -> tuple[str, str] | None:
    if theirs.place not in (ours.place, UNTOLD):
        return f"{name}: minicnn {ours.place}; torch {theirs.place}", f"place {ours.place}; {theirs.place}"
    found = _arrays_differ(name, ours.value, theirs.value, tolerance, "value")
    if found:
        return found
    if (
        theirs.written_view
        or theirs.shares_gradient
        or tolerance.hooked_view
        or (ours.gradient is None and theirs.gradient is None)
    ):
        return None  # PyTorch forgets to retain the gradient of a view when the memory is written to elsewhere
    shown = f"{name}.grad: minicnn {_brief(ours.gradient)}, torch {_brief(theirs.gradient)}"
    if ours.gradient is None or theirs.gradient is None:
        given = ours.gradient if theirs.gradient is None else theirs.gradient
        return (shown, "gradient") if given.any() else None  # PyTorch now and then leaves out a gradient of zeros
    return _arrays_differ(f"{name}.grad", ours.gradient, theirs.gradient, tolerance, "gradient")


def _arrays_differ(
    name: str, ours: np.ndarray, theirs: np.ndarray, tolerance: "_Tolerance", part: str
) -> tuple[str, str] | None:
    shown = f"{name}: minicnn {_brief(ours)}, torch {_brief(theirs)}"
    if ours.dtype != theirs.dtype:
        return shown, part
    error = _error(ours, theirs)
    if ZERO_SIGNS.search(tolerance.source) and _error(np.abs(ours), np.abs(theirs)) <= MARGIN * EPS * tolerance.scale:
        return None
    if error <= MARGIN * EPS * tolerance.scale or error <= tolerance.measured(name.removesuffix(".grad"), part):
        return None
    if CANCELS.search(tolerance.source) and error <= SLIGHT * tolerance.scale:
        return None
    if tolerance.is_tie(name.removesuffix(".grad"), part, ours, theirs):
        return None
    return f"{shown}, off by {error:.3g}", part if error > SLIGHT * tolerance.scale else f"slight {part}"


def _error(actual: np.ndarray, exact: np.ndarray) -> float:
    """The largest absolute difference; infinite where only one isn't a finite number or they are others."""
    if actual.shape != exact.shape:
        return np.inf
    with np.errstate(all="ignore"):
        same = (actual == exact) | ((actual != actual) & (exact != exact))
        error = np.where(same, 0.0, np.abs(actual.astype(np.float64) - exact.astype(np.float64)))
    return float(np.where(np.isnan(error), np.inf, error).max(initial=0.0))


def _brief(array: np.ndarray | None) -> str:
    if array is None:
        return "None"
    numbers = ", ".join(f"{x:.6g}" for x in array.ravel()[:8])
    return f"{array.dtype}{list(array.shape)} {numbers}{' …' if array.size > 8 else ''}"


class _Tolerance:
    """How far off the tensors of a program may be."""

    def __init__(self, source: str, theirs: Outcome) -> None:
        self.source, self.theirs = source, theirs
        terms = max((s.value.size for s in theirs.states.values()), default=1)
        largest = max((_largest(a) for s in theirs.states.values() for a in (s.value, s.gradient)), default=0.0)
        self.scale = largest * max(terms, 1) ** 0.5 * (1e-5**-0.5 if NORM.search(source) else 1)
        self.noisy: list[tuple[Outcome, float]] = []
        hooked = [theirs.states.get(name) for name in HOOKED.findall(source)]
        self.hooked_view = any(state is not None and state.written_view for state in hooked)

    def measured(self, name: str, part: str) -> float:
        """What PyTorch's noisy runs allow the value or the gradient of a tensor to be off by."""
        if not self.noisy:
            self.noisy = [
                (run(self.source, torch, np.float32), EPS_SINGLE),
                *[(run(self.source, torch, noise=NOISE * 3**i), NOISE * 3**i) for i in range(3)],
            ]
            if INEXACT.search(self.source) or "reals(" in self.source:
                self.noisy += [(run(self.source, torch, noise=NOISE, all_noisy=i), NOISE) for i in range(1, 6)]
        exact = getattr(self.theirs.states[name], part)
        allowed = 0.0
        for outcome, eps in self.noisy:
            state = outcome.states.get(name)
            noisy = None if state is None else getattr(state, part)
            error = np.inf if noisy is None else _error(noisy, exact)
            allowed = max(allowed, error / eps)
        chance = allowed > GROSS * _largest(exact) + (MARGIN * self.scale if exact.dtype.kind == "f" else 0)
        return np.inf if chance else MARGIN * EPS * (allowed + self.scale)

    def is_tie(self, name: str, part: str, ours: np.ndarray, theirs: np.ndarray) -> bool:
        """Whether minicnn's own rounding errors would give every element that PyTorch has otherwise."""
        if ours.shape != theirs.shape:
            return False
        near = GROSS * NOISE * self.scale if ours.dtype.kind == "f" else 0.0

        def apart(actual: np.ndarray) -> np.ndarray:
            with np.errstate(all="ignore"):
                error = np.abs(actual.astype(np.float64) - theirs.astype(np.float64))
                return ~((error <= near) | (actual == theirs) | ((actual != actual) & (theirs != theirs)))

        open_yet = apart(ours)
        for i in range(1, 6):
            state = run(self.source, minicnn, noise=NOISE, all_noisy=i).states.get(name)
            noisy = None if state is None else getattr(state, part)
            if noisy is not None and noisy.shape == theirs.shape:
                open_yet &= apart(noisy)
        return not open_yet.any()


def _largest(array: np.ndarray | None) -> float:
    if array is None or array.dtype.kind != "f":
        return 0.0
    return float(np.abs(array[np.isfinite(array)]).max(initial=0.0))
