"""A model as a file of ONNX: what it computes for an example, operation by operation, for batches of any size.

The model runs twice: on the inputs given, and on other numbers, one example more. Sizes that differ follow the batch;
numbers that differ, though no operation that is known here made them, are refused: the file would hold them as
constants.
"""

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import ModelProto, helper, numpy_helper, version_converter

import minicnn
from minicnn import nn
from minicnn.nn.functional.dropout import Dropout
from minicnn.nn.functional.normalization import BatchNorm
from minicnn.nn.functional.shuffling import Rearranged
from minicnn.onnx import assignments, choices, elementwise, gathers, layers, losses, shapes
from minicnn.onnx.graph import ExportError, Graph, Value
from minicnn.onnx.traced import Known, Step, Trace, traced
from minicnn.operators import arithmetic, shape
from minicnn.serialization.files import replacing
from minicnn.tensor import Tensor
from minicnn.version import __version__

OPSET = 18
"""The version of ONNX's operations that is written."""
IR_VERSION = 8
"""The version of the file format that belongs to it."""

SIZED = shape.View, shape.Reshape, shape.Expand, Rearranged
"""Operations that take sizes, which may follow the batch."""

COUNTED = arithmetic.Add, arithmetic.Subtract, arithmetic.Multiply, arithmetic.Divide
"""Operations on a number that may be the batch's size, or a multiple of it."""

WRITERS = {
    **elementwise.OPERATORS,
    **choices.OPERATORS,
    **assignments.OPERATORS,
    **gathers.OPERATORS,
    **shapes.OPERATORS,
    **layers.OPERATORS,
    **losses.OPERATORS,
}


def export(
    model: nn.Module,
    args: Any,
    f: str | os.PathLike[str] | None = None,
    *,
    input_names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None,
    opset_version: int | None = None,
    dynamic_axes: Mapping[str, Any] | None = None,
    export_params: bool = True,
    do_constant_folding: bool = True,
    verbose: bool | None = None,
) -> ModelProto:
    """Write a model as ONNX.

    What it computes in evaluation mode for `args` is written: of branches and repetitions in Python those that it takes
    for these numbers. Where one of Python's numbers is made of a tensor that depends on the input, a warning says so.

    Args:
        model: any module whose operations ONNX has; parameters and buffers keep their names.
        args: a Tensor or a tuple of them, such as the model takes, of any dtype that ONNX has; their shapes are the
            file's, but for the batch.
        f: a path; None to write no file.
        input_names, output_names: names; `input`, `input_1`, … and `output`, `output_1`, … if None.
        opset_version: the version of ONNX's operations, to which `onnx.version_converter` takes the model; 18 if None.
        dynamic_axes: by input or output name, the axes of no fixed size, of which only the first, the batch, can be
            one. None for the first axis of every input; {} for none.
        export_params: True: the file holds the weights.
        do_constant_folding, verbose: accepted, and change nothing.

    Returns: the model, which `onnx.checker` has accepted.

    Raises:
        ExportError: for what ONNX has no operation for, and for what can't be followed.
        TypeError: for inputs or outputs that are no Tensors.
        ValueError: for wrong numbers of names, other dynamic axes, or a file without weights.
    """
    if not export_params:
        raise ValueError("export always writes the weights; leave out export_params=False")
    inputs = tuple(args) if isinstance(args, (tuple, list)) else (args,)
    for one in inputs:
        if not isinstance(one, Tensor):
            raise TypeError(f"export needs a Tensor, or a tuple of them, as args, got {type(one).__name__}")
    names = _names(input_names, len(inputs), "input")
    here = traced(model, inputs)
    results = _names(output_names, len(here.outputs), "output")
    dynamic = _batch_is_free(dynamic_axes, names, results)
    there = _traced_otherwise(model, inputs, dynamic)
    if len(here.steps) != len(there.steps):  # lazy layers have got their parameters now
        here = traced(model, inputs)
    if here.read & here.depending():
        warnings.warn(
            "the model makes a Python number of a tensor that depends on its input, as an index, a size or a "
            "condition; the file holds what it was for the example",
            stacklevel=2,
        )
    graph = _written(model, here, there, names, results, dynamic)
    finished = _model(graph, here, there, names, results, dynamic, type(model).__name__)
    try:
        onnx.checker.check_model(finished, full_check=True)
    except onnx.checker.ValidationError as error:
        raise ExportError(f"what would be written is no valid ONNX: {str(error).splitlines()[0][:200]}") from None
    if opset_version not in (None, OPSET):
        try:
            finished = version_converter.convert_version(finished, opset_version)
        except RuntimeError as error:
            reason = str(error).splitlines()[0][:200]
            raise ExportError(f"the model can't be written for operator set {opset_version}: {reason}") from None
    if f is not None:
        with replacing(Path(f)) as file:
            file.write(finished.SerializeToString())
    return finished


