"""torch, torchvision and their submodules as modules that hold minicnn's names, and the hook that imports them."""

import contextlib
import importlib
import os
import sys
from collections.abc import Iterator, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from minicnn.compat import missing, report
from minicnn.compat.paths import LIBRARIES, NAMES, PATHS, is_theirs, served_by
from minicnn.compat.version import VERSION, VISION_VERSION

OWN: dict[str, dict[str, Any]] = {
    "torch": {"__version__": VERSION},
    "torch.version": {"__version__": VERSION},
    "torchvision": {"__version__": VISION_VERSION},
}
"""Names that a module has of its own, not from minicnn: torchvision has no others but its submodules."""


class Served(ModuleType):
    """A module under torch's path, with the names of the module that serves it."""

    def __init__(self, path: str) -> None:
        source = importlib.import_module(str(served_by(path)))
        super().__init__(path, f"{path}, served by {source.__name__}.")
        self.__path__: list[str] = []
        self._theirs = {} if path == "torchvision" else vars(source)
        vars(self).update(public_names(source) if self._theirs else {}, **OWN.get(path, {}))

    def __getattr__(self, name: str) -> Any:
        path = f"{self.__name__}.{name}"
        if served_by(path) is not None:
            return importlib.import_module(path)
        if path in NAMES:
            module, _, own_name = NAMES[path].rpartition(".")
            return getattr(importlib.import_module(module), own_name)
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        if name in self._theirs and not isinstance(self._theirs[name], ModuleType):
            return self._theirs[name]
        return report.missing(path, dir(self))

    def __setattr__(self, name: str, value: Any) -> None:
        """Set a name; but importing a module like `torch.autograd.gradcheck` leaves the function of that name."""
        if not (isinstance(value, Served) and name in vars(self)):
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        below = f"{self.__name__}."
        children = [path.removeprefix(below) for path in PATHS if path.startswith(below)]
        return sorted({*vars(self), *(name for name in children if "." not in name)} - {"_theirs"})


def public_names(module: ModuleType) -> dict[str, Any]:
    """What a module offers, without the modules among it: those have paths of their own."""
    names = getattr(module, "__all__", None) or [name for name in vars(module) if not name.startswith("_")]
    values = {name: getattr(module, name) for name in names}
    return {name: value for name, value in values.items() if not isinstance(value, ModuleType)}


class Finder(MetaPathFinder, Loader):
    """Part of Python's import: it knows torch's and torchvision's modules, and leaves all others alone."""

    def find_spec(self, fullname: str, path: Sequence[str] | None = None, target: Any = None) -> ModuleSpec | None:
        if not is_theirs(fullname):
            return None
        if served_by(fullname) is not None or report.is_on():
            return ModuleSpec(fullname, self, is_package=True)
        asked_by = missing.place(missing.asking_frame())
        raise missing.MissingModuleError(missing.sentence(fullname, _siblings(fullname), asked_by), name=fullname)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return report.StandInModule(spec.name) if served_by(spec.name) is None else Served(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing is left to do: the module is complete."""


class OwnFinder(Finder):
    """Finds torch's paths below `minicnn` where no file lies, `minicnn.nn.modules.conv`, for changed imports."""

    def find_spec(self, fullname: str, path: Sequence[str] | None = None, target: Any = None) -> ModuleSpec | None:
        above, _, name = fullname.rpartition(".")
        if not fullname.startswith("minicnn.") or served_by(fullname) in (None, fullname):
            return None
        taken = name in vars(sys.modules[above])  # by a function that the module would replace
        return None if taken else ModuleSpec(fullname, self, is_package=True)


def _siblings(path: str) -> list[str]:
    """The last parts of the paths that lie beside a path."""
    above = path.rpartition(".")[0]
    return [other.rpartition(".")[2] for other in PATHS if other.rpartition(".")[0] == above]


FINDER = Finder()
OWN_FINDER = OwnFinder()
_set_aside: dict[str, ModuleType] = {}


def serve_own_paths() -> None:
    """Let torch's paths be imported from `minicnn`, too; `import minicnn` does this."""
    if OWN_FINDER not in sys.meta_path:
        sys.meta_path.append(OWN_FINDER)


def install() -> None:
    """Let `import torch` and `import torchvision` mean minicnn from now on, even where PyTorch is installed.

    Modules of PyTorch's that were imported before stay with whoever holds them, until `uninstall` brings them back.
    """
    if FINDER not in sys.meta_path:
        _set_aside.update(_taken_out())
        sys.meta_path.insert(0, FINDER)


def uninstall() -> None:
    """Undo `install`."""
    if FINDER in sys.meta_path:
        sys.meta_path.remove(FINDER)
        _taken_out()
        sys.modules.update(_set_aside)
        _set_aside.clear()


@contextlib.contextmanager
def serving() -> Iterator[None]:
    """`install` for a block; inside another such block nothing changes."""
    if FINDER in sys.meta_path:
        yield
        return
    install()
    try:
        yield
    finally:
        uninstall()


def offline_folder() -> str | None:
    """Where data sets may lie besides the folder that a program names: `$MINICNN_DATA`, while torch is served."""
    return os.environ.get("MINICNN_DATA") if FINDER in sys.meta_path else None


def _taken_out() -> dict[str, ModuleType]:
    """The modules of torch and torchvision, which are no longer in `sys.modules`."""
    return {name: sys.modules.pop(name) for name in [*sys.modules] if is_theirs(name)}


def __getattr__(name: str) -> Any:
    """`torch` and `torchvision`, installed when they are first asked for."""
    if name not in LIBRARIES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    install()
    return importlib.import_module(name)
