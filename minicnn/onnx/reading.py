"""A file of ONNX as a module: its nodes are computed one after the other, by the operations of minicnn."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from onnx import ModelProto, NodeProto, external_data_helper, helper, numpy_helper

import minicnn
from minicnn import nn
from minicnn.onnx import nodes, selections
from minicnn.tensor import Tensor

NODES = {**nodes.NODES, **selections.NODES}
"""What each operation of ONNX is in minicnn."""
SEVERAL = {"MaxPool": 2, "SoftmaxCrossEntropyLoss": 2, "TopK": 2}
"""Operations of more than one output, and of how many; `Split` has any number."""

OLDEST = 13
"""The oldest operator set whose operations are understood: from there on axes are inputs."""

LEARNED = {
    "BatchNormalization": (1, 2), "Conv": (1, 2), "ConvTranspose": (1, 2), "Gather": (0,), "Gemm": (1, 2),
    "InstanceNormalization": (1, 2), "LayerNormalization": (1, 2), "MatMul": (0, 1), "PRelu": (1,),
}  # fmt: skip
"""Which inputs of an operation are parameters, if the file holds their values."""
STATISTICS = {"BatchNormalization": (3, 4)}
"""Which are buffers."""


class OnnxModule(nn.Module):
    """What a file of ONNX computes.

    Weights are parameters, under the names they have in the file, and can be trained; batch norm keeps its running
    statistics, which are buffers.

    Attributes:
        inputs, outputs: their names, in order.
    """

    def __init__(self, model: ModelProto) -> None:
        super().__init__()
        graph = model.graph
        values = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
        self.inputs = [one.name for one in graph.input if one.name not in values]
        self.outputs = [one.name for one in graph.output]
        self._nodes = [_Step(node) for node in graph.node]
        learned, statistics = _places(graph.node, LEARNED), _places(graph.node, STATISTICS)
        self._own: dict[str, tuple[nn.Module, str]] = {}
        self._constants: dict[str, Tensor] = {}
        for name, array in values.items():
            tensor = _tensor(name, array)
            if name in learned and array.dtype.kind == "f" and not name.startswith("constant"):
                self._keep(name, nn.Parameter(tensor))
            elif name in statistics:
                self._keep(name, tensor)
            else:
                self._constants[name] = tensor
        self._last = {name: k for k, step in enumerate(self._nodes) for name in step.inputs}

    def _keep(self, name: str, tensor: Tensor) -> None:
        """Register a tensor, in modules within modules where its name has dots."""
        *path, leaf = name.split(".")
        module: nn.Module = self
        for part in path:
            if part not in module._modules:
                module.add_module(part, nn.Module())
            module = module._modules[part]  # type: ignore[assignment]
        leaf = leaf if leaf and not hasattr(module, leaf) else f"value_{len(self._own)}"
        if isinstance(tensor, nn.Parameter):
            module.register_parameter(leaf, tensor)
        else:
            module.register_buffer(leaf, tensor)
        self._own[name] = (module, leaf)

    def forward(self, *inputs: Tensor) -> Any:
        """The outputs for the inputs, in the file's order: a Tensor, or a tuple where there are several.

        Args:
            inputs: Tensors of the dtypes and shapes that the file names.

        Raises:
            TypeError: for another number of inputs.
            NotImplementedError: for an option of an operation that minicnn doesn't have.
            ValueError, RuntimeError: for shapes and dtypes that don't fit.
        """
        if len(inputs) != len(self.inputs):
            raise TypeError(f"the model takes {len(self.inputs)} inputs ({', '.join(self.inputs)}), got {len(inputs)}")
        held = {**self._constants, **dict(zip(self.inputs, inputs, strict=True))}
        held |= {name: getattr(module, leaf) for name, (module, leaf) in self._own.items()}
        for k, step in enumerate(self._nodes):
            held |= step.compute(held)
            for name in step.inputs:
                if self._last[name] == k and name not in self.outputs:
                    held.pop(name, None)
        results = tuple(held[name] for name in self.outputs)
        return results[0] if len(results) == 1 else results


def _tensor(name: str, array: np.ndarray) -> Tensor:
    try:
        return minicnn.from_numpy(np.array(array, order="C"))
    except TypeError as error:
        raise NotImplementedError(f"{name}: {error}") from None


class _Step:
    """One node."""

    def __init__(self, node: NodeProto) -> None:
        if node.domain not in ("", "ai.onnx") or node.op_type not in NODES:
            where = f"{node.domain}." if node.domain else ""
            raise NotImplementedError(f"minicnn has nothing for {where}{node.op_type} (node {node.name or '?'})")
        self.op, self.inputs, self.outputs = node.op_type, list(node.input), list(node.output)
        count = SEVERAL.get(self.op, 1)
        if self.op != "Split" and any(self.outputs[count:]):
            outputs = "one output" if count == 1 else f"{count} outputs"
            raise NotImplementedError(f"minicnn has {outputs} of {self.op}, the model asks for {len(self.outputs)}")
        self.attributes = {one.name: _plain(helper.get_attribute_value(one)) for one in node.attribute}
        if self.op == "Split" or self.op in SEVERAL:
            self.attributes["outputs"] = len(self.outputs)

    def compute(self, held: dict[str, Any]) -> dict[str, Any]:
        """The outputs, by name."""
        arguments = [held[name] if name else None for name in self.inputs]
        results = NODES[self.op](*arguments, **self.attributes)
        several = results if isinstance(results, tuple) else (results,)
        return {name: one for name, one in zip(self.outputs, several, strict=False) if name}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode()
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else value


def _places(nodes: Any, table: Mapping[str, tuple[int, ...]]) -> set[str]:
    """The names of what stands at certain places of certain operations."""
    return {node.input[k] for node in nodes for k in table.get(node.op_type, ()) if k < len(node.input)}


def load(f: str | os.PathLike[str] | bytes) -> OnnxModule:
    """Read a file of ONNX.

    Nothing in it is executed, and nothing but the file itself is read.

    Args:
        f: a path, or the file's bytes.

    Returns: a module in evaluation mode, that takes the model's inputs in order.

    Raises:
        ValueError: for a file that is no valid ONNX, whose weights lie in other files, or older than operator set 13.
        NotImplementedError: for an operation that minicnn doesn't have, naming it.
        OSError: where the file can't be read.
    """
    name = "the model" if isinstance(f, bytes) else os.fspath(f)
    try:
        model = onnx.load_model_from_string(f) if isinstance(f, bytes) else onnx.load(f, load_external_data=False)
        if any(external_data_helper.uses_external_data(one) for one in model.graph.initializer):
            raise ValueError("it keeps weights in other files; save it in one")
        onnx.checker.check_model(model)
        _check_version(model)
        return OnnxModule(model).eval()
    except (DecodeError, onnx.checker.ValidationError, ValueError, KeyError) as error:
        reason = f"unknown type {error}" if isinstance(error, KeyError) else (str(error).splitlines() or ["empty"])[0]
        raise ValueError(f"{name} is no valid ONNX model: {reason[:200]}") from None


def _check_version(model: ModelProto) -> None:
    version = max((one.version for one in model.opset_import if one.domain in ("", "ai.onnx")), default=0)
    if version < OLDEST:
        raise ValueError(
            f"written for operator set {version}, where minicnn reads {OLDEST} and later: "
            f"onnx.version_converter.convert_version(model, {OLDEST})"
        )
