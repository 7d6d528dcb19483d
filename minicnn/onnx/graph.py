"""A graph of ONNX while it is written: nodes, constants, and sizes that follow the size of the batch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from onnx import NodeProto, helper

ENDS = np.iinfo(np.int64).max
"""Where a slice ends that takes all there is."""


class ExportError(RuntimeError):
    """A program does what a file can't hold."""


@dataclass(frozen=True)
class Value:
    """A tensor of the program, in the graph.

    Attributes:
        name: its name in the graph; empty for one that the graph lacks.
        array: what it held when the program ran.
        twin: what it held when the program ran on one example more, of other numbers.
    """

    name: str
    array: np.ndarray
    twin: np.ndarray

    @property
    def shape(self) -> tuple[int, ...]:
        return self.array.shape

    @property
    def ndim(self) -> int:
        return self.array.ndim


class Graph:
    """Nodes and constants, in the order in which they are added.

    Args:
        batch: the name of an input whose first axis is the batch, and that axis's sizes in the two runs; None if all
            sizes are fixed.
    """

    def __init__(self, batch: tuple[str, int, int] | None) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: dict[str, np.ndarray] = {}
        self.batch = batch
        self._taken: set[str] = set()
        self._batch_size = ""

    def new_name(self, wanted: str) -> str:
        """`wanted`, or that with a number, if the name is taken."""
        name, number = wanted, 0
        while name in self._taken:
            number += 1
            name = f"{wanted}_{number}"
        self._taken.add(name)
        return name

    def add(self, op: str, inputs: Sequence[Any], output: str = "", **attributes: Any) -> str:
        """A node of one output.

        Args:
            op: ONNX's name of the operation.
            inputs: Values, names, arrays, or "" for one that is left out; trailing ones of these are dropped.
            output: its name; a new one if empty.

        Returns: the output's name.
        """
        return self.add_several(op, inputs, [output or self.new_name(op.lower())], **attributes)[0]

    def add_several(self, op: str, inputs: Sequence[Any], outputs: Sequence[str], **attributes: Any) -> Sequence[str]:
        """A node of several outputs, whose names are given."""
        names = [one.name if isinstance(one, Value) else one for one in inputs]
        names = [self.constant(one) if isinstance(one, np.ndarray) else one for one in names]
        while names and not names[-1]:
            names.pop()
        self.nodes.append(helper.make_node(op, names, list(outputs), name=f"{op}_{len(self.nodes)}", **attributes))
        return outputs

    def constant(self, values: Any, dtype: Any = None, name: str = "constant") -> str:
        """The name of an array that the file holds."""
        name = self.new_name(name)
        self.constants[name] = np.array(values, dtype, order="C")
        return name

    def integers(self, values: Any) -> str:
        """The name of a vector of int64."""
        return self.constant(np.atleast_1d(np.asarray(values, np.int64)), name="sizes")

    def sizes(self, here: Sequence[int], there: Sequence[int], free: bool = False) -> str:
        """The name of a vector of sizes that may follow the batch.

        Args:
            here, there: the sizes in the two runs.
            free: one of them may be -1, for what is left.

        Raises:
            ExportError: for a size that is no multiple of the batch's.
        """
        moving = [axis for axis, (a, b) in enumerate(zip(here, there, strict=True)) if a != b]
        if not moving:
            return self.integers(here)
        if free and len(moving) == 1:
            return self.integers([-1 if axis in moving else size for axis, size in enumerate(here)])
        return self.add("Concat", [self._size(a, b) for a, b in zip(here, there, strict=True)], axis=0)

    def multiple(self, here: int, there: int) -> str:
        """The name of a size that is a multiple of the batch's; empty for one that is none."""
        assert self.batch is not None
        name, first, second = self.batch
        factor = here // first if first else 0
        if not factor or here != factor * first or there != factor * second:
            return ""
        if not self._batch_size:
            self._batch_size = self.add("Shape", [name], self.new_name("batch_size"), start=0, end=1)
        return self._batch_size if factor == 1 else self.add("Mul", [self._batch_size, self.integers(factor)])

    def _size(self, here: int, there: int) -> str:
        if here == there:
            return self.integers(here)
        assert self.batch is not None
        size = self.multiple(here, there)
        if not size:
            _, first, second = self.batch
            raise ExportError(f"a size is {here} for a batch of {first} and {there} for {second}, no multiple of it")
        return size

    def reshaped(self, x: Any, here: Sequence[int], there: Sequence[int], output: str = "") -> str:
        """x under another shape."""
        attributes = {"allowzero": 1} if 0 in here else {}
        return self.add("Reshape", [x, self.sizes(here, there, free=0 not in here)], output, **attributes)

    def like(self, x: Any, value: Value, output: str = "") -> str:
        """x in the shape of `value`."""
        return self.reshaped(x, value.array.shape, value.twin.shape, output)
