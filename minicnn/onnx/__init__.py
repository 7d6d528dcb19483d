"""Models as files of ONNX, written and read; needs the package `onnx`: `pip install "minicnn[onnx]"`."""

try:
    import onnx as _onnx  # noqa: F401
except ModuleNotFoundError as error:
    if error.name != "onnx":
        raise
    raise ModuleNotFoundError('minicnn.onnx needs the package onnx: pip install "minicnn[onnx]"', name="onnx") from None

from minicnn.onnx.exporting import export
from minicnn.onnx.graph import ExportError
from minicnn.onnx.reading import OnnxModule, load

__all__ = ["ExportError", "OnnxModule", "export", "load"]