def _traced_otherwise(model: nn.Module, inputs: Sequence[Tensor], dynamic: bool) -> Trace:
    try:
        return traced(model, [_another(one, dynamic) for one in inputs])
    except Exception:  # some models take probabilities or variances alone
        others = [_another(one, dynamic, within=True) for one in inputs]
    try:
        return traced(model, others)
    except Exception as error:
        if not dynamic:
            raise
        raise ExportError(
            f"the model takes the inputs given, but not one example more: {error}; for inputs without a batch, or of "
            "one size alone, say dynamic_axes={}"
        ) from error


def _names(given: Sequence[str] | None, count: int, kind: str) -> list[str]:
    if given is None:
        return [kind if k == 0 else f"{kind}_{k}" for k in range(count)]
    if len(given) != count or len(set(given)) != count:
        raise ValueError(f"{kind}_names needs {count} different names, got {list(given)}")
    return list(given)


def _batch_is_free(axes: Mapping[str, Any] | None, names: Sequence[str], results: Sequence[str]) -> bool:
    if axes is None:
        return True
    for name, those in axes.items():
        if name not in (*names, *results) or set(those) != {0}:
            raise ValueError(f"dynamic_axes may name axis 0 of {', '.join((*names, *results))}, got {name!r}: {those}")
    return bool(axes)


def _another(x: Tensor, one_more: bool, within: bool = False) -> Tensor:
    """An input of other numbers; one example more.

    Real ones have both signs, or lie between the smallest and the largest of the example; others are the examples in
    reverse.
    """
    array = x.numpy(force=True)
    if one_more and array.ndim:
        array = np.concatenate([array, array[:1]])
    if array.dtype.kind == "f":  # whatever the example is, ones say: what depends on it must not come out alike
        random = np.random.default_rng(0)
        finite = array[np.isfinite(array)]
        bounds = (finite.min(), finite.max()) if within and finite.size else None
        other = random.uniform(*bounds, array.shape) if bounds else random.standard_normal(array.shape)
    else:
        other = array[::-1] if array.ndim else array
    return minicnn.from_numpy(np.array(other, array.dtype, order="C"))


def _written(
    model: nn.Module, here: Trace, there: Trace, names: Sequence[str], results: Sequence[str], dynamic: bool
) -> Graph:
    """All operations, written one after the other."""
    if [s.operator for s in here.steps] != [s.operator for s in there.steps]:
        raise ExportError("the model takes other steps for other inputs; a file holds only one sequence of them")
    sizes = [(name, a.shape[0], b.shape[0]) for name, a, b in _pairs(here, there, names) if a.ndim]
    graph = Graph(sizes[0] if dynamic and sizes else None)
    for name in (*names, *results):
        graph.new_name(name)
    book = Book(model, graph, here, there, names)
    for number, (step, twin) in enumerate(zip(here.steps, there.steps, strict=True)):
        out = [book.enter(a, b) for a, b in zip(step.outputs, twin.outputs, strict=True)]
        _refuse(step)
        follows = any(issubclass(step.operator, one) for one in SIZED)
        pairs = zip(step.arguments, twin.arguments, strict=True)
        arguments = [book.argument(a, b, number, follows) for a, b in pairs]
        before = len(graph.nodes)
        _write(graph, step.operator, out, arguments)
        written = {name for node in graph.nodes[before:] for name in node.output}
        for a, one in zip(step.outputs, out, strict=True):
            if one.name not in written:
                book.unwritten[a] = step.operator.__name__
    for name, a, b in zip(results, here.outputs, there.outputs, strict=True):
        graph.add("Identity", [book.value(a, b, len(here.steps))], name)
    return graph


