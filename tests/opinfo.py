"""PyTorch's own test samples (OpInfo and ModuleInfo) executed by minicnn and by torch.

PyTorch describes every operation by an `OpInfo` and every module by a `ModuleInfo`: arguments worth trying, and
arguments that must raise. Whatever minicnn has under the same public name gets the same arguments here.

    python tests/opinfo.py [--cases N] [WORD ...]

prints a table of the operations whose name contains one of the words: cases that agree, differ and lie outside.
"""

import inspect
import operator
import re
import sys
import types
import unittest
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import hypothesis
import numpy as np
import torch

import minicnn

MARGIN = 16
"""How much larger than PyTorch's own rounding error ours may be; the two add in different orders."""

ERRORS = (ValueError, TypeError, RuntimeError, IndexError, KeyError, ZeroDivisionError)
DTYPES = (torch.float32, torch.float64, torch.int64, torch.uint8, torch.bool)
KINDS = ("sample", "noncontiguous", "reversed", "reference", "error")

RANDOM = (
    *("rand", "randn", "randint", "randperm", "dropout", "rand_like", "randn_like", "randint_like"),
    *("normal", "bernoulli", "multinomial", "uniform", "exponential", "geometric", "log_normal", "cauchy", "poisson"),
    *("rrelu", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout"),
    *("empty", "empty_like", "empty_strided", "empty_permuted", "new_empty", "new_empty_strided"),
)
"""Operations of which only shape and dtype are compared: the values are drawn, or nobody's."""

CHOOSING = ("topk", "kthvalue", "mode")
"""Operations that choose among equal elements as they please: of integers only the values are compared."""

UNSTABLE = ("sort", "argsort")
"""Operations of which torch is asked to keep the order of equal elements, as minicnn always does."""

CANCELLING = ("cov", "sinc")
"""Operations with samples in whose gradients all terms cancel, so that PyTorch's own are rounding errors alone: only
the values are compared. (Near 0 PyTorch's gradient of sinc is; minicnn's is held to its series in test_mathematics.)"""

WRONG_GRADIENT = {"narrow_copy": "The size of tensor a"}
"""Operations whose gradient fails in PyTorch for some arguments (a start counted from the end), and how it says so."""

BESIDE_ONE = ("GELU", "gelu")
"""Operations that PyTorch computes as 1 − …, which cancels where the result is small."""

METHODS_OF_FUNCTIONALS = ("relu", "prelu", "hardshrink")
"""Names in `nn.functional` that mean the same as a method of Tensor (`unfold` is another operation there)."""


def databases() -> tuple[list, list]:
    """PyTorch's `op_db` and `module_db`.

    Raises:
        ImportError: where this torch doesn't carry them.
    """
    if "expecttest" not in sys.modules:
        with suppress(ImportError):
            import expecttest  # noqa: F401
    # torch.testing derives its TestCase from expecttest's, and uses nothing else of it to describe samples
    sys.modules.setdefault("expecttest", types.SimpleNamespace(TestCase=unittest.TestCase))  # type: ignore[arg-type]
    profile = hypothesis.settings.get_current_profile_name()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torch.testing._internal.common_methods_invocations import op_db
        from torch.testing._internal.common_modules import module_db
        from torch.testing._internal.opinfo import core
    for module in (torch.testing._internal.common_utils, core):
        module.extract_test_fn = lambda: None  # it searches the whole stack for a TestCase, for every sample
    hypothesis.settings.load_profile(profile)  # those imports changed it, and the next line's, for the whole process
    torch.backends.__allow_nonbracketed_mutation_flag = True
    return op_db, module_db


NO_DERIVATIVE = re.compile(r"(the )?derivative for .* is not implemented|ZeroTensors are immutable")
"""What torch says where a gradient exists that it has no formula for, or that it stumbles over."""


class OutsideError(Exception):
    """What can't be compared: a complex, sparse or meta tensor, a dtype or gradient that one of the two lacks."""


# The same arguments for both


def twin(array: np.ndarray) -> np.ndarray:
    """A copy with the same strides, in memory of its own."""
    if not array.size:
        return array.copy()
    steps = sum((n - 1) * s for n, s in zip(array.shape, array.strides, strict=True)) // array.itemsize
    memory = np.lib.stride_tricks.as_strided(array, (steps + 1,), (array.itemsize,)).copy()
    return np.ndarray(array.shape, array.dtype, memory, 0, array.strides)


def numpy_dtype(dtype: torch.dtype) -> np.dtype:
    """The NumPy dtype that minicnn has for it."""
    found = getattr(minicnn, str(dtype).removeprefix("torch."), None)
    if not isinstance(found, minicnn.dtype):
        raise OutsideError(f"minicnn has no {dtype}")
    return np.dtype(found)


@dataclass
class Side:
    """One of the two who compute: converts PyTorch's arguments and remembers the tensors that want a gradient.

    Attributes:
        module: minicnn or torch.
        floats: the dtype to convert floating-point tensors to; None to keep theirs.
        leaves: the tensors converted so far that require a gradient.
    """

    module: Any
    floats: torch.dtype | None = None
    leaves: list = field(default_factory=list)
    known: dict = field(default_factory=dict)

    def convert(self, value: Any) -> Any:
        """`value`, nested as it is, with this side's tensors, dtypes and sizes; the same tensor stays the same."""
        if isinstance(value, torch.Tensor):
            if id(value) not in self.known:
                self.known[id(value)] = (value, self._tensor(value))  # holds the key alive
            return self.known[id(value)][1]
        if isinstance(value, torch.dtype):
            wanted = self.floats if value.is_floating_point and self.floats else value
            return numpy_dtype(wanted) if self.module is minicnn else wanted
        if isinstance(value, torch.memory_format) and self.module is minicnn:
            name = str(value).removeprefix("torch.")
            if not hasattr(minicnn, name):
                raise OutsideError(f"minicnn has no {value}")
            return getattr(minicnn, name)
        if isinstance(value, torch.layout) and self.module is minicnn:
            if value is not torch.strided:
                raise OutsideError(f"layout {value}")
            return minicnn.strided
        if isinstance(value, torch.device):
            if value.type != "cpu":
                raise OutsideError(f"device {value}")
            return "cpu"
        if isinstance(value, torch.Size):
            return tuple(value)
        if isinstance(value, complex):
            raise OutsideError("complex number")
        if isinstance(value, torch.nn.Module) and self.module is minicnn:
            raise OutsideError("a module of torch's as an argument")
        if isinstance(value, (list, tuple)):
            return type(value)(self.convert(item) for item in value)
        if isinstance(value, dict):
            return {key: self.convert(item) for key, item in value.items()}
        if value is torch.nn.functional.gelu and self.module is minicnn:
            return minicnn.nn.functional.gelu
        if isinstance(value, slice):
            return slice(*[self.convert(bound) for bound in (value.start, value.stop, value.step)])
        return value

    def _tensor(self, value: torch.Tensor) -> Any:
        if value.layout != torch.strided or value.device.type != "cpu" or value.is_nested:
            raise OutsideError(f"{value.layout} tensor on {value.device}")
        numpy_dtype(value.dtype)
        array = twin(value.detach().numpy())
        if self.floats is not None and value.is_floating_point():
            array = array.astype(numpy_dtype(self.floats))
        tensor = self.module.from_numpy(array)
        if value.requires_grad:
            self.leaves.append(tensor.requires_grad_())
        return tensor

    def run(self, call: Callable) -> "list | Exception":
        """What `call(self)` returns, and the gradients with respect to the leaves; or the exception."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)
                result = call(self)
                results = [r for r in flat(result) if is_tensor(r) and r.requires_grad]
                for position, r in enumerate(results):
                    self._backward(r, position, retain_graph=position < len(results) - 1)
                return [result, [self._gradient(leaf) for leaf in self.leaves]]
        except OutsideError:
            raise
        except Exception as error:
            if type(error) is AttributeError and str(error).startswith("module 'minicnn"):
                raise OutsideError(str(error)) from None  # a wrapper of PyTorch's asks for a function
            if self.module is torch and NO_DERIVATIVE.match(str(error)):
                raise OutsideError(str(error)) from None
            return error

    def _backward(self, result: Any, position: int, retain_graph: bool) -> None:
        """Backward from whole numbers, so that gradients which are but moved or summed stay exact."""
        numbers = np.random.default_rng(position).integers(1, 5, tuple(result.shape))
        numbers = numbers.astype(str(result.dtype).removeprefix("torch."))
        result.backward(self.module.from_numpy(np.asarray(numbers)), retain_graph=retain_graph)

    def _gradient(self, leaf: Any) -> Any:
        """The leaf's gradient, zeros where none came: torch now and then leaves out a gradient of zeros."""
        return self.module.zeros_like(leaf.detach()) if leaf.grad is None else leaf.grad


def is_tensor(value: Any) -> bool:
    return isinstance(value, (torch.Tensor, minicnn.Tensor))


def flat(value: Any) -> Iterator:
    """The tensors and other values in nested lists and tuples."""
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from flat(item)
    else:
        yield value


# Comparing


def difference(ours: Any, theirs: Any, other: Any, drawn: bool = False, beside: float = 0.0) -> str | None:
    """How minicnn's result differs from torch's; None where it doesn't.

    Args:
        ours, theirs: nested results, or exceptions.
        other: torch's result where floats have the other precision: float64 for float32 and the reverse.
        drawn: compare shapes and dtypes only.
        beside: numbers of this size cancel in PyTorch's formula, and leave rounding errors of their own.
    """
    if isinstance(ours, Exception) or isinstance(theirs, Exception):
        if not isinstance(theirs, Exception):
            return f"minicnn raises {type(ours).__name__}: {ours}"
        if not isinstance(ours, Exception):
            return f"torch raises {type(theirs).__name__}: {str(theirs).splitlines()[0]}"
        return None if isinstance(ours, ERRORS) else f"an unfitting error, {type(ours).__name__}: {ours}"
    if isinstance(theirs, torch.Tensor):
        return tensors_differ(ours, theirs, other, drawn, beside)
    if isinstance(theirs, (list, tuple)):
        if not isinstance(ours, (list, tuple)) or len(ours) != len(theirs):
            return f"minicnn {ours!r}, torch {theirs!r}"
        others = other if isinstance(other, (list, tuple)) and len(other) == len(theirs) else [None] * len(theirs)
        for o, t, x in zip(ours, theirs, others, strict=True):
            found = difference(o, t, x, drawn, beside)
            if found:
                return found
        return None
    if drawn or ours == theirs or (ours != ours and theirs != theirs):
        return None
    if isinstance(theirs, torch.dtype) and str(theirs) == f"torch.{ours}":
        return None
    return f"minicnn {ours!r}, torch {theirs!r}"


def tensors_differ(ours: Any, theirs: torch.Tensor, other: Any, drawn: bool, beside: float) -> str | None:
    """How a tensor of minicnn's differs from torch's; None where it doesn't."""
    if not isinstance(ours, minicnn.Tensor):
        return f"no Tensor but {type(ours).__name__}"
    for name in ("dtype", "shape", "requires_grad"):
        a, b = getattr(ours, name), getattr(theirs, name)
        if str(a).removeprefix("torch.") != str(b).removeprefix("torch."):
            return f"{name}: minicnn {a}, torch {b}"
    if drawn:
        return None
    actual, expected = np.asarray(ours.detach()), theirs.detach().numpy(force=True)
    if actual.dtype.kind != "f" or not expected.size:
        return None if np.array_equal(actual, expected) else f"minicnn {actual}, torch {expected}"
    reference = other.detach().numpy(force=True) if is_tensor(other) and other.shape == theirs.shape else expected
    return values_differ(actual, expected, reference, beside)


def values_differ(actual: np.ndarray, expected: np.ndarray, other: np.ndarray, beside: float) -> str | None:
    """How floating-point values differ by more than rounding; None where they don't.

    How an operation amplifies rounding errors is measured: so much is PyTorch's float32 result off from its float64
    result, in units of float32's eps. In units of its own eps, minicnn may be off by `MARGIN` times as much. Where all
    results are whole numbers in both precisions, nothing was rounded, and minicnn's are equal; but for 0 and ±1 alone,
    which quotients may be by luck: the correlations of two observations are ±1, but for rounding.
    """
    message = f": minicnn {actual}, torch {expected}"
    special = ~np.isfinite(expected)
    if (
        not np.array_equal(actual[special], expected[special], equal_nan=True)
        or not np.isfinite(actual[~special]).all()
    ):
        return "infinities and NaN" + message
    actual, expected, other = actual[~special], expected[~special], other[~special]
    eps = np.finfo(actual.dtype).eps
    whole = (expected == np.rint(expected)) & (expected == other) & (np.abs(expected) < 1 / eps)
    by_luck = expected.size > 0 and np.abs(expected).max() <= 1
    if whole.all() and not by_luck:
        return None if np.array_equal(actual, expected) else "whole numbers" + message
    other = np.where(np.isfinite(other), other, expected)  # float32 overflows where float64 doesn't
    single, exact = (expected, other) if expected.itemsize < other.itemsize else (other, expected)
    with np.errstate(over="ignore"):
        amplified = np.abs(single - exact).max() / np.finfo(np.float32).eps + np.abs(exact).max()
        error = np.abs(actual.astype(np.float64) - exact).max()
    allowed = MARGIN * eps * max(amplified, beside)
    return None if error <= allowed else f"off by {error:.3g}, allowed {allowed:.3g}" + message


# Operations


@dataclass(frozen=True)
class Variant:
    """One way of calling an operation: the function, a method, a method in place, an operator sign.

    Attributes:
        name: as a program writes it.
        ours, theirs: what to call.
        keywords: whether it takes keyword arguments.
    """

    name: str
    ours: Callable
    theirs: Callable
    keywords: bool = True


def found_in(module: Any, path: str) -> Any:
    """The attribute at a dotted path; None where there is none."""
    for name in path.split("."):
        module = getattr(module, name, None)
    return module


def variants(op: Any) -> list[Variant]:
    """Every way in which both minicnn and torch can be asked for this operation."""
    names = [op.name, *[alias.name for alias in op.aliases]]
    names = [name for name in names if "." not in name or name.startswith(("nn.functional.", "linalg."))]
    shorts = dict.fromkeys(name.split(".")[-1] for name in names if not name.startswith("linalg."))
    result = list(_functions(op, names, shorts))
    for name in shorts:
        if not op.name.startswith("nn.functional.") or name in METHODS_OF_FUNCTIONALS:
            for method, in_place in ((name, name.endswith("_")), (name + "_", True)):
                attribute = getattr(minicnn.Tensor, method, None)
                if inspect.isroutine(attribute) and inspect.isroutine(getattr(torch.Tensor, method, None)):
                    call = _method(method, in_place)
                    result.append(Variant(f"Tensor.{method}", call, call))
    for sign, in_place in ((op.operator_variant, False), (op.inplace_operator_variant, True)):
        spelled = "and_" if sign is operator.and_ else "or_" if sign is operator.or_ else getattr(sign, "__name__", "")
        if sign is not None and hasattr(minicnn.Tensor, f"__{spelled.strip('_').removeprefix('i' * in_place)}__"):
            call = _in_place(sign) if in_place else sign
            result.append(Variant(f"operator.{spelled}", call, call, keywords=False))
    return result


def _functions(op: Any, names: list[str], shorts: Iterable[str]) -> Iterator[Variant]:
    """The functions that both have for an operation, under all its names."""
    if isinstance(op.op, types.FunctionType) and op.op.__module__.startswith("torch.testing"):
        # PyTorch's samples fit not the public function, but one that PyTorch wraps around it
        called = [n for n in names if inspect.isroutine(found_in(minicnn, n)) or found_in(minicnn.Tensor, n)]
        if called:
            ours = types.FunctionType(op.op.__code__, {**op.op.__globals__, "torch": minicnn})
            ours.__defaults__, ours.__kwdefaults__ = op.op.__defaults__, op.op.__kwdefaults__
            yield Variant(called[0], ours, op.op)
        return
    for path in dict.fromkeys([*names, *shorts, *[f"nn.functional.{short}" for short in shorts]]):
        ours, theirs = found_in(minicnn, path), found_in(torch, path)
        if inspect.isroutine(ours) and inspect.isroutine(theirs):
            yield Variant(path, ours, theirs)


def _method(name: str, in_place: bool) -> Callable:
    def call(x: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(x, name)(*args, **kwargs)

    return _in_place(call) if in_place else call


def _in_place(call: Callable) -> Callable:
    """`call` on a copy: both what it returns and what it changed."""

    def on_a_copy(x: Any, *args: Any, **kwargs: Any) -> list:
        copy = x.clone()
        return [call(copy, *args, **kwargs), copy]

    return on_a_copy


def samples(op: Any, dtype: torch.dtype, kind: str) -> Iterator:
    """PyTorch's sample inputs of one kind; of error inputs each once, whatever the dtype."""
    wants_gradient = dtype.is_floating_point and op.supports_autograd
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if kind == "error":
            if op.error_inputs_func is not None and dtype is torch.float32:
                yield from (error.sample_input for error in op.error_inputs("cpu"))
        elif kind == "reference":
            if op.reference_inputs_func is not None:
                for sample in op.reference_inputs("cpu", dtype):
                    for value in flat([sample.input, sample.args]):
                        if wants_gradient and isinstance(value, torch.Tensor) and value.is_floating_point():
                            value.requires_grad_()
                    yield sample
        else:
            for sample in op.sample_inputs("cpu", dtype, requires_grad=wants_gradient):
                if kind == "noncontiguous":
                    yield sample.noncontiguous()
                else:
                    yield in_order(sample, reversed) if kind == "reversed" else sample


def in_order(sample: Any, order: Callable[[list[int]], Iterable[int]]) -> Any:
    """The sample with every tensor's axes in memory in the given order, and without gaps."""

    def convert(value: Any) -> Any:
        if not isinstance(value, torch.Tensor) or value.layout != torch.strided:
            return value
        axes = tuple(order(list(range(value.ndim))))
        back = tuple(np.argsort(axes)) if axes else ()
        return value.permute(axes).contiguous().permute(back).requires_grad_(value.requires_grad)

    return sample.transform(convert)


def compare(
    call_ours: Callable, call_theirs: Callable, dtype: torch.dtype, drawn: bool = False, beside: float = 0.0
) -> str | None:
    """How what `call_ours(side)` gives differs from what `call_theirs(side)` gives; None where it doesn't.

    Raises:
        OutsideError: for arguments that minicnn has no counterpart of.
    """
    ours = Side(minicnn).run(call_ours)
    theirs = Side(torch).run(call_theirs)
    other = None
    if dtype.is_floating_point and not isinstance(theirs, Exception):
        other = Side(torch, torch.float64 if dtype is torch.float32 else torch.float32).run(call_theirs)
    return difference(ours, theirs, other, drawn, beside)


def judge(op: Any, variant: Variant, dtype: torch.dtype, sample: Any) -> str | None:
    """As `compare`, for one sample of one variant.

    In `nn.functional` the memory order makes no difference to minicnn. Where torch refuses or gets something wrong for
    the sake of it, what torch makes of contiguous arguments counts.
    """
    drawn = op.name.split(".")[-1] in RANDOM or bool(sample.kwargs.get("dropout_p"))
    if op.name == "nn.functional.multi_head_attention_forward":
        drawn = sample.args[9] > 0 and sample.kwargs.get("training", True)

    def calling(function: Callable, given: Any) -> Callable:
        def call(side: Side) -> Any:
            input, args, kwargs = side.convert((given.input, tuple(given.args), dict(given.kwargs)))
            if op.name in UNSTABLE and not args and side.module is torch:
                kwargs["stable"] = True
            result = function(input, *args, **kwargs)
            if op.name.split(".")[-1].rstrip("_") in CANCELLING:
                return [one.detach() for one in result] if isinstance(result, list) else result.detach()
            return result[0] if op.name in CHOOSING and not dtype.is_floating_point else result

        return call

    beside = 1.0 if op.name.split(".")[-1] in BESIDE_ONE else 0.0
    found = compare(calling(variant.ours, sample), calling(variant.theirs, sample), dtype, drawn, beside)
    if found and op.name in WRONG_GRADIENT and WRONG_GRADIENT[op.name] in found:
        raise OutsideError(found)
    if found and op.name.startswith("nn.functional."):
        plain = in_order(sample, lambda axes: axes)
        found = compare(calling(variant.ours, sample), calling(variant.theirs, plain), dtype, drawn, beside)
    return found


# Counting


MISSING = re.compile(r"unexpected keyword argument|positional argument")
REFUSED = re.compile(r"minicnn raises (?:Type|Dtype)Error: .*\b(u?int\d+|bools?|integers)\b")


@dataclass
class Tally:
    """What became of an operation's cases.

    Attributes:
        counts: how many agree, differ, lack an argument, have a refused dtype or lie outside.
        failures: for each case that differs, which it is and how.
        missing: messages about arguments that minicnn's signature lacks.
        refused: messages about dtypes that minicnn doesn't compute.
    """

    counts: Counter = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    missing: Counter = field(default_factory=Counter)
    refused: Counter = field(default_factory=Counter)

    def add(self, case: str, judged: Callable[[], str | None], dtype: torch.dtype) -> None:
        try:
            found = judged()
        except OutsideError:
            self.counts["outside"] += 1
            return
        if found is None:
            self.counts["agree"] += 1
        elif found.startswith("minicnn raises TypeError") and MISSING.search(found):
            self.counts["argument missing"] += 1
            self.missing[found.removeprefix("minicnn raises TypeError: ")] += 1
        elif not dtype.is_floating_point and REFUSED.match(found):
            self.counts["dtype refused"] += 1
            self.refused[found.removeprefix("minicnn raises TypeError: ")] += 1
        else:
            self.counts["differ"] += 1
            self.failures.append(f"{case}: {found}")


def tally(
    op: Any, variant: Variant, dtype: torch.dtype, kinds: Iterable[str] = KINDS, limit: int | None = None
) -> Tally:
    """What became of the first `limit` cases of each kind."""
    result = Tally()
    for kind in kinds:
        for number, sample in enumerate(islice(samples(op, dtype, kind), limit)):
            fits = isinstance(sample.input, torch.Tensor) or not variant.name.startswith(("Tensor.", "operator."))
            if not fits or (sample.kwargs and not variant.keywords):
                continue
            result.add(
                f"{variant.name} {str(dtype)[6:]} {kind} {number} {described(sample)}",
                lambda sample=sample: judge(op, variant, dtype, sample),
                dtype,
            )
    return result


def described(sample: Any) -> str:
    """A sample's arguments, tensors by shape, dtype and strides."""

    def short(value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            layout = "" if value.layout != torch.strided or value.is_contiguous() else f" strides {value.stride()}"
            values = f" = {value.tolist()}" if value.numel() <= 8 and value.device.type == "cpu" else ""
            return _Text(f"{str(value.dtype)[6:]}{list(value.shape)}{layout}{values}")
        if isinstance(value, (list, tuple)):
            return type(value)(short(item) for item in value)
        if isinstance(value, dict):
            return {key: short(item) for key, item in value.items()}
        return value

    return f"({short(sample.input)}, *{short(tuple(sample.args))}, **{short(dict(sample.kwargs))})"


class _Text(str):
    """Text that shows without quotes."""

    __repr__ = str.__str__


# Modules


def module_cases(info: Any, dtype: torch.dtype, training: bool) -> Iterator[tuple[str, Any, Any]]:
    """(description, what builds the module, what it is called with) for every input PyTorch has for a module."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        inputs = [
            ("", given) for given in info.module_inputs_func(info, "cpu", dtype, requires_grad=True, training=training)
        ]
        if info.module_error_inputs_func is not None:
            errors = info.module_error_inputs_func(info, "cpu", dtype, requires_grad=True, training=training)
            inputs += [("error ", error.module_error_input) for error in errors]
    for number, (kind, given) in enumerate(inputs):
        name = f"{info.module_cls.__name__} {str(dtype)[6:]} {'train' if training else 'eval'} {kind}{number}"
        yield name, given.constructor_input, given.forward_input


def judge_module(info: Any, dtype: torch.dtype, training: bool, built: Any, called: Any) -> str | None:
    """How a module of minicnn's differs from torch's in forward, gradients and state; None where it doesn't."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            state = info.module_cls(*built.args, **built.kwargs).to(dtype).state_dict()
        except Exception:
            state = {}

    def call(side: Side) -> Any:
        args, kwargs = side.convert((tuple(built.args), dict(built.kwargs)))
        module = getattr(side.module.nn, info.module_cls.__name__)(*args, **kwargs)
        module.to(side.convert(dtype)).train(training)
        module.load_state_dict(side.convert(dict(state)))
        side.leaves += module.parameters()
        if called is None:
            return list(module.state_dict().values())
        args, kwargs = side.convert((tuple(called.args), dict(called.kwargs)))
        drawn = module(*args, **kwargs)
        return [drawn, [value.detach() for value in module.state_dict().values()]]

    return compare(call, call, dtype, beside=1.0 if info.module_cls.__name__ in BESIDE_ONE else 0.0)


def tally_module(info: Any, dtype: torch.dtype, training: bool, limit: int | None = None) -> Tally:
    """What became of the first `limit` cases of a module."""
    result = Tally()
    for name, built, called in islice(module_cases(info, dtype, training), limit):
        result.add(name, lambda b=built, c=called: judge_module(info, dtype, training, b, c), dtype)
    return result


def operations() -> list[tuple[Any, Variant]]:
    """Every operation that minicnn has too, in every way of calling it."""
    return [(op, variant) for op in databases()[0] if dtypes_of(op) for variant in variants(op)]


def modules() -> list[Any]:
    """Every module that minicnn has too."""
    return [info for info in databases()[1] if hasattr(minicnn.nn, info.module_cls.__name__)]


def dtypes_of(op: Any) -> list[torch.dtype]:
    """The dtypes to compare it in."""
    return [dtype for dtype in DTYPES if dtype in op.supported_dtypes("cpu")]


def main() -> None:
    """Print the table."""
    import argparse

    parser = argparse.ArgumentParser(description="PyTorch's own samples on minicnn.")
    parser.add_argument("words", nargs="*", help="only operations whose name contains one of them")
    parser.add_argument("--cases", type=int, help="at most so many of each kind")
    parser.add_argument("--failures", type=int, default=3, help="show so many failures of each operation")
    arguments = parser.parse_args()
    warnings.simplefilter("error", RuntimeWarning)
    torch.set_num_threads(1)
    minicnn.set_num_threads(1)
    total, rows = Counter(), {}

    def wanted(name: str) -> bool:
        return not arguments.words or any(word in name for word in arguments.words)

    for op, variant in operations():
        if wanted(op.full_name if hasattr(op, "full_name") else op.name) or wanted(variant.name):
            row = rows.setdefault(f"{op.name} {op.variant_test_name} [{variant.name}]", [])
            row += [tally(op, variant, dtype, limit=arguments.cases) for dtype in dtypes_of(op)]
            show(f"{op.name} {op.variant_test_name} [{variant.name}]", row, total, arguments.failures)
    for info in modules():
        if wanted(info.module_cls.__name__):
            row = [
                tally_module(info, dtype, training, arguments.cases)
                for dtype in (torch.float32, torch.float64)
                for training in (True, False)
            ]
            show(f"nn.{info.module_cls.__name__}", row, total, arguments.failures)
    compared = total["agree"] + total["differ"]
    print(dict(total), f"{100 * total['agree'] / max(compared, 1):.2f} % of {compared} agree")


def show(name: str, tallies: list[Tally], total: Counter, failures: int) -> None:
    """Print one row, its first failures and its missing arguments below it."""
    counts = sum((t.counts for t in tallies), Counter())
    total.update(counts)
    print(f"{name:60}", "  ".join(f"{key} {number}" for key, number in sorted(counts.items())), flush=True)
    for failure in [f for t in tallies for f in t.failures][:failures]:
        print("    ", failure[:600].replace("\n", " "))
    for title in ("missing", "refused"):
        for message, number in sum((getattr(t, title) for t in tallies), Counter()).most_common():
            print(f"     {title} {number} x {message[:160]}")


if __name__ == "__main__":
    main()
