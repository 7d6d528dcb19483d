"""What is said where a program asks for a name that minicnn does not have: the name, who asks, what to use instead."""

import difflib
import importlib
import opcode
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FrameType

from minicnn.compat.paths import served_by

COMPILERS = ("script", "trace", "ScriptModule", "ScriptFunction", "script_method", "freeze", "load", "save")
"""Names below torch.jit that compile programs, or read and write compiled ones."""

INSTEAD = {
    **{f"jit.{name}": f"programs run as they are written; leave torch.jit.{name} out" for name in COMPILERS},
    **dict.fromkeys(
        ("func.grad", "func.vjp", "func.jacrev", "func.jacfwd", "func.hessian"),
        "use torch.autograd.grad, in a loop over outputs",
    ),
    "func.vmap": "use a loop, or a batch dimension",
    "vmap": "use a loop, or a batch dimension",
    "fx": "programs run as they are written; nothing is traced",
    "sparse": "all tensors are dense",
    "profiler": "use Python's cProfile",
    **dict.fromkeys(
        ("nn.utils.rnn.pack_padded_sequence", "nn.utils.rnn.pad_packed_sequence", "nn.utils.rnn.PackedSequence"),
        "there are no recurrent layers",
    ),
    **dict.fromkeys(
        ("nn.Conv3d", "nn.ConvTranspose3d", "nn.MaxPool3d", "nn.AvgPool3d", "nn.AdaptiveAvgPool3d"),
        "convolution and pooling are for sequences and images, not for volumes",
    ),
    "nn.FractionalMaxPool2d": "MaxPool2d and AdaptiveMaxPool2d are there",
    "nn.CrossMapLRN2d": "LocalResponseNorm does the same",
    "nn.EmbeddingBag": "take the sum or mean of what Embedding gives",
    "nn.LSTM": "there are no recurrent layers",
    "nn.GRU": "there are no recurrent layers",
    "nn.RNN": "there are no recurrent layers",
    **dict.fromkeys(
        ("fft", "complex", "complex64", "complex128", "stft", "view_as_real"), "there are no complex tensors"
    ),
    **dict.fromkeys(("quantization", "ao", "ao.quantization"), "there are no quantized tensors"),
    **dict.fromkeys(
        ("ops.roi_align", "ops.RoIAlign", "ops.roi_pool", "ops.RoIPool", "ops.deform_conv2d", "ops.DeformConv2d"),
        "compose it of nn.functional.grid_sample",
    ),
}
"""Path below torch or torchvision → what to do without it."""


class MissingNameError(AttributeError):
    """A program asked a module for a name that minicnn does not have."""


class MissingImportError(ImportError):
    """A program asked to import a name that minicnn does not have."""


class MissingModuleError(ModuleNotFoundError):
    """A program asked to import a module that minicnn does not have."""


def sentence(path: str, known: Iterable[str], asked_by: str | None = None) -> str:
    """Tell that a name is missing.

    Args:
        path: the dotted name, `torch.nn.Foo`.
        known: the names that its module has.
        asked_by: the places in programs that ask for it.
    """
    module, _, name = path.rpartition(".")
    below = path.partition(".")[2]
    advice = INSTEAD.get(below)
    if advice is None:
        near = nearest(name, known)
        advice = f"the nearest name is {module}.{near}" if near else None
    said = f"minicnn has no {path}" if path.startswith("torch") else f"{module} has no {name}"
    return said + (f" ({asked_by})" if asked_by else "") + (f": {advice}" if advice else "")


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The name most like `name`, upper and lower case alike; None if there is none."""
    plain = {other.lower(): other for other in sorted(known)}
    found = difflib.get_close_matches(name.lower(), plain, 1)
    return plain[found[0]] if found else None


def place(frame: FrameType | None) -> str | None:
    """`train.py, line 12`"""
    return None if frame is None else f"{Path(frame.f_code.co_filename).name}, line {frame.f_lineno}"


def asking_frame() -> FrameType | None:
    """The frame that asked a module for a name, past this package's own and those of Python's import."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] in ("importlib", "minicnn"):
        frame = frame.f_back
    return frame


def asks_by(frame: FrameType | None) -> str:
    """The instruction by which a frame asks: `IMPORT_FROM`, `LOAD_ATTR`, or a call, of `hasattr` say."""
    if frame is None or frame.f_lasti < 0:
        return ""
    return opcode.opname[frame.f_code.co_code[frame.f_lasti]]


def only_probes(frame: FrameType | None) -> bool:
    """Whether a frame asks by a call, `hasattr` or `getattr`, and so is prepared for a name that is missing."""
    return frame is None or asks_by(frame).startswith(("CALL", "PRECALL"))


def error(path: str, known: Iterable[str], frame: FrameType | None) -> MissingNameError | MissingImportError:
    """The exception for a missing name: an ImportError for `from torch import name`."""
    said = sentence(path, known, place(frame))
    if asks_by(frame) == "IMPORT_FROM":  # Python would replace an AttributeError by an ImportError of its own
        return MissingImportError(said, name=path.rpartition(".")[0])
    return MissingNameError(said)


def getattr_of(module: str, names: Callable[[], Iterable[str]]) -> Callable[[str], object]:
    """The `__getattr__` of one of minicnn's modules: it imports submodules, and says what is missing.

    Args:
        module: its name.
        names: gives the names that there are.
    """

    def __getattr__(name: str) -> object:  # noqa: N807
        path = f"{module}.{name}"
        if served_by(path) is not None:
            return importlib.import_module(path)
        if name.startswith("__"):
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        raise error(path, names(), asking_frame())

    return __getattr__