def _refuse(step: Step) -> None:
    """Raise ExportError for what computes otherwise each time, or from all examples together."""
    if step.operator is Dropout:
        raise ExportError("dropout that is active in evaluation mode")
    if step.operator is BatchNorm and step.arguments[-1]:
        raise ExportError("a batch norm whose statistics are those of the batch")


def _pairs(here: Trace, there: Trace, names: Sequence[str]) -> list[tuple[str, np.ndarray, np.ndarray]]:
    return [
        (name, here.arrays[a], there.arrays[b]) for name, a, b in zip(names, here.inputs, there.inputs, strict=True)
    ]


def same(a: Any, b: Any) -> bool:
    """Whether an operation's options are the same in both runs."""
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and not any((*a.strides, *b.strides)):
        return np.array_equal(a.flat[:1], b.flat[:1])  # one number, as often as an operation takes it
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return np.array_equal(a, b)
    if isinstance(a, (tuple, list)) and isinstance(b, (tuple, list)):
        return len(a) == len(b) and all(map(same, a, b))
    if is_dataclass(a) and type(a) is type(b):
        return all(same(getattr(a, one.name), getattr(b, one.name)) for one in fields(a))
    if callable(a) and callable(b):
        return code_of(a) == code_of(b)
    return bool(a == b) or (a != a and b != b)


def code_of(function: Any) -> Any:
    """What a function computes, the same for one that is made anew for every call."""
    return getattr(function, "__code__", function)


