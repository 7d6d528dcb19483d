"""Whole objects, such as models: pickles in a file laid out like PyTorch's, read by Python's own unpickler.

Unpickling runs whatever the file says, so `load` comes here only where a program asks for `weights_only=False` by name.
"""

import io
import pickle
import zipfile
from functools import partial
from typing import Any, BinaryIO

from minicnn.serialization import torch_zip
from minicnn.serialization.names import is_name, meaning
from minicnn.serialization.torch_write import write_archive


def write(file: BinaryIO, obj: Any, protocol: int) -> None:
    """Write any object that can be pickled.

    Raises:
        what `pickle` raises for others.
    """
    write_archive(file, pickle.dumps(obj, protocol=protocol), {})


class _Unpickler(pickle.Unpickler):
    """Python's unpickler, for which tensors in PyTorch's files are minicnn's."""

    def __init__(self, program: bytes, tensors: torch_zip.Tensors, **options: Any) -> None:
        super().__init__(io.BytesIO(program), **options)
        self._tensors = tensors

    def persistent_load(self, pid: Any) -> Any:
        return self._tensors.storage(pid)

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        name = f"{module_name}.{global_name}"
        if module_name.partition(".")[0] == "torch" and name in torch_zip.calls():
            return partial(torch_zip.calls()[name], self._tensors)
        if name.startswith("torch.") and is_name(name):
            return meaning(name)
        return super().find_class(module_name, global_name)


def read_archive(archive: zipfile.ZipFile, **options: Any) -> Any:
    """The object in a file of PyTorch's layout, of whatever classes; they must be importable.

    Raises:
        what unpickling raises, among it ImportError and AttributeError for classes that aren't there.
    """
    folder, program = torch_zip.contents(archive)
    return _Unpickler(program, torch_zip.Tensors(archive, folder), **options).load()


def read_pickle(data: bytes, **options: Any) -> Any:
    """The object in a plain pickle."""
    return pickle.loads(data, **options)