class Book:
    """The Values of a graph, by the numbers that the two runs gave them.

    Attributes:
        unwritten: the operations of those outputs that no node has.
    """

    def __init__(self, model: nn.Module, graph: Graph, here: Trace, there: Trace, names: Sequence[str]) -> None:
        self.graph, self.here, self.there = graph, here, there
        self._values: dict[int, Value] = {}
        self.unwritten: dict[int, str] = {}
        named = [*model.named_parameters(remove_duplicate=False), *model.named_buffers(remove_duplicate=False)]
        self._own = {id(one): name for name, one in reversed(named)}
        for name, a, b in zip(names, here.inputs, there.inputs, strict=True):
            self._values[a] = Value(name, here.arrays[a], there.arrays[b])
        self._depending = here.depending()

    def enter(self, a: int, b: int) -> Value:
        """The Value of what an operation made."""
        self._values[a] = Value(self.graph.new_name("t"), self.here.arrays[a], self.there.arrays[b])
        return self._values[a]

    def argument(self, a: Any, b: Any, step: int, follows: bool) -> Any:
        """An argument as writers take it; one that follows the batch as a pair.

        Raises:
            ExportError: where it may not.
        """
        if isinstance(a, Known) and isinstance(b, Known):
            return self.value(a.number, b.number, step)
        if same(a, b):
            self._refuse_copied(a)
            return a
        if follows:
            return a, b
        operator = self.here.steps[step].operator
        if issubclass(operator, COUNTED) and type(a) is type(b) is int and self.graph.batch is not None:
            size = self.graph.multiple(a, b)
            if size:
                return Value(self.graph.add("Squeeze", [size]), np.asarray(a), np.asarray(b))
        raise ExportError(
            f"{operator.__name__} computes with a number that depends on the input or on the size"
            f" of the batch ({a!r}, then {b!r}); for inputs without a batch say dynamic_axes={{}}"
        )

    def _refuse_copied(self, option: Any) -> None:
        """Raise ExportError for whole numbers that are the same in both runs, and those of a tensor that depends on the
        input: they were copied from it, as another dtype or shape."""
        if not isinstance(option, np.ndarray) or option.dtype.kind not in "iub" or not option.size:
            return
        flat = option.reshape(-1)
        computed = (self._values[number] for number in self._depending if number in self._values)
        for value in computed:
            whole = value.array.dtype.kind in "iub"
            if whole and all(np.array_equal(one.reshape(-1), flat) for one in (value.array, value.twin)):
                raise ExportError(
                    f"the model reads the numbers of a tensor of shape {option.shape} as an index or mask"
                )

    def value(self, a: int, b: int, step: int) -> Value:
        """The Value of a tensor that is read in this step.

        Raises:
            ExportError: where it may hold what the graph doesn't know of.
        """
        since = self.here.stale.get(a)
        if since is not None and since < step:
            raise ExportError(
                "a tensor is read after its memory was written to through another one, or by NumPy; ONNX has no views: "
                "write y = y.clone() before, or compute without writing in place"
            )
        if a in self.unwritten:
            raise ExportError(f"no ONNX is written for all outputs of {self.unwritten[a]}")
        if a not in self._values:
            self._values[a] = self._constant(a, b)
        return self._values[a]

    def _constant(self, a: int, b: int) -> Value:
        """A parameter, a buffer, or what the program made without an operation that is known here."""
        tensor, first, second = self.here.given.get(a), self.here.arrays[a], self.there.arrays[b]
        own = self._own.get(id(tensor))
        if own is not None:
            return Value(self.graph.constant(first, name=own), first, second)
        if np.array_equal(first, second, equal_nan=first.dtype.kind == "f"):
            return Value(self.graph.constant(first), first, second)
        alike = first.ndim == second.ndim and first.size and second.size
        moving = [k for k in range(first.ndim) if alike and first.shape[k] != second.shape[k]]
        if len(moving) == 1:
            row = first.take([0], moving[0])
            if (first == row).all() and (second == row).all():  # the same for every example
                name = self.graph.add("Expand", [self.graph.constant(row), self.graph.sizes(first.shape, second.shape)])
                return Value(name, first, second)
        raise ExportError(
            "the model computes with numbers that depend on its input, but that no operation with a gradient made: a "
            "comparison, an argmax, detach(), or NumPy"
        )


def _write(graph: Graph, operator: type, out: list[Value], arguments: list[Any]) -> None:
    writer = next((WRITERS[one] for one in operator.__mro__ if one in WRITERS), None)
    writer = writer or elementwise.UNARY.get(operator.__name__)
    if writer is None:
        doc = (operator.__doc__ or "").strip().splitlines()[:1]
        raise ExportError(f"no ONNX is written for {operator.__name__} ({' '.join(doc)})")
    writer(graph, out, *arguments)


def _model(
    graph: Graph,
    here: Trace,
    there: Trace,
    names: Sequence[str],
    results: Sequence[str],
    dynamic: bool,
    title: str,
) -> ModelProto:
    def described(name: str, a: np.ndarray, b: np.ndarray) -> Any:
        pairs = zip(a.shape, b.shape, strict=True)
        sizes = ["batch" if k == 0 and m != n else None if m != n else m for k, (m, n) in enumerate(pairs)]
        return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(a.dtype), sizes)

    outcome = [(here.arrays[a], there.arrays[b]) for a, b in zip(here.outputs, there.outputs, strict=True)]
    content = helper.make_graph(
        graph.nodes,
        title,
        [described(*one) for one in _pairs(here, there, names)],
        [described(name, *arrays) for name, arrays in zip(results, outcome, strict=True)],
        [numpy_helper.from_array(array, name) for name, array in graph.constants.items()],
    )
    return helper.make_model(
        content,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="minicnn",
        producer_version=__version__,
    )
